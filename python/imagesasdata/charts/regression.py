"""Coefficients side by side, corrected shares, and standard errors by number of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..findings import Findings
from .figure import BLUE, COLOURS, DASHES, GREY, RED, WIDTH, figure_and_axes, light_grid
from .words import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What is drawn, in which colour and with which marker; the corrected estimate stands out.
WAYS = {
    "naive": ("predictions taken for labels", RED, "s"),
    "labels": ("hand labels alone", GREY, "^"),
    "corrected": ("corrected", BLUE, "o"),
}
ROW = 0.55  # inches
MOST_TERMS = 6  # lines in one picture
HIDDEN = ("Intercept", "(Intercept)", "const", "alpha")


def draw_coefficients(findings: Findings, ax: Axes | None = None, intercept: bool = False) -> Figure:
    """Draw the coefficients with their intervals: from predictions, from hand labels alone, and corrected.

    Parameters
    ----------
    intercept : bool
        Draw the intercept, and the ``alpha`` of a negative binomial model, too.
    """
    rows = findings.tables["estimates"].to_pylist()
    rows = [row for row in rows if intercept or row["term"] not in HIDDEN] or rows
    figure, axes = figure_and_axes(ax, WIDTH, ROW * len(rows) + 1.6)
    for i, (which, (words, colour, marker)) in enumerate(WAYS.items()):
        there = [(j, row) for j, row in enumerate(rows) if row[f"{which}_estimate"] is not None]
        if not there:
            continue
        at = np.array([j for j, _ in there]) + 0.22 * (i - 1)
        middle = np.array([row[f"{which}_estimate"] for _, row in there])
        low = np.array([row[f"{which}_conf_low"] for _, row in there])
        high = np.array([row[f"{which}_conf_high"] for _, row in there])
        axes.errorbar(
            middle, at, xerr=[middle - low, high - middle], fmt=marker, color=colour, label=words, elinewidth=1.6
        )
    axes.axvline(0, color=GREY, linewidth=1, linestyle="--", zorder=1)
    axes.set_yticks(range(len(rows)), [drawn(row["term"], 30) for row in rows])
    axes.set_ylim(len(rows) - 0.45, -0.55)
    light_grid(axes, "x")
    axes.set_xlabel(f"coefficient, with {100 * findings.facts['conf_level']:g} percent interval")
    axes.set_title("What the errors of the predictions do to the coefficients")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.55 / (ROW * len(rows) + 0.4)), ncols=3)
    return figure


def draw_shares(findings: Findings, ax: Axes | None = None) -> Figure:
    """Draw corrected shares, or means, with their intervals, and beside them the share of the predictions."""
    rows = findings.tables["shares"].to_pylist()
    figure, axes = figure_and_axes(ax, WIDTH, 0.42 * len(rows) + 1.6)
    at = np.arange(len(rows))
    values = {
        key: np.array([np.nan if row[key] is None else row[key] for row in rows])
        for key in ("estimate", "conf_low", "conf_high", "naive")
    }
    middle = values["estimate"]
    # The estimate of a share may lie beyond 0 or 1, where its limits are cut.
    spread = np.maximum([middle - values["conf_low"], values["conf_high"] - middle], 0)
    axes.errorbar(middle, at, xerr=spread, fmt="o", color=BLUE, elinewidth=1.6, label="corrected")
    axes.plot(values["naive"], at, linestyle="none", marker="s", color=RED, label="predictions taken for labels")
    names = [drawn(" ".join(filter(None, (row["class"], row["group"] or "all"))), 30) for row in rows]
    axes.set_yticks(at, [f"{name}  ({row['n_labelled']:,} labels)" for name, row in zip(names, rows, strict=True)])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    light_grid(axes, "x")
    variable = drawn(str(findings.facts.get("variable", "it")), 30)
    axes.set_xlabel(f"estimate, with {100 * findings.facts['conf_level']:g} percent interval")
    axes.set_title(f"{variable}: how much of it there is")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.55 / (0.42 * len(rows) + 0.4)), ncols=2)
    return figure


def draw_power(findings: Findings, ax: Axes | None = None) -> Figure:
    """Draw the standard errors over the number of hand labels (log scale); a dotted line where those at hand are."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    rows = findings.tables["power"].to_pylist()
    terms = list(dict.fromkeys(row["term"] for row in rows))
    shown = [term for term in terms if term not in HIDDEN][:MOST_TERMS] or terms[:MOST_TERMS]
    figure, axes = figure_and_axes(ax, WIDTH, 4.8)
    for i, term in enumerate(shown):
        own = sorted((row["n_labelled"], row["std_error"]) for row in rows if row["term"] == term)
        m, error = np.array(own).T
        axes.plot(m, error, color=COLOURS[i], linestyle=DASHES[i], label=drawn(term, 30))
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    at_hand = findings.facts["n_labelled"]
    axes.axvline(at_hand, color=GREY, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        f"at hand: {at_hand:,}",
        (at_hand, 1),
        (4, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize=9,
        color=GREY,
    )
    axes.set_ylim(0, None)
    light_grid(axes)
    axes.set_xlabel("hand labels (log scale)")
    axes.set_ylabel("standard error")
    axes.set_title("What more hand labels would bring")
    axes.legend(loc="upper right")
    return figure
