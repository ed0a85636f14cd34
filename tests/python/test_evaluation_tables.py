"""The tables of an evaluation hold every photograph, and agree with the figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from coded_photographs import CLASSES, HOSTILE, attributes, coded, evaluate, figure, scores
from statsmodels.stats.proportion import proportion_confint

from imagesasdata.findings import Findings


def test_the_confusion_counts_every_pair_zeros_too() -> None:
    frame = coded()
    frame = frame[(frame["hand"] != "other") | (frame["label"] != "police")]
    table = evaluate(frame, "hand").confusion
    expected = sk.confusion_matrix(frame["hand"], frame["label"].astype(str), labels=CLASSES)
    assert table["n"].tolist() == expected.ravel().tolist()
    assert table["truth"].tolist() == np.repeat(CLASSES, 3).tolist()
    assert table["label"].tolist() == [*CLASSES] * 3
    assert table["n"].min() == 0


def test_attributes_have_a_block_of_the_confusion_each() -> None:
    frame = attributes()
    table = evaluate(frame, "truth").confusion
    assert table.columns.tolist() == ["attribute", "truth", "label", "n"]
    fire = sk.confusion_matrix(frame["truth_fire"] == 1, frame["fire"])
    assert table.query("attribute == 'fire'")["n"].tolist() == fire.ravel().tolist()
    assert table["truth"].tolist() == ["no", "no", "yes", "yes"] * 2


def test_the_curves_enclose_the_areas_of_the_metrics() -> None:
    for frame, truth in ((coded(), "hand"), (attributes(), "truth")):
        found = evaluate(frame, truth)
        for name, part in found.roc.groupby("class"):
            assert sk.auc(part["fpr"], part["tpr"]) == pytest.approx(figure(found, "roc_auc", str(name)), abs=2e-3)
        for name, part in found.pr.groupby("class"):
            steps = -np.diff(part["recall"]) * part["precision"].to_numpy()[:-1]
            assert steps.sum() == pytest.approx(figure(found, "pr_auc", str(name)), abs=1e-2)
            assert part["threshold"].isna().tolist() == [False] * (len(part) - 1) + [True]


def test_curves_of_many_photographs_are_thinned() -> None:
    found = evaluate(coded(5000, skill=0.3), "hand", replicates=0)
    assert found.pr.groupby("class").size().max() <= 1000
    ends = found.roc.groupby("class").agg(["first", "last"])
    assert (ends["fpr"].to_numpy() == [0, 1]).all()


def test_the_calibration_has_bins_of_equal_mass_for_the_label_and_for_each_class() -> None:
    frame = coded(400)
    found = evaluate(frame, "hand")
    table = found.calibration
    assert table.groupby("class", dropna=False)["n"].sum().tolist() == [400] * 4
    whole = table[table["class"].isna()]
    assert whole["n"].tolist() == [40] * 10
    right = frame["hand"] == frame["label"].astype(str)
    assert np.average(whole["share"], weights=whole["n"]) == pytest.approx(right.mean())
    gap = np.average((whole["share"] - whole["prob"]).abs(), weights=whole["n"])
    assert gap == pytest.approx(figure(found, "calibration_error"))
    first = whole.iloc[0]
    expected = proportion_confint(first["share"] * 40, 40, method="wilson")
    assert (first["conf_low"], first["conf_high"]) == pytest.approx(expected)


def test_every_row_is_among_the_predictions_with_its_truth() -> None:
    frame = coded(20)
    frame.loc[3, ["label", "prob", *(f"prob_{name}" for name in CLASSES)]] = None
    frame.loc[3, "error"] = "truncated JPEG"
    frame.loc[5, "hand"] = None
    table = evaluate(frame, "hand").predictions
    assert table.columns.tolist() == ["image", "truth", *frame.columns[1:-1]]
    assert table["image"].tolist() == frame["image"].tolist()
    assert table.loc[[3, 5], ["truth", "label", "error"]].isna().to_numpy().tolist() == [[0, 1, 0], [1, 0, 1]]
    assert table["label"].cat.categories.tolist() == list(CLASSES)
    again = evaluate(table, "truth")  # what comes out can go in
    assert again.tables["metrics"].equals(evaluate(frame, "hand").tables["metrics"])


@pytest.mark.parametrize("frame", [attributes(30), scores(30)], ids=["attributes", "scores"])
def test_predictions_of_attributes_and_scores_can_go_in_again(frame: pd.DataFrame) -> None:
    found = evaluate(frame, "truth")
    assert set(frame.columns) | {"error"} == set(found.predictions.columns)
    assert evaluate(found.predictions, "truth").tables["metrics"].equals(found.tables["metrics"])


def test_findings_survive_a_file_and_r_can_read_the_facts(tmp_path: Path) -> None:
    found = evaluate(coded(40, HOSTILE), "hand", by="hand")
    loaded = Findings.load(found.save(tmp_path / "found.zip"))
    assert loaded == found
    assert "NaN" not in found.facts_json()
    assert json.loads(found.facts_json())["facts"]["classes"] == list(HOSTILE)
