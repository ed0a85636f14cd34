"""The answers of several coders, and of one who coded a photograph several times, become one label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from labelled_files import classes_of, copied, said, table

from imagesasdata.errors import ArgumentInvalid, LabelsInvalid
from imagesasdata.labels import read_labels

# -- several coders ----------------------------------------------------------------------------------------------------


def three_coders() -> pd.DataFrame:
    """Four photographs: all agree, two of three agree, a tie (the third is missing), one coder only."""
    return table(
        ann=["b", "b", "b", "a"],
        ben=["b", "a", "a", None],
        cem=["b", "b", None, None],
        note=["", "", "", ""],
    )


def long(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.melt("image", ["ann", "ben", "cem"], "who", "label").sample(frac=1, random_state=1)


def test_wide_and_long_give_the_share_of_coders_a_class(photos: Path) -> None:
    frame = three_coders()
    wide = read_labels(frame, image_dir=photos, coders=["ann", "ben", "cem"])
    assert wide.names == ("a", "b")
    np.testing.assert_allclose(wide.values, [[0, 1], [1 / 3, 2 / 3], [1 / 2, 1 / 2], [1, 0]])
    assert classes_of(wide) == ["b", "b", "a", "a"]
    assert "tied on 1 of 4 photographs" in said(wide, "tied")
    narrow = read_labels(long(frame).sort_values("image"), image_dir=photos, coders="who")
    np.testing.assert_array_equal(narrow.values, wide.values)
    for labels in (wide, narrow):
        assert labels.answers is not None
        answers = labels.answers.to_pandas().sort_values(["row", "coder"])
        assert answers.columns.tolist() == ["row", "coder", "name", "value"]
        assert labels.answers.schema.types == [pa.int64(), pa.string(), pa.string(), pa.string()]
        assert list(zip(answers["row"], answers["coder"], answers["value"], strict=True)) == [
            (0, "ann", "b"),
            (0, "ben", "b"),
            (0, "cem", "b"),
            (1, "ann", "b"),
            (1, "ben", "a"),
            (1, "cem", "b"),
            (2, "ann", "b"),
            (2, "ben", "a"),
            (3, "ann", "a"),
        ]
        assert set(answers["name"]) == {"label"}


def test_the_order_of_rows_decides_only_the_order_of_photographs(photos: Path) -> None:
    frame = long(three_coders())
    labels = read_labels(frame, image_dir=photos, coders="who")
    assert labels.images.names == frame["image"].drop_duplicates().tolist()
    by_name = dict(zip(labels.images.names, labels.values.tolist(), strict=True))
    assert by_name["2.jpg"] == [0.5, 0.5]


def test_attributes_are_the_majority_and_a_tie_is_not_coded(photos: Path) -> None:
    frame = pd.DataFrame(
        [
            ("0.jpg", "x", 1, 1),
            ("0.jpg", "y", 1, 0),
            ("0.jpg", "z", 0, None),
            ("1.jpg", "x", 0, 1),
            ("1.jpg", "y", 0, 1),
            ("2.jpg", "x", 0, 0),
            ("3.jpg", "x", 1, 0),
            ("4.jpg", "x", 1, 1),
            ("4.jpg", "y", 0, 0),
            ("5.jpg", "x", 0, 1),
        ],
        columns=["image", "coder", "fire", "sign"],
    )
    labels = read_labels(frame, image_dir=photos, label_col=["fire", "sign"], coders="coder")
    nan = np.nan
    np.testing.assert_array_equal(labels.values, [[1, nan], [0, 1], [0, 0], [1, 0], [nan, nan], [0, 1]])
    assert "tied on 3 answer(s)" in said(labels, "tied")
    assert "flatters" in said(labels, "tied")
    assert labels.answers is not None
    assert labels.answers.num_rows == 19
    assert set(labels.answers["value"].to_pylist()) == {"0", "1"}


def test_scores_are_the_mean_over_coders(photos: Path) -> None:
    frame = table(ann=[1.5, 2.0, 4.0], ben=[2.5, None, 5.0])
    labels = read_labels(frame, image_dir=photos, coders=["ann", "ben"])
    assert (labels.task, labels.names, labels.values[:, 0].tolist()) == ("score", ("label",), [2.0, 2.0, 4.5])
    assert labels.answers is not None
    assert labels.answers["value"].to_pylist() == ["1.5", "2", "4", "2.5", "5"]


def test_logical_and_number_columns_of_two_coders_mean_the_same(photos: Path) -> None:
    frame = table(ann=[True, False, True, True, False], ben=[1, 0, 0, 1, 0])
    labels = read_labels(frame, image_dir=photos, coders=["ann", "ben"])
    assert len(labels.names) == 2
    np.testing.assert_array_equal(labels.values, [[0, 1], [1, 0], [0.5, 0.5], [0, 1], [1, 0]])


def test_a_class_that_is_nobodys_majority_is_no_class_but_stays_among_the_answers(photos: Path) -> None:
    frame = table(ann=list("aabb"), ben=list("aabb"), cem=["a", "a", "b", "unclear"])
    labels = read_labels(frame, image_dir=photos, coders=["ann", "ben", "cem"])
    assert labels.names == ("a", "b")
    np.testing.assert_allclose(labels.values.sum(axis=1), 1)
    assert '"unclear"' in said(labels, "it is no class")
    assert labels.answers is not None
    assert "unclear" in labels.answers["value"].to_pylist()


@pytest.mark.parametrize("coders", [["ann"], ["ann", "ann"], []])
def test_one_column_of_a_coder_is_an_error(coders: list[str]) -> None:
    with pytest.raises(ArgumentInvalid, match="one column for each of two coders or more"):
        read_labels(three_coders(), coders=coders)


def test_wide_coders_of_several_attributes_are_an_error_with_the_cure() -> None:
    with pytest.raises(ArgumentInvalid, match="one row for each coder's answer"):
        read_labels(three_coders(), label_col=["fire", "sign"], coders=["ann", "ben"])


def test_an_answer_without_a_coder_is_an_error_and_an_empty_row_is_not(photos: Path) -> None:
    frame = table(label=["a", "b", None, "a", "b"], coder=["x", "x", None, "x", "x"])
    assert len(read_labels(frame, image_dir=photos, coders="coder")) == 4
    with pytest.raises(LabelsInvalid, match=r'1 row\(s\) have a label in "label" and no coder in "coder".*row 2'):
        read_labels(frame.assign(coder=["x", None, None, "x", "x"]), image_dir=photos, coders="coder")


# -- the same photograph several times ---------------------------------------------------------------------------------


def test_rows_that_repeat_a_label_count_once(photos: Path) -> None:
    frame = pd.DataFrame({"image": ["0.jpg", "./0.jpg", "1.jpg", "2.jpg", "3.jpg"], "label": list("aaabb")})
    labels = read_labels(frame, image_dir=photos)
    assert labels.images.names == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert "1 row(s) repeat" in said(labels, "repeat")


def test_labels_that_contradict_each_other_are_an_error_that_suggests_coders(photos: Path) -> None:
    frame = pd.DataFrame({"image": ["0.jpg", "0.jpg", "1.jpg", "2.jpg"], "label": list("abab")})
    with pytest.raises(LabelsInvalid, match=r"1 photograph\(s\).*'0.jpg' \('a', 'b'\)\. .*pass coders="):
        read_labels(frame, image_dir=photos)
    with pytest.raises(LabelsInvalid, match=r"'0.jpg' by ann \('a', 'b'\)\. Keep one"):
        read_labels(frame.assign(coder="ann"), image_dir=photos, coders="coder")


def test_attributes_in_several_rows_complete_each_other(photos: Path) -> None:
    rows = [("0.jpg", 1, None), ("0.jpg", None, 0), ("1.jpg", 0, 1), ("2.jpg", 1, 0), ("3.jpg", 0, 1)]
    frame = pd.DataFrame(rows, columns=["image", "fire", "sign"])
    labels = read_labels(frame, image_dir=photos, label_col=["fire", "sign"])
    assert labels.values.tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]
    assert not any("repeat" in note for note in labels.notes)


def test_copies_under_other_names_are_kept_together_and_mentioned(photos: Path) -> None:
    copied(photos, (0, 2), (0, 4))
    labels = read_labels(table(label=list("ababab")), image_dir=photos)
    assert labels.groups.tolist() == [0, 1, 0, 2, 0, 3]
    assert "2 photograph(s) are byte for byte the same" in said(labels, "byte for byte")
    assert "'0.jpg' and '2.jpg'" in said(labels, "byte for byte")
    assert not any("DIFFERENT" in note for note in labels.notes)


def test_copies_with_different_labels_are_named(photos: Path) -> None:
    copied(photos, (0, 1))
    note = said(read_labels(table(label=list("abab")), image_dir=photos), "DIFFERENT")
    assert "1 pair(s)" in note
    assert "'0.jpg' is 'a' and '1.jpg' is 'b'" in note
    frame = table(fire=[1, 0, 1, 0], sign=[0, None, 1, 1]).astype({"fire": "Int64"})
    frame.loc[4] = ["4.jpg", 1, 0]
    note = said(read_labels(frame, image_dir=photos, label_col=["fire", "sign"]), "DIFFERENT")
    assert "'0.jpg' is fire 1, sign 0 and '1.jpg' is fire 0, sign not coded" in note


def test_what_is_not_coded_of_a_copy_is_no_different_label(photos: Path) -> None:
    copied(photos, (0, 1))
    frame = table(fire=[1, 1, 0, 0, 1], sign=[0, None, 1, 1, 0])
    labels = read_labels(frame, image_dir=photos, label_col=["fire", "sign"])
    assert not any("DIFFERENT" in note for note in labels.notes)
