"""A corrected share is the difference estimator, by group too, and its interval holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata import ImagesAsDataWarning
from imagesasdata.errors import TooFewLabels
from imagesasdata.intervals import wilson
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


def photographs(coded: np.ndarray) -> pd.DataFrame:
    """Return 400 photographs of two cities, one in three coded, with predictions that are right in 80 percent."""
    rng = np.random.default_rng(3)
    right = rng.random(400) < 0.8
    frame = pd.DataFrame({"city": np.where(np.arange(400) < 100, "Lima", "Oslo"), "pi": 1 / 3})
    frame["seen"] = np.where(right, coded, 1 - coded)
    frame["coded"] = np.where(np.arange(400) % 3 == 0, coded, np.nan)
    return frame


def shares(frame: pd.DataFrame, **options: str) -> iad.Findings:
    return iad.estimate_share(
        frame, {"it": "seen"}, {"it": "coded"}, by="city", repeats=1, **{"sampling_prob": "pi", **options}
    )


@pytest.mark.parametrize("method", ("dsl", "ppi"))
@pytest.mark.parametrize("value", (0.0, 1.0))
def test_labels_that_are_all_alike_are_no_certainty(method: str, value: float) -> None:
    with pytest.warns(ImagesAsDataWarning, match=r"of it are all alike in all rows \(134 .*Lima \(34 .*Oslo \(100 lab"):
        found = shares(photographs(np.full(400, value)), method=method)
    rows = found.metrics
    assert (
        found.lines[3].split("corrected")[-1].split()[-2:]
        == [["[0.0000,", "0.1015]"], ["[0.8985,", "1.0000]"]][int(value)]
    )
    assert rows["estimate"].tolist() == pytest.approx([value] * 3, abs=1e-12)
    expected = np.array([wilson(value * m, m) for m in (134, 34, 100)])
    np.testing.assert_allclose(rows[["conf_low", "conf_high"]], expected, atol=1e-12)


@pytest.mark.parametrize("method", ("dsl", "ppi"))
def test_a_group_whose_labels_are_all_alike_is_named(method: str) -> None:
    coded = (np.arange(400) % 2 == 0) * 1.0
    coded[:100] = 1
    with pytest.warns(ImagesAsDataWarning, match=r"all alike in Lima \(34 labels\)\. There") as said:
        rows = shares(photographs(coded), method=method).metrics.set_index("group")
    assert len(said) == 1
    low, high = wilson(34, 34)
    assert rows.loc["Lima", "conf_low"] <= low and rows.loc["Lima", "conf_high"] == high
    assert rows.loc["Oslo", "conf_high"] - rows.loc["Oslo", "conf_low"] < 0.25


def test_labels_that_stand_for_unlike_numbers_and_clusters_are_worth_fewer() -> None:
    frame = photographs(np.ones(400))
    frame["account"] = np.arange(400) // 4
    frame["pi"] = np.where(np.arange(400) % 2 == 0, 1.0, 0.25)
    with pytest.warns(ImagesAsDataWarning, match="all alike"):
        low = shares(frame).metrics["conf_low"]
        by_cluster = shares(frame, cluster="account").metrics["conf_low"]
    w = 1 / frame["pi"][frame["coded"].notna()]
    n = w.sum() ** 2 / (w**2).sum()
    assert low[0] == pytest.approx(float(wilson(n, n)[0]))
    assert (by_cluster < low).all()


def test_numbers_that_are_all_alike_and_labels_of_one_cluster_have_no_interval() -> None:
    number = photographs(np.full(400, 3.0))
    with pytest.warns(ImagesAsDataWarning, match="no interval of it for all rows, Lima, Oslo"):
        rows = shares(number).metrics
    assert rows["estimate"].tolist() == pytest.approx([3] * 3) and rows["conf_low"].isna().all()
    clustered = photographs((np.arange(400) % 2 == 0) * 1.0)
    clustered["account"] = np.where(clustered["city"] == "Lima", 0, np.arange(400) % 60 + 1)
    with pytest.warns(ImagesAsDataWarning, match="no interval of it for Lima: .* in one cluster"):
        rows = shares(clustered, cluster="account").metrics
    assert rows["std_error"].isna().tolist() == [False, True, False]


def test_a_share_beyond_its_limits_is_drawn() -> None:
    row = {"class": None, "group": None, "estimate": 1.01, "conf_low": 0.9, "conf_high": 1.0, "naive": 0.9}
    table = pd.DataFrame([{**row, "n_labelled": 50}])
    (axes,) = iad.Findings.of("share", {"conf_level": 0.95}, {"metrics": table, "shares": table}).plot().axes
    assert len(axes.get_yticklabels()) == 1
