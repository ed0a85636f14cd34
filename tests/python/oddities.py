"""Broken and odd image files, drawn here: `python oddities.py FOLDER` writes them."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

TRUNCATED = "truncated JPEG"


def cat() -> Image.Image:
    """A photograph of a cat, 451 x 300 pixels, RGB."""
    return Image.fromarray(skimage.data.chelsea())


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image as the content of a file."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


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


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims `width` x `height` pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def animation(kind: str) -> bytes:
    """Two frames: the cat, then black."""
    black = Image.new("RGB", cat().size)
    return encoded(cat(), kind, save_all=True, append_images=[black], duration=100)


def see_through(image: Image.Image) -> Image.Image:
    """The image with alpha: its left half is transparent."""
    clear = image.convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, image.width // 2, image.height))
    return clear


def write_odd_files(folder: Path) -> dict[str, str]:
    """Write the files, and return for each name the `error` that it gives, or "" where it can be read.

    Also a folder, a loop of links and a named pipe with names of photographs, where the system has such things.
    """
    folder.mkdir(parents=True, exist_ok=True)
    grey16 = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    jpeg, png = encoded(cat(), "JPEG"), encoded(cat(), "PNG")
    palette = see_through(cat()).quantize(64)
    broken: dict[str, tuple[bytes, str]] = {
        "zero_bytes.jpg": (b"", "empty file (0 bytes)"),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], TRUNCATED),
        "truncated_in_the_header.jpg": (jpeg[:100], TRUNCATED),
        "truncated.png": (png[: len(png) // 2], "truncated PNG"),
        "page.jpg": (b"<html><head><title>404</title></head></html>", "not an image: starts with '<html'"),
        "text.jpg": (b"Not Found\n", "not an image: starts with 'Not'"),
        "document.png": (b"%PDF-1.7\n", "not an image: a PDF"),
        "bomb.png": (bomb(20_000, 12_000), "240 megapixels, above the limit of 100; raise max_pixels"),
    }
    fine: dict[str, bytes] = {
        "png_named.jpg": png,
        "grey_16_bit.png": encoded(Image.fromarray(grey16), "PNG"),
        "cmyk.jpg": encoded(cat().convert("CMYK"), "JPEG", quality=95),
        "palette_transparent.png": encoded(palette, "PNG"),
        "grey_transparent.png": encoded(see_through(cat()).convert("LA"), "PNG"),
        "animated.gif": animation("GIF"),
        "animated.webp": animation("WEBP"),
        "photo.webp": encoded(cat(), "WEBP"),
        "photo.bmp": encoded(cat(), "BMP"),
        "orientation_6.jpg": rotated_by_exif(cat(), 6),
        "float.tiff": encoded(Image.fromarray(np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64)), "TIFF"),
        "1x1.png": encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
        "1x2000.png": encoded(Image.new("L", (1, 2000), 128), "PNG"),
        "black_and_white.png": encoded(cat().convert("1"), "PNG"),
        "name with spaces.jpg": jpeg,
        "été à Québec.jpg": jpeg,
        "抗议.jpg": jpeg,
        "protest ✊🏽.jpg": jpeg,
        "=1+1.jpg": jpeg,
        "-rf.JPEG": jpeg,
        "a,comma and 'quotes'.jpg": jpeg,
    }
    for name, content in {**{n: c for n, (c, _) in broken.items()}, **fine}.items():
        (folder / name).write_bytes(content)
    told = {**{name: error for name, (_, error) in broken.items()}, **dict.fromkeys(fine, "")}
    (folder / "folder.jpg").mkdir(exist_ok=True)
    told["folder.jpg"] = "a folder, not an image"
    if hasattr(os, "mkfifo"):
        if not os.path.lexists(folder / "loop.jpg"):
            (folder / "loop.jpg").symlink_to("loop.jpg")
            (folder / "gone.jpg").symlink_to("no such photograph.jpg")
            os.mkfifo(folder / "pipe.jpg")
        told["loop.jpg"] = "a symbolic link that leads back to itself"
        told["gone.jpg"] = "file does not exist"
        told["pipe.jpg"] = "not a regular file"
    return told


if __name__ == "__main__":
    for odd_name, error in write_odd_files(Path(sys.argv[1])).items():
        print(f"{odd_name}: {error or 'can be read'}")
