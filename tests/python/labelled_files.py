"""Files to label, whose pixels do not matter, and ways to look at the labels that were read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from imagesasdata.labels import Labels

HOSTILE = [
    "=cmd|calc.jpg",
    "<script>alert(1)</script>.jpg".replace("/", "∕"),
    "line\nbreak.jpg",
    "📷 é.jpg",
    "'; DROP TABLE.jpg",
    " .jpg",
]


def write(paths: Iterable[Path]) -> None:
    """Write files, each with its own bytes."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photograph " + os.fsencode(path))


def table(**columns: Any) -> pd.DataFrame:
    """As many photographs as there are labels, beside them."""
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"image": [f"{i}.jpg" for i in range(n)], **columns})


def said(labels: Labels, words: str) -> str:
    """The one note with these words in it."""
    (note,) = [note for note in labels.notes if words in note]
    return note


def classes_of(labels: Labels) -> list[str]:
    return [labels.names[code] for code in labels.codes]


def copied(photos: Path, *pairs: tuple[int, int]) -> None:
    for a, b in pairs:
        (photos / f"{b}.jpg").write_bytes((photos / f"{a}.jpg").read_bytes())
