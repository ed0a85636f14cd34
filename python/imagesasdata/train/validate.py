"""Cross-validation: predictions for photographs that the model has not seen, and what they say of its quality."""

from __future__ import annotations

import dataclasses
import functools
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import f1_score

from ..agreement import ceiling
from ..calibration import fit_temperature
from ..ceilings import ceilings
from ..classify import probabilities
from ..evaluate import quality, with_ceilings
from ..evidence import FOLD, GROUP, REPEAT, across_folds
from ..findings import Findings, FindingsVerb
from ..labels import Labels, read_labels
from ..model import ImageModel
from ..progress import Report, Stages
from ..registry import DEFAULT_MODEL
from ..version import __version__
from .folds import make_folds
from .head import Head
from .method import ACTIVATIONS, Fitted, Logits, Method, Rows, Told
from .plan import Plan, plan_of
from .prepare import ClassWeights, Prepared, prepare
from .recorded import versions

PARTS = 100  # of a fold, in which progress is counted


@FindingsVerb
def cross_validate(
    labels: Any,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    image_dir: str | os.PathLike[str] | None = None,
    coders: str | Sequence[str] | None = None,
    task: str = "auto",
    backbone: str | os.PathLike[str] | ImageModel = DEFAULT_MODEL,
    method: str = "head",
    groups: str | None = None,
    class_weights: ClassWeights = None,
    folds: int = 5,
    repeats: int = 1,
    epochs: int | None = None,
    conf_level: float = 0.95,
    seed: int = 1,
    device: str = "auto",
    cache: bool = True,
    progress: Report = True,
) -> Findings:
    """Measure how well a model fine-tuned on these labels does on photographs that it has not seen.

    The labelled photographs are cut into folds. Each fold is predicted by a model that was fitted on the others.
    Near-duplicates (see `find_duplicates`) and photographs of one group are never apart, strengths of regularisation
    are chosen within the training folds, and the probabilities of a fold are calibrated by the other folds: nothing of
    a photograph is known to the model that predicts it. The folds' models share photographs, so intervals are wider
    than for as many photographs that one model predicts: 1.5 times with five folds (Nadeau and Bengio 2003).

    Parameters
    ----------
    labels, image_col, label_col, image_dir, coders, task, backbone, groups, class_weights, device, cache, progress
        As in `fine_tune`.
    method : {"head", "tail", "full"}
        What is trained: the last layer, the last part, or all of the network; the last two need PyTorch.
    folds : int
        How many; 2 or more.
    repeats : int
        Cut into folds so often, each time anew. Every photograph then has as many predictions.
    epochs : int, optional
        For ``"tail"`` and ``"full"``: how often to go through the photographs; by default what suits the method.
    conf_level : float
        Level of the intervals, 0 to 1.
    seed : int
        The same seed gives the same folds and the same numbers.

    Returns
    -------
    Findings
        ``metrics``, ``confusion``, ``roc``, ``pr`` and ``calibration`` as in `evaluate_predictions`; ``predictions``:
        out of fold, one row a photograph and repeat, with ``truth``, ``fold``, ``repeat`` and ``group`` (photographs
        with one number were never apart), by which `evaluate_predictions` knows how wide intervals are; ``folds``;
        ``duplicates``; with coders ``ceilings``, as in `evaluate_predictions`. The facts hold the primary metric
        (``estimate``, ``conf_low``, ``conf_high``), ``baseline``, ``ceiling``, ``ceiling_r2``, ``temperature`` and
        ``n_duplicate_pairs``.

    Raises
    ------
    LabelsInvalid, ModelInvalid, DependencyMissing, ArgumentInvalid

    Examples
    --------
    >>> import imagesasdata as iad
    >>> found = iad.cross_validate("labels.csv", image_dir="photos/")  # doctest: +SKIP
    >>> found.metrics  # doctest: +SKIP
    """
    plan = plan_of(method, epochs=epochs, folds=folds, repeats=repeats, conf_level=conf_level, seed=seed)
    given = read_labels(labels, image_col, label_col, image_dir, coders, task, groups)
    plan.check(given)
    with Stages(progress) as stages, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        ready = prepare(given, backbone, class_weights, Path(work), device, cache, stages.report)
        way = make_method(method, ready, plan.epochs)
        return validate(ready, way, method, plan, stages.report)


