"""Groups with an intercept of their own: what they stand for, and how few labels each may have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.errors import ColumnsCollinear
from imagesasdata.regression.dsl import Design, Sample, corrected, labels_only
from imagesasdata.regression.families import GAUSSIAN

Floats = npt.NDArray[np.float64]
Z = 1.959963984540054
ONE = ({"protest": "seen"}, {"protest": "coded"})


def posts(seed: int, accounts: int = 200, n: int = 2000, labels: int = 250) -> pd.DataFrame:
    """Return posts by accounts that differ in what they show and in what they are liked; protest brings 1 like."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, accounts, n)
    of_account = rng.normal(size=accounts)
    protest = (rng.normal(size=n) + of_account[account] > 0).astype(float)
    frame = pd.DataFrame({"account": account, "protest": protest, "followers": np.exp(of_account)[account]})
    frame["likes"] = protest + 2 * of_account[account] + rng.normal(size=n)
    frame["seen"] = np.where(rng.random(n) < 0.85, protest, 1 - protest)
    frame["coded"] = np.where(rng.random(n) < labels / n, protest, np.nan)
    return frame.assign(pi=labels / n)


def drawn(seed: int = 1, n: int = 120) -> tuple[Design, Design, Sample]:
    """Return the labelled rows, all rows as predicted, and which were labelled, with unequal weights and chances."""
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(30), rng.integers(0, 30, n - 30)])
    x = rng.normal(size=(n, 2)) + group[:, None] / 5
    y = x @ [1.0, -0.5] + group + rng.normal(size=n)
    prob = rng.uniform(0.2, 0.6, n)
    labelled = rng.random(n) < prob
    sample = Sample(labelled, np.where(labelled, prob, 1.0), rng.uniform(0.5, 2, n), None, group)
    return (y[labelled], x[labelled]), (y, x + rng.normal(size=(n, 2)) / 2), sample


def test_it_is_the_sum_over_all_pairs_of_rows_of_a_group() -> None:
    """The cross-products about the groups' means, with each pair's right value, written out."""
    labels, predicted, sample = drawn()
    n, w, group = len(sample.weights), sample.weights, sample.absorb
    assert group is not None
    before = np.column_stack([predicted[1], predicted[0]])
    after = before.copy()
    after[sample.labelled] = np.column_stack([labels[1], labels[0]])
    r = np.where(sample.labelled, 1 / sample.prob, 0.0)
    right = np.zeros((3, 3))
    for i in range(n):
        alone = np.outer(before[i], before[i])
        alone = alone + r[i] * (np.outer(after[i], after[i]) - alone)
        total = w[group == group[i]].sum()
        right += w[i] * alone - w[i] ** 2 / total * alone
        for j in range(n):
            if j != i and group[j] == group[i]:
                one, other = (before[k] + r[k] * (after[k] - before[k]) for k in (i, j))
                right -= w[i] * w[j] / total * np.outer(one, other)
    expected = np.linalg.solve(right[:2, :2], right[:2, 2])
    found = corrected(GAUSSIAN, labels, [predicted], sample, ["a", "b"])
    np.testing.assert_allclose(found.theta, expected, atol=1e-10)


def test_with_all_rows_labelled_it_is_dummies() -> None:
    _, (y, x), sample = drawn()
    whole = replace(sample, labelled=np.ones(len(y), bool), prob=np.ones(len(y)))
    assert sample.absorb is not None
    dummies = np.eye(30)[sample.absorb]
    names = ["a", "b", *map(str, range(30))]
    other = labels_only(GAUSSIAN, (y, np.column_stack([x, dummies])), replace(whole, absorb=None), names)
    for found in (
        labels_only(GAUSSIAN, (y, x), whole, names[:2]),
        corrected(GAUSSIAN, (y, x), [(y, x + 1)], whole, names[:2]),
    ):
        np.testing.assert_allclose(found.theta, other.theta[:2], atol=1e-9)
        np.testing.assert_allclose(found.cov, other.cov[:2, :2], atol=1e-9)


@pytest.mark.parametrize("cluster", [None, "account"])
def test_groups_may_have_one_label_each(cluster: str | None) -> None:
    found = [
        iad.regress(
            "likes ~ protest", posts(seed), *ONE, sampling_prob="pi", absorb="account", cluster=cluster, repeats=1
        )
        for seed in range(40)
    ]
    estimates = np.array([one.params["protest"] for one in found])
    errors = np.array([one.bse["protest"] for one in found])
    assert abs(estimates.mean() - 1) < 3 * estimates.std() / np.sqrt(40)
    assert errors.mean() == pytest.approx(estimates.std(), rel=0.4)
    assert (np.abs(estimates - 1) < Z * errors).mean() >= 0.85


def test_the_labels_alone_pay_for_the_groups_that_have_labels() -> None:
    frame = posts(1, accounts=1000)
    found = iad.regress("likes ~ protest", frame, *ONE, sampling_prob="pi", absorb="account", method="labels")
    known = frame.dropna(subset="coded")
    x = np.column_stack([known["coded"], pd.get_dummies(known["account"]).to_numpy(float)])
    inverse = np.linalg.inv(x.T @ x)
    rest = known["likes"].to_numpy() - x @ inverse @ x.T @ known["likes"].to_numpy()
    robust = inverse @ (x.T * rest**2) @ x @ inverse * len(x) / (len(x) - x.shape[1])
    assert found.bse["protest"] == pytest.approx(np.sqrt(robust[0, 0]), rel=1e-9)


@pytest.mark.parametrize("method", ["dsl", "labels", "naive"])
def test_what_is_the_same_in_a_group_is_refused(method: str) -> None:
    with pytest.raises(ColumnsCollinear, match="followers"):
        iad.regress("likes ~ protest + followers", posts(1), *ONE, sampling_prob="pi", absorb="account", method=method)
