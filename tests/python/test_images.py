"""The images that the caller means, in the caller's order, whatever they are given as."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from imagesasdata.errors import ArgumentInvalid, ImageColumnMissing, ImagesNotFound, TableUnreadable
from imagesasdata.images import find_images


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with photographs in it and below it, and much else."""
    folder = tmp_path / "album"
    for name in (
        "b.jpg",
        "a.PNG",
        "Z.jpeg",
        "2019/march/c.webp",
        "2019/d [1].tif",
        "notes.txt",
        "Thumbs.db",
        ".hidden.jpg",
        ".git/e.jpg",
        "__MACOSX/f.jpg",
        "@eaDir/g.jpg",
        ".cache/h.jpg",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


# -- folders, patterns, single paths -----------------------------------------------------------------------------------


def test_a_folder_is_searched_below_and_sorted_and_hidden_files_are_left_out(album: Path) -> None:
    found = find_images(album)
    assert found.names == [
        str(album / name) for name in ("2019/d [1].tif", "2019/march/c.webp", "Z.jpeg", "a.PNG", "b.jpg")
    ]
    assert found.paths == found.names
    assert found.data is None


def test_names_are_as_the_caller_would_write_them(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    assert (
        find_images(".").names
        == find_images("./").names
        == [f"./{n}" for n in find_images("2019").names]
        + [
            "./Z.jpeg",
            "./a.PNG",
            "./b.jpg",
        ]
    )
    monkeypatch.chdir(album.parent)
    found = find_images("2019", image_dir="album")
    assert found.names == ["2019/d [1].tif", "2019/march/c.webp"]
    assert found.paths == ["album/2019/d [1].tif", "album/2019/march/c.webp"]


def test_a_tilde_is_the_home_folder(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(album.parent))
    monkeypatch.setenv("USERPROFILE", str(album.parent))
    here = str(album)
    assert find_images("~/album/2019/march").paths == [f"{here}/2019/march/c.webp"]
    assert find_images(["b.jpg"], image_dir="~/album").paths == [f"{here}/b.jpg"]
    assert find_images("*.jpg", image_dir="~/album").paths == [f"{here}/b.jpg"]
    assert find_images("~/album/*.jpg").paths == [f"{here}/b.jpg"]


def test_a_folder_without_images_is_an_error_that_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ImagesNotFound, match=r"holds no image.*\.jpg"):
        find_images(tmp_path)


def test_a_folder_that_does_not_exist_is_an_error_with_the_working_directory(tmp_path: Path) -> None:
    with pytest.raises(ImagesNotFound, match=r"does not exist \(working directory: "):
        find_images(tmp_path / "photos")


def test_a_pattern_is_expanded_and_sorted(album: Path) -> None:
    assert find_images(f"{album}/*.jpg").names == [f"{album}/b.jpg"]
    assert find_images(f"{album}/**/*.webp").names == [f"{album}/2019/march/c.webp"]
    assert find_images("*.jp*g", image_dir=album).names == ["Z.jpeg", "b.jpg"]
    with pytest.raises(ImagesNotFound, match="matches no file"):
        find_images(f"{album}/*.gif")


def test_a_file_with_brackets_in_its_name_is_itself_and_no_pattern(album: Path) -> None:
    assert find_images(album / "2019" / "d [1].tif").names == [f"{album}/2019/d [1].tif"]


def test_a_missing_photograph_is_a_row_not_an_error(tmp_path: Path) -> None:
    assert find_images(tmp_path / "gone.jpg").paths == [str(tmp_path / "gone.jpg")]


def test_a_file_without_a_suffix_is_taken_at_its_word(tmp_path: Path) -> None:
    (tmp_path / "photo").touch()
    assert len(find_images(tmp_path / "photo")) == 1


# -- lists and columns -------------------------------------------------------------------------------------------------


def test_a_list_keeps_its_order_and_its_duplicates() -> None:
    given = ["b.jpg", "a.jpg", "b.jpg"]
    assert find_images(given).names == given
    assert find_images(given, image_dir="/photos").paths == ["/photos/b.jpg", "/photos/a.jpg", "/photos/b.jpg"]


def test_an_absolute_path_ignores_image_dir() -> None:
    assert find_images(["/a/b.jpg"], image_dir="/photos").paths == ["/a/b.jpg"]


def test_a_web_address_is_kept_as_it_is() -> None:
    assert find_images(["https://example.org/a.jpg"], image_dir="/photos").paths == ["https://example.org/a.jpg"]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, ""], ids=["None", "NaN", "NA", "NaT", "empty"])
def test_a_missing_path_is_a_row_without_a_path(missing: Any) -> None:
    for given in (["a.jpg", missing], pd.Series(["a.jpg", missing], dtype=object)):
        found = find_images(given)
        assert found.names == found.paths == ["a.jpg", None]


@pytest.mark.parametrize(
    "given",
    [
        ["a.jpg", "b.jpg"],
        ("a.jpg", "b.jpg"),
        iter(["a.jpg", "b.jpg"]),
        [Path("a.jpg"), Path("b.jpg")],
        [b"a.jpg", b"b.jpg"],
        np.array(["a.jpg", "b.jpg"]),
        pd.Series(["a.jpg", "b.jpg"], index=[7, 7]),
        pd.Series(["a.jpg", "b.jpg"], dtype="category"),
        pd.Index(["a.jpg", "b.jpg"]),
        pa.array(["a.jpg", "b.jpg"]),
        pa.chunked_array([["a.jpg"], ["b.jpg"]]),
        pa.array(["a.jpg", "b.jpg"]).dictionary_encode(),
    ],
    ids=lambda given: type(given).__name__,
)
def test_all_kinds_of_lists_are_the_same(given: Any) -> None:
    assert find_images(given).names == ["a.jpg", "b.jpg"]


