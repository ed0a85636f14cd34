"""Rates of errors by group, and whether the groups have the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .audit_words import notes_on, summary
from .beside import read_beside
from .compared import Compared
from .errors import ArgumentInvalid, quoted
from .evaluation_tables import in_order
from .evidence import Evidence
from .findings import Findings, FindingsVerb
from .intervals import bootstrap, check_level, check_whole, holm, needed, percentile, wilson
from .metrics import Codes, Floats, ratio
from .rates import Grouped, Rate, compare_all, compare_pairs, differences, grouped, rates_of

MOST_GROUPS = 50
WITHIN = 0.05  # half width of a rate's interval that `n_needed` is for
ESTIMATE = [
    ("estimate", pa.float64()),
    ("conf_low", pa.float64()),
    ("conf_high", pa.float64()),
    ("n", pa.int64()),
    ("n_clusters", pa.int64()),
    ("n_needed", pa.int64()),
    ("interval", pa.string()),
]
WHAT = [("metric", pa.string()), ("class", pa.string())]
BY = [("by", pa.string()), ("group", pa.string())]
TESTS = pa.schema(
    [
        BY[0],
        *WHAT,
        ("n_groups", pa.int64()),
        ("lowest", pa.string()),
        ("highest", pa.string()),
        ("gap", pa.float64()),
        ("conf_low", pa.float64()),
        ("conf_high", pa.float64()),
        ("test", pa.string()),
        ("statistic", pa.float64()),
        ("df", pa.float64()),
        ("p_value", pa.float64()),
        ("p_adjusted", pa.float64()),
    ]
)
DIFFERENCES = pa.schema(
    [
        BY[0],
        *WHAT,
        BY[1],
        ("reference", pa.string()),
        ("difference", pa.float64()),
        ("conf_low", pa.float64()),
        ("conf_high", pa.float64()),
        ("interval", pa.string()),
        ("p_value", pa.float64()),
        ("p_adjusted", pa.float64()),
    ]
)


@FindingsVerb
def audit_predictions(
    predictions: Any,
    truth: Any,
    by: str | Sequence[str],
    class_name: str | Sequence[str] | None = None,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    cluster: str | None = None,
    coders: str | Sequence[str] | None = None,
    conf_level: float = 0.95,
    replicates: int = 1000,
    seed: int = 1,
) -> Findings:
    """Compare the rates of errors of groups: is the model as good for all of them?

    Parameters
    ----------
    predictions, truth, image_col, label_col, cluster, coders
        As in `evaluate_predictions`.
    by : str or list of str
        Columns of `predictions` or of the truth: each is a division into groups, of at most 50 values.
    class_name : str or list of str, optional
        Classes, attributes or scores whose rates are compared. By default all; of two exclusive classes the second,
        since what is falsely one is falsely not the other.
    conf_level : float
        Level of the intervals, between 0 and 1.
    replicates : int
        Of the bootstrap; 0 for none.
    seed : int
        The same seed gives the same intervals and tests.

    Returns
    -------
    Findings
        ``tests``: one row for each column of groups and rate: ``by``, ``metric``, ``class``, ``n_groups``, ``lowest``
        and ``highest`` (groups), ``gap`` (their difference), ``conf_low``, ``conf_high`` (of the widest gap, between
        whichever groups), ``test``, ``statistic``, ``df``, ``p_value`` (of all groups having the same rate) and
        ``p_adjusted`` (for all tests of the table).
        ``differences``: each pair of groups: ``by``, ``metric``, ``class``, ``group``, ``reference``, ``difference``,
        ``conf_low``, ``conf_high``, ``interval``, ``p_value``, ``p_adjusted`` (for the pairs of one rate). ``groups``:
        ``by``, ``group``, ``metric``, ``class``, ``estimate``, ``conf_low``, ``conf_high``, ``n`` (photographs that the
        rate rests on), ``n_clusters``, ``n_needed`` (photographs for an interval of ±0.05 at this rate), ``interval``.
        ``metrics``: the same of all photographs. Facts: as of `evaluate_predictions`, ``by``, ``n_tests``,
        ``design_effect`` (by how much clusters make the variance of the accuracy greater).

    Raises
    ------
    ArgumentInvalid, KeysInvalid, LabelsInvalid, ImageColumnMissing, TableUnreadable

    Notes
    -----
    Rates, of classes and of attributes: ``accuracy``; ``false_positive_rate`` (of the photographs without the class,
    the share that are given it); ``false_negative_rate`` (of those with it, the share that are not: 1 less the recall);
    ``precision``; ``share_error`` (the share that are given the class less the share that have it: by so much a
    group's share is wrong); ``calibration_in_the_large`` (mean probability less that share; Steyerberg 2009). Of
    scores: ``mean_error`` and ``mae``. When groups differ in how frequent a class is, no model but a perfect one has
    the same precision and the same false positive and negative rates in all of them (Chouldechova 2017).

    Shares have Wilson's intervals (1927), their differences Newcombe's (1998, method 10); whether groups have the same
    is tested by chi-squared, or where fewer than 5 are expected in a cell by Fisher's exact test for two groups and
    by 20,000 tables drawn with the same margins for more. Photographs of one event or account are alike: without
    `cluster` intervals are then too short and p values too small. With it intervals of rates are percentiles of the
    bootstrap over clusters; differences and tests are those of fewer photographs, by the design effect (Rao and Scott
    1981, 1992). Share errors, calibration and the figures of scores are means: bootstrap, linearized variances with
    Student's t, and a generalized score test (Boos 1992), with clusters or without. P values are
    adjusted by Holm's method (1979). The interval of a gap is for the widest gap between any two groups, whichever they
    are and in either direction: from the largest that one of the pairs is shown to have, 0 if none is, to the largest
    that one of them can have, by intervals for all pairs at once (Bonferroni). A small group may so be what makes it
    long. Of predictions out of fold, intervals of rates are wider as in `evaluate_predictions`; gaps and tests are not,
    since the same models predicted all groups. A test that finds nothing in small groups does not show that they are
    equal: read how far the interval reaches.

    Examples
    --------
    >>> import imagesasdata as iad, pandas as pd
    >>> coded = pd.DataFrame({"hand": ["no", "yes"] * 100, "label": ["no", "yes"] * 60 + ["no", "no"] * 40})
    >>> coded["region"] = ["north"] * 100 + ["south"] * 100
    >>> found = iad.audit_predictions(coded, "hand", by="region")
    >>> found.tests.loc[0, ["lowest", "highest", "gap", "conf_low", "conf_high"]].tolist()[:2]
    ['south', 'north']
    """
    conf_level, replicates, seed = (
        check_level(conf_level),
        check_whole("replicates", replicates),
        check_whole("seed", seed),
    )
    beside = read_beside(predictions, truth, by, image_col, label_col, cluster, coders)
    if not beside.groups:
        raise ArgumentInvalid("`by` names no column; an audit compares groups, so name at least one.")
    predicted, labelled = beside.compared.predicted(), beside.compared.labelled()
    used = np.flatnonzero(predicted & labelled)
    if not len(used):
        raise ArgumentInvalid("No photograph has both a prediction and a true label, so there is nothing to compare.")
    part = beside.compared.take(used)
    evidence = beside.evidence.take(used)
    clusters = None if evidence.clusters is None else np.unique(evidence.clusters, return_inverse=True)[1]
    rates = list(rates_of(part, _about(part, class_name)))
    divisions = {name: _division(name, [values[row] for row in used]) for name, values in beside.groups.items()}
    everyone = np.zeros(len(used), np.int64)
    settings = (evidence, conf_level, replicates, seed)
    metrics = [{**_named(rate), **row} for rate in rates for row in _rows(rate, everyone, ["all"], *settings)]
    groups, tests, pairs = [], [], []
    for name, (codes, names) in divisions.items():
        for rate in rates:
            known = {"by": name, **_named(rate)}
            found = grouped(rate, codes, len(names), clusters)
            groups += [
                {**known, "group": group, **row}
                for group, row in zip(names, _rows(rate, codes, names, *settings), strict=True)
            ]
            tests.append({**known, **_test(found, names, conf_level, seed)})
            pairs += [{**known, **row} for row in _pairs(found, names, conf_level)]
    for row, p in zip(tests, holm([row["p_value"] for row in tests]), strict=True):
        row["p_adjusted"] = float(p)
    tables = {
        "metrics": _table(metrics, pa.schema([*WHAT, *ESTIMATE])),
        "groups": _table(groups, pa.schema([*BY, *WHAT, *ESTIMATE])),
        "tests": _table(tests, TESTS),
        "differences": _table(pairs, DIFFERENCES),
    }
    first = tables["metrics"].slice(0, 1).to_pylist()[0]
    facts = {
        "task": part.task,
        "classes": list(part.names),
        "by": list(divisions),
        "n": len(used),
        "n_failed": int((~predicted).sum()),
        "n_unlabelled": int((predicted & ~labelled).sum()),
        "n_clusters": None if clusters is None else int(clusters.max()) + 1,
        "n_tests": sum(row["test"] is not None for row in tests),
        "conf_level": conf_level,
        "replicates": replicates,
        "seed": seed,
        "primary": first["metric"],
        **{name: first[name] for name in ("estimate", "conf_low", "conf_high")},
        "design_effect": _design_effect(rates[0], clusters),
    }
    said = [*beside.notes, *notes_on(facts, tables, {name: codes for name, (codes, _) in divisions.items()})]
    return Findings("audit", facts, tables, tuple(summary(facts, tables)), tuple(dict.fromkeys(said)))


def _about(compared: Compared, class_name: str | Sequence[str] | None) -> list[str]:
    names = list(compared.names)
    if class_name is None:
        return names[1:] if compared.task == "single" and len(names) == 2 else names
    wanted = [class_name] if isinstance(class_name, str) else list(class_name)
    unknown = [name for name in wanted if name not in names]
    if unknown or not wanted:
        raise ArgumentInvalid(f"`class_name` is {class_name!r}; there are {quoted(map(repr, names), 20)}.")
    return wanted


def _division(name: str, values: Sequence[str | None]) -> tuple[Codes, list[str]]:
    """Return the codes of groups, -1 for none, and their names."""
    names = in_order(values)
    if len(names) < 2:
        raise ArgumentInvalid(
            f'`by` is "{name}", which has {len(names)} value(s) among the photographs that can be compared; an audit '
            "needs two groups or more."
        )
    if len(names) > MOST_GROUPS:
        raise ArgumentInvalid(
            f'`by` is "{name}", which has {len(names):,} values; the most is {MOST_GROUPS}. Put them into fewer groups '
            "first, numbers into ranges."
        )
    codes = {group: code for code, group in enumerate(names)}
    return np.array([-1 if value is None else codes[value] for value in values], np.int64), names


def _named(rate: Rate) -> dict[str, Any]:
    return {"metric": rate.metric, "class": rate.about}


def _rows(
    rate: Rate,
    codes: Codes,
    names: Sequence[str],
    evidence: Evidence,
    conf_level: float,
    replicates: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the estimates of a rate, one for each group."""
    clusters, inflation = evidence.clusters, evidence.inflation
    rows = []
    for code in range(len(names)):
        inside = codes == code
        values, there = rate.values[inside], rate.rows[inside]
        n, total = int(there.sum()), float(values[there].sum())
        estimate = total / n if n else np.nan
        units = None if clusters is None else np.unique(clusters[inside], return_inverse=True)[1].astype(np.int64)
        counts = rate.is_share and clusters is None
        if counts:
            low, high = (float(limit) for limit in wilson(total / inflation, n / inflation, conf_level))
        else:
            low, high = _resampled(values, there, units, inflation, conf_level, replicates, seed)
        rows.append(
            {
                "estimate": estimate,
                "conf_low": low if n else np.nan,
                "conf_high": high if n else np.nan,
                "n": n,
                "n_clusters": None if clusters is None else len(np.unique(clusters[inside][there])),
                "n_needed": _needed(estimate, n, high - low, counts, inflation, conf_level) if rate.is_share else None,
                "interval": evidence.interval("Wilson" if counts else "bootstrap"),
            }
        )
    return rows


def _resampled(
    values: Floats,
    there: Any,
    units: Codes | None,
    inflation: float,
    conf_level: float,
    replicates: int,
    seed: int,
) -> tuple[float, float]:
    if not replicates or not there.any():
        return np.nan, np.nan

    def measure(weights: Floats) -> Floats:
        return ratio(weights[:, there] @ values[there], weights[:, there].sum(axis=1))[:, None]

    low, high = percentile(bootstrap(measure, len(values), replicates, seed, units, inflation), conf_level)
    return float(low[0]), float(high[0])


def _needed(estimate: float, n: int, width: float, counts: bool, inflation: float, conf_level: float) -> int | None:
    if n == 0 or np.isnan(width):
        return None
    if counts:
        return int(np.ceil(needed(estimate, WITHIN, conf_level) * inflation))
    return int(np.ceil(n * (width / 2 / WITHIN) ** 2))


def _test(found: Grouped, names: Sequence[str], conf_level: float, seed: int) -> dict[str, Any]:
    there = np.flatnonzero(found.n > 0)
    row: dict[str, Any] = {"n_groups": len(there), **compare_all(found, seed)}
    if len(there) > 1:
        order = there[np.argsort(found.estimate[there], kind="stable")]
        lowest, highest = order[0], order[-1]
        first, second = (there[ends] for ends in np.triu_indices(len(there), 1))
        # All pairs lie in these intervals at once, and so does the widest, whichever it is.
        _, low, high = differences(found, first, second, 1 - (1 - conf_level) / len(first))
        row |= {
            "lowest": names[lowest],
            "highest": names[highest],
            "gap": float(found.estimate[highest] - found.estimate[lowest]),
            "conf_low": float(np.maximum(np.maximum(low, -high), 0).max()),
            "conf_high": float(np.maximum(-low, high).max()),
        }
    return row


def _pairs(found: Grouped, names: Sequence[str], conf_level: float) -> list[dict[str, Any]]:
    second, first = np.triu_indices(len(names), 1)
    p_values = compare_pairs(found, first, second)
    columns = [*differences(found, first, second, conf_level), p_values, holm(p_values)]
    kind = "Newcombe" if found.is_share else "linearized"
    return [
        {
            "group": names[a],
            "reference": names[b],
            "interval": kind,
            **dict(zip(("difference", "conf_low", "conf_high", "p_value", "p_adjusted"), map(float, row), strict=True)),
        }
        for a, b, *row in zip(first, second, *columns, strict=True)
    ]


def _design_effect(rate: Rate, clusters: Codes | None) -> float | None:
    if clusters is None or not rate.is_share:
        return None
    return grouped(rate, np.zeros(len(clusters), np.int64), 1, clusters).design_effect()


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    plain = [{name: None if value != value else value for name, value in row.items()} for row in rows]
    return pa.Table.from_pylist(plain, schema)
