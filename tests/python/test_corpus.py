"""Broken, hostile and odd files, all in one run: it ends, in bounded memory, and each file has its row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest
from oddities import UNSPEAKABLE, write_odd_files, write_unspeakable_files

from imagesasdata import classify_images
from imagesasdata.images import find_images

SECONDS = 60
MEGABYTES = 600
# In a process of its own, so that its memory is the run's alone. The peak is the system's own count (VmHWM), as
# `ru_maxrss` would start from the size of the process that started this one.
RUN = """
import json, resource, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
import imagesasdata
given, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
for verb in ("classify_images", "tag_images", "embed_images"):
    getattr(imagesasdata, verb)(given, progress=False).to_parquet(out / f"{verb}.parquet")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
status = Path("/proc/self/status")
if status.exists():
    peak = 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
(out / "peak.json").write_text(json.dumps(peak / 1e6))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, str]:
    """Each file's path, and the error that it gives, in an order that is not the alphabet's."""
    told = write_odd_files(folder)
    return {str(folder / name): told[name] for name in sorted(told, key=lambda name: name[::-1])}


@pytest.fixture(scope="module")
def ran(told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of the three verbs and the peak of memory."""
    out = tmp_path_factory.mktemp("ran")
    (out / "given.json").write_text(json.dumps(list(told)))
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(out / "given.json"), str(out)],
        timeout=SECONDS,
        capture_output=True,
        text=True,
        check=False,
        cwd=out,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def test_the_corpus_has_many_kinds(told: dict[str, str]) -> None:
    assert len(told) >= 150
    assert len(set(told.values())) >= 40  # kinds of errors


@pytest.mark.parametrize("verb", ["classify_images", "tag_images", "embed_images"])
def test_every_file_has_its_row_in_order_and_its_error(verb: str, told: dict[str, str], ran: Path) -> None:
    table = pd.read_parquet(ran / f"{verb}.parquet")
    if verb == "tag_images":  # a row a tag: the first of an image stands for it
        table = table[~table["image"].duplicated()]
    assert table["image"].tolist() == list(told)
    assert dict(zip(table["image"], table["error"].fillna(""), strict=True)) == told
    failed = table["error"].notna()
    answers = table.drop(columns=["image", "error"])
    assert answers[failed].isna().all(axis=None)
    assert answers[~failed].notna().all(axis=None)


def test_the_memory_is_bounded(ran: Path) -> None:
    assert json.loads((ran / "peak.json").read_text()) < MEGABYTES


def test_no_file_is_run_and_none_is_written_beside_them(folder: Path, told: dict[str, str], ran: Path) -> None:
    assert {str(path) for path in folder.iterdir()} == set(told)
    assert not list(ran.glob("touched"))


def test_a_folder_with_all_of_it_is_listed(folder: Path, told: dict[str, str]) -> None:
    is_folder = {name for name in told if os.path.isdir(name)}
    assert find_images(folder).paths == sorted(set(told) - is_folder)
    assert find_images(f"{folder}/**/*.jpg").names == [
        name for name in sorted(set(told) - is_folder) if name.endswith(".jpg")
    ]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_whole_folder_is_a_table_too(folder: Path, told: dict[str, str], small: Path, tmp_path: Path) -> None:
    table = classify_images(folder, model=small, progress=False, out=tmp_path / "rows.parquet")
    got = dict(zip(table["image"], table["error"].fillna(""), strict=True))
    assert got == {name: error for name, error in told.items() if not os.path.isdir(name)}
    assert pyarrow.parquet.read_table(tmp_path / "rows.parquet")["image"].to_pylist() == table["image"].tolist()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 8 x 8 pixels."""
    from networks import CARD, colours

    from imagesasdata.modelfile import write_model

    path = tmp_path_factory.mktemp("models") / "colours.onnx"
    write_model(colours(), CARD, path)
    return path


@pytest.mark.parametrize("out", [None, "rows.csv", "rows.parquet", "rows.dta", "folder"])
def test_names_that_no_text_can_hold_have_rows_in_every_table(out: str | None, small: Path, tmp_path: Path) -> None:
    written = write_unspeakable_files(tmp_path / "photographs")
    assert written if os.name == "nt" else len(written) == len(UNSPEAKABLE)
    given: Any = tmp_path / "photographs"
    options = {"model": small, "progress": False, "out": tmp_path / out if out else None}
    table = classify_images(given, **options)
    assert table["image"].nunique() == len(table) == len(written)
    assert table["error"].isna().all()
    pd.testing.assert_frame_equal(classify_images(given, **options), table)  # resumed, where there is an `out`


def test_half_a_letter_in_a_name_is_a_row_with_an_error(small: Path, tmp_path: Path) -> None:
    for out in (None, tmp_path / "run"):
        table = classify_images(["half \ud83d.jpg", "nul\0.jpg"], model=small, progress=False, out=out)
        assert table["error"].tolist() == ["the file name cannot be used", "the file name contains a null byte"]
