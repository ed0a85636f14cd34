"""Set up what the peers of the throughput benchmark run on: an environment of their own, and this package's weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import PIL
from onnx import numpy_helper

from imagesasdata.decode import Limits, decode_image
from imagesasdata.modelfile import read_model
from imagesasdata.reading import read_file
from photographs import CACHE

# timm's transforms need torchvision, and every torchvision needs its own torch. One environment for all peers.
PACKAGES = (
    "torch==2.14.1",
    "torchvision==0.29.1",
    "timm==1.0.31",
    "transformers==5.23.0",
    "openvino==2026.4.1",
    f"pillow=={PIL.__version__}",
    f"numpy=={np.__version__}",
)


def set_up_environment() -> Path:
    """Return the Python of the peers' environment, which is made where it is missing or out of date."""
    folder, wanted = CACHE / "peers", "\n".join([sys.version, *PACKAGES])
    python, stamp = folder / "bin" / "python", folder / "packages.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Installing the peers into {folder} (a few gigabytes, once): {' '.join(PACKAGES)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        # Not kept in pip's cache: PyTorch would lie on the disk twice.
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
        subprocess.run([*install, *PACKAGES], check=True)
        # It would report each import of OpenVINO to its makers, and write into the home folder.
        subprocess.run([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "openvino-telemetry"], check=True)
        stamp.write_text(wanted)
    return python


def write_reference(model: Path, photographs: list[Path]) -> Path:
    """Write the model's weights in the network's order, and an input with its logits to check a peer's network by."""
    proto, card = read_model(model)
    arrays = {weight.name: numpy_helper.to_array(weight) for weight in proto.graph.initializer}
    reference: dict[str, Any] = {}
    convolutions = [node for node in proto.graph.node if node.op_type == "Conv"]
    for number, node in enumerate(convolutions):
        reference[f"kernel_{number}"], reference[f"bias_{number}"] = arrays[node.input[1]], arrays[node.input[2]]
    (last,) = (node for node in proto.graph.node if node.op_type == "Gemm")
    reference["classifier_kernel"], reference["classifier_bias"] = arrays[last.input[1]], arrays[last.input[2]]

    steps = card.preprocessing
    pixels = np.stack([decode_image(read_file(str(path)), steps, Limits()) for path in photographs])
    mean, std = (np.asarray(values, np.float32) for values in (steps.mean, steps.std))
    tensor = ((pixels / np.float32(steps.scale) - mean) / std).astype(np.float32).transpose(0, 3, 1, 2)
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    names = card.tensors
    (logits,) = session.run([str(names["output"])], {str(names["input"]): np.ascontiguousarray(tensor)})
    path = CACHE / "reference.npz"
    np.savez(path, pixels=pixels, tensor=tensor, logits=logits, mean=mean, std=std, **reference)
    return path
