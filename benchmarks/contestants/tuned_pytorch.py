"""PyTorch tuned as far as it goes at full precision: channels last, compiled and frozen, the best batch and threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import torch
import torch._dynamo.config as dynamo
import torch._inductor.config as inductor
from numpy.typing import NDArray
from pixels import decode, stack
from serve import CORES, cut, fastest, read_job, serve
from weights import make_network

inductor.freezing = True  # folds the batch norms into the convolutions
dynamo.recompile_limit = 64  # it compiles for each batch size and number of threads
Network = Callable[[torch.Tensor], torch.Tensor]
Pixels = NDArray[np.uint8]

job = read_job()
mean, std = (torch.from_numpy(job.reference[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
plain: Any = make_network(job.reference)
plain = plain.to(memory_format=torch.channels_last)


def to_tensor(pixels: Pixels) -> torch.Tensor:
    """Bytes `[n, height, width, 3]` are channels last already: only the arithmetic is left."""
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - mean) / std


def run(network: Network, batches: list[torch.Tensor], streams: int) -> list[int]:
    """Run ready batches, `streams` at once, each with its share of the threads."""
    with ThreadPoolExecutor(streams) as pool:
        return [label for labels in pool.map(partial(answer, network, streams), batches) for label in labels]


def decode_and_run(network: Network, paths: list[str], size: int, streams: int) -> list[int]:
    """Decode and run: with one stream a pool decodes ahead of the network, else each thread does both."""
    parts = list(cut(paths, size))

    def both(part: list[str]) -> list[int]:
        return answer(network, streams, to_tensor(stack([*map(decode, part)], size)))[: len(part)]

    with ThreadPoolExecutor(CORES) as pool:
        if streams > 1:
            return [label for labels in pool.map(both, parts) for label in labels]
        pixels = pool.map(decode, paths)
        batches = (stack([next(pixels) for _ in part], size) for part in parts)
        return [label for batch in batches for label in answer(network, 1, to_tensor(batch))][: len(paths)]


def answer(network: Network, streams: int, batch: torch.Tensor) -> list[int]:
    if torch.get_num_threads() != max(1, CORES // streams):  # a setting of each thread
        torch.set_num_threads(max(1, CORES // streams))
    with torch.inference_mode():
        labels: list[int] = network(batch).argmax(dim=1).tolist()
    return labels


few = (job.photographs * 32)[:32]
ready = to_tensor(np.stack([*map(decode, few)]))
networks: dict[str, Network] = {"channels_last": plain}
try:
    compiled: Network = torch.compile(plain, dynamic=False)
    answer(compiled, 1, ready[:8])
    networks["channels_last, compiled"] = compiled
except Exception as problem:  # torch.compile needs a C++ compiler, and not every platform has its back end
    print(f"torch.compile does not work here: {problem}")

choices = {
    f"{name}, batch {size}, {streams} x {max(1, CORES // streams)} threads": (network, size, streams)
    for name, network in networks.items()
    for size in (1, 8, 32)
    for streams in sorted({1, CORES})
}
tensors = {size: list(cut(ready, size)) for size in (1, 8, 32)}
best = fastest({name: partial(run, n, tensors[size], streams) for name, (n, size, streams) in choices.items()})
network, size, streams = choices[best]
layouts = {
    f"{best.rsplit(',', 1)[0]}, {text}": number
    for text, number in (("decode pool in front", 1), (f"{CORES} threads do both", CORES))
}
layout = fastest({name: partial(decode_and_run, network, few, size, number) for name, number in layouts.items()})


def on_tensors(paths: list[str]) -> None:
    count = len(paths) // len(ready) + 1
    run(network, (tensors[size] * count)[: -(-len(paths) // size)], streams)


def with_decoding(paths: list[str]) -> None:
    decode_and_run(network, paths, size, layouts[layout])


with torch.inference_mode():
    logits = network(torch.from_numpy(job.reference["tensor"]).to(memory_format=torch.channels_last)).numpy()
serve(
    job,
    {"tuned PyTorch, ready tensors": on_tensors, "tuned PyTorch, with decoding": with_decoding},
    {"tuned PyTorch, ready tensors": best, "tuned PyTorch, with decoding": layout},
    decode_and_run(network, job.photographs, size, layouts[layout]),
    logits,
)
