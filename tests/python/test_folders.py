"""Folders are searched and patterns expanded, and nothing is passed over in silence."""

from __future__ import annotations

import errno
import glob
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imagesasdata import classify_images
from imagesasdata.errors import ImagesNotFound
from imagesasdata.folders import matches
from imagesasdata.images import find_images

LINKS = pytest.mark.skipif(os.name == "nt", reason="on Windows links need a privilege")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for name in ("a.jpg", "2019/b.jpg", "2019/march/c.jpg", "2020/d.jpg", "2020/d.png", ".hidden/e.jpg", ".f.jpg"):
        (tmp_path / "album" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "album" / name).touch()
    return tmp_path / "album"


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], None]:
    """Let a folder refuse to be listed; root, as whom tests may run, is refused nothing."""
    real = os.scandir

    def forbid(folder: Path, code: int) -> None:
        def scandir(path: Any = ".") -> Any:
            if os.path.realpath(path) == os.path.realpath(folder):
                raise OSError(code, os.strerror(code), os.fspath(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)

    return forbid


@pytest.mark.parametrize("where", ["", "2019", "2019/march"])
@pytest.mark.parametrize("pattern", ["", "**/*.jpg"])
def test_a_folder_that_may_not_be_listed_is_an_error_not_a_gap(
    album: Path, where: str, pattern: str, forbid: Callable[[Path, int], None]
) -> None:
    forbid(album / where, errno.EACCES)
    with pytest.raises(ImagesNotFound, match=rf"{where}.? cannot be searched: no permission.*give a list of paths"):
        find_images(album / pattern)


def test_the_error_names_what_else_may_be_wrong(album: Path, forbid: Callable[[Path, int], None]) -> None:
    forbid(album / "2019", errno.EIO)
    with pytest.raises(ImagesNotFound, match=r'2019" cannot be searched: Input/output error'):
        classify_images(album, progress=False)


def test_a_folder_that_vanishes_while_it_is_searched_is_an_error(
    album: Path, forbid: Callable[[Path, int], None]
) -> None:
    forbid(album / "2020", errno.ENOENT)
    with pytest.raises(ImagesNotFound, match="it was deleted meanwhile"):
        find_images(album)


def test_a_folder_that_may_not_be_listed_does_no_harm_where_a_pattern_does_not_lead(
    album: Path, forbid: Callable[[Path, int], None]
) -> None:
    forbid(album / "2019", errno.EACCES)
    assert matches(f"{album}/2020/*.jpg") == [f"{album}/2020/d.jpg"]
    assert matches(f"{album}/*/d.jpg") == [f"{album}/2020/d.jpg"]  # no need to list a folder for one name


@LINKS
def test_links_that_lead_in_circles_are_not_followed(album: Path) -> None:
    for name in ("here", "again", "2019/up", "2019/march/up"):
        (album / name).symlink_to(album)  # to follow them all would give 2 to the power of 40 paths
    names = [str(album / name) for name in ("2019/b.jpg", "2019/march/c.jpg", "2020/d.jpg", "a.jpg")]
    assert find_images(album).names == [*names[:3], str(album / "2020/d.png"), names[3]]
    assert find_images(f"{album}/**/*.jpg").names == names


@LINKS
def test_a_link_to_a_folder_is_followed_where_its_name_is_given(album: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(album)
    assert len(find_images(tmp_path / "link")) == 5
    assert matches(f"{tmp_path}/lin*/a.jpg") == [f"{tmp_path}/link/a.jpg"]


def test_patterns_match_what_glob_matches(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    chance = random.Random(1)
    pieces = ["**", "*", "2019", "march", "?.jpg", "*.jpg", "20[12]*", "20[!2]9", ".*", "d.*", "."]
    for _ in range(500):
        pattern = "/".join(chance.choices(pieces, k=chance.randint(1, 4)))
        start = chance.choice(["", str(album), "2019"])
        found = {path for path in matches(pattern, start) if os.path.isfile(os.path.join(start, path))}
        expected = glob.glob(pattern, root_dir=start or None, recursive=True)
        assert found == {path for path in expected if os.path.isfile(os.path.join(start, path))}, pattern


def test_a_pattern_that_starts_nowhere_matches_nothing(tmp_path: Path) -> None:
    assert matches(f"{tmp_path}/gone/*.jpg") == matches(f"{tmp_path}/*/gone/**/*.jpg") == []
