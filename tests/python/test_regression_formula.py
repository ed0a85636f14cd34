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


COLUMNS = ({"protest": "seen"}, {"protest": "coded"})


@pytest.mark.parametrize(
    ("formula", "same"),
    (
        ("likes ~ protest + scale(followers)", "likes ~ protest + I((followers - m) / s)"),
        ("likes ~ protest * center(np.log(followers))", "likes ~ protest * I(np.log(followers) - l)"),
        ("likes ~ protest + poly(followers, 2)", "likes ~ protest + followers + I(followers ** 2)"),
        (
            "likes ~ protest + bs(followers, df=3)",
            "likes ~ protest + followers + I(followers ** 2) + I(followers ** 3)",
        ),
        ("likes ~ protest + np.sqrt(`the fans`)", "likes ~ protest + np.sqrt(followers)"),
        ("likes ~ protest + {Q('the fans') + 1}", "likes ~ protest + I(followers + 1)"),
    ),
)
def test_the_columns_inside_functions_are_found(formula: str, same: str) -> None:
    frame = posts(accuracy=1.1)
    fans, log = frame["followers"], np.log(frame["followers"])
    known = frame.assign(m=fans.mean(), s=fans.std(), l=log.mean())
    found = regress(formula, frame.assign(**{"the fans": fans}), *COLUMNS, repeats=1)
    assert found.params["protest"] == pytest.approx(smf.ols(same, known).fit().params["protest"], abs=1e-6)


def counts(never: int) -> pd.DataFrame:
    """Return posts with a count of faces from 0 to 3, of which one is never predicted and all are labelled."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"faces": rng.integers(0, 4, 900), "x": rng.normal(size=900)})
    frame["likes"] = frame["faces"] ** 2 + frame["x"] + rng.normal(size=900)
    frame["seen"] = np.where(rng.random(900) < 0.8, frame["faces"], rng.integers(0, 4, 900))
    frame["seen"] = frame["seen"].where(frame["seen"] != never, 0)
    return frame


@pytest.mark.parametrize("never", (3, -1))
def test_a_number_may_be_a_category_with_levels_that_are_never_predicted(never: int) -> None:
    frame = counts(never).assign(pi=1.0)
    whole = smf.ols("likes ~ C(faces) * x", frame).fit()
    columns = ({"faces": "seen"}, {"faces": "faces"})
    found = regress("likes ~ C(faces) * x", frame, *columns, sampling_prob="pi", repeats=1)
    np.testing.assert_allclose(found.params, whole.params, atol=1e-8)
    some = frame.assign(coded=frame["faces"].where(np.arange(900) % 3 == 0), pi=1 / 3)
    for formula, labels in (("likes ~ C(faces) + x", some["coded"]), ("likes ~ faces + x", as_text(some["coded"]))):
        found = regress(formula, some.assign(coded=labels), {"faces": "seen"}, {"faces": "coded"}, sampling_prob="pi")
        np.testing.assert_allclose(found.params.iloc[1:4], (1, 4, 9), atol=0.6)
        assert found.accuracy["metric"][0] == "accuracy"


def as_text(numbers: pd.Series) -> pd.Series:
    return numbers.astype("Int64").astype("string")


def test_a_zero_and_one_that_is_never_predicted_to_be_one_has_a_column() -> None:
    frame = posts().assign(seen=0.0)
    plain = regress("likes ~ protest", frame, *COLUMNS, repeats=1)
    category = regress("likes ~ C(protest)", frame, *COLUMNS, repeats=1)
    np.testing.assert_allclose(category.params, plain.params, atol=1e-10)


def test_an_outcome_of_two_classes_is_0_for_the_first_and_1_for_the_second() -> None:
    frame = posts()
    number = regress("protest ~ followers", frame, *COLUMNS, family="binomial", repeats=2)
    text = ({"protest": "seen_text"}, {"protest": "coded_text"})
    for formula, columns in (("protest ~ followers", text), ("C(protest) ~ followers", COLUMNS)):
        found = regress(formula, frame, *columns, family="binomial", repeats=2)
        np.testing.assert_allclose(found.params, number.params, atol=0.02)
    frame["large"] = np.where(frame["likes"] > 3, "yes", "no")
    found = regress("large ~ protest", frame, *COLUMNS, family="binomial", repeats=1)
    logical = regress("big ~ protest", frame.assign(big=frame["likes"] > 3), *COLUMNS, family="binomial", repeats=1)
    np.testing.assert_allclose(found.params, logical.params, atol=1e-10)
    with pytest.raises(ArgumentInvalid, match="category with 3 levels"):
        regress("place ~ protest", frame, *COLUMNS, family="binomial")


def test_a_date_is_a_number_of_days() -> None:
    frame = posts().assign(days=lambda f: np.arange(len(f)) % 50)
    frame["day"] = pd.Timestamp("1970-01-01") + pd.to_timedelta(frame["days"], "D")
    number = regress("likes ~ protest + days", frame, *COLUMNS, repeats=1)
    for day in (frame["day"], frame["day"].dt.date, frame["day"].dt.tz_localize("UTC"), frame["day"] - frame["day"][0]):
        found = regress("likes ~ protest + day", frame.assign(day=day), *COLUMNS, repeats=1)
        np.testing.assert_allclose(found.params, number.params, atol=1e-10)
    assert "C(day.dt.month)[T.2]" in regress("likes ~ protest + C(day.dt.month)", frame, *COLUMNS, repeats=1).params


def test_a_level_that_no_row_has_is_no_column() -> None:
    frame = posts()
    text = regress("likes ~ protest + place", frame, *COLUMNS, repeats=1)
    frame["place"] = pd.Categorical(frame["place"], categories=["a", "b", "c", "d"])
    assert regress("likes ~ protest + place", frame, *COLUMNS, repeats=1).params.equals(text.params)


@pytest.mark.filterwarnings("error::Warning:formulaic")
@pytest.mark.parametrize(
    ("formula", "said"),
    (
        ("likes ~ protest | place", "named in `absorb`"),
        ("likes ~ protest +", "cannot be read"),
        ("likes ~ .", "has a dot"),
        ("likes ~ protest + nothing(followers)", "nothing"),
        ("likes ~ protest + np.sqrt(place)", "cannot be evaluated"),
        ("likes ~ protest + C(place, levels=['a', 'b'])", "outside its levels"),
        ("likes + followers ~ protest", "2 columns"),
    ),
)
def test_a_formula_that_cannot_be_is_refused(formula: str, said: str) -> None:
    with pytest.raises(ArgumentInvalid, match=said):
        regress(formula, posts(), *COLUMNS)


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
