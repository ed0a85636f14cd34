"""How far faces are from each other and from people: distances between descriptors as matrix products, in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .people import People

CELLS = 2**23  # distances that are in memory at once
Floats = npt.NDArray[np.float64]


def distances(faces: npt.NDArray[Any], others: npt.NDArray[Any]) -> Floats:
    """Return the Euclidean distances of descriptors ``[n, d]`` to ``[m, d]``, as ``[n, m]``."""
    a, b = faces.astype(np.float64, copy=False), others.astype(np.float64, copy=False)
    squares = a @ b.T
    squares *= -2
    squares += np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)
    return np.asarray(np.sqrt(np.maximum(squares, 0, out=squares), out=squares))


def person_distances(faces: npt.NDArray[Any], known: People) -> Floats:
    """Return the distances of descriptors ``[n, d]`` to each person, the mean over the person's references.

    The mean has the same expectation for one reference as for many, so people with more of them are not favoured.

    Returns
    -------
    numpy.ndarray
        ``[n, people]``.
    """
    starts = np.searchsorted(known.person, np.arange(len(known.names)))
    return np.asarray(np.add.reduceat(distances(faces, known.descriptors), starts, axis=1) / known.counts)


def blocks(n: int, known: People) -> Iterator[slice]:
    """Yield the rows of `n` faces in blocks, so that memory does not grow with their number times the references'."""
    size = max(1, CELLS // max(1, len(known.person)))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
