"""Measure the peak memory of classifying 1,000, 10,000 and 100,000 images, in Python and by the command `iad`.

    tools/bench.sh memory FOLDER [--sizes 1000 10000 100000] [--quick] [--model MODEL] [--json FILE]

The images are hard links to 64 x 64 JPEGs made of FOLDER's photographs. Each run is a process of its own, and its peak
resident set is what the system says when it ends (`ru_maxrss`). This process imports nothing but the standard library:
a child's peak counts from its parent's size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".cache" / "benchmarks"
SOURCES, SIDE, A_FOLDER = 100, 64, 1000  # a file has 65,000 hard links at most, and a folder is kept small
# The cache of embeddings would know the links for one photograph: it is switched off where there is one.
VERB = """
import inspect, sys
from imagesasdata import classify_images
options = {"cache": False} if "cache" in inspect.signature(classify_images).parameters else {}
table = classify_images(sys.argv[1], model=sys.argv[2], device="cpu", progress=False, **options)
assert len(table) == int(sys.argv[3]) and table["error"].isna().all()
"""
Peak = dict[str, float]


def make_links(folder: Path, size: int) -> Path:
    """Return a folder with `size` hard links to small photographs; the links of an earlier run are kept."""
    command = [sys.executable, str(HERE / "photographs.py"), str(folder), str(SIDE), str(SIDE), str(SOURCES)]
    sources = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    target = CACHE / "links" / f"{Path(sources[0]).parent.name}-{size}"
    for number in range(size):
        link = target / f"{number // A_FOLDER:04d}" / f"{number:07d}.jpg"
        if number % A_FOLDER == 0:
            link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            os.link(sources[number % SOURCES], link)
    return target


def peak_of(command: list[str]) -> Peak:
    """Run a command to its end and return its peak memory in megabytes, and its seconds."""
    start = time.perf_counter()
    log = CACHE / "logs" / "memory.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with status {process.returncode}:\n{log.read_text()[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kilobytes elsewhere
    return {"megabytes": usage.ru_maxrss * unit / 1e6, "seconds": time.perf_counter() - start}


def ways(images: Path, model: str, size: int) -> dict[str, list[str]]:
    """Return the commands that are measured."""
    iad = [str(Path(sys.executable).parent / "iad")]
    known = subprocess.run([*iad, "classify", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    out = CACHE / "memory.parquet"
    out.unlink(missing_ok=True)
    wanted = ("--no-progress", "--no-cache", "--overwrite")  # nothing of an earlier run is taken up
    command = [*iad, "classify", str(images), "--out", str(out), "--model", model, "--device", "cpu"]
    return {
        "classify_images": [sys.executable, "-c", VERB, str(images), model, str(size)],
        "iad classify": [*command, *(option for option in wanted if option in known)],
    }


def print_table(found: dict[str, dict[int, Peak]], sizes: list[int]) -> None:
    """Print peak memory and time a size, and the growth from the smallest size."""
    print(f"\n{'peak memory':18}{'images':>9}{'MB':>8}{'growth':>9}{'images/s':>10}")
    for way, peaks in found.items():
        least = peaks[sizes[0]]["megabytes"]
        for size in sizes:
            megabytes, seconds = peaks[size]["megabytes"], peaks[size]["seconds"]
            print(f"{way:18}{size:9,}{megabytes:8.0f}{megabytes / least - 1:+9.1%}{size / seconds:10.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/bench.sh memory", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder of photographs")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000], help="numbers of images")
    parser.add_argument("--quick", action="store_true", help="200 and 2,000 images, to try it out")
    parser.add_argument("--model", default="efficientnet_lite0", help="name or file (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    options = parser.parse_args()
    sizes = [200, 2000] if options.quick else sorted(options.sizes)
    found: dict[str, dict[int, Peak]] = {}
    for position, size in enumerate(sizes):
        images = make_links(options.folder, size)
        for way, command in ways(images, options.model, size).items():
            found.setdefault(way, {})[size] = peak_of(command)
        done = [peaks[size]["seconds"] for peaks in found.values()]
        left = sum(sizes[position + 1 :]) / size * sum(done)
        if left:
            print(f"{size:,} images: {sum(done):.0f} s. The rest takes about {left / 60:.0f} minutes.", flush=True)
    print_table(found, sizes)
    if options.json:
        options.json.write_text(json.dumps({"model": options.model, "peaks": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
