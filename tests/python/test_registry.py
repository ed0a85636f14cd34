"""Models by name: bundled ones, and those that the user added from elsewhere."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from networks import ASKED, CARD, CLASSES, add_node, colours, expected, keep_outside, noise, save, weights
from onnx import TensorProto, helper

import imagesasdata as iad
from imagesasdata import registry
from imagesasdata.errors import ArgumentInvalid, ModelCardMissing, ModelInvalid, ModelNotFound, ModelTooNew
from imagesasdata.modelfile import read_card, verify_model, write_model
from imagesasdata.registry import add_model, cache_folder, list_models, model_path, remove_model, save_copy, user_folder
from imagesasdata.runtime import Runner


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder for each test."""
    monkeypatch.setenv("IMAGESASDATA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def kept() -> list[str]:
    """The files in the folder of the user's models, hidden ones too."""
    return sorted(os.listdir(user_folder())) if user_folder().is_dir() else []


# -- by name -----------------------------------------------------------------------------------------------------------


def test_the_cache_is_where_the_environment_says(cache: Path) -> None:
    assert cache_folder() == cache
    assert user_folder() == cache / "models"


def test_the_cache_is_where_each_system_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGESASDATA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x/cache")
    monkeypatch.setenv("LOCALAPPDATA", "/x/local")
    places = {}
    for system in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", system)
        places[system] = cache_folder()
    assert places["linux"] == Path("/x/cache/imagesasdata")
    assert places["darwin"] == Path.home() / "Library" / "Caches" / "imagesasdata"
    assert places["win32"] == Path("/x/local/imagesasdata")


def test_the_bundled_models_are_found_by_name_and_by_path() -> None:
    path = model_path("efficientnet_lite0")
    assert path.parent == registry.bundled_folder()
    assert model_path(path) == model_path(str(path)) == path
    assert verify_model(path).name == "efficientnet_lite0"


def test_a_name_that_is_not_there_is_an_error_with_the_names_that_are() -> None:
    with pytest.raises(
        ModelNotFound,
        match=r"no model \"resnet\"\. There are: dlib_face, efficientnet_lite0, efficientnet_lite2, expression, mtcnn",
    ):
        model_path("resnet")


@pytest.mark.parametrize("name", ["gone.onnx", "folder/gone", "../gone", "~/gone.onnx"])
def test_a_path_that_is_not_there_is_an_error_with_the_working_directory(name: str) -> None:
    with pytest.raises(ModelNotFound, match=r"no model file .*working directory"):
        model_path(name)


def test_list_models_has_a_row_for_each_model(tmp_path: Path) -> None:
    add_model(save(colours(), tmp_path / "mine.onnx"), **ASKED, licence="CC0-1.0")
    table = list_models().set_index("name")
    assert table.index.tolist() == [
        "dlib_face",
        "efficientnet_lite0",
        "efficientnet_lite2",
        "expression",
        "mtcnn",
        "mine",
    ]
    assert table.loc["efficientnet_lite2", ["classes", "size", "where"]].tolist() == [1000, 260, "bundled"]
    assert table.loc["mine", ["task", "classes", "size", "licence", "where"]].tolist() == [
        "single",
        3,
        8,
        "CC0-1.0",
        "cache",
    ]
    for name in table.index:
        assert model_path(name) == Path(table.loc[name, "path"])


def test_files_that_are_no_models_do_not_spoil_the_list(tmp_path: Path) -> None:
    write_model(colours(), CARD, Path(add_model(save(colours(), tmp_path / "mine.onnx"), **ASKED)))
    (user_folder() / "renamed.onnx").write_bytes((user_folder() / "mine.onnx").read_bytes())
    (user_folder() / "half.onnx").write_bytes((user_folder() / "mine.onnx").read_bytes()[:200])
    save(colours(), user_folder() / "plain.onnx")
    strange = onnx.load(str(user_folder() / "mine.onnx"))
    strange.metadata_props[0].value = strange.metadata_props[0].value.replace("short_side_crop", "smart_crop")
    save(strange, user_folder() / "strange.onnx")
    assert list_models()["name"].tolist()[5:] == ["mine", "renamed"]


# -- added -------------------------------------------------------------------------------------------------------------


def test_a_plain_onnx_file_becomes_a_model_with_all_that_was_said(tmp_path: Path) -> None:
    path = add_model(save(colours(), tmp_path / "my-net.v2.onnx"), **ASKED, colour="BGR", filter="lanczos")
    card = verify_model(path)
    assert path == str(user_folder() / "my-net.v2.onnx")
    assert (card.name, card.task, card.classes, card.activation) == ("my-net.v2", "single", CLASSES, "softmax")
    assert (card.preprocessing.size, card.preprocessing.resize) == (8, 9)  # 256 / 224 of 8
    assert (card.preprocessing.colour, card.preprocessing.filter) == ("BGR", "lanczos")
    assert card.tensors == {"input": "image", "embedding": "means", "output": "logits"}
    assert card.provenance["origin"].startswith("my-net.v2.onnx, sha256 ")
    assert kept() == ["my-net.v2.onnx"]
    assert iad.load_model("my-net.v2").card == card


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"layout": "NHWC"},
        {"batch": 1},
        {"batch": 1, "layout": "NHWC"},
        {"batch": 4},
        {"number": "DOUBLE"},
        {"ir_version": 3},
        {"input": "pixels"},
        {"input": "pixel_values"},
        {"width": "k"},
        {"size": "side"},
    ],
    ids=str,
)
def test_networks_of_many_makes_give_the_same_numbers(tmp_path: Path, network: dict[str, Any]) -> None:
    path = add_model(save(colours(**network), tmp_path / "m.onnx"), **ASKED, size=8)
    pixels = noise(5)
    np.testing.assert_allclose(Runner(path, "cpu")(pixels), expected(pixels), atol=1e-5)


