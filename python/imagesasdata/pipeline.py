"""From images to numbers: decode and run the networks in threads, batch by batch, in order, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .decode import Limits
from .devices import cpu_count, gpu_memory
from .engine import Work, Worker
from .errors import ArgumentInvalid, ImageFailed, choose
from .images import ImageList
from .runtime import Stop, Values, wait_for

CPU_SIZES = (4, 8, 2)  # the first is what is used until it is known better; larger ones take memory and bring nothing
GPU_SIZES = (64, 128, 256, 32)
GPU_BYTES_AN_IMAGE = 48 * 2**20  # generous: the largest layers of EfficientNet-Lite2, with room to work
TRIALS = 4  # batches of each size that decide, taken from the run's own work
LONG_RUN = 1000  # images from which on it pays to try sizes


@dataclass(frozen=True)
class Batch:
    """The results of some consecutive images.

    Attributes
    ----------
    start : int
        Position of the first one among the images.
    names : list of str or None
        The images as the caller wrote them.
    values : list of numpy.ndarray
        For each model ``[n, width]`` float32; what is in the rows of failed images means nothing.
    errors : list of str or None
        Why an image failed; None where it did not.
    """

    start: int
    names: list[str | None]
    values: list[Values]
    errors: list[str | None]

    @property
    def failed(self) -> np.ndarray:
        """Which images failed, ``[n]`` bool."""
        return np.array([error is not None for error in self.errors], dtype=bool)


def run_models(
    images: ImageList,
    engine: Worker,
    ranges: Iterable[tuple[int, int]],
    batch_size: int | str = "auto",
    on_error: str = "record",
    limits: Limits | None = None,
) -> Generator[Batch, None, None]:
    """Run models over the images of some `ranges` (start, stop) and yield a `Batch` for each few of them, in order.

    A range is asked for when a worker is free for it.

    Each worker thread decodes the images of a batch and runs the networks on them; Pillow and ONNX Runtime both release
    the interpreter's lock, so the cores stay busy without a copy between stages. At most two batches a worker are in
    hand at any time, whatever the number of images. No batch reaches over the end of a range.

    Raises
    ------
    ImageFailed
        With ``on_error="stop"``, at the first image that cannot be read.
    """
    choose("on_error", on_error, ("record", "stop"))
    sizes = _Sizes(batch_size, engine, len(images))
    if not len(images):
        return
    limits = limits or Limits()
    stop_all = Stop()
    workers = min(cpu_count(), len(images))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="imagesasdata")
    waiting: deque[tuple[int, int, Future[Work]]] = deque()
    slices = _slices(ranges, sizes, workers)
    try:
        while True:
            while len(waiting) < 2 * workers and (piece := next(slices, None)) is not None:
                start, stop = piece
                future = pool.submit(engine, images.paths[start:stop], limits, stop_all)
                waiting.append((start, stop, future))
            if not waiting:
                return
            start, stop, future = waiting.popleft()
            work = wait_for(future)
            sizes.learn(stop - start, work)
            batch = Batch(start, images.names[start:stop], work.values, work.errors)
            if on_error == "stop":
                _stop_at_failure(batch)
            yield batch
    finally:
        stop_all.set()
        pool.shutdown(wait=True, cancel_futures=True)


def gpu_sizes(device: str) -> tuple[int, ...]:
    """Return the batch sizes to try on a GPU: those for which its free memory is enough."""
    free = gpu_memory(int(device.partition(":")[2] or 0))
    fitting = tuple(size for size in GPU_SIZES if free is None or size * GPU_BYTES_AN_IMAGE < free)
    return fitting or (8,)


class _Sizes:
    """How many images to run at once: as told, or the size that was fastest on the first batches of a long run.

    The network's time is measured on the run's own work, so that trying costs nothing.
    """

    def __init__(self, batch_size: int | str, engine: Worker, total: int) -> None:
        if batch_size != "auto" and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
            raise ArgumentInvalid(f'`batch_size` is {batch_size!r}; it must be "auto" or a whole number above 0.')
        sizes = CPU_SIZES if engine.device == "cpu" else gpu_sizes(engine.device)
        self._sizes = sizes if isinstance(batch_size, str) else (batch_size,)
        self._trials = [s for _ in range(TRIALS) for s in self._sizes] if total >= LONG_RUN else []
        self._seconds: dict[int, list[float]] = {size: [] for size in self._sizes}

    def next(self) -> int:
        """Return the size of the next batch."""
        if self._trials and len(self._sizes) > 1:
            return self._trials.pop(0)
        return min(self._sizes, key=lambda size: min(self._seconds[size], default=np.inf))

    def learn(self, size: int, work: Work) -> None:
        """Take note of how long a batch took in the network."""
        if size in self._seconds and work.ran == size:
            self._seconds[size].append(work.seconds / size)


def _slices(ranges: Iterable[tuple[int, int]], sizes: _Sizes, workers: int) -> Iterator[tuple[int, int]]:
    for first, last in ranges:
        start = first
        while start < last:
            # Towards the end the work is spread over all workers, so that none waits for another's last large batch.
            fair = -(-(last - start) // workers)
            stop = min(start + min(sizes.next(), max(fair, 1)), last)
            yield start, stop
            start = stop


def _stop_at_failure(batch: Batch) -> None:
    for name, error in zip(batch.names, batch.errors, strict=True):
        if error is not None:
            raise ImageFailed(f'"{name or ""}": {error}. With on_error="record" such images become rows with `error`.')
