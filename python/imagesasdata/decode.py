"""Decode one image file safely into the pixels that a model expects.

The same code serves training and prediction. An image file is untrusted input: only raster formats are opened, the
size is checked before any pixel is decoded, and whatever goes wrong becomes one plain sentence in `Unreadable`.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from .bounded import brightest, in_tiles, number_of_scans, one_at_a_time, tile_pixels
from .colours import to_srgb
from .errors import ArgumentInvalid, choose
from .reading import MAX_BYTES, Unreadable, millions

# Raster formats only: Pillow's EPS reader, for instance, would start Ghostscript on the file.
Image.init()  # before any thread needs it
FORMATS: list[str] = [
    name
    for name in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF")
    if name in Image.OPEN
]
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .gif .webp .bmp .dib .tif .tiff .ppm .pgm .pbm .jp2 .avif .heic"
    " .heif".split()
)
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
RULES = ("short_side_crop", "stretch", "pad")
COLOURS = ("RGB", "BGR", "grey")
MAX_PIXELS = 100_000_000
MAX_SCANS = 500  # cameras and editors write about 10
Pixels = npt.NDArray[np.uint8]

try:  # HEIC, the format of many telephones, where the user has installed its reader
    import pillow_heif
except ImportError:
    HEIC = False
else:
    pillow_heif.register_heif_opener()
    FORMATS.append("HEIF")
    HEIC = True

_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAGIC = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG",
    "GIF": rb"GIF8",
    "BMP": rb"BM",
    "TIFF": rb"II\*\0|MM\0\*",
    "WebP": rb"RIFF....WEBP",
    "PPM": rb"P[1-6]\s",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "AVIF": rb"....ftypavi[fs]",
    "HEIC": rb"....ftyp(?:hei[cmsx]|hevc|mif1)",
}


@dataclass(frozen=True)
class Preprocessing:
    """How an upright photograph becomes the network's input: ``x = (pixel / scale - mean) / std``.

    Attributes
    ----------
    size : int
        Side of the square that the network sees, in pixels.
    resize : int
        With ``rule="short_side_crop"``: the short side in pixels before the centre square of `size` is cut out.
    rule : {"short_side_crop", "stretch", "pad"}
        Crop the centre, ignore the aspect ratio, or fit the whole photograph onto a black square.
    filter : {"nearest", "box", "bilinear", "bicubic", "lanczos"}
        Pillow's resampling filter.
    colour : {"RGB", "BGR", "grey"}
        Order of the channels; ``"grey"`` has one.
    scale : float
        Pixels (0 to 255) are divided by it first.
    mean, std : tuple of float
        One number a channel, on the scale after the division by `scale`.
    jpeg_scaling : bool
        Let the JPEG decoder reduce the photograph by 2, 4 or 8, to the next size above what is needed.
    """

    size: int
    resize: int
    rule: str = "short_side_crop"
    filter: str = "bicubic"
    colour: str = "RGB"
    scale: float = 255.0
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    jpeg_scaling: bool = True

    def __post_init__(self) -> None:
        choose("rule", self.rule, RULES)
        choose("filter", self.filter, FILTERS)
        choose("colour", self.colour, COLOURS)

    @property
    def channels(self) -> int:
        """Number of colour channels, 1 or 3."""
        return 1 if self.colour == "grey" else 3

    @property
    def mode(self) -> str:
        """Pillow's name of what is resized."""
        return "L" if self.colour == "grey" else "RGB"


