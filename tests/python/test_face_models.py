"""The networks for faces are what their origins say: independent networks agree, and builds repeat."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

import imagesasdata as iad
from imagesasdata.errors import ModelInvalid
from imagesasdata.modelfile import read_card, read_model, verify_model, write_model

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
BUILD = MODELS / "build"
sys.path.append(str(BUILD))
legacy_pth = importlib.import_module("legacy_pth")
origins = importlib.import_module("origins")
tfjs_weights = importlib.import_module("tfjs_weights")

NAMES = ["mtcnn", "dlib_face", "expression"]
REFERENCES = Path(__file__).with_name("face_references.json")
ORIGINS = {"mtcnn": origins.FACENET, "dlib_face": origins.FACE_API, "expression": origins.HUMAN_MODELS}
Floats = NDArray[np.float32]


def wave(n: int, channels: int, height: int, width: int) -> Floats:
    """Inputs between -1 and 1 that anybody can make again: waves of several lengths."""
    k, c, y, x = np.meshgrid(*map(np.arange, (n, channels, height, width)), indexing="ij")
    return np.asarray(np.sin(0.11 * x * (k + 1) + 0.07 * y * (c + 1)) * np.cos(0.05 * (x + y) + c), np.float32)


def run(name: str, inputs: dict[str, Floats], outputs: list[str]) -> list[Floats]:
    """Run a part of a model's graph: a detector's three networks each have an input of their own."""
    session = onnxruntime.InferenceSession(MODELS / f"{name}.onnx", providers=["CPUExecutionProvider"])
    shapes = {value.name: value.shape for value in session.get_inputs()}
    rest = {
        key: np.zeros([d if isinstance(d, int) else 1 if i == 0 else 12 for i, d in enumerate(shape)], np.float32)
        for key, shape in shapes.items()
        if key not in inputs
    }
    found: list[Floats] = session.run(outputs, {**rest, **inputs})
    return found


def available(name: str) -> bool:
    origin = ORIGINS[name]
    return not isinstance(origin, origins.NpmOrigin) or bool(
        shutil.which("npm") or list(origins.DEFAULT_FOLDER.glob(origin.pattern))
    )


def needs_origin(name: str) -> None:
    if not available(name):
        pytest.skip("Node.js is not installed, so the origin cannot be fetched")


# -- the files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_valid_and_has_its_words_beside_it(name: str) -> None:
    card = verify_model(MODELS / f"{name}.onnx")
    page = (MODELS / f"{name}.md").read_text(encoding="utf-8")
    for fact in (name, card.licence, ORIGINS[name].sha256, ORIGINS[name].version, "limits"):
        assert fact in page or fact.capitalize() in page, fact
    assert ORIGINS[name].sha256 in card.provenance["origin"]


@pytest.mark.parametrize("name", NAMES)
def test_a_new_build_has_the_bytes_of_the_committed_file(name: str, tmp_path: Path) -> None:
    needs_origin(name)
    done = subprocess.run(
        [sys.executable, str(BUILD), "--out", str(tmp_path), name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built, committed = tmp_path / f"{name}.onnx", MODELS / f"{name}.onnx"
    assert hashlib.sha256(built.read_bytes()).digest() == hashlib.sha256(committed.read_bytes()).digest()


def test_no_bundled_model_describes_age_sex_or_race() -> None:
    words = {"age", "gender", "sex", "race", "male", "female", "man", "woman"}
    assert not {c.casefold() for name in NAMES for c in read_card(MODELS / f"{name}.onnx").classes} & words
    assert set(NAMES) <= set(iad.list_models()["name"])


@pytest.mark.parametrize(
    ("name", "verb"), [("mtcnn", "detect_faces"), ("dlib_face", "recognize_faces")], ids=["mtcnn", "dlib_face"]
)
def test_a_network_for_faces_classifies_nothing(name: str, verb: str, tmp_path: Path) -> None:
    for call in (iad.classify_images, iad.tag_images):
        with pytest.raises(ModelInvalid, match=f"classifies nothing; use {verb}"):
            call([str(tmp_path / "a.jpg")], model=name, progress=False)


def test_a_detector_without_one_of_its_networks_is_refused(tmp_path: Path) -> None:
    proto, card = read_model(MODELS / "mtcnn.onnx")
    kept = [value for value in proto.graph.output if value.name != "onet_landmarks"]
    del proto.graph.output[:]
    proto.graph.output.extend(kept)
    with pytest.raises(ModelInvalid, match="no onet_landmarks"):
        write_model(proto, card, tmp_path / "half.onnx")


# -- reading TensorFlow.js -------------------------------------------------------------------------------------------


def test_quantized_weights_become_numbers() -> None:
    manifest = [
        {
            "weights": [
                {"name": "a", "shape": [2, 2], "dtype": "float32"},
                {
                    "name": "b",
                    "shape": [3],
                    "dtype": "float32",
                    "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
                },
            ]
        }
    ]
    content = np.arange(4, dtype="<f4").tobytes() + bytes([0, 2, 255])
    read = tfjs_weights.read_weights(manifest, content)
    np.testing.assert_array_equal(read["a"].values(), [[0, 1], [2, 3]])
    np.testing.assert_array_equal(read["b"].values(), [-1, 0, 126.5])
    with pytest.raises(ValueError, match="ends within 'b'"):
        tfjs_weights.read_weights(manifest, content[:-1])
    with pytest.raises(ValueError, match="1 bytes more"):
        tfjs_weights.read_weights(manifest, content + b"0")


# -- the same networks in PyTorch, layer by layer from the papers and from the origin's file -------------------------


def torch_mtcnn(net: str, image: Floats) -> dict[str, Floats]:
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    content = origins.read_member(origins.fetch(origins.FACENET), f"facenet_pytorch/data/{net}.pt")
    w = {key: torch.from_numpy(value) for key, value in legacy_pth.read_state_dict(content).items()}
    pools = {
        "pnet": {1: (2, 2)},
        "rnet": {1: (3, 2), 2: (3, 2)},
        "onet": {1: (3, 2), 2: (3, 2), 3: (2, 2)},
    }[net]
    x = torch.from_numpy(image)
    for i in range(1, 5 if net == "onet" else 4):
        x = f.prelu(f.conv2d(x, w[f"conv{i}.weight"], w[f"conv{i}.bias"]), w[f"prelu{i}.weight"])
        if i in pools:
            x = f.max_pool2d(x, *pools[i], ceil_mode=True)
    if net == "pnet":
        logits, offsets = (f.conv2d(x, w[f"{n}.weight"], w[f"{n}.bias"]) for n in ("conv4_1", "conv4_2"))
        return {"prob": torch.softmax(logits, 1).numpy(), "offsets": offsets.numpy()}
    last = 5 if net == "onet" else 4
    flat = x.permute(0, 3, 2, 1).reshape(len(x), -1)
    flat = f.prelu(f.linear(flat, w[f"dense{last}.weight"], w[f"dense{last}.bias"]), w[f"prelu{last}.weight"])
    heads = [f.linear(flat, w[k + ".weight"], w[k + ".bias"]) for k in sorted(w_names(w, f"dense{last + 1}_"))]
    found = {"prob": torch.softmax(heads[0], 1).numpy(), "offsets": heads[1].numpy()}
    return found | ({"landmarks": heads[2].numpy()} if net == "onet" else {})


def w_names(weights: dict[str, Any], start: str) -> set[str]:
    return {key.partition(".")[0] for key in weights if key.startswith(start)}


@pytest.mark.torch
@pytest.mark.parametrize(
    ("net", "shape"), [("pnet", (2, 3, 61, 80)), ("rnet", (5, 3, 24, 24)), ("onet", (4, 3, 48, 48))]
)
def test_mtcnn_agrees_with_an_independent_pytorch_network(net: str, shape: tuple[int, int, int, int]) -> None:
    expected = torch_mtcnn(net, wave(*shape))
    found = run("mtcnn", {f"{net}_image": wave(*shape)}, [f"{net}_{key}" for key in expected])
    for values, reference in zip(found, expected.values(), strict=True):
        np.testing.assert_allclose(values, reference, rtol=0, atol=1e-4)


def tfjs(origin: Any, manifest: str, content: str) -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    described, data = origins.read_members(origins.fetch(origin), manifest, content)
    listed, start, weights = json.loads(described), 0, {}
    groups = listed["weightsManifest"] if isinstance(listed, dict) else listed
    for entry in (w for group in groups for w in group["weights"]):
        q = entry.get("quantization")
        size, kind = int(np.prod(entry["shape"])), "u1" if q else {"int32": "<i4"}.get(entry["dtype"], "<f4")
        raw = np.frombuffer(data, kind, size, start)
        start += raw.nbytes
        values = raw * q["scale"] + q["min"] if q else raw
        weights[entry["name"]] = torch.tensor(values.reshape(entry["shape"]), dtype=torch.float32)
    return weights


def torch_dlib(image: Floats) -> Floats:
    """The network as dlib's example dnn_face_recognition_ex.cpp describes it, with its scales apart."""
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    base = "package/model/face_recognition_model"
    w = tfjs(origins.FACE_API, f"{base}-weights_manifest.json", f"{base}.bin")

    def layer(x: Any, name: str, stride: int, padding: int) -> Any:
        x = f.conv2d(x, w[f"{name}/conv/filters"].permute(3, 2, 0, 1), w[f"{name}/conv/bias"], stride, padding)
        return x * w[f"{name}/scale/weights"][:, None, None] + w[f"{name}/scale/biases"][:, None, None]

    def larger(x: Any, channels: int, height: int, width: int) -> Any:
        whole = torch.zeros(len(x), channels, height, width)
        whole[:, : x.shape[1], : x.shape[2], : x.shape[3]] = x
        return whole

    x = f.max_pool2d(torch.relu(layer(torch.from_numpy(image), "conv32_down", 2, 0)), 3, 2)
    names = "32_1 32_2 32_3 64_down 64_1 64_2 64_3 128_down 128_1 128_2 256_down 256_1 256_2 256_down_out"
    for name in (f"conv{n}" for n in names.split()):
        down = "down" in name
        y = torch.relu(layer(x, f"{name}/conv1", 2 if down else 1, 0 if down else 1))
        y = layer(y, f"{name}/conv2", 1, 1)
        x = f.avg_pool2d(x, 2, 2) if down else x
        size = [max(a, b) for a, b in zip(x.shape[1:], y.shape[1:], strict=True)]
        x = torch.relu(larger(x, *size) + larger(y, *size))
    found: Floats = (x.mean(dim=(2, 3)) @ w["fc"]).numpy()
    return found


