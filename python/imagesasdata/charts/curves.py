"""Curves over thresholds and probabilities: ROC, precision and recall, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import ArgumentInvalid, quoted
from ..findings import Findings
from .figure import BLUE, COLOURS, DASHES, GREY, PALE, WIDTH, figure_and_axes, light_grid, new_figure, share_axis
from .words import drawn, interval, missing, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

MOST_LINES = len(COLOURS)
WORST = 5
MOST_PANELS = 9
BINS = 20


def draw_roc(findings: Findings, ax: Axes | None = None, class_name: str | Sequence[str] | None = None) -> Figure:
    """Draw ROC curves (Fawcett 2006), one for each class against the others.

    Parameters
    ----------
    class_name : str or list of str, optional
        Classes or attributes; all if not given. With more than 7, the 5 with the least area stand out from the others.
    """
    figure, axes = figure_and_axes(ax, 6.8, 5.6)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "by chance",
        (0.62, 0.62),
        (4, -4),
        textcoords="offset points",
        color=GREY,
        fontsize=9,
        rotation=45,
        rotation_mode="anchor",
        va="top",
    )
    _draw_lines(axes, findings, "roc", ("fpr", "tpr"), "roc_auc", class_name, {"loc": "lower right"})
    axes.set_xlabel("share of the others that are taken for the class (false positives)")
    axes.set_ylabel("share of the class that is found (recall)")
    axes.set_title("ROC curve")
    return figure


def draw_pr(findings: Findings, ax: Axes | None = None, class_name: str | Sequence[str] | None = None) -> Figure:
    """Draw precision-recall curves (Davis and Goadrich 2006), one for each class against the others.

    Parameters
    ----------
    class_name : str or list of str, optional
        As in `draw_roc`.
    """
    figure, axes = figure_and_axes(ax, WIDTH, 4.8)
    # The curves can be anywhere: the legend is beside them, or where most room is in axes of the caller's.
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.01)} if ax is None else {"loc": "best"}
    _draw_lines(axes, findings, "pr", ("recall", "precision"), "pr_auc", class_name, place)
    axes.set_xlabel("share of the class that is found (recall)")
    axes.set_ylabel("share of what is found that is right (precision)")
    axes.set_title("Precision and recall")
    return figure


def draw_calibration(
    findings: Findings, ax: Axes | None = None, class_name: str | Sequence[str] | None = None
) -> Figure:
    """Draw reliability diagrams: how often a label is right, by its probability, and how often each probability occurs.

    Parameters
    ----------
    class_name : str or list of str, optional
        Classes or attributes; by default all classes together, where the table has that, or else each one.
    """
    table = findings.tables["calibration"].to_pandas()
    parts = _by_class(table, class_name)
    if class_name is None and None in parts:
        parts = {None: parts[None]}
    if ax is not None:
        if len(parts) > 1:
            raise ArgumentInvalid(f"With `ax`, give one `class_name` of {quoted(map(str, parts))}.")
        name, part = next(iter(parts.items()))
        _draw_reliability(ax, part)
        ax.set_title(_title(name))
        ax.set_xlabel("probability")
        return ax.figure.figure
    # The classes furthest from the diagonal, where there are too many to show.
    shown = list(parts)
    if len(shown) > MOST_PANELS:
        shown = sorted(shown, key=lambda name: -_distance(parts[name]))[:MOST_PANELS]
    columns = min(len(shown), 3)
    rows = math.ceil(len(shown) / columns)
    figure = new_figure(5.6 if columns == 1 else WIDTH, 5.6 if columns == 1 else rows * WIDTH / columns * 1.25)
    grid = figure.add_gridspec(rows, columns)
    for i, name in enumerate(shown):
        values = _probabilities(findings, name)
        place = grid[i // columns, i % columns]
        _draw_panel(figure, place, name, parts[name], values, first=i % columns == 0, alone=len(shown) == 1)
    if len(shown) < len(parts):
        figure.suptitle(f"The {len(shown)} of {len(parts):,} classes that are calibrated worst", x=0.01, ha="left")
    return figure


def _draw_lines(
    axes: Axes,
    findings: Findings,
    table: str,
    columns: tuple[str, str],
    metric: str,
    class_name: str | Sequence[str] | None,
    place: Mapping[str, Any],
) -> None:
    parts = _by_class(findings.tables[table].to_pandas(), class_name)
    areas = _areas(findings, metric)
    names = list(parts)
    many = len(names) > MOST_LINES
    if many:
        names = sorted(names, key=lambda name: areas.get(name, (math.inf,))[0])
    shown = names[:WORST] if many else names
    for name in names[len(shown) :]:
        axes.plot(*(parts[name][c] for c in columns), color=PALE, linewidth=1, zorder=2, label="_")
    for i, name in enumerate(shown):
        area = areas.get(name)
        label = _title(name, "all classes")
        if area is not None:
            label += f"  {number(area[0])} {interval(*area[1:])}"
        x, y = (parts[name][c] for c in columns)
        axes.plot(x, y, color=COLOURS[i], linestyle=DASHES[i], zorder=4, label=label)
    share_axis(axes)
    axes.set_aspect("equal")
    light_grid(axes)
    if shown:
        axes.legend(
            title=f"least area of {len(names):,}" if many else "area under the curve" if areas else None,
            **place,
            alignment="left",
            frameon=True,
            facecolor="white",
            edgecolor="none",
            framealpha=0.85,
            handlelength=2.6,
        )


def _by_class(table: pd.DataFrame, class_name: str | Sequence[str] | None) -> dict[str | None, pd.DataFrame]:
    """Return the rows of each class, in order; the key is None where they are about no single class."""
    keys = [None if missing(key) else str(key) for key in table["class"].tolist()]
    order = list(dict.fromkeys(keys))
    rows: dict[str | None, list[int]] = {key: [] for key in order}
    for i, key in enumerate(keys):
        rows[key].append(i)
    if class_name is not None:
        wanted = [class_name] if isinstance(class_name, str) else list(class_name)
        unknown = [name for name in wanted if name not in rows]
        if unknown:
            raise ArgumentInvalid(
                f"`class_name` is {quoted(map(repr, unknown))}; there are {quoted(str(k) for k in order if k)}."
            )
        order = list(wanted)
    return {key: table.iloc[rows[key]] for key in order}


def _areas(findings: Findings, metric: str) -> dict[str | None, tuple[Any, Any, Any]]:
    if "metrics" not in findings.tables:
        return {}
    rows = [row for row in findings.tables["metrics"].to_pylist() if row["metric"] == metric]
    return {
        row.get("class"): (row["estimate"], row["conf_low"], row["conf_high"])
        for row in rows
        if not missing(row["estimate"])
    }


def _title(name: str | None, otherwise: str = "Calibration") -> str:
    return otherwise if name is None else drawn(name, 28)


def _distance(part: pd.DataFrame) -> float:
    weights = part["n"].to_numpy(float)
    gaps = np.abs(part["prob"].to_numpy(float) - part["share"].to_numpy(float))
    return float((gaps * weights).sum() / max(weights.sum(), 1))


def _probabilities(findings: Findings, name: str | None) -> npt.NDArray[np.float64] | None:
    """Return the probabilities behind a diagram, None where the findings do not keep them."""
    column = "prob" if name is None else f"prob_{name}"
    predictions = findings.tables.get("predictions")
    if predictions is None or predictions.column_names.count(column) != 1:
        return None
    values = predictions[column].to_pandas().to_numpy(float)
    return np.asarray(values[np.isfinite(values)])


def _draw_panel(
    figure: Figure,
    place: SubplotSpec,
    name: str | None,
    part: pd.DataFrame,
    values: npt.NDArray[np.float64] | None,
    first: bool,
    alone: bool,
) -> None:
    rows = place.subgridspec(2, 1, height_ratios=[4, 1])
    above = figure.add_subplot(rows[0])
    below = figure.add_subplot(rows[1], sharex=above)
    above.tick_params(labelbottom=False)
    _draw_reliability(above, part)
    above.set_title(_title(name))
    if values is None:
        counts, edges = np.histogram(part["prob"], BINS, (0, 1), weights=part["n"])
    else:
        counts, edges = np.histogram(values, BINS, (0, 1))
    below.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, alpha=0.45, linewidth=0)
    below.set_xlabel("probability")
    below.tick_params(length=0)
    below.locator_params(axis="y", nbins=2, integer=True)
    below.spines["left"].set_visible(False)
    below.set_ylabel("photographs" if alone else "n")
    if not first:
        above.set_ylabel("")
        below.set_ylabel("")


def _draw_reliability(axes: Axes, part: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", zorder=1)
    x, y = part["prob"].to_numpy(float), part["share"].to_numpy(float)
    low, high = part["conf_low"].to_numpy(float), part["conf_high"].to_numpy(float)
    reach = np.nan_to_num(np.stack([y - low, high - y]))
    axes.errorbar(
        x, y, np.maximum(reach, 0), color=BLUE, marker="o", linewidth=1.4, elinewidth=1.2, markersize=5, zorder=3
    )
    share_axis(axes)
    light_grid(axes)
    axes.set_ylabel("share that is right")
