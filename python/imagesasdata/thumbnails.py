"""Small pictures of photographs, decoded as safely as those that are classified."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from .decode import Limits, Pixels, Preprocessing, decode_image
from .errors import ArgumentInvalid
from .reading import Unreadable, read_file

GREY_TILE = 217


def thumbnail(
    image: str, image_dir: str | os.PathLike[str] | None = None, size: int = 200
) -> tuple[Pixels | None, str | None]:
    """Return a photograph, whole and upright, as ``[h, w, 3]`` bytes with `size` as its longer side.

    Returns
    -------
    numpy.ndarray or None
        The pixels; None where the file cannot be read.
    str or None
        Why it cannot be read.
    """
    steps = Preprocessing(size=size, resize=size, rule="pad", filter="bicubic")
    path = os.path.expanduser(image)
    if image_dir is not None and not image.startswith(("http://", "https://")):
        path = os.path.join(os.path.expanduser(os.fspath(image_dir)), path)
    try:
        if not image:
            raise Unreadable("no path was given")
        limits = Limits()
        return _without_bars(decode_image(read_file(path, limits.max_bytes), steps, limits)), None
    except Unreadable as problem:
        return None, str(problem)


def check_image_dir(image_dir: str | os.PathLike[str] | None) -> None:
    """Raise `ArgumentInvalid` where a folder is named that does not exist: every photograph would be missing."""
    if image_dir is not None and not os.path.isdir(os.path.expanduser(os.fspath(image_dir))):
        raise ArgumentInvalid(f'`image_dir` is "{os.fspath(image_dir)}", which is no folder.')


def grey_tile(size: int = 200) -> Pixels:
    """Return the square that stands for a photograph that cannot be read."""
    return np.full((size, size, 3), GREY_TILE, np.uint8)


def jpeg(pixels: Pixels, quality: int = 82) -> bytes:
    """Return pixels ``[h, w, 3]`` as the content of a JPEG file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=quality, optimize=True)
    return content.getvalue()


def _without_bars(square: Pixels) -> Pixels:
    """Cut off the black bars that fitting onto a square added, above and below or left and right."""
    for axis in (0, 1):
        inside = np.flatnonzero(square.any(axis=(1 - axis, 2)))
        if not len(inside):
            return square  # a black photograph
        side = square.shape[axis]
        before, after = int(inside[0]), side - 1 - int(inside[-1])
        # The bars are equal, or the second one is wider by one.
        bar = min(before, after)
        stop = side - (bar + 1 if after > bar else bar)
        square = square.take(range(bar, stop), axis=axis)
    return square
