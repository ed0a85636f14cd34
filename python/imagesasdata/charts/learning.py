"""The learning curve: how good a model becomes with more labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..findings import Findings
from .figure import BLUE, GREY, WIDTH, figure_and_axes, light_grid, sentence
from .words import interval, metric_name, number, value_or_none

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLOSE = 1.25  # sizes that differ by less get no tick each


def draw_learning_curve(findings: Findings, ax: Axes | None = None) -> Figure:
    """Draw the primary metric over the number of labelled photographs (log scale), with its interval."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    table = findings.tables["curve"].to_pandas().sort_values("n")
    facts = findings.facts
    n, estimate = table["n"].to_numpy(float), table["estimate"].to_numpy(float)
    low, high = table["conf_low"].to_numpy(float), table["conf_high"].to_numpy(float)
    metrics = table["metric"].tolist() if "metric" in table.columns else []
    metric = str(facts.get("primary") or (metrics[0] if metrics else "accuracy"))
    figure, axes = figure_and_axes(ax, WIDTH, 4.8)
    axes.fill_between(n, low, high, color=BLUE, alpha=0.18, linewidth=0, zorder=2)
    axes.plot(n, estimate, color=BLUE, marker="o", zorder=3)
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    ticks = _spread(n)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{int(tick):,}" for tick in ticks]))
    for key, words, above in (("baseline", "most frequent class", True), ("ceiling", "coders' agreement", False)):
        value = value_or_none(facts.get(key))
        if value is not None and metric == "accuracy":
            axes.axhline(value, color=GREY, linewidth=1, linestyle="--", zorder=1)
            axes.annotate(
                f"{words} {number(value)}",
                (1, value),
                (-2, 3 if above else -3),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha="right",
                va="bottom" if above else "top",
                fontsize=9,
                color=GREY,
            )
    light_grid(axes)
    primary = metric_name(metric)
    axes.set_ylabel(primary)
    axes.set_xlabel("labelled photographs to learn from (log scale)")
    title = f"{sentence(primary)} by number of labels"
    gain = value_or_none(facts.get("gain_100"))
    if gain is not None:
        between = interval(facts.get("gain_100_low"), facts.get("gain_100_high"))
        title += f"\n100 more are expected to add {gain:+.3f} {between}".rstrip()
    axes.set_title(title)
    if len(n) and np.isfinite(high).any():
        last = int(np.argmax(n))
        axes.annotate(
            number(float(estimate[last])),
            (n[last], estimate[last]),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=BLUE,
            weight="bold",
            annotation_clip=False,
        )
    return figure


def _spread(sizes: np.ndarray) -> list[float]:
    """Return the sizes whose ticks do not run into each other, the last one always among them."""
    kept: list[float] = []
    for size in sorted(set(sizes.tolist()), reverse=True):
        if not kept or kept[-1] / size >= CLOSE:
            kept.append(size)
    return kept[::-1]
