"""Predictions beside the truth: the same photographs, in groups and in clusters."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .compared import Attributes, Classes, Compared, Scores
from .errors import ArgumentInvalid, quoted
from .evidence import Evidence, number_clusters, read_out_of_fold
from .labels import Labels
from .metrics import Flags
from .predicted import Predicted, read_predicted
from .truth import Truth, read_truth


@dataclass(frozen=True)
class Beside:
    """Predictions and truth of n photographs, in groups and in clusters.

    Attributes
    ----------
    compared : Compared
        Both, in numbers.
    predicted : Predicted
        The predictions as they were read.
    groups : dict of list
        For each column of groups its ``[n]`` values, None for none.
    evidence : Evidence
        Photographs and clusters, and whether models of several folds predicted them.
    ceiling : float or None
        How far coders agree.
    labels : Labels or None
        What the coders said.
    notes : list of str
        What the user should know.
    """

    compared: Compared
    predicted: Predicted
    groups: dict[str, list[str | None]]
    evidence: Evidence
    ceiling: float | None
    labels: Labels | None
    notes: list[str]


def read_beside(
    predictions: Any,
    truth: Any,
    by: str | Sequence[str] | None = None,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    cluster: str | None = None,
    coders: str | Sequence[str] | None = None,
) -> Beside:
    """Read predictions, truth, groups and clusters; arguments and errors as in `evaluate_predictions`."""
    predicted = read_predicted(predictions, image_col, label_col)
    known = read_truth(truth, predicted, image_col, label_col, coders)
    compared, unknown = _beside(predicted, known)
    columns = [] if by is None else [by] if isinstance(by, str) else [str(name) for name in by]
    groups = {name: known.column(predicted.frame, name, "by") for name in columns}
    evidence, about_folds = read_out_of_fold(predicted.frame, predicted.images)
    notes = [*predicted.notes, *known.notes, *unknown]
    if cluster is not None:
        clusters = number_clusters(known.column(predicted.frame, cluster, "cluster"))
        evidence = dataclasses.replace(evidence or Evidence(number_clusters(predicted.images)), clusters=clusters)
    elif evidence is not None:
        notes += about_folds
    else:
        evidence, copies = _by_photograph(predicted, compared.predicted() & compared.labelled())
        notes += copies
    return Beside(compared, predicted, groups, evidence, known.ceiling, known.labels, notes)


def _by_photograph(predicted: Predicted, used: Flags) -> tuple[Evidence, list[str]]:
    """Return the evidence where each photograph stands for itself, and a note if some occur in several rows."""
    numbers = number_clusters(predicted.images)
    more = int(used.sum()) - Evidence(numbers).count(used)
    if not more:
        return Evidence(numbers), []
    note = (
        f"{more:,} row(s) are about a photograph that occurs before; the rows of one photograph are resampled together."
    )
    return Evidence(numbers, numbers), [note]


def _beside(predicted: Predicted, truth: Truth) -> tuple[Compared, list[str]]:
    """Put predictions beside the truth; return also notes on classes that the model does not know."""
    if predicted.task != "single":
        place = [predicted.names.index(name) for name in truth.names]
        notes = []
        left = [name for name in predicted.names if name not in truth.names]
        if left:
            notes.append(f"There is no truth about {quoted(left)}, so nothing is said about them.")
        given, probs = predicted.values[:, place], predicted.probs
        if predicted.task == "score":
            return Scores(truth.names, truth.values, given), notes
        return Attributes(truth.names, truth.values, given, None if probs is None else probs[:, place]), notes
    known = set(predicted.names)
    counts: dict[str, int] = {}
    for label in truth.label:
        if label is not None and label not in known:
            counts[label] = counts.get(label, 0) + 1
    labelled = sum(label is not None for label in truth.label)
    shown = [f'"{name}" ({count:,})' for name, count in sorted(counts.items())]
    if labelled and sum(counts.values()) == labelled:
        raise ArgumentInvalid(
            f"No label of `truth` ({quoted(shown, 5)}) is a class of the predictions ({quoted(predicted.names)}). "
            "Are they spelled alike?"
        )
    notes = []
    if counts and predicted.complete:
        notes.append(
            f"{sum(counts.values()):,} photograph(s) have a true label that the model does not know, "
            f"{quoted(shown, 5)}; they count as errors."
        )
    alike = {_bare(name): name for name in predicted.names}
    pairs = [f'"{name}" and "{alike[_bare(name)]}"' for name in sorted(counts) if _bare(name) in alike]
    if pairs:
        notes.append(
            f"Labels of `truth` and of the predictions differ only by capitals or blanks, {quoted(pairs, 5)}, and "
            "count as errors; spell them alike."
        )
    names = (*predicted.names, *sorted(counts))
    codes = {name: code for code, name in enumerate(names)}
    return (
        Classes(
            names,
            len(names) if not predicted.complete else len(predicted.names),
            np.array([-1 if label is None else codes[label] for label in truth.label], np.int64),
            np.array([-1 if label is None else codes[label] for label in predicted.label], np.int64),
            predicted.probs,
            predicted.prob,
        ),
        notes,
    )


def _bare(label: str) -> str:
    """Return a label without what people overlook: capitals, and blanks around it and in it."""
    return "".join(label.split()).casefold()
