"""Classify images: one row an image, in order, always."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .card import ModelCard
from .decode import MAX_PIXELS, Limits
from .engine import Engine, prefixes
from .errors import ArgumentInvalid
from .images import find_images
from .job import Job
from .model import ImageModel, load_model
from .pipeline import Batch
from .progress import Report
from .reading import MAX_BYTES
from .registry import DEFAULT_MODEL
from .tables import factor_type
from .verb import Result, Verb

MOST_PROBS = 25
Probs = npt.NDArray[np.float64]


@Verb
def classify_images(
    images: Any,
    model: str | os.PathLike[str] | ImageModel = DEFAULT_MODEL,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    batch_size: int | str = "auto",
    probs: bool | None = None,
    progress: Report = True,
    on_error: str = "record",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    models: Sequence[str | os.PathLike[str] | ImageModel] | None = None,
    out: str | os.PathLike[str] | None = None,
    retry_failed: bool = False,
    overwrite: bool = False,
    cache: bool = True,
    precision: str = "fp32",
) -> Result:
    """Classify images with a model and return a data frame with one row for each image, in order.

    Parameters
    ----------
    images : path, pattern, list of paths, data frame, or table file
        A folder (searched recursively, sorted by path), a pattern such as ``"photos/*.jpg"``, one path, a list of
        paths, or a data frame or table file (.csv, .parquet, .feather, .dta) with a column of paths.
    model : str, path or ImageModel
        A name from `list_models`, or a path to an .onnx file.
    image_col : str, optional
        The column with the paths, where `images` is a data frame.
    image_dir : path, optional
        The folder from which relative paths start; the working directory if not given.
    device : {"auto", "cpu", "cuda", "cuda:N", "tensorrt"}
        ``"auto"`` takes a GPU by CUDA where that works, else the CPU.
    batch_size : int or "auto"
        Images in one run of the network. Results do not depend on it.
    probs : bool, optional
        Whether to add a column with the probability of each class; by default where there are at most 25.
    progress : bool or function
        True for a bar; a function is called as ``progress(done, total, text)``.
    on_error : {"record", "stop"}
        An image that cannot be read becomes a row with `error`, or stops the run.
    max_pixels : int
        Largest photograph that is decoded, in pixels; 100 million by default.
    max_bytes : int
        Largest file that is read, in bytes; 200 million by default.
    models : list, optional
        Several models in place of `model`: each photograph is decoded once, models with a common backbone share its
        work, and the columns of each begin with the model's name, such as ``protest_label``.
    out : path, optional
        A table file (.parquet, .csv, .feather, .dta) or a folder to write to while the run goes on. After a crash or an
        interrupt, the same call goes on where it was. The parts are kept in the folder, or in ``<out>.run``.
    retry_failed : bool
        With `out`: try the images again that failed in the earlier run.
    overwrite : bool
        With `out`: throw away an earlier run, whatever it was.
    cache : bool
        Take embeddings of photographs that were seen before from the user's cache, and keep new ones there (see
        `cache_info`). The results are the same.
    precision : {"fp32", "fp16"}
        ``"fp16"`` is faster on a GPU, and a little less exact. It is checked against full precision when the model
        is opened, and refused where it changes what the network says.

    Returns
    -------
    pandas.DataFrame
        For a model with exclusive classes: ``image``, ``label`` (categorical with all classes), ``prob`` (of that
        label, 0 to 1), ``prob_<class>`` for each class, and ``error`` (missing where all went well). For several
        attributes: ``<attribute>`` (true where its probability is at least 0.5) and ``prob_<attribute>``. For scores:
        ``score_<name>``. Given a data frame, that data frame with these columns added; its own column of paths then
        stands for ``image``. ``attrs["imagesasdata"]`` says which model, device and versions made the table.

    Raises
    ------
    ImagesNotFound, ImageColumnMissing, ColumnExists, ModelNotFound, ModelInvalid, DeviceUnavailable, ImageFailed
    RunDiffers
        `out` holds a run of other images, models or options.
    Interrupted
        A KeyboardInterrupt whose ``partial`` holds the rows that are done.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> cat = skimage.__path__[0] + "/data/chelsea.png"
    >>> iad.classify_images([cat], progress=False)["label"].tolist()
    ['tiger cat']
    """
    found = find_images(images, image_col, image_dir)
    if models is not None and (isinstance(models, str) or not list(models)):
        raise ArgumentInvalid(f"`models` is {models!r}; it must be a list of models. For one model, use `model`.")
    loaded = [load_model(one) for one in (models if models is not None else [model])]
    names = prefixes(loaded) if models is not None else [""]
    cards = [one.card for one in loaded]
    shown = [probs if probs is not None else len(card.classes) <= MOST_PROBS for card in cards]
    columns = [_columns(card, show, name) for card, show, name in zip(cards, shown, names, strict=True)]
    schema = _schema(columns)
    engine = Engine(loaded, device, cache=cache, precision=precision)
    dictionaries = [pa.array(card.classes, pa.string()) for card in cards]

    def encode(batch: Batch) -> pa.RecordBatch:
        arrays = [pa.array(batch.names, pa.string())]
        for card, show, dictionary, values in zip(cards, shown, dictionaries, batch.values, strict=True):
            arrays += _encode(card, show, dictionary, values, batch.failed)
        return pa.RecordBatch.from_arrays([*arrays, pa.array(batch.errors, pa.string())], schema=schema)

    job = Job("classify_images", found, engine, schema, encode, {"probs": shown, "precision": precision})
    return job.run(batch_size, progress, on_error, Limits(max_pixels, max_bytes), out, retry_failed, overwrite)


def probabilities(values: npt.NDArray[np.floating[Any]], activation: str) -> Probs:
    """Turn a network's output ``[n, width]`` into probabilities, in double precision."""
    wide = values.astype(np.float64)
    if activation == "softmax":
        powers: Probs = np.exp(wide - wide.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-wide)))
    return wide


