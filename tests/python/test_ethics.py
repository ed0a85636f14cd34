"""The guide names verbs that are there, fits a terminal, and asks what the article asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import imagesasdata as iad
from imagesasdata.cli import main
from imagesasdata.ethics import GUIDE

ARTICLE = Path(__file__).parents[2] / "vignettes" / "law-and-ethics.Rmd"


def test_the_shell_prints_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ethics"]) == 0
    assert capsys.readouterr().out == GUIDE
    assert max(map(len, GUIDE.splitlines())) <= 120


def test_every_verb_that_is_named_is_a_verb() -> None:
    named = set(re.findall(r"\b[a-z]+_[a-z]+\b", GUIDE))
    assert {"data_statement", "strip_metadata", "audit_predictions", "clear_cache", "enroll_people"} <= named
    assert named <= set(iad.__all__)
    text = re.sub(r"```.*?```", "", ARTICLE.read_text(encoding="utf-8"), flags=re.S)
    in_article = set(re.findall(r"`([a-z_]+)\(\)`", text))
    assert in_article <= set(iad.__all__)
    assert named <= in_article


def test_every_verb_that_measures_faces_is_in_the_table_of_the_article_and_deletion_reaches_what_they_kept() -> None:
    text = ARTICLE.read_text(encoding="utf-8")
    table = "".join(line for line in text.splitlines() if line.startswith("| `"))
    for verb in iad.__all__:
        asks = "purpose" in getattr(getattr(iad, verb), "__annotations__", {})
        assert not asks or f"`{verb}()`" in table, verb
    steps = text.split("Somebody wants to be taken out")[1]
    for kept in ("enroll_people", "blur_faces", "strip_metadata"):
        assert kept in steps and kept in GUIDE.split("8 Deletion")[1]
