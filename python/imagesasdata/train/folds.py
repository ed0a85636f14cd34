"""Cut labelled photographs into folds: classes spread evenly, and what belongs together never apart."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from ..errors import ArgumentInvalid
from ..labels import Labels
from .method import Rows

SMALL = 20  # how many times the largest group is in a fold, at least, where groups count as small


def make_folds(labels: Labels, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield (rows to train on, rows to test on) for each fold.

    Photographs of one group are in one fold. Exclusive classes have nearly the same shares in all folds.

    Raises
    ------
    ArgumentInvalid
        Fewer groups than folds.
    """
    check_folds(labels, folds)
    nothing = np.zeros(len(labels.values))
    if labels.task != "single":
        splitter = GroupKFold(folds, shuffle=True, random_state=seed)
        yield from splitter.split(nothing, groups=labels.groups)
        return
    codes = labels.codes
    _, first, group = np.unique(labels.groups, return_index=True, return_inverse=True)
    small = np.bincount(group).max() == 1 or np.bincount(group).max() * folds * SMALL <= len(codes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # `read_labels` says which classes are small
        if small and np.bincount(codes[first]).max() >= folds:
            # Of small groups one row stands for all: in thousands of groups that is far faster.
            for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(first, codes[first]):
                yield np.flatnonzero(np.isin(group, train)), np.flatnonzero(np.isin(group, test))
        else:
            splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
            yield from splitter.split(nothing, codes, labels.groups)


def check_folds(labels: Labels, folds: int) -> None:
    """Raise `ArgumentInvalid` where there are fewer groups than folds, or one fold."""
    groups = len(np.unique(labels.groups))
    if not 2 <= folds <= groups:
        raise ArgumentInvalid(
            f"`folds` is {folds!r}; it must be a whole number from 2 to the number of photographs that can be kept "
            f"apart, which is {groups:,}."
        )
