"""Tables keep what they hold on every way out and in; provenance goes along where the format has room for it."""

from __future__ import annotations

import ctypes
import datetime
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.io.stata import StataParser, StataReader

from imagesasdata import tablefiles
from imagesasdata.errors import ColumnExists, ImagesAsDataWarning, TableUnreadable
from imagesasdata.tablefiles import STATA_WORDS, read_table, spreadsheet_safe, write_table
from imagesasdata.tables import (
    export_stream,
    factor_type,
    import_stream,
    provenance_of,
    to_frame,
    to_pandas,
    with_provenance,
)
from imagesasdata.verb import Result, Verb

PROVENANCE = {"verb": "classify_images", "model": "Fotos für 抗议", "preprocessing": {"mean": [0.5, 0.4]}, "seed": None}
CLASSES = ["protest", "no protest", "été"]
FORMATS = [".parquet", ".feather", ".arrow", ".csv", ".dta"]
LONG_ID = 2**60 + 1  # as long as the number of a tweet; floating point cannot tell it from its neighbour


def predictions() -> pa.Table:
    label = pa.DictionaryArray.from_arrays(pa.array([2, None, 0], pa.int16()), pa.array(CLASSES))
    table = pa.table(
        {
            "image": pa.array(["a b.jpg", "抗议.jpg", "=1+1.jpg"]),
            "label": label,
            "prob": pa.array([0.1 + 0.2, None, 1e-30]),
            "rank": pa.array([1, None, 3], pa.int32()),
            "crowd": pa.array([True, None, False]),
            "error": pa.array([None, "truncated JPEG", None], pa.string()),
        }
    )
    return with_provenance(table, PROVENANCE)


# -- provenance, pandas ------------------------------------------------------------------------------------------------


def test_provenance_is_in_the_schema_and_in_attrs() -> None:
    table = predictions()
    assert provenance_of(table) == to_pandas(table).attrs["imagesasdata"] == PROVENANCE
    assert provenance_of(pa.table({"a": [1]})) == {}
    assert to_pandas(pa.table({"a": [1]})).attrs == {}


def test_provenance_leaves_other_metadata_alone() -> None:
    table = pa.table({"a": [1]}).replace_schema_metadata({"author": "me"})
    assert with_provenance(table, PROVENANCE).schema.metadata[b"author"] == b"me"


def test_factors_whole_and_logical_numbers_keep_their_kind_in_pandas() -> None:
    frame = to_pandas(predictions())
    assert frame["label"].cat.categories.tolist() == CLASSES
    assert frame["label"].isna().tolist() == [False, True, False]
    assert [str(frame[name].dtype) for name in ("label", "prob", "rank", "crowd")] == [
        "category",
        "float64",
        "Int32",
        "boolean",
    ]
    assert frame["error"].isna().tolist() == [True, False, True]


def test_a_factor_has_room_for_its_classes() -> None:
    assert factor_type(["a"] * 1000).index_type == pa.int16()
    assert factor_type(["a"] * 40_000).index_type == pa.int32()


def test_long_ids_stay_whole_where_one_is_missing() -> None:
    table = pa.table({"id": [LONG_ID, None], "votes": [1, 2], "coded": [True, None], "share": [0.5, None]})
    frame = to_frame(table)
    assert frame["id"][0] == LONG_ID
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "int64", "boolean", "float64"]


# -- added to the caller's data ----------------------------------------------------------------------------------------


def added(data: Any, **options: Any) -> Result:
    return Result(predictions(), data, **options)


def test_the_callers_columns_and_index_are_as_they_were() -> None:
    data = pd.DataFrame(
        {
            "path": ["x", None, "y"],
            "side": pd.Categorical(["left", "right", None], ["right", "left"], ordered=True),
            "day": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "votes": pd.array([1, None, 3], "Int64"),
            "coded": [True, False, True],
        },
        index=pd.Index([7, 7, 3], name="post"),
    )
    data.attrs["source"] = "archive"
    before = data.copy(deep=True)
    frame = added(data).to_pandas()
    pd.testing.assert_frame_equal(frame[data.columns.tolist()], before)
    assert frame.columns.tolist() == [*data.columns, "label", "prob", "rank", "crowd", "error"]
    assert frame.attrs == {"source": "archive", "imagesasdata": PROVENANCE}
    pd.testing.assert_frame_equal(data, before)
    assert data.attrs == {"source": "archive"}


def test_an_index_of_several_levels_is_kept() -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["party", "year"])
    assert added(pd.DataFrame({"x": [1, 2, 3]}, index=index)).to_pandas().index.equals(index)


