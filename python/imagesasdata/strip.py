"""Copies of photographs without what their files say beside the pixels: place, time, camera, names."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from .bounded import one_at_a_time
from .colours import to_srgb
from .decode import (
    FORMATS,
    MAX_PIXELS,
    Limits,
    Pixels,
    Preprocessing,
    decode_image,
    decode_problem,
    own_pixel_limit,
    turn_of,
)
from .devices import cpu_count
from .errors import ArgumentInvalid, choose
from .images import ImageList, find_images
from .metadata import CUT, Part, cut, join_webp, kinds_of, tiff_parts
from .progress import Progress, Report
from .provenance import describe_call
from .reading import MAX_BYTES, Unreadable, read_file
from .tables import with_provenance
from .verb import Result, Stopped, Verb, refuse_existing
from .written import Targets, all_frames, encode_picture, find_targets, searched, shown, write_picture

PROFILES = ("keep", "convert")
CHECK = Preprocessing(size=8, resize=8)  # decoding to so few pixels finds out whether a file can be read
WAITING = 4  # photographs a thread that are read before they are wanted
SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("written", pa.string()),
        ("removed", pa.string()),
        ("recompressed", pa.bool_()),
        ("error", pa.string()),
    ]
)


@Verb
def strip_metadata(
    images: Any,
    out: str | os.PathLike[str],
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    quality: int | str = 95,
    profile: str = "keep",
    overwrite: bool = False,
    progress: Report = True,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> Result:
    """Write copies of photographs without metadata: place, time, camera, owner, texts, thumbnails.

    Parameters
    ----------
    images, image_col, image_dir, progress, max_pixels, max_bytes
        As in `classify_images`.
    out : path
        A folder to write to. Photographs of a folder keep their place under it, others their place under the innermost
        folder in which all of them lie. The originals are never changed.
    quality : int or "lossless"
        Of the JPEG compression, 1 to 100, where a photograph has to be compressed anew. ``"lossless"`` makes a PNG of
        it instead, with ``.png`` after its name.
    profile : {"keep", "convert"}
        What becomes of an ICC profile, which says which colours the pixels mean. ``"convert"`` makes the pixels sRGB
        and leaves the profile out.
    overwrite : bool
        Whether files that are in `out` may be replaced.

    Returns
    -------
    pandas.DataFrame
        ``image``; ``written`` (path of the copy); ``removed`` (kinds, such as ``"EXIF, GPS, thumbnail"``; empty where
        there was nothing: ``EXIF``, ``GPS``, ``XMP``, ``IPTC``, ``comment``, ``thumbnail``, ``ICC``,
        ``pictures behind`` (of films, bursts and whatever follows the photograph in its file), ``other``);
        ``recompressed`` (whether pixels were compressed anew with a loss); ``error``. A file that cannot be read is not
        copied. Given a data frame, that data frame with these columns added.

    Raises
    ------
    ArgumentInvalid
        A copy would be written over its original or, without `overwrite`, over a file that is there.
    ImagesNotFound, ImageColumnMissing, ColumnExists

    Notes
    -----
    JPEG, PNG, WebP and GIF are cut: the compressed pixels stay byte for byte, so that a model says the same of the
    copy. A photograph whose EXIF says that it lies on its side or its head is set upright, since nothing is left in it
    that could say so: a JPEG is compressed anew, the others are written without loss. So are TIFF, BMP, PPM and JPEG
    2000; HEIC and AVIF become JPEG (``.jpg`` after the name). What is not cut has 8 bits a channel.

    By default profiles are kept: without one, colours change wherever it is not sRGB, and converting changes all
    pixels. Profiles of telephones and editors are alike in millions of photographs; one made for one scanner or screen
    can name it, and ``"convert"`` takes it away. What photographs show, their names, and marks hidden in the pixels
    stay.

    Examples
    --------
    >>> import imagesasdata as iad, skimage, tempfile
    >>> cat = skimage.__path__[0] + "/data/chelsea.png"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     iad.strip_metadata([cat], folder, progress=False)["removed"].tolist()
    ['XMP']
    """
    choose("profile", profile, PROFILES)
    is_number = isinstance(quality, int) and not isinstance(quality, bool) and 1 <= quality <= 100
    if quality != "lossless" and not is_number:
        raise ArgumentInvalid(f'`quality` is {quality!r}; it must be a whole number from 1 to 100, or "lossless".')
    found = find_images(images, image_col, image_dir)
    refuse_existing(found.columns, SCHEMA.names[1:])
    targets = find_targets(found.paths, out, searched(images, image_dir), overwrite)
    settings = Settings(None if quality == "lossless" else int(quality), profile, Limits(max_pixels, max_bytes))
    rows: list[dict[str, Any]] = []
    try:
        with Progress(progress, len(found), "strip_metadata") as bar:
            for row in _rows(found, targets, settings):
                rows.append(row)
                bar.advance(1)
    except KeyboardInterrupt:
        raise Stopped(_result(rows, found), len(found), "") from None
    return _result(rows, found)


def _result(rows: list[dict[str, Any]], found: ImageList) -> Result:
    named = [{"image": name, **row} for name, row in zip(found.names, rows, strict=False)]
    table = with_provenance(pa.Table.from_pylist(named, SCHEMA), describe_call("strip_metadata"))
    return Result(table, found.data)


@dataclass(frozen=True)
class Settings:
    """What was asked for; `quality` is None for no loss."""

    quality: int | None
    profile: str
    limits: Limits


def _rows(found: ImageList, targets: Targets, settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the row of each photograph, in order; some are done at a time."""
    threads = min(8, cpu_count())
    waiting: deque[Future[dict[str, Any]]] = deque()
    pool = ThreadPoolExecutor(threads, "strip")
    try:
        for path, name in zip(found.paths, targets.names, strict=True):
            waiting.append(pool.submit(_row, path, name, targets, settings))
            if len(waiting) >= WAITING * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _row(path: str | None, name: str | None, targets: Targets, settings: Settings) -> dict[str, Any]:
    try:
        if path is None:
            raise Unreadable("no path was given")
        content = read_file(path, settings.limits.max_bytes)
        if name is None:
            raise Unreadable("the file name cannot be used")
        stripped = strip(content, settings)
        written = write_picture(targets, name, stripped.content, stripped.suffix)
    except Unreadable as problem:
        return {"error": str(problem)}
    return {
        "written": shown(written),
        "removed": ", ".join(stripped.removed),
        "recompressed": stripped.recompressed,
        "error": None,
    }


