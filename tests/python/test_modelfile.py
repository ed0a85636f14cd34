"""One file is the model: it comes back as it was written, and what is unsafe or contradicts itself is refused."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import onnx
import pytest
from networks import CARD, STEPS, add_node, colours, keep_outside, save, weights
from onnx import TensorProto, helper, numpy_helper

from imagesasdata import errors
from imagesasdata.card import ModelCard
from imagesasdata.errors import ModelCardMissing, ModelInvalid, ModelNotFound, ModelTooNew
from imagesasdata.graph import load_graph, output_width
from imagesasdata.modelfile import KEY, file_sha256, read_card, read_model, verify_model, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(colours(), CARD, tmp_path / "colours.onnx")
    return tmp_path / "colours.onnx"


def with_metadata(model: Path, change: dict[str, Any], text: str | None = None) -> Path:
    """Write the model's metadata anew, with other values, as somebody with an editor might."""
    proto = onnx.load(str(model))
    (entry,) = proto.metadata_props
    values = json.loads(entry.value)
    for key, value in change.items():
        inner, _, name = key.rpartition(".")
        (values[inner] if inner else values)[name] = value
    entry.value = json.dumps(values) if text is None else text
    return save(proto, model)


# -- written and read --------------------------------------------------------------------------------------------------


def test_a_card_comes_back_as_it_was_written(tmp_path: Path) -> None:
    card = dataclasses.replace(
        CARD,
        classes=("gato", "chien 🐕", "魚"),
        class_ids=("n1", "n2", "n3"),
        provenance={"date": "2020-06-20", "seed": None},
        metrics={"accuracy": 0.75},
        licence="CC0-1.0",
        description='Says "cat"\nor not.',
    )
    written = write_model(colours(), card, tmp_path / "m.onnx")
    proto, read = read_model(tmp_path / "m.onnx")
    assert read == written == read_card(tmp_path / "m.onnx") == verify_model(tmp_path / "m.onnx")
    assert dataclasses.replace(read, backbone={}) == card
    assert proto.graph.node == colours().graph.node
    assert len(read.backbone["sha256"]) == 64


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_model(colours(), CARD, tmp_path / f"{name}.onnx")
    assert file_sha256(tmp_path / "a.onnx") == file_sha256(tmp_path / "b.onnx")


def test_a_model_written_again_has_one_card_and_keeps_other_metadata(model: Path) -> None:
    proto, card = read_model(model)
    proto.metadata_props.add(key="author", value="somebody")
    write_model(proto, dataclasses.replace(card, licence="MIT"), model)
    proto, card = read_model(model)
    assert card.licence == "MIT"
    assert sorted(entry.key for entry in proto.metadata_props) == ["author", KEY]


def test_the_file_is_plain_onnx_and_its_card_plain_json(model: Path) -> None:
    proto = onnx.load(str(model))
    onnx.checker.check_model(proto)
    values = json.loads(proto.metadata_props[0].value)
    assert values["schema_version"] == 1
    assert values["classes"] == ["cat", "dog", "fish"]
    assert values["preprocessing"]["mean"] == [0.5, 0.4, 0.3]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = model.read_bytes()

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_model(colours(), CARD, model)
    assert model.read_bytes() == before
    assert os.listdir(model.parent) == [model.name]


def test_the_backbones_sha256_does_not_depend_on_the_head(tmp_path: Path) -> None:
    cards = []
    for number, scale in enumerate((1.0, 2.0)):
        proto = colours()
        proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights(3) * scale, "matrix"))
        cards.append(write_model(proto, CARD, tmp_path / f"{number}.onnx"))
    assert cards[0].backbone == cards[1].backbone
    deeper = write_model(
        colours(), dataclasses.replace(CARD, tensors={**CARD.tensors, "embedding": "logits"}), tmp_path / "2.onnx"
    )
    assert deeper.backbone["sha256"] != cards[0].backbone["sha256"]


def test_a_model_without_an_embedding_has_no_backbone(tmp_path: Path) -> None:
    card = dataclasses.replace(CARD, tensors={"input": "image", "output": "logits"})
    assert write_model(colours(), card, tmp_path / "m.onnx").backbone == {}
    assert verify_model(tmp_path / "m.onnx") == card


@pytest.mark.parametrize(
    ("shape", "width"),
    [(["n", 3], 3), ([1, 3], 3), ([3], 3), (["n", 3, 1, 1], 3), (["n", "k"], None), (["n", "k", 1], None), ([], None)],
)
def test_the_width_of_an_output_is_what_it_says_an_image(shape: list[int | str], width: int | None) -> None:
    assert output_width(helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)) == width


