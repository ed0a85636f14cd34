"""Measure the verbs for faces: found, recognised, told apart, fast, and hidden.

    tools/bench.sh faces FOLDER [--draws 20] [--photographs 120]

FOLDER has a folder for each person, with 16 or more photographs, one face on each. Photographs with several faces
are composed: faces of FOLDER, resized, on scikit-image's photographs without people. Strangers are people who are left
out of the references, and the 100 small faces of scikit-image's `lfw_subset`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import skimage.data
from PIL import Image
from sklearn.metrics import roc_auc_score

import imagesasdata as iad
from imagesasdata.faces.boxes import overlap
from imagesasdata.faces.classifier import FEWEST_EACH, Classifier
from imagesasdata.faces.matching import distances
from imagesasdata.faces.people import DESCRIPTOR, People
from imagesasdata.faces.recognize import matched
from imagesasdata.faces.threshold import choose_threshold
from imagesasdata.intervals import wilson

WITHOUT_PEOPLE = ("coffee", "chelsea", "rocket", "motorcycle", "retina", "hubble_deep_field")
SIZE = (640, 480)
REFERENCES = (1, 5, 15)
SIDES = (16, 24, 32, 48, 64, 96, 128, 192)
WHY = "Measuring how well faces are recognised."
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Described:
    """A face on each photograph of a person."""

    descriptors: Floats
    person: npt.NDArray[np.int64]
    names: list[str]


def backgrounds() -> list[Image.Image]:
    """Photographs without people, of `SIZE`."""
    found = []
    for name in WITHOUT_PEOPLE:
        pixels = getattr(skimage.data, "stereo_motorcycle" if name == "motorcycle" else name)()
        found.append(Image.fromarray(pixels[0] if isinstance(pixels, tuple) else pixels).convert("RGB").resize(SIZE))
    return found


def interval(values: Any) -> str:
    """The mean over draws, and between what 95 of 100 draws lie."""
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{np.mean(values):.4f} ({low:.4f} to {high:.4f})"


def share(count: int, n: int) -> str:
    low, high = wilson(count, n)
    return f"{count:,} of {n:,} = {count / n:.4f} ({float(low):.4f} to {float(high):.4f})"


def describe(folder: Path) -> Described:
    """Describe the faces of people, and print how many were found."""
    began = time.perf_counter()
    faces = iad.enroll_people(folder, purpose=WHY, progress=False)
    seconds = time.perf_counter() - began
    good = faces["error"].isna().to_numpy()
    print(f"\n{len(faces)} photographs of {faces['person'].nunique()} people, {seconds:.0f} s")
    print(f"  a face is found on {share(int(good.sum()), len(faces))}")
    found = iad.detect_faces(folder, progress=False)
    print(f"  faces too many: {int((found['face'] > 1).sum())}")
    names = sorted(faces["person"].unique())
    person = faces["person"].map({name: i for i, name in enumerate(names)}).to_numpy(np.int64)
    return Described(faces[list(DESCRIPTOR)].to_numpy(np.float64)[good], person[good], names)


def compose(folder: Path, out: Path, photographs: int, rng: np.random.Generator) -> pd.DataFrame:
    """Write photographs with faces of known size and place; return where they are."""
    faces, plain = sorted(folder.glob("*/*")), backgrounds()
    rows = []
    for number in range(photographs):
        picture = plain[number % len(plain)].copy()
        for cell in rng.permutation(6)[: rng.integers(1, 5)]:
            side = int(rng.choice(SIDES))
            left, top = (cell % 3) * 213 + 6, (cell // 3) * 240 + 20
            source = faces[rng.integers(len(faces))]
            with Image.open(source) as face:
                picture.paste(face.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (left, top))
            rows.append((f"{number:04d}.jpg", left, top, left + side, top + side, side, source.parent.name))
        picture.save(out / f"{number:04d}.jpg", quality=92)
    return pd.DataFrame(rows, columns=["image", "left", "top", "right", "bottom", "side", "person"])


def pasted(found: pd.DataFrame, truth: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], int]:
    """Return which pasted faces were found, and how many boxes lie on none of them."""
    hit, false = np.zeros(len(truth), bool), 0
    found = found[found["face"].notna()]
    for image, here in found.groupby("image"):
        rows = np.flatnonzero(truth["image"] == Path(str(image)).name)
        corner, size = here[["x", "y"]].to_numpy(float), here[["width", "height"]].to_numpy(float)
        boxes = np.concatenate([corner, corner + size], axis=1)
        if not len(rows):
            false += len(boxes)
            continue
        shared = overlap(truth.iloc[rows][["left", "top", "right", "bottom"]].to_numpy(float), boxes)
        hit[rows] |= shared.max(axis=1) > 0.3
        false += int((shared.max(axis=0) <= 0.1).sum())
    return hit, false


def detection(composed: Path, truth: pd.DataFrame) -> None:
    print("\nDetection on composed photographs (recall by side of the pasted photograph; false alarms)")
    found = iad.detect_faces(composed, threshold=0.4, min_size=12, progress=False)
    for threshold in (0.5, 0.8, 0.95):
        hit, false = pasted(found[~(found["prob"] < threshold)], truth)
        by_side = {side: round(float(hit[truth["side"] == side].mean()), 3) for side in SIDES}
        print(f"  threshold {threshold}, min_size 12: {by_side}, {false / truth['image'].nunique():.3f} a photograph")
    hit, false = pasted(iad.detect_faces(composed, progress=False), truth)
    large = (truth["side"] >= 48).to_numpy()
    print(f"  defaults, sides of 48 and more: {share(int(hit[large].sum()), int(large.sum()))}; {false} false alarms")


def verification(faces: Described) -> None:
    print("\nVerification: all pairs of photographs")
    apart = distances(faces.descriptors, faces.descriptors)
    i, j = np.triu_indices(len(apart), 1)
    same, far = faces.person[i] == faces.person[j], apart[i, j]
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(200):  # people are drawn, and with them all their photographs
        weight = np.bincount(rng.integers(0, len(faces.names), len(faces.names)), minlength=len(faces.names))
        weights = (weight[faces.person[i]] * weight[faces.person[j]]).astype(float)
        draws.append(roc_auc_score(same, -far, sample_weight=weights))
    low, high = np.quantile(draws, [0.025, 0.975])
    print(f"  AUC {roc_auc_score(same, -far):.4f} (95 % interval {low:.4f} to {high:.4f}, bootstrap over people)")
    for rate in (0.001, 0.01):
        limit = np.quantile(far[~same], rate)
        print(f"  {rate:.1%} false matches at {limit:.3f}: {(far[same] <= limit).mean():.4f} of the same person found")
    for limit in (0.5, 0.55, 0.6):
        false, true = (far[~same] <= limit).mean(), (far[same] <= limit).mean()
        print(f"  at {limit}: {false:.5f} of {int((~same).sum()):,} different, {true:.4f} of {int(same.sum()):,} same")


def identification(faces: Described, strangers: Floats, draws: int) -> None:
    print("\nIdentification (means over draws of references; between what 95 % of the draws lie)")
    rng = np.random.default_rng(1)
    people = len(faces.names)
    for each in REFERENCES:
        rank1, accepted, thresholds = [], [], []
        by_classifier: list[float] = []
        left_out, others, recognised = [], [], []
        for _ in range(draws):
            chosen = np.concatenate([rng.choice(np.flatnonzero(faces.person == p), each, False) for p in range(people)])
            rest = np.setdiff1d(np.arange(len(faces.person)), chosen)
            rank1.append((_match(faces, chosen, rest)[0] == faces.person[rest]).mean())
            if each >= FEWEST_EACH:
                known, _ = _people(faces, chosen)
                likeliest = matched(faces.descriptors[rest], known, Classifier(known)).nearest
                by_classifier.append((likeliest == faces.person[rest]).mean())
            out_rates, known_rates = [], []
            for out in range(people):
                kept = chosen[faces.person[chosen] != out]
                value = _threshold(faces, kept)
                thresholds.append(value)
                _, far = _match(faces, kept, np.flatnonzero(faces.person == out))
                out_rates.append((far <= value).mean())
                test = rest[faces.person[rest] != out]
                nearest, far = _match(faces, kept, test)
                known_rates.append(((nearest == faces.person[test]) & (far <= value)).mean())
            left_out.append(np.mean(out_rates))
            recognised.append(np.mean(known_rates))
            value = _threshold(faces, chosen)
            others.append((_nearest(faces, chosen, strangers)[1] <= value).mean())
            accepted.append(value)
        print(f"  {each} references a person")
        print(f"    rank 1 on the rest: {interval(rank1)}")
        if by_classifier:
            print(f"    rank 1 by a classifier: {interval(by_classifier)}")
        print(f"    threshold at 1 % strangers: {interval(thresholds)}")
        print(f"    strangers accepted, each person left out in turn: {interval(left_out)}")
        # Some of these may be the same people: Labeled Faces in the Wild has hundreds of photographs of politicians.
        print(f"    strangers accepted, lfw_subset: {interval(others)}")
        print(f"    known people recognised within the threshold: {interval(recognised)}")


def _people(faces: Described, chosen: npt.NDArray[np.int64]) -> tuple[People, npt.NDArray[np.int64]]:
    names, person = np.unique(faces.person[chosen], return_inverse=True)
    return People([faces.names[n] for n in names], person, faces.descriptors[chosen]), names


def _nearest(
    faces: Described, chosen: npt.NDArray[np.int64], descriptors: Floats
) -> tuple[npt.NDArray[np.int64], Floats]:
    people, names = _people(faces, chosen)
    match = matched(descriptors, people)
    return names[match.nearest], match.distance


def _match(
    faces: Described, chosen: npt.NDArray[np.int64], test: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Floats]:
    return _nearest(faces, chosen, faces.descriptors[test])


def _threshold(faces: Described, chosen: npt.NDArray[np.int64]) -> float:
    people, _ = _people(faces, chosen)
    return choose_threshold("auto", 0.01, people).value


def small_faces(folder: Path) -> Floats:
    """Descriptors of scikit-image's small faces, enlarged."""
    out = folder / "small"
    out.mkdir()
    for number, pixels in enumerate(skimage.data.lfw_subset()[:100]):
        face = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8)).convert("RGB")
        square = Image.new("RGB", (320, 320), (110, 110, 110))
        square.paste(face.resize((160, 160), Image.Resampling.BICUBIC), (80, 80))
        square.save(out / f"{number:03d}.png")
    table = pd.DataFrame({"image": sorted(map(str, out.iterdir())), "person": "stranger"})
    found = iad.enroll_people(table, purpose=WHY, progress=False)
    return found.loc[found["error"].isna(), list(DESCRIPTOR)].to_numpy(np.float64)


