"""How far the rows of a table are independent evidence: photographs, clusters of them, and folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .answers import class_text, is_missing
from .metrics import Codes, Flags

APART = 0.9  # groups a photograph, below which intervals count groups and not photographs
# Columns that cross-validation adds to its predictions.
FOLD, REPEAT, GROUP = "fold", "repeat", "group"


@dataclass(frozen=True)
class Evidence:
    """What n rows are about, and how exactly an estimate from them is known.

    Attributes
    ----------
    photographs : numpy.ndarray
        ``[n]``: rows with equal numbers are about one photograph.
    clusters : numpy.ndarray or None
        ``[n]``: rows with equal numbers are resampled together.
    inflation : float
        By how much the variance of an estimate is greater than by the draw of photographs alone.
    """

    photographs: Codes
    clusters: Codes | None = None
    inflation: float = 1.0

    def take(self, rows: npt.NDArray[np.intp] | Flags) -> Evidence:
        """Return some rows."""
        clusters = None if self.clusters is None else self.clusters[rows]
        return Evidence(self.photographs[rows], clusters, self.inflation)

    def count(self, rows: Flags | None = None) -> int:
        """Return the number of photographs, of all rows or of some."""
        return len(np.unique(self.photographs if rows is None else self.photographs[rows]))

    def count_clusters(self) -> int | None:
        """Return the number of clusters, None where every row stands for itself."""
        return None if self.clusters is None else len(np.unique(self.clusters))

    def interval(self, kind: str) -> str:
        """Return what an interval is called that is of this kind where there are no clusters."""
        name = kind if self.clusters is None else "cluster bootstrap"
        return name if self.inflation == 1 else f"{name} across folds"


def inflation(folds: int) -> float:
    """Return by how much a cross-validated estimate varies more than by the draw of photographs.

    The models of the folds are fitted on photographs that they share, so their errors are not independent. Nadeau and
    Bengio (2003, "Inference for the Generalization Error", Machine Learning 52) put the variance of a mean over J folds
    at ``(1 / J + n_test / n_train)`` of that of one, in place of ``1 / J``.
    """
    return 1 + folds / (folds - 1)


def across_folds(photographs: Iterable[Any], groups: Iterable[Any], folds: int) -> Evidence:
    """Return the evidence of predictions by models of several folds.

    Photographs of one group count as one cluster, unless nearly all are in a group of their own; so do the predictions
    of one photograph.
    """
    numbers, clusters = number_clusters(photographs), number_clusters(groups)
    own = len(np.unique(numbers)) == len(numbers) and len(np.unique(clusters)) >= APART * len(clusters)
    return Evidence(numbers, None if own else clusters, inflation(folds) if folds > 1 else 1.0)


def read_out_of_fold(frame: pd.DataFrame, photographs: Sequence[str | None]) -> tuple[Evidence | None, list[str]]:
    """Return the evidence of a table that `cross_validate` made, None for other tables, and what the user should know.

    Some rows of such a table, and other columns beside, do no harm.
    """
    columns = frame.columns.tolist()
    if not {FOLD, REPEAT} <= set(columns) or len(set(columns)) < len(columns):
        return None, []
    fold, repeat = (pd.to_numeric(frame[name], errors="coerce").dropna() for name in (FOLD, REPEAT))
    numbers = pd.concat([fold, repeat]).astype(float)
    if not len(fold) or not len(repeat) or (numbers < 1).any() or (numbers % 1 != 0).any():
        return None, []
    folds = int(fold.max()) if fold.nunique() > 1 else 1
    if GROUP in columns:
        groups = [None if is_missing(value) else class_text(value) for value in frame[GROUP]]
        return across_folds(photographs, groups, folds), []
    note = (
        f'`predictions` has the columns "{FOLD}" and "{REPEAT}" of a cross-validation, but not "{GROUP}": photographs '
        "that were kept together in the folds are taken for independent, and intervals may be too narrow."
    )
    return across_folds(photographs, photographs, folds), [note]


def number_clusters(values: Iterable[Any]) -> Codes:
    """Number clusters; a row without one is a cluster of its own."""
    numbers: dict[Any, int] = {}
    return np.array(
        [numbers.setdefault((row, None) if value is None else value, len(numbers)) for row, value in enumerate(values)],
        np.int64,
    )
