"""Read predicted variables, hand labels and what belongs to them from the columns of a data frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ..answers import as_frame, take_column
from ..errors import ArgumentInvalid, LabelsInvalid, quoted
from ..intervals import check_whole
from ..tables import provenance_of
from .crossfit import Variable
from .sandwich import Codes, Floats

Columns = Mapping[str, str | Sequence[str]]
PREFIX = "prob_"


@dataclass(frozen=True)
class Given:
    """The rows that can be used, and their columns.

    Attributes
    ----------
    rows : numpy.ndarray
        ``[n]``: where they are in the data frame, from 0.
    left_out : int
        How many others there are.
    frame : pandas.DataFrame
        ``n`` rows: the columns that were not predicted, in the order of the alphabet.
    variables : list of Variable
        What was predicted.
    prob, weights : numpy.ndarray, optional
        ``[n]``: the probability of being labelled, NaN where it is not given; the weight.
    cluster, absorb : numpy.ndarray, optional
        ``[n]``, from 0 without gaps.
    promised : numpy.ndarray, optional
        The cross-validated accuracy of the model that made the predictions, with its interval, where the data frame
        knows it.
    """

    rows: Codes
    left_out: int
    frame: pd.DataFrame
    variables: list[Variable]
    prob: Floats | None
    weights: Floats | None
    cluster: Codes | None
    absorb: Codes | None
    promised: Floats | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        left = [f"{self.left_out:,} row(s) with missing values are left out."] if self.left_out else []
        return (*left, *(note for variable in self.variables for note in self._too_good(variable)))

    def _too_good(self, variable: Variable) -> Iterator[str]:
        """Yield a note where labels are predicted better than the model can on photographs that it has not seen."""
        known = ~np.isnan(variable.labels) & ~variable.missing
        if self.promised is None or not known.any() or not (variable.levels or variable.binary):
            return
        right = float((variable.labels[known] == variable.predicted[known]).mean())
        if right > self.promised[-1]:
            yield (
                f"The predictions of {variable.name} are right in {right:.1%} of the labelled rows; the model's "
                f"cross-validation found {self.promised[0]:.1%}, at most {self.promised[-1]:.1%}. It has probably "
                "learnt from these rows: use out-of-fold predictions for them, as cross_validate makes them."
            )

    def others(self, counts: Sequence[str] = ()) -> Floats:
        """Return ``[n, q]``, what else is known of the rows: categories as dummies, counts as log(1 + count)."""
        parts: list[Floats] = []
        for name in self.frame.columns:
            column = self.frame[name]
            if not _numeric(column):
                parts.append(pd.get_dummies(column.astype("string"), drop_first=True).to_numpy(float))
                continue
            numbers = _numbers(column)
            parts.append((np.log1p(np.clip(numbers, 0, None)) if name in counts else numbers)[:, None])
        return np.column_stack(parts) if parts else np.zeros((len(self.frame), 0))


def read_columns(
    data: Any,
    plain: Sequence[str],
    predicted: Columns,
    labelled: Mapping[str, str],
    sampling_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    absorb: str | None = None,
) -> Given:
    """Return the rows of a data frame that have a value in all columns but those of predictions and labels.

    Parameters
    ----------
    data : data frame or table file
        One row for each observation.
    plain : list of str
        Columns that were not predicted.
    predicted, labelled, sampling_prob, cluster, weights, absorb
        As in `regress`.

    Raises
    ------
    ArgumentInvalid, LabelsInvalid
        The columns are not there, or not what they should be.
    """
    frame = as_frame(data, "data")
    if not predicted or set(predicted) != set(labelled):
        raise ArgumentInvalid(
            f"`predicted` names {quoted(predicted) or 'nothing'} and `labelled` names {quoted(labelled) or 'nothing'}; "
            "both must name the predicted variables."
        )
    have = set(frame.columns)
    absent = [name for name in sorted(plain) if name not in have]
    if absent:
        raise ArgumentInvalid(f"`data` has no column {quoted(absent)} (it has: {quoted(frame.columns, 20)}).")
    base = pd.DataFrame({name: take_column(frame, name, "formula") for name in sorted(plain)}, index=frame.index)
    named = {"sampling_prob": sampling_prob, "cluster": cluster, "weights": weights, "absorb": absorb}
    given = {key: take_column(frame, name, key) for key, name in named.items() if name is not None}
    keep = ~base.isna().any(axis=1).to_numpy(bool) if len(base.columns) else np.ones(len(frame), bool)
    for key, column in given.items():
        keep &= (key == "sampling_prob") | ~column.isna().to_numpy(bool)
    if not keep.any():
        raise ArgumentInvalid("No row of `data` has a value in all columns that are needed.")
    here = frame[keep].reset_index(drop=True)
    numbers = {key: _numbers(given[key][keep]) for key in ("sampling_prob", "weights") if key in given}
    groups = {key: pd.factorize(given[key][keep])[0].astype(np.int64) for key in ("cluster", "absorb") if key in given}
    return Given(
        np.flatnonzero(keep),
        int((~keep).sum()),
        base[keep].reset_index(drop=True),
        [read_variable(here, name, predicted[name], labelled[name]) for name in predicted],
        numbers.get("sampling_prob"),
        numbers.get("weights"),
        groups.get("cluster"),
        groups.get("absorb"),
        _promised(data),
    )


def _promised(data: Any) -> Floats | None:
    provenance = provenance_of(data) if isinstance(data, pa.Table) else getattr(data, "attrs", {}).get("imagesasdata")
    promised = (provenance or {}).get("cross_validated_accuracy")
    return None if promised is None else np.asarray(promised, float)


def read_variable(frame: pd.DataFrame, name: str, columns: str | Sequence[str], labelled: str) -> Variable:
    """Return a predicted variable: a number where labels and predictions are numbers, otherwise a category.

    Where the one column of predictions is ``prob_<class>`` and the labels are text, the variable is 1 where the label
    is this class.
    """
    labels = take_column(frame, labelled, "labelled")
    several = [columns] if isinstance(columns, str) else [str(column) for column in columns]
    given = [take_column(frame, column, "predicted") for column in several]
    if not given:
        raise ArgumentInvalid(f'`predicted` names no column for "{name}".')
    if len(given) == 1 and _numeric(given[0]):
        if not _numeric(labels):
            labels = _of_class(labels, several[0], labelled)
        return Variable(name, _numbers(labels), _numbers(given[0]))
    if len(given) == 1:
        levels = tuple(sorted({*labels.dropna().astype(str), *given[0].dropna().astype(str)}))
        codes = _codes(given[0], levels)
        predictions = np.where(codes[:, None] < 0, np.nan, np.eye(len(levels))[codes])
    else:
        levels = tuple(column.removeprefix(PREFIX) for column in several)
        predictions = np.column_stack([_numbers(column) for column in given])
    codes = _codes(labels, levels)
    unknown = labels[(codes < 0) & labels.notna().to_numpy()]
    if len(unknown):
        raise LabelsInvalid(
            f'"{labelled}" has labels that are none of the predicted classes ({quoted(levels)}), for instance '
            f"{unknown.iloc[0]!r}. Give a column of probabilities for each class."
        )
    return Variable(name, np.where(codes < 0, np.nan, codes.astype(float)), predictions, levels)


def check_splits(folds: int, repeats: int) -> None:
    """Raise `ArgumentInvalid` where there cannot be so many folds or random splits."""
    for argument, value, least in (("folds", folds, 2), ("repeats", repeats, 1)):
        if check_whole(argument, value) < least:
            raise ArgumentInvalid(f"`{argument}` is {value}; it must be {least} or more.")


def _of_class(labels: pd.Series[Any], column: str, labelled: str) -> pd.Series[Any]:
    """Return text labels as 1 where they are the class that a column of probabilities is about, else 0."""
    name = column.removeprefix(PREFIX)
    known = labels.notna()
    if not column.startswith(PREFIX) or not (labels[known].astype(str) == name).any():
        raise LabelsInvalid(
            f'"{labelled}" is text and "{column}" has numbers. Give numbers in both, or text in both, or the column '
            f"{PREFIX}<class> of one of the classes that were labelled."
        )
    return (labels.astype("string") == name).astype("Float64").where(known)


def _codes(column: pd.Series[Any], levels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the positions of texts among levels; -1 where one is missing or none of them."""
    return np.asarray(pd.Index(levels).get_indexer(pd.Index(column.astype("string").astype(object))), np.int64)


def _numeric(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column) or column.isna().all())


def _numbers(column: pd.Series[Any]) -> Floats:
    if not _numeric(column):
        raise ArgumentInvalid(f'"{column.name}" is text; it must be numbers.')
    return np.asarray(column.to_numpy(float, na_value=np.nan), float)
