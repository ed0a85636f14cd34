"""A run with `out` survives whatever happens: no row lost, none doubled, the same table."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import imagesasdata as iad
from imagesasdata import runs
from imagesasdata.errors import RunDamaged, RunDiffers, RunUnwritable
from imagesasdata.images import find_images
from imagesasdata.runs import Part, Run
from imagesasdata.tablefiles import read_table


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PART_ROWS", 10)


@pytest.fixture
def images(photographs: Path, odd_files: Path) -> list[str]:
    return (sorted(map(str, photographs.iterdir())) + sorted(map(str, odd_files.iterdir())))[:35]


def interrupt_after(images: int):  # type: ignore[no-untyped-def]
    def progress(done: int, total: int, text: str) -> None:
        if done >= images:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("verb", [iad.classify_images, iad.tag_images, iad.embed_images])
@pytest.mark.parametrize("out", ["table.parquet", "folder"])
def test_an_interrupted_run_goes_on_and_gives_the_same_table(verb, out: str, images: list[str], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    expected = verb(images, progress=False)
    with pytest.raises(iad.Interrupted) as stopped:
        verb(images, out=tmp_path / out, progress=interrupt_after(22), batch_size=4)
    first = stopped.value.partial
    assert first["image"].nunique() == 20  # two whole parts
    pd.testing.assert_frame_equal(first, expected.iloc[: len(first)], check_flags=False)
    calls: list[int] = []
    table = verb(images, out=tmp_path / out, progress=lambda done, total, text: calls.append(total))
    assert calls[0] == 15  # only what was missing
    pd.testing.assert_frame_equal(table, expected, check_flags=False)
    if out == "table.parquet":
        again = read_table(tmp_path / out).to_pandas()
        assert again["image"].tolist() == expected["image"].tolist()


def test_a_finished_run_does_nothing_again(images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = iad.classify_images(images, out=tmp_path / "t.csv", progress=False)
    monkeypatch.setattr("imagesasdata.engine.read_file", None)
    again = iad.classify_images(images, out=tmp_path / "t.csv", progress=False)
    pd.testing.assert_frame_equal(first, again, check_flags=False)


def test_a_data_frame_is_written_with_its_own_columns(images: list[str], tmp_path: Path) -> None:
    data = pd.DataFrame({"id": range(len(images)), "path": images})
    iad.classify_images(data, image_col="path", out=tmp_path / "t.parquet", progress=False)
    assert read_table(tmp_path / "t.parquet").column_names == ["id", "path", "label", "prob", "error"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "efficientnet_lite2"}, "models was"),
        ({"probs": True}, "probs was"),
        ({"max_pixels": 10}, "max_pixels was 100000000, is 10"),
    ],
)
def test_another_model_or_option_is_refused_by_name(
    change: dict[str, object], says: str, images: list[str], tmp_path: Path
) -> None:
    iad.classify_images(images, out=tmp_path / "t.parquet", progress=False)
    with pytest.raises(RunDiffers, match=says):
        iad.classify_images(images, out=tmp_path / "t.parquet", progress=False, **change)  # type: ignore[arg-type]
    iad.classify_images(images, out=tmp_path / "t.parquet", progress=False, overwrite=True, **change)  # type: ignore[arg-type]


def test_other_images_are_refused_and_the_difference_is_named(images: list[str], tmp_path: Path) -> None:
    out = tmp_path / "t.parquet"
    iad.classify_images(images, out=out, progress=False)
    with pytest.raises(RunDiffers, match=r"1 image\(s\) are new \(new\.jpg\)"):
        iad.classify_images([*images, "new.jpg"], out=out, progress=False)
    with pytest.raises(RunDiffers, match=r"1 image\(s\) are gone"):
        iad.classify_images(images[1:], out=out, progress=False)
    with pytest.raises(RunDiffers, match="in another order"):
        iad.classify_images(images[::-1], out=out, progress=False)


def test_failed_images_are_tried_again_only_when_asked(photographs: Path, tmp_path: Path) -> None:
    photo = sorted(photographs.iterdir())[0]
    late = tmp_path / "late.jpg"
    images = [str(photo), str(late), str(photo), "never.jpg"]
    out = tmp_path / "t.parquet"
    first = iad.classify_images(images, out=out, progress=False)
    assert first["error"].notna().tolist() == [False, True, False, True]
    late.write_bytes(photo.read_bytes())
    same = iad.classify_images(images, out=out, progress=False)
    assert same["error"].notna().tolist() == [False, True, False, True]
    again = iad.classify_images(images, out=out, retry_failed=True, progress=False)
    assert again["error"].notna().tolist() == [False, False, False, True]
    assert again["label"].astype(str).tolist()[1] == again["label"].astype(str).tolist()[0]
    tags = tmp_path / "tags.parquet"
    late.unlink()
    iad.tag_images(images, top=2, out=tags, progress=False)
    late.write_bytes(photo.read_bytes())
    table = iad.tag_images(images, top=2, out=tags, retry_failed=True, progress=False)
    assert table["rank"].fillna(0).tolist() == [1, 2, 1, 2, 1, 2, 0]


def test_a_damaged_part_is_found_and_made_anew(images: list[str], tmp_path: Path) -> None:
    expected = iad.classify_images(images, out=tmp_path / "run", progress=False)
    part = sorted((tmp_path / "run").glob("part-00001-*.arrow"))[0]
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(RunDamaged, match="not as it was written"):
        iad.classify_images(images, out=tmp_path / "run", progress=False)
    table = iad.classify_images(images, out=tmp_path / "run", progress=False)
    pd.testing.assert_frame_equal(table, expected, check_flags=False)


def test_two_workers_at_one_run_do_no_harm(images: list[str], tmp_path: Path) -> None:
    expected = iad.classify_images(images, progress=False)
    code = (
        "import sys, json, imagesasdata as iad; from imagesasdata import runs; runs.PART_ROWS = 10\n"
        f"iad.classify_images(json.loads(sys.argv[1]), out={str(tmp_path / 'run')!r}, progress=False)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, json.dumps(images)]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    table = iad.classify_images(images, out=tmp_path / "run", progress=False)
    pd.testing.assert_frame_equal(table, expected, check_flags=False)


def test_workers_take_different_parts_and_then_what_is_not_done(images: list[str], tmp_path: Path) -> None:
    def rows(part: Part) -> pa.Table:
        return pa.table({"image": images[part.start : part.stop], "error": pa.nulls(part.stop - part.start)})

    one, other = (Run(tmp_path / "run", find_images(images), {"verb": "test"}) for _ in range(2))
    first, second = one.claimed(), other.claimed()
    a, b, c = next(first), next(second), next(first)
    assert [a.number, b.number, c.number] == [0, 1, 2]
    one.write(a, rows(a))
    assert [part.number for part in first] == [3, 1]  # its own, begun and not written yet, is not begun again
    one.write(c, rows(c))
    assert [part.number for part in second] == [3]  # whoever claimed it may have died
    assert sorted(path.stem for path in (tmp_path / "run").glob("*.claim")) == ["part-00001", "part-00003"]


def test_a_worker_whose_parts_others_did_tells_its_progress_to_the_end(images: list[str], tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def watch(done: int, total: int, text: str) -> None:
        if not seen:  # while this call runs, another does everything
            seen.append((done, total))
            iad.classify_images(images, out=tmp_path / "run", progress=False)
        seen.append((done, total))

    table = iad.classify_images(images, out=tmp_path / "run", progress=watch)
    assert len(table) == len(images)
    assert seen[-1] == (len(images), len(images))


def test_kill_9_costs_at_most_one_part(photographs: Path, tmp_path: Path) -> None:
    images = sorted(map(str, photographs.iterdir())) * 10
    code = (
        "import sys, json, imagesasdata as iad; from imagesasdata import runs; runs.PART_ROWS = 10\n"
        f"iad.classify_images(json.loads(sys.argv[1]), out={str(tmp_path / 'run')!r}, progress=False, cache=False)"
    )
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code, json.dumps(images)])
        before = len(list((tmp_path / "run").glob("*.done"))) if (tmp_path / "run").exists() else 0
        deadline = time.monotonic() + 30
        while len(list((tmp_path / "run").glob("*.done"))) < before + 2 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(list((tmp_path / "run").glob("*.done"))) >= min(before + 2, len(images) // 10)
    table = iad.classify_images(images, out=tmp_path / "run", progress=False)
    expected = iad.classify_images(images, progress=False)
    pd.testing.assert_frame_equal(table, expected, check_flags=False)


def test_a_folder_that_cannot_be_written_is_a_clear_error(images: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunUnwritable, match="cannot be written"):
        iad.classify_images(images, out=tmp_path / "file" / "run", progress=False)


def test_a_folder_with_other_files_is_not_touched(images: list[str], tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(RunDiffers, match="other files"):
            iad.classify_images(images, out=tmp_path / "thesis", overwrite=overwrite, progress=False)
    assert (tmp_path / "thesis" / "chapter1").read_text() == "precious"


def test_parts_and_markers_are_as_documented(images: list[str], tmp_path: Path) -> None:
    iad.classify_images(images, out=tmp_path / "run", progress=False)
    run = Run(
        tmp_path / "run", find_images(images), json.loads((tmp_path / "run/manifest.json").read_text())["settings"]
    )
    assert [(p.start, p.stop) for p in run.parts] == [(0, 10), (10, 20), (20, 30), (30, 35)]
    assert run.missing() == []
    marker = json.loads((tmp_path / "run" / "part-00003.done").read_text())
    assert marker["rows"] == 5
    assert (tmp_path / "run" / marker["file"]).is_file()
    assert not list((tmp_path / "run").glob("*.partial"))


def test_no_images_are_a_run_without_parts(tmp_path: Path) -> None:
    table = iad.classify_images([], out=tmp_path / "t.parquet", progress=False)
    assert table.columns.tolist() == ["image", "label", "prob", "error"]
    assert table["label"].cat.categories.size == 1000
    assert read_table(tmp_path / "t.parquet").num_rows == 0


def test_parts_without_their_manifest_are_never_taken_for_this_run(images: list[str], tmp_path: Path) -> None:
    iad.classify_images(images, out=tmp_path / "run", progress=False)
    (tmp_path / "run" / "manifest.json").unlink()
    with pytest.raises(RunDamaged, match=r"no manifest\.json"):
        iad.classify_images(images[::-1], out=tmp_path / "run", progress=False)
    table = iad.classify_images(images[::-1], out=tmp_path / "run", overwrite=True, progress=False)
    assert table["image"].tolist() == images[::-1]


def test_a_file_that_no_run_made_is_not_overwritten(images: list[str], tmp_path: Path) -> None:
    data = pd.DataFrame({"path": images[:2]})
    data.to_csv(tmp_path / "posts.csv", index=False)
    for options in ({}, {"overwrite": True}):
        with pytest.raises(iad.ImagesAsDataError, match="which is read"):
            iad.classify_images(
                tmp_path / "posts.csv", image_col="path", out=tmp_path / "posts.csv", progress=False, **options
            )
    with pytest.raises(iad.ImagesAsDataError, match="already"):
        iad.classify_images(images[:2], out=tmp_path / "posts.csv", progress=False)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "posts.csv"), data, check_dtype=False)
