"""A network with timm's interface becomes a backbone: the same numbers, its own preprocessing."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import imagesasdata as iad
from imagesasdata.errors import DependencyMissing, ModelInvalid
from imagesasdata.runtime import Runner
from imagesasdata.train import timm_backbone

pytestmark = pytest.mark.torch

CONFIG = {
    "input_size": (3, 64, 64),
    "crop_pct": 0.8,
    "interpolation": "bilinear",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "license": "apache-2.0",
}


def network() -> Any:
    """A small residual network with the methods and attributes by which timm's networks are used."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(1)

    class Residual(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.pretrained_cfg, self.num_features, self.num_classes = CONFIG, 12, 5
            self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU())
            self.pool = nn.MaxPool2d(3, 2, 1)
            self.block = nn.Sequential(nn.Conv2d(12, 12, 3, padding=1), nn.BatchNorm2d(12))
            self.fc = nn.Linear(12, 5)

        def forward_features(self, x: Any) -> Any:
            x = self.pool(self.stem(x))
            return torch.relu(x + self.block(x))

        def forward_head(self, x: Any, pre_logits: bool = False) -> Any:
            x = x.mean((2, 3))
            return x if pre_logits else self.fc(x)

    return Residual().eval()


def test_the_exported_file_gives_what_the_network_gives(tmp_path: Path) -> None:
    import torch

    made = network()
    timm_backbone.export(made, "small", tmp_path / "small.onnx")
    model = iad.load_model(tmp_path / "small.onnx")
    steps = model.card.preprocessing
    assert (steps.size, steps.resize, steps.filter, steps.mean) == (64, 80, "bilinear", CONFIG["mean"])
    assert model.card.licence == "apache-2.0"
    pixels = np.random.default_rng(1).integers(0, 256, (3, 64, 64, 3), np.uint8)
    x = ((pixels / 255 - np.array(steps.mean)) / np.array(steps.std)).transpose(0, 3, 1, 2).astype(np.float32)
    with torch.inference_mode():
        features = made.forward_features(torch.from_numpy(x))
        expected = made.forward_head(features, pre_logits=True).numpy(), made.forward_head(features).numpy()
    for tensor, values in zip(("embedding", "output"), expected, strict=True):
        np.testing.assert_allclose(Runner(model.path, "cpu", tensor)(pixels), values, atol=1e-5)


def test_it_is_exported_once_and_then_trained_like_any_backbone(
    class_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setenv("IMAGESASDATA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(timm_backbone, "create", lambda name: (made.append(name), network())[1])
    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(__version__="1.2.3"))
    for method in ("head", "tail"):
        epochs = {"epochs": 1} if method == "tail" else {}
        out = tmp_path / f"{method}.onnx"
        model = iad.fine_tune(
            class_folders, backbone="timm/small.in1k", method=method, out=out, folds=2, progress=False, **epochs
        )
        assert model.card.provenance["origin"].startswith(f'fine-tuned ({method}) from "timm_small.in1k"')
        assert model.card.provenance["difference"] < 1e-5
        assert model.card.provenance["versions"]["timm"] == "1.2.3"
        assert ("torch" in model.card.provenance["versions"]) == (method == "tail")
    assert made == ["small.in1k"]


def test_a_network_with_other_than_three_channels_is_refused() -> None:
    with pytest.raises(ModelInvalid, match="4 channels"):
        timm_backbone.preprocessing_of({**CONFIG, "input_size": (4, 64, 64), "mean": (0.5,) * 4, "std": (0.5,) * 4})


def test_without_timm_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(DependencyMissing, match=r"imagesasdata\[timm\]"):
        timm_backbone.create("resnet18")
