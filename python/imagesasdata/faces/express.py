"""What faces show: the probabilities of seven expressions, for each face or for each photograph."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pyarrow as pa

from ..classify import probabilities
from ..decode import MAX_PIXELS, Limits
from ..errors import choose
from ..images import find_images
from ..job import Job
from ..pipeline import Batch
from ..progress import Report
from ..reading import MAX_BYTES
from ..tables import factor_type
from ..verb import Result, Verb
from .detect import MIN_SIZE, THRESHOLD, FaceRows, joined_faces, place_fields
from .engine import FaceEngine, Search


@Verb
def score_expressions(
    images: Any,
    by: str = "face",
    min_size: float = MIN_SIZE,
    min_prob: float = THRESHOLD,
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
) -> Result:
    """Score the expressions of faces: what faces show, which is not what people feel, nor what viewers feel.

    Parameters
    ----------
    by : {"face", "image"}
        One row a face, or one row a photograph with the mean over its faces.
    min_prob : float
        Least probability of a face, as `threshold` in `detect_faces`.
    images, min_size, image_col, image_dir, device, batch_size, progress, on_error, max_pixels, max_bytes, out,
    retry_failed, overwrite
        As in `detect_faces`.

    Returns
    -------
    pandas.DataFrame
        By face: ``image``, ``face``, ``x``, ``y``, ``width``, ``height``, ``prob`` as in `detect_faces`;
        ``expression``, the most probable one (categorical); ``prob_anger``, ``prob_disgust``, ``prob_fear``,
        ``prob_happiness``, ``prob_sadness``, ``prob_surprise``, ``prob_neutral``, which sum to 1; ``error``. A
        photograph without a face has one row with these missing. By image: ``image``, ``faces`` (their number), the
        means of the seven probabilities (missing without faces), ``error``; given a data frame, that data frame with
        these columns added.

    Notes
    -----
    A small network of Arriaga, Valdenegro-Toro and Plöger (2017), trained on FER-2013. It is weak, above all for fear
    and disgust, and its errors differ between groups of people: code a sample by hand, and see `evaluate_predictions`
    and ``model_card("expression")``. For the emotion that a photograph evokes, train a model on viewers' ratings.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> photo = skimage.__path__[0] + "/data/astronaut.png"
    >>> iad.score_expressions([photo], progress=False)["expression"].tolist()
    ['happiness']
    """
    choose("by", by, ("face", "image"))
    found = find_images(images, image_col, image_dir)
    engine = FaceEngine(Search(min_size, min_prob), device, "expression")
    card = engine.models[1].card
    kind = factor_type(card.classes)
    probs = [pa.field(f"prob_{name}", pa.float64()) for name in card.classes]
    error = pa.field("error", pa.string())
    if by == "face":
        schema = pa.schema([*place_fields(), ("expression", kind), *probs, error])
    else:
        schema = pa.schema([("image", pa.string()), ("faces", pa.int32()), *probs, error])

    def encode_faces(batch: Batch) -> pa.RecordBatch:
        rows = FaceRows(batch)
        values = probabilities(rows.values[:, 16:], card.activation)
        best = np.where(rows.missing, 0, np.nan_to_num(values).argmax(axis=1))
        codes = pa.array(best, kind.index_type, mask=rows.missing)
        expression = pa.DictionaryArray.from_arrays(codes, pa.array(card.classes, pa.string()))
        columns = [*rows.places(), expression, *map(rows.column, values.T), rows.errors()]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def encode_images(batch: Batch) -> pa.RecordBatch:
        (faces,) = batch.values
        position = faces[:, 0].astype(np.int64)
        n = len(batch.names)
        counts = np.bincount(position, minlength=n)
        sums = np.zeros((n, len(card.classes)))
        np.add.at(sums, position, probabilities(faces[:, 16:], card.activation))
        means = sums / np.maximum(counts, 1)[:, None]
        columns = [
            pa.array(batch.names, pa.string()),
            pa.array(counts, pa.int32(), mask=batch.failed),
            *(pa.array(np.ascontiguousarray(column), mask=counts == 0) for column in means.T),
            pa.array(batch.errors, pa.string()),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    options = {"by": by, "min_size": float(min_size), "min_prob": float(min_prob)}
    job = Job(
        "score_expressions",
        found,
        engine,
        schema,
        encode_faces if by == "face" else encode_images,
        options,
        joins=by == "image",
        facts=options,
        joined=joined_faces,
    )
    return job.run(batch_size, progress, on_error, Limits(max_pixels, max_bytes), out, retry_failed, overwrite)
