"""Read and write a model: one ``.onnx`` file with graph, classes, preprocessing, provenance and licence.

The metadata is one JSON text under the key ``imagesasdata``; ``docs/model-file.md`` documents its schema. A model file
is untrusted input: nothing in it is executed but standard ONNX operators, and no pickle is ever read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import load_external_data_for_model

from .decode import Preprocessing
from .errors import ArgumentInvalid, ModelCardMissing, ModelInvalid, ModelNotFound, ModelTooNew, quoted

KEY = "imagesasdata"
SCHEMA_VERSION = 1
TASKS = ("single", "multi", "score")
ACTIVATIONS = ("softmax", "sigmoid", "none")
# Operators that ONNX Runtime carries itself; anything else would need a library of native code.
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})


@dataclass(frozen=True)
class ModelCard:
    """Everything that is known of a model besides its graph.

    Attributes
    ----------
    name : str
        How users call the model.
    task : {"single", "multi", "score"}
        Exclusive classes, several attributes at once, or numbers.
    classes : tuple of str
        Names of the classes, attributes or scores, in the order of the output.
    preprocessing : Preprocessing
        How a photograph becomes the input.
    tensors : dict
        Names of the ``input``, ``embedding`` (may be None) and ``output`` tensors.
    activation : {"softmax", "sigmoid", "none"}
        What turns the output into probabilities.
    class_ids : tuple of str, optional
        Identifiers of the classes elsewhere, such as WordNet ids.
    backbone : dict
        ``name`` and ``sha256`` of the graph from the input to the embedding.
    provenance : dict
        ``package_version``, ``data_fingerprint``, ``seed``, ``date``, ``origin``.
    licence : str
        SPDX identifier, or a sentence.
    metrics : dict
        Measured quality, with its source.
    description : str
        What the model is for, in a sentence or two.
    """

    name: str
    task: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    tensors: dict[str, str | None]
    activation: str
    class_ids: tuple[str, ...] | None = None
    backbone: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    licence: str = "unknown"
    metrics: dict[str, Any] = field(default_factory=dict)
    description: str = ""

    def __post_init__(self) -> None:
        problems = []
        if self.task not in TASKS:
            problems.append(f"task is {self.task!r}, not one of {quoted(TASKS)}")
        if self.activation not in ACTIVATIONS:
            problems.append(f"activation is {self.activation!r}, not one of {quoted(ACTIVATIONS)}")
        if not self.classes or not all(isinstance(c, str) and c for c in self.classes):
            problems.append("classes must be names, at least one")
        if self.task == "single" and len(self.classes) < 2:
            problems.append("a single-label model needs two classes or more")
        doubled = sorted(name for name, count in Counter(self.classes).items() if count > 1)
        if doubled:
            problems.append(f"classes occur twice: {quoted(doubled)}")
        if self.class_ids is not None and len(self.class_ids) != len(self.classes):
            problems.append(f"{len(self.class_ids)} class_ids for {len(self.classes)} classes")
        steps = self.preprocessing
        for key in ("mean", "std"):
            if len(getattr(steps, key)) != steps.channels:
                problems.append(f"preprocessing.{key} needs {steps.channels} number(s)")
        if not all(isinstance(side, int) and not isinstance(side, bool) for side in (steps.size, steps.resize)):
            problems.append("preprocessing.size and resize must be whole numbers of pixels")
        if not 1 <= steps.size <= 4096 or not 1 <= steps.resize <= 65_536:
            problems.append("preprocessing.size must be between 1 and 4096 pixels and resize between 1 and 65536")
        if not isinstance(steps.jpeg_scaling, bool):
            problems.append("preprocessing.jpeg_scaling must be true or false")
        if steps.rule == "short_side_crop" and steps.resize < steps.size:
            problems.append("preprocessing.resize must not be less than size: the crop is cut out of it")
        if 0 in steps.std or steps.scale == 0:
            problems.append("preprocessing.std and scale must not be 0")
        if not all(map(math.isfinite, (*steps.mean, *steps.std, steps.scale))):
            problems.append("preprocessing.mean, std and scale must be finite numbers")
        for key in ("tensors", "backbone", "provenance", "metrics"):
            if not isinstance(getattr(self, key), dict):
                problems.append(f"{key} must be an object")
        problems += [f"{key} must be text" for key in ("name", "licence", "description") if not _is_text(self, key)]
        for key, value in self.tensors.items() if isinstance(self.tensors, dict) else ():
            if not isinstance(value, str | None):
                problems.append(f"tensors.{key} must be the name of a tensor")
        if isinstance(self.backbone, dict) and not isinstance(self.backbone.get("sha256", ""), str):
            problems.append("backbone.sha256 must be text")
        if problems:
            raise ModelInvalid(f"The model card is not valid: {'; '.join(problems)}.")

    def to_json(self) -> str:
        """Return the metadata as JSON, the same text for the same card."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str, path: Path) -> ModelCard:
        """Read the metadata; `path` is named in errors."""
        try:
            values = json.loads(text)
            json.dumps(values, ensure_ascii=False).encode()  # fails at half an emoji, which no table can hold
            version = values.pop("schema_version")
            if version > SCHEMA_VERSION:
                raise ModelTooNew(
                    f'"{path}" was written in model format {version}; this version reads up to {SCHEMA_VERSION}. '
                    "Update imagesasdata."
                )
            known = {f.name for f in dataclasses.fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            steps = {f.name for f in dataclasses.fields(Preprocessing)}
            raw = {key: value for key, value in values["preprocessing"].items() if key in steps}
            raw["mean"], raw["std"] = tuple(map(float, raw["mean"])), tuple(map(float, raw["std"]))
            values["preprocessing"] = Preprocessing(**raw)
            values["classes"] = tuple(values["classes"])
            if values.get("class_ids") is not None:
                values["class_ids"] = tuple(values["class_ids"])
            return cls(**values)
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,  # a number that is too large
            RecursionError,  # brackets in brackets in brackets
            ArgumentInvalid,
        ) as problem:
            raise ModelInvalid(
                f'The metadata of "{path}" cannot be read ({type(problem).__name__}: {problem}). '
                "See docs/model-file.md for the format."
            ) from problem


