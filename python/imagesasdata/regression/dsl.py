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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .families import Family
from .sandwich import Codes, Floats, covariance
from .solve import check_columns, solve

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
        ``[p, p]``: the part of the covariance that halves where twice as many rows are labelled.
    """

    theta: Floats
    cov: Floats
    from_labels: Floats


@dataclass(frozen=True)
class Stacked:
    """Rows of scores to be summed with their weights; a row of the data may be in it twice."""

    y: Floats
    x: Floats
    weights: Floats
    row: Codes

    def demeaned(self, group: Codes) -> Stacked:
        """Return outcome and covariates less their weighted means by group: as if each group had an intercept.

        Exact also for weights below 0 (Frisch and Waugh 1933, Lovell 1963): the weights of a group sum to those of its
        rows.
        """
        code = group[self.row]
        total = np.bincount(code, self.weights)
        total = np.where(total == 0, 1.0, total)

        def less(column: Floats) -> Floats:
            return np.asarray(column - (np.bincount(code, self.weights * column) / total)[code], float)

        columns = [less(self.x[:, j]) for j in range(self.x.shape[1])]
        return Stacked(less(self.y), np.column_stack(columns), self.weights, self.row)


def stack(labels: Design, predicted: Design, sample: Sample) -> Stacked:
    """Put the rows with predictions and the rows with labels in one, with the weights that correct.

    Parameters
    ----------
    labels : tuple
        Outcome and covariates of the labelled rows.
    predicted : tuple
        Outcome and covariates of all rows, with what was predicted in place of the labels.
    sample : Sample
        Which rows these are.
    """
    rest = sample.weights.copy()
    rows = sample.rows
    rest[rows] *= 1 - 1 / sample.prob[rows]
    # Where all were labelled for sure, the predictions have no part in it.
    keep = np.arange(len(rest)) if rest.any() else np.empty(0, np.int64)
    return Stacked(
        np.concatenate([predicted[0][keep], labels[0]]),
        np.vstack([predicted[1][keep], labels[1]]),
        np.concatenate([rest[keep], sample.label_weights()]),
        np.concatenate([keep, rows]),
    )


def estimate(
    family: Family,
    stacked: Stacked,
    names: Sequence[str],
    n: int,
    cluster: Codes | None = None,
    absorb: Codes | None = None,
    start: Floats | None = None,
    only_labels: int = 0,
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
    cluster, absorb : numpy.ndarray, optional
        As in `Sample`.
    start : numpy.ndarray, optional
        Parameters to start from.
    only_labels : int
        How many rows at the end of `stacked` are labelled rows with predictions before them. 0: there are none.
    """
    if absorb is not None:
        stacked = stacked.demeaned(absorb)
    y, x, w = stacked.y, stacked.x, stacked.weights
    theta = solve(family, y, x, w, names, start)
    scores = family.scores(theta, y, x) * w[:, None]
    moments = _by_row(scores, stacked.row, n)
    inverse = np.asarray(np.linalg.inv(family.information(theta, y, x, w)), float)
    cov = covariance(inverse, moments, cluster)
    if not only_labels:
        return Estimate(theta, cov, cov)
    # The part of m_i that the label adds: (R / pi) (psi(label) - psi(predicted)).
    split = len(y) - only_labels
    rows = stacked.row[split:]
    before = np.zeros((n, scores.shape[1]))
    unweighted = family.scores(theta, y[:split], x[:split])
    before[stacked.row[:split]] = unweighted
    added = np.zeros((n, scores.shape[1]))
    added[rows] = scores[split:] - before[rows] * w[split:, None]
    return Estimate(theta, cov, covariance(inverse, added, cluster))


def _by_row(scores: Floats, row: Codes, n: int) -> Floats:
    return np.column_stack([np.bincount(row, scores[:, j], minlength=n) for j in range(scores.shape[1])])


def labels_only(family: Family, labels: Design, sample: Sample, names: Sequence[str]) -> Estimate:
    """Return the estimate from the labelled rows alone, each with the inverse of its probability as its weight."""
    check_columns(labels[1], names)
    stacked = Stacked(labels[0], labels[1], sample.label_weights(), sample.rows)
    return estimate(family, stacked, names, len(sample.labelled), sample.cluster, sample.absorb)


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
    splits = []
    for design in predicted:
        stacked = stack(labels, design, sample)
        inside = 0 if len(stacked.y) == len(labels[0]) else len(labels[0])
        found = estimate(
            family, stacked, names, len(sample.labelled), sample.cluster, sample.absorb, start, only_labels=inside
        )
        splits.append(found)
        start = found.theta
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
