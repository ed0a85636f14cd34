"""The last layer of a network, where it stands on the average of a feature map."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from .card import ModelCard
from .errors import ModelInvalid
from .graph import upstream

# Operators that may stand between the last layer and the output: they change no number's place.
AFTER = frozenset(
    {"Softmax", "Sigmoid", "Identity", "Cast", "Add", "Sub", "Mul", "Div", "Flatten", "Reshape", "Squeeze"}
)
# And between the average and the last layer: they change no number at all.
BETWEEN = frozenset({"Identity", "Cast", "Dropout", "Flatten", "Reshape", "Squeeze"})
LAYERS, AVERAGES = frozenset({"Gemm", "MatMul"}), frozenset({"GlobalAveragePool", "ReduceMean"})
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LastLayer:
    """The last layer of a network that averages feature maps.

    Attributes
    ----------
    feature_map : str
        The tensor that is averaged.
    weight : numpy.ndarray
        ``[k, d]``.
    channels_last : bool
        The feature map is ``[n, h, w, d]``, and not ``[n, d, h, w]``.
    """

    feature_map: str
    weight: Floats
    channels_last: bool

    def fields(self, features: Floats, chosen: int) -> Floats:
        """Return what each field adds to a class, ``[h, w]``: their sum is the layer's output less its bias."""
        maps = features if self.channels_last else features.transpose(1, 2, 0)
        return np.asarray(maps @ self.weight[chosen] / (maps.shape[0] * maps.shape[1]))


def last_layer(proto: onnx.ModelProto, card: ModelCard) -> LastLayer:
    """Find the last layer of a model and the feature map whose average it stands on.

    Raises
    ------
    ModelInvalid
        There is none.
    """
    fixed = {weight.name: weight for weight in proto.graph.initializer}
    constants = (node for node in proto.graph.node if node.op_type == "Constant")
    fixed |= {node.output[0]: a.t for node in constants for a in node.attribute if a.HasField("t")}
    layer = _back(proto, card, str(card.tensors["output"]), fixed, AFTER, LAYERS)
    pool = _back(proto, card, layer.input[0], fixed, BETWEEN, AVERAGES)
    settings: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in (*layer.attribute, *pool.attribute)}
    axes = [2, 3]
    try:
        weight = np.asarray(onnx.numpy_helper.to_array(fixed[layer.input[1]]), np.float64)
        if pool.op_type == "ReduceMean":
            given = settings.get("axes")
            if given is None:
                given = onnx.numpy_helper.to_array(fixed[pool.input[1]]).tolist()
            axes = sorted(int(axis) % 4 for axis in given)
    except Exception as problem:  # the weights are made by other nodes, or are damaged
        raise ModelInvalid(no_map(card)) from problem
    weight = weight * settings.get("alpha", 1.0)
    if not settings.get("transB", 0):
        weight = weight.T
    whole = weight.ndim == 2 and len(weight) == len(card.classes) and not settings.get("transA", 0)
    if not whole or axes not in ([2, 3], [1, 2]):
        raise ModelInvalid(no_map(card))
    return LastLayer(pool.input[0], weight, axes == [1, 2])


def _back(
    proto: onnx.ModelProto,
    card: ModelCard,
    tensor: str,
    fixed: Collection[str],
    through: Collection[str],
    to: Collection[str],
) -> onnx.NodeProto:
    """Go back from a tensor, through operators with one input that is not fixed, to the first operator of `to`."""
    needed = upstream(proto, tensor)
    nodes = [node for node in proto.graph.node if needed.intersection(node.output)]
    makers: dict[str, onnx.NodeProto] = {output: node for node in nodes for output in node.output}
    for _ in range(len(makers)):  # and no more: a hostile graph may go in a circle
        node = makers.get(tensor)
        if node is None:
            break
        if node.op_type in to:
            return node
        moving = [name for name in node.input if name and name not in fixed]
        if node.op_type not in through or len(moving) != 1:
            break
        tensor = moving[0]
    raise ModelInvalid(no_map(card))


def no_map(card: ModelCard) -> str:
    """Say that a model has no class activation map."""
    return (
        f'The model "{card.name}" has no class activation map: its last layer does not stand on an average of feature '
        "maps. The bundled models have one, and so have all that are fine-tuned from them."
    )
