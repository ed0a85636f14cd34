"""Known people are recognised and strangers are not; the threshold comes from the references; a purpose is asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from faces_drawn import astronaut, save_all, small_faces, variants
from PIL import Image
from scipy.stats import t as student

import imagesasdata as iad
from imagesasdata import errors
from imagesasdata.faces import align, matching, purpose
from imagesasdata.faces.classifier import Classifier
from imagesasdata.faces.people import DESCRIPTOR, People
from imagesasdata.faces.recognize import matched
from imagesasdata.faces.threshold import as_strangers, choose_threshold

PEOPLE, STRANGERS, REFERENCES = 8, 4, 3


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purpose, "_said", ["A test."])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of references, a folder of test photographs named after who they show, and strangers."""
    folder = tmp_path_factory.mktemp("faces")
    for number, face in enumerate(small_faces(PEOPLE + STRANGERS)):
        name = f"person {number}" if number < PEOPLE else f"stranger {number}"
        several = variants(face)
        if number < PEOPLE:
            save_all(several[:REFERENCES], folder / "people" / name)
        save_all(several[REFERENCES:], folder / "test" / name)
    return folder


@pytest.fixture(scope="module")
def enrolled(folder: Path) -> pd.DataFrame:
    return iad.enroll_people(folder / "people", purpose="A test.", progress=False, out=folder / "known.parquet")


@pytest.fixture(scope="module")
def recognised(folder: Path, enrolled: pd.DataFrame) -> pd.DataFrame:
    found = iad.recognize_faces(folder / "test", enrolled, purpose="A test.", progress=False)
    return found.assign(true=[Path(image).parent.name for image in found["image"]])


# -- enrolment -------------------------------------------------------------------------------------------------------


def test_an_enrolment_has_a_row_a_reference_and_no_photograph(folder: Path, enrolled: pd.DataFrame) -> None:
    assert list(enrolled) == ["person", "image", "x", "y", "width", "height", "prob", "faces", *DESCRIPTOR, "error"]
    assert enrolled["person"].value_counts().to_dict() == {f"person {i}": REFERENCES for i in range(PEOPLE)}
    assert enrolled["error"].isna().all() and (enrolled["faces"] == 1).all()
    kept = pyarrow.parquet.read_table(folder / "known.parquet")
    assert json.loads(kept.schema.metadata[b"imagesasdata"])["purpose"] == "A test."
    assert (folder / "known.parquet").stat().st_size < 1000 * len(kept) + 60_000
    pd.testing.assert_frame_equal(kept.to_pandas()[list(DESCRIPTOR)], enrolled[list(DESCRIPTOR)])


def test_the_largest_face_is_the_reference_and_none_is_an_error(folder: Path, tmp_path: Path) -> None:
    picture = astronaut()
    picture.paste(small_faces(1)[0].resize((120, 120)), (380, 0))
    blank = Image.new("RGB", (100, 100))
    paths = save_all([picture, blank], tmp_path / "photos")
    references = pd.DataFrame({"photo": [*paths, str(tmp_path / "no.png")], "name": "Eileen Collins"})
    with (
        pytest.warns(iad.ImagesAsDataWarning, match="2 of 3 references have no face"),
        pytest.warns(iad.ImagesAsDataWarning, match=r"1 reference\(s\) show several faces.*000.png \(2\)"),
    ):
        table = iad.enroll_people(references, image_col="photo", person_col="name", progress=False)
    assert table["error"].tolist()[1:] == ["no face was found", "file does not exist"]
    assert table["width"][0] == pytest.approx(88, abs=6)
    assert table["faces"].tolist()[:2] == [2, 0] and pd.isna(table["faces"][2])
    people = references.rename(columns={"photo": "image"})
    with pytest.warns(iad.ImagesAsDataWarning, match="show several faces"):
        iad.recognize_faces(paths[:1], people, person_col="name", progress=False)
    assert table.loc[1, list(DESCRIPTOR)].isna().all()


