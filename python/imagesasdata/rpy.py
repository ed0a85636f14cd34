"""A table from Python to R by rpy2, through the same Arrow stream and the same R code that the R package uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from .errors import ArgumentInvalid, DependencyMissing
from .tables import export_stream


def to_r(table: Any) -> Any:
    """Hand a table to R as a data.frame.

    In a plain Python session rpy2 starts R; inside a session of reticulate it attaches to the R that is running.

    Parameters
    ----------
    table : pandas.DataFrame or pyarrow.Table
        Text becomes character, a categorical a factor with all its levels, missing values NA.

    Returns
    -------
    rpy2.robjects.vectors.DataFrame
        Usable in rpy2, for instance ``rpy2.robjects.globalenv["d"] = to_r(table)``.

    Raises
    ------
    DependencyMissing
        rpy2, or R's package nanoarrow, is not installed.
    """
    try:
        from rpy2 import robjects
        from rpy2.robjects.packages import PackageNotInstalledError, importr
    except ImportError as problem:
        raise DependencyMissing(
            f"to_r() needs rpy2, which cannot be imported ({problem}). With R 4.5 or newer: pip install "
            "'.[r]'; with an older R: pip install 'rpy2==3.5.17'"
        ) from problem
    try:
        importr("nanoarrow")
    except PackageNotInstalledError:
        raise DependencyMissing('to_r() needs the R package nanoarrow: install.packages("nanoarrow")') from None
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    if not isinstance(table, pa.Table):
        raise ArgumentInvalid(f"`table` is a {type(table).__name__}; give a pandas or Arrow table.")
    code = robjects.r["new.env"]()
    robjects.r["sys.source"](str(_arrow_code()), code)
    stream = code["allocate_stream"]()
    export_stream(table, int(code["stream_address"](stream)[0]))
    return code["stream_to_frame"](stream)


def _arrow_code() -> Path:
    """Return the R package's file for Arrow streams: inside the installed package, or in a checkout."""
    here = Path(__file__).parent
    inside = here / "arrow.R"
    return inside if inside.is_file() else here.parent.parent / "rpkg" / "R" / "arrow.R"
