"""Kill a run 20 times at random moments, go on each time, and compare with a run that nothing disturbed.

tools/bench.sh resume FOLDER [--kills 20] [--images 6000]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

import imagesasdata as iad

WORKER = """
import json, sys, imagesasdata as iad
from imagesasdata import runs
runs.PART_ROWS = 50
given, out = json.load(open(sys.argv[1])), sys.argv[2]
iad.classify_images(given, out=out, progress=False, cache=False, device="cpu")
"""


def main() -> int:
    """Run the benchmark; the exit status is 1 if a row was lost, doubled or changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--longest", type=float, default=3.0, help="seconds after which the latest kill comes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = iad.images.find_images(options.folder).paths
    images = [found[i % len(found)] for i in range(options.images)]
    work = Path(".cache/benchmarks/resume")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "images.json").write_text(json.dumps(images))
    command = [sys.executable, "-c", WORKER, str(work / "images.json"), str(work / "run")]

    rng, kills, lost = random.Random(options.seed), 0, []
    began = time.perf_counter()
    while kills < options.kills:
        before = len(list((work / "run").glob("*.done")))
        process = subprocess.Popen(command)
        # Any moment: while it starts, between two parts, or while it writes.
        moment = time.monotonic() + rng.uniform(0.5, options.longest)
        while process.poll() is None and time.monotonic() < moment:
            time.sleep(0.001)
        if process.poll() is not None:
            print(f"The run was complete after {kills} kills; give more images.")
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        lost.append(len(list((work / "run").glob("*.done"))) - before)
    assert subprocess.run(command, check=False).returncode == 0
    seconds = time.perf_counter() - began
    table = iad.classify_images(images, out=work / "run", progress=False, cache=False, device="cpu")
    undisturbed = iad.classify_images(images, progress=False, cache=False, device="cpu")

    same = table.drop(columns="image").equals(undisturbed.drop(columns="image"))
    order = table["image"].tolist() == images
    close = pd.Series(table["prob"] - undisturbed["prob"]).abs().max()
    print(f"{kills} times kill -9 over {seconds:.0f} s, {sum(lost)} parts of 50 images done by the killed processes")
    print(
        f"rows: {len(table):,} of {len(images):,}; in order: {order}; identical: {same}; largest difference {close:.1e}"
    )
    labels = table["label"].astype(str).equals(undisturbed["label"].astype(str))
    return 0 if order and labels and close <= 1e-6 and kills == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
