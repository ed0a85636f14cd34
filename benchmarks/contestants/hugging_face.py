"""Hugging Face's pipeline("image-classification") over file paths, around the same timm network."""

from __future__ import annotations

import os
from functools import partial

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is fetched: the weights are given

import torch
from serve import CORES, fastest, read_job, serve
from transformers import (
    TimmWrapperConfig,
    TimmWrapperForImageClassification,
    TimmWrapperImageProcessor,
    pipeline,
)
from weights import ARCHITECTURE, give_weights

job = read_job()
own_threads = torch.get_num_threads()
config = TimmWrapperConfig(architecture=ARCHITECTURE, num_labels=1000)
model = TimmWrapperForImageClassification(config).eval()
give_weights(model, job.reference)
processor = TimmWrapperImageProcessor(pretrained_cfg=model.timm_model.pretrained_cfg)
classifier = pipeline("image-classification", model=model, image_processor=processor, device="cpu")


def classify(paths: list[str], batch: int, threads: int) -> list[int]:
    torch.set_num_threads(threads)
    answers = classifier(paths, batch_size=batch, top_k=1)
    return [config.label2id[answer[0]["label"]] for answer in answers]


def timed(paths: list[str]) -> None:
    classify(paths, *choices[best])


def as_documented(paths: list[str]) -> None:
    """The call that the documentation shows, with nothing chosen: one photograph at a time, torch's own threads."""
    torch.set_num_threads(own_threads)
    classifier(paths)


few = (job.photographs * 32)[:32]
choices = {f"batch {n}, {threads} threads": (n, threads) for n in (1, 8) for threads in sorted({1, CORES})}
best = fastest({name: partial(classify, few, *choice) for name, choice in choices.items()})
with torch.inference_mode():
    logits = model(torch.from_numpy(job.reference["tensor"])).logits.numpy()
serve(
    job,
    {"Hugging Face pipeline, best settings": timed, "Hugging Face pipeline, as documented": as_documented},
    {"Hugging Face pipeline, best settings": best, "Hugging Face pipeline, as documented": "no settings"},
    classify(job.photographs, *choices[best]),
    logits,
)
