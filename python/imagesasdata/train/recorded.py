"""What is recorded of a run so that it can be repeated: versions, and a fingerprint of the labels."""

from __future__ import annotations

import hashlib
import platform

import numpy as np
import onnx
import onnxruntime
import PIL
import scipy
import sklearn

from ..labels import Labels
from ..model import ImageModel
from ..reading import path_on_disk


def versions(method: str, backbone: ImageModel) -> dict[str, str]:
    """Return the versions of what has a share in the numbers; that of timm is of the day when it gave the network."""
    found = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "pillow": PIL.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    if backbone.card.provenance.get("timm"):
        found["timm"] = str(backbone.card.provenance["timm"])
    if method != "head":
        import torch

        found["torch"] = torch.__version__
    return found


def fingerprint(labels: Labels) -> str:
    """Return a sha256 of the labelled photographs: the content of each file, its labels and its group, in order."""
    digest = hashlib.sha256(repr((labels.task, labels.names)).encode())
    for path, values, group in zip(labels.images.paths, labels.targets, labels.groups, strict=True):
        with open(path_on_disk(str(path)), "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        digest.update(values.tobytes() + int(group).to_bytes(8, "little"))
    return digest.hexdigest()
