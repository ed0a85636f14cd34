"""Words in pictures and pages: text from outside made plain, and numbers as they are read."""

from __future__ import annotations

import functools
import math
import unicodedata
from typing import Any

# Of these, matplotlib takes the first installed one that has the letter; it brings DejaVu Sans itself.
FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Hiragino Sans",
    "PingFang SC",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Segoe UI Symbol",
)
MISSING = "\N{EN DASH}"
STRANGE = "\N{REPLACEMENT CHARACTER}"
METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "calibration_error": "calibration error",
    "log_loss": "log loss",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}


def metric_name(metric: str) -> str:
    """Return a metric's name as people write it."""
    return METRICS.get(metric, metric.replace("_", " "))


def number(value: Any, digits: int = 3) -> str:
    """Return a number as it is read: whole numbers with commas, others with `digits` decimals, a dash for none."""
    if missing(value):
        return MISSING
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int) or (hasattr(value, "dtype") and value.dtype.kind in "iu"):
        return f"{int(value):,}"
    text = f"{float(value):,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text  # no minus before nothing


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """Return an interval in brackets, or nothing where there is none."""
    return "" if missing(low) or missing(high) else f"[{number(low, digits)}, {number(high, digits)}]"


def missing(value: Any) -> bool:
    """Say whether there is no value: null, NaN or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def value_or_none(value: Any) -> float | None:
    """Return a number, or None where there is none."""
    return None if missing(value) else float(value)


def plain(text: object, most: int | None = None) -> str:
    """Return text from outside on one line: no control characters, none that turn its direction, and not too long.

    File names may hold anything but a slash. What is cut out of the middle of a long one is an ellipsis, since its end
    tells files apart as often as its beginning.
    """
    kept = "".join(map(_kept, "" if text is None else str(text)))
    kept = " ".join(kept.split())
    if most is None or len(kept) <= most:
        return kept
    tail = (most - 1) // 2
    return f"{kept[: most - 1 - tail]}\N{HORIZONTAL ELLIPSIS}{kept[len(kept) - tail :]}"


def drawn(text: object, most: int | None = None) -> str:
    """Return the same for a picture: letters that no installed font has become a question mark in a diamond."""
    return "".join(letter if ord(letter) in _letters() else STRANGE for letter in plain(text, most))


def fitted(text: object, points: float, size: float, weight: str = "normal") -> str:
    """Return text for a picture, cut so that it is at most so many points wide in letters of a size."""
    most = len(plain(text))
    while most > 3:
        shown = drawn(text, most)
        width = width_of(shown, size, weight)
        if width <= points:
            return shown
        most = min(most - 1, max(3, int(len(shown) * points / width) + 1))
    return drawn(text, most)


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Return how many points wide a text is in letters of a size."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=list(families()), size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def _kept(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    if category == "Cs":  # half an emoji, which no file can hold
        return STRANGE
    return "" if category == "Cf" else letter


@functools.cache
def families() -> tuple[str, ...]:
    """Return those of `FAMILIES` that are installed."""
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return tuple(name for name in FAMILIES if name in installed)


@functools.cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    found: set[int] = set()
    for name in families():
        found.update(get_font(findfont(FontProperties(family=name))).get_charmap())
    return frozenset(found)
