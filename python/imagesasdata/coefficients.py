"""Coefficients of agreement, each for many resamples at once, by the weight ``[n, R]`` of each photograph in each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .answers import class_text

CELLS = 4_000_000  # weights of resampled photographs that are in memory at once
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coded:
    """The answers of all coders about one thing.

    Attributes
    ----------
    name, scale : str
        The column, and one of `SCALES`.
    people : list of str
        The coders.
    classes : list of str
        In their order; none of a measure.
    rows : numpy.ndarray
        ``[n]``: which photographs.
    values : numpy.ndarray
        ``[n, coders]`` float64: numbers of classes, or what was measured; NaN where a coder did not answer.
    """

    name: str
    scale: str
    people: list[str]
    classes: list[str]
    rows: npt.NDArray[np.int64]
    values: Floats

    @property
    def answered(self) -> npt.NDArray[np.int64]:
        """How many coders answered, ``[n]``."""
        return np.asarray((~np.isnan(self.values)).sum(axis=1))

    @property
    def counts(self) -> Floats:
        """How many coders said each class, ``[n, classes]``."""
        return np.stack([(self.values == code).sum(axis=1) for code in range(len(self.classes))], axis=1).astype(float)

    def text(self, value: float) -> str:
        """Return an answer in words."""
        return self.classes[int(value)] if self.classes else class_text(value)


@dataclass(frozen=True)
class Pair:
    """Two coders: how many photographs both coded, and how far they agree, ``[R]`` each but for `correlation`."""

    a: int
    b: int
    n: int
    percent: Floats
    kappa: Floats
    correlation: float


def pairs_of(coded: Coded, weights: Floats) -> list[Pair]:
    found = []
    for a, b in itertools.combinations(range(len(coded.people)), 2):
        both = ~np.isnan(coded.values[:, [a, b]]).any(axis=1)
        if both.any():
            x, y, w = coded.values[both, a], coded.values[both, b], weights[both]
            with np.errstate(divide="ignore", invalid="ignore"):
                percent = (x == y) @ w / w.sum(axis=0)
                correlation = np.nan
                if coded.scale == "interval":
                    kappa = np.full(w.shape[1], np.nan)
                    if len(x) > 1:
                        correlation = float(np.corrcoef(x, y)[0, 1])
                else:
                    kappa = _kappa(x, y, w, coded.scale, len(coded.classes))
            found.append(Pair(a, b, len(x), percent, kappa, correlation))
    return found


def _kappa(x: Floats, y: Floats, w: Floats, scale: str, k: int) -> Floats:
    """Return Cohen's kappa, with quadratic weights for ordered classes: 1 less observed over expected disagreement."""
    total = w.sum(axis=0)
    if scale == "nominal":
        observed = (x != y) @ w / total
        classes = np.eye(k)
        expected = 1 - ((classes[x.astype(int)].T @ w / total) * (classes[y.astype(int)].T @ w / total)).sum(axis=0)
    else:
        observed = (x - y) ** 2 @ w / total
        expected = (x**2 @ w + y**2 @ w) / total - 2 * (x @ w / total) * (y @ w / total)
    return np.asarray(1 - observed / expected)


def _fleiss_kappa(coded: Coded, weights: Floats) -> Floats:
    counts, m = coded.counts, coded.answered
    several = m > 1
    pairs = m[several] * (m[several] - 1)
    agree = ((counts[several] ** 2).sum(axis=1) - m[several]) / pairs
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = agree @ weights[several] / weights[several].sum(axis=0)
        expected = (((counts / m[:, None]).T @ weights / weights.sum(axis=0)) ** 2).sum(axis=0)
        return np.asarray((observed - expected) / (1 - expected))


