"""Where copies of photographs go: never over a photograph that was given, and never outside the folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..errors import ArgumentInvalid, disk_problem

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")


def targets(paths: Sequence[str | None], out: Path, lossless: bool, overwrite: bool) -> list[Path | None]:
    """Return where the copy of each photograph goes: in `out`, in the folders that it has below those they share.

    A JPEG stays one, unless `lossless`; anything else becomes a PNG, whose name is added to the old one's.

    Raises
    ------
    ArgumentInvalid
        A copy would be written over a photograph that was given, or, unless `overwrite`, over any file.
    """
    whole = [None if path is None else os.path.abspath(os.path.expanduser(path)) for path in paths]
    folders = sorted({os.path.dirname(path) for path in whole if path is not None})
    try:
        shared = os.path.commonpath(folders) if folders else ""
    except ValueError:  # several drives
        raise ArgumentInvalid("`images` lie on several drives; give those of one at a time.") from None
    given = {os.path.realpath(path) for path in whole if path is not None}
    out = Path(os.path.abspath(out))
    found: list[Path | None] = []
    for path in whole:
        if path is None:
            found.append(None)
            continue
        target = out / os.path.relpath(path, shared)
        if lossless or not _is_jpeg(target):
            target = target if target.suffix.lower() == ".png" else target.with_name(target.name + ".png")
        # Through links, too: a folder below `out` may lead elsewhere.
        real = os.path.realpath(target)
        if real in given or os.path.realpath(path) == real:
            raise ArgumentInvalid(f'The copy of "{path}" would be written over a photograph that was given; see `out`.')
        if not Path(real).is_relative_to(os.path.realpath(out)):
            raise ArgumentInvalid(f'"{target}" leads out of the folder `out`, through a link.')
        if target.exists() and not overwrite:
            raise ArgumentInvalid(f'There is a file "{target}" already. Give another `out`, or overwrite=True.')
        found.append(target)
    return found


def save(image: Image.Image, target: Path, quality: int) -> str | None:
    """Write pixels and nothing else, whole or not at all; return what went wrong."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    plain = Image.new(image.mode, image.size)  # no metadata can come along
    plain.paste(image)
    kind, options = ("JPEG", {"quality": quality, "subsampling": 0}) if _is_jpeg(target) else ("PNG", {})
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        plain.save(partial, kind, **options)
        partial.replace(target)
    except (OSError, ValueError) as problem:
        partial.unlink(missing_ok=True)
        why = disk_problem(problem) if isinstance(problem, OSError) else str(problem)
        return f"the copy cannot be written: {why}"
    return None


def _is_jpeg(path: Path) -> bool:
    return path.suffix.lower() in JPEG_SUFFIXES
