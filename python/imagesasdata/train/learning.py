"""The learning curve: how quality grows with the number of labels, and what 100 more would bring."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import OptimizeWarning, curve_fit

from ..errors import ArgumentInvalid, choose
from ..evidence import Evidence, across_folds
from ..findings import Findings, FindingsVerb
from ..intervals import bootstrap, check_level, check_whole, percentile, wilson
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
CURVES = 200  # of the replicates through which curves are fitted
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
    sizes: int | Sequence[int] | None = None,
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
    sizes : int or list of int, optional
        Numbers of labels; by default six, from a few a class to all that training folds have.
    repeats : int
        Subsets for each size and fold; 1 or more.

    Returns
    -------
    Findings
        ``curve``: ``n`` (labels trained on: the mean over folds, which is less than was asked for where a large group
        leaves a fold with fewer), ``metric`` (``"accuracy"``; for scores ``"r2"``), ``estimate``, ``conf_low``,
        ``conf_high`` (as in `cross_validate`: of folds that share photographs, and of groups). Facts: ``n`` (labels
        there are), ``gain_100`` with ``gain_100_low`` and ``gain_100_high`` (how much the curve promises for 100 more
        labels than there are, and between what this lies for curves through bootstrap replicates; missing where no
        curve fits) and ``curve_a``, ``curve_b``, ``curve_c``. The promise reaches beyond what was measured: take it as
        a hint.

    Raises
    ------
    LabelsInvalid, ModelInvalid, DependencyMissing, ArgumentInvalid

    Examples
    --------
    >>> import imagesasdata as iad
    >>> curve = iad.learning_curve("labels.csv", image_dir="photos/")  # doctest: +SKIP
    >>> curve.plot()  # doctest: +SKIP
    """
    choose("method", method, METHODS)
    wanted = _whole_sizes(sizes)
    repeats, conf_level = check_whole("repeats", repeats, 1), check_level(conf_level)
    seed = check_whole("seed", seed)
    given = read_labels(labels, image_col, label_col, image_dir, coders, task, groups)
    with Stages(progress) as stages, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        ready = prepare(given, backbone, class_weights, Path(work), device, cache, stages.report)
        way = make_method(method, ready, None)
        known = ready.material.labels
        folds = min(FOLDS, len(np.unique(known.groups)))
        steps = _sizes(known, wanted, folds)
        used, credits = measure(way, known, steps, folds, repeats, seed, stages.report)
    n, metric = len(known.values), "r2" if known.task == "score" else "accuracy"
    evidence = across_folds(known.images.names, known.groups, folds)
    estimates, replicates = curve_replicates(known, credits, evidence, seed)
    low, high = percentile(replicates, conf_level)
    if known.task == "single" and evidence.clusters is None:
        low, high = wilson(estimates * n / evidence.inflation, n / evidence.inflation, conf_level)
    table = pd.DataFrame({"n": used.round().astype(int), "metric": metric, "estimate": estimates})
    table["conf_low"], table["conf_high"] = low, high
    curve = fit_curve(used, estimates)
    gain = _gain(used, estimates, replicates, n, conf_level)
    facts = {
        "task": known.task,
        "classes": list(known.names),
        "n": n,
        "method": method,
        "backbone": ready.material.backbone.name,
        "conf_level": conf_level,
        "n_clusters": evidence.count_clusters(),
        "inflation": evidence.inflation,
        **dict(zip(("gain_100", "gain_100_low", "gain_100_high"), gain, strict=True)),
        **{f"curve_{k}": None if curve is None else float(v) for k, v in zip("abc", curve or [0] * 3, strict=True)},
    }
    found = Findings.of("learning_curve", facts, {"curve": table, "metrics": table})
    return Findings("learning_curve", facts, found.tables, tuple(_lines(facts, table)), ready.notes)


