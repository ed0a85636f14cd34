"""Blur faces before photographs are shown or shared: copies without faces and without metadata, and a log."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from ..decode import MAX_PIXELS, Limits, upright_image
from ..engine import Work
from ..errors import ArgumentInvalid, choose
from ..images import find_images
from ..pipeline import Batch
from ..progress import Report
from ..reading import MAX_BYTES, Unreadable, read_file
from ..runtime import Stop
from ..tables import factor_type
from ..verb import Result, Verb
from ..written import Targets, encode_picture, find_targets, searched, shown, write_picture
from .boxes import overlap
from .chosen import Chosen
from .detect import FaceRows, face_job, place_fields
from .detector import WIDTH
from .engine import FaceEngine, Faces, Search, cut_aligned
from .hide import METHODS, hide_faces
from .people import UNKNOWN, read_people
from .purpose import purpose_of

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")


@Verb
def blur_faces(
    images: Any,
    out: str | os.PathLike[str],
    people: str | Sequence[str] | None = None,
    known: Any = None,
    method: str = "blur",
    margin: float = 0.3,
    min_size: float = 15,
    threshold: float = 0.4,
    quality: int | str = 95,
    match_threshold: float | str = "auto",
    purpose: str | None = None,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    progress: Report = True,
    on_error: str = "record",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    overwrite: bool = False,
) -> Result:
    """Write copies of photographs in which faces are hidden, upright and without EXIF, GPS or any other metadata.

    The photographs themselves are not changed. Every photograph that can be read gets a copy, with faces or without.

    Parameters
    ----------
    out : path
        The folder of the copies. They lie below it as the photographs lie below `images`, where that is a folder, or
        below the folder that they share.
    people : None, "unknown" or list of str
        Whose faces are hidden: everybody's; those of all who are not among `known`; or those of some of `known`.
    known : path, data frame or table file, optional
        References, as `people` in `recognize_faces`.
    method : {"blur", "pixelate", "box"}
        Of each face 4 x 4 mean colours are left, spread smoothly or as squares; or nothing, under a black box.
    margin : float
        How much larger than the face, on each side, the hidden box is, in sides of the face.
    min_size, threshold : float
        As in `detect_faces`; lower than there, since a face that is missed is worse than a sign that is hidden.
    quality : int or "lossless"
        Quality of JPEG copies, 1 to 100. What is no JPEG becomes a PNG, with ``"lossless"`` everything.
    match_threshold : float or "auto"
        With `known`: as `threshold` in `recognize_faces`. ``"auto"`` leans to hiding. With ``people="unknown"`` a face
        counts as known only up to the lower limit of that threshold's interval, and up to 0.5 at most. A face that is
        nobody's for sure is hidden as a named person's up to the threshold, or 0.6 where that is more.
    purpose : str
        With `known`: what people are recognised for; asked once a session.
    overwrite : bool
        Write over copies that are there already. The photographs themselves are never written over.
    images, image_col, image_dir, device, progress, on_error, max_pixels, max_bytes
        As in `detect_faces`.

    Returns
    -------
    pandas.DataFrame
        A log, one row a hidden face: ``image``, ``face``, ``x``, ``y``, ``width``, ``height`` (of the hidden box, in
        whole pixels of the copy), ``prob``, ``method``, ``person`` (with `known`), ``copy`` (the path written) and
        ``error``. A photograph in which nothing was hidden has one row, with ``copy`` where it was written.

    Raises
    ------
    ArgumentInvalid
        A copy would be written over a photograph, another copy or another file.

    Notes
    -----
    The search runs twice, the second time on the mirrored photograph at other scales, and again on the result: what
    still looks like a face there is left fewer colours, at last none, and a face that comes to light there is hidden
    too. Faces that are missed stay as they are: look at the copies before you share them, and remember that clothes,
    places and captions identify people too. With `known`, a face is hidden where one of the two searches says so.

    Colours that a profile describes become sRGB, since the copy has no profile. Of GIF, APNG and TIFF files only the
    first picture is copied.

    Examples
    --------
    >>> import imagesasdata as iad, skimage, tempfile
    >>> photo = skimage.__path__[0] + "/data/astronaut.png"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = iad.blur_faces([photo], folder, progress=False)
    ...     again = iad.detect_faces(folder, progress=False)
    >>> bool(log["prob"][0] > 0.9), bool(again["face"].isna().all())
    (True, True)
    """
    choose("method", method, METHODS)
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin <= 5:
        raise ArgumentInvalid(f"`margin` is {margin!r}; it must be a number from 0 to 5.")
    whole = isinstance(quality, int) and not isinstance(quality, bool) and 1 <= quality <= 100
    if quality != "lossless" and not whole:
        raise ArgumentInvalid(f'`quality` is {quality!r}; it must be a whole number from 1 to 100, or "lossless".')
    if (people is None) != (known is None):
        missing = "known" if known is None else "people"
        raise ArgumentInvalid(f"`{missing}` is missing: hiding some people's faces needs both `people` and `known`.")
    found = find_images(images, image_col, image_dir)
    search, limits = Search(min_size, threshold), Limits(max_pixels, max_bytes)
    lossless = quality == "lossless"
    targets = find_targets(found.paths, out, searched(images, image_dir), overwrite, partial(_renamed, lossless))
    facts: dict[str, Any] = {}
    chosen = None
    if known is not None:
        facts["purpose"] = purpose_of(purpose)
        references = read_people(known, "person", None, image_dir, device, progress, limits, facts["purpose"])
        chosen = Chosen(people, references, match_threshold)
        facts["match_threshold"] = {"sure": chosen.sure, "possible": chosen.possible}
    engine = _BlurEngine(
        search,
        device,
        targets,
        dict(zip(found.paths, targets.names, strict=True)),
        method,
        float(margin),
        quality if isinstance(quality, int) else None,
        chosen,
    )
    names = [*chosen.known.names, UNKNOWN] if chosen else []
    person = [pa.field("person", factor_type(names))] if chosen else []
    schema = pa.schema(
        [*place_fields(), ("method", pa.string()), *person, ("copy", pa.string()), ("error", pa.string())]
    )
    copies = [None if name is None else shown(os.path.join(targets.folder, name)) for name in targets.names]

    def encode(batch: Batch) -> pa.RecordBatch:
        rows = FaceRows(batch)
        columns = rows.places()
        columns.append(pa.array([None if gone else method for gone in rows.missing], pa.string()))
        if chosen:
            codes = pa.array(np.nan_to_num(rows.values[:, 1 + WIDTH]), pa.int16(), mask=rows.missing)
            columns.append(pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string())))
        written = [None if batch.errors[i] else copies[batch.start + i] for i in rows.images.tolist()]
        return pa.RecordBatch.from_arrays([*columns, pa.array(written, pa.string()), rows.errors()], schema=schema)

    options = {"method": method, "margin": float(margin), "min_size": float(min_size), "threshold": float(threshold)}
    job = face_job("blur_faces", found, engine, schema, encode, options, facts)
    result = job.run("auto", progress, on_error, limits)
    return dataclasses.replace(result, notes=(*result.notes, *(chosen.notes if chosen else ())))


def _renamed(lossless: bool, name: str) -> str:
    """Return the name of a copy: a JPEG stays one, unless `lossless`; anything else becomes a PNG."""
    if _is_jpeg(name) and not lossless:
        return name
    return name if name.lower().endswith(".png") else f"{name}.png"


def _is_jpeg(name: str) -> bool:
    return name.lower().endswith(JPEG_SUFFIXES)


class _BlurEngine(FaceEngine):
    """Photographs in, copies written, and the boxes that were hidden out."""

    def __init__(
        self,
        search: Search,
        device: str,
        targets: Targets,
        where: dict[str | None, str | None],
        method: str,
        margin: float,
        quality: int | None,
        chosen: Chosen | None,
    ) -> None:
        super().__init__(search, device, "dlib_face" if chosen else None)
        self._targets, self._where = targets, where
        self._method, self._margin, self._quality = method, margin, quality
        self._chosen = chosen
        self.widths = [1 + WIDTH + 1]

    def __call__(self, paths: Sequence[str | None], limits: Limits, stop: Stop) -> Work:
        errors: list[str | None] = [None] * len(paths)
        found: list[Faces] = [np.empty((0, 1 + WIDTH + 1))]
        began = time.perf_counter()
        for i, path in enumerate(paths):
            if stop.is_set():
                break
            target = self._where.get(path)
            try:
                if path is None or target is None:
                    raise Unreadable("no path was given")
                with upright_image(read_file(path, limits.max_bytes), limits, srgb=True) as image:
                    faces = self._hide(image, stop)
                    if not stop.is_set():
                        kind = "JPEG" if _is_jpeg(target) else "PNG"
                        write_picture(self._targets, target, encode_picture([image], kind, self._quality)[0])
                found.append(np.concatenate([np.full((len(faces), 1), i), faces], axis=1))
            except Unreadable as problem:
                errors[i] = str(problem)
        return Work([np.concatenate(found).astype(np.float32)], errors, time.perf_counter() - began, len(paths))

    def _hide(self, image: Image.Image, stop: Stop) -> Faces:
        """Hide faces in place; return them with their hidden boxes, and the number of the person at the end."""
        search, choice = self._search, partial(self._choice, stop=stop)
        return hide_faces(
            image, self._detector, search.min_size, search.threshold, self._method, self._margin, choice, stop
        )

    def _choice(
        self, image: Image.Image, faces: Faces, views: Faces, stop: Stop
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Say which faces are hidden, and whose they are: those of which one view is to be hidden."""
        if self._chosen is None or self._runner is None or not len(faces):
            return np.ones(len(faces), bool), np.zeros(len(faces), np.int64)
        hidden, persons = self._chosen(self._run(self._runner, [cut_aligned(image, view) for view in views], stop))
        face = overlap(views[:, :4], faces[:, :4]).argmax(axis=1)
        of_face = [np.flatnonzero(face == i) for i in range(len(faces))]
        deciding = np.array([rows[hidden[rows].argmax()] for rows in of_face])  # the first that is to be hidden, or any
        return hidden[deciding], persons[deciding]
