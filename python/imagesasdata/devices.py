"""Choose the device, open a session of ONNX Runtime on it, and report what it really got."""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import sys
import warnings
from typing import Any, NamedTuple

import onnxruntime as ort

from .errors import ArgumentInvalid, DeviceUnavailable, ModelInvalid

ort.disable_telemetry_events()
KINDS = {"cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}
_CUDA_LIBRARIES = 'its libraries come with: pip install ".[cuda]"'
_TENSORRT_LIBRARIES = "its libraries come with: pip install tensorrt"


def cpu_count() -> int:
    """Return the number of processors that this process may use (a Slurm job's share, for instance)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def gpu_problem() -> str | None:
    """Return why CUDA cannot be used, in plain words, or None where it seems that it can."""
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        return "the installed onnxruntime has no CUDA; install onnxruntime-gpu in its place"
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return "no NVIDIA driver was found (nvidia-smi shows one where there is)"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return "the NVIDIA driver sees no GPU (is one assigned to this job? see CUDA_VISIBLE_DEVICES)"
    try:
        ort.preload_dlls()  # CUDA and cuDNN from pip's nvidia packages, where they are
    except Exception as problem:
        return f"the CUDA libraries cannot be loaded: {problem}; {_CUDA_LIBRARIES}"
    return None


def only_cpu(device: str) -> bool:
    """Whether `device`, as in `open_session`, can be nothing but the CPU."""
    return device == "cpu" or (device == "auto" and gpu_problem() is not None)


@functools.cache
def gpu_memory(number: int) -> int | None:
    """Return the free memory of a GPU in bytes, None where the driver's tool does not say."""
    command = ["nvidia-smi", f"--id={number}", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return int(done.stdout.strip().splitlines()[0]) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


class Opened(NamedTuple):
    """A session, the device it really got, and why that is the CPU where ``"auto"`` might have meant a GPU."""

    session: ort.InferenceSession
    device: str
    reason: str | None


def open_session(content: bytes, device: str, label: str) -> Opened:
    """Open a graph on a device.

    Parameters
    ----------
    content : bytes
        The graph.
    device : {"auto", "cpu", "cuda", "cuda:N", "tensorrt", "tensorrt:N"}
        ``"auto"`` is CUDA where it works, else the CPU.
    label : str
        What to call the graph in errors.

    Raises
    ------
    DeviceUnavailable
        The device that was asked for by name cannot be had; the message says why and what to do.
    """
    kind, _, number = str(device).partition(":")
    if kind not in ("auto", "cpu", *KINDS) or (number and (kind not in KINDS or not number.isdigit())):
        raise ArgumentInvalid(f'`device` is "{device}"; it must be one of "auto", "cpu", "cuda", "cuda:1", "tensorrt".')
    problem = None if kind == "cpu" else gpu_problem()
    if kind in KINDS and problem:
        raise DeviceUnavailable(
            f'device="{device}" cannot be had: {problem}. Use device="cpu" or "auto" to go on without.'
        )
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1  # the pipeline runs several batches at once, one a thread
    options.inter_op_num_threads = 1
    wanted = providers(kind, int(number or 0)) if kind != "cpu" and problem is None else ["CPUExecutionProvider"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the fallback is reported below, once and in plain words
            session = ort.InferenceSession(content, options, providers=wanted)
    except Exception as error:
        raise ModelInvalid(f'ONNX Runtime cannot open "{label}": {error}') from error
    got = session.get_providers()[0]
    for name, provider in KINDS.items():
        if got == provider and kind in ("auto", name):
            return Opened(session, f"{name}:{number or 0}", None)
    libraries = _TENSORRT_LIBRARIES if kind == "tensorrt" else _CUDA_LIBRARIES
    name = "TensorRT" if kind == "tensorrt" else "CUDA"
    failed = f"there is a GPU, but ONNX Runtime could not start {name} on it; {libraries}"
    if kind in KINDS:
        raise DeviceUnavailable(f'device="{device}" cannot be had: {failed}.')
    return Opened(session, "cpu", failed if kind == "auto" and problem is None else problem)


def providers(kind: str, number: int) -> list[Any]:
    """Return ONNX Runtime's providers for a GPU, best first; what one cannot do falls to the next."""
    from .registry import cache_folder

    chain: list[Any] = []
    if kind == "tensorrt":
        kept = str(cache_folder() / "tensorrt")  # TensorRT takes minutes to prepare a network, once
        options = {"device_id": number, "trt_engine_cache_enable": True, "trt_engine_cache_path": kept}
        chain.append((KINDS["tensorrt"], options))
    # Trying every algorithm for every shape takes longer than most runs; the heuristic is nearly as good.
    chain.append((KINDS["cuda"], {"device_id": number, "cudnn_conv_algo_search": "HEURISTIC"}))
    return [*chain, "CPUExecutionProvider"]
