"""The graph in PyTorch computes what ONNX Runtime computes, operator by operator and as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import small_convolutions
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from imagesasdata import load_model
from imagesasdata.errors import ModelInvalid
from imagesasdata.runtime import with_pixel_input
from imagesasdata.train.cut_point import cut_point
from imagesasdata.train.head_graph import set_weights
from imagesasdata.train.views import read_square

pytestmark = pytest.mark.torch
Floats = NDArray[np.float32]


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch")


def draw(*shape: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def graph(
    nodes: Sequence[onnx.NodeProto], weights: dict[str, Any], shape: Sequence[int], opset: int = 17
) -> onnx.ModelProto:
    """A network from "x" to "y"."""
    made = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in weights.items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=imports, ir_version=8)


def by_runtime(proto: onnx.ModelProto, x: NDArray[Any]) -> Floats:
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {session.get_inputs()[0].name: x})
    return np.asarray(values)


def torch_graph(proto: onnx.ModelProto, output: str = "y", **options: Any) -> Any:
    from imagesasdata.train.torch_graph import TorchGraph

    return TorchGraph(proto, output, **options)


def by_torch(module: Any, x: NDArray[Any]) -> Floats:
    import torch

    with torch.inference_mode():
        return np.asarray(module(torch.from_numpy(x)).numpy())


def node(operator: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, ["x", *inputs], ["y"], **attributes)


IMAGE = (2, 4, 9, 10)  # an even and an odd side: padding differs
KERNEL = {"w": draw(6, 4, 3, 3, seed=2), "b": draw(6, seed=3)}
DEPTHWISE = {"w": draw(4, 1, 5, 5, seed=2)}
ONES = np.array([1], np.int64)
# name: (node, weights, shape of the input, version of the operators)
OPERATORS: dict[str, tuple[onnx.NodeProto, dict[str, Any], Sequence[int], int]] = {
    "Conv": (node("Conv", "w", "b", pads=[1, 1, 1, 1]), KERNEL, IMAGE, 17),
    "Conv, without bias": (node("Conv", "w"), {"w": KERNEL["w"]}, IMAGE, 17),
    "Conv, each channel": (node("Conv", "w", group=4, auto_pad="SAME_UPPER"), DEPTHWISE, IMAGE, 17),
    "Conv, more at the end": (node("Conv", "w", "b", strides=[2, 2], auto_pad="SAME_UPPER"), KERNEL, IMAGE, 17),
    "Conv, more at the start": (node("Conv", "w", "b", strides=[2, 2], auto_pad="SAME_LOWER"), KERNEL, IMAGE, 17),
    "Conv, valid": (node("Conv", "w", "b", strides=[2, 1], auto_pad="VALID"), KERNEL, IMAGE, 17),
    "Conv, dilated": (node("Conv", "w", "b", dilations=[2, 3], pads=[2, 3, 2, 3]), KERNEL, IMAGE, 17),
    "Conv, uneven": (node("Conv", "w", "b", pads=[0, 2, 1, 0], strides=[2, 2]), KERNEL, IMAGE, 17),
    "Conv, in a line": (node("Conv", "w", pads=[1, 1]), {"w": draw(3, 4, 3)}, (2, 4, 9), 17),
    "MaxPool": (node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), {}, IMAGE, 17),
    "MaxPool, ceiling": (node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), {}, IMAGE, 17),
    "MaxPool, uneven": (node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]), {}, IMAGE, 17),
    "MaxPool, same": (node("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER"), {}, IMAGE, 17),
    "AveragePool": (node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), {}, IMAGE, 17),
    "AveragePool, counted": (
        node("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
        {},
        IMAGE,
        17,
    ),
    "AveragePool, uneven": (node("AveragePool", kernel_shape=[3, 3], pads=[0, 0, 1, 1]), {}, IMAGE, 17),
    "AveragePool, uneven, counted": (
        node("AveragePool", kernel_shape=[3, 3], pads=[0, 0, 1, 1], count_include_pad=1),
        {},
        IMAGE,
        17,
    ),
    "AveragePool, same": (node("AveragePool", kernel_shape=[2, 2], auto_pad="SAME_UPPER"), {}, IMAGE, 17),
    "AveragePool, ceiling": (node("AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), {}, IMAGE, 19),
    "GlobalAveragePool": (node("GlobalAveragePool"), {}, IMAGE, 17),
    "GlobalMaxPool": (node("GlobalMaxPool"), {}, IMAGE, 17),
    "BatchNormalization": (
        node("BatchNormalization", "s", "t", "m", "v", epsilon=1e-3),
        {"s": draw(4), "t": draw(4, seed=2), "m": draw(4, seed=3), "v": draw(4, seed=4) ** 2},
        IMAGE,
        17,
    ),
    "LayerNormalization": (
        node("LayerNormalization", "s", "t", axis=-1, epsilon=1e-6),
        {"s": draw(10), "t": draw(10, seed=2)},
        IMAGE,
        17,
    ),
    "LayerNormalization, three sides": (
        node("LayerNormalization", "s", axis=1),
        {"s": draw(4, 9, 10)},
        IMAGE,
        17,
    ),
    "Relu": (node("Relu"), {}, IMAGE, 17),
    "Clip": (node("Clip", "low", "high"), {"low": np.float32(0), "high": np.float32(6)}, IMAGE, 17),
    "Clip, below": (node("Clip", "low"), {"low": np.float32(-0.3)}, IMAGE, 17),
    "Clip, above": (node("Clip", "", "high"), {"high": np.float32(0.3)}, IMAGE, 17),
    "Clip, attributes": (node("Clip", min=-0.5, max=0.7), {}, IMAGE, 10),
    "LeakyRelu": (node("LeakyRelu", alpha=0.2), {}, IMAGE, 17),
    "PRelu": (node("PRelu", "w"), {"w": draw(4, 1, 1)}, IMAGE, 17),
    "Elu": (node("Elu", alpha=0.7), {}, IMAGE, 17),
    "Sigmoid": (node("Sigmoid"), {}, IMAGE, 17),
    "HardSigmoid": (node("HardSigmoid", alpha=0.3, beta=0.4), {}, IMAGE, 17),
    "HardSwish": (node("HardSwish"), {}, IMAGE, 17),
    "Tanh": (node("Tanh"), {}, IMAGE, 17),
    "Softplus": (node("Softplus"), {}, IMAGE, 17),
    "Erf": (node("Erf"), {}, IMAGE, 17),
    "Gelu": (node("Gelu"), {}, IMAGE, 20),
    "Gelu, tanh": (node("Gelu", approximate="tanh"), {}, IMAGE, 20),
    "Gelu, Microsoft's": (node("Gelu", domain="com.microsoft"), {}, IMAGE, 17),
    "Softmax": (node("Softmax", axis=1), {}, IMAGE, 17),
    "Softmax, old": (node("Softmax", axis=2), {}, IMAGE, 11),
    "Add": (node("Add", "w"), {"w": draw(4, 1, 1)}, IMAGE, 17),
    "Sub": (node("Sub", "w"), {"w": draw(4, 1, 1)}, IMAGE, 17),
    "Mul": (node("Mul", "w"), {"w": draw(4, 1, 1)}, IMAGE, 17),
    "Div": (node("Div", "w"), {"w": 1 + draw(4, 1, 1) ** 2}, IMAGE, 17),
    "Pow": (node("Pow", "w"), {"w": np.float32(2)}, IMAGE, 17),
    "Max": (node("Max", "w"), {"w": draw(4, 1, 1)}, IMAGE, 17),
    "Min": (node("Min", "w"), {"w": draw(4, 1, 1)}, IMAGE, 17),
    "Abs": (node("Abs"), {}, IMAGE, 17),
    "Exp": (node("Exp"), {}, IMAGE, 17),
    "Neg": (node("Neg"), {}, IMAGE, 17),
    "MatMul": (node("MatMul", "w"), {"w": draw(10, 3)}, IMAGE, 17),
    "Gemm": (node("Gemm", "w", "b", transB=1), {"w": draw(3, 10), "b": draw(3)}, (2, 10), 17),
    "Gemm, scaled": (
        node("Gemm", "w", "b", alpha=0.5, beta=2.0, transA=1),
        {"w": draw(2, 3), "b": draw(3)},
        (2, 10),
        17,
    ),
    "Gemm, without bias": (node("Gemm", "w"), {"w": draw(10, 3)}, (2, 10), 17),
    "ReduceMean": (node("ReduceMean", axes=[2, 3], keepdims=0), {}, IMAGE, 17),
    "ReduceMean, new": (node("ReduceMean", "a"), {"a": np.array([-1, 2])}, IMAGE, 18),
    "ReduceMean, all": (node("ReduceMean", keepdims=0), {}, IMAGE, 17),
    "ReduceSum": (node("ReduceSum", "a", keepdims=0), {"a": np.array([1])}, IMAGE, 17),
    "ReduceMax": (node("ReduceMax", axes=[2, 3]), {}, IMAGE, 17),
    "Flatten": (node("Flatten", axis=-2), {}, IMAGE, 17),
    "Flatten, all": (node("Flatten", axis=0), {}, IMAGE, 17),
    "Reshape": (node("Reshape", "s"), {"s": np.array([0, 2, -1, 10])}, IMAGE, 17),
    "Squeeze": (node("Squeeze", "a"), {"a": np.array([2, -1])}, (2, 4, 1, 1), 17),
    "Squeeze, old": (node("Squeeze", axes=[2, 3]), {}, (2, 4, 1, 1), 11),
    "Squeeze, all": (node("Squeeze"), {}, (2, 4, 1, 1), 17),
    "Unsqueeze": (node("Unsqueeze", "a"), {"a": np.array([-1, 1])}, (2, 4), 17),
    "Transpose": (node("Transpose", perm=[0, 2, 3, 1]), {}, IMAGE, 17),
    "Transpose, reversed": (node("Transpose"), {}, IMAGE, 17),
    "Concat": (node("Concat", "w", axis=1), {"w": draw(2, 3, 9, 10)}, IMAGE, 17),
    "Slice": (
        node("Slice", "s", "e", "a", "t"),
        {"s": np.array([1, -8]), "e": np.array([9, 1000]), "a": np.array([2, 3]), "t": np.array([2, 1])},
        IMAGE,
        17,
    ),
    "Pad": (node("Pad", "p", "v"), {"p": np.array([0, 1, 2, 0, 0, 0, 1, 3]), "v": np.float32(0.5)}, IMAGE, 17),
    "Pad, reflected": (node("Pad", "p", mode="reflect"), {"p": np.array([0, 0, 2, 1, 0, 0, 1, 3])}, IMAGE, 17),
    "Pad, edge": (node("Pad", "p", mode="edge"), {"p": np.array([0, 0, 2, 1, 0, 0, 1, 3])}, IMAGE, 17),
    "Pad, some sides": (node("Pad", "p", "", "a"), {"p": np.array([1, 2]), "a": np.array([-1])}, IMAGE, 18),
    "Expand": (node("Expand", "s"), {"s": np.array([2, 3, 1, 5])}, (3, 4, 1), 17),
    "Gather": (node("Gather", "i", axis=1), {"i": np.array([[0, -1], [2, 2]])}, IMAGE, 17),
    "Identity": (node("Identity"), {}, IMAGE, 17),
    "Dropout": (node("Dropout"), {}, IMAGE, 17),
    "Cast": (node("Cast", to=TensorProto.FLOAT), {}, IMAGE, 17),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_does_what_it_does_in_onnx_runtime(name: str) -> None:
    one, weights, shape, opset = OPERATORS[name]
    proto, x = graph([one], weights, shape, opset), draw(*shape, seed=7)
    expected = by_runtime(proto, x)
    found = by_torch(torch_graph(proto), x)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_reshape_by_a_shape_that_is_computed() -> None:
    """As PyTorch exports ``x.view(x.shape[0], -1)``, with a constant, and a split in front."""
    nodes = [
        helper.make_node("Split", ["x", "sizes"], ["left", "right"], axis=1),
        helper.make_node("Concat", ["right", "left"], ["turned"], axis=1),
        helper.make_node("Shape", ["turned"], ["shape"]),
        helper.make_node("Constant", [], ["zero"], value=numpy_helper.from_array(np.array(0))),
        helper.make_node("Gather", ["shape", "zero"], ["batch"], axis=0),
        helper.make_node("Unsqueeze", ["batch", "first"], ["side"]),
        helper.make_node("Constant", [], ["rest"], value_ints=[-1]),
        helper.make_node("Concat", ["side", "rest"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["turned", "wanted"], ["y"]),
    ]
    proto = graph(nodes, {"sizes": np.array([1, 3]), "first": np.array([0])}, IMAGE)
    x = draw(*IMAGE)
    np.testing.assert_array_equal(by_torch(torch_graph(proto), x), by_runtime(proto, x))


def test_rows_picked_by_numbers_that_are_counted() -> None:
    """As PyTorch exports ``x[torch.arange(n)]``."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"], start=0, end=1),
        helper.make_node("Squeeze", ["shape"], ["n"]),
        helper.make_node("Range", ["zero", "n", "one"], ["rows"]),
        helper.make_node("Gather", ["x", "rows"], ["y"], axis=0),
    ]
    proto, x = graph(nodes, {"zero": np.array(0), "one": np.array(1)}, IMAGE), draw(*IMAGE)
    np.testing.assert_array_equal(by_torch(torch_graph(proto), x), by_runtime(proto, x))


