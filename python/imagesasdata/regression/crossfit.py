"""Predict the hand label of a row from its predictions, by models that have not seen the row's own label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import TooFewLabels
from .families import BINOMIAL, GAUSSIAN, Family
from .solve import solve

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
LEAST = 2  # labels to learn from in a fold


@dataclass(frozen=True)
class Variable:
    """A variable that was predicted for all rows and hand-labelled for some.

    Attributes
    ----------
    name : str
        In the formula.
    labels : numpy.ndarray
        ``[n]``: numbers, or positions in `levels`; NaN where a row was not labelled.
    predictions : numpy.ndarray
        ``[n]`` numbers, or ``[n, levels]`` probabilities (0 and 1 where only a label was predicted); NaN where the
        prediction is missing.
    levels : tuple of str
        Of a category.
    numeric : bool
        Whether the levels are numbers, as such in a formula.
    """

    name: str
    labels: Floats
    predictions: Floats
    levels: tuple[str, ...] = ()
    numeric: bool = False

    @property
    def binary(self) -> bool:
        """Whether the labels are 0 and 1."""
        known = self.labels[~np.isnan(self.labels)]
        return not self.levels and bool(np.isin(known, (0.0, 1.0)).all())

    @property
    def missing(self) -> Flags:
        """``[n]``: where there is no prediction."""
        lost: Flags = np.isnan(self.predictions)
        return np.asarray(lost.any(axis=1)) if lost.ndim == 2 else lost

    @property
    def predicted(self) -> Floats:
        """``[n]``: the predictions as labels: 1 from a probability of a half on, or the position of the likeliest."""
        if self.levels:
            likeliest = np.argmax(np.nan_to_num(self.predictions, nan=-1.0), axis=1).astype(float)
            return np.where(self.missing, np.nan, likeliest)
        if self.binary and self.is_probability:
            return np.where(self.missing, np.nan, (self.predictions >= 0.5).astype(float))
        return self.predictions

    @property
    def is_probability(self) -> bool:
        """Whether all predictions of a number are from 0 to 1."""
        known = self.predictions[~np.isnan(self.predictions)]
        return bool(((known >= 0) & (known <= 1)).all())

    def features(self) -> Floats:
        """Return ``[n, q]``, the predictions as covariates: a missing one is the mean, with a column that says so."""
        columns = self.predictions if self.predictions.ndim == 2 else self.predictions[:, None]
        lost = self.missing
        if lost.all():
            return np.zeros((len(lost), 0))
        filled = np.where(lost[:, None], columns[~lost].mean(axis=0), columns)
        return np.column_stack([filled, lost.astype(float)]) if lost.any() else filled


def draw_folds(labelled: Flags, cluster: Codes | None, folds: int, rng: np.random.Generator) -> Codes:
    """Return ``[n]``, the fold of each row, from 0: labelled rows are spread evenly, clusters are kept together."""
    if cluster is None:
        fold = np.empty(len(labelled), np.int64)
        for which in (labelled, ~labelled):
            rows = np.flatnonzero(which)
            fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
        return fold
    g = int(cluster.max(initial=-1)) + 1
    with_labels = np.bincount(cluster, labelled, minlength=g) > 0
    return draw_folds(with_labels, None, folds, rng)[cluster]


def cross_fit(
    variables: Sequence[Variable],
    others: Floats,
    labelled: Flags,
    cluster: Codes | None,
    folds: int,
    repeats: int,
    seed: int,
) -> Iterator[dict[str, Floats]]:
    """Yield, for each of several random splits, the expected label of every row.

    Parameters
    ----------
    variables : list of Variable
        What was predicted.
    others : numpy.ndarray
        ``[n, q]``: what else is known of all rows: the other variables of the model.
    labelled : numpy.ndarray
        ``[n]``: the rows whose labels may be used.
    cluster : numpy.ndarray, optional
        ``[n]``: rows of a cluster are in one fold.
    folds, repeats, seed : int
        How many folds, how many splits, and where chance starts.

    Yields
    ------
    dict
        By variable: ``[n]`` numbers, or ``[n, levels]`` probabilities. The label of a row, or of its fold, has no part
        in them.
    """
    rng = np.random.default_rng(seed)
    known = _standardised(np.column_stack([*(variable.features() for variable in variables), others]))
    for _ in range(repeats):
        fold = draw_folds(labelled, cluster, folds, rng)
        found: dict[str, Floats] = {}
        for variable in variables:
            shape = (len(labelled), len(variable.levels)) if variable.levels else (len(labelled),)
            expected = np.empty(shape)
            for k in range(folds):
                train, test = np.flatnonzero(labelled & (fold != k)), np.flatnonzero(fold == k)
                expected[test] = _expected(variable, known, train, test)
            found[variable.name] = expected
        yield found


def _standardised(columns: Floats) -> Floats:
    spread = columns.std(axis=0)
    varies = spread > 1e-12 * (1 + np.abs(columns.mean(axis=0)))
    return np.asarray((columns[:, varies] - columns[:, varies].mean(axis=0)) / spread[varies], float)


def _expected(variable: Variable, known: Floats, train: Codes, test: Codes) -> Floats:
    """Return the expected labels of the rows `test` as learnt from the rows `train`."""
    if len(train) < LEAST:
        raise TooFewLabels(
            f"{len(train):,} row(s) are hand-labelled outside a fold; at least {LEAST} are needed to learn from. "
            "Label more rows, or use fewer folds."
        )
    labels = variable.labels[train]
    if _without_error(variable, train) and not variable.missing[test].any():
        return variable.predictions[test]  # nothing to learn: no label says that a prediction is wrong
    if not (variable.levels or variable.binary):
        numbers = _learnt(GAUSSIAN, known[train], labels - labels.mean()) @ _with_one(known[test]).T + labels.mean()
        return np.asarray(np.clip(numbers, labels.min(), labels.max()), float)
    if not variable.levels:
        return _probability(known, train, test, labels == 1)
    each = [_probability(known, train, test, labels == level) for level in range(len(variable.levels))]
    shares = np.column_stack(each)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), float)


def _probability(known: Floats, train: Codes, test: Codes, yes: Flags) -> Floats:
    if yes.all() or not yes.any():
        return np.full(len(test), float(yes.all()))
    return BINOMIAL.mean(_with_one(known[test]) @ _learnt(BINOMIAL, known[train], yes.astype(float)))


def _learnt(family: Family, x: Floats, y: Floats) -> Floats:
    """Return intercept and coefficients, drawn towards 0 by two rows for each covariate, one with each outcome.

    The rows weigh a half: in a logistic model the prior log-F(1, 1) of each coefficient (Greenland and Mansournia
    2015), with which there is a finite estimate also where classes are separated; in a linear one a ridge of 1.
    """
    k = x.shape[1]
    eye = np.column_stack([np.zeros(k), np.eye(k)])
    low, high = (0.0, 1.0) if family is BINOMIAL else (0.0, 0.0)
    outcomes = np.concatenate([y, np.full(k, low), np.full(k, high)])
    weights = np.concatenate([np.ones(len(y)), np.full(2 * k, 0.5)])
    names = [str(j) for j in range(k + 1)]
    return solve(family, outcomes, np.vstack([_with_one(x), eye, eye]), weights, names)


def _with_one(x: Floats) -> Floats:
    return np.column_stack([np.ones(len(x)), x])


def _without_error(variable: Variable, train: Codes) -> bool:
    """Say whether the predictions are the labels in the rows to learn from."""
    labels, predictions = variable.labels[train], variable.predictions[train]
    if variable.levels:
        return bool((predictions == np.eye(len(variable.levels))[labels.astype(int)]).all())
    return bool((predictions == labels).all())
