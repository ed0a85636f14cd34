"""Write pictures to a folder of their own: never over what was read, never outside, without metadata."""

from __future__ import annotations

import io
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageSequence

from .errors import ArgumentInvalid, disk_problem
from .reading import Unreadable, path_on_disk

# How each format is written without loss; JPEG, and what only it can stand for, is not.
_LOSSLESS: dict[str, dict[str, object]] = {
    "PNG": {},
    "GIF": {},
    "BMP": {},
    "PPM": {},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "WEBP": {"lossless": True, "exact": True},
    "JPEG2000": {"irreversible": False},
}
JPEG = ("JPEG", "MPO")
_numbers = itertools.count()  # of files that are being written, by several threads
ONE_FRAME = (*JPEG, "BMP", "PPM", "JPEG2000", "AVIF", "HEIF")


@dataclass(frozen=True)
class Targets:
    """Where each picture is to be written.

    Attributes
    ----------
    folder : str
        The folder, as an absolute path.
    names : list of str or None
        ``[n]``: paths inside it; None where there is nothing to read.
    taken : set of str
        These names; a suffix must not lead to one of them.
    read : set of str or bytes
        The real paths of the pictures that are read, which are never written over.
    overwrite : bool
        Whether other files that are there may be replaced.
    made : set of str
        Paths that were written so far; a picture that is given twice is written twice.
    """

    folder: str
    names: list[str | None]
    taken: frozenset[str] = frozenset()
    read: frozenset[str | bytes] = frozenset()
    overwrite: bool = False
    made: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


def find_targets(
    paths: Sequence[str | None],
    out: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    overwrite: bool | None = False,
    rename: Callable[[str], str] = str,
) -> Targets:
    """Say where the pictures are to be written: under `out`, in the folders in which they lie under `root`.

    Parameters
    ----------
    paths : list of str or None
        ``[n]``: the pictures that are read.
    out : path
        The folder to write to. It need not be there.
    root : path, optional
        The folder that was searched; by default the innermost one in which all pictures lie.
    overwrite : bool or None
        Whether files that are there may be replaced; None where the verb never does that.
    rename : callable
        What the path of a picture becomes in `out`.

    Raises
    ------
    ArgumentInvalid
        A picture would be written over one that is read, over another one's copy, or over a file that is there; or
        `out` is a file.
    """
    if not isinstance(out, str | os.PathLike) or not os.fspath(out):
        raise ArgumentInvalid(f"`out` is {out!r}; give a folder to write to.")
    folder = os.path.abspath(os.path.expanduser(os.fspath(out)))
    if os.path.lexists(path_on_disk(folder)) and not os.path.isdir(path_on_disk(folder)):
        raise ArgumentInvalid(f'`out` is "{out}", which is a file; give a folder to write to.')
    full = [None if path is None or "\0" in path else os.path.abspath(path) for path in paths]
    known = [path for path in full if path is not None]
    start = os.path.abspath(os.path.expanduser(os.fspath(root))) if root is not None else _common_folder(known)
    names = [None if path is None else rename(os.path.relpath(path, start)) for path in full]
    read = frozenset(os.path.realpath(path_on_disk(path)) for path in known)
    sources: dict[str, str] = {}
    for name, path in zip(names, full, strict=True):
        if name is None or path is None or sources.get(name) == path:
            continue
        if name in sources:
            raise ArgumentInvalid(
                f'"{sources[name]}" and "{path}" would have the same copy, "{name}". Rename one of them, or '
                "copy them to different folders."
            )
        sources[name] = path
        target = path_on_disk(os.path.join(folder, name))
        if os.path.realpath(target) in read:
            raise ArgumentInvalid(
                f'`out` is "{out}": "{name}" would be written over itself. The originals are left as they are; give '
                "another folder."
            )
        if not overwrite and os.path.lexists(target):
            cure = "Give another `out`" + ("." if overwrite is None else ", or overwrite=True (--overwrite).")
            raise ArgumentInvalid(f'There is a file "{name}" in "{out}" already. {cure}')
    if root is not None and _inside(folder, start):
        raise ArgumentInvalid(
            f'`out` is "{out}", inside the folder of the photographs, where it would be read the next time; give a '
            "folder beside it."
        )
    return Targets(folder, names, frozenset(sources), read, bool(overwrite))


def searched(images: Any, image_dir: str | os.PathLike[str] | None) -> str | None:
    """Return the folder that was searched for images, None where paths were given."""
    if not isinstance(images, str | os.PathLike):
        return None
    path = os.path.expanduser(os.fspath(images))
    path = path if image_dir is None else os.path.join(os.path.expanduser(os.fspath(image_dir)), path)
    return path if os.path.isdir(path) else None


def _common_folder(paths: Sequence[str]) -> str:
    try:
        return os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else os.getcwd()
    except ValueError:  # on several drives
        raise ArgumentInvalid("The photographs lie on several drives; take those of one after the other.") from None


