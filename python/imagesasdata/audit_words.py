"""The summary of an audit, and what its reader should be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from .errors import quoted
from .evaluation_words import FEW_CLUSTERS, MOST_LINES, SMALL_GROUP, WHAT, plain
from .metrics import Codes

TITLES = {
    "accuracy": "accuracy",
    "false_positive_rate": "false positive rate",
    "false_negative_rate": "false negative rate",
    "precision": "precision",
    "share_error": "share error",
    "calibration_in_the_large": "calibration in the large",
    "mean_error": "mean error",
    "mae": "mean absolute error",
}
CELL = 30
Row = Mapping[str, Any]


def summary(facts: Row, tables: Mapping[str, pa.Table]) -> Iterator[str]:
    """Yield the lines that are printed."""
    names, what = facts["classes"], WHAT[facts["task"]]
    count = f"{len(names):,} {what}{'' if len(names) == 1 else 'es' if what == 'class' else 's'}"
    yield f"Audit of {facts['n']:,} photographs, {count}, by {quoted(map(plain, facts['by']))}"
    groups, tests = tables["groups"].to_pylist(), tables["tests"].to_pylist()
    for name in facts["by"]:
        yield from _groups(name, [row for row in groups if row["by"] == name])
        yield from _gaps(name, [row for row in tests if row["by"] == name])
    yield (
        f"p: all groups have the same rate, adjusted for {facts['n_tests']:,} test(s) (Holm); "
        f"intervals of level {facts['conf_level']:.3g}, those of gaps for all pairs of groups"
    )
    if facts["n_clusters"] is not None:
        effect = "" if facts["design_effect"] is None else f"; design effect {facts['design_effect']:.2f}"
        yield f"{facts['n_clusters']:,} clusters of photographs{effect}"


def _groups(name: str, rows: Sequence[Row]) -> Iterator[str]:
    first = (rows[0]["metric"], rows[0]["class"])
    rows = [row for row in rows if (row["metric"], row["class"]) == first]
    wide = max(len(plain(row["group"])) for row in rows) + 4
    yield f"{_title(rows[0])} by {plain(name)}"
    for row in rows[:MOST_LINES]:
        yield f"  {plain(row['group'])}".ljust(wide) + f"{_shown(row['estimate'], row)}   ({row['n']:,})"
    if len(rows) > MOST_LINES:
        yield f"  and {len(rows) - MOST_LINES:,} more, in the table `groups`"


def _gaps(name: str, rows: Sequence[Row]) -> Iterator[str]:
    if len(rows) > 2 * MOST_LINES:
        rows = sorted(rows, key=lambda row: 2.0 if row["p_value"] is None else row["p_value"])[: 2 * MOST_LINES]
    wide = max(len(_title(row)) for row in rows) + 4
    yield f"gaps by {plain(name)}".ljust(wide) + "largest gap".ljust(CELL) + "p".ljust(8) + "between"
    for row in rows:
        between = "" if row["lowest"] is None else f"{plain(row['lowest'], 20)} and {plain(row['highest'], 20)}"
        p = "-" if row["p_adjusted"] is None else f"{row['p_adjusted']:.3f}"
        yield f"  {_title(row)}".ljust(wide) + _shown(row["gap"], row).ljust(CELL) + p.ljust(8) + between


def _title(row: Row) -> str:
    about = "" if row["class"] is None else f", {plain(row['class'], 20)}"
    return TITLES[row["metric"]] + about


def _shown(value: float | None, row: Row) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" + ("" if row["conf_low"] is None else f"  [{row['conf_low']:.3f}, {row['conf_high']:.3f}]")


# -- notes -------------------------------------------------------------------------------------------------------------


def notes_on(facts: Row, tables: Mapping[str, pa.Table], codes: Mapping[str, Codes]) -> Iterator[str]:
    """Yield what the reader of an audit should be told."""
    if facts["n_failed"]:
        yield f"{facts['n_failed']:,} photograph(s) have no prediction and are left out of every figure."
    if facts["n_unlabelled"]:
        yield f"{facts['n_unlabelled']:,} photograph(s) have no true label and are left out of every figure."
    groups, tests = tables["groups"].to_pylist(), tables["tests"].to_pylist()
    for name, of_rows in codes.items():
        without = int((of_rows < 0).sum())
        if without:
            yield f'{without:,} photograph(s) have no "{plain(name)}" and are in none of its groups.'
        yield from _small([row for row in groups if row["by"] == name], name)
        yield from _not_shown([row for row in tests if row["by"] == name], name)
    few = sorted({row["n_clusters"] for row in groups if row["n_clusters"] and row["n_clusters"] < FEW_CLUSTERS})
    if few:
        yield (
            f"Some rates rest on {few[0]} cluster(s) only; below {FEW_CLUSTERS} the intervals are too short and the p "
            "values too small."
        )


def _small(rows: Sequence[Row], name: str) -> Iterator[str]:
    """Tell of rates that rest on few photographs, with how many would be enough."""
    sizes: dict[str, Row] = {}
    for row in rows:
        if row["n"] < SMALL_GROUP and row["metric"] not in ("share_error", "calibration_in_the_large"):
            least = sizes.get(row["group"])
            if least is None or row["n"] < least["n"]:
                sizes[row["group"]] = row
    if not sizes:
        return
    shown = []
    for group, row in sizes.items():
        need = "" if row["n_needed"] is None else f", ±0.05 needs {row['n_needed']:,}"
        shown.append(f'"{plain(group)}" ({_title(row)}: {row["n"]:,}{need})')
    yield (
        f'In some groups of "{plain(name)}" a rate rests on fewer than {SMALL_GROUP} photographs and says next to '
        f"nothing: {quoted(shown, 5)}."
    )


def _not_shown(rows: Sequence[Row], name: str) -> Iterator[str]:
    """Tell of the first rate where no gap is shown, and yet a wide one is possible."""
    row = rows[0]
    if row["p_adjusted"] is None or row["conf_high"] is None or row["p_adjusted"] < 0.05 or row["conf_high"] < 0.1:
        return
    if row["metric"] in ("mean_error", "mae"):  # in units of the score, of which 0.1 may be nothing
        return
    yield (
        f'That groups of "{plain(name)}" differ in {_title(row)} is not shown, nor that they are equal: between some '
        f"of them the gap can be as wide as {row['conf_high']:.2f}."
    )
