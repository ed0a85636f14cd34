"""Broken, hostile and odd image files: `python oddities.py FOLDER` writes them."""

from __future__ import annotations

import hashlib
import os
import sys
import zlib
from pathlib import Path

import numpy as np
from drawn import (
    after_soi,
    animation,
    bmp,
    bomb,
    cat,
    chunk,
    colour_profile,
    encoded,
    exif_with,
    frame,
    gif,
    gif_frame,
    interlaced,
    jpeg_markers,
    many_scans,
    patched,
    png,
    ramp,
    rotated_by_exif,
    see_through,
    segment,
    tiff,
    webp_bomb,
    without,
)
from PIL import Image

SMALL = cat().resize((120, 80))
JPEG, PNG, GIF = encoded(SMALL, "JPEG"), encoded(SMALL, "PNG"), encoded(SMALL, "GIF")
WEBP, BMP, TIFF = encoded(SMALL, "WEBP"), encoded(SMALL, "BMP"), encoded(SMALL, "TIFF", compression="tiff_lzw")
PROGRESSIVE = encoded(SMALL, "JPEG", progressive=True)
PIXELS = jpeg_markers(JPEG)[-1][2]  # where those of the JPEG begin
TOO_LARGE = "megapixels, above the limit of 100; raise max_pixels"
Broken = dict[str, tuple[bytes, str]]  # name: content and error
Fine = dict[str, bytes]


def no_images() -> Broken:
    """What is called a photograph and is something else, as scrapers and servers leave it."""
    return {
        "zero_bytes.jpg": (b"", "empty file (0 bytes)"),
        "one_byte.jpg": (b"\xff", "not an image: starts with 'ÿ'"),
        "zeros.jpg": (bytes(5000), "not an image: starts with '" + "\\x00" * 12 + "'"),
        "random.jpg": (
            hashlib.shake_128(b"photograph").digest(5000),
            "not an image: starts with '\xa7/gm\\x89^\xa2\xd1[\\x8c\xd7!'",
        ),
        "page.jpg": (b"<html><head><title>404</title></head></html>", "not an image: starts with '<html'"),
        "text.jpg": (b"Not Found\n", "not an image: starts with 'Not'"),
        "drawing.jpg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image: starts with '<svg'"),
        "document.png": (b"%PDF-1.7\n", "not an image: a PDF"),
        "script.jpg": (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(touched) (w) file closefile\nshowpage\n",
            "not an image: starts with '%!PS-Adobe-3'",
        ),
        "script.eps.jpg": (b"\xc5\xd0\xd3\xc6" + bytes(26) + b"%!PS\n", "not an image: starts with 'ÅÐÓÆ'"),
        "photoshop.jpg": (b"8BPS\0\1" + bytes(6) + b"\0\3" + bytes(20), "not an image: starts with '8BPS'"),
        "film.jpg": (b"\0\0\0\x18ftypmp42" + bytes(40), "not an image: starts with '\\x00\\x00\\x00\\x18ftypmp42'"),
        "film.avi.jpg": (b"RIFF\x24\0\0\0AVI LIST" + bytes(20), "not an image: starts with 'RIFF$'"),
        "archive.jpg": (b"PK\x03\x04" + bytes(26), "not an image: starts with 'PK\\x03\\x04'"),
        "pointer.jpg": (b"version https://git-lfs.github.com/spec/v1\n", "not an image: starts with 'version'"),
        "icon.jpg": (
            b"\0\0\1\0\1\0" + bytes(30),
            "not an image: starts with '\\x00\\x00\\x01\\x00\\x01" + "\\x00" * 7 + "'",
        ),
        "apple.jpg": (b"\0\0\0\x18ftypheic" + bytes(40), "a HEIC photograph: install pillow-heif to read it"),
        "garbage_before.jpg": (b"\r\n\r\n" + JPEG, "not an image: starts with 'ÿØÿà'"),
    }