def test_a_network_of_half_precision_is_taken_too(tmp_path: Path) -> None:
    path = add_model(save(colours(number="FLOAT16"), tmp_path / "m.onnx"), **ASKED)
    pixels = noise(5)
    values = Runner(path, "cpu")(pixels)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected(pixels), atol=2e-2)


def test_a_network_that_takes_bytes_does_its_own_arithmetic(tmp_path: Path) -> None:
    path = add_model(save(colours(number="UINT8"), tmp_path / "m.onnx"), CLASSES, mean=[0, 0, 0], std=[1, 1, 1])
    pixels = noise(2)
    np.testing.assert_allclose(Runner(path, "cpu")(pixels), pixels.mean(axis=(1, 2)) @ weights(3), rtol=1e-5)


@pytest.mark.parametrize(
    ("last", "task", "activation"),
    [
        ("logits", "single", "softmax"),
        ("logits", "multi", "sigmoid"),
        ("logits", "score", "none"),
        ("Softmax", "single", "none"),
        ("Sigmoid", "multi", "none"),
        ("Relu", "score", "none"),
    ],
)
def test_an_activation_in_the_graph_is_not_applied_twice(tmp_path: Path, last: str, task: str, activation: str) -> None:
    card = read_card(add_model(save(colours(last=last), tmp_path / "m.onnx"), **ASKED, task=task))
    assert (card.task, card.activation) == (task, activation)


def test_probabilities_of_a_graph_with_a_softmax_are_those_of_the_same_graph_without(
    tmp_path: Path, photographs: Path
) -> None:
    for last in ("logits", "Softmax"):
        add_model(save(colours(last=last), tmp_path / f"{last}.onnx"), **ASKED)
    tables = [iad.classify_images(photographs, model=last, progress=False) for last in ("logits", "Softmax")]
    names = [f"prob_{name}" for name in CLASSES]
    np.testing.assert_allclose(tables[0][names], tables[1][names], atol=1e-6)
    np.testing.assert_allclose(tables[1][names].sum(axis=1), 1, atol=1e-6)


def test_the_output_is_the_one_as_wide_as_there_are_classes(tmp_path: Path) -> None:
    proto = colours()
    wide = helper.make_tensor_value_info("means", onnx.TensorProto.FLOAT, ["n", 4])
    proto.graph.output.insert(0, wide)
    card = read_card(add_model(save(proto, tmp_path / "m.onnx"), **ASKED))
    assert card.tensors["output"] == "logits"


def test_a_network_whose_only_layer_is_the_product_has_no_embedding(tmp_path: Path) -> None:
    proto = colours()
    del proto.graph.node[:2]
    proto.graph.node[0].input[0] = "flat"
    proto.graph.node.insert(0, helper.make_node("GlobalAveragePool", ["image"], ["pooled"]))
    proto.graph.node.insert(1, helper.make_node("Flatten", ["pooled"], ["flat"]))
    assert read_card(add_model(save(proto, tmp_path / "a.onnx"), **ASKED)).tensors["embedding"] == "flat"
    del proto.graph.node[:], proto.graph.initializer[:]
    proto.graph.node.append(helper.make_node("GlobalAveragePool", ["image"], ["logits"]))
    path = add_model(save(proto, tmp_path / "b.onnx"), **ASKED)
    assert read_card(path).tensors["embedding"] is None
    with pytest.raises(ModelInvalid, match="names no embedding, so it cannot embed images"):
        iad.embed_images([], model=path, progress=False)