def test_activations_written_in_small_steps_are_not_trained() -> None:
    """The 3 and the 6 of ``x * clip(x + 3, 0, 6) / 6`` stay; what is written in front of an operator is trained."""
    nodes = [
        helper.make_node("Identity", ["kernel"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Add", ["c", "three"], ["d"]),
        helper.make_node("Clip", ["d", "zero", "six"], ["e"]),
        helper.make_node("Mul", ["c", "e"], ["f"]),
        helper.make_node("Div", ["f", "six"], ["g"]),
        helper.make_node("Mul", ["g", "scale"], ["y"]),
    ]
    numbers = {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)}
    proto = graph(nodes, {"kernel": draw(4, 4, 1, 1), "scale": draw(4, 1, 1), **numbers}, IMAGE)
    module, x = torch_graph(proto), draw(*IMAGE)
    np.testing.assert_allclose(by_torch(module, x), by_runtime(proto, x), atol=1e-5)
    assert set(module.weights()) == {"kernel", "scale"}


def test_statistics_of_batch_normalisation_stay_and_its_scale_is_trained() -> None:
    module = torch_graph(small_convolutions.network(), "embedding")
    trained = set(module.weights())
    assert {"norm.scale", "norm.shift", "first.weight", "fourth.bias"} <= trained
    assert not {"norm.mean", "norm.var"} & trained


def test_an_activation_in_place_spoils_no_tensor_that_is_needed_again() -> None:
    import torch

    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Add", ["r", "c"], ["s"]),
        helper.make_node("Clip", ["s", "low", "high"], ["t"]),
        helper.make_node("Mul", ["t", "s"], ["y"]),
    ]
    weights = {"w": draw(4, 4, 1, 1), "low": np.float32(0), "high": np.float32(1)}
    proto, x = graph(nodes, weights, IMAGE), draw(*IMAGE)
    module = torch_graph(proto)
    np.testing.assert_allclose(by_torch(module, x), by_runtime(proto, x), atol=1e-5)
    module(torch.from_numpy(x)).sum().backward()  # would fail where a result that is needed was overwritten


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite2"])
def test_a_bundled_network_computes_the_same_on_photographs(name: str, photographs: Path) -> None:
    proto, card = load_model(name).read()
    pixels = np.stack([read_square(str(path), card.preprocessing) for path in sorted(photographs.iterdir())[:6]])
    whole = with_pixel_input(proto, card, "embedding")
    expected = by_runtime(whole, pixels)
    assert np.abs(by_torch(torch_graph(whole, "embedding"), pixels) - expected).max() < 1e-5
    cut = cut_point(proto, card)
    half_way = by_runtime(with_pixel_input(proto, card, cut), pixels)
    assert np.abs(by_torch(torch_graph(proto, "embedding", start=cut), half_way) - expected).max() < 1e-5


