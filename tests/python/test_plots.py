"""Pictures show the numbers of the tables, and no name of a file or class can break them."""

from __future__ import annotations

import builtins
import io
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import found as made
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from imagesasdata.cases import cases
from imagesasdata.errors import ArgumentInvalid, DependencyMissing
from imagesasdata.findings import Findings
from imagesasdata.plots import PICTURES, pictures, plot_findings
from imagesasdata.thumbnails import thumbnail

pytest.importorskip("matplotlib")
from imagesasdata.charts.figure import picture_bytes


def texts(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def with_tables(findings: Findings, **tables: pd.DataFrame) -> Findings:
    new = {**findings.tables, **Findings.of("", {}, tables).tables}
    return Findings(findings.kind, findings.facts, new, findings.lines, findings.notes)


# -- the numbers -------------------------------------------------------------------------------------------------------


def test_a_confusion_matrix_shows_counts_and_shares_of_the_row() -> None:
    findings = made.single()
    counts = findings.confusion.pivot(index="truth", columns="label", values="n").loc[list(made.CLASSES)]
    counts = counts[list(made.CLASSES)].to_numpy()
    (axes,) = plot_findings(findings, "confusion").axes
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), shares)
    shown = {tuple(map(round, text.get_position())): text.get_text() for text in axes.texts}
    for i, j in np.argwhere(counts):
        assert shown[j, i] == f"{counts[i, j]}\n{shares[i, j]:.0%}"
    rows = [f"{name}  ({n})" for name, n in zip(made.CLASSES, counts.sum(axis=1), strict=True)]
    assert [label.get_text() for label in axes.get_yticklabels()] == rows
    assert [label.get_text() for label in axes.get_xticklabels()] == list(made.CLASSES)


def test_a_confusion_matrix_of_25_classes_has_letters_that_can_be_read() -> None:
    figure = plot_findings(made.many_classes(25))
    assert figure.get_size_inches()[0] * figure.dpi == 1000
    smallest = min(text.get_fontsize() for text in figure.axes[0].texts)
    assert smallest * figure.dpi / 72 >= 9  # pixels


def test_beyond_25_classes_the_most_confused_pairs_are_shown() -> None:
    findings = made.many_classes(40)
    wrong = findings.confusion.query("truth != label").sort_values("n", ascending=False, kind="stable")
    (axes,) = plot_findings(findings, "confusion", top=10).axes
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == wrong["n"].head(10).tolist()
    n = findings.confusion.set_index(["truth", "label"])["n"]
    for label, width in zip(axes.get_yticklabels(), widths, strict=True):
        truth, given = label.get_text().split(" \N{RIGHTWARDS ARROW} ")
        assert n[truth, given] == width


@pytest.mark.parametrize(("what", "x", "y"), [("roc", "fpr", "tpr"), ("pr", "recall", "precision")])
def test_curves_are_those_of_the_tables(what: str, x: str, y: str) -> None:
    findings = made.single()
    (axes,) = plot_findings(findings, what).axes
    lines = [line for line in axes.lines if line.get_label().split("  ")[0] in made.CLASSES]
    assert len(lines) == 3
    for line, (_, part) in zip(lines, getattr(findings, what).groupby("class", sort=False), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), part[x])
        np.testing.assert_array_equal(line.get_ydata(), part[y])
    if what == "roc":
        areas = findings.metrics.query("metric == 'roc_auc' and `class` == 'police'").iloc[0]
        expected = f"police  {areas.estimate:.3f} [{areas.conf_low:.3f}, {areas.conf_high:.3f}]"
        assert expected in [text.get_text() for text in axes.get_legend().get_texts()]


def test_of_many_classes_the_worst_curves_stand_out() -> None:
    findings = made.single(classes=tuple(f"c{i:02}" for i in range(12)))
    (axes,) = plot_findings(findings, "roc").axes
    named = [text.get_text().split("  ")[0] for text in axes.get_legend().get_texts()]
    auc = findings.metrics.query("metric == 'roc_auc'").dropna(subset="class").sort_values("estimate")
    assert named == auc["class"].head(5).tolist()
    assert len(axes.lines) == 13  # all classes, and chance


