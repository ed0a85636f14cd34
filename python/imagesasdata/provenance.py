"""What made a table: versions, model, device, preprocessing and time."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import onnxruntime
import PIL

from .model import ImageModel
from .runtime import Runner
from .version import __version__


def describe_run(verb: str, model: ImageModel, runner: Runner) -> dict[str, Any]:
    """Return the provenance of a table, as ``docs/tables.md`` documents it."""
    return {
        "verb": verb,
        "package_version": __version__,
        "model": model.name,
        "model_sha256": model.sha256,
        "device": runner.device,
        "preprocessing": dataclasses.asdict(model.card.preprocessing),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "onnxruntime": onnxruntime.__version__,
        "pillow": PIL.__version__,
    }
