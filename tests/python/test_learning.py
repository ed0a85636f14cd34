"""The learning curve: more labels, better figures, and a curve through them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import imagesasdata as iad
from imagesasdata.errors import ArgumentInvalid
from imagesasdata.train.learning import fit_curve


def test_the_curve_is_found_again() -> None:
    n = np.array([20.0, 40, 80, 160, 320, 640])
    found = fit_curve(n, 0.93 - 1.5 * n**-0.6)
    assert found == pytest.approx((0.93, 1.5, 0.6), rel=1e-3)
    assert fit_curve(n[:3], np.array([0.5, 0.6, 0.7])) is None


def test_sizes_estimates_and_the_promise(class_folders: Path) -> None:
    found = iad.learning_curve(class_folders, sizes=[10, 14, 20, 30], repeats=2, progress=False)
    curve = found.curve
    assert curve["n"].tolist() == [10, 14, 20, 30]
    assert (curve["conf_low"] <= curve["estimate"]).all()
    assert (curve["estimate"] <= curve["conf_high"]).all()
    assert curve["estimate"].iloc[-1] > 0.9
    a, b, c = found.curve_a, found.curve_b, found.curve_c
    assert found.gain_100 == pytest.approx((a - b * 148**-c) - (a - b * 48**-c))
    assert "100 more labels" in repr(found)
    again = iad.learning_curve(class_folders, sizes=[10, 14, 20, 30], repeats=2, progress=False)
    assert again.curve.equals(curve)


def test_sizes_that_cannot_be_are_refused(class_folders: Path) -> None:
    with pytest.raises(ArgumentInvalid, match="`sizes` is"):
        iad.learning_curve(class_folders, sizes=[10, 48], progress=False)
