"""From hand labels to what training starts from: readable photographs, their embeddings, copies kept together."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..answers import class_text, listed
from ..duplicates import near_pairs, pairs_table, thumbnail_model
from ..errors import ArgumentInvalid, LabelsInvalid, ModelInvalid, quoted
from ..features import Report, embed
from ..images import ImageList
from ..labels import Labels
from ..model import ImageModel, load_model
from ..registry import DEFAULT_MODEL
from ..runtime import Values
from .method import Material, Rows
from .recorded import fingerprint

ClassWeights = str | Mapping[Any, float] | None


@dataclass(frozen=True)
class Prepared:
    """What training and cross-validation start from.

    Attributes
    ----------
    material : Material
        For the ways of training.
    features : numpy.ndarray
        Embeddings ``[n, d]`` of its photographs by the backbone.
    duplicates : pyarrow.Table
        Pairs of near-duplicates, as `find_duplicates` returns them.
    failed : dict of str
        Photographs that could not be read, and why; they are not in the material.
    notes : tuple of str
        What the user should know.
    class_weights : dict of float, "balanced" or None
        As they were given, by the names of the classes.
    fingerprint : str
        Of the labels and their photographs.
    """

    material: Material
    features: Values
    duplicates: pa.Table
    failed: dict[str, str]
    notes: tuple[str, ...]
    class_weights: dict[str, float] | str | None
    fingerprint: str


def prepare(
    labels: Labels,
    backbone: str | os.PathLike[str] | ImageModel,
    class_weights: ClassWeights,
    work: Path,
    device: str,
    cache: bool,
    report: Report,
) -> Prepared:
    """Embed the photographs, leave out those that cannot be read, and find the near-duplicates.

    Raises
    ------
    LabelsInvalid
        Too few photographs are left.
    ModelInvalid
        The backbone names no embedding.
    """
    class_weights = named_weights(labels, class_weights)  # what makes no sense is said before any work
    model = find_backbone(backbone)
    models = [model, thumbnail_model()]
    looks = load_model(DEFAULT_MODEL)  # by whose embeddings near-duplicates are known
    same = looks.sha256 == model.sha256
    found, errors = embed(labels.images, models if same else [*models, looks], device, cache, report)
    names = [name or "" for name in labels.images.names]
    failed = {name: error for name, error in zip(names, errors, strict=True) if error is not None}
    kept = np.flatnonzero([error is None for error in errors])
    notes = list(labels.notes)
    if failed:
        examples = quoted([f"{name} ({error})" for name, error in failed.items()], 3)
        notes.append(f"{len(failed):,} photograph(s) cannot be read and are left out: {examples}.")
    labels = rows_of(labels, kept)
    _check(labels)
    features, thumbnails, seen = found[0][kept], found[1][kept], found[0 if same else 2][kept]
    pairs = near_pairs(seen, thumbnails, report=report)
    differing = _differing(labels, pairs.a, pairs.b)
    if len(pairs):
        notes.append(
            f"{len(pairs):,} pair(s) of near-duplicates were found; the two of a pair are never apart in "
            "cross-validation."
        )
    if len(differing):
        i = differing[0]
        first = f'"{labels.images.names[pairs.a[i]]}" and "{labels.images.names[pairs.b[i]]}"'
        notes.append(f"{len(differing):,} of these pairs have different labels, such as {first}. Look at them.")
    labels = dataclasses.replace(labels, groups=pairs.join(labels.groups))
    alone = in_one_group(labels)
    if alone:
        notes.append(
            f"The class(es) {listed(alone)} are in one group only: they cannot be tested, since no model that is "
            "tested on this group has seen them. Their recall says nothing, and figures of the whole are too low. "
            "Collect them from more groups (events, accounts; near-duplicates are one group), or leave them out."
        )
    labels = dataclasses.replace(labels, notes=tuple(notes))
    material = Material(labels, model, weights_of(labels, class_weights), work, device, cache, report)
    found_pairs = pairs_table(pairs, labels.images.names)
    return Prepared(material, features, found_pairs, failed, tuple(notes), class_weights, fingerprint(labels))


def find_backbone(backbone: str | os.PathLike[str] | ImageModel) -> ImageModel:
    """Return a model by its name or file; ``"timm/<name>"`` is a network of timm, exported once."""
    if isinstance(backbone, str) and backbone.startswith("timm/"):
        from .timm_backbone import exported

        model = exported(backbone.removeprefix("timm/"))
    else:
        model = load_model(backbone)
    if not model.card.tensors.get("embedding"):
        raise ModelInvalid(f'The model "{model.name}" names no embedding, so it cannot be a backbone.')
    return model


def rows_of(labels: Labels, rows: Rows) -> Labels:
    """Return some rows of labels."""
    images = ImageList([labels.images.names[i] for i in rows], [labels.images.paths[i] for i in rows])
    answers = labels.answers
    if answers is not None:
        place = np.full(len(labels.values), -1)
        place[rows] = np.arange(len(rows))
        new = place[answers["row"].to_numpy()]
        answers = answers.set_column(answers.column_names.index("row"), "row", pa.array(new)).filter(pa.array(new >= 0))
    return dataclasses.replace(
        labels,
        images=images,
        values=labels.values[rows],
        groups=labels.groups[rows],
        answers=answers,
        shares=None if labels.shares is None else labels.shares[rows],
    )


def weights_of(labels: Labels, class_weights: ClassWeights) -> npt.NDArray[np.float64]:
    """Return the weights as `Material` has them; see `named_weights` for what may be given."""
    class_weights = named_weights(labels, class_weights)
    k = len(labels.names)
    if labels.task == "score":
        return np.ones(k)
    if labels.task == "single":
        counts = labels.targets.sum(axis=0)
    else:
        counts = np.stack([np.nansum(1 - labels.targets, axis=0), np.nansum(labels.targets, axis=0)], axis=1)
    if class_weights is None:
        return np.ones(counts.shape)
    if isinstance(class_weights, dict):
        given = np.array([class_weights.get(name, 1.0) for name in labels.names], float)
        return given if labels.task == "single" else np.stack([np.ones(k), given], axis=1)
    total = counts.sum(axis=-1, keepdims=True)
    return np.asarray(total / (counts.shape[-1] * np.maximum(counts, 1)))


def named_weights(labels: Labels, class_weights: ClassWeights) -> dict[str, float] | str | None:
    """Return class weights as they were given, checked, with the names of the classes as keys.

    Raises
    ------
    ArgumentInvalid
        They are neither None, ``"balanced"`` nor a number above 0 for each class; or the labels are scores.
    """
    if class_weights is None:
        return None
    if labels.task == "score":
        raise ArgumentInvalid("`class_weights` is for classes; scores have none.")
    if not isinstance(class_weights, Mapping):
        if class_weights != "balanced":
            raise ArgumentInvalid(
                f'`class_weights` is {class_weights!r}; it must be "balanced", a number for each class, or nothing.'
            )
        return "balanced"
    logical = set(labels.names) <= {"false", "true"}  # which R calls TRUE and FALSE
    named = {class_text(key).lower() if logical else class_text(key): weight for key, weight in class_weights.items()}
    numbers = [isinstance(w, Real) and 0 < w < np.inf for w in named.values()]
    if len(named) < len(class_weights) or not set(named) <= set(labels.names) or not all(numbers):
        raise ArgumentInvalid(
            f"`class_weights` is {dict(class_weights)!r}; give numbers above 0 for classes of: {quoted(labels.names)}."
        )
    return {name: float(weight) for name, weight in named.items()}


def in_one_group(labels: Labels) -> list[str]:
    """Return the classes, or answers about an attribute, all of whose photographs are in one group."""
    targets = labels.targets
    if labels.task == "single":
        having = {name: targets[:, k] > 0 for k, name in enumerate(labels.names)}
    elif labels.task == "multi":
        having = {f"{name} = 0": targets[:, k] < 1 for k, name in enumerate(labels.names)}
        having |= {f"{name} = 1": targets[:, k] > 0 for k, name in enumerate(labels.names)}
    else:
        return []
    return [name for name, rows in having.items() if len(np.unique(labels.groups[rows])) == 1]


def _check(labels: Labels) -> None:
    if labels.task == "single":
        counts = np.bincount(labels.codes, minlength=len(labels.names))
        few = [name for name, count in zip(labels.names, counts, strict=True) if count < 2]
        if few:
            raise LabelsInvalid(f"The class(es) {quoted(few)} have fewer than 2 photographs that can be read.")
    elif len(labels.values) < 4:
        raise LabelsInvalid(f"Only {len(labels.values)} photograph(s) can be read; that is too few to learn from.")


def _differing(labels: Labels, a: Rows, b: Rows) -> Rows:
    """Return the numbers of the pairs whose two photographs were labelled differently."""
    if labels.task == "single":
        return np.flatnonzero(labels.codes[a] != labels.codes[b])
    gap = np.abs(labels.values[a] - labels.values[b])
    if labels.task == "score":  # by more than a standard deviation: people who rate a copy seldom say quite the same
        return np.flatnonzero((gap > np.nanstd(labels.values, axis=0)).any(axis=1))
    return np.flatnonzero((gap == 1).any(axis=1))
