"""The corrected share or mean of something predicted, in all rows and by group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import norm

from ..answers import class_text
from ..errors import ArgumentInvalid, TooFewLabels, choose, quoted
from ..findings import Findings, FindingsVerb
from ..intervals import check_level, check_whole, wilson
from . import ppi
from .checks import accuracy, look_at, read_sample
from .columns import Columns, check_splits, read_columns
from .crossfit import Variable, cross_fit
from .dsl import Sample, corrected, labels_only
from .families import GAUSSIAN
from .sandwich import Codes, Floats, by_cluster, small_sample
from .words import in_columns, in_words

LEAST, SMALL = 2, 30  # labels for an estimate, and in a group
NAMES = ("mean",)
METHODS = ("dsl", "ppi")


@FindingsVerb
def estimate_share(
    data: Any,
    predicted: Columns,
    labelled: dict[str, str],
    by: str | None = None,
    sampling_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    method: str = "dsl",
    folds: int = 5,
    repeats: int = 10,
    conf_level: float = 0.95,
    seed: int = 1,
) -> Findings:
    """Estimate the share of rows that show something, or a mean, corrected for the errors of the predictions.

    Parameters
    ----------
    data : data frame or table file
        One row for each photograph, or whatever was labelled.
    predicted, labelled : dict
        One variable: its column of predictions, or its columns ``prob_<class>``, and its column of hand labels, as in
        `regress`. Of 0 and 1 the share of 1 is estimated, of a number the mean, of a category the share of each class.
    by : str, optional
        A column of groups: a row for each of them too.
    method : {"dsl", "ppi"}
        The difference estimator, or PPI++ (Angelopoulos, Duchi and Zrnic 2023), which is for a simple random sample
        without clusters and weights.
    sampling_prob, cluster, weights, folds, repeats, conf_level, seed
        As in `regress`.

    Returns
    -------
    Findings
        With the table ``metrics``: ``class`` (missing unless there are several), ``group`` (missing for all rows),
        ``estimate``, ``std_error``, ``conf_low``, ``conf_high``, ``naive`` (from predictions taken for labels),
        ``labels`` (from the labelled rows alone), ``n`` and ``n_labelled``; and the table ``accuracy`` as in `regress`.
        Facts: ``nobs``, ``n_labelled``, ``conf_level``. Limits of a share are cut at 0 and 1. Where all hand labels are
        alike, they reach at least Wilson's (1927) for as many labels; a mean of numbers that are all alike, or labelled
        in one cluster, has none.

    Warns
    -----
    ImagesAsDataWarning
        As in `regress`, and groups with fewer than 30 labels, or with labels that are all alike.

    Raises
    ------
    ArgumentInvalid, LabelsInvalid, ProbabilityInvalid, TooFewLabels
        The columns are not there, or not what they should be.

    Notes
    -----
    The mean of the expected labels plus their mean error in the labelled rows, each weighted by the inverse of its
    probability: the difference estimator (Särndal, Swensson and Wretman 1992), which is design-based supervised
    learning (Egami, Hinck, Stewart and Wei 2023) of a model with an intercept alone.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> protest = rng.random(2000) < 0.3
    >>> photos = pd.DataFrame({"seen": np.where(rng.random(2000) < 0.9, protest, ~protest), "prob": 0.15})
    >>> photos["coded"] = np.where(rng.random(2000) < 0.15, protest, np.nan)
    >>> found = estimate_share(photos, {"protest": "seen"}, {"protest": "coded"}, sampling_prob="prob")
    >>> row = found.metrics.iloc[0]
    >>> bool(row["naive"] > 0.32), bool(row["conf_low"] < 0.3 < row["conf_high"])
    (True, True)
    """
    check_level(conf_level)
    check_splits(folds, repeats)
    check_whole("seed", seed)
    choose("method", method, METHODS)
    plain = [] if by is None else [by]
    given = read_columns(data, plain, predicted, labelled, sampling_prob, cluster, weights)
    if len(given.variables) > 1:
        raise ArgumentInvalid(f"`predicted` names {quoted(predicted)}; a share is of one variable.")
    variable = given.variables[0]
    notes = list(given.notes)
    known = ~np.isnan(variable.labels)
    sample = read_sample(known, given.prob, given.weights, given.cluster, None, notes)
    look_at([variable], known, 1, given.cluster, notes)
    if method == "ppi":
        _refuse_for_ppi(variable, sample)
    group = None
    if by is not None:
        group = np.array([class_text(value) for value in given.frame[by].astype(object)], dtype=object)
    tables = []
    for name, one in _each(variable):
        expected = None if method == "ppi" else given.others()
        table, more = share_arrays(one, sample, expected, group, folds, repeats, conf_level, seed)
        names = pa.array([name] * table.num_rows, pa.string())
        tables.append(table.add_column(0, "class", names))
        notes += [note for note in more if note not in notes]
    metrics = pa.concat_tables(tables)
    facts = {"variable": variable.name, "nobs": len(known), "n_labelled": int(known.sum()), "conf_level": conf_level}
    return Findings(
        "share",
        facts,
        {"metrics": metrics, "shares": metrics, "accuracy": accuracy([variable])},
        tuple(_lines(variable, metrics, facts)),
        tuple(notes),
    )


def _refuse_for_ppi(variable: Variable, sample: Sample) -> None:
    cure = 'Use method="dsl".'
    if sample.cluster is not None or np.ptp(sample.weights) > 0 or np.ptp(sample.prob[sample.rows]) > 1e-12:
        raise ArgumentInvalid(
            f'method="ppi" needs labels of a simple random sample, without clusters and weights. {cure}'
        )
    if variable.missing.any():
        raise ArgumentInvalid(f'method="ppi" needs a prediction for every row. {cure}')


def _each(variable: Variable) -> list[tuple[str | None, Variable]]:
    """Return the variable, or of a category whether a row is of each class."""
    if not variable.levels:
        return [(None, variable)]
    unknown = np.isnan(variable.labels)
    return [
        (
            name,
            OneOf(
                name, np.where(unknown, np.nan, variable.labels == j), variable.predictions[:, j], likeliest=likeliest
            ),
        )
        for j, name in enumerate(variable.levels)
        for likeliest in [np.where(variable.missing, np.nan, variable.predicted == j)]
    ]


@dataclass(frozen=True)
class OneOf(Variable):
    """Whether a row is of one class of several; it is predicted to be where this class is the likeliest."""

    likeliest: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def predicted(self) -> Floats:
        """``[n]``: 1 where the class is the likeliest, else 0."""
        return self.likeliest


def _lines(variable: Variable, metrics: pa.Table, facts: dict[str, Any]) -> list[str]:
    what = "Share" if variable.binary or variable.levels else "Mean"
    lines = [f"{what} of {variable.name}: {facts['nobs']:,} rows, {facts['n_labelled']:,} labelled"]
    rows = metrics.to_pylist()
    names = [" ".join(str(part) for part in (row["class"], row["group"] or "all") if part is not None) for row in rows]
    table = [["", "predictions", "hand labels", "corrected", ""]]
    for name, row in zip(names, rows, strict=True):
        numbers = [row[key] for key in ("naive", "labels", "estimate", "conf_low", "conf_high")]
        # The width, as an interval that Wilson's limits widened says more than its standard error.
        width = None if row["conf_low"] is None else (row["conf_high"] - row["conf_low"]) / 4
        *texts, low, high = in_words(numbers, [width])
        table.append([name, *texts, "" if low == "-" else f"[{low}, {high}]"])
    return [*lines, *(line.rstrip() for line in in_columns(table))]


def share_arrays(
    variable: Variable,
    sample: Sample,
    others: Floats | None,
    group: npt.NDArray[np.object_] | None = None,
    folds: int = 5,
    repeats: int = 10,
    conf_level: float = 0.95,
    seed: int = 1,
) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the mean of a variable that was predicted for all rows and labelled for some.

    It is the mean of the expected labels plus the mean error of these in the labelled rows, each weighted by the
    inverse of its probability (the difference estimator; Särndal, Swensson and Wretman 1992): design-based
    supervised learning of a model with an intercept alone.

    Parameters
    ----------
    variable : Variable
        A number, or 0 and 1.
    sample : Sample
        Which rows were labelled, with which probability; clusters and weights.
    others : numpy.ndarray, optional
        ``[n, q]``: what else is known of all rows. Without it, PPI++ from the predictions as they are.
    group : numpy.ndarray, optional
        ``[n]``: the group of each row.
    folds, repeats, conf_level, seed
        As in `regress_arrays`.

    Returns
    -------
    tuple
        A table with ``group`` (missing for all rows), ``estimate``, ``std_error``, ``conf_low``, ``conf_high``,
        ``naive``, ``labels``, ``n``, ``n_labelled``; and notes. Limits of a share are cut at 0 and 1.
    """
    check_level(conf_level)
    if sample.labelled.sum() < LEAST:
        raise TooFewLabels(f"{int(sample.labelled.sum()):,} row(s) have hand labels; label some first.")
    splits: list[Floats] = []
    if others is not None:
        found = cross_fit([variable], others, sample.labelled, sample.cluster, folds, repeats, seed)
        splits = [one[variable.name] for one in found]
    notes, alike, unknown = [], [], []
    rows = []
    for name in (None, *([] if group is None else sorted(set(group.tolist()), key=str))):
        inside = np.arange(len(sample.labelled)) if name is None else np.flatnonzero(group == name)
        labels = variable.labels[inside][sample.labelled[inside]]
        if name is not None and len(labels) < SMALL:
            notes.append(
                f"{name}: {len(labels):,} labelled row(s); the interval is not to be relied on with fewer than {SMALL}."
            )
        row = _row(None if name is None else str(name), variable, sample, splits, inside, conf_level)
        rows.append(row)
        if len(labels) >= LEAST:
            called = "all rows" if name is None else str(name)
            if "conf_low" not in row:
                unknown.append(called)
            elif variable.binary and np.ptp(labels) == 0:
                alike.append(f"{called} ({len(labels):,} labels)")
    if alike:
        notes.append(
            f"The hand labels of {variable.name} are all alike in {quoted(alike)}. There the interval reaches at least "
            "the limits that Wilson's has for so many labels."
        )
    if unknown:
        notes.append(
            f"There is no interval of {variable.name} for {quoted(unknown)}: the hand labels there are all alike, or "
            "in one cluster."
        )
    numbers = ("estimate", "std_error", "conf_low", "conf_high", "naive", "labels")
    fields = [("group", pa.string()), *((name, pa.float64()) for name in numbers)]
    return pa.Table.from_pylist(rows, pa.schema([*fields, ("n", pa.int64()), ("n_labelled", pa.int64())])), tuple(notes)


