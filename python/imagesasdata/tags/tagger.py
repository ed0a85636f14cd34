"""Tag images on this machine: the most probable classes of a classifier, as a long table."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pyarrow as pa

from ..classify import probabilities
from ..decode import MAX_PIXELS, Limits
from ..engine import Engine
from ..errors import ArgumentInvalid, ModelInvalid
from ..images import find_images
from ..job import Job
from ..model import ImageModel, load_model
from ..pipeline import Batch
from ..progress import Report
from ..reading import MAX_BYTES
from ..registry import DEFAULT_MODEL
from ..tables import factor_type
from ..verb import Result, Verb


@Verb
def tag_images(
    images: Any,
    top: int = 5,
    threshold: float = 0.0,
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
    """Tag images with a classifier's most probable classes, without sending them anywhere.

    Parameters
    ----------
    top : int
        At most this many tags an image.
    threshold : float
        Only tags of at least this probability, 0 to 1.
    images, model, image_col, image_dir, device, batch_size, progress, on_error, max_pixels, max_bytes, out,
    retry_failed, overwrite, cache, precision
        As in `classify_images`.

    Returns
    -------
    pandas.DataFrame
        Long: ``image``, ``rank`` (1 is the most probable), ``tag`` (categorical), ``prob`` (0 to 1), ``error``. An
        image that failed, or has no tag above the threshold, has one row with ``rank``, ``tag`` and ``prob`` missing,
        so that no join loses an image.

    Raises
    ------
    ArgumentInvalid
        `top` below 1 or `threshold` outside 0 to 1.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> cat = skimage.__path__[0] + "/data/chelsea.png"
    >>> iad.tag_images([cat], top=2, progress=False)[["rank", "tag"]]
       rank           tag
    0     1     tiger cat
    1     2  Egyptian cat
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ArgumentInvalid(f"`top` is {top!r}; it must be a whole number above 0.")
    if not 0 <= threshold <= 1:
        raise ArgumentInvalid(f"`threshold` is {threshold!r}; it must be between 0 and 1.")
    found = find_images(images, image_col, image_dir)
    loaded = load_model(model)
    if loaded.card.task == "score":
        raise ModelInvalid(f'The model "{loaded.name}" gives scores, not classes; use classify_images.')
    engine = Engine([loaded], device, cache=cache, precision=precision)
    schema = pa.schema(
        [
            ("image", pa.string()),
            ("rank", pa.int32()),
            ("tag", factor_type(loaded.card.classes)),
            ("prob", pa.float64()),
            ("error", pa.string()),
        ]
    )
    card, dictionary = loaded.card, pa.array(loaded.card.classes, pa.string())

    def encode(batch: Batch) -> pa.RecordBatch:
        rows: list[tuple[str | None, int | None, int | None, float | None, str | None]] = []
        values = probabilities(batch.values[0], card.activation)
        for name, row, error in zip(batch.names, values, batch.errors, strict=True):
            best = np.argsort(-row, kind="stable")[: 0 if error else top]
            kept = [(rank, code) for rank, code in enumerate(best, 1) if row[code] >= threshold]
            rows += [(name, rank, int(code), float(row[code]), None) for rank, code in kept]
            if not kept:
                rows.append((name, None, None, None, error))
        names, ranks, codes, probs, errors = zip(*rows, strict=True) if rows else ([], [], [], [], [])
        tags = pa.DictionaryArray.from_arrays(pa.array(codes, schema.field("tag").type.index_type), dictionary)
        columns = [pa.array(names, pa.string()), pa.array(ranks, pa.int32()), tags, pa.array(probs, pa.float64())]
        return pa.RecordBatch.from_arrays([*columns, pa.array(errors, pa.string())], schema=schema)

    options = {"top": top, "threshold": threshold, "precision": precision}
    job = Job("tag_images", found, engine, schema, encode, options, joins=False)
    return job.run(batch_size, progress, on_error, Limits(max_pixels, max_bytes), out, retry_failed, overwrite)
