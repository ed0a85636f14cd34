"""Fit a model to arrays: from predictions, from labels alone, and corrected."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentInvalid, ImagesAsDataError, choose
from . import ppi
from .checks import accuracy, look_at, read_sample
from .crossfit import Variable, cross_fit
from .dsl import Design, Estimate, Sample, Stacked, corrected, estimate, labels_only
from .families import Family, family_of
from .result import Regression
from .sandwich import Codes, Floats, small_sample
from .solve import check_columns

METHODS = ("dsl", "ppi", "naive", "labels")
MOST_COMBINED = 64  # designs that are averaged over the levels of predicted categories
Values = Mapping[str, npt.NDArray[Any]]
Pair = tuple[Floats, Floats]


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
        designs = (expected_design(design, variables, each) for each in values)
        start = None if alone is None else alone.theta
        found["corrected"] = corrected(model, labels, _checked(designs, sample, names), sample, names, start)

    k = len(names) + len(model.extra) + (0 if absorb is None else int(absorb.max()) + 1)
    enlarged = {which: _enlarged(of, which, sample, k, correct) for which, of in found.items()}
    own = found[chosen]
    part = own.from_labels if own is not None and method != "naive" else None
    return Regression(
        (*names, *model.extra),
        enlarged,
        chosen,
        family,
        method,
        n,
        len(rows),
        accuracy(variables),
        conf_level,
        tuple(notes),
        None if part is None else part * _factor(chosen, sample, k, correct),
    )


def expected_design(
    design: Callable[[Values], Design], variables: Sequence[Variable], values: Mapping[str, Floats]
) -> Design:
    """Return outcome and covariates with expected labels: of categories the mean over their levels, by probability."""
    numbers = {variable.name: values[variable.name] for variable in variables if not variable.levels}
    kinds = [variable for variable in variables if variable.levels]
    combinations = int(np.prod([len(variable.levels) for variable in kinds]))
    if combinations > MOST_COMBINED:
        likeliest = {
            variable.name: _named(variable, np.argmax(values[variable.name], axis=1).astype(float))
            for variable in kinds
        }
        return design({**numbers, **likeliest})
    total: Design | None = None
    for levels in itertools.product(*(range(len(variable.levels)) for variable in kinds)):
        share = np.ones(len(variables[0].labels))
        here: dict[str, npt.NDArray[Any]] = dict(numbers)
        for variable, level in zip(kinds, levels, strict=True):
            share = share * values[variable.name][:, level]
            here[variable.name] = _named(variable, np.full(len(share), float(level)))
        y, x = design(here)
        if not kinds:
            return y, x
        part = (share * y, share[:, None] * x)
        total = part if total is None else (total[0] + part[0], total[1] + part[1])
    assert total is not None
    return total


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
    check_columns(x[rows], names)
    stacked = Stacked(y[rows], x[rows], sample.weights[rows], rows)
    return estimate(model, stacked, names, len(y), sample.cluster, sample.absorb)


def _checked(designs: Iterator[Design], sample: Sample, names: Sequence[str]) -> Iterator[Design]:
    for i, (y, x) in enumerate(designs):
        if i == 0 and sample.absorb is None:
            check_columns(x, names)
        yield y, x


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
    return Estimate(found.theta, found.cov, found.cov)


def _factor(which: str, sample: Sample, k: int, correct: bool) -> float:
    if not correct:
        return 1.0
    rows = np.arange(len(sample.labelled)) if which == "naive" else sample.rows
    clusters = None if sample.cluster is None else len(np.unique(sample.cluster[rows]))
    return small_sample(len(rows), k, clusters)


def _enlarged(found: Estimate | None, which: str, sample: Sample, k: int, correct: bool) -> Pair | None:
    return None if found is None else (found.theta, found.cov * _factor(which, sample, k, correct))
