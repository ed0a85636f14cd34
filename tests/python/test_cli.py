"""The command `iad`: what it prints, what it writes, and its exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.cli import main
from imagesasdata.tablefiles import read_table
from imagesasdata.tables import to_pandas


def test_done_is_0_and_the_last_line_counts(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    n = len(list(photographs.iterdir()))
    assert main(["classify", str(photographs), "--out", str(tmp_path / "p.parquet")]) == 0
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"{n:,} images: {n:,} classified, 0 failed, ")
    assert " images/s on " in last
    table = to_pandas(read_table(tmp_path / "p.parquet"))
    pd.testing.assert_frame_equal(table, iad.classify_images(photographs, progress=False))
    assert table.attrs["imagesasdata"]["verb"] == "classify_images"


def test_failed_images_are_2_and_the_table_is_written(
    odd_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(odd_files), "--out", str(tmp_path / "p.csv")]) == 2
    assert "failed (see `error`)" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "p.csv")) == len(iad.classify_images(odd_files, progress=False))


@pytest.mark.parametrize(
    "arguments",
    [["classify"], ["classify", "/no/such/folder"], ["nonsense"], ["classify", ".", "--out", "table.docx"], []],
)
def test_wrong_usage_is_1_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code  # type: ignore[assignment]
    assert status == 1
    error = capsys.readouterr().err
    assert "iad" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".feather", ".dta"])
def test_each_format_holds_the_same_rows(photographs: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"table{suffix}"
    assert main(["classify", str(photographs), "--out", str(out)]) == 0
    table = read_table(out).to_pandas()
    expected = iad.classify_images(photographs, progress=False)
    assert table["label"].astype(str).tolist() == expected["label"].astype(str).tolist()
    assert table["prob"].to_numpy() == pytest.approx(expected["prob"].to_numpy(), abs=1e-12)


def test_without_out_the_table_goes_to_standard_output(photographs: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "imagesasdata.cli", "tag", str(photographs), "--top", "2"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.strip().splitlines()
    assert lines[0] == '"image","rank","tag","prob","error"'
    assert len(lines) == 1 + 2 * len(list(photographs.iterdir()))
    n = len(list(photographs.iterdir()))
    assert done.stderr.startswith(f"{n} images: {n} tagged, 0 failed")


def test_a_table_of_posts_gets_its_columns(photographs: Path, tmp_path: Path) -> None:
    posts = pd.DataFrame({"id": ["=1+1", "b"], "photo": sorted(p.name for p in photographs.iterdir())[:2]})
    posts.to_csv(tmp_path / "posts.csv", index=False)
    out = tmp_path / "out.csv"
    arguments = ["classify", str(tmp_path / "posts.csv"), "--image-col", "photo", "--image-dir", str(photographs)]
    assert main([*arguments, "--out", str(out)]) == 0
    table = pd.read_csv(out)
    assert table.columns.tolist() == ["id", "photo", "label", "prob", "error"]
    assert table["id"].tolist() == ["'=1+1", "b"]


def test_embed_writes_a_column_for_each_number(photographs: Path, tmp_path: Path) -> None:
    assert main(["embed", str(photographs), "--out", str(tmp_path / "e.parquet")]) == 0
    assert read_table(tmp_path / "e.parquet").num_columns == 1282


def test_models_can_be_listed_shown_added_used_and_removed(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models"]) == 0
    assert "efficientnet_lite2" in capsys.readouterr().out
    assert main(["models", "show", "efficientnet_lite2"]) == 0
    assert capsys.readouterr().out.startswith("# efficientnet_lite2")
    copy = iad.load_model("efficientnet_lite0").save(tmp_path / "mine.onnx")
    assert main(["models", "add", str(copy)]) == 0
    assert main(["models", "verify", "mine"]) == 0
    assert main(["classify", str(photographs), "--model", "mine", "--out", str(tmp_path / "p.csv")]) == 0
    assert main(["models", "remove", "mine"]) == 0
    assert main(["models", "verify", "mine"]) == 1


def test_a_plain_onnx_file_is_asked_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import onnx

    plain = onnx.load(iad.load_model().path)
    del plain.metadata_props[:]
    onnx.save(plain, tmp_path / "plain.onnx")
    assert main(["models", "add", str(tmp_path / "plain.onnx")]) == 1
    error = capsys.readouterr().err
    for option in ("--classes", "--mean", "--std"):
        assert option in error
    classes = tmp_path / "classes.txt"
    classes.write_text("\n".join(iad.load_model().card.classes), encoding="utf-8")
    arguments = ["models", "add", str(tmp_path / "plain.onnx"), "--classes", str(classes), "--name", "taken_in"]
    arguments += ["--mean", "0.5", "0.5", "0.5", "--std", "0.5", "0.5", "0.5", "--filter", "bicubic"]
    assert main(arguments) == 0
    assert main(["models", "remove", "taken_in"]) == 0


def test_doctor_says_what_each_session_got(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert 'device="auto"' in text
    assert "a session got" in text
    assert iad.__version__ in text


def test_a_run_reports_to_nobody_and_writes_only_to_its_own_cache(photographs: Path, tmp_path: Path) -> None:
    """ONNX Runtime keeps a number for the machine and a queue of reports in the cache folder, unless told not to."""
    import os

    kept = {key: value for key, value in os.environ.items() if key not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    kept |= {"HOME": str(tmp_path), "IMAGESASDATA_CACHE": str(tmp_path / "own")}
    command = [sys.executable, "-m", "imagesasdata.cli", "classify", str(photographs), "--no-progress"]
    subprocess.run(command, env=kept, capture_output=True, check=True)
    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert all(path.parts[0] == "own" for path in written), written


def test_every_option_of_the_shell_reaches_the_verb(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    from imagesasdata import cli

    given: dict[str, object] = {}

    def verb(images: object, **options: object) -> object:
        given.update(options)
        raise iad.ImagesAsDataError("enough")

    monkeypatch.setattr(cli.classify_images, "arrow", verb)
    assert main(["classify", str(photographs), "--precision", "fp16", "--no-cache"]) == 1
    assert set(given) == set(inspect.signature(iad.classify_images).parameters) - {"images"}
    assert given["precision"] == "fp16"
    assert given["cache"] is False
