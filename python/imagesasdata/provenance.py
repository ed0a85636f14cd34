"""What made a table: versions, model, device, preprocessing and time."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

import onnxruntime
import PIL

from .model import ImageModel
from .version import __version__


def describe_run(verb: str, models: Sequence[ImageModel], device: str) -> dict[str, Any]:
    """Return the provenance of a table, as ``docs/tables.md`` documents it."""
    described = [
        {
            "model": model.name,
            "model_sha256": model.sha256,
            "preprocessing": dataclasses.asdict(model.card.preprocessing),
            **_promised(model),
        }
        for model in models
    ]
    return {
        "verb": verb,
        "package_version": __version__,
        **(described[0] if len(described) == 1 else {"models": described}),
        "device": device,
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "onnxruntime": onnxruntime.__version__,
        "pillow": PIL.__version__,
    }


def _promised(model: ImageModel) -> dict[str, Any]:
    """Return the cross-validated accuracy of a model that was fine-tuned."""
    promised = model.card.metrics.get("accuracy")
    fine_tuned = "data_fingerprint" in model.card.provenance
    return {"cross_validated_accuracy": promised} if fine_tuned and isinstance(promised, list) else {}


def describe_call(verb: str) -> dict[str, Any]:
    """Return the provenance of a table that no model had a share in."""
    return {
        "verb": verb,
        "package_version": __version__,
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "pillow": PIL.__version__,
    }


def join_provenance(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what made the parts of one table: the time of the last, and every device and version that had a share."""
    joined = {
        key: "; ".join(sorted({str(part[key]) for part in parts if key in part}))
        for key in ("device", "onnxruntime", "pillow")
        if any(key in part for part in parts)
    }
    times = [part["time"] for part in parts if "time" in part]
    return joined | ({"time": max(times)} if times else {})
