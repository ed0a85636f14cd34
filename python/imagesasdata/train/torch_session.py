"""Where PyTorch works, and that it does the same each time."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch

from ..devices import cpu_count
from ..errors import DeviceUnavailable


def torch_device(device: str) -> torch.device:
    """Return where PyTorch is to work.

    Raises
    ------
    DeviceUnavailable
        A GPU that was asked for by name cannot be had.
    """
    kind, _, number = device.partition(":")
    if kind == "cpu" or (kind == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise DeviceUnavailable(
            f'device="{device}" cannot be had: the installed PyTorch sees no GPU. Use device="cpu" or "auto" to go on '
            "without, or install a build of PyTorch for CUDA: https://pytorch.org/get-started."
        )
    return torch.device("cuda", int(number or 0))


@contextlib.contextmanager
def repeatable(seed: int, device: torch.device) -> Iterator[None]:
    """Have PyTorch do the same each time, on all processors; afterwards it is as it was."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*deterministic.*")  # it does what can be done
        try:
            torch.set_num_threads(cpu_count())
            torch.use_deterministic_algorithms(True, warn_only=True)
            memory.fill_uninitialized_memory = False  # no operator here reads it, and it takes time
            torch.manual_seed(seed)
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=warned)
            memory.fill_uninitialized_memory = filled
            torch.set_num_threads(threads)
