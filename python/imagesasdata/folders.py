"""Search folders for photographs and expand patterns, passing nothing over in silence.

Not `glob`: it leaves out folders that it may not read, without a word, and follows links in circles.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
from collections.abc import Iterator

from .errors import ImagesNotFound

IGNORED_FOLDERS = frozenset({"__MACOSX", "@eaDir", ".git"})


def walk(folder: str, suffixes: frozenset[str]) -> Iterator[str]:
    """Yield the path, from the folder on, of each file below it with one of the suffixes, hidden ones left out.

    Links to folders are not followed: they can lead round in a circle.

    Raises
    ------
    ImagesNotFound
        A folder cannot be listed, so that photographs in it would be missing without a trace.
    """
    for root, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [f for f in folders if not f.startswith(".") and f not in IGNORED_FOLDERS]
        inner = os.path.relpath(root, folder)
        for file in files:
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in suffixes:
                yield file if inner == os.curdir else os.path.join(inner, file)


def matches(pattern: str, start: str = "") -> list[str]:
    """Return what a pattern such as ``photos/*/a?.jpg`` or ``photos/**/*.jpg`` matches, sorted.

    Parameters
    ----------
    pattern : str
        ``*`` and ``?`` stand for any characters and one character of a name, ``[ab]`` for one of these, and ``**`` for
        any number of folders. Hidden files need their dot written.
    start : str
        Folder from which a relative pattern starts; the working directory if empty.

    Raises
    ------
    ImagesNotFound
        A folder on the way cannot be listed.
    """
    drive, rest = os.path.splitdrive(pattern)
    if os.altsep:
        rest = rest.replace(os.altsep, os.sep)
    root = drive + os.sep if rest.startswith(os.sep) else drive
    return sorted(set(_expand(root, [part for part in rest.split(os.sep) if part], start)))


def _expand(shown: str, parts: list[str], start: str) -> Iterator[str]:
    """Yield what the rest of a pattern matches in the folder `shown`."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        # At the end it stands for files too; elsewhere for no folder, and for each folder.
        yield from _expand(shown, rest or ["*"], start)
        for entry in _entries(os.path.join(start, shown)):
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield from _expand(os.path.join(shown, entry.name), parts, start)
        return
    if not glob.has_magic(part):
        names = [part] if os.path.lexists(os.path.join(start, shown, part)) else []
    else:
        hidden = part.startswith(".")
        names = [
            entry.name
            for entry in _entries(os.path.join(start, shown))
            if fnmatch.fnmatch(entry.name, part) and (hidden or not entry.name.startswith("."))
        ]
    for name in names:
        found = os.path.join(shown, name)
        if not rest:
            yield found
        elif os.path.isdir(os.path.join(start, found)):
            yield from _expand(found, rest, start)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder or os.curdir) as found:
            return list(found)
    except OSError as problem:
        if problem.errno in (errno.ENOENT, errno.ENOTDIR):  # a pattern may well start nowhere
            return []
        _refuse(problem)
        raise


def _refuse(problem: OSError) -> None:
    why = {
        errno.EACCES: "no permission",
        errno.EPERM: "no permission",
        errno.ENOENT: "it was deleted meanwhile",
    }.get(problem.errno or 0, problem.strerror or str(problem))
    raise ImagesNotFound(
        f'The folder "{problem.filename}" cannot be searched: {why}. Photographs in it would be missing without a '
        "trace. Make it readable, move it elsewhere, or give a list of paths."
    ) from problem
