"""Embeddings of photographs that were seen before, kept in the user's cache folder.

An embedding is found by the content of the file (its sha256), not by its name, in a folder for the backbone and its
preprocessing. Each process writes files of its own, whole or not at all, and reads everybody's; nothing is ever changed
in place, so any number of processes can share the cache. Each row has a checksum, and one that does not fit is as good
as missing: a damaged disk never becomes a label.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import threading
import time
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from .decode import MAX_PIXELS, Preprocessing
from .errors import ArgumentInvalid
from .registry import cache_folder
from .runtime import Values
from .verb import Result, Verb

FORMAT = 1  # of the files, and of what decoding makes of a photograph: a new number forgets the old embeddings
FLUSH_ROWS = 2048
MOST_FILES = 32
GIGABYTES = 5.0


def embeddings_folder() -> Path:
    """Return the folder of all cached embeddings."""
    return cache_folder() / "embeddings"


def size_limit() -> float:
    """Return the largest size of the cache in gigabytes, from ``$IMAGESASDATA_CACHE_GB``."""
    text = os.environ.get("IMAGESASDATA_CACHE_GB") or str(GIGABYTES)
    try:
        return float(text)
    except ValueError:
        raise ArgumentInvalid(f'IMAGESASDATA_CACHE_GB is "{text}"; it must be a number of gigabytes.') from None


def content_key(content: bytes, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return the key of a file's content, 32 bytes.

    Under another limit of pixels the same file may be an error, so it has another key.
    """
    digest = hashlib.sha256(content).digest()
    return digest if max_pixels == MAX_PIXELS else hashlib.sha256(digest + str(max_pixels).encode()).digest()


class EmbeddingCache:
    """The cached embeddings of one backbone with one preprocessing on one kind of device.

    Safe to use from several threads. Call `close` at the end, which writes what is new.
    """

    def __init__(self, backbone_sha256: str, preprocessing: Preprocessing, device: str, width: int) -> None:
        steps = json.dumps(dataclasses.asdict(preprocessing), sort_keys=True)
        space = hashlib.sha256(f"{FORMAT} {backbone_sha256} {steps} {device} {width}".encode()).hexdigest()
        self._folder = embeddings_folder() / space[:32]
        self._width = width
        self._gigabytes = size_limit()
        self._lock = threading.Lock()
        self._new: dict[bytes, Values] = {}
        self._segments = [s for path in sorted(self._folder.glob("*.arrow")) if (s := _Segment.open(path, width))]
        keys = [segment.words for segment in self._segments]
        words = np.concatenate(keys) if keys else np.empty(0, np.uint64)
        self._order = np.argsort(words, kind="stable")
        self._words = words[self._order]
        self._starts = np.cumsum([0, *map(len, keys)])

    def get(self, key: bytes) -> Values | None:
        """Return the embedding of a key, None where it is not known."""
        word = np.uint64(int.from_bytes(key[:8], "little"))
        place = int(np.searchsorted(self._words, word))
        if place < len(self._words) and self._words[place] == word:
            index = int(self._order[place])
            number = int(np.searchsorted(self._starts, index, side="right")) - 1
            row = self._segments[number].row(index - int(self._starts[number]), key)
            if row is not None:
                return row
        with self._lock:
            return self._new.get(key)

    def put(self, keys: Sequence[bytes], rows: Values) -> None:
        """Remember embeddings; they are written now and then, and at the end."""
        with self._lock:
            self._new.update(zip(keys, rows, strict=True))
            full = self._new if len(self._new) >= FLUSH_ROWS else None
            if full is not None:
                self._new = {}
        if full is not None:
            self._write(full)

    def close(self) -> None:
        """Write what is new and keep the whole cache within its size."""
        with self._lock:
            new, self._new = self._new, {}
        if new:
            self._write(new)
            self._merge_small()
            trim(self._gigabytes)

    def _write(self, rows: dict[bytes, Values]) -> None:
        values = np.ascontiguousarray(np.stack(list(rows.values())), np.float32)
        # A cache that cannot be written is no reason to stop: the run only learns nothing for the next one.
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_segment(self._folder, b"".join(rows), values)

    def _merge_small(self) -> None:
        """Make one file of many small ones, so that opening the cache stays quick."""
        paths = sorted(self._folder.glob("*.arrow"))
        if len(paths) <= MOST_FILES:
            return
        segments = [segment for path in paths if (segment := _Segment.open(path, self._width))]
        small = [s for s in segments if len(s.words) < 20 * FLUSH_ROWS]
        rows = {key: row for s in small for i, key in enumerate(s.keys()) if (row := s.row(i, key)) is not None}
        if rows:
            self._write({key: np.array(row) for key, row in rows.items()})
        for segment in small:
            with contextlib.suppress(OSError):  # Windows keeps a file that somebody reads; the next run tries again
                segment.path.unlink()


