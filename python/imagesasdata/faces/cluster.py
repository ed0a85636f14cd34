"""Group the faces of a collection by who they may be, without knowing anybody."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.cluster.hierarchy import fcluster, linkage

from ..decode import MAX_PIXELS, Limits
from ..errors import ArgumentInvalid
from ..images import find_images
from ..pipeline import Batch
from ..progress import Report
from ..reading import MAX_BYTES
from ..tables import provenance_of, with_provenance
from ..verb import Result, Verb
from .detect import MIN_SIZE, THRESHOLD, FaceRows, face_job, place_fields
from .engine import FaceEngine, Search
from .pairs import SAME
from .people import DESCRIPTOR
from .purpose import purpose_of

MOST = 20_000  # faces: their distances take 1.6 gigabytes


@Verb
def cluster_faces(
    images: Any,
    threshold: float = SAME,
    purpose: str | None = None,
    min_size: float = MIN_SIZE,
    min_prob: float = THRESHOLD,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    progress: Report = True,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> Result:
    """Group the faces in photographs, to see who appears how often: each group is one person, if all goes well.

    Parameters
    ----------
    threshold : float
        Two groups are joined while the mean distance of their faces is at most this. A smaller one splits people, a
        larger one joins them.
    purpose : str
        What people are recognised for, in a sentence; asked once a session, and kept with the results.
    min_prob : float
        Least probability of a face, as `threshold` in `detect_faces`.
    images, min_size, image_col, image_dir, device, progress, max_pixels, max_bytes
        As in `detect_faces`.

    Returns
    -------
    pandas.DataFrame
        Long, one row a face: ``image``, ``face``, ``x``, ``y``, ``width``, ``height``, ``prob`` as in `detect_faces`;
        ``cluster`` (1 is the largest), ``cluster_size`` (faces in it), and ``error``.

    Raises
    ------
    ArgumentInvalid
        More than 20,000 faces: take a sample of the photographs, or a larger `min_size`.

    Notes
    -----
    Agglomerative clustering with average linkage of dlib's descriptors.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> photos = [skimage.__path__[0] + f"/data/{name}.png" for name in ("astronaut", "camera", "astronaut")]
    >>> iad.cluster_faces(photos, purpose="An example.", progress=False)["cluster"].tolist()
    [1, 2, 1]
    """
    why = purpose_of(purpose)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 10:
        raise ArgumentInvalid(f"`threshold` is {threshold!r}; it must be a distance above 0, such as {SAME}.")
    found = find_images(images, image_col, image_dir)
    numbers = [(name, pa.float32()) for name in DESCRIPTOR]
    schema = pa.schema([*place_fields(), *numbers, ("error", pa.string())])

    def encode(batch: Batch) -> pa.RecordBatch:
        rows = FaceRows(batch)
        descriptors = [pa.array(column, pa.float32(), mask=rows.missing) for column in rows.values[:, 16:].T]
        return pa.RecordBatch.from_arrays([*rows.places(), *descriptors, rows.errors()], schema=schema)

    options = {"min_size": float(min_size), "min_prob": float(min_prob), "threshold": float(threshold)}
    engine = FaceEngine(Search(min_size, min_prob), device, "dlib_face")
    job = face_job("cluster_faces", found, engine, schema, encode, options, {"purpose": why})
    table = job.run("auto", progress, "record", Limits(max_pixels, max_bytes)).to_arrow()
    descriptors = np.column_stack([table[name].to_numpy().astype(np.float64) for name in DESCRIPTOR])
    is_face = np.isfinite(descriptors).all(axis=1)
    if is_face.sum() > MOST:
        raise ArgumentInvalid(
            f"There are {is_face.sum():,} faces, more than the {MOST:,} that can be grouped. Take a sample of the "
            "photographs, or a larger min_size."
        )
    cluster, size = np.zeros(len(table), np.int32), np.zeros(len(table), np.int32)
    cluster[is_face], size[is_face] = clusters(descriptors[is_face], threshold)
    kept = table.drop_columns([*DESCRIPTOR, "error"])
    for name, values in (("cluster", cluster), ("cluster_size", size)):
        kept = kept.append_column(name, pa.array(values, pa.int32(), mask=~is_face))
    return Result(with_provenance(kept.append_column("error", table["error"]), provenance_of(table)))


def clusters(
    descriptors: npt.NDArray[np.float64], threshold: float
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the cluster of each of ``[n, d]`` descriptors, 1 the largest, and how many faces it has."""
    n = len(descriptors)
    if n < 2:
        return np.ones(n, np.int32), np.ones(n, np.int32)
    group = fcluster(linkage(descriptors, "average"), threshold, "distance")
    _, first, inverse, counts = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -counts))  # equally large ones as they come
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(1, len(order) + 1)
    return rank[inverse], counts[inverse].astype(np.int32)
