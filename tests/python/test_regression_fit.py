"""A model from arrays: three estimates side by side, what is refused, and what the user is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm

from imagesasdata.errors import ArgumentInvalid, OutcomeInvalid, ProbabilityInvalid, TooFewLabels
from imagesasdata.regression.crossfit import Variable
from imagesasdata.regression.dsl import Design
from imagesasdata.regression.fit import regress_arrays
from imagesasdata.regression.result import Regression

Floats = npt.NDArray[np.float64]
NAMES = ("const", "d", "z")


def case(n: int = 1500, m: int = 300, seed: int = 1, accuracy: float = 0.85, **options: Any) -> Regression:
    """Fit a linear model with a predicted covariate ``d`` whose true coefficient is 1; errors depend on ``z``."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    d = (rng.random(n) < 0.4).astype(float)
    y = 0.5 + d - 0.4 * z + rng.normal(size=n)
    right = rng.random(n) < np.clip(accuracy + 0.1 * np.sign(z), 0, 1)
    labelled = rng.permutation(n) < m
    variable = Variable("d", np.where(labelled, d, np.nan), np.where(right, d, 1 - d))

    def design(values: Mapping[str, npt.NDArray[Any]]) -> Design:
        return y, np.column_stack([np.ones(n), values["d"].astype(float), z])

    return regress_arrays(design, NAMES, [variable], np.column_stack([y, z]), **{"repeats": 2, **options})


def test_naive_is_biased_and_corrected_is_not() -> None:
    found = [case(seed=seed) for seed in range(30)]
    naive = np.mean([one.estimate_of("naive")[0][1] for one in found])  # type: ignore[index]
    corrected = np.array([one.params["d"] for one in found])
    assert naive < 0.85
    assert abs(corrected.mean() - 1) < 3 * corrected.std() / np.sqrt(30)
    covered = np.mean([one.conf_int().loc["d", "conf_low"] < 1 < one.conf_int().loc["d", "conf_high"] for one in found])
    assert covered >= 0.8  # 24 of 30 or more, with probability 0.9994 at 95 percent
    assert not any(
        abs(one.estimate_of("naive")[0][1] - 1) < 1.96 * np.sqrt(one.estimate_of("naive")[1][1, 1])  # type: ignore[index]
        for one in found[:10]
    )
    width = [np.sqrt(one.estimate_of("labels")[1][1, 1]) for one in found]  # type: ignore[index]
    assert np.mean([one.bse["d"] for one in found]) < np.mean(width)


def test_all_rows_labelled_give_what_statsmodels_gives() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(200), rng.integers(0, 2, 200), rng.normal(size=200)])
    y = x @ [1.0, 2, 3] + rng.normal(size=200)
    variable = Variable("d", x[:, 1], 1 - x[:, 1])
    cluster = rng.integers(0, 20, 200)

    def design(values: Mapping[str, npt.NDArray[Any]]) -> Design:
        return y, np.column_stack([x[:, 0], values["d"], x[:, 2]])

    for by in (None, cluster):
        found = regress_arrays(design, NAMES, [variable], x[:, 2:], cluster=by)
        how: dict[str, Any] = {"cov_type": "HC1"} if by is None else {"cov_type": "cluster", "cov_kwds": {"groups": by}}
        other = sm.OLS(y, x).fit(**how)
        np.testing.assert_allclose(found.params, other.params, atol=1e-6)
        np.testing.assert_allclose(found.cov_params(), other.cov_params(), atol=1e-6)


def test_a_predicted_category_is_expected_over_its_levels() -> None:
    rng = np.random.default_rng(2)
    n, levels = 1200, ("flag", "police", "none")
    truth = rng.integers(0, 3, n)
    y = np.array([0.0, 1, 2])[truth] + rng.normal(size=n)
    seen = np.where(rng.random(n) < 0.8, truth, rng.integers(0, 3, n))
    labels = np.where(rng.permutation(n) < 300, truth, np.nan)
    variable = Variable("what", labels, np.eye(3)[seen], levels)

    def design(values: Mapping[str, npt.NDArray[Any]]) -> Design:
        return y, np.column_stack([np.ones(n), values["what"] == "police", values["what"] == "none"]).astype(float)

    found = regress_arrays(design, ("const", "police", "none"), [variable], y[:, None], repeats=2)
    assert (np.abs(found.params - [0, 1, 2]) < 3 * found.bse).all()
    assert found.accuracy["estimate"][0] == pytest.approx(np.mean((seen == truth)[~np.isnan(labels)]))


def test_the_table_and_the_summary_have_the_three_estimates() -> None:
    found = case()
    rows = found.tables["estimates"].to_pylist()
    assert [row["term"] for row in rows] == list(NAMES)
    assert rows[1]["corrected_estimate"] == found.params["d"]
    assert rows[1]["corrected_conf_high"] == pytest.approx(found.conf_int().loc["d", "conf_high"])
    assert "hand labels" in found.summary() and "300 labelled" in found.summary()


@pytest.mark.parametrize("bad", (0.0, 1.5, np.nan))
def test_a_probability_that_cannot_be_is_refused(bad: float) -> None:
    with pytest.raises(ProbabilityInvalid, match="above 0 and at most 1"):
        case(prob=np.full(1500, bad))


def test_what_the_user_should_know_is_a_note() -> None:
    notes = " ".join(case(m=25).notes)
    assert "simple random sample" in notes and "25 rows are labelled for 3 coefficients" in notes
    assert "out-of-fold" in " ".join(case(accuracy=2.0).notes)
    assert "have one row" in " ".join(case(cluster=np.arange(1500)).notes)
    assert not case(prob=np.full(1500, 0.2)).notes


def test_a_predicted_covariate_is_not_for_ppi() -> None:
    with pytest.raises(ArgumentInvalid, match='method="dsl"'):
        case(method="ppi")


def test_no_labels_and_an_outcome_of_another_kind_are_refused() -> None:
    with pytest.raises(TooFewLabels):
        case(m=0)
    with pytest.raises(OutcomeInvalid):
        case(family="binomial")


def test_a_seed_gives_the_same() -> None:
    assert (case().params == case().params).all()
    assert (case().params != case(repeats=3).params).any()