class _Segment:
    """One file of the cache, mapped into memory: keys, checksums and embeddings."""

    def __init__(
        self, path: Path, key_bytes: npt.NDArray[np.uint8], sums: npt.NDArray[np.uint32], rows: Values
    ) -> None:
        self.path, self._keys, self._sums, self._rows = path, key_bytes, sums, rows
        self.words = np.ascontiguousarray(key_bytes[:, :8]).view("<u8").reshape(-1).astype(np.uint64)
        self._touched = False

    @classmethod
    def open(cls, path: Path, width: int) -> _Segment | None:
        """Open a file, or return None where it is damaged or gone."""
        try:
            batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
            n = batch.num_rows
            keys = np.frombuffer(batch.column("key").buffers()[1], np.uint8, n * 32).reshape(n, 32)
            sums = batch.column("crc32").to_numpy()
            rows = np.frombuffer(batch.column("embedding").flatten().buffers()[1], np.float32, n * width)
            return cls(path, keys, sums, rows.reshape(n, width))
        except (OSError, ValueError, KeyError, pa.ArrowException):
            return None

    def keys(self) -> list[bytes]:
        """Return all keys."""
        return [key.tobytes() for key in self._keys]

    def row(self, index: int, key: bytes) -> Values | None:
        """Return a row if it has this key and is as it was written."""
        row: Values = self._rows[index]
        if self._keys[index].tobytes() != key or zlib.crc32(row.data) != self._sums[index]:
            return None
        if not self._touched:  # the time of last use decides what is thrown away first
            self._touched = True
            with contextlib.suppress(OSError):
                os.utime(self.path)
        return row


def _write_segment(folder: Path, keys: bytes, rows: Values) -> None:
    sums = np.array([zlib.crc32(row.data) for row in rows], np.uint32)
    n, width = rows.shape
    batch = pa.record_batch(
        {
            "key": pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), n, [None, pa.py_buffer(keys)]),
            "crc32": pa.array(sums),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), width),
        }
    )
    path = folder / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.arrow"
    partial = path.with_suffix(".partial")
    try:
        with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def trim(gigabytes: float) -> None:
    """Delete the files that were used least recently until the cache is within `gigabytes`."""
    files = []
    for path in embeddings_folder().glob("*/*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= gigabytes * 1e9:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size


@Verb
def cache_info() -> Result:
    """Say what is in the cache of embeddings.

    Embeddings of the photographs that were classified or embedded are kept in the user's cache folder, by the content
    of the file, so that the next run over the same photographs decodes nothing. The photographs themselves are not
    kept. ``$IMAGESASDATA_CACHE_GB`` limits the size (5 gigabytes if it is not set); what was used least recently goes
    first. ``$IMAGESASDATA_CACHE`` moves the folder.

    Returns
    -------
    pandas.DataFrame
        One row: ``folder``, ``files``, ``images`` (embeddings) and ``megabytes``.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> iad.cache_info().columns.tolist()
    ['folder', 'files', 'images', 'megabytes']
    """
    files, images, size = 0, 0, 0
    for path in embeddings_folder().glob("*/*.arrow"):
        with contextlib.suppress(OSError, pa.ArrowException):
            size += path.stat().st_size
            files += 1
            images += pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0).num_rows
    table = pa.table(
        {
            "folder": pa.array([str(embeddings_folder())]),
            "files": pa.array([files], pa.int32()),
            "images": pa.array([images], pa.int32()),
            "megabytes": pa.array([size / 1e6]),
        }
    )
    return Result(table)


def clear_cache() -> None:
    """Delete all cached embeddings. Models that were added stay."""
    shutil.rmtree(embeddings_folder(), ignore_errors=True)
