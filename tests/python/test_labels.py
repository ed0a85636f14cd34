"""Hand labels arrive in whatever shape they have, and what is wrong with them is said."""

from __future__ import annotations

import datetime
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from labelled_files import HOSTILE, classes_of, copied, said, table, write

from imagesasdata.answers import class_text
from imagesasdata.errors import ArgumentInvalid, ImageColumnMissing, ImagesNotFound, LabelsInvalid, TableUnreadable
from imagesasdata.labels import read_labels
from imagesasdata.tablefiles import write_table

# -- folders -----------------------------------------------------------------------------------------------------------


def test_direct_folders_are_the_classes_and_folders_in_them_are_not(tmp_path: Path) -> None:
    write(tmp_path / name for name in ("protest/b.jpg", "protest/2020/may/a.png", "other/c.JPEG", "other/d.jpg"))
    write([tmp_path / "README.txt", tmp_path / "protest" / "notes.txt", tmp_path / "other" / ".hidden.jpg"])
    labels = read_labels(tmp_path)
    assert (labels.task, labels.names, labels.answers) == ("single", ("other", "protest"), None)
    names = [os.path.relpath(str(name), tmp_path) for name in labels.images.names]
    assert dict(zip(names, classes_of(labels), strict=True)) == {
        "other/c.JPEG": "other",
        "other/d.jpg": "other",
        "protest/2020/may/a.png": "protest",
        "protest/b.jpg": "protest",
    }
    assert labels.values.tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert len(set(labels.groups.tolist())) == 4
    assert labels.images.data is None


