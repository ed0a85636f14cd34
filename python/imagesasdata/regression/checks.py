"""Look at labels, predictions and probabilities before a fit: what is refused, and what the user should know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import ArgumentInvalid, ProbabilityInvalid, TooFewLabels
from .crossfit import Variable
from .dsl import Sample
from .sandwich import Codes, Floats

FEW, FEW_EACH = 50, 10  # labels in all, and for each coefficient
FEW_CLUSTERS = 20  # with labels


def read_sample(
    labelled: npt.NDArray[np.bool_],
    prob: Floats | None,
    weights: Floats | None,
    cluster: Codes | None,
    absorb: Codes | None,
    notes: list[str],
) -> Sample:
    """Return which rows were labelled and how; raise where that cannot be."""
    n, m = len(labelled), int(labelled.sum())
    if m < 2:
        raise TooFewLabels(f"{m:,} row(s) have hand labels for all predicted variables; label some first.")
    if cluster is not None and np.ptp(cluster[labelled]) == 0:
        raise ArgumentInvalid(
            "`cluster` has one value in all labelled rows; standard errors by cluster need many clusters with labels, "
            f"about {FEW_CLUSTERS} or more. Name a column of smaller clusters, label rows of other clusters, or leave "
            "`cluster` out if the rows do not belong together."
        )
    if prob is None:
        if m < n:
            notes.append(
                "The probabilities of being labelled are not given; the labelled rows are taken to be a simple random "
                "sample. If they were chosen otherwise, give `sampling_prob`, or the estimates are wrong."
            )
        prob = np.full(n, m / n)
    wrong = ~((prob > 0) & (prob <= 1)) & (labelled | ~np.isnan(prob))
    if wrong.any():
        raise ProbabilityInvalid(
            "`sampling_prob` must be above 0 and at most 1, or missing where a row is not labelled; "
            f"{int(wrong.sum()):,} row(s) have another value, for instance {prob[np.flatnonzero(wrong)[0]]:g}. "
            "The labels say nothing of rows that could not be chosen. Leave these rows out of `data`, if the result is "
            "to speak of the others alone."
        )
    weights = np.ones(n) if weights is None else weights
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise ArgumentInvalid("`weights` must be numbers above 0. Leave rows without a weight out.")
    return Sample(labelled, np.where(labelled, prob, 1.0), weights, cluster, absorb)


def look_at(
    variables: Sequence[Variable],
    labelled: npt.NDArray[np.bool_],
    k: int,
    cluster: Codes | None,
    notes: list[str],
) -> None:
    """Add notes: what the user should know of the labels and the predictions."""
    m = int(labelled.sum())
    if m < max(FEW, FEW_EACH * k):
        notes.append(
            f"{m:,} rows are labelled for {k} coefficients; the intervals are too narrow with fewer than "
            f"{max(FEW, FEW_EACH * k):,}."
        )
    for variable in variables:
        lost, name = int(variable.missing.sum()), variable.name
        if lost:
            notes.append(
                f"{lost:,} row(s) have no prediction of {name}. The naive estimate leaves them out; in the corrected "
                "one their label is expected from the other variables."
            )
        known = labelled & ~variable.missing
        predicted, labels = variable.predicted, variable.labels
        if known.sum() >= FEW and (predicted[known] == labels[known]).all():
            notes.append(
                f"The predictions of {name} are right in all {int(known.sum()):,} labelled rows. If the model was "
                "trained on these rows, use out-of-fold predictions, as cross_validate makes them."
            )
        if variable.levels or variable.binary:
            never = np.setdiff1d(labels[labelled], predicted[~variable.missing])
            if len(never):
                shown = ", ".join(variable.levels[int(v)] if variable.levels else f"{v:g}" for v in never)
                notes.append(f"{name} is never predicted to be {shown}, which hand labels say that it is.")
    if cluster is not None:
        single = int((np.bincount(cluster) == 1).sum())
        if single:
            notes.append(f"{single:,} cluster(s) have one row.")
        with_labels = len(np.unique(cluster[labelled]))
        if with_labels < FEW_CLUSTERS:
            notes.append(
                f"The labels are in {with_labels} clusters; standard errors by cluster are too small with fewer than "
                f"about {FEW_CLUSTERS} (Cameron, Gelbach and Miller 2008)."
            )


def accuracy(variables: Sequence[Variable]) -> pa.Table:
    """Return how far predictions are right in the labelled rows: the column of this name of `Regression`."""
    rows = []
    for variable in variables:
        known = ~np.isnan(variable.labels) & ~variable.missing
        labels, predicted = variable.labels[known], variable.predicted[known]
        if variable.levels or variable.binary:
            metric, value = "accuracy", float((labels == predicted).mean()) if len(labels) else None
        else:
            varies = len(labels) > 1 and np.ptp(labels) > 0 and np.ptp(predicted) > 0
            metric, value = "correlation", float(np.corrcoef(labels, predicted)[0, 1]) if varies else None
        rows.append({"variable": variable.name, "metric": metric, "estimate": value, "n": int(known.sum())})
    kinds = {"variable": pa.string(), "metric": pa.string(), "estimate": pa.float64(), "n": pa.int64()}
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))
