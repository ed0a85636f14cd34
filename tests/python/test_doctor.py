"""The doctor says what there is, what a session really got, and what to do; it never falls ill itself."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from networks import ASKED, colours, save

import imagesasdata as iad
from imagesasdata import doctor as doctor_verb
from imagesasdata import registry
from imagesasdata.errors import DeviceUnavailable

ROOM = sys.modules["imagesasdata.doctor"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMAGESASDATA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def rows() -> pd.DataFrame:
    return iad.doctor().set_index("item")


def test_it_says_versions_places_and_the_python_in_use(cache: Path) -> None:
    table = rows()
    assert table.columns.tolist() == ["value", "status", "advice"]
    assert table.index.is_unique
    assert iad.__version__ in table.loc["imagesasdata", "value"]
    assert sys.executable in table.loc["python", "value"]
    assert table.loc["pandas", "value"] == pd.__version__
    assert table.loc["cache", "value"] == str(cache)
    assert str(registry.bundled_folder()) in table.loc["models", "value"]
    assert table.loc["model efficientnet_lite0", "value"] == "single, 1,000 classes"


def test_every_status_is_one_of_three_and_what_is_not_well_has_advice_or_a_reason() -> None:
    table = rows()
    assert set(table["status"]) <= {"ok", "note", "problem"}
    unwell = table[table["status"] != "ok"]
    assert (unwell["advice"].notna() | (unwell.index == "GPU")).all()
    assert table.loc[table["status"] == "ok", "advice"].isna().all()


def test_it_says_which_device_a_session_got_and_why_not_a_better_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROOM, "gpu_problem", lambda: "no NVIDIA driver was found")

    class OnlyCpu:
        def __init__(self, path: Path, device: str) -> None:
            if device == "cuda":
                raise DeviceUnavailable('device="cuda" cannot be had: no NVIDIA driver was found.')
            self.device, self.reason = "cpu", "no NVIDIA driver was found"

    monkeypatch.setattr(ROOM, "Runner", OnlyCpu)
    table = rows()
    assert table.loc['device="auto"'].tolist() == ["a session got cpu", "note", "no NVIDIA driver was found"]
    assert table.loc['device="cuda"'].tolist() == [
        "not available",
        "note",
        'device="cuda" cannot be had: no NVIDIA driver was found.',
    ]
    assert table.loc["GPU"].tolist()[:2] == ["no NVIDIA driver was found", "note"]


def test_optional_packages_that_are_missing_are_notes_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ROOM._version
    monkeypatch.setattr(ROOM, "_version", lambda name: None if name in ROOM.OPTIONAL else real(name))
    table = rows()
    for name in ("torch", "rpy2", "pillow-heif"):
        assert table.loc[name, ["value", "status"]].tolist() == ["not installed", "note"]
        assert f"{sys.executable} -m pip install " in table.loc[name, "advice"]
        assert f"[{ROOM.OPTIONAL[name][1]}]" in table.loc[name, "advice"]


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        (None, "'imagesasdata[train]'"),
        ({"url": "file:///a/b", "dir_info": {}}, "'imagesasdata[train] @ file:///a/b'"),
        ({"url": "file:///a/b", "dir_info": {"editable": True}}, "-e '/a/b[train]'"),
        ({"url": "https://a.org/b", "vcs_info": {"vcs": "git"}}, "'imagesasdata[train] @ git+https://a.org/b'"),
    ],
)
def test_a_command_installs_from_where_the_package_came(
    origin: dict[str, object] | None, requirement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Distribution:
        def read_text(self, name: str) -> str | None:
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Distribution())
    assert ROOM._with_extra("train") == requirement


def test_two_runtimes_that_overwrite_each_other_are_a_problem_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROOM, "_version", lambda name: "1.20")
    table = rows()
    assert table.loc["onnxruntime", "status"] == "problem"
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in table.loc["onnxruntime", "advice"]


def test_the_users_models_are_told_and_broken_ones_are_a_problem(tmp_path: Path, cache: Path) -> None:
    iad.add_model(save(colours(), tmp_path / "mine.onnx"), **ASKED)
    (cache / "models" / "broken.onnx").write_bytes(b"<html>")
    table = rows()
    assert table.loc["model mine", ["value", "status"]].tolist() == ["single, 3 classes", "ok"]
    assert table.loc["model broken", "status"] == "problem"
    assert "is not an ONNX model" in table.loc["model broken", "advice"]


def test_it_runs_also_where_the_bundled_models_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "bundled_folder", lambda: tmp_path)
    table = rows()
    assert table.loc['device="auto"', "status"] == "problem"
    assert "There is no model" in table.loc['device="auto"', "advice"]


def test_it_is_the_same_as_arrow() -> None:
    assert doctor_verb.arrow().column("item").to_pylist() == rows().index.tolist()
