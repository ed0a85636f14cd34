"""`ImageClassifier`: a scikit-learn estimator whose samples are paths of photographs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .answers import class_text
from .classify import probabilities
from .errors import ArgumentInvalid, LabelsInvalid, quoted
from .features import embed
from .images import ImageList, find_images
from .labels import Labels
from .registry import DEFAULT_MODEL
from .runtime import Values
from .train.head import Head
from .train.method import Material
from .train.prepare import find_backbone, weights_of


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify photographs by logistic regression on a network's embeddings, as a scikit-learn estimator.

    It is ``fine_tune(method="head")`` in the form that `cross_val_score`, `GridSearchCV` and pipelines expect.
    Embeddings come from the user's cache, so a grid search decodes each photograph once.

    Parameters
    ----------
    backbone : str, path or ImageModel
        As in `fine_tune`.
    class_weights : "balanced" or dict, optional
        As in `fine_tune`.
    seed : int
        Of the inner folds by which the strength of regularisation is chosen.
    device, cache
        As in `classify_images`.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The classes, sorted.
    coef_, intercept_ : numpy.ndarray
        ``[k, d]`` and ``[k]``: the last layer.
    C_ : float
        The strength of regularisation that was chosen.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> from sklearn.model_selection import cross_val_score
    >>> cross_val_score(iad.ImageClassifier(), paths, labels, cv=5)  # doctest: +SKIP
    """

    def __init__(
        self,
        backbone: Any = DEFAULT_MODEL,
        class_weights: Any = None,
        seed: int = 1,
        device: str = "auto",
        cache: bool = True,
    ) -> None:
        self.backbone = backbone
        self.class_weights = class_weights
        self.seed = seed
        self.device = device
        self.cache = cache

    def fit(self, X: Any, y: Any) -> ImageClassifier:  # noqa: N803
        """Fit on paths and their classes.

        Parameters
        ----------
        X : sequence of str, ``[n]`` or ``[n, 1]``
            Paths.
        y : sequence, ``[n]``
            Classes: text or numbers.

        Raises
        ------
        LabelsInvalid
            A photograph cannot be read, or there is one class only.
        """
        images = _images(X)
        y = column_or_1d(np.asarray(y))
        check_classification_targets(y)
        if type_of_target(y) not in ("binary", "multiclass"):
            raise LabelsInvalid(f"`y` holds {type_of_target(y)} labels; give one class for each photograph.")
        if len(y) != len(images):
            raise ArgumentInvalid(f"`X` has {len(images):,} photographs and `y` has {len(y):,} labels.")
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise LabelsInvalid(f"`y` has one class only ({self.classes_[0]!r}); two are needed to tell apart.")
        features = self._embed(images)
        names = tuple(class_text(c) for c in self.classes_)
        labels = Labels(images, "single", names, np.eye(len(names))[codes], np.arange(len(codes)))
        model = find_backbone(self.backbone)
        weights = weights_of(labels, self.class_weights)
        with tempfile.TemporaryDirectory() as work:
            material = Material(labels, model, weights, Path(work), self.device, self.cache, lambda *_: None)
            fitted = Head(material, features).fit(np.arange(len(codes)), self.seed)
        self.coef_, self.intercept_, self.C_ = fitted.weight, fitted.bias, fitted.settings["C"]
        return self

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Return a number for each class, ``[n, k]``; for two classes the second's less the first's, ``[n]``."""
        check_is_fitted(self)
        logits = self._logits(X)
        return np.asarray(logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Return the probability of each class, ``[n, k]``, in the order of `classes_`."""
        check_is_fitted(self)
        return probabilities(self._logits(X), "softmax")

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """Return the most probable class of each photograph, ``[n]``."""
        check_is_fitted(self)
        return np.asarray(self.classes_[self._logits(X).argmax(axis=1)])

    def _logits(self, paths: Any) -> npt.NDArray[np.float64]:
        return np.asarray(self._embed(_images(paths)).astype(np.float64) @ self.coef_.T + self.intercept_)

    def _embed(self, images: ImageList) -> Values:
        (values,), errors = embed(images, [find_backbone(self.backbone)], self.device, self.cache, lambda *_: None)
        failed = [f"{name} ({e})" for name, e in zip(images.names, errors, strict=True) if e is not None]
        if failed:
            raise LabelsInvalid(f"{len(failed):,} photograph(s) cannot be read: {quoted(failed, 3)}.")
        return values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags


def _images(paths: Any) -> ImageList:
    if isinstance(paths, str):
        raise ArgumentInvalid(f'`X` is "{paths}"; give a list of paths.')
    given = np.asarray(paths, dtype=object)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim != 1 or not len(given):
        raise ArgumentInvalid(f"`X` has the shape {given.shape}; give a list of at least one path.")
    return find_images(given.tolist())
