"""Measure photographs a second: this package, the limit of the machine, and peers on the same weights.

    tools/bench.sh throughput FOLDER [--images N] [--large-images N] [--repeats 5] [--json FILE]

FOLDER has any photographs. Two cases are made of them, 640 x 560 and 12 megapixels. Each contestant is a process of its
own (`contestants/`), set up and warmed up before the clock starts. In each round all take their turn, one at a time, so
that a machine that grows slower or faster hits all alike; the table has medians over the rounds. A contestant that is
quick goes through the photographs several times in its turn, so that no turn is shorter than `--seconds`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from imagesasdata.devices import cpu_count
from imagesasdata.registry import DEFAULT_MODEL, model_path
from peers import PACKAGES, set_up_environment, write_reference
from photographs import CACHE, make_photographs

CONTESTANTS = Path(__file__).resolve().parent / "contestants"
OURS = "imagesasdata, model open"
LIMIT = "limit: cores / (decode + network)"
WITHIN = 1e-3  # logits of the same input, by ONNX Runtime and by a peer
OWN, PEERS = ("limit", "ours"), ("hugging_face", "timm_dataloader", "tuned_pytorch", "openvino_streams")
RATIOS = (
    LIMIT,
    "Hugging Face pipeline, as documented",
    "Hugging Face pipeline, best settings",
    "timm, DataLoader, torch's own threads",
    "timm, DataLoader, best settings",
    "tuned PyTorch, ready tensors",
    "OpenVINO",
)
Rates = dict[str, list[float]]


class Contestant:
    """A process that is asked, a round at a time, how many photographs a second it does."""

    def __init__(self, name: str, python: Path, job: Path) -> None:
        self.name = name
        self.log = CACHE / "logs" / f"{name}.txt"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        caches = {
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(CACHE / "hugging_face"),
            "TORCHINDUCTOR_CACHE_DIR": str(CACHE / "inductor"),
        }
        command = [str(python), str(CONTESTANTS / f"{name}.py"), str(job)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | caches
            )
        try:
            self.ready = self._answer()
            if self.ready["difference"] > WITHIN:
                raise RuntimeError(f"its logits differ by {self.ready['difference']:.2g}: the weights are not the same")
            # The first turn is a warm-up, and says how often a turn must go through the photographs.
            self.warm_up = {way: self.ask(way, 1) for way in self.ready["ways"]}
        except BaseException:
            self.process.kill()
            raise

    def ask(self, way: str, times: int) -> dict[str, float]:
        """Let it go `times` through the photographs and return photographs a second by row of the table."""
        assert self.process.stdin is not None
        print(json.dumps({"way": way, "times": times}), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"it ended early; see {self.log}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout=60)


def measure(photographs: list[Path], python: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run all contestants over the photographs and return photographs a second by row, a number a round."""
    model = model_path(options.model)
    job = CACHE / "job.json"
    names = [str(path) for path in photographs]
    reference = write_reference(model, photographs[:4])
    job.write_text(json.dumps({"photographs": names, "model": str(model), "reference": str(reference)}))
    contestants: list[Contestant] = []
    left_out: dict[str, str] = {}
    for name in (*OWN, *(peer for peer in PEERS if peer in options.peers)):
        note(f"setting up {name}")
        try:
            contestants.append(Contestant(name, Path(sys.executable) if name in OWN else python, job))
        except RuntimeError as problem:
            if name in OWN:
                raise
            left_out[name] = str(problem)
    rates: Rates = {}
    try:
        for number in range(options.repeats):
            for contestant in contestants:
                for way in contestant.ready["ways"]:
                    note(f"round {number + 1} of {options.repeats}: {way}")
                    fastest = max(contestant.warm_up[way].values())
                    times = math.ceil(options.seconds * fastest / len(photographs))
                    for row, rate in contestant.ask(way, times).items():
                        rates.setdefault(row, []).append(rate)
    finally:
        for contestant in contestants:
            contestant.stop()
    note("")
    ours = next(c.ready["labels"] for c in contestants if c.name == "ours")
    rows = {way: c for c in contestants for way in c.ready["ways"] if c.name not in OWN}
    return {
        "rates": rates,
        "settings": {row: text for c in contestants for row, text in c.ready["settings"].items()},
        "agreement": {row: share_equal(c.ready["labels"], ours) for row, c in rows.items()},
        "difference": {row: c.ready["difference"] for row, c in rows.items()},
        "left_out": left_out,
    }


