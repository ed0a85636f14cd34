"""The four families give the estimates and robust covariances of statsmodels, and say why there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm

from imagesasdata.errors import (
    ArgumentInvalid,
    ColumnsCollinear,
    NoOverdispersion,
    OutcomeInvalid,
    SeparationFound,
)
from imagesasdata.regression.families import family_of
from imagesasdata.regression.sandwich import covariance, small_sample
from imagesasdata.regression.solve import check_columns, collinear, solve

Floats = npt.NDArray[np.float64]
NAMES = ("const", "a", "b")
FAMILIES = ("gaussian", "binomial", "poisson", "negbin")


def drawn(family: str, n: int = 600, seed: int = 1) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Return outcome, covariates and clusters."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n)])
    eta = x @ [0.3, 0.5, -0.4]
    if family == "gaussian":
        y = eta + rng.normal(size=n) * (1 + x[:, 2])
    elif family == "binomial":
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    elif family == "poisson":
        y = rng.poisson(np.exp(eta)).astype(float)
    else:
        y = rng.poisson(np.exp(eta) * rng.gamma(2, 1 / 2, n)).astype(float)
    return y, x, rng.integers(0, 40, n)


def reference(family: str, y: Floats, x: Floats, **how: Any) -> Any:
    """Return what statsmodels finds."""
    if family == "gaussian":
        return sm.OLS(y, x).fit(**how)
    if family == "negbin":
        poisson = sm.Poisson(y, x).fit(disp=False)
        start = np.append(np.asarray(poisson.params), 0.5)
        return sm.NegativeBinomial(y, x).fit(
            start_params=start, method="newton", disp=False, tol=1e-12, maxiter=200, **how
        )
    kind = sm.families.Binomial() if family == "binomial" else sm.families.Poisson()
    return sm.GLM(y, x, family=kind).fit(tol=1e-14, maxiter=100, **how)


def estimated(family: str, y: Floats, x: Floats, cluster: npt.NDArray[np.int64] | None = None) -> tuple[Floats, Floats]:
    """Return what this package finds, with the covariance as the papers have it."""
    model, ones = family_of(family), np.ones(len(y))
    theta = solve(model, y, x, ones, NAMES)
    return theta, covariance(np.linalg.inv(model.information(theta, y, x, ones)), model.scores(theta, y, x), cluster)


@pytest.mark.parametrize("family", FAMILIES)
def test_estimates_and_robust_covariances_are_those_of_statsmodels(family: str) -> None:
    y, x, cluster = drawn(family)
    theta, plain = estimated(family, y, x)
    found = reference(family, y, x, cov_type="HC0")
    np.testing.assert_allclose(theta, found.params, atol=1e-6)
    np.testing.assert_allclose(plain, found.cov_params(), atol=1e-6)
    _, summed = estimated(family, y, x, cluster)
    by_cluster = reference(family, y, x, cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    np.testing.assert_allclose(summed, by_cluster.cov_params(), atol=1e-6)


@pytest.mark.parametrize("family", ("gaussian", "binomial", "poisson"))
def test_small_sample_corrections_are_those_of_statsmodels(family: str) -> None:
    y, x, cluster = drawn(family)
    if family == "gaussian":  # statsmodels' other models take HC1 to be HC0
        _, plain = estimated(family, y, x)
        hc1 = reference(family, y, x, cov_type="HC1").cov_params()
        np.testing.assert_allclose(plain * small_sample(len(y), 3), hc1, atol=1e-6)
    _, summed = estimated(family, y, x, cluster)
    corrected = reference(family, y, x, cov_type="cluster", cov_kwds={"groups": cluster}).cov_params()
    np.testing.assert_allclose(summed * small_sample(len(y), 3, 40), corrected, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_count_as_so_many_equal_rows(family: str) -> None:
    y, x, _ = drawn(family, 200)
    times = np.random.default_rng(3).integers(1, 4, 200)
    once = solve(family_of(family), y, x, times.astype(float), NAMES)
    again = solve(family_of(family), np.repeat(y, times), np.repeat(x, times, axis=0), np.ones(times.sum()), NAMES)
    np.testing.assert_allclose(once, again, atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_information_is_minus_the_derivative_of_the_scores(family: str) -> None:
    y, x, _ = drawn(family, 50)
    model, weights = family_of(family), np.random.default_rng(2).normal(size=50)
    theta = np.array([0.2, 0.3, -0.1, 0.7][: 3 + len(model.extra)])
    np.testing.assert_allclose(model.equations(theta, y, x, weights), weights @ model.scores(theta, y, x), atol=1e-10)
    for j in range(len(theta)):
        step = np.zeros(len(theta))
        step[j] = 1e-6
        up, down = (model.equations(theta + sign * step, y, x, weights) for sign in (1, -1))
        np.testing.assert_allclose(model.information(theta, y, x, weights)[:, j], -(up - down) / 2e-6, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_units_of_a_covariate_change_nothing_but_its_coefficient(family: str) -> None:
    y, x, _ = drawn(family)
    large = x * [1, 1e6, 1e-4]
    here = solve(family_of(family), y, x, np.ones(len(y)), NAMES)
    there = solve(family_of(family), y, large, np.ones(len(y)), NAMES)
    np.testing.assert_allclose(there[:3] * [1, 1e6, 1e-4], here[:3], rtol=1e-8)


def test_collinear_columns_are_named() -> None:
    x = np.column_stack([np.ones(9), np.arange(9), 2 - 3 * np.arange(9), np.zeros(9)])
    assert collinear(x) == [2, 3]
    with pytest.raises(ColumnsCollinear, match="twice, empty"):
        check_columns(x, ["const", "one", "twice", "empty"])


@pytest.mark.parametrize("family", ("binomial", "poisson"))
def test_a_covariate_that_tells_the_outcome_is_named(family: str) -> None:
    y, x, _ = drawn("binomial", 100)
    y = np.where(x[:, 2] == 1, 0.0, y)
    with pytest.raises(SeparationFound, match="of b has no finite value"):
        solve(family_of(family), y, x, np.ones(100), NAMES)


def test_counts_without_overdispersion_have_no_negative_binomial() -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(500), rng.normal(size=500)])
    with pytest.raises(NoOverdispersion, match="poisson"):
        solve(family_of("negbin"), rng.binomial(4, 0.5, 500).astype(float), x, np.ones(500), NAMES[:2])


@pytest.mark.parametrize(
    ("family", "y"),
    [
        ("binomial", [0.0, 1, 2]),
        ("poisson", [1.0, -1]),
        ("negbin", [1.0, -1]),
        ("binomial", [1.0, 1]),
        ("negbin", [2.0, 2]),
    ],
)
def test_an_outcome_of_another_kind_is_refused(family: str, y: list[float]) -> None:
    with pytest.raises(OutcomeInvalid):
        family_of(family).check(np.array(y))


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ArgumentInvalid, match="gaussian"):
        family_of("normal")
