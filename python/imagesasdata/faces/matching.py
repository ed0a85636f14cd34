"""How far faces are from each other: distances between descriptors as matrix products, in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 4096  # faces that are compared at once
Floats = npt.NDArray[np.float64]


def distances(faces: npt.NDArray[Any], others: npt.NDArray[Any]) -> Floats:
    """Return the Euclidean distances of descriptors ``[n, d]`` to ``[m, d]``, as ``[n, m]``."""
    a, b = faces.astype(np.float64), others.astype(np.float64)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def blocks(n: int) -> Iterator[slice]:
    """Yield the rows of `n` faces in blocks, so that memory does not grow with their number squared."""
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))
