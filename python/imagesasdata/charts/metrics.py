"""Dots and whiskers: metrics with their intervals, by class, and by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentInvalid, quoted
from ..findings import Findings
from .figure import BLUE, COLOURS, GREY, INK, MARKERS, WIDTH, figure_and_axes, light_grid, new_figure, sentence
from .words import drawn, interval, metric_name, missing, number, value_or_none

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOWER_IS_BETTER = ("brier", "calibration_error", "log_loss")
UNITS = ("mae", "rmse")  # in the units of the score
OF_A_CLASS = ("precision", "recall", "f1")
OF_A_SCORE = ("r2", "correlation")
MOST_CLASSES = 25
ROW = 0.29  # inches


@dataclass(frozen=True)
class _Panel:
    """Rows of dots on one axis.

    Attributes
    ----------
    title : str
        What is on the axis.
    rows : list of (str, list of dict or None)
        The name of a row, and one entry of the table ``metrics`` for each series.
    series : list of str
        Names of the series, one colour each.
    shares : bool
        The axis runs from 0 to 1 at least.
    """

    title: str
    rows: list[tuple[str, list[dict[str, Any] | None]]]
    series: list[str]
    shares: bool

    @property
    def inches(self) -> float:
        return ROW * max(len(self.rows), 2 if len(self.series) > 1 else 1) + 0.95


def draw_metrics(findings: Findings, ax: Axes | None = None) -> Figure:
    """Draw all metrics with their intervals, and precision, recall and F1 by class (25 classes with the least F1).

    Lines in the row of the accuracy (of scores: the correlation): what naming the most frequent class every time would
    reach, and how well coders agree. With `ax`, only the metrics of which more is better.
    """
    panels = _panels(findings)
    if not panels:
        raise ArgumentInvalid("`findings` has no metric with a value, so there is nothing to draw.")
    if ax is not None:
        _draw_panel(ax, panels[0], findings.facts)
        return ax.figure.figure
    heights = [panel.inches for panel in panels]
    figure = new_figure(WIDTH, sum(heights) + 0.2)
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for one, panel in zip(axes, panels, strict=True):
        _draw_panel(one, panel, findings.facts)
    return figure


def draw_groups(findings: Findings, ax: Axes | None = None, metric: str | None = None, by: str | None = None) -> Figure:
    """Draw one metric for each group, with its interval: is the model as good for all of them?

    Parameters
    ----------
    metric : str, optional
        The primary metric if not given.
    by : str, optional
        One of the columns by which was grouped; all if not given.
    """
    if "groups" not in findings.tables:
        raise ArgumentInvalid("`findings` has no groups; evaluate_predictions(..., by=) makes them.")
    table = findings.tables["groups"].to_pylist()
    metrics = list(dict.fromkeys(row["metric"] for row in table))
    primary = str(findings.facts.get("primary", "")).removeprefix("mean ")
    chosen = metric or (primary if primary in metrics else metrics[0])
    rows = [row for row in table if row["metric"] == chosen and (by is None or row["by"] == by)]
    if not rows:
        raise ArgumentInvalid(
            f"There is no metric {chosen!r} by {by!r}; the metrics are {quoted(metrics)}, "
            f"by {quoted(dict.fromkeys(str(row['by']) for row in table))}."
        )
    overall = [row for row in rows if missing(row.get("class"))] or rows
    several = len({row["by"] for row in overall}) > 1
    named: list[tuple[str, list[dict[str, Any] | None]]] = [(_group_name(row, several), [row]) for row in overall]
    panel = _Panel(
        f"{sentence(metric_name(chosen))} by {_listed(overall)}",
        named,
        [chosen],
        chosen not in (*LOWER_IS_BETTER, *UNITS),
    )
    figure, axes = figure_and_axes(ax, WIDTH, panel.inches + 0.3)
    _draw_panel(axes, panel, {})
    estimate = value_or_none(findings.facts.get("estimate"))
    if chosen == primary and estimate is not None:
        axes.axvline(estimate, color=GREY, linewidth=1, linestyle="--", zorder=1)
        axes.annotate(
            f"all {number(estimate)}",
            (estimate, -0.5),
            (3, 2),
            textcoords="offset points",
            color=GREY,
            fontsize=9,
        )
    return figure


def _group_name(row: dict[str, Any], several: bool) -> str:
    name = f"{drawn(row['group'], 24)}  ({number(row['n'])})"
    if not missing(row.get("class")):
        name = f"{drawn(row['class'], 16)}, {name}"
    return f"{drawn(row['by'], 16)}: {name}" if several else name


def _listed(rows: Sequence[dict[str, Any]]) -> str:
    return ", ".join(drawn(name, 24) for name in dict.fromkeys(row["by"] for row in rows))


def _panels(findings: Findings) -> list[_Panel]:
    rows = [row for row in findings.tables["metrics"].to_pylist() if not missing(row["estimate"])]
    overall = [row for row in rows if missing(row.get("class"))]
    by_class = [row for row in rows if not missing(row.get("class"))]
    more = [row for row in overall if row["metric"] not in (*LOWER_IS_BETTER, *UNITS)]
    more.sort(key=lambda row: row["metric"] != _comparable(findings.facts))  # first, where there is room for the words
    panels = [
        _overall("All photographs: more is better", more, True),
        _overall("All photographs: less is better", [row for row in overall if row["metric"] in LOWER_IS_BETTER], True),
        _overall("Error in the units of the score", [row for row in overall if row["metric"] in UNITS], False),
    ]
    what = {"multi": "attribute", "score": "score"}.get(str(findings.facts.get("task")), "class")
    for series, shares in ((OF_A_CLASS, True), (OF_A_SCORE, True), (UNITS, False)):
        panels.append(_classes(f"By {what}", by_class, series, shares))
    return [panel for panel in panels if panel.rows]


def _overall(title: str, rows: Sequence[dict[str, Any]], shares: bool) -> _Panel:
    several = len({row.get("name") for row in rows}) > 1  # what coders coded may be several columns
    about = [f"{drawn(row['name'], 20)}: " if several else "" for row in rows]
    names = [sentence(name + metric_name(row["metric"])) for name, row in zip(about, rows, strict=True)]
    return _Panel(title, [(name, [row]) for name, row in zip(names, rows, strict=True)], [""], shares)


def _classes(title: str, rows: Sequence[dict[str, Any]], series: Sequence[str], shares: bool) -> _Panel:
    present = [metric for metric in series if any(row["metric"] == metric for row in rows)]
    found = {(str(row["class"]), row["metric"]): row for row in rows}
    names = list(dict.fromkeys(name for name, metric in found if metric in present))
    if len(names) > MOST_CLASSES:
        last = present[-1]
        worst = sorted(names, key=lambda name: found.get((name, last), {"estimate": 2.0})["estimate"])[:MOST_CLASSES]
        title = f"{title}: the {MOST_CLASSES} of {len(names):,} with the least {metric_name(last)}"
        names = worst
    entries = [(drawn(name, 28), [found.get((name, metric)) for metric in present]) for name in names]
    return _Panel(title, entries, present, shares)


def _draw_panel(axes: Axes, panel: _Panel, facts: dict[str, Any]) -> None:
    count = len(panel.series)
    for s, name in enumerate(panel.series):
        places, estimates, lows, highs = [], [], [], []
        for place, (_, entries) in enumerate(panel.rows):
            entry = entries[s]
            if entry is None:
                continue
            places.append(place + (s - (count - 1) / 2) * 0.24)
            estimate = float(entry["estimate"])
            estimates.append(estimate)
            lows.append(estimate - _or(entry["conf_low"], estimate))
            highs.append(_or(entry["conf_high"], estimate) - estimate)
        reach = [[max(value, 0.0) for value in values] for values in (lows, highs)]
        axes.errorbar(
            estimates,
            places,
            xerr=reach,
            fmt=MARKERS[s],
            color=BLUE if count == 1 else COLOURS[s],
            markersize=6 if count == 1 else 5,
            elinewidth=1.6 if count == 1 else 1.2,
            label=metric_name(name) if name else "_",
            zorder=3,
        )
    if count == 1:
        for place, (_, entries) in enumerate(panel.rows):
            entry = entries[0]
            assert entry is not None
            text = f"{number(entry['estimate'])} {interval(entry['conf_low'], entry['conf_high'])}"
            axes.annotate(
                text, (1, place), (6, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                fontsize=9, color=INK, annotation_clip=False,
            )  # fmt: skip
    axes.set_yticks(range(len(panel.rows)), [name for name, _ in panel.rows])
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    _limits(axes, panel)
    light_grid(axes, "x")
    axes.spines["left"].set_visible(False)
    axes.set_title(panel.title)
    if count > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0.2)  # where others have their numbers
    if count == 1 and panel.rows[0][0] == sentence(_comparable(facts)):
        _references(axes, facts)


def _comparable(facts: dict[str, Any]) -> str:
    """Return the metric that baseline and ceiling are comparable with."""
    return "correlation" if facts.get("task") == "score" else "accuracy"


def _limits(axes: Axes, panel: _Panel) -> None:
    values = [
        value
        for _, entries in panel.rows
        for entry in entries
        if entry is not None
        for value in (entry["estimate"], entry["conf_low"], entry["conf_high"])
        if not missing(value)
    ]
    most, least = max(values), min(values)
    if panel.shares and all(row[1][0] is None or row[1][0]["metric"] in LOWER_IS_BETTER for row in panel.rows):
        axes.set_xlim(-0.01 * most, max(most * 1.1, 0.1))
    elif panel.shares:
        axes.set_xlim(min(-0.01, least - 0.03), max(1.01, most + 0.03))
    else:
        axes.set_xlim(0, most * 1.1 or 1)


def _references(axes: Axes, facts: dict[str, Any]) -> None:
    """Draw baseline and ceiling as lines in the first row, that of the metric that they are comparable with."""
    baseline, ceiling = value_or_none(facts.get("baseline")), value_or_none(facts.get("ceiling"))
    left = baseline is not None and baseline >= 0.35
    near = baseline is not None and ceiling is not None and not left and ceiling - baseline < 0.4
    for position, words, ha, line in (
        (baseline, "most frequent class", "right" if left else "left", 0),
        (ceiling, "coders' agreement", "left", 1 if near else 0),
    ):
        if position is None:
            continue
        axes.plot([position, position], [-0.5, 0.42], color=GREY, linewidth=1.4, linestyle="--", label="_")
        axes.annotate(
            f"{words} {number(position)}",
            (position, -0.5),
            (2 if ha == "right" else -2, 3 + 11 * line),
            textcoords="offset points",
            ha=ha,
            fontsize=8.5,
            color=GREY,
            annotation_clip=False,
        )
    axes.set_title(axes.get_title(loc="left"), pad=30 if near else 20)


def _or(value: Any, otherwise: float) -> float:
    return otherwise if missing(value) else float(value)
