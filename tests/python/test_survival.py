"""What a run comes to when photographs and disks change under it: rows with errors, or a clear error; never a loss."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from drawn import cat, encoded
from networks import CARD, colours

from imagesasdata import classify_images, runs
from imagesasdata.errors import RunUnwritable, TableUnreadable
from imagesasdata.modelfile import write_model
from imagesasdata.reading import read_file

IMAGES = 60
Change = Callable[[Path], object]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(colours(), CARD, tmp_path / "colours.onnx")
    return tmp_path / "colours.onnx"


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(IMAGES):
        content = encoded(cat().resize((40, 30)), "JPEG", quality=40 + number % 60)
        (folder / f"{number:03d}.jpg").write_bytes(content)
    return sorted(folder.iterdir())


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PART_ROWS", 10)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


# -- photographs -------------------------------------------------------------------------------------------------------

CHANGES: dict[str, tuple[Change, str]] = {
    "deleted": (Path.unlink, "file does not exist"),
    "emptied": (lambda path: path.write_bytes(b""), "empty file (0 bytes)"),
    "cut": (lambda path: os.truncate(path, 700), "truncated JPEG"),
    "overwritten": (lambda path: path.write_text("Not Found"), "not an image: starts with 'Not'"),
    "made a folder": (make_folder, "a folder, not an image"),
    "another photograph": (lambda path: path.write_bytes(encoded(cat(), "PNG")), ""),
}


@pytest.mark.parametrize("out", [None, "run"])
@pytest.mark.parametrize("kind", CHANGES)
def test_photographs_that_change_during_the_run_are_rows(
    kind: str, out: str | None, photographs: list[Path], model: Path, tmp_path: Path
) -> None:
    change, error = CHANGES[kind]
    changed = photographs[IMAGES // 2 :]

    def progress(done: int, total: int, text: str) -> None:
        if done and changed:
            for path in changed:
                change(path)
            changed.clear()

    options = {"batch_size": 2, "model": model, "progress": progress, "out": tmp_path / out if out else None}
    table = classify_images([str(path) for path in photographs], **options)
    assert not changed
    assert table["image"].tolist() == list(map(str, photographs))
    assert table["error"].fillna("").tolist() == [""] * (IMAGES // 2) + [error] * (IMAGES // 2)


def test_a_file_that_grows_while_it_is_read_does_not_get_past_the_limit(
    photographs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = os.fstat, photographs[0].read_bytes()

    def grow(handle: int) -> os.stat_result:
        status = real(handle)
        os.truncate(photographs[0], 50_000_000)  # after its size was asked for
        return status

    monkeypatch.setattr("imagesasdata.reading.os.fstat", grow)
    assert read_file(str(photographs[0]), max_bytes=1_000_000) == before


def test_a_disk_that_fails_is_a_row_with_its_reason(
    photographs: list[Path], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def fail(path: str | bytes, flags: int, *more: int) -> int:
        if os.fsdecode(path).endswith("001.jpg"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return real(path, flags, *more)

    monkeypatch.setattr("imagesasdata.reading.os.open", fail)
    table = classify_images(photographs[:3], model=model, progress=False)
    assert table["error"].fillna("").tolist() == ["", "the file cannot be read: Input/output error", ""]


# -- the disk that is written to ---------------------------------------------------------------------------------------


def fill_disk(monkeypatch: pytest.MonkeyPatch, files: int, code: int = errno.ENOSPC) -> pytest.MonkeyPatch:
    """Let the disk be full after `files` more files: full disks show when a file is brought to the disk."""
    real, left = os.fsync, [files]

    def fsync(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(code, os.strerror(code))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return monkeypatch


@pytest.mark.parametrize("files", [0, 1, 4, 7, 11])
@pytest.mark.parametrize("name", ["run", "rows.parquet"])
def test_a_full_disk_is_a_clear_error_and_the_same_call_goes_on_when_there_is_room(
    name: str, files: int, photographs: list[Path], model: Path, tmp_path: Path
) -> None:
    expected = classify_images(photographs, model=model, progress=False)
    options = {"model": model, "progress": False, "out": tmp_path / name}
    with pytest.MonkeyPatch.context() as patch:
        fill_disk(patch, files)
        with pytest.raises(RunUnwritable, match=r"the disk is full\. What is done so far is kept; the same command"):
            classify_images(photographs, **options)
    folder = tmp_path / ("run" if name == "run" else "rows.parquet.run")
    assert not list(folder.glob("*.partial"))
    markers = len(list(folder.glob("*.done")))
    assert markers == files // 2  # a part and its marker
    done: list[int] = []
    table = classify_images(photographs, **options | {"progress": lambda *told: done.append(told[1])})
    assert done[0] == IMAGES - 10 * markers  # good parts were not made again
    pd.testing.assert_frame_equal(table, expected)


@pytest.mark.parametrize(
    ("code", "words"), [(errno.EDQUOT, "your quota"), (errno.EROFS, "is read-only"), (errno.EACCES, "no permission")]
)
def test_other_reasons_are_named_too(
    code: int, words: str, photographs: list[Path], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, 2, code)
    with pytest.raises(RunUnwritable, match=words):
        classify_images(photographs, model=model, progress=False, out=tmp_path / "run")


def test_a_disk_without_room_for_the_table_keeps_the_parts(
    photographs: list[Path], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"model": model, "progress": False, "out": tmp_path / "rows.parquet"}
    with pytest.MonkeyPatch.context() as patch:

        def full(path: Path, target: Path) -> Path:
            if target.name == "rows.parquet":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.replace(path, target)
            return target

        patch.setattr(Path, "replace", full)
        with pytest.raises(TableUnreadable, match="the disk is full"):
            classify_images(photographs, **options)
    assert not (tmp_path / "rows.parquet").exists()
    done: list[int] = []
    table = classify_images(photographs, **options | {"progress": lambda *told: done.append(told[1])})
    assert done[0] == 0
    assert len(pd.read_parquet(tmp_path / "rows.parquet")) == len(table) == IMAGES
