"""The sections of a data statement: questions, and what the package knows."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .agreement import TITLES, coder_agreement
from .datasheet_files import File
from .duplicates import Pairs
from .errors import LabelsInvalid, quoted
from .labels import Labels
from .markdown import BLANK, bullets, line, markdown_table

Fact = tuple[str, str | None]  # a question, and what the package knows; None where only people know


def motivation() -> list[Fact]:
    return [
        ("For which question were these photographs collected and coded, and what had been missing?", None),
        ("Who made the data, for which institution?", None),
        ("Who paid for it?", None),
    ]


def composition(labels: Labels, files: Sequence[File]) -> list[Fact]:
    readable = [file for file in files if file.format is not None]
    formats = Counter(str(file.format) for file in readable)
    count = f"{len(labels):,} labelled photographs that can be opened"
    if readable:
        sides = np.array([(file.width, file.height) for file in readable])
        low, middle, high = np.percentile(np.sqrt(sides.prod(axis=1)), [0, 50, 100])
        shown = ", ".join(f"{name} {n:,}" for name, n in formats.most_common())
        count += (
            f": {shown}; {sum(file.size for file in files) / 1e6:,.1f} MB. The square root of width times height is "
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


def copies(labels: Labels, pairs: Pairs | None) -> list[Fact]:
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


def about_people(files: Sequence[File]) -> list[Fact]:
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


def collection(drawn: pd.Series[Any] | None, files: Sequence[File], dates: bool, groups: str | None) -> list[Fact]:
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


def coding(labels: Labels) -> list[Fact]:
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


def preparation() -> list[Fact]:
    return [
        ("What was done to the photographs (selected, cropped, blurred, resized, recompressed)?", None),
        ("Are the raw photographs kept? Where, and who may see them?", None),
    ]


def uses(labels: Labels) -> list[Fact]:
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


def distribution(files: Sequence[File]) -> list[Fact]:
    return [
        ("Who may have them, how, from when on?", None),
        ("Under which licence or agreement? Who holds the rights in the photographs?", None),
        (
            "What is shared: photographs, or data derived from them (predictions, embeddings, links)?",
            f"{BLANK} Labels and predictions can be shared where photographs cannot. Embeddings are no secret: they "
            "tell much of a photograph, and those of faces identify people.",
        ),
    ]


def maintenance() -> list[Fact]:
    return [
        ("Who answers questions, and where?", None),
        ("Whom does somebody ask who wants a photograph taken out? What happens then to copies and models?", None),
        ("Will the data be corrected, and how are users told? Until when are they kept?", None),
    ]