@pytest.mark.parametrize("kind", [pd.DataFrame, pa.table])
def test_a_column_that_is_there_already_is_an_error_and_never_overwritten(kind: Any) -> None:
    result = added(kind({"label": ["protest"] * 3, "error": ["", "", ""], "x": [1, 2, 3]}))
    for make in (result.to_pandas, result.to_arrow):
        with pytest.raises(ColumnExists, match=r"already has the column\(s\) label, error"):
            make()


def test_the_callers_path_column_stands_for_image_and_another_image_column_is_kept_when_asked() -> None:
    data = pd.DataFrame({"post": [1, 2, 3]})
    assert "image" not in added(data).to_pandas()
    assert added(data, keep_image=True).to_pandas()["image"].tolist() == predictions()["image"].to_pylist()
    assert "image" in added(data, keep_image=True).to_arrow().column_names


def test_arrow_and_pandas_say_the_same() -> None:
    data = pd.DataFrame({"post": [LONG_ID, 2, 3], "text": ["a", None, "c"]})
    as_arrow = added(data).to_arrow()
    assert as_arrow.column_names == added(data).to_pandas().columns.tolist()
    assert as_arrow["post"].to_pylist() == data["post"].tolist()
    assert provenance_of(as_arrow) == PROVENANCE
    from_arrow = added(pa.Table.from_pandas(data)).to_pandas()
    pd.testing.assert_frame_equal(from_arrow, added(data).to_pandas())


def test_an_empty_data_frame_gets_its_columns() -> None:
    none = Result(predictions().slice(0, 0), pd.DataFrame({"path": []}))
    assert none.to_pandas().columns.tolist() == none.to_arrow().column_names
    assert none.to_pandas()["label"].cat.categories.tolist() == CLASSES


def test_notes_are_warnings_in_python_and_provenance_in_arrow() -> None:
    @Verb
    def count(n: int = 1) -> Result:
        """Count."""
        return Result(pa.table({"n": [n]}), notes=("Mind the gap.",) if n else ())

    with pytest.warns(ImagesAsDataWarning, match="Mind the gap") as caught:
        assert count(2)["n"].tolist() == [2]
    assert caught[0].filename == __file__
    assert provenance_of(count.arrow(2)) == {"notes": ["Mind the gap."]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        count(0)
    assert provenance_of(count.arrow(0)) == {}
    assert (repr(count), count.__doc__) == ("<verb count>", "Count.")


# -- written and read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow"])
def test_parquet_and_feather_keep_everything(tmp_path: Path, suffix: str) -> None:
    write_table(predictions(), tmp_path / f"p{suffix}")
    table = read_table(tmp_path / f"p{suffix}")
    assert provenance_of(table) == PROVENANCE
    pd.testing.assert_frame_equal(to_pandas(table), to_pandas(predictions()))


@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_text_and_numbers_survive_every_format(tmp_path: Path, suffix: str) -> None:
    write_table(predictions(), tmp_path / f"p{suffix}")
    frame = to_frame(read_table(tmp_path / f"p{suffix}"))
    formula = "'=1+1.jpg" if suffix == ".csv" else "=1+1.jpg"
    assert frame["image"].tolist() == ["a b.jpg", "抗议.jpg", formula]
    assert frame["label"].astype(object).where(frame["label"].notna(), None).tolist() == ["été", None, "protest"]
    # pandas 2 reads the last digit of a number in CSV now and then differently.
    assert frame["prob"].to_numpy() == pytest.approx([0.1 + 0.2, np.nan, 1e-30], rel=1e-15, abs=0, nan_ok=True)
    assert frame["rank"].astype("Int64").tolist() == [1, pd.NA, 3]
    assert frame["crowd"].astype("boolean").tolist() == [True, pd.NA, False]
    missing = [True, False, True] if suffix != ".dta" else [False] * 3
    assert frame["error"].isna().tolist() == missing  # Stata has "" for missing text
    assert frame["error"][1] == "truncated JPEG"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_table_without_rows_is_written_with_its_columns(tmp_path: Path, suffix: str) -> None:
    write_table(predictions().slice(0, 0), tmp_path / f"p{suffix}")
    assert read_table(tmp_path / f"p{suffix}").column_names == predictions().column_names


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".csv"])
def test_long_ids_survive_also_where_one_is_missing(tmp_path: Path, suffix: str) -> None:
    write_table(pa.table({"id": [LONG_ID, None, LONG_ID + 1], "x": ["a", "b", "c"]}), tmp_path / f"t{suffix}")
    assert read_table(tmp_path / f"t{suffix}")["id"].to_pylist() == [LONG_ID, None, LONG_ID + 1]


@pytest.mark.parametrize("suffix", FORMATS)
def test_text_of_the_newest_kind_can_be_written(tmp_path: Path, suffix: str) -> None:
    table = pa.table({"text": pa.array(["=x", "b"], pa.string_view())})  # as polars has it
    write_table(table, tmp_path / f"t{suffix}")
    assert read_table(tmp_path / f"t{suffix}")["text"].to_pylist() == ["'=x" if suffix == ".csv" else "=x", "b"]


