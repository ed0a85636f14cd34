"""The corrected share or mean of something predicted, in all rows and by group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import norm

from ..errors import TooFewLabels
from ..intervals import check_level
from .crossfit import Variable, cross_fit
from .dsl import Sample, corrected, labels_only
from .families import GAUSSIAN
from .sandwich import Codes, Floats, small_sample

SMALL = 30  # labels in a group
NAMES = ("mean",)


def share_arrays(
    variable: Variable,
    sample: Sample,
    others: Floats,
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
    others : numpy.ndarray
        ``[n, q]``: what else is known of all rows.
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
    if sample.labelled.sum() < 2:
        raise TooFewLabels(f"{int(sample.labelled.sum()):,} row(s) have hand labels; label some first.")
    splits = [
        found[variable.name]
        for found in cross_fit([variable], others, sample.labelled, sample.cluster, folds, repeats, seed)
    ]
    notes: list[str] = []
    rows = [_row(None, variable, sample, splits, np.arange(len(sample.labelled)), conf_level)]
    for name in [] if group is None else sorted(set(group.tolist()), key=str):
        inside = np.flatnonzero(group == name)
        m = int(sample.labelled[inside].sum())
        if m < SMALL:
            notes.append(f"{name}: {m:,} labelled row(s); the interval is not to be relied on with fewer than {SMALL}.")
        rows.append(_row(str(name), variable, sample, splits, inside, conf_level))
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
    if m < 2:
        return row
    cluster = None if sample.cluster is None else np.unique(sample.cluster[rows], return_inverse=True)[1]
    part = Sample(sample.labelled[rows], sample.prob[rows], w, cluster)
    labels = (variable.labels[rows][part.labelled], np.ones((m, 1)))
    designs = [(split[rows], np.ones((len(rows), 1))) for split in splits]
    found = corrected(GAUSSIAN, labels, designs, part, NAMES)
    groups = None if cluster is None else len(np.unique(cluster[part.labelled]))
    mean, error = float(found.theta[0]), float(np.sqrt(found.cov[0, 0] * small_sample(m, 1, groups)))
    half = float(norm.ppf(0.5 + conf_level / 2)) * error
    low, high = mean - half, mean + half
    if variable.binary:
        low, high = max(low, 0.0), min(high, 1.0)
    alone = float(labels_only(GAUSSIAN, labels, part, NAMES).theta[0])
    return {**row, "estimate": mean, "std_error": error, "conf_low": low, "conf_high": high, "labels": alone}
