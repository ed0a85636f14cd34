"""Predictions find their rows, nothing is lost on the way, and what does not match is said."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from imagesasdata.errors import ArgumentInvalid, ColumnExists, ImagesAsDataWarning, KeysInvalid
from imagesasdata.merge import merge_predictions
from imagesasdata.tablefiles import read_table, write_table
from imagesasdata.tables import provenance_of, with_provenance

PROVENANCE = {"verb": "classify_images", "model": "efficientnet_lite0", "device": "cpu"}
CLASSES = ["protest", "police", "other"]


def predictions() -> pd.DataFrame:
    """The photographs of three posts; the second one of post "a" failed.

    ======  =====  =======  ============  ===========  ==========
    image   post   label    prob_protest  prob_police  prob_other
    ======  =====  =======  ============  ===========  ==========
    1.jpg   a      protest  0.7           0.2          0.1
    2.jpg   a      (failed)
    3.jpg   a      other    0.3           0.2          0.5
    4.jpg   b      police   0.1           0.8          0.1
    5.jpg   c      (failed)
    ======  =====  =======  ============  ===========  ==========
    """
    frame = pd.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(1, 6)],
            "post": ["a", "a", "a", "b", "c"],
            "label": pd.Categorical(["protest", None, "other", "police", None], CLASSES),
            "prob": [0.7, np.nan, 0.5, 0.8, np.nan],
            "prob_protest": [0.7, np.nan, 0.3, 0.1, np.nan],
            "prob_police": [0.2, np.nan, 0.2, 0.8, np.nan],
            "prob_other": [0.1, np.nan, 0.5, 0.1, np.nan],
            "error": [None, "truncated JPEG", None, None, "file does not exist"],
        }
    )
    frame.attrs["imagesasdata"] = PROVENANCE
    return frame


def posts() -> pd.DataFrame:
    return pd.DataFrame({"post": ["b", "a", "c", "d"], "votes": [3, 1, 2, 9]}, index=[40, 10, 10, 20])


def quietly(*arguments: Any, **options: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImagesAsDataWarning)
        return merge_predictions(*arguments, **options)


def notes(*arguments: Any, **options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        merge_predictions(*arguments, **options)
    assert all(warning.category is ImagesAsDataWarning for warning in caught)
    return [str(warning.message) for warning in caught]


def values(column: pd.Series[Any]) -> list[Any]:
    return [None if pd.isna(value) else value for value in column.tolist()]


# -- one row each ------------------------------------------------------------------------------------------------------


def test_each_row_gets_its_prediction_and_keeps_its_place() -> None:
    data = pd.DataFrame({"photo": ["4.jpg", "2.jpg", "1.jpg"], "votes": [3, 1, 2]}, index=[7, 7, 5])
    before = data.copy(deep=True)
    table = quietly(data, predictions(), by={"photo": "image"})
    assert table.columns.tolist() == [*data.columns, *predictions().columns.drop("image")]
    pd.testing.assert_frame_equal(table[["photo", "votes"]], before)
    assert values(table["label"]) == ["police", None, "protest"]
    assert table["label"].cat.categories.tolist() == CLASSES
    assert values(table["error"]) == [None, "truncated JPEG", None]
    assert values(table["prob_police"]) == [0.8, None, 0.2]
    pd.testing.assert_frame_equal(data, before)


def test_rows_without_a_prediction_are_kept_with_missing_values() -> None:
    table = quietly(pd.DataFrame({"image": ["9.jpg", "1.jpg", None]}), predictions())
    assert values(table["label"]) == [None, "protest", None]
    assert values(table["error"]) == [None, None, None]


def test_missing_keys_never_match_each_other() -> None:
    data = pd.DataFrame({"id": [np.nan, 1.0, None], "side": ["x", "y", "z"]})
    coded = pd.DataFrame({"id": [None, 1.0], "prob": [0.9, 0.1]})
    assert values(quietly(data, coded, by="id")["prob"]) == [None, 0.1, None]
    two = quietly(data, coded.assign(side=["x", "y"]), by=["id", "side"])
    assert values(two["prob"]) == [None, 0.1, None]


def test_several_missing_keys_in_the_predictions_are_no_duplicates() -> None:
    coded = pd.DataFrame({"id": [None, None, "a"], "prob": [0.9, 0.8, 0.1]})
    assert values(quietly(pd.DataFrame({"id": ["a"]}), coded, by="id")["prob"]) == [0.1]


def test_two_keys_must_both_match() -> None:
    data = pd.DataFrame({"account": ["x", "x", "y"], "day": [1, 2, 1]})
    coded = pd.DataFrame({"user": ["x", "y", "x"], "day": [2, 1, 1], "prob": [0.2, 0.3, 0.1]})
    table = quietly(data, coded, by={"account": "user", "day": "day"})
    assert values(table["prob"]) == [0.1, 0.2, 0.3]
    assert table.columns.tolist() == ["account", "day", "prob"]


def test_the_image_is_told_where_another_column_is_the_key() -> None:
    table = quietly(pd.DataFrame({"post": ["b"]}), predictions().query("post == 'b'"), by="post")
    assert values(table["image"]) == ["4.jpg"]


def test_several_predictions_for_one_row_are_an_error_with_the_cure() -> None:
    with pytest.raises(KeysInvalid, match=r"has 3 rows for \"post\" 'a', and 1 such keys.*how=\"any\""):
        quietly(posts(), predictions(), by="post")


def test_columns_that_the_data_has_already_are_left_to_the_data() -> None:
    data = pd.DataFrame({"image": ["1.jpg"], "post": ["my own"]})
    assert quietly(data, predictions())["post"].tolist() == ["my own"]


@pytest.mark.parametrize("name", ["label", "prob", "error", "prob_police"])
def test_a_prediction_that_the_data_has_already_is_an_error(name: str) -> None:
    with pytest.raises(ColumnExists, match=name):
        quietly(pd.DataFrame({"image": ["1.jpg"], name: ["by hand"]}), predictions())


def test_the_provenance_goes_along_with_the_counts() -> None:
    table = quietly(posts(), predictions(), by="post", how="any")
    said = table.attrs["imagesasdata"]
    assert said["model"] == "efficientnet_lite0"
    assert said["verb"] == "merge_predictions"
    assert said["merge"] == {
        "rows": 4,
        "rows_matched": 3,
        "rows_unmatched": 1,
        "predictions": 5,
        "predictions_unmatched": 0,
        "keys_doubled_in_data": 0,
    }


# -- several images to one unit: every number below is reckoned from the table in `predictions` ------------------------


def test_any_says_whether_one_image_at_least_shows_it() -> None:
    table = quietly(posts(), predictions(), by="post", how="any")
    assert table.columns.tolist() == ["post", "votes", "any_protest", "any_police", "any_other", "n_images", "n_used"]
    assert table.index.tolist() == [40, 10, 10, 20]
    assert table["post"].tolist() == ["b", "a", "c", "d"]
    assert values(table["any_protest"]) == [False, True, None, None]
    assert values(table["any_police"]) == [True, False, None, None]
    assert values(table["any_other"]) == [False, True, None, None]
    assert table["n_images"].tolist() == [1, 3, 1, 0]
    assert table["n_used"].tolist() == [1, 2, 0, 0]


def test_mean_gives_shares_and_mean_probabilities_of_the_images_that_did_not_fail() -> None:
    table = quietly(posts(), predictions(), by="post", how="mean")
    nan = np.nan
    assert table.columns.tolist()[2:8] == [f"{kind}_{name}" for kind in ("share", "prob") for name in CLASSES]
    expected = {
        "share_protest": [0, 1 / 2, nan, nan],
        "share_police": [1, 0, nan, nan],
        "share_other": [0, 1 / 2, nan, nan],
        "prob_protest": [0.1, (0.7 + 0.3) / 2, nan, nan],
        "prob_police": [0.8, (0.2 + 0.2) / 2, nan, nan],
        "prob_other": [0.1, (0.1 + 0.5) / 2, nan, nan],
    }
    for name, numbers in expected.items():
        np.testing.assert_allclose(table[name].astype(float), numbers, atol=1e-12, err_msg=name)
    assert table["n_used"].tolist() == [1, 2, 0, 0]


def test_max_gives_the_highest_probability() -> None:
    table = quietly(posts(), predictions(), by="post", how="max")
    assert table.columns.tolist()[2:] == ["prob_protest", "prob_police", "prob_other", "n_images", "n_used"]
    np.testing.assert_allclose(table["prob_protest"], [0.1, 0.7, np.nan, np.nan])
    np.testing.assert_allclose(table["prob_other"], [0.1, 0.5, np.nan, np.nan])


def test_scores_have_a_mean_and_a_maximum() -> None:
    scored = pd.DataFrame({"post": ["a", "a", "b"], "score_anger": [2.0, 7.0, 5.0], "error": [None] * 3})
    assert quietly(posts(), scored, by="post", how="mean")["score_anger"].tolist()[:2] == [5.0, 4.5]
    assert quietly(posts(), scored, by="post", how="max")["score_anger"].tolist()[:2] == [5.0, 7.0]


def attributes() -> pa.Table:
    return pa.table(
        {
            "post": ["a", "a", "b"],
            "fire": pa.array([True, None, False]),
            "sign": pa.array([False, None, True]),
            "prob_fire": [0.9, None, 0.1],
            "prob_sign": [0.2, None, 0.6],
            "error": pa.array([None, "truncated JPEG", None], pa.string()),
        }
    )


@pytest.mark.parametrize("suffix", ["", ".parquet", ".feather", ".csv", ".dta"])
def test_attributes_count_from_arrow_and_from_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    coded = attributes()
    if suffix:
        write_table(coded, tmp_path / f"p{suffix}")
        coded = read_table(tmp_path / f"p{suffix}")
    for given in (coded, coded.to_pandas()):
        table = quietly(posts(), given, by="post", how="any")
        assert values(table["any_fire"]) == [False, True, None, None]
        assert values(table["any_sign"]) == [True, False, None, None]
        assert table["n_used"].tolist() == [1, 1, 0, 0]
        shares = quietly(posts(), given, by="post", how="mean")
        assert values(shares["share_fire"]) == [0.0, 1.0, None, None]


def test_the_empty_errors_of_a_stata_file_are_no_errors(tmp_path: Path) -> None:
    write_table(pa.Table.from_pandas(predictions()), tmp_path / "p.dta")
    table = quietly(posts(), read_table(tmp_path / "p.dta"), by="post", how="any")
    assert table["n_used"].tolist() == [1, 2, 0, 0]
    assert values(table["any_protest"]) == [False, True, None, None]


def test_of_many_classes_only_those_that_occur_get_a_column() -> None:
    coded = pd.DataFrame({"post": ["a", "b"], "label": pd.Categorical(["x1", "x2"], [f"x{i}" for i in range(1000)])})
    table = quietly(posts(), coded, by="post", how="any")
    assert table.columns.tolist() == ["post", "votes", "any_x1", "any_x2", "n_images", "n_used"]


def test_a_sum_of_nothing_is_an_error_with_the_cure() -> None:
    labels = predictions()[["post", "label", "prob", "error"]]
    with pytest.raises(KeysInvalid, match=r"no column that how=\"max\" can sum up.*probs=True"):
        quietly(posts(), labels, by="post", how="max")


# -- what does not match -----------------------------------------------------------------------------------------------


def test_nothing_is_said_where_all_match() -> None:
    assert notes(pd.DataFrame({"image": predictions()["image"]}), predictions()) == []


def test_what_does_not_match_is_said_both_ways_with_counts_and_examples() -> None:
    data = pd.DataFrame({"image": ["1.jpg", "9.jpg", None, "1.jpg"]}, index=[1, 1, 1, 1])
    assert notes(data, predictions()) == [
        "2 of 4 rows of `data` have no prediction, for instance '9.jpg', missing.",
        "4 of 5 predictions match no row of `data`, for instance '2.jpg', '3.jpg', '4.jpg'.",
        "1 key(s) occur more than once in `data`; each such row gets the same predictions.",
    ]
    assert values(quietly(data, predictions())["prob"]) == [0.7, None, None, 0.7]


def test_arrow_carries_the_warnings_in_the_provenance() -> None:
    table = merge_predictions.arrow(pa.table({"image": ["1.jpg", "9.jpg"]}), pa.Table.from_pandas(predictions()))
    assert provenance_of(table)["notes"][0].startswith("1 of 2 rows of `data` have no prediction")


def test_nothing_that_matches_is_an_error_with_both_sides() -> None:
    data = pd.DataFrame({"photo": ["x.jpg", "y.jpg"]})
    with pytest.raises(KeysInvalid) as caught:
        quietly(data, predictions(), by={"photo": "image"})
    assert str(caught.value) == (
        "No value of \"photo\" in `data` ('x.jpg', 'y.jpg') is in \"image\" of `predictions` "
        "('1.jpg', '2.jpg', '3.jpg')."
    )


@pytest.mark.parametrize("path", ["photos/1.jpg", "C:\\photos\\1.jpg"])
def test_file_names_that_match_without_their_folders_are_pointed_out(path: str) -> None:
    with pytest.raises(KeysInvalid, match="file names match without their folders"):
        quietly(pd.DataFrame({"image": [path]}), predictions())


# -- keys of all kinds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        [1, 2],
        [1.0, 2.0],
        pd.array([1, 2], "Int64"),
        pd.array([1, 2], "Int8"),
        pd.Series([1, 2], dtype=object),
        pd.Categorical([1, 2]),
        pd.array([1, 2], dtype=pd.ArrowDtype(pa.int64())),
    ],
    ids=["int", "float", "Int64", "Int8", "object", "categorical", "Arrow"],
)
def test_numbers_match_numbers_however_they_are_kept(keys: Any) -> None:
    coded = pd.DataFrame({"id": [2, 1], "prob": [0.2, 0.1]})
    assert values(quietly(pd.DataFrame({"id": keys}), coded, by="id")["prob"]) == [0.1, 0.2]


@pytest.mark.parametrize(
    "keys",
    [
        ["a", "b"],
        pd.array(["a", "b"], "string"),
        pd.Categorical(["a", "b"]),
        pd.Series(["a", "b"], dtype=object),
        [Path("a"), Path("b")],
    ],
    ids=["str", "string", "categorical", "object", "Path"],
)
def test_text_matches_text_however_it_is_kept(keys: Any) -> None:
    coded = pd.DataFrame({"image": ["b", "a"], "prob": [0.2, 0.1]})
    assert values(quietly(pd.DataFrame({"image": keys}), coded)["prob"]) == [0.1, 0.2]


def test_days_match_days() -> None:
    days = pd.to_datetime(["2020-01-01", "2020-01-02"])
    coded = pd.DataFrame({"day": days[::-1].as_unit("s"), "prob": [0.2, 0.1]})
    assert values(quietly(pd.DataFrame({"day": days}), coded, by="day")["prob"]) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [
        (["1", "2"], [1, 2], "is text in `data` and .* is a number"),
        ([1, 2], ["1", "2"], "is a number in `data` and .* is text"),
        ([True, False], [1, 0], "is logical in `data` and .* is a number"),
        (pd.to_datetime(["2020-01-01"]), ["2020-01-01"], "is a date in `data` and .* is text"),
    ],
)
def test_keys_of_different_kinds_are_an_error_not_an_empty_merge(mine: Any, theirs: Any, words: str) -> None:
    with pytest.raises(KeysInvalid, match=words):
        quietly(pd.DataFrame({"id": mine}), pd.DataFrame({"id": theirs, "prob": 0.5}), by="id")


def test_long_ids_are_told_apart_also_where_one_is_missing() -> None:
    near = 2**60
    data = pa.table({"id": [near + 1, None, near]})
    coded = pa.table({"id": [near, near + 1, None], "prob": [0.0, 0.1, 0.9]})
    table = quietly(data, coded, by="id")
    assert values(table["prob"]) == [0.1, None, 0.0]
    assert table["id"][0] == near + 1


def test_long_ids_that_have_lost_their_digits_are_an_error() -> None:
    lost = pd.DataFrame({"id": [2.0**60, np.nan]})
    for pair in ((lost, lost.assign(prob=0.5)), (pd.DataFrame({"id": [2**60]}), lost.assign(prob=0.5))):
        with pytest.raises(KeysInvalid, match=r"above 2\^53 as decimal numbers.*Read it again as text"):
            quietly(*pair, by="id")


def test_a_key_that_is_not_there_is_an_error_with_the_columns_that_are() -> None:
    with pytest.raises(KeysInvalid, match=r"`data` has no column \"image\" \(it has: post, votes\).*by=\{"):
        quietly(posts(), predictions())
    with pytest.raises(KeysInvalid, match=r"`predictions` has no column \"id\""):
        quietly(posts(), predictions(), by={"post": "id"})


def test_a_key_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(KeysInvalid, match='`data` has more than one column "post"'):
        quietly(pd.DataFrame([["a", "b"]], columns=["post", "post"]), predictions(), by="post", how="any")


@pytest.mark.parametrize("by", [[], {}, None])
def test_no_key_is_an_error(by: Any) -> None:
    with pytest.raises(ArgumentInvalid, match="`by` is empty"):
        quietly(posts(), predictions(), by=by)


def test_an_unknown_way_to_sum_up_is_an_error() -> None:
    with pytest.raises(ArgumentInvalid, match=r'`how` is \'sum\'; it must be one of "any", "mean", "max"'):
        quietly(posts(), predictions(), by="post", how="sum")


@pytest.mark.parametrize("wrong", [None, [1, 2], "posts.csv", {"post": ["a"]}])
def test_something_that_is_no_table_is_an_error(wrong: Any) -> None:
    with pytest.raises(ArgumentInvalid, match=r"`data` is a .*; give a data frame"):
        quietly(wrong, predictions(), by="post")


# -- tables of all kinds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [None, "any", "mean", "max"])
def test_empty_tables_give_the_same_columns_and_no_rows_or_nothing_but_missing_values(how: str | None) -> None:
    coded = predictions().query("post != 'a'").drop(columns="image")
    full = quietly(posts(), coded, by="post", how=how)
    for none in (posts().iloc[:0], pd.DataFrame({"post": [], "votes": []})):
        empty = quietly(none, coded, by="post", how=how)
        assert len(empty) == 0
        assert empty.columns.tolist() == full.columns.tolist()
    nothing = quietly(posts(), coded.iloc[:0], by="post", how=how)
    assert nothing.columns.tolist() == full.columns.tolist()
    added = nothing.drop(columns=["post", "votes", "n_images", "n_used"], errors="ignore")
    assert added.isna().all(axis=None)
    if how:
        assert nothing["n_images"].tolist() == [0] * 4


@pytest.mark.parametrize("how", ["any", "mean", "max"])
def test_units_of_which_every_image_failed_are_missing(how: str) -> None:
    failed = predictions().query("post == 'c'")
    table = quietly(posts(), failed, by="post", how=how)
    assert table.filter(regex="^(any|share|prob)_").isna().all(axis=None)
    assert table["n_images"].tolist() == [0, 0, 1, 0]


def test_arrow_in_gives_the_same_numbers_as_pandas_in() -> None:
    data, coded = posts().reset_index(drop=True), predictions()
    arrow = pa.Table.from_pandas(data), with_provenance(pa.Table.from_pandas(coded), PROVENANCE)
    for how in ("any", "mean", "max"):
        from_pandas = quietly(data, coded, by="post", how=how)
        pd.testing.assert_frame_equal(quietly(*arrow, by="post", how=how), from_pandas)
        made = merge_predictions.arrow(*arrow, by="post", how=how)
        assert made.column_names == from_pandas.columns.tolist()
        assert provenance_of(made)["model"] == "efficientnet_lite0"


def test_predictions_with_nothing_but_the_key_add_nothing() -> None:
    table = quietly(posts(), pd.DataFrame({"post": ["a", "b", "c", "d"]}), by="post")
    pd.testing.assert_frame_equal(table, posts())


def test_a_label_that_is_missing_without_an_error_is_an_image_that_does_not_show_it() -> None:
    posts = pd.DataFrame({"post": ["a"]})
    photos = pd.DataFrame({"post": ["a"] * 4, "label": pd.Categorical(["protest", None, None, None]), "error": None})
    merged = merge_predictions(posts, photos, by="post", how="mean")
    assert merged[["share_protest", "n_used"]].to_numpy().tolist() == [[0.25, 4]]
