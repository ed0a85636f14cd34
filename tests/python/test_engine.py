"""Several models in one pass: one decode, one backbone, several heads, and the same numbers as one by one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from PIL import Image

import imagesasdata as iad
from imagesasdata import engine as engine_module
from imagesasdata.engine import Engine
from imagesasdata.errors import ArgumentInvalid
from imagesasdata.heads import Head
from imagesasdata.modelfile import read_model, write_model


def head_on_lite0(path: Path, classes: tuple[str, ...], task: str = "single") -> Path:
    """Write EfficientNet-Lite0 with another last layer, as fine-tuning the head does."""
    proto, card = read_model(iad.load_model("efficientnet_lite0").path)
    rng = np.random.default_rng(len(classes))
    for weight in proto.graph.initializer:
        if weight.name == "classifier.weight":
            new = rng.normal(size=(len(classes), 1280)).astype(np.float32) * 0.05
            weight.CopyFrom(numpy_helper.from_array(new, weight.name))
        elif weight.name == "classifier.bias":
            weight.CopyFrom(numpy_helper.from_array(np.zeros(len(classes), np.float32), weight.name))
    for output in proto.graph.output:
        if output.name == card.tensors["output"]:
            output.type.tensor_type.shape.dim[1].dim_value = len(classes)
    activation = {"single": "softmax", "multi": "sigmoid", "score": "none"}[task]
    card = dataclasses.replace(
        card, name=path.stem, classes=classes, class_ids=None, task=task, activation=activation, metrics={}
    )
    write_model(proto, card, path)
    return path


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    return [
        str(head_on_lite0(tmp_path / "protest.onnx", ("no", "yes"))),
        str(head_on_lite0(tmp_path / "scene.onnx", ("fire", "police", "crowd"), "multi")),
        str(head_on_lite0(tmp_path / "anger.onnx", ("anger",), "score")),
    ]


def test_each_model_gives_what_it_gives_alone(photographs: Path, odd_files: Path, three: list[str]) -> None:
    images = sorted(map(str, photographs.iterdir())) + sorted(map(str, odd_files.iterdir()))
    every = [*three, "efficientnet_lite2"]
    together = iad.classify_images(images, models=every, progress=False, cache=False)
    assert together.columns[0] == "image"
    assert together.columns[-1] == "error"
    for model in every:
        alone = iad.classify_images(images, model=model, progress=False, cache=False).drop(columns=["image", "error"])
        name = iad.load_model(model).name
        part = together[[f"{name}_{column}" for column in alone.columns]]
        pd.testing.assert_frame_equal(part.set_axis(alone.columns, axis=1), alone, atol=1e-6, check_flags=False)


def test_models_with_one_backbone_run_it_once_and_decode_once(
    photographs: Path, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, decoded = [], []
    runner, decode = engine_module.Runner, engine_module.decode_image
    monkeypatch.setattr(engine_module, "Runner", lambda *a: (opened.append(a), runner(*a))[1])
    monkeypatch.setattr(engine_module, "decode_image", lambda *a: (decoded.append(1), decode(*a))[1])
    iad.classify_images(photographs, models=[*three, "efficientnet_lite0"], cache=False, progress=False)
    assert len(opened) == 1
    assert len(decoded) == len(list(photographs.iterdir()))


def test_a_network_is_opened_only_when_a_photograph_is_not_in_the_cache(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = iad.classify_images(photographs, device="cpu", progress=False)
    opened, runner = [], engine_module.Runner
    monkeypatch.setattr(engine_module, "Runner", lambda *a: (opened.append(a), runner(*a))[1])
    again = iad.classify_images(photographs, device="cpu", progress=False)
    pd.testing.assert_frame_equal(again, first, check_flags=False)
    assert again.attrs["imagesasdata"]["device"] == "cpu"
    assert not opened
    Image.new("RGB", (300, 200), "orange").save(tmp_path / "new.png")
    iad.classify_images([*map(str, photographs.iterdir()), tmp_path / "new.png"], device="cpu", progress=False)
    assert len(opened) == 1


def test_a_head_cut_off_gives_the_output_of_the_whole_graph(three: list[str]) -> None:
    import onnxruntime as ort

    for path in three:
        proto, card = read_model(path)
        head = Head.of(proto, card)
        assert head is not None
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        pixels = np.random.default_rng(1).normal(size=(3, 3, 224, 224)).astype(np.float32)
        features, output = session.run(["embedding", "logits"], {"image": pixels})
        np.testing.assert_allclose(head(features), output, atol=1e-5)


def test_a_model_that_goes_around_its_embedding_is_run_whole() -> None:
    proto, card = read_model(iad.load_model("efficientnet_lite0").path)
    around = onnx.helper.make_node("Add", ["logits", "around"], ["sum"])
    mean = onnx.helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0)
    column = onnx.helper.make_node("Reshape", ["mean", "shape"], ["around"])
    proto.graph.initializer.append(numpy_helper.from_array(np.array([-1, 1]), "shape"))
    proto.graph.node.extend([mean, column, around])
    proto.graph.output.append(onnx.helper.make_tensor_value_info("sum", onnx.TensorProto.FLOAT, ["N", 1000]))
    card = dataclasses.replace(card, tensors={**card.tensors, "output": "sum"})
    assert Head.of(proto, card) is None


def test_two_models_of_one_name_are_refused(photographs: Path) -> None:
    with pytest.raises(ArgumentInvalid, match="efficientnet_lite0"):
        iad.classify_images(photographs, models=["efficientnet_lite0"] * 2, progress=False)
    with pytest.raises(ArgumentInvalid, match="list of models"):
        iad.classify_images(photographs, models="efficientnet_lite0", progress=False)


def test_the_provenance_names_every_model(photographs: Path, three: list[str]) -> None:
    said = iad.classify_images(photographs, models=three, progress=False).attrs["imagesasdata"]
    assert [m["model"] for m in said["models"]] == ["protest", "scene", "anger"]
    assert all(len(m["model_sha256"]) == 64 for m in said["models"])


def test_a_wrong_number_from_any_model_is_an_error_of_the_row(photographs: Path, tmp_path: Path) -> None:
    path = head_on_lite0(tmp_path / "broken.onnx", ("no", "yes"))
    proto, card = read_model(path)
    bias = next(w for w in proto.graph.initializer if w.name == "classifier.bias")
    bias.CopyFrom(numpy_helper.from_array(np.array([np.nan, 0], np.float32), bias.name))
    write_model(proto, card, path)
    table = iad.classify_images(photographs, models=[path, "efficientnet_lite0"], progress=False)
    assert table["error"].str.contains("no number").all()
    assert table["efficientnet_lite0_label"].isna().all()


def test_the_batch_size_is_learned_from_the_runs_own_work() -> None:
    from imagesasdata.engine import Work
    from imagesasdata.pipeline import CPU_SIZES, TRIALS, _Sizes

    engine = Engine([iad.load_model()], "cpu", cache=False)
    sizes = _Sizes("auto", engine, 10_000)
    for _ in range(TRIALS * len(CPU_SIZES)):
        size = sizes.next()
        sizes.learn(size, Work([], [], seconds=size * (0.5 if size == 8 else 1.0), ran=size))
    assert sizes.next() == 8
    assert _Sizes("auto", engine, 10).next() == CPU_SIZES[0]
    assert _Sizes(7, engine, 10_000).next() == 7