def _columns(card: ModelCard, shown: bool, prefix: str) -> list[pa.Field]:
    """Return the columns of a model's task."""
    number = pa.float64()
    if card.task == "score":
        return [pa.field(f"{prefix}score_{name}", number) for name in card.classes]
    numbers = [pa.field(f"{prefix}prob_{name}", number) for name in card.classes] if shown else []
    if card.task == "multi":
        return [*(pa.field(f"{prefix}{name}", pa.bool_()) for name in card.classes), *numbers]
    return [pa.field(f"{prefix}label", factor_type(card.classes)), pa.field(f"{prefix}prob", number), *numbers]


def _schema(columns: Sequence[Sequence[pa.Field]]) -> pa.Schema:
    fields = [field for group in columns for field in group]
    schema = pa.schema([pa.field("image", pa.string()), *fields, pa.field("error", pa.string())])
    if len(set(schema.names)) != len(schema.names):
        raise ArgumentInvalid(
            'The model has classes whose columns would have the same name, such as "image" or "error". '
            "Give it other class names."
        )
    return schema


def _encode(
    card: ModelCard, shown: bool, dictionary: pa.Array, raw: npt.NDArray[np.float32], failed: npt.NDArray[np.bool_]
) -> list[pa.Array]:
    """Turn a network's numbers into the columns of the model's task."""
    values = probabilities(raw, card.activation)
    columns: list[pa.Array] = []
    if card.task == "single":
        best = np.where(failed, 0, values.argmax(axis=1))
        codes = pa.array(best, factor_type(card.classes).index_type, mask=failed)
        columns += [pa.DictionaryArray.from_arrays(codes, dictionary)]
        columns += [pa.array(values[np.arange(len(best)), best], mask=failed)]
    elif card.task == "multi":
        columns += [pa.array(values[:, i] >= 0.5, mask=failed) for i in range(values.shape[1])]
    if card.task == "score" or shown:
        columns += [pa.array(np.ascontiguousarray(values[:, i]), mask=failed) for i in range(values.shape[1])]
    return columns
