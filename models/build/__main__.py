"""Make the bundled models again from their origins: ``python models/build/ [--out FOLDER] [--check] [NAME...]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import origins
from imagesasdata.errors import ImagesAsDataError
from imagesasdata.modelfile import verify_model, write_model
from recipes import RECIPES

MODELS = Path(__file__).resolve().parents[1]


def build(name: str, out: Path, origin_folder: Path = origins.DEFAULT_FOLDER) -> Path:
    """Build one model into `out`, print what came of it, and return its path."""
    started = time.perf_counter()
    path = out / f"{name}.onnx"
    write_model(*RECIPES[name](name, origin_folder), path)
    card = verify_model(path)
    seconds = time.perf_counter() - started
    classes = "1 class" if len(card.classes) == 1 else f"{len(card.classes):,} classes"
    print(f"{name}: {classes}, {path.stat().st_size / 1e6:.1f} MB, {seconds:.1f} s")
    print(f"  sha256 {origins.sha256_of(path)}  {path}")
    return path


def check(name: str, committed: Path) -> bool:
    """Build one model anew and say whether it has the same bytes as the committed one."""
    if not committed.is_file():
        print(f"{name}: there is no file {committed} to check")
        return False
    with tempfile.TemporaryDirectory() as scratch:
        same = origins.sha256_of(build(name, Path(scratch))) == origins.sha256_of(committed)
    print(f"  {'identical to' if same else 'DIFFERS FROM'} {committed}")
    return same


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or check the models named; exit status 0, or 1 if a build failed or differs."""
    parser = argparse.ArgumentParser(prog="python models/build/", description="Make the bundled models again.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all if none is given: {', '.join(RECIPES)}")
    parser.add_argument("--out", type=Path, default=MODELS, metavar="FOLDER", help="where the .onnx files go or are")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a new build differs from the file in FOLDER"
    )
    options = parser.parse_args(arguments)
    names = options.names or list(RECIPES)
    unknown = [name for name in names if name not in RECIPES]
    if unknown:
        parser.error(f"no recipe for {', '.join(unknown)}; there are: {', '.join(RECIPES)}")
    try:
        if options.check:
            differing = [name for name in names if not check(name, options.out / f"{name}.onnx")]
            return 1 if differing else 0
        options.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            build(name, options.out)
    except (origins.OriginError, ImagesAsDataError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
