"""The answers of coders as a table: one row an answer, in whatever columns they came, and as numbers."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from .errors import ArgumentInvalid, ImageColumnMissing, LabelsInvalid, quoted
from .tablefiles import read_table
from .tables import to_frame

MOST_NUMBERED_CLASSES = 10
NA = "NA"
NOT_CODED = {"na": np.nan, "n/a": np.nan, "nan": np.nan}
LABELS = "a folder of class folders, a data frame or a table file"
YES_NO = {"0": 0.0, "1": 1.0, "no": 0.0, "yes": 1.0, "false": 0.0, "true": 1.0, **NOT_CODED}


def as_frame(table: Any, argument: str, wanted: str = "a data frame or a table file") -> pd.DataFrame:
    """Return a table in whatever form it is given as pandas, with text as names of columns."""
    if isinstance(table, str | os.PathLike):
        table = read_table(table)
    if isinstance(table, pd.DataFrame):
        frame = table.reset_index(drop=True)
    elif hasattr(table, "__arrow_c_stream__"):
        try:
            frame = to_frame(pa.table(table).replace_schema_metadata(None))
        except pa.ArrowInvalid:
            raise ArgumentInvalid(f"`{argument}` is one column; give a data frame.") from None
    else:
        raise ArgumentInvalid(f"`{argument}` is a {type(table).__name__}; give {wanted}.")
    return frame.set_axis([str(name) for name in frame.columns], axis="columns")


def take_column(frame: pd.DataFrame, name: str, argument: str) -> pd.Series[Any]:
    """Return a column of a table of labels, or raise an error that names the argument."""
    have = [str(column) for column in frame.columns]
    if have.count(name) != 1:
        kind = ImageColumnMissing if argument == "image_col" else ArgumentInvalid
        how = "no such column" if name not in have else "several columns of this name"
        raise kind(f'`{argument}` is "{name}"; the table has {how} (it has: {quoted(have, 20)}).')
    return frame[name]


def label_columns(label_col: str | Sequence[str], coders: str | Sequence[str] | None) -> list[str]:
    """Return the names of what is labelled: classes, attributes or scores."""
    columns = [label_col] if isinstance(label_col, str) else [str(name) for name in label_col]
    if not columns or len(set(columns)) < len(columns):
        raise ArgumentInvalid(f"`label_col` is {label_col!r}; name each column once.")
    if coders is not None and not isinstance(coders, str):
        if len(set(coders)) < max(2, len(coders)):
            raise ArgumentInvalid(f"`coders` is {coders!r}; name one column for each of two coders or more.")
        if len(columns) > 1:
            raise ArgumentInvalid(
                "`coders` names a column for each coder and `label_col` names several: with several attributes or "
                "scores, give one row for each coder's answer, and in `coders` the column that names the coder."
            )
    return columns


def long_answers(frame: pd.DataFrame, columns: list[str], coders: str | Sequence[str] | None) -> pd.DataFrame:
    """Return one row for each answer that is not missing.

    Returns
    -------
    pandas.DataFrame
        ``row`` (of `frame`), ``coder`` ("" without coders), ``name`` (one of `columns`), ``column`` (in which it was),
        ``value`` (as it was given).
    """
    who: pd.Series[Any] | None = None
    if coders is None or isinstance(coders, str):
        if coders is not None:
            who = take_column(frame, coders, "coders")
        given = [("", name, take_column(frame, name, "label_col")) for name in columns]
    else:
        given = [(name, columns[0], take_column(frame, name, "coders")) for name in map(str, coders)]
    parts = []
    for coder, name, column in given:
        values = column.astype(object)
        rows = np.flatnonzero([not is_missing(value) for value in values])
        part = pd.DataFrame({"row": rows, "coder": coder, "name": name, "column": str(column.name)})
        part["value"] = pd.Series(values.to_numpy()[rows], dtype=object)
        if who is not None:
            nameless = [row for row in rows.tolist() if is_missing(who.iloc[row])]
            if nameless:
                raise LabelsInvalid(
                    f'{len(nameless):,} row(s) have a label in "{name}" and no coder in "{coders}", for instance row '
                    f"{nameless[0] + 1:,}. Name the coder, or leave these rows out."
                )
            part["coder"] = [class_text(value) for value in who.iloc[rows]]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def drop_repeats(answers: pd.DataFrame, names: Sequence[str], coded: bool, notes: list[str]) -> pd.DataFrame:
    """Return the answers without those that are given twice; raise `LabelsInvalid` where two contradict each other.

    Parameters
    ----------
    answers : pandas.DataFrame
        With ``photograph``, ``coder``, ``name`` and ``text``.
    names : list of str
        Of the photographs.
    coded : bool
        Whether there are coders.
    notes : list of str
        A note is added where something is dropped.
    """
    key = ["photograph", "coder", "name"]
    repeats = answers.duplicated(key)
    if not repeats.any():
        return answers
    kinds = answers[answers.duplicated(key, keep=False)].groupby(key, sort=False)["text"].unique()
    against = kinds[kinds.map(len) > 1]
    if len(against):
        who = against.head(3).index.to_frame(index=False)
        shown = [
            f"{names[row]!r}{f' by {coder}' if coded else ''} ({quoted(map(repr, texts), 4)})"
            for row, coder, texts in zip(who["photograph"], who["coder"], against.head(3), strict=True)
        ]
        cure = "Keep one of them" if coded else 'Are these several coders? Then pass coders="<column with their names>"'
        raise LabelsInvalid(
            f"{len(against):,} photograph(s) have labels that contradict each other: {'; '.join(shown)}. {cure}."
        )
    notes.append(
        f"{answers[repeats]['row'].nunique():,} row(s) repeat a photograph's label; each photograph counts once."
    )
    return answers[~repeats]


def class_text(value: Any, numeric: bool = False) -> str:
    """Return a label as the name of a class: "true", "1" (also of 1.0), "1.5", or the text without outer blanks.

    With `numeric`, true is "1": the other values of its column are numbers.
    """
    if isinstance(value, bool | np.bool_) and not numeric:
        return "true" if value else "false"
    if isinstance(value, numbers.Integral | np.bool_):
        return str(int(value))
    if _is_number(value):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value).strip().encode("utf-8", "backslashreplace").decode()  # a file name may hold half an emoji


def are_numbers(values: Iterable[Any]) -> bool:
    """Say whether labels are numbers, which logical values alone are not."""
    values = list(values)
    return all(map(_is_number, values)) and not all(isinstance(value, bool | np.bool_) for value in values)


def are_scores(values: Iterable[Any]) -> bool:
    """Say whether numbers are a measure rather than the numbers of classes: more than 10 of them, or decimals."""
    distinct = {float(value) for value in values}
    return len(distinct) > MOST_NUMBERED_CLASSES or not all(number.is_integer() for number in distinct)


def is_missing(value: Any) -> bool:
    """Say whether a value is missing: also an empty text, and the text "NA", which a table file cannot tell from it."""
    if isinstance(value, str):
        return value.strip() in ("", NA)
    if not pd.api.types.is_scalar(value) and not isinstance(value, os.PathLike):
        raise LabelsInvalid(f"One value is {value!r}, a {type(value).__name__}; give text, numbers, or true and false.")
    return bool(pd.isna(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real | Decimal | np.bool_)


def _yes_or_no(value: Any) -> float | None:
    """Return 1, 0, NaN where it is not coded, or None where it is something else."""
    if _is_number(value):
        return float(value) if value in (0, 1) else None
    return YES_NO.get(str(value).strip().lower())


def _score(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return np.nan if str(value).strip().lower() in NOT_CODED else None
    return None if np.isinf(number) else number


def decide(answers: pd.DataFrame, columns: list[str], task: str, notes: list[str]) -> str:
    distinct = [pd.unique(answers.loc[answers["name"] == name, "value"]).tolist() for name in columns]
    if task != "auto":
        if task == "single" and len(columns) > 1:
            raise ArgumentInvalid(
                '`task` is "single" and `label_col` names several columns; a class of each photograph is in one column.'
            )
        return task
    if len(columns) == 1:
        (values,) = distinct
        if not are_numbers(values):
            return "single"
        if not are_scores(values):
            classes = quoted(map(str, sorted({class_text(value, True) for value in values}, key=float)), 10)
            notes.append(f'The numbers in "{columns[0]}" are taken as classes ({classes}). Scores? Pass task="score".')
            return "single"
        if all(float(value).is_integer() for value in values):
            notes.append(f'The numbers in "{columns[0]}" are taken as a score. Classes? Pass task="single".')
        return "score"
    others = [[value for value in values if _yes_or_no(value) is None] for values in distinct]
    if not any(others):
        return "multi"
    if not all(others) or max(map(len, others)) == 1:  # it looks like attributes with a slip of the pen
        strange = [f'{value!r} in "{name}"' for name, values in zip(columns, others, strict=True) for value in values]
        notes.append(
            f"Not all answers are yes or no ({quoted(strange, 3)}), so all of {listed(columns)} are taken as scores. "
            'Attributes? Correct these answers, or pass task="multi".'
        )
    return "score"


def numbered(answers: pd.DataFrame, columns: list[str], task: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add ``name_code``, ``number`` (class code; 0 or 1; score) and ``text`` to the answers; return also the names."""
    parts, classes = [], columns
    for code, name in enumerate(columns):
        part = answers[answers["name"] == name]
        codes, distinct = pd.factorize(part["value"])
        if task == "single":
            numeric = are_numbers(distinct)
            texts = [class_text(value, numeric) for value in distinct]
            classes = sorted(set(texts), key=float if numeric else None)
            found: list[float | None] = [float(classes.index(text)) for text in texts]
        else:
            found = [_yes_or_no(value) if task == "multi" else _score(value) for value in distinct]
            texts = [class_text(number) for number in found]
            strange = [value for value, number in zip(distinct, found, strict=True) if number is None]
            if strange:
                column = part["column"].iloc[int(np.argmax(codes == found.index(None)))]
                raise LabelsInvalid(
                    f'"{column}" holds {quoted(map(repr, strange), 3)}; a score is a number, an attribute 0 or 1, true '
                    "or false, yes or no, and either is missing where it is not coded."
                )
        numbers_ = np.array(found, dtype=float)
        parts.append(part.assign(name_code=code, number=numbers_[codes], text=np.array(texts, dtype=object)[codes]))
    table = pd.concat(parts, ignore_index=True)
    return table[table["number"].notna()], tuple(classes)


