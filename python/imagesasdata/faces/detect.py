"""Find the faces in photographs: one row a face, and one row for a photograph without any."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ..decode import MAX_PIXELS, Limits
from ..images import ImageList, find_images
from ..job import Job, join
from ..pipeline import Batch
from ..progress import Report
from ..reading import MAX_BYTES
from ..runtime import Values
from ..verb import Result, Verb
from .engine import FaceEngine, Search

LANDMARKS = tuple(
    f"{point}_{axis}" for point in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right") for axis in "xy"
)
BOX = ("x", "y", "width", "height")
MIN_SIZE, THRESHOLD = 20, 0.8


@Verb
def detect_faces(
    images: Any,
    min_size: float = MIN_SIZE,
    threshold: float = THRESHOLD,
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
    """Find faces: where they are, with the places of eyes, nose and mouth. It says nothing of whose they are.

    Parameters
    ----------
    min_size : float
        Side of the smallest face that is looked for, in pixels of the photograph, 10 or more. With twice the size the
        search takes a quarter of the time.
    threshold : float
        Least probability of a face, 0 to 1. A lower one finds more faces, and more of what is none.
    images, image_col, image_dir, device, batch_size, progress, on_error, max_pixels, max_bytes, out, retry_failed,
    overwrite
        As in `classify_images`.

    Returns
    -------
    pandas.DataFrame
        Long, one row a face: ``image``; ``face`` (1 is the most probable of the photograph); ``x``, ``y`` (its upper
        left corner), ``width`` and ``height`` in pixels of the upright photograph, cut at its border; ``prob`` (0 to
        1); ``left_eye_x``, ``left_eye_y``, ``right_eye_x``, ``right_eye_y``, ``nose_x``, ``nose_y``, ``mouth_left_x``,
        ``mouth_left_y``, ``mouth_right_x``, ``mouth_right_y`` in the same pixels, left and right as the viewer sees
        them; ``error``. A photograph that failed, or shows no face, has one row with all else missing, so that no join
        loses a photograph. Of a data frame that `sample_frames` made, ``video`` and ``time`` come along, after
        ``image``.

    Raises
    ------
    ArgumentInvalid
        `min_size` below 10 or `threshold` outside 0 to 1.

    Notes
    -----
    MTCNN (Zhang, Zhang, Li and Qiao 2016): a small network looks everywhere in the photograph at many scales, and two
    larger ones at what it found. It finds faces that are roughly upright, from the front to half from the side.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> photographs = [skimage.__path__[0] + f"/data/{name}.png" for name in ("astronaut", "coffee")]
    >>> iad.detect_faces(photographs, progress=False)[["face", "x", "y", "width", "height"]].round()
       face      x     y  width  height
    0     1  180.0  61.0   88.0   113.0
    1  <NA>    NaN   NaN    NaN     NaN
    """
    found = find_images(images, image_col, image_dir)
    search = Search(min_size, threshold)
    schema = pa.schema([*place_fields(), *landmark_fields(), pa.field("error", pa.string())])

    def encode(batch: Batch) -> pa.RecordBatch:
        rows = FaceRows(batch)
        columns = [*rows.places(), *rows.landmarks(), rows.errors()]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    options = {"min_size": float(min_size), "threshold": float(threshold)}
    job = face_job("detect_faces", found, FaceEngine(search, device), schema, encode, options)
    return job.run(batch_size, progress, on_error, Limits(max_pixels, max_bytes), out, retry_failed, overwrite)


def face_job(
    verb: str,
    images: ImageList,
    engine: FaceEngine,
    schema: pa.Schema,
    encode: Callable[[Batch], pa.RecordBatch],
    options: dict[str, Any],
    facts: dict[str, Any] | None = None,
) -> Job:
    """Return the job of a verb whose rows are faces; `options` go to the provenance too, with other `facts`."""
    described = {**options, **(facts or {})}
    return Job(verb, images, engine, schema, encode, options, joins=False, facts=described, joined=joined_faces)


def joined_faces(batches: Sequence[Batch]) -> Batch:
    """Return consecutive batches of a `FaceEngine` as one: the positions of their photographs go on."""
    whole = join(batches)
    (values,) = whole.values
    starts = np.cumsum([0, *(len(batch.names) for batch in batches[:-1])])
    shifts = np.repeat(starts, [len(batch.values[0]) for batch in batches])
    return Batch(whole.start, whole.names, [np.column_stack([values[:, 0] + shifts, values[:, 1:]])], whole.errors)


def place_fields() -> list[pa.Field]:
    """Return the columns that say where a face is."""
    numbers = [pa.field(name, pa.float64()) for name in (*BOX, "prob")]
    return [pa.field("image", pa.string()), pa.field("face", pa.int32()), *numbers]


def landmark_fields() -> list[pa.Field]:
    """Return the columns with a face's five landmarks."""
    return [pa.field(name, pa.float64()) for name in LANDMARKS]


class FaceRows:
    """The rows of a long table of faces: one a face, and one for each photograph without any.

    Attributes
    ----------
    values : numpy.ndarray
        ``[rows, width]``: what `FaceEngine` says of each face; NaN in rows without a face.
    missing : numpy.ndarray
        Which rows have no face, ``[rows]`` bool.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        faces: Values = batch.values[0]
        position = faces[:, 0].astype(np.int64)
        lacking = np.setdiff1d(np.arange(len(batch.names)), position)
        images = np.concatenate([position, lacking])
        order = np.argsort(images, kind="stable")
        empty = np.full((len(lacking), faces.shape[1]), np.nan, faces.dtype)
        self.values = np.concatenate([faces, empty])[order]
        self.images = images[order]
        self.missing = order >= len(position)
        starts = np.searchsorted(self.images, self.images, side="left")
        self.numbers = np.arange(len(self.images)) - starts + 1

    def places(self) -> list[pa.Array]:
        """Return the columns of `place_fields`."""
        left, top, right, bottom, prob = self.values[:, 1:6].astype(np.float64).T
        columns = (left, top, right - left, bottom - top, prob)
        names = pa.array([self._batch.names[i] for i in self.images.tolist()], pa.string())
        return [names, pa.array(self.numbers, pa.int32(), mask=self.missing), *map(self.column, columns)]

    def landmarks(self) -> list[pa.Array]:
        """Return the columns of `landmark_fields`."""
        return [self.column(self.values[:, 6 + i]) for i in range(len(LANDMARKS))]

    def errors(self) -> pa.Array:
        """Return the column ``error``."""
        return pa.array([self._batch.errors[i] for i in self.images.tolist()], pa.string())

    def column(self, values: Any) -> pa.Array:
        """Return numbers of the rows as a column, missing where there is no face."""
        return pa.array(np.asarray(values, np.float64), pa.float64(), mask=self.missing)
