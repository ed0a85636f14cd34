"""Image files drawn here, byte by byte where no writer would make them: odd ones, and the parts of broken ones."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import skimage.data
from PIL import Image, ImageCms


def cat() -> Image.Image:
    """A photograph of a cat, 451 x 300 pixels, RGB."""
    return Image.fromarray(skimage.data.chelsea())


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image as the content of a file."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def see_through(image: Image.Image) -> Image.Image:
    """The image with alpha: its left half is transparent."""
    clear = image.convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, image.width // 2, image.height))
    return clear


def ramp(kind: type[np.generic], top: float) -> Image.Image:
    """Grey from black to white, 64 x 48 pixels, as numbers of any kind."""
    return Image.fromarray(np.linspace(0, top, 64 * 48).reshape(48, 64).astype(kind))


# -- JPEG --------------------------------------------------------------------------------------------------------------


def rotated_by_exif(image: Image.Image, orientation: int) -> bytes:
    """A JPEG whose pixels lie some other way, and whose EXIF orientation sets them upright again."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # the camera says: turn it by 270 degrees counter-clockwise
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image if undo is None else image.transpose(undo), "JPEG", quality=95, exif=exif)


def exif_with(*tags: tuple[int, int, int, bytes]) -> bytes:
    """EXIF as bytes, so that tags can have types that no writer would give them."""
    rows = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in tags)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + rows + bytes(4)


def segment(marker: int, body: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def after_soi(jpeg: bytes, *segments: bytes) -> bytes:
    """The JPEG with more segments at its beginning."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def jpeg_markers(jpeg: bytes) -> list[tuple[int, int, int]]:
    """The segments before the pixels: marker, place of its first byte, place after its last."""
    found, place = [], 2
    while True:
        marker, size = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        found.append((marker, place, place + 2 + size))
        place += 2 + size
        if marker == 0xDA:
            return found


def without(jpeg: bytes, marker: int) -> bytes:
    """The JPEG without the segments of a marker."""
    for found, start, stop in reversed(jpeg_markers(jpeg)):
        jpeg = jpeg[:start] + jpeg[stop:] if found == marker else jpeg
    return jpeg


def patched(content: bytes, place: int, new: bytes) -> bytes:
    """The content with some bytes replaced."""
    return content[:place] + new + content[place + len(new) :]


def frame(jpeg: bytes) -> int:
    """Where the segment with the size of a JPEG begins."""
    return next(start for marker, start, _ in jpeg_markers(jpeg) if marker in (0xC0, 0xC2))


def many_scans(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG, grey, whose pixels are gone over again and again: it grows by some bytes for each time."""
    blocks = -(-width // 8) * -(-height // 8)
    runs = -(-blocks // 32767)  # a run of empty blocks: the code 0, and fourteen bits of its length
    bits = ("0" + "1" * 14) * runs
    bits += "1" * (-len(bits) % 8)
    again = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    return (
        b"\xff\xd8"
        + segment(0xDB, b"\0" + b"\x01" * 64)
        + segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0")
        + segment(0xC4, b"\0\x01" + bytes(15) + b"\0")
        + segment(0xC4, b"\x10\x01" + bytes(15) + b"\xe0")
        + segment(0xDA, b"\x01\x01\0\0\0\0")
        + bytes(-(-blocks // 8))
        + (segment(0xDA, b"\x01\x01\0\x01\x01\0") + again) * scans
        + b"\xff\xd9"
    )


def colour_profile() -> bytes:
    """The ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# -- PNG ---------------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes, crc: int | None = None) -> bytes:
    """One chunk of a PNG."""
    right = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", right if crc is None else crc)


def png(
    width: int,
    height: int,
    data: bytes = b"",
    depth: int = 8,
    colour: int = 0,
    before: bytes = b"",
    interlaced: int = 0,
) -> bytes:
    """A PNG with `data`, compressed here, for its pixels; grey if `colour` does not say otherwise."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    pixels = chunk(b"IDAT", zlib.compress(data, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + pixels + chunk(b"IEND", b"")


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims `width` x `height` pixels."""
    return png(width, height)


def interlaced(width: int, height: int) -> bytes:
    """A white PNG of 8 bits whose pixels come in seven passes."""
    rows = b""
    for x, y, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)):
        rows += _pass(width, height, x, y, across, down)
    return png(width, height, rows + _pass(width, height, 0, 1, 1, 2), interlaced=1)


def _pass(width: int, height: int, x: int, y: int, across: int, down: int) -> bytes:
    columns, rows = -(-(width - x) // across), -(-(height - y) // down)
    return (b"\0" + b"\xff" * columns) * rows if columns > 0 and rows > 0 else b""


# -- other formats -----------------------------------------------------------------------------------------------------


def animation(kind: str) -> bytes:
    """Two frames: the cat, then black."""
    black = Image.new("RGB", cat().size)
    return encoded(cat(), kind, save_all=True, append_images=[black], duration=100)


def gif(width: int, height: int, frames: int = 1, screen: tuple[int, int] | None = None) -> bytes:
    """A black GIF of many frames, all the same; the size of its screen may be a lie."""
    content = encoded(Image.new("P", (width, height)), "GIF")
    start = content.index(b",")
    size = struct.pack("<HH", *(screen or (width, height)))
    return patched(content[:start], 6, size) + content[start:-1] * frames + b";"


def gif_frame(content: bytes, width: int, height: int) -> bytes:
    """The GIF with another size in the header of its first frame."""
    return patched(content, content.index(b",") + 5, struct.pack("<HH", width, height))


def riff(kind: bytes, body: bytes) -> bytes:
    """One chunk of a WebP."""
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def webp_bomb(width: int, height: int) -> bytes:
    """An animated WebP of some hundred bytes: a small cat on a canvas of `width` x `height` pixels."""
    cat_chunk = encoded(cat().resize((16, 16)), "WEBP", lossless=True)[12:]
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = bytes(6) + (15).to_bytes(3, "little") * 2 + bytes(4) + cat_chunk
    body = b"WEBP" + riff(b"VP8X", b"\x02\0\0\0" + size) + riff(b"ANIM", bytes(6)) + riff(b"ANMF", frame)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(
    width: int, height: int, data: bytes = b"", following: int = 0, more: tuple[tuple[int, int, int, int], ...] = ()
) -> bytes:
    """A grey TIFF without compression: `following` is where it says the next image is, `more` are tags."""
    rows = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 0),
        278: (4, 1, height),
        279: (4, 1, len(data)),
        **{tag: (kind, count, value) for tag, kind, count, value in more},
    }
    start = 8 + 2 + 12 * len(rows) + 4
    if 273 in rows and 273 not in [tag for tag, *_ in more]:
        rows[273] = (4, 1, start)
    entries = b"".join(struct.pack("<HHII", tag, *rows[tag]) for tag in sorted(rows))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(rows)) + entries + struct.pack("<I", following) + data


def bmp(width: int, height: int, bits: int = 24, compression: int = 0, data: bytes = b"") -> bytes:
    """A BMP with the header that it is told."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + header + data
