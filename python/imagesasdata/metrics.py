"""Metrics from arrays, for many sets of weights at once, so that a bootstrap costs little.

The definitions are scikit-learn's. What is undefined, such as the recall of a class that no photograph has, is NaN here
and never 0; a mean over classes is over those for which the metric is defined.

Throughout, `weights` is ``[r, n]``: a row for each of r sets of weights, each weight the number of times that a
photograph counts. Results are ``[r]``, or ``[r, k]`` where there is one for each of k classes. Without weights, r is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BINS = 10  # of the calibration error
A_BIN = 10  # photographs that a bin should have, else there are fewer bins
FEW = 100  # photographs of a class, up to which comparing is faster than sorting
AT_ONCE = 1_000_000  # draws that are held at a time
EPS = float(np.finfo(np.float64).eps)


def as_weights(n: int, weights: Floats | None) -> Floats:
    """Return weights ``[r, n]``; without any, each photograph counts once."""
    return np.ones((1, n)) if weights is None else np.asarray(np.atleast_2d(weights))


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return the quotient, NaN where nothing is divided by nothing."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def macro(values: Floats) -> Floats:
    """Return the mean over the classes, the last axis, for which a metric is defined."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1).astype(float))


# -- labels ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tally:
    """How often each class is the truth, is the label given, and is both; each ``[r, k]``."""

    truth: Floats
    given: Floats
    right: Floats


def tally(truth: Codes, given: Codes, k: int, weights: Floats | None = None) -> Tally:
    """Count classes.

    Parameters
    ----------
    truth, given : numpy.ndarray
        ``[n]``: codes of classes, from 0 to k - 1.
    k : int
        Number of classes.
    weights : numpy.ndarray, optional
        ``[r, n]``.
    """
    w = as_weights(len(truth), weights)
    right = truth == given
    return Tally(_sums(truth, k, w), _sums(given, k, w), _sums(truth[right], k, w[:, right]))


def _sums(codes: Codes, k: int, weights: Floats) -> Floats:
    one_hot = csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(k, len(codes)))
    return np.asarray((one_hot @ weights.T).T)


def accuracy(t: Tally) -> Floats:
    """Return the share of labels that are right."""
    return ratio(t.right.sum(axis=1), t.truth.sum(axis=1))


def precision(t: Tally) -> Floats:
    """Return for each class the share of its labels that are right; NaN where it is never given."""
    return ratio(t.right, t.given)


def recall(t: Tally) -> Floats:
    """Return for each class the share of its photographs that are found; NaN where there are none."""
    return ratio(t.right, t.truth)


def f1(t: Tally) -> Floats:
    """Return for each class the harmonic mean of precision and recall; NaN where it is neither truth nor label."""
    return ratio(2 * t.right, t.truth + t.given)


def balanced_accuracy(t: Tally) -> Floats:
    """Return the mean recall of the classes that the photographs have."""
    return macro(recall(t))


def kappa(t: Tally) -> Floats:
    """Return Cohen's kappa (Cohen 1960): agreement above chance; NaN where truth and labels are one class only."""
    total = t.truth.sum(axis=1)
    chance = ratio((t.truth * t.given).sum(axis=1), total**2)
    return ratio(accuracy(t) - chance, 1 - chance)


# -- probabilities -----------------------------------------------------------------------------------------------------


