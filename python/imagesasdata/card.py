"""The card of a model: everything that is known of it besides its graph, and the JSON that holds it."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .decode import Preprocessing
from .errors import ArgumentInvalid, ModelInvalid, ModelTooNew, quoted

SCHEMA_VERSION = 1
TASKS = ("single", "multi", "score")
FACE_TASKS = ("detect", "describe")  # of the networks behind the verbs for faces; they classify nothing
ACTIVATIONS = ("softmax", "sigmoid", "none")


@dataclass(frozen=True)
class ModelCard:
    """Everything that is known of a model besides its graph.

    Attributes
    ----------
    name : str
        How users call the model.
    task : {"single", "multi", "score", "detect", "describe"}
        Exclusive classes, several attributes at once, or numbers; find faces, or describe one by numbers.
    classes : tuple of str
        Names of the classes, attributes or scores, in the order of the output.
    preprocessing : Preprocessing
        How a photograph becomes the input.
    tensors : dict
        Names of the ``input``, ``embedding`` (may be None) and ``output`` tensors.
    activation : {"softmax", "sigmoid", "none"}
        What turns the output into probabilities.
    class_ids : tuple of str, optional
        Identifiers of the classes elsewhere, such as WordNet ids.
    backbone : dict
        ``name`` and ``sha256`` of the graph from the input to the embedding.
    provenance : dict
        ``package_version``, ``data_fingerprint``, ``seed``, ``date``, ``origin``.
    licence : str
        SPDX identifier, or a sentence.
    metrics : dict
        Measured quality, with its source.
    description : str
        What the model is for, in a sentence or two.
    """

    name: str
    task: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    tensors: dict[str, str | None]
    activation: str
    class_ids: tuple[str, ...] | None = None
    backbone: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    licence: str = "unknown"
    metrics: dict[str, Any] = field(default_factory=dict)
    description: str = ""

    def __post_init__(self) -> None:
        problems = []
        if self.task not in (*TASKS, *FACE_TASKS):
            problems.append(f"task is {self.task!r}, not one of {quoted((*TASKS, *FACE_TASKS))}")
        if self.activation not in ACTIVATIONS:
            problems.append(f"activation is {self.activation!r}, not one of {quoted(ACTIVATIONS)}")
        if not self.classes or not all(isinstance(c, str) and c for c in self.classes):
            problems.append("classes must be names, at least one")
        if self.task == "single" and len(self.classes) < 2:
            problems.append("a single-label model needs two classes or more")
        doubled = sorted(name for name, count in Counter(self.classes).items() if count > 1)
        if doubled:
            problems.append(f"classes occur twice: {quoted(doubled)}")
        if self.class_ids is not None and len(self.class_ids) != len(self.classes):
            problems.append(f"{len(self.class_ids)} class_ids for {len(self.classes)} classes")
        steps = self.preprocessing
        for key in ("mean", "std"):
            if len(getattr(steps, key)) != steps.channels:
                problems.append(f"preprocessing.{key} needs {steps.channels} number(s)")
        if not all(isinstance(side, int) and not isinstance(side, bool) for side in (steps.size, steps.resize)):
            problems.append("preprocessing.size and resize must be whole numbers of pixels")
        if not 1 <= steps.size <= 4096 or not 1 <= steps.resize <= 65_536:
            problems.append("preprocessing.size must be between 1 and 4096 pixels and resize between 1 and 65536")
        if not isinstance(steps.jpeg_scaling, bool):
            problems.append("preprocessing.jpeg_scaling must be true or false")
        if steps.rule == "short_side_crop" and steps.resize < steps.size:
            problems.append("preprocessing.resize must not be less than size: the crop is cut out of it")
        if 0 in steps.std or steps.scale == 0:
            problems.append("preprocessing.std and scale must not be 0")
        if not all(map(math.isfinite, (*steps.mean, *steps.std, steps.scale))):
            problems.append("preprocessing.mean, std and scale must be finite numbers")
        for key in ("tensors", "backbone", "provenance", "metrics"):
            if not isinstance(getattr(self, key), dict):
                problems.append(f"{key} must be an object")
        problems += [f"{key} must be text" for key in ("name", "licence", "description") if not _is_text(self, key)]
        for key, value in self.tensors.items() if isinstance(self.tensors, dict) else ():
            if not isinstance(value, str | None):
                problems.append(f"tensors.{key} must be the name of a tensor")
        if isinstance(self.backbone, dict) and not isinstance(self.backbone.get("sha256", ""), str):
            problems.append("backbone.sha256 must be text")
        if problems:
            raise ModelInvalid(f"The model card is not valid: {'; '.join(problems)}.")

    def to_json(self) -> str:
        """Return the metadata as JSON, the same text for the same card."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str, path: Path) -> ModelCard:
        """Read the metadata; `path` is named in errors."""
        try:
            values = json.loads(text)
            json.dumps(values, ensure_ascii=False).encode()  # fails at half an emoji, which no table can hold
            version = values.pop("schema_version")
            if version > SCHEMA_VERSION:
                raise ModelTooNew(
                    f'"{path}" was written in model format {version}; this version reads up to {SCHEMA_VERSION}. '
                    "Update imagesasdata."
                )
            known = {f.name for f in dataclasses.fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            steps = {f.name for f in dataclasses.fields(Preprocessing)}
            raw = {key: value for key, value in values["preprocessing"].items() if key in steps}
            raw["mean"], raw["std"] = tuple(map(float, raw["mean"])), tuple(map(float, raw["std"]))
            values["preprocessing"] = Preprocessing(**raw)
            values["classes"] = tuple(values["classes"])
            if values.get("class_ids") is not None:
                values["class_ids"] = tuple(values["class_ids"])
            return cls(**values)
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,  # a number that is too large
            RecursionError,  # brackets in brackets in brackets
            ArgumentInvalid,
        ) as problem:
            raise ModelInvalid(
                f'The metadata of "{path}" cannot be read ({type(problem).__name__}: {problem}). '
                "See docs/model-file.md for the format."
            ) from problem


def _is_text(card: ModelCard, key: str) -> bool:
    return isinstance(getattr(card, key), str)


def check_width(width: int | None, card: ModelCard) -> None:
    """Raise `ModelInvalid` where the output's width is known and is not the number of classes."""
    if width is not None and width != len(card.classes):
        raise ModelInvalid(
            f"The network has {width:,} outputs and {len(card.classes):,} classes are named. "
            "Give one name for each output, in its order."
        )