def _row(
    name: str | None, variable: Variable, sample: Sample, splits: list[Floats], rows: Codes, conf_level: float
) -> dict[str, str | float | int | None]:
    predicted, known = variable.predicted[rows], ~variable.missing[rows]
    m = int(sample.labelled[rows].sum())
    w = sample.weights[rows]
    naive = float(w[known] @ predicted[known] / w[known].sum()) if known.any() else None
    row: dict[str, str | float | int | None] = {"group": name, "naive": naive, "n": len(rows), "n_labelled": m}
    if m < LEAST:
        return row
    cluster = None if sample.cluster is None else np.unique(sample.cluster[rows], return_inverse=True)[1]
    part = Sample(sample.labelled[rows], sample.prob[rows], w, cluster)
    groups = None if cluster is None else len(np.unique(cluster[part.labelled]))
    labels = (variable.labels[rows][part.labelled], np.ones((m, 1)))
    alone = float(labels_only(GAUSSIAN, labels, part, NAMES).theta[0])
    row["labels"] = alone
    if splits:
        designs = [(split[rows], np.ones((len(rows), 1))) for split in splits]
        found = corrected(GAUSSIAN, labels, designs, part, NAMES)
        mean, variance = found.theta[0], found.cov[0, 0] * small_sample(m, 1, groups)
    elif m == len(rows):
        mean, variance = alone, np.var(labels[0], ddof=1) / m
    else:
        predictions = variable.predictions[rows]
        powered = ppi.mean(labels[0], predictions[part.labelled], predictions[~part.labelled])
        mean, variance = powered.theta[0], powered.cov[0, 0]
    mean, error = float(mean), float(np.sqrt(variance))
    row["estimate"] = mean
    if groups == 1 or (not variable.binary and error <= 1e-12 * (1 + abs(mean))):
        return row  # one cluster, or numbers that are all alike, do not say how far others are from them
    half = float(norm.ppf(0.5 + conf_level / 2)) * error
    low, high = mean - half, mean + half
    if variable.binary:
        low, high = np.clip([low, high], 0, 1).tolist()
    if variable.binary and np.ptp(labels[0]) == 0:
        n = _worth(part)
        from_labels = wilson(alone * n, n, conf_level)
        low, high = min(low, float(from_labels[0])), max(high, float(from_labels[1]))
    return {**row, "std_error": error, "conf_low": low, "conf_high": high}


def _worth(sample: Sample) -> float:
    """Return how many labels of a simple random sample those at hand are worth, clusters as one each (Kish 1965)."""
    cluster = None if sample.cluster is None else sample.cluster[sample.labelled]
    w = by_cluster(sample.label_weights()[:, None], cluster)
    return float(w.sum() ** 2 / (w**2).sum())
