"""Prediction-powered inference gives what the authors' own program, ppi-python, gives."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm

from imagesasdata.regression import ppi
from imagesasdata.regression.families import family_of

Floats = npt.NDArray[np.float64]
NAMES = ("const", "a", "b")
HAVE = importlib.util.find_spec("ppi_py") is not None
needs_ppi = pytest.mark.skipif(not HAVE, reason="ppi-python is not installed: pip install ppi-python")


def drawn(family: str, seed: int, weighted: bool = False) -> ppi.Halves:
    """Return 150 labelled rows and 900 others."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(1050), rng.normal(size=1050), rng.integers(0, 2, 1050)]).astype(float)
    eta = x @ rng.normal(0, 0.5, 3)
    if family == "gaussian":
        y = eta + rng.normal(size=1050)
        predicted = y + rng.normal(0.2, 0.8, 1050)
    else:
        y = (rng.random(1050) < 1 / (1 + np.exp(-eta))).astype(float)
        predicted = np.where(rng.random(1050) < 0.85, y, 1 - y)
    w = rng.uniform(0.5, 2, 1050) if weighted else np.ones(1050)
    return ppi.Halves(
        x[:150], y[:150], predicted[:150], w[:150] / w[:150].mean(), x[150:], predicted[150:], w[150:] / w[150:].mean()
    )


@needs_ppi
@pytest.mark.parametrize("seed", range(5))
def test_a_mean_is_that_of_ppi_python(seed: int) -> None:
    import ppi_py

    h = drawn("gaussian", seed)
    found = ppi.mean(h.y, h.predicted, h.predicted_rest)
    theirs = ppi_py.ppi_mean_pointestimate(h.y, h.predicted, h.predicted_rest)
    np.testing.assert_allclose(found.theta, np.ravel(theirs), atol=1e-6)
    low, high = ppi_py.ppi_mean_ci(h.y, h.predicted, h.predicted_rest, alpha=0.05)
    half = norm.ppf(0.975) * np.sqrt(found.cov[0, 0])
    np.testing.assert_allclose([found.theta[0] - half, found.theta[0] + half], np.ravel([low, high]), atol=1e-6)


@needs_ppi
@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("family", ("gaussian", "binomial"))
@pytest.mark.parametrize("seed", range(3))
def test_a_regression_is_that_of_ppi_python(family: str, seed: int, weighted: bool) -> None:
    import ppi_py

    h = drawn(family, seed, weighted)
    found = ppi.regression(family_of(family), h, NAMES)
    rows = (h.x, h.y, h.predicted, h.x_rest, h.predicted_rest)
    w: dict[str, Any] = {"w": h.weights, "w_unlabeled": h.weights_rest}
    linear = family == "gaussian"
    low, high = (ppi_py.ppi_ols_ci if linear else ppi_py.ppi_logistic_ci)(*rows, alpha=0.05, **w)
    half = norm.ppf(0.975) * np.sqrt(np.diag(found.cov))
    if not linear:
        w["optimizer_options"] = {"ftol": 1e-16, "gtol": 1e-12, "maxiter": 10_000}
    np.testing.assert_allclose(found.theta - half, low, atol=1e-6)
    np.testing.assert_allclose(found.theta + half, high, atol=1e-6)
    point = ppi_py.ppi_ols_pointestimate if linear else ppi_py.ppi_logistic_pointestimate
    np.testing.assert_allclose(found.theta, point(*rows, lam=found.power, **w), atol=1e-6)
    assert 0 < found.power < 1


@pytest.mark.parametrize("family", ("gaussian", "binomial"))
def test_predictions_that_say_nothing_count_nothing(family: str) -> None:
    h = drawn(family, 1)
    rng = np.random.default_rng(2)
    useless = ppi.Halves(
        h.x, h.y, rng.permutation(h.predicted), h.weights, h.x_rest, rng.permutation(h.predicted_rest), h.weights_rest
    )
    assert (
        ppi.regression(family_of(family), useless, NAMES).power
        < 0.3
        < ppi.regression(family_of(family), h, NAMES).power
    )


def test_a_mean_of_a_constant_prediction_is_that_of_the_labels() -> None:
    found = ppi.mean(np.array([1.0, 0, 1]), np.ones(3), np.ones(5))
    assert found.power == 0
    assert found.theta[0] == pytest.approx(2 / 3)
