"""Put a new last layer on a graph: from the embedding to one number a class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..card import ModelCard
from ..errors import ModelInvalid, quoted
from ..graph import upstream

WEIGHT, BIAS, OUTPUT = "last_layer.weight", "last_layer.bias", "logits"


def with_head(
    proto: onnx.ModelProto, card: ModelCard, weight: npt.NDArray[np.floating], bias: npt.NDArray[np.floating]
) -> onnx.ModelProto:
    """Return the graph from its input to the embedding, and then ``embedding @ weight.T + bias``.

    Parameters
    ----------
    proto, card
        A model that names an embedding. What of the graph leads elsewhere is left out.
    weight, bias : numpy.ndarray
        ``[k, d]`` and ``[k]``; they become the initializers `WEIGHT` and `BIAS`.

    Returns
    -------
    onnx.ModelProto
        Its outputs are the embedding and `OUTPUT`.
    """
    embedding = str(card.tensors["embedding"])
    needed = upstream(proto, embedding)
    new = onnx.ModelProto(
        ir_version=proto.ir_version,
        opset_import=proto.opset_import,
        functions=proto.functions,
        producer_name="imagesasdata",
    )
    graph = new.graph
    graph.name = proto.graph.name
    taken = {OUTPUT, WEIGHT, BIAS} & needed
    if taken:
        raise ModelInvalid(
            f"The backbone has tensors of the names {quoted(sorted(taken))}, which a new layer would take."
        )
    graph.node.extend(node for node in proto.graph.node if needed.intersection(node.output))
    graph.initializer.extend(w for w in proto.graph.initializer if w.name in needed)
    graph.input.extend(v for v in proto.graph.input if v.name == card.tensors["input"])
    graph.value_info.extend(v for v in proto.graph.value_info if v.name in needed and v.name != embedding)
    graph.node.append(helper.make_node("Gemm", [embedding, WEIGHT, BIAS], [OUTPUT], name="last_layer", transB=1))
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weight, np.float32), WEIGHT))
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(bias, np.float32), BIAS))
    k, d = weight.shape
    graph.output.append(helper.make_tensor_value_info(embedding, TensorProto.FLOAT, ["n", d]))
    graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", k]))
    return new


def set_weights(proto: onnx.ModelProto, values: dict[str, npt.NDArray[np.floating]]) -> onnx.ModelProto:
    """Return a copy of the graph with other values for some of its initializers."""
    new = onnx.ModelProto()
    new.CopyFrom(proto)
    for weight in new.graph.initializer:
        if weight.name in values:
            weight.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values[weight.name], np.float32), weight.name))
    return new


def initializer(proto: onnx.ModelProto, name: str) -> npt.NDArray[np.float32]:
    """Return the values of one initializer."""
    return np.asarray(numpy_helper.to_array(next(w for w in proto.graph.initializer if w.name == name)))
