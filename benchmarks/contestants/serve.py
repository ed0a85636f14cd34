"""How a contestant, a process of its own, talks to the benchmark: a job in, a line of JSON when ready, one a round."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Libraries print to standard output too: it becomes standard error, and only `serve` writes to the real one.
_answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# What is timed: a function of paths. It may return seconds by row of the table, where the clock is not enough.
Way = Callable[[list[str]], Mapping[str, float] | None]


@dataclass(frozen=True)
class Job:
    """The photographs to classify, the model file, and its weights as arrays with an input to check by."""

    photographs: list[str]
    model: str
    reference: dict[str, NDArray[Any]]


def read_job() -> Job:
    """Read the job from the file that the command line names."""
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    with np.load(job["reference"]) as arrays:
        return Job(job["photographs"], job["model"], dict(arrays))


def fastest(trials: Mapping[str, Callable[[], object]]) -> str:
    """Run each trial twice and return the name of the one whose second run was the shortest."""
    seconds = {}
    for name, trial in trials.items():
        trial()
        start = time.perf_counter()
        trial()
        seconds[name] = time.perf_counter() - start
        print(f"{name}: {seconds[name]:.2f} s", flush=True)
    return min(seconds, key=lambda name: seconds[name])


def cut(items: Any, size: int) -> Iterator[Any]:
    """Cut a sequence, or the first axis of an array, into batches."""
    return (items[start : start + size] for start in range(0, len(items), size))


def serve(
    job: Job, ways: Mapping[str, Way], settings: Mapping[str, str], labels: Sequence[int], logits: NDArray[Any]
) -> None:
    """Say what was set up, then time a way at each request until standard input ends.

    `labels` are the classes found for the job's photographs, `logits` the network's answer to the reference's input.
    """
    difference = float(np.abs(logits - job.reference["logits"]).max())
    ready = {"ways": list(ways), "settings": dict(settings), "labels": [int(x) for x in labels]}
    print(json.dumps({**ready, "difference": difference}), file=_answers)
    for line in sys.stdin:
        request = json.loads(line)
        paths = job.photographs * request["times"]
        start = time.perf_counter()
        rows = ways[request["way"]](paths)
        rows = rows or {request["way"]: time.perf_counter() - start}
        print(json.dumps({row: len(paths) / seconds for row, seconds in rows.items()}), file=_answers)
    _answers.flush()
    os._exit(0)  # some libraries abort while they are taken down, which is nobody's concern here
