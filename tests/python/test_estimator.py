"""`ImageClassifier` is a scikit-learn estimator whose samples are paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import (
    check_estimator_repr,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

from imagesasdata import ImageClassifier
from imagesasdata.errors import ArgumentInvalid, LabelsInvalid


@pytest.fixture(scope="module")
def data(class_folders: Path) -> tuple[list[str], np.ndarray]:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    return paths, np.array([Path(path).parent.name for path in paths])


@pytest.mark.parametrize(
    "check",
    [
        check_parameters_default_constructible,
        check_get_params_invariance,
        check_set_params,
        check_no_attributes_set_in_init,
        check_estimator_repr,
    ],
)
def test_scikit_learns_checks_of_parameters_pass(check: object) -> None:
    check("ImageClassifier", ImageClassifier())  # type: ignore[operator]


def test_it_predicts_and_scores(data: tuple[list[str], np.ndarray]) -> None:
    paths, y = data
    model = ImageClassifier().fit(paths, y)
    assert is_classifier(model)
    assert model.classes_.tolist() == ["flower", "temple"]
    assert model.score(paths, y) > 0.95
    probs = model.predict_proba(np.array(paths)[:, None])
    assert probs.shape == (48, 2)
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    assert ((model.decision_function(paths) > 0) == (model.predict(paths) == "temple")).all()


def test_numbers_stay_numbers(data: tuple[list[str], np.ndarray]) -> None:
    paths, y = data
    model = ImageClassifier().fit(paths, (y == "temple").astype(int))
    assert model.predict(paths[:3]).dtype.kind == "i"
    weighted = ImageClassifier(class_weights={0: 9.0, 1: 1.0}).fit(paths, (y == "temple").astype(int))
    assert weighted.predict_proba(paths)[:, 0].mean() > model.predict_proba(paths)[:, 0].mean()
    logical = ImageClassifier(class_weights={False: 9.0}).fit(paths, y == "temple")
    np.testing.assert_allclose(logical.predict_proba(paths), weighted.predict_proba(paths))


def test_it_works_in_cross_val_score_and_a_grid_search(data: tuple[list[str], np.ndarray]) -> None:
    paths, y = data
    assert cross_val_score(ImageClassifier(), np.array(paths), y, cv=3).mean() > 0.9
    search = GridSearchCV(ImageClassifier(), {"class_weights": [None, "balanced"]}, cv=3, scoring="roc_auc")
    assert search.fit(np.array(paths), y).best_score_ > 0.9
    assert clone(search.best_estimator_).get_params()["seed"] == 1


def test_before_fitting_it_says_so(data: tuple[list[str], np.ndarray]) -> None:
    with pytest.raises(NotFittedError):
        ImageClassifier().predict(data[0])
    with pytest.raises(NotFittedError):
        ImageClassifier().predict_proba(data[0])


def test_bad_input_is_refused(data: tuple[list[str], np.ndarray], tmp_path: Path) -> None:
    paths, y = data
    with pytest.raises(LabelsInvalid, match="one class only"):
        ImageClassifier().fit(paths, ["a"] * 48)
    with pytest.raises(LabelsInvalid, match="cannot be read"):
        ImageClassifier().fit([*paths, str(tmp_path / "none.jpg")], [*y, "temple"])
    with pytest.raises(ArgumentInvalid, match="48 photographs and `y` has 47"):
        ImageClassifier().fit(paths, y[:-1])
    with pytest.raises(ArgumentInvalid, match="`X` is"):
        ImageClassifier().fit("photos/", y)
