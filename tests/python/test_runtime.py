"""The device is what the session says, and the graph's arithmetic is numpy's."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from networks import CARD, STEPS, colours, expected, noise
from onnx import helper

from imagesasdata import devices
from imagesasdata.card import ModelCard
from imagesasdata.decode import Preprocessing
from imagesasdata.devices import cpu_count, gpu_problem
from imagesasdata.errors import ArgumentInvalid, DeviceUnavailable, ModelInvalid
from imagesasdata.modelfile import write_model
from imagesasdata.runtime import Runner, half_precision, with_pixel_input

RealSession = ort.InferenceSession


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(colours(), CARD, tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


class FakeSession:
    """A session that says it got `providers`, whatever it was asked for."""

    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    asked: Any = None

    def __init__(self, content: bytes, options: Any, providers: Any) -> None:
        self.real = RealSession(content, options, providers=["CPUExecutionProvider"])
        type(self).asked = providers

    def get_providers(self) -> list[str]:
        return list(self.providers)

    def run(self, names: Any, feeds: Any, options: Any = None) -> Any:
        return self.real.run(names, feeds, options)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    """A machine with a GPU, as far as one can see before a session is opened."""
    monkeypatch.setattr(devices, "gpu_problem", lambda: None)
    fake = type("Fake", (FakeSession,), {})
    monkeypatch.setattr(devices.ort, "InferenceSession", fake)
    return fake


# -- the device --------------------------------------------------------------------------------------------------------


def test_the_number_of_processors_is_that_of_this_process() -> None:
    assert cpu_count() >= 1


def test_without_a_gpu_auto_is_the_cpu_and_says_why(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpu_problem", lambda: "no NVIDIA driver was found")
    runner = Runner(model)
    assert (runner.device, runner.reason) == ("cpu", "no NVIDIA driver was found")


def test_the_cpu_needs_no_reason(model: Path) -> None:
    runner = Runner(model, "cpu")
    assert (runner.device, runner.reason) == ("cpu", None)


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_without_a_gpu_cuda_is_an_error_with_the_reason_and_the_cure(
    model: Path, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "gpu_problem", lambda: "no NVIDIA driver was found")
    with pytest.raises(DeviceUnavailable) as caught:
        Runner(model, device)
    assert str(caught.value) == (
        f'device="{device}" cannot be had: no NVIDIA driver was found. Use device="cpu" or "auto" to go on without.'
    )


@pytest.mark.parametrize("device", ["gpu", "CUDA", "cpu:1", "cuda:x", "cuda:-1", "auto:0", "", None, 0, "mps"])
def test_a_device_that_does_not_exist_is_an_error_that_lists_what_does(model: Path, device: Any) -> None:
    with pytest.raises(ArgumentInvalid, match=r'it must be one of "auto", "cpu", "cuda", "cuda:1"'):
        Runner(model, device)


def test_the_device_is_read_from_the_session(model: Path, gpu: type[FakeSession]) -> None:
    gpu.providers = ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert (Runner(model).device, Runner(model).reason) == ("cuda:0", None)
    assert Runner(model, "cuda:3").device == "cuda:3"
    assert gpu.asked[0][0] == "CUDAExecutionProvider"
    assert gpu.asked[0][1]["device_id"] == 3
    assert gpu.asked[1:] == ["CPUExecutionProvider"]
    assert Runner(model, "cpu").reason is None
    assert gpu.asked == ["CPUExecutionProvider"]


def test_a_gpu_that_the_session_did_not_get_is_never_claimed(model: Path, gpu: type[FakeSession]) -> None:
    runner = Runner(model)
    assert runner.device == "cpu"
    assert runner.reason is not None
    assert 'pip install ".[cuda]"' in runner.reason
    with pytest.raises(DeviceUnavailable, match=r"could not start CUDA on it; .*pip install"):
        Runner(model, "cuda")


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Look for a GPU anew, with a driver that answers as it is told."""

    def with_driver(started: int = 0, gpus: int = 1, loads: Exception | None = None) -> str | None:
        def count(pointer: Any) -> int:
            pointer._obj.value = gpus
            return 0

        def load() -> None:
            if loads:
                raise loads

        driver = SimpleNamespace(cuInit=lambda flags: started, cuDeviceGetCount=count)
        monkeypatch.setattr(devices.ctypes, "CDLL", lambda name: driver)
        monkeypatch.setattr(devices.ort, "get_available_providers", lambda: ["CUDAExecutionProvider"])
        monkeypatch.setattr(devices.ort, "preload_dlls", load, raising=False)
        return gpu_problem.__wrapped__()

    return with_driver


