"""What a verb found out where one table is not enough: several tables, facts, and a summary in words."""

from __future__ import annotations

import functools
import json
import os
import textwrap
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, ParamSpec, Protocol, Self, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from .errors import ImagesAsDataWarning, TableUnreadable, disk_problem, quoted
from .tables import to_pandas

P = ParamSpec("P")


@dataclass(frozen=True)
class Findings:
    """Tables and facts that belong together.

    Each table is an attribute too, as pandas: ``found.metrics``. So is each fact: ``found.estimate``.

    Attributes
    ----------
    kind : {"evaluation", "audit", "cross_validation", "agreement", "learning_curve", "regression", "share", "power"}
        What was found out.
    facts : dict
        Single values: text, numbers, lists of these.
    tables : dict of pyarrow.Table
        By name. ``metrics`` is in all of them.
    lines : tuple of str
        The summary that is printed, in Python and in R.
    notes : tuple of str
        What the user should know: warnings in both languages.
    """

    kind: str
    facts: dict[str, Any]
    tables: dict[str, pa.Table]
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("facts", "tables"):
            raise AttributeError(name)
        if name in self.tables:
            return to_pandas(self.tables[name])
        if name in self.facts:
            return self.facts[name]
        have = quoted([*self.tables, *self.facts], 30)
        raise AttributeError(f'This {self.kind} has no "{name}"; it has {have}.')

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.tables, *self.facts]

    def facts_json(self) -> str:
        """Return kind, facts, lines and notes as JSON; R reads it."""
        return json.dumps(
            {"kind": self.kind, "facts": self.facts, "lines": self.lines, "notes": self.notes}, ensure_ascii=False
        )

    def table_names(self) -> list[str]:
        """Return the names of the tables."""
        return list(self.tables)

    def plot(self, what: str | None = None, **options: Any) -> Any:
        """Return a picture of it, a matplotlib figure; `what` as in `plot_findings`."""
        from .plots import plot_findings

        return plot_findings(self, what, **options)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one file, a zip of Parquet tables and a JSON text, and return where it is."""
        path = Path(path).expanduser()
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with zipfile.ZipFile(partial, "w") as archive:
                _add(archive, "facts.json", self.facts_json().encode())
                for name, table in self.tables.items():
                    sink = pa.BufferOutputStream()
                    pa.parquet.write_table(table, sink)
                    _add(archive, f"{name}.parquet", sink.getvalue().to_pybytes())
            partial.replace(path)
        except OSError as problem:
            raise TableUnreadable(f'"{path}" cannot be written: {disk_problem(problem)}.') from problem
        finally:
            partial.unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        TableUnreadable
            There is no such file, or it is not one of these.
        """
        path = Path(path).expanduser()
        try:
            with zipfile.ZipFile(path) as archive:
                known = json.loads(archive.read("facts.json"))
                tables = {
                    name.removesuffix(".parquet"): pa.parquet.read_table(pa.BufferReader(archive.read(name)))
                    for name in archive.namelist()
                    if name.endswith(".parquet")
                }
            return cls(known["kind"], known["facts"], tables, tuple(known["lines"]), tuple(known["notes"]))
        except (OSError, KeyError, ValueError, zipfile.BadZipFile, pa.ArrowException) as problem:
            raise TableUnreadable(f'"{path}" holds no findings that can be read: {problem}') from problem

    @classmethod
    def from_json(cls, text: str, tables: Mapping[str, pa.Table]) -> Self:
        """Make one of the text of `facts_json` and its tables, which come back from R with counts as doubles."""
        known = json.loads(text)
        whole = {name: _counts_whole(table) for name, table in tables.items()}
        return cls(known["kind"], known["facts"], whole, tuple(known["lines"]), tuple(known["notes"]))

    def __repr__(self) -> str:
        return "\n".join([*(self.lines or [f"<{self.kind}>"]), *note_lines(self.notes)])

    @classmethod
    def of(cls, kind: str, facts: Mapping[str, Any], tables: Mapping[str, pd.DataFrame | pa.Table]) -> Self:
        """Make one of pandas or Arrow tables; there is no summary yet."""
        return cls(kind, dict(facts), {name: as_arrow(table) for name, table in tables.items()})


def note_lines(notes: Iterable[str]) -> list[str]:
    """Return notes as lines that fit into a terminal."""
    fit = textwrap.TextWrapper(79, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
    return [line for note in notes for line in fit.wrap(f"note: {note}")]


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file without the time, so that the same findings are the same bytes."""
    archive.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)


def _counts_whole(table: pa.Table) -> pa.Table:
    """Return a table whose counts, columns named ``n`` or ``n_...``, are whole numbers: R has no long ones."""
    for i, field_ in enumerate(table.schema):
        if pa.types.is_floating(field_.type) and (field_.name == "n" or field_.name.startswith("n_")):
            table = table.set_column(i, field_.name, table.column(i).cast(pa.int64()))
    return table


def as_arrow(table: pd.DataFrame | pa.Table) -> pa.Table:
    """Return a table as Arrow, without pandas' own metadata."""
    if isinstance(table, pa.Table):
        return table
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)


class Noted(Protocol):
    """What has notes for the user."""

    @property
    def notes(self) -> tuple[str, ...]: ...


N = TypeVar("N", bound=Noted)


class FindingsVerb(Generic[P, N]):
    """A verb whose result has notes; they become warnings in Python, and R makes warnings of them."""

    def __init__(self, core: Callable[P, N]) -> None:
        functools.update_wrapper(self, core)
        self._core = core

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> N:
        found = self._run(*args, **kwargs)
        for note in found.notes:
            warnings.warn(note, ImagesAsDataWarning, stacklevel=2)
        return found

    def _run(self, *args: P.args, **kwargs: P.kwargs) -> N:
        return self._core(*args, **kwargs)

    def for_r(self, *args: P.args, **kwargs: P.kwargs) -> N:
        """Return the same, without Python's warnings."""
        return self._core(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<verb {self._core.__name__}>"
