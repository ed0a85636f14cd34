"""Rows of a table are as much evidence as there are photographs, clusters and folds."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from coded_photographs import coded, evaluate, row

from imagesasdata.audit import audit_predictions
from imagesasdata.evidence import Evidence, across_folds, inflation, number_clusters, read_out_of_fold
from imagesasdata.intervals import wilson


def out_of_fold(n: int, groups: int | None = None, repeats: int = 1) -> pd.DataFrame:
    """Return predictions as `cross_validate` does."""
    frame = coded(n)
    frame["group"] = np.arange(n) % (groups or n) + 1
    parts = [frame.assign(fold=frame["group"] % 5 + 1, repeat=i + 1) for i in range(repeats)]
    return pd.concat(parts, ignore_index=True)


def test_five_folds_have_more_variance_by_a_factor() -> None:
    """Nadeau and Bengio (2003): 1 / 5 + 1 / 4 in place of 1 / 5."""
    assert inflation(5) == pytest.approx((1 / 5 + 1 / 4) * 5)


def test_predictions_out_of_fold_are_known_by_their_columns() -> None:
    found = evaluate(out_of_fold(100), "hand")
    accuracy = row(found, "accuracy")
    expected = np.array(wilson(accuracy["estimate"] * 100 / 2.25, 100 / 2.25))
    assert [accuracy["conf_low"], accuracy["conf_high"]] == pytest.approx(expected)
    assert accuracy["interval"] == "Wilson across folds"
    assert found.facts["inflation"] == 2.25
    other = out_of_fold(100)
    for frame in (other.assign(fold="a"), other.assign(repeat=0), other.drop(columns="repeat")):
        assert row(evaluate(frame, "hand"), "accuracy")["interval"] == "Wilson"


def test_groups_of_the_folds_are_clusters() -> None:
    found = evaluate(out_of_fold(100, groups=20), "hand")
    assert found.facts["n_clusters"] == 20
    assert row(found, "accuracy")["interval"] == "cluster bootstrap across folds"


def test_a_cluster_that_is_named_goes_before_the_groups_and_leaves_the_folds() -> None:
    found = evaluate(out_of_fold(100, groups=20).assign(event=np.arange(100) // 4), "hand", cluster="event")
    assert (found.facts["n_clusters"], found.facts["inflation"]) == (25, 2.25)


def test_a_table_without_groups_has_a_note() -> None:
    found = evaluate(out_of_fold(100).drop(columns="group"), "hand")
    assert found.facts["inflation"] == 2.25
    assert any('not "group"' in note for note in found.notes)


def test_one_fold_alone_was_predicted_by_one_model() -> None:
    frame = out_of_fold(100)
    assert evaluate(frame[frame["fold"] == 3], "hand").facts["inflation"] == 1.0
    assert evaluate(frame[frame["fold"] != 3], "hand").facts["inflation"] == 2.25


def test_repeats_count_photographs_once() -> None:
    found = evaluate(out_of_fold(60, repeats=2), "hand")
    assert found.facts["n"] == row(found, "accuracy")["n"] == 60
    assert not any("120" in note or "occurs before" in note for note in found.notes)
    assert any("replicates of 60 photographs" in line for line in found.lines)
    each = [row(found, "recall", name)["n"] for name in found.facts["classes"]]
    assert sum(each) == 60


def test_an_audit_has_the_same_intervals_of_rates() -> None:
    frame = out_of_fold(100).assign(region=["north", "south"] * 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        audited = audit_predictions(frame, "hand", by="region").tables["metrics"].to_pylist()[0]
    accuracy = row(evaluate(frame, "hand"), "accuracy")
    for column in ("estimate", "conf_low", "conf_high", "interval"):
        assert audited[column] == pytest.approx(accuracy[column]), column


def test_evidence_is_counted_and_taken() -> None:
    evidence = Evidence(np.array([0, 0, 1, 2]), np.array([0, 0, 0, 1]))
    assert (evidence.count(), evidence.count_clusters()) == (3, 2)
    assert evidence.count(np.array([True, True, False, False])) == 1
    assert evidence.take(np.array([2, 3])).count_clusters() == 2
    assert across_folds("abcd", [1, 1, 2, 2], 5).count_clusters() == 2
    assert across_folds("abcd", [1, 2, 3, 4], 5).clusters is None
    assert number_clusters(["a", None, "a", None]).tolist() == [0, 1, 0, 2]
    assert read_out_of_fold(pd.DataFrame({"fold": [1, 2]}), ["a", "b"]) == (None, [])
