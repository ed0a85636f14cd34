"""Labels and predictions of one variable: which kinds fit each other, and what is said of those that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.errors import LabelsInvalid
from imagesasdata.regression.variables import read_variable

SEEN = np.array([0.0, 1.0, 1.0, 0.0, np.nan])
CODED = np.array([0.0, 1.0, np.nan, np.nan, 1.0])


def variable(labels: Any, predictions: Any, column: str = "seen", category: bool = False) -> Any:
    return read_variable(pd.DataFrame({"coded": labels, column: predictions}), "it", column, "coded", category)


def words(numbers: Any, no: str, yes: str, missing: Any = None) -> list[Any]:
    return [{0.0: no, 1.0: yes}.get(number, missing) for number in numbers]


@pytest.mark.parametrize("empty", ("", "  ", None, np.nan))
def test_empty_text_is_missing(empty: Any) -> None:
    labels = words(CODED, "other", "protest", empty)
    for predictions, column in ((SEEN, "prob_protest"), (words(SEEN, "other", "protest", empty), "seen")):
        found = variable(labels, predictions, column)
        np.testing.assert_array_equal(found.labels, CODED)
        np.testing.assert_array_equal(found.missing, np.isnan(SEEN))


def test_rows_with_empty_labels_are_not_labelled() -> None:
    rng = np.random.default_rng(1)
    protest = rng.integers(0, 2, 600)
    frame = pd.DataFrame({"likes": protest + rng.normal(size=600), "prob_protest": np.clip(protest, 0.1, 0.9)})
    known = np.arange(600) < 200
    frame["coded"] = np.where(known, np.where(protest == 1, "protest", "other"), "")
    frame["pi"] = 1 / 3
    columns = ({"protest": "prob_protest"}, {"protest": "coded"})
    assert iad.regress("likes ~ protest", frame, *columns, sampling_prob="pi", repeats=1).n_labelled == 200
    assert iad.estimate_share(frame, *columns, sampling_prob="pi", repeats=1).n_labelled == 200


@pytest.mark.parametrize("text", (("0", "1"), ("FALSE", "TRUE"), ("False", "True"), ("0.0", "1.0")))
def test_text_of_numbers_beside_numbers_is_numbers(text: tuple[str, str]) -> None:
    logical = pd.array(words(CODED, False, True), dtype="boolean")  # type: ignore[arg-type]
    for labels, predictions in (
        (words(CODED, *text), SEEN),
        (CODED, words(SEEN, *text)),
        (CODED, pd.Categorical(words(SEEN, *text))),
        (logical, words(SEEN, *text)),
        (np.array(words(CODED, False, True), object), words(SEEN, *text)),  # type: ignore[arg-type]
    ):
        found = variable(labels, predictions)
        assert found.levels == ()
        np.testing.assert_array_equal(found.labels, CODED)
        np.testing.assert_array_equal(found.predictions, SEEN)


@pytest.mark.parametrize(
    ("labels", "predictions", "column"),
    (
        (CODED, words(SEEN, "other", "protest"), "seen"),
        (words(CODED, "Other", "Protest"), words(SEEN, "other", "protest"), "seen"),
        (words(CODED, "other", "Protest"), words(SEEN, "other", "protest"), "seen"),
        (words(CODED, "other", "protest"), words(SEEN, "0", "1"), "seen"),
        (words(CODED, "Other", "Protest"), SEEN, "prob_protest"),
    ),
)
def test_kinds_that_do_not_fit_are_refused_with_the_values_of_both(labels: Any, predictions: Any, column: str) -> None:
    with pytest.raises(LabelsInvalid, match=r"The labels in .coded. are .*; the predictions in .* are .*the same"):
        variable(labels, predictions, column)


def test_outer_blanks_do_not_make_another_class() -> None:
    found = variable(words(CODED, "other ", "protest"), words(SEEN, "other", " protest"))
    assert found.levels == ("other", "protest")


def test_a_class_that_is_only_labelled_or_only_predicted_is_one_too() -> None:
    assert variable(["a", "b", None], ["a", "c", "a"]).levels == ("a", "b", "c")


@pytest.mark.parametrize("labels", (["0", "3", None], pd.Categorical([0, 3, None]), [0.0, 3.0, np.nan]))
def test_whole_numbers_are_a_category_where_labels_are_text_or_it_is_asked_for(labels: Any) -> None:
    found = variable(labels, [0, 2, 1], category=True)
    assert found.levels == ("0", "1", "2", "3")
    np.testing.assert_array_equal(found.labels, [0, 3, np.nan])
    np.testing.assert_array_equal(found.predicted, [0, 2, 1])
    assert found.numeric == isinstance(labels[0], float)
    assert bool(variable(labels, [0, 2, 1]).levels) != found.numeric
    with pytest.raises(LabelsInvalid, match=r"1\.3 is none"):
        variable(labels, [0, 2, 1.3], category=True)


def test_classes_of_numbers_have_columns_of_probabilities() -> None:
    frame = pd.DataFrame({"coded": [0.0, 1.0, np.nan], "prob_0": [0.8, 0.1, 0.5], "prob_1": [0.2, 0.9, 0.5]})
    assert read_variable(frame, "it", ["prob_0", "prob_1"], "coded").labels.tolist()[:2] == [0, 1]


def test_infinite_values_are_refused() -> None:
    for labels, predictions in (([0, np.inf], [0, 1]), ([0, 1], [0, np.inf])):
        with pytest.raises(LabelsInvalid, match="infinite in 1 row"):
            variable(labels, predictions)
