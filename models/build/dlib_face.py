"""Write dlib's network that describes a face by 128 numbers as an ONNX graph.

King (2017): a residual network of 29 layers (He, Zhang, Ren and Sun 2016), trained so that two photographs of the same
person are less than 0.6 apart. The origin stores most weights as bytes. They stay bytes in the file, and ONNX Runtime
makes numbers of them when it opens it. Each convolution is followed by a scale and a shift a channel, which are folded
into it.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto

from tfjs_weights import Stored
from writer import Writer, model, tensor

SIZE = 150
WIDTH = 128
# Name, channels, and whether it halves the sides; a block that has more channels than the one before pads with zeros.
BLOCKS = [
    *((f"conv32_{i}", 32, False) for i in (1, 2, 3)),
    ("conv64_down", 64, True),
    *((f"conv64_{i}", 64, False) for i in (1, 2, 3)),
    ("conv128_down", 128, True),
    *((f"conv128_{i}", 128, False) for i in (1, 2)),
    ("conv256_down", 256, True),
    *((f"conv256_{i}", 256, False) for i in (1, 2)),
    ("conv256_down_out", 256, True),
]


def build_graph(weights: dict[str, Stored]) -> ModelProto:
    """Build the graph from the origin's weights, all of which must be used.

    Returns
    -------
    ModelProto
        Input ``face`` (float32, N x 3 x 150 x 150); equal outputs ``descriptor`` and ``output`` (N x 128).
    """
    graph, left = Writer(), dict(weights)
    x = _convolution(graph, left, "face", "conv32_down", 3, 32, 7, stride=2, padding=0)
    x = graph.node("Relu", [x], "conv32_down.relu")
    x = graph.node("MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, 35
    for name, out, halved in BLOCKS:
        x, side = _block(graph, left, x, name, channels, out, halved, side)
        channels = out
    x = graph.node("GlobalAveragePool", [x], "average")
    x = graph.node("Flatten", [x], "flat", axis=1)
    weight = _weight(graph, "fc", left.pop("fc"), (channels, WIDTH), None)
    graph.node("MatMul", [x, weight], "descriptor")
    graph.node("Identity", ["descriptor"], "output")
    if left:
        raise ValueError(f"the network has no place for these weights: {', '.join(sorted(left))}")
    outputs = [tensor(name, ["N", WIDTH]) for name in ("descriptor", "output")]
    return model("dlib_face", [graph], [tensor("face", ["N", 3, SIZE, SIZE])], outputs)


def _block(
    graph: Writer, left: dict[str, Stored], x: str, name: str, channels: int, out: int, halved: bool, side: int
) -> tuple[str, int]:
    """Write two convolutions and the shortcut past them; return the output and the side of its maps."""
    start = x
    first = {"stride": 2, "padding": 0} if halved else {"stride": 1, "padding": 1}
    x = _convolution(graph, left, x, f"{name}/conv1", channels, out, 3, **first)
    x = graph.node("Relu", [x], f"{name}/conv1.relu")
    x = _convolution(graph, left, x, f"{name}/conv2", out, out, 3, stride=1, padding=1)
    if halved:
        start = graph.node("AveragePool", [start], f"{name}/shortcut", kernel_shape=[2, 2], strides=[2, 2])
        made, pooled = (side - 3) // 2 + 1, side // 2
        side = max(made, pooled)
        # Whichever is smaller gets zeros at the right and below, as dlib does it.
        x = _padded(graph, x, 0, side - made)
        start = _padded(graph, start, out - channels, side - pooled)
    x = graph.node("Add", [x, start], f"{name}/sum")
    return graph.node("Relu", [x], f"{name}/out"), side


def _padded(graph: Writer, x: str, channels: int, pixels: int) -> str:
    if not channels and not pixels:
        return x
    ends = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
    return graph.node("Pad", [x, graph.constant(f"{x}.ends", ends)], f"{x}.padded")


def _convolution(
    graph: Writer,
    left: dict[str, Stored],
    x: str,
    name: str,
    channels: int,
    out: int,
    kernel: int,
    stride: int,
    padding: int,
) -> str:
    """Write a convolution with the scale and shift behind it folded in."""
    bias, scale, shift = (
        left.pop(f"{name}/{part}").values() for part in ("conv/bias", "scale/weights", "scale/biases")
    )
    filters = left.pop(f"{name}/conv/filters")
    weight = _weight(graph, name, filters, (kernel, kernel, channels, out), scale)
    inputs = [x, weight, graph.constant(f"{name}.bias", (bias * scale + shift).astype(np.float32))]
    sides = {"kernel_shape": [kernel, kernel], "strides": [stride, stride], "pads": [padding] * 4}
    return graph.node("Conv", inputs, name, **sides)


def _weight(graph: Writer, name: str, stored: Stored, shape: tuple[int, ...], factor: np.ndarray | None) -> str:
    """Write a weight, multiplied by `factor`, one number an output channel; bytes stay bytes."""
    if stored.numbers.shape != shape:
        raise ValueError(f'weight "{name}" has shape {stored.numbers.shape}; the network needs shape {shape}')
    # TensorFlow has the output channels last, ONNX first.
    numbers = stored.numbers.transpose(3, 2, 0, 1) if len(shape) == 4 else stored.numbers
    factors = np.ones(1, np.float32) if factor is None else factor.reshape(-1, 1, 1, 1)
    if not stored.quantized:
        return graph.constant(f"{name}.weight", (numbers * factors).astype(np.float32))
    scale, least = np.float32(stored.scale) * factors, np.float32(stored.least) * factors
    x = graph.node("Cast", [graph.constant(f"{name}.bytes", numbers)], f"{name}.numbers", to=TensorProto.FLOAT)
    x = graph.node("Mul", [x, graph.constant(f"{name}.scale", scale.astype(np.float32))], f"{name}.scaled")
    return graph.node("Add", [x, graph.constant(f"{name}.least", least.astype(np.float32))], f"{name}.weight")
