"""Keep one huge or hostile photograph from taking all memory and time.

A file of some kilobytes can hold 100 million pixels, and each way of turning them into plain RGB makes a copy or three
of all of them. So huge photographs are decoded one after the other, and made plain and smaller in tiles.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

HUGE = 25_000_000  # pixels; decoded, such a photograph takes 100 megabytes
TILE = 2048  # pixels, a side
# Resizing after an average over blocks looks the same as long as three pixels are left for each one that is wanted.
SPARE = 3
_SEQUENTIAL = (0xC0, 0xC1, 0xC9)
_one = threading.Lock()
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # not a byte of the pixels, a filler, or a restart


@contextlib.contextmanager
def one_at_a_time(pixels: int) -> Iterator[None]:
    """Let no other thread decode a huge photograph while this one does."""
    with _one if pixels > HUGE else contextlib.nullcontext():
        yield


def in_tiles(
    image: Image.Image, wanted: tuple[int, int], mode: str, plain: Callable[[Image.Image], Image.Image]
) -> tuple[Image.Image, int]:
    """Return ``plain(image)``, which has `mode`, and by what a huge image was made smaller on the way.

    The result has still at least `SPARE` pixels for each of the `wanted` width and height; one of usual size is not
    made smaller.
    """
    if image.width * image.height <= HUGE or image.mode == mode:
        return plain(image), 1
    factor = max(1, int(min(image.width / wanted[0], image.height / wanted[1]) / SPARE))
    small = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    for left, top, tile in tiles(image, TILE // factor * factor or factor):
        small.paste(plain(tile).reduce(factor), (left // factor, top // factor))
    return small, factor


def tiles(image: Image.Image, side: int = TILE) -> Iterator[tuple[int, int, Image.Image]]:
    """Yield an image in squares, each with its left and upper edge."""
    for top in range(0, image.height, side):
        for left in range(0, image.width, side):
            yield left, top, image.crop((left, top, min(left + side, image.width), min(top + side, image.height)))


def brightest(image: Image.Image) -> float:
    """Return the greatest value of an image of floating point numbers, 255 where it is infinite."""
    values = (np.nan_to_num(np.asarray(tile), nan=0.0, posinf=255.0, neginf=0.0) for _, _, tile in tiles(image))
    return max(float(part.max()) for part in values)


def tile_pixels(image: Image.Image) -> int:
    """Return how many pixels a tile of a TIFF has, 0 for anything else; a hostile one of 4 x 4 pixels has 800 million.

    Pixels of more than four bytes count for more.
    """
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return 0
    width, height, samples, bits = (_number(tags.get(tag)) for tag in (322, 323, 277, 258))
    return width * height * max(1, samples * bits // 32) if tags.get(322) or tags.get(323) else 0


def _number(value: object) -> int:
    """Return the number in a tag, the largest where there are several, 1 where there is none."""
    values = value if isinstance(value, tuple) else (value,)
    return max((int(v) for v in values if isinstance(v, int | float) and 1 <= v < 2**40), default=1)


def number_of_scans(jpeg: bytes) -> int:
    """Return how many times a JPEG goes over its pixels: once, or about 10 times if it is progressive.

    A hostile one of a megabyte goes over 100 million pixels thousands of times, which takes minutes.
    """
    count, place, components = 0, 2, 0
    while (found := _MARKER.search(jpeg, place)) is not None:
        marker, place = jpeg[found.end() - 1], found.end()
        if marker == 0xD9:  # the end; a telephone may put a film behind it
            break
        segment = jpeg[place : place + 8]
        if marker in _SEQUENTIAL and len(segment) == 8:
            components = segment[7]
        if marker == 0xDA:
            count += 1
            if segment[2:3] == bytes([components]):  # everything in one scan, as in most photographs
                break
        if marker not in (0x01, 0xD8):
            place += int.from_bytes(segment[:2], "big")
    return count
