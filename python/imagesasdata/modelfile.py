"""Read and write a model: one ``.onnx`` file with graph, classes, preprocessing, provenance and licence.

The metadata is one JSON text under the key ``imagesasdata``; ``docs/model-file.md`` documents its schema. A model file
is untrusted input: nothing in it is executed but standard ONNX operators, and no pickle is ever read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import onnx

from .card import ModelCard, check_width
from .errors import ModelCardMissing, ModelInvalid, quoted
from .graph import free_inputs, input_shape, load_graph, output_width, upstream

KEY = "imagesasdata"
CASCADE = (
    *(f"{net}_{part}" for net in ("pnet", "rnet", "onet") for part in ("image", "prob", "offsets")),
    "onet_landmarks",
)


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
    needed = upstream(proto, str(card.tensors.get("embedding")))
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


def _check_tensors(proto: onnx.ModelProto, card: ModelCard) -> None:
    inputs = free_inputs(proto)
    if card.task == "detect":  # a cascade of three networks, each with an input of its own
        names = {*inputs, *(value.name for value in proto.graph.output)}
        missing = [name for name in CASCADE if name not in names]
        if missing:
            raise ModelInvalid(f"The graph has no {quoted(missing)}, which a model that finds faces needs.")
        return
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
