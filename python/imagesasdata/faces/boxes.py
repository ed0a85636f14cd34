"""Boxes around faces: left, top, right and bottom in pixels; which of them are the same face, and how they move."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.int64]


def kept(boxes: Floats, scores: Floats, most: float, of_smaller: bool = False) -> Rows:
    """Return which boxes stay when each one that overlaps a better one by more than `most` goes, best first.

    The overlap of two boxes ``[n, 4]`` is the area they share, as a share of the area they cover together, or of the
    smaller one's.
    """
    left, top, right, bottom = boxes.T
    areas = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    order = np.argsort(-scores, kind="stable")
    chosen = []
    while len(order):
        best, rest = order[0], order[1:]
        chosen.append(best)
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        whole = np.minimum(areas[best], areas[rest]) if of_smaller else areas[best] + areas[rest] - shared
        order = rest[shared <= most * np.maximum(whole, 1e-9)]
    return np.array(chosen, np.int64)


def overlap(one: Floats, other: Floats) -> Floats:
    """Return the area that each box of ``[n, 4]`` shares with each of ``[m, 4]``, as a share of what both cover."""
    a, b = one[:, None, :], other[None, :, :]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(axis=-1) for box in (a, b)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9))


def moved(boxes: Floats, offsets: Floats) -> Floats:
    """Return boxes whose four sides are moved by `offsets`, in widths and heights of the box."""
    sides = np.concatenate([boxes[:, 2:] - boxes[:, :2]] * 2, axis=1)
    return np.asarray(boxes + offsets * sides)


def squared(boxes: Floats) -> Floats:
    """Return boxes made square around their middle, with their longer side."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([middle - half, middle + half], axis=1)
