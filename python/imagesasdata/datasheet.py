"""A data statement: what is known of labelled photographs as Markdown, with blanks for what only people know."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from . import datasheet_sections as sections
from .answers import as_frame
from .datasheet_files import File, read_files
from .datasheet_sections import Fact
from .duplicates import Pairs, near_pairs, thumbnail_model
from .errors import ArgumentInvalid, disk_problem
from .features import embed
from .labels import Labels, read_labels
from .markdown import BLANK, line
from .model import load_model
from .progress import Report, Stages
from .registry import DEFAULT_MODEL
from .tablefiles import TABLE_SUFFIXES
from .version import __version__


def data_statement(
    labels: Any,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    image_dir: str | os.PathLike[str] | None = None,
    coders: str | Sequence[str] | None = None,
    task: str = "auto",
    groups: str | None = None,
    title: str | None = None,
    duplicates: bool = True,
    dates: bool = False,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    cache: bool = True,
    progress: Report = True,
    overwrite: bool = False,
) -> str:
    """Write what is known of labelled photographs, and ask for what is not: a datasheet to complete and to publish.

    Parameters
    ----------
    labels, image_col, label_col, image_dir, coders, task, groups, device, cache, progress
        As in `fine_tune`.
    title : str, optional
        What the data are called.
    duplicates : bool
        Look for near-duplicates, as `find_duplicates` does.
    dates : bool
        Say in which years and days the photographs were taken, by their EXIF. Places are never told.
    out : path, optional
        A file to write the text to, such as ``"datasheet.md"``.
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    str
        Markdown. What the package cannot know is marked *To be filled in by the researcher.*

    Raises
    ------
    LabelsInvalid, ImageColumnMissing, ImagesNotFound, TableUnreadable, ArgumentInvalid

    Notes
    -----
    The sections and what they ask for are those of Gebru et al. (2021), Datasheets for Datasets, Communications of the
    ACM 64 (12), 86-92, in words for photographs; who coded, and how, is asked as by Bender and Friedman (2018), Data
    Statements for Natural Language Processing, TACL 6, 587-604.

    Filled in are: how many photographs, of which formats and sizes, and which cannot be read; the classes, attributes
    or scores and how they are spread; coders (without their names), answers and agreement; groups; the design by which
    photographs were drawn, where the table has the ``inclusion_prob`` of `sample_images`; copies; and how many files
    say when and where they were taken.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> text = iad.data_statement("labels.csv", image_dir="photos/", out="datasheet.md")  # doctest: +SKIP
    """
    path = _target(out, overwrite)
    read = read_labels(labels, image_col, label_col, image_dir, coders, task, groups)
    with Stages(progress) as stages:
        files = list(read_files(read, dates, stages))
        pairs = _pairs(read, device, cache, stages) if duplicates else None
    answers = {
        "Motivation": sections.motivation(),
        "Composition": [
            *sections.composition(read, files),
            *sections.copies(read, pairs),
            *sections.about_people(files),
        ],
        "Collection": sections.collection(_drawn(labels, image_col), files, dates, groups),
        "Labels": sections.coding(read),
        "Preparation": sections.preparation(),
        "Uses": sections.uses(read),
        "Distribution": sections.distribution(files),
        "Maintenance": sections.maintenance(),
    }
    text = _markdown(title, read, files, answers)
    if path is not None:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise ArgumentInvalid(f'`out` is "{path}", which cannot be written: {disk_problem(problem)}.') from problem
    return text


def _target(out: str | os.PathLike[str] | None, overwrite: bool) -> Path | None:
    if out is None:
        return None
    path = Path(out).expanduser()
    if path.exists() and not overwrite:
        raise ArgumentInvalid(f'There is a file "{path}" already. Give another name, or overwrite=True (--overwrite).')
    return path


def _markdown(title: str | None, labels: Labels, files: Sequence[File], answers: dict[str, list[Fact]]) -> str:
    digest = hashlib.sha256()
    for file, values in zip(files, labels.values, strict=True):
        digest.update(file.digest + values.tobytes())
    lines = [
        f"# Data statement: {line(title) if title else BLANK}",
        "",
        f"Facts by imagesasdata {__version__}; the other answers by the researcher. The questions follow Gebru et al. "
        "(2021), Datasheets for Datasets.",
        "",
        f"Fingerprint of the photographs and their labels: sha256 `{digest.hexdigest()}`",
    ]
    for name, facts in answers.items():
        lines += ["", f"## {name}", ""]
        for question, answer in facts:
            lines += [f"**{question}**", "", answer or BLANK, ""]
        lines.pop()
    return "\n".join(lines) + "\n"


def _pairs(labels: Labels, device: str, cache: bool, stages: Stages) -> Pairs:
    models = [load_model(DEFAULT_MODEL), thumbnail_model()]
    (features, thumbnails), _ = embed(labels.images, models, device, cache, stages.report)
    return near_pairs(features, thumbnails, report=stages.report)


def _drawn(labels: Any, image_col: str) -> pd.Series[Any] | None:
    """Return the inclusion probabilities in a table of labels, None where there are none."""
    is_path = isinstance(labels, str | os.PathLike)
    if isinstance(labels, Labels) or (is_path and Path(labels).suffix.lower() not in TABLE_SUFFIXES):
        return None
    frame = as_frame(labels, "labels")
    if "inclusion_prob" not in frame.columns:
        return None
    once = frame[~frame[image_col].duplicated()]  # each coder may have a row
    probs = pd.to_numeric(once["inclusion_prob"], errors="coerce").dropna()
    return probs if len(probs) and probs.gt(0).all() and probs.le(1).all() else None
