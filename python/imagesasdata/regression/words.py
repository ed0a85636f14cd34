"""Estimates as text: with the digits that their standard errors give a meaning, in columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

DIGITS = 3  # of the least standard error of a row
MOST_DECIMALS, MOST_FIXED = 6, 1e8  # beyond these, powers of ten
Number = float | None


def in_words(values: Sequence[Number], errors: Sequence[Number]) -> list[str]:
    """Return numbers of one row as text, all to the last digit that matters beside the least of their errors.

    Examples
    --------
    >>> in_words([1.23456, 0.0512, None], [0.0512])
    ['1.2346', '0.0512', '-']
    >>> in_words([1.23456e-6, 3.2e-7], [3.2e-7]), in_words([1.23456e9, 3.2e7], [3.2e7])
    (['1.235e-06', '3.20e-07'], ['1.2346e+09', '3.20e+07'])
    """
    known = [abs(value) for value in values if _known(value)]
    scale = min((error for error in errors if _known(error) and error > 0), default=max(known, default=0))
    last = DIGITS - 1 - _exponent(scale)
    fixed = last <= MOST_DECIMALS and max(known, default=0) < MOST_FIXED
    return [_text(value, last, fixed) if _known(value) else "-" for value in values]


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines of text: the first column to the left, the others to the right, two spaces between.

    Examples
    --------
    >>> in_columns([["term", "n"], ["a", "12"], ["long name", "1,234"]])
    ['term           n', 'a             12', 'long name  1,234']
    """
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(w) if j else cell.ljust(w) for j, (cell, w) in enumerate(zip(row, wide, strict=True)))
        for row in rows
    ]


def _known(value: Number) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _text(value: float, last: int, fixed: bool) -> str:
    """Return a number of which the decimal place `last` is the last that is shown."""
    decimals = last if fixed else min(last + _exponent(value), MOST_DECIMALS)
    return f"{value:.{max(decimals, 0)}{'f' if fixed else 'e'}}" if fixed or value else "0"