def test_a_file_that_is_there_is_not_written_over(folder: Path, enrolled: pd.DataFrame) -> None:
    with pytest.raises(errors.ArgumentInvalid, match="There is a file"):
        iad.enroll_people(folder / "people", out=folder / "known.parquet")
    with pytest.raises(errors.ArgumentInvalid, match="give a file of its kind"):
        iad.enroll_people(folder / "people", out=folder / "known.pickle")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "nowhere", "is no folder with a folder for each person"),
        (lambda folder: folder / "people" / "person 1", "lies in no person's folder"),
        (lambda folder: pd.DataFrame({"image": ["a.jpg"], "who": ["A"]}), 'no column "person" .it has: image, who'),
        (lambda folder: pd.DataFrame({"image": ["a.jpg"], "person": ["unknown"]}), 'is named "unknown"'),
        (lambda folder: pd.DataFrame({"image": ["a.jpg"], "person": ["A"]}), "No reference has a face"),
        (lambda folder: pd.DataFrame({"image": [], "person": []}), "`people` has no person"),
    ],
)
def test_references_that_cannot_be_used_are_an_error(make: object, words: str, folder: Path) -> None:
    with pytest.raises(errors.PeopleInvalid, match=words):
        iad.enroll_people(make(folder), progress=False)  # type: ignore[operator]


def test_people_of_another_kind_are_an_error() -> None:
    with pytest.raises(errors.ArgumentInvalid, match="`people` is a int"):
        iad.recognize_faces("a.jpg", 3, progress=False)


def test_a_classifier_takes_a_face_for_the_likeliest_person() -> None:
    known = known_people(1, 6, 12)
    rng = np.random.default_rng(2)
    faces = known.descriptors[:60] + rng.normal(0, 0.02, (60, 128))
    classifier = Classifier(known)
    found = matched(faces, known, classifier)
    assert (found.nearest == known.person[:60]).mean() > 0.95
    scores = classifier.scores(faces)
    np.testing.assert_array_equal(found.nearest, scores.argmax(axis=1))
    apart = np.linalg.norm(known.descriptors - faces[0], axis=1)
    assert found.distance[0] == pytest.approx(apart[known.person == found.nearest[0]].mean())
    # Who differs from the others in one number only is told by that number, and not by the noise in the others.
    person = np.repeat([0, 1], 40)
    noisy = rng.normal(0, 0.1, (80, 128))
    noisy[:, 0] = person
    hard = People(["a", "b"], person, noisy)
    new = rng.normal(0, 0.1, (200, 128))
    new[:, 0] = truth = np.tile([0, 1], 100)
    assert (matched(new, hard, Classifier(hard)).nearest == truth).all()


def test_a_classifier_needs_enough_references(folder: Path, enrolled: pd.DataFrame) -> None:
    few = enrolled.groupby("person", observed=True).head(2)
    with pytest.raises(errors.PeopleInvalid, match='5 references each; "person'):
        iad.recognize_faces(folder, few, method="classifier", purpose="A test.", progress=False)


# -- recognition -----------------------------------------------------------------------------------------------------


def test_known_people_are_recognised_and_strangers_are_unknown(recognised: pd.DataFrame) -> None:
    known = recognised[recognised["true"].str.startswith("person")]
    strangers = recognised[recognised["true"].str.startswith("stranger")]
    assert len(known) == PEOPLE * 3 and len(strangers) == STRANGERS * 3
    assert (known["nearest"] == known["true"]).all()
    assert (known["person"] == known["true"]).mean() > 0.8
    assert (strangers["person"] == "unknown").mean() > 0.9


def test_distance_and_margin_are_to_the_nearest_and_second_nearest(
    recognised: pd.DataFrame, enrolled: pd.DataFrame, folder: Path
) -> None:
    row = recognised.iloc[0]
    own = iad.enroll_people(
        pd.DataFrame({"image": [row["image"]], "person": ["somebody"]}), progress=False, purpose="A test."
    )
    numbers = enrolled[list(DESCRIPTOR)].to_numpy(float) - own[list(DESCRIPTOR)].to_numpy(float)
    far = pd.Series(np.sqrt((numbers**2).sum(axis=1))).groupby(enrolled["person"]).mean().sort_values()
    assert (row["nearest"], row["second"]) == tuple(far.index[:2])
    assert row["distance"] == pytest.approx(far.iloc[0], abs=1e-4)
    assert row["margin"] == pytest.approx(far.iloc[1] - far.iloc[0], abs=1e-4)


def test_an_enrolment_a_file_and_the_folder_give_the_same(folder: Path, recognised: pd.DataFrame) -> None:
    for people in (folder / "known.parquet", folder / "people"):
        table = iad.recognize_faces(folder / "test" / "person 0", people, progress=False)
        expected = recognised.query("true == 'person 0'")
        assert table["person"].astype(str).tolist() == expected["person"].astype(str).tolist()
        np.testing.assert_allclose(table["distance"], expected["distance"], atol=1e-5)


