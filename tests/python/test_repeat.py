"""A run can be repeated from its card, its figures belong to its file, and its choices are said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.cli import main
from imagesasdata.errors import ModelInvalid
from imagesasdata.findings import Findings
from imagesasdata.train import deep, fine_tune, validate
from imagesasdata.train.fine_tune import FineTuned, validation_path
from imagesasdata.train.head import Head


@pytest.fixture(scope="module")
def data(class_folders: Path) -> pd.DataFrame:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    return pd.DataFrame(
        {"image": paths, "temple": [int(Path(p).parent.name == "temple") for p in paths], "event": range(len(paths))}
    )


@pytest.fixture(scope="module")
def tuned(data: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> FineTuned:
    out = tmp_path_factory.mktemp("models") / "places.onnx"
    options = {"class_weights": {0: 3, 1: 1}, "groups": "event", "folds": 3, "seed": 7, "conf_level": 0.9}
    return iad.fine_tune(data, label_col="temple", method="head", out=out, progress=False, **options)


def test_a_run_is_repeated_from_its_card_alone(tuned: FineTuned, data: pd.DataFrame, tmp_path: Path) -> None:
    known = iad.load_model(tuned.path).card.provenance
    again = iad.fine_tune(data, out=tmp_path / "places.onnx", seed=known["seed"], progress=False, **known["options"])
    assert again.path.read_bytes() == tuned.path.read_bytes()
    assert validation_path(again.path).exists()


def test_what_decides_the_result_is_recorded(tuned: FineTuned) -> None:
    known = tuned.card.provenance
    assert known["options"]["class_weights"] == {"0": 3.0, "1": 1.0}
    assert {"numpy", "scipy", "scikit-learn", "pillow", "onnx", "onnxruntime"} <= set(known["versions"])
    assert known["device"].startswith(("cpu", "cuda"))
    assert tuned.validation is not None
    facts = tuned.validation.facts
    assert facts["class_weights"] == {"0": 3.0, "1": 1.0}
    assert facts["data_fingerprint"] == known["data_fingerprint"]
    assert facts["versions"] == known["versions"]
    assert facts["backbone_sha256"] in known["origin"]


def test_the_file_is_compared_on_photographs_of_all_classes(
    data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tune, "MOST_CHECKED", 8)
    compared: list[str] = []

    def run(images: Any, *rest: Any) -> Any:
        compared.extend(images.names)
        return real(images, *rest)

    real = fine_tune.run_models
    monkeypatch.setattr(fine_tune, "run_models", run)
    iad.fine_tune(data, label_col="temple", method="head", out=tmp_path / "m.onnx", progress=False)
    assert {Path(name).parent.name for name in compared} == {"flower", "temple"}
    assert len(set(compared)) == 8


def test_an_interrupted_run_leaves_no_figures_of_the_model_that_was_there(
    data: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(done: int, total: int, text: str) -> None:
        if "cross-validation" in text and done >= 100:
            raise KeyboardInterrupt

    given = {"label_col": "temple", "method": "head", "out": tmp_path / "m.onnx", "overwrite": True}
    first = iad.fine_tune(data, progress=False, **given)
    assert validation_path(first.path).exists()
    with pytest.raises(iad.Interrupted):
        iad.fine_tune(data, seed=2, progress=stop, **given)
    assert not validation_path(first.path).exists()
    assert main(["report", str(first.path), "--out", str(tmp_path / "page.html")]) == 1
    assert "which fine-tuning writes" in capsys.readouterr().err


def test_a_report_refuses_figures_of_another_file(
    tuned: FineTuned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Findings.load(validation_path(tuned.path))
    assert kept.model_sha256 == tuned.sha256
    other = tmp_path / "other.onnx"
    other.write_bytes(iad.load_model().path.read_bytes())
    with pytest.raises(ModelInvalid, match="is not the model that these figures are of"):
        iad.write_report(kept, tmp_path / "page.html", model=other)
    validation_path(other).write_bytes(validation_path(tuned.path).read_bytes())
    assert main(["report", str(other), "--out", str(tmp_path / "page.html")]) == 1
    assert "is not the model" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def automatic(data: pd.DataFrame, out: Path, monkeypatch: pytest.MonkeyPatch) -> FineTuned:
    monkeypatch.setattr(fine_tune.importlib.util, "find_spec", lambda _: True)
    with pytest.warns(iad.ImagesAsDataWarning):
        return iad.fine_tune(data, label_col="temple", folds=3, out=out, progress=False)


def test_where_pytorch_cannot_be_imported_auto_keeps_the_head_and_says_so(
    data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    model = automatic(data, tmp_path / "m.onnx", monkeypatch)
    assert any('method="tail" was not tried, so the model is the head' in note for note in model.notes)
    kept = Findings.load(validation_path(model.path))
    assert kept.notes == model.notes
    assert kept.model_sha256 == model.sha256


@pytest.mark.parametrize("better", [True, False])
def test_that_a_choice_flatters_is_said(
    better: bool, data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are heads here, the worse of them on numbers that know nothing of the photographs."""

    def nothing(features: Any) -> Any:
        return np.random.default_rng(1).normal(size=features.shape).astype(np.float32)

    def tail(material: Any, mode: str, epochs: Any, features: Any) -> Head:
        return Head(material, features if better else nothing(features))

    def head(material: Any, features: Any) -> Head:
        return Head(material, nothing(features) if better else features)

    monkeypatch.setattr(deep, "Deep", tail)
    monkeypatch.setattr(validate, "Head", head)
    monkeypatch.setattr(fine_tune, "versions", lambda *_: {})
    monkeypatch.setattr(validate, "versions", lambda *_: {})
    monkeypatch.setattr(fine_tune._Trial, "_difference", lambda *_: (0.0, "cpu"))
    model = automatic(data, tmp_path / "m.onnx", monkeypatch)
    assert model.validation is not None
    compared = model.validation.compared
    assert (compared["tail"] > compared["head"]) == better
    (note,) = [note for note in model.notes if "a little too good" in note]
    assert f"head {compared['head']:.3f}, tail {compared['tail']:.3f}" in note
    assert note in Findings.load(validation_path(model.path)).notes


def test_cross_validation_has_one_bar_that_moves_within_folds(
    data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Head):
        def fit(self, rows: Any, seed: int, report: Any = None) -> Any:
            assert report is not None
            for done in range(1, 5):
                report(done, 4)
            return super().fit(rows, seed)

    monkeypatch.setattr(validate, "Head", Slow)
    told: list[tuple[int, int, str]] = []
    options = {"folds": 2, "repeats": 2, "progress": lambda *a: told.append(a)}
    iad.cross_validate(data, label_col="temple", **options)
    inside = [(done, total) for done, total, text in told if text == "cross-validation (head)"]
    assert {total for _, total in inside} == {400}
    assert sorted({done for done, _ in inside}) == list(range(0, 401, 25))
    assert [done for done, _ in inside] == sorted(done for done, _ in inside)