def test_what_keeps_a_gpu_from_being_used_is_said_in_words(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look() is None
    assert "sees no GPU" in str(look(gpus=0))
    assert "CUDA_VISIBLE_DEVICES" in str(look(started=100))
    assert 'pip install ".[cuda]"' in str(look(loads=OSError("libcudnn.so.9")))

    def no_driver(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(devices.ctypes, "CDLL", no_driver)
    assert "no NVIDIA driver" in str(gpu_problem.__wrapped__())
    monkeypatch.setattr(devices.ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert "install onnxruntime-gpu" in str(gpu_problem.__wrapped__())


@pytest.mark.gpu
def test_on_a_gpu_the_numbers_are_those_of_the_cpu(model: Path) -> None:
    if gpu_problem():
        pytest.skip(f"needs an NVIDIA GPU: {gpu_problem()}")
    pixels = noise(70)
    on_gpu = Runner(model, "cuda")
    assert on_gpu.device == "cuda:0"
    np.testing.assert_allclose(on_gpu(pixels), Runner(model, "cpu")(pixels), atol=1e-3)


def test_tensorrt_falls_to_cuda_for_what_it_cannot_do_and_is_never_claimed(model: Path, gpu: type[FakeSession]) -> None:
    gpu.providers = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")
    assert Runner(model, "tensorrt").device == "tensorrt:0"
    assert [name if isinstance(name, str) else name[0] for name in gpu.asked] == list(gpu.providers)
    gpu.providers = ("CUDAExecutionProvider", "CPUExecutionProvider")
    with pytest.raises(DeviceUnavailable, match="could not start TensorRT on it"):
        Runner(model, "tensorrt")


def test_bound_memory_is_used_only_where_it_gives_the_same_numbers(model: Path, gpu: type[FakeSession]) -> None:
    gpu.providers = ("CUDAExecutionProvider", "CPUExecutionProvider")
    pixels = noise(3)
    expected = Runner(model, "cpu")(pixels)

    class Binding:
        def __init__(self, session: FakeSession, wrong: float) -> None:
            self.session, self.wrong = session, wrong

        def bind_ortvalue_input(self, name: str, value: Any) -> None:
            self.feeds = {name: value}

        def bind_output(self, name: str, kind: str, number: int) -> None:
            assert (kind, number) == ("cuda", 0)

        def copy_outputs_to_cpu(self) -> Any:
            return [values + self.wrong for values in self.session.run(None, self.feeds)]

    used: list[int] = []
    for wrong in (0.0, 1.0):
        gpu.io_binding = lambda self, wrong=wrong: (used.append(1), Binding(self, wrong))[1]  # type: ignore[attr-defined]
        gpu.run_with_iobinding = lambda self, binding, options: None  # type: ignore[attr-defined]
        gpu.get_outputs = lambda self: self.real.get_outputs()  # type: ignore[attr-defined]
        value = SimpleNamespace(ortvalue_from_numpy=lambda pixels, kind, number: pixels)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("imagesasdata.runtime.ort.OrtValue", value)
            runner = Runner(model)
            before = len(used)
            np.testing.assert_allclose(runner(pixels), expected, atol=1e-6)
            assert (len(used) > before) == (wrong == 0.0)


def test_half_precision_is_close_or_refused(model: Path, tmp_path: Path) -> None:
    half = Runner(model, "cpu", precision="fp16")
    np.testing.assert_allclose(half(noise(4)), Runner(model, "cpu")(noise(4)), rtol=0.02, atol=0.02)
    proto = colours()
    for weight in proto.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT:
            values = onnx.numpy_helper.to_array(weight)
            weight.CopyFrom(onnx.numpy_helper.from_array((values * 1e6).astype(np.float32), weight.name))
    write_model(proto, CARD, tmp_path / "large.onnx")
    with pytest.raises(ModelInvalid, match='use precision="fp32"'):
        Runner(tmp_path / "large.onnx", "cpu", precision="fp16")
    assert half_precision(with_pixel_input(colours(), CARD, "logits")).graph.input[0].name == "iad/pixels"


def test_the_batch_sizes_of_a_gpu_fit_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from imagesasdata import pipeline

    for free, largest in ((None, 256), (80 * 2**30, 256), (4 * 2**30, 64), (2**28, 8)):
        monkeypatch.setattr(pipeline, "gpu_memory", lambda number, free=free: free)
        assert max(pipeline.gpu_sizes("cuda:0")) == largest


# -- the numbers -------------------------------------------------------------------------------------------------------


def identity(steps: Preprocessing, layout: str = "NCHW") -> tuple[onnx.ModelProto, ModelCard]:
    """A network that returns its input: whatever comes out is the preprocessing's work."""
    shape = [1, steps.channels, steps.size, steps.size]
    shape = [1, *shape[2:], shape[1]] if layout == "NHWC" else shape
    shape = ["n", *shape[1:]]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["image"], ["logits"])],
        "identity",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", "c", "h", "w"])],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    tensors = {"input": "image", "output": "logits"}
    width = steps.channels * steps.size**2
    return proto, dataclasses.replace(CARD, classes=tuple(map(str, range(width))), preprocessing=steps, tensors=tensors)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    "steps",
    [
        STEPS,
        dataclasses.replace(STEPS, scale=1.0, mean=(127.5,) * 3, std=(127.5,) * 3),
        dataclasses.replace(STEPS, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        dataclasses.replace(STEPS, mean=(0.0,) * 3, std=(1.0,) * 3),
        dataclasses.replace(STEPS, colour="grey", mean=(0.5,), std=(0.5,)),
    ],
    ids=["three", "EfficientNet", "ImageNet", "0 to 1", "grey"],
)
def test_the_preprocessing_in_the_graph_is_that_of_numpy(tmp_path: Path, layout: str, steps: Preprocessing) -> None:
    proto, card = identity(steps, layout)
    write_model(proto, card, tmp_path / "m.onnx")
    pixels = noise(4)[:, :, :, : steps.channels]
    reckoned = (pixels / steps.scale - np.array(steps.mean)) / np.array(steps.std)
    if layout == "NCHW":
        reckoned = reckoned.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(Runner(tmp_path / "m.onnx", "cpu")(pixels), reckoned.reshape(4, -1), atol=1e-6)


def test_the_numbers_are_those_reckoned_by_hand(model: Path) -> None:
    pixels = noise(9)
    np.testing.assert_allclose(Runner(model, "cpu")(pixels), expected(pixels), atol=1e-5)


def test_the_embedding_is_another_tensor_of_the_same_file(model: Path) -> None:
    pixels = noise(2)
    runner = Runner(model, "cpu", tensor="embedding")
    reckoned = ((pixels / 255 - np.array(STEPS.mean)) / np.array(STEPS.std)).mean(axis=(1, 2))
    assert runner.width == 3
    np.testing.assert_allclose(runner(pixels), reckoned, atol=1e-5)


@pytest.mark.parametrize("fixed", [1, 4])
@pytest.mark.parametrize("images", [1, 3, 4, 9])
def test_a_network_of_a_fixed_batch_takes_any_number_of_images(tmp_path: Path, fixed: int, images: int) -> None:
    write_model(colours(batch=fixed), CARD, tmp_path / "m.onnx")
    pixels = noise(images)
    values = Runner(tmp_path / "m.onnx", "cpu")(pixels)
    assert values.shape == (images, 3)
    np.testing.assert_allclose(values, expected(pixels), atol=1e-5)


def test_the_file_is_not_changed_by_running_it(model: Path) -> None:
    before = model.read_bytes()
    Runner(model, "cpu")(noise(1))
    assert model.read_bytes() == before


def test_the_arithmetic_is_put_before_a_copy_of_the_graph() -> None:
    proto = colours()
    before = proto.SerializeToString()
    longer = with_pixel_input(proto, CARD, "logits")
    assert proto.SerializeToString() == before
    assert [value.name for value in longer.graph.input] == ["iad/pixels"]
    assert longer.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [value.name for value in longer.graph.output] == ["logits"]


def test_an_output_of_another_width_than_the_classes_is_refused(tmp_path: Path) -> None:
    write_model(colours(width="k", classes=5), CARD, tmp_path / "m.onnx")
    with pytest.raises(ModelInvalid, match="has 5 outputs and 3 classes are named"):
        Runner(tmp_path / "m.onnx", "cpu")


def test_an_input_that_is_no_batch_of_images_is_refused(tmp_path: Path) -> None:
    proto = colours()
    del proto.graph.input[0].type.tensor_type.shape.dim[0]
    write_model(proto, CARD, tmp_path / "m.onnx")
    with pytest.raises(ModelInvalid, match="has 3 dimensions; an image batch has 4"):
        Runner(tmp_path / "m.onnx", "cpu")


def test_a_graph_that_the_runtime_cannot_open_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    proto = colours()
    proto.graph.node[1].op_type = "NoSuchOperator"
    write_model(proto, CARD, tmp_path / "m.onnx")
    with pytest.raises(ModelInvalid, match=r"ONNX Runtime cannot open .*m\.onnx.*NoSuchOperator"):
        Runner(tmp_path / "m.onnx", "cpu")


def test_images_of_another_size_are_an_error_of_the_model(model: Path) -> None:
    with pytest.raises(ModelInvalid, match='The model "colours" failed'):
        Runner(model, "cpu")(np.zeros((1, 9, 9, 3), np.uint8))
