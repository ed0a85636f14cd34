"""A saliency map is where the class comes from: it adds up to the class, and lies where the thing is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from drawn import rotated_by_exif
from networks import CARD, SIDE, STEPS, colours, weights
from onnx import helper, numpy_helper
from PIL import Image

import imagesasdata as iad
from imagesasdata.classify import classify_images
from imagesasdata.errors import ArgumentInvalid, ImageFailed, ModelInvalid
from imagesasdata.last_layer import last_layer
from imagesasdata.model import ImageModel, load_model
from imagesasdata.modelfile import write_model
from imagesasdata.saliency import ActivationMaps, saliency_map
from imagesasdata.train.head_graph import with_head


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A black photograph with a red square in its lower left corner, 8 x 8 pixels."""
    path = tmp_path_factory.mktemp("corner") / "corner.png"
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[5:, :3, 0] = 255
    Image.fromarray(pixels).save(path)
    return path


def model_of(folder: Path, proto: onnx.ModelProto | None = None, **changes: object) -> ImageModel:
    """The network `colours`, or another, as a model file."""
    path = folder / "model.onnx"
    write_model(proto or colours(), dataclasses.replace(CARD, **changes), path)  # type: ignore[arg-type]
    return ImageModel(path)


def redness(classes: int = 3) -> onnx.ModelProto:
    """The network `colours` whose first class is red, its second green, its third blue."""
    proto = colours()
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.eye(3, classes, dtype=np.float32), "matrix"))
    return proto


# -- the numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("class_name", ["tabby", "tiger cat", "missile"])
def test_the_map_of_a_bundled_model_sums_up_to_the_logit_less_its_bias(photographs: Path, class_name: str) -> None:
    # Zhou et al. (2016), equation 2: the input of the softmax is the sum of the map over all places.
    model = load_model("efficientnet_lite0")
    proto, card = model.read()
    bias = {w.name: numpy_helper.to_array(w) for w in proto.graph.initializer}["classifier.bias"]
    found = ActivationMaps(model)(photographs / "chelsea.png", class_name)
    table = classify_images([str(photographs / "chelsea.png")], model=model, probs=True, progress=False, cache=False)
    code = card.classes.index(class_name)
    # Logits are known up to a constant from probabilities; the difference of two classes is exact.
    other = ActivationMaps(model)(photographs / "chelsea.png", "goblet")
    difference = found.fields.sum() + bias[code] - other.fields.sum() - bias[card.classes.index("goblet")]
    expected = np.log(table.loc[0, f"prob_{class_name}"]) - np.log(table.loc[0, "prob_goblet"])
    assert difference == pytest.approx(expected, abs=1e-4)
    assert found.fields.shape == (7, 7)
    assert found.value == pytest.approx(table.loc[0, f"prob_{class_name}"], abs=1e-6)


def test_the_map_of_a_fine_tuned_head_sums_up_to_its_logit(photographs: Path, tmp_path: Path) -> None:
    backbone = load_model("efficientnet_lite0")
    proto, card = backbone.read()
    rng = np.random.default_rng(1)
    weight, bias = rng.normal(0, 0.1, (2, 1280)), np.array([0.3, -0.2])
    tuned = with_head(proto, card, weight, bias)
    new = dataclasses.replace(
        card,
        name="two",
        task="multi",
        activation="sigmoid",
        classes=("a", "b"),
        class_ids=None,
        tensors={**card.tensors, "output": "logits"},
    )
    write_model(tuned, new, tmp_path / "two.onnx")
    image = str(photographs / "coffee.png")
    model = ImageModel(tmp_path / "two.onnx")
    table = classify_images([image], model=model, progress=False, cache=False)
    for name, offset in zip("ab", bias, strict=True):
        found = ActivationMaps(model)(image, name)
        logit = found.fields.sum() + offset
        assert 1 / (1 + np.exp(-logit)) == pytest.approx(table.loc[0, f"prob_{name}"], abs=1e-5)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("last", ["logits", "Softmax"])
