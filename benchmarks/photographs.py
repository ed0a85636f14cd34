"""Make the photographs that the benchmarks read, of one size each, from a folder of any photographs."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from PIL import Image, ImageOps

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")


def make_photographs(folder: Path, size: tuple[int, int], count: int) -> list[Path]:
    """Return `count` JPEGs (quality 90) of `size` pixels, cut in the middle to its aspect; those made before are kept.

    Where the folder has fewer photographs they are taken again. What is made is kept for each folder apart.
    """
    sources = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not sources:
        raise SystemExit(f'"{folder}" has no photographs ({", ".join(SUFFIXES)}).')
    fingerprint = hashlib.sha256("\n".join(f"{path} {path.stat().st_size}" for path in sources).encode())
    target = CACHE / "photographs" / f"{size[0]}x{size[1]}-{fingerprint.hexdigest()[:8]}"
    target.mkdir(parents=True, exist_ok=True)
    paths = [target / f"{number:05d}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            with Image.open(sources[number % len(sources)]) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
            partial = path.with_suffix(".part")
            ImageOps.fit(upright, size, Image.Resampling.BICUBIC).save(partial, "JPEG", quality=90)
            partial.replace(path)
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    parser.add_argument("count", type=int)
    asked = parser.parse_args()
    for path in make_photographs(asked.folder, (asked.width, asked.height), asked.count):
        print(path)
