"""Predictions are compared with the truth however either comes, and what limits the comparison is said."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.metrics as sk
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
from imagesasdata.evaluate import evaluate_predictions, quality
from imagesasdata.findings import Findings
from imagesasdata.images import ImageList
from imagesasdata.labels import Labels
from imagesasdata.tablefiles import read_table, write_table

CLASSES = ("other", "police", "protest")
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    'a "b"\n\N{RIGHT-TO-LEFT OVERRIDE}c',
    "\N{GRINNING FACE} 猫",
)

KINDS = (list, tuple, np.array, pd.Series, pd.Categorical, pa.array, lambda values: pa.chunked_array([values]))


def coded(n: int = 300, classes: tuple[str, ...] = CLASSES, seed: int = 1, skill: float = 1.5) -> pd.DataFrame:
    """Predictions as `classify_images` makes them, of a middling model, and the hand label as ``hand``."""
    rng = np.random.default_rng(seed)
    k = len(classes)
    truth = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) + skill * np.eye(k)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    best = probs.argmax(axis=1)
    columns = {
        "image": [f"{i}.jpg" for i in range(n)],
        "label": pd.Categorical.from_codes(best, list(classes)),
        "prob": probs.max(axis=1),
        **{f"prob_{name}": probs[:, i] for i, name in enumerate(classes)},
        "error": pd.Series([None] * n, dtype=object),
        "hand": np.array(classes, dtype=object)[truth],
    }
    return pd.DataFrame(columns)


def attributes(n: int = 300, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"image": [f"{i}.jpg" for i in range(n)]})
    for name, share in (("fire", 0.2), ("flag", 0.5)):
        truth = rng.random(n) < share
        prob = np.round(1 / (1 + np.exp(-(rng.normal(size=n) + np.where(truth, 1.2, -1.2)))), 3)
        frame[name], frame[f"prob_{name}"], frame[f"truth_{name}"] = prob >= 0.5, prob, truth.astype(float)
    return frame


def scores(n: int = 300, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"image": [f"{i}.jpg" for i in range(n)]})
    for name, noise in (("anger", 0.5), ("joy", 1.5)):
        truth = rng.normal(4, 1, n)
        frame[f"truth_{name}"], frame[f"score_{name}"] = truth, truth + rng.normal(0, noise, n)
    return frame


def evaluate(*arguments: Any, **options: Any) -> Findings:
    """Evaluate without warnings, and with few replicates where not said otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImagesAsDataWarning)
        return evaluate_predictions(*arguments, **{"replicates": 50, **options})


def row(found: Findings, metric: str, name: str | None = None, table: str = "metrics", **where: str) -> dict[str, Any]:
    """The only row about a metric."""
    rows = [r for r in found.tables[table].to_pylist() if r["metric"] == metric and r["class"] == name]
    (only,) = [r for r in rows if all(r[key] == value for key, value in where.items())]
    return dict(only)


def figure(found: Findings, metric: str, name: str | None = None) -> float:
    return float(row(found, metric, name)["estimate"])


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


# -- tables ------------------------------------------------------------------------------------------------------------


def test_the_confusion_counts_every_pair_zeros_too() -> None:
    frame = coded()
    frame = frame[(frame["hand"] != "other") | (frame["label"] != "police")]
    table = evaluate(frame, "hand").confusion
    expected = sk.confusion_matrix(frame["hand"], frame["label"].astype(str), labels=CLASSES)
    assert table["n"].tolist() == expected.ravel().tolist()
    assert table["truth"].tolist() == np.repeat(CLASSES, 3).tolist()
    assert table["label"].tolist() == [*CLASSES] * 3
    assert table["n"].min() == 0


def test_attributes_have_a_block_of_the_confusion_each() -> None:
    frame = attributes()
    table = evaluate(frame, "truth").confusion
    assert table.columns.tolist() == ["attribute", "truth", "label", "n"]
    fire = sk.confusion_matrix(frame["truth_fire"] == 1, frame["fire"])
    assert table.query("attribute == 'fire'")["n"].tolist() == fire.ravel().tolist()
    assert table["truth"].tolist() == ["no", "no", "yes", "yes"] * 2


