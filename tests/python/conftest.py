"""Photographs for the tests of several rooms."""

from __future__ import annotations

from pathlib import Path

import pytest
from labelled_files import write


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with the files 0.jpg to 19.jpg; labels do not need their pixels."""
    folder = tmp_path / "photos"
    write(folder / f"{i}.jpg" for i in range(20))
    return folder