def _alpha(coded: Coded, weights: Floats) -> Floats:
    """Return Krippendorff's alpha.

    Its differences are squared distances (of indicators of classes, of ranks, of numbers), so that the sums over the
    coincidence matrix follow from sums of values and of squares.
    """
    several = coded.answered > 1
    values, m, w = coded.values[several], coded.answered[several], weights[several]
    if coded.scale == "nominal":
        return _one_less_ratio(coded.counts[several], m.astype(float), m, w)
    if coded.scale == "interval":
        values = values - np.nanmedian(values)
        return _one_less_ratio(np.nansum(values, axis=1)[:, None], np.nansum(values**2, axis=1), m, w)
    said = coded.counts[several].T @ w  # how often each class, in each resample: it decides the distances
    ranks = np.cumsum(said, axis=0) - said / 2
    codes, missing = np.nan_to_num(values).astype(int), np.isnan(values)
    found = np.empty(w.shape[1])
    for r in range(w.shape[1]):
        ranked = np.where(missing, 0, ranks[:, r][codes])
        found[r] = _one_less_ratio(ranked.sum(axis=1)[:, None], (ranked**2).sum(axis=1), m, w[:, r : r + 1])[0]
    return found


def _one_less_ratio(sums: Floats, squares: Floats, m: npt.NDArray[np.int64], w: Floats) -> Floats:
    """Return 1 less observed over expected disagreement, of sums ``[n, k]`` and sums of squares ``[n]`` of values."""
    total = m @ w
    within = ((m * squares - (sums**2).sum(axis=1)) / (m - 1)) @ w
    between = total * (squares @ w) - ((sums.T @ w) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (total - 1) * within / between)


def _icc(coded: Coded, weights: Floats) -> dict[str, Floats]:
    """Return intraclass correlations by the mean squares of photographs (r), coders (c), error (e) and within (w)."""
    complete = ~np.isnan(coded.values).any(axis=1)
    x, w, k = coded.values[complete], weights[complete], len(coded.people)
    if not len(x):
        return dict.fromkeys(("icc_1", "icc_a1", "icc_c1"), np.full(weights.shape[1], np.nan))
    x = x - np.median(x)
    n = w.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        coders = x.T @ w / n
        grand = coders.mean(axis=0)
        photographs_ = k * (x.mean(axis=1) ** 2 @ w - n * grand**2)
        coders_ = n * ((coders - grand) ** 2).sum(axis=0)
        total = (x**2).sum(axis=1) @ w - n * k * grand**2
        r, c = photographs_ / (n - 1), coders_ / (k - 1)
        e = (total - photographs_ - coders_) / ((n - 1) * (k - 1))
        within = (total - photographs_) / (n * (k - 1))
        return {
            "icc_1": (r - within) / (r + (k - 1) * within),
            "icc_a1": (r - e) / (r + (k - 1) * e + k * (c - e) / n),
            "icc_c1": (r - e) / (r + (k - 1) * e),
        }


def estimates(coded: Coded, weights: Floats) -> dict[str, Floats]:
    """Return every coefficient of a scale, ``[R]`` each."""
    alpha = {"krippendorff_alpha": _alpha(coded, weights)}
    if coded.scale == "interval":
        return alpha | _icc(coded, weights)
    pairs = pairs_of(coded, weights)
    found = {"percent_agreement": mean([pair.percent for pair in pairs])}
    kappa = mean([pair.kappa for pair in pairs])
    if coded.scale == "ordinal":
        return found | {"weighted_kappa": kappa} | alpha
    return found | {"cohen_kappa": kappa, "fleiss_kappa": _fleiss_kappa(coded, weights)} | alpha


def mean(arrays: Sequence[Floats]) -> Floats:
    """Return the mean over arrays, of the numbers that are there."""
    stacked = np.stack(arrays)
    known = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, stacked, 0).sum(axis=0) / known.sum(axis=0))


def resampled(times: npt.NDArray[np.int64], replicates: int, seed: int) -> Iterator[Floats]:
    """Yield resamples of photographs, of which `times` ``[n]`` are alike: how many of each kind, ``[n, some]``."""
    rng = np.random.default_rng(seed)
    most, total = max(1, CELLS // len(times)), int(times.sum())
    for start in range(0, replicates, most):
        drawn = rng.multinomial(total, times / total, size=min(most, replicates - start))
        yield drawn.T.astype(float, order="C")
