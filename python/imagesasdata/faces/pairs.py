"""Tell whether two photographs show the same person."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pyarrow as pa

from ..decode import MAX_PIXELS, Limits
from ..errors import ArgumentInvalid
from ..images import ImageList, find_images
from ..pipeline import run_models
from ..progress import Progress, Report
from ..provenance import describe_run
from ..reading import MAX_BYTES
from ..tables import with_provenance
from ..verb import Result, Verb
from .detect import MIN_SIZE, THRESHOLD
from .engine import FaceEngine, Search
from .people import NO_FACE
from .purpose import purpose_of

SAME = 0.55
SCHEMA = pa.schema(
    [
        ("image_a", pa.string()),
        ("image_b", pa.string()),
        ("distance", pa.float64()),
        ("same", pa.bool_()),
        ("error", pa.string()),
    ]
)


@Verb
def verify_faces(
    a: Any,
    b: Any,
    threshold: float = SAME,
    purpose: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    min_size: float = MIN_SIZE,
    min_prob: float = THRESHOLD,
    device: str = "auto",
    progress: Report = True,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> Result:
    """Say of pairs of photographs whether the largest faces on both are the same person's.

    Parameters
    ----------
    a, b : path or list of paths
        The first and the second photographs of the pairs, as many of each.
    threshold : float
        Largest distance of two faces of the same person. At 0.55, 0.2 % of the pairs of different politicians in
        ``benchmarks/faces.py`` are taken for the same, and 3 % of the pairs of the same one are not.
    purpose : str
        What people are recognised for, in a sentence; asked once a session, and kept with the results.
    min_prob : float
        Least probability of a face, as `threshold` in `detect_faces`.
    image_dir, min_size, device, progress, max_pixels, max_bytes
        As in `detect_faces`.

    Returns
    -------
    pandas.DataFrame
        One row a pair: ``image_a``, ``image_b``, ``distance`` (0 for the same photograph; about 0.4 for the same
        person, 0.8 for two), ``same`` (true up to the threshold), and ``error``.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> photo = skimage.__path__[0] + "/data/astronaut.png"
    >>> iad.verify_faces(photo, photo, purpose="An example.", progress=False)["same"].tolist()
    [True]
    """
    why = purpose_of(purpose)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 10:
        raise ArgumentInvalid(f"`threshold` is {threshold!r}; it must be a distance above 0, such as {SAME}.")
    first, second = (find_images(side, None, image_dir) for side in (a, b))
    if len(first) != len(second):
        raise ArgumentInvalid(f"`a` has {len(first):,} photographs and `b` {len(second):,}; give as many of each.")
    engine = FaceEngine(Search(min_size, min_prob), device, "dlib_face", largest=True)
    images = ImageList([*first.names, *second.names], [*first.paths, *second.paths])
    descriptors, errors = describe(images, engine, progress, Limits(max_pixels, max_bytes))
    n = len(first)
    apart = np.sqrt(((descriptors[:n] - descriptors[n:]) ** 2).sum(axis=1))
    missing = ~np.isfinite(apart)
    problems = [
        "; ".join(f"{side}: {problem}" for side, problem in (("a", one), ("b", other)) if problem) or None
        for one, other in zip(errors[:n], errors[n:], strict=True)
    ]
    columns = [
        pa.array(first.names, pa.string()),
        pa.array(second.names, pa.string()),
        pa.array(apart, pa.float64(), mask=missing),
        pa.array(apart <= threshold, pa.bool_(), mask=missing),
        pa.array(problems, pa.string()),
    ]
    facts = {"purpose": why, "threshold": float(threshold)}
    made = {**describe_run("verify_faces", engine.models, engine.device), **facts}
    return Result(with_provenance(pa.Table.from_arrays(columns, schema=SCHEMA), made))


def describe(
    images: ImageList, engine: FaceEngine, progress: Report, limits: Limits
) -> tuple[np.ndarray, list[str | None]]:
    """Return the descriptor ``[n, 128]`` of the largest face of each photograph, NaN where there is none, and why."""
    found = np.full((len(images), 128), np.nan)
    errors: list[str | None] = []
    text = f"{', '.join(model.name for model in engine.models)} on {engine.device}"
    with Progress(progress, len(images), text) as bar:
        for batch in run_models(images, engine, [(0, len(images))], limits=limits):
            faces = batch.values[0]
            found[batch.start + faces[:, 0].astype(int)] = faces[:, 16:144]
            errors += batch.errors
            bar.advance(len(batch.names))
    lacking = ~np.isfinite(found).all(axis=1)
    return found, [error or (NO_FACE if gone else None) for error, gone in zip(errors, lacking, strict=True)]
