"""A hostile model file ends in an error of this package, and never in a crash, a wait or somebody else's file."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from drawn import cat
from hostile import HARMLESS, MUTATIONS, REFUSED, loop, prepare
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import ASKED, CARD, SIDE, colours, keep_outside, save

from imagesasdata import add_model, classify_images, load_model
from imagesasdata.errors import ImagesAsDataError, ModelInvalid
from imagesasdata.graph import load_graph
from imagesasdata.modelfile import write_model
from imagesasdata.registry import user_folder

SECONDS = 120
Results = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What came of each file; one that ended the process says so, and the next process goes on after it."""
    folder = tmp_path_factory.mktemp("hostile")
    prepare(folder)
    cat().save(folder / "cat.png")
    found: Results = {}
    number = -1
    for _ in range(5):
        command = [sys.executable, str(Path(__file__).parent / "hostile.py"), str(folder), str(folder / "cat.png")]
        done = subprocess.run(
            [*command, str(number + 1)],
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=os.environ | {"IMAGESASDATA_CACHE": str(folder / "cache")},
        )
        lines = done.stdout.decode(errors="replace").splitlines()
        for line in (line for line in lines if line.startswith("[")):  # ONNX Runtime prints some of its own
            number, name, result = json.loads(line)
            found[name] = result or {"all": f"!!! ended with {done.returncode}: {done.stderr[-2000:]!r}"}
        if done.returncode == 0:
            break
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_an_error_of_the_package(name: str, results: Results) -> None:
    result = results[name]
    assert result.pop("load_model", "fine").startswith(("fine", "Model"))  # which opens no network
    for call, told in result.items():
        if call == "embed_images" and told == "fine":  # what is wrong comes after the embedding
            continue
        assert told.startswith("ModelInvalid: "), f"{call}: {told}"


@pytest.mark.parametrize("name", HARMLESS)
def test_it_does_no_harm(name: str, results: Results) -> None:
    assert results[name]["add_model"] == "fine"
    assert results[name]["embed_images"] == "fine"
    strange = "row: the model returned no number (NaN or infinite)"
    assert results[name]["classify_images"] == ("fine" if name == "a loop" else strange)


def test_a_file_with_wrong_bytes_is_used_or_refused(results: Results) -> None:
    told = {name: result for name, result in results.items() if name.startswith("mutation")}
    assert len(told) == MUTATIONS
    wrong = {name: r for name, r in told.items() if any(text.startswith("!!!") for text in r.values())}
    assert not wrong
    assert sum(result["add_model"] == "fine" for result in told.values()) < MUTATIONS * 0.7


def test_nothing_that_was_refused_stays_behind(tmp_path: Path) -> None:
    before = sorted(user_folder().glob("*")) if user_folder().exists() else []
    for name in ("a circle", "no outputs", "opset 0"):
        content = REFUSED[name]()
        path = tmp_path / "m.onnx"
        path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        with pytest.raises(ImagesAsDataError):
            add_model(path, **ASKED, size=SIDE)
    assert sorted(user_folder().glob("*")) == before


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_a_model_cut_anywhere_is_refused(part: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.onnx")
        write_model(colours(), CARD, path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(part * len(whole))])
        for call in (load_model, lambda model: classify_images([], model=model, progress=False)):
            with pytest.raises(ImagesAsDataError):
                call(path)


@pytest.mark.skipif(os.name == "nt", reason="on Windows links need a privilege")
@pytest.mark.parametrize("location", ["circle.bin", "folder/../../secret.bin", "inner/link.bin"])
def test_no_way_leads_out_of_the_models_folder(location: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    models = tmp_path / "models"
    (models / "circle.bin").symlink_to("circle.bin")
    (models / "inner").mkdir()
    (models / "inner" / "link.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(ModelInvalid, match=r"outside its own folder|there is no file"):
        load_graph(save(keep_outside(colours(), location), models / "m.onnx"))


ENDLESS = """
import signal, sys, imagesasdata as iad
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it starts in the background
print("begun", flush=True)
try:
    iad.load_model(sys.argv[1]).classify([])
except KeyboardInterrupt:
    print("ended", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_a_network_that_never_would(tmp_path: Path) -> None:
    card = dataclasses.replace(CARD, tensors={"input": "image", "output": "answer"})
    write_model(loop(2**62), card, tmp_path / "endless.onnx")
    command = [sys.executable, "-c", ENDLESS, str(tmp_path / "endless.onnx")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == "ended\n"
    finally:
        process.kill()
