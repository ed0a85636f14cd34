"""The head: what scikit-learn fits on embeddings, written as the last layer of a graph."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from imagesasdata.images import ImageList
from imagesasdata.labels import Labels
from imagesasdata.model import load_model
from imagesasdata.train.folds import make_folds
from imagesasdata.train.head import ALPHAS, CS, Head, compress
from imagesasdata.train.method import Material

N, D = 90, 200


def labels_of(values: np.ndarray, task: str = "single", groups: np.ndarray | None = None) -> Labels:
    names = [str(i) for i in range(len(values))]
    groups = np.arange(len(values)) if groups is None else groups
    return Labels(ImageList(list(names), list(names)), task, tuple("abcdef"[: values.shape[1]]), values, groups)


def head(labels: Labels, features: np.ndarray, weights: np.ndarray | None = None) -> Head:
    ones = np.ones((len(labels.names), 2) if labels.task == "multi" else len(labels.names))
    material = Material(
        labels, load_model(), ones if weights is None else weights, Path("."), "cpu", False, lambda *_: None
    )
    return Head(material, features)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(1).normal(3, 2, (N, D)).astype(np.float32)


@pytest.fixture
def codes(features: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(2).normal(0, 1, (N, 3))
    return np.asarray((features[:, :3] + noise).argmax(axis=1))


ROWS = np.arange(N)


def test_three_classes_get_the_probabilities_of_scikit_learn(features: np.ndarray, codes: np.ndarray) -> None:
    fitted = head(labels_of(np.eye(3)[codes]), features).fit(ROWS, 1)
    centred = features.astype(float) - features.mean(axis=0, dtype=float)
    centred /= np.sqrt((centred**2).sum(axis=1).mean())
    model = LogisticRegression(C=fitted.settings["C"], tol=1e-8, max_iter=5000).fit(centred, codes)
    logits = fitted.logits(ROWS)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probs, model.predict_proba(centred), atol=2e-3)


def test_two_classes_get_the_probabilities_of_scikit_learn(features: np.ndarray, codes: np.ndarray) -> None:
    two = (codes == 1).astype(int)
    fitted = head(labels_of(np.eye(2)[two]), features).fit(ROWS, 1)
    centred = features.astype(float) - features.mean(axis=0, dtype=float)
    centred /= np.sqrt((centred**2).sum(axis=1).mean())
    model = LogisticRegression(C=fitted.settings["C"], tol=1e-8, max_iter=5000).fit(centred, two)
    logits = fitted.logits(ROWS)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], model.decision_function(centred), atol=2e-2)
    assert fitted.settings["C"] in CS


def test_an_attribute_is_fitted_where_it_is_coded(features: np.ndarray, codes: np.ndarray) -> None:
    values = np.eye(3)[codes]
    values[:20, 1] = np.nan
    whole = head(labels_of(values, "multi"), features).fit(ROWS, 1)
    values[:20, 1] = 0.0
    other = head(labels_of(values, "multi"), features).fit(ROWS, 1)
    np.testing.assert_allclose(whole.logits(ROWS)[:, [0, 2]], other.logits(ROWS)[:, [0, 2]], atol=1e-6)
    assert np.abs(whole.logits(ROWS)[:, 1] - other.logits(ROWS)[:, 1]).max() > 0.01


def test_an_attribute_that_all_have_is_its_share(features: np.ndarray) -> None:
    fitted = head(labels_of(np.ones((N, 1)), "multi"), features).fit(ROWS, 1)
    np.testing.assert_allclose(1 / (1 + np.exp(-fitted.logits(ROWS))), (N + 0.5) / (N + 1))


def test_a_score_is_scikit_learns_ridge_on_its_own_scale(features: np.ndarray) -> None:
    y = 50 + 7 * features[:, :1].astype(float)
    fitted = head(labels_of(y, "score"), features).fit(ROWS, 1)
    (alpha,) = fitted.settings["alpha"]
    assert alpha in ALPHAS
    centred = features.astype(float) - features.mean(axis=0, dtype=float)
    centred /= np.sqrt((centred**2).sum(axis=1).mean())
    np.testing.assert_allclose(fitted.logits(ROWS), Ridge(alpha=alpha).fit(centred, y).predict(centred)[:, None])


def test_what_coders_disagree_on_counts_by_its_share(features: np.ndarray, codes: np.ndarray) -> None:
    split = np.eye(2)[(codes == 1).astype(int)]
    split[::2] = 0.5
    probs = head(labels_of(split), features).fit(ROWS, 1).logits(ROWS)
    margin = np.abs(probs[:, 1] - probs[:, 0])
    assert margin[::2].mean() < 0.5 * margin[1::2].mean()


def test_balanced_weights_raise_the_rare_class(features: np.ndarray) -> None:
    rare = np.eye(2)[(ROWS % 9 == 0).astype(int)]
    plain = head(labels_of(rare), features).fit(ROWS, 1).logits(ROWS)
    balanced = head(labels_of(rare), features, np.array([0.56, 4.5])).fit(ROWS, 1).logits(ROWS)
    assert (balanced[:, 1] - balanced[:, 0]).mean() > (plain[:, 1] - plain[:, 0]).mean() + 0.5


def test_rows_that_are_not_to_be_fitted_on_change_nothing(features: np.ndarray, codes: np.ndarray) -> None:
    train = ROWS[:60]
    one = head(labels_of(np.eye(3)[codes]), features).fit(train, 1)
    features[60:], codes[60:] = 1e3, 0
    other = head(labels_of(np.eye(3)[codes]), features).fit(train, 1)
    assert (one.weight == other.weight).all()
    assert (one.bias == other.bias).all()


def test_the_graph_gives_what_was_fitted(photographs: Path) -> None:
    paths = sorted(map(str, photographs.iterdir()))
    labels = Labels(
        ImageList(list(paths), list(paths)),
        "single",
        ("a", "b"),
        np.eye(2)[[0, 1] * (len(paths) // 2)],
        np.arange(len(paths)),
    )
    fitted = Head(Material(labels, load_model(), np.ones(2), Path("."), "cpu", False, lambda *_: None)).fit(
        np.arange(len(paths)), 1
    )
    import onnxruntime as ort

    from imagesasdata.decode import Limits, decode_image
    from imagesasdata.reading import read_file

    session = ort.InferenceSession(fitted.proto().SerializeToString(), providers=["CPUExecutionProvider"])
    steps = load_model().card.preprocessing
    pixels = np.stack([decode_image(read_file(path), steps, Limits()) for path in paths]).astype(np.float32)
    tensor = ((pixels / steps.scale - np.array(steps.mean)) / np.array(steps.std)).transpose(0, 3, 1, 2)
    (logits,) = session.run(["logits"], {session.get_inputs()[0].name: tensor.astype(np.float32)})
    np.testing.assert_allclose(logits, fitted.logits(np.arange(len(paths))), atol=1e-4)


def test_compressing_and_going_back_is_no_change(features: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    small, back = compress(features)
    assert small.shape[1] < N
    weight, bias = rng.normal(size=(2, small.shape[1])), rng.normal(size=2)
    wide_weight, wide_bias = back(weight, bias)
    np.testing.assert_allclose(features @ wide_weight.T + wide_bias, small @ weight.T + bias, atol=1e-6)


def test_groups_are_never_apart_and_classes_are_spread() -> None:
    codes = np.repeat([0, 1, 2], 30)
    groups = np.arange(90) // 2
    labels = labels_of(np.eye(3)[codes], groups=groups)
    seen = []
    for train, test in make_folds(labels, 5, 1):
        assert not set(groups[train]) & set(groups[test])
        assert np.bincount(codes[test], minlength=3).min() >= 5
        seen += test.tolist()
    assert sorted(seen) == list(range(90))
    assert [t.tolist() for _, t in make_folds(labels, 5, 1)] == [t.tolist() for _, t in make_folds(labels, 5, 1)]
    assert [t.tolist() for _, t in make_folds(labels, 5, 1)] != [t.tolist() for _, t in make_folds(labels, 5, 2)]


def test_an_attribute_on_which_coders_differ_counts_for_yes_and_for_no(features: np.ndarray, codes: np.ndarray) -> None:
    said = (codes == 1).astype(float)[:, None]
    shares = said.copy()
    shares[::2] = 0.5
    labels = dataclasses.replace(labels_of(np.where(shares == 0.5, np.nan, said), "multi"), shares=shares)
    fitted = head(labels, features).fit(ROWS, 1)
    logit = fitted.logits(ROWS)[:, 0]
    assert np.abs(logit[::2]).mean() < 0.5 * np.abs(logit[1::2]).mean()
    centred = features.astype(float) - features.mean(axis=0, dtype=float)
    centred /= np.sqrt((centred**2).sum(axis=1).mean())
    both = np.concatenate([centred, centred]), np.repeat([1, 0], N)
    weights = np.concatenate([shares[:, 0], 1 - shares[:, 0]])
    model = LogisticRegression(C=fitted.settings["C"][0], tol=1e-8, max_iter=5000).fit(*both, sample_weight=weights)
    np.testing.assert_allclose(logit, model.decision_function(centred), atol=2e-2)
