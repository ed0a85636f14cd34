"""Outputs of a network are judged as a table of them is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from coded_photographs import CLASSES, attributes, coded, evaluate, row, scores

from imagesasdata.errors import (
    ArgumentInvalid,
)
from imagesasdata.evaluate import quality
from imagesasdata.evidence import Evidence


def arrays(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    values = np.stack([frame["hand"] == name for name in CLASSES], axis=1).astype(float)
    return values, frame[[f"prob_{name}" for name in CLASSES]].to_numpy()


def test_outputs_of_a_network_have_the_figures_of_their_table() -> None:
    frame = coded(80)
    found = quality("single", CLASSES, *arrays(frame), frame["image"].tolist(), replicates=50)
    assert found.tables["metrics"].equals(evaluate(frame, "hand").tables["metrics"])
    assert found.kind == "evaluation"
    frame = attributes(80)
    pairs = [frame[[f"{kind}_{name}" for name in ("fire", "flag")]].to_numpy() for kind in ("truth", "prob")]
    found = quality("multi", ("fire", "flag"), *pairs, frame["image"].tolist(), replicates=50)
    assert found.tables["metrics"].equals(evaluate(frame, "truth").tables["metrics"])
    frame = scores(80)
    pairs = [frame[[f"{kind}_{name}" for name in ("anger", "joy")]].to_numpy() for kind in ("truth", "score")]
    found = quality("score", ("anger", "joy"), *pairs, frame["image"].tolist(), replicates=50)
    assert found.tables["metrics"].equals(evaluate(frame, "truth").tables["metrics"])


def test_outputs_without_a_truth_or_a_number_are_left_out_but_stay_in_the_table() -> None:
    frame = coded(80)
    values, outputs = (array.copy() for array in arrays(frame))
    values[0], outputs[1] = np.nan, np.nan
    before = values.copy(), outputs.copy()
    errors = [None, None, "truncated JPEG", *[None] * 77]
    images = frame["image"].tolist()
    found = quality("single", CLASSES, values, outputs, images, replicates=0, errors=errors, ceiling=0.9)
    assert [found.facts[key] for key in ("n", "n_failed", "n_unlabelled", "ceiling")] == [77, 2, 1, 0.9]
    assert found.predictions["image"].tolist() == images
    assert found.predictions[["truth", "label", "error"]].isna().to_numpy()[:3].tolist() == [
        [True, False, True],
        [False, True, True],
        [False, True, False],
    ]
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(outputs, before[1])


def test_clusters_and_subgroups_of_outputs() -> None:
    frame = coded(80)
    arguments = ("single", CLASSES, *arrays(frame), frame["image"].tolist())
    found = quality(
        *arguments, evidence=Evidence(np.arange(80), np.arange(80) // 2), by={"half": ["x", None] * 40}, replicates=50
    )
    assert found.facts["n_clusters"] == 40
    assert set(found.metrics["interval"]) == {"cluster bootstrap"}
    assert row(found, "accuracy", table="groups", group="x")["n"] == 40


def test_the_majority_of_the_shares_is_the_truth() -> None:
    frame = coded(80)
    values, outputs = arrays(frame)
    unsure = 0.4 * values + 0.2
    images = frame["image"].tolist()
    found = [quality("single", CLASSES, v, outputs, images, replicates=0) for v in (values, unsure)]
    assert found[0].tables["metrics"].equals(found[1].tables["metrics"])


def test_attributes_whose_columns_would_collide_are_refused() -> None:
    values = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(ArgumentInvalid, match="image would be two columns"):
        quality("multi", ("image", "b"), values, values, ["1.jpg", "2.jpg"], replicates=0)
