"""Confusion matrices: what hand label became what label, as counts and as shares of a row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import ArgumentInvalid, quoted
from ..findings import Findings
from .figure import BLUE, WIDTH, figure_and_axes, ink_on, light_grid, new_figure, sequential
from .words import drawn, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES = 25
MOST_SHARES = 10  # classes, up to which a cell has room for its share too
MOST_BLOCKS = 12


def draw_confusion(
    findings: Findings, ax: Axes | None = None, class_name: str | None = None, top: int = MOST_CLASSES
) -> Figure:
    """Draw the confusion matrix; beyond 25 classes, the `top` pairs of classes that are most often confused.

    Parameters
    ----------
    class_name : str, optional
        One attribute, where there are several.
    top : int
        How many pairs, with more than 25 classes.
    """
    table = findings.tables["confusion"].to_pandas()
    if "attribute" in table.columns:
        return _draw_attributes(table, ax, class_name)
    if class_name is not None:
        raise ArgumentInvalid("`class_name` is for several attributes; these are exclusive classes.")
    names, counts = matrix(table)
    if len(names) > MOST_CLASSES:
        return _draw_pairs(names, counts, ax, top)
    bar_width = 0.9 if len(names) > MOST_SHARES else 0.2
    row_labels, column_labels = _labels(names, counts)
    left = _widest(row_labels, names) + 0.5
    cell = min(max(0.55, 2.2 / len(names)), (WIDTH - left - bar_width) / len(names))
    slanted = _widest(column_labels, names) > cell - 0.1
    below = (0.72 * _widest(column_labels, names) if slanted else 0.2) + 0.35
    side = cell * len(names)
    figure, axes = figure_and_axes(ax, max(left + side + bar_width, 4.0), side + below + 0.4)
    _draw_matrix(axes, names, counts, slanted=slanted)
    axes.set_title(f"{int(counts.sum()):,} photographs")
    if len(names) > MOST_SHARES:
        bar = figure.colorbar(axes.images[0], ax=axes, shrink=0.5, aspect=18, label="share of the hand label")
        bar.outline.set_visible(False)
    return figure


def matrix(table: pd.DataFrame) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the classes, and counts ``[k, k]`` with a row for each hand label, of a table ``truth, label, n``."""
    names = list(dict.fromkeys([*table["truth"].astype(str), *table["label"].astype(str)]))
    place = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    rows, columns = table["truth"].astype(str).map(place), table["label"].astype(str).map(place)
    np.add.at(counts, (rows.to_numpy(int), columns.to_numpy(int)), table["n"].to_numpy(np.int64))
    return names, counts


def shares_of_rows(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return counts as shares of their row, 0 where the row is empty."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _labels(names: list[str], counts: npt.NDArray[np.int64], most: int = 24) -> tuple[list[str], list[str]]:
    """Return what is written beside the rows and below the columns."""
    columns = [drawn(name, most) for name in names]
    return [f"{name}  ({n:,})" for name, n in zip(columns, counts.sum(axis=1), strict=True)], columns


def _size(names: list[str]) -> float:
    return 9 if len(names) <= 15 else 7.5


def _widest(labels: list[str], names: list[str]) -> float:
    """Return the width of the widest label in inches."""
    return max(width_of(label, _size(names)) for label in labels) / 72


def _draw_matrix(
    axes: Axes, names: list[str], counts: npt.NDArray[np.int64], small: bool = False, slanted: bool = False
) -> None:
    k = len(names)
    shares = shares_of_rows(counts)
    axes.imshow(shares, cmap=sequential(), vmin=0, vmax=1)
    size = 9.5 if k <= MOST_SHARES else max(5.5, 10.5 - 0.2 * k)
    for i, j in np.ndindex(k, k):
        n, share = int(counts[i, j]), float(shares[i, j])
        if n == 0 and (i != j or k > MOST_SHARES):
            continue  # an empty cell says it best
        text = f"{n:,}" if k > MOST_SHARES else f"{n:,}\n{share:.0%}"
        axes.text(j, i, text, ha="center", va="center", fontsize=size, color=ink_on(share), linespacing=1.25)
    rows, columns = _labels(names, counts, 14 if small else 24)
    axes.set_xticks(range(k), columns)
    axes.set_yticks(range(k), rows)
    axes.tick_params(labelsize=_size(names), length=0)
    if slanted:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xticks(np.arange(k - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(k - 1) + 0.5, minor=True)
    axes.grid(True, which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_ylabel("label by hand (photographs)")
    axes.set_xlabel("label by the model")


def _draw_pairs(names: list[str], counts: npt.NDArray[np.int64], ax: Axes | None, top: int) -> Figure:
    """Draw the most frequent confusions as bars: a matrix of so many classes cannot be read."""
    shares = shares_of_rows(counts)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.lexsort((-shares.ravel(), -wrong.ravel()))[: max(1, min(top, np.count_nonzero(wrong)))]
    pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[i, j]]
    figure, axes = figure_and_axes(ax, WIDTH, 1.5 + 0.27 * max(len(pairs), 3))
    values = [int(wrong[pair]) for pair in pairs]
    axes.barh(range(len(pairs)), values, color=BLUE, height=0.62)
    for place, (pair, n) in enumerate(zip(pairs, values, strict=True)):
        axes.annotate(
            f"{n:,}  ({shares[pair]:.0%})", (n, place), (4, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_yticks(
        range(len(pairs)), [f"{drawn(names[i], 24)} \N{RIGHTWARDS ARROW} {drawn(names[j], 24)}" for i, j in pairs]
    )
    light_grid(axes, "x")
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.15)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.set_xlabel(f"photographs (share of the hand label); of {len(names):,} classes")
    axes.set_title("Most often confused: by hand \N{RIGHTWARDS ARROW} by the model")
    return figure


def _draw_attributes(table: pd.DataFrame, ax: Axes | None, class_name: str | None) -> Figure:
    """Draw a small matrix for each attribute."""
    blocks = {str(name): block for name, block in table.groupby("attribute", sort=False, observed=True)}
    if class_name is not None and class_name not in blocks:
        raise ArgumentInvalid(f'`class_name` is "{class_name}"; the attributes are {quoted(blocks)}.')
    if class_name is not None or len(blocks) == 1:
        name = class_name if class_name is not None else next(iter(blocks))
        figure, axes = figure_and_axes(ax, 5.0, 4.0)
        _draw_matrix(axes, *matrix(blocks[name]))
        axes.set_title(drawn(name, 40))
        return figure
    if ax is not None:
        raise ArgumentInvalid(f"With `ax`, give `class_name` too, one of the attributes {quoted(blocks)}.")
    most = {name: _wrong(block) for name, block in blocks.items()}
    shown = sorted(blocks, key=lambda name: -most[name])[:MOST_BLOCKS] if len(blocks) > MOST_BLOCKS else list(blocks)
    columns = min(len(shown), 3)
    rows = math.ceil(len(shown) / columns)
    figure = new_figure(WIDTH, 2.9 * rows)
    for i, name in enumerate(shown):
        axes = figure.add_subplot(rows, columns, i + 1)
        _draw_matrix(axes, *matrix(blocks[name]), small=True)
        axes.set_title(drawn(name, 28))
        if i % columns:
            axes.set_ylabel("")
        if i + columns < len(shown):
            axes.set_xlabel("")
    if len(shown) < len(blocks):
        figure.suptitle(f"The {len(shown)} of {len(blocks):,} attributes with the most errors", x=0.01, ha="left")
    return figure


def _wrong(block: pd.DataFrame) -> int:
    names, counts = matrix(block)
    return int(counts.sum() - np.trace(counts)) if names else 0