def test_the_curves_enclose_the_areas_of_the_metrics() -> None:
    for frame, truth in ((coded(), "hand"), (attributes(), "truth")):
        found = evaluate(frame, truth)
        for name, part in found.roc.groupby("class"):
            assert sk.auc(part["fpr"], part["tpr"]) == pytest.approx(figure(found, "roc_auc", str(name)), abs=2e-3)
        for name, part in found.pr.groupby("class"):
            steps = -np.diff(part["recall"]) * part["precision"].to_numpy()[:-1]
            assert steps.sum() == pytest.approx(figure(found, "pr_auc", str(name)), abs=1e-2)
            assert part["threshold"].isna().tolist() == [False] * (len(part) - 1) + [True]


def test_curves_of_many_photographs_are_thinned() -> None:
    found = evaluate(coded(5000, skill=0.3), "hand", replicates=0)
    assert found.pr.groupby("class").size().max() <= 1000
    ends = found.roc.groupby("class").agg(["first", "last"])
    assert (ends["fpr"].to_numpy() == [0, 1]).all()


def test_the_calibration_has_bins_of_equal_mass_for_the_label_and_for_each_class() -> None:
    frame = coded(400)
    found = evaluate(frame, "hand")
    table = found.calibration
    assert table.groupby("class", dropna=False)["n"].sum().tolist() == [400] * 4
    whole = table[table["class"].isna()]
    assert whole["n"].tolist() == [40] * 10
    right = frame["hand"] == frame["label"].astype(str)
    assert np.average(whole["share"], weights=whole["n"]) == pytest.approx(right.mean())
    gap = np.average((whole["share"] - whole["prob"]).abs(), weights=whole["n"])
    assert gap == pytest.approx(figure(found, "calibration_error"))
    first = whole.iloc[0]
    expected = proportion_confint(first["share"] * 40, 40, method="wilson")
    assert (first["conf_low"], first["conf_high"]) == pytest.approx(expected)


def test_every_row_is_among_the_predictions_with_its_truth() -> None:
    frame = coded(20)
    frame.loc[3, ["label", "prob", *(f"prob_{name}" for name in CLASSES)]] = None
    frame.loc[3, "error"] = "truncated JPEG"
    frame.loc[5, "hand"] = None
    table = evaluate(frame, "hand").predictions
    assert table.columns.tolist() == ["image", "truth", *frame.columns[1:-1]]
    assert table["image"].tolist() == frame["image"].tolist()
    assert table.loc[[3, 5], ["truth", "label", "error"]].isna().to_numpy().tolist() == [[0, 1, 0], [1, 0, 1]]
    assert table["label"].cat.categories.tolist() == list(CLASSES)
    again = evaluate(table, "truth")  # what comes out can go in
    assert again.tables["metrics"].equals(evaluate(frame, "hand").tables["metrics"])


@pytest.mark.parametrize("frame", [attributes(30), scores(30)], ids=["attributes", "scores"])
def test_predictions_of_attributes_and_scores_can_go_in_again(frame: pd.DataFrame) -> None:
    found = evaluate(frame, "truth")
    assert set(frame.columns) | {"error"} == set(found.predictions.columns)
    assert evaluate(found.predictions, "truth").tables["metrics"].equals(found.tables["metrics"])


def test_findings_survive_a_file_and_r_can_read_the_facts(tmp_path: Path) -> None:
    found = evaluate(coded(40, HOSTILE), "hand", by="hand")
    loaded = Findings.load(found.save(tmp_path / "found.zip"))
    assert loaded == found
    assert "NaN" not in found.facts_json()
    assert json.loads(found.facts_json())["facts"]["classes"] == list(HOSTILE)


# -- where the truth is ------------------------------------------------------------------------------------------------


def same(found: Findings, expected: Findings) -> bool:
    return bool(found.tables["metrics"].equals(expected.tables["metrics"]))


