"""Say which build of a PyTorch release pip would install here: `cpu` or `cuda`."""

import json
import subprocess
import sys

from pip._vendor.packaging.requirements import Requirement


def build(requirement: str) -> str:
    # A dry run reads the wheel's metadata only, a few kilobytes.
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed", "--no-deps"]
    report = subprocess.run([*command, "--report", "-", requirement], check=True, capture_output=True, text=True).stdout
    metadata = json.loads(report)["install"][0]["metadata"]
    if "+cpu" in metadata["version"]:
        return "cpu"
    # The index's own build says by its requirements whether it brings gigabytes of CUDA libraries to this platform.
    needed = [Requirement(line) for line in metadata.get("requires_dist", [])]
    here = [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return "cuda" if any(name.startswith(("nvidia-", "cuda-")) for name in here) else "cpu"


if __name__ == "__main__":
    print(build(sys.argv[1]))
