"""How good a model can look that learns from coders who differ: what their agreement allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .agreement import coded_labels
from .coefficients import Coded
from .intervals import bootstrap, percentile
from .labels import Labels
from .metrics import Floats, correlation, macro, ratio

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("metric", pa.string()),
        ("estimate", pa.float64()),
        ("conf_low", pa.float64()),
        ("conf_high", pa.float64()),
        ("n", pa.int64()),
    ]
)


def ceilings(labels: Labels, conf_level: float = 0.95, replicates: int = 1000, seed: int = 1) -> pa.Table | None:
    """Return what coders' agreement allows, with intervals by resampling photographs.

    Parameters
    ----------
    labels : Labels
        Read with coders.
    conf_level, replicates, seed
        As in `evaluate_predictions`.

    Returns
    -------
    pyarrow.Table or None
        ``name`` (class column, attribute or score), ``metric``, ``estimate``, ``conf_low``, ``conf_high``, ``n``
        (photographs that it rests on). ``coder_accuracy``: how often one coder says what most of the others say, a tie
        counting in part. ``coder_correlation``: of one coder's scores with the mean of the others. ``best_r2`` and
        ``best_correlation``, of scores: what a model would reach that knew the mean of very many such coders, compared
        as any model is with the mean of those who coded. None without two coders of the same photographs.

    Notes
    -----
    The mean of k coders has the variance of their answers about it, divided by k, as error. R2 can at most be the rest
    of the variance of these means, which is their reliability (Shrout and Fleiss 1979, ICC(1, k); where all coded all
    photographs, differences between coders' means are no error, ICC(3, k)), and the correlation its square root (Lord
    and Novick 1968). So a model can surpass the correlation of two coders, and one coder's.
    """
    rows: list[dict[str, Any]] = []
    for coded in coded_labels(labels):
        several, n = int((coded.answered > 1).sum()), len(coded.values)
        if several < 2:
            continue
        metrics, measure = _of_scores(coded.values) if labels.task == "score" else _of_classes(coded)
        whole = measure(np.ones((1, n)))[0]
        low, high = np.full((2, len(metrics)), np.nan)
        if replicates:
            low, high = percentile(bootstrap(measure, n, replicates, seed), conf_level)
        for i, metric in enumerate(metrics):
            numbers = {"estimate": whole[i], "conf_low": low[i], "conf_high": high[i]}
            known = {key: float(value) if np.isfinite(value) else None for key, value in numbers.items()}
            rows.append({"name": coded.name, "metric": metric, **known, "n": n if "best" in metric else several})
    return pa.Table.from_pylist(rows, SCHEMA) if rows else None


def _of_scores(values: Floats) -> tuple[Sequence[str], Any]:
    known = ~np.isnan(values)
    k = known.sum(axis=1)
    means = np.nansum(values, axis=1) / np.maximum(k, 1)
    centred, df = values, (k - 1).astype(float)
    if known.all() and len(values) > 1:
        # Everybody coded everything: that one coder is always higher moves all means alike.
        centred = values - values.mean(axis=0) + values.mean()
        df = df * (len(values) - 1) / len(values)
    within = np.nansum((centred - (np.nansum(centred, axis=1) / np.maximum(k, 1))[:, None]) ** 2, axis=1)

    def measure(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        error = ratio(weights @ within, weights @ df) * ratio(weights @ (1 / np.maximum(k, 1)), total)
        spread = ratio(weights @ means**2, total) - ratio(weights @ means, total) ** 2
        best = np.clip(1 - ratio(error, np.where(spread > 1e-12, spread, 0)), 0, None)
        return np.stack([_against_others(values, known, weights), best, np.sqrt(best)], axis=1)

    return ("coder_correlation", "best_r2", "best_correlation"), measure


def _against_others(values: Floats, known: Any, weights: Floats) -> Floats:
    """Return the correlation of a coder with the mean of the others, the mean over coders."""
    each = []
    for coder in range(values.shape[1]):
        others = known.sum(axis=1) - known[:, coder]
        rows = known[:, coder] & (others > 0)
        if rows.sum() > 1:
            mean = (np.nansum(values[rows], axis=1) - values[rows, coder]) / others[rows]
            each.append(correlation(values[rows, coder], mean, weights[:, rows]))
    return macro(np.stack(each, axis=1)) if each else np.full(len(weights), np.nan)


def _of_classes(coded: Coded) -> tuple[Sequence[str], Any]:
    values = coded.values
    credit = np.full(values.shape, np.nan)
    for coder in range(values.shape[1]):
        rows = np.flatnonzero(~np.isnan(values[:, coder]) & (coded.answered > 1))
        said = values[rows, coder].astype(np.int64)
        others = coded.counts[rows]
        others[np.arange(len(rows)), said] -= 1
        most = others == others.max(axis=1, keepdims=True)
        credit[rows, coder] = most[np.arange(len(rows)), said] / most.sum(axis=1)

    def measure(weights: Floats) -> Floats:
        known = ~np.isnan(credit)
        return macro(ratio(weights @ np.where(known, credit, 0), weights @ known))[:, None]

    return ("coder_accuracy",), measure


def ceiling_lines(table: pa.Table) -> Iterator[str]:
    """Yield what the summary of an evaluation says of it."""
    rows = table.to_pylist()
    for name in dict.fromkeys(row["name"] for row in rows):
        said = {row["metric"]: row for row in rows if row["name"] == name and row["estimate"] is not None}
        if "coder_accuracy" in said:
            yield f"coders, {name}: one says what most others say on a share of {_shown(said['coder_accuracy'])}"
        if "best_r2" in said:
            yield f"coders, {name}: they allow R2 up to {_shown(said['best_r2'])}"
        if "coder_correlation" in said:
            yield f"coders, {name}: one correlates with the others' mean by {_shown(said['coder_correlation'])}"


def _shown(row: dict[str, Any]) -> str:
    interval = "" if row["conf_low"] is None else f" [{row['conf_low']:.3f}, {row['conf_high']:.3f}]"
    return f"{row['estimate']:.3f}{interval}"