def test_predictions_come_as_pandas_as_arrow_and_in_every_kind_of_file(tmp_path: Path) -> None:
    frame = coded(60)
    expected, table = evaluate(frame, "hand"), pa.Table.from_pandas(frame, preserve_index=False)
    assert same(evaluate(table, "hand"), expected)
    assert same(evaluate(frame.set_index("image", drop=False).iloc[::1], "hand"), expected)
    for suffix in (".parquet", ".feather", ".csv", ".dta"):
        write_table(table, tmp_path / f"p{suffix}")
        # CSV and Stata files round the last digit of probabilities.
        found = evaluate(tmp_path / f"p{suffix}", "hand").metrics
        pd.testing.assert_frame_equal(found, expected.metrics, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_can_be_a_list_of_any_kind(kind: Any) -> None:
    frame = coded(60)
    assert same(evaluate(frame, kind(frame["hand"].tolist())), evaluate(frame, "hand"))


def test_a_series_counts_by_its_order_not_by_its_index() -> None:
    frame = coded(60)
    assert same(evaluate(frame, frame["hand"].set_axis(range(60)[::-1])), evaluate(frame, "hand"))


def test_a_table_of_truth_is_matched_by_the_path() -> None:
    frame = coded(60)
    hand = frame[["image", "hand"]].sample(frac=1, random_state=1)
    expected = evaluate(frame, "hand")
    assert same(evaluate(frame, hand, label_col="hand"), expected)
    assert same(evaluate(frame, pa.Table.from_pandas(hand), label_col="hand"), expected)
    photos = frame.rename(columns={"image": "photo"}), hand.rename(columns={"image": "photo", "hand": "label"})
    assert same(evaluate(*photos, image_col="photo"), expected)
    assert same(evaluate(frame, photos[1], image_col="photo"), expected)
    paths = hand.assign(image=hand["image"].map(Path))
    assert same(evaluate(frame, paths, label_col="hand"), expected)


def test_a_table_file_of_truth_needs_no_photographs(tmp_path: Path) -> None:
    frame = coded(60)
    frame[["image", "hand"]].to_csv(tmp_path / "truth.csv", index=False)
    assert same(evaluate(frame, str(tmp_path / "truth.csv"), label_col="hand"), evaluate(frame, "hand"))


def test_a_folder_of_class_folders_is_a_truth(tmp_path: Path) -> None:
    frame = coded(30)
    frame["image"] = [str(tmp_path / hand / image) for hand, image in zip(frame["hand"], frame["image"], strict=True)]
    for image in frame["image"]:
        Path(image).parent.mkdir(exist_ok=True)
        Path(image).touch()
    assert same(evaluate(frame, tmp_path), evaluate(frame, "hand"))
    assert same(evaluate(frame, str(tmp_path)), evaluate(frame, "hand"))


def test_labels_that_were_read_before_are_a_truth() -> None:
    frame = coded(60)
    values = np.stack([frame["hand"] == name for name in CLASSES], axis=1).astype(float)
    labels = Labels(
        ImageList(frame["image"].tolist(), frame["image"].tolist()), "single", CLASSES, values, np.arange(60)
    )
    assert same(evaluate(frame.iloc[::-1], labels), evaluate(frame.iloc[::-1], "hand"))
    with pytest.raises(ArgumentInvalid, match='of the task "single" and `predictions` of "score"'):
        evaluate(scores(), labels)


def test_attributes_and_scores_find_their_columns() -> None:
    frame = attributes(60)
    expected = evaluate(frame, "truth")
    hand = frame[["image", "truth_fire", "truth_flag"]]
    plain = hand.rename(columns=lambda name: name.removeprefix("truth_"))
    words = plain.assign(fire=plain["fire"].map({0: "no", 1: "Yes"}), flag=plain["flag"] == 1)
    assert same(evaluate(frame, ["truth_fire", "truth_flag"]), expected)
    assert same(evaluate(frame, hand, label_col=["truth_fire", "truth_flag"]), expected)
    assert same(evaluate(frame, plain), expected)
    assert same(evaluate(frame, words, label_col=["fire", "flag"]), expected)
    one = evaluate(frame[["image", "fire", "prob_fire"]], frame["truth_fire"])
    assert row(one, "f1", "fire")["estimate"] == figure(expected, "f1", "fire")
    scored = scores(60)
    hand = scored[["image", "truth_anger", "truth_joy"]].rename(columns=lambda name: name.removeprefix("truth_"))
    assert same(evaluate(scored, hand), evaluate(scored, "truth"))


def test_an_attribute_without_truth_is_left_out_and_said() -> None:
    found = evaluate(attributes(), ["truth_flag"])
    assert found.facts["classes"] == ["flag"]
    assert any("no truth about fire" in note for note in found.notes)


def test_attributes_without_probabilities_have_the_figures_of_labels() -> None:
    frame = attributes()
    plain = frame.drop(columns=["prob_fire", "prob_flag"])
    found = evaluate(plain, ["truth_fire", "truth_flag"], label_col=["fire", "flag"])
    assert figure(found, "f1", "fire") == figure(evaluate(frame, "truth"), "f1", "fire")
    assert "roc_auc" not in set(found.metrics["metric"])
    assert found.table_names() == ["metrics", "confusion", "predictions"]


def test_labels_without_probabilities_have_the_figures_of_labels() -> None:
    frame = coded()
    found = evaluate(frame[["image", "label", "hand"]], "hand")
    whole = evaluate(frame, "hand").metrics
    rest = whole[~whole["metric"].isin(["roc_auc", "pr_auc", "brier", "log_loss", "calibration_error"])]
    pd.testing.assert_frame_equal(found.metrics, rest.reset_index(drop=True))
    assert found.table_names() == ["metrics", "confusion", "predictions"]


def test_the_probability_of_the_label_alone_gives_the_calibration() -> None:
    frame = coded()
    found = evaluate(frame[["image", "label", "prob", "hand"]], "hand")
    assert figure(found, "calibration_error") == figure(evaluate(frame, "hand"), "calibration_error")
    assert found.calibration["class"].isna().all()
    assert "brier" not in set(found.metrics["metric"])


@pytest.mark.parametrize(
    ("given", "hand"),
    [
        (["0", "1", "1"], [0, 1, 0]),
        (["0", "1", "1"], [0.0, 1.0, 0.0]),
        ([0, 1, 1], ["0", "1", "0"]),
        ([0.0, 1.0, 1.0], pd.Categorical([0, 1, 0])),
        (["false", "true", "true"], [False, True, False]),
        ([False, True, True], pd.Categorical(["false", "true", "false"])),
        (["a", "b", "b"], ["a", " b ", "a"]),
    ],
)
def test_labels_are_equal_where_a_reader_would_say_so(given: Any, hand: Any) -> None:
    found = evaluate(pd.DataFrame({"label": given, "hand": hand}), "hand")
    assert figure(found, "accuracy") == pytest.approx(2 / 3)


def test_labels_of_a_categorical_with_a_missing_one_stay_whole_numbers() -> None:
    frame = pd.DataFrame({"label": [0.0, 1.0, np.nan, 1.0], "hand": [0, 1, 1, 0]})
    assert figure(evaluate(frame, "hand"), "accuracy") == pytest.approx(2 / 3)


# -- who coded ---------------------------------------------------------------------------------------------------------


def test_the_majority_of_the_coders_is_the_truth_and_their_agreement_the_ceiling() -> None:
    frame = coded(60)
    other = frame["hand"].map(dict(zip(CLASSES, (*CLASSES[1:], CLASSES[0]), strict=True)))
    wide = frame[["image"]].assign(
        ann=frame["hand"], ben=frame["hand"], cleo=frame["hand"].where(frame.index < 45, other)
    )
    found = evaluate(frame, wide, coders=["ann", "ben", "cleo"])
    assert same(found, evaluate(frame, "hand"))
    # Ann and Ben agree on all, each of them and Cleo on 45 of 60.
    assert found.facts["ceiling"] == pytest.approx((1 + 0.75 + 0.75) / 3)
    long = wide.melt("image", var_name="coder", value_name="label")
    assert evaluate(frame, long, coders="coder").facts["ceiling"] == found.facts["ceiling"]
    assert any("coders agree 0.833" in line for line in found.lines)


def test_ties_of_coders_are_said() -> None:
    frame = coded(60)
    wide = frame[["image"]].assign(ann="other", ben=frame["hand"])
    assert any("tied" in note for note in evaluate(frame, wide, coders=["ann", "ben"]).notes)


def test_coders_of_attributes_and_of_scores() -> None:
    for frame, name in ((attributes(60), "fire"), (scores(60), "anger")):
        part = frame[[c for c in frame.columns if c == "image" or name in c]]
        truth = frame[["image"]].assign(**{name: frame[f"truth_{name}"]})
        both = pd.concat([truth.assign(coder="ann"), truth.assign(coder="ben")])
        found = evaluate(part, both, coders="coder")
        assert same(found, evaluate(part, f"truth_{name}"))
        assert found.facts["ceiling"] == pytest.approx(1)


def test_labels_that_contradict_each_other_are_refused() -> None:
    frame = coded(10)
    with pytest.raises(LabelsInvalid, match=r"contradict each other.*coders="):
        evaluate(frame, pd.DataFrame({"image": ["1.jpg", "1.jpg"], "label": ["police", "other"]}))


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
    share = figure(found, "accuracy")
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


# -- from cross-validation ---------------------------------------------------------------------------------------------


def arrays(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    values = np.stack([frame["hand"] == name for name in CLASSES], axis=1).astype(float)
    return values, frame[[f"prob_{name}" for name in CLASSES]].to_numpy()


def test_outputs_of_a_network_have_the_figures_of_their_table() -> None:
    frame = coded(80)
    found = quality("single", CLASSES, *arrays(frame), frame["image"].tolist(), replicates=50)
    assert found.tables["metrics"].equals(evaluate(frame, "hand").tables["metrics"])
    assert found.kind == "evaluation"
    frame = attributes(80)
    pairs = [frame[[f"{kind}_{name}" for name in ("fire", "flag")]].to_numpy() for kind in ("truth", "prob")]
    found = quality("multi", ("fire", "flag"), *pairs, frame["image"].tolist(), replicates=50)
    assert found.tables["metrics"].equals(evaluate(frame, "truth").tables["metrics"])
    frame = scores(80)
    pairs = [frame[[f"{kind}_{name}" for name in ("anger", "joy")]].to_numpy() for kind in ("truth", "score")]
    found = quality("score", ("anger", "joy"), *pairs, frame["image"].tolist(), replicates=50)
    assert found.tables["metrics"].equals(evaluate(frame, "truth").tables["metrics"])


def test_outputs_without_a_truth_or_a_number_are_left_out_but_stay_in_the_table() -> None:
    frame = coded(80)
    values, outputs = (array.copy() for array in arrays(frame))
    values[0], outputs[1] = np.nan, np.nan
    before = values.copy(), outputs.copy()
    errors = [None, None, "truncated JPEG", *[None] * 77]
    images = frame["image"].tolist()
    found = quality("single", CLASSES, values, outputs, images, replicates=0, errors=errors, ceiling=0.9)
    assert [found.facts[key] for key in ("n", "n_failed", "n_unlabelled", "ceiling")] == [77, 2, 1, 0.9]
    assert found.predictions["image"].tolist() == images
    assert found.predictions[["truth", "label", "error"]].isna().to_numpy()[:3].tolist() == [
        [True, False, True],
        [False, True, True],
        [False, True, False],
    ]
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(outputs, before[1])


def test_clusters_and_subgroups_of_outputs() -> None:
    frame = coded(80)
    arguments = ("single", CLASSES, *arrays(frame), frame["image"].tolist())
    found = quality(*arguments, clusters=np.arange(80) // 2, by={"half": ["x", None] * 40}, replicates=50)
    assert found.facts["n_clusters"] == 40
    assert set(found.metrics["interval"]) == {"cluster bootstrap"}
    assert row(found, "accuracy", table="groups", group="x")["n"] == 40


def test_the_majority_of_the_shares_is_the_truth() -> None:
    frame = coded(80)
    values, outputs = arrays(frame)
    unsure = 0.4 * values + 0.2
    images = frame["image"].tolist()
    found = [quality("single", CLASSES, v, outputs, images, replicates=0) for v in (values, unsure)]
    assert found[0].tables["metrics"].equals(found[1].tables["metrics"])


def test_attributes_whose_columns_would_collide_are_refused() -> None:
    values = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(ArgumentInvalid, match="image would be two columns"):
        quality("multi", ("image", "b"), values, values, ["1.jpg", "2.jpg"], replicates=0)
