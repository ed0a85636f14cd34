"""What cannot be compared is counted and said; subgroups and clusters have figures of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from coded_photographs import CLASSES, coded, evaluate, figure, row, same

# -- what cannot be compared -------------------------------------------------------------------------------------------


def test_failed_and_unlabelled_photographs_are_counted_said_and_left_out() -> None:
    frame = coded(100)
    whole = evaluate(frame[30:], "hand")
    frame.loc[:19, "error"] = "truncated JPEG"
    frame.loc[20:29, "hand"] = None
    found = evaluate(frame, "hand")
    assert same(found, whole)
    assert [found.facts[key] for key in ("n", "n_failed", "n_unlabelled")] == [70, 20, 10]
    assert "20 photograph(s) have no prediction and are left out of every figure." in found.notes
    assert "10 photograph(s) have no true label and are left out of every figure." in found.notes
    assert "left out: 20 without a prediction, 10 without a true label" in found.lines


def test_the_empty_errors_of_a_stata_file_are_no_errors() -> None:
    frame = coded(60)
    assert same(evaluate(frame.assign(error=""), "hand"), evaluate(frame, "hand"))


def test_photographs_of_the_truth_without_a_prediction_are_said() -> None:
    frame = coded(60)
    found = evaluate(frame[:40], frame[["image", "hand"]], label_col="hand")
    assert found.facts["n"] == 40
    assert any(
        note.startswith("20 of 60 photographs with a truth have no prediction, for instance '40.jpg'")
        for note in found.notes
    )


def test_a_true_label_that_the_model_does_not_know_is_an_error_and_said() -> None:
    frame = coded(200)
    frame.loc[:49, "hand"] = "parade"
    found = evaluate(frame, "hand")
    right = frame["hand"] == frame["label"].astype(str)
    assert figure(found, "accuracy") == pytest.approx(right.mean())
    assert (figure(found, "recall", "parade"), row(found, "recall", "parade")["n"]) == (0, 50)
    assert row(found, "precision", "parade")["estimate"] is None
    assert row(found, "roc_auc", "parade")["estimate"] is None
    probs = frame[[f"prob_{name}" for name in CLASSES]].to_numpy()
    codes = frame["hand"].map({**{name: i for i, name in enumerate(CLASSES)}, "parade": 3}).to_numpy()
    flags = np.eye(4)[codes]
    assert figure(found, "brier") == pytest.approx(((np.pad(probs, ((0, 0), (0, 1))) - flags) ** 2).sum(axis=1).mean())
    assert any(
        '50 photograph(s) have a true label that the model does not know, "parade" (50)' in n for n in found.notes
    )
    assert found.facts["classes"] == [*CLASSES, "parade"]
    assert found.confusion["n"].sum() == 200


def test_a_class_that_no_photograph_has_is_said_and_missing_not_zero() -> None:
    frame = coded(200).query("hand != 'police'")
    found = evaluate(frame, "hand")
    assert row(found, "recall", "police")["estimate"] is None
    assert row(found, "precision", "police")["estimate"] == 0
    assert 'No photograph is truly "police", so whether the model finds it is not known.' in found.notes
    assert figure(found, "balanced_accuracy") == pytest.approx(
        np.mean([figure(found, "recall", name) for name in ("other", "protest")])
    )


def test_of_many_classes_only_those_that_occur_are_reported() -> None:
    classes = tuple(f"class {i:02}" for i in range(100))
    frame = coded(300, classes, skill=6.0)
    frame = frame[frame["hand"].isin(classes[:7]) & frame["label"].isin(classes[:7])]
    found = evaluate(frame, "hand")
    assert sorted(set(found.metrics["class"].dropna())) == sorted(classes[:7])
    assert len(found.confusion) == 49
    probs = frame[[f"prob_{name}" for name in classes]].to_numpy()
    assert figure(found, "log_loss") == pytest.approx(sk.log_loss(frame["hand"], probs, labels=classes))


def test_a_prediction_without_probabilities_leaves_them_out_and_says_so() -> None:
    frame = coded(60)
    frame.loc[4, "prob_police"] = np.nan
    found = evaluate(frame, "hand")
    assert "brier" not in set(found.metrics["metric"])
    assert any("no probabilities" in note for note in found.notes)


# -- subgroups and clusters --------------------------------------------------------------------------------------------


def test_subgroups_have_the_figures_of_their_photographs_alone() -> None:
    frame = coded(300)
    frame["country"] = np.where(frame.index < 280, "Chile", "Kenya")
    frame["year"] = 2018 + frame.index % 2
    found = evaluate(frame, "hand", by=["country", "year"])
    assert found.groups.columns.tolist()[:2] == ["by", "group"]
    assert found.groups[["by", "group"]].drop_duplicates().to_numpy().tolist() == [
        ["country", "Chile"],
        ["country", "Kenya"],
        ["year", "2018"],
        ["year", "2019"],
    ]
    chile = found.groups.query("group == 'Chile'").drop(columns=["by", "group"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(chile, evaluate(frame[:280], "hand").metrics)
    assert any("fewer than 30 photographs" in note and '"Kenya" (20)' in note for note in found.notes)
    assert not any('"Chile"' in note for note in found.notes)
    assert any(line.startswith("accuracy by country") for line in found.lines)


def test_a_subgroup_can_be_a_column_of_the_truth() -> None:
    frame = coded(300)
    hand = frame[["image", "hand"]].assign(day=[None, *(frame.index[1:] % 3 == 0)])
    found = evaluate(frame, hand, label_col="hand", by="day")
    assert row(found, "accuracy", table="groups", group="true")["n"] == 99
    assert row(found, "accuracy", table="groups", group="false")["n"] == 200
    assert '1 row(s) have no "day" and are in none of its groups.' in found.notes


def test_clusters_make_intervals_honest_where_photographs_are_copies() -> None:
    frame = coded(100)
    copies = pd.concat([frame] * 4, ignore_index=True).assign(event=lambda f: f["image"])
    copies["image"] = [f"{i}.jpg" for i in range(400)]
    options = {"replicates": 1000}
    alone = row(evaluate(frame, "hand", **options), "macro_f1")
    naive = row(evaluate(copies, "hand", **options), "macro_f1")
    found = evaluate(copies, "hand", cluster="event", **options)
    honest = row(found, "macro_f1")

    def width(r: dict[str, Any]) -> float:
        return float(r["conf_high"] - r["conf_low"])

    assert width(naive) == pytest.approx(width(alone) / 2, rel=0.15)
    assert width(honest) == pytest.approx(width(alone), rel=0.15)
    assert set(found.metrics["interval"]) == {"cluster bootstrap"}
    assert found.facts["n_clusters"] == 100
    assert row(found, "accuracy")["conf_low"] < row(evaluate(copies, "hand"), "accuracy")["conf_low"]


def test_rows_of_one_photograph_are_resampled_together_and_it_is_said() -> None:
    frame = coded(50)
    twice = pd.concat([frame, frame])
    found = evaluate(twice, "hand")
    assert found.facts["n_clusters"] == 50
    assert any("50 row(s) are about a photograph that occurs before" in note for note in found.notes)
    assert evaluate(frame, "hand").facts["n_clusters"] is None


def test_a_photograph_without_a_cluster_is_one_by_itself() -> None:
    frame = coded(60)
    frame["event"] = [None, None, "x", "x"] * 15
    assert evaluate(frame, "hand", cluster="event").facts["n_clusters"] == 31


def test_few_clusters_are_said_to_say_little() -> None:
    frame = coded(60)
    found = evaluate(frame.assign(event=frame.index % 3), "hand", cluster="event")
    assert any(note.startswith("With 3 cluster(s)") for note in found.notes)
    one = evaluate(frame.assign(event="x"), "hand", cluster="event")
    assert row(one, "accuracy")["conf_low"] is None
