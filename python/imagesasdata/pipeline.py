"""From images to numbers: decode and run the network in threads, batch by batch, in order, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import dataclass

import numpy as np

from .decode import Limits, Pixels, Unreadable, decode_image, read_file
from .errors import ArgumentInvalid, ImageFailed, choose
from .images import ImageList
from .progress import Progress, Report
from .runtime import Runner, Values, cpu_count

CPU_BATCH = 8  # more does not make a core faster, and costs memory
GPU_BATCH = 64


@dataclass(frozen=True)
class Batch:
    """The results of some consecutive images.

    Attributes
    ----------
    names : list of str or None
        The images as the caller wrote them.
    values : numpy.ndarray
        ``[n, width]`` float32; NaN in the rows of failed images.
    errors : list of str or None
        Why an image failed; None where it did not.
    """

    names: list[str | None]
    values: Values
    errors: list[str | None]


def run_model(
    images: ImageList,
    runner: Runner,
    text: str,
    batch_size: int | str = "auto",
    progress: Report = True,
    on_error: str = "record",
    limits: Limits | None = None,
) -> Iterator[Batch]:
    """Run a model over images and yield a `Batch` for each few of them, in order.

    Each worker thread decodes the images of a batch and runs the network on them; Pillow and ONNX Runtime both release
    the interpreter's lock, so the cores stay busy without a copy between stages. At most two batches a worker are in
    hand at any time, whatever the number of images.

    Raises
    ------
    ImageFailed
        With ``on_error="stop"``, at the first image that cannot be read.
    """
    choose("on_error", on_error, ("record", "stop"))
    size = _batch_size(batch_size, runner)
    limits = limits or Limits()
    if not len(images):
        # One batch without rows, so that a table without rows still has its columns' types and a factor's levels.
        yield Batch([], np.empty((0, runner.width), np.float32), [])
        return
    stop = threading.Event()
    workers = min(cpu_count(), max(1, -(-len(images) // size)))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="imagesasdata")
    waiting: deque[Future[Batch]] = deque()
    starts = iter(range(0, len(images), size))
    with Progress(progress, len(images), f"{text} on {runner.device}") as bar:
        try:
            while True:
                while len(waiting) < 2 * workers and (start := next(starts, None)) is not None:
                    part = slice(start, start + size)
                    waiting.append(pool.submit(_work, images.names[part], images.paths[part], runner, limits, stop))
                if not waiting:
                    return
                batch = _result(waiting.popleft())
                if on_error == "stop":
                    _stop_at_failure(batch)
                bar.advance(len(batch.names))
                yield batch
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def read_pixels(path: str | None, runner: Runner, limits: Limits) -> Pixels:
    """Read and decode one image for a model; raise `Unreadable` with the reason."""
    if path is None:
        raise Unreadable("no path was given")
    return decode_image(read_file(path, limits.max_bytes), runner.card.preprocessing, limits)


def _work(
    names: list[str | None], paths: list[str | None], runner: Runner, limits: Limits, stop: threading.Event
) -> Batch:
    """Decode one batch and run the network on what could be decoded."""
    steps = runner.card.preprocessing
    pixels = np.empty((len(paths), steps.size, steps.size, steps.channels), np.uint8)
    errors: list[str | None] = [None] * len(paths)
    good: list[int] = []
    for i, path in enumerate(paths):
        if stop.is_set():
            break
        try:
            pixels[len(good)] = read_pixels(path, runner, limits)
            good.append(i)
        except Unreadable as problem:
            errors[i] = str(problem)
    values = np.full((len(paths), runner.width), np.nan, np.float32)
    if good and not stop.is_set():
        values[good] = runner(pixels[: len(good)])
        for i in good:
            if not np.isfinite(values[i]).all():
                values[i], errors[i] = np.nan, "the model returned no number (NaN or infinite)"
    return Batch(names, values, errors)


def _result(future: Future[Batch]) -> Batch:
    """Wait for a batch, waking often: an interrupt from R reaches Python only between two bytecodes."""
    while True:
        try:
            return future.result(timeout=0.1)
        except StillRunning:
            if future.done():
                return future.result()


def _stop_at_failure(batch: Batch) -> None:
    for name, error in zip(batch.names, batch.errors, strict=True):
        if error is not None:
            raise ImageFailed(f'"{name or ""}": {error}. With on_error="record" such images become rows with `error`.')


def _batch_size(batch_size: int | str, runner: Runner) -> int:
    if batch_size == "auto":
        return CPU_BATCH if runner.device == "cpu" else GPU_BATCH
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ArgumentInvalid(f'`batch_size` is {batch_size!r}; it must be "auto" or a whole number above 0.')
    return batch_size
