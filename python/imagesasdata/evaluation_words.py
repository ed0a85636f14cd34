"""The summary of an evaluation, and what its reader should be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .compared import MOST_SHOWN, Compared
from .errors import quoted
from .intervals import needed, needed_r2, wilson

SMALL_GROUP = 30
FEW_CLUSTERS = 10
# Half width of the interval that a test should have at most, and the value around which most photographs are needed.
WIDE = {"accuracy": 0.05, "r2": 0.1}
HARDEST = {"accuracy": 0.5, "r2": 1 / 3}
MOST_LINES = 12
CELL = 26  # letters of a figure with its interval
# Of exclusive classes and attributes, and of scores: metrics of the whole, and of each.
WHOLE = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "kappa": "kappa",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "calibration_error": "calibration error",
    "r2": "R2",
    "correlation": "correlation",
    "mae": "mean absolute error",
}
EACH = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "r2": "R2",
    "correlation": "correlation",
    "mae": "MAE",
}
WHAT = {"single": "class", "multi": "attribute", "score": "score"}
Row = Mapping[str, Any]


def summary(facts: Row, metrics: pa.Table, groups: pa.Table | None) -> list[str]:
    """Return the lines that are printed."""
    rows = metrics.to_pylist()
    whole = {row["metric"]: row for row in rows if row["class"] is None}
    names, what = facts["classes"], WHAT[facts["task"]]
    count = f"{len(names):,} {what}{'' if len(names) == 1 else 'es' if what == 'class' else 's'}"
    lines = [f"Evaluation of {facts['n']:,} photographs, {count}"]
    for metric, title in WHOLE.items():
        if metric in whole:
            lines.append(f"  {title:<20}{_shown(whole[metric])}{_beside(metric, facts)}")
    lines += _by_class(rows, what)
    if groups is not None:
        lines += _by_group(groups.to_pylist(), facts)
    left = [f"{facts[key]:,} {text}" for key, text in _LEFT.items() if facts[key]]
    if left:
        lines.append(f"left out: {', '.join(left)}")
    wider = f"; {facts['inflation'] ** 0.5:.2g} times as wide, since folds share photographs (Nadeau and Bengio 2003)"
    return [*lines, _how(facts) + (wider if facts["inflation"] > 1 else "")]


_LEFT = {"n_failed": "without a prediction", "n_unlabelled": "without a true label"}


def _shown(row: Row) -> str:
    if row["estimate"] is None:
        return "    -"
    text = f"{row['estimate']:.3f}"
    return text if row["conf_low"] is None else f"{text}  [{row['conf_low']:.3f}, {row['conf_high']:.3f}]"


def _beside(metric: str, facts: Row) -> str:
    if metric != "accuracy" and not (facts["task"] == "score" and metric == "correlation"):
        return ""
    known = {"majority class": facts["baseline"], "coders agree": facts["ceiling"]}
    texts = [f"{name} {value:.3f}" for name, value in known.items() if value is not None]
    return f"   ({', '.join(texts)})" if texts else ""


def _by_class(rows: Sequence[Row], what: str) -> Iterator[str]:
    """Yield a line for each class, the worst ones where there are many."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["class"] is not None and row["metric"] in EACH:
            found.setdefault(row["class"], {})[row["metric"]] = row
    names = list(found)
    title = f"by {what}"
    if len(names) > MOST_LINES:
        order = {name: _or(next(reversed(of_one.values()))["estimate"], 2.0) for name, of_one in found.items()}
        names = sorted(names, key=lambda name: order[name])[:MOST_LINES]
        title = f"the {MOST_LINES} of {len(found):,} classes with the lowest F1"
    if not names:
        return
    metrics = list(found[names[0]])
    wide = max(len(title), *(len(plain(name)) + 2 for name in names)) + 2
    yield title.ljust(wide) + "".join(EACH[metric].ljust(CELL) for metric in metrics) + "n"
    for name in names:
        of_one = found[name]
        n = of_one.get("recall", of_one[metrics[0]])["n"]
        cells = "".join(f"{_shown(of_one[metric])}  ".ljust(CELL) for metric in metrics)
        yield f"  {plain(name)}".ljust(wide) + f"{cells}{n:,}"


