"""Fit a new last layer on the embeddings: logistic or ridge regression, its strength chosen by inner folds."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from ..features import embed
from ..labels import Labels
from ..runtime import Values
from .folds import make_folds
from .head_graph import with_head
from .method import Logits, Material, Rows, Told

Floats = npt.NDArray[np.float64]
INNER_FOLDS = 3
# Strengths that are tried, weakest regularisation last, on embeddings scaled to a mean square norm of 1.
CS = (1.0, 4.0, 16.0, 64.0, 256.0)
ALPHAS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)


@dataclass(frozen=True)
class FittedHead:
    """A last layer: ``embedding @ weight.T + bias``."""

    material: Material
    features: Values
    weight: Floats
    bias: Floats
    settings: dict[str, Any]

    def logits(self, rows: Rows) -> Logits:
        """Return the output before its activation, ``[len(rows), k]``."""
        return np.asarray(self.features[rows].astype(np.float64) @ self.weight.T + self.bias)

    def proto(self) -> onnx.ModelProto:
        """Return the backbone's graph with this last layer."""
        return with_head(*self.material.backbone.read(), self.weight, self.bias)


class Head:
    """The way of training that leaves the backbone as it is; a `Method`.

    Parameters
    ----------
    material : Material
        What to train on.
    features : numpy.ndarray, optional
        Embeddings of its photographs, where they are known.
    """

    def __init__(self, material: Material, features: Values | None = None) -> None:
        self.material = material
        if features is not None:
            self.features = features

    @functools.cached_property
    def features(self) -> Values:
        """Embeddings ``[n, d]``."""
        m = self.material
        return embed(m.labels.images, [m.backbone], m.device, m.cache, m.report)[0][0]

    def prepare(self) -> None:
        """Embed all photographs."""
        _ = self.features

    def fit(self, rows: Rows, seed: int, report: Told | None = None) -> FittedHead:
        """Fit on these rows alone, too fast to report on."""
        features = self.features
        # The matrices are small: several threads would cost more than they bring, and on a busy machine far more.
        with threadpool_limits(1):
            return self._fit(features, rows, seed)

    def _fit(self, features: Values, rows: Rows, seed: int) -> FittedHead:
        labels, weights = self.material.labels, self.material.weights
        x, back = compress(features[rows])
        part = take(labels, rows)
        splits = list(make_folds(part, min(INNER_FOLDS, len(np.unique(part.groups))), seed))
        if labels.task == "single":
            weight, bias, c = fit_single(x, part.targets, weights, splits)
            chosen: float | list[float] = c
        else:
            fit = fit_score if labels.task == "score" else fit_attribute
            columns = [fit(x, part.targets[:, k], weights[k], splits) for k in range(len(labels.names))]
            weight, bias = np.stack([c[0] for c in columns]), np.array([c[1] for c in columns])
            chosen = [c[2] for c in columns]
        weight, bias = back(weight, bias)
        name = "alpha" if labels.task == "score" else "C"
        return FittedHead(self.material, features, weight, bias, {name: chosen})


def take(labels: Labels, rows: Rows) -> Labels:
    """Return some rows of labels; their images are not needed to fit on."""
    shares = None if labels.shares is None else labels.shares[rows]
    return Labels(labels.images, labels.task, labels.names, labels.values[rows], labels.groups[rows], shares=shares)


