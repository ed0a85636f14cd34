"""The learning curve: more labels, better figures, and a curve through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score

import imagesasdata as iad
from imagesasdata.errors import ArgumentInvalid
from imagesasdata.evidence import Evidence, across_folds, inflation
from imagesasdata.images import ImageList
from imagesasdata.intervals import wilson
from imagesasdata.labels import Labels
from imagesasdata.train.learning import curve_replicates, fit_curve, measure, summary

SIZES = [10, 14, 20, 30]


class Recorded:
    """A way of training that writes down what it is given, and says 0 of every photograph."""

    def __init__(self, k: int) -> None:
        self.k, self.calls, self.settings = k, [], {}  # type: ignore[var-annotated]

    def fit(self, rows: np.ndarray, seed: int, report: object = None) -> Any:
        self.rows = rows
        return self

    def logits(self, rows: np.ndarray) -> np.ndarray:
        self.calls.append((self.rows, rows))
        return np.zeros((len(rows), self.k))


def labels_of(values: np.ndarray, task: str, groups: np.ndarray | None = None) -> Labels:
    names = [f"{i}.jpg" for i in range(len(values))]
    groups = np.arange(len(values)) if groups is None else groups
    return Labels(ImageList(names, names), task, tuple("abc"[: values.shape[1]]), values, groups)


def photographs(class_folders: Path) -> pd.DataFrame:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    return pd.DataFrame({"image": paths, "label": [Path(path).parent.name for path in paths]})


def test_the_curve_is_found_again() -> None:
    n = np.array([20.0, 40, 80, 160, 320, 640])
    found = fit_curve(n, 0.93 - 1.5 * n**-0.6)
    assert found == pytest.approx((0.93, 1.5, 0.6), rel=1e-3)
    assert fit_curve(n[:3], np.array([0.5, 0.6, 0.7])) is None


@pytest.mark.parametrize("task", ["single", "multi", "score"])
def test_models_learn_from_so_many_rows_and_none_of_those_that_they_are_tested_on(task: str) -> None:
    values = np.eye(2)[np.arange(50) % 2]
    way = Recorded(2)
    used, credits = measure(way, labels_of(values, task), SIZES, 5, 2, 1, lambda *_: None)
    assert used.tolist() == SIZES
    assert len(way.calls) == 4 * 5 * 2
    for (train, test), size in zip(way.calls, np.repeat(SIZES, 10), strict=True):
        assert len(np.unique(train)) == size
        assert not set(train) & set(test)
    drawn = {tuple(train) for train, _ in way.calls}
    assert len(drawn) == len(way.calls)  # each time other photographs
    tested = np.sort(np.concatenate([test for _, test in way.calls[:5]]))
    np.testing.assert_array_equal(tested, np.arange(50))
    assert all(credit.shape == values.shape for credit in credits)


def test_a_large_event_leaves_fewer_labels_and_the_table_says_how_many() -> None:
    groups = np.where(np.arange(100) < 60, 0, np.arange(100))
    way = Recorded(2)
    used, _ = measure(
        way, labels_of(np.eye(2)[np.arange(100) % 2], "single", groups), [41, 79], 5, 1, 1, lambda *_: None
    )
    counts = np.array([len(train) for train, _ in way.calls]).reshape(2, 5)
    assert counts.min() < 41
    np.testing.assert_allclose(used, counts.mean(axis=1))
    assert used[1] < 79


def test_figures_of_attributes_and_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(40, 2))
    said = truth + rng.normal(size=(40, 2))
    squared = (said - truth) ** 2
    assert summary(labels_of(truth, "score"), squared, np.ones(40)) == pytest.approx(r2_score(truth, said))
    weights = rng.integers(0, 3, 40)
    expected = r2_score(truth, said, sample_weight=weights)
    assert summary(labels_of(truth, "score"), squared, weights) == pytest.approx(expected)
    yes, guess = truth > 0, said > 0
    credit = np.where(rng.random((40, 2)) < 0.2, np.nan, yes == guess)
    known = ~np.isnan(credit)
    each = [accuracy_score(yes[known[:, k], k], guess[known[:, k], k]) for k in range(2)]
    assert summary(labels_of(yes.astype(float), "multi"), credit, np.ones(40)) == pytest.approx(np.mean(each))


def test_sizes_estimates_and_the_promise(class_folders: Path) -> None:
    found = iad.learning_curve(class_folders, sizes=SIZES, repeats=2, progress=False)
    curve = found.curve
    assert curve["n"].tolist() == SIZES
    expected = wilson(curve["estimate"] * 48 / inflation(5), 48 / inflation(5))
    np.testing.assert_allclose(curve[["conf_low", "conf_high"]].T, expected)
    assert curve["estimate"].iloc[-1] > 0.9
    a, b, c = found.curve_a, found.curve_b, found.curve_c
    assert found.gain_100 == pytest.approx((a - b * 148**-c) - (a - b * 48**-c))
    assert found.gain_100_low <= found.gain_100 <= found.gain_100_high
    assert found.gain_100_high > found.gain_100_low
    assert f"{100 * found.gain_100:+.1f} [{100 * found.gain_100_low:+.1f}, " in repr(found)
    again = iad.learning_curve(class_folders, sizes=SIZES, repeats=2, progress=False)
    assert again.curve.equals(curve)
    assert again.facts == found.facts


def test_scores_and_attributes_have_curves_too(class_folders: Path) -> None:
    data = photographs(class_folders)
    temple = data["label"] == "temple"
    data["calm"] = np.where(temple, 7.5, 2.5) + np.random.default_rng(1).normal(0, 0.5, len(data))
    score = iad.learning_curve(data, label_col="calm", sizes=[12, 36], repeats=1, progress=False)
    low, high = score.curve["conf_low"], score.curve["conf_high"]
    assert set(score.curve["metric"]) == {"r2"}
    assert ((low < score.curve["estimate"]) & (score.curve["estimate"] < high)).all()
    assert score.curve["estimate"].iloc[0] + 0.02 < score.curve["estimate"].iloc[1] < 1
    data["temple"], data["flower"] = temple.astype(int), 1 - temple.astype(int)
    multi = iad.learning_curve(data, label_col=["temple", "flower"], sizes=36, repeats=1, progress=False)
    assert multi.curve[["n", "metric"]].to_numpy().tolist() == [[36, "accuracy"]]
    assert multi.curve["estimate"].iloc[0] > 0.8


def test_intervals_are_those_of_cross_validation(class_folders: Path) -> None:
    data = photographs(class_folders).assign(event=np.arange(48) // 4)
    found = iad.learning_curve(data, groups="event", sizes=[30], repeats=1, progress=False)
    assert (found.n_clusters, found.inflation) == (12, 2.25)
    rng = np.random.default_rng(1)
    right = np.repeat(rng.random(40) < 0.7, 5).astype(float)[:, None]  # photographs of one event are alike
    labels = labels_of(right, "multi", np.arange(200) // 5)
    estimates, grouped = curve_replicates(labels, [right], across_folds(range(200), labels.groups, 5), 1)
    assert estimates[0] == right.mean()
    _, alone = curve_replicates(labels, [right], Evidence(np.arange(200)), 1)
    # The variance of a mean over 40 events, 2.25 times.
    assert grouped.std() == pytest.approx(right.std() * np.sqrt(2.25 / 40), rel=0.1)
    assert alone.std() == pytest.approx(right.std() / np.sqrt(200), rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": [10, 48]}, "`sizes` is"),
        ({"sizes": []}, "`sizes` is"),
        ({"sizes": ["a"]}, "`sizes` is 'a'"),
        ({"sizes": "20"}, "`sizes` is '20'"),
        ({"sizes": [12.5]}, "`sizes` is 12.5"),
        ({"repeats": 0}, "`repeats` is 0"),
        ({"repeats": -1}, "`repeats` is -1"),
        ({"seed": -1}, "`seed` is -1"),
        ({"conf_level": 95}, "`conf_level` is 95"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_trained(
    class_folders: Path, options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagesasdata.train.learning.measure", None)
    with pytest.raises(ArgumentInvalid, match=message):
        iad.learning_curve(class_folders, progress=False, **options)
