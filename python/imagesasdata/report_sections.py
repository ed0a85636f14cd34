"""The sections of a report, each from the findings to its part of the page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from . import report_page as html
from .cases import Case, cases
from .charts.contact_sheet import NONE, case_words, sheet_title
from .charts.figure import picture_bytes, sentence
from .charts.words import interval, metric_name, missing, number
from .errors import ImageFailed, ModelInvalid, quoted
from .findings import Findings
from .model import ImageModel
from .plots import plot_findings
from .saliency import ActivationMaps
from .tables import provenance_of
from .thumbnails import jpeg, thumbnail
from .version import __version__

ON_A_SHEET = 20
MAPPED = 4  # photographs with saliency maps
MOST_ROWS = 500
HEADINGS = {
    "confusion": ("Confusions", "Rows are hand labels, columns are what the model says. Shares are of a row."),
    "metrics": ("Metrics at a glance", "Whiskers are the intervals of the table above."),
    "groups": ("By group", "A model that is worse for one group than for another biases any comparison of the two."),
    "roc": ("ROC curves", "One curve a class, against all others, over all thresholds."),
    "pr": ("Precision and recall", "What is gained in recall is paid in precision; classes that are rare pay most."),
    "calibration": (
        "Calibration",
        "On the dotted line, labels with a probability of 0.8 are right in 8 of 10 cases. The bars show how often each "
        "probability occurs.",
    ),
    "learning_curve": ("More labels", "How good the model is, by how many labelled photographs it learned from."),
}


def key_figures(findings: Findings) -> list[tuple[str, str, str]]:
    """Return the figures that come first."""
    facts = findings.facts
    boxes = []
    if "curve" in findings.tables and findings.tables["curve"].num_rows:
        last = max(findings.tables["curve"].to_pylist(), key=lambda row: float(row["n"]))
        name = sentence(metric_name(str(last.get("metric") or facts.get("primary") or "estimate")))
        below = f"{interval(last['conf_low'], last['conf_high'])} with {number(last['n'])} labels"
        boxes.append((name, number(last["estimate"]), below.strip()))
    elif not missing(facts.get("estimate")):
        name = sentence(metric_name(str(facts.get("primary", "estimate"))))
        boxes.append((name, number(facts["estimate"]), interval(facts.get("conf_low"), facts.get("conf_high"))))
    for key, name, below in (
        ("baseline", "Most frequent class", "accuracy of always naming it"),
        ("ceiling", "Coders' agreement", "how well people agree"),
        ("gain_100", "100 more labels", "what they are expected to add"),
    ):
        if not missing(facts.get(key)):
            between = interval(facts.get(f"{key}_low"), facts.get(f"{key}_high"))
            boxes.append((name, number(facts[key]), f"{between} {below}".strip()))
    if not missing(facts.get("n")):
        failed = facts.get("n_failed")
        below = f"and {number(failed)} that could not be read" if failed else "photographs with a hand label"
        boxes.append(("Photographs", number(facts["n"]), below))
    return boxes


def picture(findings: Findings, what: str) -> Iterator[str]:
    """Yield a heading, a picture of `plot_findings`, and how to read it."""
    title, words = HEADINGS[what]
    yield html.heading(title)
    figure = plot_findings(findings, what)
    yield html.chart(picture_bytes(figure), f"{title}. {words}")
    yield html.paragraph(words, "soft")


def table(findings: Findings, name: str) -> str:
    """Return a table of the findings."""
    whole = findings.tables[name]
    names = whole.column_names
    rows = [list(row.values()) for row in whole.slice(0, MOST_ROWS).to_pylist()]
    if "metric" in names:
        place = names.index("metric")
        for row in rows:
            row[place] = metric_name(str(row[place]))
    if "class" in names:
        place = names.index("class")
        for row in rows:
            row[place] = "all" if row[place] is None else row[place]
    more = whole.num_rows - len(rows)
    shown = html.data_table([column.replace("_", " ") for column in names], rows)
    return shown + (html.paragraph(f"And {more:,} more rows.", "soft") if more > 0 else "")


def contact_sheet(findings: Findings, which: str, image_dir: str | os.PathLike[str] | None) -> Iterator[str]:
    """Yield the photographs of the most confident errors, or those with the least certain labels."""
    found = cases(findings, which, ON_A_SHEET)
    yield html.heading(sheet_title(findings, which))
    if not found:
        yield html.paragraph(NONE[which])
        return
    yield html.paragraph(
        "Look for what they have in common: hand labels that are wrong, a class that is not clear, or something in the "
        "photographs that the model takes for the class."
        if which == "errors"
        else "As a rule, labels for more photographs like these teach the model most.",
        "soft",
    )
    yield html.grid([_tile(case, image_dir) for case in found])


def _tile(case: Case, image_dir: str | os.PathLike[str] | None) -> str:
    pixels, problem = thumbnail(case.image, image_dir, 240)
    truth, label = case_words(case)
    captions = [(truth, ""), (label, "wrong" if case.right is False else ""), (_file_name(case), "soft")]
    if pixels is None:
        return html.photograph(None, problem or "", captions, case.image)
    return html.photograph(jpeg(pixels), f"{truth}, {label}", captions, case.image)


def _file_name(case: Case) -> str:
    return os.path.basename(case.image) or case.image


def activation_maps(findings: Findings, model: ImageModel, image_dir: str | os.PathLike[str] | None) -> Iterator[str]:
    """Show for some errors where the model saw what it said, and where it saw what people said."""
    found = cases(findings, "errors", ON_A_SHEET)
    try:
        maps = ActivationMaps(model)
    except ModelInvalid as problem:
        yield html.heading("Where the model looked")
        yield html.paragraph(str(problem))
        return
    rows: list[str] = []
    for case in found:
        if len(rows) < MAPPED and (figures := list(_maps_of(case, maps, image_dir))):
            rows.append(html.grid(figures, "pairs"))
    if rows:
        yield html.heading("Where the model looked")
        seen = (
            " The model itself has learned from these photographs, and may say of them what it did not say when they "
            "were new to it."
        )
        yield html.paragraph(
            "Class activation maps of the most confident errors: the brighter a place, the more it adds to the class. "
            "Shown is what the model sees of a photograph." + (seen if findings.kind == "cross_validation" else ""),
            "soft",
        )
        yield from rows


def _maps_of(case: Case, maps: ActivationMaps, image_dir: str | os.PathLike[str] | None) -> Iterator[str]:
    wanted = [case.about] if case.about is not None else [case.label, case.truth]
    image = case.image if image_dir is None else os.path.join(os.fspath(image_dir), case.image)
    for i, name in enumerate(name for name in wanted if name in maps.card.classes):
        try:
            found = maps(image, name)
        except (ImageFailed, ModelInvalid):
            return
        if i == 0:
            truth, label = case_words(case)
            captions = [(truth, ""), (label, "wrong"), (_file_name(case), "soft")]
            yield html.photograph(jpeg(found.pixels), "what the model sees", captions, case.image)
        said = f"{found.class_name} ({_two(found.value)})" + ("" if found.heat.any() else ": nowhere")
        yield html.photograph(jpeg(found.overlay()), f"where it sees {found.class_name}", [(said, "")], case.image)


def _two(value: float) -> str:
    return "below 0.01" if 0 < value < 0.005 else f"{value:.2f}"


def provenance(findings: Findings, model: ImageModel | None) -> list[tuple[str, str]]:
    """Return facts, what made the tables, and the model's card."""
    rows = [(key.replace("_", " "), _words(value)) for key, value in findings.facts.items() if not missing(value)]
    made: dict[str, Any] = {}
    for one in findings.tables.values():
        made |= provenance_of(one)
    rows += [(f"made by: {key}".replace("_", " "), _words(value)) for key, value in made.items()]
    if model is not None:
        card = model.card
        rows += [("model", model.name), ("model: sha256", model.sha256), ("model: licence", card.licence)]
        for what, values in (("backbone", card.backbone), ("provenance", card.provenance)):
            rows += [(f"model: {what}: {key}", _words(value)) for key, value in values.items() if not missing(value)]
    return [*rows, ("imagesasdata", __version__)]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return quoted(map(_words, value), 25)
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict) else str(value)
