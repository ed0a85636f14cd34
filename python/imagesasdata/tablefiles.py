"""Table files: read and write Parquet, Feather, CSV and Stata, by suffix."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from .errors import TableUnreadable, disk_problem, quoted

TABLE_SUFFIXES = frozenset({".csv", ".parquet", ".feather", ".arrow", ".dta"})
STATA_WORDS = re.compile(
    r"str\d+|strL|NULL|_all|_N|_b|_coef|_cons|_n|_pi|_pred|_rc|_se|_skip|aggregate|array|boolean|break|byte|case|catch|class"
    r"|colvector|complex|const|continue|default|delegate|delete|do|double|else|eltypedef|end|enum|explicit|export|external"
    r"|float|for|friend|function|global|goto|if|in|inline|int|local|long|pragma|protected|quad|rowvector|short|typedef"
    r"|typename|using|virtual|with"
)


def read_table(path: str | os.PathLike[str]) -> pa.Table:
    """Read a .csv, .parquet, .feather (.arrow) or .dta file.

    Raises
    ------
    TableUnreadable
        With the reason, for instance that the file is missing or has another format.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return pa.parquet.read_table(path, partitioning=None)
        if suffix in (".feather", ".arrow"):
            return pa.feather.read_table(path)
        if suffix == ".csv":
            return _read_csv(path)
        if suffix == ".dta":
            return _read_stata(path)
    except FileNotFoundError:
        raise TableUnreadable(f'"{path}" does not exist (working directory: {Path.cwd()}).') from None
    except UnicodeDecodeError as problem:
        raise TableUnreadable(f'"{path}" is not UTF-8 text. In Excel, save it as "CSV UTF-8".') from problem
    except pd.errors.ParserWarning:
        raise TableUnreadable(f'"{path}" has rows with more cells than its header has names.') from None
    except (OSError, ValueError, TypeError) as problem:
        raise TableUnreadable(f'"{path}" cannot be read as {suffix[1:]}: {problem}') from problem
    raise TableUnreadable(f'"{path}" is no table that can be read; give {quoted(sorted(TABLE_SUFFIXES))}.')


def _read_csv(path: Path) -> pa.Table:
    """Read with pandas, not Arrow's reader: it copes with the line breaks and quotes that posts have in them."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    semicolons = header.count(";") > header.count(",")  # as Excel writes it where the comma is the decimal mark
    with warnings.catch_warnings():
        # Rows longer than the header: pandas would shift the columns, or cut the rows.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            path,
            sep=";" if semicolons else ",",
            decimal="," if semicolons else ".",
            index_col=False,
            low_memory=False,
            dtype_backend="numpy_nullable",
        )
    # Without pandas' own metadata, which would ask for its rarer types wherever the table goes.
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _read_stata(path: Path) -> pa.Table:
    try:
        return pa.Table.from_pandas(pd.read_stata(path), preserve_index=False)
    except (ValueError, TypeError):  # value labels that occur twice, or that some values lack: keep the numbers
        return pa.Table.from_pandas(pd.read_stata(path, convert_categoricals=False), preserve_index=False)


def write_table(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write .parquet, .csv, .feather (.arrow) or .dta, by suffix; the file appears only when it is whole.

    Text cells that a spreadsheet would run as a formula get a leading apostrophe in CSV; Parquet and Feather keep every
    cell and the provenance verbatim. Stata has no missing text, no whole numbers above 2^53, no time zones and no names
    longer than 32 characters: missing text becomes "", a column with larger numbers becomes text, times become UTC, and
    long names are shortened and kept as variable labels.

    Raises
    ------
    TableUnreadable
        An unknown suffix, a folder that does not exist or cannot be written, or a column that the format cannot hold.
    """
    path = Path(path).expanduser()
    writers: dict[str, Callable[[pa.Table, Path], None]] = {
        ".parquet": lambda t, p: pa.parquet.write_table(t, p),
        ".feather": lambda t, p: pa.feather.write_feather(t, str(p)),
        ".arrow": lambda t, p: pa.feather.write_feather(t, str(p), compression="uncompressed"),
        ".csv": lambda t, p: pa.csv.write_csv(spreadsheet_safe(t), p),
        ".dta": _write_stata,
    }
    suffix = path.suffix.lower()
    if suffix not in writers:
        raise TableUnreadable(f'"{path}" has no suffix of a table; use {quoted(sorted(TABLE_SUFFIXES))}.')
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        writers[suffix](table, partial)
        partial.replace(path)
    except OSError as problem:
        why = disk_problem(problem)
        if not path.parent.is_dir():
            why = f"there is no folder {path.parent}"
        raise TableUnreadable(f'"{path}" cannot be written: {why}') from problem
    except (ValueError, TypeError, NotImplementedError) as problem:
        raise TableUnreadable(
            f'"{path}" cannot be written: {suffix} cannot hold one of the columns ({problem}). Parquet can.'
        ) from problem
    finally:
        partial.unlink(missing_ok=True)


