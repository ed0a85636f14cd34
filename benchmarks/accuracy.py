"""Measure how good fine-tuning is: head, tail, full, and the book's recipe, on held-out photographs.

    tools/bench.sh accuracy FOLDER [FOLDER ...] [--seeds 1 2 3] [--methods head tail full book] [--json FILE]

A FOLDER has ``train/<class>/`` and ``test/<class>/`` (or ``val/<class>/``), or only ``<class>/``, of which three
quarters are then drawn to train on, anew for each seed. The book (Webb Williams, Casas and Wilkerson 2020) trains all
layers by stochastic gradient descent: rate 1e-4, momentum 0.9, a tenth of it after 7 epochs, batches of 4, 10 epochs;
here on the same network as the others. It reports the best epoch on the test photographs; that is shown too, in
brackets, beside the honest last one. Seconds are of training alone, without any cache, decoding included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagesasdata.evaluate import quality
from imagesasdata.evidence import inflation
from imagesasdata.images import ImageList
from imagesasdata.intervals import wilson
from imagesasdata.labels import Labels
from imagesasdata.model import load_model
from imagesasdata.train.deep import Deep
from imagesasdata.train.head import Head
from imagesasdata.train.head_graph import OUTPUT, with_head
from imagesasdata.train.method import Material, Rows
from imagesasdata.train.torch_graph import TorchGraph
from imagesasdata.train.validate import activated, out_of_fold

METHODS = ("head", "tail", "full", "book")
SHARE = 0.75


@dataclass(frozen=True)
class Split:
    """Photographs of one set, and which are to train on."""

    labels: Labels
    train: Rows
    test: Rows


def read_set(folder: Path, seed: int) -> Split:
    """List the photographs of a set, with the split that it has or a random one."""
    tests = [folder / name for name in ("test", "val") if (folder / name).is_dir()]
    parts = [folder / "train", *tests[:1]] if tests else [folder]
    classes = sorted(path.name for path in parts[0].iterdir() if path.is_dir())
    paths: list[str] = []
    codes: list[int] = []
    in_train: list[bool] = []
    rng = np.random.default_rng(seed)
    for part in parts:
        for code, name in enumerate(classes):
            files = sorted(str(path) for path in (part / name).iterdir() if path.is_file())
            chosen = np.full(len(files), part is parts[0])
            if not tests:
                chosen[rng.permutation(len(files))[round(SHARE * len(files)) :]] = False
            paths += files
            codes += [code] * len(files)
            in_train += chosen.tolist()
    values = np.eye(len(classes))[codes]
    images = ImageList(list(paths), list(paths))
    labels = Labels(images, "single", tuple(classes), values, np.arange(len(paths)))
    return Split(labels, np.flatnonzero(in_train), np.flatnonzero(~np.array(in_train)))


def material(labels: Labels, work: Path) -> Material:
    return Material(labels, load_model(), np.ones(len(labels.names)), work, "cpu", False, lambda *_: None)


def run(method: str, split: Split, seed: int) -> tuple[npt.NDArray[np.float64], float, float | None]:
    """Train and return logits of the test photographs, seconds, and the book's best epoch's accuracy."""
    with tempfile.TemporaryDirectory() as work:
        start = time.perf_counter()
        if method == "book":
            logits, best = book(split, seed)
            return logits, time.perf_counter() - start, best
        m = material(split.labels, Path(work))
        if method == "head":
            # Only the photographs to train on are embedded within the time.
            way: Any = Head(m)
        else:
            way = Deep(m, mode=method)
        fitted = way.fit(split.train, seed)
        seconds = time.perf_counter() - start
        return fitted.logits(split.test), seconds, None


def book(split: Split, seed: int) -> tuple[npt.NDArray[np.float64], float]:
    """Train as the book does; return the last epoch's logits of the test photographs and the best epoch's accuracy."""
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    backbone = load_model()
    proto, card = backbone.read()
    k = len(split.labels.names)
    features = 1280
    bound = 1 / np.sqrt(features)  # as PyTorch's Linear begins
    weight, bias = rng.uniform(-bound, bound, (k, features)), rng.uniform(-bound, bound, k)
    network = TorchGraph(with_head(proto, card, weight, bias), OUTPUT)
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=7, gamma=0.1)
    photographs = [Image.open(str(path)).convert("RGB") for path in split.labels.images.paths]
    codes = split.labels.codes
    steps = card.preprocessing
    test = torch.from_numpy(np.stack([centre_crop(photographs[i], steps.size) for i in split.test]))
    best, logits = 0.0, np.empty((0, k))
    for _ in range(10):
        network.train()
        for batch in np.array_split(rng.permutation(split.train), -(-len(split.train) // 4)):
            pixels = torch.from_numpy(np.stack([random_crop(photographs[i], steps.size, rng) for i in batch]))
            loss = torch.nn.functional.cross_entropy(network(pixels), torch.from_numpy(codes[batch]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
        network.eval()
        with torch.inference_mode():
            logits = torch.cat([network(part) for part in test.split(16)]).numpy().astype(float)
        best = max(best, float((logits.argmax(axis=1) == codes[split.test]).mean()))
    return logits, best


def scaled(image: Image.Image) -> npt.NDArray[np.float32]:
    return ((np.asarray(image, np.float32) - 127.5) / 127.5).transpose(2, 0, 1)


def centre_crop(image: Image.Image, size: int) -> npt.NDArray[np.float32]:
    side = min(image.size) * size / 256
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return scaled(image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side)))


def random_crop(image: Image.Image, size: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Crop and flip as torchvision's RandomResizedCrop and RandomHorizontalFlip do by default."""
    width, height = image.size
    for _ in range(10):
        area = width * height * rng.uniform(0.08, 1.0)
        ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
            break
    else:
        w = h = min(width, height)
        left, top = (width - w) // 2, (height - h) // 2
    cut = image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + w, top + h))
    return scaled(cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else cut)


