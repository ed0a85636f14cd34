"""Formulas of predicted variables: interactions, transformations, categories, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from imagesasdata.errors import ArgumentInvalid, LabelsInvalid
from imagesasdata.regression.regress import regress


def posts(n: int = 1200, m: int = 300, accuracy: float = 0.9) -> pd.DataFrame:
    """Return posts with a predicted covariate ``protest``, also as text, and a predicted outcome ``angry``."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"followers": rng.gamma(2, 100, n), "place": rng.choice(["a", "b", "c"], n)})
    frame["protest"] = rng.integers(0, 2, n).astype(float)
    log = np.log(frame["followers"])
    frame["likes"] = 1 + 2 * frame["protest"] + 0.5 * log - 0.3 * frame["protest"] * log + rng.normal(size=n)
    frame["retweets"] = rng.poisson(np.exp(0.2 + 0.6 * frame["protest"]) * rng.gamma(2, 0.5, n))
    frame["seen"] = np.where(rng.random(n) < accuracy, frame["protest"], 1 - frame["protest"])
    frame["coded"] = frame["protest"].where(rng.permutation(n) < m)
    frame["seen_text"] = frame["seen"].map({0.0: "no", 1.0: "yes"})
    frame["coded_text"] = frame["coded"].map({0.0: "no", 1.0: "yes"})
    return frame


def test_interactions_and_transformations_are_those_of_the_full_data_when_predictions_are_perfect() -> None:
    frame = posts(accuracy=1.1)
    found = regress(
        "likes ~ protest * log(followers) + place", frame, {"protest": "seen"}, {"protest": "coded"}, repeats=2
    )
    whole = smf.ols("likes ~ protest * np.log(followers) + place", frame).fit()
    np.testing.assert_allclose(sorted(found.params), sorted(whole.params), atol=1e-8)


def test_text_and_numbers_give_the_same_covariate() -> None:
    frame = posts()
    number = regress("likes ~ protest", frame, {"protest": "seen"}, {"protest": "coded"}, repeats=2)
    text = regress("likes ~ protest", frame, {"protest": "seen_text"}, {"protest": "coded_text"}, repeats=2)
    np.testing.assert_allclose(text.params, number.params, atol=0.05)
    assert text.accuracy.equals(number.accuracy)


@pytest.mark.parametrize("family", ("poisson", "negbin"))
def test_counts_on_a_predicted_covariate(family: str) -> None:
    found = regress("retweets ~ protest", posts(), {"protest": "seen"}, {"protest": "coded"}, family=family, repeats=2)
    assert abs(found.params["protest"] - 0.6) < 3 * found.bse["protest"]
    assert list(found.params.index)[-1] == ("alpha" if family == "negbin" else "protest")


def test_a_predicted_outcome_by_both_methods() -> None:
    frame = posts()
    formula = "protest ~ log(followers)"
    dsl, ppi = (
        regress(formula, frame, {"protest": "seen"}, {"protest": "coded"}, "binomial", method=method, repeats=2)
        for method in ("dsl", "ppi")
    )
    np.testing.assert_allclose(dsl.params, ppi.params, atol=0.5 * float(dsl.bse.max()))


def test_rows_with_missing_values_are_left_out_with_a_note_and_missing_predictions_are_not() -> None:
    frame = posts()
    frame.loc[:4, "followers"] = np.nan
    frame.loc[10:19, "seen"] = np.nan
    found = regress("likes ~ protest + followers", frame, {"protest": "seen"}, {"protest": "coded"}, repeats=1)
    assert found.nobs == 1195
    assert "5 row(s) with missing values" in found.notes[0]
    assert any("10 row(s) have no prediction of protest" in note for note in found.notes)


def test_what_does_not_fit_is_refused() -> None:
    frame = posts()
    with pytest.raises(ArgumentInvalid, match="does not have"):
        regress("likes ~ followers", frame, {"protest": "seen"}, {"protest": "coded"})
    with pytest.raises(ArgumentInvalid, match="no such column"):
        regress("likes ~ protest", frame, {"protest": "look"}, {"protest": "coded"})
    with pytest.raises(ArgumentInvalid, match="needs an outcome"):
        regress("protest", frame, {"protest": "seen"}, {"protest": "coded"})
    frame["prob_no"], frame["prob_maybe"] = 0.5, 0.5
    with pytest.raises(LabelsInvalid, match="none of the predicted classes"):
        regress("likes ~ protest", frame, {"protest": ["prob_no", "prob_maybe"]}, {"protest": "coded_text"})
