"""Run a model: pixels in, numbers out, on the device that the session really got."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from .card import ModelCard, check_width
from .decode import Pixels
from .devices import open_session
from .errors import ModelInvalid, choose
from .graph import input_shape
from .modelfile import read_model

PIXELS = "iad/pixels"  # the name of the input that is put before the model's own
HALF_TOLERANCE = 0.02  # of the largest number, between half and full precision
Values = npt.NDArray[np.float32]
T = TypeVar("T")


class Stop:
    """A wish to end: loops in Python look at it, and ONNX Runtime hears it between two operators of a network."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.options = ort.RunOptions()

    def set(self) -> None:
        self._event.set()
        self.options.terminate = True

    def is_set(self) -> bool:
        return self._event.is_set()


def wait_for(future: Future[T]) -> T:
    """Wait for a result, waking often: an interrupt from R reaches Python only between two bytecodes."""
    while True:
        try:
            return future.result(timeout=0.1)
        except StillRunning:
            if future.done():
                return future.result()


def interruptible(call: Callable[[Stop], T]) -> T:
    """Run a call in a thread of its own, so that Ctrl-C ends it within a network, and not after."""
    stop = Stop()
    with ThreadPoolExecutor(1) as pool:
        try:
            return wait_for(pool.submit(call, stop))
        except BaseException:
            stop.set()
            raise


class Runner:
    """A model, open on a device: pixels in, numbers out.

    Parameters
    ----------
    path : path
        A model file.
    device : str
        As in `open_session`.
    tensor : {"output", "embedding"}
        Which of the model's tensors to compute.
    precision : {"fp32", "fp16"}
        Half precision is for GPUs; it is checked against full precision on the CPU.

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

    def __init__(
        self, path: str | os.PathLike[str], device: str = "auto", tensor: str = "output", precision: str = "fp32"
    ) -> None:
        choose("precision", precision, ("fp32", "fp16"))
        proto, self.card = read_model(path)
        name = self.card.tensors.get(tensor)
        if name is None:
            raise ModelInvalid(f'The model "{self.card.name}" names no embedding, so it cannot embed images.')
        self._batch = next(iter(input_shape(proto, str(self.card.tensors["input"]))), None)
        full = with_pixel_input(proto, self.card, name)
        graph = half_precision(full) if precision == "fp16" else full
        self._session, self.device, self.reason = open_session(graph.SerializeToString(), device, str(path))
        self._bound = False
        side, channels = self.card.preprocessing.size, self.card.preprocessing.channels
        noise = np.random.default_rng(1).integers(0, 256, (1, side, side, channels), np.uint8)
        values = interruptible(lambda stop: self(noise, stop))
        self.width = values.shape[1]
        self._bound = self.device != "cpu" and self._binding_works(noise, values)
        if precision == "fp16":
            self._check_half(full, noise, values)
        if tensor == "output":
            check_width(self.width, self.card)

    def __call__(self, pixels: Pixels, stop: Stop | None = None) -> Values:
        """Run the network on ``[n, size, size, channels]`` bytes and return ``[n, width]`` numbers.

        Safe to call from several threads at once. Once `stop` is set, it ends with an error.
        """
        if self._batch is None or len(pixels) == self._batch:
            return self._run(pixels, stop)
        # The graph was exported for one batch size: cut to it, and fill the last cut up.
        rows = []
        for start in range(0, len(pixels), self._batch):
            part = pixels[start : start + self._batch]
            full = np.concatenate([part, np.zeros((self._batch - len(part), *part.shape[1:]), np.uint8)])
            rows.append(self._run(full, stop)[: len(part)])
        return np.concatenate(rows)

    def _run(self, pixels: Pixels, stop: Stop | None) -> Values:
        options = stop.options if stop else None
        try:
            values = self._run_bound(pixels, options) if self._bound else self._run_plainly(pixels, options)
            return values.astype(np.float32, copy=False).reshape(len(pixels), -1)
        except Exception as problem:  # ONNX Runtime's own exceptions have no common public base
            raise ModelInvalid(f'The model "{self.card.name}" failed: {problem}') from problem

    def _run_plainly(self, pixels: Pixels, options: ort.RunOptions | None) -> Values:
        (values,) = self._session.run(None, {PIXELS: pixels}, options)
        return np.asarray(values)

    def _run_bound(self, pixels: Pixels, options: ort.RunOptions | None = None) -> Values:
        """Run on a GPU without ONNX Runtime's own copies between host and device."""
        kind, number = "cuda", int(self.device.partition(":")[2])
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(PIXELS, ort.OrtValue.ortvalue_from_numpy(pixels, kind, number))
        binding.bind_output(self._session.get_outputs()[0].name, kind, number)
        self._session.run_with_iobinding(binding, options)
        return np.asarray(binding.copy_outputs_to_cpu()[0])

    def _binding_works(self, noise: Pixels, expected: Values) -> bool:
        """Try the faster way once; whatever is wrong with it, the plain way is there."""
        try:
            return self._same(self._run_bound(noise), expected, 1e-4)
        except Exception:
            return False

    def _check_half(self, full: onnx.ModelProto, noise: Pixels, half: Values) -> None:
        """Refuse half precision where it changes what the network says."""
        session = open_session(full.SerializeToString(), "cpu", self.card.name).session
        (expected,) = session.run(None, {PIXELS: noise})
        if not self._same(half, np.asarray(expected), HALF_TOLERANCE):
            raise ModelInvalid(f'The model "{self.card.name}" loses too much in half precision; use precision="fp32".')

    @staticmethod
    def _same(values: Values, expected: Values, tolerance: float) -> bool:
        """Whether two results differ by no more than `tolerance` of the larger one's largest number."""
        expected = expected.reshape(values.shape)
        most = float(np.abs(expected).max()) or 1.0
        return bool(np.abs(values.astype(np.float32) - expected).max() <= tolerance * most)


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


def half_precision(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with its weights and arithmetic in half precision, the preprocessing and the output in full."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    typed = onnx.shape_inference.infer_shapes(proto)
    kept = [node.name for node in typed.graph.node if any(name.startswith("iad/") for name in node.output)]
    converted: onnx.ModelProto = convert_float_to_float16(typed, keep_io_types=True, node_block_list=kept)
    return converted
