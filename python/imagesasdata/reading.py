"""Read a file that is not trusted: a regular file alone, of a limited size, and every problem in plain words."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

MAX_BYTES = 200_000_000


class Unreadable(ValueError):
    """Why an image has no pixels, in plain words: the text of a row's `error`."""


def path_on_disk(path: str) -> str | bytes:
    """Return a path as the system takes it: on POSIX its bytes in UTF-8, also where Python believes in ASCII.

    A name that is no text has its bytes as lone surrogates, as `os.fsdecode` makes them.
    """
    return path if os.name == "nt" else path.encode("utf-8", "surrogateescape")


@contextlib.contextmanager
def open_file(path: str, max_bytes: int = MAX_BYTES) -> Iterator[tuple[BinaryIO, int]]:
    """Open a regular file and yield it with its size; raise `Unreadable` for anything else, and where reading fails.

    The file is opened without blocking, so that a named pipe cannot stop the run, and checked after it is open.
    """
    if path.startswith(("http://", "https://")):
        raise Unreadable("a web address, not a file: download it first")
    try:
        handle = os.open(path_on_disk(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as problem:
        raise Unreadable(_file_problem(problem, path)) from None
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise Unreadable("a folder, not an image")
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("not a regular file")
        if status.st_size == 0:
            raise Unreadable("empty file (0 bytes)")
        if status.st_size > max_bytes:
            raise Unreadable(
                f"{millions(status.st_size)} MB, above the limit of {millions(max_bytes)} MB; raise max_bytes"
            )
        with open(handle, "rb", closefd=False) as file:
            yield file, status.st_size
    except OSError as problem:
        raise Unreadable(_file_problem(problem, path)) from None
    finally:
        os.close(handle)


def read_file(path: str, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the content of a regular file; raise `Unreadable` for anything else."""
    with open_file(path, max_bytes) as (file, size):
        return file.read(size)  # and no more, should it grow meanwhile


def millions(number: int) -> str:
    """Return a number as text in millions."""
    return f"{number / 1e6:,.1f}".removesuffix(".0") if number >= 1e6 else f"{number / 1e6:.4g}"


def _file_problem(problem: Exception, path: str) -> str:
    """Say in plain words why a file cannot be opened."""
    if isinstance(problem, ValueError):
        return "the file name contains a null byte" if "null" in str(problem) else "the file name cannot be used"
    code = problem.errno if isinstance(problem, OSError) else None
    if code == errno.ENOENT:
        hint = " (its name has backslashes: was it written on Windows?)" if "\\" in path and os.sep == "/" else ""
        return f"file does not exist{hint}"
    plain = {
        errno.EISDIR: "a folder, not an image",
        errno.EACCES: "a folder, not an image" if os.path.isdir(path) else "no permission to read the file",
        errno.ELOOP: "a symbolic link that leads back to itself",
        errno.ENAMETOOLONG: "the file name is too long",
        errno.ENOTDIR: "file does not exist: a part of its path is not a folder",
        errno.ENXIO: "not a regular file",
    }
    return plain.get(code or 0, f"the file cannot be read: {getattr(problem, 'strerror', None) or problem}")
