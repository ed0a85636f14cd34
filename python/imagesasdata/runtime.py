"""Choose the device, open a session of ONNX Runtime, and report what it really got."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from .decode import Pixels
from .errors import ArgumentInvalid, DeviceUnavailable, ModelInvalid
from .modelfile import ModelCard, check_width, input_shape, read_model

ort.disable_telemetry_events()
PIXELS = "iad/pixels"  # the name of the input that is put before the model's own
Values = npt.NDArray[np.float32]
_CUDA_LIBRARIES = 'its libraries come with: pip install "imagesasdata[cuda]"'


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


class Runner:
    """A model, open on a device: pixels in, numbers out.

    Parameters
    ----------
    path : path
        A model file.
    device : {"auto", "cpu", "cuda", "cuda:N"}
        ``"auto"`` is CUDA where it works, else the CPU.
    tensor : {"output", "embedding"}
        Which of the model's tensors to compute.

    Attributes
    ----------
    device : str
        What the session really got, read from the session.
    reason : str or None
        Why the device is the CPU, where ``"auto"`` might have meant a GPU.
    card : ModelCard
        The model's card.
    width : int
        Numbers an image.
    """

    def __init__(self, path: str | os.PathLike[str], device: str = "auto", tensor: str = "output") -> None:
        proto, self.card = read_model(path)
        name = self.card.tensors.get(tensor)
        if name is None:
            raise ModelInvalid(f'The model "{self.card.name}" names no embedding, so it cannot embed images.')
        self._batch = input_shape(proto, str(self.card.tensors["input"]))[0]
        content = with_pixel_input(proto, self.card, name).SerializeToString()
        self._session, self.device, self.reason = _open(content, device, Path(path))
        side, channels = self.card.preprocessing.size, self.card.preprocessing.channels
        self.width = self(np.zeros((1, side, side, channels), np.uint8)).shape[1]
        if tensor == "output":
            check_width(self.width, self.card)

    def __call__(self, pixels: Pixels) -> Values:
        """Run the network on ``[n, size, size, channels]`` bytes and return ``[n, width]`` numbers.

        Safe to call from several threads at once.
        """
        if self._batch is None or len(pixels) == self._batch:
            return self._run(pixels)
        # The graph was exported for one batch size: cut to it, and fill the last cut up.
        rows = []
        for start in range(0, len(pixels), self._batch):
            part = pixels[start : start + self._batch]
            full = np.concatenate([part, np.zeros((self._batch - len(part), *part.shape[1:]), np.uint8)])
            rows.append(self._run(full)[: len(part)])
        return np.concatenate(rows)

    def _run(self, pixels: Pixels) -> Values:
        try:
            (values,) = self._session.run(None, {PIXELS: pixels})
        except Exception as problem:  # ONNX Runtime's own exceptions have no common public base
            raise ModelInvalid(f'The model "{self.card.name}" failed: {problem}') from problem
        return np.asarray(values, dtype=np.float32).reshape(len(pixels), -1)


def with_pixel_input(proto: onnx.ModelProto, card: ModelCard, output: str) -> onnx.ModelProto:
    """Return the graph with bytes `PIXELS` ``[n, height, width, channels]`` in, and only the tensor `output` out.

    The arithmetic of the preprocessing is done inside the graph, where ONNX Runtime does it with the first layers, and
    batches travel as bytes, a quarter of the floats.
    """
    name = str(card.tensors["input"])
    proto = onnx.ModelProto.FromString(proto.SerializeToString())
    graph, steps = proto.graph, card.preprocessing
    old = next(value for value in graph.input if value.name == name)
    shape, kind = input_shape(proto, name), old.type.tensor_type.elem_type
    if len(shape) != 4:
        raise ModelInvalid(f'The input "{name}" has {len(shape)} dimensions; an image batch has 4.')
    channels_last = shape[3] == steps.channels and shape[1] != steps.channels
    rank = [1, 1, 1, steps.channels] if channels_last else [1, steps.channels, 1, 1]
    mean = np.asarray(steps.mean, np.float32).reshape(rank) * np.float32(steps.scale)
    std = np.asarray(steps.std, np.float32).reshape(rank) * np.float32(steps.scale)
    first = [] if channels_last else [helper.make_node("Transpose", [PIXELS], ["iad/planes"], perm=[0, 3, 1, 2])]
    last = PIXELS if channels_last else "iad/planes"
    if kind == TensorProto.UINT8:
        first.append(helper.make_node("Identity", [last], [name]))
    else:
        graph.initializer.extend(
            [onnx.numpy_helper.from_array(mean, "iad/mean"), onnx.numpy_helper.from_array(std, "iad/std")]
        )
        first += [
            helper.make_node("Cast", [last], ["iad/float"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["iad/float", "iad/mean"], ["iad/centred"]),
            helper.make_node("Div", ["iad/centred", "iad/std"], [name if kind == TensorProto.FLOAT else "iad/scaled"]),
        ]
        if kind != TensorProto.FLOAT:
            first.append(helper.make_node("Cast", ["iad/scaled"], [name], to=kind))
    nodes = list(graph.node)
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend([*first, *nodes])
    batch = shape[0] if shape[0] is not None else "n"
    sides = [batch, steps.size, steps.size, steps.channels]
    graph.input.append(helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, sides))
    graph.output.append(onnx.ValueInfoProto(name=output))
    return proto


def _open(content: bytes, device: str, path: Path) -> tuple[ort.InferenceSession, str, str | None]:
    kind, _, number = str(device).partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and (kind != "cuda" or not number.isdigit())):
        raise ArgumentInvalid(f'`device` is "{device}"; it must be one of "auto", "cpu", "cuda", "cuda:1".')
    problem = None if kind == "cpu" else gpu_problem()
    if kind == "cuda" and problem:
        raise DeviceUnavailable(
            f'device="{device}" cannot be had: {problem}. Use device="cpu" or "auto" to go on without.'
        )
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1  # the pipeline runs several batches at once, one a thread
    options.inter_op_num_threads = 1
    providers: list[object] = ["CPUExecutionProvider"]
    if kind != "cpu" and problem is None:
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": int(number or 0)}))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the fallback is reported below, once and in plain words
            session = ort.InferenceSession(content, options, providers=providers)
    except Exception as error:
        raise ModelInvalid(f'ONNX Runtime cannot open "{path}": {error}') from error
    got = session.get_providers()[0]
    if got == "CUDAExecutionProvider":
        return session, f"cuda:{number or 0}", None
    if kind == "cuda":
        raise DeviceUnavailable(
            f'device="{device}" cannot be had: there is a GPU, but ONNX Runtime could not start CUDA on it; '
            f"{_CUDA_LIBRARIES}."
        )
    if kind == "auto" and problem is None:
        problem = f"there is a GPU, but ONNX Runtime could not start CUDA on it; {_CUDA_LIBRARIES}"
    return session, "cpu", problem


class Head:
    """The last part of a model, from the embedding to the output, open on the CPU.

    Attributes
    ----------
    width : int
        Numbers an image.
    """

    def __init__(self, content: bytes, card: ModelCard, embedding: str, features: int) -> None:
        self._session, _, _ = _open(content, "cpu", Path(card.name))
        self._embedding = embedding
        self.width = self(np.zeros((1, features), np.float32)).shape[1]
        check_width(self.width, card)

    @classmethod
    def of(cls, proto: onnx.ModelProto, card: ModelCard) -> Head | None:
        """Cut the head off a graph, or return None where it cannot be run apart.

        That is so where the model names no embedding, was exported for one batch size, or has a path from the input to
        the output that goes around the embedding.
        """
        embedding, output = card.tensors.get("embedding"), str(card.tensors["output"])
        if not embedding or input_shape(proto, str(card.tensors["input"]))[0] is not None:
            return None
        makers = {name: i for i, node in enumerate(proto.graph.node) for name in node.output}
        weights = {weight.name: weight for weight in proto.graph.initializer}
        wanted: list[str] = [output]
        needed: set[str] = set()
        nodes: set[int] = set()
        while wanted:
            name = wanted.pop()
            if not name or name in needed or name == embedding:
                continue
            needed.add(name)
            if name in makers:
                nodes.add(makers[name])
                wanted.extend(proto.graph.node[makers[name]].input)
            elif name not in weights:
                return None
        head = onnx.ModelProto.FromString(proto.SerializeToString())
        del head.graph.node[:], head.graph.initializer[:], head.graph.input[:], head.graph.output[:]
        del head.graph.value_info[:], head.metadata_props[:]
        head.graph.node.extend(proto.graph.node[i] for i in sorted(nodes))
        head.graph.initializer.extend(weight for name, weight in weights.items() if name in needed)
        width = _feature_width(head, embedding)
        if width is None or not head.graph.node:
            return None
        head.graph.input.append(helper.make_tensor_value_info(embedding, TensorProto.FLOAT, ["n", width]))
        head.graph.output.append(onnx.ValueInfoProto(name=output))
        return cls(head.SerializeToString(), card, embedding, width)

    def __call__(self, features: Values) -> Values:
        """Return the output ``[n, width]`` for features ``[n, features]``."""
        (values,) = self._session.run(None, {self._embedding: features})
        return np.asarray(values, dtype=np.float32).reshape(len(features), -1)


def _feature_width(head: onnx.ModelProto, embedding: str) -> int | None:
    """Return how many numbers an embedding has, by the matrix that it is multiplied with."""
    floats = (weight for weight in head.graph.initializer if weight.data_type == TensorProto.FLOAT)
    weights = {weight.name: list(weight.dims) for weight in floats}
    for node in head.graph.node:
        if node.op_type in ("Gemm", "MatMul") and node.input[0] == embedding and node.input[1] in weights:
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            return int(weights[node.input[1]][1 if transposed else 0])
    return None
