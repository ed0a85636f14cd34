"""timm as its users run it: its own transforms in PyTorch's DataLoader, the network in inference mode."""

from __future__ import annotations

import torch
from PIL import Image
from serve import CORES, read_job, serve
from timm.data import create_transform, resolve_model_data_config
from torch.utils.data import DataLoader, Dataset
from weights import make_network

BATCH, WORKERS = 32, 2

job = read_job()
torch.set_num_threads(CORES)
network = make_network(job.reference)
transform = create_transform(**resolve_model_data_config(network), is_training=False)


class Photographs(Dataset[torch.Tensor]):
    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> torch.Tensor:
        with Image.open(self.paths[number]) as image:
            return transform(image.convert("RGB"))


def classify(paths: list[str]) -> list[int]:
    loader = DataLoader(Photographs(paths), batch_size=BATCH, num_workers=WORKERS, pin_memory=False)
    with torch.inference_mode():
        return [label for batch in loader for label in network(batch).argmax(dim=1).tolist()]


def timed(paths: list[str]) -> None:
    classify(paths)


with torch.inference_mode():
    logits = network(torch.from_numpy(job.reference["tensor"])).numpy()
serve(
    job,
    {"timm, DataLoader": timed},
    {"timm, DataLoader": f"batch {BATCH}, {WORKERS} workers, {CORES} threads"},
    classify(job.photographs),
    logits,
)
