"""The people to recognise: described once from reference photographs, and kept as a table without photographs."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from ..decode import MAX_PIXELS, Limits
from ..errors import ArgumentInvalid, PeopleInvalid, quoted
from ..images import ImageList, find_images
from ..outputs import check_output, refuse_input
from ..pipeline import Batch
from ..progress import Report
from ..reading import MAX_BYTES
from ..tablefiles import TABLE_SUFFIXES, read_table, write_table
from ..verb import Result, Verb
from .detect import MIN_SIZE, THRESHOLD, FaceRows, face_job, place_fields
from .engine import FaceEngine, Search
from .purpose import purpose_of

UNKNOWN = "unknown"
NO_FACE = "no face was found"
DESCRIPTOR = tuple(f"descriptor_{i + 1}" for i in range(128))
Floats = npt.NDArray[np.float64]


@Verb
def enroll_people(
    people: Any,
    out: str | os.PathLike[str] | None = None,
    purpose: str | None = None,
    image_col: str | None = None,
    person_col: str = "person",
    image_dir: str | os.PathLike[str] | None = None,
    min_size: float = MIN_SIZE,
    min_prob: float = THRESHOLD,
    device: str = "auto",
    progress: Report = True,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    overwrite: bool = False,
) -> Result:
    """Describe the faces of known people, once, so that `recognize_faces` needs their photographs no more.

    Parameters
    ----------
    people : path, data frame or table file
        A folder with a folder for each person, named after them; or a table with a row a photograph and the columns
        `image_col` and `person_col`.
    out : path, optional
        A table file to keep the result in; .parquet keeps everything. It holds no photograph, but descriptors of faces
        are biometric data: keep them as safe as the photographs, and delete them when they are not needed.
    purpose : str
        What people are recognised for, in a sentence; asked once a session, and kept with the results.
    person_col : str
        The column with the person's name.
    min_prob : float
        Least probability of a face, as `threshold` in `detect_faces`.
    overwrite : bool
        Write over `out` where there is such a file.
    image_dir : path, optional
        Where relative paths of a table start.
    image_col, min_size, device, progress, max_pixels, max_bytes
        As in `detect_faces`.

    Returns
    -------
    pandas.DataFrame
        One row a reference: ``person``, ``image``, ``x``, ``y``, ``width``, ``height``, ``prob`` (of its largest face),
        ``faces`` (how many it shows: with several, the largest may be somebody else's), ``descriptor_1`` to
        ``descriptor_128``, and ``error``, which is "no face was found" where that is so.

    Raises
    ------
    PurposeMissing
        No `purpose` in this session yet.
    PeopleInvalid
        There is no usable reference, or the names cannot be told.

    Examples
    --------
    >>> import imagesasdata as iad, pandas as pd, skimage
    >>> photo = skimage.__path__[0] + "/data/astronaut.png"
    >>> references = pd.DataFrame({"image": [photo], "person": ["Eileen Collins"]})
    >>> known = iad.enroll_people(references, image_col="image", purpose="An example.", progress=False)
    >>> known[["person", "width"]].round()
               person  width
    0  Eileen Collins   88.0
    """
    why = purpose_of(purpose)
    if out is not None:
        refuse_input("out", out, [people])
        check_output("out", out, overwrite)
    names, images = _references(people, image_col, person_col, image_dir)
    table = _described(names, images, Search(min_size, min_prob), device, progress, Limits(max_pixels, max_bytes), why)
    if out is not None:
        write_table(table, out)
    return Result(table, notes=_notes(table))


@dataclass(frozen=True)
class People:
    """The people to recognise.

    Attributes
    ----------
    names : list of str
        Sorted.
    person : numpy.ndarray
        ``[references]``: whose each one is, ascending.
    descriptors : numpy.ndarray
        ``[references, 128]``.
    notes : tuple of str
        What the user should know.
    """

    names: list[str]
    person: npt.NDArray[np.int64]
    descriptors: Floats
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Of all that decides a match, for runs that are resumed."""
        digest = hashlib.sha256("\0".join(self.names).encode())
        digest.update(self.person.tobytes() + self.descriptors.tobytes())
        return digest.hexdigest()

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many references each person has."""
        return np.bincount(self.person, minlength=len(self.names))


def read_people(
    people: Any,
    person_col: str,
    image_col: str | None,
    image_dir: str | os.PathLike[str] | None,
    device: str,
    progress: Report,
    limits: Limits,
    purpose: str,
) -> People:
    """Return the people of an enrolment, in memory or in a file, or enrol them now, by what `enroll_people` does."""
    table = _as_table(people)
    notes: tuple[str, ...] = ()
    if table is None or not set(DESCRIPTOR) <= set(table.column_names):
        names, images = _references(people if table is None else table, image_col, person_col, image_dir)
        table = _described(names, images, Search(), device, progress, limits, purpose)
        person_col, notes = "person", _notes(table)
    if person_col not in table.column_names:
        raise PeopleInvalid(f'`people` has no column "{person_col}". Make it with enroll_people.')
    numbers = np.column_stack([table[name].to_numpy().astype(np.float64) for name in DESCRIPTOR])
    person = [None if name is None else str(name) for name in table[person_col].to_pylist()]
    good = np.isfinite(numbers).all(axis=1) & np.array([name is not None for name in person], bool)
    if not good.any():
        raise PeopleInvalid("None of the references of `people` has a face that can be used; see enroll_people.")
    kept = [name for name, fine in zip(person, good.tolist(), strict=True) if fine and name is not None]
    _check_names(kept)
    known = sorted(set(kept))
    lost = sorted({name for name in person if name is not None} - set(known))
    notes += (f"No reference of {quoted(lost)} has a face that can be used.",) if lost else ()
    number = {name: i for i, name in enumerate(known)}
    whose = np.array([number[name] for name in kept], np.int64)
    order = np.argsort(whose, kind="stable")
    return People(known, whose[order], numbers[good][order], notes)


def _as_table(people: Any) -> pa.Table | None:
    """Return a table in any form as Arrow; None for a folder."""
    if isinstance(people, str | os.PathLike):
        return read_table(people) if Path(people).suffix.lower() in TABLE_SUFFIXES else None
    if isinstance(people, pa.Table):
        return people
    if isinstance(people, pd.DataFrame):
        return pa.Table.from_pandas(people, preserve_index=False)
    if hasattr(people, "__arrow_c_stream__"):
        return pa.table(people)
    raise ArgumentInvalid(
        f"`people` is a {type(people).__name__}; give a folder with a folder for each person, a table with "
        "photographs and names, or what enroll_people returned."
    )


def _references(
    people: Any, image_col: str | None, person_col: str, image_dir: str | os.PathLike[str] | None
) -> tuple[list[str | None], ImageList]:
    """Return the person and the photograph of each reference."""
    table = _as_table(people)
    if table is None:
        folder = Path(people).expanduser()
        if not folder.is_dir():
            raise PeopleInvalid(f'`people` is "{people}", which is no folder with a folder for each person.')
        images = find_images(os.fspath(people))
        names: list[str | None] = []
        for path in images.paths:
            parts = Path(str(path)).relative_to(folder).parts
            if len(parts) < 2:
                raise PeopleInvalid(f"\"{path}\" lies in no person's folder; make one with the person's name.")
            names.append(parts[0])
    else:
        images = find_images(table, image_col or "image", image_dir)
        if person_col not in table.column_names:
            raise PeopleInvalid(f'`people` has no column "{person_col}" (it has: {quoted(table.column_names)}).')
        names = [None if name is None else str(name) for name in table[person_col].to_pylist()]
    _check_names([name for name in names if name is not None])
    return names, ImageList(images.names, images.paths)


def _check_names(names: list[str]) -> None:
    if UNKNOWN in names:
        raise PeopleInvalid(f'A person is named "{UNKNOWN}", which stands for everybody else. Choose another name.')
    if not names:
        raise PeopleInvalid("`people` has no person. Give at least one photograph with a name.")


def _described(
    names: list[str | None],
    images: ImageList,
    search: Search,
    device: str,
    progress: Report,
    limits: Limits,
    purpose: str,
) -> pa.Table:
    """Return the table of `enroll_people`; raise `PeopleInvalid` where no reference has a face."""
    engine = FaceEngine(search, device, "dlib_face", largest=True)
    places = [field for field in place_fields() if field.name != "face"]
    schema = pa.schema(
        [*places, ("faces", pa.int32()), *((name, pa.float32()) for name in DESCRIPTOR), ("error", pa.string())]
    )

    def encode(batch: Batch) -> pa.RecordBatch:
        rows = FaceRows(batch)
        image, _, *numbers = rows.places()
        faces = pa.array(np.nan_to_num(rows.values[:, -1]).astype(np.int32), mask=batch.failed)
        descriptors = [pa.array(column, pa.float32(), mask=rows.missing) for column in rows.values[:, 16:-1].T]
        errors = [error or (NO_FACE if gone else None) for error, gone in zip(batch.errors, rows.missing, strict=True)]
        columns = [image, *numbers, faces, *descriptors, pa.array(errors, pa.string())]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    options = {"min_size": float(search.min_size), "min_prob": float(search.threshold)}
    job = face_job("enroll_people", images, engine, schema, encode, options, {"purpose": purpose})
    table = job.run("auto", progress, "record", limits).to_arrow()
    if not table["error"].null_count:
        raise PeopleInvalid(
            f'No reference has a face that can be used; the first one, "{table["image"][0]}": {table["error"][0]}.'
        )
    return table.add_column(0, "person", pa.array(names, pa.string())).replace_schema_metadata(table.schema.metadata)


def _notes(table: pa.Table) -> tuple[str, ...]:
    """Say which references the user should look at."""
    failed, notes = len(table) - table["error"].null_count, []
    if failed:
        notes.append(f"{failed:,} of {len(table):,} references have no face that can be used; see `error`.")
    several = table.filter(pa.compute.greater(table["faces"], 1))
    if len(several):
        shown = [
            f"{image} ({faces})"
            for image, faces in zip(*(several[c].to_pylist() for c in ("image", "faces")), strict=True)
        ]
        notes.append(
            f"{len(several):,} reference(s) show several faces, of which the largest was taken: {quoted(shown, 3)}. "
            "Look whether it is the right person's, or cut the others away."
        )
    return tuple(notes)
