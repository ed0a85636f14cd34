"""What the files of photographs are: their formats and sizes, what they say beside the pixels, and the day."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from .decode import FORMATS, own_pixel_limit
from .devices import cpu_count
from .labels import Labels
from .metadata import kinds_of
from .progress import Stages
from .reading import Unreadable, read_file
from .strip import parts_of

DAY = re.compile(r"((?:19|20)\d\d)[:-](\d\d)[:-](\d\d)")


@dataclass(frozen=True)
class File:
    """What a photograph's file is: its format and size, what it says beside the pixels, and the day, if asked.

    `digest` is the sha256 of its content, empty where it cannot be read.
    """

    size: int
    digest: bytes = b""
    format: str | None = None
    width: int = 0
    height: int = 0
    kinds: tuple[str, ...] = ()
    day: str | None = None


def read_files(labels: Labels, dates: bool, stages: Stages) -> Iterator[File]:
    paths = [str(path) for path in labels.images.paths]
    with ThreadPoolExecutor(cpu_count()) as pool:
        for done, file in enumerate(pool.map(lambda path: _file(path, dates), paths), 1):
            stages.report("reading files", done, len(paths))
            yield file


def _file(path: str, dates: bool) -> File:
    try:
        content = read_file(path)
    except Unreadable:
        return File(0)
    digest = hashlib.sha256(content).digest()
    try:
        with own_pixel_limit(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            kinds = tuple(kinds_of(parts_of(content, image)))
            day = _day(image) if dates else None
            return File(len(content), digest, str(image.format), *image.size, kinds, day)
    except Exception:  # Pillow's readers raise nearly every kind of exception on broken files
        return File(len(content), digest)


def _day(image: Image.Image) -> str | None:
    """Return the day on which a photograph was taken, as ``YYYY-MM-DD``."""
    exif = image.getexif()
    for said in (exif.get_ifd(0x8769).get(0x9003), exif.get(0x0132)):
        found = DAY.match(str(said)) if said else None
        if found and "01" <= found[2] <= "12" and "01" <= found[3] <= "31":
            return "-".join(found.groups())
    return None
