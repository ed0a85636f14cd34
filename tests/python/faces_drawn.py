"""Photographs with faces for the tests: an astronaut, and the small faces that scikit-image has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

# Her face in skimage's photograph of 512 x 512 pixels: left, top, right, bottom, by eye.
FACE = (180, 60, 270, 175)


def astronaut() -> Image.Image:
    """The photograph of Eileen Collins."""
    return Image.fromarray(skimage.data.astronaut())


def head(side: int) -> Image.Image:
    """Her head with some of what is around it, on a square of `side` pixels, of which the face is a half."""
    return astronaut().crop((135, 25, 315, 205)).resize((side, side), Image.Resampling.LANCZOS)


def on_canvas(width: int, height: int, side: int, *places: tuple[int, int]) -> Image.Image:
    """A grey picture with the head of `side` pixels at each of some places (left, top)."""
    canvas = Image.new("RGB", (width, height), (120, 125, 130))
    for place in places:
        canvas.paste(head(side), place)
    return canvas


def small_faces(n: int, side: int = 160) -> list[Image.Image]:
    """The first faces of scikit-image's subset of Labeled Faces in the Wild, 25 x 25 pixels, enlarged on a grey square.

    They are of `n` different photographs.
    """
    faces = []
    for pixels in skimage.data.lfw_subset()[:n]:
        small = Image.fromarray(np.clip(pixels * 255, 0, 255).astype(np.uint8)).convert("RGB")
        square = Image.new("RGB", (2 * side, 2 * side), (110, 110, 110))
        square.paste(small.resize((side, side), Image.Resampling.BICUBIC), (side // 2, side // 2))
        faces.append(square)
    return faces


def variants(image: Image.Image) -> list[Image.Image]:
    """The same face as other photographs of it may look: as it is, mirrored, darker, turned, smaller, coarser."""
    turned = image.rotate(8, Image.Resampling.BICUBIC, fillcolor=(110, 110, 110))
    small = image.resize((image.width * 2 // 3, image.height * 2 // 3), Image.Resampling.BILINEAR)
    return [
        image,
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        image.point(lambda v: int(v * 0.7)),
        turned,
        small,
        image.point(lambda v: min(255, int(v * 1.2))),
    ]


def save_all(images: list[Image.Image], folder: Path) -> list[str]:
    """Save pictures as PNG and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d}.png" for number in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        image.save(path)
    return [str(path) for path in paths]