def make_method(method: str, ready: Prepared, epochs: int | None) -> Method:
    """Return a way of training by its name."""
    if method == "head":
        return Head(ready.material, ready.features)
    from .deep import Deep

    return Deep(ready.material, mode=method, epochs=epochs, features=ready.features)


def validate(ready: Prepared, way: Method, method: str, plan: Plan, report: Any) -> Findings:
    """Cross-validate a way of training and say how good it is."""
    began = time.perf_counter()
    labels = ready.material.labels
    folds, repeats, seed, conf_level = plan.folds, plan.repeats, plan.seed, plan.conf_level

    def tell(repeat: int, text: str, done: int, total: int) -> None:
        report(text, repeat * total + done, repeats * total)

    out = [out_of_fold(way, labels, folds, seed + i, functools.partial(tell, i), method) for i in range(repeats)]
    names = list(labels.images.names) * repeats
    values = np.concatenate([labels.values] * repeats)
    outputs = np.concatenate([one.outputs for one in out])
    found = quality(
        labels.task,
        labels.names,
        values,
        outputs,
        names,
        evidence=across_folds(names, np.concatenate([labels.groups] * repeats), folds),
        conf_level=conf_level,
        seed=seed,
        ceiling=ceiling(labels),
    )
    found = with_ceilings(found, ceilings(labels, conf_level, seed=seed))
    return _as_cross_validation(found, ready, out, method, plan, time.perf_counter() - began)


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for each photograph by a model that has not seen it.

    Attributes
    ----------
    fold : numpy.ndarray
        ``[n]``, from 1.
    outputs : numpy.ndarray
        ``[n, k]`` calibrated probabilities, or scores.
    temperature : float
        Of all folds together, for the model that is fitted on all photographs.
    """

    fold: npt.NDArray[np.int32]
    outputs: npt.NDArray[np.float64]
    temperature: float


def out_of_fold(way: Method, labels: Labels, folds: int, seed: int, report: Any, text: str) -> OutOfFold:
    """Predict each fold by a model fitted on the others."""
    n, k = labels.values.shape
    logits: Logits = np.full((n, k), np.nan)
    targets = labels.targets.copy()
    fold = np.zeros(n, np.int32)

    def tell(folds_done: int, done: int, total: int) -> None:
        report(f"cross-validation ({text})", PARTS * folds_done + PARTS * done // total, PARTS * folds)

    way.prepare()
    tell(0, 0, 1)
    for number, (train, test) in enumerate(make_folds(labels, folds, seed), 1):
        logits[test] = fit_whole(way, train, seed + number, functools.partial(tell, number - 1)).logits(test)
        targets[test] = taught(labels, train, test)
        fold[test] = number
        tell(number, 0, 1)
    outputs = np.empty_like(logits)
    for number in range(1, folds + 1):
        inside = fold == number
        t = fit_temperature(logits[~inside], targets[~inside], labels.task)
        outputs[inside] = activated(logits[inside] / t, labels.task)
    return OutOfFold(fold, outputs, fit_temperature(logits, targets, labels.task))


def taught(labels: Labels, train: Rows, test: Rows) -> npt.NDArray[np.float64]:
    """Return the targets of the tested rows, NaN where the training rows could not teach what they say.

    A class that no training row has gets no probability, however sure the model is of what it knows. Such rows say
    nothing of how sure it should be.
    """
    known, asked = labels.targets[train], labels.targets[test].copy()
    if labels.task == "single":
        new = ~(known > 0).any(axis=0)
        asked[(asked[:, new] > 0).any(axis=1)] = np.nan
    elif labels.task == "multi":
        asked[:, ~((known > 0).any(axis=0) & (known < 1).any(axis=0))] = np.nan
    return asked


def fit_whole(way: Method, rows: Rows, seed: int, report: Told | None = None) -> Fitted:
    """Fit, and pass an interrupt on: a network that was not trained to its end says little of one that is."""
    fitted = way.fit(rows, seed, report)
    if fitted.settings.get("interrupted"):
        raise KeyboardInterrupt
    return fitted


def activated(logits: Logits, task: str) -> npt.NDArray[np.float64]:
    """Return probabilities, or scores, for a network's output."""
    return probabilities(logits, ACTIVATIONS[task])


