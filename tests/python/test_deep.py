"""Training of the network itself: it learns, it is repeatable, it looks at nothing else, and the file says the same."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_convolutions
from numpy.typing import NDArray
from onnx import numpy_helper
from sklearn.metrics import log_loss, mean_squared_error
from small_convolutions import material, model, stripes

from imagesasdata import load_model
from imagesasdata.classify import probabilities
from imagesasdata.devices import open_session
from imagesasdata.errors import DependencyMissing, ImageFailed, ModelInvalid
from imagesasdata.runtime import PIXELS, with_pixel_input
from imagesasdata.train.cut_point import cut_point
from imagesasdata.train.deep import Deep, FittedDeep
from imagesasdata.train.head_graph import OUTPUT
from imagesasdata.train.method import ACTIVATIONS, Rows
from imagesasdata.train.views import read_square

pytestmark = pytest.mark.torch
Floats = NDArray[np.float64]
MODES = ("tail", "full")


def difference(fitted: FittedDeep, rows: Rows) -> float:
    """Return by how much ONNX Runtime and PyTorch differ on photographs, at most: a check of what is handed over.

    Parameters
    ----------
    fitted : FittedDeep
        A network that was trained.
    rows : numpy.ndarray
        Photographs of its material.

    Returns
    -------
    float
        In probabilities; for scores in standard deviations of their labels.
    """
    material = fitted.deep.material
    card, labels = material.backbone.card, material.labels
    graph = with_pixel_input(fitted.proto(), card, OUTPUT)
    session = open_session(graph.SerializeToString(), "cpu", card.name).session
    kind, most = ACTIVATIONS[labels.task], 0.0
    scale = np.ones(len(labels.names))
    if labels.task == "score":
        scale = np.nan_to_num(np.nanstd(labels.values, axis=0))
        scale[scale == 0] = 1.0
    for row in rows:
        pixels = read_square(labels.images.paths[row], card.preprocessing)
        (values,) = session.run(None, {PIXELS: np.ascontiguousarray(pixels[None])})
        ours = probabilities(fitted.logits(np.array([row])), kind)
        most = max(most, float((np.abs(probabilities(np.asarray(values), kind) - ours) / scale).max()))
    return most


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from imagesasdata.train import torch_session

    # The networks here are so small that a second thread would only be waited for.
    monkeypatch.setattr(torch_session, "cpu_count", lambda: 1)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Floats, Floats]:
    """80 photographs of stripes: their files, their angles (0 or 45 degrees, and 10 more or less), their lightness."""
    rng = np.random.default_rng(3)
    angles = np.tile([0.0, 45.0], 40) + rng.uniform(-10, 10, 80)
    light = rng.uniform(0.3, 1, 80)
    return stripes(tmp_path_factory.mktemp("stripes"), angles, light), angles, light


def classes(angles: Floats) -> Floats:
    return np.eye(2)[(angles > 22).astype(int)]


TRAIN, TEST = np.arange(56), np.arange(56, 80)


def weights_of(fitted: Any) -> dict[str, NDArray[Any]]:
    return {w.name: numpy_helper.to_array(w) for w in fitted.proto().graph.initializer}


@pytest.mark.parametrize("mode", MODES)
def test_a_separable_task_is_learned(mode: str, drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    way = Deep(material(paths, classes(angles), model(tmp_path), tmp_path), mode, epochs=30)
    right = way.fit(TRAIN, 1).logits(TEST).argmax(axis=1) == classes(angles)[TEST].argmax(axis=1)
    assert right.mean() > 0.9


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_bytes(mode: str, drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    backbone = model(tmp_path)
    protos = [
        Deep(material(paths, classes(angles), backbone, tmp_path), mode, epochs=2).fit(TRAIN, seed).proto()
        for seed in (1, 1, 2)
    ]
    one, again, other = (proto.SerializeToString(deterministic=True) for proto in protos)
    assert one == again
    assert one != other


@pytest.mark.parametrize("mode", MODES)
def test_nothing_outside_the_rows_is_looked_at(mode: str, drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    backbone, values = model(tmp_path), classes(angles)
    first = Deep(material(paths, values, backbone, tmp_path), mode, epochs=2).fit(TRAIN, 1)
    values = values.copy()
    values[TEST] = values[TEST][:, ::-1]
    elsewhere = [*paths[:56], *("not there.png" for _ in TEST)]
    second = Deep(material(elsewhere, values, backbone, tmp_path), mode, epochs=2).fit(TRAIN, 1)
    assert first.proto().SerializeToString(deterministic=True) == second.proto().SerializeToString(deterministic=True)


@pytest.mark.parametrize("mode", MODES)
def test_onnx_runtime_says_what_pytorch_says(mode: str, drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    fitted = Deep(material(paths, classes(angles), model(tmp_path), tmp_path), mode, epochs=2).fit(TRAIN, 1)
    assert difference(fitted, TEST) < 1e-5


def test_the_difference_is_that_of_the_worst_photograph(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    fitted = Deep(material(paths, classes(angles), model(tmp_path), tmp_path), "tail", epochs=1).fit(TRAIN, 1)
    right = fitted.logits(TEST[:3])
    # 0.9 in place of what the network says of one photograph
    off = right.copy()
    off[1] = np.log([0.9, 0.1])
    fake = _Told(fitted, dict(zip(TEST[:3].tolist(), off, strict=True)))
    powers = np.exp(right[1] - right[1].max())
    assert difference(fake, TEST[:3]) == pytest.approx(abs(0.9 - powers[0] / powers.sum()), abs=1e-5)  # type: ignore[arg-type]


class _Told:
    """A fitted network that says something else of photographs than its graph."""

    def __init__(self, fitted: Any, told: dict[int, Floats]) -> None:
        self.deep, self.proto, self._told = fitted.deep, fitted.proto, told

    def logits(self, rows: NDArray[np.int64]) -> Floats:
        return np.stack([self._told[row] for row in rows.tolist()])


def test_the_tail_leaves_what_is_before_the_cut(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    way = Deep(material(paths, classes(angles), model(tmp_path), tmp_path), "tail", epochs=2)
    assert way.cut == "sum"
    new, old = weights_of(way.fit(TRAIN, 1)), small_convolutions.network().graph.initializer
    same = {w.name for w in old if w.name in new and np.array_equal(numpy_helper.to_array(w), new[w.name])}
    norm = {f"norm.{part}" for part in ("scale", "shift", "mean", "var")}
    assert same == {"first.weight", "first.bias", "second.weight", "second.bias", *norm}


def test_full_training_moves_every_weight_and_no_statistics(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    way = Deep(material(paths, classes(angles), model(tmp_path), tmp_path), "full", epochs=2)
    new, old = weights_of(way.fit(TRAIN, 1)), small_convolutions.network().graph.initializer
    same = {w.name for w in old if w.name in new and np.array_equal(numpy_helper.to_array(w), new[w.name])}
    assert same == {"norm.mean", "norm.var"}


def test_a_weight_that_the_frozen_part_uses_too_is_not_trained(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    proto = small_convolutions.network()
    third = next(node for node in proto.graph.node if node.name == "fourth")
    third.input[2] = "shared"
    first = next(node for node in proto.graph.node if node.name == "third")
    first.input[2] = "shared"
    proto.graph.initializer.append(numpy_helper.from_array(np.full(16, 0.1, np.float32), "shared"))
    from imagesasdata.modelfile import write_model

    write_model(proto, small_convolutions.CARD, tmp_path / "shared.onnx")
    way = Deep(material(paths, classes(angles), load_model(tmp_path / "shared.onnx"), tmp_path), "tail", epochs=1)
    way.cut = "third.relu"
    assert set(way._graph().weights()) == {"fourth.weight"}


@pytest.mark.parametrize("mode", MODES)
def test_the_bundled_network_is_trained_on_photographs(mode: str, photographs: Path, tmp_path: Path) -> None:
    paths = sorted(str(path) for path in photographs.iterdir())[:12]
    values = np.eye(2)[np.arange(12) % 2]
    way = Deep(material(paths, values, load_model(), tmp_path), mode, epochs=1)
    fitted = way.fit(np.arange(10), 1)
    assert difference(fitted, np.arange(12)) < 1e-5
    proto, card = load_model().read()
    assert fitted.settings.get("cut") == (cut_point(proto, card) if mode == "tail" else None)
    json.dumps(fitted.settings)  # for the card


# -- tasks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_attributes_that_are_not_coded_are_passed_over(mode: str, drawn: Any, tmp_path: Path) -> None:
    paths, angles, light = drawn
    values = np.stack([angles > 22, light > 0.65], axis=1).astype(float)
    coded = values.copy()
    coded[::2, 1] = np.nan
    coded[1::4, 0] = np.nan
    way = Deep(material(paths, coded, model(tmp_path), tmp_path, task="multi"), mode, epochs=30)
    found = way.fit(TRAIN, 1).logits(TEST) > 0
    assert (found == values[TEST].astype(bool)).mean(axis=0).min() > 0.8


@pytest.mark.parametrize("mode", MODES)
def test_scores_come_on_their_own_scale(mode: str, drawn: Any, tmp_path: Path) -> None:
    """A score like a year: the network predicts years, in PyTorch and in the graph."""
    paths, _, light = drawn
    years = (1900 + 100 * light)[:, None]
    coded = years.copy()
    coded[::5] = np.nan
    way = Deep(material(paths, coded, model(tmp_path), tmp_path, task="score"), mode, epochs=30)
    fitted = way.fit(TRAIN, 1)
    found = fitted.logits(TEST)
    assert np.corrcoef(found[:, 0], years[TEST, 0])[0, 1] > 0.8
    assert mean_squared_error(years[TEST], found) < 0.5 * years[TEST].var()
    assert difference(fitted, TEST) < 1e-4


def targets(task: str, values: Floats, weights: Floats) -> Any:
    import torch

    from imagesasdata.train.torch_training import Targets

    return Targets(task, values, weights, 0.0, torch.device("cpu"))


def loss(of: Any, outputs: Floats, places: NDArray[np.int64]) -> float:
    import torch

    return float(of.loss(torch.from_numpy(outputs), torch.from_numpy(places)))


def test_the_loss_of_classes_is_scikit_learn_s_with_weights() -> None:
    rng = np.random.default_rng(1)
    outputs, codes, weights = rng.normal(size=(20, 3)), rng.integers(0, 3, 30), np.array([1.0, 2.0, 0.5])
    places = rng.permutation(30)[:20]
    probs = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    expected = log_loss(codes[places], probs, sample_weight=weights[codes[places]], labels=[0, 1, 2])
    assert loss(targets("single", np.eye(3)[codes], weights), outputs, places) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_a_photograph_on_which_coders_differ_is_split_between_their_classes() -> None:
    outputs, places = np.array([[2.0, 0.0, -1.0]]), np.array([0])
    halves, first, second = (
        loss(targets("single", np.array([values]), np.ones(3)), outputs, places)
        for values in ([0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    )
    assert halves == pytest.approx((first + second) / 2, rel=1e-5)


def test_the_loss_of_attributes_is_scikit_learn_s_on_those_that_are_coded() -> None:
    rng = np.random.default_rng(1)
    outputs, values = rng.normal(size=(20, 2)), rng.integers(0, 2, (20, 2)).astype(float)
    values[::3, 0] = np.nan
    weights = np.array([[1.0, 3.0], [0.5, 1.0]])
    known = ~np.isnan(values)
    y = values[known]
    each = weights[np.nonzero(known)[1], y.astype(int)]
    expected = log_loss(y, 1 / (1 + np.exp(-outputs[known])), sample_weight=each)
    assert loss(targets("multi", values, weights), outputs, np.arange(20)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_an_attribute_on_which_coders_differ_is_split_between_yes_and_no() -> None:
    outputs, places, weights = np.array([[1.5]]), np.array([0]), np.array([[1.0, 3.0]])
    share, yes, no = (loss(targets("multi", np.array([[v]]), weights), outputs, places) for v in (0.25, 1.0, 0.0))
    assert share == pytest.approx((0.25 * 3 * yes + 0.75 * no) / (0.25 * 3 + 0.75), rel=1e-5)


def test_a_class_without_photographs_is_expected_nowhere() -> None:
    """The other classes share what smoothing takes from a label."""
    import torch

    from imagesasdata.train.torch_training import Targets

    values = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    smooth = Targets("single", values, np.ones(3), 0.2, torch.device("cpu"))
    outputs = torch.log(torch.tensor([[0.9, 0.1, 1e-9]]))
    expected = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert float(smooth.loss(outputs, torch.tensor([0]))) == pytest.approx(expected, rel=1e-4)


# -- interrupts, settings, errors --------------------------------------------------------------------------------------


class _Interrupt:
    """Ctrl-C at a step of training."""

    def __init__(self, step: int) -> None:
        self.step, self.steps = step, 0

    def __call__(self, text: str, done: int, total: int) -> None:
        if text.startswith("training"):
            self.steps += 1
            if self.steps == self.step:
                raise KeyboardInterrupt


@pytest.mark.parametrize("mode", MODES)
def test_an_interrupt_keeps_the_best_so_far(mode: str, drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    backbone = model(tmp_path)  # 56 photographs are two batches an epoch
    stopped = Deep(material(paths, classes(angles), backbone, tmp_path, report=_Interrupt(5)), mode, epochs=4).fit(
        TRAIN, 1
    )
    assert stopped.settings["interrupted"] is True
    assert stopped.settings["epochs"] == 2
    assert difference(stopped, TEST[:4]) < 1e-5


def test_an_interrupt_before_there_is_anything_to_keep_ends_training(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    way = Deep(material(paths, classes(angles), model(tmp_path), tmp_path, report=_Interrupt(2)), "tail", epochs=4)
    with pytest.raises(KeyboardInterrupt):
        way.fit(TRAIN, 1)


def test_pytorch_is_left_as_it_was(drawn: Any, tmp_path: Path) -> None:
    import torch

    paths, angles, _ = drawn

    def state() -> tuple[Any, ...]:
        flags = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
        return torch.get_num_threads(), flags, torch.random.get_rng_state().tolist()

    before = state()
    Deep(material(paths, classes(angles), model(tmp_path), tmp_path), "tail", epochs=1).fit(TRAIN, 1)
    assert state() == before
    way = Deep(material(paths, classes(angles), model(tmp_path), tmp_path, report=_Interrupt(1)), "tail", epochs=1)
    with pytest.raises(KeyboardInterrupt):
        way.fit(TRAIN, 1)
    assert state() == before


def test_what_is_computed_once_is_not_computed_again(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    seen: list[tuple[str, int]] = []
    given = material(
        paths, classes(angles), model(tmp_path), tmp_path, report=lambda text, done, total: seen.append((text, total))
    )
    way = Deep(given, "tail", epochs=1)
    way.fit(TRAIN[:40], 1).logits(TEST)
    way.fit(TRAIN, 2)
    counts = [total for text, total in dict.fromkeys(seen) if text.startswith("first layers")]
    assert counts == [40, 24, 16]


def test_each_epoch_says_how_far_training_is(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    seen: list[tuple[int, int]] = []
    given = material(
        paths,
        classes(angles),
        model(tmp_path),
        tmp_path,
        report=lambda text, done, total: seen.append((done, total)) if text.startswith("training") else None,
    )
    Deep(given, "tail", epochs=3).fit(TRAIN, 1)
    assert seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_few_photographs_are_gone_through_more_often(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    way = Deep(material(paths, classes(angles), model(tmp_path), tmp_path), "tail")
    assert way.recipe(50).epochs > way.recipe(500).epochs >= way.recipe(50_000).epochs > 1


def test_without_pytorch_the_cure_is_named(drawn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, angles, _ = drawn
    given = material(paths, classes(angles), model(tmp_path), tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DependencyMissing, match=r'method="tail" needs PyTorch.*pip install "imagesasdata\[train\]"'):
        Deep(given, "tail")


@pytest.mark.parametrize("mode", MODES)
def test_an_operator_that_cannot_be_trained_is_said_before_anything_is_computed(
    mode: str, drawn: Any, tmp_path: Path
) -> None:
    paths, angles, _ = drawn
    with pytest.raises(ModelInvalid, match=r'Mish \("fourth.relu"\).*method="head"'):
        Deep(material(paths, classes(angles), model(tmp_path, last="Mish"), tmp_path), mode)


def test_a_network_for_one_batch_size_is_refused(drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    with pytest.raises(ModelInvalid, match=r'for 1 photograph.*method="head"'):
        Deep(material(paths, classes(angles), model(tmp_path, batch=1), tmp_path), "full")


@pytest.mark.parametrize("mode", MODES)
def test_a_photograph_that_was_moved_since_is_named(mode: str, drawn: Any, tmp_path: Path) -> None:
    paths, angles, _ = drawn
    moved = [*paths[:3], "moved.png", *paths[4:]]
    way = Deep(material(moved, classes(angles), model(tmp_path), tmp_path), mode, epochs=1, features=np.ones((80, 16)))
    with pytest.raises(ImageFailed, match=r'"moved\.png".*does not exist'):
        way.fit(TRAIN, 1)


def test_a_gpu_that_pytorch_has_not_is_said(drawn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from imagesasdata.errors import DeviceUnavailable

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    paths, angles, _ = drawn
    given = material(paths, classes(angles), model(tmp_path), tmp_path)
    with pytest.raises(DeviceUnavailable, match=r'device="cuda:1".*PyTorch sees no GPU'):
        Deep(dataclasses.replace(given, device="cuda:1"), "full")
