"""Hide faces in one photograph so that nothing of them can be brought back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from .boxes import kept
from .detector import WIDTH, Detector

METHODS = ("blur", "pixelate", "box")
# Colours a side that are left of a face, and then, should it still look like one, fewer.
LEFT = (4, 2, 1)
OTHER_SCALE = 0.84  # the second pass has its scales between those of the first
Faces = npt.NDArray[np.float64]


def find_twice(detector: Detector, image: Image.Image, min_size: float, threshold: float, stop: Any = None) -> Faces:
    """Return the faces ``[n, 15]`` of two passes: as it is, and mirrored at scales between those of the first."""
    first = detector(image, min_size, threshold, stop)
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    second = detector(mirrored, max(min_size * OTHER_SCALE, 10), threshold, stop)
    faces = np.concatenate([first, mirror_back(second, image.width)])
    return faces[kept(faces[:, :4], faces[:, 4], 0.5)]


def mirror_back(faces: Faces, width: int) -> Faces:
    """Return the faces of a mirrored photograph as they lie in the photograph."""
    back = faces.copy()
    back[:, 0], back[:, 2] = width - faces[:, 2], width - faces[:, 0]
    points = faces[:, 5:].reshape(-1, 5, 2)[:, [1, 0, 2, 4, 3]]
    points[:, :, 0] = width - points[:, :, 0]
    back[:, 5:] = points.reshape(len(faces), WIDTH - 5)
    return back


def enlarged(boxes: Faces, margin: float, width: int, height: int) -> npt.NDArray[np.int64]:
    """Return boxes in whole pixels, larger by `margin` of their sides on each side, cut at the border."""
    sides = (boxes[:, 2:4] - boxes[:, :2]) * margin
    low = np.floor(np.maximum(boxes[:, :2] - sides, 0))
    high = np.ceil(np.minimum(boxes[:, 2:4] + sides, [width, height]))
    return np.concatenate([low, high], axis=1).astype(np.int64)


def hide(image: Image.Image, box: npt.NDArray[np.int64], method: str, left: int) -> None:
    """Hide what is in a box (left, top, right, bottom), in place: of its pixels `left` x `left` colours remain.

    The colours are means over equal parts of the box, rounded to bytes. ``"blur"`` spreads them smoothly,
    ``"pixelate"`` as squares; ``"box"`` is black and keeps nothing.
    """
    x, y, right, bottom = (int(v) for v in box)
    width, height = right - x, bottom - y
    if width < 1 or height < 1:
        return
    if method == "box":
        image.paste((0, 0, 0), (x, y, right, bottom))
        return
    few = Image.fromarray(_means(np.asarray(image.crop((x, y, right, bottom))), left))
    way = Image.Resampling.BICUBIC if method == "blur" else Image.Resampling.NEAREST
    image.paste(few.resize((width, height), way), (x, y))


def _means(pixels: npt.NDArray[np.uint8], parts: int) -> npt.NDArray[np.uint8]:
    """Return the mean colours of equal parts of ``[h, w, 3]`` pixels, at most `parts` a side."""
    sums, counts = pixels.astype(np.float64), np.ones(pixels.shape[:2])
    for axis in (0, 1):
        side = pixels.shape[axis]
        starts = np.unique(np.linspace(0, side, min(parts, side), endpoint=False).astype(int))
        sums, counts = np.add.reduceat(sums, starts, axis), np.add.reduceat(counts, starts, axis)
    return np.rint(sums / counts[:, :, None]).astype(np.uint8)


def hide_faces(
    image: Image.Image,
    boxes: npt.NDArray[np.int64],
    method: str,
    detector: Detector,
    min_size: float,
    threshold: float,
    stop: Any = None,
) -> None:
    """Hide boxes in a photograph, in place, and look again, closer: what still looks like a face loses colours."""
    for box in boxes:
        hide(image, box, method, LEFT[0])
    for left in LEFT[1:]:
        if not len(boxes):
            return
        again = find_twice(detector, image, min_size, threshold / 2, stop)
        for box in boxes[_covered(again[:, :4], boxes)]:
            hide(image, box, method, left)
        if not len(again):
            return


def _covered(faces: Faces, boxes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which boxes share area with one of the faces."""
    low = np.maximum(faces[:, None, :2], boxes[None, :, :2])
    high = np.minimum(faces[:, None, 2:], boxes[None, :, 2:])
    return np.asarray(((high - low) > 0).all(axis=2).any(axis=0))
