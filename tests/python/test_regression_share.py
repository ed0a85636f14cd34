"""A corrected share is the difference estimator, by group too, and its interval holds."""

from __future__ import annotations

import numpy as np
import pytest

from imagesasdata.errors import TooFewLabels
from imagesasdata.regression.crossfit import Variable, cross_fit
from imagesasdata.regression.dsl import Sample
from imagesasdata.regression.share import share_arrays


def case(seed: int = 1, n: int = 2000, m: int = 300) -> tuple[Variable, Sample, np.ndarray]:
    """Return photographs of which 30 percent show something, predicted with more false alarms than misses."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.3).astype(float)
    predicted = np.where(rng.random(n) < np.where(truth == 1, 0.95, 0.8), truth, 1 - truth)
    prob = m / n * np.where(predicted == 1, 1.5, 0.7)
    labelled = rng.random(n) < prob
    return Variable("d", np.where(labelled, truth, np.nan), predicted), Sample(labelled, prob, np.ones(n)), truth


def test_it_is_the_difference_estimator_written_out() -> None:
    variable, sample, _ = case()
    table, _ = share_arrays(variable, sample, np.zeros((2000, 0)), repeats=1)
    expected = next(cross_fit([variable], np.zeros((2000, 0)), sample.labelled, None, 5, 1, 1))["d"]
    error = np.zeros(2000)
    known = sample.labelled
    error[known] = (variable.labels[known] - expected[known]) / sample.prob[known]
    row = table.to_pylist()[0]
    assert row["estimate"] == pytest.approx(np.mean(expected + error), abs=1e-12)
    m = known.sum()
    assert row["std_error"] == pytest.approx(np.std(expected + error) / np.sqrt(2000) * np.sqrt(m / (m - 1)), abs=1e-12)


def test_the_naive_share_is_wrong_and_the_corrected_interval_holds() -> None:
    covered, naive = 0, []
    for seed in range(40):
        variable, sample, _ = case(seed)
        row = share_arrays(variable, sample, np.zeros((2000, 0)), repeats=1)[0].to_pylist()[0]
        covered += row["conf_low"] < 0.3 < row["conf_high"]
        naive.append(row["naive"])
    assert covered >= 34  # with probability 0.9966 at 95 percent
    assert min(naive) > 0.38


def test_groups_have_rows_of_their_own_and_small_ones_a_note() -> None:
    variable, sample, _ = case()
    group = np.array(["large"] * 1900 + ["small"] * 100, dtype=object)
    table, notes = share_arrays(variable, sample, np.zeros((2000, 0)), group, repeats=1)
    assert table.column("group").to_pylist() == [None, "large", "small"]
    assert table.column("n").to_pylist() == [2000, 1900, 100]
    assert len(notes) == 1 and notes[0].startswith("small: ")
    assert table.column("std_error")[2].as_py() > table.column("std_error")[1].as_py()


def test_a_group_without_labels_has_no_estimate() -> None:
    variable, sample, _ = case()
    group = np.where(sample.labelled, "labelled", "not").astype(object)
    row = share_arrays(variable, sample, np.zeros((2000, 0)), group, repeats=1)[0].to_pylist()[2]
    assert row["estimate"] is None and row["naive"] is not None


def test_no_labels_are_refused() -> None:
    with pytest.raises(TooFewLabels):
        share_arrays(
            Variable("d", np.full(9, np.nan), np.ones(9)),
            Sample(np.zeros(9, bool), np.ones(9), np.ones(9)),
            np.ones((9, 0)),
        )