def test_each_field_holds_what_it_adds(corner: Path, tmp_path: Path, layout: str, last: str) -> None:
    proto = colours(layout=layout, last=last)
    changes = {} if last == "logits" else {"tensors": {**CARD.tensors, "output": "answer"}, "activation": "none"}
    found = ActivationMaps(model_of(tmp_path, proto, **changes))(corner, "dog")
    pixels = np.asarray(Image.open(corner)).astype(float)
    scaled = (pixels / STEPS.scale - np.array(STEPS.mean)) / np.array(STEPS.std)
    np.testing.assert_allclose(found.fields, scaled @ weights(3)[:, 1].astype(float) / SIDE**2, atol=1e-6)


def test_a_gemm_with_alpha_and_without_transposition_is_understood(tmp_path: Path, corner: Path) -> None:
    proto = colours()
    proto.graph.node[-1].CopyFrom(helper.make_node("Gemm", ["means", "matrix"], ["logits"], alpha=0.5))
    whole = ActivationMaps(model_of(tmp_path))(corner, "dog").fields
    np.testing.assert_allclose(ActivationMaps(model_of(tmp_path, proto))(corner, "dog").fields, whole / 2, atol=1e-6)


def test_a_network_for_one_batch_size_is_run(tmp_path: Path, corner: Path) -> None:
    whole = saliency_map(corner, model_of(tmp_path), "dog")
    np.testing.assert_allclose(saliency_map(corner, model_of(tmp_path, colours(batch=4)), "dog"), whole, atol=1e-6)


# -- where it lies -----------------------------------------------------------------------------------------------------


def test_the_map_peaks_where_the_thing_is(corner: Path, tmp_path: Path) -> None:
    heat = saliency_map(corner, model_of(tmp_path, redness()), "cat")
    assert heat.shape == (SIDE, SIDE)
    assert heat[5:, :3].min() > 0.5
    assert heat[:4, 4:].max() == 0
    assert (heat.min(), heat.max()) == (0, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_map_lies_on_the_upright_photograph(tmp_path: Path, orientation: int) -> None:
    big = np.zeros((64, 64, 3), np.uint8)
    big[40:, :24, 0] = 255  # lower left, once it is upright
    path = tmp_path / "turned.jpg"
    path.write_bytes(rotated_by_exif(Image.fromarray(big), orientation))
    row, column = np.unravel_index(saliency_map(path, model_of(tmp_path, redness()), "cat").argmax(), (SIDE, SIDE))
    assert row > 4
    assert column < 3


def test_the_map_of_a_bundled_model_finds_the_cat_beside_a_white_wall(tmp_path: Path, photographs: Path) -> None:
    wall = Image.new("RGB", (448, 448), "white")
    wall.paste(Image.open(photographs / "chelsea.png").resize((224, 224)), (224, 224))
    wall.save(tmp_path / "wall.png")
    heat = saliency_map(tmp_path / "wall.png", class_name="tabby")
    assert heat.shape == (224, 224)
    assert heat[112:, 112:].sum() > 0.5 * heat.sum()
    assert min(np.unravel_index(heat.argmax(), heat.shape)) > 100


def test_where_nothing_adds_to_the_class_the_map_is_zero(tmp_path: Path) -> None:
    Image.new("RGB", (SIDE, SIDE), "black").save(tmp_path / "black.png")
    assert not saliency_map(tmp_path / "black.png", model_of(tmp_path, redness()), "cat").any()


# -- which class -------------------------------------------------------------------------------------------------------


def test_without_a_name_it_is_the_predicted_class(corner: Path, tmp_path: Path) -> None:
    model = model_of(tmp_path)
    found = ActivationMaps(model)(corner)
    table = classify_images([str(corner)], model=model, progress=False, cache=False)
    assert found.class_name == table.loc[0, "label"]
    assert found.value == pytest.approx(table.loc[0, "prob"], abs=1e-6)


def test_attributes_and_scores_have_maps_too(corner: Path, tmp_path: Path) -> None:
    multi = ActivationMaps(model_of(tmp_path, task="multi", activation="sigmoid"))
    assert multi(corner, "fish").class_name == "fish"
    scores = ActivationMaps(model_of(tmp_path, task="score", activation="none"))
    assert scores(corner, "dog").value == pytest.approx(
        classify_images([str(corner)], model=model_of(tmp_path, task="score", activation="none"), progress=False)
        .loc[0, "score_dog"]
    )  # fmt: skip
    with pytest.raises(ArgumentInvalid, match="`class_name`: the model has several scores, cat, dog, fish"):
        scores(corner)
    one = model_of(tmp_path, colours(classes=1, width=1), task="score", activation="none", classes=("joy",))
    assert ActivationMaps(one)(corner).class_name == "joy"


def test_an_unknown_class_is_an_error_that_names_those_there_are(corner: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentInvalid, match="`class_name` is 'bird'; the model has cat, dog, fish"):
        saliency_map(corner, model_of(tmp_path), "bird")


# -- what has none -----------------------------------------------------------------------------------------------------


def test_an_unreadable_photograph_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageFailed, match="file does not exist"):
        saliency_map(tmp_path / "gone.jpg", model_of(tmp_path))


