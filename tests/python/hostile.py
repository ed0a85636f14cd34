"""Hostile model files, drawn node by node; `python hostile.py FOLDER IMAGE` tries them and prints what came of each.

They are tried in a process of its own, with little memory, since a crash of ONNX Runtime would end the tests.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from networks import ASKED, CARD, SIDE, add_node, colours, keep_outside
from onnx import AttributeProto, TensorProto, helper, numpy_helper

import imagesasdata
from imagesasdata.errors import ImagesAsDataError
from imagesasdata.modelfile import KEY

GIGABYTES = 6  # of addresses, most of which a process only reserves
MUTATIONS = 150
ANY = helper.make_tensor_value_info("c", TensorProto.FLOAT, None)


def with_weights(*dims: int, data: bytes = b"", kind: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """The network with weights of another shape."""
    proto = colours()
    tensor = proto.graph.initializer[0]
    del tensor.dims[:]
    tensor.dims.extend(dims)
    tensor.raw_data, tensor.data_type = data, kind
    return proto


def rewired(node: int, name: str) -> onnx.ModelProto:
    """The network where a node takes another tensor."""
    proto = colours()
    proto.graph.node[node].input[0] = name
    return proto


def followed_by(*nodes: onnx.NodeProto, **constants: object) -> onnx.ModelProto:
    """The network with more nodes, of which the last makes the output `answer`."""
    proto = colours()
    proto.graph.initializer.extend(numpy_helper.from_array(np.array(value), name) for name, value in constants.items())
    proto.graph.node.extend(nodes)
    proto.graph.output[0].name = "answer"
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    return proto


def loop(times: int) -> onnx.ModelProto:
    """The network followed by a loop that does nothing, `times` times."""
    values = [helper.make_tensor_value_info(*v, []) for v in (("i", TensorProto.INT64), ("t", TensorProto.BOOL))]
    condition = helper.make_tensor_value_info("go on", TensorProto.BOOL, [])
    steps = [helper.make_node("Identity", ["t"], ["go on"]), helper.make_node("Identity", ["v"], ["w"])]
    ins = [*values, helper.make_tensor_value_info("v", TensorProto.FLOAT, None)]
    outs = [condition, helper.make_tensor_value_info("w", TensorProto.FLOAT, None)]
    body = helper.make_graph(steps, "body", ins, outs)
    return followed_by(helper.make_node("Loop", ["n", "true", "logits"], ["answer"], body=body), n=times, true=True)


def branches(depth: int) -> bytes:
    """A model of branches in branches, as bytes: protobuf itself does not write what is deeper than 100 messages."""

    def field(number: int, content: bytes) -> bytes:
        size, length = len(content), b""
        while size >= 128:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + content

    graph = field(1, helper.make_node("Constant", [], ["c"], value_float=1.0).SerializeToString())
    name = AttributeProto(name="then_branch", type=AttributeProto.GRAPH).SerializeToString()
    for _ in range(depth):
        node = helper.make_node("If", ["image"], ["c"]).SerializeToString()
        graph = field(1, node + field(5, name + field(6, graph))) + field(2, b"branch")
    proto = colours()
    return proto.SerializeToString() + field(7, graph)


def calls_itself() -> onnx.ModelProto:
    """The network with a function that calls itself."""
    proto = add_node(colours(), "f", "own")
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("own", 1)]
    step = helper.make_node("f", ["x"], ["y"], domain="own")
    proto.functions.append(helper.make_function("own", "f", ["x"], ["y"], [step], opsets))
    return proto


def outside_twice() -> onnx.ModelProto:
    """Weights in two places, of which readers disagree which one counts."""
    proto = keep_outside(colours(), "here.bin")
    proto.graph.initializer[0].external_data.add(key="location", value="../secret.bin")
    return proto


def in_memory(inside_function: bool) -> onnx.ModelProto:
    """Weights at an address in memory, which ONNX Runtime has a name for."""
    proto = keep_outside(colours(), "*/_ORT_MEM_ADDR_/*")
    tensor = proto.graph.initializer[0]
    tensor.external_data.add(key="offset", value="4096")
    tensor.external_data.add(key="length", value="36")
    if not inside_function:
        return proto
    constant = helper.make_node("Constant", [], ["y"], value=tensor)
    proto = add_node(colours(), "f", "own")
    proto.functions.append(helper.make_function("own", "f", ["x"], ["y"], [constant], [helper.make_opsetid("", 13)]))
    return proto


def without_outputs() -> onnx.ModelProto:
    proto = colours()
    del proto.graph.output[:]
    return proto


def twice() -> onnx.ModelProto:
    proto = colours()
    proto.graph.node.append(proto.graph.node[2])
    return proto


def of_version(opset: int = 13, ir: int = 8) -> onnx.ModelProto:
    proto = colours()
    proto.opset_import[0].version, proto.ir_version = opset, ir
    return proto


def _node(operator: str, inputs: str, output: str = "answer", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), [output], **attributes)


_SHAPE = np.array([1, 10**9, 3])
# Those that are to be refused, by `add_model` and when they are used.
REFUSED: dict[str, Callable[[], onnx.ModelProto | bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"<html>404</html>",
    "a shape without data": lambda: with_weights(3, 2**40),
    "a shape beyond 64 bits": lambda: with_weights(2**32, 2**32),
    "a negative shape": lambda: with_weights(-3, -3, data=bytes(36)),
    "fewer numbers than the shape": lambda: with_weights(3, 3, data=b"1234"),
    "an unknown type of number": lambda: with_weights(3, 3, data=bytes(36), kind=99),
    "a circle": lambda: rewired(0, "logits"),
    "a node that needs itself": lambda: rewired(2, "logits"),
    "a tensor from nowhere": lambda: rewired(2, "nowhere"),
    "two nodes for one tensor": twice,
    "a function that calls itself": calls_itself,
    "branches 40 deep": lambda: branches(40),
    "branches 5000 deep": lambda: branches(5000),
    "no outputs": without_outputs,
    "opset 0": lambda: of_version(opset=0),
    "an opset from the future": lambda: of_version(opset=9999),
    "a format from the future": lambda: of_version(ir=9999),
    "an axis that is not there": lambda: followed_by(_node("Concat", "logits logits", axis=7)),
    "12 gigabytes inside": lambda: followed_by(
        _node("Expand", "logits shape", "e"), _node("ReduceMax", "e", axes=[1], keepdims=0), shape=_SHAPE
    ),
    "12 gigabytes outside": lambda: followed_by(_node("Expand", "logits shape"), shape=_SHAPE),
    "8 terabytes": lambda: followed_by(
        _node("ConstantOfShape", "shape", "e"),
        _node("ReduceMax", "e", "m", keepdims=0),
        _node("Add", "logits m"),
        shape=np.array([2**41]),
    ),
    "one number in place of three": lambda: followed_by(_node("ReduceMax", "logits", keepdims=0)),
    "words": lambda: followed_by(_node("SequenceConstruct", "logits logits")),
    "weights in a folder above": lambda: keep_outside(colours(), "../secret.bin"),
    "weights in the system": lambda: keep_outside(colours(), "/etc/passwd"),
    "weights behind a link": lambda: keep_outside(colours(), "link.bin"),
    "weights in a pipe": lambda: keep_outside(colours(), "pipe.bin"),
    "weights with a null byte": lambda: keep_outside(colours(), "a\0.bin"),
    "weights in two places": outside_twice,
    "weights in memory": lambda: in_memory(False),
    "weights of a function in memory": lambda: in_memory(True),
}
# Those that do no harm; each image has its row.
HARMLESS: dict[str, Callable[[], onnx.ModelProto | bytes]] = {
    "weights that are no numbers": lambda: with_weights(3, 3, data=np.full((3, 3), np.nan, np.float32).tobytes()),
    "infinite weights": lambda: with_weights(3, 3, data=np.full((3, 3), np.inf, np.float32).tobytes()),
    "a loop": lambda: loop(10_000),
}


def prepare(folder: Path) -> None:
    """Write what the hostile files point at."""
    (folder / "models").mkdir(parents=True)
    (folder / "secret.bin").write_bytes(bytes(36))
    (folder / "models" / "here.bin").write_bytes(bytes(36))
    with contextlib.suppress(OSError):
        (folder / "models" / "link.bin").symlink_to("../secret.bin")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "models" / "pipe.bin")


def attempt(content: bytes, path: Path, image: str) -> dict[str, str]:
    """Take a model in, load it with a card and use it; return the kind of the error of each, or "fine"."""
    path.write_bytes(content)
    carded = path.with_name("carded.onnx")
    with contextlib.suppress(Exception):  # what is no protobuf keeps its bytes
        proto = onnx.ModelProto.FromString(content)
        output = proto.graph.output[0].name if proto.graph.output else "gone"
        card = dataclasses.replace(CARD, tensors={**CARD.tensors, "output": output})
        proto.metadata_props.add(key=KEY, value=card.to_json())
        content = proto.SerializeToString()
    carded.write_bytes(content)
    options = {"progress": False, "cache": False}
    calls: dict[str, Callable[[], object]] = {
        "add_model": lambda: imagesasdata.add_model(path, **ASKED, size=SIDE, overwrite=True, name="hostile"),
        "load_model": lambda: imagesasdata.load_model(carded),
        "classify_images": lambda: row(imagesasdata.classify_images([image], model=carded, **options)["error"][0]),
        "embed_images": lambda: row(imagesasdata.embed_images([image], model=carded, **options)["error"][0]),
    }
    results = {}
    for name, call in calls.items():
        try:
            told = call()
            results[name] = told if name.endswith("images") else "fine"
        except ImagesAsDataError as problem:
            results[name] = f"{type(problem).__name__}: {problem}"
        except Exception as problem:
            results[name] = f"!!! {type(problem).__name__}: {problem}"
    return results


def row(error: object) -> str:
    return f"row: {error}" if isinstance(error, str) else "fine"


def mutated(seed: int) -> bytes:
    """The network with some bytes changed, inserted, removed, or its end cut off."""
    chance = random.Random(seed)
    content = bytearray(colours().SerializeToString())
    for _ in range(chance.randint(1, 4)):
        place, kind = chance.randrange(len(content)), chance.randrange(4)
        if kind == 0:
            content[place] = chance.randrange(256)
        elif kind == 1:
            content[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            content[place : place + chance.randrange(6)] = chance.randbytes(chance.randrange(6))
        elif chance.random() < 0.3:
            del content[place:]
        if not content:
            break
    return bytes(content)


def main(folder: Path, image: str, skip: int) -> None:
    """Try all, from the one of number `skip` on, and print a line of JSON before and after each."""
    with contextlib.suppress(ImportError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES * 10**9,) * 2)
    cases = {**REFUSED, **HARMLESS, **{f"mutation {i}": lambda i=i: mutated(i) for i in range(MUTATIONS)}}
    for number, (name, make) in enumerate(cases.items()):
        if number >= skip:
            print(json.dumps([number, name, None]), flush=True)
            content = make()
            content = content if isinstance(content, bytes) else content.SerializeToString()
            print(json.dumps([number, name, attempt(content, folder / "models" / "m.onnx", image)]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
