"""Write a small network that names the expression of a face as an ONNX graph.

Arriaga, Valdenegro-Toro and Plöger (2017), "Real-time convolutional neural networks for emotion and gender
classification": a miniature of Xception, whose batch norms the origin has folded into the convolutions.
"""

from __future__ import annotations

from onnx import ModelProto

from tfjs_weights import Stored
from writer import Array, Weights, Writer, model, tensor

SIZE = 64
CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
ORIGIN = "StatefulPartitionedCall/model_1"
# The origin's names of the depthwise filters, in the order of the four separable convolutions.
DEPTHWISE = ("unknown_9", "unknown_15", "unknown_26", "unknown_32")


def build_graph(stored: dict[str, Stored]) -> ModelProto:
    """Build the graph from the origin's weights, all of which must be used.

    Returns
    -------
    ModelProto
        Input ``face`` (float32, N x 1 x 64 x 64); output ``logits`` (N x 7), of which softmax makes probabilities.
    """
    values = {name: weight.values() for name, weight in stored.items()}
    values.pop(f"{ORIGIN}/global_average_pooling2d_1/Mean/reduction_indices")  # which axes a mean is taken over
    weights, graph = Weights(values), Writer()
    x = _convolution(graph, weights, "face", 1, (1, 32, 3), stride=2)
    x = graph.node("Relu", [x], "conv1.relu")
    x = _convolution(graph, weights, x, 2, (32, 64, 3), stride=1)
    x = graph.node("Relu", [x], "conv2.relu")
    x = _block(graph, weights, x, 1, 64, 128)
    x = graph.node("Relu", [x], "block2.start")
    x = _block(graph, weights, x, 2, 128, 256, shortcut_from="block1.sum")
    weight = _turned(weights.take("unknown_43", (3, 3, 256, 7)))
    x = graph.convolution(x, "conv5", weight, weights.take("unknown_44", (7,)), auto_pad="SAME_UPPER")
    x = graph.node("GlobalAveragePool", [x], "average")
    graph.node("Flatten", [x], "logits", axis=1)
    weights.all_used()
    return model("expression", [graph], [tensor("face", ["N", 1, SIZE, SIZE])], [tensor("logits", ["N", 7])])


def _block(
    graph: Writer, weights: Weights, x: str, number: int, channels: int, out: int, shortcut_from: str | None = None
) -> str:
    """Write two separable convolutions, a pool, and the shortcut past them."""
    first, second = 2 * number - 1, 2 * number
    shortcut = _convolution(graph, weights, shortcut_from or x, number + 2, (channels, out, 1), stride=2)
    x = _separable(graph, weights, x, first, channels, out)
    x = graph.node("Relu", [x], f"separable{first}.relu")
    x = _separable(graph, weights, x, second, out, out)
    x = graph.node("MaxPool", [x], f"pool{number}", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    return graph.node("Add", [x, shortcut], f"block{number}.sum")


def _convolution(graph: Writer, weights: Weights, x: str, number: int, shape: tuple[int, int, int], stride: int) -> str:
    channels, out, kernel = shape
    name = f"{ORIGIN}/conv2d_{number}/Conv2D"
    weight = _turned(weights.take(f"{name}_weights", (kernel, kernel, channels, out)))
    return graph.convolution(x, f"conv{number}", weight, weights.take(f"{name}_bn_offset", (out,)), stride)


def _separable(graph: Writer, weights: Weights, x: str, number: int, channels: int, out: int) -> str:
    name = f"{ORIGIN}/separable_conv2d_{number}/separable_conv2d"
    depthwise = weights.take(DEPTHWISE[number - 1], (3, 3, channels, 1)).transpose(2, 3, 0, 1)
    x = graph.convolution(x, f"depthwise{number}", depthwise, None, group=channels, auto_pad="SAME_UPPER")
    weight = _turned(weights.take(f"{name}_weights", (1, 1, channels, out)))
    return graph.convolution(x, f"separable{number}", weight, weights.take(f"{name}_bn_offset", (out,)))


def _turned(weight: Array) -> Array:
    """Return a weight with ONNX's order of axes: TensorFlow has the output channels last, ONNX first."""
    return weight.transpose(3, 2, 0, 1)
