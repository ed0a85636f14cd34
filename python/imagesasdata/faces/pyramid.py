"""A photograph at many sizes: cut into tiles for a network that looks everywhere, and into windows of one size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

CELL = 12  # pixels, a side, of what the proposal network sees at each place
FACTOR = 0.709  # from one level to the next: the area halves
BORDER = 6  # grey pixels around each level, so that a face half outside the photograph is seen
TILE = 512  # pixels, a side: what a level takes in memory does not grow with the photograph
GREY = 127.5
Boxes = npt.NDArray[np.floating[Any]]
Box = tuple[float, float, float, float]
Tensor = npt.NDArray[np.float32]


class Pyramid:
    """An upright RGB photograph, from which smaller ones are made as they are needed.

    Attributes
    ----------
    width, height : int
        Of the photograph, in pixels.
    """

    def __init__(self, image: Image.Image) -> None:
        self.width, self.height = image.size
        self._halved = [image]  # once, twice, three times ..., as far as was needed

    def _source(self, scale: float) -> tuple[Image.Image, float]:
        """Return the photograph halved as often as leaves it larger than at `scale`, and its own scale."""
        times = 0
        while scale * 2 ** (times + 1) <= 1 and min(self.width, self.height) >> (times + 1) >= 1:
            times += 1
        while len(self._halved) <= times:
            self._halved.append(self._halved[-1].reduce(2))
        return self._halved[times], 0.5**times

    def scales(self, min_size: float) -> list[float]:
        """Return the scales at which the cell of the proposal network is a face of `min_size` pixels and larger."""
        scale, found = CELL / min_size, []
        while min(self.width, self.height) * scale + 2 * BORDER >= CELL + 2:
            found.append(scale)
            scale *= FACTOR
        return found

    def tiles(self, scale: float) -> Iterator[tuple[int, int, Tensor]]:
        """Yield the photograph at a scale in tiles ``[3, h, w]``, each with its left and upper edge in that scale.

        Tiles overlap so that each cell at an even place is whole in exactly one.
        """
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        step = TILE - CELL + 2
        for top in range(-BORDER, height + BORDER - CELL + 1, step):
            for left in range(-BORDER, width + BORDER - CELL + 1, step):
                right, bottom = min(left + TILE, width + BORDER), min(top + TILE, height + BORDER)
                box = (left / width, top / height, right / width, bottom / height)
                whole = (self.width, self.height, self.width, self.height)
                pixels = tuple(part * side for part, side in zip(box, whole, strict=True))
                yield left, top, normalized(self._cut(pixels, right - left, bottom - top, scale))

    def windows(self, boxes: Boxes, side: int) -> Tensor:
        """Return what is in square boxes ``[n, 4]``, in pixels of the photograph, as ``[n, 3, side, side]``."""
        found = np.empty((len(boxes), 3, side, side), np.float32)
        for row, box in zip(found, boxes.tolist(), strict=True):
            row[:] = normalized(self._cut(tuple(box), side, side, side / max(box[2] - box[0], 1e-6)))
        return found

    def _cut(self, box: tuple[float, ...], width: int, height: int, scale: float) -> npt.NDArray[np.float32]:
        """Return a part of the photograph, resized to ``[height, width, 3]``; what is outside is grey."""
        source, shrunk = self._source(scale)
        across, down = width / (box[2] - box[0]), height / (box[3] - box[1])
        # The part that is inside the photograph, in whole pixels of the result.
        left = max(0, -int(box[0] * across // 1))
        top = max(0, -int(box[1] * down // 1))
        right = min(width, int((self.width - box[0]) * across + 1e-6))
        bottom = min(height, int((self.height - box[1]) * down + 1e-6))
        cut = np.full((height, width, 3), GREY, np.float32)
        if right <= left or bottom <= top:
            return cut
        inside = (box[0] + left / across, box[1] + top / down, box[0] + right / across, box[1] + bottom / down)
        sides = (source.width, source.height, source.width, source.height)
        area = tuple(min(max(v * shrunk, 0.0), side) for v, side in zip(inside, sides, strict=True))
        if area[2] - area[0] > 0 and area[3] - area[1] > 0:
            # Means of areas are what the networks were trained on; where a pixel grows, they would make a square of it.
            way = Image.Resampling.BOX if scale <= shrunk else Image.Resampling.BILINEAR
            part = source.resize((right - left, bottom - top), way, box=cast(Box, area))
            cut[top:bottom, left:right] = np.asarray(part)
        return cut


def normalized(pixels: npt.NDArray[Any]) -> Tensor:
    """Return pixels ``[h, w, 3]`` as the networks take them, ``[3, h, w]`` from -1 to 1."""
    return np.asarray((pixels.transpose(2, 0, 1) - GREY) / 128, np.float32)