@dataclass(frozen=True)
class Stripped:
    """A photograph without metadata: content, kinds removed, whether pixels lost anything, a suffix to add."""

    content: bytes
    removed: list[str]
    recompressed: bool
    suffix: str = ""


def strip(content: bytes, settings: Settings) -> Stripped:
    """Return the content of a photograph's file without its metadata.

    Raises
    ------
    Unreadable
        It cannot be read, or is larger than it may be.
    """
    seen = decode_image(content, CHECK, settings.limits)
    try:
        with own_pixel_limit(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            kind, profile = str(image.format), image.info.get("icc_profile")
            turn = None if kind == "TIFF" else turn_of(image)  # Pillow turns a TIFF itself
            convert = settings.profile == "convert"
            parts, keep = parts_of(content, image), () if convert else ("ICC",)
            removed = [one for one in kinds_of(parts) if one not in keep]
            if kind in CUT and turn is None and not (convert and profile):
                new = join_webp(cut(parts, keep)) if kind == "WEBP" else cut(parts, keep)
                if _shows(new, seen, settings.limits):
                    return Stripped(new, removed, False)
            with one_at_a_time(image.width * image.height):
                frames = all_frames(image, settings.limits.max_pixels)
                if turn is not None:
                    frames = [_with_info(frame.transpose(turn), frame) for frame in frames]
                if convert and profile:
                    frames = [_with_info(to_srgb(frame, profile), frame) for frame in frames]
                new, suffix, lossy = encode_picture(frames, kind, settings.quality, None if convert else profile)
            return Stripped(new, removed, lossy, suffix)
    except Unreadable:
        raise
    except Exception as problem:  # Pillow's readers and writers raise nearly every kind of exception
        raise Unreadable(decode_problem(problem, content)) from None


def _shows(content: bytes, seen: Pixels, limits: Limits) -> bool:
    """Say whether a file that was cut still shows what it did."""
    try:
        return np.array_equal(decode_image(content, CHECK, limits), seen)
    except Unreadable:
        return False


def parts_of(content: bytes, image: Image.Image) -> list[Part]:
    """Return the parts of a file that is open; of formats that cannot be cut, what Pillow tells of its metadata."""
    kind = str(image.format)
    if kind in CUT:
        return CUT[kind](content)
    if kind == "TIFF":
        return tiff_parts(content)
    said = {"exif": "EXIF", "xmp": "XMP", "icc_profile": "ICC", "comment": "comment"}
    told = [(said[key], value) for key, value in image.info.items() if key in said and isinstance(value, bytes)]
    return [(one, value) for one, value in told if not value.startswith(b"Created by OpenJPEG")]  # every writer says so


def _with_info(new: Image.Image, old: Image.Image) -> Image.Image:
    # A colour that stands for transparency means nothing among other colours.
    new.info = {key: value for key, value in old.info.items() if key != "transparency" or new.mode == old.mode}
    return new