def areas(truth: Flags, prob: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the areas under the ROC curve and under the precision-recall curve.

    The first is the chance that a photograph of the class has a higher probability than one of another class, equal
    ones counting half (Hanley and McNeil 1982). The second is average precision: the mean, over the photographs of the
    class, of the precision at each one's probability, without interpolation.

    Parameters
    ----------
    truth : numpy.ndarray
        ``[n]``: whether a photograph has the class.
    prob : numpy.ndarray
        ``[n]``: its probability; only the order counts.
    weights : numpy.ndarray, optional
        ``[r, n]``.

    Returns
    -------
    tuple of numpy.ndarray
        ``[r]`` each, NaN where no photograph has the class; the first also where all have it.
    """
    w = as_weights(len(truth), weights)
    if not truth.any():
        return np.full(len(w), np.nan), np.full(len(w), np.nan)
    if truth.sum() <= FEW:
        return _areas_of_few(truth, prob, w)
    order = np.argsort(-prob, kind="stable")
    starts = _block_starts(prob[order])
    w = w[:, order]
    positive = _blocks(w * truth[order], starts)
    every = _blocks(w, starts)
    found, taken = positive.cumsum(axis=1), every.cumsum(axis=1)
    positives = found[:, -1].copy()
    negatives = taken[:, -1] - positives
    share = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    pr = ratio(np.einsum("rn,rn->r", positive, share), positives)
    taken -= found  # now the others at or above this probability
    every -= positive
    every *= 0.5
    taken -= every
    above = np.einsum("rn,rn->r", positive, taken)
    return 1 - ratio(above, positives * negatives), pr


def _areas_of_few(truth: Flags, prob: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Return the same by comparing each of a few photographs of the class with all, which is faster than sorting."""
    own, mine = prob[truth], w[:, truth]
    reach = (prob[:, None] >= own).astype(float)
    above = (reach + (prob[:, None] > own)) / 2
    taken, found = w @ reach, mine @ reach[truth]
    pr = ratio(
        np.einsum("rn,rn->r", mine, np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)),
        mine.sum(axis=1),
    )
    others = w[:, ~truth]
    wrong = np.einsum("rn,rn->r", mine, others @ above[~truth])
    return 1 - ratio(wrong, mine.sum(axis=1) * others.sum(axis=1)), pr


def roc_auc(truth: Flags, prob: Floats, weights: Floats | None = None) -> Floats:
    """Return the area under the ROC curve; see `areas`."""
    return areas(truth, prob, weights)[0]


def pr_auc(truth: Flags, prob: Floats, weights: Floats | None = None) -> Floats:
    """Return average precision; see `areas`."""
    return areas(truth, prob, weights)[1]


def brier(truth: Codes, probs: Floats, weights: Floats | None = None) -> Floats:
    """Return the Brier score: the mean squared distance of the probabilities from what is the case.

    With three classes or more it is the sum over the classes (Brier 1950), 0 to 2. With two it is the usual score of
    the second class's probability, 0 to 1, which is half of that.

    Parameters
    ----------
    truth : numpy.ndarray
        ``[n]``: codes of classes.
    probs : numpy.ndarray
        ``[n, k]``: probabilities.
    weights : numpy.ndarray, optional
        ``[r, n]``.
    """
    n, k = probs.shape
    if k == 2:
        return mean((probs[:, 1] - truth) ** 2, weights)
    true = probs[np.arange(n), truth]
    return mean((probs**2).sum(axis=1) - true**2 + (1 - true) ** 2, weights)


def log_loss(truth: Codes, probs: Floats, weights: Floats | None = None) -> Floats:
    """Return the mean negative logarithm of the true class's probability, which is kept off 0 and 1 by 2.2e-16."""
    true = probs[np.arange(len(truth)), truth]
    return mean(-np.log(np.clip(true, EPS, 1 - EPS)), weights)


def calibration_error(
    confidence: Floats, right: Flags, weights: Floats | None = None, bins: int | None = None
) -> Floats:
    """Return the expected calibration error: how far the share of right labels is from the labels' probability.

    The labels are cut by their probability into bins of equal mass; the error is the mean over the bins of the distance
    between the share that is right and the mean probability (Guo et al. 2017, equation 3; their bins are of equal
    width). It is above 0 in small samples even for a model that is calibrated.

    Parameters
    ----------
    confidence : numpy.ndarray
        ``[n]``: probability of the label that was given.
    right : numpy.ndarray
        ``[n]``: whether the label is right.
    weights : numpy.ndarray, optional
        ``[r, n]``.
    bins : int, optional
        As `bin_count` says by default.
    """
    w = as_weights(len(right), weights)
    if not len(right):
        return np.full(len(w), np.nan)
    bins = bin_count(len(right)) if bins is None else bins
    order = np.argsort(confidence, kind="stable")
    starts = _block_starts(confidence[order])
    w = w[:, order]
    place = _places(_blocks(w, starts), bins)
    gap = _blocks(w * (right[order] - confidence[order]), starts)
    place += bins * np.arange(len(w))[:, None]
    gaps = np.bincount(place.ravel(), gap.ravel(), minlength=len(w) * bins).reshape(len(w), bins)
    return ratio(np.abs(gaps).sum(axis=1), w.sum(axis=1))


