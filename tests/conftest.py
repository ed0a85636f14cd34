"""What several test files share: real photographs, odd files, and a cache folder that is not the user's."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "python"), str(HERE.parent / "demo")]  # for `oddities` and `photographs`, which are no tests


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> Iterator[None]:
    """Keep models that tests add away from the user's, also in the processes that tests start."""
    with tempfile.TemporaryDirectory(prefix="imagesasdata-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "IMAGESASDATA_CACHE", folder)
        yield


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the demo's real photographs, JPEG and PNG, colour and grey, and one more JPEG."""
    from photographs import copy_photographs

    folder = tmp_path_factory.mktemp("photographs")
    copy_photographs(folder)
    with Image.open(folder / "astronaut.png") as astronaut:
        astronaut.save(folder / "astronaut.jpg", quality=95)
    (folder / "astronaut.png").unlink()
    return folder


@pytest.fixture(scope="session")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of broken and odd files; `oddities` says what each one is."""
    from oddities import write_odd_files

    folder = tmp_path_factory.mktemp("odd_files")
    write_odd_files(folder)
    return folder


@pytest.fixture(scope="session")
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders: 24 tiles each of a photograph of a temple and of one of a flower (scikit-learn's samples)."""
    from sklearn.datasets import load_sample_image

    folder = tmp_path_factory.mktemp("labelled")
    for name, source in (("temple", "china.jpg"), ("flower", "flower.jpg")):
        (folder / name).mkdir()
        image = Image.fromarray(load_sample_image(source))
        for number in range(24):
            left, top = 105 * (number % 6), 105 * (number // 6)
            image.crop((left, top, left + 105, top + 105)).save(folder / name / f"{number:02d}.jpg", quality=92)
    return folder
