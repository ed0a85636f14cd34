"""What the frozen part of a network makes of photographs and of changed views of them, computed once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..devices import cpu_count, open_session
from ..errors import ModelInvalid
from ..runtime import PIXELS, Stop, Values, wait_for, with_pixel_input
from .method import Material, Rows
from .views import changed, read_square, wider

VIEWS = 4  # changed ones a photograph, besides the one that prediction sees
HALF = np.finfo(np.float16)


class Activations:
    """The tensor `cut` of a network for photographs, kept in files.

    What prediction sees is kept in full precision, changed views in half.

    Parameters
    ----------
    material : Material
        Photographs and network.
    cut : str
        The last tensor of the frozen part.
    views : int
        Changed views a photograph.
    """

    def __init__(self, material: Material, cut: str, views: int = VIEWS) -> None:
        self._material, self._views = material, views
        proto, self._card = material.backbone.read()
        graph = with_pixel_input(proto, self._card, cut)
        opened = open_session(graph.SerializeToString(), material.device, self._card.name)
        self._session, self.device = opened.session, opened.device
        steps, n = self._card.preprocessing, len(material.labels.values)
        shape = self._run(np.zeros((1, steps.size, steps.size, steps.channels), np.uint8), Stop()).shape[1:]
        folder = new_folder(material.work)
        self._plain = np.lib.format.open_memmap(folder / "plain.npy", "w+", np.float32, (n, *shape))
        self._changed = np.lib.format.open_memmap(folder / "changed.npy", "w+", np.float16, (n, max(views, 1), *shape))
        self._has_plain, self._has_changed = np.zeros(n, bool), np.zeros(n, bool)

    def plain(self, rows: Rows) -> Values:
        """Return what prediction would compute, ``[len(rows), ...]``."""
        self._compute(rows, self._has_plain, self._fill_plain)
        return np.asarray(self._plain[rows])

    def varied(self, rows: Rows, turn: npt.NDArray[np.int64]) -> Values:
        """Return one view a photograph: ``turn`` counts through them, the plain one among them."""
        view = turn % (self._views + 1)
        return np.stack(
            [
                self._plain[row] if v == 0 else self._changed[row, v - 1].astype(np.float32)
                for row, v in zip(rows, view, strict=True)
            ]
        )

    def prepare(self, rows: Rows) -> None:
        """Compute all views of these photographs, where they are not there yet."""
        self._compute(rows, self._has_changed & self._has_plain, self._fill_all)

    def _fill_plain(self, row: int, stop: Stop) -> None:
        pixels = read_square(self._material.labels.images.paths[row], self._card.preprocessing)
        self._plain[row] = self._run(pixels[None], stop)[0]
        self._has_plain[row] = True

    def _fill_all(self, row: int, stop: Stop) -> None:
        path, steps = self._material.labels.images.paths[row], self._card.preprocessing
        square = read_square(path, wider(steps))
        views = [changed(square, steps, np.random.default_rng([row, view])) for view in range(self._views)]
        if views:
            self._changed[row] = np.clip(self._run(np.stack(views), stop), HALF.min, HALF.max)
        self._has_changed[row] = True
        if not self._has_plain[row]:
            self._fill_plain(row, stop)

    def _run(self, pixels: npt.NDArray[np.uint8], stop: Stop) -> Values:
        try:
            (values,) = self._session.run(None, {PIXELS: np.ascontiguousarray(pixels)}, stop.options)
            return np.asarray(values, np.float32)
        except Exception as problem:  # ONNX Runtime's own exceptions have no common public base
            raise ModelInvalid(f'The model "{self._card.name}" failed: {problem}') from problem

    def _compute(self, rows: Rows, known: npt.NDArray[np.bool_], fill: Callable[[int, Stop], None]) -> None:
        each_in_threads(rows[~known[rows]], fill, f"first layers on {self.device}", self._material)


def new_folder(work: Path) -> Path:
    """Return a folder of its own: files that are in use must not be written anew."""
    work.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=work))


def each_in_threads(rows: Rows, fill: Callable[[int, Stop], None], text: str, material: Material) -> None:
    """Do the same for each of some rows, as many at a time as there are processors, and say how far it is."""
    if not len(rows):
        return
    stop = Stop()
    pool = ThreadPoolExecutor(cpu_count(), thread_name_prefix="imagesasdata")
    try:
        waiting: list[Future[None]] = [pool.submit(fill, int(row), stop) for row in np.unique(rows)]
        material.report(text, 0, len(waiting))
        for done, future in enumerate(waiting, 1):
            wait_for(future)
            material.report(text, done, len(waiting))
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
