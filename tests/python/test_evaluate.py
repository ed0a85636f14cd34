"""Predictions are compared with the truth however either comes, and what limits the comparison is said."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.metrics as sk
from coded_photographs import CLASSES, HOSTILE, attributes, coded, evaluate, figure, row, same, scores
from sklearn.preprocessing import label_binarize
from statsmodels.stats.proportion import proportion_confint

from imagesasdata.errors import (
    ArgumentInvalid,
    ImageColumnMissing,
    ImagesAsDataWarning,
    KeysInvalid,
    LabelsInvalid,
    TableUnreadable,
)
from imagesasdata.evaluate import evaluate_predictions
from imagesasdata.tablefiles import read_table, write_table

# -- figures -----------------------------------------------------------------------------------------------------------


def test_every_figure_of_classes_is_that_of_scikit_learn() -> None:
    frame = coded()
    found = evaluate(frame, "hand")
    truth, label = frame["hand"], frame["label"].astype(str)
    probs = frame[[f"prob_{name}" for name in CLASSES]].to_numpy()
    flags = label_binarize(truth, classes=CLASSES)
    expected = {
        "accuracy": sk.accuracy_score(truth, label),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, label),
        "macro_precision": sk.precision_score(truth, label, average="macro"),
        "macro_recall": sk.recall_score(truth, label, average="macro"),
        "macro_f1": sk.f1_score(truth, label, average="macro"),
        "kappa": sk.cohen_kappa_score(truth, label),
        "roc_auc": sk.roc_auc_score(truth, probs, multi_class="ovr"),
        "pr_auc": sk.average_precision_score(flags, probs),
        "brier": sk.brier_score_loss(truth, probs, labels=list(CLASSES)),
        "log_loss": sk.log_loss(truth, probs),
    }
    for metric, value in expected.items():
        assert figure(found, metric) == pytest.approx(value, abs=1e-12), metric
    each = sk.precision_recall_fscore_support(truth, label, labels=CLASSES)
    for i, name in enumerate(CLASSES):
        for metric, values in zip(("precision", "recall", "f1"), each, strict=False):
            assert figure(found, metric, name) == pytest.approx(values[i]), (metric, name)
        assert figure(found, "roc_auc", name) == pytest.approx(sk.roc_auc_score(flags[:, i], probs[:, i]))
        assert figure(found, "pr_auc", name) == pytest.approx(sk.average_precision_score(flags[:, i], probs[:, i]))
        assert row(found, "recall", name)["n"] == each[3][i]
        assert row(found, "precision", name)["n"] == (label == name).sum()
    assert found.metrics["metric"].nunique() == len({*expected, "calibration_error", "precision", "recall", "f1"})
    assert (found.facts["primary"], found.facts["estimate"]) == ("accuracy", expected["accuracy"])
    assert found.facts["baseline"] == truth.value_counts(normalize=True).max()


def test_every_figure_of_attributes_is_that_of_scikit_learn_on_what_is_coded() -> None:
    frame = attributes()
    frame.loc[:99, "truth_fire"] = np.nan
    found = evaluate(frame, "truth")
    for name in ("fire", "flag"):
        part = frame[frame[f"truth_{name}"].notna()]
        truth, given, prob = part[f"truth_{name}"].astype(int), part[name].astype(int), part[f"prob_{name}"]
        expected = {
            "accuracy": sk.accuracy_score(truth, given),
            "balanced_accuracy": sk.balanced_accuracy_score(truth, given),
            "precision": sk.precision_score(truth, given),
            "recall": sk.recall_score(truth, given),
            "f1": sk.f1_score(truth, given),
            "kappa": sk.cohen_kappa_score(truth, given),
            "roc_auc": sk.roc_auc_score(truth, prob),
            "pr_auc": sk.average_precision_score(truth, prob),
            "brier": sk.brier_score_loss(truth, prob),
            "log_loss": sk.log_loss(truth, prob),
        }
        for metric, value in expected.items():
            assert figure(found, metric, name) == pytest.approx(value, abs=1e-12), (metric, name)
        assert row(found, "accuracy", name)["n"] == len(part)
        assert row(found, "recall", name)["n"] == truth.sum()
    for metric in ("accuracy", "roc_auc", "brier", "calibration_error"):  # the whole is the mean
        mean = (figure(found, metric, "fire") + figure(found, metric, "flag")) / 2
        assert figure(found, metric) == pytest.approx(mean)
    assert found.facts["primary"] == "macro_f1"
    assert found.facts["estimate"] == figure(found, "macro_f1")
    shares = [max(s, 1 - s) for s in (frame["truth_fire"].mean(), frame["truth_flag"].mean())]
    assert found.facts["baseline"] == pytest.approx(np.mean(shares))


def test_every_figure_of_scores_is_that_of_scikit_learn() -> None:
    frame = scores()
    frame.loc[:9, "truth_joy"] = np.nan
    found = evaluate(frame, "truth")
    for name in ("anger", "joy"):
        part = frame[frame[f"truth_{name}"].notna()]
        truth, score = part[f"truth_{name}"], part[f"score_{name}"]
        assert figure(found, "r2", name) == pytest.approx(sk.r2_score(truth, score))
        assert figure(found, "mae", name) == pytest.approx(sk.mean_absolute_error(truth, score))
        assert figure(found, "rmse", name) == pytest.approx(sk.root_mean_squared_error(truth, score))
        assert figure(found, "correlation", name) == pytest.approx(np.corrcoef(truth, score)[0, 1])
        assert row(found, "r2", name)["n"] == len(part)
    assert found.facts["primary"] == "mean r2"
    assert found.facts["estimate"] == pytest.approx((figure(found, "r2", "anger") + figure(found, "r2", "joy")) / 2)
    assert found.facts["baseline"] is None
    assert found.table_names() == ["metrics", "predictions"]


def test_with_two_classes_the_whole_is_about_the_second() -> None:
    frame = coded(classes=("calm", "protest"))
    found = evaluate(frame, "hand")
    truth, prob = frame["hand"] == "protest", frame["prob_protest"]
    assert figure(found, "roc_auc") == pytest.approx(sk.roc_auc_score(truth, prob))
    assert figure(found, "pr_auc") == pytest.approx(sk.average_precision_score(truth, prob))
    assert figure(found, "brier") == pytest.approx(sk.brier_score_loss(truth, prob))


def test_every_figure_has_an_interval_that_holds_it_and_says_how_it_was_made() -> None:
    for frame, truth in ((coded(), "hand"), (attributes(), "truth"), (scores(), "truth")):
        for r in evaluate(frame, truth).tables["metrics"].to_pylist():
            assert r["conf_low"] <= r["estimate"] <= r["conf_high"], r
            assert r["conf_low"] < r["conf_high"]
            share = r["metric"] in ("accuracy", "precision", "recall") and (r["class"] or truth == "hand")
            assert r["interval"] == ("Wilson" if share else "bootstrap"), r


def test_shares_have_wilsons_interval() -> None:
    frame = coded()
    found = evaluate(frame, "hand", conf_level=0.9)
    right = frame["hand"] == frame["label"].astype(str)
    for key, where in ((("accuracy", None), right | True), (("recall", "police"), frame["hand"] == "police")):
        expected = proportion_confint(right[where].sum(), where.sum(), alpha=0.1, method="wilson")
        found_row = row(found, *key)
        assert (found_row["conf_low"], found_row["conf_high"]) == pytest.approx(expected)


def test_the_same_seed_gives_the_same_intervals_and_another_one_others() -> None:
    first, again, other = (evaluate(coded(), "hand", seed=seed) for seed in (3, 3, 4))
    assert first.tables["metrics"].equals(again.tables["metrics"])
    assert not first.tables["metrics"].equals(other.tables["metrics"])


def test_no_replicates_leave_shares_with_intervals_and_the_rest_without() -> None:
    found = evaluate(coded(), "hand", replicates=0)
    assert row(found, "accuracy")["conf_low"] is not None
    assert row(found, "macro_f1")["conf_low"] is None


def test_a_model_without_an_error_is_not_said_to_be_perfect() -> None:
    frame = coded(40)
    found = evaluate(frame.assign(label=frame["hand"]).drop(columns=["prob"]), "hand")
    accuracy = row(found, "accuracy")
    assert (accuracy["estimate"], accuracy["conf_high"]) == (1, 1)
    # proportion_confint(40, 40, method="wilson") of statsmodels
    assert accuracy["conf_low"] == pytest.approx(0.9124, abs=1e-4)
    assert row(found, "macro_f1")["conf_low"] is None


# -- what is said ------------------------------------------------------------------------------------------------------


def test_the_summary_names_the_figures_their_intervals_and_the_majority_class() -> None:
    found = evaluate(coded(), "hand")
    accuracy = row(found, "accuracy")
    assert found.lines[0] == "Evaluation of 300 photographs, 3 classes"
    assert found.lines[1].split() == [
        "accuracy",
        f"{accuracy['estimate']:.3f}",
        f"[{accuracy['conf_low']:.3f},",
        f"{accuracy['conf_high']:.3f}]",
        "(majority",
        "class",
        f"{found.facts['baseline']:.3f})",
    ]
    assert any(line.strip().startswith("macro F1") for line in found.lines)
    assert any(line.strip().startswith("protest") for line in found.lines)
    assert repr(found) == "\n".join(found.lines)


def test_of_many_classes_the_worst_are_printed() -> None:
    found = evaluate(coded(600, tuple(f"class {i}" for i in range(20))), "hand")
    assert any(line.startswith("the 12 of 20 classes with the lowest F1") for line in found.lines)
    worst = found.metrics.query("metric == 'f1'").sort_values("estimate")["class"].iloc[0]
    assert sum(line.strip().startswith("class ") for line in found.lines) == 12
    assert any(line.split("0.")[0].strip() == worst for line in found.lines)


def test_a_test_that_is_too_small_is_told_how_many_photographs_it_needs() -> None:
    found = evaluate(coded(60), "hand")
    (note,) = [note for note in found.notes if "say little" in note]
    n = int(note.split("about ")[1].split()[0].replace(",", ""))
    share = row(found, "accuracy")["conf_low"]  # the model may be as bad as that
    assert note.endswith(f"if it is truly {share:.2f}.")
    low, high = proportion_confint(share * n, n, method="wilson")
    assert (high - low) / 2 == pytest.approx(0.05, abs=2e-4)
    assert not any("say little" in note for note in evaluate(coded(2000), "hand").notes)


def test_a_model_that_is_not_better_than_the_majority_class_is_told_so() -> None:
    frame = coded(200, skill=0.0)
    found = evaluate(frame, "hand")
    assert any("is not shown to be better than that" in note for note in found.notes)
    assert not any("is not shown" in note for note in evaluate(coded(200), "hand").notes)


def test_notes_are_warnings_in_python_and_come_along_to_r() -> None:
    frame = coded(60)
    with pytest.warns(ImagesAsDataWarning, match="say little"):
        evaluate_predictions(frame, "hand", replicates=20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate_predictions.for_r(frame, "hand", replicates=20).notes


# -- hostile names -----------------------------------------------------------------------------------------------------


def test_hostile_class_and_file_names_come_through_and_are_printed_on_one_line(tmp_path: Path) -> None:
    frame = coded(80, HOSTILE)
    frame["image"] = [f"{name} {i}.jpg" for i, name in enumerate(np.resize(HOSTILE, 80))]
    found = evaluate(frame, "hand", by="hand")
    assert found.facts["classes"] == list(HOSTILE)
    assert found.predictions["image"].tolist() == frame["image"].tolist()
    assert set(found.metrics["class"].dropna()) == set(HOSTILE)
    assert not any("\n" in line or "\N{RIGHT-TO-LEFT OVERRIDE}" in line for line in (*found.lines, *found.notes))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    write_table(table, tmp_path / "p.csv")  # with an apostrophe before the formula
    hand = frame[["image", "hand"]].assign(label=frame["hand"])
    again = evaluate(tmp_path / "p.csv", hand)
    assert figure(again, "accuracy") == figure(found, "accuracy")
    assert read_table(tmp_path / "p.csv")["image"][0].as_py().startswith("'=cmd")


def test_half_an_emoji_in_a_file_name_is_no_end() -> None:
    frame = coded(60)
    frame["image"] = pd.Series([f"\ud83d{i}.jpg" for i in range(60)], dtype=object)
    hand = frame[["image", "hand"]]
    assert same(evaluate(frame, hand, label_col="hand"), evaluate(frame, "hand"))


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predictions", "truth", "options", "error", "words"),
    [
        ("list", "hand", {}, ArgumentInvalid, "`predictions` is a list; give a data frame or a table file"),
        ("none.csv", "hand", {}, TableUnreadable, "does not exist"),
        (coded(5)[:0], "hand", {}, ArgumentInvalid, "`predictions` has no rows"),
        (coded(5)[["image", "hand"]], "hand", {}, ArgumentInvalid, 'no column "label"'),
        (coded(5), "label", {}, ArgumentInvalid, "`truth` is label, which the model predicted"),
        (coded(5), "none", {}, ArgumentInvalid, '`truth` is "none"; there is no such column'),
        (coded(5), ["other"] * 4, {}, ArgumentInvalid, "`truth` has 4 labels and `predictions` 5 rows"),
        (coded(5), ["cat"] * 5, {}, ArgumentInvalid, r'No label of `truth` \("cat" \(5\)\) is a class'),
        (coded(5), [None] * 5, {}, LabelsInvalid, "No photograph has a truth"),
        (coded(5), 5, {}, ArgumentInvalid, "`truth` is a int"),
        (coded(5), coded(5)[["image"]], {}, ArgumentInvalid, '`label_col` is "label"'),
        (coded(5), coded(5)[["hand"]], {"label_col": "hand"}, ImageColumnMissing, '`image_col` is "image"'),
        (coded(5).drop(columns="image"), coded(5), {"label_col": "hand"}, ArgumentInvalid, 'no column "image"'),
        (coded(5), "hand", {"by": "country"}, ArgumentInvalid, '`by` is "country"; neither'),
        (coded(5), "hand", {"cluster": "event"}, ArgumentInvalid, '`cluster` is "event"; neither'),
        (coded(5), "hand", {"coders": "coder"}, ArgumentInvalid, "`coders` is for a table of hand labels"),
        (coded(5), "hand", {"conf_level": 95}, ArgumentInvalid, "`conf_level` is 95"),
        (coded(5), "hand", {"replicates": -1}, ArgumentInvalid, "`replicates` is -1"),
        (coded(5), "hand", {"seed": 1.5}, ArgumentInvalid, "`seed` is 1.5"),
        (coded(5).assign(error="broken"), "hand", {}, ArgumentInvalid, "none has both"),
        (coded(5).assign(prob_police=90), "hand", {}, ArgumentInvalid, '"prob_police" of `predictions` holds 90'),
        (coded(5), coded(5), {"label_col": ["hand", "image"]}, ArgumentInvalid, "one column"),
        (attributes(5), [1, 0, 1, 0, 1], {}, ArgumentInvalid, "are about fire, flag; give a table"),
        (attributes(5), coded(5), {"label_col": "hand"}, LabelsInvalid, '"hand" holds'),
        (attributes(5), coded(5), {"label_col": ["prob", "hand"]}, LabelsInvalid, '"prob" holds'),
        (scores(5), coded(5)[["image", "hand"]], {}, ArgumentInvalid, "`truth` has no column for anger, joy"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_an_error_with_the_cure(
    predictions: Any, truth: Any, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        evaluate([] if isinstance(predictions, str) and predictions == "list" else predictions, truth, **options)


def test_paths_that_match_without_their_folders_are_pointed_out() -> None:
    frame = coded(5)
    with pytest.raises(KeysInvalid, match="The file names match without their folders"):
        evaluate(frame, frame.assign(image="photos/" + frame["image"]), label_col="hand")
