"""Read all that a regression needs from the columns of a data frame: the rows that can be used."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..answers import as_frame, take_column
from ..errors import ArgumentInvalid, quoted
from ..intervals import check_whole
from ..tablefiles import read_table
from ..tables import provenance_of
from .crossfit import Variable
from .sandwich import Codes, Floats
from .variables import as_days, as_numbers, is_numeric, read_variable

Columns = Mapping[str, str | Sequence[str]]


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
        notes = [f"{self.left_out:,} row(s) with missing values are left out."] if self.left_out else []
        known = np.array([~np.isnan(variable.labels) for variable in self.variables])
        partly = int((known.any(axis=0) & ~known.all(axis=0)).sum())
        if partly:
            notes.append(
                f"{partly:,} row(s) have hand labels of some predicted variables and not of all; they count as not "
                "labelled. `sampling_prob` must be the probability that all of them were labelled."
            )
        return (*notes, *(note for variable in self.variables for note in self._too_good(variable)))

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
            column = as_days(self.frame[name])
            if not is_numeric(column):
                parts.append(pd.get_dummies(column.astype("string"), drop_first=True).to_numpy(float))
                continue
            values = as_numbers(column)
            parts.append((np.log1p(np.clip(values, 0, None)) if name in counts else values)[:, None])
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
    categories: Collection[str] = (),
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
    categories : collection of str
        Predicted variables that are a category also where labels and predictions are whole numbers.

    Raises
    ------
    ArgumentInvalid, LabelsInvalid
        The columns are not there, or not what they should be.
    """
    data = read_table(data) if isinstance(data, str | os.PathLike) else data
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
    here, plain_ones = (table[keep].reset_index(drop=True) for table in (frame, base))
    for name in plain_ones.select_dtypes("category"):
        plain_ones[name] = plain_ones[name].cat.remove_unused_categories()  # such a level would be a column of zeros
    numbers = {key: as_numbers(given[key][keep]) for key in ("sampling_prob", "weights") if key in given}
    groups = {key: pd.factorize(given[key][keep])[0].astype(np.int64) for key in ("cluster", "absorb") if key in given}
    return Given(
        np.flatnonzero(keep),
        int((~keep).sum()),
        plain_ones,
        [read_variable(here, name, predicted[name], labelled[name], name in categories) for name in predicted],
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


def check_splits(folds: int, repeats: int) -> None:
    """Raise `ArgumentInvalid` where there cannot be so many folds or random splits."""
    for argument, value, least in (("folds", folds, 2), ("repeats", repeats, 1)):
        if check_whole(argument, value) < least:
            raise ArgumentInvalid(f"`{argument}` is {value}; it must be {least} or more.")
