"""Where to cut a network in two: what stays as it is, and what is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import onnx

from ..card import ModelCard
from ..errors import ModelInvalid
from ..graph import input_shape, upstream

WEIGHTED = ("Conv", "Gemm", "MatMul")


def cut_point(proto: onnx.ModelProto, card: ModelCard, size: int = 14) -> str:
    """Return the tensor after which a network is trained: the last one before it shrinks its maps for the last time.

    Everything passes through that tensor: no connection goes around it. Most networks halve the sides of their maps
    five times, and with an input of 224 pixels the last layers but one work on maps of 14 x 14. What comes after has
    most of the weights and a small part of the arithmetic.

    Parameters
    ----------
    proto, card
        A model that names an embedding.
    size : int
        Side of the map to look for, where the input has 224 pixels; in proportion for other inputs.

    Returns
    -------
    str
        Where there is no such map, the tensor in the middle, counted by convolutions and matrix products.

    Raises
    ------
    ModelInvalid
        Connections go around every tensor, or all weights are before it.
    """
    embedding = str(card.tensors["embedding"])
    nodes = _data_nodes(proto, card, embedding)
    narrow = _bottlenecks(nodes, str(card.tensors["input"]), embedding)
    before = {name: _weighted(nodes[: i + 1]) for i, name in narrow}
    total = _weighted(nodes)
    names = [name for _, name in narrow if 0 < before[name] < total]
    if not names:
        raise ModelInvalid(
            f'The network "{card.name}" cannot be cut in two. Use method="full", which trains all of it, or "head".'
        )
    maps = _maps(proto, card)
    last = min((one.side for one in maps.values() if one.side > 1), default=1)
    wanted = size * card.preprocessing.size / 224
    sides = {maps[name].side for name in names if name in maps and maps[name].side > last}
    side = min(sides, key=lambda side: abs(side - wanted), default=0)
    if not wanted / 2 < side < wanted * 2:
        return min(names, key=lambda name: abs(2 * before[name] - total))
    same = [name for name in names if name in maps and maps[name].side == side]
    least = min(maps[name].numbers for name in same)
    # Not one of those that a block widens: they take many times the room, and save next to nothing.
    return [name for name in same if maps[name].numbers <= 2 * least][-1]


class Map(NamedTuple):
    """How many numbers a tensor of maps has for a photograph, and how many of them a side."""

    numbers: int
    side: int


def counts_batch(node: onnx.NodeProto, start: str) -> bool:
    """Whether a node asks of the graph's input how many photographs there are; any tensor on the way could say so."""
    ints = {attribute.name: attribute.i for attribute in node.attribute}
    return node.op_type == "Shape" and list(node.input) == [start] and ints.get("end") == 1 and not ints.get("start")


def _data_nodes(proto: onnx.ModelProto, card: ModelCard, embedding: str) -> list[onnx.NodeProto]:
    """Return the nodes that work on the photograph, on the way to the embedding."""
    needed = upstream(proto, embedding)
    start = str(card.tensors["input"])
    data = {start}
    found = []
    for node in proto.graph.node:
        if needed.intersection(node.output) and data.intersection(node.input) and not counts_batch(node, start):
            data.update(node.output)
            found.append(node)
    return found


def _bottlenecks(nodes: Sequence[onnx.NodeProto], start: str, embedding: str) -> list[tuple[int, str]]:
    """Return the tensors through which everything passes: those that are all that later nodes need."""
    last = {name: i for i, node in enumerate(nodes) for name in node.input}
    made: set[str] = set()
    found = []
    for i, node in enumerate(nodes[:-1]):
        made = {name for name in made | set(node.output) if last.get(name, -1) > i}
        if len(made) == 1 and last[start] <= i and embedding not in made:
            found.append((i, next(iter(made))))
    return found


def _weighted(nodes: Sequence[onnx.NodeProto]) -> int:
    return sum(node.op_type in WEIGHTED for node in nodes)


def _maps(proto: onnx.ModelProto, card: ModelCard) -> dict[str, Map]:
    """Return the size of each tensor of square maps, for an input of the size that the card says."""
    proto = onnx.ModelProto.FromString(proto.SerializeToString())
    name, side = str(card.tensors["input"]), card.preprocessing.size
    shape = input_shape(proto, name)
    for value in proto.graph.input:
        if value.name == name:
            channels_last = shape[-1] == card.preprocessing.channels and shape[1] != card.preprocessing.channels
            full = [1, side, side, shape[3]] if channels_last else [1, shape[1], side, side]
            for dim, number in zip(value.type.tensor_type.shape.dim, full, strict=True):
                dim.Clear()
                dim.dim_value = number or card.preprocessing.channels
    del proto.graph.value_info[:]
    found = {}
    for value in onnx.shape_inference.infer_shapes(proto).graph.value_info:
        dims = [d.dim_value for d in value.type.tensor_type.shape.dim]
        if len(dims) == 4 and all(dims) and dims[2] == dims[3]:
            found[value.name] = Map(dims[1] * dims[2] * dims[3], dims[2])
    return found
