"""Design-based supervised learning: an estimate from predictions, corrected by the rows that were labelled by hand.

The score of a row, ``psi``, is known with the predictions for all rows and with the labels for some. Row ``i`` was
labelled (``R = 1``) with the known probability ``pi``. Then

    m_i = psi(predicted_i) + (R_i / pi_i) (psi(labelled_i) - psi(predicted_i))

has the expectation of ``psi(labelled_i)`` however wrong the predictions are, and the parameters at which the sum of all
``m_i`` is 0 are consistent (Egami, Hinck, Stewart and Wei 2023 for linear and logistic models;
Egami, Hinck, Stewart and Wei 2024 for moments in general). Their covariance is the sandwich of ``m_i``. As ``m_i`` is
linear in ``psi``, its sum is one of weighted scores: all rows with the weight ``1 - R / pi``, and the labelled rows
once more with ``R / pi``.

Each of several random splits into folds gives an estimate. They are combined by their median, and the covariance of
each is enlarged by its distance from it (Chernozhukov et al. 2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..errors import TooFewLabels
from .families import Family
from .sandwich import Codes, Floats, covariance
from .solve import COLLINEAR, check_columns, solve

Flags = npt.NDArray[np.bool_]
Design = tuple[Floats, Floats]  # outcome ``[n]`` and covariates ``[n, k]``


@dataclass(frozen=True)
class Sample:
    """Which rows were labelled, with which probability, and how rows belong together.

    Attributes
    ----------
    labelled : numpy.ndarray
        ``[n]``.
    prob : numpy.ndarray
        ``[n]``: the probability of being labelled, above 0, up to 1. Where a row was not labelled it is not used.
    weights : numpy.ndarray
        ``[n]``: the weight of each row in the model.
    cluster, absorb : numpy.ndarray, optional
        ``[n]``, from 0 without gaps: clusters, and groups that have each an intercept (linear models only).
    """

    labelled: Flags
    prob: Floats
    weights: Floats
    cluster: Codes | None = None
    absorb: Codes | None = None

    @property
    def rows(self) -> Codes:
        """The rows that were labelled."""
        return np.flatnonzero(self.labelled)

    def label_weights(self) -> Floats:
        """Return ``[labelled rows]``: how many rows each of them stands for."""
        return np.asarray(self.weights[self.rows] / self.prob[self.rows], float)


@dataclass(frozen=True)
class Estimate:
    """Parameters and their covariance, without a correction for small samples.

    Attributes
    ----------
    theta, cov : numpy.ndarray
        ``[p]`` and ``[p, p]``.
    from_labels : numpy.ndarray
        ``[p, p]``: the part of the covariance that halves where twice as many rows are labelled. The rows to be
        labelled are drawn with ``pi``, and what a row adds then has the variance ``(1 / pi - 1) d d'``, ``d`` its two
        scores' difference: linear in ``1 / pi``, so ``1 / pi d d'`` is all that changes with the number of labels.
    """

    theta: Floats
    cov: Floats
    from_labels: Floats


@dataclass(frozen=True)
class Stacked:
    """Rows of scores to be summed with their weights; a row of the data may be in it several times.

    Attributes
    ----------
    y, x : numpy.ndarray
        ``[r]`` and ``[r, k]``.
    weights : numpy.ndarray
        ``[r]``; they may be below 0.
    row : numpy.ndarray
        ``[r]``: which row of the data it is.
    drawn : numpy.ndarray
        ``[r]``: the part of its weight that it has because the row was drawn to be labelled.
    """

    y: Floats
    x: Floats
    weights: Floats
    row: Codes
    drawn: Floats

    def demeaned(self, group: Codes) -> Stacked:
        """Return outcome and covariates less their weighted means by group: as if each group had an intercept.

        Exact also for weights below 0 (Frisch and Waugh 1933, Lovell 1963).
        """
        code = group[self.row]
        total = np.bincount(code, self.weights)
        total = np.where(total == 0, 1.0, total)

        def less(column: Floats) -> Floats:
            rest = np.asarray(column - (np.bincount(code, self.weights * column) / total)[code], float)
            # What is the same in each group leaves nothing but rounding, which must not be taken for a covariate.
            return rest if np.linalg.norm(rest) > COLLINEAR * np.linalg.norm(column) else np.zeros_like(rest)

        columns = [less(self.x[:, j]) for j in range(self.x.shape[1])]
        return replace(self, y=less(self.y), x=np.column_stack(columns))


def stack(labels: Design, predicted: Design, sample: Sample) -> Stacked:
    """Put the rows with predictions and the rows with labels in one, with the weights that correct.

    Parameters
    ----------
    labels : tuple
        Outcome and covariates of the labelled rows.
    predicted : tuple
        Outcome and covariates of all rows, with what was predicted in place of the labels.
    sample : Sample
        Which rows these are. Where it has groups to absorb, what comes back is less the means of these.
    """
    rows, w = sample.rows, sample.label_weights()
    minus = np.zeros(len(sample.labelled))
    minus[rows] = -w
    rest = sample.weights + minus
    # Where all were labelled for sure, the predictions have no part in it.
    keep = np.arange(len(rest)) if rest.any() else np.empty(0, np.int64)
    stacked = Stacked(
        np.concatenate([predicted[0][keep], labels[0]]),
        np.vstack([predicted[1][keep], labels[1]]),
        np.concatenate([rest[keep], w]),
        np.concatenate([keep, rows]),
        np.concatenate([minus[keep], w]),
    )
    if sample.absorb is None:
        return stacked
    stacked = stacked.demeaned(sample.absorb)
    return _without_noise_of_means(stacked, sample, sample.absorb) if len(keep) else stacked


def _without_noise_of_means(stacked: Stacked, sample: Sample, absorb: Codes) -> Stacked:
    """Take out what the noise of the groups' means adds to the scores.

    The mean of a group is known from its labelled rows up to chance, and that chance is in the covariates and in the
    outcome at once: their products would be off by it, the more so the fewer labels a group has. A product of two means
    is one over all pairs of rows. Those of two different rows are right on average, as rows are drawn independently;
    that of a row with itself is not, and here its right value takes its place: a row of weight ``w`` in a group of
    weight ``W`` counts ``1 - w / W``, and once more, as corrected, ``w / W``.
    """
    inside = sample.weights / np.bincount(absorb, sample.weights)[absorb]
    n, rows = len(inside), sample.rows
    own = stacked.weights / sample.weights[stacked.row]
    both = _by_row(np.column_stack([stacked.y, stacked.x]) * own[:, None], stacked.row, n)[rows]
    less = np.where(sample.labelled, 1 - inside, 1.0)[stacked.row]
    again = sample.weights[rows] * inside[rows]
    return Stacked(
        np.concatenate([stacked.y, both[:, 0]]),
        np.vstack([stacked.x, both[:, 1:]]),
        np.concatenate([stacked.weights * less, again]),
        np.concatenate([stacked.row, rows]),
        np.concatenate([stacked.drawn * less, np.zeros(len(rows))]),
    )


def estimate(
    family: Family,
    stacked: Stacked,
    names: Sequence[str],
    n: int,
    cluster: Codes | None = None,
    start: Floats | None = None,
) -> Estimate:
    """Solve for the parameters and find their covariance.

    Parameters
    ----------
    family : Family
        Whose scores.
    stacked : Stacked
        Rows of scores.
    names : list of str
        Of the covariates.
    n : int
        Rows of the data.
    cluster : numpy.ndarray, optional
        As in `Sample`.
    start : numpy.ndarray, optional
        Parameters to start from.
    """
    y, x, w = stacked.y, stacked.x, stacked.weights
    theta = solve(family, y, x, w, names, start)
    scores = family.scores(theta, y, x)
    inverse = np.asarray(np.linalg.inv(family.information(theta, y, x, w)), float)
    cov = covariance(inverse, _by_row(scores * w[:, None], stacked.row, n), cluster)
    # Rows are drawn one by one, whatever clusters they are in.
    some = np.flatnonzero(stacked.drawn)
    rows, code = np.unique(stacked.row[some], return_inverse=True)
    added = _by_row(scores[some] * stacked.drawn[some, None], code, len(rows))
    return Estimate(theta, cov, covariance(inverse, added))


def _by_row(scores: Floats, row: Codes, n: int) -> Floats:
    return np.column_stack([np.bincount(row, scores[:, j], minlength=n) for j in range(scores.shape[1])])


def ordinary(
    family: Family, design: Design, sample: Sample, rows: Codes, weights: Floats, names: Sequence[str]
) -> Estimate:
    """Return the ordinary estimate from some rows with the weight of each, and robust standard errors."""
    stacked = Stacked(*design, weights, rows, weights)
    if sample.absorb is not None:
        stacked = stacked.demeaned(sample.absorb)
        groups = len(np.unique(sample.absorb[rows]))
        if len(rows) <= groups + len(names):
            raise TooFewLabels(
                f"{len(rows):,} row(s) are in {groups:,} groups of `absorb`; with an intercept for each, nothing is "
                f"left for {len(names)} coefficient(s). Label more rows, or use larger groups."
            )
    check_columns(stacked.x, names)
    return estimate(family, stacked, names, len(sample.labelled), sample.cluster)


def labels_only(family: Family, labels: Design, sample: Sample, names: Sequence[str]) -> Estimate:
    """Return the estimate from the labelled rows alone, each with the inverse of its probability as its weight."""
    return ordinary(family, labels, sample, sample.rows, sample.label_weights(), names)


def corrected(
    family: Family,
    labels: Design,
    predicted: Iterable[Design],
    sample: Sample,
    names: Sequence[str],
    start: Floats | None = None,
) -> Estimate:
    """Return the corrected estimate, combined over splits.

    Parameters
    ----------
    family : Family
        Whose scores.
    labels : tuple
        Outcome and covariates of the labelled rows.
    predicted : iterable of tuple
        For each split, outcome and covariates of all rows with the expected labels of `cross_fit`.
    sample : Sample
        Which rows were labelled.
    names : list of str
        Of the covariates.
    start : numpy.ndarray, optional
        Parameters to start from.

    Raises
    ------
    ColumnsCollinear, SeparationFound, NoOverdispersion, NotConverged
        There is no estimate.
    """
    splits: list[Estimate] = []
    for design in predicted:
        stacked = stack(labels, design, sample)
        if not splits:
            check_columns(stacked.x, names)
        splits.append(estimate(family, stacked, names, len(sample.labelled), sample.cluster, start))
        start = splits[-1].theta
    return combine(splits)


def combine(splits: Sequence[Estimate]) -> Estimate:
    """Return the median of the estimates of several splits, with the covariance enlarged by their distance from it."""
    thetas = np.stack([split.theta for split in splits])
    theta = np.median(thetas, axis=0)
    away = thetas - theta
    cov = np.median(np.stack([split.cov for split in splits]) + away[:, :, None] * away[:, None, :], axis=0)
    part = np.median(np.stack([split.from_labels for split in splits]), axis=0)
    return Estimate(theta, _positive(cov), part)


def _positive(cov: Floats) -> Floats:
    """Return the nearest covariance with the same variances: a median of covariances may be none."""
    cov = (cov + cov.T) / 2
    size = np.sqrt(np.diag(cov))
    unit = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(cov / np.outer(unit, unit))
    if values.min() >= 0:
        return cov
    mended = (vectors * np.clip(values, 0, None)) @ vectors.T
    scale = np.sqrt(np.clip(np.diag(mended), 1e-300, None))
    return np.asarray(mended * np.outer(unit / scale, unit / scale), float)