def test_the_table_says_what_for_and_how_the_threshold_was_chosen(recognised: pd.DataFrame) -> None:
    made = recognised.attrs["imagesasdata"]
    chosen = made["threshold"]
    assert made["purpose"] == "A test."
    assert made["people"] == {f"person {i}": REFERENCES for i in range(PEOPLE)}
    assert chosen["how"] == "references" and chosen["false_match_rate"] == 0.01
    assert chosen["low"] < chosen["value"] < chosen["high"]
    assert chosen["compared"] == PEOPLE * REFERENCES and 0 <= chosen["accepted"] <= 1
    assert recognised["person"].cat.categories.tolist() == [*made["people"], "unknown"]
    assert ((recognised["distance"] <= chosen["value"]) == (recognised["person"] != "unknown")).all()


def test_a_run_goes_on_with_the_same_references_and_purpose_only(
    folder: Path, enrolled: pd.DataFrame, tmp_path: Path
) -> None:
    photos, out = folder / "test" / "person 0", tmp_path / "out.parquet"
    first = iad.recognize_faces(photos, enrolled, threshold=0.5, out=out, progress=False)
    again = iad.recognize_faces(photos, enrolled, threshold=0.5, out=out, progress=False)
    assert again["person"].tolist() == first["person"].tolist() == ["person 0"] * 3
    corrected = enrolled.assign(person=enrolled["person"].replace({"person 0": "person 1", "person 1": "person 0"}))
    with pytest.raises(errors.RunDiffers, match="people_sha256 was"):
        iad.recognize_faces(photos, corrected, threshold=0.5, out=out, progress=False)
    with pytest.raises(errors.RunDiffers, match=r'purpose was "A test\.", is "Another\."'):
        iad.recognize_faces(photos, enrolled, threshold=0.5, out=out, progress=False, purpose="Another.")
    new = iad.recognize_faces(photos, corrected, threshold=0.5, out=out, progress=False, overwrite=True, purpose="B.")
    assert new["person"].tolist() == ["person 1"] * 3
    assert new.attrs["imagesasdata"]["purpose"] == "B."


def test_references_that_are_missing_are_named(folder: Path, tmp_path: Path) -> None:
    people = pd.DataFrame({"image": ["ann.jpg"], "person": ["Ann"]})
    photos = folder / "test" / "person 0"
    with pytest.raises(errors.PeopleInvalid, match=r'"ann\.jpg": file does not exist'):
        iad.recognize_faces(photos, people, image_dir=tmp_path, progress=False)


def test_photographs_without_faces_keep_their_rows(folder: Path, photographs: Path, enrolled: pd.DataFrame) -> None:
    given = [str(photographs / "coffee.png"), str(folder / "gone.jpg")]
    table = iad.recognize_faces(given, enrolled, progress=False)
    assert table["image"].tolist() == given
    assert table[["face", "person", "distance", "nearest", "second", "margin"]].isna().all(axis=None)
    assert table["error"].tolist()[1] == "file does not exist"


def test_one_person_has_no_second_and_the_usual_threshold_is_said(folder: Path, enrolled: pd.DataFrame) -> None:
    one = enrolled[enrolled["person"] == "person 0"]
    with pytest.warns(iad.ImagesAsDataWarning, match="With 1 people, fewer than 5"):
        table = iad.recognize_faces(folder / "test" / "person 0", one, progress=False)
    assert table["second"].isna().all() and table["margin"].isna().all()
    assert table.attrs["imagesasdata"]["threshold"]["value"] == 0.5
    assert (table["person"] == "person 0").all()


# -- the purpose -----------------------------------------------------------------------------------------------------


def test_a_purpose_is_asked_once_a_session(
    folder: Path, enrolled: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purpose, "_said", [])
    photo = next((folder / "test" / "person 0").iterdir())
    for call in (
        lambda: iad.recognize_faces(photo, enrolled),
        lambda: iad.verify_faces(photo, photo),
        lambda: iad.enroll_people(folder / "people"),
        lambda: iad.cluster_faces(photo),
    ):
        with pytest.raises(errors.PurposeMissing, match="once a session"):
            call()
    with pytest.raises(errors.ArgumentInvalid, match="`purpose` is ' '"):
        iad.verify_faces(photo, photo, purpose=" ")
    first = iad.verify_faces(photo, photo, purpose=" Who spoke where. ", progress=False)
    second = iad.verify_faces(photo, photo, progress=False)
    for table in (first, second):
        assert table.attrs["imagesasdata"]["purpose"] == "Who spoke where."


