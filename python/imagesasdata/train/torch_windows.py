"""ONNX operators that look at windows of a map, in PyTorch: convolution, pooling, padding."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .torch_node import Call, Node


def _padding(
    node: Node, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[tuple[int, int]]:
    """Return how much to put before and after each side."""
    auto = node.text("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        pairs = []
        for size, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
            total = max((-(-size // stride) - 1) * stride + (k - 1) * dilation + 1 - size, 0)
            less, more = total // 2, total - total // 2
            pairs.append((less, more) if auto == "SAME_UPPER" else (more, less))
        return pairs
    pads = list(node.attributes.get("pads", [])) if auto == "NOTSET" else []
    pads = pads or [0] * (2 * len(kernel))
    return list(zip(pads[: len(kernel)], pads[len(kernel) :], strict=True))


def _pad(x: Tensor, pairs: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    """Pad the last sides; PyTorch wants the last one first."""
    return functional.pad(x, [n for pair in reversed(pairs) for n in pair], value=value)


def conv(node: Node) -> Call:
    functions: dict[int, Call] = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
    group = int(node.attributes.get("group", 1))

    def call(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        kernel = weight.shape[2:]
        strides = list(node.attributes.get("strides", [1] * len(kernel)))
        dilations = list(node.attributes.get("dilations", [1] * len(kernel)))
        pairs = _padding(node, x.shape[2:], kernel, strides, dilations)
        padding = [before for before, _ in pairs]
        if any(before != after for before, after in pairs):
            x, padding = _pad(x, pairs), [0] * len(kernel)
        answer: Tensor = functions[len(kernel)](x, weight, bias, strides, padding, dilations, group)
        return answer

    return call


def max_pool(node: Node) -> Call:
    functions: dict[int, Call] = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
    kernel, strides, dilations, ceil = _window(node)

    def call(x: Tensor) -> Tensor:
        pairs = _padding(node, x.shape[2:], kernel, strides, dilations)
        padding = [before for before, _ in pairs]
        if not _pool_can_pad(pairs, kernel):
            x, padding = _pad(x, pairs, -math.inf), [0] * len(kernel)
        answer: Tensor = functions[len(kernel)](x, kernel, strides, padding, dilations, ceil)
        return answer

    return call


def average_pool(node: Node) -> Call:
    functions: dict[int, Call] = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
    kernel, strides, dilations, ceil = _window(node)
    if any(dilation != 1 for dilation in dilations):
        node.refuse("it has dilations")
    counted = bool(node.attributes.get("count_include_pad", 0))
    pool = functions.get(len(kernel)) or node.refuse(f"it has {len(kernel)} dimensions")

    def call(x: Tensor) -> Tensor:
        pairs = _padding(node, x.shape[2:], kernel, strides, dilations)
        padding = [before for before, _ in pairs]
        if _pool_can_pad(pairs, kernel):
            answer: Tensor = pool(x, kernel, strides, padding, ceil, counted)
            return answer
        padded: Tensor = pool(_pad(x, pairs), kernel, strides, 0, ceil)
        if counted:
            return padded
        inside: Tensor = pool(_pad(torch.ones_like(x[:1, :1]), pairs), kernel, strides, 0, ceil)
        return padded / inside

    return call


def _window(node: Node) -> tuple[list[int], list[int], list[int], bool]:
    kernel = list(node.attributes["kernel_shape"])
    strides = list(node.attributes.get("strides", [1] * len(kernel)))
    dilations = list(node.attributes.get("dilations", [1] * len(kernel)))
    return kernel, strides, dilations, bool(node.attributes.get("ceil_mode", 0))


def _pool_can_pad(pairs: Sequence[tuple[int, int]], kernel: Sequence[int]) -> bool:
    """Whether PyTorch's own padding will do: the same on both sides, and at most half a window."""
    return all(before == after <= k // 2 for (before, after), k in zip(pairs, kernel, strict=True))


def pad(node: Node) -> Call:
    mode, value = node.text("mode", "constant"), node.number("value", 2) or 0.0
    pads, axes = node.ints("pads", 1), node.ints("axes", 3)
    names = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
    if pads is None or mode not in names:
        node.refuse(f'its mode is "{mode}"')

    def call(x: Tensor, *_: Tensor) -> Tensor:
        pairs = [(0, 0)] * x.dim()
        sides = list(range(x.dim())) if axes is None else axes
        for side, before, after in zip(sides, pads[: len(sides)], pads[len(sides) :], strict=True):
            pairs[side] = (before, after)
        if mode == "constant":
            return _pad(x, pairs, value)
        while pairs and pairs[0] == (0, 0):
            pairs = pairs[1:]
        return functional.pad(x, [n for pair in reversed(pairs) for n in pair], mode=names[mode])

    return call
