"""A data statement: what is known of labelled photographs as Markdown, with blanks for what only people know."""

from __future__ import annotations

import hashlib
import io
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from .agreement import TITLES, coder_agreement
from .answers import as_frame
from .decode import FORMATS, Unreadable, own_pixel_limit, read_file
from .devices import cpu_count
from .duplicates import Pairs, near_pairs, thumbnail_model
from .errors import ArgumentInvalid, LabelsInvalid, disk_problem, quoted
from .features import embed
from .labels import Labels, read_labels
from .markdown import BLANK, bullets, line, markdown_table
from .metadata import kinds_of
from .model import load_model
from .progress import Report, Stages
from .registry import DEFAULT_MODEL
from .strip import parts_of
from .tablefiles import TABLE_SUFFIXES
from .version import __version__

DAY = re.compile(r"((?:19|20)\d\d)[:-](\d\d)[:-](\d\d)")
Fact = tuple[str, str | None]  # a question, and what the package knows; None where only people know


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
        files = list(_files(read, dates, stages))
        pairs = _pairs(read, device, cache, stages) if duplicates else None
    sections = {
        "Motivation": _motivation(),
        "Composition": [*_composition(read, files), *_copies(read, pairs), *_about_people(files)],
        "Collection": _collection(_drawn(labels, image_col), files, dates, groups),
        "Labels": _labels(read),
        "Preparation": _preparation(),
        "Uses": _uses(read),
        "Distribution": _distribution(files),
        "Maintenance": _maintenance(),
    }
    text = _markdown(title, read, sections)
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


def _markdown(title: str | None, labels: Labels, sections: dict[str, list[Fact]]) -> str:
    digest = hashlib.sha256()
    for path, values in zip(labels.images.paths, labels.values, strict=True):
        try:
            digest.update(hashlib.sha256(read_file(str(path))).digest() + values.tobytes())
        except Unreadable:
            digest.update(values.tobytes())
    lines = [
        f"# Data statement: {line(title) if title else BLANK}",
        "",
        f"Facts by imagesasdata {__version__}; the other answers by the researcher. The questions follow Gebru et al. "
        "(2021), Datasheets for Datasets.",
        "",
        f"Fingerprint of the photographs and their labels: sha256 `{digest.hexdigest()}`",
    ]
    for name, facts in sections.items():
        lines += ["", f"## {name}", ""]
        for question, answer in facts:
            lines += [f"**{question}**", "", answer or BLANK, ""]
        lines.pop()
    return "\n".join(lines) + "\n"


# -- what is looked up -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    """What a photograph's file is: its format and size, what it says beside the pixels, and the day, if asked."""

    bytes: int
    format: str | None = None
    width: int = 0
    height: int = 0
    kinds: tuple[str, ...] = ()
    day: str | None = None


def _files(labels: Labels, dates: bool, stages: Stages) -> Iterator[_File]:
    paths = [str(path) for path in labels.images.paths]
    with ThreadPoolExecutor(cpu_count()) as pool:
        for done, file in enumerate(pool.map(lambda path: _file(path, dates), paths), 1):
            stages.report("reading files", done, len(paths))
            yield file


