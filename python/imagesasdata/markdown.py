"""Text from outside in Markdown: as it reads, and never as a mark, a tag or a new line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import quoted
from .evaluation_words import plain

BLANK = "*To be filled in by the researcher.*"
MOST_ROWS = 30


def line(text: str, most: int = 120) -> str:
    """Return text on one line, its marks escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", plain(text, most))


def bullets(texts: Sequence[str]) -> str:
    """Return sentences as a list."""
    return "\n".join(f"- {line(text, 600)}" for text in texts)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; of too many rows the first, and the names of some of the rest."""
    shown = [[line(cell) for cell in row] for row in rows[:MOST_ROWS]]
    lines = [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *shown)]
    if len(rows) > MOST_ROWS:
        rest = quoted([line(row[0]) for row in rows[MOST_ROWS:]], 20)
        lines += ["", f"And {len(rows) - MOST_ROWS:,} more: {rest}."]
    return "\n".join(lines)