# -- pairs and clusters ------------------------------------------------------------------------------------------------


def test_pairs_of_the_same_person_are_nearer(folder: Path) -> None:
    first, second = (sorted((folder / "test" / f"person {i}").iterdir()) for i in (0, 1))
    a, b = [first[0], first[0], folder / "gone.png"], [first[1], second[0], second[0]]
    table = iad.verify_faces(list(map(str, a)), list(map(str, b)), progress=False)
    assert table["same"].tolist()[:2] == [True, False]
    assert table["distance"][0] < 0.5 < table["distance"][1]
    assert pd.isna(table["same"][2]) and table["error"].tolist()[2] == "a: file does not exist"
    with pytest.raises(errors.ArgumentInvalid, match="`a` has 1 photographs and `b` 2"):
        iad.verify_faces([str(first[0])], list(map(str, second[:2])), progress=False)


def test_faces_are_grouped_by_person(folder: Path) -> None:
    table = iad.cluster_faces(folder / "people", progress=False)
    assert (table.groupby("image")["face"].count() == 1).all()
    groups = table.assign(person=[Path(i).parent.name for i in table["image"]]).groupby("person")["cluster"].unique()
    assert all(len(g) == 1 for g in groups) and len({g[0] for g in groups}) == PEOPLE
    assert (table["cluster_size"] == REFERENCES).all()
    assert sorted(set(table["cluster"])) == list(range(1, PEOPLE + 1))
    assert iad.cluster_faces([], progress=False).empty


# -- the numbers -------------------------------------------------------------------------------------------------------


def known_people(seed: int, people: int, each: int) -> People:
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 0.05, (people, 128))
    person = np.repeat(np.arange(people), each)
    return People([f"p{i}" for i in range(people)], person, centres[person] + rng.normal(0, 0.02, (len(person), 128)))


def test_matching_many_faces_is_what_a_loop_says() -> None:
    known = known_people(1, 6, 4)
    faces = np.random.default_rng(2).normal(0, 0.06, (5000, 128))
    found = matched(faces, known)
    for i in (0, 17, 4095, 4096, 4999):
        apart = np.linalg.norm(known.descriptors - faces[i], axis=1).reshape(6, 4).mean(axis=1)
        best = np.argsort(apart)
        assert (found.nearest[i], found.second[i]) == (best[0], best[1])
        assert found.distance[i] == pytest.approx(apart[best[0]])
        assert found.margin[i] == pytest.approx(apart[best[1]] - apart[best[0]])


def test_the_threshold_lies_between_the_usual_one_and_what_references_as_strangers_say() -> None:
    known = known_people(3, 7, 3)
    between = np.linalg.norm(known.descriptors[:, None] - known.descriptors, axis=2)
    chosen = choose_threshold("auto", 0.05, known)
    strangers = [min(between[i, known.person == p].mean() for p in range(7) if p != known.person[i]) for i in range(21)]
    np.testing.assert_allclose(as_strangers(known), strangers)
    limit = np.mean(strangers) + student.ppf(0.05, 6) * np.std(strangers, ddof=1) * np.sqrt(8 / 7)
    assert chosen.limit == pytest.approx(limit)
    assert chosen.value == pytest.approx((20 * 0.5 + 7 * limit) / 27)
    assert chosen.low < chosen.value < chosen.high  # type: ignore[operator]
    assert chosen.accepted == sum(s <= chosen.value for s in strangers)
    stricter = choose_threshold("auto", 0.001, known)
    assert stricter.value < chosen.value


