"""This package: `classify_images` over a list of paths, to the data frame."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from typing import Any

from serve import CORES, read_job, serve

from imagesasdata import classify_images
from imagesasdata.runtime import Runner

job = read_job()
options: dict[str, Any] = {"model": job.model, "progress": False, "device": "cpu"}
if "cache" in inspect.signature(classify_images).parameters:
    options["cache"] = False  # a photograph met before must be decoded again


def whole_call(paths: list[str]) -> Mapping[str, float]:
    start = time.perf_counter()
    classify_images(paths, **options)
    middle = time.perf_counter()
    classify_images([], **options)  # opens the model, and has nothing to do with it
    opening = time.perf_counter() - middle
    return {"imagesasdata, model open": middle - start - opening, "imagesasdata, the whole call": middle - start}


settings = {
    "imagesasdata, model open": f"{CORES} cores; the whole call less a call without images",
    "imagesasdata, the whole call": "from a list of paths to a data frame, opening the model included",
}
labels = classify_images(job.photographs, **options)["label"].cat.codes.tolist()
serve(job, {"imagesasdata": whole_call}, settings, labels, Runner(job.model, "cpu")(job.reference["pixels"]))
