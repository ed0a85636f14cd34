"""Read one predicted variable from its columns of hand labels and of predictions: a number or a category."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..answers import class_text, take_column
from ..errors import ArgumentInvalid, LabelsInvalid, quoted
from .crossfit import Variable
from .sandwich import Floats

PREFIX = "prob_"
TRUE_FALSE = {"true": 1.0, "false": 0.0}


def read_variable(
    frame: pd.DataFrame, name: str, columns: str | Sequence[str], labelled: str, category: bool = False
) -> Variable:
    """Return a predicted variable: a number where labels and predictions are numbers, otherwise a category.

    Beside numbers, text may be the same numbers, or "true" and "false"; numbers that are labelled by text are a
    category, unless they are 0 and 1. Where the one column of predictions is ``prob_<class>`` and the labels are text,
    the variable is 1 where the label is this class. Empty text is missing.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows.
    name : str
        Of the variable.
    columns : str or list of str
        Of predictions.
    labelled : str
        The column of hand labels.
    category : bool
        Whether whole numbers are a category, unless they are 0 and 1.

    Raises
    ------
    ArgumentInvalid, LabelsInvalid
        The columns are not there, or do not fit each other.
    """
    labels = _read(frame, labelled, "labelled")
    several = [columns] if isinstance(columns, str) else [str(column) for column in columns]
    given = [_read(frame, column, "predicted") for column in several]
    if not given:
        raise ArgumentInvalid(f'`predicted` names no column for "{name}".')
    if len(given) > 1:
        levels = tuple(column.removeprefix(PREFIX) for column in several)
        return _classes(name, labels, levels, np.column_stack([_finite(column) for column in given]))
    (predictions,) = given
    if is_numeric(predictions) and not is_numeric(labels) and several[0].startswith(PREFIX):
        yes = _texts(labels) == several[0].removeprefix(PREFIX)
        if yes.any():
            return Variable(name, np.where(labels.isna(), np.nan, yes.astype(float)), _finite(predictions))
    words = [not is_numeric(labels), not is_numeric(predictions)]
    if all(words) or (any(words) and (labels.isna().all() or predictions.isna().all())):
        _check_alike(labels, predictions)
        levels = tuple(sorted({*_texts(labels.dropna()), *_texts(predictions.dropna())}))
        codes = _codes(predictions, levels)
        return _classes(name, labels, levels, np.where(codes[:, None] < 0, np.nan, np.eye(len(levels))[codes]))
    numbers_of = _parsed(labels), _parsed(predictions)
    if numbers_of[0] is None or numbers_of[1] is None:
        raise _unlike(labels, predictions)
    return _number(name, labels, numbers_of[0], numbers_of[1], category or words[0])


def is_numeric(column: pd.Series[Any]) -> bool:
    """Say whether a column is numbers, or true and false, or has no value."""
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column) or column.isna().all())


def as_numbers(column: pd.Series[Any]) -> Floats:
    """Return the numbers of a column; raise `ArgumentInvalid` where it is text."""
    if not is_numeric(column):
        raise ArgumentInvalid(f'"{column.name}" is text; it must be numbers.')
    return np.asarray(column.to_numpy(float, na_value=np.nan), float)


def as_days(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates and times as days since 1970, durations as days, and any other column as it is."""
    if pd.api.types.infer_dtype(column, skipna=True) == "date":
        column = pd.to_datetime(column)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert(None)
    if pd.api.types.is_datetime64_dtype(column):
        column = column - pd.Timestamp(0)
    return column.dt.total_seconds() / 86400 if pd.api.types.is_timedelta64_dtype(column) else column


def _read(frame: pd.DataFrame, name: str, argument: str) -> pd.Series[Any]:
    """Return a column as numbers, or as text without outer blanks, in which empty text is missing."""
    column = take_column(frame, name, argument)
    if is_numeric(column):
        return column
    codes, distinct = pd.factorize(column)
    values: list[Any] = [None if isinstance(value, str) and not value.strip() else value for value in distinct]
    known = [value for value in values if value is not None]
    if isinstance(column.dtype, pd.CategoricalDtype) or not all(map(_is_number, known)):
        values = [None if value is None else class_text(value) for value in values]
    else:
        values = [None if value is None else float(value) for value in values]
    found = pd.Series(np.array([*values, None], dtype=object)[codes], column.index, name=name)
    return found.astype(float) if all(isinstance(value, float | None) for value in values) else found


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real | Decimal | np.bool_)


