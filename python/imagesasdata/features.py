"""Embeddings of labelled photographs, from the cache where they are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .engine import Engine
from .images import ImageList
from .model import ImageModel
from .pipeline import run_models
from .runtime import Values

Report = Callable[[str, int, int], None]


def embed(
    images: ImageList, models: Sequence[ImageModel], device: str, cache: bool, report: Report
) -> tuple[list[Values], list[str | None]]:
    """Embed photographs with several models in one pass.

    Returns
    -------
    list of numpy.ndarray
        ``[n, d]`` float32 for each model; NaN in the rows of photographs that failed.
    list of str or None
        Why a photograph failed.
    """
    engine = Engine(models, device, tensor="embedding", cache=cache)
    found = [np.full((len(images), width), np.nan, np.float32) for width in engine.widths]
    errors: list[str | None] = []
    text = f"embedding on {engine.device}"
    try:
        report(text, 0, len(images))
        for batch in run_models(images, engine, [(0, len(images))]):
            stop = batch.start + len(batch.names)
            for rows, values in zip(found, batch.values, strict=True):
                rows[batch.start : stop] = np.where(batch.failed[:, None], np.nan, values)
            errors += batch.errors
            report(text, len(errors), len(images))
    finally:
        engine.close()
    return found, errors
