"""`fine_tune`: from hand labels to a model file with quality figures that hold on new photographs."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import platform
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import sklearn

from ..card import ModelCard
from ..engine import Engine
from ..errors import ArgumentInvalid, Interrupted, ModelInvalid, choose
from ..findings import Findings, FindingsVerb
from ..labels import read_labels
from ..model import ImageModel
from ..modelfile import write_model
from ..pipeline import run_models
from ..progress import Report, Stages
from ..reading import path_on_disk
from ..registry import DEFAULT_MODEL, user_folder
from ..version import __version__
from .head_graph import BIAS, OUTPUT, WEIGHT, initializer, set_weights
from .method import ACTIVATIONS, Fitted
from .prepare import ClassWeights, Prepared, prepare
from .validate import METHODS, activated, make_method, validate

MOST_CHECKED = 200  # photographs on which the written file is compared with what was trained
TOLERANCE = 1e-3  # between the file's probabilities and those of training; usual is 1e-6


class FineTuned(ImageModel):
    """A model that was fine-tuned in this session: an `ImageModel` that also has what is known of its quality.

    Attributes
    ----------
    validation : Findings or None
        Its cross-validation; None where it was interrupted.
    notes : tuple of str
        What the user should know.
    """

    def __init__(self, path: Path, validation: Findings | None, notes: tuple[str, ...]) -> None:
        super().__init__(path)
        self.validation = validation
        self.notes = notes


class _FineTune(FindingsVerb[..., FineTuned]):
    """As other verbs, and an interrupt comes with the best model so far."""

    def _run(self, *args: Any, **kwargs: Any) -> FineTuned:
        try:
            return self._core(*args, **kwargs)
        except _Stopped as stop:
            raise Interrupted(str(stop), stop.model) from None

    def for_r(self, *args: Any, **kwargs: Any) -> FineTuned:
        try:
            return self._core(*args, **kwargs)
        except _Stopped as stop:
            note = str(stop)[0].upper() + str(stop)[1:] + "."
            return FineTuned(stop.model.path, stop.model.validation, (*stop.model.notes, note))


class _Stopped(KeyboardInterrupt):
    def __init__(self, model: FineTuned) -> None:
        super().__init__(f'interrupted: the best model so far is in "{model.path}"')
        self.model = model


@_FineTune
def fine_tune(
    labels: Any,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    image_dir: str | os.PathLike[str] | None = None,
    coders: str | Sequence[str] | None = None,
    task: str = "auto",
    backbone: str | os.PathLike[str] | ImageModel = DEFAULT_MODEL,
    method: str = "auto",
    out: str | os.PathLike[str] | None = None,
    name: str | None = None,
    groups: str | None = None,
    class_weights: ClassWeights = None,
    folds: int = 5,
    epochs: int | None = None,
    conf_level: float = 0.95,
    seed: int = 1,
    device: str = "auto",
    cache: bool = True,
    progress: Report = True,
    overwrite: bool = False,
) -> FineTuned:
    """Fine-tune a network on hand labels, measure it by cross-validation, and write it as one model file.

    Parameters
    ----------
    labels : folder, table file or data frame
        A folder with a folder of photographs for each class, or a table with a column of paths and one or more of
        labels.
    image_col : str
        The column with the paths.
    label_col : str or list of str
        The column with the labels; several for several attributes (0 and 1) or several scores.
    image_dir : path, optional
        The folder from which relative paths start; the working directory if not given.
    coders : str or list of str, optional
        Where several people coded: the column that names the coder (a row an answer), or the columns of the coders (a
        row a photograph). Classes and attributes are learnt as the share of coders who said so, scores as their mean;
        figures are about the majority and the mean, beside what the coders' agreement allows.
    task : {"auto", "single", "multi", "score"}
        Exclusive classes, several attributes at once, or numbers; read from the labels by default.
    backbone : str, path or ImageModel
        The network to start from: any model that names an embedding. ``"timm/<name>"`` takes a network of timm.
    method : {"auto", "head", "tail", "full"}
        ``"head"`` fits a new last layer on the network's embeddings (logistic or ridge regression; seconds).
        ``"tail"`` trains the last part of the network, and ``"full"`` all of it; both need PyTorch. ``"auto"`` takes
        ``"tail"`` where PyTorch is installed and cross-validation says that it is better, else ``"head"``.
    out : path, optional
        The model file to write, such as ``"protest.onnx"``. What cross-validation found is written beside it, as
        ``protest.validation.zip``.
    name : str, optional
        Name of the model; by default that of the file. Without `out`, the model is put among the user's models
        under this name.
    groups : str, optional
        A column: photographs with the same value (of one event, one account) are never apart in cross-validation.
    class_weights : "balanced" or dict, optional
        Weights of the classes in training; ``"balanced"`` makes rare classes count as much as frequent ones, at the
        price of probabilities that are too high for rare classes.
    folds : int
        Folds of the cross-validation.
    epochs : int, optional
        For ``"tail"`` and ``"full"``: how often to go through the photographs.
    conf_level : float
        Level of the intervals.
    seed : int
        The same seed, labels and versions give the same file, bit for bit, on the same machine.
    device, cache, progress
        As in `classify_images`.
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    FineTuned
        An `ImageModel`; its ``validation`` holds what cross-validation found (see `cross_validate`), out-of-fold
        predictions included. The card in the file holds the figures, the seed, the versions, and a fingerprint of the
        labelled photographs.

    Raises
    ------
    LabelsInvalid
        The labels cannot be used; the message says which and why.
    DependencyMissing
        PyTorch is needed and not installed.
    Interrupted
        A KeyboardInterrupt whose ``partial`` is the best model so far, if there is one.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> model = iad.fine_tune("labels.csv", image_dir="photos/", out="protest.onnx")  # doctest: +SKIP
    >>> model.validation.metrics  # doctest: +SKIP
    >>> model.classify("new_photos/")  # doctest: +SKIP
    """
    choose("method", method, ("auto", *METHODS))
    path, name = _target(out, name, overwrite)
    given = read_labels(labels, image_col, label_col, image_dir, coders, task, groups)
    with Stages(progress) as stages, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        ready = prepare(given, backbone, class_weights, Path(work), device, cache, stages.report)
        trial = _Trial(ready, path, name, folds, epochs, conf_level, seed, stages)
        first = "head" if method == "auto" else method
        trial.run(first)
        if method == "auto" and importlib.util.find_spec("torch") is not None:
            trial.challenge("tail")
        assert trial.best is not None
        return trial.best


class _Trial:
    """Fit, validate and write; the file holds the best so far at any time."""

    def __init__(
        self,
        ready: Prepared,
        path: Path,
        name: str,
        folds: int,
        epochs: int | None,
        conf_level: float,
        seed: int,
        stages: Stages,
    ) -> None:
        self.ready, self.path, self.name = ready, path, name
        self.folds, self.epochs, self.conf_level, self.seed, self.stages = folds, epochs, conf_level, seed, stages
        self.best: FineTuned | None = None
        self._fingerprint = fingerprint(ready)

    def run(self, method: str) -> None:
        """Fit on everything and write, then validate and write the figures too."""
        way = make_method(method, self.ready, self.epochs if method != "head" else None)
        rows = np.arange(len(self.ready.material.labels.values))
        fitted = way.fit(rows, self.seed)
        self.best = self._write(method, fitted, None)
        if fitted.settings.get("interrupted"):
            raise _Stopped(self.best)
        try:
            found = self._validate(method, way)
        except KeyboardInterrupt:
            raise _Stopped(self.best) from None
        self.best = self._write(method, fitted, found)

    def challenge(self, method: str) -> None:
        """Try another method, and take it where cross-validation says that it is better."""
        assert self.best is not None
        assert self.best.validation is not None
        was = self.best.validation
        try:
            way = make_method(method, self.ready, self.epochs)
            found = self._validate(method, way)
            compared = {"head": was.facts["estimate"], method: found.facts["estimate"]}
            better = found.facts["estimate"] is not None and (
                was.facts["estimate"] is None or found.facts["estimate"] > was.facts["estimate"]
            )
            if not better:
                kept = dataclasses.replace(was, facts={**was.facts, "compared": compared})
                self.best = FineTuned(self.path, kept, kept.notes)
                self._save(kept)
                return
            rows = np.arange(len(self.ready.material.labels.values))
            fitted = way.fit(rows, self.seed)
            found = dataclasses.replace(found, facts={**found.facts, "compared": compared})
            if not fitted.settings.get("interrupted"):
                self.best = self._write(method, fitted, found)
                return
        except ModelInvalid as problem:  # a network that PyTorch cannot run, or without a place to cut
            note = f'method="{method}" was not tried: {problem}'
            self.best = FineTuned(self.path, was, (*was.notes, note))
            return
        except KeyboardInterrupt:
            pass
        raise _Stopped(self.best)

    def _validate(self, method: str, way: Any) -> Findings:
        return validate(self.ready, way, method, self.folds, 1, self.seed, self.conf_level, self.stages.report)

    def _write(self, method: str, fitted: Fitted, found: Findings | None) -> FineTuned:
        """Write the model file, check it against what was trained, and write the findings beside it."""
        labels, backbone = self.ready.material.labels, self.ready.material.backbone
        proto = fitted.proto()
        temperature = found.facts["temperature"] if found else 1.0
        if temperature != 1.0:
            new = {key: initializer(proto, key) / temperature for key in (WEIGHT, BIAS)}
            proto = set_weights(proto, new)
        card = ModelCard(
            name=self.name,
            task=labels.task,
            classes=labels.names,
            preprocessing=backbone.card.preprocessing,
            tensors={**backbone.card.tensors, "output": OUTPUT},
            activation=ACTIVATIONS[labels.task],
            backbone={"name": backbone.name} if method == "head" else {"name": self.name},
            provenance={
                "package_version": __version__,
                "data_fingerprint": self._fingerprint,
                "seed": self.seed,
                "date": None,  # the same labels give the same bytes, on any day
                "origin": f'fine-tuned ({method}) from "{backbone.name}", sha256 {backbone.sha256}',
                "settings": fitted.settings,
                "versions": _versions(method),
            },
            licence=backbone.card.licence,
            metrics=figures(found) if found else {},
            description=f"Fine-tuned from {backbone.name} on {len(labels.values):,} labelled photographs.",
        )
        partial = self.path.with_name(f".{self.path.stem}.{os.getpid()}.onnx")
        try:
            card = write_model(proto, card, partial)
            difference = self._difference(ImageModel(partial), fitted, temperature)
            card = dataclasses.replace(card, provenance={**card.provenance, "difference": float(f"{difference:.1e}")})
            write_model(proto, card, partial)
            partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)
        if found:
            self._save(found)
        return FineTuned(self.path, found, found.notes if found else self.ready.notes)

    def _save(self, found: Findings) -> None:
        found.save(validation_path(self.path))

    def _difference(self, model: ImageModel, fitted: Fitted, temperature: float) -> float:
        """Return the largest difference between the file, in ONNX Runtime, and what was trained."""
        material = self.ready.material
        labels = material.labels
        rows = np.arange(min(len(labels.values), MOST_CHECKED))
        images = dataclasses.replace(
            labels.images,
            names=[labels.images.names[i] for i in rows],
            paths=[labels.images.paths[i] for i in rows],
            data=None,
        )
        engine = Engine([model], material.device, cache=material.cache)
        values = [batch.values[0] for batch in run_models(images, engine, [(0, len(rows))])]
        engine.close()
        given = activated(np.concatenate(values), labels.task)
        expected = activated(fitted.logits(rows) / temperature, labels.task)
        scale = 1.0 if labels.task != "score" else max(1.0, float(np.abs(expected).max()))
        difference = float(np.abs(given - expected).max() / scale)
        if not difference <= TOLERANCE:
            raise ModelInvalid(
                f"The file gives other probabilities than training did (they differ by up to {difference:.2g}); it was "
                "not written. Please report this, with the backbone that you used."
            )
        return difference


def validation_path(path: Path) -> Path:
    """Return where the findings of a model's cross-validation are kept."""
    return path.with_suffix(".validation.zip")


