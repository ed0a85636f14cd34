"""Train a network: the loss of each task, the schedule, and the loop."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from .method import Rows
from .torch_graph import TorchGraph

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    epochs : int
        How often to go through the photographs.
    batch : int
        Photographs a step, about.
    rate, head_rate : float
        Highest step size of AdamW, for the network and its last layer.
    decay : float
        Of weights, by AdamW.
    smoothing : float
        How much of each label is spread over all classes (``"single"``).
    dropout : float
        Share of the embedding that is left out at each step.
    norm : float
        Longest gradient.
    warm_up : float
        Part of the steps until the step size is highest; it then falls to 0 along a cosine.
    average : float
        The weights are averaged over about this part of an epoch.
    """

    epochs: int
    batch: int = 32
    rate: float = 3e-4
    head_rate: float = 2e-3
    decay: float = 0.02
    smoothing: float = 0.1
    dropout: float = 0.2
    norm: float = 1.0
    warm_up: float = 0.15
    average: float = 1.0


class Network(nn.Module):
    """A graph up to the embedding, with a last layer behind it."""

    def __init__(self, graph: TorchGraph, weight: Floats, bias: Floats, dropout: float) -> None:
        super().__init__()
        self.graph, self.dropout = graph, dropout
        self.weight = nn.Parameter(torch.from_numpy(weight.astype(np.float32)))
        self.bias = nn.Parameter(torch.from_numpy(bias.astype(np.float32)))
        for parameter in graph.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        embedding = functional.dropout(self.graph(x).flatten(1), self.dropout, self.training)
        return functional.linear(embedding, self.weight, self.bias)


class Targets:
    """What the network is to say of the photographs, and how wrong it is.

    Parameters
    ----------
    task : {"single", "multi", "score"}
        See `ModelCard`.
    values : numpy.ndarray
        ``[n, k]``, the targets of `Labels`, of the photographs to train on.
    weights : numpy.ndarray
        As `Material` has them.
    smoothing : float
        See `Recipe`.
    """

    def __init__(self, task: str, values: Floats, weights: Floats, smoothing: float, device: torch.device) -> None:
        self.task = task
        self.centre, self.scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
        self._known = torch.from_numpy(~np.isnan(values)).to(device)
        if task == "score":
            counts = np.maximum((~np.isnan(values)).sum(axis=0), 1)
            self.centre = np.nansum(values, axis=0) / counts
            spread = np.sqrt(np.nansum((values - self.centre) ** 2, axis=0) / counts)
            self.scale = np.where(spread > 0, spread, 1.0)
            values = (values - self.centre) / self.scale
        elif task == "single":
            there = (values > 0).any(axis=0)  # a class without photographs is not to be expected anywhere
            values = ((1 - smoothing) * values + smoothing * there / there.sum()) * weights
        self._values = torch.from_numpy(np.nan_to_num(values).astype(np.float32)).to(device)
        self._weights = torch.from_numpy(weights.astype(np.float32)).to(device)

    def loss(self, outputs: Tensor, places: Tensor) -> Tensor:
        """Return the mean loss of a batch, whose photographs are at these places of the values."""
        values, known = self._values[places], self._known[places]
        if self.task == "single":
            return -(values * functional.log_softmax(outputs, 1)).sum() / values.sum()
        if self.task == "multi":
            yes, no = values * self._weights[:, 1] * known, (1 - values) * self._weights[:, 0] * known
            each = yes * functional.softplus(-outputs) + no * functional.softplus(outputs)
            return each.sum() / (yes + no).sum().clamp_min(1e-6)
        return (((outputs - values) ** 2) * known).sum() / known.sum().clamp_min(1)


@dataclass
class Progress:
    """How far training is: the averaged network, epochs that are done, and whether it was interrupted."""

    network: Network
    epochs: int = 0
    interrupted: bool = False


