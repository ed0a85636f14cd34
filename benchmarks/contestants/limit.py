"""The limit of the machine: what one thread needs to decode and to run the network, on every core at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

import numpy as np
from serve import CORES, cut, fastest, read_job, serve

from imagesasdata.decode import Limits, Pixels, decode_image
from imagesasdata.reading import read_file
from imagesasdata.runtime import Runner

job = read_job()
runner = Runner(job.model, "cpu")
steps = runner.card.preprocessing


def decode(paths: list[str]) -> Pixels:
    return np.stack([decode_image(read_file(path), steps, Limits()) for path in paths])


ready = decode((job.photographs * 64)[:64])


def network_alone(size: int) -> None:
    for batch in cut(ready, size):
        runner(batch)


size = int(fastest({str(number): partial(network_alone, number) for number in (1, 2, 4, 8, 16)}))


def one_thread(paths: list[str]) -> Mapping[str, float]:
    decoding = network = 0.0
    busy, begun = time.process_time(), time.perf_counter()
    for part in cut(paths, size):
        start = time.perf_counter()
        pixels = decode(part)
        middle = time.perf_counter()
        runner(pixels)
        network += time.perf_counter() - middle
        decoding += middle - start
    if time.process_time() - busy > 1.1 * (time.perf_counter() - begun):
        raise SystemExit("The limit is reckoned from one thread, and more than one was at work.")
    return {
        "limit: cores / (decode + network)": (decoding + network) / CORES,
        "  decode alone, one core": decoding,
        "  network alone, one core": network,
    }


settings = {"limit: cores / (decode + network)": f"{CORES} cores", "  network alone, one core": f"batch {size}"}
labels = np.concatenate([runner(decode(part)).argmax(axis=1) for part in cut(job.photographs, size)]).tolist()
serve(job, {"limit: cores / (decode + network)": one_thread}, settings, labels, runner(job.reference["pixels"]))
