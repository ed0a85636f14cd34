"""What a way of training is: it is given its material once, and fits any subset of the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx

from ..labels import Labels
from ..model import ImageModel

Rows = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float64]
Told = Callable[[int, int], None]  # steps that are done, and all
ACTIVATIONS = {"single": "softmax", "multi": "sigmoid", "score": "none"}  # of a task's output


@dataclass(frozen=True)
class Material:
    """What every way of training starts from.

    Attributes
    ----------
    labels : Labels
        Labelled photographs; all of them could be decoded.
    backbone : ImageModel
        The model to start from; it names an embedding.
    weights : numpy.ndarray
        ``[k]`` for ``"single"`` (a weight a class), ``[k, 2]`` for ``"multi"`` (absent, present), ones for ``"score"``.
    work : pathlib.Path
        A folder for large intermediate files, removed at the end.
    device : str
        As in `classify_images`.
    cache : bool
        Whether embeddings may come from the user's cache.
    report : function
        ``report(text, done, total)``: how far a stage is, on the caller's thread. It may raise KeyboardInterrupt.
    """

    labels: Labels
    backbone: ImageModel
    weights: npt.NDArray[np.float64]
    work: Path
    device: str
    cache: bool
    report: Callable[[str, int, int], None]


class Fitted(Protocol):
    """A network that was fitted on some rows.

    Attributes
    ----------
    settings : dict
        What was chosen on the way, such as the strength of regularisation or the number of epochs, for the card.
    """

    @property
    def settings(self) -> dict[str, Any]: ...

    def logits(self, rows: Rows) -> Logits:
        """Return the output before its activation, ``[len(rows), k]``, for rows of the material."""

    def proto(self) -> onnx.ModelProto:
        """Return the graph, with the new weights, whose last node is the `Gemm` of `with_head`."""


class Method(Protocol):
    """A way of training. What does not depend on the rows, such as embeddings, is computed once."""

    def prepare(self) -> None:
        """Compute it for all rows; without this, it is computed at first use."""

    def fit(self, rows: Rows, seed: int, report: Told | None = None) -> Fitted:
        """Fit on these rows of the material alone; how far it is, is told to `report`, or as a stage of its own."""
