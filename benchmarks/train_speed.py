"""Measure `fine_tune(method="head")` on new photographs and on photographs whose embeddings are cached.

    tools/bench.sh train_speed FOLDER [--images 1000] [--repeats 3]

FOLDER has ``<class>/`` or ``<part>/<class>/``. A call reads the labels, embeds, looks for near-duplicates, fits,
cross-validates in five folds, writes the model file and checks it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import pandas as pd

import imagesasdata as iad


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/bench.sh train_speed", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    paths = [str(path) for path in iad.images.find_images(options.folder).paths]
    step = max(len(paths) // options.images, 1)
    paths = paths[::step][: options.images]
    labels = pd.DataFrame({"image": paths, "label": [Path(path).parent.name for path in paths]})
    two = labels.assign(label=labels["label"] == labels["label"].iloc[0])
    with tempfile.TemporaryDirectory() as work:
        os.environ["IMAGESASDATA_CACHE"] = f"{work}/cache"
        print(f"{len(labels):,} photographs, median of {options.repeats}\n")
        print(f"{'classes':>8}{'new':>10}{'cached':>10}   seconds")
        for table in (labels, two):
            seconds: dict[str, list[float]] = {"new": [], "cached": []}
            for _ in range(options.repeats):
                iad.clear_cache()
                for measured in seconds.values():
                    start = time.perf_counter()
                    iad.fine_tune(table, method="head", out=f"{work}/m.onnx", progress=False, overwrite=True)
                    measured.append(time.perf_counter() - start)
            new, cached = (statistics.median(measured) for measured in seconds.values())
            print(f"{table['label'].nunique():8}{new:10.2f}{cached:10.2f}")


if __name__ == "__main__":
    main()