def torch_expression(image: Floats) -> Floats:
    """The network of Arriaga et al. (2017), with TensorFlow's "same" padding written out."""
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    w = tfjs(origins.HUMAN_MODELS, "package/models/emotion.json", "package/models/emotion.bin")
    base = "StatefulPartitionedCall/model_1"

    def conv(x: Any, number: int, stride: int) -> Any:
        name = f"{base}/conv2d_{number}/Conv2D"
        return f.conv2d(x, w[f"{name}_weights"].permute(3, 2, 0, 1), w[f"{name}_bn_offset"], stride)

    def separable(x: Any, number: int, filters: str) -> Any:
        x = f.conv2d(x, w[filters].permute(2, 3, 0, 1), None, 1, 1, groups=x.shape[1])
        name = f"{base}/separable_conv2d_{number}/separable_conv2d"
        return f.conv2d(x, w[f"{name}_weights"].permute(3, 2, 0, 1), w[f"{name}_bn_offset"])

    def pool(x: Any) -> Any:
        total = 1 if x.shape[-1] % 2 == 0 else 2
        ends = (total // 2, total - total // 2) * 2
        return f.max_pool2d(f.pad(x, ends, value=float("-inf")), 3, 2)

    x = torch.relu(conv(torch.relu(conv(torch.from_numpy(image), 1, 2)), 2, 1))
    x = pool(separable(torch.relu(separable(x, 1, "unknown_9")), 2, "unknown_15")) + conv(x, 3, 2)
    y = separable(torch.relu(separable(torch.relu(x), 3, "unknown_26")), 4, "unknown_32")
    x = pool(y) + conv(x, 4, 2)
    x = f.conv2d(x, w["unknown_43"].permute(3, 2, 0, 1), w["unknown_44"], 1, 1)
    logits: Floats = x.mean(dim=(2, 3)).numpy()
    return logits


CASES: dict[str, Any] = {
    "dlib_face": (torch_dlib, (2, 3, 150, 150), "descriptor"),
    "expression": (torch_expression, (3, 1, 64, 64), "logits"),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
def test_the_graph_agrees_with_an_independent_pytorch_network(name: str) -> None:
    needs_origin(name)
    independent, shape, output = CASES[name]
    (found,) = run(name, {"face": wave(*shape)}, [output])
    np.testing.assert_allclose(found, independent(wave(*shape)), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_the_graph_agrees_with_recorded_outputs_of_the_independent_network(name: str) -> None:
    """The file has what `torch_dlib` and `torch_expression` give: ``python tests/python/test_face_models.py``."""
    _, shape, output = CASES[name]
    (found,) = run(name, {"face": wave(*shape)}, [output])
    np.testing.assert_allclose(found, json.loads(REFERENCES.read_text())[name], rtol=0, atol=1e-4)


if __name__ == "__main__":
    recorded = {name: np.round(case[0](wave(*case[1])), 6).tolist() for name, case in CASES.items()}
    REFERENCES.write_text(json.dumps(recorded, default=float) + "\n")
