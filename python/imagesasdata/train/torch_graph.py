"""An ONNX graph as a PyTorch module: the same nodes, with the graph's own weights as parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from ..errors import ModelInvalid
from ..graph import free_inputs, upstream
from .cut_point import counts_batch
from .torch_node import Call, Node
from .torch_operators import OPERATORS

OTHER_FLOATS = (TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
# Inputs that are weights also where they are one number; others of one number are part of an activation.
WEIGHTED = frozenset({"Conv", "Gemm", "BatchNormalization", "LayerNormalization", "PRelu"})
STATISTICS = ("BatchNormalization", (3, 4))
# Their results are not needed to learn, so an activation can overwrite them.
OVERWRITABLE = frozenset({"Conv", "BatchNormalization", "Gemm", "Add"})


@dataclass(frozen=True)
class _Step:
    call: Call
    node: Node
    inputs: list[str]
    outputs: list[str]
    done: list[str]  # what no later step needs


class TorchGraph(nn.Module):
    """The part of a graph between two tensors, ready to be trained.

    The statistics of batch normalisations stay as they are, and ``Dropout`` does nothing: the module computes the same
    in training as in prediction.

    Parameters
    ----------
    proto : onnx.ModelProto
        The graph.
    output : str
        The tensor to compute.
    start : str, optional
        The tensor to begin with; the graph's input if not given.
    fixed : collection of str
        Weights that are not to be trained.

    Raises
    ------
    ModelInvalid
        An operator that PyTorch is not taught here, or weights that are no 32-bit numbers.
    """

    def __init__(
        self, proto: onnx.ModelProto, output: str, start: str | None = None, fixed: Collection[str] = ()
    ) -> None:
        super().__init__()
        self.start, self.output = start or free_inputs(proto)[0], output
        plan = _from(proto, self.start)
        needed = upstream(plan, output, stop=self.start)
        nodes = [node for node in plan.graph.node if needed.intersection(node.output)]
        weights = {w.name: w for w in proto.graph.initializer if w.name in needed}
        if around := needed - set(weights) - {name for node in nodes for name in node.output}:
            raise ModelInvalid(f'"{output}" cannot be computed from "{self.start}" alone: it needs {sorted(around)}.')
        self._names: dict[str, str] = {}  # of weights in the graph, and here
        self._constants: dict[str, Tensor] = {}  # whole numbers, which stay on the CPU
        trained = _trained(nodes, weights) - set(fixed)
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name, weight in weights.items():
            arrays[name] = numpy_helper.to_array(weight)
            if weight.data_type in OTHER_FLOATS:
                raise ModelInvalid(
                    f'The weights "{name}" of the network are not in 32 bits, as training needs them. '
                    'method="head" works with this network as it is.'
                )
            self._add(name, arrays[name], name in trained)
        self._steps: list[_Step] = []
        self._compile(nodes, arrays, proto)

    def _add(self, name: str, array: npt.NDArray[Any], trained: bool = False) -> None:
        value = torch.from_numpy(array.copy())
        if not value.is_floating_point():
            self._constants[name] = value
            return
        key = self._names[name] = f"w{len(self._names)}"
        if trained:
            self.register_parameter(key, nn.Parameter(value))
        else:
            self.register_buffer(key, value)

    def _compile(
        self, nodes: list[onnx.NodeProto], arrays: dict[str, npt.NDArray[Any]], proto: onnx.ModelProto
    ) -> None:
        opset = next((o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")), 1)
        uses = Counter(name for node in nodes for name in node.input)
        uses[self.output] += 1
        last = {name: i for i, node in enumerate(nodes) for name in node.input}
        makers: dict[str, str] = {}
        for i, raw in enumerate(nodes):
            operator = raw.op_type if raw.domain in ("", "ai.onnx") else f"{raw.domain}.{raw.op_type}"
            attributes = {a.name: helper.get_attribute_value(a) for a in raw.attribute}
            if operator == "Constant":
                arrays[raw.output[0]] = _constant(attributes)
                self._add(raw.output[0], arrays[raw.output[0]])
                continue
            if operator == "Identity" and raw.input[0] in arrays:
                arrays[raw.output[0]] = arrays[raw.input[0]]
            first = raw.input[0] if raw.input else ""
            in_place = uses[first] == 1 and makers.get(first) in OVERWRITABLE
            constants = [arrays.get(name) if name else np.empty(0) for name in raw.input]
            node = Node(operator, raw.name or raw.output[0], attributes, constants, opset, in_place)
            if operator not in OPERATORS:
                node.refuse("it is not among those that can")
            makers[raw.output[0]] = operator
            done = [name for name in set(raw.input) if last[name] == i and name not in arrays]
            self._steps.append(_Step(OPERATORS[operator](node), node, list(raw.input), list(raw.output), done))

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output, for a batch of what the graph's first tensor is."""
        values: dict[str, Tensor | None] = {"": None, self.start: x, **self._constants}
        values.update((name, getattr(self, key)) for name, key in self._names.items())
        for step in self._steps:
            try:
                answer = step.call(*(values[name] for name in step.inputs))
            except torch.OutOfMemoryError:
                raise
            except (RuntimeError, TypeError, ValueError, IndexError) as problem:
                step.node.refuse(str(problem))
            for name in step.done:
                values.pop(name, None)
            values.update(zip(step.outputs, answer if isinstance(answer, tuple) else (answer,), strict=False))
        found = values[self.output]
        assert found is not None
        return found

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return what is trained, by its name in the graph, as `set_weights` takes it."""
        trained = {name: getattr(self, key) for name, key in self._names.items()}
        return {
            name: value.detach().cpu().numpy().copy()
            for name, value in trained.items()
            if isinstance(value, nn.Parameter)
        }


def _from(proto: onnx.ModelProto, start: str) -> onnx.ModelProto:
    """Return the nodes of a graph; those that count photographs count them at the start."""
    plan = onnx.ModelProto()
    plan.graph.node.extend(proto.graph.node)
    for node in plan.graph.node:
        if counts_batch(node, free_inputs(proto)[0]):
            node.input[0] = start
    return plan


def _trained(nodes: list[onnx.NodeProto], weights: dict[str, onnx.TensorProto]) -> set[str]:
    """Return the names of the weights that can be trained."""
    found, statistics = set(), set()
    for node in nodes:
        for place, name in enumerate(node.input):
            if name not in weights:
                continue
            if node.op_type == STATISTICS[0] and place in STATISTICS[1]:
                statistics.add(name)
            elif numpy_helper.to_array(weights[name]).size > 1 or node.op_type in WEIGHTED:
                found.add(name)
    return found - statistics


def _constant(attributes: dict[str, Any]) -> npt.NDArray[Any]:
    """Return the value of a ``Constant``, in whichever attribute it is."""
    kinds = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
    for name, value in attributes.items():
        if name == "value":
            return np.asarray(numpy_helper.to_array(value))
        if name in kinds:
            return np.asarray(value, kinds[name])
    raise ModelInvalid(f"The network has a constant of a kind that cannot be read here: {sorted(attributes)}.")
