"""Fit a model to a data frame some of whose columns were predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import ArgumentInvalid, choose, quoted
from ..findings import FindingsVerb
from ..intervals import check_level, check_whole
from .columns import Columns, Given, check_splits, read_columns
from .dsl import Design
from .families import FAMILIES
from .fit import METHODS, Values, plugged, regress_arrays
from .formula import Formula, Matrices
from .result import Regression

COUNTS = ("poisson", "negbin")


@FindingsVerb
def regress(
    formula: str,
    data: Any,
    predicted: Columns,
    labelled: Mapping[str, str],
    family: str = "gaussian",
    sampling_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    method: str = "dsl",
    absorb: str | None = None,
    folds: int = 5,
    repeats: int = 10,
    conf_level: float = 0.95,
    seed: int = 1,
) -> Regression:
    """Fit a regression with predicted variables, and correct it for the errors of the predictions.

    Parameters
    ----------
    formula : str
        As formulaic reads it, for instance ``"retweets ~ protest * followers"``. An outcome that is a category with two
        levels is 0 for the first and 1 for the second. A date is the number of days since 1970.
    data : data frame or table file
        One row for each observation. Rows where another variable is missing are left out, with a note.
    predicted : dict
        For each predicted variable of the formula its column of predictions: labels, scores or probabilities of 1; or,
        for a variable of several classes, its columns ``prob_<class>``. They are best out of fold where a row was among
        those that the model learnt from: the table ``predictions`` of `cross_validate` has them. Whether the model
        learnt from these rows is known only while the data frame has the attributes that `classify_images` and
        `merge_predictions` give it: after a CSV file or another merge there is no warning of it.
    labelled : dict
        For each predicted variable its column of hand labels, missing (or empty text) where a row was not coded. Text
        labels beside one column ``prob_<class>`` make the variable 1 where the label is this class. Whole numbers are a
        category, as text is, where the labels are text or the formula has ``C()`` of them.
    family : {"gaussian", "binomial", "poisson", "negbin"}
        Linear, logit, Poisson, or negative binomial (NB2) model.
    sampling_prob : str, optional
        The column with the probability that a row was chosen to be labelled. Without it the labelled rows are taken to
        be a simple random sample.
    cluster, weights : str, optional
        Columns with the cluster of a row, for standard errors, and with its weight.
    method : {"dsl", "ppi", "naive", "labels"}
        Design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, 2024); PPI++ (Angelopoulos, Duchi and
        Zrnic 2023), for a predicted outcome; predictions taken for labels; the labelled rows alone.
    absorb : str, optional
        A column of groups that each have an intercept of their own (fixed effects); for linear models. Groups may have
        few labels, or none: unlike dummies it takes out the noise of their means.
    folds, repeats : int
        Folds in which labels are predicted for rows that had no part in learning, and random splits into folds.
    conf_level : float
        0 to 1.
    seed : int
        The same seed gives the same estimate.

    Returns
    -------
    Regression
        With ``params``, ``bse``, ``pvalues``, ``cov_params()``, ``conf_int()`` and ``summary()``, and the tables
        ``metrics``, ``estimates`` (predictions taken for labels, hand labels alone, and corrected, side by side),
        ``covariance`` and ``accuracy``. Standard errors are robust (HC1), or by cluster.

    Warns
    -----
    ImagesAsDataWarning
        Labels without known probabilities, few labels, missing or perfect predictions, a class that is never
        predicted, few clusters, clusters of one row, rows left out, rows labelled for some of several predicted
        variables alone, an estimate to compare with that there is not.

    Raises
    ------
    ArgumentInvalid, LabelsInvalid
        The columns are not there, or not what they should be.
    ColumnsCollinear, SeparationFound, NoOverdispersion, NotConverged, OutcomeInvalid, ProbabilityInvalid, TooFewLabels
        Why there is no estimate.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> protest = rng.integers(0, 2, 2000)
    >>> posts = pd.DataFrame({"likes": 1 + 2 * protest + rng.normal(size=2000)})
    >>> posts["predicted"] = np.where(rng.random(2000) < 0.85, protest, 1 - protest)
    >>> posts["coded"] = np.where(np.arange(2000) < 300, protest, np.nan)
    >>> posts["prob"] = 300 / 2000
    >>> found = regress("likes ~ protest", posts, {"protest": "predicted"}, {"protest": "coded"}, sampling_prob="prob")
    >>> bool(found.conf_int().loc["protest", "conf_low"] < 2 < found.conf_int().loc["protest", "conf_high"])
    True
    """
    read = Formula(formula)
    refuse_absent(predicted, read.used, formula)
    plain = [name for name in read.used if name not in predicted]
    given = read_columns(data, plain, predicted, labelled, sampling_prob, cluster, weights, absorb, read.categories)
    design = Matrices(read, given)
    return _fitted(given, design, read.outcome, family, method, folds, repeats, conf_level, seed)


def regress_for_r(
    ask: Callable[[Asked], object],
    formula: str,
    used: Sequence[str],
    outcome: Sequence[str],
    categories: Sequence[str],
    data: pa.Table,
    predicted: Columns,
    labelled: Mapping[str, str],
    sampling_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    absorb: str | None = None,
    **options: Any,
) -> Regression:
    """Return the same as `regress`, with the matrices of a formula made by R.

    Parameters
    ----------
    ask : callable
        Of R: it reads the values of an `Asked`, and answers it.
    formula : str
        The formula as text, for messages.
    used, outcome : list of str
        The columns of the formula, and those of its outcome.
    categories : list of str
        The predicted variables of which the formula makes a category.
    data, predicted, labelled, sampling_prob, cluster, weights, absorb
        As in `regress`.
    **options
        All others of `regress`; R gives each of them.
    """
    refuse_absent(predicted, used, formula)
    plain = [name for name in used if name not in predicted]
    given = read_columns(data, plain, predicted, labelled, sampling_prob, cluster, weights, absorb, categories)
    return _fitted(given, Asking(ask, given), outcome, **options)


def refuse_absent(predicted: Columns, used: Sequence[str], formula: str) -> None:
    """Raise `ArgumentInvalid` where a formula does not have a predicted variable."""
    absent = sorted(set(predicted) - set(used))
    if absent:
        raise ArgumentInvalid(f'`predicted` names {quoted(absent)}, which the formula "{formula}" does not have.')


class Asked:
    """A question to R: what are the outcome and the covariates with these values of the predicted variables."""

    def __init__(self, values: pa.Table) -> None:
        self._values = values
        self.found: pa.Table | None = None

    def values(self) -> pa.Table:
        """Return a column for each predicted variable, and ``.row``, the rows of the data frame, from 1."""
        return self._values

    def answer(self, table: pa.Table) -> None:
        """Take the outcome, the first column, and the covariates."""
        self.found = table


class Asking:
    """The matrices of a formula, made by R."""

    def __init__(self, ask: Callable[[Asked], object], given: Given) -> None:
        self._ask, self._given = ask, given
        self.names: list[str] = []

    def __call__(self, values: Values) -> Design:
        """Return outcome and covariates."""
        columns: dict[str, Any] = {".row": self._given.rows + 1}
        for variable in self._given.variables:
            here = values[variable.name]
            if variable.levels:
                codes = pd.Categorical(here, categories=list(variable.levels))
                columns[variable.name] = pa.DictionaryArray.from_arrays(codes.codes, list(variable.levels))
            else:
                columns[variable.name] = np.asarray(here, float)
        asked = Asked(pa.table(columns))
        self._ask(asked)
        assert asked.found is not None
        self.names = asked.found.column_names[1:]
        matrix = [column.to_numpy() for column in asked.found.columns]
        return np.asarray(matrix[0], float), np.column_stack(matrix[1:]).astype(float)


def _fitted(
    given: Given,
    design: Matrices | Asking,
    outcome: Sequence[str],
    family: str,
    method: str,
    folds: int,
    repeats: int,
    conf_level: float,
    seed: int,
) -> Regression:
    check_level(conf_level)
    check_splits(folds, repeats)
    check_whole("seed", seed)
    choose("method", method, METHODS)
    choose("family", family, FAMILIES)
    y, x = plugged(design, given.variables, as_labels=True)
    lost = [name for name, column in zip(design.names, x.T, strict=True) if not np.isfinite(column).all()]
    lost = [*lost, *([] if np.isfinite(y).all() else ["the outcome"])]
    if lost:
        raise ArgumentInvalid(
            f"{quoted(lost)} of the formula is missing or infinite in some rows, such as the logarithm of 0. "
            "Leave these rows out, or transform otherwise."
        )
    # Where groups have intercepts of their own, the formula's has no place.
    kept = np.ptp(x, axis=0) > 0 if given.absorb is not None else np.ones(x.shape[1], bool)
    if not kept.any():
        raise ArgumentInvalid("The formula has no covariate that varies.")

    def chosen(values: Values) -> Design:
        outcomes, covariates = design(values)
        return outcomes, covariates[:, kept]

    found = regress_arrays(
        chosen,
        [name for name, keep in zip(design.names, kept, strict=True) if keep],
        given.variables,
        given.others(outcome if family in COUNTS else ()),
        given.prob,
        given.cluster,
        given.weights,
        given.absorb,
        family,
        method,
        folds,
        repeats,
        conf_level,
        seed,
    )
    return replace(found, notes=(*given.notes, *found.notes))
