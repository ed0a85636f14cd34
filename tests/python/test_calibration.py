"""One temperature makes probabilities keep what they promise, and changes no label."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from imagesasdata.calibration import fit_temperature
from imagesasdata.errors import ArgumentInvalid

Sample = tuple[np.ndarray, np.ndarray]


def classes(n: int, temperature: float, seed: int = 1, k: int = 4) -> Sample:
    """Logits of a model that is too sure by a factor, and outcomes drawn with the right probabilities."""
    rng = np.random.default_rng(seed)
    right = rng.normal(scale=2, size=(n, k))
    drawn = (softmax(right, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return right * temperature, np.eye(k)[drawn]


def attributes(n: int, temperature: float, seed: int = 1) -> Sample:
    rng = np.random.default_rng(seed)
    right = rng.normal(scale=2, size=(n, 3))
    return right * temperature, (rng.random((n, 3)) < expit(right)).astype(float)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_the_temperature_by_which_a_model_is_too_sure_is_found(temperature: float) -> None:
    assert fit_temperature(*classes(20_000, temperature), "single") == pytest.approx(temperature, rel=0.03)
    assert fit_temperature(*attributes(20_000, temperature), "multi") == pytest.approx(temperature, rel=0.03)


def test_it_is_where_the_log_loss_is_least_on_a_fine_grid() -> None:
    logits, values = classes(300, 2.0)
    grid = np.geomspace(0.1, 10, 4001)
    losses = [-(values * log_softmax(logits / t, axis=1)).sum() for t in grid]
    assert fit_temperature(logits, values, "single") == pytest.approx(grid[int(np.argmin(losses))], rel=2e-3)


def test_shares_of_coders_count_as_shares() -> None:
    # Of ten coders seven say yes, so the odds are 7 : 3 whatever the size of the logit.
    found = fit_temperature(np.array([[3.0, 0.0]]), np.array([[0.7, 0.3]]), "single")
    assert found == pytest.approx(3 / np.log(7 / 3), rel=1e-4)


@pytest.mark.parametrize(("task", "sample"), [("single", classes(200, 2.0)), ("multi", attributes(200, 2.0))])
def test_weights_are_repeated_rows(task: str, sample: Sample) -> None:
    logits, values = sample
    times = np.random.default_rng(2).integers(0, 4, 200)
    found = fit_temperature(logits, values, task, times.astype(float))
    repeated = fit_temperature(np.repeat(logits, times, axis=0), np.repeat(values, times, axis=0), task)
    assert found == pytest.approx(repeated, rel=1e-4)


@pytest.mark.parametrize(("task", "sample"), [("single", classes(200, 2.0)), ("multi", attributes(200, 2.0))])
def test_what_is_not_known_is_left_out(task: str, sample: Sample) -> None:
    logits, values = (np.concatenate([a, a[:50]]) for a in sample)
    logits[:25], values[25:50] = np.nan, np.nan
    assert fit_temperature(logits, values, task) == pytest.approx(fit_temperature(logits[50:], values[50:], task))


def test_single_answers_of_attributes_can_be_missing() -> None:
    logits, values = attributes(500, 3.0)
    values[:400, 0] = np.nan
    kept = np.isfinite(values)
    flat = fit_temperature(logits[kept][:, None], values[kept][:, None], "multi")
    assert fit_temperature(logits, values, "multi") == pytest.approx(flat)


def test_scores_and_nothing_known_leave_everything_as_it_is() -> None:
    logits, values = classes(10, 2.0)
    assert fit_temperature(logits, values, "score") == 1.0
    assert fit_temperature(logits, values * np.nan, "single") == 1.0
    assert fit_temperature(logits, values, "single", np.zeros(10)) == 1.0
    assert fit_temperature(np.zeros((10, 4)), values, "single") == 1.0


@pytest.mark.parametrize("task", ["single", "multi"])
def test_a_model_without_an_error_is_not_made_surer(task: str) -> None:
    values = np.eye(3)[np.arange(30) % 3]
    assert fit_temperature(4 * values - 2, values, task) == 1.0


@pytest.mark.parametrize("task", ["single", "multi"])
def test_a_model_that_is_no_better_than_chance_becomes_unsure(task: str) -> None:
    values = np.eye(2)[np.arange(40) % 2]
    assert fit_temperature(np.random.default_rng(1).permutation(5 * values), values, task) > 5


def test_huge_logits_do_not_overflow() -> None:
    logits, values = classes(100, 1.0)
    assert np.isfinite(fit_temperature(1e4 * logits, values, "single"))
    assert np.isfinite(fit_temperature(1e4 * logits, values, "multi"))


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ArgumentInvalid, match="`task` is 'tags'; it must be one of \"single\""):
        fit_temperature(np.zeros((1, 2)), np.zeros((1, 2)), "tags")
