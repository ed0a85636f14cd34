"""Fine-tuning: one file that holds what was learned, how good it is, and how to do it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.errors import ArgumentInvalid, ModelInvalid
from imagesasdata.findings import Findings
from imagesasdata.modelfile import verify_model
from imagesasdata.train.fine_tune import FineTuned, validation_path


@pytest.fixture(scope="module")
def tuned(class_folders: Path, tmp_path_factory: pytest.TempPathFactory) -> FineTuned:
    return iad.fine_tune(
        class_folders, method="head", out=tmp_path_factory.mktemp("models") / "places.onnx", progress=False
    )


def test_the_file_classifies_and_verifies(tuned: FineTuned, class_folders: Path) -> None:
    table = tuned.classify(class_folders, progress=False)
    truth = table["image"].map(lambda path: Path(path).parent.name)
    assert (table["label"].astype(str) == truth).mean() > 0.95
    assert verify_model(tuned.path).classes == ("flower", "temple")
    assert tuned.name == "places"


def test_the_card_holds_the_figures_and_how_to_do_it_again(tuned: FineTuned) -> None:
    card = tuned.card
    assert tuned.validation is not None
    accuracy = card.metrics["accuracy"]
    facts = tuned.validation.facts
    assert accuracy == [round(facts[key], 4) for key in ("estimate", "conf_low", "conf_high")]
    assert card.metrics["n"] == 48
    assert "cross-validation" in card.metrics["source"]
    assert card.provenance["seed"] == 1
    assert len(card.provenance["data_fingerprint"]) == 64
    assert card.provenance["difference"] < 1e-5
    assert card.licence == "Apache-2.0"


def test_the_backbone_is_the_same_so_its_embeddings_are_shared(tuned: FineTuned) -> None:
    assert tuned.card.backbone["sha256"] == iad.load_model().card.backbone["sha256"]


def test_what_cross_validation_found_is_kept_beside_the_file(tuned: FineTuned) -> None:
    kept = Findings.load(validation_path(tuned.path))
    assert tuned.validation is not None
    assert kept.facts == json.loads(json.dumps(tuned.validation.facts))
    pd.testing.assert_frame_equal(kept.predictions, tuned.validation.predictions)


def test_the_same_labels_and_seed_give_the_same_bytes(tuned: FineTuned, class_folders: Path, tmp_path: Path) -> None:
    again = iad.fine_tune(class_folders, method="head", out=tmp_path / "places.onnx", progress=False)
    assert again.path.read_bytes() == tuned.path.read_bytes()
    assert validation_path(again.path).exists()


BARE = """
import json, sys
import numpy as np, onnxruntime as ort
from PIL import Image
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
card = json.loads(session.get_modelmeta().custom_metadata_map["imagesasdata"])
p = card["preprocessing"]
found = []
for path in sys.argv[2:]:
    image = Image.open(path).convert("RGB")
    side = min(image.size) * p["size"] / p["resize"]
    left, top = (image.width - side) / 2, (image.height - side) / 2
    square = image.resize((p["size"], p["size"]), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    x = ((np.asarray(square, np.float32) / p["scale"] - p["mean"]) / p["std"]).transpose(2, 0, 1)[None]
    x = x.astype(np.float32)
    logits = session.run([card["tensors"]["output"]], {card["tensors"]["input"]: x})[0][0].astype(float)
    probs = np.exp(logits - logits.max())
    found.append((probs / probs.sum()).tolist())
print(json.dumps(found))
"""


def test_bare_onnx_runtime_in_a_new_process_gives_the_same_probabilities(tuned: FineTuned, class_folders: Path) -> None:
    paths = [str(class_folders / "temple" / "00.jpg"), str(class_folders / "flower" / "07.jpg")]
    done = subprocess.run([sys.executable, "-c", BARE, str(tuned.path), *paths], capture_output=True, check=True)
    table = tuned.classify(paths, progress=False, cache=False)
    np.testing.assert_allclose(table[["prob_flower", "prob_temple"]], json.loads(done.stdout), atol=1e-5)


def test_calibration_is_in_the_file(class_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The logits of the file are those of the head, divided by the temperature that was fitted out of fold."""
    from imagesasdata.train import validate

    given = {"method": "head", "progress": False, "seed": 3}
    monkeypatch.setattr(validate, "fit_temperature", lambda *_: 1.0)
    plain = iad.fine_tune(class_folders, out=tmp_path / "plain.onnx", **given)
    monkeypatch.setattr(validate, "fit_temperature", lambda *_: 2.5)
    calibrated = iad.fine_tune(class_folders, out=tmp_path / "calibrated.onnx", **given)
    assert calibrated.card.metrics["temperature"] == 2.5
    path = class_folders / "temple" / "00.jpg"
    odds = [
        np.log(m.classify(path, progress=False).loc[0, ["prob_temple", "prob_flower"]].astype(float)).to_numpy()
        for m in (plain, calibrated)
    ]
    assert odds[0][0] - odds[0][1] == pytest.approx(2.5 * (odds[1][0] - odds[1][1]), rel=1e-3)


def test_an_interrupt_keeps_the_model_that_is_there(class_folders: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int, text: str) -> None:
        if "cross-validation" in text and done == 200:  # hundredths of a fold
            raise KeyboardInterrupt

    with pytest.raises(iad.Interrupted, match="best model so far") as caught:
        iad.fine_tune(class_folders, method="head", out=tmp_path / "places.onnx", progress=stop)
    assert isinstance(caught.value.partial, FineTuned)
    assert len(caught.value.partial.classify(class_folders, progress=False)) == 48
    assert caught.value.partial.card.metrics == {}


def test_a_file_that_is_there_is_not_replaced_unless_asked(tuned: FineTuned, class_folders: Path) -> None:
    before = tuned.path.read_bytes()
    with pytest.raises(ArgumentInvalid, match="There is a file"):
        iad.fine_tune(class_folders, method="head", out=tuned.path, progress=False)
    assert tuned.path.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Give `out`"),
        ({"out": "model.pt"}, r"ends in \.onnx"),
        ({"out": "no/such/folder/m.onnx"}, "there is no folder"),
        ({"name": "../escape"}, "`name` is"),
        ({"out": "m.onnx", "method": "best"}, "`method` is"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(
    class_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentInvalid, match=message):
        iad.fine_tune(class_folders, progress=False, **options)


def test_a_model_can_be_kept_by_name(class_folders: Path) -> None:
    iad.fine_tune(class_folders, method="head", name="kept_by_name", progress=False)
    assert "kept_by_name" in iad.list_models()["name"].tolist()
    iad.remove_model("kept_by_name")


def test_a_fine_tuned_model_is_a_backbone_too(tuned: FineTuned, class_folders: Path, tmp_path: Path) -> None:
    again = iad.fine_tune(class_folders, backbone=tuned, method="head", out=tmp_path / "second.onnx", progress=False)
    assert again.validation is not None
    assert again.validation.estimate > 0.9


def test_attributes_and_scores_are_learned(class_folders: Path, tmp_path: Path) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    temple = np.array([Path(p).parent.name == "temple" for p in paths])
    data = pd.DataFrame({"image": paths, "temple": temple.astype(int), "stone": temple.astype(float)})
    data.loc[:5, "stone"] = np.nan
    multi = iad.fine_tune(data, label_col=["temple", "stone"], method="head", out=tmp_path / "m.onnx", progress=False)
    table = multi.classify(paths, progress=False)
    assert (table["temple"] == temple).mean() > 0.95
    data["calm"] = np.where(temple, 75.0, 25.0) + np.arange(len(paths)) / 10
    score = iad.fine_tune(data, label_col="calm", method="head", out=tmp_path / "s.onnx", progress=False)
    assert np.corrcoef(score.classify(paths, progress=False)["score_calm"], data["calm"])[0, 1] > 0.9


def test_a_backbone_without_an_embedding_is_refused(class_folders: Path, tmp_path: Path) -> None:
    import dataclasses

    from networks import CARD, colours

    from imagesasdata.modelfile import write_model

    card = dataclasses.replace(CARD, tensors={"input": "image", "embedding": None, "output": "logits"})
    write_model(colours(), card, tmp_path / "plain.onnx")
    with pytest.raises(ModelInvalid, match="names no embedding"):
        iad.fine_tune(
            class_folders, backbone=tmp_path / "plain.onnx", method="head", out=tmp_path / "x.onnx", progress=False
        )