def train(
    network: Network,
    inputs: Callable[[Rows, Rows], npt.NDArray[Any]],
    targets: Targets,
    rows: Rows,
    recipe: Recipe,
    seed: int,
    report: Callable[[int, int], None],
) -> Progress:
    """Train a network, and return the moving average of its weights.

    An interrupt after the first epoch ends it with what there is.

    Parameters
    ----------
    network : Network
        Where it starts; it is on the device, and changed.
    inputs : function
        ``inputs(rows, turn)``: a batch of views of photographs; ``turn`` counts for each photograph.
    targets : Targets
        Of `rows`.
    rows : numpy.ndarray
        Photographs of the material.
    recipe : Recipe
        How.
    seed : int
        The same seed gives the same weights, on the same machine.
    report : function
        ``report(done, total)`` after each step.
    """
    device = network.weight.device
    rng = np.random.default_rng(seed)
    turns = rng.integers(0, 2**31, len(rows))
    batches = max(round(len(rows) / recipe.batch), 1)
    total = recipe.epochs * batches
    optimizer = _optimizer(network, recipe)
    rates = [group["lr"] for group in optimizer.param_groups]
    half = torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float16
    mixed = torch.autocast(device.type, half, enabled=device.type == "cuda")
    scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda" and half == torch.float16)
    state = Progress(copy.deepcopy(network).eval())
    weights, averages = list(network.parameters()), list(state.network.parameters())
    done = 0
    network.train()
    try:
        for _ in range(recipe.epochs):
            for places in np.array_split(rng.permutation(len(rows)), batches):
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * _pace(done, total, recipe.warm_up)
                x = as_input(inputs(rows[places], turns[places]), device)
                turns[places] += 1
                with mixed:
                    outputs = network(x)
                loss = targets.loss(outputs.float(), torch.from_numpy(places).to(device))
                optimizer.zero_grad()
                torch.autograd.backward([scaler.scale(loss)])
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(weights, recipe.norm)
                scaler.step(optimizer)
                scaler.update()
                done += 1
                with torch.no_grad():
                    keep = min(1 - 1 / (1 + recipe.average * batches), done / (done + 9))
                    for average, weight in zip(averages, weights, strict=True):
                        average.lerp_(weight, 1 - keep)
                report(done, total)
            state.epochs += 1
    except KeyboardInterrupt:
        if not state.epochs:
            raise
        state.interrupted = True
    return state


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    body = [p for p in network.graph.parameters() if p.dim() > 1]
    small = [p for p in network.graph.parameters() if p.dim() <= 1]
    groups = [
        {"params": body, "lr": recipe.rate, "weight_decay": recipe.decay},
        {"params": small, "lr": recipe.rate, "weight_decay": 0.0},
        {"params": [network.weight], "lr": recipe.head_rate, "weight_decay": recipe.decay},
        {"params": [network.bias], "lr": recipe.head_rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], fused=True)


def _pace(step: int, total: int, warm_up: float) -> float:
    """Return the step size in parts of the highest: it rises, then falls along a cosine."""
    first = max(warm_up * total, 1)
    if step < first:
        return (step + 1) / (first + 1)
    return 0.5 + 0.5 * math.cos(math.pi * (step - first) / max(total - first, 1))


def as_input(values: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Return a batch as a tensor, its channels last, which PyTorch is quicker with."""
    x = torch.from_numpy(values).to(device)
    if x.dim() == 4 and x.is_floating_point():
        x = x.contiguous(memory_format=torch.channels_last)
    return x


def predict(network: Network, inputs: Callable[[Rows], npt.NDArray[Any]], rows: Rows, batch: int = 64) -> Floats:
    """Return the output of a network for photographs, in full precision."""
    device = network.weight.device
    network.eval()
    found = [np.empty((0, len(network.bias)))]
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for start in range(0, len(rows), batch):
            x = as_input(inputs(rows[start : start + batch]), device)
            found.append(network(x).double().cpu().numpy())
    return np.concatenate(found)