def after_pool(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    """The network with nodes between the average and the last layer."""
    proto = colours()
    proto.graph.node[-1].input[0] = nodes[-1].output[0]
    layer = proto.graph.node.pop()
    proto.graph.node.extend([*nodes, layer])
    return proto


@pytest.mark.parametrize(
    "proto",
    [
        after_pool(helper.make_node("Relu", ["means"], ["kept"])),
        after_pool(helper.make_node("Add", ["means", "means"], ["twice"])),
    ],
    ids=["activation", "branches"],
)
def test_a_layer_that_does_not_stand_on_an_average_is_refused(tmp_path: Path, proto: onnx.ModelProto) -> None:
    with pytest.raises(ModelInvalid, match='"colours" has no class activation map: its last layer does not stand'):
        ActivationMaps(model_of(tmp_path, proto))


def test_an_average_over_one_side_only_is_refused(tmp_path: Path) -> None:
    proto = colours()
    pool = proto.graph.node[1]
    del pool.attribute[:]
    pool.attribute.extend([helper.make_attribute("axes", [2]), helper.make_attribute("keepdims", 0)])
    with pytest.raises(ModelInvalid, match="no class activation map"):
        last_layer(proto, CARD)


def test_weights_for_another_number_of_maps_are_refused(tmp_path: Path, corner: Path) -> None:
    # The average of two photographs, side by side, on one layer: more weights than maps.
    proto = colours(batch=2)
    proto.graph.initializer.append(numpy_helper.from_array(np.array([1, 6]), "shape"))
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((6, 3), np.float32), "matrix"))
    layer = proto.graph.node.pop()
    layer.input[0] = "wide"
    proto.graph.node.extend([helper.make_node("Reshape", ["means", "shape"], ["wide"]), layer])
    with pytest.raises(ModelInvalid, match="no class activation map"):
        ActivationMaps(model_of(tmp_path, proto))(corner, "dog")


def test_a_graph_that_goes_in_a_circle_ends_in_an_error() -> None:
    proto = colours()
    proto.graph.node.append(helper.make_node("Identity", ["b"], ["a"]))
    proto.graph.node.append(helper.make_node("Identity", ["a"], ["b"]))
    card = dataclasses.replace(CARD, tensors={**CARD.tensors, "output": "a"})
    with pytest.raises(ModelInvalid, match="no class activation map"):
        last_layer(proto, card)


# -- the picture -------------------------------------------------------------------------------------------------------


def test_the_picture_shows_the_photograph_and_the_map_over_it(tmp_path: Path, corner: Path) -> None:
    pytest.importorskip("matplotlib")
    name = tmp_path / "$\\frac$ <b>.png"
    name.write_bytes(corner.read_bytes())
    figure = iad.plot_saliency(name, model_of(tmp_path, redness()), "cat")
    left, right = figure.axes
    np.testing.assert_array_equal(left.images[0].get_array(), np.asarray(Image.open(corner)))
    assert np.asarray(right.images[0].get_array()).shape == (SIDE, SIDE, 3)
    assert left.get_title(loc="left") == "$\\frac$ <b>.png"
    assert not left.title.get_parse_math()
    value = ActivationMaps(model_of(tmp_path, redness()))(name, "cat").value
    assert right.get_title(loc="left") == f"cat ({value:.2f})"


def test_a_bgr_model_shows_photographs_in_their_own_colours(tmp_path: Path, corner: Path) -> None:
    steps = dataclasses.replace(STEPS, colour="BGR")
    found = ActivationMaps(model_of(tmp_path, preprocessing=steps))(corner, "cat")
    np.testing.assert_array_equal(found.pixels, np.asarray(Image.open(corner)))
