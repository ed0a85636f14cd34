"""Read tensors from PyTorch's legacy .pth format with NumPy alone, running none of the code a pickle may ask for.

Before version 1.6 `torch.save` wrote no zip file but a row of pickles (a magic number, the protocol, the sizes of the
machine's types, the object itself, the keys of its storages), then the storages' raw bytes. The object's pickle names
classes to call; here only the three that a state dict needs are answered, and everything else is refused.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


class UnsafePickleError(pickle.UnpicklingError):
    """The file asks for something other than tensors in dictionaries."""


class BadCheckpointError(ValueError):
    """The file is not a complete legacy .pth file."""


@dataclass(frozen=True)
class StorageType:
    """The stand-in for torch's storage classes: it only says how to read the bytes, and cannot be called."""

    name: str
    dtype: str


STORAGE_TYPES = {
    name: StorageType(name, dtype)
    for name, dtype in {
        "DoubleStorage": "<f8",
        "FloatStorage": "<f4",
        "HalfStorage": "<f2",
        "LongStorage": "<i8",
        "IntStorage": "<i4",
        "ShortStorage": "<i2",
        "CharStorage": "<i1",
        "ByteStorage": "<u1",
        "BoolStorage": "?",
    }.items()
}


class Storage(NamedTuple):
    """A run of numbers later in the file."""

    key: str
    type: StorageType
    length: int


class PendingTensor(NamedTuple):
    """The stand-in for a tensor: a view of a storage whose bytes come later in the file."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(
    storage: Storage,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    requires_grad: bool = False,
    hooks: object = None,
) -> PendingTensor:
    if not isinstance(storage, Storage):
        raise UnsafePickleError(f"a tensor is made from {storage!r}, which is not a storage")
    return PendingTensor(storage, offset, tuple(shape), tuple(strides))


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that can build dictionaries of tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Answer the names a state dict needs; refuse every other."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGE_TYPES:
            return STORAGE_TYPES[name]
        raise UnsafePickleError(
            f"the file asks for {module}.{name}, which a file of weights does not need. It was not run. "
            f"Do not open this file with torch.load(weights_only=False) either."
        )

    def persistent_load(self, pid: Any) -> Storage:
        """Turn a reference to a storage into a description of it."""
        match pid:
            case ("storage", StorageType() as kind, str(key), str(), int(length), None) if length >= 0:
                return Storage(key, kind, length)
        raise UnsafePickleError(f"the file refers to {pid!r}, which is not a plain storage")


def read_state_dict(data: bytes) -> dict[str, Array]:
    """Read the tensors of a legacy .pth file.

    Parameters
    ----------
    data
        The whole file.

    Returns
    -------
    dict
        Arrays by the tensors' names, in the file's order, contiguous and writable.

    Raises
    ------
    UnsafePickleError
        If the file asks for any class or function that a state dict does not need.
    BadCheckpointError
        If it is not a legacy .pth file, or a cut one.
    """
    file = io.BytesIO(data)
    try:
        if RestrictedUnpickler(file).load() != MAGIC_NUMBER or RestrictedUnpickler(file).load() != PROTOCOL:
            raise BadCheckpointError("not a legacy .pth file: it does not begin with that format's magic number")
        machine = RestrictedUnpickler(file).load()
        if not machine["little_endian"]:
            raise BadCheckpointError("the file was written on a big-endian machine, which this reader does not handle")
        pending = RestrictedUnpickler(file).load()
        keys = RestrictedUnpickler(file).load()
    except UnsafePickleError:
        raise
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError) as problem:
        raise BadCheckpointError(f"not a legacy .pth file: {problem}") from problem

    if not isinstance(pending, dict) or not all(isinstance(tensor, PendingTensor) for tensor in pending.values()):
        raise UnsafePickleError("the file holds something other than a dictionary of tensors")
    numbers = _read_storages(file, keys, {tensor.storage.key: tensor.storage for tensor in pending.values()})
    return {name: _view(name, tensor, numbers[tensor.storage.key]) for name, tensor in pending.items()}


def _read_storages(file: io.BytesIO, keys: list[str], storages: dict[str, Storage]) -> dict[str, Array]:
    """Read the raw numbers behind the pickles: for each key a length (int64), then that many numbers."""
    if set(keys) != set(storages):
        raise BadCheckpointError("the storages that the tensors need are not those that the file holds")
    numbers: dict[str, Array] = {}
    for key in keys:
        storage = storages[key]
        length = int.from_bytes(file.read(8), "little")
        raw = file.read(length * np.dtype(storage.type.dtype).itemsize)
        if length != storage.length or len(raw) != length * np.dtype(storage.type.dtype).itemsize:
            raise BadCheckpointError(f"storage {key} should hold {storage.length} numbers; the file is cut or damaged")
        numbers[key] = np.frombuffer(raw, dtype=storage.type.dtype)
    return numbers


def _view(name: str, tensor: PendingTensor, numbers: Array) -> Array:
    # Checked here because as_strided would read beyond the array without a word.
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or (0 not in tensor.shape and last >= numbers.size):
        raise BadCheckpointError(f'tensor "{name}" reaches outside its storage of {numbers.size} numbers')
    if 0 in tensor.shape:
        return np.zeros(tensor.shape, numbers.dtype)
    steps = tuple(step * numbers.itemsize for step in tensor.strides)
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps, writeable=False).copy()
