"""The graph of a model: read an ONNX file and refuse what is unsafe to run; find one's way in it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import load_external_data_for_model

from .errors import ModelInvalid, ModelNotFound, quoted

# Operators that ONNX Runtime carries itself; anything else would need a library of native code.
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})


def load_graph(path: str | os.PathLike[str]) -> onnx.ModelProto:
    """Parse an ONNX file, with its external data where they lie beside it, and refuse what is unsafe to run.

    Raises
    ------
    ModelNotFound, ModelInvalid
        Not there; not ONNX; external data outside the file's folder; custom operators.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelNotFound(f'There is no model file "{path}".')
    content = path.read_bytes()
    try:
        proto: onnx.ModelProto | None = onnx.ModelProto.FromString(content)
    except DecodeError:
        proto = None
    if proto is None or not proto.graph.node:
        start = content[:12].decode("latin-1")
        raise ModelInvalid(
            f'"{path}" is not an ONNX model: it starts with {start!r}. Export the network to ONNX first '
            "(PyTorch: torch.onnx.export; Keras: tf2onnx)."
        )
    _refuse_names(proto, path)
    _refuse_escape(proto, path)
    _refuse_custom(proto, path)
    try:
        load_external_data_for_model(proto, str(path.parent))
    except Exception as problem:
        raise ModelInvalid(f'The external data of "{path}" cannot be read: {problem}') from problem
    _refuse_remaining(proto, path)
    return proto


def input_shape(proto: onnx.ModelProto, name: str) -> list[int | None]:
    """Return the shape of a graph input, None where it is free."""
    value = next(v for v in proto.graph.input if v.name == name)
    return _shape(value)


def free_inputs(proto: onnx.ModelProto) -> list[str]:
    """Return the names of the graph's inputs that are not weights."""
    weights = {w.name for w in proto.graph.initializer}
    return [v.name for v in proto.graph.input if v.name not in weights]


def output_width(value: onnx.ValueInfoProto) -> int | None:
    """Return how many numbers an image a graph output has, None where that is free or not stated."""
    shape = _shape(value)
    sides = shape[1:] if len(shape) > 1 else shape  # [n, 1000], or [n, 1000, 1, 1]
    return math.prod(d for d in sides if d is not None) if sides and None not in sides else None


def upstream(proto: onnx.ModelProto, tensor: str, stop: str | None = None) -> set[str]:
    """Return the names of all tensors that `tensor` is made of, itself among them, back to the input or to `stop`."""
    makers = {output: node for node in proto.graph.node for output in node.output}
    wanted: list[str] = [tensor]
    needed: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name and name != stop and name not in needed:
            needed.add(name)
            wanted.extend(node_inputs(makers[name]) if name in makers else ())
    return needed


def node_inputs(node: onnx.NodeProto) -> list[str]:
    """Return the tensors that a node takes: its inputs, and those that branches and loops in it take from outside."""
    return [name for inner in _nodes([node]) for name in inner.input]


def _shape(value: onnx.ValueInfoProto) -> list[int | None]:
    dims = value.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims]


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from _tensors(inner)


def _nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from _nodes(inner.node)


def _all_tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from _tensors(proto.graph)
    for function in proto.functions:
        yield from _node_tensors(function.node)


def _refuse_names(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse names that are no UTF-8, which protobuf hands over as bytes."""
    values = (*proto.graph.input, *proto.graph.output, *proto.graph.value_info, *_all_tensors(proto))
    bodies = [proto.graph.node, *(function.node for function in proto.functions)]
    nodes = [node for body in bodies for node in _nodes(body)]
    names = [*(value.name for value in values), *(name for node in nodes for name in (*node.input, *node.output))]
    names += [name for node in nodes for name in (node.name, node.op_type, node.domain)]
    if any(isinstance(name, bytes) for name in names):
        raise ModelInvalid(f'"{path}" has a tensor or an operator whose name is no text: the file is damaged.')


def _refuse_escape(proto: onnx.ModelProto, path: Path) -> None:
    folder = path.parent.resolve()
    for tensor in _all_tensors(proto):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        for location in [entry.value for entry in tensor.external_data if entry.key == "location"] or [""]:
            if not location or not _inside(folder, location):
                raise ModelInvalid(
                    f'"{path}" keeps weights in "{location}", outside its own folder, which is refused: a model file '
                    "could read any file that way. Put the data beside the model, or save the model as one file "
                    "(onnx.save_model(..., save_as_external_data=False))."
                )
            if not (folder / location).is_file():  # a named pipe would be waited for
                raise ModelInvalid(f'The external data of "{path}" cannot be read: there is no file "{location}".')


def _inside(folder: Path, location: str) -> bool:
    try:
        return (folder / location).resolve().is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):  # a null byte, or links in a circle
        return False


def _refuse_remaining(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse what ONNX Runtime would look for by itself, in the working directory or at an address in memory."""
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _all_tensors(proto)):
        raise ModelInvalid(
            f'"{path}" keeps weights of a function outside the file, which is refused. Save the model as one file '
            "(onnx.save_model(..., save_as_external_data=False))."
        )


def _refuse_custom(proto: onnx.ModelProto, path: Path) -> None:
    own = {function.domain for function in proto.functions}
    bodies = [proto.graph.node, *(function.node for function in proto.functions)]
    nodes = (node for body in bodies for node in _nodes(body))
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in nodes if node.domain not in DOMAINS | own})
    if foreign:
        raise ModelInvalid(
            f'"{path}" uses custom operators ({quoted(foreign)}), which would need native code from elsewhere. '
            "Export it again with standard ONNX operators."
        )
