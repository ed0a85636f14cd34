"""Contact sheets: photographs side by side, each with its hand label, its predicted label and the probability."""

from __future__ import annotations

import math
import os
import textwrap
from typing import TYPE_CHECKING

from ..cases import Case, cases
from ..errors import ArgumentInvalid
from ..findings import Findings
from ..thumbnails import check_image_dir, grey_tile, thumbnail
from .figure import GREY, INK, RED, WIDTH, figure_and_axes
from .words import drawn, fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "errors": "The most confident errors",
    "uncertain": "The photographs of which the model is least certain",
}
NONE = {"errors": "There is no error.", "uncertain": "There is no photograph with a probability."}
PICTURE, CAPTION = 0.94, 0.36  # of a column's width


def draw_contact_sheet(
    findings: Findings,
    which: str,
    ax: Axes | None = None,
    n: int = 20,
    image_dir: str | os.PathLike[str] | None = None,
    columns: int = 5,
) -> Figure:
    """Draw the most confident errors, or the least certain photographs.

    Parameters
    ----------
    which : {"errors", "uncertain"}
        As in `cases`.
    n : int
        At most so many photographs.
    image_dir : path, optional
        Where relative paths start.
    columns : int
        Photographs in a row.
    """
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise ArgumentInvalid(f"`columns` is {columns!r}; it must be a whole number above 0.")
    check_image_dir(image_dir)
    found = cases(findings, which, n)
    columns = min(columns, max(len(found), 3))
    rows = max(1, math.ceil(len(found) / columns))
    height = rows * (1 + CAPTION) * WIDTH / columns + 0.3
    figure, axes = figure_and_axes(ax, WIDTH, height if found else 1.2)
    axes.set_axis_off()
    axes.set_title(sheet_title(findings, which) if found else NONE[which])
    if not found:
        return figure
    for place, case in enumerate(found):
        _draw_case(axes, case, place % columns, place // columns * (1 + CAPTION), image_dir, columns)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows * (1 + CAPTION), 0)
    axes.set_aspect("equal", anchor="N")
    return figure


def case_words(case: Case) -> tuple[str, str]:
    """Return what people said and what the model says, each as a line."""
    about = f"{case.about}, " if case.about is not None else ""
    prob = "" if case.prob is None else f" ({case.prob:.2f})"
    return f"{about}hand: {case.truth}", f"model: {case.label}{prob}"


def sheet_title(findings: Findings, which: str) -> str:
    """Return what a contact sheet shows."""
    if which == "errors" and findings.facts.get("task") == "score":
        return "The largest errors"
    return TITLES[which]


def _draw_case(
    axes: Axes, case: Case, left: float, top: float, image_dir: str | os.PathLike[str] | None, columns: int
) -> None:
    pixels, problem = thumbnail(case.image, image_dir)
    shown = grey_tile() if pixels is None else pixels
    height, width = shown.shape[:2]
    longer = max(height, width)
    w, h = PICTURE * width / longer, PICTURE * height / longer
    x, y = left + (1 - w) / 2, top + (PICTURE - h)  # on the caption
    picture = axes.imshow(shown, extent=(x, x + w, y + h, y), interpolation="antialiased")
    picture.set_gid(case.image)
    edge = left + (1 - PICTURE) / 2
    room = 72 * WIDTH / columns * PICTURE  # points, for a line of the caption
    if problem is not None:
        reason = textwrap.fill(drawn(problem, 90), max(8, int(room / 5.5)))
        axes.text(x + w / 2, y + h / 2, reason, ha="center", va="center", fontsize=7.5, color=INK)
    truth, label = case_words(case)
    wrong = case.right is False
    weight, colour = ("bold", RED) if wrong else ("normal", INK)
    base = top + PICTURE
    axes.text(edge, base + 0.035, fitted(truth, room, 8), va="top", fontsize=8, color=INK)
    axes.text(edge, base + 0.14, fitted(label, room, 8, weight), va="top", fontsize=8, color=colour, weight=weight)
    name = os.path.basename(case.image) or case.image
    axes.text(edge, base + 0.25, fitted(name, room, 7), va="top", fontsize=7, color=GREY)