def test_class_names_come_from_a_file_with_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes("\ufeffcat\r\ndog, large\r\n\r\n魚\r\n".encode())
    asked = {**ASKED, "classes": tmp_path / "classes.txt"}
    assert read_card(add_model(save(colours(), tmp_path / "m.onnx"), **asked)).classes == ("cat", "dog, large", "魚")
    for content, words in ((b"caf\xe9\n", "not UTF-8"), (None, "which is no file")):
        (tmp_path / "classes.txt").write_bytes(content) if content else (tmp_path / "classes.txt").unlink()
        with pytest.raises(ArgumentInvalid, match=words):
            add_model(save(colours(), tmp_path / "n.onnx"), **asked)


def test_a_grey_model_takes_one_number_for_mean_and_std(tmp_path: Path) -> None:
    proto = colours()
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1
    proto.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights(3)[:1], "matrix"))
    path = add_model(save(proto, tmp_path / "grey.onnx"), CLASSES, mean=0.5, std=0.25, colour="grey")
    pixels = noise(2)[:, :, :, :1]
    reckoned = ((pixels / 255 - 0.5) / 0.25).mean(axis=(1, 2)) @ weights(3)[:1]
    np.testing.assert_allclose(Runner(path, "cpu")(pixels), reckoned, atol=1e-5)


def test_a_model_file_of_this_package_needs_nothing_else(tmp_path: Path) -> None:
    write_model(colours(), dataclasses.replace(CARD, licence="CC0-1.0"), tmp_path / "theirs.onnx")
    card = read_card(add_model(tmp_path / "theirs.onnx", name="mine"))
    assert (card.name, card.licence, card.classes) == ("mine", "CC0-1.0", CLASSES)


def test_weights_beside_the_file_become_part_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(weights(3).tobytes())
    path = add_model(save(keep_outside(colours(), "weights.bin"), tmp_path / "m.onnx"), **ASKED)
    (tmp_path / "weights.bin").unlink()
    np.testing.assert_allclose(Runner(path, "cpu")(noise(3)), expected(noise(3)), atol=1e-5)


def test_a_removed_model_is_gone_and_bundled_ones_stay(tmp_path: Path) -> None:
    add_model(save(colours(), tmp_path / "mine.onnx"), **ASKED)
    remove_model("mine")
    assert kept() == []
    for name in ("mine", "efficientnet_lite0", "../models/mine", str(tmp_path / "mine"), ""):
        with pytest.raises(ModelNotFound, match="among those that you added"):
            remove_model(name)
    assert model_path("efficientnet_lite0").is_file()


def test_a_name_is_not_taken_twice_unless_overwrite_says_so(tmp_path: Path) -> None:
    add_model(save(colours(), tmp_path / "mine.onnx"), **ASKED)
    with pytest.raises(ArgumentInvalid, match='There is a model "mine" already'):
        add_model(tmp_path / "mine.onnx", **ASKED)
    add_model(tmp_path / "mine.onnx", **ASKED, task="multi", overwrite=True)
    assert iad.load_model("mine").card.task == "multi"


def test_the_name_of_a_bundled_model_is_not_taken_in_silence(tmp_path: Path) -> None:
    with pytest.raises(ArgumentInvalid, match='There is a model "efficientnet_lite0" already'):
        add_model(save(colours(), tmp_path / "efficientnet_lite0.onnx"), **ASKED)
    assert kept() == []


def test_a_model_is_copied_to_a_file_or_into_a_folder(tmp_path: Path) -> None:
    path = model_path("efficientnet_lite0")
    (tmp_path / "folder").mkdir()
    assert save_copy(path, tmp_path / "copy.onnx") == tmp_path / "copy.onnx"
    assert save_copy(path, tmp_path / "folder") == tmp_path / "folder" / "efficientnet_lite0.onnx"
    assert (tmp_path / "copy.onnx").read_bytes() == path.read_bytes()


# -- refused, and nothing is left behind -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "..", ".hidden", "-rf", "a b", "C:\\x", "été", "x\0", "/etc/x", "a\n", "~x", "?*"]
)
def test_hostile_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentInvalid, match=r"(?s)`name` is .*letters, digits"):
        add_model(save(colours(), tmp_path / "m.onnx"), **ASKED, name=name)
    assert kept() == []
    assert sorted(os.listdir(tmp_path)) == ["m.onnx"]


def test_the_suffix_is_no_part_of_a_name(tmp_path: Path) -> None:
    add_model(save(colours(), tmp_path / "m.onnx"), **ASKED, name="mine.onnx")
    assert kept() == ["mine.onnx"]
    assert model_path("mine").is_file()


def test_what_is_missing_is_said_all_at_once_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(ModelCardMissing) as caught:
        add_model(save(colours(size="side"), tmp_path / "m.onnx"))
    assert "say also: --classes, --size, --mean, --std. For example: iad models add m.onnx" in str(caught.value)
    with pytest.raises(ModelCardMissing, match=r"say also: --std\."):
        add_model(save(colours(), tmp_path / "m.onnx"), CLASSES, mean=[0, 0, 0])