def test_an_empty_list_is_no_image_and_no_error() -> None:
    assert len(find_images([])) == 0


@pytest.mark.parametrize("given", ["", None, 3, True, {"a.jpg": 1}, b"a.jpg"])
def test_something_else_is_an_error_that_says_what_to_give(given: Any) -> None:
    with pytest.raises(ArgumentInvalid, match="give a folder, a list of paths, or a data frame"):
        find_images(given)


@pytest.mark.parametrize(
    "given",
    [[1, 2], [True], [np.zeros((400, 300, 3), np.uint8)], np.zeros((4, 3)), [Image.new("RGB", (2, 2))], [["a.jpg"]]],
    ids=["numbers", "logical", "arrays", "an array", "Pillow images", "lists"],
)
def test_a_list_of_something_else_is_an_error_in_a_line(given: Any) -> None:
    with pytest.raises(ArgumentInvalid, match="every image must be a path") as caught:
        find_images(given)
    assert len(str(caught.value)) < 200


def test_a_name_that_is_not_utf8_is_shown_with_its_bytes_and_opened_as_it_is(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    found = find_images([raw, "half \ud83d.jpg"])
    assert found.names == [f"{tmp_path}/caf\\xe9.jpg", "half \\ud83d.jpg"]
    assert os.fsencode(str(found.paths[0])) == raw


# -- data frames -------------------------------------------------------------------------------------------------------

POSTS = pd.DataFrame({"post": [3, 1, 2], "path": ["c.jpg", None, "a.jpg"]}, index=[9, 9, 4])


class Stream:
    """What polars, DuckDB and others give: nothing but an Arrow stream."""

    def __init__(self, content: pa.Table | pa.ChunkedArray) -> None:
        self.content = content

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.content.__arrow_c_stream__(requested_schema)


def test_a_data_frame_gives_its_column_in_order_and_is_kept() -> None:
    found = find_images(POSTS, image_col="path", image_dir="x")
    assert found.names == ["c.jpg", None, "a.jpg"]
    assert found.paths == ["x/c.jpg", None, "x/a.jpg"]
    assert found.data is POSTS


def test_arrow_and_other_data_frames_give_the_same() -> None:
    table = pa.Table.from_pandas(POSTS, preserve_index=False)
    views = table.set_column(1, "path", table["path"].cast(pa.string_view()))  # as polars has text
    for given in (table, Stream(table), Stream(views)):
        assert find_images(given, image_col="path").names == ["c.jpg", None, "a.jpg"]
    assert find_images(Stream(views["path"])).names == ["c.jpg", None, "a.jpg"]


def test_an_empty_data_frame_is_no_image_and_no_error() -> None:
    for empty in (POSTS.iloc[:0], pd.DataFrame({"path": []}), pa.table({"path": pa.nulls(0)})):
        found = find_images(empty, image_col="path")
        assert len(found) == 0
        assert found.data is empty


def test_a_column_of_nothing_is_rows_without_a_path() -> None:
    for empty in (pd.DataFrame({"path": [np.nan, np.nan]}), pa.table({"path": pa.nulls(2)})):
        assert find_images(empty, image_col="path").paths == [None, None]


def test_columns_without_names_can_be_given_by_number() -> None:
    frame = pd.DataFrame([["x", "a.jpg"]])  # as pandas reads a CSV with header=None
    assert find_images(frame, image_col="1").names == ["a.jpg"]
    assert find_images(frame, image_col=1).names == ["a.jpg"]  # type: ignore[arg-type]


def test_a_data_frame_without_image_col_says_which_columns_there_are() -> None:
    with pytest.raises(ImageColumnMissing, match="image_col= one of post, path"):
        find_images(POSTS)


def test_a_column_that_is_not_there_is_an_error_with_a_guess() -> None:
    with pytest.raises(ImageColumnMissing) as caught:
        find_images(POSTS, image_col="photo")
    assert str(caught.value) == '`data` has no column "photo" (it has: post, path). Pass image_col="path"?'


def test_two_columns_of_one_name_are_an_error() -> None:
    doubled = pd.DataFrame([["a.jpg", "b.jpg"]], columns=["path", "path"])
    with pytest.raises(ImageColumnMissing, match="2 columns named"):
        find_images(doubled, image_col="path")


def test_a_column_of_numbers_is_an_error() -> None:
    with pytest.raises(ArgumentInvalid, match=r"holds 3, a int; every image must be a path"):
        find_images(POSTS, image_col="post")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather", ".dta"])
def test_a_table_file_is_read(tmp_path: Path, suffix: str) -> None:
    write = {".csv": "to_csv", ".parquet": "to_parquet", ".feather": "to_feather", ".dta": "to_stata"}[suffix]
    options = {"index": False} if suffix == ".csv" else {"write_index": False} if suffix == ".dta" else {}
    getattr(POSTS.reset_index(drop=True), write)(tmp_path / f"posts{suffix}", **options)
    found = find_images(tmp_path / f"posts{suffix}", image_col="path")
    assert found.names == ["c.jpg", None, "a.jpg"]
    assert isinstance(found.data, pa.Table)
    assert found.data["post"].to_pylist() == [3, 1, 2]


def test_a_table_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableUnreadable, match=r"posts.csv.*does not exist"):
        find_images(tmp_path / "posts.csv", image_col="path")
