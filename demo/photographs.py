"""Copy real photographs out of scikit-image and scikit-learn into a folder: `python photographs.py FOLDER`."""

import shutil
import sys
from pathlib import Path

import skimage.data
import sklearn.datasets

# Only files that travel inside the two wheels, so nothing is downloaded. Colour and grey, JPEG and PNG.
SCIKIT_IMAGE = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "rocket.jpg",
)
SCIKIT_LEARN = ("china.jpg", "flower.jpg")


def copy_photographs(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    sources = [Path(skimage.data.__file__).parent / name for name in SCIKIT_IMAGE]
    sources += [Path(sklearn.datasets.__file__).parent / "images" / name for name in SCIKIT_LEARN]
    return [Path(shutil.copyfile(source, folder / source.name)) for source in sources]


if __name__ == "__main__":
    print(f"{len(copy_photographs(Path(sys.argv[1])))} photographs in {sys.argv[1]}/")
