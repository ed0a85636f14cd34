"""The last part of a model, cut off so that several can share a backbone."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from .card import ModelCard, check_width
from .devices import open_session
from .errors import ModelInvalid
from .graph import input_shape, upstream
from .runtime import Stop, Values, interruptible


class Head:
    """The last part of a model, from the embedding to the output, open on the CPU.

    Attributes
    ----------
    features : int
        Numbers of an embedding.
    width : int
        Numbers an image.
    """

    def __init__(self, content: bytes, card: ModelCard, embedding: str, features: int) -> None:
        self.features = features
        self._session = open_session(content, "cpu", card.name).session
        self._embedding, self._name = embedding, card.name
        nothing = np.zeros((1, features), np.float32)
        self.width = interruptible(lambda stop: self(nothing, stop)).shape[1]
        check_width(self.width, card)

    @classmethod
    def of(cls, proto: onnx.ModelProto, card: ModelCard) -> Head | None:
        """Cut the head off a graph, or return None where it cannot be run apart.

        That is so where the model names no embedding, was exported for one batch size, has a path from the input to the
        output that goes around the embedding, or fails: then it is for the whole graph to say what is wrong.
        """
        embedding, output = card.tensors.get("embedding"), str(card.tensors["output"])
        if not embedding or any(d is not None for d in input_shape(proto, str(card.tensors["input"]))[:1]):
            return None
        weights = {weight.name: weight for weight in proto.graph.initializer}
        needed = upstream(proto, output, stop=embedding)
        nodes = [node for node in proto.graph.node if needed.intersection(node.output)]
        if needed - set(weights) - {name for node in nodes for name in node.output}:
            return None
        head = onnx.ModelProto(ir_version=proto.ir_version, opset_import=proto.opset_import, functions=proto.functions)
        head.graph.name = "head"
        head.graph.node.extend(nodes)
        head.graph.initializer.extend(weight for name, weight in weights.items() if name in needed)
        width = _feature_width(head, embedding)
        if width is None or not head.graph.node:
            return None
        head.graph.input.append(helper.make_tensor_value_info(embedding, TensorProto.FLOAT, ["n", width]))
        head.graph.output.append(onnx.ValueInfoProto(name=output))
        try:
            return cls(head.SerializeToString(), card, embedding, width)
        except ModelInvalid:
            return None

    def __call__(self, features: Values, stop: Stop | None = None) -> Values:
        """Return the output ``[n, width]`` for features ``[n, features]``; ends with an error once `stop` is set."""
        try:
            (values,) = self._session.run(None, {self._embedding: features}, stop.options if stop else None)
            return np.asarray(values, dtype=np.float32).reshape(len(features), -1)
        except Exception as problem:  # ONNX Runtime's own exceptions have no common public base
            raise ModelInvalid(f'The head of the model "{self._name}" failed: {problem}') from problem


def _feature_width(head: onnx.ModelProto, embedding: str) -> int | None:
    """Return how many numbers an embedding has, by the matrix that it is multiplied with."""
    floats = (weight for weight in head.graph.initializer if weight.data_type == TensorProto.FLOAT)
    weights = {weight.name: list(weight.dims) for weight in floats}
    for node in head.graph.node:
        if node.op_type in ("Gemm", "MatMul") and list(node.input[:1]) == [embedding]:
            shape = weights.get("".join(node.input[1:2]), [])
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            return int(shape[1 if transposed else 0]) if len(shape) == 2 else None
    return None