def test_the_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    write_table(predictions(), tmp_path / "p.CSV")
    assert read_table(tmp_path / "p.CSV").num_rows == 3


# -- CSV ---------------------------------------------------------------------------------------------------------------


def test_cells_and_names_that_a_spreadsheet_would_run_get_an_apostrophe() -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "ok", None, "a=b", ""]
    table = spreadsheet_safe(pa.table({"=cmd": cells, "number": [-1.5] * 10}))
    assert table.column_names == ["'=cmd", "number"]
    assert table["'=cmd"].to_pylist() == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", "ok", None, "a=b", ""]
    assert table["number"].to_pylist() == [-1.5] * 10
    factor = spreadsheet_safe(pa.table({"label": pa.array(["=x", "y"]).dictionary_encode()}))
    assert factor["label"].to_pylist() == ["'=x", "y"]


def csv(tmp_path: Path, content: bytes) -> pa.Table:
    (tmp_path / "t.csv").write_bytes(content)
    return read_table(tmp_path / "t.csv")


def test_posts_with_line_breaks_quotes_and_commas_are_one_cell_each(tmp_path: Path) -> None:
    table = csv(tmp_path, b'id,text,path\n1,"We said: ""no"",\nand left",a.jpg\n2,,b.jpg\n')
    assert table.to_pydict() == {"id": [1, 2], "text": ['We said: "no",\nand left', None], "path": ["a.jpg", "b.jpg"]}


@pytest.mark.parametrize(
    "content",
    [
        b"id,share,path\n1,0.5,caf\xc3\xa9.jpg\n",
        b"\xef\xbb\xbfid,share,path\r\n1,0.5,caf\xc3\xa9.jpg\r\n",
        b"id;share;path\r\n1;0,5;caf\xc3\xa9.jpg\r\n",
    ],
    ids=["plain", "Excel, UTF-8", "Excel where the comma is the decimal mark"],
)
def test_csv_as_spreadsheets_write_it_is_read(tmp_path: Path, content: bytes) -> None:
    assert csv(tmp_path, content).to_pydict() == {"id": [1], "share": [0.5], "path": ["café.jpg"]}


def test_a_long_column_of_numbers_with_one_word_is_read_as_text(tmp_path: Path) -> None:
    table = csv(tmp_path, b"id,path\n" + b"1,a.jpg\n" * 300_000 + b"unknown,b.jpg\n")
    assert table.num_rows == 300_001
    assert table["id"][0].as_py() == "1"


def test_csv_that_is_not_utf8_is_an_error_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(TableUnreadable, match=r'is not UTF-8 text\. In Excel, save it as "CSV UTF-8"'):
        csv(tmp_path, "id,path\n1,café.jpg\n".encode("latin-1"))


# -- Stata -------------------------------------------------------------------------------------------------------------


