"""Write an EfficientNet-Lite as an ONNX graph, its batch norms folded into the convolutions.

The network is that of Tan and Le (2019), "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", in
its Lite variant: no squeeze-and-excitation, ReLU6 instead of swish, stem and head not scaled. Each block widens its
input by a 1 x 1 convolution (expand), filters each channel on its own (depthwise), and narrows again (project).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from writer import Array, Weights, Writer, model, tensor

BATCH_NORM_EPSILON = 1e-3
STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
CLASSES = 1000


class Stage(NamedTuple):
    """A run of equal blocks, before scaling; only the first block has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class Variant(NamedTuple):
    """How far a variant scales the base network, and the side of its square input in pixels."""

    width: float
    depth: float
    size: int


VARIANTS = {"efficientnet_lite0": Variant(1.0, 1.0, 224), "efficientnet_lite2": Variant(1.1, 1.2, 260)}


class Block(NamedTuple):
    """One block of the scaled network."""

    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int


def scaled_blocks(variant: Variant) -> Iterator[Block]:
    """Yield the blocks of a variant; the Lite family leaves the depth of the first and the last stage alone."""
    channels_in = STEM_CHANNELS
    for number, stage in enumerate(STAGES):
        ends = number in (0, len(STAGES) - 1)
        channels_out = _scaled_channels(stage.channels, variant.width)
        for repeat in range(stage.blocks if ends else math.ceil(stage.blocks * variant.depth)):
            yield Block(stage.kernel, stage.stride if repeat == 0 else 1, stage.expansion, channels_in, channels_out)
            channels_in = channels_out


def _scaled_channels(channels: int, width: float) -> int:
    """Round to a multiple of 8, but never down by more than a tenth."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


class _Writer(Writer):
    """A writer that takes each weight of the origin once, in float64."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.weights = weights

    def initializer(self, name: str, values: NDArray[Any]) -> str:
        return self.constant(name, values.astype(np.float32))

    def take(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return self.weights.take(name, shape).astype(np.float64)

    def folded(
        self, x: str, name: str, origin: tuple[str, str], shape: tuple[int, int, int], stride: int = 1, groups: int = 1
    ) -> str:
        """Write a convolution with the batch norm behind it folded in; `shape` is (out, in, kernel)."""
        out, channels, kernel = shape
        conv, norm = origin
        weight = self.take(f"{conv}.weight", (out, channels, kernel, kernel))
        scale, shift, mean, variance = (
            self.take(f"{norm}.{part}", (out,)) for part in ("weight", "bias", "running_mean", "running_var")
        )
        # In float64, so that folding costs one rounding and not four.
        factor = scale / np.sqrt(variance + BATCH_NORM_EPSILON)
        inputs = [
            x,
            self.initializer(f"{name}.weight", weight * factor[:, None, None, None]),
            self.initializer(f"{name}.bias", shift - mean * factor),
        ]
        attributes: dict[str, Any] = {"kernel_shape": [kernel, kernel], "strides": [stride, stride], "group": groups}
        if kernel > 1:
            # TensorFlow pads a stride of 2 more at the lower right than at the upper left.
            attributes["auto_pad"] = "SAME_UPPER"
        return self.node("Conv", inputs, name, **attributes)

    def relu6(self, x: str) -> str:
        return self.node("Clip", [x, "relu6.minimum", "relu6.maximum"], f"{x}.relu6")


def build_graph(name: str, weights: dict[str, Array]) -> ModelProto:
    """Build the ONNX graph of an EfficientNet-Lite from its PyTorch weights.

    Parameters
    ----------
    name
        ``"efficientnet_lite0"`` or ``"efficientnet_lite2"``.
    weights
        Arrays by the names of the origin's state dict. All must be used.

    Returns
    -------
    ModelProto
        Input ``image`` (float32, N x 3 x size x size); outputs ``embedding`` (N x 1280) and ``logits`` (N x 1000).
    """
    variant = VARIANTS[name]
    # num_batches_tracked counts training steps: nothing at prediction depends on it.
    graph = _Writer(Weights({key: value for key, value in weights.items() if not key.endswith(".num_batches_tracked")}))
    graph.initializer("relu6.minimum", np.array(0.0))
    graph.initializer("relu6.maximum", np.array(6.0))

    x = graph.relu6(graph.folded("image", "stem", ("_conv_stem", "_bn0"), (STEM_CHANNELS, 3, 3), stride=2))
    for number, block in enumerate(scaled_blocks(variant)):
        x = _write_block(graph, x, number, block)
    channels = _scaled_channels(STAGES[-1].channels, variant.width)
    x = graph.relu6(graph.folded(x, "head", ("_conv_head", "_bn1"), (HEAD_CHANNELS, channels, 1)))
    x = graph.node("GlobalAveragePool", [x], "pool")
    x = graph.node("Flatten", [x], "embedding", axis=1)
    classifier = [
        graph.initializer("classifier.weight", graph.take("_fc.weight", (CLASSES, HEAD_CHANNELS))),
        graph.initializer("classifier.bias", graph.take("_fc.bias", (CLASSES,))),
    ]
    graph.node("Gemm", [x, *classifier], "logits", transB=1)
    graph.weights.all_used()
    image = tensor("image", ("N", 3, variant.size, variant.size))
    outputs = [tensor("embedding", ("N", HEAD_CHANNELS)), tensor("logits", ("N", CLASSES))]
    return model(name, [graph], [image], outputs)


def _write_block(graph: _Writer, x: str, number: int, block: Block) -> str:
    start, name, origin = x, f"block{number}", f"_blocks.{number}"
    wide = block.channels_in * block.expansion
    if block.expansion > 1:
        x = graph.folded(
            x, f"{name}.expand", (f"{origin}._expand_conv", f"{origin}._bn0"), (wide, block.channels_in, 1)
        )
        x = graph.relu6(x)
    depthwise = (f"{origin}._depthwise_conv", f"{origin}._bn1")
    x = graph.folded(x, f"{name}.depthwise", depthwise, (wide, 1, block.kernel), block.stride, groups=wide)
    x = graph.relu6(x)
    project = (f"{origin}._project_conv", f"{origin}._bn2")
    x = graph.folded(x, f"{name}.project", project, (block.channels_out, wide, 1))
    if block.stride == 1 and block.channels_in == block.channels_out:
        x = graph.node("Add", [x, start], f"{name}.sum")
    return x