def results(split: Split, methods: list[str], seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row a method."""
    labels = split.labels
    truth = labels.values[split.test]
    names = [str(labels.images.names[i]) for i in split.test]
    for method in methods:
        logits, seconds, best = run(method, split, seed)
        found = quality("single", labels.names, truth, activated(logits, "single"), names)
        rows = {(r["metric"], r["class"]): r for r in found.tables["metrics"].to_pylist()}
        accuracy, f1 = rows["accuracy", None], rows["macro_f1", None]
        yield {
            "method": method,
            "seed": seed,
            "n_train": len(split.train),
            "n_test": len(split.test),
            "accuracy": accuracy["estimate"],
            "accuracy_low": accuracy["conf_low"],
            "accuracy_high": accuracy["conf_high"],
            "macro_f1": f1["estimate"],
            "macro_f1_low": f1["conf_low"],
            "macro_f1_high": f1["conf_high"],
            "seconds": seconds,
            "best_epoch_on_test": best,
        }


def cross_validated(split: Split, seed: int) -> tuple[float, float, float]:
    """Return the head's cross-validated accuracy on the photographs to train on, with its interval."""
    rows = split.train
    images = ImageList([split.labels.images.names[i] for i in rows], [split.labels.images.paths[i] for i in rows])
    labels = Labels(images, "single", split.labels.names, split.labels.values[rows], np.arange(len(rows)))
    with tempfile.TemporaryDirectory() as work:
        out = out_of_fold(Head(material(labels, Path(work))), labels, 5, seed, lambda *_: None, "head")
    right = int((out.outputs.argmax(axis=1) == labels.codes).sum())
    wider = inflation(5)
    low, high = wilson(right / wider, len(rows) / wider)
    return right / len(rows), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/bench.sh accuracy", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--json", type=Path, help="write the numbers to this file too, after each run")
    options = parser.parse_args()
    found: list[dict[str, Any]] = []
    for seed in options.seeds:
        for folder in options.folders:
            split = read_set(folder, seed)
            estimate, low, high = cross_validated(split, seed)
            for row in results(split, list(options.methods), seed):
                row |= {"set": folder.name, "cv_accuracy": estimate, "cv_low": low, "cv_high": high}
                found.append(row)
                best = f" (best epoch on test {row['best_epoch_on_test']:.3f})" if row["best_epoch_on_test"] else ""
                print(
                    f"{row['set']:12} seed {seed} {row['method']:5} {row['n_train']:5} + {row['n_test']:4}  "
                    f"accuracy {row['accuracy']:.3f} [{row['accuracy_low']:.3f}, {row['accuracy_high']:.3f}]  "
                    f"macro F1 {row['macro_f1']:.3f}  {row['seconds']:7.1f} s{best}"
                    + (f"  cross-validated {estimate:.3f} [{low:.3f}, {high:.3f}]" if row["method"] == "head" else ""),
                    flush=True,
                )
                if options.json:
                    options.json.write_text(json.dumps(found, indent=1) + "\n")
    print(f"\nMean over {len(options.folders)} set(s) and {len(options.seeds)} seed(s)\n")
    print(f"{'method':8}{'accuracy':>10}{'macro F1':>10}{'seconds':>10}")
    for method in options.methods:
        rows = [row for row in found if row["method"] == method]
        means = [statistics.fmean(row[key] for row in rows) for key in ("accuracy", "macro_f1", "seconds")]
        print(f"{method:8}{means[0]:10.3f}{means[1]:10.3f}{means[2]:10.1f}")


if __name__ == "__main__":
    main()
