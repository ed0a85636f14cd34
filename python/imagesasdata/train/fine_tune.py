"""`fine_tune`: from hand labels to a model file with quality figures that hold on new photographs."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..card import ModelCard
from ..engine import Engine
from ..errors import ArgumentInvalid, DependencyMissing, DeviceUnavailable, Interrupted, ModelInvalid
from ..findings import Findings, FindingsVerb
from ..labels import read_labels
from ..model import ImageModel
from ..modelfile import file_sha256, write_model
from ..pipeline import run_models
from ..progress import Report, Stages
from ..registry import DEFAULT_MODEL, user_folder
from ..version import __version__
from .head_graph import BIAS, OUTPUT, WEIGHT, initializer, set_weights
from .method import ACTIVATIONS, Fitted
from .plan import METHODS, Plan, plan_of
from .prepare import ClassWeights, Prepared, prepare
from .recorded import versions
from .validate import activated, make_method, validate

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
        ``"tail"`` where PyTorch is installed and cross-validation says that it is better, else ``"head"``; the figure
        by which it chose is then reported, and a little too good.
    out : path, optional
        The model file to write, such as ``"protest.onnx"``. What cross-validation found is written beside it, as
        ``protest.validation.zip``.
    name : str, optional
        Name of the model; by default that of the file. Without `out`, the model is put among the user's models
        under this name.
    groups : str, optional
        A column: photographs with the same value (of one event, one account) are never apart in cross-validation.
    class_weights : "balanced" or dict, optional
        Weights of the classes in training, such as ``{"protest": 2}``, or ``{1: 2}`` where classes are numbers.
        ``"balanced"`` makes rare classes count as much as frequent ones, at the price of probabilities that are too
        high for rare classes.
    folds : int
        Folds of the cross-validation.
    epochs : int, optional
        For ``"tail"`` and ``"full"``: how often to go through the photographs.
    conf_level : float
        Level of the intervals.
    seed : int
        The same seed, labels, options and versions give the same file, bit for bit, on the same machine. The card
        holds them: ``fine_tune(labels, seed=seed, **options, ...)`` with its ``provenance`` repeats the run.
    device, cache, progress
        As in `classify_images`.
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    FineTuned
        An `ImageModel`; its ``validation`` holds what cross-validation found (see `cross_validate`), out-of-fold
        predictions included. The card in the file holds the figures, the options, the seed, the versions, and a
        fingerprint of the labelled photographs.

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
    plan = plan_of(method, ("auto", *METHODS), epochs=epochs, folds=folds, conf_level=conf_level, seed=seed)
    path, name = _target(out, name, overwrite)
    given = read_labels(labels, image_col, label_col, image_dir, coders, task, groups)
    plan.check(given)
    with Stages(progress) as stages, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        ready = prepare(given, backbone, class_weights, Path(work), device, cache, stages.report)
        plan.check(ready.material.labels)  # near-duplicates are known now: fewer folds may be possible
        options = {
            "label_col": label_col if isinstance(label_col, str) else list(label_col),
            "coders": coders if coders is None or isinstance(coders, str) else list(coders),
            "task": task,
            "groups": groups,
            "method": method,
            "class_weights": ready.class_weights,
            "folds": plan.folds,
            "epochs": plan.epochs,
            "conf_level": plan.conf_level,
            "device": device,
        }
        trial = _Trial(ready, path, name, plan, options, stages)
        first = "head" if method == "auto" else method
        trial.run(first)
        if method == "auto" and importlib.util.find_spec("torch") is not None:
            trial.challenge("tail")
        assert trial.best is not None
        return trial.best


class _Trial:
    """Fit, validate and write; the file holds the best so far at any time."""

    def __init__(
        self, ready: Prepared, path: Path, name: str, plan: Plan, options: dict[str, Any], stages: Stages
    ) -> None:
        self.ready, self.path, self.name, self.plan, self.options = ready, path, name, plan, options
        self.stages = stages
        self.best: FineTuned | None = None

    def run(self, method: str) -> None:
        """Fit on everything and write, then validate and write the figures too."""
        way = make_method(method, self.ready, self.plan.epochs)
        rows = np.arange(len(self.ready.material.labels.values))
        fitted = way.fit(rows, self.plan.seed)
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
            way = make_method(method, self.ready, self.plan.epochs)
            found = self._validate(method, way)
            compared = {"head": was.facts["estimate"], method: found.facts["estimate"]}
            better = found.facts["estimate"] is not None and (
                was.facts["estimate"] is None or found.facts["estimate"] > was.facts["estimate"]
            )
            note = _on_choosing(was.facts["primary"], compared)
            if not better:
                self._keep(was, note, compared=compared)
                return
            rows = np.arange(len(self.ready.material.labels.values))
            fitted = way.fit(rows, self.plan.seed)
            found = dataclasses.replace(found, facts={**found.facts, "compared": compared}, notes=(*found.notes, note))
            if not fitted.settings.get("interrupted"):
                self.best = self._write(method, fitted, found)
                return
        except (ModelInvalid, DependencyMissing, DeviceUnavailable) as problem:
            # PyTorch that cannot be imported, a network that it cannot run, or one without a place to cut.
            self._keep(was, f'method="{method}" was not tried, so the model is the head: {problem}')
            return
        except KeyboardInterrupt:
            pass
        raise _Stopped(self.best)

    def _keep(self, found: Findings, note: str, **facts: Any) -> None:
        """Keep the model that is there, and write what is known now beside it."""
        kept = dataclasses.replace(found, facts={**found.facts, **facts}, notes=(*found.notes, note))
        kept.save(validation_path(self.path))
        self.best = FineTuned(self.path, kept, kept.notes)

    def _validate(self, method: str, way: Any) -> Findings:
        return validate(self.ready, way, method, self.plan, self.stages.report)

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
                "data_fingerprint": self.ready.fingerprint,
                "seed": self.plan.seed,
                "date": None,  # the same labels give the same bytes, on any day
                "origin": f'fine-tuned ({method}) from "{backbone.name}", sha256 {backbone.sha256}',
                "options": self.options,
                "settings": fitted.settings,
                "versions": versions(method, backbone),
            },
            licence=backbone.card.licence,
            metrics=figures(found) if found else {},
            description=f"Fine-tuned from {backbone.name} on {len(labels.values):,} labelled photographs.",
        )
        partial = self.path.with_name(f".{self.path.stem}.{os.getpid()}.onnx")
        try:
            card = write_model(proto, card, partial)
            difference, device = self._difference(ImageModel(partial), fitted, temperature)
            known = {"device": device, "difference": float(f"{difference:.1e}")}
            card = dataclasses.replace(card, provenance={**card.provenance, **known})
            write_model(proto, card, partial)
            validation_path(self.path).unlink(missing_ok=True)  # the figures are of the file that was there
            partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)
        if found:
            found = dataclasses.replace(found, facts={**found.facts, "model_sha256": file_sha256(self.path)})
            found.save(validation_path(self.path))
        return FineTuned(self.path, found, found.notes if found else self.ready.notes)

    def _difference(self, model: ImageModel, fitted: Fitted, temperature: float) -> tuple[float, str]:
        """Return the largest difference between the file, in ONNX Runtime, and what was trained; and the device."""
        material = self.ready.material
        labels = material.labels
        n = len(labels.values)
        rows = np.linspace(0, n - 1, min(n, MOST_CHECKED)).astype(np.int64)  # sorted class folders: of all classes
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
        return difference, engine.device


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


def _on_choosing(metric: str, compared: dict[str, float | None]) -> str:
    """Say that a figure by which the model was chosen is a little too good."""
    said = ", ".join(f"{way} {'-' if estimate is None else f'{estimate:.3f}'}" for way, estimate in compared.items())
    return (
        f"The better of {len(compared)} methods was taken by its cross-validated {metric} ({said}). Who chooses by a "
        "figure reports one that is a little too good: for one that is not, name `method` beforehand, or test on "
        "photographs that played no part."
    )


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
