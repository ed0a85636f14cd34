"""Several models over the same images: each file read once, each backbone run once, and only the heads apart."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .cache import EmbeddingCache, content_key
from .card import FACE_TASKS, ModelCard
from .decode import Limits, Preprocessing, decode_image
from .devices import only_cpu
from .errors import ArgumentInvalid, ModelInvalid, quoted
from .heads import Head
from .model import ImageModel
from .modelfile import backbone_sha256
from .reading import Unreadable, read_file
from .runtime import Runner, Stop, Values


class Worker(Protocol):
    """What the pipeline runs: paths in, numbers out, from several threads at once.

    Attributes
    ----------
    models : list of ImageModel
        The models that decide the result.
    device : str
        What the sessions really got.
    widths : list of int
        Numbers a row, for each array of values.
    """

    models: list[ImageModel]
    device: str
    widths: list[int]

    def __call__(self, paths: Sequence[str | None], limits: Limits, stop: Stop) -> Work:
        """Do the work on some images."""

    def close(self) -> None:
        """Give back what is held."""


class _Branch:
    """A backbone with the models on top of it; where nothing depends on it yet, it is opened at its first image.

    Parameters
    ----------
    open_runner : function
        Opens it: from pixels to features.
    card : ModelCard
        Of the model that it comes from.
    features : int or None
        Numbers an image, where they are known; None opens it at once.

    Attributes
    ----------
    heads : list of (int, Head or None)
        The number of a model, and what makes its output of the features; None where the features are the output.
    cache : EmbeddingCache or None
        Features that were computed before.
    """

    def __init__(self, open_runner: Callable[[], Runner], card: ModelCard, features: int | None = None) -> None:
        self._open, self._runner = open_runner, None if features else open_runner()
        self._lock = threading.Lock()
        self.preprocessing = card.preprocessing
        self.width = features or self.runner.width
        self.device = self.runner.device if self._runner else "cpu"
        self.heads: list[tuple[int, Head | None]] = []
        self.cache: EmbeddingCache | None = None

    @property
    def runner(self) -> Runner:
        with self._lock:
            if self._runner is None:
                self._runner = self._open()
            return self._runner


class Engine:
    """Models, open on a device: paths in, numbers out.

    Parameters
    ----------
    models : list of ImageModel
        Those with the same backbone (the same sha256) and preprocessing share one run of it.
    device : str
        As in `Runner`.
    tensor : {"output", "embedding"}
        What to compute of each model.
    precision : {"fp32", "fp16"}
        As in `Runner`.
    cache : bool
        Look for embeddings of the same files in the cache, and keep new ones there.

    Attributes
    ----------
    device : str
        What the sessions really got.
    widths : list of int
        Numbers an image, for each model.
    """

    def __init__(
        self,
        models: Sequence[ImageModel],
        device: str = "auto",
        tensor: str = "output",
        cache: bool = True,
        precision: str = "fp32",
    ) -> None:
        self.models = list(models)
        for model in self.models:
            _refuse_faces(model.card, tensor)
        shared: dict[tuple[str, Preprocessing], _Branch] = {}
        self._branches: list[_Branch] = []
        self.widths = [0] * len(self.models)
        for number, model in enumerate(self.models):
            proto, card = model.read()
            head = Head.of(proto, card) if tensor == "output" else None
            if tensor == "output" and head is None:  # nothing to share: the graph is run whole
                branch = _Branch(functools.partial(Runner, model.path, device, "output", precision), card)
                self._branches.append(branch)
            else:
                digest = backbone_sha256(proto, card) if card.tensors.get("embedding") else model.sha256
                key = (digest, card.preprocessing)
                if key not in shared:
                    runner = functools.partial(Runner, model.path, device, "embedding", precision)
                    # With everything in the cache, opening the network would be most of the work.
                    later = head is not None and cache and precision == "fp32" and only_cpu(device)
                    shared[key] = _Branch(runner, card, head.features if head is not None and later else None)
                    shared[key].cache = self._cache(digest, shared[key], precision) if cache else None
                    self._branches.append(shared[key])
                branch = shared[key]
            branch.heads.append((number, head))
            self.widths[number] = branch.width if head is None else head.width
        self.device = self._branches[0].device

    @staticmethod
    def _cache(digest: str, branch: _Branch, precision: str) -> EmbeddingCache:
        kind = branch.device.partition(":")[0] + ("" if precision == "fp32" else f" {precision}")
        return EmbeddingCache(digest, branch.preprocessing, kind, branch.width)

    def __call__(self, paths: Sequence[str | None], limits: Limits, stop: Stop) -> Work:
        """Decode images and run the models on them; safe to call from several threads at once.

        Ends early, with rows missing or an error, once `stop` is set.
        """
        errors: list[str | None] = [None] * len(paths)
        features = [np.full((len(paths), b.width), np.nan, np.float32) for b in self._branches]
        pixels = [_Pixels(b.preprocessing, len(paths)) for b in self._branches]
        keys = [b""] * len(paths)
        cached = any(branch.cache for branch in self._branches)
        for i, path in enumerate(paths):
            if stop.is_set():
                break
            try:
                if path is None:
                    raise Unreadable("no path was given")
                content = read_file(path, limits.max_bytes)
                keys[i] = content_key(content, limits.max_pixels) if cached else b""
                for branch, rows, waiting in zip(self._branches, features, pixels, strict=True):
                    known = branch.cache.get(keys[i]) if branch.cache else None
                    if known is not None:
                        rows[i] = known
                    else:
                        waiting.add(i, decode_image(content, branch.preprocessing, limits))
            except Unreadable as problem:
                errors[i] = str(problem)
        seconds, ran = 0.0, 0
        for branch, rows, waiting in zip(self._branches, features, pixels, strict=True):
            if waiting.rows and not stop.is_set():
                began = time.perf_counter()
                rows[waiting.rows] = branch.runner(waiting.filled(), stop)
                seconds, ran = seconds + time.perf_counter() - began, ran + len(waiting.rows)
                if branch.cache:
                    branch.cache.put([keys[i] for i in waiting.rows], rows[waiting.rows])
        values: list[Values] = [np.empty(0, np.float32)] * len(self.models)
        for branch, rows in zip(self._branches, features, strict=True):
            for number, head in branch.heads:
                values[number] = rows if head is None else head(rows, stop)
        for i in range(len(paths)):
            if errors[i] is None and not all(np.isfinite(rows[i]).all() for rows in values):
                errors[i] = "the model returned no number (NaN or infinite)"
        return Work(values, errors, seconds, ran)

    def close(self) -> None:
        """Write what is new to the cache, and give back the memory of the sessions."""
        for branch in self._branches:
            if branch.cache:
                branch.cache.close()
        self._branches = []


@dataclass(frozen=True)
class Work:
    """What came of some images.

    Attributes
    ----------
    values : list of numpy.ndarray
        For each model ``[n, width]`` float32; what is in the rows of failed images means nothing.
    errors : list of str or None
        Why an image failed.
    seconds, ran : float, int
        Time in the network, and how many images went through it rather than coming from the cache.
    """

    values: list[Values]
    errors: list[str | None]
    seconds: float = 0.0
    ran: int = 0


class _Pixels:
    """The decoded images that a backbone is to run on."""

    def __init__(self, steps: Preprocessing, most: int) -> None:
        self._pixels = np.empty((most, steps.size, steps.size, steps.channels), np.uint8)
        self.rows: list[int] = []

    def add(self, row: int, pixels: np.ndarray) -> None:
        self._pixels[len(self.rows)] = pixels
        self.rows.append(row)

    def filled(self) -> np.ndarray:
        return self._pixels[: len(self.rows)]


def _refuse_faces(card: ModelCard, tensor: str) -> None:
    """Raise `ModelInvalid` for a network that works on faces, where classes were asked for."""
    if card.task == "detect":
        raise ModelInvalid(f'The model "{card.name}" finds faces and classifies nothing; use detect_faces.')
    if card.task in FACE_TASKS and tensor == "output":
        raise ModelInvalid(f'The model "{card.name}" describes faces and classifies nothing; use recognize_faces.')


def prefixes(models: Sequence[ImageModel]) -> list[str]:
    """Return the prefix of each model's columns where there are several."""
    names = [model.name for model in models]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ArgumentInvalid(
            f"`models` has two models of the name {quoted(doubled)}, whose columns could not be told apart."
        )
    return [f"{name}_" for name in names]
