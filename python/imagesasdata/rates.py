"""Rates of errors as shares of photographs or means over them, and whether groups have the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import chi2 as chi_squared
from scipy.stats import chi2_contingency, fisher_exact
from scipy.stats import t as t_distribution

from .compared import Attributes, Classes, Compared, Scores
from .intervals import newcombe
from .metrics import Codes, Flags, Floats

DRAWS = 20_000  # of the Monte Carlo test
EXPECTED = 5  # photographs that each cell should have for the chi-squared test (Cochran 1954)
NO_TEST: dict[str, Any] = {"test": None, "statistic": np.nan, "df": np.nan, "p_value": np.nan}


@dataclass(frozen=True)
class Rate:
    """One figure of each of n photographs; its mean over those that it is about is the rate.

    Attributes
    ----------
    metric : str
        What it is called.
    about : str or None
        The class, attribute or score; None for all.
    values : numpy.ndarray
        ``[n]``.
    rows : numpy.ndarray
        ``[n]``: which photographs it is about.
    is_share : bool
        Whether each value is 0 or 1.
    """

    metric: str
    about: str | None
    values: Floats
    rows: Flags
    is_share: bool = True


def rates_of(compared: Compared, about: Sequence[str]) -> Iterator[Rate]:
    """Yield the rates of rows that have both truth and prediction, of some classes, attributes or scores."""
    if isinstance(compared, Classes):
        everything = np.ones(len(compared), bool)
        yield Rate("accuracy", None, (compared.truth == compared.given).astype(float), everything)
        for name in about:
            code = compared.names.index(name)
            prob = None if compared.probs is None or code >= compared.known else compared.probs[:, code]
            yield from _yes_or_no(name, compared.truth == code, compared.given == code, prob, everything)
    elif isinstance(compared, Attributes):
        for name in about:
            i = compared.names.index(name)
            rows = ~np.isnan(compared.truth[:, i]) & ~np.isnan(compared.given[:, i])
            truth, given = compared.truth[:, i] == 1, compared.given[:, i] == 1
            yield Rate("accuracy", name, (truth == given).astype(float), rows)
            prob = None if compared.probs is None else compared.probs[:, i]
            yield from _yes_or_no(name, truth, given, prob, rows)
    elif isinstance(compared, Scores):
        for name in about:
            i = compared.names.index(name)
            error = compared.given[:, i] - compared.truth[:, i]
            rows = ~np.isnan(error)
            yield Rate("mean_error", name, np.nan_to_num(error), rows, False)
            yield Rate("mae", name, np.abs(np.nan_to_num(error)), rows, False)


def _yes_or_no(name: str, truth: Flags, given: Flags, prob: Floats | None, rows: Flags) -> Iterator[Rate]:
    yield Rate("false_positive_rate", name, given.astype(float), rows & ~truth)
    yield Rate("false_negative_rate", name, (~given).astype(float), rows & truth)
    yield Rate("precision", name, truth.astype(float), rows & given)
    yield Rate("share_error", name, given.astype(float) - truth, rows, False)
    if prob is not None:
        yield Rate("calibration_in_the_large", name, np.where(rows, prob, 0) - truth, rows, False)


@dataclass(frozen=True)
class Grouped:
    """A rate in each of k groups, with how exactly it is known.

    Attributes
    ----------
    estimate, total, n : numpy.ndarray
        ``[k]``: the rate, the sum of its values, and on how many photographs it rests.
    is_share : bool
        Whether each value is 0 or 1.
    units : numpy.ndarray
        ``[k]``: photographs or clusters that are independent.
    covariance, of_equals : numpy.ndarray or None
        ``[k, k]``: of the estimates, by linearization over clusters, and the same if all groups had one rate; None
        where photographs are independent and values 0 or 1, so that the counts say all.
    """

    estimate: Floats
    total: Floats
    n: Codes
    is_share: bool
    units: Codes
    covariance: Floats | None = None
    of_equals: Floats | None = None

    def design_effect(self) -> float:
        """Return by how much clusters make the variance of differences between shares greater, at least 1.

        The mean over groups, weighted by their size (Rao and Scott 1981, first-order correction): of a small group
        alone little is known, and where none of it is wrong nothing.
        """
        if self.covariance is None:
            return 1.0
        there = self.n > 0
        n, share = self.n[there], self.estimate[there]
        by_chance = np.diag(n * share * (1 - share))
        by_cluster = np.nan_to_num(self.covariance[np.ix_(there, there)]) * np.outer(n, n)
        # Of one group there is no difference, and the effect is that on its own share (Kish 1965).
        away = np.eye(len(n)) - (np.outer(n, np.ones(len(n))) / n.sum() if len(n) > 1 else 0)
        chance, cluster = (float(np.trace(away @ of_totals @ away.T)) for of_totals in (by_chance, by_cluster))
        return max(1.0, cluster / chance) if chance > 0 else 1.0


def grouped(rate: Rate, groups: Codes, k: int, clusters: Codes | None = None) -> Grouped:
    """Return a rate by group.

    Parameters
    ----------
    rate : Rate
        Of n photographs.
    groups : numpy.ndarray
        ``[n]``: from 0 to k - 1; -1 for none.
    k : int
        Groups.
    clusters : numpy.ndarray, optional
        ``[n]``: photographs with equal values are no independent evidence.
    """
    rows = np.flatnonzero(rate.rows & (groups >= 0))
    group, value = groups[rows], rate.values[rows]
    n = np.bincount(group, minlength=k).astype(np.int64)
    total = np.bincount(group, value, k).astype(np.float64)
    estimate = np.divide(total, n, out=np.full(k, np.nan), where=n > 0)
    if rate.is_share and clusters is None:
        return Grouped(estimate, total, n, True, n)
    unit = np.unique(rows if clusters is None else clusters[rows], return_inverse=True)[1].astype(np.int64)
    units = np.bincount(np.unique(unit * k + group) % k, minlength=k).astype(np.int64)
    with np.errstate(divide="ignore"):
        few = np.where(units > 1, units / (units - 1), np.nan)
    of_group = _linearized((value - estimate[group]) / n[group], unit, group, k) * np.sqrt(np.outer(few, few))
    of_equals = _linearized((value - value.mean()) / n[group], unit, group, k) if len(rows) else of_group
    return Grouped(estimate, total, n, rate.is_share, units, of_group, of_equals)


def _linearized(moves: Floats, unit: Codes, group: Codes, k: int) -> Floats:
    """Return the covariance of rates, from how much each photograph moves its group's (Särndal et al. 1992, 5.6)."""
    influence = csr_array((moves, (unit, group)), shape=(int(unit.max(initial=-1)) + 1, k))
    return np.asarray((influence.T @ influence).todense())


