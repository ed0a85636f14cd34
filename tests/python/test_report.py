"""A report is one file that holds every number, runs nothing, loads nothing, and believes no file name."""

from __future__ import annotations

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import found as made
import pytest
from networks import CARD, colours
from PIL import Image

from imagesasdata.charts.words import metric_name, number
from imagesasdata.errors import ArgumentInvalid, ModelInvalid
from imagesasdata.findings import Findings
from imagesasdata.model import ImageModel
from imagesasdata.modelfile import write_model
from imagesasdata.report import write_report
from imagesasdata.report_page import data_table, facts_table, lines_block, notes_block, safe
from imagesasdata.saliency import ActivationMaps

pytest.importorskip("matplotlib")

NO_END = frozenset({"meta", "img", "br", "hr", "link", "input", "source"})


class Page(HTMLParser):
    """A page, read: its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.problems: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in NO_END:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    def pictures(self, kind: str) -> list[Image.Image]:
        found = [a["src"] for tag, a in self.elements if tag == "img" and a["src"].startswith(f"data:image/{kind}")]
        return [Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) for source in found]


def report(findings: Findings, folder: Path, **options: Any) -> Page:
    path = write_report(findings, folder / "report.html", **options)
    return Page(Path(path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def album(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album")
    for name in made.HOSTILE:
        shutil.copyfile(photographs / "chelsea.png", folder / name)
    return folder


@pytest.fixture(scope="module")
def hostile(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The report of hostile photographs, some of them missing."""
    names = [*made.HOSTILE, "gone.jpg", "<img src=x onerror=alert(1)>.jpg"] * 4
    return report(made.single(names), tmp_path_factory.mktemp("report"), image_dir=album)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ImageModel:
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    write_model(colours(), CARD, path)
    return ImageModel(path)


# -- what it holds -----------------------------------------------------------------------------------------------------


def test_the_report_holds_every_number_of_the_metrics_table(tmp_path: Path) -> None:
    findings = made.single()
    words = set(report(findings, tmp_path).words)
    for row in findings.metrics.to_dict("records"):
        for key in ("estimate", "conf_low", "conf_high", "n"):
            assert number(row[key]) in words
        assert metric_name(row["metric"]) in words
        assert row["interval"] in words


def test_the_report_holds_summary_notes_facts_and_pictures(tmp_path: Path) -> None:
    findings = made.grouped()
    page = report(findings, tmp_path)
    assert not page.problems
    assert not page.open
    for text in (*findings.lines, *findings.notes, "Evaluation of 60 photographs", "0.367", "imagesasdata"):
        assert text in page.text
    charts = page.pictures("png")
    assert len(charts) == 6  # metrics, confusion, groups, calibration, roc, pr
    assert all(chart.width <= 1000 for chart in charts)
    assert all(attributes.get("alt") for tag, attributes in page.elements if tag == "img")


def test_photographs_are_small_and_those_that_are_missing_say_so(hostile: Page) -> None:
    pictures = hostile.pictures("jpeg")
    assert pictures
    assert all(max(picture.size) == 240 for picture in pictures)
    assert "file does not exist" in hostile.words


@pytest.mark.parametrize("task", ["multi", "score", "learning_curve"])
def test_every_kind_has_a_report(tmp_path: Path, photographs: Path, task: str) -> None:
    names = sorted(path.name for path in photographs.iterdir())
    findings = made.curve() if task == "learning_curve" else getattr(made, task)(names)
    page = report(findings, tmp_path, image_dir=photographs)
    assert not page.problems
    assert page.pictures("png")
    if task != "learning_curve":
        assert page.pictures("jpeg")
    for row in findings.metrics.to_dict("records"):
        assert number(row["estimate"]) in page.words
    assert (task == "learning_curve") == ("[0.002, 0.031] what they are expected to add" in page.words)