@pytest.mark.parametrize(
    ("proto", "asked", "kind", "words"),
    [
        (colours(), {"classes": ("cat", "dog")}, ModelInvalid, "has 3 outputs and 2 classes are named"),
        (colours(width="k"), {"classes": ("cat", "dog")}, ModelInvalid, "has 3 outputs and 2 classes are named"),
        (colours(), {"classes": ("cat", "cat", "dog")}, ModelInvalid, "classes occur twice: cat"),
        (colours(), {"size": 16}, ModelInvalid, r"images of \? x 3 x 8 x 8; the card says 16 x 16"),
        (colours(), {"colour": "grey", "mean": [0], "std": [1]}, ModelInvalid, r"with 1 channel\(s\)"),
        (colours(), {"mean": [0.5]}, ModelInvalid, r"preprocessing\.mean needs 3 number"),
        (colours(), {"std": [0, 0, 0]}, ModelInvalid, "must not be 0"),
        (colours(), {"resize": 4}, ModelInvalid, "resize must not be less than size"),
        (colours(), {"rule": "crop"}, ArgumentInvalid, "`rule` is 'crop'; it must be one of"),
        (colours(), {"task": "detect"}, ArgumentInvalid, "`task` is 'detect'; it must be one of"),
        (colours(), {"activation": "relu"}, ModelInvalid, "activation is 'relu'"),
        (colours(), {"embedding": "gone"}, ModelInvalid, "no tensor 'gone', which the card names as its embedding"),
        (colours(), {"output": "gone"}, ModelInvalid, "no tensor 'gone', which the card names as its output"),
        (add_node(colours(), "Shell", "com.example"), {}, ModelInvalid, r"custom operators \(com\.example\.Shell\)"),
        (keep_outside(colours(), "../w.bin"), {}, ModelInvalid, "outside its own folder"),
        (keep_outside(colours(), "gone.bin"), {}, ModelInvalid, "external data"),
    ],
)
def test_a_model_that_cannot_work_is_refused_and_leaves_nothing(
    tmp_path: Path, proto: onnx.ModelProto, asked: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        add_model(save(proto, tmp_path / "m.onnx"), **{**ASKED, **asked})
    assert kept() == []


def test_a_graph_that_fails_when_it_runs_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    proto = colours(width="k", size="side")
    proto.graph.node[1].attribute[0].ints[:] = [1, 2]  # the means of rows, which are 8, times a matrix for 3
    with pytest.raises(ModelInvalid):
        add_model(save(proto, tmp_path / "m.onnx"), **ASKED, size=8)
    assert kept() == []


def test_a_graph_with_two_inputs_is_refused(tmp_path: Path) -> None:
    proto = colours()
    proto.graph.input.append(helper.make_tensor_value_info("text", onnx.TensorProto.FLOAT, ["n", 4]))
    with pytest.raises(ModelInvalid, match="takes the inputs image, text; a model takes exactly one"):
        add_model(save(proto, tmp_path / "m.onnx"), **ASKED)


def test_a_model_from_the_future_is_refused(tmp_path: Path) -> None:
    write_model(colours(), CARD, tmp_path / "m.onnx")
    proto = onnx.load(str(tmp_path / "m.onnx"))
    entry = proto.metadata_props[0]
    entry.value = entry.value.replace('"schema_version": 1', '"schema_version": 99')
    with pytest.raises(ModelTooNew, match="model format 99"):
        add_model(save(proto, tmp_path / "m.onnx"), **ASKED)
    assert kept() == []


def test_a_file_that_is_not_onnx_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelInvalid, match="is not an ONNX model"):
        add_model(tmp_path / "m.onnx")
    with pytest.raises(ModelNotFound):
        add_model(tmp_path / "gone.onnx")


def test_an_encoder_has_no_classes_and_is_a_backbone(class_folders: Path, tmp_path: Path) -> None:
    proto = colours()
    proto.graph.output.append(helper.make_tensor_value_info("means", TensorProto.FLOAT, ["n", 3]))
    onnx.save(proto, tmp_path / "tower.onnx")
    iad.add_model(tmp_path / "tower.onnx", embedding="means", mean=[0.5, 0.4, 0.3], std=[0.2, 0.25, 0.5])
    try:
        table = iad.embed_images(class_folders, model="tower", progress=False)
        assert table.columns.tolist() == ["image", "embedding_1", "embedding_2", "embedding_3", "error"]
        model = iad.fine_tune(class_folders, backbone="tower", method="head", out=tmp_path / "m.onnx", progress=False)
        assert model.validation is not None
        assert model.validation.estimate > 0.5
    finally:
        iad.remove_model("tower")
