"""Words in pictures fit where they stand, and no name can break them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from imagesasdata.charts.words import drawn, fitted, number, plain

pytest.importorskip("matplotlib")


def test_words_from_outside_are_made_plain() -> None:
    assert plain("a\x1b[31m\nb\u2028c\u202e\u200d\x00d") == "a [31m b c d"
    assert plain("half \ud83d emoji") == "half \N{REPLACEMENT CHARACTER} emoji"
    assert plain("0123456789", 7) == "012\N{HORIZONTAL ELLIPSIS}789"
    assert len(plain("x" * 255, 40)) == 40
    assert drawn("\U0001f469\u200d\U0001f680") == "\N{REPLACEMENT CHARACTER}" * 2
    assert fitted("W" * 300, 60, 8).count("W") < 10
    assert plain(None) == ""


def test_numbers_are_written_as_they_are_read() -> None:
    assert [number(v) for v in (1234567, 0.12345, None, np.nan, pd.NA, np.int64(1200), -0.0001, -0.001)] == [
        "1,234,567", "0.123", "\N{EN DASH}", "\N{EN DASH}", "\N{EN DASH}", "1,200", "0.000", "-0.001",
    ]  # fmt: skip
