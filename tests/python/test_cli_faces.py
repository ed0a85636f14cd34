"""The command ``iad`` about faces."""

from __future__ import annotations

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
    assert "With 1 people" in capsys.readouterr().err
    assert main(["verify", photo, photo, "--purpose", "A test."]) == 0
    assert "true" in capsys.readouterr().out
    assert main(["cluster-faces", photo, "--out", out, *why]) == 0
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
