"""Who has too few photographs is told so, and how many would be enough."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from coded_photographs import coded, evaluate, scores

from imagesasdata.findings import Findings
from imagesasdata.intervals import needed, needed_r2, wilson


def said(found: Findings) -> str:
    return " ".join(note for note in found.notes if "say little" in note)


def enough(found: Findings) -> int:
    return int(re.search(r"about ([\d,]+) (photograph|cluster)s are needed", said(found)).group(1).replace(",", ""))


def test_six_of_six_right_do_not_promise_that_all_will_be() -> None:
    frame = coded(6).assign(hand=lambda data: data["label"])
    low = float(wilson(6, 6)[0])
    assert enough(evaluate(frame, "hand")) == needed(low, 0.05) > 300
    clustered = evaluate(frame.assign(event=list("aabbcc")), "hand", cluster="event")  # no replicate differs
    assert enough(clustered) >= 190  # clusters of two photographs


def test_repeats_are_no_more_photographs() -> None:
    once = coded(60)
    twice = pd.concat([once, once], ignore_index=True)
    assert said(evaluate(twice, "hand")).startswith("60 photographs say little")
    ratio = enough(evaluate(twice, "hand")) / enough(evaluate(once, "hand"))
    assert 0.7 < ratio < 1.4


def test_where_clusters_are_drawn_clusters_are_needed() -> None:
    frame = coded(300)
    right = frame["label"].astype(str) == frame["hand"]
    found = evaluate(frame.assign(event=right.rank(method="first") // 10), "hand", cluster="event")
    assert f"300 photographs in {found.facts['n_clusters']} clusters say little" in said(found)
    assert " clusters are needed" in said(found)
    half = (found.conf_high - found.conf_low) / 2
    assert enough(found) >= found.facts["n_clusters"] * (half / 0.05) ** 2 - 1


def test_the_formula_of_r2_has_the_variance_of_simulated_samples() -> None:
    """Olkin and Finn (1995): where the prediction is the best one, R2 is a squared correlation."""
    rng, n = np.random.default_rng(1), needed_r2(0.5, 0.1)
    score = rng.normal(size=(2000, n))
    truth = score + rng.normal(size=(2000, n))
    found = 1 - ((truth - score) ** 2).sum(axis=1) / ((truth - truth.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    assert 1.96 * found.std() == pytest.approx(0.1, rel=0.15)


@pytest.mark.parametrize("n", [3, 5, 12, 25, 100])
def test_scores_of_few_photographs_are_said_to_say_little(n: int) -> None:
    found = evaluate(scores(n), "truth")
    assert said(found).startswith(f"{n} photographs say little: R2 of")
    assert n < enough(found) < 1500


def test_scores_of_many_photographs_are_not() -> None:
    assert not said(evaluate(scores(2000), "truth"))
    assert not said(evaluate(scores(12), "truth", replicates=0))
