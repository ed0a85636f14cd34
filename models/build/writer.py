"""Write a network as an ONNX graph, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

Array = NDArray[Any]
Shape = Sequence[int | str]

OPSET = 17
IR_VERSION = 8  # What goes with opset 17: ONNX Runtime reads it from 1.12 on.


class Weights:
    """The weights of an origin, of which each must be used once."""

    def __init__(self, values: dict[str, Array]) -> None:
        self._values = dict(values)

    def take(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return a weight, and take it away; raise ValueError where it is missing or has another shape."""
        values = self._values.pop(name, None)
        if values is None or values.shape != shape:
            found = "is missing" if values is None else f"has shape {values.shape}"
            raise ValueError(f'weight "{name}" {found}; the network needs shape {shape}')
        return values.astype(np.float32)

    def all_used(self) -> None:
        """Raise ValueError where a weight is left over."""
        if self._values:
            raise ValueError(f"the network has no place for these weights: {', '.join(sorted(self._values))}")


class Writer:
    """Collects the nodes and initializers of a graph; names of tensors begin with `prefix`."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node with one output, and return the output's name."""
        output = f"{self._prefix}{name}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: Array) -> str:
        """Add an initializer, and return its name."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), f"{self._prefix}{name}"))
        return f"{self._prefix}{name}"

    def convolution(self, x: str, name: str, weight: Array, bias: Array | None, stride: int = 1, **more: Any) -> str:
        """Add a convolution; `weight` is (out, in, height, width)."""
        inputs = [x, self.constant(f"{name}.weight", weight)]
        if bias is not None:
            inputs.append(self.constant(f"{name}.bias", bias))
        return self.node("Conv", inputs, name, kernel_shape=list(weight.shape[2:]), strides=[stride, stride], **more)


def tensor(name: str, shape: Shape) -> ValueInfoProto:
    """Return an input or output of 32-bit numbers."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def model(
    name: str, writers: Sequence[Writer], inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
) -> ModelProto:
    """Return the graph, checked."""
    nodes = [node for writer in writers for node in writer.nodes]
    initializers = [weight for writer in writers for weight in writer.initializers]
    proto = helper.make_model(
        helper.make_graph(nodes, name, list(inputs), list(outputs), initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="imagesasdata",
        producer_version="0.1.0",
    )
    checker.check_model(proto, full_check=True)
    return proto
