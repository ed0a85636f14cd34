"""1, 3 and 10 heads on one backbone in one pass, and a second run over cached embeddings.

tools/bench.sh many_models FOLDER [--images 1000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import numpy_helper

import imagesasdata as iad
from imagesasdata.modelfile import read_model, write_model


def head(path: Path, seed: int) -> Path:
    """Write the default model with a random two-class head, as fine-tuning a head would."""
    proto, card = read_model(iad.load_model().path)
    rng = np.random.default_rng(seed)
    new = {
        "classifier.weight": rng.normal(size=(2, 1280)).astype(np.float32) * 0.05,
        "classifier.bias": np.zeros(2, np.float32),
    }
    for weight in proto.graph.initializer:
        if weight.name in new:
            weight.CopyFrom(numpy_helper.from_array(new[weight.name], weight.name))
    for output in proto.graph.output:
        if output.name == card.tensors["output"]:
            output.type.tensor_type.shape.dim[1].dim_value = 2
    write_model(proto, dataclasses.replace(card, name=path.stem, classes=("no", "yes"), class_ids=None), path)
    return path


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    found = iad.images.find_images(options.folder).paths
    images = [found[i % len(found)] for i in range(options.images)]
    work = Path(tempfile.mkdtemp(dir=os.environ.get("TMPDIR")))
    os.environ["IMAGESASDATA_CACHE"] = str(work / "cache")
    models = [str(head(work / f"head{i}.onnx", i)) for i in range(10)]

    times: dict[int, list[float]] = {1: [], 3: [], 10: []}
    for _ in range(options.repeats):
        for n, measured in times.items():

            def run(n: int = n) -> object:
                return iad.classify_images(images, models=models[:n], cache=False, progress=False, device="cpu")

            measured.append(seconds(run))
    medians = {n: statistics.median(measured) for n, measured in times.items()}
    print(f"{options.images} photographs, median of {options.repeats}\n")
    print(f"{'heads':>6} {'seconds':>9} {'images/s':>9} {'against one':>12}")
    for n, median in medians.items():
        print(f"{n:>6} {median:>9.2f} {options.images / median:>9.0f} {median / medians[1]:>12.3f}")

    first, second = [], []
    distinct = list(dict.fromkeys(found))[: options.images]
    for _ in range(options.repeats):
        iad.clear_cache()
        first.append(seconds(lambda: iad.classify_images(distinct, progress=False, device="cpu")))
        second.append(seconds(lambda: iad.classify_images(distinct, progress=False, device="cpu")))
    opening = statistics.median(
        seconds(lambda: iad.classify_images([], progress=False, device="cpu")) for _ in range(options.repeats)
    )
    one, two = statistics.median(first), statistics.median(second)
    print(
        f"\nCache of embeddings, {len(distinct)} different photographs (opening the model: {opening:.2f} s of each)\n"
    )
    print(f"first run  {one:.2f} s, {len(distinct) / one:.0f} images/s")
    print(f"second run {two:.2f} s, {len(distinct) / two:.0f} images/s: {one / two:.1f} times faster")
    net = (one - opening) / max(two - opening, 1e-9)
    print(f"without the opening of the model: {net:.1f} times faster")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
