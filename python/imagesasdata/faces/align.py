"""Turn, move and resize a face so that its landmarks lie where a network expects them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..decode import Pixels

SIDE = 150
# Where dlib's mean face has the eyes, the tip of the nose and the corners of the mouth, in sides of the face's box;
# dlib adds a quarter of the box on each side. The mean face is that of dlib's get_face_chip_details().
MEAN_FACE = np.array([[0.2255, 0.2160], [0.7547, 0.2160], [0.4901, 0.5156], [0.2541, 0.7802], [0.7261, 0.7802]])
PADDING = 0.25
Points = npt.NDArray[np.floating[Any]]


def similarity(points: Points, target: Points) -> tuple[complex, complex]:
    """Return the turn and scale, then the shift, that bring points ``[n, 2]`` nearest to `target` in least squares.

    Points are complex numbers: ``target = turn * point + shift`` (Umeyama 1991, without mirror images).
    """
    a, b = points[:, 0] + 1j * points[:, 1], target[:, 0] + 1j * target[:, 1]
    centred, wanted = a - a.mean(), b - b.mean()
    spread = (np.abs(centred) ** 2).sum()
    turn = (np.conj(centred) * wanted).sum() / spread if spread > 0 else 0j
    if abs(turn) < 1e-9:  # all landmarks in one place, or nothing like a face: leave it upright, whole
        turn = complex(SIDE / max(float(np.ptp(a.real)), float(np.ptp(a.imag)), 1.0))
    return complex(turn), complex(b.mean() - turn * a.mean())


def aligned(image: Image.Image, landmarks: Points, side: int = SIDE) -> Pixels:
    """Return the face with five landmarks ``[5, 2]`` as ``[side, side, 3]`` bytes; outside the photograph is black."""
    target = (MEAN_FACE + PADDING) / (1 + 2 * PADDING) * side
    turn, shift = similarity(landmarks, target)
    # The part of the photograph that the chip shows, made smaller first where the face is large.
    corners = np.array([0, side, side * 1j, side * (1 + 1j)])
    seen = (corners - shift) / turn
    box = (
        int(np.clip(seen.real.min() - 2, 0, image.width - 1)),
        int(np.clip(seen.imag.min() - 2, 0, image.height - 1)),
        int(np.clip(seen.real.max() + 3, 1, image.width)),
        int(np.clip(seen.imag.max() + 3, 1, image.height)),
    )
    factor = max(1, int(1 / abs(turn)))
    part = image.crop((box[0], box[1], max(box[2], box[0] + 1), max(box[3], box[1] + 1))).reduce(factor)
    back, start = 1 / turn / factor, (-shift / turn - complex(box[0], box[1])) / factor
    matrix = (back.real, -back.imag, start.real, back.imag, back.real, start.imag)
    chip = part.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return np.asarray(chip, np.uint8)


def square_cut(image: Image.Image, box: Points, side: int) -> Pixels:
    """Return the square around the box of a face (left, top, right, bottom) as ``[side, side]`` grey bytes."""
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = max(box[2] - box[0], box[3] - box[1]) / 2
    left, top = middle_x - half, middle_y - half
    x, y = int(np.floor(left)), int(np.floor(top))
    size = int(np.ceil(2 * half)) + 1
    part = image.crop((x, y, x + size, y + size)).convert("L")  # black where it reaches outside
    inner = (left - x, top - y, min(left - x + 2 * half, size), min(top - y + 2 * half, size))
    return np.asarray(part.resize((side, side), Image.Resampling.BILINEAR, box=inner), np.uint8)
