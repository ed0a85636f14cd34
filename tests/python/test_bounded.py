"""One huge or hostile photograph takes neither all memory nor all time, and looks as it would otherwise."""

from __future__ import annotations

import io
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from drawn import after_soi, cat, encoded, many_scans, ramp, see_through, segment, tiff
from PIL import Image

from imagesasdata import bounded
from imagesasdata.bounded import brightest, number_of_scans, one_at_a_time, tile_pixels
from imagesasdata.decode import RULES, Limits, Preprocessing, decode_image

BIG = cat().resize((2255, 1500))
GREY = np.asarray(BIG.convert("L"))
KINDS = {
    "transparent": encoded(see_through(BIG), "PNG", compress_level=1),
    "palette": encoded(see_through(BIG).quantize(64), "PNG", compress_level=1),
    "grey": encoded(BIG.convert("L"), "PNG", compress_level=1),
    "16 bits": encoded(Image.fromarray(GREY.astype(np.uint16) * 257), "PNG", compress_level=1),
    "floating point": encoded(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"),
    "CMYK": encoded(BIG.convert("CMYK"), "TIFF"),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_photograph_in_tiles_looks_the_same(kind: str, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Preprocessing(size=64, resize=72, rule=rule)
    whole = decode_image(KINDS[kind], steps, Limits()).astype(int)
    monkeypatch.setattr(bounded, "HUGE", 0)
    tiled = decode_image(KINDS[kind], steps, Limits()).astype(int)
    assert 0 < np.abs(tiled - whole).mean() < 0.3  # of 255
    assert np.abs(tiled - whole).max() <= 3


def test_long_and_small_images_in_tiles_are_the_same_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Preprocessing(size=64, resize=72)
    for side in ((1, 5000), (5000, 1), (90, 60)):
        content = encoded(cat().resize(side).convert("L"), "PNG")
        monkeypatch.setattr(bounded, "HUGE", 25_000_000)
        whole = decode_image(content, steps, Limits())
        monkeypatch.setattr(bounded, "HUGE", 0)
        np.testing.assert_array_equal(decode_image(content, steps, Limits()), whole)


def test_huge_photographs_wait_for_each_other_and_others_do_not() -> None:
    inside: list[int] = []
    most: list[int] = []

    def decode(pixels: int) -> None:
        with one_at_a_time(pixels):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    for pixels, together in ((bounded.HUGE + 1, 1), (bounded.HUGE, 4)):
        most.clear()
        threads = [threading.Thread(target=decode, args=[pixels]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(most) == together


@pytest.mark.parametrize(
    ("tags", "pixels"),
    [
        ((), 0),
        (((322, 4, 1, 256), (323, 4, 1, 128)), 256 * 128),
        (((322, 4, 1, 256),), 256),
    ],
)
def test_the_pixels_of_a_tile_of_a_tiff_are_counted(tags: tuple[tuple[int, int, int, int], ...], pixels: int) -> None:
    image = Image.open(io.BytesIO(tiff(4, 4, bytes(16), more=tags)))
    assert tile_pixels(image) == pixels


def test_pixels_of_many_bytes_count_for_more() -> None:
    tags = {322: 256, 323: 128, 277: (4,), 258: (16, 16, 16, 16)}
    assert tile_pixels(SimpleNamespace(format="TIFF", tag_v2=tags)) == 256 * 128 * 2  # type: ignore[arg-type]


def test_other_formats_have_no_tiles() -> None:
    assert tile_pixels(Image.open(io.BytesIO(encoded(cat(), "PNG")))) == 0


@pytest.mark.parametrize(("options", "scans"), [({}, 1), ({"progressive": True}, 10)])
def test_the_scans_of_usual_photographs_are_counted(options: dict[str, bool], scans: int) -> None:
    photograph = encoded(cat(), "JPEG", **options)
    thumbnail = segment(0xE1, b"Exif\0\0" + encoded(cat().resize((60, 40)), "JPEG", progressive=True))
    assert number_of_scans(photograph) == scans
    assert number_of_scans(after_soi(photograph, thumbnail)) == scans
    assert number_of_scans(photograph + photograph * 3) == scans  # what comes after its end is another


def test_the_scans_of_a_hostile_jpeg_are_counted() -> None:
    assert number_of_scans(many_scans(64, 64, 5000)) == 5001


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xc0\0", b"\xff\xd8\xff\xda\0\0" * 3, bytes(50)])
def test_counting_ends_on_anything(content: bytes) -> None:
    assert number_of_scans(content) <= 3


def test_the_brightest_value_is_found_whatever_the_numbers_are() -> None:
    assert brightest(ramp(np.float32, 7)) == 7
    for strange, value in ((np.nan, 0), (np.inf, 255), (-np.inf, 0)):
        assert brightest(Image.fromarray(np.full((3, 3), strange, np.float32))) == value