def _is_text(card: ModelCard, key: str) -> bool:
    return isinstance(getattr(card, key), str)


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


def read_model(path: str | os.PathLike[str]) -> tuple[onnx.ModelProto, ModelCard]:
    """Return graph and card of a model file.

    Raises
    ------
    ModelCardMissing
        A plain ONNX file: take it in first with ``iad models add``.
    ModelInvalid
        The file cannot be used, or its card does not fit its graph.
    """
    proto = load_graph(path)
    text = next((entry.value for entry in proto.metadata_props if entry.key == KEY), None)
    if text is None:
        raise ModelCardMissing(
            f'"{path}" is a plain ONNX file without classes and preprocessing. Take it in once: '
            f"iad models add {Path(path).name} --classes classes.txt --size 224 --mean 0.485 0.456 0.406 "
            "--std 0.229 0.224 0.225 (with the values that it was trained with)"
        )
    card = ModelCard.from_json(text, Path(path))
    _check_tensors(proto, card)
    return proto, card


def read_card(path: str | os.PathLike[str]) -> ModelCard:
    """Return the card of a model file."""
    return read_model(path)[1]


def write_model(proto: onnx.ModelProto, card: ModelCard, path: str | os.PathLike[str]) -> ModelCard:
    """Write graph and card as one file; the same input gives the same bytes, and the file appears only when whole.

    Returns
    -------
    ModelCard
        The card as written, with the backbone's sha256.
    """
    proto = onnx.ModelProto.FromString(proto.SerializeToString(deterministic=True))
    _check_tensors(proto, card)
    if card.tensors.get("embedding"):
        backbone = {"name": card.name, **card.backbone, "sha256": backbone_sha256(proto, card)}
        card = dataclasses.replace(card, backbone=backbone)
    kept = [entry for entry in proto.metadata_props if entry.key != KEY]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    proto.metadata_props.add(key=KEY, value=card.to_json())
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(proto.SerializeToString(deterministic=True))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return card