def stata(tmp_path: Path, columns: dict[str, Any]) -> dict[str, list[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_table(pa.table(columns), tmp_path / "t.dta")
    return dict(pd.read_stata(tmp_path / "t.dta").to_dict("list"))


def test_stata_gets_short_names_and_the_whole_name_as_label(tmp_path: Path) -> None:
    names = ["prob_a very long name of a class, 1", "prob_a very long name of a class, 2", "1st", "long", "str5", "été"]
    got = stata(tmp_path, {name: [float(i)] for i, name in enumerate(names)})
    assert list(got) == [
        "prob_a_very_long_name_of_a_class",
        "prob_a_very_long_name_of_a_cla_2",
        "_1st",
        "_long",
        "_str5",
        "_t_",
    ]
    with StataReader(tmp_path / "t.dta") as reader:
        assert list(reader.variable_labels().values()) == names


def test_stata_words_are_those_that_pandas_would_rename() -> None:
    assert {word for word in StataParser().RESERVED_WORDS if not STATA_WORDS.fullmatch(word)} <= {"str#"}
    assert not STATA_WORDS.fullmatch("longitude")


def test_stata_gets_long_ids_as_text_and_short_ones_as_numbers(tmp_path: Path) -> None:
    got = stata(tmp_path, {"id": [LONG_ID, None], "votes": [2**53, None], "small": [1, 2]})
    assert got["id"] == [str(LONG_ID), ""]
    assert got["votes"][0] == 2**53
    assert got["small"] == [1, 2]


def test_stata_gets_days_and_times(tmp_path: Path) -> None:
    noon = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)
    got = stata(
        tmp_path, {"day": [noon.date(), None], "time": pa.array([noon, None], pa.timestamp("us", "Europe/Rome"))}
    )
    assert got["day"][0] == pd.Timestamp("2020-01-01")
    assert got["time"][0] == pd.Timestamp("2020-01-01 12:00")
    assert pd.isna(got["day"][1])


def test_stata_gets_long_text_whole(tmp_path: Path) -> None:
    post = "é" * 3000
    assert stata(tmp_path, {"text": [post, None], "short": ["a", "b"]})["text"] == [post, ""]


def test_stata_files_with_doubled_value_labels_are_read_as_numbers(tmp_path: Path) -> None:
    data = pd.DataFrame({"path": ["a.jpg", "b.jpg", "c.jpg"], "why": [1, 8, 9]})
    labels = {"why": {1: "yes", 8: "don't know", 9: "don't know"}}
    data.to_stata(tmp_path / "t.dta", write_index=False, value_labels=labels, version=118)
    assert read_table(tmp_path / "t.dta")["why"].to_pylist() == [1, 8, 9]


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_write_that_fails_leaves_the_old_file_and_no_part_of_a_new_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    path.write_bytes(b"the old one")

    def fail(target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", lambda self, target: fail(target))
        with pytest.raises(TableUnreadable, match="cannot be written: the disk is full"):
            write_table(predictions(), path)
    assert path.read_bytes() == b"the old one"
    assert os.listdir(tmp_path) == [path.name]


def test_the_file_is_written_under_another_name_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "p.csv", []
    write = tablefiles.pa.csv.write_csv

    def watched(table: pa.Table, target: Path) -> None:
        write(table, target)
        seen.append((Path(target).name, path.exists()))

    monkeypatch.setattr(tablefiles.pa.csv, "write_csv", watched)
    write_table(predictions(), path)
    assert seen == [(f".p.csv.{os.getpid()}.part", False)]
    assert os.listdir(tmp_path) == ["p.csv"]


@pytest.mark.parametrize("suffix", [".csv", ".dta"])
def test_a_column_that_the_format_cannot_hold_is_an_error_that_names_one_that_can(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(TableUnreadable, match=rf"\{suffix} cannot hold one of the columns.*(?s:.)*Parquet can"):
        write_table(pa.table({"tags": [["a"], ["b", "c"]]}), tmp_path / f"t{suffix}")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_folder_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(TableUnreadable, match=f"there is no folder {tmp_path}/results"):
        write_table(predictions(), tmp_path / "results" / f"p{suffix}")


@pytest.mark.parametrize("name", ["p.xlsx", "p", "p.csv.gz"])
def test_an_unknown_suffix_is_an_error_with_those_that_are_known(tmp_path: Path, name: str) -> None:
    for act in (lambda path: write_table(predictions(), path), read_table):
        with pytest.raises(TableUnreadable, match=r"\.arrow, \.csv, \.dta, \.feather, \.parquet"):
            act(tmp_path / name)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_missing_or_something_else_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    with pytest.raises(TableUnreadable, match="does not exist"):
        read_table(path)
    path.write_bytes(b"" if suffix == ".csv" else b"\x00\x01something else")
    with pytest.raises(TableUnreadable, match=f"cannot be read as {suffix[1:]}"):
        read_table(path)


# -- to R --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [0, 3])
def test_a_stream_carries_rows_factors_and_provenance(rows: int) -> None:
    stream = ctypes.create_string_buffer(5 * ctypes.sizeof(ctypes.c_void_p))  # struct ArrowArrayStream
    address = ctypes.addressof(stream)
    sent = pa.concat_tables([predictions().slice(0, 1), predictions().slice(1, 2)]).slice(0, rows)
    export_stream(sent, address)
    got = import_stream(address)
    assert got.num_rows == rows
    assert provenance_of(got) == PROVENANCE
    assert got.to_pydict() == predictions().slice(0, rows).to_pydict()
    assert got["label"].num_chunks == 1
    assert got["label"].chunk(0).dictionary.to_pylist() == CLASSES


def test_a_csv_with_longer_rows_than_its_header_is_never_shifted(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,photo\n1,a.jpg,\n2,b.jpg,\n")
    assert read_table(tmp_path / "t.csv").to_pydict() == {"id": [1, 2], "photo": ["a.jpg", "b.jpg"]}
    (tmp_path / "t.csv").write_text("id,photo\n1,a.jpg,more\n2,b.jpg,more\n")
    with pytest.raises(TableUnreadable, match="more cells than its header"):
        read_table(tmp_path / "t.csv")


def test_a_csv_with_semicolons_may_have_commas_in_its_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id;text;share\n1;one, two, three;0,5\n2;four;1\n")
    assert read_table(tmp_path / "t.csv").to_pydict() == {
        "id": [1, 2],
        "text": ["one, two, three", "four"],
        "share": [0.5, 1.0],
    }