def _by_group(rows: Sequence[Row], facts: Row) -> Iterator[str]:
    metric = facts["primary"].removeprefix("mean ")
    rows = [row for row in rows if row["metric"] == metric and row["class"] is None]
    for name in dict.fromkeys(row["by"] for row in rows):
        inside = [row for row in rows if row["by"] == name]
        wide = max(len(plain(row["group"])) for row in inside) + 4
        yield f"{WHOLE[metric]} by {plain(name)}"
        for row in inside[:MOST_LINES]:
            yield f"  {plain(row['group'])}".ljust(wide) + f"{_shown(row)}   ({row['n']:,})"
        if len(inside) > MOST_LINES:
            yield f"  and {len(inside) - MOST_LINES:,} more, in the table `groups`"


def _how(facts: Row) -> str:
    level, replicates = f"{facts['conf_level']:.3g}", f"{facts['replicates']:,}"
    if facts["n_clusters"] is not None:
        drawn = f"{facts['n_clusters']:,} {_unit(facts)}s"
        return f"intervals of level {level}: {replicates} bootstrap replicates of {drawn}"
    if facts["task"] == "score":
        return f"intervals of level {level}: {replicates} bootstrap replicates"
    what = "accuracy, precision and recall" + (" of each" if facts["task"] == "multi" else "")
    return f"intervals of level {level}: Wilson for {what}; {replicates} bootstrap replicates for the others"


# -- notes -------------------------------------------------------------------------------------------------------------


def notes_on(
    compared: Compared, facts: Row, metrics: pa.Table, groups: pa.Table | None, by: Mapping[str, Sequence[str | None]]
) -> Iterator[str]:
    """Yield what the reader of an evaluation should be told."""
    rows = metrics.to_pylist()
    if facts["n_failed"]:
        yield f"{facts['n_failed']:,} photograph(s) have no prediction and are left out of every figure."
    if facts["n_unlabelled"]:
        yield f"{facts['n_unlabelled']:,} photograph(s) have no true label and are left out of every figure."
    if facts["n_clusters"] is not None and facts["n_clusters"] < FEW_CLUSTERS:
        yield f"With {facts['n_clusters']} cluster(s) intervals are too short and say little; more clusters are needed."
    absent = [row["class"] for row in rows if row["metric"] == "recall" and row["n"] == 0 and row["class"] is not None]
    if absent and len(compared.names) <= MOST_SHOWN:
        named = quoted(f'"{name}"' for name in absent)
        yield f"No photograph is truly {named}, so whether the model finds it is not known."
    if compared.task == "score":
        yield from _about_scores(rows)
    else:
        yield from _about_chance(rows, facts)
    yield from _about_size(rows, facts)
    if groups is not None:
        yield from _about_groups(groups.to_pylist(), by)


def _about_scores(rows: Sequence[Row]) -> Iterator[str]:
    weak = [
        f'"{plain(row["class"])}" ({_shown(row).replace("  ", " ")})'
        for row in rows
        if row["metric"] == "r2" and row["class"] is not None and row["conf_low"] is not None and row["conf_low"] <= 0
    ]
    if weak:
        yield (
            f"R2 of {quoted(weak, 5)} can be 0: the model is not shown to be better than giving every photograph the "
            "mean."
        )


def _about_chance(rows: Sequence[Row], facts: Row) -> Iterator[str]:
    whole = next((row for row in rows if row["metric"] == "accuracy" and row["class"] is None), None)
    baseline = facts["baseline"]
    if whole is not None and whole["conf_low"] is not None and whole["conf_low"] <= baseline:
        yield (
            f"Accuracy is {_shown(whole).replace('  ', ' ')}; always giving the most frequent class reaches "
            f"{baseline:.3f}. The model is not shown to be better than that."
        )


