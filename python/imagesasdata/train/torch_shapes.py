"""ONNX operators that move numbers and change none, in PyTorch."""

from __future__ import annotations

import math

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor

from .torch_node import Call, Node

TYPES = {
    TensorProto.FLOAT: torch.float32,
    TensorProto.DOUBLE: torch.float64,
    TensorProto.FLOAT16: torch.float16,
    TensorProto.INT64: torch.int64,
    TensorProto.INT32: torch.int32,
    TensorProto.UINT8: torch.uint8,
    TensorProto.INT8: torch.int8,
    TensorProto.BOOL: torch.bool,
}


def flatten(node: Node) -> Call:
    axis = int(node.attributes.get("axis", 1))

    def call(x: Tensor) -> Tensor:
        first = axis + x.dim() if axis < 0 else axis
        return x.reshape(math.prod(x.shape[:first]), -1)

    return call


def reshape(node: Node) -> Call:
    fixed, zero_is_zero = node.constant(1), bool(node.attributes.get("allowzero", 0))

    def call(x: Tensor, shape: Tensor) -> Tensor:
        wanted = [int(side) for side in (shape.tolist() if fixed is None else fixed)]
        if not zero_is_zero:
            wanted = [x.shape[i] if side == 0 else side for i, side in enumerate(wanted)]
        return x.reshape(wanted)

    return call


def squeeze(node: Node) -> Call:
    axes = node.ints("axes", 1)
    return lambda x, *_: x.squeeze() if axes is None else x.squeeze(axes)


def unsqueeze(node: Node) -> Call:
    axes = node.ints("axes", 1) or []

    def call(x: Tensor, *_: Tensor) -> Tensor:
        sides = x.dim() + len(axes)  # in the result, where negative ones count from its end
        for axis in sorted(axis % sides for axis in axes):
            x = x.unsqueeze(axis)
        return x

    return call


def transpose(node: Node) -> Call:
    order = node.attributes.get("perm")
    return lambda x: x.permute(list(order) if order else list(reversed(range(x.dim()))))


def concat(node: Node) -> Call:
    axis = int(node.attributes["axis"])
    return lambda *parts: torch.cat(parts, axis)


def split(node: Node) -> Call:
    axis, sizes = int(node.attributes.get("axis", 0)), node.ints("split", 1)
    if sizes is None:
        node.refuse("the sizes of its parts are not given")
    return lambda x, *_: x.split(sizes, axis)


def slice_(node: Node) -> Call:
    starts, ends, axes = node.ints("starts", 1), node.ints("ends", 2), node.ints("axes", 3)
    steps = node.ints("steps", 4)
    if starts is None or ends is None:
        node.refuse("its limits are not given")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if min(steps) < 1:
        node.refuse("it counts backwards")

    def call(x: Tensor, *_: Tensor) -> Tensor:
        index: list[slice] = [slice(None)] * x.dim()
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
            index[axis] = slice(max(start, -x.shape[axis]), min(end, x.shape[axis]), step)
        return x[tuple(index)]

    return call


def gather(node: Node) -> Call:
    axis = int(node.attributes.get("axis", 0))

    def call(x: Tensor, indices: Tensor) -> Tensor:
        side = axis % x.dim()
        places = torch.where(indices < 0, indices + x.shape[side], indices).to(x.device)
        return x.index_select(side, places.reshape(-1)).reshape((*x.shape[:side], *places.shape, *x.shape[side + 1 :]))

    return call


def shape(node: Node) -> Call:
    start, end = int(node.attributes.get("start", 0)), node.attributes.get("end")
    return lambda x: torch.tensor(x.shape[start:end], dtype=torch.int64)


def range_(node: Node) -> Call:
    return lambda start, end, step: torch.arange(start.item(), end.item(), step.item(), dtype=start.dtype)


def expand(node: Node) -> Call:
    return lambda x, shape: x.expand(np.broadcast_shapes(tuple(x.shape), tuple(shape.tolist())))


def cast(node: Node) -> Call:
    kind = TYPES.get(node.attributes["to"])
    if kind is None:
        node.refuse("it makes numbers of a kind that PyTorch has not")
    return lambda x: x.to(kind)
