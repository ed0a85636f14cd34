"""A view is another crop of the same photograph, in slightly other light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagesasdata.decode import Preprocessing
from imagesasdata.train.views import changed, read_square, wider


def steps(**options: Any) -> Preprocessing:
    channels = 1 if options.get("colour") == "grey" else 3
    return Preprocessing(**{"size": 56, "resize": 64, "mean": (0.5,) * channels, "std": (0.5,) * channels, **options})


@pytest.mark.parametrize(
    "options",
    [{}, {"resize": 56}, {"resize": 112}, {"rule": "stretch"}, {"rule": "pad"}, {"colour": "BGR"}, {"colour": "grey"}],
    ids=str,
)
def test_a_view_is_another_crop_of_the_same_photograph(options: dict[str, Any], photographs: Path) -> None:
    one, path = steps(**options), str(photographs / "chelsea.png")
    square = read_square(path, wider(one))
    views = [changed(square, one, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    plain = read_square(path, one)
    assert all(view.shape == plain.shape and view.dtype == np.uint8 for view in views)
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])
    # A cat is orange: its mean colour stays, channel by channel, and with it their order.
    assert np.abs(views[0].mean(axis=(0, 1)) - plain.mean(axis=(0, 1))).max() < 40


def test_the_middle_of_the_wider_square_is_what_prediction_sees(photographs: Path) -> None:
    one, path = steps(), str(photographs / "chelsea.png")
    wide, plain = read_square(path, wider(one)), read_square(path, one)
    assert wide.shape == (64, 64, 3)
    assert np.abs(wide[4:60, 4:60].astype(float) - plain).mean() < 2  # grey levels: the two are resampled apart


def test_views_are_mirrored_half_of_the_time(tmp_path: Path) -> None:
    """A photograph that is dark on the left and light on the right."""
    Image.fromarray(np.tile(np.linspace(0, 255, 64), (64, 1)).astype(np.uint8)).save(tmp_path / "ramp.png")
    one = steps()
    square = read_square(str(tmp_path / "ramp.png"), wider(one))
    views = np.stack([changed(square, one, np.random.default_rng(seed)) for seed in range(200)]).astype(float)
    mirrored = views[:, :, :28].mean(axis=(1, 2, 3)) > views[:, :, 28:].mean(axis=(1, 2, 3))
    assert 0.35 < mirrored.mean() < 0.65  # four standard errors about a half