def _lines(facts: dict[str, Any], table: pd.DataFrame) -> Iterator[str]:
    metric = table["metric"].iloc[0]
    yield f"Learning curve: {facts['method']} of {facts['backbone']}, {facts['n']:,} labelled photographs"
    yield f"  labels  {metric}"
    for row in table.to_dict("records"):
        shown = "" if np.isnan(row["conf_low"]) else f"  [{row['conf_low']:.3f}, {row['conf_high']:.3f}]"
        yield f"  {row['n']:6,}  {row['estimate']:.3f}{shown}"
    gain, low, high = (facts[name] for name in ("gain_100", "gain_100_low", "gain_100_high"))
    if gain is not None:
        shown = "" if low is None else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
        yield f"100 more labels promise {100 * gain:+.1f}{shown} points of {metric}."
    elif len(table) >= LEAST_SIZES:
        yield "No curve fits these estimates."
    else:
        yield "Four sizes or more are needed for a curve."


def curve_replicates(
    labels: Labels, credits: Sequence[Credits], evidence: Evidence, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the estimate for each size, ``[s]``, and its bootstrap replicates, ``[r, s]``.

    A replicate draws the same photographs, or clusters of them, for all sizes.
    """

    def measured(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.array([[summary(labels, credit, w) for credit in credits] for w in weights])

    n = len(labels.values)
    replicates = bootstrap(measured, n, REPLICATES, seed, evidence.clusters, evidence.inflation)
    return measured(np.ones((1, n)))[0], replicates


def _gain(
    sizes: npt.NDArray[np.float64],
    estimates: npt.NDArray[np.float64],
    replicates: npt.NDArray[np.float64],
    n: int,
    conf_level: float,
) -> tuple[float | None, float | None, float | None]:
    """Return what 100 labels more than n promise, with an interval from curves through the replicates."""

    def promised(values: npt.NDArray[np.float64]) -> float:
        curve = fit_curve(sizes, values)
        return np.nan if curve is None else float(_power(n + 100, *curve) - _power(n, *curve))

    gain = promised(estimates)
    if np.isnan(gain):
        return None, None, None
    low, high = percentile(np.array([[promised(values)] for values in replicates[:CURVES]]), conf_level)
    if np.isnan(low[0]):
        return gain, None, None
    return gain, min(float(low[0]), gain), max(float(high[0]), gain)


def measure(
    way: Method, labels: Labels, sizes: Sequence[int], folds: int, repeats: int, seed: int, report: Any
) -> tuple[npt.NDArray[np.float64], list[Credits]]:
    """Return for each size how many labels were trained on, and what `summary` needs.

    The first is the mean over folds. The second is ``[n, k]``, the mean over repeats of credit or squared error.
    """
    rng = np.random.default_rng(seed)
    parts = list(make_folds(labels, folds, seed))
    total, done = len(sizes) * repeats * folds, 0
    used, credits = np.zeros(len(sizes)), []
    for place, size in enumerate(sizes):
        credit = np.zeros(labels.values.shape)
        for repeat in range(repeats):
            for train, test in parts:
                rows = _subset(labels, train, size, rng)
                used[place] += len(rows)
                outputs = activated(fit_whole(way, rows, seed + repeat).logits(test), labels.task)
                credit[test] += _credit(labels, test, outputs) / repeats
                done += 1
                report("learning curve", done, total)
        credits.append(credit)
    return used / (repeats * folds), credits


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


def _whole_sizes(sizes: Any) -> list[int] | None:
    """Return the sizes that were asked for, each once, in order."""
    if sizes is None:
        return None
    listed = sizes if isinstance(sizes, Iterable) and not isinstance(sizes, str | bytes) else [sizes]
    return sorted({check_whole("sizes", size, 1) for size in listed})


def _sizes(labels: Labels, sizes: list[int] | None, folds: int) -> list[int]:
    n, k = len(labels.values), len(labels.names) if labels.task == "single" else 1
    most, least = int(n * (folds - 1) / folds) - 1, max(10, 2 * k)
    if sizes is None:
        return sorted({round(s) for s in np.geomspace(min(least * 1.5, most), most, STEPS)})
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
