"""Hidden faces stay hidden, everything else stays as it was, and no original is touched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn import after_soi, colour_profile, encoded, rotated_by_exif, segment
from faces_drawn import FACE, astronaut, head, on_canvas, save_all, small_faces, variants
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import imagesasdata as iad
from imagesasdata import errors
from imagesasdata.faces import purpose
from imagesasdata.faces.chosen import Chosen
from imagesasdata.faces.hide import enlarged, hide, hide_faces, mirror_back
from imagesasdata.faces.people import People


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purpose, "_said", ["A test."])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs with a face, with several, with none, turned by EXIF; with GPS, comments and a colour profile."""
    folder = tmp_path_factory.mktemp("originals")
    exif = Image.Exif()
    exif[0x010F] = "A maker of cameras"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    astronaut().save(folder / "astronaut.jpg", quality=95, exif=exif, comment="secret words", icc_profile=b"profile")
    (folder / "below").mkdir()
    text = PngInfo()
    text.add_text("Author", "secret words")
    crowd = on_canvas(500, 200, 80, *[(x, y) for x in (0, 120, 240, 360) for y in (10, 110)])
    crowd.save(folder / "below" / "crowd.png", pnginfo=text, exif=exif)
    Image.new("RGB", (60, 40), "green").save(folder / "nobody.gif", comment="secret words")
    (folder / "turned.jpeg").write_bytes(rotated_by_exif(astronaut().crop((100, 0, 340, 240)), 6))
    (folder / "broken.jpg").write_bytes(b"no photograph")
    return folder


