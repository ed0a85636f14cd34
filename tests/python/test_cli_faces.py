"""The command ``iad`` about faces."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from faces_drawn import astronaut, save_all, small_faces

from imagesasdata.cli import main
from imagesasdata.faces import purpose


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purpose, "_said", [])


@pytest.fixture
def photo(tmp_path: Path) -> str:
    return save_all([astronaut().crop((100, 0, 340, 240))], tmp_path / "photos")[0]


def test_without_out_the_table_is_csv_on_standard_output(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faces", photo, "--threshold", "0.9", "--no-progress"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith('"image","face","x","y","width","height","prob"')
    assert "1 rows, 0 with an error" in printed.err
    assert main(["expressions", photo, "--by", "image", "--no-progress"]) == 0
    assert '"faces","prob_anger"' in capsys.readouterr().out


def test_people_are_enrolled_recognised_compared_and_grouped(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_all([astronaut()], tmp_path / "people" / "Eileen Collins")
    known, out = str(tmp_path / "known.parquet"), str(tmp_path / "out.csv")
    why = ["--purpose", "A test.", "--no-progress"]
    assert main(["enroll", str(tmp_path / "people"), "--out", known, *why]) == 0
    assert main(["recognize", photo, "--people", known, "--out", out, *why]) == 0
    assert pd.read_csv(out)["person"].tolist() == ["Eileen Collins"]
    said = capsys.readouterr().err
    assert "With 1 people" in said and said.count("purpose: A test.\n") == 2
    assert main(["verify", photo, photo, "--purpose", "A test."]) == 0
    assert "true" in capsys.readouterr().out
    assert main(["cluster-faces", photo, "--out", out, "--overwrite", *why]) == 0
    assert pd.read_csv(out)["cluster"].tolist() == [1]


def test_recognition_without_a_purpose_ends_with_an_error(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", photo, photo]) == 1
    assert "PurposeMissing" in capsys.readouterr().err


def test_blur_writes_copies_and_a_log(photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = str(tmp_path / "photos" / "gone.jpg")
    given = [photo, gone, "--out", str(tmp_path / "copies"), "--method", "box", "--quality", "lossless"]
    assert main(["blur", *given, "--log", str(tmp_path / "log.csv"), "--no-progress"]) == 2
    log = pd.read_csv(tmp_path / "log.csv")
    assert log["method"].tolist()[0] == "box" and log["error"].notna().sum() == 1
    assert (tmp_path / "copies" / "000.png").exists()
    assert main(["blur", photo, "--out", str(tmp_path / "photos"), "--overwrite", "--no-progress"]) == 1
    assert "would be written over itself" in capsys.readouterr().err


def test_strangers_are_blurred_and_known_people_are_not(tmp_path: Path) -> None:
    faces = small_faces(2)
    (known,) = save_all([faces[0]], tmp_path / "people" / "Ann")
    (stranger,) = save_all([faces[1]], tmp_path / "photos")
    given = [known, stranger, "--out", str(tmp_path / "copies"), "--people", "unknown", "--purpose", "A test."]
    log = str(tmp_path / "log.csv")
    assert main(["blur", *given, "--known", str(tmp_path / "people"), "--log", log, "--no-progress"]) == 0
    assert pd.read_csv(log)["person"].fillna("").tolist() == ["", "unknown"]


@pytest.mark.parametrize("option", [["--quality", "best"], ["--match-threshold", "low"]])
def test_an_option_that_is_no_number_is_a_usage_error(option: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["blur", "a.jpg", "--out", "b", *option])
    assert ended.value.code == 1


ANY = ["--purpose", "A test.", "--no-progress"]


@pytest.mark.parametrize(
    "command",
    [
        ["blur", "TABLE", "--image-col", "image", "--out", "copies", "--overwrite", "--log", "TABLE"],
        ["strip", "TABLE", "--image-col", "image", "--out", "copies", "--overwrite", "--log", "TABLE"],
        ["frames", "TABLE", "--image-col", "image", "--out", "copies", "--overwrite", "--log", "TABLE"],
        ["cluster-faces", "TABLE", "--image-col", "image", "--out", "./TABLE", "--overwrite", *ANY],
        ["enroll", "TABLE", "--out", "TABLE", "--overwrite", *ANY],
        ["recognize", "photos", "--people", "TABLE", "--out", "TABLE", "--overwrite", *ANY],
        ["faces", "TABLE", "--image-col", "image", "--out", "TABLE", "--overwrite"],
        ["classify", "TABLE", "--image-col", "image", "--out", "TABLE", "--overwrite"],
        ["sample", "TABLE", "--image-col", "image", "--n", "1", "--out", "TABLE", "--overwrite"],
        ["sample", "photos", "--n", "1", "--labelled", "TABLE", "--out", "TABLE", "--overwrite"],
        ["duplicates", "TABLE", "--image-col", "image", "--out", "TABLE", "--overwrite"],
        ["datasheet", "TABLE", "--out", "TABLE", "--overwrite"],
        ["evaluate", "other.csv", "--truth", "TABLE", "--save", "TABLE", "--overwrite"],
    ],
)
def test_no_verb_writes_over_what_it_reads(
    command: list[str], photo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = pd.DataFrame({"image": [photo], "person": "Eileen Collins"}).to_csv(index=False)
    Path("table.csv").write_text(before)
    Path("other.csv").write_text(before)
    assert main([part.replace("TABLE", "table.csv") for part in command]) == 1
    assert "which is read" in capsys.readouterr().err
    assert Path("table.csv").read_text() == before
    assert not Path("copies").exists()


@pytest.mark.parametrize("target", ["there.csv", "nowhere/log.csv", "log.txt"])
@pytest.mark.parametrize(
    "command",
    [
        ["blur", "photos", "--out", "copies", "--log"],
        ["strip", "photos", "--out", "copies", "--log"],
        ["frames", "photos", "--out", "copies", "--log"],
        ["cluster-faces", "photos", *ANY, "--out"],
        ["enroll", "people", *ANY, "--out"],
        ["duplicates", "photos", "--out"],
        ["sample", "photos", "--n", "1", "--out"],
    ],
)
def test_where_a_table_cannot_go_is_said_before_the_work(
    command: list[str],
    target: str,
    photo: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    save_all([astronaut()], tmp_path / "people" / "Eileen Collins")
    Path("there.csv").write_text("mine\n")
    assert main([*command, target]) == 1
    assert re.search("There is a file|there is no folder nowhere|a file of its kind", capsys.readouterr().err)
    assert Path("there.csv").read_text() == "mine\n"
    assert not Path("copies").exists()


def test_what_is_saved_replaces_a_file_only_when_asked_to(photo: str, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("mine\n")
    assert main(["duplicates", photo, photo, "--no-progress", "--out", str(log)]) == 1
    assert log.read_text() == "mine\n"
    assert main(["duplicates", photo, photo, "--no-progress", "--out", str(log), "--overwrite"]) == 0
    assert list(pd.read_csv(log)) == ["image_a", "image_b", "correlation", "hash_distance", "similarity"]