def _finite(column: pd.Series[Any]) -> Floats:
    found = as_numbers(column)
    if np.isinf(found).any():
        raise LabelsInvalid(
            f'"{column.name}" is infinite in {int(np.isinf(found).sum()):,} row(s). Make it missing there.'
        )
    return found


def _parsed(column: pd.Series[Any]) -> Floats | None:
    """Return numbers, also where they are text; None where some text is no number."""
    if is_numeric(column):
        return _finite(column)
    found = {text: _as_number(text) for text in column.dropna().unique()}
    return None if None in found.values() else column.map(found).to_numpy(float)


def _as_number(text: str) -> float | None:
    try:
        number = TRUE_FALSE.get(text.lower())
        number = float(text) if number is None else number
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _number(name: str, column: pd.Series[Any], labels: Floats, predictions: Floats, category: bool) -> Variable:
    """Return numbers as they are, or as a category: with a level for each of them."""
    found = Variable(name, labels, predictions)
    if not category or (found.binary and found.is_probability):
        return found
    both = np.concatenate([labels, predictions])
    distinct = np.unique(both[~np.isnan(both)])
    between = distinct[distinct % 1 != 0]
    if len(between):
        raise LabelsInvalid(
            f'"{name}" is a category here, since its labels are text or the formula makes one of it, and '
            f"{between[0]:g} is none. Give whole numbers or text in labels and predictions, or a column prob_<class> "
            "for each class. If it is a number, give numbers in both, and no category in the formula."
        )
    codes = np.searchsorted(distinct, both).astype(float)
    coded, likeliest = np.split(np.where(np.isnan(both), np.nan, codes), 2)
    shares = np.where(np.isnan(likeliest)[:, None], np.nan, np.eye(len(distinct))[np.nan_to_num(likeliest).astype(int)])
    return Variable(name, coded, shares, tuple(map(class_text, distinct)), is_numeric(column))


def _classes(name: str, labels: pd.Series[Any], levels: tuple[str, ...], predictions: Floats) -> Variable:
    codes = _codes(labels, levels)
    unknown = labels[(codes < 0) & labels.notna().to_numpy()]
    if len(unknown):
        raise LabelsInvalid(
            f'"{labels.name}" has labels that are none of the predicted classes ({quoted(levels)}), for instance '
            f"{unknown.iloc[0]!r}. Give a column of probabilities for each class."
        )
    return Variable(name, np.where(codes < 0, np.nan, codes.astype(float)), predictions, levels)


def _check_alike(labels: pd.Series[Any], predictions: pd.Series[Any]) -> None:
    """Raise where no label is ever predicted, or where a label that is not is a prediction in another spelling."""
    own, others = set(_texts(labels.dropna())), set(_texts(predictions.dropna()))
    elsewhere = {text.casefold() for text in others - own}
    if own and others and (not own & others or any(text.casefold() in elsewhere for text in own - others)):
        raise _unlike(labels, predictions)


def _unlike(labels: pd.Series[Any], predictions: pd.Series[Any]) -> LabelsInvalid:
    own, others = (quoted(sorted(set(_texts(column.dropna())))) for column in (labels, predictions))
    return LabelsInvalid(
        f'The labels in "{labels.name}" are {own}; the predictions in "{predictions.name}" are {others}. Make them the '
        f"same: the same names in both, numbers in both, or text labels beside the column {PREFIX}<class> of one class."
    )


def _texts(column: pd.Series[Any]) -> npt.NDArray[np.object_]:
    """Return the values as names of classes; None where one is missing."""
    codes, distinct = pd.factorize(column)
    return np.array([*(class_text(value) for value in distinct), None], dtype=object)[codes]


def _codes(column: pd.Series[Any], levels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the positions of texts among levels; -1 where one is missing or none of them."""
    return np.asarray(pd.Index(list(levels)).get_indexer(pd.Index(_texts(column))), np.int64)
