"""Python, R and the shell give the same table for the same images, and the verbs have the same arguments."""

from __future__ import annotations

import inspect
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.cli import main
from imagesasdata.tablefiles import read_table
from imagesasdata.tables import to_pandas

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "python"))

pytestmark = pytest.mark.r

# Python's name of each public verb, and R's, which differs for one. `to_r` is for sessions that began in Python.
VERBS = {
    name: "iad_doctor" if name == "doctor" else name
    for name in iad.__all__
    if callable(getattr(iad, name)) and not isinstance(getattr(iad, name), type) and name != "to_r"
}


def rscript(script: str, *arguments: str) -> None:
    """Run an R script of this folder; its messages are shown when it fails."""
    done = subprocess.run(
        ["Rscript", "--vanilla", str(HERE / script), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def in_r(tmp_path: Path, verb: str, frame: pd.DataFrame | None = None, **arguments: Any) -> dict[str, Any]:
    """Call a verb in R and return what came out."""
    call: dict[str, Any] = {"verb": verb, "arguments": {"progress": False, **arguments}}
    if frame is not None:
        call["frame"] = {name: plain(frame[name]) for name in frame.columns}
    (tmp_path / "call.json").write_text(json.dumps(call), encoding="utf-8")
    rscript("call_verb.R", str(tmp_path / "call.json"), str(tmp_path / "answer.json"))
    answer: dict[str, Any] = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    return answer


def plain(column: pd.Series[Any]) -> list[Any]:
    """Return a column's values as JSON would hold them, missing ones as None."""
    return [None if pd.isna(value) else value for value in column.tolist()]


def assert_same(table: pd.DataFrame, answer: dict[str, Any]) -> None:
    """Same columns in the same order, same rows, same text; numbers to 1e-6; same levels of factors."""
    assert list(answer["columns"]) == table.columns.tolist()
    assert answer["rows"] == [len(table)]
    for name in table.columns:
        expected, got = plain(table[name]), answer["columns"][name]
        if pd.api.types.is_float_dtype(table[name].dtype):
            as_numbers = [np.array([math.nan if v is None else v for v in values], float) for values in (got, expected)]
            np.testing.assert_allclose(*as_numbers, atol=1e-6, rtol=0, err_msg=name)
        else:
            assert got == expected, name
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            assert answer["classes"][name] == ["factor"]
            assert answer["levels"][name] == table[name].cat.categories.tolist()


@pytest.fixture(scope="module")
def everything(photographs: Path, odd_files: Path) -> list[str]:
    """At least 12 real photographs and 12 broken or odd files, and one that is not there."""
    good, odd = sorted(map(str, photographs.iterdir())), sorted(map(str, odd_files.iterdir()))
    assert len(good) >= 12
    assert len(odd) >= 12
    return [*good, *odd, str(photographs / "gone.jpg")]


def test_classify_images_is_the_same_in_python_r_and_the_shell(everything: list[str], tmp_path: Path) -> None:
    table = iad.classify_images(everything, progress=False)
    assert_same(table, in_r(tmp_path, "classify_images", images=everything))
    assert main(["classify", *everything, "--out", str(tmp_path / "p.parquet")]) == 2
    pd.testing.assert_frame_equal(to_pandas(read_table(tmp_path / "p.parquet")), table, atol=1e-6)


def test_all_probabilities_are_the_same(everything: list[str], tmp_path: Path) -> None:
    table = iad.classify_images(everything[:6], model="efficientnet_lite2", probs=True, progress=False)
    answer = in_r(tmp_path, "classify_images", images=everything[:6], model="efficientnet_lite2", probs=True)
    assert table.shape[1] == 1004
    assert_same(table, answer)


def test_a_folder_is_read_in_the_same_order(photographs: Path, tmp_path: Path) -> None:
    assert_same(
        iad.classify_images(photographs, progress=False), in_r(tmp_path, "classify_images", images=str(photographs))
    )


def test_a_data_frame_with_missing_paths_comes_back_the_same(photographs: Path, tmp_path: Path) -> None:
    names = [p.name for p in sorted(photographs.iterdir())][:4]
    frame = pd.DataFrame({"post": list("abcde"), "path": [*names[:2], None, *names[2:]]})
    options = {"image_col": "path", "image_dir": str(photographs)}
    table = iad.classify_images(frame, **options, progress=False)
    assert_same(table, in_r(tmp_path, "classify_images", frame=frame, **options))


def test_tag_images_is_the_same(everything: list[str], tmp_path: Path) -> None:
    table = iad.tag_images(everything, top=3, threshold=0.1, progress=False)
    answer = in_r(tmp_path, "tag_images", images=everything, top=3, threshold=0.1)
    assert_same(table, answer)
    assert answer["classes"]["rank"] == ["integer"]


@pytest.fixture(scope="module")
def faces(photographs: Path, odd_files: Path) -> list[str]:
    """Photographs with a face and without, a broken file, and one that is not there."""
    odd = sorted(map(str, odd_files.iterdir()))
    names = ("astronaut.jpg", "coffee.png", "gone.jpg")
    return [*(str(photographs / name) for name in names), *odd[:5]]


def test_faces_and_expressions_are_the_same_in_python_r_and_the_shell(faces: list[str], tmp_path: Path) -> None:
    table = iad.detect_faces(faces, min_size=40, progress=False)
    assert table["face"].notna().any()
    assert_same(table, in_r(tmp_path, "detect_faces", images=faces, min_size=40))
    assert main(["faces", *faces, "--min-size", "40", "--out", str(tmp_path / "f.parquet")]) == 2
    pd.testing.assert_frame_equal(to_pandas(read_table(tmp_path / "f.parquet")), table, atol=1e-6)
    scored = iad.score_expressions(faces, min_size=40, progress=False)
    assert_same(scored, in_r(tmp_path, "score_expressions", images=faces, min_size=40))


def test_recognition_is_the_same_in_python_r_and_the_shell(faces: list[str], tmp_path: Path) -> None:
    known = str(tmp_path / "known.parquet")
    people = pd.DataFrame({"image": [faces[0]], "person": ["Eileen Collins"]})
    iad.enroll_people(people, out=known, purpose="A test.", progress=False)
    given = {"people": known, "threshold": 0.5, "purpose": "A test.", "min_size": 40}
    table = iad.recognize_faces(faces, **given, progress=False)
    assert table["person"].tolist()[0] == "Eileen Collins"
    assert_same(table, in_r(tmp_path, "recognize_faces", images=faces, **given))
    shell = ["recognize", *faces, "--people", known, "--threshold", "0.5", "--purpose", "A test.", "--min-size", "40"]
    assert main([*shell, "--out", str(tmp_path / "r.parquet")]) == 2
    pd.testing.assert_frame_equal(to_pandas(read_table(tmp_path / "r.parquet")), table, atol=1e-6)


def test_hidden_faces_are_the_same_in_python_r_and_the_shell(faces: list[str], tmp_path: Path) -> None:
    table = iad.blur_faces(faces[:3], tmp_path / "python", min_size=40, progress=False)
    answer = in_r(tmp_path, "blur_faces", images=faces[:3], out=str(tmp_path / "r"), min_size=40)
    log = str(tmp_path / "log.csv")
    assert main(["blur", *faces[:3], "--out", str(tmp_path / "shell"), "--min-size", "40", "--log", log]) == 2
    assert len(pd.read_csv(log)) == len(table)
    del answer["columns"]["copy"]
    assert_same(table.drop(columns="copy"), answer)
    for name in ("astronaut.jpg", "coffee.png"):
        copies = {(tmp_path / where / name).read_bytes() for where in ("python", "r", "shell")}
        assert len(copies) == 1


def test_embed_images_is_the_same(everything: list[str], tmp_path: Path) -> None:
    some = everything[10:16]
    assert_same(iad.embed_images(some, progress=False), in_r(tmp_path, "embed_images", images=some))


def test_strip_metadata_is_the_same(everything: list[str], tmp_path: Path) -> None:
    table = iad.strip_metadata(everything, tmp_path / "python", progress=False)
    answer = in_r(tmp_path, "strip_metadata", images=everything, out=str(tmp_path / "r"))
    table["written"] = table["written"].str.replace(str(tmp_path / "python"), str(tmp_path / "r"), regex=False)
    assert_same(table, answer)
    for path in table["written"].dropna():
        assert Path(path).read_bytes() == (tmp_path / "python" / Path(path).relative_to(tmp_path / "r")).read_bytes()


def test_the_provenance_is_the_same(everything: list[str], tmp_path: Path) -> None:
    said = iad.classify_images(everything[:1], progress=False).attrs["imagesasdata"]
    answer = in_r(tmp_path, "classify_images", images=everything[:1])["provenance"]
    for key in ("verb", "package_version", "model", "model_sha256", "device", "onnxruntime", "pillow"):
        assert answer[key] == [said[key]], key


def test_the_verbs_have_the_same_arguments_and_defaults_in_both_languages(tmp_path: Path) -> None:
    rscript("signatures.R", str(tmp_path / "r.json"), *VERBS.values())
    assert {"classify_images", "merge_predictions", "load_model"} <= set(VERBS)
    in_r_: dict[str, dict[str, str]] = json.loads((tmp_path / "r.json").read_text())
    for name, r_name in VERBS.items():
        python = {
            argument.name: "<required>" if argument.default is argument.empty else argument.default
            for argument in inspect.signature(getattr(iad, name)).parameters.values()
        }
        r = in_r_[r_name] or {}
        assert list(r) == list(python), name
        for argument, default in python.items():
            assert as_python(r[argument]) == default, f"{name}({argument}=)"


def as_python(default: str) -> Any:
    """Read R's text of a default as Python's value."""
    words = {"NULL": None, "TRUE": True, "FALSE": False, "<required>": "<required>"}
    if default in words:
        return words[default]
    if default.startswith('"'):
        return json.loads(default)
    return float(default.rstrip("L"))


def test_a_model_trained_in_r_is_the_same_file_with_the_same_figures(class_folders: Path, tmp_path: Path) -> None:
    model = iad.fine_tune(class_folders, method="head", out=tmp_path / "places.onnx", progress=False)
    (tmp_path / "r").mkdir()
    from_r = tmp_path / "r" / "places.onnx"
    rscript("train.R", str(class_folders), str(from_r), str(tmp_path / "answer.json"))
    assert from_r.read_bytes() == model.path.read_bytes()
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert model.validation is not None
    metrics = model.validation.metrics
    assert answer["metrics"]["metric"] == metrics["metric"].tolist()
    for column in ("estimate", "conf_low", "conf_high"):
        got = [math.nan if value is None else value for value in answer["metrics"][column]]
        np.testing.assert_allclose(got, metrics[column].to_numpy(float), atol=1e-12)
    evaluated = iad.evaluate_predictions(model.validation.predictions, "truth").metrics
    assert answer["evaluated"]["estimate"] == pytest.approx(evaluated["estimate"].tolist(), nan_ok=True, abs=1e-12)
    np.testing.assert_allclose(answer["prob"], model.classify(class_folders, progress=False)["prob"], atol=1e-6)
    assert answer["lines"] == list(model.validation.lines)
    assert answer["duplicates"] == [len(iad.find_duplicates(class_folders, progress=False))]
    assert answer["sampled"] == iad.sample_images(class_folders, 7, seed=3)["image"].tolist()
