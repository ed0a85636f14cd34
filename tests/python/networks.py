"""Small networks, drawn node by node: quick, and easy to reckon by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from imagesasdata.card import ModelCard
from imagesasdata.decode import Preprocessing

SIDE = 8
CLASSES = ("cat", "dog", "fish")
STEPS = Preprocessing(size=SIDE, resize=SIDE, scale=255.0, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.5))
CARD = ModelCard(
    name="colours",
    task="single",
    classes=CLASSES,
    preprocessing=STEPS,
    tensors={"input": "image", "embedding": "means", "output": "logits"},
    activation="softmax",
)
# What `add_model` needs to know of `colours`.
ASKED: dict[str, Any] = {"classes": CLASSES, "mean": STEPS.mean, "std": STEPS.std}


def weights(classes: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(3, classes)).astype(np.float32)


def colours(
    batch: int | str = "n",
    layout: str = "NCHW",
    number: str = "FLOAT",
    last: str = "logits",
    width: int | str = len(CLASSES),
    classes: int = len(CLASSES),
    input: str = "image",
    size: int | str = SIDE,
    ir_version: int = 8,
) -> onnx.ModelProto:
    """The mean of each colour, and a matrix product.

    `last` is what the graph ends in: "logits", or the name of an operator such as "Softmax". `width` is what the graph
    says of its output, and `classes` what it has.
    """
    kind = getattr(TensorProto, number)
    last_axis = layout == "NHWC"
    matrix = weights(classes).astype(helper.tensor_dtype_to_np_dtype(kind) if number != "UINT8" else np.float32)
    nodes = [
        helper.make_node("Cast", [input], ["planes"], to=TensorProto.FLOAT if number == "UINT8" else kind),
        helper.make_node("ReduceMean", ["planes"], ["means"], axes=[1, 2] if last_axis else [2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["logits"]),
    ]
    if last != "logits":
        nodes.append(helper.make_node(last, ["logits"], ["answer"]))
    given = helper.make_tensor_value_info(input, kind, [batch, size, size, 3] if last_axis else [batch, 3, size, size])
    answer = helper.make_tensor_value_info(
        nodes[-1].output[0], TensorProto.FLOAT if number == "UINT8" else kind, [batch, width]
    )
    inputs = [given]
    if ir_version < 4:  # when weights had to be inputs too
        inputs.append(helper.make_tensor_value_info("matrix", kind, list(matrix.shape)))
    graph = helper.make_graph(nodes, "colours", inputs, [answer], [numpy_helper.from_array(matrix, "matrix")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=ir_version)


def expected(pixels: NDArray[np.uint8], steps: Preprocessing = STEPS, classes: int = len(CLASSES)) -> NDArray[Any]:
    """What `colours` gives for ``[n, side, side, 3]`` bytes, in numpy and double precision."""
    scaled = (pixels.astype(np.float64) / steps.scale - np.array(steps.mean)) / np.array(steps.std)
    return np.asarray(scaled.mean(axis=(1, 2)) @ weights(classes).astype(np.float64))


def noise(images: int, seed: int = 1) -> NDArray[np.uint8]:
    """Random photographs ``[images, side, side, 3]``."""
    return np.random.default_rng(seed).integers(0, 256, (images, SIDE, SIDE, 3), dtype=np.uint8)


def save(proto: onnx.ModelProto, path: Path) -> Path:
    """Write a plain ONNX file, without a card."""
    path.write_bytes(proto.SerializeToString())
    return path


def keep_outside(proto: onnx.ModelProto, location: str) -> onnx.ModelProto:
    """The network with its weights said to be in the file `location`, where they may or may not be."""
    (tensor,) = proto.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return proto


def add_node(proto: onnx.ModelProto, operator: str, domain: str, inputs: Sequence[str] = ("image",)) -> onnx.ModelProto:
    """The network with one more node, whose result is not used."""
    proto.graph.node.append(helper.make_node(operator, list(inputs), ["unused"], domain=domain))
    proto.opset_import.append(helper.make_opsetid(domain, 1))
    return proto