@pytest.fixture(scope="module", params=["blur", "pixelate", "box"])
def run(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    out = tmp_path_factory.mktemp("copies")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    log = iad.blur_faces(folder, out, method=request.param, progress=False)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return log, out


def test_the_log_has_each_hidden_face_and_each_photograph(run: tuple[pd.DataFrame, Path], folder: Path) -> None:
    log, out = run
    assert list(log) == ["image", "face", "x", "y", "width", "height", "prob", "method", "copy", "error"]
    counts = log.assign(name=[Path(i).name for i in log["image"]]).groupby("name")["face"].count()
    assert counts[["broken.jpg", "crowd.png", "nobody.gif"]].tolist() == [0, 8, 0]
    assert counts[["astronaut.jpg", "turned.jpeg"]].min() >= 1
    copies = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert copies == ["astronaut.jpg", os.path.join("below", "crowd.png"), "nobody.gif.png", "turned.jpeg"]
    assert set(log["copy"].dropna()) == {str(out / name) for name in copies}
    broken = log[log["error"].notna()]
    assert broken["copy"].isna().all() and broken["error"].str.contains("not an image").all()
    assert log.attrs["imagesasdata"]["verb"] == "blur_faces"


def test_no_hidden_face_is_found_again_or_matched(run: tuple[pd.DataFrame, Path], folder: Path) -> None:
    _, out = run
    assert iad.detect_faces(out, threshold=0.5, progress=False)["face"].isna().all()
    known = pd.DataFrame({"image": [str(folder / "astronaut.jpg")], "person": "Eileen Collins"})
    found = iad.recognize_faces(out, known, threshold=0.6, min_prob=0.3, progress=False)
    assert not (found["person"] == "Eileen Collins").any()


def test_no_metadata_is_left(run: tuple[pd.DataFrame, Path], folder: Path) -> None:
    _, out = run
    with Image.open(folder / "astronaut.jpg") as original:
        assert original.getexif().get_ifd(0x8825) and original.info["comment"] == b"secret words"
    for path in out.rglob("*.*"):
        content = path.read_bytes()
        assert b"secret words" not in content and b"A maker" not in content and b"Exif" not in content
        with Image.open(path) as copy:
            copy.load()
            assert not dict(copy.getexif())
            assert set(copy.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_pixels_outside_the_boxes_are_as_they_were(run: tuple[pd.DataFrame, Path], folder: Path) -> None:
    log, out = run
    for name, most in (("astronaut.jpg", 3.0), (os.path.join("below", "crowd.png"), 0.0)):
        with Image.open(folder / name) as original, Image.open(out / name) as copy:
            change = np.abs(np.asarray(original, int) - np.asarray(copy, int)).astype(float)
        outside = np.ones(change.shape[:2], bool)
        for row in log[log["copy"] == str(out / name)].itertuples():
            outside[int(row.y) : int(row.y + row.height), int(row.x) : int(row.x + row.width)] = False
        # A JPEG's blocks of 8 x 8 pixels reach over the border of a box.
        far = outside & (outside if most == 0 else _eroded(outside, 8))
        assert change[far].mean() <= most / 2 and np.quantile(change[far], 0.999) <= 4 * most
        assert change[~outside].mean() > 10


def _eroded(mask: np.ndarray, by: int) -> np.ndarray:
    inner = mask.copy()
    for shift in range(-by, by + 1):
        inner &= np.roll(mask, shift, 0) & np.roll(mask, shift, 1)
    return inner


def test_a_photograph_turned_by_exif_is_written_upright(run: tuple[pd.DataFrame, Path]) -> None:
    log, out = run
    row = log[log["copy"] == str(out / "turned.jpeg")].iloc[0]
    assert row["x"] < FACE[0] - 100 and row["y"] < FACE[1]
    assert row["x"] + row["width"] > FACE[2] - 100 and row["y"] + row["height"] > FACE[3]
    with Image.open(out / "turned.jpeg") as copy:
        assert copy.size == (240, 240)


@pytest.mark.parametrize("method", ["blur", "pixelate"])
def test_of_a_hidden_face_only_16_colours_are_left(method: str) -> None:
    """Two pictures with the same 4 x 4 means become the same: nothing else can be brought back."""
    rng = np.random.default_rng(0)
    one = rng.integers(60, 200, (80, 80, 3))
    other = one.copy()
    for y in range(0, 80, 20):
        for x in range(0, 80, 20):
            part = other[y : y + 20, x : x + 20].reshape(-1, 3)
            other[y : y + 20, x : x + 20] = part[rng.permutation(400)].reshape(20, 20, 3)
    hidden = []
    for pixels in (one, other):
        picture = Image.fromarray(pixels.astype(np.uint8))
        hide(picture, np.array([0, 0, 80, 80]), method, 4)
        hidden.append(np.asarray(picture))
    assert (hidden[0] == hidden[1]).all() and not (one == other).all()


# -- whose faces -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("known")
    for number, face in enumerate(small_faces(6)):
        save_all(variants(face)[:2], folder / f"person {number}")
    return iad.enroll_people(folder, purpose="A test.", progress=False)


def test_only_strangers_or_only_some_are_hidden(known: pd.DataFrame, tmp_path: Path) -> None:
    faces = small_faces(8)
    picture = Image.new("RGB", (640, 320), (110, 110, 110))
    picture.paste(faces[0], (0, 0))
    picture.paste(faces[7], (320, 0))  # a stranger
    (path,) = save_all([picture], tmp_path / "photos")
    options: dict[str, Any] = {"known": known, "progress": False, "match_threshold": 0.45}
    strangers = iad.blur_faces([path], tmp_path / "a", people="unknown", **options)
    assert strangers["person"].tolist() == ["unknown"] and strangers["x"][0] > 320
    one = iad.blur_faces([path], tmp_path / "b", people=["person 0"], **options)
    assert one["person"].tolist() == ["person 0"] and one["x"][0] < 320
    assert one.attrs["imagesasdata"]["purpose"] == "A test."
    assert len(iad.blur_faces([path], tmp_path / "c", progress=False)) == 2
    with pytest.raises(errors.ArgumentInvalid, match="names of `known`"):
        iad.blur_faces([path], tmp_path / "d", people=["nobody"], **options)
    with pytest.raises(errors.ArgumentInvalid, match="`known` is missing"):
        iad.blur_faces([path], tmp_path / "d", people="unknown", progress=False)


def test_who_is_recognised_is_hidden_and_only_who_is_known_for_sure_is_left(tmp_path: Path) -> None:
    """A face that lies between those of two people is hidden as each of them, and as nobody's."""
    places = np.zeros((4, 128))
    places[:, 0] = 0, 0.7, 0.55, -0.55  # A, B, one 0.55 from A and 0.15 from B, and one 0.55 from A and far from B
    known = People(["A", "B"], np.array([0, 1]), places[:2])
    faces = places[[0, 2, 3]]
    assert Chosen(["A"], known, "auto")(faces)[0].tolist() == [True, False, True]
    assert Chosen(["A"], known, "auto")(faces)[1].tolist() == [0, 1, 0]
    assert Chosen("unknown", known, "auto")(faces)[0].tolist() == [False, False, True]
    assert Chosen(["A", "unknown"], known, "auto")(faces)[0].tolist() == [True, False, True]
    given = Chosen(["A"], known, 0.5)
    assert given(faces)[0].tolist() == [True, False, False] and not given.notes
    assert "up to a distance of 0.50, and hidden as theirs up to 0.60" in Chosen(["A"], known, "auto").notes[0]


def test_who_recognize_faces_knows_is_hidden(known: pd.DataFrame, tmp_path: Path) -> None:
    """Both look at a face with the same landmarks, so that it is as far from everybody for one as for the other."""
    turned = [variants(face)[i] for i in (3, 4) for face in small_faces(6)]
    paths = save_all(turned, tmp_path / "photos")
    seen = iad.recognize_faces(paths, known, threshold=0.6, progress=False)
    for number in range(3):
        limit = float(seen.loc[seen["nearest"] == f"person {number}", "distance"].iloc[0]) + 1e-4
        log = iad.blur_faces(
            paths, tmp_path / str(number), [f"person {number}"], known, match_threshold=limit, progress=False
        )
        again = iad.recognize_faces(log["copy"].unique().tolist(), known, threshold=limit, progress=False)
        assert not (again["person"] == f"person {number}").any()


def test_a_face_beside_one_that_is_hidden_is_found_when_the_search_finds_it_late() -> None:
    """A detector that sees the second face only when the first is gone, as where one suppresses the other."""
    face = np.array([[20.0, 20, 40, 40, 0.9, *[30] * 10]])
    late = np.array([[45.0, 20, 65, 40, 0.75, *[50] * 10]])
    calls: list[float] = []

    def detector(image: Image.Image, min_size: float, threshold: float, stop: Any = None) -> np.ndarray:
        calls.append(threshold)
        if len(calls) % 2 == 0:  # the mirrored one
            return np.empty((0, 15))
        gone = {1: face, 3: late}.get(len(calls), np.empty((0, 15)))
        return gone.copy()

    image = Image.effect_noise((100, 60), 80).convert("RGB")
    before = np.asarray(image).copy()
    rows = hide_faces(image, detector, 15, 0.4, "blur", 0.2, all_of_them)  # type: ignore[arg-type]
    assert rows[:, :4].tolist() == [[16, 16, 44, 44], [41, 16, 69, 44]]
    assert len(calls) == 6  # the search, a look at the whole, a look around the second
    assert not (np.asarray(image)[16:44, 41:69] == before[16:44, 41:69]).all()


def test_a_box_that_never_stops_looking_like_a_face_is_black_at_last() -> None:
    face = np.array([[20.0, 20, 40, 40, 0.9, *[30] * 10]])

    def detector(image: Image.Image, min_size: float, threshold: float, stop: Any = None) -> np.ndarray:
        return face.copy() if image.getpixel((image.width // 2, image.height // 2)) != (0, 0, 0) else face[:0].copy()

    image = Image.effect_noise((60, 60), 80).convert("RGB")
    rows = hide_faces(image, detector, 15, 0.4, "blur", 0.2, all_of_them)  # type: ignore[arg-type]
    assert len(rows) >= 1 and not np.asarray(image)[16:44, 16:44].any()


def all_of_them(image: Image.Image, faces: np.ndarray, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(len(faces), bool), np.zeros(len(faces), int)


# -- colours and metadata ----------------------------------------------------------------------------------------------


def test_colours_that_a_profile_describes_become_srgb(tmp_path: Path) -> None:
    # A profile in which red and green have changed places: what its pixels call red is green.
    swapped = colour_profile().replace(b"rXYZ", b"xxxx").replace(b"gXYZ", b"rXYZ").replace(b"xxxx", b"gXYZ")
    red = Image.new("RGB", (40, 40), (255, 0, 0))
    for name in ("a.png", "b.tif", "c.webp"):
        red.save(tmp_path / name, icc_profile=swapped, lossless=True)
    red.quantize(8).save(tmp_path / "d.png", icc_profile=swapped)
    paths = [str(tmp_path / name) for name in ("a.png", "b.tif", "c.webp", "d.png")]
    for copy in iad.blur_faces(paths, tmp_path / "out", progress=False)["copy"]:
        with Image.open(copy) as image:
            red_now, green_now, _ = image.convert("RGB").getpixel((20, 20))
            assert green_now > 250 > red_now and "icc_profile" not in image.info, copy


def test_nothing_of_a_jpeg_is_left_but_its_pixels(tmp_path: Path) -> None:
    """Not its thumbnail, which shows the face, nor a second picture, nor what follows the end."""
    small = encoded(head(64), "JPEG")
    behind = encoded(head(100), "JPEG", comment=b"secret words")
    head(160).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[head(150)])
    (tmp_path / "b.jpg").write_bytes(
        after_soi(encoded(head(160), "JPEG"), segment(0xE1, b"Exif\0\0" + small)) + b"secret words" + behind
    )
    head(160).convert("CMYK").save(tmp_path / "c.jpg", comment=b"secret words")
    log = iad.blur_faces([str(tmp_path / f"{name}.jpg") for name in "abc"], tmp_path / "out", progress=False)
    assert log["face"].notna().all() and log["error"].isna().all()
    for copy in log["copy"]:
        content = Path(copy).read_bytes()
        assert content.count(b"\xff\xd8\xff") == content.count(b"\xff\xd9") == 1
        assert b"secret words" not in content and b"Exif" not in content and content.endswith(b"\xff\xd9")
        with Image.open(copy) as image:
            assert (image.format, image.mode, getattr(image, "n_frames", 1)) == ("JPEG", "RGB", 1)
    assert iad.detect_faces(tmp_path / "out", progress=False)["face"].isna().all()


# -- where copies go ---------------------------------------------------------------------------------------------------


def test_a_copy_is_never_written_over_a_photograph(folder: Path, tmp_path: Path) -> None:
    (path,) = save_all([head(120)], tmp_path / "photos")
    before = Path(path).read_bytes()
    os.symlink(tmp_path / "photos", tmp_path / "link")
    os.makedirs(tmp_path / "out")
    os.symlink(path, tmp_path / "out" / "000.png")
    for out in (tmp_path / "photos", tmp_path / "link", tmp_path / "out"):
        with pytest.raises(errors.ArgumentInvalid, match="would be written over itself"):
            iad.blur_faces([path], out, progress=False, overwrite=True)
    assert Path(path).read_bytes() == before


def test_a_copy_that_is_there_stays_unless_told(tmp_path: Path) -> None:
    (path,) = save_all([head(120)], tmp_path / "photos")
    iad.blur_faces([path], tmp_path / "out", progress=False)
    first = (tmp_path / "out" / "000.png").read_bytes()
    with pytest.raises(errors.ArgumentInvalid, match="There is a file"):
        iad.blur_faces([path], tmp_path / "out", progress=False, method="box")
    iad.blur_faces([path], tmp_path / "out", progress=False, method="box", overwrite=True)
    assert (tmp_path / "out" / "000.png").read_bytes() != first
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["000.png"]


def test_no_two_photographs_have_one_copy(tmp_path: Path) -> None:
    for names, quality in ((("a.gif", "a.gif.png"), 95), (("b.jpg", "b.jpg.png"), "lossless")):
        for name in names:
            head(60).save(tmp_path / name)
        paths = [str(tmp_path / name) for name in names]
        with pytest.raises(errors.ArgumentInvalid, match="would have the same copy"):
            iad.blur_faces(paths, tmp_path / "out", quality=quality, progress=False)
        assert not (tmp_path / "out").exists()
    log = iad.blur_faces([str(tmp_path / "a.gif")] * 2, tmp_path / "out", progress=False)
    assert log["error"].isna().all() and log["copy"].nunique() == 1


def test_no_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    (path,) = save_all([head(120)], tmp_path / "photos" / "a" / "b")
    (other,) = save_all([head(100)], tmp_path / "elsewhere")
    crooked = str(tmp_path / "photos" / "a" / ".." / "a" / "b" / "000.png")
    log = iad.blur_faces([crooked, other], tmp_path / "out", progress=False)
    written = [Path(copy).relative_to(tmp_path / "out") for copy in log["copy"]]
    assert written == [Path("photos/a/b/000.png"), Path("elsewhere/000.png")]
    os.makedirs(tmp_path / "out2")
    os.symlink(tmp_path / "elsewhere", tmp_path / "out2" / "photos")
    log = iad.blur_faces([path, other], tmp_path / "out2", progress=False)
    assert "a link that leads out of the folder" in log["error"][0] and log["copy"].isna()[0]
    assert not [p for p in (tmp_path / "elsewhere").rglob("*") if p.is_file() and p != Path(other)]


def test_lossless_copies_are_pngs(tmp_path: Path) -> None:
    picture = on_canvas(200, 100, 90, (0, 5))
    picture.save(tmp_path / "a.jpg", quality=90)
    log = iad.blur_faces([str(tmp_path / "a.jpg")], tmp_path / "out", quality="lossless", progress=False)
    assert log["copy"].tolist() == [str(tmp_path / "out" / "a.jpg.png")]
    with Image.open(tmp_path / "a.jpg") as one, Image.open(log["copy"][0]) as other:
        assert (np.asarray(one)[:, 150:] == np.asarray(other)[:, 150:]).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "smear"}, "`method` is 'smear'"),
        ({"margin": -1}, "`margin` is -1"),
        ({"quality": 0}, "`quality` is 0"),
        ({"quality": "high"}, "`quality` is 'high'"),
    ],
)
def test_what_cannot_be_is_an_error(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(errors.ArgumentInvalid, match=words):
        iad.blur_faces("a.jpg", tmp_path, progress=False, **options)


# -- boxes -----------------------------------------------------------------------------------------------------------


def test_a_mirrored_face_comes_back_with_left_and_right_in_their_places() -> None:
    face = np.array([[10.0, 5, 30, 25, 0.9, 15, 10, 25, 10, 20, 15, 16, 20, 24, 20]])
    back = mirror_back(face, 100)
    assert back[0].tolist() == [70, 5, 90, 25, 0.9, 75, 10, 85, 10, 80, 15, 76, 20, 84, 20]


def test_a_margin_is_cut_at_the_border() -> None:
    assert enlarged(np.array([[2.5, 10, 22.5, 50]]), 0.25, 100, 55).tolist() == [[0, 0, 28, 55]]
