"""Embed images: the numbers by which a network describes a photograph, as columns of a data frame."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pyarrow as pa

from .decode import MAX_PIXELS, Limits
from .engine import Engine
from .images import find_images
from .job import Job
from .model import ImageModel, load_model
from .pipeline import Batch
from .progress import Report
from .reading import MAX_BYTES
from .registry import DEFAULT_MODEL
from .verb import Result, Verb


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
    out: str | os.PathLike[str] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    cache: bool = True,
    precision: str = "fp32",
) -> Result:
    """Return a model's embedding of each image: similar photographs have similar numbers.

    Use them for clustering, for finding near-duplicates, or as covariates.

    Parameters
    ----------
    images, image_col, image_dir, device, batch_size, progress, on_error, max_pixels, max_bytes, out, retry_failed,
    overwrite, cache, precision
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
    engine = Engine([loaded], device, tensor="embedding", cache=cache, precision=precision)
    numbers = [(f"embedding_{i + 1}", pa.float32()) for i in range(engine.widths[0])]
    schema = pa.schema([("image", pa.string()), *numbers, ("error", pa.string())])

    def encode(batch: Batch) -> pa.RecordBatch:
        columns = [pa.array(np.ascontiguousarray(column), mask=batch.failed) for column in batch.values[0].T]
        names, errors = pa.array(batch.names, pa.string()), pa.array(batch.errors, pa.string())
        return pa.RecordBatch.from_arrays([names, *columns, errors], schema=schema)

    job = Job("embed_images", found, engine, schema, encode, {"precision": precision})
    return job.run(batch_size, progress, on_error, Limits(max_pixels, max_bytes), out, retry_failed, overwrite)