def print_table(table: pa.Table) -> None:
    """Write a table to standard output as CSV, safe for spreadsheets."""
    pa.csv.write_csv(spreadsheet_safe(table), sys.stdout.buffer)


def spreadsheet_safe(table: pa.Table) -> pa.Table:
    """Return the table with an apostrophe before every text cell, or column name, that a spreadsheet would run."""
    formula = re.compile(r"^[=+\-@\t\r]")

    def safe(cell: str | None) -> str | None:
        return "'" + cell if cell is not None and formula.match(cell) else cell

    for i, field in enumerate(table.schema):
        column = table.column(i)
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type)
        if _is_text(column.type):
            column = column.cast(pa.large_string())  # Arrow writes no other newer kind of text to CSV
            unsafe = pa.compute.match_substring_regex(column, formula.pattern)
            if pa.compute.any(unsafe).as_py():
                column = pa.chunked_array([[safe(cell) for cell in column.to_pylist()]], type=column.type)
        table = table.set_column(i, safe(field.name), column)
    return table


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _write_stata(table: pa.Table, path: Path) -> None:
    table = _stata_types(table)
    frame = table.to_pandas(date_as_object=False)
    names: dict[str, str] = {}
    for name in table.column_names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = (f"_{plain}" if plain[:1].isdigit() or STATA_WORDS.fullmatch(plain) else plain)[:32] or "_"
        short, n = plain, 1
        while short in names:
            n += 1
            short = f"{plain[: 31 - len(str(n))]}_{n}"
        names[short] = name
    frame.columns = pd.Index(list(names))
    long = []
    for name, kind in zip(names, table.schema.types, strict=True):
        if _is_text(kind):
            frame[name] = frame[name].astype("object").where(frame[name].notna(), "").map(str)
            if frame[name].str.len().max() > 244:
                long.append(name)
    labels: dict[Any, str] = {short: name[:80] for short, name in names.items()}
    frame.to_stata(path, write_index=False, version=118, variable_labels=labels, convert_strl=long)


def _stata_types(table: pa.Table) -> pa.Table:
    """Return the table with every column as a type that Stata has."""
    for i, field in enumerate(table.schema):
        column, kind = table.column(i), field.type
        if pa.types.is_dictionary(kind) and not (_is_text(kind.value_type) and len(column)):
            column, kind = column.cast(kind.value_type), kind.value_type
        if pa.types.is_boolean(kind):  # Stata has no logical type; 0, 1 and missing
            column = column.cast(pa.int8()).cast(pa.float64())
        elif pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        elif pa.types.is_null(kind):
            column = column.cast(pa.string())
        elif pa.types.is_timestamp(kind) and kind.tz is not None:
            column = column.cast(pa.timestamp(kind.unit))
        elif pa.types.is_integer(kind) and kind.bit_width == 64 and column.null_count < len(column):
            least, most = pa.compute.min_max(column).as_py().values()
            if least < -(2**53) or most > 2**53:
                column = column.cast(pa.string())
        table = table.set_column(i, field.name, column)
    return table
