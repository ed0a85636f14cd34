"""What is asked of training, checked before any work is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..errors import ArgumentInvalid, choose, quoted
from ..evidence import FOLD, GROUP, REPEAT
from ..intervals import check_level, check_whole
from ..labels import Labels
from .folds import check_folds

METHODS = ("head", "tail", "full")
OUT_OF_FOLD = ("image", "error", FOLD, REPEAT, GROUP)  # columns of predictions besides those of the labels
MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Plan:
    """Numbers that were asked for, each as what it may be.

    Attributes
    ----------
    epochs : int or None
        None for what suits the method.
    folds, repeats, conf_level, seed
        As in `cross_validate`.
    """

    epochs: int | None
    folds: int
    repeats: int
    conf_level: float
    seed: int

    def check(self, labels: Labels) -> None:
        """Raise `ArgumentInvalid` where this cannot be done with these labels."""
        check_folds(labels, self.folds)
        if labels.task == "multi":
            columns = Counter(OUT_OF_FOLD)
            columns.update(part for name in labels.names for part in (name, f"truth_{name}", f"prob_{name}"))
            twice = [name for name, count in columns.items() if count > 1]
            if twice:
                raise ArgumentInvalid(
                    f"`label_col`: {quoted(twice)} would be two columns of the predictions; call the attribute "
                    "otherwise."
                )


def plan_of(
    method: str,
    allowed: tuple[str, ...] = METHODS,
    epochs: Any = None,
    folds: Any = 5,
    repeats: Any = 1,
    conf_level: Any = 0.95,
    seed: Any = 1,
) -> Plan:
    """Return what is asked for.

    Raises
    ------
    ArgumentInvalid
        A number is outside what it may be.
    DependencyMissing
        PyTorch is needed and cannot be imported.
    """
    choose("method", method, allowed)
    if method == "head" and epochs is not None:
        raise ArgumentInvalid('`epochs` is for method="tail" and "full"; the head is solved, not stepped towards.')
    plan = Plan(
        None if epochs is None else check_whole("epochs", epochs, 1),
        check_whole("folds", folds, 2),
        check_whole("repeats", repeats, 1),
        check_level(conf_level),
        check_whole("seed", seed),
    )
    if plan.seed > MOST_SEED:
        raise ArgumentInvalid(f"`seed` is {seed!r}; the greatest is {MOST_SEED:,}.")
    if method in ("tail", "full"):
        from .deep import need_torch

        need_torch(method)
    return plan
