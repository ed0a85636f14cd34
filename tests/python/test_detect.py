"""Faces are found wherever they are, in pixels of the upright photograph, and no photograph loses its row."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn import cat, rotated_by_exif
from faces_drawn import FACE, astronaut, head, on_canvas, small_faces
from oddities import write_odd_files
from PIL import Image, ImageDraw

import imagesasdata as iad
from imagesasdata import errors
from imagesasdata.decode import Limits
from imagesasdata.faces import pyramid
from imagesasdata.faces.boxes import kept, overlap, squared
from imagesasdata.faces.detect import LANDMARKS
from imagesasdata.faces.detector import Detector
from imagesasdata.registry import model_path


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(model_path("mtcnn"), "cpu")


def save(image: Image.Image, path: Path) -> str:
    image.save(path)
    return str(path)


def found(*paths: str, **options: object) -> pd.DataFrame:
    return iad.detect_faces(list(paths), progress=False, device="cpu", **options)


def test_a_face_is_found_with_its_landmarks_inside(tmp_path: Path) -> None:
    table = found(save(astronaut(), tmp_path / "a.png"))
    assert list(table) == ["image", "face", "x", "y", "width", "height", "prob", *LANDMARKS, "error"]
    (row,) = table.to_dict("records")
    box = np.array([[row["x"], row["y"], row["x"] + row["width"], row["y"] + row["height"]]])
    assert overlap(box, np.array([FACE], float))[0, 0] > 0.8
    assert row["prob"] > 0.99
    assert row["left_eye_x"] < row["nose_x"] < row["right_eye_x"]
    assert row["left_eye_y"] < row["nose_y"] < row["mouth_left_y"]
    points = np.array([row[name] for name in LANDMARKS]).reshape(5, 2)
    assert (points > box[0, :2]).all() and (points < box[0, 2:]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_in_pixels_of_the_upright_photograph(orientation: int, tmp_path: Path) -> None:
    upright = astronaut().crop((0, 0, 512, 300))
    (tmp_path / "turned.jpg").write_bytes(rotated_by_exif(upright, orientation))
    row = found(str(tmp_path / "turned.jpg"), min_size=40).iloc[0]
    box = np.array([[row["x"], row["y"], row["x"] + row["width"], row["y"] + row["height"]]])
    assert overlap(box, np.array([FACE], float))[0, 0] > 0.7


def test_a_photograph_without_a_face_and_a_drawing_have_one_row(photographs: Path, tmp_path: Path) -> None:
    drawing = Image.new("RGB", (200, 160), "white")
    pen = ImageDraw.Draw(drawing)
    pen.rectangle((30, 40, 90, 120), outline="black", width=3)
    pen.line((100, 20, 180, 140), fill="red", width=4)
    tiny = save(Image.new("RGB", (1, 1)), tmp_path / "one pixel.png")
    thin = save(Image.new("RGB", (1, 900), "white"), tmp_path / "thin.png")
    given = [str(photographs / "coffee.png"), save(drawing, tmp_path / "d.png"), tiny, thin]
    table = found(*given)
    assert table["image"].tolist() == given
    assert table.drop(columns="image").isna().all(axis=None)


@pytest.mark.parametrize("place", [(-40, 40), (40, -45), (120, 60), (40, 130)], ids=["left", "top", "right", "bottom"])
def test_a_face_half_outside_is_found_and_its_box_ends_at_the_border(place: tuple[int, int], tmp_path: Path) -> None:
    row = found(save(on_canvas(200, 200, 120, place), tmp_path / "a.png")).iloc[0]
    assert row["prob"] > 0.8
    assert row["x"] >= 0 and row["y"] >= 0
    assert row["x"] + row["width"] <= 200 and row["y"] + row["height"] <= 200
    edges = [row["x"], row["y"], 200 - row["x"] - row["width"], 200 - row["y"] - row["height"]]
    assert min(edges) == pytest.approx(0, abs=1e-3)


def test_a_face_that_fills_the_photograph_is_found(tmp_path: Path) -> None:
    assert found(save(astronaut().crop(FACE), tmp_path / "a.png"))["prob"].iloc[0] > 0.8


def test_200_faces_in_one_picture_are_200_rows(tmp_path: Path) -> None:
    places = [(40 * i, 40 * j) for i in range(20) for j in range(10)]
    table = found(save(on_canvas(800, 400, 40, *places), tmp_path / "crowd.png"))
    assert table["face"].tolist() == list(range(1, 201))
    assert (table["prob"].diff().dropna() <= 0).all()
    middles = table["x"] + table["width"] / 2, table["y"] + table["height"] / 2
    assert len({(int(x // 40), int(y // 40)) for x, y in zip(*middles, strict=True)}) == 200


@pytest.mark.parametrize(("side", "least"), [(16, 30), (20, 37), (32, 37)])
def test_faces_smaller_than_the_windows_of_the_networks_are_found(detector: Detector, side: int, least: int) -> None:
    """Of 40; were pixels made squares when windows grow to 24 and 48 pixels, 23, 32 and 39 would be."""
    picture = cat().resize((400, 200))
    for number, face in enumerate(small_faces(40)):
        only = face.crop((80, 80, 240, 240)).resize((side, side), Image.Resampling.LANCZOS)
        picture.paste(only, (number % 10 * 40 + 6, number // 10 * 50 + 8))
    faces = detector(picture, min_size=12, threshold=0.8)
    middles = (faces[:, :2] + faces[:, 2:4]) / 2
    places = {(int(x // 40), int(y // 50)) for x, y in middles if x % 40 < 6 + side and y % 50 < 8 + side}
    assert least <= len(places) == len(faces)


def test_min_size_leaves_smaller_faces_out_and_threshold_the_less_probable(tmp_path: Path) -> None:
    picture = on_canvas(400, 260, 240, (0, 10))
    picture.paste(head(60), (300, 100))
    path = save(picture, tmp_path / "two.png")
    assert len(found(path)) == 2
    large = found(path, min_size=60)
    assert len(large) == 1 and large["width"].iloc[0] > 80
    better, worse = found(path)["prob"]
    assert better > worse
    assert found(path, threshold=(better + worse) / 2)["prob"].tolist() == [better]


def test_every_broken_file_has_its_row(tmp_path: Path) -> None:
    told = write_odd_files(tmp_path)
    table = found(*[str(tmp_path / name) for name in told], min_size=60)
    assert list(dict.fromkeys(table["image"])) == [str(tmp_path / name) for name in told]
    errors_found = table.drop_duplicates("image")["error"].fillna("").tolist()
    assert errors_found == [error or "" for error in told.values()]


def test_large_photographs_are_searched_in_tiles_and_nothing_is_lost(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [(x, y) for x in range(0, 700, 50) for y in range(0, 300, 50)]
    picture = on_canvas(700, 300, 50, *places)
    whole = detector(picture)
    monkeypatch.setattr(pyramid, "TILE", 96)
    tiled = detector(picture)
    assert len(whole) == len(places)
    np.testing.assert_allclose(whole[:, :4].sum(axis=0), tiled[:, :4].sum(axis=0), rtol=0.01)
    assert max(tile.shape[1] * tile.shape[2] for _, _, tile in pyramid.Pyramid(picture).tiles(0.6)) <= 96 * 96


def test_a_huge_photograph_takes_bounded_memory(detector: Detector) -> None:
    shape = (9000, 6000)
    sizes = [
        tile.nbytes for scale in (0.6, 0.3) for _, _, tile in pyramid.Pyramid(Image.new("RGB", shape)).tiles(scale)
    ]
    assert max(sizes) <= 3 * 4 * pyramid.TILE**2
    picture = Image.new("RGB", shape, (90, 100, 110))
    picture.paste(head(2000), (3000, 5000))
    (face,) = detector(picture, min_size=300)
    assert 700 < face[2] - face[0] < 1300


def test_results_do_not_depend_on_the_batch_or_on_parts(photographs: Path, tmp_path: Path) -> None:
    crowd = save(on_canvas(300, 100, 60, (0, 0), (100, 0), (200, 20)), tmp_path / "crowd.png")
    given = [crowd, str(tmp_path / "no.jpg"), str(photographs / "coffee.png"), crowd]
    one, many = (found(*given, batch_size=size) for size in (1, 4))
    pd.testing.assert_frame_equal(one, many)
    kept_run = found(*given, out=tmp_path / "faces.parquet")
    pd.testing.assert_frame_equal(one, kept_run)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "faces.parquet")[["image", "x"]], one[["image", "x"]])
    (tmp_path / "no.jpg").write_bytes(Path(crowd).read_bytes())
    again = found(*given, out=tmp_path / "faces.parquet", retry_failed=True)
    assert again["image"].value_counts().to_dict() == {crowd: 6, given[1]: 3, given[2]: 1}


def test_the_table_says_what_made_it(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    path = save(astronaut(), tmp_path / "a.png")
    table = iad.detect_faces([path], min_size=30, progress=lambda done, total, text: calls.append((done, total)))
    made = table.attrs["imagesasdata"]
    assert (made["verb"], made["model"], made["min_size"], made["threshold"]) == ("detect_faces", "mtcnn", 30, 0.8)
    assert calls[0] == (0, 1) and calls[-1] == (1, 1)
    assert found().empty and list(found()) == list(table)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_size": 5}, "`min_size` is 5; it must be a number of pixels, 10 or more"),
        ({"min_size": True}, "`min_size` is True"),
        ({"threshold": 0}, "`threshold` is 0; it must be a number above 0"),
        ({"threshold": "high"}, "`threshold` is 'high'"),
    ],
)
def test_a_search_that_cannot_be_is_an_error(options: dict[str, object], words: str) -> None:
    with pytest.raises(errors.ArgumentInvalid, match=words):
        found("a.jpg", **options)


def test_a_photograph_above_the_limit_is_a_row_with_an_error(tmp_path: Path) -> None:
    path = save(astronaut(), tmp_path / "a.png")
    assert "above the limit" in found(path, max_pixels=1000)["error"].iloc[0]
    with pytest.raises(errors.ImageFailed):
        found(path, max_pixels=1000, on_error="stop")
    assert dataclasses.asdict(Limits())["max_pixels"] == 100_000_000


# -- boxes -----------------------------------------------------------------------------------------------------------


def test_of_boxes_that_overlap_the_better_one_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [2, 2, 5, 5]], float)
    scores = np.array([0.8, 0.9, 0.5, 0.7])
    # 9 of 11 columns are shared: 0.82 of what both cover. The small one lies wholly inside.
    assert kept(boxes, scores, 0.8).tolist() == [1, 3, 2]
    assert kept(boxes, scores, 0.85).tolist() == [1, 0, 3, 2]
    assert kept(boxes, scores, 0.8, of_smaller=True).tolist() == [1, 2]
    assert kept(np.empty((0, 4)), np.empty(0), 0.5).tolist() == []


def test_a_box_is_made_square_around_its_middle() -> None:
    assert squared(np.array([[10.0, 10, 20, 30]])).tolist() == [[5, 10, 25, 30]]
