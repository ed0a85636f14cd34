"""A node of an ONNX graph, as the operators in PyTorch see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy.typing as npt

from ..errors import ModelInvalid

Call = Callable[..., Any]


@dataclass(frozen=True)
class Node:
    """A node of a graph.

    Attributes
    ----------
    operator, name : str
        What it does, and what it is called.
    attributes : dict
        As `onnx.helper.get_attribute_value` gives them.
    constants : list of numpy.ndarray or None
        Its inputs, where they are constants.
    opset : int
        The version of the operators.
    in_place : bool
        Whether nobody else needs its input.
    """

    operator: str
    name: str
    attributes: dict[str, Any]
    constants: Sequence[npt.NDArray[Any] | None]
    opset: int
    in_place: bool = False

    def text(self, name: str, default: str) -> str:
        """Return an attribute that is text."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)

    def constant(self, position: int) -> npt.NDArray[Any] | None:
        """Return an input that is a constant."""
        return self.constants[position] if position < len(self.constants) else None

    def ints(self, name: str, position: int) -> list[int] | None:
        """Return what is an attribute in older versions of an operator and an input in newer ones."""
        if name in self.attributes:
            return list(self.attributes[name])
        value = self.constant(position)
        if value is None and position < len(self.constants):
            self.refuse(f"its {name} are computed")
        return None if value is None else [int(v) for v in value.reshape(-1)]

    def number(self, name: str, position: int) -> float | None:
        """Return one number that is an attribute or an input."""
        if name in self.attributes:
            return float(self.attributes[name])
        value = self.constant(position)
        if value is None and position < len(self.constants):
            self.refuse(f"its {name} is computed")
        return None if value is None or value.size == 0 else float(value.reshape(-1)[0])

    def refuse(self, why: str) -> NoReturn:
        """Raise `ModelInvalid`."""
        raise ModelInvalid(
            f'The operator {self.operator} ("{self.name}") of the network cannot be trained: {why}. '
            'With method="head" the network stays as it is, and any operator will do.'
        )
