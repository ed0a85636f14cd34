"""What a file says beside its pixels, and the same file without it: JPEG, PNG, WebP and GIF are cut, not decoded.

Sizes and offsets in a file are those of whoever wrote it: nothing here reads beyond the content or loops without end,
and what is not understood is left out.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import ExifTags, Image

# In the order in which they are told.
KINDS = ("EXIF", "GPS", "XMP", "IPTC", "comment", "thumbnail", "ICC", "pictures behind", "other")
MOST_PARTS = 200_000  # a photograph has some hundred, an animation some thousand
THUMBNAIL = 0x0201  # the tag that says where it begins
Part = tuple[str | None, bytes]  # the kind of metadata, None for what makes the picture; and its bytes

_FRAMES = frozenset({*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD})  # pixels, their size, their tables and codes
_SCAN_ENDS = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_PNG_PICTURE = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT"})
_PNG_COLOUR = frozenset({b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs"})
_WEBP_PICTURE = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
_GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def kinds_of(parts: list[Part]) -> list[str]:
    """Return the kinds of metadata among the parts of a file, each once, in the order of `KINDS`."""
    found: set[str] = set()
    for kind, content in parts:
        if kind is None:
            continue
        found.add(kind)
        if kind == "EXIF":
            found |= set(_inside_exif(content))
        if b"GPSLatitude" in content or b"GPSLongitude" in content:
            found.add("GPS")
    return [kind for kind in KINDS if kind in found]


def _inside_exif(content: bytes) -> Iterator[str]:
    """Yield what EXIF holds beside the tags of the camera; broken EXIF is EXIF and no more."""
    start = max(content.find(b"II*\0"), content.find(b"MM\0*"))
    if start < 0:
        return
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + content[start:])
        if exif.get_ifd(ExifTags.IFD.GPSInfo):
            yield "GPS"
        if THUMBNAIL in exif.get_ifd(ExifTags.IFD.IFD1):
            yield "thumbnail"
    except Exception:  # Pillow's reader raises nearly every kind of exception on broken EXIF
        return


def cut(parts: list[Part], keep: tuple[str, ...] = ()) -> bytes:
    """Return the file without its metadata, but for the kinds that are kept."""
    return b"".join(content for kind, content in parts if kind is None or kind in keep)


def _add(parts: list[Part], part: Part) -> None:
    """Add a part; a hostile file of 200 MB can have fifty million."""
    if len(parts) >= MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS:,} parts")
    parts.append(part)


def jpeg_parts(content: bytes) -> list[Part]:
    """Return the segments of a JPEG. What is behind its end, such as a film or more pictures, is one part."""
    parts: list[Part] = [(None, content[:2])]
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        while place + 1 < len(content) and content[place + 1] == 0xFF:  # fillers
            place += 1
        marker = content[place + 1] if place + 1 < len(content) else 0xD9
        if marker == 0xD9:
            break
        if marker in (0x01, 0xD8) or 0xD0 <= marker <= 0xD7:
            place += 2
            continue
        stop = place + 2 + max(2, int.from_bytes(content[place + 2 : place + 4], "big"))
        if marker == 0xDA:  # the pixels of a scan go on to the next marker
            found = _SCAN_ENDS.search(content, stop)
            stop = found.start() if found else len(content)
        _add(parts, _jpeg_segment(marker, content[place:stop]))
        place = stop
    parts.append((None, b"\xff\xd9"))
    behind = content[place + 2 :]
    if behind.strip(b"\0"):
        parts.append(("pictures behind", behind))
    return parts


def _jpeg_segment(marker: int, segment: bytes) -> Part:
    body = segment[4:]
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        if len(body) == 14:
            return None, segment
        return "thumbnail", segment
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return None, b"\xff\xee\x00\x0e" + body[:12]  # says how the colours are kept
    if marker == 0xE0 and body.startswith(b"JFXX\0"):
        return "thumbnail", segment
    if marker == 0xE1:
        kind = "EXIF" if body.startswith(b"Exif\0") else "XMP" if body.startswith(b"http://ns.adobe.com/") else "other"
        return kind, segment
    if marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
        return "ICC", segment
    if marker == 0xED:
        return "IPTC", segment
    if marker == 0xFE:
        return "comment", segment
    return (None if marker in _FRAMES else "other"), segment


def png_parts(content: bytes) -> list[Part]:
    """Return the chunks of a PNG."""
    parts: list[Part] = [(None, content[:8])]
    place = 8
    while place + 8 <= len(content):
        size, kind = struct.unpack(">I4s", content[place : place + 8])
        stop = min(place + 12 + size, len(content))
        chunk = content[place:stop]
        place = stop
        _add(parts, (_png_kind(kind, chunk[8:]), chunk))
        if kind == b"IEND":
            break
    if parts[-1][1][4:8] != b"IEND":
        parts.append((None, struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))))
    if content[place:].strip(b"\0"):
        parts.append(("pictures behind", content[place:]))
    return parts


def _png_kind(kind: bytes, body: bytes) -> str | None:
    if kind in _PNG_PICTURE or kind in _PNG_COLOUR:
        return None
    if kind == b"eXIf" or body.startswith(b"Raw profile type exif"):
        return "EXIF"
    if kind == b"iCCP":
        return "ICC"
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        if body.startswith(b"XML:com.adobe.xmp"):
            return "XMP"
        return "IPTC" if body.startswith(b"Raw profile type iptc") else "comment"
    return "other"


def webp_parts(content: bytes) -> list[Part]:
    """Return the chunks of a WebP, its header among them; `join_webp` sets sizes and flags right again."""
    stop = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    parts: list[Part] = [(None, content[:12])]
    kinds = {b"EXIF": "EXIF", b"XMP ": "XMP", b"ICCP": "ICC"}
    for kind, chunk in _chunks(content[12:stop]):
        if kind == b"ANMF":  # a frame has chunks of its own after sixteen bytes
            inner = b"".join(one for name, one in _chunks(chunk[24:]) if name in _WEBP_PICTURE)
            chunk = b"ANMF" + struct.pack("<I", 16 + len(inner)) + chunk[8:24] + inner
        _add(parts, (None if kind in _WEBP_PICTURE else kinds.get(kind, "other"), chunk))
    if content[stop:].strip(b"\0"):
        parts.append(("pictures behind", content[stop:]))
    return parts


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(content):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        chunk = content[place : place + 8 + size]
        yield chunk[:4], chunk + bytes(len(chunk) % 2)
        place += 8 + size + size % 2


def join_webp(content: bytes) -> bytes:
    """Return a WebP that was cut with the sizes and the flags of what it still has."""
    chunks = list(_chunks(content[12:]))
    have = {kind for kind, _ in chunks}
    body = b""
    for kind, chunk in chunks:
        if kind == b"VP8X" and len(chunk) >= 9:
            flags = chunk[8] & ~0b0010_1100 | (0b0010_0000 if b"ICCP" in have else 0)
            chunk = chunk[:8] + bytes([flags]) + chunk[9:]
        body += chunk
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def gif_parts(content: bytes) -> list[Part]:
    """Return the blocks of a GIF."""
    palette = 3 << (content[10] & 7) + 1 if len(content) > 10 and content[10] & 0x80 else 0
    place = 13 + palette
    parts: list[Part] = [(None, content[:place])]
    while place < len(content) and content[place] in (0x21, 0x2C):
        start = place
        if content[place] == 0x2C:
            flags = content[place + 9] if place + 9 < len(content) else 0
            place = _after_blocks(content, place + 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))
            _add(parts, (None, content[start:place]))
            continue
        place = _after_blocks(content, place + 2)
        _add(parts, (_gif_kind(content[start:place]), content[start:place]))
    parts.append((None, b";"))
    if content[place + 1 :].strip(b"\0"):
        parts.append(("pictures behind", content[place + 1 :]))
    return parts


def _after_blocks(content: bytes, place: int) -> int:
    while place < len(content) and content[place]:
        place += 1 + content[place]
    return place + 1


def _gif_kind(block: bytes) -> str | None:
    label, name = block[1:2], block[3:14]
    if label == b"\xf9" or (label == b"\xff" and name in _GIF_LOOPS):
        return None
    if label == b"\xff" and name.startswith((b"XMP", b"ICCRGBG1")):
        return "XMP" if name.startswith(b"XMP") else "ICC"
    return "comment" if label == b"\xfe" else "other"


def tiff_parts(content: bytes) -> list[Part]:
    """Return the metadata among the tags of a TIFF's first page, one part a tag; it has to be written anew."""
    kinds = {34665: "EXIF", 34853: "GPS", 700: "XMP", 33723: "IPTC", 34377: "IPTC", 34675: "ICC", 330: "thumbnail"}
    texts = {269: "other", 270: "comment", 271: "EXIF", 272: "EXIF", 305: "EXIF", 306: "EXIF", 315: "EXIF"}
    parts: list[Part] = [(None, content)]
    with Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        for tag in getattr(image, "tag_v2", {}):
            kind = (kinds | texts).get(tag, "other" if tag == 33432 or tag >= 32768 else None)
            if kind is not None:
                parts.append((kind, b""))
    return parts


# Formats that can be cut, and what their parts are.
CUT: dict[str, Callable[[bytes], list[Part]]] = {
    "JPEG": jpeg_parts,
    "MPO": jpeg_parts,
    "PNG": png_parts,
    "WEBP": webp_parts,
    "GIF": gif_parts,
}
