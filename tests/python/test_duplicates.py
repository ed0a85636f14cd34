"""Near-duplicates: copies are found however they were changed, and different photographs are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

import imagesasdata as iad
from imagesasdata.duplicates import Pairs, difference_hash
from imagesasdata.errors import ArgumentInvalid


def resized(image: Image.Image) -> Image.Image:
    return image.resize((image.width * 6 // 10, image.height * 6 // 10))


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((0, 0, round(image.width * 0.95), round(image.height * 0.95)))


def marked(image: Image.Image) -> Image.Image:
    image = image.copy()
    w, h = image.size
    ImageDraw.Draw(image).rectangle((w * 0.7, h * 0.9, w * 0.98, h * 0.97), fill=(200, 30, 30))
    return image


# Textures: a crop shifts their fine grain, which a thumbnail of 32 pixels does not resolve.
TEXTURES = {"brick", "grass", "gravel", "hubble_deep_field"}
CHANGES = {"resized": resized, "cropped": cropped, "marked": marked, "mirrored": ImageOps.mirror}


@pytest.fixture(scope="module")
def copies(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's photographs, and copies of each, changed in every way."""
    folder = tmp_path_factory.mktemp("copies")
    for path in sorted(path for path in photographs.iterdir() if path.stem not in TEXTURES):
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        image.save(folder / f"{path.stem}.png")
        image.save(folder / f"{path.stem}+recompressed.jpg", quality=35)
        for name, change in CHANGES.items():
            change(image).save(folder / f"{path.stem}+{name}.jpg", quality=92)
    return folder


def test_copies_are_found_however_they_were_changed_and_nothing_else(copies: Path) -> None:
    found = iad.find_duplicates(copies, progress=False)
    stems = found[["image_a", "image_b"]].map(lambda name: Path(name).stem.partition("+")[0])
    assert (stems["image_a"] == stems["image_b"]).all(), "different photographs are no pair"
    originals = [path for path in copies.iterdir() if "+" not in path.name]
    share = []
    for kind in ("recompressed", *CHANGES):
        pairs = {
            frozenset(Path(name).name for name in pair) for pair in zip(found["image_a"], found["image_b"], strict=True)
        }
        hits = sum(frozenset((path.name, f"{path.stem}+{kind}.jpg")) in pairs for path in originals)
        share.append(hits / len(originals))
        assert share[-1] >= 0.9, kind
    assert np.mean(share) >= 0.95
    assert found["correlation"].between(0.8, 1.000001).all()


def test_a_photograph_that_cannot_be_read_has_no_pairs(photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    first = str(min(photographs.iterdir()))
    broken = str(tmp_path / "broken.jpg")
    found = iad.find_duplicates([first, broken, broken, first], progress=False)
    assert found[["image_a", "image_b"]].to_numpy().tolist() == [[first, first]]


def test_one_photograph_and_none_have_no_pairs(photographs: Path) -> None:
    assert len(iad.find_duplicates([str(min(photographs.iterdir()))], progress=False)) == 0
    assert iad.find_duplicates([], progress=False).columns.tolist()[:3] == ["image_a", "image_b", "correlation"]


@pytest.mark.parametrize("correlation", [0, 1.5, True, "much"])
def test_a_correlation_that_is_none_is_refused(photographs: Path, correlation: object) -> None:
    with pytest.raises(ArgumentInvalid, match="`correlation` is"):
        iad.find_duplicates(photographs, correlation=correlation, progress=False)


def test_the_hash_says_which_field_is_darker_than_its_right_neighbour() -> None:
    growing = np.tile(np.arange(32, dtype=np.float32), (32, 1)).reshape(1, -1)
    assert (difference_hash(growing) == 1).all()
    assert (difference_hash(-growing) == -1).all()


def test_pairs_join_groups_over_several_steps() -> None:
    nothing = np.zeros(2)
    pairs = Pairs(np.array([0, 2]), np.array([2, 4]), nothing, nothing.astype(int), nothing)
    groups = pairs.join(np.array([7, 1, 2, 1, 9]))
    assert groups[0] == groups[2] == groups[4]
    assert groups[1] == groups[3] != groups[0]
