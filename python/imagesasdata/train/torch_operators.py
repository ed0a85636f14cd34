"""What the operators of ONNX do, in PyTorch: those that networks for photographs are made of.

Each function takes a `Node` and returns what computes its output; the definitions are those of
https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from .torch_node import Call, Node
from .torch_shapes import (
    cast,
    concat,
    expand,
    flatten,
    gather,
    range_,
    reshape,
    shape,
    slice_,
    split,
    squeeze,
    transpose,
    unsqueeze,
)
from .torch_windows import average_pool, conv, max_pool, pad


def batch_normalization(node: Node) -> Call:
    """Normalise by the statistics that the network was trained with; they stay as they are."""
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    return lambda x, scale, shift, mean, variance: functional.batch_norm(x, mean, variance, scale, shift, eps=epsilon)


def layer_normalization(node: Node) -> Call:
    axis, epsilon = int(node.attributes.get("axis", -1)), float(node.attributes.get("epsilon", 1e-5))

    def call(x: Tensor, scale: Tensor, shift: Tensor | None = None) -> Tensor:
        return functional.layer_norm(x, x.shape[axis:], scale.expand(x.shape[axis:]), shift, epsilon)

    return call


def clip(node: Node) -> Call:
    low, high = node.number("min", 1), node.number("max", 2)
    if low is None and high is None:
        return lambda x, *_: x
    if low is not None and high is not None and low < high:
        limits = low, high
        return lambda x, *_: functional.hardtanh(x, *limits, inplace=node.in_place)
    return lambda x, *_: torch.clamp(x, low, high)


def softmax(node: Node) -> Call:
    if node.opset >= 13:
        axis = int(node.attributes.get("axis", -1))
        return lambda x: x.softmax(axis)
    first = int(node.attributes.get("axis", 1))  # all sides from here on are one
    return lambda x: x.flatten(first % x.dim()).softmax(-1).reshape(x.shape)


def gelu(node: Node) -> Call:
    approximate = node.text("approximate", "none")
    return lambda x: functional.gelu(x, approximate=approximate)


def hard_sigmoid(node: Node) -> Call:
    slope, shift = float(node.attributes.get("alpha", 0.2)), float(node.attributes.get("beta", 0.5))
    return lambda x: torch.clamp(slope * x + shift, 0, 1)


def _arithmetic(function: Call) -> Callable[[Node], Call]:
    """Make an operator on two tensors or more; shapes are reckoned with on the CPU, wherever the photographs are."""

    def call(first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            if first.device != other.device:
                first, other = (first.to(other.device), other) if first.is_cpu else (first, other.to(first.device))
            first = function(first, other)
        return first

    return lambda node: call


def _divide(a: Tensor, b: Tensor) -> Tensor:
    whole = not (a.is_floating_point() or b.is_floating_point())
    return torch.div(a, b, rounding_mode="trunc" if whole else None)


def gemm(node: Node) -> Call:
    alpha, beta = float(node.attributes.get("alpha", 1.0)), float(node.attributes.get("beta", 1.0))
    turn_a, turn_b = bool(node.attributes.get("transA", 0)), bool(node.attributes.get("transB", 0))

    def call(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        a, b = a.T if turn_a else a, b.T if turn_b else b
        if c is None:
            return alpha * (a @ b)
        return torch.addmm(c, a, b, alpha=alpha, beta=beta)

    return call


def _reduce(function: Call) -> Callable[[Node], Call]:
    def operator(node: Node) -> Call:
        axes, keep = node.ints("axes", 1), bool(node.attributes.get("keepdims", 1))
        if not axes and node.attributes.get("noop_with_empty_axes", 0):
            return lambda x, *_: x
        return lambda x, *_: function(x, axes or list(range(x.dim())), keep)

    return operator


def _all_sides(x: Tensor) -> list[int]:
    return list(range(2, x.dim()))


def _plain(function: Call) -> Callable[[Node], Call]:
    """Make an operator without attributes, on its first input."""
    return lambda node: lambda x, *_: function(x)


def _with_alpha(function: Call, default: float) -> Callable[[Node], Call]:
    def operator(node: Node) -> Call:
        alpha = float(node.attributes.get("alpha", default))
        return lambda x: function(x, alpha)

    return operator


OPERATORS: dict[str, Callable[[Node], Call]] = {
    "Abs": _plain(torch.abs),
    "Add": _arithmetic(torch.add),
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Cast": cast,
    "Clip": clip,
    "Concat": concat,
    "Conv": conv,
    "Div": _arithmetic(_divide),
    "Dropout": _plain(lambda x: x),
    "Elu": _with_alpha(functional.elu, 1.0),
    "Erf": _plain(torch.erf),
    "Exp": _plain(torch.exp),
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "Gelu": gelu,
    "Gemm": gemm,
    "GlobalAveragePool": _plain(lambda x: x.mean(_all_sides(x), keepdim=True)),
    "GlobalMaxPool": _plain(lambda x: x.amax(_all_sides(x), keepdim=True)),
    "HardSigmoid": hard_sigmoid,
    "HardSwish": _plain(functional.hardswish),
    "Identity": _plain(lambda x: x),
    "LayerNormalization": layer_normalization,
    "LeakyRelu": _with_alpha(functional.leaky_relu, 0.01),
    "MatMul": _arithmetic(torch.matmul),
    "Max": _arithmetic(torch.maximum),
    "MaxPool": max_pool,
    "Min": _arithmetic(torch.minimum),
    "Mul": _arithmetic(torch.mul),
    "Neg": _plain(torch.neg),
    "PRelu": _arithmetic(lambda x, slope: torch.where(x >= 0, x, slope * x)),
    "Pad": pad,
    "Pow": _arithmetic(torch.pow),
    "Range": range_,
    "ReduceMax": _reduce(torch.amax),
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "Relu": lambda node: lambda x: functional.relu(x, inplace=node.in_place),
    "Reshape": reshape,
    "Shape": shape,
    "Sigmoid": _plain(torch.sigmoid),
    "Slice": slice_,
    "Softmax": softmax,
    "Softplus": _plain(functional.softplus),
    "Split": split,
    "Sqrt": _plain(torch.sqrt),
    "Squeeze": squeeze,
    "Sub": _arithmetic(torch.sub),
    "Sum": _arithmetic(torch.add),
    "Tanh": _plain(torch.tanh),
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "com.microsoft.Gelu": gelu,
}