def share_equal(labels: list[int], others: list[int]) -> float:
    return statistics.fmean(a == b for a, b in zip(labels, others, strict=True))


def ratio(rates: Rates, row: str) -> float:
    """Return how many times a row's speed ours is: the median over the rounds of each round's ratio."""
    return statistics.median(ours / other for ours, other in zip(rates[OURS], rates[row], strict=True))


def print_table(title: str, found: dict[str, Any]) -> None:
    """Print a case: median, least and most a row, ours as a multiple of it, and how far its labels are ours."""
    rates: Rates = found["rates"]
    wide = max(map(len, rates))
    print(f"\n{title}\n\n{'':{wide}}  images/s  least - most   ours is   same label  logits within  settings")
    for row, values in rates.items():
        spread = f"{min(values):.1f} - {max(values):.1f}"
        same = f"{found['agreement'][row]:.1%}" if row in found["agreement"] else ""
        within = f"{found['difference'][row]:.0e}" if row in found["difference"] else ""
        middle = f"{statistics.median(values):8.1f}  {spread:13}  {ratio(rates, row):6.2f} x  {same:>11}  {within:>13}"
        print(f"{row:{wide}}  {middle}  {found['settings'].get(row, '')}".rstrip())
    for name, reason in found["left_out"].items():
        print(f"{name} was left out: {reason}")


def note(text: str) -> None:
    """Show where the run is, on a terminal, in one line that the next overwrites."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def machine() -> str:
    """Return processor and number of cores."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {cpu_count()} cores"


def versions() -> str:
    own = ("imagesasdata", next(r for r in ("onnxruntime-gpu", "onnxruntime") if installed(r)), "pillow", "numpy")
    peers = [package.replace("==", " ") for package in PACKAGES if not package.startswith(("pillow", "numpy"))]
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in own), *peers])


def installed(package: str) -> bool:
    try:
        return bool(version(package))
    except ModuleNotFoundError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/bench.sh throughput", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder of photographs")
    parser.add_argument("--images", type=int, default=400, help="photographs of 640 x 560 (default: %(default)s)")
    parser.add_argument("--large-images", type=int, default=60, help="photographs of 12 MP (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="least length of a turn (default: %(default)s)")
    parser.add_argument("--model", default=DEFAULT_MODEL, choices=[DEFAULT_MODEL], help="the model that peers have too")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS, help="the peers to run (default: all)")
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    options = parser.parse_args()

    python = set_up_environment() if options.peers else Path(sys.executable)
    cases = {"640 x 560": ((640, 560), options.images), "12 megapixels": ((4000, 3000), options.large_images)}
    found = {}
    print(f"{machine()}\n{versions()}")
    for case, (size, count) in cases.items():
        if not count:
            continue
        note(f"making {count} photographs of {size[0]} x {size[1]}")
        photographs = make_photographs(options.folder, size, count)
        bytes_each = statistics.fmean(path.stat().st_size for path in photographs)
        found[case] = {**measure(photographs, python, options), "images": count, "bytes_each": bytes_each}
        print_table(
            f"{case}: {count} photographs of {bytes_each / 1000:,.0f} kB; median of {options.repeats} rounds",
            found[case],
        )
    print("\nOurs as a multiple of")
    for row in RATIOS:
        values = [f"{ratio(case['rates'], row):6.2f} ({name})" for name, case in found.items() if row in case["rates"]]
        print(f"  {row:34} {'  '.join(values) or 'not measured'}")
    if options.json:
        written = {"machine": machine(), "versions": versions(), "repeats": options.repeats, "cases": found}
        options.json.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
