"""A figure and its style: made without a display, and without pyplot's global state."""

from __future__ import annotations

import contextlib
import functools
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import DependencyMissing
from .words import families

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), colours that the colour-blind can tell apart; their yellow is too light for lines on white.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, GREY, PALE = "#222222", "#6b6b6b", "#d9d9d9"
WIDTH = 8.0  # inches; with DPI, 1000 pixels
DPI = 125


def need_matplotlib() -> None:
    """Raise `DependencyMissing` where matplotlib cannot be imported."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise DependencyMissing(
            'Pictures need matplotlib, which is not installed: pip install "imagesasdata[plots]".'
        ) from None


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in this package's style inside the context, whatever the user's settings are.

    Neither TeX nor matplotlib's own mathematics may read a text: a file name such as ``$\\frac$`` is none.
    """
    import matplotlib

    settings: Any = {
        "text.usetex": False,
        "text.parse_math": False,
        "axes.formatter.use_mathtext": False,
        "font.family": list(families()),
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 10,
        "axes.labelsize": 10,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.facecolor": "white",
        "figure.facecolor": "white",
        "figure.dpi": DPI,
        "savefig.dpi": "figure",
        "savefig.bbox": None,
        "savefig.facecolor": "auto",
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.8,
        "grid.linestyle": "-",
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.fontsize": 9,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "lines.markersize": 6,
    }
    with matplotlib.rc_context(settings):
        yield


@functools.cache
def _kind() -> type[Figure]:
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that notebooks show, though pyplot does not know it."""

        def _repr_png_(self) -> bytes:
            return picture_bytes(self)

    return Picture


def new_figure(width: float = WIDTH, height: float = 5.0) -> Figure:
    """Return an empty figure, `width` and `height` in inches."""
    return _kind()(figsize=(width, height), dpi=DPI, layout="constrained")


def figure_and_axes(ax: Axes | None, width: float = WIDTH, height: float = 5.0) -> tuple[Figure, Axes]:
    """Return the caller's axes and their figure, or new ones."""
    if ax is None:
        figure = new_figure(width, height)
        return figure, figure.add_subplot()
    return ax.figure.figure, ax  # of a subfigure, the figure that it is in


def no_mathematics(artist: Figure | Axes) -> None:
    """Switch the reading of mathematics off in all texts; axes of the caller's have ticks in the caller's style."""
    from matplotlib.text import Text

    for text in artist.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
        text.set_usetex(False)


def picture_bytes(figure: Figure, kind: str = "png") -> bytes:
    """Return a figure as the content of a file, the same bytes for the same figure."""
    content = io.BytesIO()
    with style():
        figure.savefig(content, format=kind, metadata={"Software": None} if kind == "png" else None)
    return content.getvalue()


def sequential() -> Any:
    """Return a colour map from nearly white over blue to nearly black, whose brightness falls steadily."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("blues", ["#f4f7fa", "#cfe3f1", "#7fb8d8", BLUE, "#003a5c"])


def ink_on(share: float) -> str:
    """Return the colour of text on the colour that `sequential` gives a share of 0 to 1."""
    return "white" if share > 0.55 else INK


def light_grid(ax: Axes, axis: str = "both") -> None:
    """Put a pale grid behind the data."""
    ax.grid(True, axis=axis)  # type: ignore[arg-type]
    ax.tick_params(length=0)


def share_axis(ax: Axes, axes: str = "xy") -> None:
    """Let axes run from 0 to 1, with little room for the line along their ends."""
    for name in axes:
        getattr(ax, f"set_{name}lim")(-0.02, 1.02)
        getattr(ax, f"set_{name}ticks")([0, 0.2, 0.4, 0.6, 0.8, 1.0])


def sentence(text: str) -> str:
    """Return text with its first letter large."""
    return re.sub(r"^.", lambda found: found[0].upper(), text)