def test_predictions_without_probabilities_have_a_report(tmp_path: Path) -> None:
    findings = made.single()
    tables = {name: findings.tables[name] for name in ("metrics", "confusion", "predictions")}
    bare = tables["predictions"].select(["image", "truth", "label", "error"])
    page = report(Findings("evaluation", findings.facts, {**tables, "predictions": bare}), tmp_path)
    assert "The most confident errors" in page.words
    assert not any("least certain" in word for word in page.words)


def test_an_evaluation_without_errors_says_so(tmp_path: Path) -> None:
    findings = made.single()
    table = findings.predictions.assign(truth=lambda t: t["label"].astype(str))
    right = Findings.of("evaluation", findings.facts, {"metrics": findings.metrics, "predictions": table})
    assert "There is no error." in report(right, tmp_path).words


def test_folds_and_near_duplicates_of_a_cross_validation_are_listed(tmp_path: Path) -> None:
    import pandas as pd

    folds = pd.DataFrame({"repeat": [1, 1], "fold": [1, 2], "n_train": [31, 29], "n_test": [29, 31]})
    pairs = pd.DataFrame({"image_a": ["<a>.jpg"], "image_b": ["b.jpg"], "hash_distance": [3], "similarity": [0.98765]})
    found = made.single(method="head", backbone="efficientnet_lite0")
    more = Findings.of("", {}, {"folds": folds, "duplicates": pairs}).tables
    page = report(Findings("cross_validation", found.facts, {**found.tables, **more}), tmp_path)
    assert "Cross-validation of 60 photographs" in page.words
    assert {"<a>.jpg", "0.988", "31"} <= set(page.words)
    assert "method: head, backbone: efficientnet_lite0" in page.words


# -- what it must not hold ---------------------------------------------------------------------------------------------


def test_the_page_runs_nothing_and_loads_nothing(hostile: Page) -> None:
    assert not hostile.problems
    tags = {tag for tag, _ in hostile.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "base", "form", "svg", "a"}
    for _, attributes in hostile.elements:
        assert not [key for key in attributes if key.startswith("on") or key in ("href", "srcset", "style")]
        assert attributes.get("src", "data:image/").startswith("data:image/")
    policy = [a for tag, a in hostile.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0]["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_style_loads_nothing(tmp_path: Path) -> None:
    text = Path(write_report(made.single(), tmp_path / "r.html")).read_text(encoding="utf-8")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"https?:", text)


def test_hostile_names_are_text_and_nothing_else(hostile: Page) -> None:
    assert not any(a.get("src") == "x" or "onerror" in a for _, a in hostile.elements)
    titles = {a["title"] for tag, a in hostile.elements if tag == "figure"}
    assert "<script>alert(1)<\u2215script>.png" in titles
    assert 'two lines "quoted" gpj.png' in titles
    assert "a" * 251 + ".png" in titles
    assert "$\\frac{1}{0}$ & $x^.png" in hostile.words
    assert not any("\u202e" in word for word in hostile.words)
    assert not any("a" * 60 in word for word in hostile.words)


def test_labels_facts_lines_and_cards_are_escaped(tmp_path: Path) -> None:
    bad = '"><script>alert(1)</script>'
    found = made.single(classes=(bad, "b"), method=bad, seed={"a": [bad]})
    findings = Findings("evaluation", found.facts, found.tables, (bad, "two  spaces"), (bad,))
    text = Path(write_report(findings, tmp_path / "r.html")).read_text(encoding="utf-8")
    page = Page(text)
    assert not page.problems
    assert "script" not in {tag for tag, _ in page.elements}
    assert "<script" not in text
    assert bad in page.text
    assert "two  spaces" in page.text


@pytest.mark.parametrize("part", [safe, lambda t: lines_block([t]), lambda t: notes_block([t]),
                                  lambda t: data_table([t], [[t]]), lambda t: facts_table([(t, t)])])  # fmt: skip
