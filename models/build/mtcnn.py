"""Write MTCNN, three small networks that find faces, as one ONNX graph with three inputs.

Zhang, Zhang, Li and Qiao (2016), "Joint face detection and alignment using multitask cascaded convolutional networks".
A proposal network looks at every place of a photograph, a refinement network at the places it proposes, and an output
network at what is left, where it also finds the eyes, the nose and the corners of the mouth. The three share nothing;
they are in one file so that a detector is one model.
"""

from __future__ import annotations

from onnx import ModelProto

from writer import Array, Weights, Writer, model, tensor

Pool = tuple[int, int] | None


def build_graph(pnet: dict[str, Array], rnet: dict[str, Array], onet: dict[str, Array]) -> ModelProto:
    """Build the graph from the state dicts of the three networks.

    Returns
    -------
    ModelProto
        Inputs ``pnet_image`` (float32, N x 3 x height x width), ``rnet_image`` (N x 3 x 24 x 24) and ``onet_image``
        (N x 3 x 48 x 48). Outputs: ``<net>_prob``, of which the second channel is the probability of a face,
        ``<net>_offsets``, by which the four sides move, in sides of the window, and ``onet_landmarks``, five x, then
        five y, from the window's upper left corner, in sides of the window. Those of ``pnet`` are maps, N x 2 x h x w
        and N x 4 x h x w, with one place for each two pixels.
    """
    # Each network has a name of its own for the size of its batch: ONNX Runtime takes equal names for equal sizes.
    return model(
        "mtcnn",
        [_pnet(Weights(pnet)), _rnet(Weights(rnet)), _onet(Weights(onet))],
        [
            tensor("pnet_image", ["pnet_n", 3, "height", "width"]),
            tensor("rnet_image", ["rnet_n", 3, 24, 24]),
            tensor("onet_image", ["onet_n", 3, 48, 48]),
        ],
        [
            tensor("pnet_prob", ["pnet_n", 2, "rows", "columns"]),
            tensor("pnet_offsets", ["pnet_n", 4, "rows", "columns"]),
            tensor("rnet_prob", ["rnet_n", 2]),
            tensor("rnet_offsets", ["rnet_n", 4]),
            tensor("onet_prob", ["onet_n", 2]),
            tensor("onet_offsets", ["onet_n", 4]),
            tensor("onet_landmarks", ["onet_n", 10]),
        ],
    )


def _layer(graph: Writer, weights: Weights, x: str, number: int, shape: tuple[int, int, int], pool: Pool) -> str:
    """Write a convolution of `shape` (out, in, kernel), its PReLU and, where there is one, a pool (kernel, stride)."""
    out, channels, kernel = shape
    name = f"conv{number}"
    weight = weights.take(f"{name}.weight", (out, channels, kernel, kernel))
    x = graph.convolution(x, name, weight, weights.take(f"{name}.bias", (out,)))
    slope = graph.constant(f"prelu{number}.slope", weights.take(f"prelu{number}.weight", (out,)).reshape(out, 1, 1))
    x = graph.node("PRelu", [x, slope], f"prelu{number}")
    if pool:
        kernel, stride = pool
        sides: dict[str, list[int]] = {"kernel_shape": [kernel, kernel], "strides": [stride, stride]}
        x = graph.node("MaxPool", [x], f"pool{number}", ceil_mode=1, **sides)
    return x


def _dense(graph: Writer, weights: Weights, x: str, origin: str, shape: tuple[int, int], name: str) -> str:
    parts = [weights.take(f"{origin}.weight", shape), weights.take(f"{origin}.bias", shape[:1])]
    inputs = [
        graph.constant(f"{origin}.{part}", values) for part, values in zip(("weight", "bias"), parts, strict=True)
    ]
    return graph.node("Gemm", [x, *inputs], name, transB=1)


def _pnet(weights: Weights) -> Writer:
    graph = Writer("pnet_")
    x = _layer(graph, weights, "pnet_image", 1, (10, 3, 3), (2, 2))
    x = _layer(graph, weights, x, 2, (16, 10, 3), None)
    x = _layer(graph, weights, x, 3, (32, 16, 3), None)
    for origin, out, name in (("conv4_1", 2, "logits"), ("conv4_2", 4, "offsets")):
        weight, bias = weights.take(f"{origin}.weight", (out, 32, 1, 1)), weights.take(f"{origin}.bias", (out,))
        graph.convolution(x, name, weight, bias)
    graph.node("Softmax", ["pnet_logits"], "prob", axis=1)
    weights.all_used()
    return graph


def _heads(graph: Writer, weights: Weights, x: str, layer: int, features: int, size: int) -> str:
    """Write what rnet and onet have in common behind their convolutions, and return the features."""
    # The origin flattens width before height.
    x = graph.node("Transpose", [x], "turned", perm=[0, 3, 2, 1])
    x = graph.node("Flatten", [x], "flat", axis=1)
    x = _dense(graph, weights, x, f"dense{layer}", (size, features), f"dense{layer}")
    slope = graph.constant(f"prelu{layer}.slope", weights.take(f"prelu{layer}.weight", (size,)))
    x = graph.node("PRelu", [x, slope], f"prelu{layer}")
    _dense(graph, weights, x, f"dense{layer + 1}_1", (2, size), "logits")
    _dense(graph, weights, x, f"dense{layer + 1}_2", (4, size), "offsets")
    graph.node("Softmax", [f"{x.partition('_')[0]}_logits"], "prob", axis=1)
    return x


def _rnet(weights: Weights) -> Writer:
    graph = Writer("rnet_")
    x = _layer(graph, weights, "rnet_image", 1, (28, 3, 3), (3, 2))
    x = _layer(graph, weights, x, 2, (48, 28, 3), (3, 2))
    x = _layer(graph, weights, x, 3, (64, 48, 2), None)
    _heads(graph, weights, x, 4, 576, 128)
    weights.all_used()
    return graph


def _onet(weights: Weights) -> Writer:
    graph = Writer("onet_")
    x = _layer(graph, weights, "onet_image", 1, (32, 3, 3), (3, 2))
    x = _layer(graph, weights, x, 2, (64, 32, 3), (3, 2))
    x = _layer(graph, weights, x, 3, (64, 64, 3), (2, 2))
    x = _layer(graph, weights, x, 4, (128, 64, 2), None)
    x = _heads(graph, weights, x, 5, 1152, 256)
    _dense(graph, weights, x, "dense6_3", (10, 256), "landmarks")
    weights.all_used()
    return graph