def calibrated_errors(confidence: Floats, draws: int, seed: int) -> Floats:
    """Return calibration errors of a model that is calibrated (Bröcker and Smith 2007), ``[draws]``.

    Whether a label is right is drawn with its probability; the error is then chance alone.
    """
    n, rng = len(confidence), np.random.default_rng(seed)
    step = max(1, AT_ONCE // max(n, 1))
    found = []
    for start in range(0, draws, step):
        right = (rng.random((min(step, draws - start), n)) < confidence).astype(float)
        both = np.concatenate([right, 1 - right], axis=1)  # each label is there as a right and as a wrong one
        found.append(calibration_error(np.tile(confidence, 2), np.repeat([True, False], n), both, bin_count(n)))
    return np.concatenate(found)


def bin_count(n: int) -> int:
    """Return the number of bins for n photographs: 10, or fewer where a bin would have fewer than 10 photographs."""
    return max(1, min(BINS, n // A_BIN))


def bin_numbers(prob: Floats, bins: int) -> Codes:
    """Return for each photograph the number of its bin; bins have equal mass, and equal probabilities share a bin."""
    order = np.argsort(prob, kind="stable")
    starts = _block_starts(prob[order])
    place = _places(_blocks(np.ones((1, len(prob))), starts), bins)[0]
    numbers = np.empty(len(prob), np.int64)
    numbers[order] = np.repeat(place, np.diff(np.append(starts, len(prob))))
    return numbers


def _block_starts(values: npt.NDArray[np.float64]) -> Codes:
    """Return where each block of equal values starts."""
    return np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.empty(0, np.int64)


def _blocks(values: Floats, starts: Codes) -> Floats:
    """Return the sums of the blocks along the last axis."""
    return values if len(starts) == values.shape[1] else np.add.reduceat(values, starts, axis=1)


def _places(mass: Floats, bins: int) -> Codes:
    """Return the bin of each block: where its middle lies in the whole mass."""
    middle = mass.cumsum(axis=1)
    total = np.maximum(middle[:, -1:], EPS)
    return np.asarray(np.minimum((middle - mass / 2) * bins / total, bins - 1).astype(np.int64))


# -- numbers -----------------------------------------------------------------------------------------------------------


def mean(values: Floats, weights: Floats | None = None) -> Floats:
    """Return the weighted mean of ``[n]`` values."""
    w = as_weights(len(values), weights)
    return ratio(w @ values, w.sum(axis=1))


def r2(truth: Floats, score: Floats, weights: Floats | None = None) -> Floats:
    """Return the share of the variance of the truth that is explained; NaN where the truth does not vary."""
    w = as_weights(len(truth), weights)
    return 1 - ratio(w @ (truth - score) ** 2, _spread(truth, w))


def mae(truth: Floats, score: Floats, weights: Floats | None = None) -> Floats:
    """Return the mean absolute error."""
    return mean(np.abs(truth - score), weights)


def rmse(truth: Floats, score: Floats, weights: Floats | None = None) -> Floats:
    """Return the root of the mean squared error."""
    return np.sqrt(mean((truth - score) ** 2, weights))


def correlation(truth: Floats, score: Floats, weights: Floats | None = None) -> Floats:
    """Return Pearson's correlation; NaN where either does not vary."""
    w = as_weights(len(truth), weights)
    if not len(truth):
        return np.full(len(w), np.nan)
    x, y = truth - truth.mean(), score - score.mean()
    total = w.sum(axis=1)
    together = w @ (x * y) - ratio((w @ x) * (w @ y), total)
    return np.clip(ratio(together, np.sqrt(_spread(truth, w) * _spread(score, w))), -1, 1)


def _spread(values: Floats, weights: Floats) -> Floats:
    """Return the sum of squares around the weighted mean, 0 where it is nothing but rounding."""
    if not len(values):
        return np.zeros(len(weights))
    centred = values - values.mean()
    if np.abs(centred).max() <= 1e-12 * np.abs(values).max():
        return np.zeros(len(weights))
    raw = weights @ centred**2
    around = raw - ratio((weights @ centred) ** 2, weights.sum(axis=1))
    return np.where(around > 1e-10 * raw, around, 0.0)
