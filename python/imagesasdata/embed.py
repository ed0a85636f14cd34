"""Embed images: the numbers by which a network describes a photograph, as columns of a data frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from .decode import MAX_BYTES, MAX_PIXELS, Limits
from .images import find_images
from .model import ImageModel, load_model
from .pipeline import Batch, run_model
from .progress import Report
from .provenance import describe_run
from .registry import DEFAULT_MODEL
from .runtime import Runner
from .tables import with_provenance
from .verb import Result, Verb, refuse_existing


@Verb
def embed_images(
    images: Any,
    model: str | os.PathLike[str] | ImageModel = DEFAULT_MODEL,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    batch_size: int | str = "auto",
    progress: Report = True,
    on_error: str = "record",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> Result:
    """Return a model's embedding of each image: similar photographs have similar numbers.

    Use them for clustering, for finding near-duplicates, or as covariates.

    Parameters
    ----------
    images, image_col, image_dir, device, batch_size, progress, on_error, max_pixels, max_bytes
        As in `classify_images`.
    model : str, path or ImageModel
        A model that names an embedding, as all bundled classifiers do.

    Returns
    -------
    pandas.DataFrame
        ``image``, ``embedding_1`` to ``embedding_N`` (float; N is 1,280 for the bundled classifiers), and ``error``.
        Given a data frame, that data frame with these columns added.

    Raises
    ------
    ModelInvalid
        The model names no embedding.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> cat = skimage.__path__[0] + "/data/chelsea.png"
    >>> iad.embed_images([cat], progress=False).shape
    (1, 1282)
    """
    found = find_images(images, image_col, image_dir)
    loaded = load_model(model)
    runner = Runner(loaded.path, device, tensor="embedding")
    numbers = [(f"embedding_{i + 1}", pa.float32()) for i in range(runner.width)]
    schema = pa.schema([("image", pa.string()), *numbers, ("error", pa.string())])
    refuse_existing(found.columns, schema.names[1:])
    limits = Limits(max_pixels, max_bytes)
    batches = run_model(found, runner, f"{loaded.name} embedding", batch_size, progress, on_error, limits)
    # A batch of eight rows in 1,282 columns is mostly overhead, so rows are gathered before columns are made.
    table = pa.Table.from_batches((_encode(group, schema) for group in _gather(batches)), schema)
    return Result(with_provenance(table, describe_run("embed_images", loaded, runner)), found.data)


def _gather(batches: Iterator[Batch], rows: int = 4096) -> Iterator[Batch]:
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if sum(len(b.names) for b in group) >= rows:
            yield _join(group)
            group = []
    if group:
        yield _join(group)


def _join(group: list[Batch]) -> Batch:
    names = [name for batch in group for name in batch.names]
    errors = [error for batch in group for error in batch.errors]
    return Batch(names, np.concatenate([batch.values for batch in group]), errors)


def _encode(batch: Batch, schema: pa.Schema) -> pa.RecordBatch:
    failed = np.array([error is not None for error in batch.errors], dtype=bool)
    numbers = [pa.array(np.ascontiguousarray(column), mask=failed) for column in batch.values.T]
    names, errors = pa.array(batch.names, pa.string()), pa.array(batch.errors, pa.string())
    return pa.RecordBatch.from_arrays([names, *numbers, errors], schema=schema)