@pytest.mark.parametrize("end", ["", "/"])
def test_a_folder_may_be_relative_to_image_dir(tmp_path: Path, end: str) -> None:
    write(tmp_path / "set" / name for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"))
    labels = read_labels("set" + end, image_dir=tmp_path)
    assert labels.images.names == ["set/a/1.jpg", "set/a/2.jpg", "set/b/3.jpg", "set/b/4.jpg"]
    assert labels.images.paths == [str(tmp_path / str(name)) for name in labels.images.names]
    assert classes_of(labels) == ["a", "a", "b", "b"]


def test_photographs_outside_the_folders_of_classes_are_an_error_that_names_them(tmp_path: Path) -> None:
    write(tmp_path / name for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg", "stray.jpg"))
    with pytest.raises(LabelsInvalid, match=r"1 photograph\(s\) lie directly in .*'stray.jpg'. Move each"):
        read_labels(tmp_path)


def test_an_empty_folder_is_no_class_and_is_mentioned(tmp_path: Path) -> None:
    write(tmp_path / name for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"))
    (tmp_path / "violence").mkdir()
    (tmp_path / ".git").mkdir()
    labels = read_labels(tmp_path)
    assert labels.names == ("a", "b")
    assert "'violence'" in said(labels, "hold no photograph")
    assert ".git" not in said(labels, "hold no photograph")


def test_a_link_to_a_folder_is_mentioned_rather_than_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "set" / name for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"))
    write(tmp_path / "elsewhere" / f"{i}.jpg" for i in range(3))
    (tmp_path / "set" / "c").symlink_to(tmp_path / "elsewhere")
    assert "'c'" in said(read_labels(tmp_path / "set"), "links are not followed")


def test_hostile_names_of_files_and_classes_survive(tmp_path: Path) -> None:
    write(tmp_path / folder / name for folder in ("<b>", "=1+1") for name in HOSTILE)
    labels = read_labels(tmp_path)
    assert labels.names == ("<b>", "=1+1")
    assert len(labels) == 2 * len(HOSTILE)
    names = [os.path.basename(str(name)) for name in labels.images.names]
    assert sorted(names) == sorted(HOSTILE * 2)


def test_names_that_are_no_utf8_can_be_kept_in_a_table(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for i in range(2):
        with open(folder + b"/\xff%d.jpg" % i, "wb") as file:
            file.write(b"x%d" % i)
    write([tmp_path / "b" / "1.jpg", tmp_path / "b" / "2.jpg"])
    labels = read_labels(tmp_path)
    assert len(labels) == 4
    pa.array([*labels.names, *labels.images.names], pa.string())


@pytest.mark.parametrize("option", [{"coders": "coder"}, {"groups": "account"}, {"task": "multi"}, {"task": "score"}])
def test_options_about_columns_are_an_error_with_a_folder(tmp_path: Path, option: dict[str, str]) -> None:
    write([tmp_path / "a" / "1.jpg"])
    with pytest.raises(ArgumentInvalid, match="`labels` is a folder of class folders"):
        read_labels(tmp_path, **option)


def test_a_path_that_leads_nowhere_is_an_error_that_says_what_labels_may_be(tmp_path: Path) -> None:
    with pytest.raises(ImagesNotFound, match=r"is no folder and no table file.*folder of class folders"):
        read_labels(tmp_path / "missing")
    with pytest.raises(TableUnreadable, match="does not exist"):
        read_labels(tmp_path / "missing.csv")
    with pytest.raises(ImagesNotFound, match="holds no image"):
        read_labels(tmp_path)


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather", ".dta"])
def test_table_files_give_the_same_labels_as_the_data_frame(photos: Path, tmp_path: Path, suffix: str) -> None:
    frame = table(label=["protest", "other", None, "other", "protest"], account=["x", "x", "y", None, "z"])
    write_table(pa.Table.from_pandas(frame), tmp_path / f"labels{suffix}")
    one = read_labels(tmp_path / f"labels{suffix}", image_dir=photos, groups="account")
    other = read_labels(frame, image_dir=photos, groups="account")
    assert one.images == other.images
    assert one.values.tolist() == other.values.tolist() == [[0, 1], [1, 0], [1, 0], [0, 1]]
    assert one.groups.tolist() == other.groups.tolist() == [0, 0, 1, 2]
    assert "1 of 5 photographs have no label" in said(one, "no label")


def test_arrow_and_anything_with_its_stream_are_read(photos: Path) -> None:
    frame = table(label=["a", "b", "a", "b"])

    class Foreign:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pa.Table.from_pandas(frame).__arrow_c_stream__(requested_schema)

    for given in (pa.Table.from_pandas(frame.set_index("image")), Foreign()):
        labels = read_labels(given, image_dir=photos)
        assert classes_of(labels) == ["a", "b", "a", "b"]


@pytest.mark.parametrize("wrong", [None, 3, ["a.jpg"], {"image": ["a.jpg"]}, pa.chunked_array([["a"]])])
def test_what_is_no_table_is_an_error(wrong: Any) -> None:
    with pytest.raises(ArgumentInvalid, match=r"`labels` is"):
        read_labels(wrong)


def test_columns_that_are_not_there_are_an_error_with_those_that_are(photos: Path) -> None:
    frame = table(label=["a", "b"])
    with pytest.raises(ImageColumnMissing, match='no column "photo"'):
        read_labels(frame, image_col="photo")
    with pytest.raises(ArgumentInvalid, match=r'`label_col` is "tag"; the table has no such column .*image, label'):
        read_labels(frame, label_col="tag")
    with pytest.raises(ArgumentInvalid, match="`coders` is"):
        read_labels(frame, coders="coder")
    with pytest.raises(ArgumentInvalid, match="`groups` is"):
        read_labels(frame, image_dir=photos, groups="account")
    with pytest.raises(ArgumentInvalid, match="several columns of this name"):
        read_labels(pd.DataFrame([["0.jpg", "a", "b"]], columns=["image", "label", "label"]))


def test_labels_that_were_read_before_come_back_as_they_are(photos: Path) -> None:
    labels = read_labels(table(label=["a", "b"] * 2), image_dir=photos)
    assert read_labels(labels) is labels


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (["b", "a"], ["b", "a"]),
        (["b ", " a"], ["b", "a"]),
        ([True, False], ["true", "false"]),
        ([1, 0], ["1", "0"]),
        ([1.0, 0.0], ["1", "0"]),
        ([Decimal(1), Decimal(0)], ["1", "0"]),
        ([10, 9], ["10", "9"]),
        (pd.Categorical(["b", "a"], ["c", "b", "a"]), ["b", "a"]),
        ([datetime.date(2020, 5, 1), datetime.date(2020, 6, 1)], ["2020-05-01", "2020-06-01"]),
        (["1", 2], ["1", "2"]),
    ],
    ids=["text", "blanks", "logical", "int", "float", "decimal", "ten", "factor", "date", "mixed"],
)
def test_classes_are_named_by_what_was_given(photos: Path, given: Any, classes: list[str]) -> None:
    values = [*given, *given]
    labels = read_labels(table(label=values), image_dir=photos)
    assert labels.task == "single"
    assert classes_of(labels) == classes * 2


def test_classes_are_sorted_numbers_as_numbers(photos: Path) -> None:
    assert read_labels(table(label=[10, 9, 10, 9]), image_dir=photos).names == ("9", "10")
    assert read_labels(table(label=["10", "9", "10", "9"]), image_dir=photos).names == ("10", "9")
    assert read_labels(table(label=list("éaZé") + list("aZ")), image_dir=photos).names == ("Z", "a", "é")


def test_something_that_can_be_no_label_is_an_error(photos: Path) -> None:
    with pytest.raises(LabelsInvalid, match=r"\['a', 'b'\], a list; give text, numbers"):
        read_labels(table(label=[["a", "b"], ["a"]]), image_dir=photos)


def test_classes_that_differ_by_capitals_only_are_pointed_out(photos: Path) -> None:
    labels = read_labels(table(label=["Protest", "protest"] * 2), image_dir=photos)
    assert "capital letters" in said(labels, "Protest")


def test_rows_without_a_path_are_left_out_with_a_note(photos: Path) -> None:
    frame = pd.DataFrame({"image": ["0.jpg", None, "", "1.jpg", "2.jpg", "3.jpg"], "label": list("aaabba")})
    labels = read_labels(frame, image_dir=photos)
    assert labels.images.names == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert "2 row(s) have no path" in said(labels, "no path")


# -- which task --------------------------------------------------------------------------------------------------------


def test_few_whole_numbers_are_classes_and_a_note_says_so(photos: Path) -> None:
    labels = read_labels(table(label=[0, 1, 1, 0]), image_dir=photos)
    assert (labels.task, labels.names) == ("single", ("0", "1"))
    assert said(labels, "taken as classes").endswith('Scores? Pass task="score".')


@pytest.mark.parametrize("numbers", [list(range(11)), [0.5, 1.0, 2.0]], ids=["many", "decimals"])
def test_many_numbers_or_decimals_are_a_score(photos: Path, numbers: list[float]) -> None:
    labels = read_labels(table(label=numbers), image_dir=photos)
    assert (labels.task, labels.names) == ("score", ("label",))
    assert labels.values[:, 0].tolist() == numbers
    assert any('task="single"' in note for note in labels.notes) == (len(numbers) == 11)


def test_a_task_that_is_asked_for_is_taken(photos: Path) -> None:
    frame = table(label=[0, 1, 1, 0])
    assert read_labels(frame, image_dir=photos, task="score").values[:, 0].tolist() == [0, 1, 1, 0]
    assert read_labels(frame, image_dir=photos, task="multi").names == ("label",)
    many = read_labels(table(label=[*range(11), *range(9)]).query("label < 9"), image_dir=photos, task="single")
    assert many.names == tuple("012345678")


@pytest.mark.parametrize(
    ("yes", "no"), [(1, 0), (True, False), ("yes", "no"), ("TRUE", "FALSE"), ("1", "0"), (1.0, 0.0)]
)
def test_several_columns_of_yes_and_no_are_attributes(photos: Path, yes: Any, no: Any) -> None:
    frame = table(fire=[yes, no, yes, no], sign=[no, no, yes, yes])
    labels = read_labels(frame, image_dir=photos, label_col=["fire", "sign"])
    assert (labels.task, labels.names) == ("multi", ("fire", "sign"))
    assert labels.values.tolist() == [[1, 0], [0, 0], [1, 1], [0, 1]]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", "NA", "n/a"])
def test_attributes_that_are_not_coded_are_nan_and_photographs_without_any_are_left_out(
    photos: Path, missing: Any
) -> None:
    frame = table(fire=["yes", "no", missing, missing, "yes", "no"], sign=["no", missing, "yes", missing, "yes", "no"])
    labels = read_labels(frame, image_dir=photos, label_col=["fire", "sign"])
    np.testing.assert_array_equal(labels.values, [[1, 0], [0, np.nan], [np.nan, 1], [1, 1], [0, 0]])
    assert "3.jpg" not in labels.images.names
    assert "1 of 6 photographs have no label" in said(labels, "no label")


def test_several_columns_of_other_numbers_are_scores(photos: Path) -> None:
    frame = table(anger=[1, 5, 3], fear=[0.5, None, 2.0])
    labels = read_labels(frame, image_dir=photos, label_col=["anger", "fear"])
    assert labels.task == "score"
    np.testing.assert_array_equal(labels.values, [[1, 0.5], [5, np.nan], [3, 2]])


def test_values_that_are_no_label_of_the_task_are_an_error_that_shows_them(photos: Path) -> None:
    frame = table(fire=["yes", "perhaps", "no"], sign=["no", "no", "yes"], loud=[1, 2, np.inf])
    for task in ("auto", "multi", "score"):
        with pytest.raises(LabelsInvalid, match=r'"fire" holds .*a score is a number, an attribute 0 or 1'):
            read_labels(frame, image_dir=photos, label_col=["fire", "sign"], task=task)
    with pytest.raises(LabelsInvalid, match="'perhaps'"):
        read_labels(frame, image_dir=photos, label_col=["fire", "sign"], task="multi")
    with pytest.raises(LabelsInvalid, match='"loud" holds inf'):
        read_labels(frame, image_dir=photos, label_col="loud", task="score")
    with pytest.raises(LabelsInvalid, match='"loud" holds 2'):
        read_labels(frame, image_dir=photos, label_col="loud", task="multi")


def test_a_class_in_several_columns_is_an_error(photos: Path) -> None:
    with pytest.raises(ArgumentInvalid, match='`task` is "single" and `label_col` names several'):
        read_labels(table(a=[0, 1], b=[0, 1]), image_dir=photos, label_col=["a", "b"], task="single")
    with pytest.raises(ArgumentInvalid, match="`task` is 'regression'"):
        read_labels(table(label=[0, 1]), task="regression")
    for wrong in ([], ["a", "a"]):
        with pytest.raises(ArgumentInvalid, match="name each column once"):
            read_labels(table(a=[0, 1]), label_col=wrong)


# -- groups ------------------------------------------------------------------------------------------------------------


def test_equal_values_are_one_group_and_missing_ones_are_by_themselves(photos: Path) -> None:
    frame = table(label=list("abababa"), account=["x", None, "y", "x", "", None, "y"])
    assert read_labels(frame, image_dir=photos, groups="account").groups.tolist() == [0, 1, 2, 0, 3, 4, 2]
    numbers = frame.assign(account=[7, None, 8, 7, None, None, 8])
    assert read_labels(numbers, image_dir=photos, groups="account").groups.tolist() == [0, 1, 2, 0, 3, 4, 2]


def test_copies_join_the_groups_that_they_are_in(photos: Path) -> None:
    copied(photos, (0, 3))
    frame = table(label=list("ababab"), account=["x", "x", "y", "y", "z", "z"])
    assert read_labels(frame, image_dir=photos, groups="account").groups.tolist() == [0, 0, 0, 0, 1, 1]


def test_a_photograph_in_two_groups_joins_them(photos: Path) -> None:
    rows = [("0.jpg", "a", "x"), ("0.jpg", "a", "y"), ("1.jpg", "b", "x"), ("2.jpg", "b", "y"), ("3.jpg", "a", "z")]
    frame = pd.DataFrame(rows, columns=["image", "label", "account"])
    assert read_labels(frame, image_dir=photos, groups="account").groups.tolist() == [0, 0, 0, 1]


def test_groups_follow_photographs_when_others_are_left_out(photos: Path) -> None:
    (photos / "1.jpg").unlink()
    frame = table(label=["a", "a", None, "b", "b", "a"], account=["x", "y", "x", "y", "x", "y"])
    labels = read_labels(frame, image_dir=photos, groups="account")
    assert labels.images.names == ["0.jpg", "3.jpg", "4.jpg", "5.jpg"]
    assert labels.groups.tolist() == [0, 1, 0, 1]


# -- files and numbers -------------------------------------------------------------------------------------------------


def test_files_that_cannot_be_opened_are_left_out_with_the_reason(photos: Path) -> None:
    (photos / "0.jpg").unlink()
    (photos / "1.jpg").write_bytes(b"")
    (photos / "2.jpg").unlink()
    (photos / "2.jpg").mkdir()
    frame = table(ann=list("abababab"), ben=list("abababab"))
    frame.loc[7, "image"] = "https://example.org/7.jpg"
    labels = read_labels(frame, image_dir=photos, coders=["ann", "ben"])
    assert labels.images.names == ["3.jpg", "4.jpg", "5.jpg", "6.jpg"]
    note = said(labels, "cannot be opened")
    assert "4 of 8 labelled photographs" in note
    for shown in ("'0.jpg' (file does not exist)", "'1.jpg' (empty file", "'2.jpg' (a folder", "and 1 more"):
        assert shown in note
    assert labels.answers is not None
    assert sorted(labels.answers["row"].to_pylist()) == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_does_not_stop_the_run(photos: Path) -> None:
    (photos / "0.jpg").unlink()
    os.mkfifo(photos / "0.jpg")
    labels = read_labels(table(label=list("abaab")), image_dir=photos)
    assert "not a regular file" in said(labels, "cannot be opened")


def test_files_of_rows_without_a_label_are_not_asked_for(photos: Path) -> None:
    (photos / "0.jpg").unlink()
    labels = read_labels(table(label=[None, "a", "b", "a", "b"]), image_dir=photos)
    assert not any("cannot be opened" in note for note in labels.notes)


def test_no_file_at_all_is_an_error_that_says_where_it_was_looked_for(photos: Path) -> None:
    with pytest.raises(LabelsInvalid, match=r"None of the 4 labelled photographs.*'0.jpg' \(file does not exist\)"):
        read_labels(table(label=list("abab")))


@pytest.mark.parametrize("values", [[None, None], ["", "  "]])
def test_no_label_is_an_error(photos: Path, values: list[Any]) -> None:
    with pytest.raises(LabelsInvalid, match='No photograph has a label in "label"'):
        read_labels(table(label=values), image_dir=photos)
    with pytest.raises(LabelsInvalid, match="No photograph has a label"):
        read_labels(pd.DataFrame({"image": [], "label": []}), image_dir=photos)


def test_one_class_only_is_an_error(photos: Path) -> None:
    with pytest.raises(LabelsInvalid, match='All photographs have one label, "a"'):
        read_labels(table(label=list("aaa")), image_dir=photos)


def test_a_class_of_one_photograph_is_an_error_with_the_count(photos: Path) -> None:
    with pytest.raises(LabelsInvalid, match=r'Too few photographs of "b" \(1\): at least 2'):
        read_labels(table(label=list("aabcc")), image_dir=photos)
    with pytest.raises(LabelsInvalid, match=r'"fire = 1" \(1\)'):
        read_labels(table(fire=[1, 0, 0], sign=[1, 0, 1]), image_dir=photos, label_col=["fire", "sign"])


@pytest.mark.parametrize(
    ("column", "words"),
    [([1, 1, 1, 1], "is 1 in every photograph"), ([0, None, 0, 0], "is 0 in every"), ([None] * 4, "in no photograph")],
)
def test_an_attribute_without_variation_is_an_error(photos: Path, column: list[Any], words: str) -> None:
    with pytest.raises(LabelsInvalid, match=f'"sign" {words}|"sign" is coded {words}'):
        read_labels(table(fire=[1, 0, 0, 1], sign=column), image_dir=photos, label_col=["fire", "sign"])


def test_a_score_without_variation_is_an_error(photos: Path) -> None:
    with pytest.raises(LabelsInvalid, match=r'"label" is 2\.5 in every photograph'):
        read_labels(table(label=[2.5, 2.5, 2.5]), image_dir=photos)


@pytest.mark.parametrize(("n", "warned"), [(9, True), (10, False)])
def test_fewer_than_ten_photographs_are_mentioned(photos: Path, n: int, warned: bool) -> None:
    labels = read_labels(table(label=["a", "b"] * (n // 2) + ["a"] * (n % 2)), image_dir=photos)
    assert any("photographs are labelled" in note for note in labels.notes) == warned


def test_nothing_is_said_of_good_labels(photos: Path) -> None:
    assert read_labels(table(label=["a", "b"] * 10), image_dir=photos).notes == ()


def test_twenty_thousand_photographs_are_one_row_each_in_order(tmp_path: Path) -> None:
    write(tmp_path / f"{i}.jpg" for i in range(500))
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"image": [f"{i % 500}.jpg" for i in range(20_000)], "coder": np.arange(20_000) // 500})
    frame["label"] = rng.choice(["a", "b", "c"], 20_000)
    labels = read_labels(frame, image_dir=tmp_path, coders="coder")
    assert labels.images.names == [f"{i}.jpg" for i in range(500)]
    expected = frame.groupby(["image", "label"]).size().unstack(fill_value=0).loc[labels.images.names] / 40
    np.testing.assert_allclose(labels.values, expected.to_numpy())


@pytest.mark.parametrize(
    ("value", "numeric", "text"),
    [
        (True, False, "true"),
        (True, True, "1"),
        (np.bool_(False), False, "false"),
        (np.int8(3), False, "3"),
        (2**60 + 1, False, str(2**60 + 1)),
        (1.5, False, "1.5"),
        (-0.0, False, "0"),
        ("  x ", False, "x"),
        ("\ud83d", False, "\\ud83d"),
    ],
)
def test_a_label_as_text(value: Any, numeric: bool, text: str) -> None:
    assert class_text(value, numeric) == text


def test_a_class_of_few_photographs_is_named_with_its_count(photos: Path) -> None:
    names = [f"{i}.jpg" for i in range(20)]
    few = pd.DataFrame({"image": names, "label": ["ants"] * 15 + ["bees"] * 5})
    (note,) = read_labels(few, image_dir=photos).notes
    assert note.startswith('Fewer than 10 photographs of "bees" (5): ')
    attributes = pd.DataFrame({"image": names, "fire": [1] * 3 + [0] * 17, "flag": [0, 1] * 10})
    (note,) = read_labels(attributes, label_col=["fire", "flag"], image_dir=photos).notes
    assert note.startswith('Fewer than 10 photographs of "fire = 1" (3): ')
    assert read_labels(few.assign(label=["ants", "bees"] * 10), image_dir=photos).notes == ()


def test_the_text_na_is_missing_in_a_data_frame_as_in_a_file(photos: Path, tmp_path: Path) -> None:
    table = pd.DataFrame({"image": [f"{i}.jpg" for i in range(20)], "label": ["a", "b"] * 9 + ["NA"] * 2})
    table.to_csv(tmp_path / "labels.csv", index=False)
    from_frame, from_file = (read_labels(given, image_dir=photos) for given in (table, tmp_path / "labels.csv"))
    assert from_frame.names == from_file.names == ("a", "b")
    assert len(from_frame) == len(from_file) == 18
    assert '2 label(s) are the text "NA", which is read as missing' in " ".join(from_frame.notes)
    coders = table.assign(ben=table["label"].where(table.index > 0, "NA")).rename(columns={"label": "anna"})
    coded = read_labels(coders, coders=["anna", "ben"], image_dir=photos)
    assert coded.names == ("a", "b")
    assert coded.answers is not None
    assert coded.answers.num_rows == 35
    assert '5 label(s) are the text "NA"' in " ".join(coded.notes)


def test_a_slip_among_attributes_is_said(photos: Path) -> None:
    table = pd.DataFrame(
        {"image": [f"{i}.jpg" for i in range(20)], "fire": [0, 1] * 10, "flag": [2] + [0] * 9 + [1] * 10}
    )
    found = read_labels(table, label_col=["fire", "flag"], image_dir=photos)
    assert found.task == "score"
    (note,) = found.notes
    assert note.startswith('Not all answers are yes or no (2 in "flag"), so all of "fire", "flag" are taken as scores.')
    rated = table.assign(fire=[i / 19 for i in range(20)], flag=[i % 10 for i in range(20)])
    assert read_labels(rated, label_col=["fire", "flag"], image_dir=photos).notes == ()


def test_a_text_among_scores_names_the_column_of_the_coder(photos: Path) -> None:
    table = pd.DataFrame({"image": [f"{i}.jpg" for i in range(20)], "anna": range(20), "ben": [*range(19), "many"]})
    with pytest.raises(LabelsInvalid, match=r"\"ben\" holds 'many'"):
        read_labels(table, coders=["anna", "ben"], task="score", image_dir=photos)