def figures(found: Findings) -> dict[str, Any]:
    """Return the figures of a cross-validation for a model's card."""
    facts, level = found.facts, found.facts["conf_level"]
    rows = [row for row in found.tables["metrics"].to_pylist() if row["estimate"] is not None]
    shown = {
        row["metric"] + (f" ({row['class']})" if row["class"] else ""): [
            round(row[key], 4) if row[key] is not None else None for key in ("estimate", "conf_low", "conf_high")
        ]
        for row in rows
    }
    kept = ("baseline", "ceiling", "ceiling_r2", "temperature", "n_duplicate_pairs", "method", "folds")
    return {
        "source": f"{facts['folds']}-fold cross-validation, near-duplicates kept together; "
        f"estimate and {level:.0%} interval",
        "n": facts["n"],
        **{key: facts[key] for key in kept if facts.get(key) is not None},
        **shown,
    }


def fingerprint(ready: Prepared) -> str:
    """Return a sha256 of the labelled photographs: the content of each file, its labels and its group, in order."""
    labels = ready.material.labels
    digest = hashlib.sha256(repr((labels.task, labels.names)).encode())
    for path, values, group in zip(labels.images.paths, labels.targets, labels.groups, strict=True):
        with open(path_on_disk(str(path)), "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        digest.update(values.tobytes() + int(group).to_bytes(8, "little"))
    return digest.hexdigest()


def _target(out: str | os.PathLike[str] | None, name: str | None, overwrite: bool) -> tuple[Path, str]:
    """Return the file to write and the model's name."""
    if out is None and name is None:
        raise ArgumentInvalid('Give `out`, the file to write, such as "protest.onnx", or `name` to keep it by name.')
    if name is not None and not re.fullmatch(r"\w[\w.-]*", name):
        raise ArgumentInvalid(f'`name` is "{name}"; it may have letters, digits, "_", "-" and ".".')
    if out is None:
        path = user_folder() / f"{name}.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
    else:
        path = Path(out).expanduser()
        if path.suffix.lower() != ".onnx":
            raise ArgumentInvalid(f'`out` is "{path}"; the file of a model ends in .onnx.')
        if not path.parent.is_dir():
            raise ArgumentInvalid(f'`out` is "{path}"; there is no folder {path.parent}.')
    if path.exists() and not overwrite:
        raise ArgumentInvalid(f'There is a file "{path}" already. Give another name, or overwrite=True (--overwrite).')
    return path, name or path.stem


def _versions(method: str) -> dict[str, str]:
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    if method != "head":
        import torch

        versions["torch"] = torch.__version__
    return versions
