"""Photographs as squares of pixels in files, for training that goes through them again and again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ..decode import Pixels
from ..devices import cpu_count
from ..runtime import Stop
from .activations import each_in_threads, new_folder
from .method import Material, Rows
from .views import changed, read_square, wider


class Squares:
    """Decoded photographs: what prediction sees, and a little more around it.

    Parameters
    ----------
    material : Material
        Photographs and network.
    """

    def __init__(self, material: Material) -> None:
        self._material, self._steps = material, material.backbone.card.preprocessing
        n, wide = len(material.labels.values), wider(self._steps)
        folder = new_folder(material.work)
        self._plain, self._wide = (
            np.lib.format.open_memmap(
                folder / f"{name}.npy", "w+", np.uint8, (n, steps.size, steps.size, steps.channels)
            )
            for name, steps in (("plain", self._steps), ("wide", wide))
        )
        self._known = np.zeros(n, bool)

    def plain(self, rows: Rows) -> Pixels:
        """Return what prediction would see, ``[len(rows), size, size, channels]``."""
        self.prepare(rows)
        return np.asarray(self._plain[rows])

    def varied(self, rows: Rows, turn: npt.NDArray[np.int64]) -> Pixels:
        """Return a view of each photograph, another one at each turn."""
        with ThreadPoolExecutor(cpu_count()) as pool:
            return np.stack(list(pool.map(self._view, rows.tolist(), turn.tolist())))

    def prepare(self, rows: Rows) -> None:
        """Decode these photographs, where they are not there yet."""
        each_in_threads(rows[~self._known[rows]], self._fill, "decoding", self._material)

    def _view(self, row: int, turn: int) -> Pixels:
        return changed(self._wide[row], self._steps, np.random.default_rng([row, turn]))

    def _fill(self, row: int, stop: Stop) -> None:
        if stop.is_set():
            return
        path = self._material.labels.images.paths[row]
        self._plain[row] = read_square(path, self._steps)
        self._wide[row] = read_square(path, wider(self._steps))
        self._known[row] = True