def test_one_class_or_a_list_of_them_can_be_asked_for() -> None:
    findings = made.single()
    (axes,) = plot_findings(findings, "pr", class_name="police").axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["police"]
    assert len(plot_findings(findings, "calibration", class_name=["police", "other"]).axes) == 4
    with pytest.raises(ArgumentInvalid, match="`class_name` is 'riot'; there are other, police, protest"):
        plot_findings(findings, "roc", class_name="riot")


def test_a_reliability_diagram_has_intervals_and_a_histogram_of_the_probabilities() -> None:
    findings = made.single()
    above, below = plot_findings(findings, "calibration").axes
    bins = findings.calibration[findings.calibration["class"].isna()]
    points, _, (whiskers,) = above.containers[0]
    np.testing.assert_array_equal(points.get_xydata(), bins[["prob", "share"]])
    ends = np.array(whiskers.get_segments())
    np.testing.assert_allclose(ends[:, 0, 1], bins["conf_low"])
    np.testing.assert_allclose(ends[:, 1, 1], bins["conf_high"])
    expected, _ = np.histogram(findings.predictions["prob"], 20, (0, 1))
    assert [bar.get_height() for bar in below.patches] == expected.tolist()


def test_metrics_have_dots_whiskers_and_their_numbers() -> None:
    findings = made.single()
    table = findings.metrics
    more, less, classes = plot_findings(findings, "metrics").axes
    overall = table[table["class"].isna()]
    for axes, rows in ((more, overall.iloc[:5]), (less, overall.iloc[5:])):
        points, _, (whiskers,) = axes.containers[0]
        np.testing.assert_allclose(points.get_xdata(orig=False), rows["estimate"])
        ends = np.array(whiskers.get_segments())[:, :, 0]
        np.testing.assert_allclose(ends, rows[["conf_low", "conf_high"]])
        shown = [text.get_text() for text in axes.texts]
        for row in rows.itertuples():
            assert f"{row.estimate:.3f} [{row.conf_low:.3f}, {row.conf_high:.3f}]" in shown
    for series, metric in zip(classes.containers, ("precision", "recall", "f1"), strict=True):
        np.testing.assert_allclose(series[0].get_xdata(orig=False), table.loc[table["metric"] == metric, "estimate"])


def test_baseline_and_ceiling_are_lines_in_the_row_of_the_accuracy() -> None:
    more = plot_findings(made.single(baseline=0.41, ceiling=0.93), "metrics").axes[0]
    dashed = [line for line in more.lines if line.get_linestyle() == "--"]
    assert [line.get_xdata().tolist() for line in dashed] == [[0.41, 0.41], [0.93, 0.93]]
    assert all(-0.5 <= y <= 0.5 for line in dashed for y in line.get_ydata())
    assert {"most frequent class 0.410", "coders' agreement 0.930"} <= set(texts(more))
    scores = made.score([f"{i}.jpg" for i in range(9)])
    rows = [made.metric("r2", 0.6), made.metric("correlation", 0.8)]
    found = Findings(
        "evaluation", {**scores.facts, "ceiling": 0.9}, with_tables(scores, metrics=pd.DataFrame(rows)).tables
    )
    (axes,) = plot_findings(found, "metrics").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Correlation", "R\N{SUPERSCRIPT TWO}"]
    assert "coders' agreement 0.900" in texts(axes)
    assert not any("coders" in text for text in texts(plot_findings(made.single(ceiling=None), "metrics")))


def test_an_undefined_metric_is_left_out_and_its_absence_breaks_nothing() -> None:
    findings = made.single()
    table = findings.metrics
    table.loc[table["metric"] == "f1", ["estimate", "conf_low", "conf_high"]] = np.nan
    table.loc[0, ["conf_low", "conf_high"]] = np.nan
    more, _, classes = plot_findings(with_tables(findings, metrics=table), "metrics").axes
    assert len(classes.containers) == 2
    assert f"{table.loc[0, 'estimate']:.3f} " in texts(more)


def test_groups_show_the_primary_metric_of_each_group() -> None:
    findings = made.grouped()
    (axes,) = plot_findings(findings, "groups").axes
    np.testing.assert_allclose(axes.containers[0][0].get_xdata(orig=False), [0.75, 0.69, 0.63])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Chile  (20)", "Kenya  (19)", "Nepal  (18)"]
    assert f"all {findings.estimate:.3f}" in texts(axes)
    assert plot_findings(findings, "groups", metric="macro_f1").axes[0].get_title(loc="left") == "Macro F1 by country"
    with pytest.raises(ArgumentInvalid, match=r"no metric 'kappa'.*the metrics are accuracy, macro_f1, by country"):
        plot_findings(findings, "groups", metric="kappa")