def test_new_weights_written_into_the_graph_give_the_same_in_onnx_runtime() -> None:
    import torch

    proto, x = small_convolutions.network(), draw(5, 3, 32, 32)
    module = torch_graph(proto, "logits")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    before, after = by_runtime(proto, x), by_runtime(set_weights(proto, module.weights()), x)
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(by_torch(module, x), after, atol=1e-5)


def test_an_operator_that_is_not_known_is_named_and_the_head_recommended() -> None:
    proto = graph([node("LRN", size=3)], {}, IMAGE)
    with pytest.raises(ModelInvalid, match=r'LRN \("y"\).*method="head"'):
        torch_graph(proto)


def test_a_use_of_an_operator_that_is_not_covered_says_why() -> None:
    backwards = {"s": np.array([-1]), "e": np.array([-100]), "a": np.array([3]), "t": np.array([-1])}
    with pytest.raises(ModelInvalid, match=r"Slice.*counts backwards"):
        torch_graph(graph([node("Slice", "s", "e", "a", "t")], backwards, IMAGE))
    with pytest.raises(ModelInvalid, match=r"Reshape.*invalid"):
        by_torch(torch_graph(graph([node("Reshape", "s")], {"s": np.array([7, 7])}, IMAGE)), draw(*IMAGE))