def _about_size(rows: Sequence[Row], facts: Row) -> Iterator[str]:
    """Say that there are too few photographs, and how many would be enough.

    Of several attributes or scores, the one that is known least decides. The number is for the value within the
    interval around which most are needed: of few photographs that are all right the estimate would promise too much.
    """
    metric = "r2" if facts["task"] == "score" else "accuracy"
    each = [
        (limits[1] - limits[0], row, limits)
        for row in rows
        if row["metric"] == metric and (row["class"] is None) == (facts["task"] == "single")
        if (limits := _limits(row, facts)) is not None
    ]
    if not each:
        return
    width, row, limits = max(each, key=lambda one: one[0])
    half, wide, n = width / 2, WIDE[metric], row["n"]
    if half <= wide:
        return
    value = float(np.clip(HARDEST[metric], *limits)) if limits[1] > 0 else HARDEST[metric]
    units = n if _unit(facts) == "photograph" else facts["n_clusters"]
    least = needed if metric == "accuracy" else needed_r2
    enough = least(value, wide, facts["conf_level"]) * facts["inflation"] * units / n
    if n >= SMALL_GROUP and not row["interval"].startswith("Wilson"):
        enough = max(enough, units * ((limits[1] - max(limits[0], 0)) / 2 / wide) ** 2)
    about = "" if row["class"] is None else f' of "{plain(row["class"])}"'
    where = "" if units == n else f" in {units:,} clusters"
    yield (
        f"{n:,} photographs{where} say little: {WHOLE[metric]}{about} is known to within ±{half:.2f}. For ±{wide:.2f} "
        f"about {int(np.ceil(enough)):,} {_unit(facts)}s are needed, if it is truly {value:.2f}."
    )


def _limits(row: Row, facts: Row) -> tuple[float, float] | None:
    """Return the interval of accuracy or R2, which must not be too narrow where replicates do not differ.

    An R2 that is surely below 0 need not be known better.
    """
    if row["conf_low"] is not None:
        sure = row["conf_high"] <= 0 and row["n"] >= SMALL_GROUP
        return None if sure else (row["conf_low"], row["conf_high"])
    if row["n"] == 0 or facts["replicates"] == 0:
        return None
    if row["metric"] == "r2":
        return (0.0, 1.0) if row["n"] < SMALL_GROUP else None
    units = (facts["n_clusters"] or row["n"]) / facts["inflation"]
    low, high = wilson(row["estimate"] * units, units, facts["conf_level"])
    return float(low), float(high)


def _unit(facts: Row) -> str:
    """Return what is drawn: photographs, where each is a cluster by itself."""
    return "photograph" if facts["n_clusters"] in (None, facts["n"]) else "cluster"


def _about_groups(rows: Sequence[Row], by: Mapping[str, Sequence[str | None]]) -> Iterator[str]:
    for name, values in by.items():
        without = sum(value is None for value in values)
        if without:
            yield f'{without:,} row(s) have no "{plain(name)}" and are in none of its groups.'
        sizes: dict[str, int] = {}
        for row in rows:
            if row["by"] == name:
                sizes[row["group"]] = max(sizes.get(row["group"], 0), row["n"])
        small = [f'"{plain(group)}" ({size})' for group, size in sizes.items() if size < SMALL_GROUP]
        if small:
            yield (
                f'Groups of "{plain(name)}" with fewer than {SMALL_GROUP} photographs say next to nothing by '
                f"themselves: {quoted(small, 5)}."
            )


def plain(name: str, most: int = 40) -> str:
    """Return a name from outside on one line, without letters that cannot be seen, and not too long."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _or(value: Any, otherwise: float) -> float:
    return otherwise if value is None else float(value)
