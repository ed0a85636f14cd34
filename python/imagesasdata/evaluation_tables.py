"""The tables of an evaluation: metrics with their intervals, confusion, curves, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.metrics import precision_recall_curve, roc_curve

from .compared import Compared, Estimates, floats
from .evidence import Evidence
from .intervals import above_zero, bootstrap, percentile, wilson
from .metrics import Codes, Flags, Floats, bin_count, bin_numbers

MOST_POINTS = 1000  # of a curve; more cannot be seen
DRAWS = 400  # of a calibrated model
METRICS = pa.schema(
    [
        ("metric", pa.string()),
        ("class", pa.string()),
        ("estimate", pa.float64()),
        ("conf_low", pa.float64()),
        ("conf_high", pa.float64()),
        ("n", pa.int64()),
        ("interval", pa.string()),
    ]
)


def metrics_table(
    compared: Compared,
    conf_level: float,
    replicates: int,
    seed: int,
    evidence: Evidence,
) -> pa.Table:
    """Return each metric with its interval.

    Parameters
    ----------
    compared : Compared
        Rows that have both truth and prediction.
    conf_level : float
        Level of the intervals.
    replicates, seed : int
        Of the bootstrap.
    evidence : Evidence
        Of the n rows. With clusters every interval is by the bootstrap.
    """
    n = len(compared)
    clusters, inflation = evidence.clusters, evidence.inflation
    codes: Codes | None = None if clusters is None else np.unique(clusters, return_inverse=True)[1].astype(np.int64)
    whole: Estimates = compared.estimates(np.ones((1, n)))
    shares, chance = compared.shares(), compared.chance(DRAWS, seed)
    low, high = _bootstrapped(compared, list(whole), conf_level, replicates, seed, codes, inflation)
    rows = []
    for i, (key, values) in enumerate(whole.items()):
        row: dict[str, Any] = {"metric": key[0], "class": key[1], "estimate": float(values[0])}
        if key in shares and clusters is None:
            right, of = shares[key]
            limits = [float(limit) for limit in wilson(right / inflation, of / inflation, conf_level)]
        elif key[0] == "calibration_error":
            limits = list(above_zero(row["estimate"], float(high[i]), chance[key], conf_level))
        else:
            limits = [float(low[i]), float(high[i])]
        if np.isnan(row["estimate"]):
            limits = [np.nan, np.nan]
        row |= {"conf_low": limits[0], "conf_high": limits[1]}
        row["n"] = evidence.count(compared.rests_on(key))
        row["interval"] = evidence.interval("Wilson" if key in shares else "bootstrap")
        rows.append({name: None if value != value else value for name, value in row.items()})
    return pa.Table.from_pylist(rows, METRICS)


def _bootstrapped(
    compared: Compared,
    keys: Sequence[Any],
    conf_level: float,
    replicates: int,
    seed: int,
    clusters: Codes | None,
    inflation: float,
) -> tuple[Floats, Floats]:
    if replicates == 0:
        return np.full(len(keys), np.nan), np.full(len(keys), np.nan)

    def measure(weights: Floats) -> Floats:
        found = compared.estimates(weights)
        return np.stack([found[key] for key in keys], axis=1)

    return percentile(bootstrap(measure, len(compared), replicates, seed, clusters, inflation), conf_level)


def groups_table(
    compared: Compared,
    by: dict[str, list[str | None]],
    conf_level: float,
    replicates: int,
    seed: int,
    evidence: Evidence,
) -> pa.Table:
    """Return the metrics of each subgroup; rows that are in none (None) are left out."""
    tables = [pa.table({"by": pa.array([], pa.string()), "group": pa.array([], pa.string())})]
    tables = [METRICS.empty_table().add_column(0, "by", tables[0]["by"]).add_column(1, "group", tables[0]["group"])]
    for name, groups in by.items():
        values = np.array(groups, dtype=object)
        for group in in_order(groups):
            rows = np.flatnonzero(values == group)
            table = metrics_table(compared.take(rows), conf_level, replicates, seed, evidence.take(rows))
            texts = [pa.array([text] * table.num_rows, pa.string()) for text in (name, group)]
            tables.append(table.add_column(0, "by", texts[0]).add_column(1, "group", texts[1]))
    return pa.concat_tables(tables)


def in_order(groups: Sequence[str | None]) -> list[str]:
    """Return the groups, sorted, numbers as numbers."""
    distinct = sorted({group for group in groups if group is not None})
    try:
        return sorted(distinct, key=float)
    except ValueError:
        return distinct


def confusion_table(compared: Compared) -> pa.Table:
    """Return how often each pair of truth and label occurs; of attributes, for each one."""
    tables = []
    for attribute, names, truth, given in compared.confusions():
        k = len(names)
        counts = np.bincount(truth * k + given, minlength=k * k)
        columns = {
            "truth": pa.array(np.repeat(np.array(names, object), k), pa.string()),
            "label": pa.array(names * k, pa.string()),
            "n": pa.array(counts, pa.int64()),
        }
        if attribute is not None:
            columns = {"attribute": pa.array([attribute] * (k * k), pa.string()), **columns}
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)


def roc_table(compared: Compared) -> pa.Table:
    """Return the ROC curve of each class that some photographs have and some not; its first point has no threshold."""
    curves = []
    for name, truth, prob in compared.curves():
        if truth.any() and not truth.all():
            fpr, tpr, threshold = roc_curve(truth, prob)
            curves.append((name, np.where(np.isinf(threshold), np.nan, threshold), fpr, tpr))
    return _curve_table(curves, ("threshold", "fpr", "tpr"))


def pr_table(compared: Compared) -> pa.Table:
    """Return the precision-recall curve of each class that some photographs have; its last point has no threshold."""
    curves = []
    for name, truth, prob in compared.curves():
        if truth.any():
            precision, recall, threshold = precision_recall_curve(truth, prob, drop_intermediate=True)
            curves.append((name, np.append(threshold, np.nan), recall, precision))
    return _curve_table(curves, ("threshold", "recall", "precision"))


def _curve_table(curves: Sequence[tuple[str, Floats, Floats, Floats]], columns: tuple[str, str, str]) -> pa.Table:
    names: list[str] = []
    parts: list[list[Floats]] = [[], [], []]
    for name, *values in curves:
        some = np.unique(np.linspace(0, len(values[0]) - 1, MOST_POINTS).round().astype(int))
        names += [name] * len(some)
        for part, value in zip(parts, values, strict=True):
            part.append(value[some])
    arrays = [floats(np.concatenate(part) if part else np.empty(0)) for part in parts]
    return pa.table({"class": pa.array(names, pa.string()), **dict(zip(columns, arrays, strict=True))})


def calibration_table(compared: Compared, conf_level: float) -> pa.Table:
    """Return for bins of equal mass the mean probability and the share that is right, with Wilson's interval.

    ``class`` is missing where the probability is that of the label that was given, whatever it is.
    """
    parts: list[tuple[str | None, Flags, Floats]] = list(compared.curves())
    prob = getattr(compared, "prob", None)
    if prob is not None:
        parts.insert(0, (None, compared.truth == compared.given, prob))  # type: ignore[attr-defined]
    rows = []
    for name, right, p in parts:
        bins = bin_numbers(p, bin_count(len(p)))
        for number in np.unique(bins):
            inside = bins == number
            found, n = int(right[inside].sum()), int(inside.sum())
            low, high = wilson(found, n, conf_level)
            row = {"class": name, "prob": float(p[inside].mean()), "share": found / n}
            rows.append({**row, "conf_low": float(low), "conf_high": float(high), "n": n})
    kinds = {"class": pa.string(), **dict.fromkeys(("prob", "share", "conf_low", "conf_high"), pa.float64())}
    return pa.Table.from_pylist(rows, pa.schema([*kinds.items(), ("n", pa.int64())]))
