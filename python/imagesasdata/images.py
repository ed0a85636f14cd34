"""Which images, in which order: a folder, a pattern, a path, a list, a data frame or a table file."""

from __future__ import annotations

import glob
import os
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from .decode import SUFFIXES
from .errors import ArgumentInvalid, ImageColumnMissing, ImagesNotFound, quoted
from .folders import matches, walk
from .tablefiles import TABLE_SUFFIXES, read_table

KNOWN_TABLES = (pd.DataFrame, pa.Table)
KNOWN_COLUMNS = (pd.Series, pa.Array, pa.ChunkedArray)
LIKELY_COLUMNS = ("image", "path", "file", "filename", "photo", "image_path", "img")


@dataclass(frozen=True)
class ImageList:
    """The images of one call, in the caller's order.

    Attributes
    ----------
    names : list of str or None
        As the caller wrote them: the values of the column ``image``. None where no path was given.
    paths : list of str or None
        The files to open.
    data : pandas.DataFrame or pyarrow.Table or None
        The caller's data frame, to which predictions are added; None where the caller gave paths.
    source : str or None
        The table file from which `data` was read.
    """

    names: list[str | None]
    paths: list[str | None]
    data: pd.DataFrame | pa.Table | None = None
    source: str | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the caller's data frame, none where there is no data frame."""
        if self.data is None:
            return []
        return [str(c) for c in (self.data.columns if isinstance(self.data, pd.DataFrame) else self.data.column_names)]

    def __len__(self) -> int:
        return len(self.paths)


def find_images(
    images: Any,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    suffixes: frozenset[str] = SUFFIXES,
) -> ImageList:
    """List the images that the caller means.

    Parameters
    ----------
    images : path, pattern, list of paths, data frame, or table file
        A folder is searched recursively, sorted by path, for files with the suffix of an image; hidden files are left
        out. A pattern such as ``"photos/*.jpg"`` is expanded and sorted. A list keeps its order. A data frame (pandas,
        Arrow, or anything with ``__arrow_c_stream__``) or a table file (.csv, .parquet, .feather, .dta) needs
        `image_col`.
    image_col : str, optional
        The column with the paths.
    image_dir : path, optional
        Where relative paths of a list or a data frame start; the working directory if not given.
    suffixes : set of str
        Those of the files that a folder is searched for.

    Returns
    -------
    ImageList

    Raises
    ------
    ImagesNotFound
        A folder or pattern that does not exist, leads to no image, or leads through a folder that cannot be listed. A
        missing *file* is not an error here: it becomes a row with `error`.
    ImageColumnMissing
        The data frame has no such column.
    """
    source = None
    if isinstance(images, str | os.PathLike):
        path = os.fspath(images)
        if Path(path).suffix.lower() in TABLE_SUFFIXES:
            images, source = read_table(path), str(Path(path).expanduser())
        else:
            return _from_path(path, image_dir, suffixes)
    if hasattr(images, "__arrow_c_stream__") and not isinstance(images, KNOWN_TABLES + KNOWN_COLUMNS):
        images = _from_arrow(images)  # polars and others
    if isinstance(images, KNOWN_TABLES):
        names = _column(images, image_col)
        return ImageList([_name(n) for n in names], [_resolve(n, image_dir) for n in names], images, source)
    if isinstance(images, dict | bytes) or not isinstance(images, Iterable):
        raise ArgumentInvalid(
            f"`images` is a {type(images).__name__}; give a folder, a list of paths, or a data frame with image_col=."
        )
    names = images.to_pylist() if isinstance(images, pa.Array | pa.ChunkedArray) else list(images)
    return ImageList([_name(n) for n in names], [_resolve(n, image_dir) for n in names])


def _from_arrow(images: Any) -> pa.Table | pa.ChunkedArray:
    try:
        return pa.table(images)
    except pa.ArrowInvalid:  # one column, not a table
        return pa.chunked_array(images)


def _from_path(path: str, image_dir: str | os.PathLike[str] | None, suffixes: frozenset[str]) -> ImageList:
    full = _resolve(path, image_dir)
    if full is None:
        raise ArgumentInvalid('`images` is ""; give a folder, a list of paths, or a data frame with image_col=.')
    if Path(full).is_dir():
        found = [(os.path.join(path, name), os.path.join(full, name)) for name in walk(full, suffixes)]
        if not found:
            what = "image" if suffixes is SUFFIXES else "video"
            raise ImagesNotFound(f'The folder "{path}" holds no {what}. Looked for {quoted(sorted(suffixes), 20)}.')
    elif Path(path).suffix.lower() in suffixes and not (glob.has_magic(path) and not Path(full).exists()):
        found = [(path, full)]  # one image: if it is missing, that is its row's error
    elif glob.has_magic(path):
        start = os.path.expanduser(os.fspath(image_dir)) if image_dir else ""
        pairs = [(match, _resolve(match, image_dir) or match) for match in matches(os.path.expanduser(path), start)]
        found = [pair for pair in pairs if not Path(pair[1]).is_dir()]
        if not found:
            raise ImagesNotFound(f'The pattern "{path}" matches no file.')
    elif Path(full).exists():
        found = [(path, full)]
    else:
        raise ImagesNotFound(f'"{path}" does not exist (working directory: {Path.cwd()}).')
    found.sort(key=lambda pair: pair[0])
    names = [_name(name) for name, _ in found]
    # One text for both where they are the same: of 100,000 photographs that is some megabytes.
    paths: list[str | None] = [name if name == pair[1] else pair[1] for name, pair in zip(names, found, strict=True)]
    return ImageList(names, paths)


def _column(data: pd.DataFrame | pa.Table, image_col: str | int | None) -> list[Any]:
    columns = [str(c) for c in (data.columns if isinstance(data, pd.DataFrame) else data.column_names)]
    if image_col is None:
        raise ImageColumnMissing(
            f"`images` is a data frame; say which column holds the paths: image_col= one of {quoted(columns)}."
        )
    image_col = str(image_col)  # a CSV without a header has numbers
    if image_col not in columns:
        likely = [c for c in columns if c.lower() in LIKELY_COLUMNS]
        cure = f' Pass image_col="{likely[0]}"?' if likely else ""
        raise ImageColumnMissing(f'`data` has no column "{image_col}" (it has: {quoted(columns)}).{cure}')
    if columns.count(image_col) > 1:
        raise ImageColumnMissing(f'`data` has {columns.count(image_col)} columns named "{image_col}"; rename one.')
    position = columns.index(image_col)
    column = data.iloc[:, position] if isinstance(data, pd.DataFrame) else data.column(position)
    values: list[Any] = column.to_pylist() if isinstance(column, pa.ChunkedArray) else column.tolist()
    return values


def _missing(value: Any) -> bool:
    if isinstance(value, str):
        return value == ""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _text(value: Any) -> str:
    text = os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else value
    if not isinstance(text, str):
        given = f"{reprlib.repr(value)}, a {type(value).__name__}"
        raise ArgumentInvalid(f"`images` holds {given}; every image must be a path.")
    return text


def _name(value: Any) -> str | None:
    """Return a path as text that any table can hold: bytes that are no UTF-8 are written as ``\\xNN``."""
    if _missing(value):
        return None
    text = _text(value)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half an emoji, as broken JSON has it
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _resolve(value: Any, image_dir: str | os.PathLike[str] | None) -> str | None:
    if _missing(value):
        return None
    text = _text(value)
    if text.startswith(("http://", "https://")):
        return text
    text = os.path.expanduser(text)
    return os.path.join(os.path.expanduser(os.fspath(image_dir)), text) if image_dir is not None else text
