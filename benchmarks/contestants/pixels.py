"""Decode a photograph as a careful user of Pillow does, for the peers that bring no decoding of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE, SHORT_SIDE = 224, 256


def decode(path: str) -> NDArray[np.uint8]:
    """Have the JPEG reduced while it is decoded, and resize only what is kept."""
    with Image.open(path) as image:
        image.draft("RGB", (SHORT_SIDE, SHORT_SIDE))
        width, height = image.size
        side = min(width, height) * SIZE / SHORT_SIDE
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        return np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box))


def stack(pixels: Sequence[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    """Stack a batch and fill it up to `size`: a compiled network is compiled for one size."""
    batch = np.zeros((size, SIZE, SIZE, 3), np.uint8)
    batch[: len(pixels)] = pixels
    return batch
