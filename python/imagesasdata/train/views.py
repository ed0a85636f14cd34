"""Photographs as training sees them: as prediction does, and changed a little each time."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from PIL import Image, ImageEnhance

from ..decode import FILTERS, Limits, Pixels, Preprocessing, decode_image
from ..errors import ImageFailed
from ..reading import Unreadable, read_file

MARGIN = 8 / 7  # how much larger than the input the square is of which views are cut: 256 pixels for 224
AREA = (0.78, 1.31)  # of a view, in parts of what prediction sees
RATIO = (3 / 4, 4 / 3)  # width to height
JITTER = 0.2  # of brightness, contrast and saturation


def wider(steps: Preprocessing) -> Preprocessing:
    """Return a preprocessing that leaves room around what prediction sees."""
    side = round(steps.size * MARGIN)
    return dataclasses.replace(steps, size=side, resize=max(steps.resize, side))


def read_square(path: str | None, steps: Preprocessing) -> Pixels:
    """Decode one photograph.

    Raises
    ------
    ImageFailed
        It cannot be read; it could be when training began.
    """
    try:
        if path is None:
            raise Unreadable("no path was given")
        return decode_image(read_file(path), steps, Limits())
    except Unreadable as problem:
        raise ImageFailed(f'"{path}" cannot be read any more: {problem}. Was it moved or changed?') from None


def changed(square: Pixels, steps: Preprocessing, rng: np.random.Generator) -> Pixels:
    """Return a view of a photograph: another crop, perhaps mirrored, in slightly other light.

    The crop is that of Szegedy et al. (2015), "Going Deeper with Convolutions", with less of a change of scale.

    Parameters
    ----------
    square : numpy.ndarray
        The photograph by ``wider(steps)``.
    steps : Preprocessing
        The model's own.
    rng : numpy.random.Generator
        Chooses.

    Returns
    -------
    numpy.ndarray
        ``[size, size, channels]`` bytes.
    """
    side = len(square)
    seen = 1.0  # the part of the square's area that prediction sees
    if steps.rule == "short_side_crop":
        seen = (steps.size / steps.resize * wider(steps).resize / side) ** 2
    area = side**2 * min(rng.uniform(AREA[0], AREA[1]) * seen, 1.0)
    ratio = math.exp(rng.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
    width, height = min(math.sqrt(area * ratio), side), min(math.sqrt(area / ratio), side)
    left, top = rng.uniform(0, side - width), rng.uniform(0, side - height)
    mirrored, light = rng.random() < 0.5, rng.uniform(1 - JITTER, 1 + JITTER, 3)
    grey = steps.colour == "grey"
    image = Image.fromarray(square[:, :, 0] if grey else square[:, :, ::-1] if steps.colour == "BGR" else square)
    image = image.resize((steps.size,) * 2, FILTERS[steps.filter], box=(left, top, left + width, top + height))
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = ImageEnhance.Brightness(image).enhance(light[0])
    image = ImageEnhance.Contrast(image).enhance(light[1])
    if not grey:
        image = ImageEnhance.Color(image).enhance(light[2])
    pixels = np.asarray(image).reshape(steps.size, steps.size, steps.channels)
    return pixels[:, :, ::-1] if steps.colour == "BGR" else pixels
