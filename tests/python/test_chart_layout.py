"""Pictures have room for what is written in them."""

from __future__ import annotations

import itertools

import found as made
import pytest

pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from imagesasdata.plots import plot_findings

LONG = {
    "two": ("peaceful protest", "violent confrontation"),
    "three": ("counter-demonstration", "police line", "peaceful protest"),
    "four": tuple(f"{word} demonstration by night" for word in ("small", "large", "silent", "loud")),
    "twenty-five": tuple(f"a rather long name {i:02d}" for i in range(25)),
}


@pytest.mark.parametrize("classes", LONG.values(), ids=LONG)
def test_names_of_classes_are_neither_cut_off_nor_over_each_other(classes: tuple[str, ...]) -> None:
    figure = plot_findings(made.single(classes=classes), "confusion")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axes = figure.axes[0]
    for text in (axes.xaxis.label, axes.yaxis.label, axes.title, *axes.get_xticklabels(), *axes.get_yticklabels()):
        box = text.get_window_extent(canvas.get_renderer())
        assert box.x0 >= 0 and box.y0 >= 0, text.get_text()
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, text.get_text()
    labels = axes.get_xticklabels()
    if not labels[0].get_rotation():
        boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels]
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))
    assert figure.get_figwidth() <= 8


def test_names_that_fit_below_their_column_are_level() -> None:
    labels = plot_findings(made.single(classes=("police", "protester")), "confusion").axes[0].get_xticklabels()
    assert [label.get_rotation() for label in labels] == [0, 0]


def test_the_legend_of_precision_and_recall_covers_no_curve() -> None:
    figure = plot_findings(made.single(), "pr")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    box = axes.get_legend().get_window_extent(canvas.get_renderer())
    assert not box.overlaps(axes.bbox)
    assert box.x1 <= figure.bbox.x1
    own = Figure()
    plot_findings(made.single(), "pr", ax=own.add_subplot())
    assert own.axes[0].get_legend()._loc == 0  # "best"
