"""Where a file may be written: never over what is read, over another one only when asked to."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .errors import ArgumentInvalid, TableUnreadable, quoted
from .tablefiles import TABLE_SUFFIXES

OUTPUTS = {"out": TABLE_SUFFIXES, "log": TABLE_SUFFIXES, "save": frozenset({".zip"})}  # options of the command


def refuse_input(argument: str, path: str | os.PathLike[str], inputs: Iterable[Any]) -> None:
    """Raise `ArgumentInvalid` where the file to write is one of the inputs, those that are paths."""
    target = Path(path).expanduser()
    for one in inputs:
        if isinstance(one, str | os.PathLike) and target.is_file() and _same(target, Path(one).expanduser()):
            raise ArgumentInvalid(f'`{argument}` is "{path}", which is read; give another name.')


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # what is no path at all
        return False


def check_output(
    argument: str, path: str | os.PathLike[str], overwrite: bool, suffixes: Iterable[str] = TABLE_SUFFIXES
) -> Path:
    """Return where a file will be written.

    Raises
    ------
    ArgumentInvalid
        It has another suffix, or there is such a file and it may not be replaced.
    TableUnreadable
        It cannot be written there.
    """
    target = Path(path).expanduser()
    if target.suffix.lower() not in suffixes:
        raise ArgumentInvalid(f'`{argument}` is "{path}"; give a file of its kind ({quoted(sorted(suffixes))}).')
    if target.exists() and not overwrite:
        raise ArgumentInvalid(
            f'There is a file "{path}" already. Give another `{argument}`, or overwrite=True (--overwrite).'
        )
    if not target.parent.is_dir():
        raise TableUnreadable(f'"{path}" cannot be written: there is no folder {target.parent}')
    if target.is_dir() or not os.access(target.parent, os.W_OK):
        raise TableUnreadable(f'"{path}" cannot be written: {"it is a folder" if target.is_dir() else "no permission"}')
    return target


def check_outputs(options: argparse.Namespace) -> None:
    """Check the files that a verb of the command writes; `late` are those that the command itself writes at the end."""
    given = vars(options)
    late, replace = given.pop("late", ()), given.pop("replace", False) or given.get("overwrite", False)
    values = [value for name, value in given.items() if name not in OUTPUTS]
    inputs = [one for value in values for one in (value if isinstance(value, list) else [value])]
    for name, suffixes in OUTPUTS.items():
        path = given.get(name)
        if path:
            refuse_input(name, path, inputs)
            if name in late:
                check_output(name, path, replace, suffixes)
