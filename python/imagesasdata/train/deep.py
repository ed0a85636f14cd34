"""Train the last part, or all, of the network itself, in PyTorch; the weights go back into the same graph."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx

from ..errors import DependencyMissing, ModelInvalid, choose
from ..graph import input_shape, upstream
from ..runtime import Values, with_pixel_input
from .activations import Activations
from .cut_point import cut_point
from .head import Head
from .head_graph import set_weights, with_head
from .method import Logits, Material, Rows, Told
from .squares import Squares

if TYPE_CHECKING:
    from .torch_training import Network, Recipe

STEPS = 250  # fewer are not enough, however few the photographs
EPOCHS = (8, 30)  # at least and at most


@dataclass(frozen=True)
class FittedDeep:
    """A network some of whose weights were trained."""

    deep: Deep
    network: Network
    settings: dict[str, Any]

    def logits(self, rows: Rows) -> Logits:
        """Return the output before its activation, ``[len(rows), k]``, as PyTorch computes it."""
        from .torch_session import repeatable
        from .torch_training import predict

        with repeatable(0, self.deep.device):
            return predict(self.network, self.deep.inputs.plain, rows)

    def proto(self) -> onnx.ModelProto:
        """Return the backbone's graph with the new weights and the new last layer."""
        weight, bias = (part.detach().cpu().numpy() for part in (self.network.weight, self.network.bias))
        whole = with_head(*self.deep.material.backbone.read(), weight, bias)
        return set_weights(whole, self.network.graph.weights())


class Deep:
    """Training of the network itself; a `Method`.

    Parameters
    ----------
    material : Material
        What to train on.
    mode : {"tail", "full"}
        Train what comes after `cut_point`, or all.
    epochs : int, optional
        How often to go through the photographs; by default 8 times, and more often where they are few.
    features : numpy.ndarray, optional
        Embeddings of the photographs, where they are known.

    Raises
    ------
    DependencyMissing
        PyTorch cannot be imported.
    ArgumentInvalid
        `mode` is none.
    ModelInvalid
        The network has an operator that cannot be trained.
    """

    def __init__(
        self, material: Material, mode: str, epochs: int | None = None, features: Values | None = None
    ) -> None:
        choose("method", mode, ("tail", "full"))
        need_torch(mode)
        from .torch_session import torch_device

        self.material, self.mode, self.epochs = material, mode, epochs
        self.device = torch_device(material.device)
        self._head = Head(material, features)
        self._proto, self._card = material.backbone.read()
        name = str(self._card.tensors["input"])
        if (batch := next(iter(input_shape(self._proto, name)), None)) is not None:
            raise ModelInvalid(
                f'The network "{self._card.name}" was exported for {batch} photograph(s) at a time, so it cannot be '
                'trained. Export it with a free batch size, or use method="head".'
            )
        self.cut = cut_point(self._proto, self._card) if mode == "tail" else None
        self._graph()  # an operator that cannot be trained is said before anything is computed

    @functools.cached_property
    def inputs(self) -> Activations | Squares:
        """What the trained part takes."""
        return Squares(self.material) if self.cut is None else Activations(self.material, self.cut)

    def prepare(self) -> None:
        """Compute what the trained part takes of all photographs."""
        self.inputs.prepare(np.arange(len(self.material.labels.values)))

    def fit(self, rows: Rows, seed: int, report: Told | None = None) -> FittedDeep:
        """Fit on these rows alone, starting from the last layer that suits the network as it is.

        First a last layer, then all together: Kumar et al. (2022), "Fine-Tuning can Distort Pretrained Features and
        Underperform Out-of-Distribution", ICLR.
        """
        from .torch_session import repeatable
        from .torch_training import Network, Targets, train

        rows = np.asarray(rows, np.int64)
        labels, recipe = self.material.labels, self.recipe(len(rows))
        head = self._head.fit(rows, seed)
        targets = Targets(labels.task, labels.targets[rows], self.material.weights, recipe.smoothing, self.device)
        weight = head.weight / targets.scale[:, None]
        bias = (head.bias - targets.centre) / targets.scale
        self.inputs.prepare(rows)
        with repeatable(seed, self.device):
            network = Network(self._graph(), weight, bias, recipe.dropout).to(self.device)
            done = train(
                network,
                self.inputs.varied,
                targets,
                rows,
                recipe,
                seed,
                report or functools.partial(self.material.report, f"training ({self.mode})"),
            )
        settings = {"epochs": done.epochs, "batch": recipe.batch, "rate": recipe.rate, **head.settings}
        if self.cut is not None:
            settings["cut"] = self.cut
        if done.interrupted:
            settings["interrupted"] = True
        rescale(done.network, targets.centre, targets.scale)
        return FittedDeep(self, done.network, settings)

    def recipe(self, n: int) -> Recipe:
        """Return how to train on `n` photographs."""
        from .torch_training import Recipe

        least, most = EPOCHS
        recipe = Recipe(self.epochs or 1)
        enough = int(np.clip(np.ceil(STEPS * recipe.batch / n), least, most))
        return Recipe(self.epochs or enough)

    def _graph(self) -> Any:
        from .torch_graph import TorchGraph

        embedding = str(self._card.tensors["embedding"])
        if self.cut is not None:
            # What the frozen part uses too must stay as it is.
            return TorchGraph(self._proto, embedding, self.cut, fixed=upstream(self._proto, self.cut))
        own = {weight.name for weight in self._proto.graph.initializer}
        graph = with_pixel_input(self._proto, self._card, embedding)
        return TorchGraph(graph, embedding, fixed={w.name for w in graph.graph.initializer} - own)


def rescale(network: Network, centre: npt.NDArray[np.float64], scale: npt.NDArray[np.float64]) -> None:
    """Have the last layer give numbers on the scale of the labels."""
    import torch

    with torch.no_grad():
        by, to = (torch.from_numpy(values).to(network.weight) for values in (scale, centre))
        network.weight.mul_(by[:, None])
        network.bias.mul_(by).add_(to)


def need_torch(mode: str) -> None:
    """Raise `DependencyMissing` where PyTorch cannot be imported."""
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as problem:
        raise DependencyMissing(
            f'method="{mode}" needs PyTorch, which cannot be imported ({problem}). Install it: '
            'pip install "imagesasdata[train]"'
        ) from None
