"""Classify images: one row an image, in order, always."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .decode import MAX_BYTES, MAX_PIXELS, Limits
from .errors import ArgumentInvalid
from .images import find_images
from .model import ImageModel, load_model
from .modelfile import ModelCard
from .pipeline import Batch, run_model
from .progress import Report
from .provenance import describe_run
from .registry import DEFAULT_MODEL
from .runtime import Runner
from .tables import factor_type, with_provenance
from .verb import Result, Verb, refuse_existing

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
    device : {"auto", "cpu", "cuda", "cuda:N"}
        ``"auto"`` takes a GPU where one works, else the CPU.
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

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> cat = skimage.__path__[0] + "/data/chelsea.png"
    >>> iad.classify_images([cat], progress=False)["label"].tolist()
    ['tiger cat']
    """
    found = find_images(images, image_col, image_dir)
    loaded = load_model(model)
    runner = Runner(loaded.path, device)
    card = loaded.card
    shown = probs if probs is not None else len(card.classes) <= MOST_PROBS
    refuse_existing(found.columns, _schema(card, shown).names[1:])
    batches = run_model(found, runner, card.name, batch_size, progress, on_error, Limits(max_pixels, max_bytes))
    table = pa.Table.from_batches(_encode(batches, card, shown), _schema(card, shown))
    return Result(with_provenance(table, describe_run("classify_images", loaded, runner)), found.data)


def probabilities(values: npt.NDArray[np.floating[Any]], activation: str) -> Probs:
    """Turn a network's output ``[n, width]`` into probabilities, in double precision."""
    wide = values.astype(np.float64)
    if activation == "softmax":
        powers: Probs = np.exp(wide - wide.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-wide)))
    return wide


def _schema(card: ModelCard, shown: bool) -> pa.Schema:
    number, text = pa.float64(), pa.string()
    if card.task == "single":
        columns = [("label", factor_type(card.classes)), ("prob", number)]
        columns += [(f"prob_{name}", number) for name in card.classes] if shown else []
    elif card.task == "multi":
        columns = [(name, pa.bool_()) for name in card.classes]
        columns += [(f"prob_{name}", number) for name in card.classes] if shown else []
    else:
        columns = [(f"score_{name}", number) for name in card.classes]
    schema = pa.schema([("image", text), *columns, ("error", text)])
    if len(set(schema.names)) != len(schema.names):
        raise ArgumentInvalid(
            f'The model "{card.name}" has classes whose columns would have the same name, such as "image" or "error". '
            "Give it other class names."
        )
    return schema


def _encode(batches: Iterator[Batch], card: ModelCard, shown: bool) -> Iterator[pa.RecordBatch]:
    """Turn the network's numbers into the columns of the model's task."""
    schema = _schema(card, shown)
    dictionary = pa.array(card.classes, pa.string())
    for batch in batches:
        failed = np.array([error is not None for error in batch.errors], dtype=bool)
        values = probabilities(batch.values, card.activation)
        columns: list[pa.Array] = []
        if card.task == "single":
            best = np.where(failed, 0, values.argmax(axis=1))
            codes = pa.array(best, schema.field("label").type.index_type, mask=failed)
            columns += [pa.DictionaryArray.from_arrays(codes, dictionary)]
            columns += [pa.array(values[np.arange(len(best)), best], mask=failed)]
        elif card.task == "multi":
            columns += [pa.array(values[:, i] >= 0.5, mask=failed) for i in range(values.shape[1])]
        if card.task == "score" or shown:
            columns += [pa.array(values[:, i], mask=failed) for i in range(values.shape[1])]
        names, errors = pa.array(batch.names, pa.string()), pa.array(batch.errors, pa.string())
        yield pa.RecordBatch.from_arrays([names, *columns, errors], schema=schema)