def differences(found: Grouped, first: Codes, second: Codes, conf_level: float) -> tuple[Floats, Floats, Floats]:
    """Return the differences between groups, the lower and the upper limits, for pairs of groups."""
    estimate = found.estimate[first] - found.estimate[second]
    if found.is_share:
        effect = found.design_effect()
        total, n = found.total / effect, found.n / effect
        return estimate, *newcombe(total[first], n[first], total[second], n[second], conf_level)
    assert found.covariance is not None
    variance = np.diag(found.covariance)
    # Where nothing varies, as where all photographs of a group are right, nothing is known of how much it could.
    variance = np.where(variance > 1e-18, variance, np.nan)
    error = np.sqrt(variance[first] + variance[second] - 2 * found.covariance[first, second])
    df = np.maximum(np.minimum(found.units[first], found.units[second]) - 1, 1)
    half = error * t_distribution.ppf(0.5 + conf_level / 2, df)
    return estimate, estimate - half, estimate + half


def compare_pairs(found: Grouped, first: Codes, second: Codes) -> Floats:
    """Return the p value of each pair of groups having the same rate."""
    return np.array([_compare(found, np.array(pair), 0)["p_value"] for pair in zip(first, second, strict=True)], float)


def compare_all(found: Grouped, seed: int) -> dict[str, Any]:
    """Test whether all groups have the same rate; groups without photographs have none.

    Returns
    -------
    dict
        ``test`` (``"chi-squared"``, ``"Fisher"``, ``"Monte Carlo"``, ``"score"``, or None where there is none),
        ``statistic``, ``df`` and ``p_value``, NaN where there is none.
    """
    return _compare(found, np.flatnonzero(found.n > 0), seed)


def _compare(found: Grouped, which: Codes, seed: int) -> dict[str, Any]:
    if len(which) < 2 or not found.n[which].all():
        return dict(NO_TEST)
    return _same_share(found, which, seed) if found.is_share else _same_mean(found, which)


def _same_share(found: Grouped, which: Codes, seed: int) -> dict[str, Any]:
    """Compare counts, in clusters those of as many independent photographs as say the same (Rao and Scott 1992)."""
    effect = found.design_effect()
    total, n = found.total[which] / effect, found.n[which] / effect
    expected = np.array([share * n for share in (total.sum() / n.sum(), 1 - total.sum() / n.sum())])
    if expected.min() >= EXPECTED:
        statistic, p_value, *_ = chi2_contingency([total, n - total], correction=False)
        return {"test": "chi-squared", "statistic": statistic, "df": len(n) - 1, "p_value": p_value}
    right, of = total.round().astype(np.int64), np.maximum(n.round().astype(np.int64), 1)
    right = np.minimum(right, of)
    if len(n) == 2:
        return {**NO_TEST, "test": "Fisher", "p_value": fisher_exact([right, of - right])[1]}
    expected = np.array([of * right.sum(), of * (of - right).sum()]) / of.sum()
    if not expected.all():  # all photographs are right, or all are wrong
        return {**NO_TEST, "test": "Monte Carlo", "statistic": 0.0, "p_value": 1.0}
    # Given how many are wrong in all, and that groups do not matter, the wrong ones fall into groups by chance.
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(of, right.sum(), DRAWS, method="marginals")
    chance, seen = (
        ((one - expected[0]) ** 2 / (expected[0] * expected[1] / of)).sum(axis=-1) for one in (drawn, right)
    )
    p_value = (1 + (chance >= seen * (1 - 1e-12)).sum()) / (1 + DRAWS)
    return {**NO_TEST, "test": "Monte Carlo", "statistic": seen, "p_value": p_value}


def _same_mean(found: Grouped, which: Codes) -> dict[str, Any]:
    """The generalized score test (Boos 1992), which needs no equal variances."""
    df, units = len(which) - 1, int(found.units[which].max())
    if units < 2 or found.of_equals is None:
        return dict(NO_TEST)
    contrast = np.eye(len(which))[1:] - np.eye(len(which))[0]
    difference = contrast @ found.estimate[which]
    covariance = contrast @ found.of_equals[np.ix_(which, which)] @ contrast.T * units / (units - 1)
    if np.isnan(covariance).any() or np.linalg.matrix_rank(covariance, hermitian=True) < df:
        return dict(NO_TEST)
    statistic = difference @ np.linalg.solve(covariance, difference)
    return {"test": "score", "statistic": statistic, "df": df, "p_value": chi_squared.sf(statistic, df)}
