"""Cross-validation: nothing of a photograph is known to the model that predicts it, and the figures say so."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

import imagesasdata as iad
from imagesasdata.errors import ArgumentInvalid, LabelsInvalid
from imagesasdata.evidence import inflation
from imagesasdata.findings import Findings
from imagesasdata.intervals import wilson


@pytest.fixture(scope="module")
def found(class_folders: Path) -> Findings:
    return iad.cross_validate(class_folders, progress=False)


def test_every_photograph_is_predicted_once_by_a_model_that_has_not_seen_it(found: Findings) -> None:
    table = found.predictions
    assert len(table) == 48
    assert table["image"].is_unique
    assert sorted(table["fold"].unique()) == [1, 2, 3, 4, 5]
    assert found.folds["n_test"].sum() == 48
    assert (found.folds["n_train"] + found.folds["n_test"] == 48).all()


def test_the_figures_are_scikit_learns_on_the_out_of_fold_predictions(found: Findings) -> None:
    table = found.predictions
    metrics = found.metrics[found.metrics["class"].isna()].set_index("metric")["estimate"]
    truth, label = table["truth"].astype(str), table["label"].astype(str)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(truth, label))
    assert metrics["macro_f1"] == pytest.approx(f1_score(truth, label, average="macro"))
    assert metrics["roc_auc"] == pytest.approx(roc_auc_score(truth == "temple", table["prob_temple"]))
    assert found.estimate == metrics["accuracy"] > 0.9
    assert found.baseline == 0.5


def test_intervals_are_wider_since_the_folds_share_photographs(found: Findings) -> None:
    """Nadeau and Bengio (2003): five folds have 1 + 5 / 4 times the variance of a mean over as many photographs."""
    assert inflation(5) == pytest.approx(2.25)
    right = found.predictions["truth"].astype(str) == found.predictions["label"].astype(str)
    low, high = wilson(right.sum() / 2.25, len(right) / 2.25)
    assert (found.conf_low, found.conf_high) == pytest.approx((float(low), float(high)))
    assert set(found.metrics["interval"]) == {"Wilson across folds", "bootstrap across folds"}
    assert any("1.5 times as wide" in line and "Nadeau and Bengio" in line for line in found.lines)


def test_the_table_out_of_fold_keeps_its_intervals(found: Findings, tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(iad.evaluate_predictions(found.predictions, "truth").metrics, found.metrics)
    found.predictions.to_csv(tmp_path / "out.csv", index=False)
    pd.testing.assert_frame_equal(iad.evaluate_predictions(tmp_path / "out.csv", "truth").metrics, found.metrics)
    some = found.predictions.assign(half=["a", "b"] * 24)
    groups = iad.evaluate_predictions(some, "truth", by="half").groups
    part = iad.evaluate_predictions(some[some["half"] == "a"], "truth").metrics
    pd.testing.assert_frame_equal(groups[groups["group"] == "a"][part.columns].reset_index(drop=True), part)


def test_the_same_seed_gives_the_same_numbers(class_folders: Path, found: Findings) -> None:
    again = iad.cross_validate(class_folders, progress=False)
    pd.testing.assert_frame_equal(again.predictions, found.predictions)
    other = iad.cross_validate(class_folders, seed=2, progress=False)
    assert not (other.predictions["fold"] == found.predictions["fold"]).all()


def test_copies_of_a_photograph_are_never_apart(class_folders: Path, tmp_path: Path) -> None:
    shutil.copytree(class_folders, tmp_path / "labelled")
    for number in range(12, 18):
        with Image.open(tmp_path / "labelled" / "temple" / f"{number:02d}.jpg") as image:
            image.resize((90, 90)).save(tmp_path / "labelled" / "temple" / f"copy{number:02d}.jpg", quality=80)
    with pytest.warns(iad.ImagesAsDataWarning, match="near-duplicates"):
        found = iad.cross_validate(tmp_path / "labelled", progress=False)
    temples = found.predictions[found.predictions["truth"] == "temple"]
    by_name = dict(zip(temples["image"].map(lambda name: Path(name).name), temples["fold"], strict=True))
    for number in range(12, 18):
        assert by_name[f"{number:02d}.jpg"] == by_name[f"copy{number:02d}.jpg"]
    assert found.n_duplicate_pairs >= 6
    assert len(found.predictions) == 54


def test_labels_at_random_give_an_auc_whose_interval_holds_one_half(class_folders: Path) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    held = 0
    for seed in range(5):
        label = np.random.default_rng(seed).permutation(["a", "b"] * (len(paths) // 2))
        found = iad.cross_validate(pd.DataFrame({"image": paths, "label": label}), progress=False, seed=seed)
        auc = found.metrics[(found.metrics["metric"] == "roc_auc") & found.metrics["class"].isna()].iloc[0]
        held += auc["conf_low"] <= 0.5 <= auc["conf_high"]
    assert held >= 4


def test_groups_are_kept_together_and_counted_as_one(class_folders: Path) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    data = pd.DataFrame({"image": paths, "label": [Path(p).parent.name for p in paths]})
    data["event"] = np.arange(len(data)) // 4
    found = iad.cross_validate(data, groups="event", progress=False)
    folds = found.predictions.assign(event=data["event"]).groupby("event")["fold"].nunique()
    assert (folds == 1).all()
    assert set(found.metrics["interval"]) == {"cluster bootstrap across folds"}
    assert (found.predictions.assign(event=data["event"]).groupby("event")["group"].nunique() == 1).all()
    assert found.n_clusters == found.predictions["group"].nunique() <= 12
    again = iad.evaluate_predictions(found.predictions, "truth")
    pd.testing.assert_frame_equal(again.metrics, found.metrics)
    assert again.n_clusters == found.n_clusters


def test_attributes_and_scores_are_validated_too(class_folders: Path) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    temple = np.array([Path(p).parent.name == "temple" for p in paths])
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"image": paths, "temple": temple.astype(int), "flower": (~temple).astype(int)})
    multi = iad.cross_validate(data, label_col=["temple", "flower"], progress=False)
    assert multi.task == "multi"
    assert {"truth_temple", "prob_flower"} <= set(multi.predictions)
    data["calm"] = np.where(temple, 7.5, 2.5) + rng.normal(0, 0.5, len(paths))
    score = iad.cross_validate(data, label_col="calm", progress=False)
    assert score.task == "score"
    assert score.estimate > 0.6
    assert "score_calm" in score.predictions


def test_repeats_predict_each_photograph_anew(class_folders: Path) -> None:
    found = iad.cross_validate(class_folders, repeats=2, folds=3, progress=False)
    assert found.predictions.groupby("image")["repeat"].apply(sorted).map(lambda x: x == [1, 2]).all()
    assert len(found.folds) == 6
    assert found.n == 48
    assert found.metrics["n"].iloc[0] == 48  # photographs, not rows
    pd.testing.assert_frame_equal(iad.evaluate_predictions(found.predictions, "truth").metrics, found.metrics)


def test_an_attribute_called_as_a_column_of_the_predictions_is_refused(class_folders: Path) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    data = pd.DataFrame({"image": paths, "group": [0, 1] * 24, "flag": [1, 0] * 24})
    with pytest.raises(ArgumentInvalid, match="group would be two columns"):
        iad.cross_validate(data, label_col=["group", "flag"], progress=False)


def test_progress_is_told_stage_by_stage(class_folders: Path) -> None:
    told: list[tuple[int, int, str]] = []
    iad.cross_validate(class_folders, progress=lambda *a: told.append(a))
    texts = list(dict.fromkeys(text for _, _, text in told))
    assert any("embedding" in text for text in texts)
    assert any("cross-validation" in text for text in texts)
    for text in texts:
        assert [t for t in told if t[2] == text][-1][0] == [t for t in told if t[2] == text][-1][1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "`folds` is 1"),
        ({"folds": 500}, "`folds` is 500"),
        ({"repeats": 0}, "`repeats` is 0"),
        ({"method": "tails"}, "`method` is 'tails'"),
        ({"epochs": 3}, "`epochs` is for"),
        ({"class_weights": "equal"}, "`class_weights` is 'equal'"),
        ({"class_weights": {"house": 2}}, "`class_weights` is"),
    ],
)
def test_what_makes_no_sense_is_refused(class_folders: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentInvalid, match=message):
        iad.cross_validate(class_folders, progress=False, **options)


def test_photographs_that_cannot_be_read_are_counted_and_left_out(class_folders: Path, tmp_path: Path) -> None:
    shutil.copytree(class_folders, tmp_path / "labelled")
    (tmp_path / "labelled" / "flower" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    with pytest.warns(iad.ImagesAsDataWarning, match=r"cannot be read and are left out.*broken\.jpg"):
        found = iad.cross_validate(tmp_path / "labelled", progress=False)
    assert (found.n_failed, found.n) == (1, 48)


def test_a_class_that_is_left_with_one_photograph_is_refused(class_folders: Path, tmp_path: Path) -> None:
    shutil.copytree(class_folders, tmp_path / "labelled")
    (tmp_path / "labelled" / "rare").mkdir()
    shutil.copy(class_folders / "temple" / "03.jpg", tmp_path / "labelled" / "rare" / "only.jpg")
    (tmp_path / "labelled" / "rare" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    with pytest.raises(LabelsInvalid, match="rare"):
        iad.cross_validate(tmp_path / "labelled", progress=False)
