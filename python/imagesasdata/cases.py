"""Which photographs are worth a look: the most confident errors, and those of which a model is least certain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .charts.words import missing, number
from .errors import ArgumentInvalid, choose
from .findings import Findings
from .tables import to_frame

WHICH = ("errors", "uncertain")
TRUTH, SCORE, PROB = "truth_", "score_", "prob_"


@dataclass(frozen=True)
class Case:
    """One photograph, what people said of it, and what the model says.

    Attributes
    ----------
    image : str
        Its name in the table.
    truth, label : str
        Hand label and predicted label; of an attribute "yes" or "no", of a score the number.
    prob : float or None
        Probability of the predicted label, 0 to 1; None for scores.
    about : str or None
        The attribute or score; None for exclusive classes.
    """

    image: str
    truth: str
    label: str
    prob: float | None
    about: str | None = None

    @property
    def right(self) -> bool | None:
        """Whether hand label and predicted label agree; None for scores, which nearly never do."""
        return None if self.prob is None and self.about is not None else self.truth == self.label


def cases(findings: Findings, which: str, n: int) -> list[Case]:
    """Return at most `n` photographs, each once, most telling first.

    Parameters
    ----------
    which : {"errors", "uncertain"}
        Errors with the highest probability of the wrong label (for scores, the largest distance), or the photographs
        with the lowest probability of their label, right or wrong.

    Raises
    ------
    ArgumentInvalid
        The findings have no predictions, or no probabilities.
    """
    choose("which", which, WHICH)
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ArgumentInvalid(f"`n` is {n!r}; it must be a whole number above 0.")
    if "predictions" not in findings.tables:
        raise ArgumentInvalid(
            f"`findings` is a {findings.kind} without predictions, so there are no photographs in it."
        )
    table = to_frame(findings.tables["predictions"])
    if "error" in table.columns:
        table = table[table["error"].isna()]
    task = str(findings.facts.get("task", "single"))
    ways: dict[str, Callable[[pd.DataFrame, str], pd.DataFrame]] = {"multi": _attributes, "score": _scores}
    found = ways.get(task, _classes)(table, which)
    found = found.sort_values("order", kind="stable").drop_duplicates("image").head(n)
    return [
        Case(
            str(row["image"]),
            str(row["truth"]),
            str(row["label"]),
            None if missing(row["prob"]) else float(row["prob"]),
            row["about"],
        )
        for row in found.to_dict("records")
    ]


def _classes(table: pd.DataFrame, which: str) -> pd.DataFrame:
    prob = _floats(table, "prob")
    if which == "uncertain" and not np.isfinite(prob).any():
        raise ArgumentInvalid('`findings` holds labels without probabilities, so what="uncertain" cannot be drawn.')
    truth, label = table["truth"].astype("object"), table["label"].astype("object")
    keep = (truth.notna() & label.notna()).to_numpy(bool)
    if which == "errors":
        keep = keep & (truth.astype(str) != label.astype(str)).to_numpy(bool)
        order = -np.nan_to_num(prob, nan=-1.0)
    else:
        order = np.nan_to_num(prob, nan=2.0)
    return _frame(table["image"], truth, label, prob, order, None)[keep]


def _attributes(table: pd.DataFrame, which: str) -> pd.DataFrame:
    parts = []
    for column in [str(c) for c in table.columns if str(c).startswith(TRUTH)]:
        name = column.removeprefix(TRUTH)
        prob, truth = _floats(table, PROB + name), _yes(table[column])
        if np.isfinite(prob).any():
            label = np.where(np.isfinite(prob), prob >= 0.5, np.nan)
        elif name in table.columns:
            label = _yes(table[name])
        else:
            continue
        keep = np.isfinite(truth) & np.isfinite(label)
        sure = np.where(label == 1, prob, 1 - prob)
        if which == "errors":
            keep &= truth != label
            order = -np.nan_to_num(sure, nan=-1.0)
        else:
            keep &= np.isfinite(prob)
            order = np.nan_to_num(sure, nan=2.0)
        parts.append(_frame(table["image"], _words(truth), _words(label), sure, order, name)[keep])
    return pd.concat(parts) if parts else _frame(table["image"][:0], [], [], [], [], None)


def _scores(table: pd.DataFrame, which: str) -> pd.DataFrame:
    if which == "uncertain":
        raise ArgumentInvalid('Scores have no probabilities, so what="uncertain" cannot be drawn; what="errors" can.')
    parts = []
    for column in [str(c) for c in table.columns if str(c).startswith(TRUTH)]:
        name = column.removeprefix(TRUTH)
        truth, score = _floats(table, column), _floats(table, SCORE + name)
        known = truth[np.isfinite(truth)]
        spread = float(known.std()) if len(known) else 0.0  # scores on different scales are compared by it
        far = np.abs(score - truth) / (spread or 1.0)
        said, given = ([number(float(value), 2) for value in values] for values in (truth, score))
        nothing = np.full(len(table), np.nan)
        parts.append(_frame(table["image"], said, given, nothing, -np.nan_to_num(far), name)[np.isfinite(far)])
    return pd.concat(parts) if parts else _frame(table["image"][:0], [], [], [], [], None)


def _frame(image: Any, truth: Any, label: Any, prob: Any, order: Any, about: str | None) -> pd.DataFrame:
    columns = {"image": image, "truth": truth, "label": label, "prob": prob, "order": order}
    frame = pd.DataFrame({key: np.asarray(values, dtype="object") for key, values in columns.items()})
    frame["image"] = frame["image"].map(lambda name: "" if missing(name) else name)
    frame["about"] = pd.Series([about] * len(frame), dtype="object")
    return frame.astype({"order": float})


def _floats(table: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    if column not in table.columns:
        return np.full(len(table), np.nan)
    return np.asarray(pd.to_numeric(table[column], errors="coerce").astype("float64"))


def _yes(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Return 1 for yes, 0 for no, NaN for what is neither."""
    words = {"yes": 1.0, "true": 1.0, "1": 1.0, "1.0": 1.0, "no": 0.0, "false": 0.0, "0": 0.0, "0.0": 0.0}
    return np.array([np.nan if missing(v) else words.get(str(v).lower(), np.nan) for v in column.tolist()], float)


def _words(values: npt.NDArray[np.float64]) -> list[str]:
    return ["yes" if value == 1 else "no" for value in values]