# -- what is no model --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04a checkpoint of PyTorch", b"<html>", b"\x80\x02pickle", bytes(50)]
)
def test_a_file_that_is_not_onnx_is_refused_with_the_cure(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ModelInvalid, match=r"is not an ONNX model.*torch\.onnx\.export"):
        read_model(tmp_path / "m.onnx")


def test_half_a_model_is_refused(model: Path) -> None:
    whole = model.read_bytes()
    for part in (0.1, 0.5, 0.9):
        model.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(ModelInvalid):
            read_model(model)


def test_a_missing_model_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.onnx", tmp_path):
        with pytest.raises(ModelNotFound, match=str(path)):
            read_model(path)


def test_a_plain_onnx_file_is_an_error_that_says_how_to_take_it_in(tmp_path: Path) -> None:
    with pytest.raises(ModelCardMissing, match=r"iad models add plain\.onnx --classes"):
        read_model(save(colours(), tmp_path / "plain.onnx"))


# -- what is unsafe ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("location", ["/etc/passwd", "../secret.bin", "a/../../secret.bin", ""])
def test_weights_outside_the_models_folder_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret.bin").write_bytes(weights(3).tobytes())
    (tmp_path / "models").mkdir()
    path = save(keep_outside(colours(), location), tmp_path / "models" / "m.onnx")
    with pytest.raises(ModelInvalid, match=r"outside its own folder.*save the model as one file"):
        load_graph(path)


def test_a_link_out_of_the_models_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(weights(3).tobytes())
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "weights.bin").symlink_to("../secret.bin")
    with pytest.raises(ModelInvalid, match="outside its own folder"):
        load_graph(save(keep_outside(colours(), "weights.bin"), tmp_path / "models" / "m.onnx"))


def test_weights_outside_are_refused_inside_nodes_branches_and_functions_too(tmp_path: Path) -> None:
    outside = keep_outside(colours(), "/etc/passwd").graph.initializer[0]
    constant = helper.make_node("Constant", [], ["c"], value=outside)
    branch = helper.make_graph([constant], "branch", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, None)])
    in_node, in_branch, in_function = colours(), colours(), colours()
    in_node.graph.node.append(constant)
    in_branch.graph.node.append(helper.make_node("If", ["image"], ["d"], then_branch=branch, else_branch=branch))
    in_function.functions.append(helper.make_function("own", "f", [], ["c"], [constant], [helper.make_opsetid("", 13)]))
    for number, proto in enumerate((in_node, in_branch, in_function)):
        with pytest.raises(ModelInvalid, match="outside its own folder"):
            load_graph(save(proto, tmp_path / f"{number}.onnx"))


def test_weights_beside_the_model_are_taken_in(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(weights(3).tobytes())
    proto = load_graph(save(keep_outside(colours(), "weights.bin"), tmp_path / "m.onnx"))
    assert numpy_helper.to_array(proto.graph.initializer[0]).tolist() == weights(3).tolist()
    write_model(proto, CARD, tmp_path / "one file.onnx")
    (tmp_path / "weights.bin").unlink()
    verify_model(tmp_path / "one file.onnx")


def test_weights_that_are_missing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"external data .* cannot be read"):
        load_graph(save(keep_outside(colours(), "gone.bin"), tmp_path / "m.onnx"))


@pytest.mark.parametrize("domain", ["com.example", "ai.onnx.contrib", "pyopmulti"])
def test_custom_operators_are_refused_with_the_cure(tmp_path: Path, domain: str) -> None:
    path = save(add_node(colours(), "Shell", domain), tmp_path / "m.onnx")
    with pytest.raises(ModelInvalid, match=rf"custom operators \({domain}\.Shell\).*standard ONNX operators"):
        load_graph(path)


def test_operators_of_onnx_runtime_and_functions_of_the_file_are_no_custom_operators(tmp_path: Path) -> None:
    load_graph(save(add_node(colours(), "Gelu", "com.microsoft"), tmp_path / "a.onnx"))
    proto = add_node(colours(), "f", "own")
    body = [helper.make_node("Relu", ["x"], ["y"])]
    proto.functions.append(helper.make_function("own", "f", ["x"], ["y"], body, [helper.make_opsetid("", 13)]))
    load_graph(save(proto, tmp_path / "b.onnx"))
    proto.functions[0].node.append(helper.make_node("Shell", ["x"], ["z"], domain="com.example"))
    with pytest.raises(ModelInvalid, match=r"com\.example\.Shell"):
        load_graph(save(proto, tmp_path / "c.onnx"))


# -- what contradicts itself -------------------------------------------------------------------------------------------


def test_a_format_from_the_future_says_to_update(model: Path) -> None:
    with pytest.raises(ModelTooNew, match=r"model format 2; .*Update imagesasdata"):
        read_card(with_metadata(model, {"schema_version": 2}))


