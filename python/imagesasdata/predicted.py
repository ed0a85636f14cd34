"""Read a table of predictions: which task it is, which classes, and what it says of each photograph."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .answers import as_frame, class_text, is_missing, long_answers, numbered
from .errors import ArgumentInvalid, quoted
from .metrics import Flags, Floats

FORMULA = re.compile(r"'[=+\-@\t\r]")


@dataclass(frozen=True)
class Predicted:
    """What a table of predictions says.

    Attributes
    ----------
    frame : pandas.DataFrame
        The table, with text as names of columns.
    task : {"single", "multi", "score"}
        As of the model.
    names : tuple of str
        Classes, attributes or scores.
    complete : bool
        Whether these are all classes of the model, or those that occur.
    label : list of str or None
        ``[n]``, for ``"single"``.
    values : numpy.ndarray
        ``[n, k]``: 0, 1 or NaN for ``"multi"``, numbers or NaN for ``"score"``; no columns for ``"single"``.
    probs : numpy.ndarray or None
        ``[n, k]``.
    prob : numpy.ndarray or None
        ``[n]``, of the label.
    errors : list of str or None
        ``[n]``.
    images : list of str or None
        ``[n]``: what the photographs are called.
    notes : tuple of str
        What the user should know.
    """

    frame: pd.DataFrame
    task: str
    names: tuple[str, ...]
    complete: bool
    label: list[str | None]
    values: Floats
    probs: Floats | None
    prob: Floats | None
    errors: list[str | None]
    images: list[str | None]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)


def read_predicted(predictions: Any, image_col: str = "image", label_col: str | Sequence[str] = "label") -> Predicted:
    """Read predictions as `classify_images` and `cross_validate` write them.

    Parameters
    ----------
    predictions : data frame or table file
        With ``label`` (and ``prob``, ``prob_<class>``), or ``<attribute>`` and ``prob_<attribute>``, or
        ``score_<name>``.
    image_col : str
        The column with the paths, where it is not ``image``.
    label_col : str or list of str
        Names of attributes, where they have no probabilities.

    Raises
    ------
    ArgumentInvalid
        There are no such columns, or probabilities are not between 0 and 1.
    """
    frame = as_frame(predictions, "predictions")
    if not len(frame):
        raise ArgumentInvalid("`predictions` has no rows, so there is nothing to evaluate.")
    errors = [None if is_missing(value) else str(value) for value in _column(frame, "error", True)]
    failed = np.array([error is not None for error in errors])
    own = image_col if image_col in frame.columns else "image"
    images = [key(value) for value in _column(frame, own, True)]
    task, names = _task(frame, [label_col] if isinstance(label_col, str) else list(label_col))
    if task == "single":
        return _single(frame, failed, errors, images)
    label: list[str | None] = [None] * len(frame)
    probs = None
    if task == "score":
        values = np.stack([_numbers(frame, f"score_{name}") for name in names], axis=1)
    else:
        values = _yes_or_no(frame, names)
        if all(f"prob_{name}" in frame.columns for name in names):
            probs = _probs(frame, names)
    values[failed] = np.nan
    notes: tuple[str, ...] = ()
    if probs is not None and np.isnan(probs[~np.isnan(values)]).any():
        probs, notes = None, (_no_probs(),)
    return Predicted(frame, task, tuple(names), True, label, values, probs, None, errors, images, notes)


def key(value: Any) -> str | None:
    """Return what a photograph or a class is called, by which tables are matched; None where that is missing.

    A CSV file that this package wrote has an apostrophe before names that a spreadsheet would take for a formula.
    """
    if is_missing(value):
        return None
    text = os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else value
    text = text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else class_text(text)
    return text[1:] if FORMULA.match(text) else text


def _task(frame: pd.DataFrame, label_col: Sequence[str]) -> tuple[str, list[str]]:
    """Return the task, and the names of attributes or scores."""
    have = frame.columns.tolist()
    attributes = [name for name in have if f"prob_{name}" in have]
    scores = [name.removeprefix("score_") for name in have if name.startswith("score_")]
    if "label" in have and ("prob" in have or not (attributes or scores)):
        return "single", []
    if attributes:
        return "multi", attributes
    if scores:
        return "score", scores
    plain = [name for name in label_col if name in have]
    if plain:
        return "multi", plain
    raise ArgumentInvalid(
        '`predictions` has no column "label", no attributes with "prob_<attribute>" and no "score_<name>" '
        f"(it has: {quoted(have, 20)}). Give a table that classify_images or cross_validate made."
    )


def _single(frame: pd.DataFrame, failed: Flags, errors: list[str | None], images: list[str | None]) -> Predicted:
    column = _column(frame, "label")
    given = [None if bad else _class(value) for value, bad in zip(column, failed, strict=True)]
    found = {name for name in given if name is not None}
    columns = {name.removeprefix("prob_"): name for name in frame.columns if name.startswith("prob_")}
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = list(dict.fromkeys(_class(level) or "" for level in column.cat.categories))
    elif columns and found <= set(columns):
        names = list(columns)
    else:
        names = sorted(found)
    complete = isinstance(column.dtype, pd.CategoricalDtype) or names == list(columns)
    probs = _probs(frame, names) if names and set(names) <= set(columns) else None
    prob = _probs(frame, [""], "prob")[:, 0] if "prob" in frame.columns else None
    known = np.array([name is not None for name in given])
    if probs is not None and prob is None:
        place = {name: i for i, name in enumerate(names)}
        prob = np.full(len(frame), np.nan)
        prob[known] = probs[known, [place[name] for name in given if name is not None]]
    notes: tuple[str, ...] = ()
    if prob is not None and np.isnan(prob[known]).any():
        prob, notes = None, (_no_probs(),)
    if probs is not None and np.isnan(probs[known]).any():
        probs, notes = None, (_no_probs(),)
    values = np.empty((len(frame), 0))
    return Predicted(frame, "single", tuple(names), complete, given, values, probs, prob, errors, images, notes)


def _no_probs() -> str:
    return "Some predictions have no probabilities, so figures that rest on probabilities are left out."


def _class(value: Any) -> str | None:
    return key(None if is_missing(value) else class_text(value))


def _column(frame: pd.DataFrame, name: str, optional: bool = False) -> pd.Series[Any]:
    count = frame.columns.tolist().count(name)
    if count > 1:
        raise ArgumentInvalid(f'`predictions` has {count} columns named "{name}"; rename the others.')
    return pd.Series([None] * len(frame), dtype=object) if optional and not count else frame[name]


def _yes_or_no(frame: pd.DataFrame, names: list[str]) -> Floats:
    answers, _ = numbered(long_answers(frame, names, None), names, "multi")
    values = np.full((len(frame), len(names)), np.nan)
    values[answers["row"], answers["name_code"]] = answers["number"]
    return values


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    column = pd.to_numeric(_column(frame, name), errors="coerce")
    values = np.array(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    values[np.isinf(values)] = np.nan
    return values


def _probs(frame: pd.DataFrame, names: Sequence[str], prefix: str = "prob_") -> Floats:
    values = np.stack([_numbers(frame, prefix + name) for name in names], axis=1)
    outside = (values < -1e-6) | (values > 1 + 1e-6)
    if outside.any():
        row, i = np.argwhere(outside)[0]
        raise ArgumentInvalid(
            f'"{prefix}{names[i]}" of `predictions` holds {values[row, i]:g}; probabilities lie between 0 and 1.'
        )
    return np.asarray(np.clip(values, 0, 1))
