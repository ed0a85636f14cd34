"""A network of timm as a backbone: exported once to a model file, with its preprocessing."""

from __future__ import annotations

import hashlib
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import onnx

from ..card import ModelCard
from ..decode import Preprocessing
from ..errors import DependencyMissing, ModelInvalid, ModelNotFound
from ..model import ImageModel
from ..modelfile import write_model
from ..registry import cache_folder

FILTERS = {"bicubic": "bicubic", "bilinear": "bilinear", "nearest": "nearest", "lanczos": "lanczos", "box": "box"}


def exported(name: str) -> ImageModel:
    """Return a network of timm as a model file in the user's cache folder, made at first use.

    Its weights come from timm, which takes them from the user's own cache or fetches them from its hub.

    Parameters
    ----------
    name : str
        As timm knows it, such as ``"resnet18.a1_in1k"``.

    Raises
    ------
    DependencyMissing
        timm, PyTorch or onnxscript is not installed.
    ModelNotFound
        timm knows no such network, or its weights cannot be had.
    """
    path = cache_folder() / "timm" / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.onnx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        export(create(name), name, path)
    return ImageModel(path)


def create(name: str, pretrained: bool = True) -> Any:
    """Make a network of timm, its classifier included."""
    try:
        import timm
    except ImportError as problem:
        raise DependencyMissing(
            f'backbone="timm/{name}" needs timm: pip install "imagesasdata[timm]" ({problem}).'
        ) from problem
    try:
        return timm.create_model(name, pretrained=pretrained).eval()
    except Exception as problem:  # timm, its hub and the network have exceptions of their own
        raise ModelNotFound(f'timm gives no network "{name}": {problem}') from problem


def export(network: Any, name: str, path: Path) -> None:
    """Write a network of timm as a model file: its pooled features and its classes."""
    import torch

    steps = preprocessing_of(network.pretrained_cfg)
    features = int(network.num_features)
    width = int(network.num_classes)
    wrapped = _two_outputs(torch, network)
    example = torch.zeros(2, steps.channels, steps.size, steps.size)
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                wrapped,
                (example,),
                dynamo=True,
                input_names=["image"],
                output_names=["embedding", "logits"],
                dynamic_shapes={"image": {0: torch.export.Dim("n", min=1)}},
                verbose=False,
            )
            assert program is not None
            program.optimize()
            content = program.model_proto.SerializeToString()
    except ImportError as problem:
        raise DependencyMissing("PyTorch needs onnxscript to export a network: pip install onnxscript.") from problem
    proto = onnx.load_from_string(content)
    for value in (*proto.graph.output,):
        if value.name == "embedding" and [d.dim_value for d in value.type.tensor_type.shape.dim][1:] != [features]:
            raise ModelInvalid(f'The network "{name}" gives no flat features, so it cannot be a backbone.')
    digest = hashlib.sha256(content).hexdigest()
    card = ModelCard(
        name=f"timm_{name}",
        task="single",
        classes=tuple(f"class_{i + 1}" for i in range(width)),
        preprocessing=steps,
        tensors={"input": "image", "embedding": "embedding", "output": "logits"},
        activation="softmax",
        provenance={
            "origin": f"timm {name}",
            "sha256": digest,
            "timm": getattr(sys.modules.get("timm"), "__version__", None),
        },
        licence=str(network.pretrained_cfg.get("license") or "unknown"),
        description=f"The network {name} of timm, exported as a backbone.",
    )
    write_model(proto, card, path)


def preprocessing_of(config: dict[str, Any]) -> Preprocessing:
    """Return timm's preprocessing for evaluation as ours."""
    channels, size, _ = config["input_size"]
    if channels != 3:
        raise ModelInvalid(f"The network takes {channels} channels; a backbone takes 3.")
    return Preprocessing(
        size=size,
        resize=round(size / config.get("crop_pct", 0.875)),
        rule="short_side_crop",
        filter=FILTERS.get(str(config.get("interpolation", "bicubic")), "bicubic"),
        colour="RGB",
        scale=255.0,
        mean=tuple(map(float, config["mean"])),
        std=tuple(map(float, config["std"])),
    )


def _two_outputs(torch: Any, network: Any) -> Any:
    class TwoOutputs(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: Any) -> Any:
            maps = self.network.forward_features(image)
            embedding = self.network.forward_head(maps, pre_logits=True)
            return embedding, self.network.forward_head(maps)

    return TwoOutputs()