@dataclass(frozen=True)
class Limits:
    """The largest photograph that is decoded, in pixels, and the largest file that is read, in bytes."""

    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        for name in ("max_pixels", "max_bytes"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ArgumentInvalid(f"`{name}` is {value!r}; it must be a whole number above 0.")


_pillow_lock = threading.Lock()
_pillow_users = 0
_pillow_limit: int | None = None


@contextlib.contextmanager
def own_pixel_limit() -> Iterator[None]:
    """Switch Pillow's process-wide pixel limit off while our own, which the caller can raise, is checked instead."""
    global _pillow_users, _pillow_limit
    with _pillow_lock:
        if _pillow_users == 0:
            _pillow_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _pillow_users += 1
    try:
        yield
    finally:
        with _pillow_lock:
            _pillow_users -= 1
            if _pillow_users == 0:
                Image.MAX_IMAGE_PIXELS = _pillow_limit


def decode_image(content: bytes, preprocessing: Preprocessing, limits: Limits) -> Pixels:
    """Decode a file's content to ``[size, size, channels]`` bytes, before the arithmetic of mean and std.

    Raises
    ------
    Unreadable
        With the reason in plain words.
    """
    with _opened(content, limits) as (image, scans):
        wanted = _wanted_size(*image.size, preprocessing)
        pixels = image.width * image.height
        scaled = preprocessing.jpeg_scaling and image.draft(None, wanted)
        # The decoder keeps all of a progressive JPEG, also where it delivers a reduced one.
        with one_at_a_time(max(pixels if scans > 1 else image.width * image.height, tile_pixels(image))):
            image.load()
            # A JPEG of 427 pixels at 1/4 is 107 pixels, of which the last is only partly inside the photograph.
            extent: tuple[float, float] = scaled[1][2:] if scaled else image.size
            top = brightest(image) if image.mode == "F" else 0.0
            plain, factor = in_tiles(
                image, wanted, preprocessing.mode, lambda part: _plain(part, preprocessing.mode, top)
            )
            return _fit(plain, (extent[0] / factor, extent[1] / factor), turn_of(image), preprocessing)


@contextlib.contextmanager
def upright_image(content: bytes, limits: Limits, srgb: bool = False) -> Iterator[Image.Image]:
    """Decode a whole photograph, upright and in RGB, for as long as it is in use; then its memory is given back.

    While a huge one is in use, no other huge one is decoded. With `srgb`, colours that a profile describes become sRGB.

    Raises
    ------
    Unreadable
        With the reason in plain words.
    """
    with contextlib.ExitStack() as held:
        with _opened(content, limits) as (image, _):
            held.enter_context(one_at_a_time(max(image.width * image.height, tile_pixels(image))))
            image.load()
            top = brightest(image) if image.mode == "F" else 0.0
            profile = image.info.get("icc_profile") if srgb else None
            plain, _ = in_tiles(image, image.size, "RGB", lambda part: _plain(to_srgb(part, profile), "RGB", top))
            turn = turn_of(image)
            upright = plain if turn is None else plain.transpose(turn)
        del image, plain
        try:
            yield upright
        finally:
            upright.close()


@contextlib.contextmanager
def _opened(content: bytes, limits: Limits) -> Iterator[tuple[Image.Image, int]]:
    """Open a file's content whose size is within the limits; yield it with its number of scans, not yet decoded.

    What goes wrong inside becomes `Unreadable`.
    """
    try:
        with own_pixel_limit(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > limits.max_pixels:
                raise Unreadable(
                    f"{millions(width * height)} megapixels, above the limit of "
                    f"{millions(limits.max_pixels)}; raise max_pixels"
                )
            if (tile := tile_pixels(image)) > limits.max_pixels:
                raise Unreadable(
                    f"a TIFF in tiles of {millions(tile)} megapixels, above the limit of "
                    f"{millions(limits.max_pixels)}; raise max_pixels"
                )
            scans = number_of_scans(content) if image.format in ("JPEG", "MPO") else 1
            if scans > MAX_SCANS:
                raise Unreadable(f"a JPEG of {scans:,} scans, above the limit of {MAX_SCANS}")
            yield image, scans
    except Unreadable:
        raise
    except Exception as problem:  # Pillow's readers raise nearly every kind of exception on broken files
        raise Unreadable(decode_problem(problem, content)) from None


def _wanted_size(width: int, height: int, preprocessing: Preprocessing) -> tuple[int, int]:
    """Return the least size that the JPEG decoder may deliver without losing detail that the model would see."""
    if preprocessing.rule == "short_side_crop":
        return preprocessing.resize, preprocessing.resize
    if preprocessing.rule == "stretch":
        return preprocessing.size, preprocessing.size
    ratio = preprocessing.size / max(width, height)
    return math.ceil(width * ratio), math.ceil(height * ratio)


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return what the EXIF orientation says to do to set the photograph upright.

    Not ImageOps.exif_transpose: it writes the EXIF anew, which fails where any other tag is broken.
    """
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # broken EXIF says nothing about the pixels
        return None
    return _ORIENTATIONS.get(orientation) if isinstance(orientation, int) else None


def _plain(image: Image.Image, mode: str, top: float) -> Image.Image:
    """Convert any Pillow mode to 8-bit `mode`; transparent parts become white, deeper pixels are scaled to 8 bits.

    `top` is the greatest value of the whole image where it has floating point numbers.
    """
    if image.mode == mode and not image.has_transparency_data:
        return image
    if image.mode.startswith("I"):  # 16 or 32 bits a pixel, of which formats use 16
        deep = np.clip(np.asarray(image, dtype=np.int64), 0, 65535)
        image = Image.fromarray((deep // 257).astype(np.uint8))
    elif image.mode == "F":  # floating point: 0 to 1 by convention, else taken as 0 to 255
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=255.0, neginf=0.0)
        if top <= 1:
            values = values * 255
        image = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert(mode)


def _fit(
    image: Image.Image,
    extent: tuple[float, float],
    turn: Image.Transpose | None,
    preprocessing: Preprocessing,
) -> Pixels:
    """Resize to the model's square by the rule, and set it upright; only what is kept is resized and turned."""
    width, height = extent
    size, filter_ = preprocessing.size, FILTERS[preprocessing.filter]
    if preprocessing.rule == "pad":
        ratio = size / max(width, height)
        inner = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        whole = image.resize(inner, filter_, box=(0.0, 0.0, width, height))
        whole = whole if turn is None else whole.transpose(turn)
        square = Image.new(image.mode, (size, size))
        square.paste(whole, ((size - whole.width) // 2, (size - whole.height) // 2))
    else:
        box = (0.0, 0.0, width, height)
        if preprocessing.rule == "short_side_crop":
            side = min(width, height) * size / preprocessing.resize
            left, top = (width - side) / 2, (height - side) / 2
            box = (max(left, 0.0), max(top, 0.0), min(left + side, width), min(top + side, height))
        square = image.resize((size, size), filter_, box=box)
        square = square if turn is None else square.transpose(turn)
    pixels = np.asarray(square, dtype=np.uint8).reshape(size, size, preprocessing.channels)
    return pixels[:, :, ::-1] if preprocessing.colour == "BGR" else pixels


def decode_problem(problem: Exception, content: bytes) -> str:
    """Say in plain words why a file's content is no image."""
    if isinstance(problem, MemoryError):
        return "not enough memory to decode the image"
    kind = next((name for name, magic in _MAGIC.items() if re.match(magic, content, re.DOTALL)), None)
    if content.startswith(b"%PDF"):
        return "not an image: a PDF"
    if kind is None:
        return f"not an image: starts with {_start(content)!r}"
    if kind == "HEIC" and not HEIC:
        return "a HEIC photograph: install pillow-heif to read it"
    text = str(problem)
    if "MAX_TEXT" in text:  # Pillow stops where it would unpack without end
        return "a PNG whose compressed text or colour profile is too large"
    if "truncated" in text.lower() or "end of file" in text.lower() or isinstance(problem, EOFError):
        return f"truncated {kind}"
    if _ends_early(kind, content):
        return f"truncated {kind}"
    if isinstance(problem, UnidentifiedImageError):
        return f"damaged {kind}, or a kind of {kind} that cannot be read"
    return f"damaged {kind}: {text}" if text else f"damaged {kind}"


def _start(content: bytes) -> str:
    """Return the first word of a text, or the first bytes of anything else."""
    words = re.match(rb"(?:\xef\xbb\xbf)?\s*([^\s>\0]+)", content[:64])
    return (words.group(1) if words else content)[:12].decode("latin-1")


def _ends_early(kind: str, content: bytes) -> bool:
    """Say whether a damaged file lacks its end, by the marks that its format has for that."""
    if kind == "JPEG":
        return b"\xff\xd9" not in content[-64:]
    if kind == "PNG":
        return b"IEND" not in content
    if kind == "GIF":
        return b";" not in content[-64:]
    sizes = {"WebP": (content[4:8], 8), "BMP": (content[2:6], 0)}
    size, more = sizes.get(kind, (b"", 0))
    return int.from_bytes(size, "little") + more > len(content)