def test_a_learning_curve_shows_estimates_interval_sizes_and_gain() -> None:
    findings = made.curve()
    (axes,) = plot_findings(findings).axes
    table = findings.curve
    line = next(line for line in axes.lines if line.get_marker() == "o")
    np.testing.assert_allclose(line.get_xydata(), table[["n", "estimate"]])
    outline = axes.collections[0].get_paths()[0].vertices
    for row in table.itertuples():
        inside = outline[np.isclose(outline[:, 0], row.n), 1]
        assert (inside.min(), inside.max()) == pytest.approx((row.conf_low, row.conf_high))
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["50", "100", "200", "400", "640"]
    assert axes.get_title(loc="left").endswith("100 more are expected to add +0.011 [0.002, 0.031]")


# -- photographs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def album(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photographs whose names are hostile."""
    folder = tmp_path_factory.mktemp("album")
    for name in made.HOSTILE:
        shutil.copyfile(photographs / "chelsea.png", os.path.join(folder, name))
    return folder


def test_the_most_confident_errors_come_first_and_each_photograph_once() -> None:
    findings = made.single()
    table = findings.predictions
    wrong = table[table["truth"] != table["label"].astype(str)].sort_values("prob", ascending=False)
    assert [case.image for case in cases(findings, "errors", 100)] == wrong["image"].tolist()
    twice = with_tables(findings, predictions=pd.concat([table, table]))
    assert [case.image for case in cases(twice, "errors", 3)] == wrong["image"].head(3).tolist()


def test_the_least_certain_photographs_are_those_with_the_lowest_probability() -> None:
    findings = made.single()
    expected = findings.predictions.sort_values("prob").head(7)
    found = cases(findings, "uncertain", 7)
    assert [case.image for case in found] == expected["image"].tolist()
    assert [case.prob for case in found] == expected["prob"].tolist()
    assert [case.right for case in found] == (expected["truth"] == expected["label"].astype(str)).tolist()


def test_photographs_that_failed_or_have_no_truth_are_on_no_sheet() -> None:
    findings = made.single()
    table = findings.predictions
    table.loc[0:29, "error"] = "truncated JPEG"
    table.loc[30:49, "truth"] = None
    part = with_tables(findings, predictions=table)
    assert {case.image for case in cases(part, "uncertain", 100)} == {f"photo{i}.jpg" for i in range(50, 60)}


def test_attributes_are_judged_one_by_one() -> None:
    findings = made.multi([f"{i}.jpg" for i in range(40)])
    table = findings.predictions
    found = cases(findings, "errors", 100)
    assert found
    for case in found:
        row = table[table["image"] == case.image].iloc[0]
        prob = row[f"prob_{case.about}"]
        assert case.label == ("yes" if prob >= 0.5 else "no")
        assert case.truth == ("yes" if row[f"truth_{case.about}"] == 1 else "no")
        assert case.truth != case.label
        assert case.prob == pytest.approx(max(prob, 1 - prob))
    assert "39.jpg" not in {case.image for case in found if case.about == "flag"}  # which was not coded


def test_of_scores_the_errors_are_the_largest_distances_and_none_is_uncertain() -> None:
    findings = made.score([f"{i}.jpg" for i in range(30)], names=("joy",))
    table = findings.predictions
    far = (table["truth_joy"] - table["score_joy"]).abs()
    assert [case.image for case in cases(findings, "errors", 3)] == table["image"][far.nlargest(3).index].tolist()
    assert "uncertain" not in pictures(findings)
    with pytest.raises(ArgumentInvalid, match='`what` is "uncertain", for which this evaluation has nothing to draw'):
        plot_findings(findings, "uncertain")