def drawn(seed: int, people: int, each: int, strangers: int) -> tuple[People, np.ndarray, np.ndarray]:
    """References, further faces of their people, and faces of strangers, as far apart as those of dlib's network are.

    Within a person 0.4 on the mean, between people 0.7, unequally: some people are alike.
    """
    rng = np.random.default_rng(seed)
    alike = rng.normal(0, 1, (4, 128))[rng.integers(0, 4, people + strangers)]
    centres = 0.036 * (rng.normal(0, 1, (people + strangers, 128)) + 0.5 * alike)
    spread = rng.uniform(0.018, 0.032, people + strangers)

    def faces(who: np.ndarray) -> np.ndarray:
        return centres[who] + spread[who, None] * rng.normal(0, 1, (len(who), 128))

    person = np.repeat(np.arange(people), each)
    known = People([f"p{i}" for i in range(people)], person, faces(person))
    return known, faces(np.arange(people)), faces(np.arange(people, people + strangers))


@pytest.mark.parametrize("people", [4, 5, 6, 8, 11])
@pytest.mark.parametrize("each", [1, 3])
def test_few_people_with_few_references_have_a_steady_threshold(people: int, each: int) -> None:
    accepted, recognised, values = [], [], []
    for seed in range(60):
        known, own, strangers = drawn(seed, people, each, 40)
        value = choose_threshold("auto", 0.01, known).value
        match = matched(own, known)
        values.append(value)
        accepted.append((matched(strangers, known).distance <= value).mean())
        recognised.append(((match.distance <= value) & (match.nearest == np.arange(people))).mean())
    assert np.mean(accepted) <= 0.01
    assert np.mean(recognised) > 0.8
    assert 0.4 < min(values) <= max(values) < 0.6


def test_many_people_have_a_threshold_of_their_own() -> None:
    """Simulated people, twice as far apart as usual: the share of new strangers within the threshold."""
    known = known_people(5, 400, 2)
    wide = People(known.names, known.person, known.descriptors * 2)
    strangers = known_people(6, 2000, 1).descriptors * 2
    chosen = choose_threshold("auto", 0.05, wide)
    assert chosen.value > 0.9
    assert 0.005 < (matched(strangers, wide).distance <= chosen.value).mean() < 0.07


def test_many_references_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    known = known_people(4, 9, 5)
    faces = np.random.default_rng(1).normal(0, 0.06, (70, 128))
    whole = choose_threshold("auto", 0.01, known), matched(faces, known).distance
    largest = []
    apart = matching.distances

    def watched(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        largest.append(len(a) * len(b))
        return apart(a, b)

    monkeypatch.setattr(matching, "CELLS", 200)
    monkeypatch.setattr(matching, "distances", watched)
    assert choose_threshold("auto", 0.01, known).value == pytest.approx(whole[0].value)
    np.testing.assert_allclose(matched(faces, known).distance, whole[1])
    assert max(largest) <= 200
    largest.clear()
    given = choose_threshold(0.5, 0.01, known)
    assert not largest and (given.value, given.compared) == (0.5, 0)


@pytest.mark.parametrize(
    ("threshold", "rate", "words"),
    [("auto", 0.0, "`false_match_rate` is 0.0"), ("auto", True, "is True"), ("low", 0.01, '"auto" or a distance')],
)
def test_a_threshold_that_cannot_be_is_an_error(threshold: float | str, rate: float, words: str) -> None:
    with pytest.raises(errors.ArgumentInvalid, match=words):
        choose_threshold(threshold, rate, known_people(1, 5, 1))


# -- alignment ---------------------------------------------------------------------------------------------------------


def test_landmarks_come_to_lie_where_dlib_has_them() -> None:
    rng = np.random.default_rng(0)
    target = (align.MEAN_FACE + align.PADDING) / (1 + 2 * align.PADDING) * 150
    angle, size, move = 0.4, 3.0, np.array([200, 90])
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = target @ turn.T + move
    z, shift = align.similarity(points, target)
    back = z * (points[:, 0] + 1j * points[:, 1]) + shift
    np.testing.assert_allclose(np.column_stack([back.real, back.imag]), target, atol=1e-9)
    picture = Image.new("RGB", (700, 700))
    for x, y in points:
        picture.paste((255, 255, 255), (int(x) - 6, int(y) - 6, int(x) + 7, int(y) + 7))
    chip = align.aligned(picture, points).mean(axis=2)
    for x, y in target:
        assert chip[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].mean() > 200
    assert chip[int(rng.integers(2, 8)), 75] == 0


def test_landmarks_in_one_place_do_not_stop_a_run() -> None:
    assert align.aligned(Image.new("RGB", (60, 60), "red"), np.full((5, 2), 30.0)).shape == (150, 150, 3)
