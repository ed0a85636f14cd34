"""Models by name: bundled with the package, or added by the user to their cache folder."""

from __future__ import annotations

import dataclasses
import datetime
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import pyarrow as pa

from .card import TASKS, ModelCard
from .decode import Preprocessing
from .errors import ArgumentInvalid, ModelCardMissing, ModelInvalid, ModelNotFound, choose, quoted
from .graph import free_inputs, input_shape, load_graph, output_width
from .modelfile import file_sha256, read_card, write_model
from .verb import Result, Verb
from .version import __version__

DEFAULT_MODEL = "efficientnet_lite0"


def cache_folder() -> Path:
    """Return the user's cache folder: ``$IMAGESASDATA_CACHE``, else the platform's usual place."""
    chosen = os.environ.get("IMAGESASDATA_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "imagesasdata"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "imagesasdata"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imagesasdata"


def bundled_folder() -> Path:
    """Return the folder of the bundled models: inside the installed package, or ``models/`` of a checkout."""
    here = Path(__file__).parent
    inside = here / "models"
    return inside if inside.is_dir() else here.parent.parent / "models"


def user_folder() -> Path:
    """Return the folder of the models that the user added."""
    return cache_folder() / "models"


def model_path(model: str | os.PathLike[str]) -> Path:
    """Return the file of a model given by name or by path.

    Raises
    ------
    ModelNotFound
        With the names that exist.
    """
    text = os.fspath(model)
    if text.endswith(".onnx") or os.sep in text or "/" in text:
        path = Path(text).expanduser()
        if path.is_file():
            return path
        raise ModelNotFound(f'There is no model file "{text}" (working directory: {Path.cwd()}).')
    for folder in (user_folder(), bundled_folder()):
        path = folder / f"{text}.onnx"
        if path.is_file():
            return path
    names = [path.stem for folder in (bundled_folder(), user_folder()) for path in sorted(folder.glob("*.onnx"))]
    raise ModelNotFound(
        f'There is no model "{text}". There are: {quoted(names, 20)}. A path to an .onnx file also works.'
    )


@Verb
def list_models() -> Result:
    """List the models that can be used by name.

    Returns
    -------
    pandas.DataFrame
        Columns ``name``, ``task``, ``classes`` (their number), ``size`` (the input's side in pixels), ``megabytes``,
        ``licence``, ``where`` ("bundled" or "cache"), ``sha256`` and ``path``.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> iad.list_models().query("task == 'single'")[["name", "classes", "size"]].head(2)
                     name  classes  size
    1  efficientnet_lite0     1000   224
    2  efficientnet_lite2     1000   260
    """
    rows: dict[str, list[Any]] = {
        key: [] for key in ("name", "task", "classes", "size", "megabytes", "licence", "where", "sha256", "path")
    }
    for where, folder in (("bundled", bundled_folder()), ("cache", user_folder())):
        for path in sorted(folder.glob("*.onnx")):
            try:
                card = read_card(path)
            except ModelInvalid:  # somebody else's file in the folder; load_model says what is wrong with it
                continue
            values = (path.stem, card.task, len(card.classes), card.preprocessing.size, path.stat().st_size / 1e6)
            for key, value in zip(rows, (*values, card.licence, where, file_sha256(path), str(path)), strict=True):
                rows[key].append(value)
    types = [pa.string(), pa.string(), pa.int32(), pa.int32(), pa.float64(), *[pa.string()] * 4]
    return Result(pa.table({key: pa.array(rows[key], kind) for key, kind in zip(rows, types, strict=True)}))


def add_model(
    path: str | os.PathLike[str],
    classes: str | os.PathLike[str] | Sequence[str] | None = None,
    size: int | None = None,
    mean: Sequence[float] | float | None = None,
    std: Sequence[float] | float | None = None,
    scale: float = 255.0,
    resize: int | None = None,
    rule: str = "short_side_crop",
    filter: str = "bilinear",
    colour: str = "RGB",
    task: str = "single",
    activation: str | None = None,
    output: str | None = None,
    embedding: str | None = None,
    name: str | None = None,
    licence: str = "unknown",
    overwrite: bool = False,
) -> str:
    """Take a plain ONNX file, or a model file of this package, into the user's models, so that its name is enough.

    Parameters
    ----------
    path : path
        The .onnx file. One written by this package needs nothing else.
    classes : path or list of str, optional
        Names in the order of the output, or a text file with one a line. An encoder, such as CLIP's image tower, has
        none: name the output that is its `embedding`, and use it with `embed_images` or as a backbone of `fine_tune`.
    size : int
        Side of the network's square input in pixels. Read from the graph where it is fixed there.
    mean, std : list of float
        One number a channel: the input is ``(pixel / scale - mean) / std``.
    scale : float
        255 (the default) for mean and std on the scale 0 to 1; 1 for the scale 0 to 255.
    resize : int, optional
        The short side before the centre crop; 256 / 224 of `size` if not given, as torchvision does.
    rule, filter, colour : str
        See `Preprocessing`: how the photograph is fitted, the resampling filter, the order of the channels.
    task : {"single", "multi", "score"}
        Exclusive classes, several attributes, or numbers.
    activation : {"softmax", "sigmoid", "none"}, optional
        What turns the output into probabilities. If not given: "none" where the graph ends in a softmax or sigmoid (or
        the task is "score"), else what the task needs.
    output : str, optional
        Name of the tensor with one number a class; if not given, the graph's output of that width.
    embedding : str, optional
        Name of the tensor to use as embedding; if not given, the input of the last matrix product.
    name : str, optional
        Name of the model; the file's name if not given. Letters, digits, ``_``, ``-`` and ``.``.
    licence : str
        Licence of the weights.
    overwrite : bool
        Replace a model of the same name.

    Returns
    -------
    str
        The path of the file in the user's models.

    Raises
    ------
    ModelCardMissing
        What is needed and was not given, all at once.
    ModelInvalid
        Not ONNX, unsafe, or the number of classes is not the width of the output.
    """
    path = Path(path).expanduser()
    proto = load_graph(path)
    name = (name or path.stem).removesuffix(".onnx")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise ArgumentInvalid(f'`name` is "{name}"; use letters, digits, "_", "-" and "." only.')
    target = user_folder() / f"{name}.onnx"
    taken = next((p for p in (target, bundled_folder() / target.name) if p.exists()), None)
    if taken and not overwrite:
        raise ArgumentInvalid(f'There is a model "{name}" already ({taken}). Pass another name, or overwrite=True.')
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        card = dataclasses.replace(read_card(path), name=name)
        told = [key for key, value in {"classes": classes, "mean": mean, "std": std}.items() if value is not None]
        if told:
            raise ArgumentInvalid(
                f'"{path}" says itself what its {quoted(told)} are, so they cannot be given. Leave them out.'
            )
    except ModelCardMissing:
        choose("task", task, TASKS)
        inputs = free_inputs(proto)
        if len(inputs) != 1:
            raise ModelInvalid(
                f'"{path}" takes the inputs {quoted(inputs)}; a model takes exactly one, the image.'
            ) from None
        size = size or _fixed_side(input_shape(proto, inputs[0]))
        if classes is None and embedding is not None and (width := _width_of(proto, embedding)) is not None:
            # An encoder, such as CLIP's image tower: what it gives are numbers without names of their own.
            classes, task, output = [f"number_{i + 1}" for i in range(width)], "score", embedding
        given = {"--classes": classes, "--size": size, "--mean": mean, "--std": std}
        missing = [option for option, value in given.items() if value is None]
        if missing:
            raise ModelCardMissing(
                f'"{path}" is a plain ONNX file. To use it, say also: {quoted(missing)}. For example: '
                f"iad models add {path.name} --classes classes.txt --size 224 --mean 0.485 0.456 0.406 "
                "--std 0.229 0.224 0.225 (with the values that it was trained with; they are not in the file)."
            ) from None
        assert classes is not None and size is not None and mean is not None and std is not None
        names = tuple(_class_names(classes))
        output = output or _likely_output(proto, len(names))
        card = ModelCard(
            name=name,
            task=task,
            classes=names,
            preprocessing=Preprocessing(
                size=int(size),
                resize=int(resize or round(size * 256 / 224)),
                rule=rule,
                filter=filter,
                colour=colour,
                scale=float(scale),
                mean=_numbers(mean),
                std=_numbers(std),
            ),
            tensors={"input": inputs[0], "embedding": embedding or _likely_embedding(proto), "output": output},
            activation=activation or _likely_activation(proto, output, task),
            provenance={
                "package_version": __version__,
                "data_fingerprint": None,
                "seed": None,
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                "origin": f"{path.name}, sha256 {file_sha256(path)}",
            },
            licence=licence,
        )
    partial = target.with_suffix(".checking")
    try:
        write_model(proto, card, partial)
        _try_out(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return str(target)


def remove_model(name: str) -> None:
    """Delete a model from the user's models.

    Raises
    ------
    ModelNotFound
        It is not among the user's models; bundled ones stay.
    """
    path = user_folder() / f"{name}.onnx"
    if os.sep in name or "/" in name or not path.is_file():
        raise ModelNotFound(f'There is no model "{name}" among those that you added ({user_folder()}).')
    path.unlink()


def save_copy(path: Path, target: str | os.PathLike[str]) -> Path:
    """Copy a model file to `target`, a file or a folder."""
    target = Path(target).expanduser()
    target = target / path.name if target.is_dir() else target
    try:
        shutil.copyfile(path, target)
    except OSError as problem:  # SameFileError is one
        raise ArgumentInvalid(f'The model cannot be saved as "{target}": {problem.strerror or problem}.') from problem
    return target


def _try_out(path: Path) -> None:
    """Run the new model once on a blank image, which finds what the graph's own declarations do not say."""
    from .runtime import Runner

    Runner(path, device="cpu")


def _class_names(classes: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    if not isinstance(classes, str | os.PathLike):
        return [str(c) for c in classes]
    file = Path(classes).expanduser()
    if not file.is_file():
        raise ArgumentInvalid(f'`classes` is "{file}", which is no file; give one name a line, or a list.')
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ArgumentInvalid(f'`classes` is "{file}", which is not UTF-8 text; save it as such.') from None
    return [line.strip() for line in lines if line.strip()]


def _numbers(values: Sequence[float] | float) -> tuple[float, ...]:
    return tuple(map(float, [values] if isinstance(values, int | float) else values))


def _fixed_side(shape: list[int | None]) -> int | None:
    sides = [d for d in shape[1:] if d is not None and d > 4]
    return sides[0] if len(sides) == 2 and sides[0] == sides[1] else None


def _likely_output(proto: onnx.ModelProto, classes: int) -> str:
    """Return the graph's only output, or the first one that has as many numbers as there are classes."""
    outputs = list(proto.graph.output)
    if not outputs:
        raise ModelInvalid("The graph has no output. Export it again; the output has one number for each class.")
    wide = [value for value in outputs if output_width(value) == classes]
    return str((wide or outputs)[0].name)


def _width_of(proto: onnx.ModelProto, name: str) -> int | None:
    """Return how many numbers an output of the graph has, None where there is none of that name or it does not say."""
    return next((output_width(value) for value in proto.graph.output if value.name == name), None)


def _likely_activation(proto: onnx.ModelProto, output: str, task: str) -> str:
    last = next((n.op_type for n in proto.graph.node if output in n.output), "")
    if task == "score" or last in ("Softmax", "Sigmoid"):
        return "none"
    return "softmax" if task == "single" else "sigmoid"


def _likely_embedding(proto: onnx.ModelProto) -> str | None:
    for node in reversed(proto.graph.node):
        if node.op_type in ("Gemm", "MatMul") and node.input:
            weights = {w.name for w in proto.graph.initializer}
            return None if node.input[0] in {*weights, *free_inputs(proto)} else str(node.input[0])
    return None
