"""Find the truth about photographs that were predicted: in a column, a list, a table of hand labels or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .agreement import ceiling
from .answers import (
    as_frame,
    class_text,
    drop_repeats,
    is_missing,
    label_columns,
    long_answers,
    numbered,
    put_together,
    take_column,
)
from .errors import ArgumentInvalid, KeysInvalid, LabelsInvalid, quoted
from .images import ImageList
from .labels import Labels, read_folders
from .metrics import Codes, Floats
from .predicted import Predicted, key
from .tablefiles import TABLE_SUFFIXES

NAME = "truth"  # of the only column, where the truth is a list


@dataclass(frozen=True)
class Truth:
    """What is true of each row of the predictions.

    Attributes
    ----------
    names : tuple of str
        Attributes or scores; classes for ``"single"``.
    label : list of str or None
        ``[n]``, for ``"single"``.
    values : numpy.ndarray
        ``[n, k]`` for ``"multi"`` and ``"score"``, NaN where it is not known.
    ceiling : float or None
        How far coders agree.
    table : pandas.DataFrame or None
        The table of hand labels, if there is one.
    place : numpy.ndarray or None
        For each row of it, a row of the predictions about the same photograph, or -1.
    photograph : numpy.ndarray or None
        ``[n]``: for each row of the predictions the first row about the same photograph.
    notes : tuple of str
        What the user should know.
    labels : Labels or None
        What several coders said.
    """

    names: tuple[str, ...]
    label: list[str | None]
    values: Floats
    ceiling: float | None = None
    table: pd.DataFrame | None = None
    place: Codes | None = None
    photograph: Codes | None = None
    notes: tuple[str, ...] = ()
    labels: Labels | None = None

    def column(self, frame: pd.DataFrame, name: str, argument: str) -> list[str | None]:
        """Return a column of the predictions, or else of the truth, as text for each row of the predictions."""
        if name in frame.columns:
            column = take_column(frame, name, argument)
            return [None if is_missing(value) else class_text(value) for value in column]
        if self.table is None or name not in self.table.columns:
            have = [*frame.columns, *([] if self.table is None else self.table.columns)]
            raise ArgumentInvalid(
                f'`{argument}` is "{name}"; neither the predictions nor the truth have such a column (they have: '
                f"{quoted(dict.fromkeys(have), 20)})."
            )
        assert self.place is not None
        assert self.photograph is not None
        first: dict[int, str] = {}
        for row, value in zip(self.place.tolist(), take_column(self.table, name, argument), strict=True):
            if row >= 0 and not is_missing(value):
                first.setdefault(row, class_text(value))
        return [first.get(row) for row in self.photograph.tolist()]


def read_truth(
    truth: Any,
    predicted: Predicted,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    coders: str | Sequence[str] | None = None,
) -> Truth:
    """Find the truth, in whatever shape it comes.

    Parameters
    ----------
    truth : str, list, table or folder
        As in `evaluate_predictions`.
    predicted : Predicted
        The predictions.
    image_col, label_col, coders
        Of a table of hand labels, as in `read_labels`.

    Raises
    ------
    KeysInvalid
        A table of hand labels and the predictions have no photograph in common.
    LabelsInvalid, ArgumentInvalid, ImageColumnMissing, TableUnreadable
    """
    if isinstance(truth, Labels):
        return _of_labels(truth, predicted)
    own = _own_columns(truth, predicted)
    if own is None and _is_list(truth):
        own = pd.DataFrame({NAME: _listed(truth, predicted)})
    if own is not None:
        if coders is not None:
            raise ArgumentInvalid("`coders` is for a table of hand labels; give one as `truth`.")
        return _gathered(own, own.columns.tolist(), None, np.arange(len(own)), predicted)
    notes: list[str] = []
    if isinstance(truth, str | os.PathLike) and os.path.isdir(os.path.expanduser(truth)):
        found, table = read_folders(os.fspath(truth), None, notes)
        names: Iterable[Any] = found.names
        columns = ["label"]
    else:
        if isinstance(truth, str) and Path(truth).suffix.lower() not in TABLE_SUFFIXES:
            raise ArgumentInvalid(
                f'`truth` is "{truth}"; there is no such column (the predictions have: '
                f"{quoted(predicted.frame.columns, 20)}), folder or table file."
            )
        table = as_frame(truth, "truth")
        names = take_column(table, image_col, "image_col")
        columns = _truth_columns(table, label_col, coders, predicted)
    place, photograph = _match(names, predicted, notes)
    return _gathered(table, columns, coders, place, predicted, photograph, notes)


# -- where the truth is ------------------------------------------------------------------------------------------------


def _own_columns(truth: Any, predicted: Predicted) -> pd.DataFrame | None:
    """Return the columns of the predictions that are the truth, None where it is somewhere else."""
    frame = predicted.frame
    have = frame.columns.tolist()
    if isinstance(truth, str):
        each = [f"{truth}_{name}" for name in predicted.names]
        if truth in have:
            columns = [truth]
        elif predicted.task != "single" and any(name in have for name in each):
            columns = [name for name in each if name in have]
        else:
            return None
    elif isinstance(truth, list | tuple) and truth and all(isinstance(name, str) and name in have for name in truth):
        if predicted.task == "single" and len(truth) != 1:
            return None  # labels that happen to be names of columns
        columns = list(truth)
    else:
        return None
    said = {"single": ["label"], "multi": predicted.names, "score": [f"score_{name}" for name in predicted.names]}
    both = [name for name in columns if name in said[predicted.task]]
    if both:
        raise ArgumentInvalid(f"`truth` is {quoted(both)}, which the model predicted; name the column of hand labels.")
    return pd.DataFrame({name: take_column(frame, name, "truth") for name in columns})


def _is_list(truth: Any) -> bool:
    if isinstance(truth, str | bytes | os.PathLike | pd.DataFrame | Mapping):
        return False
    if isinstance(truth, pa.Array | pa.ChunkedArray | pd.Series | np.ndarray):
        return True
    if hasattr(truth, "__arrow_c_stream__"):
        try:
            pa.table(truth)
        except pa.ArrowInvalid:  # one column, not a table
            return True
        return False
    return isinstance(truth, Iterable)


def _listed(truth: Any, predicted: Predicted) -> pd.Series[Any]:
    if hasattr(truth, "__arrow_c_stream__") and not isinstance(truth, pd.Series):
        truth = pa.chunked_array(truth)
    if isinstance(truth, pa.Array | pa.ChunkedArray):
        truth = truth.to_pylist()
    values = list(truth)
    if len(values) != len(predicted):
        raise ArgumentInvalid(
            f"`truth` has {len(values):,} labels and `predictions` {len(predicted):,} rows; give one label for each "
            "row, in the same order, or a table with the paths."
        )
    if predicted.task != "single" and len(predicted.names) != 1:
        raise ArgumentInvalid(
            f"`truth` is a list, and the predictions are about {quoted(predicted.names)}; give a table with a column "
            "for each."
        )
    return pd.Series(values, dtype=object)


def _truth_columns(
    table: pd.DataFrame, label_col: str | Sequence[str], coders: str | Sequence[str] | None, predicted: Predicted
) -> list[str]:
    """Return the columns of a table of hand labels."""
    columns = label_columns(label_col, coders)
    if predicted.task == "single" and len(columns) > 1:
        raise ArgumentInvalid(f"`label_col` is {label_col!r}; the predictions are of exclusive classes: one column.")
    several = coders is None or isinstance(coders, str)
    if predicted.task != "single" and several and columns == ["label"] and "label" not in table.columns:
        columns = [name for name in predicted.names if name in table.columns]
        if not columns:
            raise ArgumentInvalid(
                f"`truth` has no column for {quoted(predicted.names)} (it has: {quoted(table.columns, 20)}). Name the "
                "columns in label_col=."
            )
    return columns


def _match(names: Iterable[Any], predicted: Predicted, notes: list[str]) -> tuple[Codes, Codes]:
    """Return for each photograph of the truth its first row in the predictions (-1: none), and the same for these."""
    if all(image is None for image in predicted.images):
        raise ArgumentInvalid(
            '`predictions` has no column "image" with paths to match the truth by; name it in image_col=, or give the '
            "truth as a list."
        )
    first: dict[str, int] = {}
    for row, image in enumerate(predicted.images):
        if image is not None:
            first.setdefault(image, row)
    keys = [key(name) for name in names]
    place = np.array([-1 if name is None else first.get(name, -1) for name in keys], np.int64)
    photograph = np.array([-1 if image is None else first[image] for image in predicted.images], np.int64)
    there = list(dict.fromkeys(name for name in keys if name is not None))
    without = [name for name in there if name not in first]
    if not (place >= 0).any():
        hint = ""
        if {os.path.basename(name) for name in there} & {os.path.basename(name) for name in first}:
            hint = " The file names match without their folders: write the paths alike in both."
        raise KeysInvalid(
            f"No photograph of `truth` ({quoted(map(repr, there), 3)}) is in `predictions` "
            f"({quoted(map(repr, first), 3)}).{hint}"
        )
    if without:
        notes.append(
            f"{len(without):,} of {len(there):,} photographs with a truth have no prediction, for instance "
            f"{quoted(map(repr, without), 3)}."
        )
    return place, photograph


# -- what it says ------------------------------------------------------------------------------------------------------


def _gathered(
    table: pd.DataFrame,
    columns: list[str],
    coders: str | Sequence[str] | None,
    place: Codes,
    predicted: Predicted,
    photograph: Codes | None = None,
    notes: Sequence[str] = (),
) -> Truth:
    """Put the answers about each photograph together."""
    said, task, n = list(notes), predicted.task, len(predicted)
    answers = long_answers(table, columns, coders)
    answers = answers.assign(photograph=place[answers["row"].to_numpy(np.int64)])
    answers = answers[answers["photograph"] >= 0]
    if not len(answers):
        raise LabelsInvalid(f"No photograph has a truth in {quoted(columns)}, so there is nothing to compare with.")
    answers, classes = numbered(answers, columns, task)
    images = [image or "" for image in predicted.images]
    answers = drop_repeats(answers, images, coders is not None, said)
    values = put_together(answers, n, len(classes), task, said)
    labelled = np.bincount(answers["photograph"], minlength=n) > 0
    labels = None if coders is None else _as_labels(answers, images, task, classes, values)
    agreed = None if labels is None else ceiling(labels)
    rows = np.arange(n) if photograph is None else photograph
    label: list[str | None] = [None] * n
    if task == "single":
        best = values.argmax(axis=1)
        label = [key(classes[best[row]]) if row >= 0 and labelled[row] else None for row in rows.tolist()]
        return Truth(classes, label, np.empty((n, 0)), agreed, table, place, rows, tuple(said), labels)
    names = _names(columns, predicted)
    values = np.where(rows[:, None] >= 0, values[rows], np.nan)
    return Truth(names, label, values, agreed, table, place, rows, tuple(said), labels)


def _as_labels(answers: pd.DataFrame, images: list[str], task: str, classes: Sequence[str], values: Floats) -> Labels:
    texts = {"coder": answers["coder"], "name": answers["name"], "value": answers["text"]}
    table = pa.table(
        {
            "row": pa.array(answers["photograph"].to_numpy(np.int64)),
            **{name: pa.array(column.tolist(), pa.string()) for name, column in texts.items()},
        }
    )
    return Labels(ImageList(list(images), list(images)), task, tuple(classes), values, np.arange(len(images)), table)


def _names(columns: Sequence[str], predicted: Predicted) -> tuple[str, ...]:
    """Return which attribute or score each column is about."""
    if len(columns) == len(predicted.names) == 1:
        return predicted.names
    found = []
    for column in columns:
        about = [name for name in predicted.names if column in (name, f"{NAME}_{name}") or column.endswith(f"_{name}")]
        if not about:
            raise ArgumentInvalid(f'"{column}" is about none of what was predicted ({quoted(predicted.names, 20)}).')
        exact = [name for name in about if column == name]
        found.append(exact[0] if exact else max(about, key=len))
    if len(set(found)) < len(found):
        raise ArgumentInvalid(f"{quoted(columns)} are about {quoted(found)}; give one column for each.")
    return tuple(found)


def _of_labels(labels: Labels, predicted: Predicted) -> Truth:
    """Take the truth from labels that were read before."""
    if labels.task != predicted.task:
        raise ArgumentInvalid(f'`truth` is of the task "{labels.task}" and `predictions` of "{predicted.task}".')
    notes = list(labels.notes)
    place, photograph = _match(labels.images.names, predicted, notes)
    n, agreed = len(predicted), ceiling(labels)
    source = np.full(n, -1)
    source[place[place >= 0]] = np.flatnonzero(place >= 0)
    rows = np.where(photograph >= 0, source[photograph], -1)
    label: list[str | None] = [None] * n
    if labels.task == "single":
        label = [labels.names[labels.codes[row]] if row >= 0 else None for row in rows.tolist()]
        return Truth(labels.names, label, np.empty((n, 0)), agreed, notes=tuple(notes), labels=labels)
    values = np.where(rows[:, None] >= 0, labels.values[rows], np.nan)
    return Truth(_names(labels.names, predicted), label, values, agreed, notes=tuple(notes), labels=labels)
