"""What a verb is: it makes new columns, and hands them over as pandas or as Arrow, added to the caller's data frame."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, ParamSpec

import pandas as pd
import pyarrow as pa

from .errors import ColumnExists, ImagesAsDataWarning, Interrupted, quoted
from .tables import provenance_of, to_frame, to_pandas, with_provenance

P = ParamSpec("P")


@dataclass(frozen=True)
class Result:
    """What a verb made, before it is handed over: new columns, and the caller's data frame if they belong to one.

    Attributes
    ----------
    table : pyarrow.Table
        The new columns; its first column is ``image`` where rows are images.
    data : pandas.DataFrame or pyarrow.Table, optional
        The caller's data frame with one row for each row of `table`. Its own path column stands for ``image``.
    notes : tuple of str
        What the caller should know about the table: warnings in Python and in R.
    keep_image : bool
        Add a column ``image`` of `table` too: it is not the caller's own path column.
    """

    table: pa.Table
    data: pd.DataFrame | pa.Table | None = None
    notes: tuple[str, ...] = ()
    keep_image: bool = False

    def added(self) -> pa.Table:
        """Return the columns to add to the caller's data frame."""
        own = "image" in self.table.column_names and not self.keep_image
        return self.table.drop_columns(["image"]) if own else self.table

    def to_arrow(self) -> pa.Table:
        """Return everything as Arrow."""
        if self.data is None:
            return self.table
        new, table = self.added(), self.data
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        refuse_existing(table.column_names, new.column_names)
        for name in new.column_names:
            table = table.append_column(new.schema.field(name), new[name])
        return with_provenance(table, provenance_of(new))

    def to_pandas(self) -> pd.DataFrame:
        """Return everything as pandas; the caller's columns and index are left as they were."""
        if self.data is None:
            return to_pandas(self.table)
        data = self.data if isinstance(self.data, pd.DataFrame) else to_frame(self.data)
        new = to_pandas(self.added())
        refuse_existing([str(c) for c in data.columns], list(new.columns))
        attrs = {**data.attrs, **new.attrs}
        new.index = data.index
        frame: pd.DataFrame = pd.concat([data, new], axis="columns")
        frame.attrs = attrs
        return frame


class Stopped(KeyboardInterrupt):
    """An interrupt on its way from a job to the verb that was called, with what was done."""

    def __init__(self, result: Result, total: int, more: str) -> None:
        done = result.table.num_rows
        super().__init__(f"interrupted: {done:,} rows of {total:,} images are done and returned{more}")
        data = result.data
        if data is not None:
            data = data.iloc[:done] if isinstance(data, pd.DataFrame) else data.slice(0, done)
        self.result = dataclasses.replace(result, data=data)


class Verb(Generic[P]):
    """A verb of the package: called, it returns pandas; its ``arrow`` returns the same as an Arrow table.

    R calls ``for_r``, so no value passes through pandas on its way to R.
    """

    def __init__(self, core: Callable[P, Result]) -> None:
        functools.update_wrapper(self, core)
        self._core = core

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
        try:
            result = self._core(*args, **kwargs)
        except Stopped as stop:
            raise Interrupted(str(stop), stop.result.to_pandas()) from None
        for note in result.notes:
            warnings.warn(note, ImagesAsDataWarning, stacklevel=2)
        return result.to_pandas()

    def arrow(self, *args: P.args, **kwargs: P.kwargs) -> pa.Table:
        """Return the same table as `pyarrow.Table`, any warnings as ``notes`` in its provenance."""
        try:
            return self._handed_over(self._core(*args, **kwargs))
        except Stopped as stop:
            raise Interrupted(str(stop), self._handed_over(stop.result)) from None

    def for_r(self, *args: P.args, **kwargs: P.kwargs) -> pa.Table:
        """Return the same as `arrow`, and on an interrupt the rows that are done, with a note that says so."""
        try:
            return self._handed_over(self._core(*args, **kwargs))
        except Stopped as stop:
            note = str(stop)[0].upper() + str(stop)[1:] + "."
            return self._handed_over(dataclasses.replace(stop.result, notes=(*stop.result.notes, note)))

    def _handed_over(self, result: Result) -> pa.Table:
        table = result.to_arrow()
        return with_provenance(table, {**provenance_of(table), "notes": result.notes}) if result.notes else table

    def __repr__(self) -> str:
        return f"<verb {self._core.__name__}>"


def refuse_existing(have: Sequence[str], new: Sequence[str]) -> None:
    """Raise `ColumnExists` where a column to be added is there already; silent renaming would hide a hand label."""
    both = [name for name in new if name in set(have)]
    if both:
        raise ColumnExists(
            f"`data` already has the column(s) {quoted(both)}, which would be added. "
            "Rename or drop them first, or give only the column of paths."
        )
