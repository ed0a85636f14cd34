"""Cards and data statements say what is known, ask for the rest, and let no text from outside become a mark."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from coded_photographs import HOSTILE
from PIL import Image

import imagesasdata as iad
from imagesasdata.card_words import sections
from imagesasdata.cli import main
from imagesasdata.errors import ArgumentInvalid
from imagesasdata.markdown import BLANK
from imagesasdata.model import load_model

SECTIONS = [
    "Motivation",
    "Composition",
    "Collection",
    "Labels",
    "Preparation",
    "Uses",
    "Distribution",
    "Maintenance",
]


@pytest.fixture(scope="module")
def coded(class_folders: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Answers of three coders about 16 photographs, some with EXIF; the first two are copies of one another."""
    folder = tmp_path_factory.mktemp("coded")
    rows = []
    for name in ("flower", "temple"):
        for number, source in enumerate(sorted((class_folders / name).iterdir())[:8]):
            path = folder / f"{name}{number}.jpg"
            with Image.open(source) as image:
                exif = image.getexif()
                if number < 5:
                    exif[0x0132] = f"2019:05:{number + 10} 12:00:00"
                    exif.get_ifd(0x8825)[1] = "N"
                image.save(path, quality=90, **({"exif": exif} if number < 5 else {}))
            for coder in ("Ann", "Ben", "Cem"):
                label = "other" if (coder, number) == ("Cem", 3) else name
                rows.append({"image": str(path), "coder": coder, "label": label, "inclusion_prob": 0.1})
    shutil.copy(folder / "flower0.jpg", folder / "copy.jpg")
    rows.append({"image": str(folder / "copy.jpg"), "coder": "Ann", "label": "flower", "inclusion_prob": 0.1})
    return pd.DataFrame(rows)


def statement(labels: Any, **options: Any) -> str:
    return iad.data_statement(labels, progress=False, **options)


def answer(text: str, question: str) -> str:
    """What stands below a question."""
    found = re.search(rf"\*\*{re.escape(question)}[^\n]*\*\*\n\n(.*?)(?=\n\n\*\*|\n\n## |\Z)", text, re.S)
    assert found is not None, question
    return found[1].strip()


def test_what_is_known_is_filled_in(coded: pd.DataFrame) -> None:
    text = statement(coded, coders="coder", dates=True, title="Temples and flowers")
    assert text.startswith("# Data statement: Temples and flowers\n")
    assert re.findall(r"^## (.*)$", text, re.M) == SECTIONS
    assert answer(text, "How many are there?").startswith("17 labelled photographs that can be opened: JPEG 17;")
    assert "| flower | 9 | 52.9% |" in answer(text, "What was coded?")
    assert "1 group(s) of two or more, which hold 2 photographs" in answer(text, "Which photographs belong together")
    assert answer(text, "Are there copies among them").startswith("1 pair(s) of near-duplicates")
    said = answer(text, "What do the files say beside the pixels?")
    assert said.startswith("11 files say where the photograph was taken (GPS), 11 have EXIF.")
    assert "`strip_metadata()`" in said
    assert "from 2019-05-10 to 2019-05-14" in answer(text, "When were they taken")
    assert "11 of 17 files" in answer(text, "When were they taken")
    drawn = answer(text, "How were those to be coded chosen?")
    assert "each photograph with 0.1" in drawn
    assert "the 17 photographs stand for about 170" in drawn
    assert answer(text, "Who coded?") == "3 coder(s), with 17, 16, 16 answers."
    agreed = iad.coder_agreement(coded, coders="coder").metrics.set_index("metric")
    row = agreed.loc["krippendorff_alpha"]
    interval = f"{row['conf_low']:.3f} to {row['conf_high']:.3f}"
    assert f"Krippendorff's alpha | {row['estimate']:.3f} | {interval} | 16 |" in answer(text, "How far do they agree?")
    assert answer(text, "How did several answers become one label?").startswith("The majority")


def test_what_is_not_known_is_marked_and_names_of_coders_and_days_are_not_told(coded: pd.DataFrame) -> None:
    text = statement(coded.drop(columns="inclusion_prob"), coders="coder", duplicates=False)
    for question in (
        "Who paid for it?",
        "When were they taken",
        "How were those to be coded chosen?",
        "Are there copies",
    ):
        assert answer(text, question) == BLANK, question
    assert text.count(BLANK) >= 25
    assert not re.search("Ann|Ben|Cem|2019", text)
    assert text == statement(coded.drop(columns="inclusion_prob"), coders="coder", duplicates=False)


