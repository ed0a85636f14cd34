"""Metrics are scikit-learn's, for any weights, and missing where scikit-learn has to guess."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from imagesasdata import metrics as m

SEEDS = st.integers(0, 2**32 - 1)
TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}


class Sample:
    """Labels of up to 5 classes, some of which may not occur, probabilities with ties, and weights with zeros."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.k = int(rng.integers(2, 6))
        n = int(rng.integers(1, 40))
        some = rng.permutation(self.k)[: rng.integers(1, self.k + 1)]
        self.truth = rng.choice(some, n)
        self.given = np.where(rng.random(n) < 0.6, self.truth, rng.integers(0, self.k, n))
        probs = np.round(rng.dirichlet(np.ones(self.k), n), int(rng.integers(1, 4))) + 0.01
        self.probs = probs / probs.sum(axis=1, keepdims=True)
        self.weights = rng.integers(0, 4, (3, n)).astype(float)
        self.weights[:, rng.integers(0, n)] += 1  # somebody counts

    def repeated(self, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Truth, labels and probabilities with each photograph as often as it weighs."""
        times = self.weights[row].astype(int)
        return tuple(np.repeat(a, times, axis=0) for a in (self.truth, self.given, self.probs))  # type: ignore[return-value]


def quietly(function: Any, *arguments: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


def agree(found: np.ndarray, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, **TOLERANCE)


# -- labels ------------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_figures_of_labels_are_those_of_scikit_learn_on_rows_repeated_as_often_as_they_weigh(seed: int) -> None:
    s = Sample(seed)
    t = m.tally(s.truth, s.given, s.k, s.weights)
    for row in range(len(s.weights)):
        truth, label, _ = s.repeated(row)
        agree(m.accuracy(t)[row], sk.accuracy_score(truth, label))
        agree(m.balanced_accuracy(t)[row], quietly(sk.balanced_accuracy_score, truth, label))
        each = quietly(sk.precision_recall_fscore_support, truth, label, labels=range(s.k), zero_division=np.nan)
        for function, expected in zip((m.precision, m.recall, m.f1), each[:3], strict=True):
            agree(function(t)[row], expected)
        for function, name in ((m.precision, "precision"), (m.recall, "recall"), (m.f1, "f1")):
            score = getattr(sk, f"{name}_score")
            macro = quietly(score, truth, label, labels=range(s.k), average="macro", zero_division=np.nan)
            agree(m.macro(function(t))[row], macro)
        if len(np.union1d(truth, label)) > 1:
            agree(m.kappa(t)[row], sk.cohen_kappa_score(truth, label))
        else:
            assert np.isnan(m.kappa(t)[row])


def test_what_is_undefined_is_missing_and_not_zero() -> None:
    # Class 2 is nobody's truth, class 3 is never given, class 4 is neither.
    t = m.tally(np.array([0, 0, 1, 3]), np.array([0, 2, 1, 1]), 5)
    np.testing.assert_array_equal(np.isnan(m.recall(t)[0]), [False, False, True, False, True])
    np.testing.assert_array_equal(np.isnan(m.precision(t)[0]), [False, False, False, True, True])
    np.testing.assert_array_equal(np.isnan(m.f1(t)[0]), [False, False, False, False, True])
    # By hand: recalls 1/2, 1, 0 of the classes that occur.
    agree(m.balanced_accuracy(t), [0.5])


def test_no_photographs_at_all_are_missing_everywhere() -> None:
    nothing, codes = np.empty(0), np.empty(0, np.int64)
    t = m.tally(codes, codes, 3)
    figures = [m.accuracy(t), m.balanced_accuracy(t), m.kappa(t), *m.areas(codes == 1, nothing)]
    figures += [m.brier(codes, np.empty((0, 3))), m.log_loss(codes, np.empty((0, 3))), m.r2(nothing, nothing)]
    figures += [m.mae(nothing, nothing), m.rmse(nothing, nothing), m.correlation(nothing, nothing)]
    figures += [m.calibration_error(nothing, codes == 1), m.calibrated_errors(nothing, 1, 1)]
    assert all(figure.shape == (1,) and np.isnan(figure[0]) for figure in figures)


# -- probabilities -----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150)
@given(SEEDS, st.sampled_from([0, 100]))
def test_areas_are_those_of_scikit_learn_with_ties_and_weights(seed: int, few: int) -> None:
    s = Sample(seed)
    for code in range(s.k):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(m, "FEW", few)
            roc, pr = m.areas(s.truth == code, s.probs[:, code], s.weights)
        for row in range(len(s.weights)):
            truth, _, probs = s.repeated(row)
            positive = truth == code
            if positive.any() and not positive.all():
                agree(roc[row], sk.roc_auc_score(positive, probs[:, code]))
            else:
                assert np.isnan(roc[row])
            if positive.any():
                agree(pr[row], sk.average_precision_score(positive, probs[:, code]))
            else:
                assert np.isnan(pr[row])


@pytest.mark.parametrize("digits", [1, 9])
def test_areas_are_the_same_by_comparing_few_photographs_and_by_sorting(
    digits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    truth, prob = rng.random(300) < 0.2, rng.random(300).round(digits)
    weights = rng.integers(0, 3, (20, 300)).astype(float)
    compared = m.areas(truth, prob, weights)
    monkeypatch.setattr(m, "FEW", 0)
    for found, expected in zip(compared, m.areas(truth, prob, weights), strict=True):
        agree(found, expected)


def test_the_area_under_the_roc_curve_is_the_share_of_pairs_in_order_with_ties_as_half() -> None:
    truth, prob = np.array([True, True, False, False, False]), np.array([0.9, 0.4, 0.4, 0.1, 0.95])
    # Six pairs, by hand: 0.9 beats 0.4 and 0.1; 0.4 ties with 0.4 and beats 0.1.
    agree(m.roc_auc(truth, prob), [3.5 / 6])


def test_equal_probabilities_say_nothing_in_whatever_order_they_come() -> None:
    truth = np.array([True, True, False, False, False])
    for order in (np.arange(5), np.arange(5)[::-1]):
        agree(m.roc_auc(truth[order], np.full(5, 0.3)), [0.5])
        agree(m.pr_auc(truth[order], np.full(5, 0.3)), [0.4])  # the share of the class


@settings(deadline=None, max_examples=100)
@given(SEEDS)
def test_brier_score_and_log_loss_are_those_of_scikit_learn(seed: int) -> None:
    s = Sample(seed)
    brier, loss = m.brier(s.truth, s.probs, s.weights), m.log_loss(s.truth, s.probs, s.weights)
    for row in range(len(s.weights)):
        truth, _, probs = s.repeated(row)
        given = probs[:, 1] if s.k == 2 else probs
        options = {"pos_label": 1} if s.k == 2 else {"labels": list(range(s.k))}
        agree(brier[row], sk.brier_score_loss(truth, given, **options))
        agree(loss[row], sk.log_loss(truth, probs, labels=list(range(s.k))))


def test_the_brier_score_of_three_classes_is_a_sum_over_them_and_of_two_that_of_one() -> None:
    truth = np.array([0, 1])
    agree(m.brier(truth, np.array([[0.7, 0.2, 0.1]] * 2)), [(0.09 + 0.04 + 0.01 + 0.49 + 0.64 + 0.01) / 2])  # by hand
    agree(m.brier(truth, np.array([[0.7, 0.3]] * 2)), [(0.3**2 + 0.7**2) / 2])


def test_a_probability_of_zero_for_the_truth_costs_much_but_not_everything() -> None:
    probs = np.array([[1.0, 0.0], [0.0, 1.0]])
    loss = m.log_loss(np.array([1, 1]), probs)
    agree(loss, sk.log_loss([1, 1], probs, labels=[0, 1]))
    assert 18 < loss[0] < 19


def test_calibration_error_is_that_of_scikit_learns_quantile_bins() -> None:
    rng = np.random.default_rng(4)
    prob = rng.uniform(0.3, 1, 500)
    right = rng.random(500) < prob**2
    share, mean = calibration_curve(right, prob, n_bins=10, strategy="quantile")
    agree(m.calibration_error(prob, right), [np.abs(share - mean).mean()])  # bins of 50 photographs each


@settings(deadline=None, max_examples=100)
@given(SEEDS)
def test_calibration_error_with_weights_is_that_of_repeated_rows(seed: int) -> None:
    s = Sample(seed)
    prob, right = s.probs.max(axis=1), s.truth == s.given
    found = m.calibration_error(prob, right, s.weights, bins=4)
    for row, weights in enumerate(s.weights):
        times = weights.astype(int)
        agree(found[row], m.calibration_error(np.repeat(prob, times), np.repeat(right, times), bins=4)[0])


def test_calibration_error_by_hand() -> None:
    prob, right = np.array([0.6, 0.6, 0.9, 0.9]), np.array([True, False, True, True])
    agree(m.calibration_error(prob, right, bins=2), [0.1])  # (|0.5 - 0.6| + |1 - 0.9|) / 2
    agree(m.calibration_error(prob, right, bins=1), [0.0])  # 0.75 are right, and 0.75 is promised


def test_bins_have_equal_mass_at_least_ten_photographs_and_never_part_equal_probabilities() -> None:
    assert [m.bin_count(n) for n in (1, 19, 20, 99, 100, 10_000)] == [1, 1, 2, 9, 10, 10]
    prob = np.random.default_rng(1).permutation(np.linspace(0, 1, 200))
    assert np.bincount(m.bin_numbers(prob, 10)).tolist() == [20] * 10
    tied = np.repeat([0.2, 0.9], [150, 50])
    assert len(np.unique(m.bin_numbers(tied, 10)[:150])) == 1


def test_a_calibrated_model_has_an_error_by_chance_as_simulated() -> None:
    rng = np.random.default_rng(5)
    prob = rng.uniform(0.5, 1, 200)
    errors = [m.calibration_error(prob, rng.random(200) < prob)[0] for _ in range(400)]
    drawn = m.calibrated_errors(prob, 400, seed=1)
    assert drawn.shape == (400,)
    assert abs(np.mean(errors) - drawn.mean()) < 4 * np.std(errors) / np.sqrt(200)
    np.testing.assert_array_equal(drawn, m.calibrated_errors(prob, 400, seed=1))


# -- numbers -----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(SEEDS, st.sampled_from([0.0, 1e6]), st.sampled_from([1e-3, 1.0, 1e4]))
def test_figures_of_scores_are_those_of_scikit_learn_at_any_scale(seed: int, centre: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    truth = np.round(rng.normal(size=n), 1) * scale + centre
    score = truth + rng.normal(size=n) * scale
    weights = rng.integers(0, 4, (3, n)).astype(float)
    weights[:, 0] += 1
    for row, w in enumerate(weights):
        t, p = np.repeat(truth, w.astype(int)), np.repeat(score, w.astype(int))
        each = {"rtol": 1e-6}
        np.testing.assert_allclose(m.mae(truth, score, weights)[row], sk.mean_absolute_error(t, p), **each)
        np.testing.assert_allclose(m.rmse(truth, score, weights)[row], sk.root_mean_squared_error(t, p), **each)
        found, related = m.r2(truth, score, weights)[row], m.correlation(truth, score, weights)[row]
        if len(np.unique(t)) > 1:
            np.testing.assert_allclose(found, sk.r2_score(t, p), rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(related, np.corrcoef(t, p)[0, 1], rtol=1e-5, atol=1e-5)
        else:
            assert np.isnan(found)
            assert np.isnan(related)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3])
def test_a_truth_that_does_not_vary_has_no_r2_and_no_correlation(value: float) -> None:
    truth, score = np.full(7, value), np.linspace(0, 1, 7)
    assert np.isnan(m.r2(truth, score)[0])
    assert np.isnan(m.correlation(truth, score)[0])
    assert np.isnan(m.correlation(score, truth)[0])
    assert m.mae(truth, score)[0] >= 0


def test_a_replicate_in_which_the_truth_does_not_vary_has_no_r2() -> None:
    rng = np.random.default_rng(1)
    truth, score = np.append(rng.normal(size=50), 3.0), rng.normal(size=51)
    weights = np.eye(51) * 7.3  # one photograph, again and again
    assert np.isnan(m.r2(truth, score, weights)).all()
    assert np.isnan(m.correlation(truth, score, weights)).all()


def test_a_correlation_never_exceeds_one() -> None:
    truth = np.array([0.1, 0.2, 0.3])
    assert m.correlation(truth, 3 * truth)[0] <= 1
