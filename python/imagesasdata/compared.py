"""Predictions beside the truth, and every metric of a task at once, for many sets of weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from . import metrics as m
from .metrics import Codes, Flags, Floats
from .tables import factor_type

MOST_SHOWN = 25  # classes; beyond, only those that occur are reported
OF_CLASS = {"precision": m.precision, "recall": m.recall, "f1": m.f1}
Key = tuple[str, str | None]  # metric, and the class, attribute or score that it is about
Estimates = dict[Key, Floats]
C = TypeVar("C", bound="Compared")


class Compared(Protocol):
    """Predictions and truth of n photographs; either may be missing."""

    @property
    def task(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def take(self: C, rows: npt.NDArray[np.intp] | Flags) -> C:
        """Return some rows."""

    def predicted(self) -> Flags:
        """Say which rows have a prediction, ``[n]``."""

    def labelled(self) -> Flags:
        """Say which rows have a truth, ``[n]``."""

    def estimates(self, weights: Floats) -> Estimates:
        """Return each metric for weights ``[r, n]``, ``[r]``; all rows must have both."""

    def shares(self) -> dict[Key, tuple[int, int]]:
        """Return those metrics that are plain shares of photographs, as how many of how many."""

    def rests_on(self, key: Key) -> Flags:
        """Say which rows a metric rests on, ``[n]``."""

    def chance(self, draws: int, seed: int) -> Estimates:
        """Return the calibration errors that a calibrated model would have by chance, ``[draws]``."""

    def baseline(self) -> float | None:
        """Return the accuracy of always giving the most frequent class; None for scores."""

    def confusions(self) -> Iterator[tuple[str | None, list[str], Codes, Codes]]:
        """Yield attribute, names of classes, truth and label as their codes."""

    def curves(self) -> Iterator[tuple[str, Flags, Floats]]:
        """Yield class, whether it is the truth, and its probability."""

    def columns(self) -> list[tuple[str, pa.Array]]:
        """Return truth and predictions as columns of a table, as `classify_images` names them."""


@dataclass(frozen=True)
class Classes:
    """Exclusive classes.

    Attributes
    ----------
    names : tuple of str
        The classes; first those that the model knows.
    known : int
        How many it knows.
    truth, given : numpy.ndarray
        ``[n]``: codes of classes, -1 where missing.
    probs : numpy.ndarray or None
        ``[n, known]``.
    prob : numpy.ndarray or None
        ``[n]``: of the label that was given.
    """

    names: tuple[str, ...]
    known: int
    truth: Codes
    given: Codes
    probs: Floats | None = None
    prob: Floats | None = None
    task = "single"

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: npt.NDArray[np.intp] | Flags) -> Classes:
        return Classes(
            self.names, self.known, self.truth[rows], self.given[rows], _at(self.probs, rows), _at(self.prob, rows)
        )

    def predicted(self) -> Flags:
        return self.given >= 0

    def labelled(self) -> Flags:
        return self.truth >= 0

    def estimates(self, weights: Floats) -> Estimates:
        t = m.tally(self.truth, self.given, len(self.names), weights)
        by_class = {metric: function(t) for metric, function in OF_CLASS.items()}
        found: Estimates = {("accuracy", None): m.accuracy(t), ("balanced_accuracy", None): m.balanced_accuracy(t)}
        found |= {(f"macro_{metric}", None): m.macro(values) for metric, values in by_class.items()}
        found["kappa", None] = m.kappa(t)
        if self.probs is not None:
            by_class |= zip(("roc_auc", "pr_auc"), self._areas(weights), strict=True)
            for metric in ("roc_auc", "pr_auc"):
                of_class = by_class[metric]
                found[metric, None] = of_class[:, 1] if len(self.names) == 2 else m.macro(of_class)
            probs = np.pad(self.probs, ((0, 0), (0, len(self.names) - self.known)))
            found["brier", None] = m.brier(self.truth, probs, weights)
            found["log_loss", None] = m.log_loss(self.truth, probs, weights)
        if self.prob is not None:
            found["calibration_error", None] = m.calibration_error(self.prob, self.truth == self.given, weights)
        for code in self.shown():
            found |= {(metric, self.names[code]): values[:, code] for metric, values in by_class.items()}
        return found

    def _areas(self, weights: Floats) -> tuple[Floats, Floats]:
        assert self.probs is not None
        roc, pr = np.full((2, len(weights), len(self.names)), np.nan)
        for code in range(self.known):
            roc[:, code], pr[:, code] = m.areas(self.truth == code, self.probs[:, code], weights)
        return roc, pr

    def shown(self) -> list[int]:
        """Return the codes of the classes that are reported."""
        if len(self.names) <= MOST_SHOWN:
            return list(range(len(self.names)))
        codes = np.union1d(self.truth, self.given)
        return [int(code) for code in codes[codes >= 0]]

    def shares(self) -> dict[Key, tuple[int, int]]:
        right = self.truth == self.given
        found: dict[Key, tuple[int, int]] = {("accuracy", None): (int(right.sum()), len(self))}
        for code in self.shown():
            both = int((right & (self.truth == code)).sum())
            found["precision", self.names[code]] = (both, int((self.given == code).sum()))
            found["recall", self.names[code]] = (both, int((self.truth == code).sum()))
        return found

    def rests_on(self, key: Key) -> Flags:
        if key[1] is None:
            return np.ones(len(self), bool)
        code = self.names.index(key[1])
        return _rests_on(key[0], self.truth == code, self.given == code)

    def chance(self, draws: int, seed: int) -> Estimates:
        if self.prob is None:
            return {}
        return {("calibration_error", None): m.calibrated_errors(self.prob, draws, seed)}

    def baseline(self) -> float | None:
        return float(np.bincount(self.truth).max() / len(self))

    def confusions(self) -> Iterator[tuple[str | None, list[str], Codes, Codes]]:
        shown = self.shown()
        place = np.zeros(len(self.names), np.int64)
        place[shown] = np.arange(len(shown))
        yield None, [self.names[code] for code in shown], place[self.truth], place[self.given]

    def curves(self) -> Iterator[tuple[str, Flags, Floats]]:
        for code in self.shown() if self.probs is not None else ():
            if code < self.known:
                yield self.names[code], self.truth == code, self.probs[:, code]  # type: ignore[index]

    def columns(self) -> list[tuple[str, pa.Array]]:
        truth = [self.names[code] if code >= 0 else None for code in self.truth.tolist()]
        classes = self.names[: self.known]
        codes = pa.array(self.given, factor_type(classes).index_type, mask=self.given < 0)
        label = pa.DictionaryArray.from_arrays(codes, pa.array(classes, pa.string()))
        found = [("truth", pa.array(truth, pa.string())), ("label", label)]
        if self.prob is not None:
            found.append(("prob", floats(self.prob)))
        if self.probs is not None:
            found += [(f"prob_{name}", floats(self.probs[:, i])) for i, name in enumerate(classes)]
        return found


@dataclass(frozen=True)
class Attributes:
    """Several attributes at once.

    Attributes
    ----------
    names : tuple of str
        The attributes.
    truth, given : numpy.ndarray
        ``[n, k]``: 0, 1, or NaN where missing.
    probs : numpy.ndarray or None
        ``[n, k]``.
    """

    names: tuple[str, ...]
    truth: Floats
    given: Floats
    probs: Floats | None = None
    task = "multi"

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: npt.NDArray[np.intp] | Flags) -> Attributes:
        return Attributes(self.names, self.truth[rows], self.given[rows], _at(self.probs, rows))

    def predicted(self) -> Flags:
        return np.asarray(~np.isnan(self.given).all(axis=1))

    def labelled(self) -> Flags:
        return np.asarray(~np.isnan(self.truth).all(axis=1))

    def _of(self, i: int) -> tuple[Flags, Codes, Codes]:
        """Return which rows an attribute rests on, and truth and label of these."""
        rows = ~np.isnan(self.truth[:, i]) & ~np.isnan(self.given[:, i])
        return rows, self.truth[rows, i].astype(np.int64), self.given[rows, i].astype(np.int64)

    def estimates(self, weights: Floats) -> Estimates:
        each = [self._estimates_of(i, weights) for i in range(len(self.names))]
        found: Estimates = {}
        for metric in each[0]:
            name = f"macro_{metric}" if metric in OF_CLASS else metric
            found[name, None] = m.macro(np.stack([of_one[metric] for of_one in each], axis=1))
        for name, of_one in zip(self.names, each, strict=True):
            found |= {(metric, name): values for metric, values in of_one.items()}
        return found

    def _estimates_of(self, i: int, weights: Floats) -> dict[str, Floats]:
        rows, truth, given = self._of(i)
        w = weights[:, rows]
        t = m.tally(truth, given, 2, w)
        found = {"accuracy": m.accuracy(t), "balanced_accuracy": m.balanced_accuracy(t)}
        found |= {metric: function(t)[:, 1] for metric, function in OF_CLASS.items()}
        found["kappa"] = m.kappa(t)
        if self.probs is not None:
            p = self.probs[rows, i]
            found["roc_auc"], found["pr_auc"] = m.areas(truth == 1, p, w)
            both = np.stack([1 - p, p], axis=1)
            found["brier"], found["log_loss"] = m.brier(truth, both, w), m.log_loss(truth, both, w)
            found["calibration_error"] = m.calibration_error(_sure(p, given), truth == given, w)
        return found

    def shares(self) -> dict[Key, tuple[int, int]]:
        found: dict[Key, tuple[int, int]] = {}
        for i, name in enumerate(self.names):
            _, truth, given = self._of(i)
            both = int((truth & given).sum())
            found["accuracy", name] = (int((truth == given).sum()), len(truth))
            found["precision", name] = (both, int(given.sum()))
            found["recall", name] = (both, int(truth.sum()))
        return found

    def rests_on(self, key: Key) -> Flags:
        if key[1] is None:
            return np.ones(len(self), bool)
        i = self.names.index(key[1])
        return self._of(i)[0] & _rests_on(key[0], self.truth[:, i] == 1, self.given[:, i] == 1)

    def chance(self, draws: int, seed: int) -> Estimates:
        found: Estimates = {}
        for i, name in enumerate(self.names if self.probs is not None else ()):
            rows, _, given = self._of(i)
            sure = _sure(self.probs[rows, i], given)  # type: ignore[index]
            found["calibration_error", name] = m.calibrated_errors(sure, draws, seed + i)
        if found:
            found["calibration_error", None] = m.macro(np.stack(list(found.values()), axis=1))
        return found

    def baseline(self) -> float | None:
        shares = [truth.mean() for _, truth, _ in map(self._of, range(len(self.names))) if len(truth)]
        return float(np.mean([max(share, 1 - share) for share in shares])) if shares else None

    def confusions(self) -> Iterator[tuple[str | None, list[str], Codes, Codes]]:
        for i, name in enumerate(self.names):
            yield name, ["no", "yes"], *self._of(i)[1:]

    def curves(self) -> Iterator[tuple[str, Flags, Floats]]:
        for i, name in enumerate(self.names if self.probs is not None else ()):
            rows, truth, _ = self._of(i)
            yield name, truth == 1, self.probs[rows, i]  # type: ignore[index]

    def columns(self) -> list[tuple[str, pa.Array]]:
        found = [(f"truth_{name}", floats(self.truth[:, i])) for i, name in enumerate(self.names)]
        for i, name in enumerate(self.names):
            found.append((name, pa.array(self.given[:, i] == 1, mask=np.isnan(self.given[:, i]))))
        if self.probs is not None:
            found += [(f"prob_{name}", floats(self.probs[:, i])) for i, name in enumerate(self.names)]
        return found


@dataclass(frozen=True)
class Scores:
    """Scores.

    Attributes
    ----------
    names : tuple of str
        The scores.
    truth, given : numpy.ndarray
        ``[n, k]``, NaN where missing.
    """

    names: tuple[str, ...]
    truth: Floats
    given: Floats
    task = "score"

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: npt.NDArray[np.intp] | Flags) -> Scores:
        return dataclasses.replace(self, truth=self.truth[rows], given=self.given[rows])

    def predicted(self) -> Flags:
        return np.asarray(~np.isnan(self.given).all(axis=1))

    def labelled(self) -> Flags:
        return np.asarray(~np.isnan(self.truth).all(axis=1))

    def _rows(self, i: int) -> Flags:
        return ~np.isnan(self.truth[:, i]) & ~np.isnan(self.given[:, i])

    def estimates(self, weights: Floats) -> Estimates:
        functions = {"r2": m.r2, "mae": m.mae, "rmse": m.rmse, "correlation": m.correlation}
        each: list[Estimates] = []
        for i, name in enumerate(self.names):
            rows = self._rows(i)
            truth, given, w = self.truth[rows, i], self.given[rows, i], weights[:, rows]
            each.append({(metric, name): function(truth, given, w) for metric, function in functions.items()})
        found: Estimates = {}
        for metric in functions:
            of_scores = [of_one[metric, name] for of_one, name in zip(each, self.names, strict=True)]
            found[metric, None] = m.macro(np.stack(of_scores, axis=1))
        for of_one in each:
            found |= of_one
        return found

    def shares(self) -> dict[Key, tuple[int, int]]:
        return {}

    def rests_on(self, key: Key) -> Flags:
        return np.ones(len(self), bool) if key[1] is None else self._rows(self.names.index(key[1]))

    def chance(self, draws: int, seed: int) -> Estimates:
        return {}

    def baseline(self) -> float | None:
        return None

    def confusions(self) -> Iterator[tuple[str | None, list[str], Codes, Codes]]:
        yield from ()

    def curves(self) -> Iterator[tuple[str, Flags, Floats]]:
        yield from ()

    def columns(self) -> list[tuple[str, pa.Array]]:
        found = [(f"truth_{name}", floats(self.truth[:, i])) for i, name in enumerate(self.names)]
        return found + [(f"score_{name}", floats(self.given[:, i])) for i, name in enumerate(self.names)]


def floats(values: npt.ArrayLike) -> pa.Array:
    """Return numbers as Arrow, NaN as null."""
    return pa.array(np.ascontiguousarray(values, dtype=np.float64), from_pandas=True)


def _sure(prob: Floats, given: Codes) -> Floats:
    """Return the probability of the label that was given, of the attribute's."""
    return np.where(given == 1, prob, 1 - prob)


def _rests_on(metric: str, truth: Flags, given: Flags) -> Flags:
    """Say which rows a metric of a class rests on."""
    return {"precision": given, "recall": truth, "f1": truth | given}.get(metric, np.ones(len(truth), bool))


def _at(values: Floats | None, rows: npt.NDArray[np.intp] | Flags) -> Floats | None:
    return None if values is None else values[rows]