def _as_cross_validation(
    found: Findings, ready: Prepared, out: Sequence[OutOfFold], method: str, plan: Plan, seconds: float
) -> Findings:
    labels, folds, seed = ready.material.labels, plan.folds, plan.seed
    n, repeats = len(labels.values), len(out)
    tables = dict(found.tables)
    added = {
        FOLD: np.concatenate([one.fold for one in out]),
        REPEAT: np.repeat(np.arange(1, repeats + 1), n),
        GROUP: np.tile(np.unique(labels.groups, return_inverse=True)[1] + 1, repeats),
    }
    for name, numbers in added.items():
        tables["predictions"] = tables["predictions"].append_column(name, pa.array(numbers, pa.int32()))
    tables["folds"] = pa.Table.from_pylist(
        [
            {
                "repeat": r,
                "fold": f,
                "n_train": int((one.fold != f).sum()),
                "n_test": int((one.fold == f).sum()),
                "estimate": primary(labels, np.flatnonzero(one.fold == f), one.outputs),
            }
            for r, one in enumerate(out, 1)
            for f in range(1, folds + 1)
        ]
    )
    tables["duplicates"] = ready.duplicates
    facts = {
        **found.facts,
        "n_failed": len(ready.failed),
        "method": method,
        "epochs": None if method == "head" else plan.epochs,
        "class_weights": ready.class_weights,
        "backbone": ready.material.backbone.name,
        "backbone_sha256": ready.material.backbone.sha256,
        "data_fingerprint": ready.fingerprint,
        "package_version": __version__,
        "versions": versions(method, ready.material.backbone),
        "folds": folds,
        "repeats": repeats,
        "seed": seed,
        "temperature": float(np.mean([one.temperature for one in out])),
        "n_duplicate_pairs": ready.duplicates.num_rows,
        "seconds": round(seconds, 2),
    }
    head = (
        f"Cross-validation in {folds} folds"
        + (f", {repeats} times" if repeats > 1 else "")
        + f": {method} of {ready.material.backbone.name}, {n:,} photographs"
    )
    lines = (
        head,
        *found.lines[1:],
        f"near-duplicates kept together: {ready.duplicates.num_rows:,} pair(s)",
    )
    notes = tuple(dict.fromkeys([*ready.notes, *found.notes]))
    return dataclasses.replace(found, kind="cross_validation", facts=facts, tables=tables, lines=lines, notes=notes)


def primary(labels: Labels, rows: Rows, outputs: npt.NDArray[np.float64]) -> float | None:
    """Return accuracy on some rows; for attributes the mean F1, for scores the mean R2; None where undefined."""
    truth, given = labels.values[rows], outputs[rows]
    if labels.task == "single":
        return float((truth.argmax(axis=1) == given.argmax(axis=1)).mean())
    known = ~np.isnan(truth)
    shares = []
    for k in range(truth.shape[1]):
        y, p = truth[known[:, k], k], given[known[:, k], k]
        if labels.task == "multi":
            if y.any() or (p >= 0.5).any():
                shares.append(f1_score(y >= 0.5, p >= 0.5))
            continue
        total = ((y - y.mean()) ** 2).sum() if len(y) else 0.0
        if total > 0:
            shares.append(1 - ((y - p) ** 2).sum() / total)
    return float(np.mean(shares)) if shares else None