def verify_model(path: str | os.PathLike[str]) -> ModelCard:
    """Check a model file against itself and return its card.

    The tensors named in the card exist, the number of classes is the width of the output where the graph states it,
    the backbone has the sha256 that the card says, and the graph is valid ONNX.

    Raises
    ------
    ModelInvalid
        With what contradicts what.
    """
    proto, card = read_model(path)
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as problem:
        raise ModelInvalid(f'"{path}" is not valid ONNX: {problem}') from problem
    claimed = card.backbone.get("sha256")
    if claimed and claimed != backbone_sha256(proto, card):
        raise ModelInvalid(
            f'The backbone in "{path}" is not the one that its card names (sha256 {claimed[:12]}...): the file was '
            "changed after it was written. Fetch it again from its origin."
        )
    return card


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Return the sha256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def backbone_sha256(proto: onnx.ModelProto, card: ModelCard) -> str:
    """Return a sha256 of the graph from the input to the embedding: its nodes, in order, and its weights.

    Two files with the same backbone and different heads have the same value, so embeddings can be shared.
    """
    graph = proto.graph
    makers = {output: node for node in graph.node for output in node.output}
    wanted, needed = [str(card.tensors.get("embedding"))], set()
    while wanted:
        name = wanted.pop()
        if name and name not in needed:
            needed.add(name)
            wanted.extend(node_inputs(makers[name]) if name in makers else ())
    digest = hashlib.sha256()
    for node in graph.node:
        if needed.intersection(node.output):
            plain = onnx.NodeProto()
            plain.CopyFrom(node)
            plain.ClearField("doc_string")
            digest.update(plain.SerializeToString(deterministic=True))
    for weight in sorted((w for w in graph.initializer if w.name in needed), key=lambda w: w.name):
        digest.update(f"{weight.name}:{weight.data_type}:{list(weight.dims)}".encode())
        try:
            digest.update(onnx.numpy_helper.to_array(weight).tobytes())
        except Exception as problem:
            raise ModelInvalid(f'The weights "{weight.name}" of the model cannot be read: {problem}') from problem
    for function in proto.functions:
        digest.update(function.SerializeToString(deterministic=True))
    return digest.hexdigest()


def node_inputs(node: onnx.NodeProto) -> list[str]:
    """Return the tensors that a node takes: its inputs, and those that branches and loops in it take from outside."""
    return [name for inner in _nodes([node]) for name in inner.input]


def input_shape(proto: onnx.ModelProto, name: str) -> list[int | None]:
    """Return the shape of a graph input, None where it is free."""
    value = next(v for v in proto.graph.input if v.name == name)
    return _shape(value)


def free_inputs(proto: onnx.ModelProto) -> list[str]:
    """Return the names of the graph's inputs that are not weights."""
    weights = {w.name for w in proto.graph.initializer}
    return [v.name for v in proto.graph.input if v.name not in weights]


def _shape(value: onnx.ValueInfoProto) -> list[int | None]:
    dims = value.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims]


def _check_tensors(proto: onnx.ModelProto, card: ModelCard) -> None:
    inputs = free_inputs(proto)
    if card.tensors.get("input") not in inputs or len(inputs) != 1:
        raise ModelInvalid(
            f"The graph has the input(s) {quoted(inputs)}; the card names {card.tensors.get('input')!r}. "
            "A model takes exactly one input, the image."
        )
    side, channels = card.preprocessing.size, card.preprocessing.channels
    shape = input_shape(proto, inputs[0])
    orders = ((channels, side, side), (side, side, channels))
    fits = any(all(d in (None, e) for d, e in zip(shape[1:], order, strict=False)) for order in orders)
    if len(shape) == 4 and not fits:
        given = " x ".join("?" if d is None else str(d) for d in shape)
        raise ModelInvalid(
            f"The graph takes images of {given}; the card says {side} x {side} pixels with {channels} channel(s)."
        )
    made = {output for node in proto.graph.node for output in node.output}
    for role in ("output", "embedding"):
        name = card.tensors.get(role)
        if (name is not None or role == "output") and name not in made:
            raise ModelInvalid(f"The graph has no tensor {name!r}, which the card names as its {role}.")
    output = next((v for v in proto.graph.output if v.name == card.tensors["output"]), None)
    check_width(output_width(output) if output is not None else None, card)


def output_width(value: onnx.ValueInfoProto) -> int | None:
    """Return how many numbers an image a graph output has, None where that is free or not stated."""
    shape = _shape(value)
    sides = shape[1:] if len(shape) > 1 else shape  # [n, 1000], or [n, 1000, 1, 1]
    return math.prod(d for d in sides if d is not None) if sides and None not in sides else None


def check_width(width: int | None, card: ModelCard) -> None:
    """Raise `ModelInvalid` where the output's width is known and is not the number of classes."""
    if width is not None and width != len(card.classes):
        raise ModelInvalid(
            f"The network has {width:,} outputs and {len(card.classes):,} classes are named. "
            "Give one name for each output, in its order."
        )


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
