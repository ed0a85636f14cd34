"""OpenVINO on the same .onnx file: threads that decode, and a stream of inference for each core."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor
from pixels import SIZE, decode, stack
from serve import CORES, cut, fastest, read_job, serve

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


def make_queue(size: int) -> openvino.AsyncInferQueue:
    requests = openvino.AsyncInferQueue(compile_for(size), CORES)
    requests.set_callback(lambda request, keep: keep(logits_of(request).argmax(axis=1).tolist()))
    return requests


def classify(requests: openvino.AsyncInferQueue, size: int, paths: list[str]) -> list[int]:
    """Classify; only this thread starts requests: several that do so at once come to a standstill now and then."""
    parts = list(cut(paths, size))
    labels: dict[int, list[int]] = {}
    with ThreadPoolExecutor(CORES) as pool:
        pixels = pool.map(decode, paths)
        for number, part in enumerate(parts):
            requests.start_async(stack([next(pixels) for _ in part], size), partial(labels.__setitem__, number))
    requests.wait_all()
    return [label for number in range(len(parts)) for label in labels[number]][: len(paths)]


def logits_of(request: openvino.InferRequest) -> NDArray[np.float32]:
    return np.array(request.get_tensor("logits").data)


few = (job.photographs * 32)[:32]
queues = {1: make_queue(1), 8: make_queue(8)}
best = int(fastest({str(size): partial(classify, queue, size, few) for size, queue in queues.items()}))


def timed(paths: list[str]) -> None:
    classify(queues[best], best, paths)


request = compile_for(1).create_infer_request()
logits = []
for pixels in cut(job.reference["pixels"], 1):
    request.infer(pixels)
    logits.append(logits_of(request))
serve(
    job,
    {"OpenVINO": timed},
    {"OpenVINO": f"batch {best}, {CORES} streams, {CORES} threads decode"},
    classify(queues[best], best, job.photographs),
    np.concatenate(logits),
)