def _file(path: str, dates: bool) -> _File:
    try:
        content = read_file(path)
    except Unreadable:
        return _File(0)
    try:
        with own_pixel_limit(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            kinds = tuple(kinds_of(parts_of(content, image)))
            day = _day(image) if dates else None
            return _File(len(content), str(image.format), *image.size, kinds, day)
    except Exception:  # Pillow's readers raise nearly every kind of exception on broken files
        return _File(len(content))


def _day(image: Image.Image) -> str | None:
    """Return the day on which a photograph was taken, as ``YYYY-MM-DD``."""
    exif = image.getexif()
    for said in (exif.get_ifd(0x8769).get(0x9003), exif.get(0x0132)):
        found = DAY.match(str(said)) if said else None
        if found and "01" <= found[2] <= "12" and "01" <= found[3] <= "31":
            return "-".join(found.groups())
    return None


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


# -- sections ----------------------------------------------------------------------------------------------------------


def _motivation() -> list[Fact]:
    return [
        ("For which question were these photographs collected and coded, and what had been missing?", None),
        ("Who made the data, for which institution?", None),
        ("Who paid for it?", None),
    ]


def _composition(labels: Labels, files: Sequence[_File]) -> list[Fact]:
    readable = [file for file in files if file.format is not None]
    formats = Counter(str(file.format) for file in readable)
    count = f"{len(labels):,} labelled photographs that can be opened"
    if readable:
        sides = np.array([(file.width, file.height) for file in readable])
        low, middle, high = np.percentile(np.sqrt(sides.prod(axis=1)), [0, 50, 100])
        shown = ", ".join(f"{name} {n:,}" for name, n in formats.most_common())
        count += (
            f": {shown}; {sum(file.bytes for file in files) / 1e6:,.1f} MB. The square root of width times height is "
            f"{middle:,.0f} pixels in the median, {low:,.0f} to {high:,.0f}."
        )
    else:
        count += "."
    broken = len(files) - len(readable)
    return [
        ("What is one case?", "One photograph."),
        ("How many are there?", count + (f" {broken:,} are no image that can be decoded." if broken else "")),
        (f"What was coded? ({_TASKS[labels.task]})", _spread(labels)),
        ("Is anything missing? Of which photographs that should be here is there no file or no label, and why?", None),
        ("Are these all photographs of a larger set, or a sample of it? Whom and what does that set leave out?", None),
        ("Which photographs belong together (events, accounts, series)?", _together(labels)),
        ("What was noticed when they were read?", bullets(labels.notes) if labels.notes else "Nothing."),
    ]


_TASKS = {"single": "exclusive classes", "multi": "several attributes at once", "score": "numbers"}


def _spread(labels: Labels) -> str:
    if labels.task == "single":
        counts = np.bincount(labels.codes, minlength=len(labels.names))
        rows = [(name, f"{n:,}", f"{n / len(labels):.1%}") for name, n in zip(labels.names, counts, strict=True)]
        return markdown_table(("class", "photographs", "share"), rows)
    rows = []
    for name, column in zip(labels.names, labels.values.T, strict=True):
        known = column[~np.isnan(column)]
        if labels.task == "multi":
            rows.append((name, f"{int(known.sum()):,} of {len(known):,}", f"{known.mean():.1%}"))
        else:
            quartiles = " / ".join(f"{value:.3g}" for value in np.percentile(known, [0, 25, 50, 75, 100]))
            rows.append((name, f"{len(known):,}", quartiles))
    return markdown_table(
        ("name", "photographs", "share" if labels.task == "multi" else "minimum, quartiles, maximum"), rows
    )


def _together(labels: Labels) -> str:
    sizes = np.bincount(labels.groups)
    several = sizes[sizes > 1]
    if not len(several):
        return f"None, as far as the table says. {BLANK}"
    return (
        f"By the table and by files that are the same byte for byte: {len(several):,} group(s) of two or more, which "
        f"hold {int(several.sum()):,} photographs; the largest has {int(several.max()):,}."
    )


def _copies(labels: Labels, pairs: Pairs | None) -> list[Fact]:
    question = "Are there copies among them (resized, recompressed, cropped, marked, mirrored)?"
    if pairs is None:
        return [(question, None)]
    if not len(pairs):
        return [(question, "No pair of near-duplicates was found.")]
    among = len({*pairs.a.tolist(), *pairs.b.tolist()})
    text = f"{len(pairs):,} pair(s) of near-duplicates were found, among {among:,} photographs."
    if labels.task == "single":
        differ = int((labels.codes[pairs.a] != labels.codes[pairs.b]).sum())
        text += f" {differ:,} of the pairs have different labels."
    return [(question, text)]


def _about_people(files: Sequence[_File]) -> list[Fact]:
    told = Counter(kind for file in files for kind in file.kinds)
    place = f"{told['GPS']:,} files say where the photograph was taken (GPS), {told['EXIF']:,} have EXIF."
    if told["GPS"] or told["EXIF"] or told["XMP"] or told["IPTC"]:
        place += " `strip_metadata()` writes copies without."
    return [
        ("What do the files say beside the pixels?", place),
        ("Do the photographs show people? Can these be recognized? Are there children among them?", None),
        ("Do they show what is sensitive: beliefs, health, origin, violence, a crime, presence at a protest?", None),
        ("Can they offend, frighten or harm whoever looks at them?", None),
    ]


def _collection(drawn: pd.Series[Any] | None, files: Sequence[_File], dates: bool, groups: str | None) -> list[Fact]:
    design = None
    if drawn is not None:
        alike = drawn.nunique() == 1
        span = f"{drawn.iloc[0]:.4g}" if alike else f"between {drawn.min():.4g} and {drawn.max():.4g}"
        design = (
            f"Drawn at random with known probabilities, each photograph with {span} (column `inclusion_prob`). By "
            f"these, the {len(drawn):,} photographs stand for about {float((1 / drawn).sum()):,.0f}. Of which set: "
            + BLANK
        )
    days = sorted(file.day for file in files if file.day is not None)
    when = None
    if dates:
        when = f"{len(days):,} of {len(files):,} files say on which day the photograph was taken"
        when += f", from {days[0]} to {days[-1]}." if days else "."
        when += f" When they were collected: {BLANK}"
    return [
        ("Where do the photographs come from, and how were they collected (platform, interface, search terms)?", None),
        ("When were they taken, and when collected?", when),
        ("How were those to be coded chosen?", design),
        ("Which grouping is known?", None if groups is None else f"The column `{line(groups)}`."),
        (
            "Did the terms of service and the law allow it? Which review board decided, and with which number?",
            None,
        ),
        ("Did the people shown, and the photographers, know of it and agree? How can they withdraw?", None),
    ]


def _labels(labels: Labels) -> list[Fact]:
    if labels.answers is None:
        who = "One label a photograph is in the table, without a coder's name."
        agreed = None
    else:
        table = labels.answers
        answers = [f"{n:,}" for _, n in Counter(table["coder"].to_pylist()).most_common()]
        who = f"{len(answers):,} coder(s), with {quoted(answers, 20)} answers."
        agreed = _agreement(labels)
    return [
        ("Who coded?", who),
        (
            "Who are the coders: how chosen, trained and paid, what language, country, age and views do they bring?",
            None,
        ),
        ("By which instructions? (the codebook)", None),
        ("How far do they agree?", agreed),
        ("How did several answers become one label?", None if labels.answers is None else _RULES[labels.task]),
    ]


_RULES = {
    "single": "The majority; a tie goes to the first of the tied classes in the alphabet.",
    "multi": "The majority; a tie counts as not coded.",
    "score": "The mean of the coders.",
}


def _agreement(labels: Labels) -> str:
    try:
        with warnings.catch_warnings(action="ignore"):
            found = coder_agreement(labels)
    except LabelsInvalid as problem:
        return f"It is not known: {line(str(problem))}"
    rows = []
    for row in found.tables["metrics"].to_pylist():
        interval = "" if row["conf_low"] is None else f"{row['conf_low']:.3f} to {row['conf_high']:.3f}"
        estimate = "-" if row["estimate"] is None else f"{row['estimate']:.3f}"
        rows.append((row["name"], TITLES[row["metric"]], estimate, interval, f"{row['n']:,}"))
    table = markdown_table(("what", "coefficient", "estimate", "95 % interval", "photographs"), rows)
    return table + ("\n\n" + bullets(found.notes) if found.notes else "")


def _preparation() -> list[Fact]:
    return [
        ("What was done to the photographs (selected, cropped, blurred, resized, recompressed)?", None),
        ("Are the raw photographs kept? Where, and who may see them?", None),
    ]


def _uses(labels: Labels) -> list[Fact]:
    return [
        ("What have the data been used for?", None),
        ("What else could they be used for?", None),
        ("What should nobody use them for?", None),
        (
            "What should whoever uses them know of their limits?",
            f"A model that learns from them can hardly agree with the coders more than these with each other. {BLANK}"
            if labels.answers is not None
            else None,
        ),
    ]


def _distribution(files: Sequence[_File]) -> list[Fact]:
    return [
        ("Who may have them, how, from when on?", None),
        ("Under which licence or agreement? Who holds the rights in the photographs?", None),
        (
            "What is shared: photographs, or data derived from them (predictions, embeddings, links)?",
            f"{BLANK} Labels and predictions can be shared where photographs cannot. Embeddings are no secret: they "
            "tell much of a photograph, and those of faces identify people.",
        ),
    ]


def _maintenance() -> list[Fact]:
    return [
        ("Who answers questions, and where?", None),
        ("Whom does somebody ask who wants a photograph taken out? What happens then to copies and models?", None),
        ("Will the data be corrected, and how are users told? Until when are they kept?", None),
    ]
