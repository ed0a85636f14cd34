"""The learning curve: how quality grows with the number of labels, and what 100 more would bring."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import OptimizeWarning, curve_fit

from ..errors import ArgumentInvalid, choose
from ..findings import Findings, FindingsVerb
from ..labels import Labels, read_labels
from ..model import ImageModel
from ..progress import Report, Stages
from ..registry import DEFAULT_MODEL
from .folds import make_folds
from .method import Method, Rows
from .plan import METHODS
from .prepare import ClassWeights, prepare
from .validate import activated, fit_whole, make_method

FOLDS = 5
STEPS = 6
REPLICATES = 1000
LEAST_SIZES = 4
Credits = npt.NDArray[np.float64]


@FindingsVerb
def learning_curve(
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
    sizes: Sequence[int] | None = None,
    repeats: int = 5,
    conf_level: float = 0.95,
    seed: int = 1,
    device: str = "auto",
    cache: bool = True,
    progress: Report = True,
) -> Findings:
    """Measure how quality grows with the number of labels, to decide whether coding more is worth while.

    For each of several sizes, models are fitted on random subsets of that size of the training folds and tested on the
    fold left out. A curve ``a - b * n ** -c`` through the estimates says what 100 more labels would bring.

    Parameters
    ----------
    labels, image_col, label_col, image_dir, coders, task, backbone, method, groups, class_weights, conf_level, seed,
    device, cache, progress
        As in `cross_validate`.
    sizes : list of int, optional
        Numbers of labels; by default six, from a few a class to all that training folds have.
    repeats : int
        Subsets for each size and fold.

    Returns
    -------
    Findings
        ``curve``: ``n`` (labels to train on), ``metric`` (``"accuracy"``; for scores ``"r2"``), ``estimate``,
        ``conf_low``, ``conf_high`` (bootstrap over photographs). Facts: ``n`` (labels there are), ``gain_100`` (how
        much the curve promises for 100 more labels than there are; missing where no curve fits) and ``curve_a``,
        ``curve_b``, ``curve_c``. The promise reaches beyond what was measured: take it as a hint.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> curve = iad.learning_curve("labels.csv", image_dir="photos/")  # doctest: +SKIP
    >>> curve.plot()  # doctest: +SKIP
    """
    choose("method", method, METHODS)
    given = read_labels(labels, image_col, label_col, image_dir, coders, task, groups)
    with Stages(progress) as stages, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        ready = prepare(given, backbone, class_weights, Path(work), device, cache, stages.report)
        way = make_method(method, ready, None)
        known = ready.material.labels
        steps = _sizes(known, sizes)
        credits = measure(way, known, steps, repeats, seed, stages.report)
    metric = "r2" if known.task == "score" else "accuracy"
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(known.values), np.full(len(known.values), 1 / len(known.values)), REPLICATES)
    tail = 100 * (1 - conf_level) / 2
    rows = []
    for size, credit in zip(steps, credits, strict=True):
        replicates = np.array([summary(known, credit, weights) for weights in draws])
        low, high = np.nanpercentile(replicates, [tail, 100 - tail])
        estimate = summary(known, credit, np.ones(len(known.values)))
        rows.append({"n": size, "metric": metric, "estimate": estimate, "conf_low": low, "conf_high": high})
    table = pd.DataFrame(rows)
    curve = fit_curve(table["n"].to_numpy(float), table["estimate"].to_numpy())
    n = len(known.values)
    gain = None if curve is None else float(_power(n + 100, *curve) - _power(n, *curve))
    facts = {
        "task": known.task,
        "classes": list(known.names),
        "n": n,
        "method": method,
        "backbone": ready.material.backbone.name,
        "conf_level": conf_level,
        "gain_100": gain,
        **{f"curve_{k}": None if curve is None else float(v) for k, v in zip("abc", curve or [0] * 3, strict=True)},
    }
    found = Findings.of("learning_curve", facts, {"curve": table, "metrics": table})
    lines = [f"Learning curve: {method} of {facts['backbone']}, {n:,} labelled photographs", f"  labels  {metric}"]
    lines += [f"  {r['n']:6,}  {r['estimate']:.3f}  [{r['conf_low']:.3f}, {r['conf_high']:.3f}]" for r in rows]
    lines.append(
        (
            "No curve fits these estimates."
            if len(steps) >= LEAST_SIZES
            else "Four sizes or more are needed for a curve."
        )
        if gain is None
        else f"100 more labels promise {100 * gain:+.1f} points of {metric}."
    )
    return Findings("learning_curve", facts, found.tables, tuple(lines), ready.notes)


def measure(
    way: Method, labels: Labels, sizes: Sequence[int], repeats: int, seed: int, report: Any
) -> list[npt.NDArray[np.float64]]:
    """Return for each size what `summary` needs: ``[n, k]``, the mean over repeats of credit or squared error."""
    rng = np.random.default_rng(seed)
    folds = list(make_folds(labels, min(FOLDS, len(np.unique(labels.groups))), seed))
    total, done = len(sizes) * repeats * len(folds), 0
    credits = []
    for size in sizes:
        credit = np.zeros(labels.values.shape)
        for repeat in range(repeats):
            for train, test in folds:
                rows = _subset(labels, train, size, rng)
                outputs = activated(fit_whole(way, rows, seed + repeat).logits(test), labels.task)
                credit[test] += _credit(labels, test, outputs) / repeats
                done += 1
                report("learning curve", done, total)
        credits.append(credit)
    return credits


def _credit(labels: Labels, rows: Rows, outputs: Credits) -> Credits:
    """Return 1 for a right answer and 0 for a wrong one; for scores the squared error; NaN where nothing is known."""
    truth = labels.values[rows]
    if labels.task == "score":
        return np.asarray((outputs - truth) ** 2)
    if labels.task == "multi":
        return np.where(np.isnan(truth), np.nan, ((outputs >= 0.5) == (truth >= 0.5)).astype(float))
    right = (outputs.argmax(axis=1) == truth.argmax(axis=1)).astype(float)
    return np.repeat(right[:, None], truth.shape[1], axis=1)


def summary(labels: Labels, credit: Credits, weights: npt.NDArray[Any]) -> float:
    """Return accuracy, or the mean R2 of the scores, with weights for the photographs."""
    known = ~np.isnan(credit)
    w = weights[:, None] * known
    means = np.nansum(w * np.nan_to_num(credit), axis=0) / np.maximum(w.sum(axis=0), 1e-12)
    if labels.task != "score":
        return float(means.mean())
    y = np.nan_to_num(labels.values)
    centre = (w * y).sum(axis=0) / np.maximum(w.sum(axis=0), 1e-12)
    spread = (w * (y - centre) ** 2).sum(axis=0) / np.maximum(w.sum(axis=0), 1e-12)
    return float((1 - means / np.maximum(spread, 1e-12)).mean())


def _subset(labels: Labels, train: Rows, size: int, rng: np.random.Generator) -> Rows:
    """Draw rows at random, and at least two of each class."""
    order = rng.permutation(train)
    if labels.task != "single":
        return np.sort(order[:size])
    codes = labels.codes[order]
    rank = np.zeros(len(order), int)
    for code in np.unique(codes):
        rank[codes == code] = np.arange((codes == code).sum())
    first = np.argsort(rank >= 2, kind="stable")  # two of each class come first
    return np.sort(order[first][:size])


def _sizes(labels: Labels, sizes: Sequence[int] | None) -> list[int]:
    n, k = len(labels.values), len(labels.names) if labels.task == "single" else 1
    most, least = int(n * (FOLDS - 1) / FOLDS) - 1, max(10, 2 * k)
    if sizes is None:
        return sorted({round(s) for s in np.geomspace(min(least * 1.5, most), most, STEPS)})
    sizes = sorted({int(s) for s in sizes})
    if most < least:
        raise ArgumentInvalid(f"`sizes` is {sizes!r}; {n:,} labelled photographs are too few to choose sizes.")
    if not sizes or sizes[0] < least or sizes[-1] > most:
        raise ArgumentInvalid(
            f"`sizes` is {sizes!r}; with {n:,} labelled photographs they can be from {least:,} to {most:,}."
        )
    return sizes


def _power(n: Any, a: float, b: float, c: float) -> Any:
    return a - b * np.power(n, -c)


def fit_curve(n: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64]) -> tuple[float, float, float] | None:
    """Fit ``a - b * n ** -c`` with a from 0 to 1, or return None where that does not go."""
    if len(n) < LEAST_SIZES or not np.isfinite(estimates).all():
        return None
    top = float(estimates.max())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            found, _ = curve_fit(
                _power, n, estimates, p0=(min(top + 0.02, 1), 1.0, 0.5), bounds=([0, 0, 0.05], [1, 50, 2]), maxfev=5000
            )
    except (RuntimeError, ValueError):
        return None
    return float(found[0]), float(found[1]), float(found[2])
