"""Fit a model to arrays: from predictions, from labels alone, and corrected."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentInvalid, ImagesAsDataError, choose
from . import ppi
from .checks import accuracy, look_at, read_sample
from .crossfit import Variable, cross_fit
from .dsl import Design, Estimate, Sample, corrected, labels_only, ordinary
from .families import Family, family_of
from .result import Pair, Regression, regression_of
from .sandwich import Codes, Floats, small_sample

METHODS = ("dsl", "ppi", "naive", "labels")
MOST_COMBINED = 32  # designs that are kept and averaged over the levels of predicted categories
Values = Mapping[str, npt.NDArray[Any]]


def regress_arrays(
    design: Callable[[Values], Design],
    names: Sequence[str],
    variables: Sequence[Variable],
    others: Floats,
    prob: Floats | None = None,
    cluster: Codes | None = None,
    weights: Floats | None = None,
    absorb: Codes | None = None,
    family: str = "gaussian",
    method: str = "dsl",
    folds: int = 5,
    repeats: int = 10,
    conf_level: float = 0.95,
    seed: int = 1,
    correct: bool = True,
) -> Regression:
    """Fit a model some of whose variables were predicted.

    Parameters
    ----------
    design : callable
        Given the values of the predicted variables by name, each ``[n]`` (numbers, or the names of levels), it returns
        the outcome ``[n]`` and the covariates ``[n, k]``, always of the same rows and columns. A transformation that
        depends on the data must be made from the same data at each call.
    names : list of str
        Of the covariates.
    variables : list of Variable
        What was predicted. A row counts as labelled where all of them are.
    others : numpy.ndarray
        ``[n, q]``: the other variables of the model, from which labels are predicted too.
    prob : numpy.ndarray, optional
        ``[n]``: with which probability a row was labelled. Without it: all the same.
    cluster, absorb : numpy.ndarray, optional
        ``[n]``, from 0 without gaps: clusters; groups that have each an intercept (linear models).
    weights : numpy.ndarray, optional
        ``[n]``, above 0.
    family, method, folds, repeats, conf_level, seed
        As in `regress`.
    correct : bool
        Whether covariances are enlarged for small samples, by n / (n - k) with the number of labels as n, so that with
        all rows labelled they are those known as HC1; otherwise as in the papers, HC0.

    Raises
    ------
    ColumnsCollinear, SeparationFound, NoOverdispersion, NotConverged, OutcomeInvalid, ProbabilityInvalid, TooFewLabels
        Why there is no estimate.
    """
    choose("method", method, METHODS)
    model = family_of(family)
    n = len(variables[0].labels)
    labelled = ~np.any([np.isnan(variable.labels) for variable in variables], axis=0)
    notes: list[str] = []
    sample = read_sample(labelled, prob, weights, cluster, absorb, notes)
    if absorb is not None and family != "gaussian":
        raise ArgumentInvalid('`absorb` is for family="gaussian"; put the groups in the formula instead.')
    look_at(variables, labelled, len(names), cluster, notes)

    y, x = design({variable.name: _named(variable, _filled(variable)) for variable in variables})
    rows = sample.rows
    labels = (y[rows], x[rows])
    model.check(labels[0])
    alone = _attempt(lambda: labels_only(model, labels, sample, names), method == "labels", "hand labels alone", notes)
    found: dict[str, Estimate | None] = {
        "naive": _attempt(
            lambda: _naive(model, design, variables, sample, names), method == "naive", "predictions", notes
        ),
        "labels": alone,
    }
    chosen = method if method in found else "corrected"
    if method == "ppi":
        found["corrected"] = _powered(model, design, variables, sample, labels, names)
    elif method == "dsl":
        values = cross_fit(variables, others, labelled, cluster, folds, repeats, seed)
        designs = map(ExpectedDesign(design, variables), values)
        start = None if alone is None else alone.theta
        found["corrected"] = corrected(model, labels, designs, sample, names, start)

    k = len(names) + len(model.extra)
    enlarged = {which: _enlarged(of, which, sample, k, correct) for which, of in found.items()}
    part = None if method == "naive" else _from_labels(found, chosen, sample)
    return regression_of(
        (*names, *model.extra),
        enlarged,
        chosen,
        family,
        method,
        n,
        len(rows),
        None if cluster is None else int(cluster.max()) + 1,
        accuracy(variables),
        conf_level,
        notes,
        None if part is None else part * _factor(chosen, sample, k, correct),
    )


class ExpectedDesign:
    """Outcome and covariates with expected labels: of categories the mean over their levels, by probability.

    The designs of the levels are the same for all splits, and are kept, unless a number was predicted too.

    Parameters
    ----------
    design : callable
        As in `regress_arrays`.
    variables : list of Variable
        What was predicted. With more than 32 combinations of levels, the likeliest of each category is taken, and of
        0 and 1 the probability.
    """

    def __init__(self, design: Callable[[Values], Design], variables: Sequence[Variable]) -> None:
        self._design, self._variables = design, variables
        levels = [_levels(variable) for variable in variables]
        self._combinations = list(itertools.product(*levels)) if math.prod(map(len, levels)) <= MOST_COMBINED else []
        self._numbers = (None,) in levels
        self._kept: dict[int, Design] = {}

    def __call__(self, values: Mapping[str, Floats]) -> Design:
        """Return them, for one split; `values` as `cross_fit` yields them."""
        if not self._combinations:
            return self._design({variable.name: _likeliest(variable, values) for variable in self._variables})
        total: Design | None = None
        for i, levels in enumerate(self._combinations):
            share = np.ones(len(self._variables[0].labels))
            for variable, level in zip(self._variables, levels, strict=True):
                if level is not None:
                    share = share * _share(variable, level, values[variable.name])
            y, x = self._of(i, levels, values)
            part = (share * y, share[:, None] * x)
            total = part if total is None else (total[0] + part[0], total[1] + part[1])
        assert total is not None
        return total

    def _of(self, i: int, levels: tuple[int | None, ...], values: Mapping[str, Floats]) -> Design:
        if i in self._kept:
            return self._kept[i]
        n = len(self._variables[0].labels)
        here = {
            variable.name: values[variable.name] if level is None else _named(variable, np.full(n, float(level)))
            for variable, level in zip(self._variables, levels, strict=True)
        }
        found = self._design(here)
        if not self._numbers:
            self._kept[i] = found
        return found


def _levels(variable: Variable) -> tuple[int | None, ...]:
    """Return the levels of a category, those of 0 and 1, or of a number one that stands for all."""
    if variable.levels:
        return tuple(range(len(variable.levels)))
    return (0, 1) if variable.binary else (None,)


def _share(variable: Variable, level: int, expected: Floats) -> Floats:
    if variable.levels:
        return np.asarray(expected[:, level], float)
    return expected if level else 1 - expected


def _likeliest(variable: Variable, values: Mapping[str, Floats]) -> npt.NDArray[Any]:
    expected = values[variable.name]
    return _named(variable, np.argmax(expected, axis=1).astype(float)) if variable.levels else expected


def _named(variable: Variable, values: Floats) -> npt.NDArray[Any]:
    return np.asarray(variable.levels, dtype=object)[values.astype(int)] if variable.levels else values


def _filled(variable: Variable) -> Floats:
    """Return the labels, with anything that has the kind of a label where there is none: those rows are not used."""
    known = variable.labels[~np.isnan(variable.labels)]
    return np.where(np.isnan(variable.labels), known[0] if len(known) else 0.0, variable.labels)


def _attempt(fit: Callable[[], Estimate], needed: bool, what: str, notes: list[str]) -> Estimate | None:
    """Return an estimate, or None with a note where it is only there to compare."""
    try:
        return fit()
    except ImagesAsDataError as problem:
        if needed:
            raise
        notes.append(f"There is no estimate from {what}: {problem}")
        return None


def plugged(design: Callable[[Values], Design], variables: Sequence[Variable], as_labels: bool) -> Design:
    """Return outcome and covariates with predictions in place of labels; any value where there is none."""
    values = {}
    for variable in variables:
        predicted = variable.predicted if as_labels or variable.levels else variable.predictions
        known = predicted[~np.isnan(predicted)]
        values[variable.name] = _named(
            variable, np.where(np.isnan(predicted), known[0] if len(known) else 0, predicted)
        )
    return design(values)


def _naive(
    model: Family,
    design: Callable[[Values], Design],
    variables: Sequence[Variable],
    sample: Sample,
    names: Sequence[str],
) -> Estimate:
    y, x = plugged(design, variables, True)
    rows = np.flatnonzero(~np.any([variable.missing for variable in variables], axis=0))
    model.check(y[rows])
    return ordinary(model, (y[rows], x[rows]), sample, rows, sample.weights[rows], names)


def _powered(
    model: Family,
    design: Callable[[Values], Design],
    variables: Sequence[Variable],
    sample: Sample,
    labels: Design,
    names: Sequence[str],
) -> Estimate:
    """Return the estimate of PPI++; refuse what it does not hold for."""
    y, x = plugged(design, variables, False)
    rows, rest = sample.rows, np.flatnonzero(~sample.labelled)
    cure = 'Use method="dsl".'
    if model.extra or sample.absorb is not None:
        raise ArgumentInvalid(f'method="ppi" is for linear, logistic and Poisson models. {cure}')
    if sample.cluster is not None or np.ptp(sample.prob[rows]) > 1e-12:
        raise ArgumentInvalid(f'method="ppi" needs labels of a simple random sample without clusters. {cure}')
    if len(variables) > 1 or not np.array_equal(labels[1], x[rows]):
        raise ArgumentInvalid(f'method="ppi" is for a predicted outcome, not for predicted covariates. {cure}')
    if variables[0].missing.any():
        raise ArgumentInvalid(f'method="ppi" needs a prediction for every row. {cure}')
    if len(rest) < 2:
        raise ArgumentInvalid('method="ppi" needs rows without labels; all rows are labelled. Use method="labels".')
    w = sample.weights
    halves = ppi.Halves(
        labels[1], labels[0], y[rows], w[rows] / w[rows].mean(), x[rest], y[rest], w[rest] / w[rest].mean()
    )
    found = ppi.regression(model, halves, names)
    return Estimate(found.theta, found.cov, found.from_labels)


def _factor(which: str, sample: Sample, k: int, correct: bool) -> float:
    """Return by how much a covariance is enlarged; groups inside clusters cost nothing (Cameron and Miller 2015)."""
    if not correct:
        return 1.0
    every, drawn = np.arange(len(sample.labelled)), sample.rows
    rows = every if which == "naive" else drawn
    clusters = None if sample.cluster is None else len(np.unique(sample.cluster[rows]))
    factor = small_sample(len(rows), k, clusters)
    if sample.absorb is not None and not _nested(sample.absorb, sample.cluster):
        fitted = drawn if which == "labels" else every
        left = len(fitted) - k
        factor *= small_sample(left, len(np.unique(sample.absorb[fitted])))
    return factor


def _from_labels(found: Mapping[str, Estimate | None], chosen: str, sample: Sample) -> Floats | None:
    """Return the part of the covariance that falls with the number of labels.

    With few labels in each of many groups it falls faster than their number at first. The part is cut to what leaves
    the variance that predictions for all rows give once all are labelled.
    """
    own, naive = found[chosen], found["naive"]
    if own is None or sample.absorb is None or naive is None or sample.labelled.all():
        return None if own is None else own.from_labels
    most = np.clip(np.diag(own.cov) - np.diag(naive.cov), 0, None) / (1 - sample.labelled.mean())
    cut = np.sqrt(np.minimum(1, most / np.maximum(np.diag(own.from_labels), np.finfo(float).tiny)))
    return np.asarray(own.from_labels * np.outer(cut, cut), float)


def _nested(groups: Codes, clusters: Codes | None) -> bool:
    """Say whether each group lies in one cluster."""
    if clusters is None:
        return False
    pairs = np.unique(np.column_stack([groups, clusters]), axis=0)
    return len(pairs) == int(groups.max()) + 1


def _enlarged(found: Estimate | None, which: str, sample: Sample, k: int, correct: bool) -> Pair | None:
    return None if found is None else (found.theta, found.cov * _factor(which, sample, k, correct))