def put_together(answers: pd.DataFrame, n: int, k: int, task: str, notes: list[str]) -> npt.NDArray[np.float64]:
    """Put the coders' answers together, ``[n, k]``."""
    number = answers["number"].to_numpy()
    column = number.astype(np.int64) if task == "single" else answers["name_code"].to_numpy()
    counts, sums = _counts_and_sums(answers, column, n, k)
    if task == "single":
        total, most = counts.sum(axis=1, keepdims=True), counts.max(axis=1, keepdims=True)
        ties = int(((counts == most).sum(axis=1) > 1)[total[:, 0] > 0].sum())
        if ties:
            notes.append(
                f"The coders are tied on {ties:,} of {n:,} photographs; of the tied classes the first in the order of "
                "the classes is taken. A further coder for these photographs would settle it."
            )
        return np.asarray(np.divide(counts, total, out=counts, where=total > 0))
    mean = _mean(sums, counts)
    if task == "score":
        return mean
    tied = mean == 0.5
    if tied.any():
        notes.append(
            f"The coders are tied on {int(tied.sum()):,} answer(s), which count as not coded. What remains is easier "
            "than what was coded, so accuracy on it flatters; a further coder would settle the ties."
        )
    return np.where(tied | np.isnan(mean), np.nan, (mean > 0.5).astype(float))


def share_of_yes(answers: pd.DataFrame, n: int, k: int) -> npt.NDArray[np.float64]:
    """Return the share of coders who said yes to each attribute, ``[n, k]``, NaN where nobody coded it."""
    return _mean(*reversed(_counts_and_sums(answers, answers["name_code"].to_numpy(), n, k)))


def _counts_and_sums(
    answers: pd.DataFrame, column: npt.NDArray[Any], n: int, k: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    counts, sums = np.zeros((n, k)), np.zeros((n, k))
    row = answers["photograph"].to_numpy()
    np.add.at(counts, (row, column), 1)
    np.add.at(sums, (row, column), answers["number"].to_numpy())
    return counts, sums


def _mean(sums: npt.NDArray[np.float64], counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def listed(names: Iterable[str]) -> str:
    return quoted(f'"{name}"' for name in names)
