"""The simulation of benchmarks/regression.py, small: intervals from predictions fail, corrected ones hold."""

from __future__ import annotations

import importlib.util
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest

REPLICATIONS = 40


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "regression.py"
    spec = importlib.util.spec_from_file_location("simulation", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("side", "accuracy", "clusters"), [("covariate", 0.85, False), ("covariate", 0.7, True), ("outcome", 0.85, True)]
)
@pytest.mark.parametrize("family", ("gaussian", "binomial", "poisson", "negbin"))
def test_corrected_intervals_cover_and_are_narrower_than_those_of_the_labels(
    family: str, side: str, accuracy: float, clusters: bool, simulation: ModuleType
) -> None:
    setting = simulation.Setting(side, family, accuracy, dependent=True, unequal=True, clusters=clusters)
    found = simulation.covered(setting, Namespace(replications=REPLICATIONS, labels=300, repeats=1, seed=1))
    assert found["failed"] == 0
    assert found["corrected"] >= 34 / REPLICATIONS  # with probability 0.9966 at 95 percent
    assert found["width"] < 0.95
    # In that model, errors that depend on z happen to leave the naive slope near the truth.
    if (side, family) != ("outcome", "binomial"):
        assert found["naive"] < 0.75