def compress(features: Values) -> tuple[Floats, Callable[[Floats, Floats], tuple[Floats, Floats]]]:
    """Return centred, scaled embeddings in their own space, and the way back for a weight and a bias.

    With fewer photographs than numbers the embeddings lie in a space of that many dimensions. A rotation into it
    changes neither the penalty nor the fit, and saves most of the time.
    """
    wide = features.astype(np.float64)
    centre = wide.mean(axis=0)
    wide = wide - centre
    scale = float(np.sqrt((wide**2).sum(axis=1).mean())) or 1.0
    wide /= scale
    basis: Floats = np.eye(wide.shape[1])
    if len(wide) < wide.shape[1]:
        # The axes from the products of all rows: half the time of a singular value decomposition.
        squares, sides = np.linalg.eigh(wide @ wide.T)
        kept = squares > squares[-1] * 1e-12
        if kept.any():
            basis = (sides[:, kept] / np.sqrt(squares[kept])).T @ wide
            wide = sides[:, kept] * np.sqrt(squares[kept])

    def back(weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
        weight = weight @ basis / scale if len(basis) < features.shape[1] else weight / scale
        return weight, bias - weight @ centre

    return wide, back


def fit_single(
    x: Floats, values: Floats, class_weights: Floats, splits: Sequence[tuple[Rows, Rows]]
) -> tuple[Floats, Floats, float]:
    """Fit exclusive classes; a photograph on which coders differ counts for each class by its share."""
    k = values.shape[1]
    rows, y = np.nonzero(values > 0)
    sample = values[rows, y] * class_weights[y]

    def fit(train: npt.NDArray[np.bool_], model: LogisticRegression) -> None:
        keep = train[rows]
        _quietly(model, x[rows[keep]], y[keep], sample[keep])

    def loss(model: LogisticRegression, test: Rows) -> float:
        probs = np.full((len(test), k), 1e-12)
        probs[:, model.classes_] = np.maximum(model.predict_proba(x[test]), 1e-12)
        return float(-(values[test] * class_weights * np.log(probs)).sum())

    c, model = _choose_c(fit, loss, splits, len(x))
    weight, bias = np.zeros((k, x.shape[1])), np.full(k, -30.0)
    if len(model.classes_) == 2:
        # One logit becomes two of opposite sign, so that a softmax gives the same.
        first, second = model.classes_
        weight[first], weight[second] = -model.coef_[0] / 2, model.coef_[0] / 2
        bias[first], bias[second] = -model.intercept_[0] / 2, model.intercept_[0] / 2
    else:
        weight[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    return weight, bias, c


def fit_attribute(
    x: Floats, y: Floats, class_weights: Floats, splits: Sequence[tuple[Rows, Rows]]
) -> tuple[Floats, float, float]:
    """Fit one attribute, on the rows that are coded; one on which coders differ counts for yes and no by its share."""
    known = ~np.isnan(y)
    if len(np.unique(y[known])) < 2:  # one answer only: its share, drawn a little to the middle
        share = (np.nansum(y) + 0.5) / (known.sum() + 1)
        return np.zeros(x.shape[1]), float(np.log(share / (1 - share))), CS[0]
    two = np.stack([1 - np.nan_to_num(y), np.nan_to_num(y)], axis=1) * known[:, None]
    coded = [(train[known[train]], test[known[test]]) for train, test in splits]
    weight, bias, c = fit_single(x, two, class_weights, coded)
    return weight[1] - weight[0], float(bias[1] - bias[0]), c


def fit_score(x: Floats, y: Floats, _: Floats, splits: Sequence[tuple[Rows, Rows]]) -> tuple[Floats, float, float]:
    """Fit one score by ridge regression, on the rows that are coded."""
    known = ~np.isnan(y)
    losses = np.zeros(len(ALPHAS))
    for train, test in splits:
        train, test = train[known[train]], test[known[test]]
        for i, alpha in enumerate(ALPHAS):
            if len(train) > 1 and len(test):
                model = Ridge(alpha=alpha * len(train) / len(x)).fit(x[train], y[train])
                losses[i] += ((model.predict(x[test]) - y[test]) ** 2).sum()
    alpha = ALPHAS[int(losses.argmin())]
    model = Ridge(alpha=alpha).fit(x[known], y[known])
    return model.coef_, float(model.intercept_), alpha


def _choose_c(
    fit: Callable[[npt.NDArray[np.bool_], LogisticRegression], None],
    loss: Callable[[LogisticRegression, Rows], float],
    splits: Sequence[tuple[Rows, Rows]],
    n: int,
) -> tuple[float, LogisticRegression]:
    """Return the strength with the least log loss on the inner folds, and the model fitted with it on all rows."""
    losses = np.zeros(len(CS))
    for train, test in splits:
        inside = np.zeros(n, bool)
        inside[train] = True
        model = LogisticRegression(warm_start=True, max_iter=300, tol=1e-3)
        try:
            for i, c in enumerate(CS):
                # The fold has fewer rows: the same balance of loss and penalty as on all of them.
                fit(inside, model.set_params(C=c * n / len(train)))
                losses[i] += loss(model, test)
        except ValueError:  # a fold with one class only
            continue
    c = CS[int(losses.argmin())]
    model = LogisticRegression(C=c, max_iter=1000, tol=1e-5)
    fit(np.ones(n, bool), model)
    return c, model


def _quietly(model: LogisticRegression, x: Floats, y: Rows, sample: Floats) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y, sample_weight=sample)