def test_each_part_of_a_page_escapes_what_it_is_given(part: Any) -> None:
    text = part("<i onclick='x'>&amp;\"\ud800\x00")
    assert "<i" not in text
    assert "'x'" not in text
    assert "&amp;amp;" in text
    text.encode("utf-8")


# -- the model ---------------------------------------------------------------------------------------------------------


def test_maps_show_where_the_model_saw_its_errors(tmp_path: Path, photographs: Path, model: ImageModel) -> None:
    names = sorted(path.name for path in photographs.iterdir())
    findings = made.single(names * 4, classes=CARD.classes)
    page = report(findings, tmp_path, image_dir=photographs, model=model)
    assert "Where the model looked" in page.words
    assert "colours" in page.text
    assert model.sha256 in page.words
    maps = [picture for picture in page.pictures("jpeg") if picture.size == (8, 8)]
    assert len(maps) in (3, 6, 9, 12)  # photograph, predicted label, hand label
    # what is written beside a map is what the model says
    said = [word for word in page.words if re.fullmatch(r"(cat|dog|fish) \(\d\.\d\d\)(: nowhere)?", word)]
    maps_of = ActivationMaps(model)
    values = {f"{c} ({maps_of(photographs / image, c).value:.2f})" for image in names for c in CARD.classes}
    assert {word.removesuffix(": nowhere") for word in said} <= values
    assert said


def test_a_model_without_maps_is_said_and_no_error(tmp_path: Path, photographs: Path) -> None:
    proto = colours()
    proto.graph.node[-1].op_type = "Gemm"
    proto.graph.node[-1].input[0] = "planes_flat"
    from onnx import helper, numpy_helper

    flat = helper.make_node("Flatten", ["planes"], ["planes_flat"], axis=1)
    proto.graph.node.insert(2, flat)
    import numpy as np

    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.zeros((192, 3), np.float32), "matrix"))
    write_model(proto, CARD, tmp_path / "flat.onnx")
    findings = made.single(sorted(p.name for p in photographs.iterdir()) * 3, classes=CARD.classes)
    page = report(findings, tmp_path, image_dir=photographs, model=tmp_path / "flat.onnx")
    assert any("has no class activation map" in word for word in page.words)
    assert not page.problems


def test_a_model_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"no")
    with pytest.raises(ModelInvalid):
        write_report(made.single(), tmp_path / "r.html", model=tmp_path / "no.onnx")
    assert not (tmp_path / "r.html").exists()


# -- the file ----------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_only_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("precious")
    with pytest.raises(ArgumentInvalid, match=r"There is a file .* already\. Give another `out`, or overwrite=True"):
        write_report(made.curve(), path)
    assert path.read_text() == "precious"
    assert write_report(made.curve(), path, overwrite=True) == str(path)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentInvalid, match="there is no folder"):
        write_report(made.curve(), tmp_path / "no" / "r.html")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ArgumentInvalid, match="cannot be written: the disk is full"):
        write_report(made.curve(), tmp_path / "r.html")
    assert not list(tmp_path.iterdir())


def test_only_an_evaluation_has_a_report_and_it_is_a_web_page(tmp_path: Path) -> None:
    with pytest.raises(ArgumentInvalid, match=r"`out` is .*it must end in \.html"):
        write_report(made.curve(), tmp_path / "report.pdf")
    with pytest.raises(ArgumentInvalid, match='`findings` is Findings of kind "agreement"'):
        write_report(Findings("agreement", {}, {}), tmp_path / "r.html")
    with pytest.raises(ArgumentInvalid, match="`findings` is DataFrame"):
        write_report(made.curve().curve, tmp_path / "r.html")  # type: ignore[arg-type]


def test_the_same_findings_give_the_same_page(tmp_path: Path) -> None:
    first, second = (Path(write_report(made.single(), tmp_path / name)) for name in ("a.html", "b.html"))
    assert first.read_bytes() == second.read_bytes()
