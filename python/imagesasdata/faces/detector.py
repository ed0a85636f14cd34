"""Find faces in one photograph: MTCNN's three networks, each looking only where the one before saw something.

Zhang, Zhang, Li and Qiao (2016), "Joint face detection and alignment using multitask cascaded convolutional networks".
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx.utils
from PIL import Image

from ..devices import open_session
from ..errors import ModelInvalid
from ..modelfile import read_model
from ..runtime import Stop
from .boxes import kept, moved, squared
from .pyramid import CELL, Pyramid

PROPOSED, REFINED = 0.6, 0.7  # probabilities from which on the first two networks pass a face on
EAGER = 0.5, 0.4  # the same where less probable faces are wanted; below, there are thousands of windows to look at
AT_ONCE = 256  # windows in one run of a network
NETWORKS = {
    "pnet": ("prob", "offsets"),
    "rnet": ("prob", "offsets"),
    "onet": ("prob", "offsets", "landmarks"),
}
WIDTH = 15  # numbers a face: box, probability, five points
Array = npt.NDArray[Any]


class Detector:
    """MTCNN, open on a device: a photograph in, faces out; safe to call from several threads at once.

    Attributes
    ----------
    device : str
        What the sessions really got.
    """

    def __init__(self, path: str | os.PathLike[str], device: str = "auto") -> None:
        proto, card = read_model(path)
        if card.task != "detect":
            raise ModelInvalid(f'The model "{card.name}" does not find faces; "mtcnn" does.')
        parts = onnx.utils.Extractor(proto)
        self._sessions = {}
        for net, outputs in NETWORKS.items():
            part = parts.extract_model([f"{net}_image"], [f"{net}_{name}" for name in outputs])
            self._sessions[net], self.device, _ = open_session(part.SerializeToString(), device, f"{path} ({net})")

    def __call__(
        self, image: Image.Image, min_size: float = 20.0, threshold: float = 0.7, stop: Stop | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the faces of an upright RGB photograph.

        Parameters
        ----------
        image : PIL.Image.Image
            The photograph.
        min_size : float
            Side of the smallest face that is looked for, in pixels.
        threshold : float
            Least probability of a face.
        stop : Stop, optional
            Ends the work early, with what was found.

        Returns
        -------
        numpy.ndarray
            ``[n, 15]``: left, top, right, bottom, probability; then x and y of the left eye, the right eye, the nose,
            the left and the right corner of the mouth, as the viewer sees them. Most probable first.
        """
        pyramid = Pyramid(image)
        boxes = self._proposals(pyramid, min_size, min(PROPOSED, max(threshold, EAGER[0])), stop)
        refined = min(REFINED, max(threshold, EAGER[1]))
        for net, side, least in (("rnet", 24, refined), ("onet", 48, threshold)):
            if not len(boxes):
                return np.empty((0, WIDTH))
            boxes = squared(boxes)
            prob, offsets, *points = self._run_windows(net, pyramid, boxes, side, stop)
            good = prob[:, 1] >= least
            boxes, prob, offsets = boxes[good], prob[good, 1], offsets[good]
            if net == "rnet":
                best = kept(boxes, prob, 0.7)
                boxes = moved(boxes[best], offsets[best])
        sides = boxes[:, 2:] - boxes[:, :2]
        landmarks = points[0][good].reshape(-1, 2, 5).transpose(0, 2, 1) * sides[:, None] + boxes[:, None, :2]
        boxes = moved(boxes, offsets)
        best = kept(boxes, prob, 0.7, of_smaller=True)
        faces = np.concatenate([boxes, prob[:, None], landmarks.reshape(-1, 10)], axis=1)[best]
        return np.asarray(faces[_finite(faces)], np.float64)

    def _proposals(self, pyramid: Pyramid, min_size: float, least: float, stop: Stop | None) -> Array:
        """Return boxes ``[n, 4]`` that may be faces."""
        found = [np.empty((0, 9))]
        for scale in pyramid.scales(min_size):
            here = [np.empty((0, 9))]
            for left, top, tile in pyramid.tiles(scale):
                if stop is not None and stop.is_set():
                    return np.empty((0, 4))
                prob, offsets = self._run("pnet", tile[None], stop)
                rows, columns = np.nonzero(prob[0, 1] >= least)
                corner = np.stack([2 * columns + left, 2 * rows + top], axis=1) / scale
                boxes = np.concatenate([corner, corner + CELL / scale], axis=1)
                score = prob[0, 1][rows, columns]
                here.append(np.concatenate([boxes, score[:, None], offsets[0][:, rows, columns].T], axis=1))
            level = np.concatenate(here)
            found.append(level[kept(level[:, :4], level[:, 4], 0.5)])
        faces = np.concatenate(found)
        faces = faces[kept(faces[:, :4], faces[:, 4], 0.7)]
        return moved(faces[:, :4], faces[:, 5:])

    def _run_windows(self, net: str, pyramid: Pyramid, boxes: Array, side: int, stop: Stop | None) -> list[Array]:
        parts = [
            self._run(net, pyramid.windows(boxes[start : start + AT_ONCE], side), stop)
            for start in range(0, len(boxes), AT_ONCE)
        ]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _run(self, net: str, images: Array, stop: Stop | None) -> list[Array]:
        try:
            found: list[Array] = self._sessions[net].run(None, {f"{net}_image": images}, stop.options if stop else None)
            return found
        except Exception as problem:  # ONNX Runtime's own exceptions have no common public base
            raise ModelInvalid(f"The face detector failed: {problem}") from problem


def _finite(faces: Array) -> npt.NDArray[np.bool_]:
    """Return which faces are boxes with an area."""
    good = np.isfinite(faces).all(axis=1) & (faces[:, 2] > faces[:, 0]) & (faces[:, 3] > faces[:, 1])
    return np.asarray(good, bool)
