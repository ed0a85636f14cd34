"""A run that survives: results written part by part, so that a crash costs one part and many workers can share it.

A run is a folder::

    manifest.json        what the run is: verb, model, options, number of images and of parts; written once
    images.parquet       the images, in order
    part-00042-<hash>.arrow   the rows of one part; the hash is of the file's own bytes
    part-00042.done      the part's marker: which file holds it, how many rows, how many failed
    part-00042.claim     a worker began the part: a hint for others to begin another one

Every file is written under another name and then renamed, so that it is there whole or not at all. A part counts only
through its marker, and any worker may make any part: if two make the same one, the later marker holds and the other
file is left unread. The run is complete when every part has its marker. Nobody needs to coordinate, nor a lock: a claim
only spreads the work, and when all parts are claimed, whoever is free makes those that have no marker yet, since a
worker that claimed one may have died.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from .errors import RunDamaged, RunDiffers, RunUnwritable, disk_problem, quoted
from .images import ImageList

FORMAT = 1
PART_ROWS = 1000
_OWN = re.compile(r"manifest\.json|images\.parquet|part-\d+(-[0-9a-f]+\.arrow|\.done|\.claim)|\..*\.partial")


@dataclass(frozen=True)
class Part:
    """One part of a run: rows `start` to `stop` of the images."""

    number: int
    start: int
    stop: int


class Run:
    """A run's folder, opened for these images and options, or begun.

    Parameters
    ----------
    folder : path
        The run's folder.
    images : ImageList
        The images, in order.
    settings : dict
        What decides the result: verb, model, its sha256, options. The same settings and images resume the run.
    overwrite : bool
        Throw away a run that is there.

    Raises
    ------
    RunDiffers
        The folder holds a run with other settings or images; the message names the difference.
    """

    def __init__(
        self, folder: str | os.PathLike[str], images: ImageList, settings: dict[str, Any], overwrite: bool = False
    ) -> None:
        self.folder = Path(folder)
        self._manifest_path = self.folder / "manifest.json"
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            own = []
            for path in self.folder.iterdir():
                if not _OWN.fullmatch(path.name):
                    raise RunDiffers(f'"{self.folder}" has other files in it ("{path.name}"); give another `out`.')
                own.append(path)
            if overwrite:
                # Markers first and the manifest last: whenever this ends, no part can be taken for another run's.
                for path in sorted(own, key=lambda path: (path.suffix != ".done", path == self._manifest_path)):
                    path.unlink(missing_ok=True)
            elif not self._manifest_path.exists() and any(path.suffix == ".done" for path in own):
                raise RunDamaged(f'"{self.folder}" has parts and no manifest.json; pass overwrite=True to begin anew.')
            if not self._manifest_path.exists():
                self._begin(images, settings)
        self._manifest = self._read_manifest()
        self._id = hashlib.sha256(self._manifest_path.read_bytes()).hexdigest()[:16]
        self._refuse_difference(images, settings)

    @property
    def parts(self) -> list[Part]:
        """All parts, in order."""
        rows, size = self._manifest["images"], self._manifest["part_rows"]
        return [Part(i, start, min(start + size, rows)) for i, start in enumerate(range(0, rows, size))]

    def missing(self) -> list[Part]:
        """Return the parts without a marker, or whose file is gone. What a file holds is checked when it is read."""
        return [part for part in self.parts if self._marker(part) is None]

    def claimed(self) -> Iterator[Part]:
        """Yield the parts to make, one when it is asked for: first those that nobody began, then all without a marker.

        In the second round workers go in an order of their own, so that few make the same part.
        """
        taken = []
        for part in self.missing():
            if self._claim(part):
                yield part
            else:
                taken.append(part)
        random.shuffle(taken)
        for part in taken:
            if self._marker(part) is None:
                yield part

    def failed(self) -> list[Part]:
        """Return the parts in which an image failed."""
        return [part for part in self.parts if (self._marker(part) or {}).get("failed")]

    def write(self, part: Part, table: pa.Table) -> None:
        """Write a part and then its marker."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        content = sink.getvalue().to_pybytes()
        digest = hashlib.sha256(content).hexdigest()
        name = f"part-{part.number:05d}-{digest[:16]}.arrow"
        marker = {
            "run": self._id,
            "file": name,
            "sha256": digest,
            "rows": table.num_rows,
            "failed": table.num_rows - table["error"].null_count,
        }
        old = self._marker(part)
        with _writing(self.folder):
            _write_whole(self.folder / name, content)
            _write_whole(self._marker_path(part), json.dumps(marker).encode())
            self._claim_path(part).unlink(missing_ok=True)
        if old and old["file"] != name:
            (self.folder / old["file"]).unlink(missing_ok=True)

    def read(self, part: Part) -> pa.Table:
        """Read a part, checking it against its marker."""
        marker = self._marker(part)
        if marker is None:
            raise RunDamaged(f'Part {part.number} of "{self.folder}" is not done; the same command again makes it.')
        content = (self.folder / marker["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != marker["sha256"]:
            self._marker_path(part).unlink(missing_ok=True)
            raise RunDamaged(
                f'"{self.folder / marker["file"]}" is not as it was written; its marker was removed, and the same '
                "command again makes the part anew."
            )
        return pa.ipc.open_file(content).read_all()

    def read_all(self) -> Iterator[pa.Table]:
        """Yield the parts that are done, in order, up to the first that is not."""
        for part in self.parts:
            if self._marker(part) is None:
                return
            yield self.read(part)

    def _begin(self, images: ImageList, settings: dict[str, Any]) -> None:
        listed = pa.table(
            {
                "image": pa.array(images.names, pa.string()),
                "path": pa.array((None if p is None else _path_bytes(p) for p in images.paths), pa.binary()),
            }
        )
        partial = _partial(self.folder / "images.parquet")
        pa.parquet.write_table(listed, partial)
        partial.replace(self.folder / "images.parquet")
        manifest = {
            "format": FORMAT,
            "settings": settings,
            "images": len(images),
            "images_sha256": _fingerprint(images),
            "part_rows": PART_ROWS,
        }
        # Several workers may begin at once: the first to link its manifest wins, the others read it.
        partial = _partial(self._manifest_path)
        partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        try:
            _rename_new(partial, self._manifest_path)
        finally:
            partial.unlink(missing_ok=True)

    def _read_manifest(self) -> dict[str, Any]:
        try:
            manifest: dict[str, Any] = json.loads(self._manifest_path.read_text(encoding="utf-8"))
            if manifest["format"] > FORMAT:
                raise RunDiffers(f'"{self.folder}" was begun by a newer version of imagesasdata; update it.')
        except (ValueError, KeyError) as problem:
            raise RunDamaged(f'"{self._manifest_path}" cannot be read ({problem}); pass overwrite=True.') from problem
        return manifest

    def _refuse_difference(self, images: ImageList, settings: dict[str, Any]) -> None:
        was = self._manifest["settings"]
        keys = [*was, *(key for key in settings if key not in was)]
        changed = [
            f"{key} was {json.dumps(was.get(key))}, is {json.dumps(settings.get(key))}"
            for key in keys
            if json.dumps(was.get(key)) != json.dumps(settings.get(key))
        ]
        if self._manifest["images_sha256"] != _fingerprint(images):
            changed.append(self._changed_images(images))
        if changed:
            raise RunDiffers(
                f'"{self.folder}" holds another run: {"; ".join(changed)}. Give another `out`, or overwrite=True '
                "(--overwrite) to begin anew."
            )

    def _changed_images(self, images: ImageList) -> str:
        old = pa.parquet.read_table(self.folder / "images.parquet")["image"].to_pylist()
        gone = [str(name) for name in old if name not in set(images.names)]
        new = [str(name) for name in images.names if name not in set(old)]
        parts = []
        if new:
            parts.append(f"{len(new):,} image(s) are new ({quoted(new, 3)})")
        if gone:
            parts.append(f"{len(gone):,} image(s) are gone ({quoted(gone, 3)})")
        return " and ".join(parts) or "the images are in another order, or start from another folder"

    def _marker_path(self, part: Part) -> Path:
        return self.folder / f"part-{part.number:05d}.done"

    def _claim_path(self, part: Part) -> Path:
        return self.folder / f"part-{part.number:05d}.claim"

    def _claim(self, part: Part) -> bool:
        """Whether this worker is the first to begin a part."""
        if self._marker(part) is not None:
            return False
        with _writing(self.folder), contextlib.suppress(FileExistsError), self._claim_path(part).open("x") as file:
            file.write(f"{socket.gethostname()} {os.getpid()}\n")
            return True
        return False

    def _marker(self, part: Part) -> dict[str, Any] | None:
        try:
            marker: dict[str, Any] = json.loads(self._marker_path(part).read_text(encoding="utf-8"))
            name = marker["file"]
        except (OSError, ValueError, KeyError):
            return None
        if marker.get("run") != self._id or os.path.basename(name) != name or not (self.folder / name).is_file():
            return None
        return marker


def _fingerprint(images: ImageList) -> str:
    digest = hashlib.sha256()
    for path in images.paths:
        digest.update(b"\x00" if path is None else _path_bytes(path) + b"\x01")
    return digest.hexdigest()


def _path_bytes(path: str) -> bytes:
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half an emoji, as broken JSON has it: no file, and yet a row
        return path.encode("utf-8", "surrogatepass")


def _partial(path: Path) -> Path:
    """Return a name in the same folder that no other worker uses."""
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}.partial")


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    partial = _partial(path)
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _rename_new(partial: Path, path: Path) -> None:
    """Give a file its name unless another worker was faster."""
    try:
        os.link(partial, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            partial.replace(path)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn what can go wrong when writing into a sentence."""
    try:
        yield
    except OSError as problem:
        raise RunUnwritable(
            f'"{folder}" cannot be written: {disk_problem(problem)}. What is done so far is kept; the same '
            "command again resumes."
        ) from problem
