"""How large standard errors would be with more labels, against what they are with these."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata import power_regress
from imagesasdata.errors import ArgumentInvalid
from imagesasdata.regression.result import Regression

ONE = ({"protest": "seen"}, {"protest": "coded"})
N, ACCOUNTS = 4000, 100


def posts(seed: int = 1, labels: int = 300, alike: float = 0.0, accuracy: float = 0.85) -> pd.DataFrame:
    """Return posts whose accounts are alike, if so asked, in z and in what the model leaves to chance."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, ACCOUNTS, N)

    def shared() -> np.ndarray[Any, np.dtype[np.float64]]:
        of_account = rng.normal(size=ACCOUNTS)[account]
        return np.asarray(np.sqrt(alike) * of_account + np.sqrt(1 - alike) * rng.normal(size=N))

    protest = (rng.random(N) < 0.4).astype(float)
    frame = pd.DataFrame({"account": account, "z": shared(), "protest": protest, "pi": labels / N})
    frame["likes"] = 0.5 + protest - 0.4 * frame["z"] + shared()
    frame["seen"] = np.where(rng.random(N) < accuracy, protest, 1 - protest)
    frame["coded"] = np.where(rng.permutation(N) < labels, protest, np.nan)
    return frame


def linear(labels: int, **options: Any) -> Regression:
    return iad.regress("likes ~ protest + z", posts(labels=labels), *ONE, **{"sampling_prob": "pi", **options})


def test_more_labels_bring_what_the_power_says() -> None:
    few, many = linear(300), linear(1200)
    said = power_regress(few, [300, 1200], "protest").metrics
    assert said["std_error"][0] == pytest.approx(few.bse["protest"])
    assert said["std_error"][1] == pytest.approx(many.bse["protest"], rel=0.15)
    assert said["conf_high"][0] == pytest.approx(few.conf_int().loc["protest", "conf_high"])
    needed = power_regress(few, std_error=float(said["std_error"][1]), terms=["protest", "z"]).needed
    assert 1195 <= needed["n_labelled"][0] <= 1205
    assert power_regress(few, std_error=1e-6).needed["n_labelled"].isna().all()


def test_a_power_that_cannot_be_is_refused() -> None:
    few = linear(300)
    for wrong in ({"n_labelled": [1]}, {"n_labelled": [9999]}, {"terms": ["x"]}, {"std_error": 0.0}):
        with pytest.raises(ArgumentInvalid):
            power_regress(few, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ArgumentInvalid, match="naive"):
        power_regress(linear(300, method="naive"))


@pytest.mark.parametrize("method", ["dsl", "labels"])
def test_in_clusters_more_labels_do_not_help_against_what_the_clusters_share(method: str) -> None:
    def error(labels: int, asked: int) -> float:
        """Return the mean standard error of z over some draws."""
        found = []
        for seed in range(12):
            frame = posts(seed, labels, alike=0.5)
            fitted = iad.regress(
                "likes ~ protest + z", frame, *ONE, sampling_prob="pi", cluster="account", method=method, repeats=1
            )
            found.append(power_regress(fitted, [asked], "z").metrics["std_error"][0])
        return float(np.mean(found))

    said, real = error(300, 2400), error(2400, 2400)
    assert said == pytest.approx(real, rel=0.15)
    assert said > 0.8 * error(2400, N)  # most of it is the clusters'


def test_by_prediction_powered_inference_the_part_of_the_other_rows_stays() -> None:
    frame = posts(accuracy=0.98)
    options: dict[str, Any] = {"family": "binomial", "sampling_prob": "pi"}
    few = iad.regress("protest ~ z", frame, *ONE, method="ppi", **options)
    whole = iad.regress("protest ~ z", frame.assign(coded=frame["protest"], pi=1.0), *ONE, method="labels", **options)
    said = power_regress(few, [300, N], "z").metrics["std_error"]
    assert said[0] == pytest.approx(few.bse["z"])
    assert said[1] == pytest.approx(whole.bse["z"], rel=0.1)


def test_with_groups_it_promises_no_more_than_predictions_for_all_rows() -> None:
    found = linear(300, absorb="account")
    errors = power_regress(found, [300, 1200, N], "protest").metrics["std_error"]
    naive = found.estimate_of("naive")
    assert naive is not None
    assert errors[0] == pytest.approx(found.bse["protest"])
    assert errors[0] > errors[1] > errors[2] > 0.98 * np.sqrt(naive[1][0, 0])
    assert errors[1] == pytest.approx(linear(1200, absorb="account").bse["protest"], rel=0.2)
