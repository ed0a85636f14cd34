"""Photographs in, faces out: decode each one, find its faces, and run further networks on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..decode import Limits, Pixels, upright_image
from ..engine import Work
from ..errors import ArgumentInvalid
from ..model import ImageModel, load_model
from ..reading import Unreadable, read_file
from ..runtime import Runner, Stop, Values
from .align import aligned, square_cut
from .detector import WIDTH, Detector

DETECTOR = "mtcnn"
AT_ONCE = 32  # faces in one run of a network
Faces = npt.NDArray[np.float64]
Cut = Callable[[Image.Image, Faces], Pixels]


def cut_aligned(image: Image.Image, face: Faces) -> Pixels:
    """Return a face, aligned by its landmarks, as ``[150, 150, 3]`` bytes."""
    return aligned(image, face[5:15].reshape(5, 2))


def cut_square(image: Image.Image, face: Faces) -> Pixels:
    """Return the square around a face's box as ``[64, 64, 1]`` bytes."""
    return square_cut(image, face[:4], 64)[:, :, None]


NETWORKS: dict[str, Cut] = {"dlib_face": cut_aligned, "expression": cut_square}


@dataclass(frozen=True)
class Search:
    """Which faces are looked for.

    Attributes
    ----------
    min_size : float
        Side of the smallest face, in pixels of the photograph.
    threshold : float
        Least probability of a face, 0 to 1.
    """

    min_size: float = 20.0
    threshold: float = 0.8

    def __post_init__(self) -> None:
        size, least = self.min_size, self.threshold
        if isinstance(size, bool) or not isinstance(size, int | float) or not 10 <= size < 1e5:
            raise ArgumentInvalid(f"`min_size` is {size!r}; it must be a number of pixels, 10 or more.")
        if isinstance(least, bool) or not isinstance(least, int | float) or not 0 < least <= 1:
            raise ArgumentInvalid(f"`threshold` is {least!r}; it must be a number above 0 and at most 1.")


class FaceEngine:
    """The face detector, open on a device, with a network that runs on the faces it finds.

    Its values are one array ``[faces, 16 + numbers]``: the position of the photograph among the paths, then left, top,
    right, bottom, probability and five landmarks in pixels of the upright photograph, then what the network said. With
    `largest` the last number is how many faces the photograph has.

    Parameters
    ----------
    search : Search
        Which faces are looked for.
    device : str
        As in `open_session`.
    network : {"dlib_face", "expression"}, optional
        What to run on each face.
    largest : bool
        Describe only the largest face of each photograph.
    """

    def __init__(self, search: Search, device: str = "auto", network: str | None = None, largest: bool = False) -> None:
        self.models: list[ImageModel] = [load_model(DETECTOR)]
        self._search, self._largest = search, largest
        self._detector = Detector(self.models[0].path, device)
        self.device = self._detector.device
        self._runner: Runner | None = None
        self._cut = NETWORKS[network] if network else cut_aligned
        self.widths = [1 + WIDTH]
        if network:
            self.models.append(load_model(network))
            self._runner = Runner(self.models[1].path, device)
            self.widths = [1 + WIDTH + self._runner.width]
        self.widths[0] += largest

    def __call__(self, paths: Sequence[str | None], limits: Limits, stop: Stop) -> Work:
        """Find the faces of photographs; safe to call from several threads at once."""
        errors: list[str | None] = [None] * len(paths)
        found: list[Faces] = []
        cuts: list[Pixels] = []
        seen: list[int] = []
        began = time.perf_counter()
        for i, path in enumerate(paths):
            if stop.is_set():
                break
            try:
                if path is None:
                    raise Unreadable("no path was given")
                with upright_image(read_file(path, limits.max_bytes), limits) as image:
                    faces = self.find(image, stop)
                    if self._largest:
                        seen += [len(faces)] * min(1, len(faces))
                        faces = _largest(faces)
                    if self._runner is not None:
                        cuts += [self._cut(image, face) for face in faces]
            except Unreadable as problem:
                errors[i] = str(problem)
            else:
                found.append(np.concatenate([np.full((len(faces), 1), i), faces], axis=1))
        rows = np.concatenate([np.empty((0, 1 + WIDTH)), *found])
        if self._runner is not None:
            rows = np.concatenate([rows, self._run(self._runner, cuts, stop)], axis=1)
        if self._largest:
            rows = np.column_stack([rows, np.array(seen, np.float64)])
        return Work([rows.astype(np.float32)], errors, time.perf_counter() - began, len(paths))

    def find(self, image: Image.Image, stop: Stop | None = None) -> Faces:
        """Return the faces of an upright photograph, as `Detector` does, with boxes cut at its border."""
        faces = self._detector(image, self._search.min_size, self._search.threshold, stop)
        faces[:, :4] = np.clip(faces[:, :4], 0, [image.width, image.height] * 2)
        sides = faces[:, 2:4] - faces[:, :2]
        return faces[(sides > 0).all(axis=1)]

    def _run(self, runner: Runner, cuts: list[Pixels], stop: Stop) -> Values:
        parts = [np.empty((0, runner.width), np.float32)]
        for start in range(0, len(cuts), AT_ONCE):
            part = np.stack(cuts[start : start + AT_ONCE])
            parts.append(
                np.full((len(part), runner.width), np.nan, np.float32) if stop.is_set() else runner(part, stop)
            )
        return np.concatenate(parts)

    def close(self) -> None:
        """Nothing is held that has to be given back."""


def _largest(faces: Faces) -> Faces:
    """Return the largest face, as one row or none."""
    size = (faces[:, 2:4] - faces[:, :2]).prod(axis=1)
    return faces[np.argsort(-size, kind="stable")[:1]]