def test_weights_in_half_precision_are_refused() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("Mul", ["h", "w"], ["y"]),
    ]
    with pytest.raises(ModelInvalid, match="not in 32 bits"):
        torch_graph(graph(nodes, {"w": draw(4, 1, 1).astype(np.float16)}, IMAGE))


def test_a_start_that_something_goes_around_is_refused() -> None:
    with pytest.raises(ModelInvalid, match="image"):
        torch_graph(small_convolutions.network(), "sum", start="second")


# -- where to cut ------------------------------------------------------------------------------------------------------


def reachable_without(proto: onnx.ModelProto, start: str, goal: str, removed: str) -> bool:
    """Whether a path leads from one tensor to another that does not pass through a third."""
    found = {start}
    for one in proto.graph.node:  # in an order in which tensors are made before they are used
        if found.intersection(one.input):
            found.update(set(one.output) - {removed})
    return goal in found


@pytest.mark.parametrize(("name", "side"), [("efficientnet_lite0", 14), ("efficientnet_lite2", 17)])
def test_everything_passes_through_the_cut_of_a_bundled_network(name: str, side: int) -> None:
    proto, card = load_model(name).read()
    cut = cut_point(proto, card)
    assert not reachable_without(proto, "image", "embedding", cut)
    assert reachable_without(proto, "image", "embedding", cut.replace(".sum", ".expand"))  # there is a way around this
    pixels = np.zeros((1, card.preprocessing.size, card.preprocessing.size, 3), np.uint8)
    assert by_runtime(with_pixel_input(proto, card, cut), pixels).shape[2:] == (side, side)


