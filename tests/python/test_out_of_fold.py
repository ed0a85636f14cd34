"""Predictions out of fold: each row's own, and calibrated by the other folds alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

import imagesasdata as iad
from imagesasdata.calibration import fit_temperature
from imagesasdata.images import ImageList
from imagesasdata.labels import Labels
from imagesasdata.train.method import Logits, Rows
from imagesasdata.train.prepare import in_one_group
from imagesasdata.train.validate import OutOfFold, out_of_fold


@dataclasses.dataclass
class Told:
    """A way of training that says what it is told of each row, and never expects a class that it has not seen."""

    says: Logits
    labels: Labels
    taught: Rows = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    def prepare(self) -> None:
        pass

    def fit(self, rows: Rows, seed: int, report: Any = None) -> Told:
        return dataclasses.replace(self, taught=rows)

    def logits(self, rows: Rows) -> Logits:
        assert not set(rows) & set(self.taught)
        if self.labels.task != "single":
            return self.says[rows]
        seen = (self.labels.targets[self.taught] > 0).any(axis=0)
        return np.where(seen, self.says[rows], -30.0)


def labelled(task: str, values: np.ndarray, groups: np.ndarray | None = None) -> Labels:
    n, k = values.shape
    names = [f"{i}.jpg" for i in range(n)]
    groups = np.arange(n) if groups is None else groups
    return Labels(ImageList(names, names), task, tuple("abcdef"[:k]), values, groups)


def run(labels: Labels, says: Logits) -> OutOfFold:
    return out_of_fold(Told(says, labels), labels, 4, 1, lambda *_: None, "told")


def drawn(k: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too sure by a factor of 3, and classes drawn with the right probabilities."""
    rng = np.random.default_rng(5)
    right = rng.normal(scale=2, size=(n, k))
    codes = (softmax(right, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return right * 3, np.eye(k)[codes]


def test_each_row_has_its_own_prediction() -> None:
    says, values = drawn(3)
    found = run(labelled("single", values), says)
    for number in range(1, 5):
        inside = found.fold == number
        t = fit_temperature(says[~inside], values[~inside], "single")
        np.testing.assert_allclose(found.outputs[inside], softmax(says[inside] / t, axis=1), atol=1e-9)
    assert found.temperature == pytest.approx(fit_temperature(says, values, "single"))
    assert found.temperature == pytest.approx(3, rel=0.4)


def test_the_labels_of_a_fold_play_no_part_in_its_own_probabilities() -> None:
    rng = np.random.default_rng(6)
    right = rng.normal(scale=2, size=(120, 2))
    values = (rng.random((120, 2)) < expit(right)).astype(float)
    first = run(labelled("multi", values), 3 * right)
    inside = first.fold == 1
    values[inside] = 1 - values[inside]
    second = run(labelled("multi", values), 3 * right)
    assert (first.fold == second.fold).all()
    np.testing.assert_array_equal(first.outputs[inside], second.outputs[inside])
    assert np.abs(first.outputs[~inside] - second.outputs[~inside]).max() > 0.05


def test_a_class_that_no_other_fold_has_leaves_the_temperature_alone() -> None:
    """Its rows have the logit -30 for what they are: they alone would drive the temperature to its end."""
    says, values = drawn(3)
    known = values[:, 2] == 0
    groups = np.where(known, np.arange(120), 1000)
    found = run(labelled("single", values, groups), says)
    alone = fit_temperature(says[known][:, :2], values[known][:, :2], "single")
    assert fit_temperature(np.where(known[:, None], says, [0, 0, -30]), values, "single") > 10
    assert found.temperature < 8
    assert found.temperature == pytest.approx(alone, rel=0.6)


def test_an_answer_that_no_other_fold_has_leaves_the_temperature_alone() -> None:
    rng = np.random.default_rng(7)
    right = rng.normal(scale=2, size=(120, 2))
    values = (rng.random((120, 2)) < expit(right)).astype(float)
    groups, says = np.arange(120), 3 * right
    values[:, 1], says[:, 1] = np.arange(120) < 20, -8.0
    groups[:20] = 1000
    found = run(labelled("multi", values, groups), says)
    alone = run(labelled("multi", values[:, :1], groups), says[:, :1]).temperature
    assert found.temperature == pytest.approx(alone, rel=0.5)


def test_what_is_in_one_group_is_named() -> None:
    values = np.eye(3)[np.arange(30) % 3]
    groups = np.where(values[:, 2] == 1, 99, np.arange(30))
    assert in_one_group(labelled("single", values, groups)) == ["c"]
    assert in_one_group(labelled("single", values)) == []
    yes = np.stack([values[:, 2], values[:, 0], np.where(np.arange(30) < 20, np.nan, values[:, 1])], axis=1)
    assert in_one_group(labelled("multi", yes, groups)) == ["a = 1"]
    assert in_one_group(labelled("score", yes, groups)) == []


def test_a_class_in_one_group_is_said_and_does_not_blur_the_others(class_folders: Any) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    data = pd.DataFrame({"image": paths, "label": ["flower"] * 24 + ["temple"] * 12 + ["roof"] * 12})
    data["event"] = [*map(str, range(36)), *["fair"] * 12]
    with pytest.warns(
        iad.ImagesAsDataWarning, match=r'class\(es\) "roof" are in one group only: they cannot be tested'
    ):
        found = iad.cross_validate(data, groups="event", progress=False)
    assert found.temperature < 5
    flowers = found.predictions[found.predictions["truth"] == "flower"]
    assert flowers["prob"].mean() > 0.8
