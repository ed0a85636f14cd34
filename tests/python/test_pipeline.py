"""The pipeline: in order, in bounded memory, and nothing left behind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import imagesasdata as iad
from imagesasdata.decode import Limits
from imagesasdata.devices import cpu_count
from imagesasdata.engine import Engine, Work
from imagesasdata.images import ImageList, find_images
from imagesasdata.pipeline import run_models
from imagesasdata.runtime import Stop


@pytest.fixture
def engine() -> Engine:
    return Engine([iad.load_model()], "cpu", cache=False)


def many(photographs: Path, times: int) -> ImageList:
    return find_images(sorted(map(str, photographs.iterdir())) * times)


def test_at_most_two_batches_a_worker_are_in_hand(photographs: Path, engine: Engine) -> None:
    images = many(photographs, 40)
    begun: list[int] = []

    class Watched(Engine):
        def __init__(self) -> None:
            self.device, self.widths = engine.device, engine.widths

        def __call__(self, paths: list[str | None], limits: Limits, stop: Stop) -> Work:  # type: ignore[override]
            begun.append(len(paths))
            return engine(paths, limits, stop)

    batches = run_models(images, Watched(), [(0, len(images))], batch_size=1)
    next(batches)
    threading.Event().wait(0.5)
    assert 1 <= len(begun) <= 2 * cpu_count() + 1
    batches.close()


def test_ranges_are_never_mixed_in_a_batch(photographs: Path, engine: Engine) -> None:
    images = many(photographs, 3)
    ranges = [(0, 5), (7, 8), (10, 31)]
    batches = list(run_models(images, engine, ranges, batch_size=4))
    assert [i for b in batches for i in range(b.start, b.start + len(b.names))] == [
        i for start, stop in ranges for i in range(start, stop)
    ]
    for batch in batches:
        assert any(start <= batch.start and batch.start + len(batch.names) <= stop for start, stop in ranges)
        assert batch.names == images.names[batch.start : batch.start + len(batch.names)]


def test_an_error_in_a_worker_reaches_the_caller_and_ends_the_threads(photographs: Path, engine: Engine) -> None:
    class Broken(Engine):
        def __init__(self) -> None:
            self.device, self.widths = engine.device, engine.widths

        def __call__(self, paths: list[str | None], limits: Limits, stop: Stop) -> Work:  # type: ignore[override]
            raise RuntimeError("the worker died")

    before = threading.active_count()
    images = many(photographs, 2)
    with pytest.raises(RuntimeError, match="the worker died"):
        list(run_models(images, Broken(), [(0, len(images))]))
    assert threading.active_count() == before