def test_the_cut_is_before_the_last_time_that_maps_shrink() -> None:
    """In the small network, maps of 16 x 16 with an input of 32 are what 112 x 112 are with an input of 224."""
    assert cut_point(small_convolutions.network(), small_convolutions.CARD, size=112) == "sum"


def test_without_a_map_of_that_size_the_cut_is_half_way() -> None:
    proto = small_convolutions.network()
    cut = cut_point(proto, small_convolutions.CARD)
    assert cut == "sum"  # two of the four convolutions are before it
    assert not reachable_without(proto, "image", "embedding", cut)


def test_a_count_of_the_photographs_is_no_way_around_the_cut() -> None:
    """As PyTorch exports ``x.view(image.shape[0], 16)``; the tail counts what it is given."""
    proto = small_convolutions.network()
    nodes = list(proto.graph.node)
    place = next(i for i, one in enumerate(nodes) if one.op_type == "Flatten")
    nodes[place : place + 1] = [
        helper.make_node("Shape", ["image"], ["n"], start=0, end=1),
        helper.make_node("Concat", ["n", "width"], ["shape"], axis=0),
        helper.make_node("Reshape", ["pool", "shape"], ["embedding"]),
    ]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    proto.graph.initializer.append(numpy_helper.from_array(np.array([16]), "width"))
    assert cut_point(proto, small_convolutions.CARD, size=112) == "sum"
    tail, whole = torch_graph(proto, "logits", start="sum"), torch_graph(proto, "logits")
    x = draw(3, 3, 32, 32)
    half_way = by_torch(torch_graph(proto, "sum"), x)
    np.testing.assert_allclose(by_torch(tail, half_way), by_torch(whole, x), atol=1e-6)
    np.testing.assert_allclose(by_torch(whole, x), by_runtime(proto, x), atol=1e-5)


def test_a_network_that_has_no_weights_after_any_tensor_cannot_be_cut() -> None:
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["embedding"]),
    ]
    proto = graph(nodes, {"w": draw(4, 3, 3, 3)}, (1, 3, 32, 32))
    proto.graph.input[0].name = "image"
    with pytest.raises(ModelInvalid, match='method="full"'):
        cut_point(proto, small_convolutions.CARD)
