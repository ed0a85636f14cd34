"""Tables from Python to R through rpy2, in a plain session and inside reticulate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.r

# Each in a process of its own: one process can hold one R, and only once.
IN_PYTHON = """
import warnings; warnings.simplefilter("ignore")
import pandas as pd, pyarrow as pa
import imagesasdata as iad
from rpy2 import robjects
frame = pd.DataFrame({
    "image": ["a.jpg", "b \\u00e9\\u4e2d.jpg", None],
    "label": pd.Categorical(["yes", None, "yes"], categories=["no", "yes"]),
    "prob": [0.25, None, 1.0],
})
table = iad.classify_images.arrow(["missing.jpg"], progress=False)
robjects.globalenv["d"] = iad.to_r(frame)
robjects.globalenv["t"] = iad.to_r(table)
check = robjects.r('''
stopifnot(
  is.data.frame(d), identical(d$image, c("a.jpg", "b \\u00e9\\u4e2d.jpg", NA)), is.factor(d$label),
  identical(levels(d$label), c("no", "yes")), identical(is.na(d$label), c(FALSE, TRUE, FALSE)),
  identical(d$prob, c(0.25, NA, 1)),
  nrow(t) == 1, nlevels(t$label) == 1000, t$error == "file does not exist",
  attr(t, "imagesasdata")$verb == "classify_images"
)
"all equal"''')
print(check[0])
"""

IN_RETICULATE = """
from_r <- 42
iad <- reticulate::import("imagesasdata", convert = FALSE)
reticulate::py_run_string("
import warnings; warnings.simplefilter('ignore')
import imagesasdata as iad, pandas as pd
from rpy2 import robjects
seen = robjects.globalenv['from_r'][0]
robjects.globalenv['d'] = iad.to_r(pd.DataFrame({'x': [1.5, None], 'y': pd.Categorical(['b', 'a'])}))
")
stopifnot(reticulate::py$seen == 42, is.data.frame(d), identical(d$x, c(1.5, NA)), is.factor(d$y))
cat("attached\\n")
"""


def test_a_table_reaches_r_from_a_python_session() -> None:
    done = subprocess.run([sys.executable, "-c", IN_PYTHON], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("all equal")


def test_inside_reticulate_it_attaches_to_the_running_r(tmp_path: Path) -> None:
    script = tmp_path / "attach.R"
    script.write_text(IN_RETICULATE, encoding="utf-8")
    done = subprocess.run(["Rscript", "--vanilla", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().endswith("attached")


def test_without_rpy2_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    import imagesasdata as iad
    from imagesasdata.errors import DependencyMissing

    monkeypatch.setitem(sys.modules, "rpy2", None)
    with pytest.raises(DependencyMissing, match="pip install"):
        iad.to_r(pd.DataFrame())
