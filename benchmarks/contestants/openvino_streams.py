"""OpenVINO on the same .onnx file: threads that decode, and a stream of inference for each core."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor
from serve import CORES, cut, fastest, read_job, serve
from weights import SIZE, decode

job = read_job()
core = openvino.Core()
mean, std = (job.reference[name].tolist() for name in ("mean", "std"))


def compile_for(size: int) -> openvino.CompiledModel:
    """Compile for batches of `size` photographs as bytes, at full precision as everywhere in this table."""
    model = core.read_model(job.model)
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().preprocess().convert_element_type(openvino.Type.f32).mean(mean).scale(std)
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    model = steps.build()
    model.reshape([size, SIZE, SIZE, 3])
    options: dict[str, Any] = {"NUM_STREAMS": CORES, "INFERENCE_NUM_THREADS": CORES}
    return core.compile_model(model, "CPU", {**options, "INFERENCE_PRECISION_HINT": "f32"})


def classify(model: openvino.CompiledModel, paths: list[str]) -> list[int]:
    size = model.input().shape[0]
    own = threading.local()

    def work(part: list[str]) -> list[int]:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        pixels = np.zeros((size, SIZE, SIZE, 3), np.uint8)
        pixels[: len(part)] = [decode(path) for path in part]
        labels: list[int] = answer(own.request, pixels)[: len(part)].argmax(axis=1).tolist()
        return labels

    # One thread more than cores: while a stream computes, its thread waits.
    with ThreadPoolExecutor(CORES + 1) as pool:
        return [label for labels in pool.map(work, cut(paths, size)) for label in labels]


def answer(request: openvino.InferRequest, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    outputs = request.infer(pixels)
    return next(np.array(values) for port, values in outputs.items() if "logits" in port.names)


few = (job.photographs * 32)[:32]
models = {str(size): compile_for(size) for size in (1, 8)}
size = fastest({name: partial(classify, model, few) for name, model in models.items()})


def timed(paths: list[str]) -> None:
    classify(models[size], paths)


one = models["1"].create_infer_request()
serve(
    job,
    {"OpenVINO": timed},
    {"OpenVINO": f"batch {size}, {CORES} streams, {CORES + 1} threads decode"},
    classify(models[size], job.photographs),
    np.concatenate([answer(one, pixels) for pixels in cut(job.reference["pixels"], 1)]),
)