def _inside(path: str, folder: str) -> bool:
    inner, outer = (os.fsdecode(os.path.realpath(path_on_disk(one))) for one in (path, folder))
    try:
        return os.path.commonpath([inner, outer]) == outer
    except ValueError:  # on several drives
        return False


def write_picture(targets: Targets, name: str, content: bytes, suffix: str = "") -> str:
    """Write the content of a file under its name and a suffix, whole or not at all, and return its path.

    Raises
    ------
    Unreadable
        It cannot be written; a link on the way leads out of the folder; or there is such a file, a picture that is read
        or, without ``overwrite``, any other.
    """
    path = os.path.join(targets.folder, name + suffix)
    parent = os.path.dirname(path)
    partial = path_on_disk(os.path.join(parent, f".{os.getpid():x}-{next(_numbers):x}.part"))
    try:
        os.makedirs(path_on_disk(parent), exist_ok=True)
        if not _inside(parent, targets.folder):
            raise Unreadable(f'"{os.path.dirname(name)}" is a link that leads out of the folder to write to')
        if os.path.realpath(path_on_disk(path)) in targets.read or (suffix and name + suffix in targets.taken):
            raise Unreadable(
                f'its copy would be "{name}{suffix}", which is another photograph or its copy: rename one of them'
            )
        try:
            with open(partial, "xb") as file:
                file.write(content)
            with targets.lock:
                if not targets.overwrite and path not in targets.made:
                    open(path_on_disk(path), "xb").close()  # fails where there is a file
                targets.made.add(path)
            os.replace(partial, path_on_disk(path))
        finally:
            if os.path.lexists(partial):
                os.unlink(partial)
    except OSError as problem:
        raise Unreadable(f"the copy cannot be written: {disk_problem(problem)}") from None
    return path


def encode_picture(
    frames: Sequence[Image.Image], kind: str, quality: int | None, profile: bytes | None = None
) -> tuple[bytes, str, bool]:
    """Return a picture as the content of a file without metadata, a suffix to add to its name, and whether it lost.

    Parameters
    ----------
    frames : list of PIL.Image.Image
        One, or those of an animation or a TIFF of many pages.
    kind : str
        Pillow's name of the format that was read.
    quality : int or None
        Of what has to be compressed with a loss, 1 to 100; None for never: then it becomes a PNG.
    profile : bytes, optional
        The ICC profile of the pixels.
    """
    suffix, kind = "", {"DIB": "BMP"}.get(kind, kind)
    if kind not in _LOSSLESS:
        kind, suffix = ("PNG", ".png") if quality is None else ("JPEG", "" if kind in JPEG else ".jpg")
    plain = [_bare(frame, kind) for frame in frames]
    options: dict[str, object] = dict(_LOSSLESS.get(kind, {}))
    if kind == "JPEG":
        options = {"quality": quality, "subsampling": 0 if quality is not None and quality >= 95 else 2}
    if profile:
        options["icc_profile"] = profile
    if len(plain) > 1 and kind not in ONE_FRAME:
        options |= {"save_all": True, "append_images": plain[1:]}
        if kind != "TIFF":
            durations = [frame.info.get("duration", 0) for frame in frames]
            options |= {"duration": durations, "loop": frames[0].info.get("loop", 0)}
    content = io.BytesIO()
    plain[0].save(content, kind, **options)
    return content.getvalue(), suffix, kind == "JPEG"


def _bare(image: Image.Image, kind: str) -> Image.Image:
    """Return the pixels, and which of them are transparent, and nothing else that a writer would write too."""
    bare = image.copy()
    bare.info = {key: value for key, value in image.info.items() if key == "transparency"}
    if kind == "JPEG" and bare.mode not in ("L", "RGB", "CMYK"):
        if bare.has_transparency_data:
            bare = Image.alpha_composite(Image.new("RGBA", bare.size, "white"), bare.convert("RGBA"))
        bare = bare.convert("RGB")
        bare.info = {}
    return bare


def all_frames(image: Image.Image, max_pixels: int) -> list[Image.Image]:
    """Return the frames of an open picture.

    Raises
    ------
    Unreadable
        All of them together have more than `max_pixels`.
    """
    if image.format in ONE_FRAME or getattr(image, "n_frames", 1) == 1:
        return [image]
    frames: list[Image.Image] = []
    for frame in ImageSequence.Iterator(image):
        frames.append(frame.copy())
        pixels = sum(one.width * one.height for one in frames)
        if pixels > max_pixels:
            raise Unreadable(
                f"{len(frames):,} frames or more, above the limit of {max_pixels / 1e6:,.0f} megapixels in all; raise "
                "max_pixels"
            )
    return frames


def shown(path: str) -> str:
    """Return a path as text that any table can hold."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
