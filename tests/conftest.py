"""What several test files share: real photographs, odd files, and a cache folder that is not the user's."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import skimage.data
import sklearn.datasets
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "python"))  # for `oddities`, which is no test

# Only files that travel inside the two wheels, so nothing is downloaded.
SCIKIT_IMAGE = (
    "brick.png",
    "camera.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "hubble_deep_field.jpg",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "rocket.jpg",
)
SCIKIT_LEARN = ("china.jpg", "flower.jpg")


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> Iterator[None]:
    """Keep models that tests add away from the user's, also in the processes that tests start."""
    with tempfile.TemporaryDirectory(prefix="imagesasdata-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "IMAGESASDATA_CACHE", folder)
        yield


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of fourteen real photographs, JPEG and PNG, colour and grey."""
    folder = tmp_path_factory.mktemp("photographs")
    sources = [Path(skimage.data.__file__).parent / name for name in SCIKIT_IMAGE]
    sources += [Path(sklearn.datasets.__file__).parent / "images" / name for name in SCIKIT_LEARN]
    for source in sources:
        shutil.copyfile(source, folder / source.name)
    Image.fromarray(skimage.data.astronaut()).save(folder / "astronaut.jpg", quality=95)
    return folder


@pytest.fixture(scope="session")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of broken and odd files; `oddities` says what each one is."""
    from oddities import write_odd_files

    folder = tmp_path_factory.mktemp("odd_files")
    write_odd_files(folder)
    return folder
