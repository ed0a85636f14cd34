"""Fit a model to a data frame some of whose columns were predicted."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..answers import as_frame, take_column
from ..errors import ArgumentInvalid, DependencyMissing, LabelsInvalid, quoted
from ..intervals import check_level, check_whole
from .crossfit import Variable
from .dsl import Design
from .fit import Values, plugged, regress_arrays
from .result import Regression

Columns = Mapping[str, str | Sequence[str]]
COUNTS = ("poisson", "negbin")


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
    folds: int = 5,
    repeats: int = 10,
    conf_level: float = 0.95,
    seed: int = 1,
) -> Regression:
    """Fit a regression with predicted variables, and correct it for the errors of the predictions.

    Parameters
    ----------
    formula : str
        As formulaic reads it, for instance ``"retweets ~ protest * followers"``.
    data : data frame or table file
        One row for each observation. Rows where another variable is missing are left out, with a note.
    predicted : dict
        For each predicted variable of the formula its column of predictions, labels or probabilities of 1; or, for a
        variable of several classes, its columns ``prob_<class>``.
    labelled : dict
        For each predicted variable its column of hand labels, missing where a row was not coded.
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
    folds, repeats : int
        Folds in which labels are predicted for rows that had no part in learning, and random splits into folds.
    conf_level : float
        0 to 1.
    seed : int
        The same seed gives the same estimate.

    Returns
    -------
    Regression
        With ``params``, ``bse``, ``cov_params()``, ``conf_int()``, ``table()`` and ``summary()``.

    Raises
    ------
    ArgumentInvalid, LabelsInvalid
        The columns are not there, or not what they should be.
    ColumnsCollinear, SeparationFound, NoOverdispersion, NotConverged, OutcomeInvalid, ProbabilityInvalid, TooFewLabels
        Why there is no estimate.
    DependencyMissing
        formulaic is not installed.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> protest = rng.integers(0, 2, 2000)
    >>> posts = pd.DataFrame({"likes": 1 + 2 * protest + rng.normal(size=2000)})
    >>> posts["predicted"] = np.where(rng.random(2000) < 0.85, protest, 1 - protest)
    >>> posts["coded"] = np.where(np.arange(2000) < 300, protest, np.nan)
    >>> found = regress("likes ~ protest", posts, {"protest": "predicted"}, {"protest": "coded"})
    >>> bool(found.conf_int().loc["protest", "conf_low"] < 2 < found.conf_int().loc["protest", "conf_high"])
    True
    """
    formulaic = _formulaic()
    check_level(conf_level)
    frame = as_frame(data, "data")
    if not predicted or set(predicted) != set(labelled):
        raise ArgumentInvalid(
            f"`predicted` names {quoted(predicted)} and `labelled` names {quoted(labelled)}; both must name the "
            "predicted variables of the formula."
        )
    for argument, value in (("folds", folds), ("repeats", repeats)):
        if check_whole(argument, value) < (2 if argument == "folds" else 1):
            raise ArgumentInvalid(f"`{argument}` is {value}; it must be {2 if argument == 'folds' else 1} or more.")
    parsed = formulaic.Formula(formula)
    if not (hasattr(parsed, "lhs") and hasattr(parsed, "rhs")):
        raise ArgumentInvalid(f'`formula` is "{formula}"; it needs an outcome, as in "likes ~ protest".')
    used = [str(name) for name in parsed.required_variables]
    absent = sorted(set(predicted) - set(used))
    if absent:
        raise ArgumentInvalid(f'`predicted` names {quoted(absent)}, which the formula "{formula}" does not have.')
    plain = [name for name in used if name not in predicted]
    columns = {name: take_column(frame, name, "formula") for name in plain}
    extra = {"sampling_prob": sampling_prob, "cluster": cluster, "weights": weights}
    given = {key: take_column(frame, name, key) for key, name in extra.items() if name is not None}
    keep = np.ones(len(frame), bool)
    for column in [*columns.values(), *(column for key, column in given.items() if key != "sampling_prob")]:
        keep &= ~column.isna().to_numpy()
    if not keep.any():
        raise ArgumentInvalid("No row of `data` has a value in all columns that the formula needs.")
    here = frame[keep].reset_index(drop=True)
    variables = [_variable(here, name, predicted[name], labelled[name]) for name in predicted]
    base = here[plain].copy()
    specs: list[Any] = []

    def design(values: Values) -> Design:
        filled = base.assign(
            **{
                variable.name: pd.Categorical(values[variable.name], categories=list(variable.levels))
                if variable.levels
                else values[variable.name]
                for variable in variables
            }
        )
        if not specs:
            specs.append(formulaic.model_matrix(parsed, filled, na_action="raise"))
            made = specs[0]
        else:
            # Means and knots of a transformation stay those of the first time.
            made = specs[0].model_spec.get_model_matrix(filled, na_action="raise")
        return _outcome(made.lhs), np.asarray(made.rhs, float)

    plugged(design, variables, as_labels=True)
    outcome = {str(name) for name in parsed.lhs.required_variables}
    found = regress_arrays(
        design,
        [str(name) for name in specs[0].rhs.columns],
        variables,
        _encoded(base, outcome if family in COUNTS else set()),
        given["sampling_prob"][keep].to_numpy(float, na_value=np.nan) if sampling_prob is not None else None,
        pd.factorize(given["cluster"][keep])[0].astype(np.int64) if cluster is not None else None,
        given["weights"][keep].to_numpy(float) if weights is not None else None,
        None,
        family,
        method,
        folds,
        repeats,
        conf_level,
        seed,
    )
    left = int((~keep).sum())
    if not left:
        return found
    return replace(found, notes=(f"{left:,} row(s) with missing values are left out.", *found.notes))


def _formulaic() -> Any:
    try:
        return importlib.import_module("formulaic")
    except ImportError as problem:
        raise DependencyMissing("`regress` needs the package formulaic: pip install formulaic.") from problem


def _outcome(matrix: Any) -> npt.NDArray[np.float64]:
    if matrix.shape[1] != 1:
        raise ArgumentInvalid(f"The outcome of the formula has {matrix.shape[1]} columns; it must be one number.")
    return np.asarray(matrix, float)[:, 0]


def _variable(frame: pd.DataFrame, name: str, columns: str | Sequence[str], labelled: str) -> Variable:
    labels = take_column(frame, labelled, "labelled")
    several = [columns] if isinstance(columns, str) else [str(column) for column in columns]
    given = [take_column(frame, column, "predicted") for column in several]
    if len(given) == 1 and _numeric(labels) and _numeric(given[0]):
        return Variable(name, _numbers(labels), _numbers(given[0]))
    if len(given) == 1:
        known = {*labels.dropna().astype(str), *given[0].dropna().astype(str)}
        levels = tuple(sorted(known))
        codes = _codes(given[0], levels)
        predictions = np.where(codes[:, None] < 0, np.nan, np.eye(len(levels))[codes])
    else:
        levels = tuple(column.removeprefix("prob_") for column in several)
        predictions = np.column_stack([_numbers(column) for column in given])
    codes = _codes(labels, levels)
    unknown = labels[(codes < 0) & labels.notna().to_numpy()]
    if len(unknown):
        raise LabelsInvalid(
            f'"{labelled}" has labels that are none of the predicted classes ({quoted(levels)}), for instance '
            f"{unknown.iloc[0]!r}. Give a column of probabilities for each class."
        )
    return Variable(name, np.where(codes < 0, np.nan, codes.astype(float)), predictions, levels)


def _codes(column: pd.Series[Any], levels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the positions of texts among levels; -1 where one is missing or none of them."""
    return np.asarray(pd.Index(levels).get_indexer(pd.Index(column.astype("string").astype(object))), np.int64)


def _numeric(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column) or column.isna().all())


def _numbers(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    if not _numeric(column):
        raise ArgumentInvalid(f'"{column.name}" is text; probabilities must be numbers.')
    return np.asarray(column.to_numpy(float, na_value=np.nan), float)


def _encoded(frame: pd.DataFrame, counts: set[str]) -> npt.NDArray[np.float64]:
    """Return columns as numbers: categories as dummies, counts as log(1 + count)."""
    parts: list[npt.NDArray[np.float64]] = []
    for name in frame.columns:
        column = frame[name]
        if _numeric(column):
            numbers = _numbers(column)
            parts.append(np.log1p(np.clip(numbers, 0, None))[:, None] if name in counts else numbers[:, None])
        else:
            parts.append(pd.get_dummies(column.astype("string"), drop_first=True).to_numpy(float))
    return np.column_stack(parts) if parts else np.zeros((len(frame), 0))