def test_what_a_later_version_adds_is_ignored(model: Path) -> None:
    before = read_card(model)
    assert read_card(with_metadata(model, {"colour_of_the_sky": "blue", "preprocessing.gamma": 2.2})) == before


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": None},
        {"schema_version": "one"},
        {"task": "detect"},
        {"activation": "relu"},
        {"classes": []},
        {"classes": ["cat"]},
        {"classes": ["cat", "cat", "dog"]},
        {"classes": ["cat", "", "dog"]},
        {"classes": [1, 2, 3]},
        {"classes": [["cat"], ["dog"], ["fish"]]},
        {"classes": None},
        {"class_ids": ["n1"]},
        {"tensors": "image"},
        {"backbone": []},
        {"preprocessing": []},
        {"preprocessing.size": 0},
        {"preprocessing.size": 5000},
        {"preprocessing.size": "224"},
        {"preprocessing.size": 8.5},
        {"preprocessing.resize": 4},
        {"preprocessing.rule": "crop"},
        {"preprocessing.filter": 3},
        {"preprocessing.colour": "grey"},
        {"preprocessing.mean": [0.5]},
        {"preprocessing.mean": "abc"},
        {"preprocessing.std": [1, 0, 1]},
        {"preprocessing.std": [1, float("nan"), 1]},
        {"preprocessing.scale": 0},
        {"preprocessing.scale": float("inf")},
        {"preprocessing.scale": "1"},
    ],
    ids=json.dumps,
)
def test_a_card_with_wrong_values_is_refused_and_nothing_else_happens(model: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ModelInvalid):
        read_card(with_metadata(model, change))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "{}", '{"schema_version": 1}'])
def test_metadata_that_are_no_card_are_refused(model: Path, text: str) -> None:
    with pytest.raises(ModelInvalid, match=r"cannot be read.*docs/model-file\.md"):
        read_card(with_metadata(model, {}, text))


def test_all_that_is_wrong_with_a_card_is_said_at_once() -> None:
    with pytest.raises(ModelInvalid) as caught:
        dataclasses.replace(CARD, task="segment", classes=("cat", "cat"), class_ids=("n1",))
    for part in ("task is 'segment'", "classes occur twice: cat", "1 class_ids for 2 classes"):
        assert part in str(caught.value)


def test_many_classes_are_checked_quickly() -> None:
    many = tuple(f"class {i}" for i in range(50_000))
    assert len(dataclasses.replace(CARD, classes=many).classes) == 50_000
    with pytest.raises(ModelInvalid, match="classes occur twice: class 7"):
        dataclasses.replace(CARD, classes=(*many, "class 7"))


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (dataclasses.replace(CARD, classes=("cat", "dog")), "has 3 outputs and 2 classes are named"),
        (dataclasses.replace(CARD, tensors={**CARD.tensors, "output": "gone"}), "no tensor 'gone'.*its output"),
        (dataclasses.replace(CARD, tensors={**CARD.tensors, "embedding": "gone"}), "no tensor 'gone'.*its embedding"),
        (dataclasses.replace(CARD, tensors={**CARD.tensors, "input": "photo"}), r"input\(s\) image; .*'photo'"),
        (
            dataclasses.replace(CARD, preprocessing=dataclasses.replace(STEPS, size=16, resize=16)),
            r"images of \? x 3 x 8 x 8; the card says 16 x 16 pixels",
        ),
    ],
    ids=["classes", "output", "embedding", "input", "size"],
)
def test_a_card_that_does_not_fit_the_graph_is_not_written(tmp_path: Path, card: ModelCard, words: str) -> None:
    with pytest.raises(ModelInvalid, match=words):
        write_model(colours(), card, tmp_path / "m.onnx")
    assert os.listdir(tmp_path) == []


def test_a_changed_backbone_is_found_by_verify(model: Path) -> None:
    proto = onnx.load(str(model))
    proto.graph.node[1].attribute[0].ints[0] = 1
    with pytest.raises(ModelInvalid, match="was changed after it was written"):
        verify_model(save(proto, model))


def test_a_graph_that_is_not_valid_is_found_by_verify(model: Path) -> None:
    proto = onnx.load(str(model))
    proto.graph.node[2].input[0] = "nowhere"
    with pytest.raises(ModelInvalid, match="is not valid ONNX"):
        verify_model(save(proto, model))


def test_every_model_error_is_an_error_of_the_package() -> None:
    for kind in (ModelInvalid, ModelCardMissing, ModelTooNew, ModelNotFound):
        assert issubclass(kind, errors.ImagesAsDataError)