def speed(folder: Path, composed: Path, photographs: int) -> None:
    print(f"\nSpeed: photographs of {SIZE[0]} x {SIZE[1]} pixels a second, on all cores")
    known = iad.enroll_people(folder, purpose=WHY, progress=False)
    paths = sorted(map(str, composed.glob("*.jpg")))
    verbs = {
        "detect_faces": lambda some: iad.detect_faces(some, progress=False),
        "recognize_faces": lambda some: iad.recognize_faces(some, known, progress=False),
        "blur_faces": lambda some: iad.blur_faces(some, folder_for_copies(), progress=False),
    }
    for name, run in verbs.items():
        run(paths[:4])
        for n in (photographs // 4, photographs):
            wall, work = time.perf_counter(), time.process_time()
            run(paths[:n])
            wall, work = time.perf_counter() - wall, time.process_time() - work
            print(
                f"  {name}, {n} photographs: {n / wall:.1f} a second; {n / work:.1f} a second of one processor's time"
            )
    rng = np.random.default_rng(1)
    many = rng.normal(0, 0.1, (100_000, 128))
    people = People([str(i) for i in range(100)], np.repeat(np.arange(100), 5), rng.normal(0, 0.1, (500, 128)))
    began = time.perf_counter()
    matched(many, people)
    print(f"  matching 100,000 descriptors with 500 references: {time.perf_counter() - began:.2f} s")


def folder_for_copies() -> str:
    return tempfile.mkdtemp()


def hiding(folder: Path, composed: Path, truth: pd.DataFrame) -> None:
    print("\nHiding: what is still found (threshold 0.5) or matched (distance 0.6) afterwards")
    known = iad.enroll_people(folder, purpose=WHY, progress=False)
    for method in ("blur", "pixelate", "box"):
        with tempfile.TemporaryDirectory() as out:
            log = iad.blur_faces(composed, out, method=method, progress=False)
            found = iad.recognize_faces(out, known, threshold=0.6, min_prob=0.5, progress=False)
            hidden, _ = pasted(log, truth)
            again, _ = pasted(found, truth)
            matches = found[found["person"].notna() & (found["person"] != "unknown")]
            still, _ = pasted(matches, truth)
        large = (truth["side"] >= 32).to_numpy()
        print(f"  {method}: hidden {share(int(hidden[large].sum()), int(large.sum()))} of sides of 32 and more")
        print(f"    of hidden faces found again: {share(int((again & hidden).sum()), int(hidden.sum()))}")
        print(f"    of hidden faces matched: {share(int((still & hidden).sum()), int(hidden.sum()))}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/bench.sh faces", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=20, help="of references (default: %(default)s)")
    parser.add_argument("--photographs", type=int, default=120, help="composed (default: %(default)s)")
    options = parser.parse_args()
    faces = describe(options.folder)
    verification(faces)
    with tempfile.TemporaryDirectory() as scratch:
        identification(faces, small_faces(Path(scratch)), options.draws)
        composed = Path(scratch) / "composed"
        composed.mkdir()
        truth = compose(options.folder, composed, options.photographs, np.random.default_rng(1))
        detection(composed, truth)
        speed(options.folder, composed, options.photographs)
        hiding(options.folder, composed, truth)


if __name__ == "__main__":
    main()