def test_a_folder_scores_and_attributes_have_statements_too(class_folders: Path, coded: pd.DataFrame) -> None:
    text = statement(class_folders, duplicates=False)
    assert "| temple | 24 | 50.0% |" in text
    assert "No coder" not in text
    images = coded["image"].drop_duplicates().tolist()
    table = pd.DataFrame({"image": images, "fear": [i / 10 for i in range(17)], "anger": [i % 11 for i in range(17)]})
    text = statement(table, label_col=["fear", "anger"], duplicates=False)
    assert "| fear | 17 | 0 / 0.4 / 0.8 / 1.2 / 1.6 |" in text
    yes = table.assign(flag=[i % 2 for i in range(17)], fire=[int(i < 4) for i in range(17)])
    assert "| fire | 4 of 17 | 23.5% |" in statement(yes, label_col=["flag", "fire"], duplicates=False)


def test_text_from_outside_stays_text(coded: pd.DataFrame, tmp_path: Path) -> None:
    names = dict(zip(("flower", "temple", "other"), HOSTILE, strict=False))
    hostile = coded.assign(label=coded["label"].map(names))
    text = statement(hostile, coders="coder", duplicates=False, title="# <script>\n## Uses")
    assert re.findall(r"^## (.*)$", text, re.M) == SECTIONS
    assert not re.search(r"(?<!\\)<", text)
    for row in re.findall(r"^\|.*\|$", text, re.M):
        assert len(re.findall(r"(?<!\\)\|", row)) in (4, 6), row


def test_it_is_written_once(coded: pd.DataFrame, tmp_path: Path) -> None:
    out = tmp_path / "datasheet.md"
    text = statement(coded, coders="coder", duplicates=False, out=out)
    assert out.read_text(encoding="utf-8") == text
    with pytest.raises(ArgumentInvalid, match="already"):
        statement(coded, coders="coder", duplicates=False, out=out)
    assert statement(coded, coders="coder", duplicates=False, out=out, overwrite=True) == text
    with pytest.raises(ArgumentInvalid, match="cannot be written"):
        statement(coded, coders="coder", duplicates=False, out=tmp_path / "none" / "a.md")


def test_the_shell_prints_or_writes_it(coded: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coded.to_csv(tmp_path / "labels.csv", index=False)
    options = ["datasheet", str(tmp_path / "labels.csv"), "--coders", "coder", "--no-duplicates", "--dates"]
    assert main(options) == 0
    text = statement(coded, coders="coder", duplicates=False, dates=True)
    assert capsys.readouterr().out == text
    assert main([*options, "--out", str(tmp_path / "d.md")]) == 0
    assert (tmp_path / "d.md").read_text() == text


def test_the_card_of_a_trained_model_has_sections_with_its_figures_and_becomes_what_is_written(
    class_folders: Path, tmp_path: Path
) -> None:
    model = iad.fine_tune(class_folders, method="head", out=tmp_path / "places.onnx", progress=False)
    text = iad.model_card(model)
    assert "\n## Intended use\n" in text
    assert f"| accuracy | {model.card.metrics['accuracy'][0]:g} |" in text
    assert r"| recall (temple) |" in text
    assert "48 photographs; 5-fold cross-validation" in text
    assert BLANK in answer(text, "For which question, by whom, on which photographs?")
    completed = text.replace(BLANK, "Temples of China.").replace("- **task**: single", "- **task**: old facts")
    (tmp_path / "places.md").write_text(completed, encoding="utf-8")
    card = iad.model_card(model)
    assert card.count("- **task**:") == 1
    assert "old facts" not in card
    assert "Temples of China." in card
    assert BLANK not in card
    (tmp_path / "places.md").write_text("# places\n\nOnly this.\n", encoding="utf-8")
    assert iad.model_card(model).endswith("\n\nOnly this.\n")


def test_a_card_says_what_its_figures_do_not_show() -> None:
    card = load_model("efficientnet_lite0").card
    assert "has not been measured" in sections(card)
    import dataclasses

    weak = dataclasses.replace(
        card, metrics={"source": "5-fold", "n": 40, "accuracy": [0.6, 0.45, 0.74], "baseline": 0.55, "ceiling": 0.81}
    )
    text = sections(weak)
    assert "not shown to be better than always giving the most frequent class, which reaches 0.550" in text
    assert "agree with each other on a share of 0.810" in text
    assert "Intended use" not in iad.model_card("efficientnet_lite0")  # its card is written
