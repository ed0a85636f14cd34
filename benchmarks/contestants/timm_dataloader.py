"""timm as its users run it: its own transforms in PyTorch's DataLoader, the network in inference mode."""

from __future__ import annotations

from functools import partial

import torch
from PIL import Image
from serve import CORES, fastest, read_job, serve
from timm.data import create_transform, resolve_model_data_config
from torch.utils.data import DataLoader, Dataset
from weights import make_network

BATCH, WORKERS = 32, 2

job = read_job()
own_threads = torch.get_num_threads()
network = make_network(job.reference)
transform = create_transform(**resolve_model_data_config(network), is_training=False)


class Photographs(Dataset[torch.Tensor]):
    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> torch.Tensor:
        with Image.open(self.paths[number]) as image:
            tensor: torch.Tensor = transform(image.convert("RGB"))
        return tensor


def classify(paths: list[str], threads: int) -> list[int]:
    torch.set_num_threads(threads)
    loader = DataLoader(Photographs(paths), batch_size=BATCH, num_workers=WORKERS, pin_memory=False)
    with torch.inference_mode():
        return [label for batch in loader for label in network(batch).argmax(dim=1).tolist()]


def timed(paths: list[str]) -> None:
    classify(paths, threads)


def as_documented(paths: list[str]) -> None:
    classify(paths, own_threads)


few = (job.photographs * 64)[:64]
threads = int(fastest({str(number): partial(classify, few, number) for number in sorted({1, CORES})}))
with torch.inference_mode():
    logits = network(torch.from_numpy(job.reference["tensor"])).numpy()
serve(
    job,
    {"timm, DataLoader, best settings": timed, "timm, DataLoader, torch's own threads": as_documented},
    {
        "timm, DataLoader, best settings": f"batch {BATCH}, {WORKERS} workers, {threads} threads",
        "timm, DataLoader, torch's own threads": f"batch {BATCH}, {WORKERS} workers, {own_threads} threads",
    },
    classify(job.photographs, threads),
    logits,
)
