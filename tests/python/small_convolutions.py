"""A small convolutional network with random weights, and photographs that are drawn: quick to train."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from imagesasdata.card import ModelCard
from imagesasdata.decode import Preprocessing
from imagesasdata.images import ImageList
from imagesasdata.labels import Labels
from imagesasdata.model import ImageModel
from imagesasdata.modelfile import write_model
from imagesasdata.train.method import Material

SIDE = 32
STEPS = Preprocessing(size=SIDE, resize=SIDE, scale=255.0, mean=(0.5,) * 3, std=(0.25,) * 3)
CARD = ModelCard(
    name="small",
    task="single",
    classes=("a", "b"),
    preprocessing=STEPS,
    tensors={"input": "image", "embedding": "embedding", "output": "logits"},
    activation="softmax",
)


def network(last: str = "Relu", batch: int | str = "n") -> onnx.ModelProto:
    """Four convolutions, one of them in a block with a connection around it, and batch normalisation.

    The maps have sides of 16 after ``first`` and ``sum``, and 8 after ``third``; `last` is the operator before the
    average.
    """
    rng = np.random.default_rng(1)
    weights: dict[str, NDArray[Any]] = {}

    def conv(x: str, name: str, out: int, channels: int, **attributes: Any) -> onnx.NodeProto:
        weights[f"{name}.weight"] = rng.normal(0, (2 / (9 * channels)) ** 0.5, (out, channels, 3, 3))
        weights[f"{name}.bias"] = rng.normal(0, 0.1, out)
        return helper.make_node(
            "Conv", [x, f"{name}.weight", f"{name}.bias"], [name], name=name, auto_pad="SAME_UPPER", **attributes
        )

    weights |= {"norm.scale": np.ones(8), "norm.shift": np.zeros(8), "norm.mean": np.zeros(8), "norm.var": np.ones(8)}
    weights |= {"classes.weight": rng.normal(0, 0.1, (2, 16)), "classes.bias": np.zeros(2)}
    nodes = [
        conv("image", "first", 8, 3, strides=[2, 2]),
        helper.make_node("Relu", ["first"], ["first.relu"]),
        conv("first.relu", "second", 8, 8),
        helper.make_node(
            "BatchNormalization", ["second", "norm.scale", "norm.shift", "norm.mean", "norm.var"], ["second.norm"]
        ),
        helper.make_node("Add", ["second.norm", "first.relu"], ["sum"]),
        conv("sum", "third", 16, 8, strides=[2, 2]),
        helper.make_node("Relu", ["third"], ["third.relu"]),
        conv("third.relu", "fourth", 16, 16),
        helper.make_node(last, ["fourth"], ["fourth.relu"], name="fourth.relu"),
        helper.make_node("GlobalAveragePool", ["fourth.relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["embedding"]),
        helper.make_node("Gemm", ["embedding", "classes.weight", "classes.bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 2])],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def model(folder: Path, **options: Any) -> ImageModel:
    """The network as a model file."""
    path = folder / "small.onnx"
    write_model(network(**options), CARD, path)
    return ImageModel(path)


def stripes(folder: Path, angles: Sequence[float], light: Sequence[float], seed: int = 1) -> list[str]:
    """Draw stripes at some angles (degrees) and of some lightness (0 to 1), with noise; return the files."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48]
    paths = []
    for i, (angle, level) in enumerate(zip(angles, light, strict=True)):
        turned = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
        wave = 0.5 + 0.4 * np.sin(turned * 0.9 + rng.uniform(0, 6))
        pixels = (wave[:, :, None] * level * 255 + rng.normal(0, 12, (48, 48, 3))).clip(0, 255)
        paths.append(str(folder / f"{i}.png"))
        Image.fromarray(pixels.astype(np.uint8)).save(paths[-1])
    return paths


def material(
    paths: Sequence[str],
    values: NDArray[Any],
    backbone: ImageModel,
    work: Path,
    task: str = "single",
    report: Any = lambda text, done, total: None,
) -> Material:
    """What training starts from, for these photographs and labels ``[n, k]``."""
    k = values.shape[1]
    names = tuple(f"name{i}" for i in range(k))
    images = ImageList(list(paths), list(paths))
    labels = Labels(images, task, names, values.astype(float), np.arange(len(values)))
    weights = np.ones((k, 2)) if task == "multi" else np.ones(k)
    return Material(labels, backbone, weights, work, "cpu", False, report)
