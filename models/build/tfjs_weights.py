"""Read the weights of a TensorFlow.js model: a JSON manifest, and the numbers one after the other in .bin files."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BYTES = {"float32": "<f4", "int32": "<i4", "uint8": "u1"}


class Stored(NamedTuple):
    """A weight as the file has it: its numbers, and how they become the weight, ``numbers * scale + least``."""

    numbers: NDArray[Any]
    scale: float
    least: float

    @property
    def quantized(self) -> bool:
        """Whether the numbers are whole numbers that stand for others."""
        return self.numbers.dtype == np.uint8

    def values(self) -> NDArray[Any]:
        """Return the weight."""
        if not self.quantized:
            return self.numbers
        return self.numbers.astype(np.float32) * np.float32(self.scale) + np.float32(self.least)


def read_weights(manifest: list[dict[str, Any]], content: bytes) -> dict[str, Stored]:
    """Read all weights of a manifest.

    Parameters
    ----------
    manifest
        The value of ``weightsManifest`` in a model.json, or the whole of a manifest file.
    content
        The content of the .bin files, one after the other.

    Raises
    ------
    ValueError
        The file is longer or shorter than the manifest says, or has a kind of number that is not known here.
    """
    weights: dict[str, Stored] = {}
    start = 0
    for entry in (weight for group in manifest for weight in group["weights"]):
        quantization = entry.get("quantization", {})
        kind = quantization.get("dtype", entry["dtype"])
        if kind not in BYTES:
            raise ValueError(f'weight "{entry["name"]}" is of kind {kind!r}, which is not read here')
        count = math.prod(entry["shape"])
        stop = start + count * np.dtype(BYTES[kind]).itemsize
        if stop > len(content):
            raise ValueError(f"the file of weights ends within {entry['name']!r}")
        numbers = np.frombuffer(content[start:stop], BYTES[kind]).reshape(entry["shape"])
        weights[entry["name"]] = Stored(numbers, quantization.get("scale", 1.0), quantization.get("min", 0.0))
        start = stop
    if start != len(content):
        raise ValueError(f"the file of weights has {len(content) - start:,} bytes more than its manifest names")
    return weights


def read_json(content: bytes) -> Any:
    """Return what a JSON file holds."""
    return json.loads(content)
