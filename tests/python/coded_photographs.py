"""Predictions of middling models beside hand labels, and ways to look at what was found."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from imagesasdata.errors import (
    ImagesAsDataWarning,
)
from imagesasdata.evaluate import evaluate_predictions
from imagesasdata.findings import Findings

CLASSES = ("other", "police", "protest")
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    'a "b"\n\N{RIGHT-TO-LEFT OVERRIDE}c',
    "\N{GRINNING FACE} 猫",
)

KINDS = (list, tuple, np.array, pd.Series, pd.Categorical, pa.array, lambda values: pa.chunked_array([values]))


def coded(n: int = 300, classes: tuple[str, ...] = CLASSES, seed: int = 1, skill: float = 1.5) -> pd.DataFrame:
    """Predictions as `classify_images` makes them, of a middling model, and the hand label as ``hand``."""
    rng = np.random.default_rng(seed)
    k = len(classes)
    truth = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) + skill * np.eye(k)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    best = probs.argmax(axis=1)
    columns = {
        "image": [f"{i}.jpg" for i in range(n)],
        "label": pd.Categorical.from_codes(best, list(classes)),
        "prob": probs.max(axis=1),
        **{f"prob_{name}": probs[:, i] for i, name in enumerate(classes)},
        "error": pd.Series([None] * n, dtype=object),
        "hand": np.array(classes, dtype=object)[truth],
    }
    return pd.DataFrame(columns)


def attributes(n: int = 300, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"image": [f"{i}.jpg" for i in range(n)]})
    for name, share in (("fire", 0.2), ("flag", 0.5)):
        truth = rng.random(n) < share
        prob = np.round(1 / (1 + np.exp(-(rng.normal(size=n) + np.where(truth, 1.2, -1.2)))), 3)
        frame[name], frame[f"prob_{name}"], frame[f"truth_{name}"] = prob >= 0.5, prob, truth.astype(float)
    return frame


def scores(n: int = 300, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"image": [f"{i}.jpg" for i in range(n)]})
    for name, noise in (("anger", 0.5), ("joy", 1.5)):
        truth = rng.normal(4, 1, n)
        frame[f"truth_{name}"], frame[f"score_{name}"] = truth, truth + rng.normal(0, noise, n)
    return frame


def evaluate(*arguments: Any, **options: Any) -> Findings:
    """Evaluate without warnings, and with few replicates where not said otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImagesAsDataWarning)
        return evaluate_predictions(*arguments, **{"replicates": 50, **options})


def row(found: Findings, metric: str, name: str | None = None, table: str = "metrics", **where: str) -> dict[str, Any]:
    """The only row about a metric."""
    rows = [r for r in found.tables[table].to_pylist() if r["metric"] == metric and r["class"] == name]
    (only,) = [r for r in rows if all(r[key] == value for key, value in where.items())]
    return dict(only)


def figure(found: Findings, metric: str, name: str | None = None) -> float:
    return float(row(found, metric, name)["estimate"])


def same(found: Findings, expected: Findings) -> bool:
    return bool(found.tables["metrics"].equals(expected.tables["metrics"]))
