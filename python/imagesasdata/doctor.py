"""Look at the installation: versions, devices, models and caches, what is wrong and how to mend it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyarrow as pa

from . import registry
from .decode import HEIC
from .devices import cpu_count, gpu_problem
from .errors import DeviceUnavailable, ImagesAsDataError
from .modelfile import read_card
from .runtime import Runner
from .verb import Result, Verb
from .version import __version__

PACKAGES = ("numpy", "pillow", "pandas", "pyarrow", "scikit-learn", "onnx")
# What an optional package is for, and the extra that brings it.
OPTIONAL = {
    "torch": ("deeper fine-tuning", "train"),
    "rpy2": ("tables to R from a Python session", "r"),
    "pillow-heif": ("HEIC photographs", "heic"),
    "av": ("frames of videos", "video"),
}


@Verb
def doctor() -> Result:
    """Report what is installed, which device a session really gets, and what to do where something is wrong.

    Returns
    -------
    pandas.DataFrame
        ``item``, ``value``, ``status`` ("ok", "note" or "problem") and ``advice`` (a command or a sentence; missing
        where there is nothing to do).

    Examples
    --------
    >>> import imagesasdata as iad
    >>> iad.doctor()["item"].tolist()[:2]
    ['imagesasdata', 'python']
    """
    rows = [
        ("imagesasdata", f"{__version__} in {Path(__file__).parent}", "ok", None),
        ("python", f"{platform.python_version()} at {sys.executable}", "ok", None),
        ("system", f"{platform.platform()}, {cpu_count()} processors for this process", "ok", None),
        *_packages(),
        *_onnxruntime(),
        *_devices(),
        ("HEIC", "can be read" if HEIC else "cannot be read", "ok", None),
        *_models(),
        ("cache", str(registry.cache_folder()), "ok", None),
    ]
    names = ("item", "value", "status", "advice")
    return Result(
        pa.table(
            {name: pa.array(column, pa.string()) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
        )
    )


Row = tuple[str, str, str, str | None]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _pip(words: str) -> str:
    """Return a command for a terminal that works on this Python, whichever is first on the path there."""
    return f"{shlex.quote(sys.executable)} -m pip {words}"


def _with_extra(extra: str) -> str:
    """Return what pip is to install: this package with an extra, from where pip had it."""
    try:
        text = importlib.metadata.distribution("imagesasdata").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        text = None
    if text is None:
        return f"'imagesasdata[{extra}]'"
    origin = json.loads(text)
    if origin.get("dir_info", {}).get("editable"):
        return f"-e '{url2pathname(urlsplit(origin['url']).path)}[{extra}]'"
    kind = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
    return f"'imagesasdata[{extra}] @ {kind}{origin['url']}'"


def _packages() -> list[Row]:
    rows: list[Row] = [(name, _version(name) or "?", "ok", None) for name in PACKAGES]
    for name, (purpose, extra) in OPTIONAL.items():
        version = _version(name)
        cure = f"{purpose}: {_pip(f'install {_with_extra(extra)}')}"
        rows.append((name, version or "not installed", "ok" if version else "note", None if version else cure))
    return rows


def _onnxruntime() -> list[Row]:
    have = {name: _version(name) for name in ("onnxruntime", "onnxruntime-gpu") if _version(name)}
    if len(have) > 1:
        cure = f"{_pip('uninstall -y onnxruntime onnxruntime-gpu')} && {_pip('install onnxruntime-gpu')}"
        return [("onnxruntime", " and ".join(have), "problem", f"the two overwrite each other: {cure}")]
    return [(name, str(version), "ok", None) for name, version in have.items()]


def _devices() -> list[Row]:
    rows: list[Row] = []
    for device in ("auto", "cuda"):
        try:
            runner = Runner(registry.model_path(registry.DEFAULT_MODEL), device)
            status = "note" if runner.reason else "ok"
            rows.append((f'device="{device}"', f"a session got {runner.device}", status, runner.reason))
        except ImagesAsDataError as problem:
            status = "note" if isinstance(problem, DeviceUnavailable) else "problem"
            rows.append((f'device="{device}"', "not available", status, str(problem)))
    problem_text = gpu_problem()
    rows.append(("GPU", problem_text or "found", "note" if problem_text else "ok", None))
    return rows


def _models() -> list[Row]:
    rows: list[Row] = [
        ("models", f"bundled in {registry.bundled_folder()}, yours in {registry.user_folder()}", "ok", None)
    ]
    for folder in (registry.bundled_folder(), registry.user_folder()):
        for path in sorted(folder.glob("*.onnx")):
            try:
                card = read_card(path)
                rows.append((f"model {path.stem}", f"{card.task}, {len(card.classes):,} classes", "ok", None))
            except ImagesAsDataError as problem:
                rows.append((f"model {path.stem}", "cannot be used", "problem", str(problem)))
    return rows
