"""A model in the hand: `load_model`, its card, and the verbs as methods."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx

from . import registry
from .card import ModelCard
from .errors import ArgumentInvalid
from .modelfile import file_sha256, read_card, read_model

if TYPE_CHECKING:
    import pandas as pd


class ImageModel:
    """A model file, ready to use. Make one with `load_model`.

    Attributes
    ----------
    path : pathlib.Path
        The .onnx file.
    card : ModelCard
        What the file says of itself.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.card: ModelCard = read_card(self.path)

    def read(self) -> tuple[onnx.ModelProto, ModelCard]:
        """Return the graph and the card."""
        return read_model(self.path)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.card.name

    @functools.cached_property
    def sha256(self) -> str:
        """The sha256 of the file."""
        return file_sha256(self.path)

    def classify(self, images: Any, **options: Any) -> pd.DataFrame:
        """Return ``classify_images(images, model=self, **options)``."""
        from .classify import classify_images

        return classify_images(images, model=self, **options)

    def embed(self, images: Any, **options: Any) -> pd.DataFrame:
        """Return ``embed_images(images, model=self, **options)``."""
        from .embed import embed_images

        return embed_images(images, model=self, **options)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Copy the model's file to `path`, a file or a folder, and return where it is."""
        return registry.save_copy(self.path, path)

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        classes = f"{len(self.card.classes):,} {'classes' if self.card.task == 'single' else 'outputs'}"
        return f'<ImageModel "{self.name}": {self.card.task}, {classes}, input {self.card.preprocessing.size} px>'


def load_model(model: str | os.PathLike[str] | ImageModel = registry.DEFAULT_MODEL) -> ImageModel:
    """Return a model by its name or by the path of its file.

    Parameters
    ----------
    model : str, path or ImageModel
        A name from `list_models`, or a path to an .onnx file.

    Returns
    -------
    ImageModel

    Raises
    ------
    ModelNotFound
        No such name or file.
    ModelInvalid
        The file cannot be used; the message says why.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> iad.load_model("efficientnet_lite0")
    <ImageModel "efficientnet_lite0": single, 1,000 classes, input 224 px>
    """
    if not isinstance(model, str | os.PathLike):
        raise ArgumentInvalid(f"`model` is {model!r}; give the name of a model, the path of its file, or a model.")
    return model if isinstance(model, ImageModel) else ImageModel(registry.model_path(model))


def model_card(model: str | os.PathLike[str] | ImageModel = registry.DEFAULT_MODEL) -> str:
    """Return what is known of a model, as text to read.

    Parameters
    ----------
    model : str, path or ImageModel
        A name from `list_models`, or a path to an .onnx file.

    Returns
    -------
    str
        Markdown: facts from the file, then the card in words: that of a bundled model, or a file beside the model with
        its name and ``.md``. Where there is none, the sections of Mitchell et al. (2019), filled in as far as the file
        knows, the rest marked *To be filled in by the researcher.* Save the text as that file and complete it: from
        then on it is the card.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> print(iad.model_card("efficientnet_lite0").splitlines()[0])
    # efficientnet_lite0
    """
    loaded = load_model(model)
    card, steps = loaded.card, loaded.card.preprocessing
    shown = ", ".join(card.classes[:5]) + (f", ... ({len(card.classes):,} in all)" if len(card.classes) > 5 else "")
    crop = {
        "short_side_crop": f"short side to {steps.resize} px, centre {steps.size} px",
        "stretch": f"stretched to {steps.size} x {steps.size} px",
        "pad": f"fitted into {steps.size} x {steps.size} px",
    }[steps.rule]
    facts = {
        "task": card.task,
        "classes": shown,
        "preprocessing": f"{steps.colour}, {crop}, {steps.filter}; (pixel / {steps.scale:g} - mean) / std with mean "
        f"{_numbers(steps.mean)} and std {_numbers(steps.std)}",
        "licence": card.licence,
        "backbone": f"{card.backbone.get('name', 'none')}, sha256 {str(card.backbone.get('sha256', 'none'))[:16]}",
        "file": f"{loaded.path.name}, {loaded.path.stat().st_size / 1e6:.1f} MB, sha256 {loaded.sha256[:16]}",
        **{f"provenance: {key}": str(value) for key, value in card.provenance.items() if value is not None},
        **{f"measured: {key}": str(value) for key, value in card.metrics.items()},
    }
    lines = [f"# {card.name}", "", card.description, "", *(f"- **{key}**: {value}" for key, value in facts.items())]
    from .card_words import sections  # it needs scikit-learn, which takes a second to load

    words = loaded.path.with_suffix(".md")
    lines += ["", _without_facts(words.read_text(encoding="utf-8")) if words.is_file() else sections(card)]
    return "\n".join(lines) + "\n"


def _without_facts(text: str) -> str:
    """Return what somebody wrote of a model, without the facts that come before it in a card that was saved."""
    if text.startswith("# ") and "\n- **task**:" in text.partition("\n## ")[0]:
        return "## " + text.partition("\n## ")[2].strip()
    return text[text.index("\n") + 1 :].strip() if text.startswith("# ") else text.strip()


def _numbers(values: tuple[float, ...]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else ", ".join(f"{v:g}" for v in values)
