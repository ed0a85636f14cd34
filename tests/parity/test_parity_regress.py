"""Regressions, shares and powers are the same numbers in Python and in R, on the same data with the same seed."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from test_parity import rscript

import imagesasdata as iad

pytestmark = pytest.mark.r

CLASSES = ("march", "riot", "vigil")


def posts(n: int = 800) -> pd.DataFrame:
    """Posts of 100 accounts with errors of a classifier that depend on another covariate, and unequal sampling."""
    rng = np.random.default_rng(7)
    account = np.arange(n) % 100
    x = rng.normal(size=n).round(6)
    city = rng.choice(["Lima", "Oslo", "Rome"], n)
    protest = rng.random(n) < 0.4
    right = rng.random(n) < np.where(x > 0, 0.9, 0.8)
    event = rng.integers(0, 3, n)
    mean = 0.3 + 0.6 * protest + 0.3 * x + 0.3 * rng.normal(size=100)[account]
    prob = np.where(x > 0, 0.5, 0.25)
    known = rng.random(n) < prob
    frame = pd.DataFrame({"account": account, "x": x, "city": city, "chosen": prob})
    frame["weight"] = rng.integers(1, 4, n)
    frame["predicted"] = np.where(right, protest, ~protest).astype(int)
    frame["prob_protest"] = np.where(frame["predicted"] == 1, 0.8, 0.15).round(3)
    frame["coded"] = np.where(known, protest, np.nan)
    frame["word"] = np.where(known, np.where(protest, "protest", "other"), None)
    frame["alike"] = np.where(protest, "protest", "other")
    for j, name in enumerate(CLASSES):
        frame[f"prob_{name}"] = np.where(right, np.where(event == j, 0.7, 0.15), [0.5, 0.3, 0.2][j])
    frame["event"] = np.where(known, np.array(CLASSES)[event], None)
    frame["likes"] = (mean + 0.4 * event + rng.normal(size=n)).round(6)
    frame["shared"] = (rng.random(n) < 1 / (1 + np.exp(-mean))).astype(int)
    frame["retweets"] = rng.poisson(np.exp(mean))
    frame["comments"] = rng.poisson(np.exp(mean) * rng.gamma(2, 0.5, n))
    frame.loc[3, "x"] = np.nan
    return frame


COVARIATE = {"predicted": {"protest": "predicted"}, "labelled": {"protest": "coded"}, "repeats": 2}
PROBABILITY = {"predicted": {"protest": "prob_protest"}, "labelled": {"protest": "word"}, "repeats": 2}
CATEGORY = {
    "predicted": {"event": [f"prob_{name}" for name in CLASSES]},
    "labelled": {"event": "event"},
    "repeats": 2,
    "sampling_prob": "chosen",
}
UNEQUAL = {**COVARIATE, "sampling_prob": "chosen", "cluster": "account"}
CASES: dict[str, dict[str, Any]] = {
    "linear": {"formula": "likes ~ protest * x + city", **COVARIATE},
    "logit": {"formula": "shared ~ protest * x + city", "family": "binomial", **UNEQUAL},
    "poisson": {"formula": "retweets ~ protest + x", "family": "poisson", "weights": "weight", **UNEQUAL},
    "negative binomial": {"formula": "comments ~ protest + x", "family": "negbin", **UNEQUAL, "seed": 5},
    "predicted outcome": {"formula": "protest ~ x + city", "family": "binomial", **PROBABILITY},
    "prediction-powered": {"formula": "protest ~ x", "family": "binomial", **COVARIATE, "method": "ppi"},
    "hand labels": {"formula": "likes ~ protest + x", **UNEQUAL, "method": "labels", "conf_level": 0.9},
    "fixed effects": {"formula": "likes ~ protest + x", **UNEQUAL, "absorb": "account", "folds": 3},
    "three classes": {"formula": "likes ~ event * x", **CATEGORY},
    "both sides": {
        "formula": "protest ~ event + x",
        **CATEGORY,
        "predicted": {**CATEGORY["predicted"], "protest": "prob_protest"},
        "labelled": {"event": "event", "protest": "coded"},
    },
}
SHARES: dict[str, dict[str, Any]] = {
    "share": {**UNEQUAL, "by": "city"},
    "shares of classes": {**CATEGORY, "by": "city", "weights": "weight"},
    "prediction-powered share": {**COVARIATE, "by": "city", "method": "ppi"},
    "labels all alike": {**UNEQUAL, "by": "alike"},
}
POWER = {"n_labelled": [100, 250, 700], "terms": ["protest", "x"], "std_error": 0.1}


def plain(table: pa.Table) -> list[list[Any]]:
    """Return the columns, without their names: terms are called otherwise in R."""
    return [column.to_pylist() for column in table.columns]


def assert_same(tables: dict[str, pa.Table], answer: dict[str, Any]) -> None:
    """Same tables, same shape, same text but for the names of terms; numbers to 1e-10."""
    assert list(answer["tables"]) == list(tables)
    for name, table in tables.items():
        theirs = answer["tables"][name]
        assert len(theirs) == table.num_columns
        for field, mine, other in zip(table.schema, plain(table), theirs.values(), strict=True):
            if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
                a, b = (np.array([np.nan if v is None else v for v in column], float) for column in (mine, other))
                np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10, err_msg=f"{name}, {field.name}")
            elif field.name != "term":
                assert other == mine


@pytest.fixture(scope="module")
def in_r(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What R finds, case by case."""
    folder = tmp_path_factory.mktemp("regress")
    posts().to_csv(folder / "posts.csv", index=False)
    cases: dict[str, Any] = {name: {"verb": "regress", "arguments": case} for name, case in CASES.items()}
    cases |= {name: {"verb": "estimate_share", "arguments": case} for name, case in SHARES.items()}
    cases["power"] = {**cases["logit"], "power": POWER}
    (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    rscript("regress.R", str(folder / "posts.csv"), str(folder / "cases.json"), str(folder / "answer.json"))
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    return answer


def quietly(verb: Any, *args: Any, **arguments: Any) -> Any:
    """Call a verb without its warnings, which are compared as notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", iad.ImagesAsDataWarning)
        return verb(*args, **arguments)


@pytest.mark.parametrize("name", CASES)
def test_a_regression_is_the_same_in_both_languages(name: str, in_r: dict[str, Any]) -> None:
    found = quietly(iad.regress, data=posts(), **CASES[name])
    assert_same(found.tables, in_r[name])
    assert in_r[name]["notes"] == list(found.notes)
    facts = {key: None if value == {} or value is None else value[0] for key, value in in_r[name]["facts"].items()}
    assert facts == found.facts


@pytest.mark.parametrize("name", SHARES)
def test_a_share_is_the_same_in_both_languages(name: str, in_r: dict[str, Any]) -> None:
    found = quietly(iad.estimate_share, data=posts(), **SHARES[name])
    assert_same(found.tables, in_r[name])
    assert in_r[name]["printed"] == repr(found).splitlines()
    assert in_r[name]["notes"] == list(found.notes)


def test_power_is_the_same_in_both_languages(in_r: dict[str, Any]) -> None:
    found = iad.power_regress(quietly(iad.regress, data=posts(), **CASES["logit"]), **POWER)
    assert_same(found.tables, in_r["power"])
    assert found.tables["needed"].num_rows == 2
