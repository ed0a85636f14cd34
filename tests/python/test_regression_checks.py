"""What is refused, and what is said, before a regression or a share is estimated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_regression_verbs import ONE, N, fit, posts

import imagesasdata as iad
from imagesasdata import ImagesAsDataWarning
from imagesasdata.errors import ArgumentInvalid, ProbabilityInvalid


def with_prob(value: float) -> pd.DataFrame:
    """Return posts of which 7 rows that are not labelled have another probability of being labelled."""
    frame = posts()
    frame.loc[frame.index[frame["coded"].isna()][:7], "pi"] = value
    return frame


@pytest.mark.parametrize("value", (0.0, -0.1, 1.2, np.inf))
def test_rows_that_could_not_be_chosen_are_refused_where_they_are_not_labelled_too(value: float) -> None:
    frame = with_prob(value)
    with pytest.raises(ProbabilityInvalid, match=rf"7 row\(s\) .* instance {value:g}\. .* Leave these rows out of"):
        fit(data=frame)
    for method in ("dsl", "ppi"):
        with pytest.raises(ProbabilityInvalid, match="Leave these rows out"):
            iad.estimate_share(frame, *ONE, sampling_prob="pi", method=method)


def test_the_probability_of_a_row_that_is_not_labelled_may_be_missing() -> None:
    missing = with_prob(np.nan)
    np.testing.assert_array_equal(fit(data=missing).params, fit().params)
    assert iad.estimate_share(missing, *ONE, sampling_prob="pi", repeats=1).nobs == N
    labelled = missing.assign(pi=missing["pi"].where(missing["coded"].isna()))
    with pytest.raises(ProbabilityInvalid):
        fit(data=labelled)


@pytest.mark.parametrize("where", ("all rows", "the labelled rows"))
def test_one_cluster_is_refused_for_what_it_is(where: str) -> None:
    frame = posts()
    frame["unit"] = 1 if where == "all rows" else frame.index.where(frame["coded"].isna(), 0)
    for run in (lambda: fit(data=frame, cluster="unit"), lambda: iad.estimate_share(frame, *ONE, cluster="unit")):
        with pytest.raises(ArgumentInvalid, match=r"`cluster` has one value in all labelled rows.*leave `cluster` out"):
            run()


@pytest.mark.filterwarnings("error")
def test_few_clusters_with_labels_are_a_warning_and_enough_are_none() -> None:
    frame = posts()
    frame["unit"] = np.arange(N) % 100
    # of 100 clusters 19 have labels
    few = frame.assign(coded=frame["coded"].where(frame["unit"] < 19))
    with pytest.warns(ImagesAsDataWarning, match="labels are in 19 clusters; .* about 20 .Cameron") as said:
        fit(data=few, cluster="unit")
    assert len(said) == 1
    fit(data=frame.assign(coded=frame["coded"].where(frame["unit"] < 20)), cluster="unit")
