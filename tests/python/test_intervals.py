"""Intervals hold what they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from imagesasdata import metrics
from imagesasdata.errors import ArgumentInvalid
from imagesasdata.intervals import (
    above_zero,
    bootstrap,
    check_level,
    check_whole,
    needed,
    percentile,
    resampled,
    wilson,
)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombes_table(count: int, n: int, low: float, high: float) -> None:
    found = wilson(count, n)
    assert (round(float(found[0]), 4), round(float(found[1]), 4)) == (low, high)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_wilsons_interval_is_that_of_statsmodels(level: float) -> None:
    n = np.repeat([1, 2, 7, 50, 1000], 6)
    count = (n * np.tile([0, 0.1, 0.33, 0.5, 0.9, 1], 5)).astype(int)
    expected = proportion_confint(count, n, alpha=1 - level, method="wilson")
    np.testing.assert_allclose(wilson(count, n, level), expected, atol=1e-12)


def test_wilsons_interval_begins_at_nothing_ends_at_all_and_is_missing_without_photographs() -> None:
    assert wilson(0, 3)[0] == 0.0
    assert wilson(3, 3)[1] == 1.0
    assert np.isnan(wilson(0, 0)).all()


@pytest.mark.parametrize("share", [0.5, 0.8, 0.873, 0.99, 1.0])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_number_of_photographs_needed_is_the_least_that_is_enough(share: float, level: float) -> None:
    def half(n: int) -> float:
        low, high = proportion_confint(share * n, n, alpha=1 - level, method="wilson")
        return float(high - low) / 2

    n = needed(share, 0.05, level)
    if share < 1:  # statsmodels clips the interval at 1, Wilson's formula does not
        assert half(n) <= 0.05 < half(n - 1)
    assert n > 10


def mean_of(values: np.ndarray) -> Any:
    return lambda weights: metrics.mean(values, weights)[:, None]


def test_replicates_draw_as_many_photographs_as_there_are_and_are_the_same_for_a_seed() -> None:
    weights = np.concatenate(list(resampled(50, 30, 7)))
    assert weights.shape == (30, 50)
    assert (weights.sum(axis=1) == 50).all()
    np.testing.assert_array_equal(weights, np.concatenate(list(resampled(50, 30, 7))))
    assert not np.array_equal(weights, np.concatenate(list(resampled(50, 30, 8))))


def test_replicates_come_in_parts_that_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(resampled(50, 31, 7)))
    monkeypatch.setattr("imagesasdata.intervals.AT_ONCE", 500)
    parts = list(resampled(50, 31, 7))
    assert [len(part) for part in parts] == [10, 10, 10, 1]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_cluster_is_drawn_whole() -> None:
    clusters = np.array([0, 1, 1, 2, 2, 2])
    weights = np.concatenate(list(resampled(6, 40, 1, clusters)))
    assert (weights[:, 1] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_the_bootstrap_of_a_mean_has_the_standard_error_of_the_textbook() -> None:
    values = np.random.default_rng(3).normal(size=400)
    found = bootstrap(mean_of(values), 400, 4000, 1)
    assert found.shape == (4000, 1)
    assert found.std() == pytest.approx(values.std() / 20, rel=0.05)  # sd / sqrt(n)
    low, high = percentile(found)
    assert low[0] == pytest.approx(values.mean() - 1.96 * values.std() / 20, abs=0.01)
    assert high[0] == pytest.approx(values.mean() + 1.96 * values.std() / 20, abs=0.01)


def test_bootstrap_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
        truth = (rng.random(n) < 0.4).astype(np.int64)
        return truth, np.where(rng.random(n) < 0.8, truth, 1 - truth)

    def statistics(truth: np.ndarray, given: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        t = metrics.tally(truth, given, 2, weights)
        return np.stack([metrics.macro(metrics.f1(t)), metrics.kappa(t)], axis=1)

    true = statistics(*sample(1_000_000), None)[0]
    hits = np.zeros(2)
    for seed in range(300):
        truth, given = sample(120)
        found = bootstrap(lambda w, t=truth, g=given: statistics(t, g, w), 120, 300, seed)  # type: ignore[misc]
        low, high = percentile(found, 0.9)
        hits += (low <= true) & (true <= high)
    # 0.9 give or take: a standard error of the count is 0.017, and percentiles fall short a little in small samples.
    assert (hits / 300 > 0.83).all()
    assert (hits / 300 < 0.95).all()


def test_copies_make_intervals_by_photographs_too_short_and_those_by_clusters_not() -> None:
    values = (np.random.default_rng(5).random(200) < 0.7).astype(float)
    four = np.repeat(values, 4)

    def width(n: int, measured: np.ndarray, clusters: np.ndarray | None = None) -> float:
        low, high = percentile(bootstrap(mean_of(measured), n, 4000, 1, clusters))
        return float(high[0] - low[0])

    honest = width(200, values)
    assert width(800, four) == pytest.approx(honest / 2, rel=0.1)  # four times the photographs, half the width
    assert width(800, four, np.repeat(np.arange(200), 4)) == pytest.approx(honest, rel=0.1)


def test_undefined_replicates_are_left_out_and_too_many_of_them_leave_no_interval() -> None:
    replicates = np.tile(np.linspace(0, 1, 101)[:, None], 3)
    replicates[:40, 1] = np.nan
    replicates[:51, 2] = np.nan
    low, high = percentile(replicates, 0.9)
    np.testing.assert_allclose(low[:2], [0.05, 0.43])
    np.testing.assert_allclose(high[:2], [0.95, 0.97])
    assert np.isnan([low[2], high[2]]).all()


def test_replicates_that_are_all_the_same_leave_no_interval() -> None:
    assert np.isnan(percentile(np.ones((100, 1)))).all()


def test_the_interval_of_a_calibration_error_holds_the_true_error() -> None:
    rng, hits = np.random.default_rng(2), {0.0: 0, 0.1: 0}
    for true in hits:
        for seed in range(150):
            prob = rng.uniform(0.6, 1, 200)
            right = rng.random(200) < prob - true  # the model promises too much by the same everywhere

            def error(w: np.ndarray, p: np.ndarray = prob, r: np.ndarray = right) -> np.ndarray:
                return metrics.calibration_error(p, r, w)[:, None]

            _, high = percentile(bootstrap(error, 200, 200, seed))
            estimate = float(error(np.ones((1, 200)))[0, 0])
            noise = metrics.calibrated_errors(prob, 200, seed)
            low, top = above_zero(estimate, float(high[0]), noise)
            assert 0 <= low <= estimate <= top
            hits[true] += low <= true <= top
    assert all(0.88 < hit / 150 <= 1 for hit in hits.values())


def test_a_distance_without_replicates_has_no_interval() -> None:
    assert np.isnan(above_zero(0.1, np.nan, np.zeros(3))).all()


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, "0.95", True, None])
def test_a_level_that_is_no_share_is_refused(level: Any) -> None:
    with pytest.raises(ArgumentInvalid, match=r"`conf_level` is .* between 0 and 1"):
        check_level(level)


@pytest.mark.parametrize("value", [-1, 1.5, "9", True, None])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentInvalid, match=r"`seed` is .* whole number"):
        check_whole("seed", value)


def test_whole_numbers_are_taken_however_they_are_kept() -> None:
    assert [check_whole("seed", value) for value in (0, 7.0, np.int64(7))] == [0, 7, 7]
