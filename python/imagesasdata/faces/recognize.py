"""Recognise people: find the faces in photographs, describe each one, and look for the nearest person who is known."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..decode import MAX_PIXELS, Limits
from ..errors import choose
from ..images import find_images
from ..outputs import refuse_input
from ..pipeline import Batch
from ..progress import Report
from ..reading import MAX_BYTES
from ..tables import factor_type
from ..verb import Result, Verb
from .classifier import Classifier
from .detect import MIN_SIZE, THRESHOLD, FaceRows, face_job, place_fields
from .engine import FaceEngine, Search
from .matching import blocks, person_distances
from .people import UNKNOWN, People, read_people
from .purpose import purpose_of
from .threshold import FAR, FEWEST, USUAL, Threshold, choose_threshold

METHODS = ("nearest", "classifier")


@Verb
def recognize_faces(
    images: Any,
    people: Any,
    threshold: float | str = "auto",
    false_match_rate: float = 0.01,
    method: str = "nearest",
    purpose: str | None = None,
    min_size: float = MIN_SIZE,
    min_prob: float = THRESHOLD,
    person_col: str = "person",
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
    """Say which of some known people each face in photographs is, or that it is none of them.

    Parameters
    ----------
    people : path, data frame or table file
        Reference photographs: a folder with a folder for each person, or a table with the columns ``image`` and
        `person_col`; or what `enroll_people` returned or wrote.
    threshold : float or "auto"
        Largest distance at which a face is still the nearest person's. ``"auto"`` chooses it from the references.
    false_match_rate : float
        With ``"auto"``: the share of strangers' faces that may be taken for one of the people, as far as the references
        tell.
    method : {"nearest", "classifier"}
        Who a face is taken for, within the threshold: the nearest person, or the likeliest by a logistic regression on
        the descriptors of the references, of which each person then needs 5 or more.
    purpose : str
        What people are recognised for, in a sentence; asked once a session, and kept with the results.
    min_prob : float
        Least probability of a face in `images`, as `threshold` in `detect_faces`.
    person_col : str
        The column of `people` with the person's name.
    image_dir : path, optional
        Where relative paths start, those of a table of `people` too.
    out : path, optional
        As in `detect_faces`; a run is resumed with the same references and the same purpose only.
    images, min_size, image_col, device, batch_size, progress, on_error, max_pixels, max_bytes, retry_failed, overwrite
        As in `detect_faces`.

    Returns
    -------
    pandas.DataFrame
        Long, one row a face: ``image``, ``face``, ``x``, ``y``, ``width``, ``height``, ``prob`` as in `detect_faces`;
        ``person`` (categorical; "unknown" beyond the threshold); ``distance`` to the ``nearest`` person; ``second``,
        the second-nearest person, and ``margin``, how much farther that one is; ``error``. With
        ``method="classifier"`` these two are the likeliest and the second-likeliest, and a margin may be below 0. A
        photograph that failed, or shows no face, has one row with all of these missing. ``attrs["imagesasdata"]`` has
        the purpose, and the threshold with its interval.

    Raises
    ------
    PurposeMissing
        No `purpose` in this session yet.
    PeopleInvalid
        The references cannot be used.

    Notes
    -----
    A face is aligned by its landmarks and described by dlib's network (King 2017); its distance to a person is the mean
    distance to that person's references. For the threshold each reference plays a stranger to the other people; what
    they say is the lower limit of a prediction interval (Student's t) for one more stranger's distance, at the
    false-match rate. Of few people that is far from certain, so the threshold is a mean of it and of the usual 0.5,
    which counts for as much as 20 people; with fewer than 5 people it is 0.5. For 4 to 11 politicians with 1 to 5
    references each, fewer than 0.2 % of other politicians' faces were accepted on the mean over draws of references,
    and of the people's own faces 84 to 96 % were recognised, more with more references. Evaluate on photographs that
    you coded by hand: the rate holds for strangers who are as unlike the people as these are unlike each other.

    Examples
    --------
    >>> import imagesasdata as iad, pandas as pd, skimage
    >>> photo = skimage.__path__[0] + "/data/astronaut.png"
    >>> references = pd.DataFrame({"image": [photo], "person": ["Eileen Collins"]})
    >>> found = iad.recognize_faces([photo], references, threshold=0.5, purpose="An example.", progress=False)
    >>> found["person"].tolist()
    ['Eileen Collins']
    """
    choose("method", method, METHODS)
    why = purpose_of(purpose)
    if out is not None:
        refuse_input("out", out, [people])
    found = find_images(images, image_col, image_dir)
    search, limits = Search(min_size, min_prob), Limits(max_pixels, max_bytes)
    known = read_people(people, person_col, None, image_dir, device, progress, limits, why)
    chosen = choose_threshold(threshold, false_match_rate, known)
    classifier = Classifier(known) if method == "classifier" else None
    names = [*known.names, UNKNOWN]
    kind = factor_type(names)
    columns = [("person", kind), ("distance", pa.float64()), ("nearest", kind), ("second", kind)]
    schema = pa.schema([*place_fields(), *columns, ("margin", pa.float64()), ("error", pa.string())])

    def encode(batch: Batch) -> pa.RecordBatch:
        rows = FaceRows(batch)
        match = matched(rows.values[:, 16:], known, classifier)
        person = np.where(match.distance <= chosen.value, match.nearest, len(known.names))
        factors = (
            pa.DictionaryArray.from_arrays(
                pa.array(codes, kind.index_type, mask=rows.missing | (codes < 0)), pa.array(names, pa.string())
            )
            for codes in (person, match.nearest, match.second)
        )
        persons, nearest, second = factors
        numbers = [rows.column(match.distance), pa.array(match.margin, mask=rows.missing | (match.second < 0))]
        arrays = [*rows.places(), persons, numbers[0], nearest, second, numbers[1], rows.errors()]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    options = {
        "min_size": float(min_size),
        "min_prob": float(min_prob),
        "threshold": chosen.value,
        "method": method,
        "people": dict(zip(known.names, known.counts.tolist(), strict=True)),
        "people_sha256": known.sha256,
        "purpose": why,
    }
    engine = FaceEngine(search, device, "dlib_face")
    facts = {"threshold": chosen.as_facts()}
    job = face_job("recognize_faces", found, engine, schema, encode, options, facts)
    result = job.run(batch_size, progress, on_error, limits, out, retry_failed, overwrite)
    return dataclasses.replace(result, notes=(*known.notes, *_notes(chosen, len(known.names))))


@dataclasses.dataclass(frozen=True)
class Match:
    """The nearest person of each face.

    Attributes
    ----------
    nearest, second : numpy.ndarray
        ``[faces]``: the number of the nearest and of the second-nearest person, -1 where there is none.
    distance, margin : numpy.ndarray
        ``[faces]``: to the nearest person, and how much farther the second is.
    """

    nearest: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    margin: npt.NDArray[np.float64]


def matched(descriptors: npt.NDArray[Any], known: People, classifier: Classifier | None = None) -> Match:
    """Return the nearest person of each of ``[faces, 128]`` descriptors, or the likeliest; of NaN, distance NaN."""
    n, people = len(descriptors), len(known.names)
    nearest, second = np.zeros(n, np.int64), np.full(n, -1, np.int64)
    distance, margin = np.full(n, np.nan), np.full(n, np.nan)
    for rows in blocks(n, known):
        far = person_distances(descriptors[rows], known)
        rank = far if classifier is None else -classifier.scores(descriptors[rows])
        order = np.argsort(rank, axis=1, kind="stable")
        here = np.arange(len(far))
        nearest[rows], distance[rows] = order[:, 0], far[here, order[:, 0]]
        if people > 1:
            second[rows] = order[:, 1]
            margin[rows] = far[here, order[:, 1]] - distance[rows]
    return Match(nearest, second, distance, margin)


def _notes(chosen: Threshold, people: int) -> list[str]:
    if chosen.how == "usual":
        return [
            f"With {people} people, fewer than {FEWEST}, no threshold can be chosen from their references: "
            f"{chosen.value} is used. Check it on photographs that you coded by hand, and give threshold=."
        ]
    if chosen.how == "references" and abs(chosen.value - USUAL) > FAR:
        start = f"The references lead to a threshold of {chosen.value:.2f}"
        if chosen.value < USUAL:
            return [
                f"{start}, below the usual {USUAL}, so fewer faces are recognised: some people's faces are near to "
                "other people's. Look for photographs under the wrong name, or give threshold=."
            ]
        return [
            f"{start}, above the usual {USUAL}: these people are unlike each other. A stranger who is more like one of "
            "them is taken for that person. Check it on photographs that you coded by hand, or give threshold=."
        ]
    return []
