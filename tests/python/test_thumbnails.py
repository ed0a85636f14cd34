"""Thumbnails of photographs, whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from imagesasdata.thumbnails import thumbnail


@pytest.mark.parametrize("size", [(301, 200), (200, 301), (200, 200), (3, 900)])
def test_a_thumbnail_is_the_whole_photograph_without_bars(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "white").save(tmp_path / "white.png")
    pixels, problem = thumbnail("white.png", tmp_path, 100)
    assert problem is None
    assert pixels is not None
    height, width = pixels.shape[:2]
    assert max(height, width) == 100
    assert width == max(1, round(100 * size[0] / max(size)))
    assert height == max(1, round(100 * size[1] / max(size)))
    assert pixels.min() == 255


def test_a_black_photograph_stays_a_photograph(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "black").save(tmp_path / "black.png")
    pixels, _ = thumbnail("black.png", tmp_path, 100)
    assert pixels is not None
    assert pixels.shape == (100, 100, 3)