def truncated() -> Broken:
    """Files that a download left unfinished: a JPEG after each of its segments, the others at several places."""
    cut = {f"cut_{i}_after_{m:x}.jpg": JPEG[:stop] for i, (m, _, stop) in enumerate(jpeg_markers(JPEG))}
    cut |= {f"cut_{i}_in_{m:x}.jpg": JPEG[: (a + b) // 2 + 1] for i, (m, a, b) in enumerate(jpeg_markers(JPEG))}
    cut |= {
        "truncated.jpg": JPEG[: (PIXELS + len(JPEG)) // 2],
        "truncated_progressive.jpg": PROGRESSIVE[: len(PROGRESSIVE) // 2],
        "without_an_end.jpg": JPEG[:-2],
        "start_only.jpg": JPEG[:4],
    }
    others = {"png": PNG, "gif": GIF, "webp": WEBP, "bmp": BMP}
    places = {
        "header": lambda content: 20,
        "half": lambda content: len(content) // 2,
        "end": lambda c: len(c) * 19 // 20,
    }
    told: Broken = {name: (content, "truncated JPEG") for name, content in cut.items()}
    for suffix, content in others.items():
        kind = {"webp": "WebP"}.get(suffix, suffix.upper())
        told |= {
            f"truncated_{place}.{suffix}": (content[: end(content)], f"truncated {kind}")
            for place, end in places.items()
        }
    return told | {
        "signature.png": (PNG[:8], "truncated PNG"),
        "truncated_header.tif": (TIFF[:20], "damaged TIFF, or a kind of TIFF that cannot be read"),
        "truncated_half.tif": (tiff(120, 80, bytes(4800), more=((279, 4, 1, 9600),)), "truncated TIFF"),
        "truncated.ppm": (encoded(SMALL, "PPM")[:5000], "truncated PPM"),
        "truncated.jp2": (
            encoded(SMALL, "JPEG2000")[:2000],
            "damaged JPEG 2000: broken data stream when reading image file",
        ),
    }


def damaged() -> Broken:
    """Files whose parts contradict each other."""
    unknown = {
        kind: f"damaged {kind}, or a kind of {kind} that cannot be read"
        for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF")
    }
    size = frame(JPEG) + 5
    header = PNG.index(b"IHDR")
    stream = "damaged JPEG: broken data stream when reading image file"
    return {
        "without_tables.jpg": (without(JPEG, 0xDB), stream),
        "without_size.jpg": (without(JPEG, 0xC0), unknown["JPEG"]),
        "no_width.jpg": (patched(JPEG, size + 2, b"\0\0"), unknown["JPEG"]),
        "twelve_bits.jpg": (patched(JPEG, size - 1, b"\x0c"), unknown["JPEG"]),
        "lossless.jpg": (patched(JPEG, size - 4, b"\xc3"), stream),
        "two_starts.jpg": (JPEG[:2] + JPEG, stream),
        "wrong_crc.png": (patched(PNG, header + 17, b"\0\0\0\0"), unknown["PNG"]),
        "no_pixels.png": (bomb(60, 40), "truncated PNG"),
        "no_width.png": (png(0, 40), unknown["PNG"]),
        "strange_depth.png": (png(60, 40, depth=7), unknown["PNG"]),
        "no_frame.gif": (GIF[:781] + b";", unknown["GIF"]),
        "no_size.bmp": (bmp(0, 0), unknown["BMP"]),
        "strange_compression.bmp": (
            bmp(4, 4, compression=9, data=bytes(48)),
            "damaged BMP: Unsupported BMP compression (9)",
        ),
        "many_samples.tif": (tiff(4, 4, bytes(16), more=((277, 3, 1, 65535),)), unknown["TIFF"]),
    }


def bombs() -> Broken:
    """Small files that would fill the memory or take for ever."""
    white = bytes(1 + 10_001 // 8 + 1) * 10_000
    zeros, dark = zlib.compress(bytes(30_000_000), 9), bytes(61 * 40)
    text = "a PNG whose compressed text or colour profile is too large"
    return {
        "bomb.png": (bomb(20_000, 12_000), f"240 {TOO_LARGE}"),
        "bomb_2_31.png": (bomb(2**31 - 1, 2**31 - 1), f"4,611,686,014,132.4 {TOO_LARGE}"),
        "bomb_that_is_whole.png": (png(10_001, 10_000, white, depth=1), f"100 {TOO_LARGE}"),
        "bomb.jpg": (patched(JPEG, frame(JPEG) + 5, b"\xff\xdc\xff\xdc"), f"4,290.2 {TOO_LARGE}"),
        "bomb.gif": (gif(16, 12, screen=(65_535, 65_535)), f"4,294.8 {TOO_LARGE}"),
        "bomb_in_a_frame.gif": (gif_frame(gif(16, 12), 65_535, 65_535), f"4,294.8 {TOO_LARGE}"),
        "bomb.webp": (webp_bomb(16_383, 16_383), f"268.4 {TOO_LARGE}"),
        "bomb.tif": (tiff(65_535, 65_535), f"4,294.8 {TOO_LARGE}"),
        "bomb_in_a_tile.tif": (
            tiff(4, 4, bytes(16), more=((259, 3, 1, 5), (322, 4, 1, 65_520), (323, 4, 1, 12_272))),
            "a TIFF in tiles of 804.1 megapixels, above the limit of 100; raise max_pixels",
        ),
        "bomb.bmp": (bmp(50_000, 50_000), f"2,500 {TOO_LARGE}"),
        "bomb.ppm": (b"P6 50000 50000 255 ", f"2,500 {TOO_LARGE}"),
        "text_bomb.png": (png(60, 40, dark, before=chunk(b"zTXt", b"Comment\0\0" + zeros)), text),
        "profile_bomb.png": (png(60, 40, dark, before=chunk(b"iCCP", b"x\0\0" + zeros)), text),
        "scans.jpg": (many_scans(800, 800, 600), "a JPEG of 601 scans, above the limit of 500"),
    }


def fine_jpegs() -> Fine:
    """JPEGs that can be read: by cameras, by editors, and with what is no part of a photograph."""
    cmyk = encoded(SMALL.convert("CMYK"), "JPEG")
    profile = colour_profile()
    exif = exif_with((0x0112, 3, 1, b"\1\0\0\0"), (0x9286, 2, 60_000, b"\x2c\0\0\0")) + b"x" * 60_000
    return {
        "usual.jpg": JPEG,
        "grey.jpg": encoded(SMALL.convert("L"), "JPEG"),
        "progressive.jpg": PROGRESSIVE,
        "cmyk.jpg": cmyk,  # as Pillow writes it, and Photoshop: inverted, with a marker by Adobe
        "cmyk_without_adobe.jpg": without(cmyk, 0xEE),
        "colour_profile.jpg": encoded(SMALL, "JPEG", icc_profile=profile),
        "broken_colour_profile.jpg": encoded(SMALL, "JPEG", icc_profile=profile[:100]),
        "huge_exif.jpg": encoded(SMALL, "JPEG", exif=exif),
        "broken_exif.jpg": encoded(SMALL, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "strange_exif.jpg": encoded(
            SMALL, "JPEG", exif=exif_with((0x0112, 2, 2, b"6\0\0\0"), (0x9286, 5, 1, bytes(4)))
        ),
        "exif_in_a_circle.jpg": encoded(SMALL, "JPEG", exif=exif_with((0x8769, 4, 1, b"\x08\0\0\0"))),
        "comment.jpg": after_soi(JPEG, *[segment(0xFE, b"c" * 60_000)] * 30),
        "garbage_after.jpg": JPEG + np.random.default_rng(1).bytes(5000),
        "film_after.jpg": JPEG + b"\0\0\0\x18ftypmp42" + bytes(5000),
        "wrong_pixels.jpg": patched(JPEG, PIXELS + 200, b"\x12\x34\x56\x78"),
        "without_codes.jpg": without(JPEG, 0xC4),  # those of a film made of JPEGs are meant
        "many_pictures.jpg": encoded(SMALL, "MPO", save_all=True, append_images=[SMALL, SMALL]),
        **{f"orientation_{i}.jpg": rotated_by_exif(SMALL, i) for i in range(1, 9)},
    }


def fine_files() -> Fine:
    """Files of all other formats, depths and shapes that can be read."""
    rgb_16 = np.linspace(0, 65535, 60 * 40 * 3).astype(">u2").reshape(40, -1)
    rgb_16_rows = b"".join(b"\0" + row.tobytes() for row in rgb_16)
    frames = [SMALL.resize((60, 40))] * 3
    return {
        "png_named.jpg": PNG,
        "jpeg_named.png": JPEG,
        "gif_named.webp": GIF,
        "upper_case.JPEG": JPEG,
        "grey_16_bit.png": encoded(ramp(np.uint16, 65535), "PNG"),
        "colour_16_bit.png": png(60, 40, rgb_16_rows, depth=16, colour=2),
        "interlaced.png": interlaced(65, 33),
        "interlaced_1x1.png": interlaced(1, 1),
        "palette.png": encoded(SMALL.quantize(16), "PNG"),
        "palette_transparent.png": encoded(see_through(SMALL).quantize(64), "PNG"),
        "grey_transparent.png": encoded(see_through(SMALL).convert("LA"), "PNG"),
        "transparent.png": encoded(see_through(SMALL), "PNG"),
        "black_and_white.png": encoded(SMALL.convert("1"), "PNG"),
        "colour_profile.png": encoded(SMALL, "PNG", icc_profile=colour_profile()),
        "text.png": png(60, 40, bytes(61 * 40), before=chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000)),
        "without_an_end.png": PNG[:-12],
        "wrong_crc_of_pixels.png": patched(PNG, len(PNG) - 16, b"\0\0\0\0"),
        "endless_chunk.png": PNG[:33] + b"\x7f\xff\xff\xffIDAT" + PNG[41:],
        "animated.png": encoded(frames[0], "PNG", save_all=True, append_images=frames),
        "endless_animation.png": png(60, 40, bytes(61 * 40), before=chunk(b"acTL", b"\xff\xff\xff\xff\0\0\0\0")),
        "below_the_limit.png": png(9_999, 10_000, bytes(1 + 10_000 // 8) * 10_000, depth=1),
        "1x1.png": encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
        "1x20000.png": encoded(Image.new("L", (1, 20_000), 128), "PNG"),
        "20000x1.jpg": encoded(Image.new("RGB", (20_000, 1), "blue"), "JPEG"),
        "usual.gif": GIF,
        "animated.gif": animation("GIF"),
        "500_frames.gif": gif(16, 12, frames=500),
        "usual.webp": WEBP,
        "lossless.webp": encoded(see_through(SMALL), "WEBP", lossless=True),
        "animated.webp": animation("WEBP"),
        "usual.bmp": BMP,
        "upside_down.bmp": bmp(4, -4, data=bytes(48)),
        "lzw.tif": TIFF,
        "float.tiff": encoded(ramp(np.float32, 1), "TIFF"),
        "cmyk.tif": encoded(SMALL.convert("CMYK"), "TIFF"),
        "many_pages.tif": encoded(frames[0], "TIFF", save_all=True, append_images=frames),
        "pages_in_a_circle.tif": tiff(4, 4, bytes(16), following=8),
        "tag_without_end.tif": tiff(4, 4, bytes(16), more=((33_432, 2, 2**31 - 1, 8),)),
        "usual.ppm": encoded(SMALL, "PPM"),
        "written_out.ppm": b"P3 2 1 255 255 0 0 0 0 255\n",
        "usual.jp2": encoded(SMALL, "JPEG2000"),
    }


NAMES = (
    "name with spaces.jpg",
    "été à Québec.jpg",
    "抗议.jpg",
    "protest ✊🏽.jpg",
    "=1+1.jpg",
    "@SUM(A1).jpg",
    "+1.jpg",
    "-rf.JPEG",
    "a,comma and 'quotes'.jpg",
    'a "quoted" name.jpg',
    "<b onclick=alert(1)>.jpg",
    "$(touch touched).jpg",
    "%00%2e.jpg",
    "[a]*?.jpg",
    "back\\slash.jpg",
    "right‮gpj.left.jpg",
    "e\u0301.jpg",  # not composed, as on a Mac
    "x" * 251 + ".jpg",
    "many.dots..jpg",
)
# Names that R, JSON or a terminal cannot carry as they are.
UNSPEAKABLE = (b"line\nbreak.jpg", b"tab\t.jpg", b"caf\xe9.jpg", b"\x1b[31mred.jpg", b"bell\x07.jpg", b"\xff\xfe.jpg")


def write_odd_files(folder: Path) -> dict[str, str]:
    """Write the files, and return for each name the `error` that it gives, or "" where it can be read.

    Also a folder, links, a named pipe and a socket with names of photographs, where the system has such things.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, str] = {}
    broken = no_images() | truncated() | damaged() | bombs()
    fine = fine_jpegs() | fine_files() | {name: JPEG for name in NAMES if os.sep == "/" or name.isalnum()}
    for name, (content, error) in (broken | {name: (content, "") for name, content in fine.items()}).items():
        (folder / name).write_bytes(content)
        told[name] = error
    (folder / "folder.jpg").mkdir(exist_ok=True)
    told["folder.jpg"] = "a folder, not an image"
    if hasattr(os, "mkfifo"):
        told |= _write_special(folder)
    return told


def _write_special(folder: Path) -> dict[str, str]:
    links = {
        "loop.jpg": ("loop.jpg", "a symbolic link that leads back to itself"),
        "here.jpg": (".", "a folder, not an image"),
        "gone.jpg": ("no such photograph.jpg", "file does not exist"),
        "link.jpg": ("usual.jpg", ""),
        "null.jpg": (os.devnull, "not a regular file"),
        "endless.jpg": ("/dev/zero", "not a regular file"),
        "below_a_file.jpg": ("usual.jpg/a.jpg", "file does not exist: a part of its path is not a folder"),
    }
    told = {name: error for name, (_, error) in links.items()} | {"pipe.jpg": "not a regular file"}
    if not os.path.lexists(folder / "pipe.jpg"):
        for name, (target, _) in links.items():
            (folder / name).symlink_to(target)
        os.mkfifo(folder / "pipe.jpg")
    if os.geteuid() != 0:  # root may read everything
        (folder / "forbidden.jpg").write_bytes(JPEG)
        (folder / "forbidden.jpg").chmod(0)
        told["forbidden.jpg"] = "no permission to read the file"
    return told


def write_unspeakable_files(folder: Path) -> list[bytes]:
    """Write photographs with names that no text can hold as they are; return these, as far as the system has them."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in UNSPEAKABLE:
        try:
            with open(os.path.join(os.fsencode(folder), name), "wb") as file:
                file.write(JPEG)
        except (OSError, ValueError):  # Windows and macOS refuse some
            continue
        written.append(name)
    return written


if __name__ == "__main__":
    for odd_name, error in write_odd_files(Path(sys.argv[1])).items():
        print(f"{odd_name}: {error or 'can be read'}")
