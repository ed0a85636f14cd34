"""Measure how many planted near-duplicates are found, and how many pairs that are found are none.

    tools/bench.sh duplicates FOLDER [FOLDER ...] [--images 240]

Of the photographs of a folder, every sixth gets copies: resized, recompressed, cropped by 5 %, marked, mirrored. A
folder's own copies, if it has any, count as false here.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from imagesasdata import find_duplicates
from imagesasdata.images import find_images

EACH = 6


def resized(image: Image.Image, rng: random.Random) -> Image.Image:
    return image.resize((round(image.width * 0.6), round(image.height * 0.6)), Image.Resampling.BICUBIC)


def cropped(image: Image.Image, rng: random.Random) -> Image.Image:
    left, top = rng.choice([(0, 0), (0.05, 0.05), (0.025, 0.025), (0, 0.05), (0.05, 0)])
    w, h = image.size
    return image.crop((round(w * left), round(h * top), round(w * (left + 0.95)), round(h * (top + 0.95))))


def marked(image: Image.Image, rng: random.Random) -> Image.Image:
    w, h = image.size
    draw = ImageDraw.Draw(image)
    draw.text((w * 0.5, h * 0.85), "(c) PHOTO AGENCY", fill=(255, 255, 255))
    draw.rectangle((w * 0.7, h * 0.9, w * 0.98, h * 0.97), fill=(200, 30, 30))
    return image


CHANGES: dict[str, tuple[Callable[[Image.Image, random.Random], Image.Image], int]] = {
    "resized to 60 %": (resized, 92),
    "recompressed": (lambda image, rng: image, 35),
    "cropped by 5 %": (cropped, 92),
    "marked": (marked, 92),
    "mirrored": (lambda image, rng: ImageOps.mirror(image), 92),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/bench.sh duplicates", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--images", type=int, default=240, help="photographs of a folder (default: %(default)s)")
    options = parser.parse_args()
    hits: dict[str, list[bool]] = {name: [] for name in CHANGES}
    pairs, false = 0, 0
    for folder in options.folders:
        rng = random.Random(1)
        found = [str(path) for path in find_images(folder).paths]
        originals = rng.sample(found, min(options.images, len(found)))
        with tempfile.TemporaryDirectory() as work:
            source: dict[str, str] = {path: path for path in originals}
            kinds: dict[str, str] = {}
            for number, path in enumerate(originals[::EACH]):
                for kind, (change, quality) in CHANGES.items():
                    with Image.open(path) as opened:
                        image = change(ImageOps.exif_transpose(opened).convert("RGB"), rng)
                    copy = f"{work}/{number}_{kind.split()[0]}.jpg"
                    image.save(copy, quality=quality)
                    source[copy], kinds[copy] = path, kind
            table = find_duplicates(list(source), progress=False)
            near = {frozenset(pair) for pair in zip(table["image_a"], table["image_b"], strict=True)}
            here = sum(source[a] != source[b] for a, b in zip(table["image_a"], table["image_b"], strict=True))
            for copy, kind in kinds.items():
                hits[kind].append(frozenset((copy, source[copy])) in near)
            pairs, false = pairs + len(table), false + here
            print(f"{folder.name}: {len(source):,} photographs, {len(table):,} pairs found, {here} of them false")
    print(f"\n{'copies':18}{'found':>8}{'of':>6}")
    for kind, found_ones in hits.items():
        print(f"{kind:18}{sum(found_ones) / len(found_ones):8.1%}{len(found_ones):6}")
    everything = [hit for ones in hits.values() for hit in ones]
    print(f"{'all':18}{sum(everything) / len(everything):8.1%}{len(everything):6}")
    print(f"false pairs: {false} of {pairs:,} ({false / max(pairs, 1):.2%})")


if __name__ == "__main__":
    main()
