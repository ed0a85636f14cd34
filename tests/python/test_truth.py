"""The truth is found wherever it is, and several coders become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from coded_photographs import CLASSES, KINDS, attributes, coded, evaluate, figure, row, same, scores

from imagesasdata.errors import (
    ArgumentInvalid,
    LabelsInvalid,
)
from imagesasdata.images import ImageList
from imagesasdata.labels import Labels
from imagesasdata.tablefiles import write_table

# -- where the truth is ------------------------------------------------------------------------------------------------


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


def test_labels_that_differ_only_by_capitals_or_blanks_are_named() -> None:
    frame = pd.DataFrame({"image": list("abcd"), "label": ["riot", "riot", "no riot", "no riot"]})
    found = evaluate(frame, ["Riot ", "riot", "noriot", "no riot"], replicates=0)
    (note,) = [note for note in found.notes if "capitals or blanks" in note]
    assert '"Riot " and "riot"' in note or '"Riot" and "riot"' in note
    assert '"noriot" and "no riot"' in note
    assert found.estimate == 0.5
    plain = evaluate(frame, ["riot", "riot", "other", "no riot"], replicates=0)
    assert not any("capitals" in note for note in plain.notes)
    with_probabilities = frame.assign(prob_riot=[1, 1, 0, 0], **{"prob_no riot": [0, 0, 1, 1]})
    known = evaluate(with_probabilities, ["Riot", "riot", "no riot", "no riot"], replicates=0)
    assert any("capitals" in note for note in known.notes)