def test_a_contact_sheet_has_each_photograph_with_truth_label_and_probability(photographs: Path) -> None:
    names = sorted(path.name for path in photographs.iterdir())
    findings = made.single(names)
    expected = cases(findings, "uncertain", 6)
    (axes,) = plot_findings(findings, "uncertain", n=6, image_dir=photographs).axes
    assert [image.get_gid() for image in axes.images] == [case.image for case in expected]
    shown = texts(axes)
    for image, case in zip(axes.images, expected, strict=True):
        pixels, _ = thumbnail(case.image, photographs)
        np.testing.assert_array_equal(image.get_array(), pixels)
        assert f"hand: {case.truth}" in shown
        assert f"model: {case.label} ({case.prob:.2f})" in shown
        assert case.image in shown


def test_a_missing_photograph_leaves_a_grey_tile(photographs: Path) -> None:
    findings = made.single(["gone.jpg", None, *(f"gone{i}.jpg" for i in range(20))])
    (axes,) = plot_findings(findings, "uncertain", image_dir=photographs, n=30).axes
    assert len(axes.images) == 22
    assert all(len(np.unique(image.get_array())) == 1 for image in axes.images)
    assert sum(text.replace("\n", " ") == "file does not exist" for text in texts(axes)) == 21
    assert "no path was given" in [text.replace("\n", " ") for text in texts(axes)]


def test_broken_files_are_tiles_with_the_reason(odd_files: Path) -> None:
    names = sorted(path.name for path in odd_files.iterdir() if path.is_file())
    figure = plot_findings(made.single(names), "uncertain", image_dir=odd_files, n=len(names))
    assert len(figure.axes[0].images) == len(names)


def test_hostile_names_are_drawn_as_they_are_and_without_a_warning(album: Path) -> None:
    findings = made.single(list(made.HOSTILE) * 3, classes=("$x^$", "<b>", "\\frac{1}{2}$"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for what in pictures(findings):
            options = {"image_dir": album} if what in ("errors", "uncertain") else {}
            figure = plot_findings(findings, what, **options)
            assert Image.open(io.BytesIO(picture_bytes(figure))).width <= 1000
    (axes,) = plot_findings(findings, "uncertain", image_dir=album).axes
    shown = texts(axes)
    assert "$\\frac{1}{0}$ & $x^.png" in shown
    assert 'two lines "quoted" gpj.png' in shown
    assert not any("\n" in text or "\u202e" in text for text in shown)
    assert all(len(image.get_array().shape) == 3 and image.get_array().std() > 0 for image in axes.images)


def test_no_caption_is_wider_than_its_photograph(album: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    findings = made.single(["W" * 200 + ".png", "i" * 200 + ".png", *made.HOSTILE] * 3, classes=("M" * 90, "W" * 90))
    figure = plot_findings(findings, "uncertain", image_dir=album)
    FigureCanvasAgg(figure).draw()
    column = 1000 / 5
    for text in figure.axes[0].texts:
        assert text.get_window_extent().width <= column, text.get_text()


def test_no_text_is_read_as_mathematics_also_on_the_callers_axes() -> None:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    classes = ("$\\alpha$", "$\\beta$")
    figure = Figure()
    axes = figure.add_subplot()
    assert plot_findings(made.single(classes=classes), "confusion", ax=axes) is figure
    for picture in (figure, plot_findings(made.single(classes=classes), "metrics")):
        for text in picture.findobj(Text):
            assert not text.get_parse_math() or not text.get_text()
            assert not text.get_usetex()
        picture_bytes(picture)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(classes)


def test_the_users_settings_of_matplotlib_are_left_as_they_were() -> None:
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True, "font.size": 31}):
        figure = plot_findings(made.single(), "confusion")
        assert matplotlib.rcParams["text.usetex"] is True
        assert matplotlib.rcParams["font.size"] == 31
        picture_bytes(figure)
    assert max(text.get_fontsize() for text in figure.axes[0].texts) < 12


# -- what there is, and what there is not ------------------------------------------------------------------------------


def test_each_kind_has_a_picture_of_its_own() -> None:
    assert plot_findings(made.single()).axes[0].images
    assert "By attribute" in texts(plot_findings(made.multi(["a.jpg", "b.jpg"] * 9)))
    assert "By score" in texts(plot_findings(made.score(["a.jpg", "b.jpg"] * 9)))
    assert plot_findings(made.curve()).axes[0].get_xscale() == "log"
    agreement = pd.DataFrame({"name": "label", "metric": ["alpha", "percent_agreement"], "estimate": [0.7, 0.9]})
    agreement[["conf_low", "conf_high"]] = np.nan
    found = Findings.of("agreement", {}, {"metrics": agreement})
    labels = [label.get_text() for label in plot_findings(found).axes[0].get_yticklabels()]
    assert labels == ["Alpha", "Percent agreement"]


def test_every_picture_can_be_drawn_on_axes_of_ones_own(photographs: Path) -> None:
    from matplotlib.figure import Figure

    findings = with_tables(made.grouped(), curve=made.curve().curve)
    regressions = dict(zip(("coefficients", "shares", "power"), made.regressions(), strict=True))
    for what in PICTURES:
        figure = Figure()
        _, right = figure.subplots(1, 2)
        assert plot_findings(regressions.get(what, findings), what, ax=right) is figure
        assert right.has_data()


def test_coefficients_are_drawn_three_times_with_their_intervals() -> None:
    found, shares, power = made.regressions()
    (axes,) = plot_findings(found, "coefficients").axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "predictions taken for labels",
        "hand labels alone",
        "corrected",
    ]
    drawn = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "None"]
    assert drawn == [found.estimates[f"{which}_estimate"][1] for which in ("naive", "labels", "corrected")]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["protest"]
    assert len(plot_findings(found, "coefficients", intercept=True).axes[0].get_yticklabels()) == 2
    (axes,) = plot_findings(shares).axes
    assert axes.get_yticklabels()[0].get_text() == f"all  ({shares.n_labelled} labels)"
    (axes,) = plot_findings(power).axes
    errors = power.power.query("term == 'protest'")["std_error"]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), errors)


