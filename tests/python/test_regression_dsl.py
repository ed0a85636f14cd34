"""Design-based supervised learning: its claims at the ends, and the papers' equations written out in loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from scipy.optimize import root

from imagesasdata.errors import TooFewLabels
from imagesasdata.regression.crossfit import Variable, cross_fit, draw_folds
from imagesasdata.regression.dsl import Design, Estimate, Sample, corrected, estimate, labels_only, stack
from imagesasdata.regression.families import family_of

Floats = npt.NDArray[np.float64]
NAMES = ("const", "d", "z")
FAMILIES = ("gaussian", "binomial", "poisson", "negbin")


class Drawn:
    """A population with one predicted covariate, ``d``."""

    def __init__(self, family: str = "gaussian", accuracy: float = 0.85, n: int = 1500, m: int = 300, seed: int = 1):
        rng = np.random.default_rng(seed)
        self.z = rng.normal(size=n)
        self.d = (rng.random(n) < 0.4).astype(float)
        eta = 0.2 + 0.7 * self.d - 0.4 * self.z
        if family == "gaussian":
            self.y = eta + rng.normal(size=n)
        elif family == "binomial":
            self.y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
        else:
            self.y = rng.poisson(np.exp(eta) * (rng.gamma(2, 1 / 2, n) if family == "negbin" else 1)).astype(float)
        self.prob = np.clip(m / n * np.exp(0.5 * self.z), 0.02, 1)
        self.labelled = rng.random(n) < self.prob
        self.predicted = np.where(rng.random(n) < accuracy, self.d, 1 - self.d)
        self.cluster = rng.integers(0, 100, n)
        self.weights = rng.uniform(0.5, 2, n)

    def design(self, d: Floats) -> Design:
        return self.y, np.column_stack([np.ones(len(d)), d, self.z])

    def labels(self) -> Design:
        y, x = self.design(self.d)
        return y[self.labelled], x[self.labelled]

    def variable(self) -> Variable:
        return Variable("d", np.where(self.labelled, self.d, np.nan), self.predicted)

    def splits(self, folds: int = 5, repeats: int = 3, seed: int = 1, cluster: bool = False) -> list[Design]:
        others = np.column_stack([self.y, self.z])
        by = self.cluster if cluster else None
        found = cross_fit([self.variable()], others, self.labelled, by, folds, repeats, seed)
        return [self.design(values["d"]) for values in found]

    def sample(self) -> Sample:
        return Sample(self.labelled, self.prob, np.ones(len(self.y)))


@pytest.mark.parametrize("family", FAMILIES)
def test_with_perfect_predictions_it_is_the_regression_on_all_rows(family: str) -> None:
    drawn = Drawn(family, accuracy=1.0)
    found = corrected(family_of(family), drawn.labels(), drawn.splits(), drawn.sample(), NAMES)
    full = Sample(np.ones(len(drawn.y), bool), np.ones(len(drawn.y)), np.ones(len(drawn.y)))
    whole = labels_only(family_of(family), drawn.design(drawn.d), full, NAMES)
    np.testing.assert_allclose(found.theta, whole.theta, atol=1e-8)
    np.testing.assert_allclose(found.cov, whole.cov, atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_with_all_rows_labelled_it_is_the_ordinary_estimate_with_robust_errors(family: str) -> None:
    drawn = Drawn(family, accuracy=0.6)
    drawn.labelled[:], drawn.prob[:] = True, 1.0
    y, x = drawn.design(drawn.d)
    found = corrected(family_of(family), (y, x), drawn.splits(), drawn.sample(), NAMES)
    if family == "gaussian":
        other = sm.OLS(y, x).fit(cov_type="HC0")
    elif family == "negbin":
        other = sm.NegativeBinomial(y, x).fit(
            method="newton", disp=False, tol=1e-12, cov_type="HC0", start_params=found.theta
        )
    else:
        kind = sm.families.Binomial() if family == "binomial" else sm.families.Poisson()
        other = sm.GLM(y, x, family=kind).fit(tol=1e-14, cov_type="HC0")
    np.testing.assert_allclose(found.theta, other.params, atol=1e-6)
    np.testing.assert_allclose(found.cov, other.cov_params(), atol=1e-6)


@pytest.mark.parametrize("family", ("gaussian", "binomial", "poisson"))
def test_with_useless_predictions_of_the_outcome_it_is_the_labels_alone_within_noise(family: str) -> None:
    drawn = Drawn(family, n=4000)
    drawn.prob[:] = 0.2
    drawn.labelled = np.random.default_rng(7).random(4000) < 0.2
    noise = np.random.default_rng(9).permutation(drawn.y)
    outcome = Variable("y", np.where(drawn.labelled, drawn.y, np.nan), noise)
    x = np.column_stack([np.ones(len(drawn.y)), drawn.d, drawn.z])
    values = cross_fit([outcome], x[:, 1:], drawn.labelled, None, 5, 3, 1)
    predicted = [(found["y"], x) for found in values]
    model = family_of(family)
    found = corrected(model, drawn.labels(), predicted, drawn.sample(), NAMES)
    alone = labels_only(model, drawn.labels(), drawn.sample(), NAMES)
    assert (np.abs(found.theta - alone.theta) < np.sqrt(np.diag(alone.cov))).all()
    np.testing.assert_allclose(np.sqrt(np.diag(found.cov)), np.sqrt(np.diag(alone.cov)), rtol=0.1)


def literally(family: str, drawn: Drawn, predicted: Design, cluster: bool = False) -> tuple[Floats, Floats]:
    """Write out the papers' equations, row by row: the moment of row i, its sum, its Jacobian, the sandwich.

    For ``y`` and ``x`` with labels and ``y_hat`` and ``x_hat`` with predictions, and ``h`` the inverse link:
    m_i = x_hat (y_hat - h(x_hat b)) + R / pi (x (y - h(x b)) - x_hat (y_hat - h(x_hat b))).
    """
    y, x = drawn.design(drawn.d)
    y_hat, x_hat = predicted
    n, k = x.shape

    def h(eta: float) -> float:
        return eta if family == "gaussian" else 1 / (1 + np.exp(-eta))

    def slope(eta: float) -> float:
        return 1.0 if family == "gaussian" else h(eta) * (1 - h(eta))

    def moment(i: int, b: Floats) -> Floats:
        of_predicted = x_hat[i] * (y_hat[i] - h(float(x_hat[i] @ b)))
        if not drawn.labelled[i]:
            return of_predicted
        of_label = x[i] * (y[i] - h(float(x[i] @ b)))
        return of_predicted + (of_label - of_predicted) / drawn.prob[i]

    def jacobian(b: Floats) -> Floats:
        total = np.zeros((k, k))
        for i in range(n):
            of_predicted = -np.outer(x_hat[i], x_hat[i]) * slope(float(x_hat[i] @ b))
            total += of_predicted
            if drawn.labelled[i]:
                of_label = -np.outer(x[i], x[i]) * slope(float(x[i] @ b))
                total += (of_label - of_predicted) / drawn.prob[i]
        return total / n

    found = root(lambda b: sum(moment(i, b) for i in range(n)) / n, np.zeros(k), jac=jacobian, tol=1e-13)
    b = found.x
    groups: dict[int, Floats] = {}
    for i in range(n):
        g = int(drawn.cluster[i]) if cluster else i
        groups[g] = groups.get(g, np.zeros(k)) + moment(i, b)
    meat = sum(np.outer(total, total) for total in groups.values()) / n
    inverse = np.linalg.inv(jacobian(b))
    return b, inverse @ meat @ inverse.T / n


@pytest.mark.parametrize("cluster", (False, True))
@pytest.mark.parametrize("family", ("gaussian", "binomial"))
def test_it_is_the_papers_equations_written_out(family: str, cluster: bool) -> None:
    drawn = Drawn(family, n=400, m=120)
    splits = drawn.splits(repeats=3, cluster=cluster)
    sample = replace(drawn.sample(), cluster=drawn.cluster if cluster else None)
    found = corrected(family_of(family), drawn.labels(), splits, sample, NAMES)
    each = [literally(family, drawn, split, cluster) for split in splits]
    middle = np.array([sorted(b[j] for b, _ in each)[1] for j in range(3)])
    variance = [sorted(v[j, j] + (b[j] - middle[j]) ** 2 for b, v in each)[1] for j in range(3)]
    np.testing.assert_allclose(found.theta, middle, atol=1e-8)
    np.testing.assert_allclose(np.diag(found.cov), variance, atol=1e-8)
    assert np.ptp([b[1] for b, _ in each]) > 1e-4  # the splits are not all the same


def test_a_seed_gives_the_same_and_another_seed_another() -> None:
    drawn = Drawn()

    def found(seed: int) -> Floats:
        return corrected(family_of("gaussian"), drawn.labels(), drawn.splits(seed=seed), drawn.sample(), NAMES).theta

    np.testing.assert_array_equal(found(1), found(1))
    assert (found(1) != found(2)).any()


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_scale_nothing_and_count(family: str) -> None:
    drawn = Drawn(family)
    splits, model = drawn.splits(), family_of(family)

    def found(weights: Floats) -> Estimate:
        return corrected(model, drawn.labels(), splits, replace(drawn.sample(), weights=weights), NAMES)

    once, thrice = found(drawn.weights), found(3 * drawn.weights)
    np.testing.assert_allclose(once.theta, thrice.theta, atol=1e-8)
    np.testing.assert_allclose(once.cov, thrice.cov, atol=1e-8)
    assert (np.abs(once.theta - found(np.ones(len(drawn.y))).theta) > 1e-4).any()


def test_the_part_of_the_covariance_from_labels_is_what_the_label_adds() -> None:
    drawn = Drawn(n=300, m=100)
    split, model = drawn.splits(repeats=1)[0], family_of("gaussian")
    labels = drawn.labels()
    found = estimate(model, stack(labels, split, drawn.sample()), NAMES, 300)
    y, x = drawn.design(drawn.d)
    weight = np.where(drawn.labelled, 1 / drawn.prob, 0)[:, None]
    before = split[1] * (split[0] - split[1] @ found.theta)[:, None]
    added = weight * (x * (y - x @ found.theta)[:, None] - before)
    total = before + added
    a = np.linalg.inv(split[1].T @ split[1] + x.T @ (weight * x) - split[1].T @ (weight * split[1]))
    np.testing.assert_allclose(found.cov, a @ total.T @ total @ a.T, atol=1e-12)
    np.testing.assert_allclose(found.from_labels, a @ added.T @ added @ a.T, atol=1e-12)


def test_a_row_never_helps_to_predict_its_own_label() -> None:
    drawn = Drawn(n=300, m=100)
    row = int(np.flatnonzero(drawn.labelled)[0])
    variable = drawn.variable()
    changed = variable.labels.copy()
    changed[row] = 1 - changed[row]
    others = drawn.z[:, None]

    def expected(labels: Floats) -> Floats:
        return next(cross_fit([replace(variable, labels=labels)], others, drawn.labelled, None, 5, 1, 1))["d"]

    before, after = expected(variable.labels), expected(changed)
    assert before[row] == after[row]
    assert (before != after).any()


def test_clusters_are_in_one_fold_and_labels_in_all() -> None:
    drawn = Drawn()
    fold = draw_folds(drawn.labelled, drawn.cluster, 5, np.random.default_rng(1))
    assert all(len(set(fold[drawn.cluster == g])) == 1 for g in range(100))
    alone = draw_folds(drawn.labelled, None, 5, np.random.default_rng(1))
    assert np.ptp(np.bincount(alone[drawn.labelled])) <= 1


def test_a_level_that_a_fold_lacks_has_probability_0_there() -> None:
    labels = np.array([0.0, 0, 0, 1, 1, 1, 2] + [np.nan] * 20)
    predictions = np.eye(3)[np.random.default_rng(1).integers(0, 3, 27)]
    variable = Variable("what", labels, predictions, ("a", "b", "c"))
    found = next(cross_fit([variable], np.zeros((27, 0)), ~np.isnan(labels), None, 3, 1, 1))["what"]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[6, 2] == 0  # the only "c" does not know of itself


def test_one_class_among_the_labels_of_a_fold_is_taken_for_all() -> None:
    labels = np.array([0.0, 0, 0, 0, 0, 1] + [np.nan] * 10)
    variable = Variable("d", labels, np.linspace(0, 1, 16))
    found = next(cross_fit([variable], np.zeros((16, 0)), ~np.isnan(labels), None, 2, 1, 1))["d"]
    assert ((found >= 0) & (found <= 1)).all()


def test_too_few_labels_for_folds_are_said() -> None:
    variable = Variable("d", np.array([0.0, 1, np.nan, np.nan]), np.array([0.4, 0.6, 0.2, 0.3]))
    with pytest.raises(TooFewLabels, match="fewer folds"):
        next(cross_fit([variable], np.zeros((4, 0)), np.array([True, True, False, False]), None, 2, 1, 1))


def test_a_missing_prediction_is_a_column_of_its_own() -> None:
    variable = Variable("d", np.full(4, np.nan), np.array([0.2, np.nan, 0.4, 0.6]))
    np.testing.assert_allclose(variable.features(), [[0.2, 0], [0.4, 1], [0.4, 0], [0.6, 0]])
