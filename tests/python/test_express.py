"""Expressions have a row a face or a row a photograph, and seven probabilities that sum to 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from faces_drawn import astronaut, save_all, small_faces
from PIL import Image

import imagesasdata as iad
from imagesasdata import errors
from imagesasdata.faces.align import square_cut

CLASSES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
PROBS = [f"prob_{name}" for name in CLASSES]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A smiling astronaut, nobody, three faces side by side, and a file that is not there."""
    three = Image.new("RGB", (480, 160), (110, 110, 110))
    for i, face in enumerate(small_faces(3)):
        three.paste(face.crop((80, 80, 240, 240)), (160 * i, 0))
    folder = tmp_path_factory.mktemp("expressions")
    return [*save_all([astronaut(), Image.new("RGB", (90, 90)), three], folder), str(folder / "gone.png")]


@pytest.fixture(scope="module")
def faces(given: list[str]) -> pd.DataFrame:
    return iad.score_expressions(given, progress=False)


def test_each_face_has_probabilities_that_sum_to_1(faces: pd.DataFrame, given: list[str]) -> None:
    assert list(faces) == ["image", "face", "x", "y", "width", "height", "prob", "expression", *PROBS, "error"]
    assert faces["image"].tolist() == [given[0], given[1], *[given[2]] * 3, given[3]]
    found = faces[faces["face"].notna()]
    np.testing.assert_allclose(found[PROBS].sum(axis=1), 1)
    assert found["expression"].astype(str).tolist() == [CLASSES[i] for i in found[PROBS].to_numpy().argmax(axis=1)]
    assert faces["expression"].cat.categories.tolist() == CLASSES
    assert faces.loc[faces["face"].isna(), ["expression", *PROBS]].isna().all(axis=None)
    assert faces["error"].iloc[-1] == "file does not exist"


def test_a_smile_is_happiness(faces: pd.DataFrame) -> None:
    assert faces["expression"][0] == "happiness" and faces["prob_happiness"][0] > 0.9


def test_a_photograph_has_the_mean_over_its_faces(faces: pd.DataFrame, given: list[str]) -> None:
    table = iad.score_expressions(given, by="image", progress=False)
    assert list(table) == ["image", "faces", *PROBS, "error"]
    assert table["faces"].tolist()[:3] == [1, 0, 3] and pd.isna(table["faces"][3])
    expected = faces.groupby("image")[PROBS].mean().loc[given]
    np.testing.assert_allclose(table[PROBS].to_numpy(float), expected.to_numpy(float), atol=1e-6)


def test_by_image_is_added_to_a_data_frame(given: list[str]) -> None:
    posts = pd.DataFrame({"photo": given, "likes": [3, 1, 4, 1]}, index=[9, 8, 7, 6])
    table = iad.score_expressions(posts, by="image", image_col="photo", progress=False)
    assert list(table) == ["photo", "likes", "faces", *PROBS, "error"] and table.index.tolist() == [9, 8, 7, 6]


def test_by_what_is_not_known_is_an_error(given: list[str]) -> None:
    with pytest.raises(errors.ArgumentInvalid, match="`by` is 'video'"):
        iad.score_expressions(given, by="video")


def test_the_square_around_a_box_keeps_its_proportions() -> None:
    picture = Image.new("RGB", (100, 60))
    picture.paste((255, 255, 255), (40, 10, 60, 50))
    cut = square_cut(picture, np.array([40.0, 10, 60, 50]), 80)
    assert cut.shape == (80, 80)
    assert cut[40, 40] == 255 and cut[40, 10] == 0 and (cut[1:-1, 22:58] > 250).all()
    assert square_cut(picture, np.array([-20.0, -20, 30, 30]), 10)[0, 0] == 0


def test_nothing_is_said_of_what_people_feel() -> None:
    card = iad.model_card("expression")
    assert "not what a person feels" in card and Path(iad.load_model("expression").path).stat().st_size < 1e6
