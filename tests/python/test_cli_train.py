"""The command ``iad`` from hand labels to a report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.cli import main


@pytest.fixture(scope="module")
def labels(class_folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of the class folders' photographs, with answers of two coders."""
    paths = sorted(path.relative_to(class_folders) for path in class_folders.rglob("*.jpg"))
    table = pd.DataFrame({"photo": map(str, paths), "anna": [path.parent.name for path in paths]})
    table["ben"] = table["anna"].where(table.index % 12 != 0, "flower")
    file = tmp_path_factory.mktemp("labels") / "labels.csv"
    table.to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def trained(labels: Path, class_folders: Path) -> Path:
    out = labels.parent / "places.onnx"
    given = [str(labels), "--image-col", "photo", "--image-dir", str(class_folders), "--label-col", "anna"]
    assert main(["train", *given, "--method", "head", "--out", str(out), "--no-progress"]) == 0
    return out


def test_train_writes_the_model_and_prints_its_quality(
    labels: Path, class_folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(labels), "--image-col", "photo", "--image-dir", str(class_folders), "--coders", "anna", "ben"]
    assert main(["train", *given, "--method", "head", "--out", str(tmp_path / "m.onnx"), "--no-progress"]) == 0
    printed = capsys.readouterr()
    assert "Cross-validation in 5 folds" in printed.out
    assert "accuracy" in printed.out
    assert "m.validation.zip" in printed.err
    assert iad.load_model(tmp_path / "m.onnx").card.classes == ("flower", "temple")


def test_the_model_classifies_from_the_shell_and_evaluate_compares(
    trained: Path, labels: Path, class_folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "labelled.csv"
    given = [str(labels), "--image-col", "photo", "--image-dir", str(class_folders), "--model", str(trained)]
    assert main(["classify", *given, "--out", str(out), "--no-progress"]) == 0
    capsys.readouterr()
    found = tmp_path / "found.zip"
    assert main(["evaluate", str(out), "--truth", "ben", "--image-col", "photo", "--save", str(found)]) == 0
    printed = capsys.readouterr().out
    expected = iad.evaluate_predictions(pd.read_csv(out), truth="ben", image_col="photo")
    assert printed.splitlines() == list(expected.lines)
    assert iad.Findings.load(found).estimate == expected.estimate


def test_report_writes_one_page(trained: Path, class_folders: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert main(["report", str(trained), "--out", str(page), "--image-dir", str(class_folders)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "Cross-validation" in text
    assert main(["report", str(trained), "--out", str(page)]) == 1, "a page that is there is not replaced"


def test_a_model_without_findings_beside_it_has_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "efficientnet_lite0", "--out", str(tmp_path / "x.html")]) == 1
    assert "which fine-tuning writes" in capsys.readouterr().err


def test_cross_validate_and_the_learning_curve_print_what_python_prints(
    class_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cross-validate", str(class_folders), "--folds", "3", "--no-progress"]) == 0
    assert capsys.readouterr().out.splitlines() == list(
        iad.cross_validate(class_folders, folds=3, progress=False).lines
    )
    options = ["--sizes", "10", "20", "--repeats", "1", "--no-progress"]
    assert main(["learning-curve", str(class_folders), *options]) == 0
    assert "labels" in capsys.readouterr().out


def test_agreement_prints_kappa_and_alpha(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agreement", str(labels), "--image-col", "photo", "--coders", "anna", "ben"]) == 0
    printed = capsys.readouterr().out
    assert "alpha" in printed
    assert "kappa" in printed


def test_sample_writes_inclusion_probabilities(class_folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "to_code.csv"
    assert main(["sample", str(class_folders), "--n", "12", "--out", str(out), "--no-progress"]) == 0
    table = pd.read_csv(out)
    assert len(table) == 12
    assert table["inclusion_prob"].tolist() == pytest.approx([12 / 48] * 12)


def test_duplicates_prints_pairs(photographs: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    first = str(min(photographs.iterdir()))
    assert main(["duplicates", first, first, "--no-progress"]) == 0
    assert capfdbinary.readouterr().out.count(first.encode()) == 2


def test_a_wrong_label_column_says_what_there_is(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cross-validate", str(labels), "--image-col", "photo", "--label-col", "protest"]) == 1
    assert "anna" in capsys.readouterr().err
