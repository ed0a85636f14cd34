"""What a regression prints, and the intervals that it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from test_regression_verbs import ONE, fit, posts

import imagesasdata as iad
from imagesasdata import ImagesAsDataWarning
from imagesasdata.errors import ArgumentInvalid


def scaled(by: float) -> Any:
    return fit(data=posts().assign(likes=lambda f: f["likes"] * by))


def test_what_is_printed_has_the_notes_and_so_has_the_summary() -> None:
    with pytest.warns(ImagesAsDataWarning) as said:
        found = fit(sampling_prob=None)
    lines = repr(found).splitlines()
    assert lines[: len(found.lines)] == list(found.lines)
    assert max(map(len, lines[len(found.lines) :])) < 80
    assert " ".join(" ".join(lines).split()).endswith(f"note: {said[0].message}")
    assert found.summary() == repr(found)


@pytest.mark.parametrize("by", (1e-9, 1e-6, 1.0, 1e3, 1e9))
def test_numbers_are_printed_with_the_digits_that_their_errors_give_a_meaning(by: float) -> None:
    found = scaled(by)
    head, *rows = found.lines[1:5]
    assert {len(line) for line in (head, *rows)} == {len(head)}  # in columns
    assert head.split() == ["term", "predictions", "hand", "labels", "corrected"]
    for row in rows:
        term, *cells = row.replace("(", "").replace(")", "").split()
        numbers = np.array(cells, float).reshape(3, 2)
        errors = [np.sqrt(found.covariance_of(which).diagonal()) for which in ("naive", "labels", "corrected")]
        place = list(found.params.index).index(term)
        np.testing.assert_allclose(numbers[2], [found.params[term], found.bse[term]], atol=0.006 * found.bse[term])
        np.testing.assert_allclose(numbers[:, 1], [error[place] for error in errors], rtol=0.006)
    assert ("e-" in rows[0]) == (by < 1e-3) and ("e+" in rows[0]) == (by == 1e9)


def test_shares_and_means_are_printed_so_too() -> None:
    frame = posts().assign(coded=lambda f: f["coded"] * 1e9, seen=lambda f: f["seen"] * 1e9)
    found = iad.estimate_share(frame, *ONE, by="city", sampling_prob="pi", repeats=1)
    assert len({line.index("[") for line in found.lines[2:]}) == 1
    row = found.metrics.iloc[0]
    numbers = found.lines[2].replace("[", "").replace("]", "").replace(",", "").split()[1:]
    expected = row[["naive", "labels", "estimate", "conf_low", "conf_high"]].to_numpy(float)
    np.testing.assert_allclose(np.array(numbers, float), expected, atol=0.006 * row["std_error"])


def test_power_is_printed_so_too() -> None:
    power = iad.power_regress(scaled(1e-6), n_labelled=[500, 1500], terms=["protest"])
    *_, term, first, last = " ".join(power.lines[1:3]).split()
    assert term == "protest"
    np.testing.assert_allclose([float(first), float(last)], power.metrics["std_error"], rtol=0.006)


def test_intervals_take_alpha_as_those_of_statsmodels_do() -> None:
    found = fit(conf_level=0.9)
    for given, alpha in (((), 0.1), ((0.1,), 0.1), ((0.05,), 0.05)):
        half = norm.ppf(1 - alpha / 2) * found.bse
        np.testing.assert_allclose(found.conf_int(*given)["conf_high"], found.params + half)
    assert found.conf_int(alpha=0.2).equals(found.conf_int(0.2))
    for wrong in (0, 1, 95, "0.05", True):
        with pytest.raises(ArgumentInvalid, match=r"`alpha` is .* such as 0\.05"):
            found.conf_int(wrong)
