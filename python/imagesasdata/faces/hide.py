"""Hide faces in one photograph so that nothing of them can be brought back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from .boxes import kept, overlap
from .detect import MIN_SIZE
from .detector import WIDTH, Detector
from .pyramid import FACTOR

METHODS = ("blur", "pixelate", "box")
# Colours a side that are left of a face, and then, should it still look like one, fewer; at last it is a black box.
LEFT = (4, 2, 1, 0)
OTHER_SCALE = 0.84  # the second pass has its scales between those of the first
SAME = 0.5  # of the area that two boxes cover: if they share more, they are the same face
AROUND = 1.0  # sides of a hidden box that are looked at on each side of it
Faces = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# From a photograph, its faces and all views of them: which are hidden, and a number for each, its person's.
Choice = Callable[[Image.Image, Faces, Faces], tuple[Flags, npt.NDArray[np.int64]]]


def two_passes(detector: Detector, image: Image.Image, min_size: float, threshold: float, stop: Any = None) -> Faces:
    """Return views ``[n, 15]`` of faces: as `detect_faces` looks at them, then mirrored, at scales between those."""
    steps = math.ceil(math.log(min_size / MIN_SIZE, FACTOR) - 0.05)
    first = detector(image, MIN_SIZE * FACTOR**steps, threshold, stop)
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    second = detector(mirrored, max(min_size * OTHER_SCALE, 10), threshold, stop)
    views = np.concatenate([first, mirror_back(second, image.width)])
    return views[(views[:, 2:4] > 0).all(axis=1) & (views[:, :2] < [image.width, image.height]).all(axis=1)]


def merged(views: Faces) -> Faces:
    """Return the best view of each face, best first."""
    return views[kept(views[:, :4], views[:, 4], SAME)]


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
    ``"pixelate"`` as squares; of ``"box"``, and where none are left, nothing remains but black.
    """
    x, y, right, bottom = (int(v) for v in box)
    width, height = right - x, bottom - y
    if width < 1 or height < 1:
        return
    if method == "box" or left == 0:
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
    detector: Detector,
    min_size: float,
    threshold: float,
    method: str,
    margin: float,
    choice: Choice,
    stop: Any = None,
) -> Faces:
    """Hide the faces of a photograph that are chosen, in place, until no hidden box looks like a face any more.

    The result is looked at again, closer, and after that the surroundings of what changed since. A box that still looks
    like a face is left fewer colours; a face that came to light beside others is chosen or not, as those were.

    Returns
    -------
    numpy.ndarray
        ``[n, 16]``: the hidden boxes (left, top, right, bottom), probability, five landmarks, number of the person.
    """
    views = two_passes(detector, image, min_size, threshold, stop)
    faces = merged(views)
    whole = np.array([[0, 0, *image.size]])
    rows, shown = np.empty((0, WIDTH + 1)), np.empty((0, 4))
    levels, changed = np.empty(0, np.int64), np.empty(0, bool)
    for again in itertools.count():
        hidden, persons = choice(image, faces, views)
        shown = np.concatenate([shown, faces[~hidden, :4]])
        boxes = enlarged(faces[hidden], margin, *image.size)
        rows = np.concatenate([rows, np.column_stack([boxes, faces[hidden, 4:], persons[hidden]])])
        levels = np.concatenate([levels, np.full(len(boxes), len(LEFT) - 1 if method == "box" else 0)])
        changed = np.concatenate([changed, np.ones(len(boxes), bool)])
        if not changed.any():
            break
        for row, level in zip(rows[changed], levels[changed].tolist(), strict=True):
            hide(image, row[:4].astype(np.int64), method, LEFT[level])
        around = enlarged(rows[changed], AROUND, *image.size)
        parts = around if again and _areas(around).sum() < _areas(whole).sum() else whole
        views = _search_parts(detector, image, parts, min_size, threshold / 2, stop)
        if parts is around:  # what touches nothing that changed is as before, or cut by the border of a part
            views = views[(overlap(views[:, :4], rows[changed, :4]) > 0).any(axis=1)]
        views = views[overlap(views[:, :4], shown).max(axis=1, initial=0) <= SAME]
        made = _made_of(views, rows)
        changed = made.any(axis=0) & (levels < len(LEFT) - 1)
        levels += changed
        faces = views = views[~made.any(axis=1) & (views[:, 4] >= threshold)]
    return rows


def _search_parts(
    detector: Detector, image: Image.Image, parts: npt.NDArray[np.int64], min_size: float, least: float, stop: Any
) -> Faces:
    """Return the faces of two passes in parts (left, top, right, bottom) of a photograph."""
    found = [np.empty((0, WIDTH))]
    for part in parts:
        views = two_passes(detector, image.crop(tuple(part.tolist())), min_size, least, stop)
        views[:, :4] += np.tile(part[:2], 2)
        views[:, 5:] += np.tile(part[:2], 5)
        found.append(views)
    return merged(np.concatenate(found))


def _areas(boxes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.asarray((boxes[:, 2:4] - boxes[:, :2]).prod(axis=1))


def _made_of(faces: Faces, boxes: Faces) -> Flags:
    """Return which faces may come from which hidden boxes, ``[faces, boxes]``.

    Those with their middle in it, and large ones that have most of it in them: a head without a face on a body, say.
    """
    a, b = faces[:, None, :], boxes[None, :, :]
    middle = (a[..., :2] + a[..., 2:4]) / 2
    shared = np.maximum(np.minimum(a[..., 2:4], b[..., 2:4]) - np.maximum(a[..., :2], b[..., :2]), 0).prod(axis=-1)
    inside = ((middle >= b[..., :2]) & (middle <= b[..., 2:4])).all(axis=-1)
    return np.asarray(inside | (shared > (b[..., 2:4] - b[..., :2]).prod(axis=-1) / 2))