def test_attributes_have_a_matrix_each() -> None:
    findings = made.multi([f"{i}.jpg" for i in range(30)])
    figure = plot_findings(findings, "confusion")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["flag", "crowd", "sign"]
    block = findings.confusion.query("attribute == 'sign'")["n"].to_numpy().reshape(2, 2)
    (axes,) = plot_findings(findings, "confusion", class_name="sign").axes
    shares = block / block.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), shares)
    with pytest.raises(ArgumentInvalid, match='`class_name` is "riot"; the attributes are flag, crowd, sign'):
        plot_findings(findings, "confusion", class_name="riot")


@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        ("scatter", {}, "`what` is 'scatter'; it must be one of \"confusion\", \"roc\""),
        ("groups", {}, "`what` is \"groups\", for which this evaluation has nothing to draw. It has: confusion, roc"),
        ("roc", {"colour": "red"}, "\"roc\" has no option 'colour'. Its options: class_name."),
        ("errors", {"n": 0}, "`n` is 0; it must be a whole number above 0."),
        ("errors", {"columns": 2.5}, "`columns` is 2.5; it must be a whole number above 0."),
        ("errors", {"image_dir": "/no/such"}, "`image_dir` is \"/no/such\", which is no folder."),
        ("confusion", {"class_name": "police"}, "`class_name` is for several attributes"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(what: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentInvalid) as caught:
        plot_findings(made.single(), what, **options)
    assert message in str(caught.value)


def test_something_else_than_findings_is_refused() -> None:
    with pytest.raises(ArgumentInvalid, match="`findings` is a dict"):
        plot_findings({})  # type: ignore[arg-type]


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyMissing, match=r'pip install "imagesasdata\[plots\]"'):
        plot_findings(made.single())


def test_matplotlib_is_imported_only_to_draw_and_pyplot_never() -> None:
    code = (
        "import sys, imagesasdata.plots, imagesasdata.report, imagesasdata.saliency;"
        "assert 'matplotlib' not in sys.modules;"
        "import found; from imagesasdata.plots import plot_findings;"
        "from imagesasdata.charts.figure import picture_bytes;"
        "picture_bytes(plot_findings(found.single()));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    folder = Path(__file__).parent
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MPLBACKEND")}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)


def test_the_same_findings_give_the_same_bytes() -> None:
    assert picture_bytes(plot_findings(made.single())) == picture_bytes(plot_findings(made.single()))


def test_a_notebook_shows_a_figure_as_a_png() -> None:
    png = plot_findings(made.single())._repr_png_()  # type: ignore[attr-defined]
    assert png.startswith(b"\x89PNG")
