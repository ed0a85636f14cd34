"""Count the tests, list those that were skipped, and fail where one was skipped that this machine can run.

Reads the reports of tools/test-python.sh and tools/test-r.sh; the last line is `N passed, N failed, N skipped`.
"""

import csv
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Test:
    name: str
    outcome: str  # passed, failed, skipped
    reason: str = ""


def has_gpu() -> bool:
    command = shutil.which("nvidia-smi")
    return command is not None and b"GPU" in subprocess.run([command, "-L"], capture_output=True).stdout


def python_tests(reports: Path) -> list[Test]:
    tests = []
    for case in ET.parse(reports / "pytest.xml").iter("testcase"):
        skip = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if failed else "passed" if skip is None else "skipped"
        reason = skip.get("message", "") if skip is not None else ""
        tests.append(Test(f"{case.get('classname')}::{case.get('name')}", outcome, reason))
    # Tests left out by their marker are in no report; they count as skipped.
    markers: dict[str, list[str]] = {}
    for line in (reports / "left-out.txt").read_text().splitlines():
        marker, test = line.split(" ", 1)
        markers.setdefault(test, []).append(marker)
    return tests + [Test(test, "skipped", f"marker {', '.join(names)}") for test, names in markers.items()]


def r_tests(reports: Path) -> list[Test]:
    def read(name: str) -> list[Test]:
        with (reports / name).open(newline="") as lines:
            return [
                Test(f"{row['file']}: {row['test']}", row["outcome"], row["reason"]) for row in csv.DictReader(lines)
            ]

    # What was skipped for want of Python runs in the other run, and each test counts once; but a failure is a failure.
    without = [Test(f"{test.name} (without Python)", test.outcome) for test in read("testthat-without-python.csv")]
    return read("testthat-with-python.csv") + [test for test in without if test.outcome == "failed"]


def allowed(test: Test, gpu: bool, torch: bool) -> bool:
    if re.search(r"\bgpu\b|\bcuda\b", test.reason, re.IGNORECASE):
        return not gpu
    if re.search(r"\b(py)?torch\b", test.reason, re.IGNORECASE):
        return not torch
    if "Node.js is not installed" in test.reason:
        return shutil.which("npm") is None
    return False


def main(reports: Path) -> int:
    tests = []
    for read in (python_tests, r_tests):
        try:
            tests += read(reports)
        except FileNotFoundError as missing:
            tests.append(Test(read.__name__, "failed", f"{missing.filename} was not written"))
    gpu, torch = has_gpu(), find_spec("torch") is not None
    skipped = [test for test in tests if test.outcome == "skipped"]
    wrong = [test for test in skipped if not allowed(test, gpu, torch)]
    failed = [test for test in tests if test.outcome == "failed"]
    for test in skipped:
        print(f"skipped{' THOUGH THIS MACHINE CAN RUN IT' if test in wrong else ''}: {test.name} ({test.reason})")
    for test in failed:
        print(f"failed: {test.name}{f' ({test.reason})' if test.reason else ''}")
    print(f"{sum(test.outcome == 'passed' for test in tests)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
