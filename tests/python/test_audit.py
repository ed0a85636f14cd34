"""Groups are compared by textbook tests and intervals, clusters count as what they are, and limits are said."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from coded_photographs import CLASSES, HOSTILE, attributes, coded, evaluate, row, scores
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_chisquare

from imagesasdata.audit import _test as audit_test
from imagesasdata.audit import audit_predictions
from imagesasdata.cli import main
from imagesasdata.errors import ArgumentInvalid, ImagesAsDataWarning
from imagesasdata.findings import Findings
from imagesasdata.intervals import holm, newcombe
from imagesasdata.rates import Rate, compare_all, differences, grouped
from imagesasdata.tablefiles import write_table


def audit(*arguments: Any, **options: Any) -> Findings:
    """Audit without warnings, and with few replicates where not said otherwise."""
    with warnings.catch_warnings(action="ignore"):
        return audit_predictions(*arguments, **{"replicates": 50, **options})


def divided(n: int = 600, shares: tuple[float, ...] = (0.6, 0.4), seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = np.array(["north", "south", "west"])[: len(shares)]
    return coded(n).assign(region=rng.choice(names, n, p=shares), event=rng.integers(0, 40, n))


def test_newcombe_and_holm_are_those_of_statsmodels() -> None:
    for counts in ((56, 70, 48, 80), (0, 10, 3, 40), (9, 10, 30, 30), (1, 2, 500, 1000)):
        for level in (0.9, 0.99):
            expected = confint_proportions_2indep(*counts, method="newcomb", alpha=1 - level)
            assert [float(limit) for limit in newcombe(*counts, level)] == pytest.approx(expected, abs=1e-12)
    p = np.array([0.01, 0.04, 0.03, 0.5, 0.0001, 0.9])
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
    assert np.isnan(holm([0.01, np.nan, 0.02])).tolist() == [False, True, False]
    np.testing.assert_allclose(holm([0.01, np.nan, 0.02])[[0, 2]], [0.02, 0.02])


def test_every_rate_of_a_group_is_its_definition() -> None:
    frame = divided()
    found = audit(frame, "hand", by="region")
    for region, part in frame.groupby("region"):
        for name in CLASSES:
            truth, given = part["hand"] == name, part["label"] == name
            expected = {
                "false_positive_rate": (given & ~truth).sum() / (~truth).sum(),
                "false_negative_rate": (~given & truth).sum() / truth.sum(),
                "precision": (given & truth).sum() / given.sum(),
                "share_error": given.mean() - truth.mean(),
                "calibration_in_the_large": part[f"prob_{name}"].mean() - truth.mean(),
            }
            for metric, value in expected.items():
                got = row(found, metric, name, "groups", group=str(region))
                assert got["estimate"] == pytest.approx(value, abs=1e-12), (region, metric, name)
        accuracy = row(found, "accuracy", None, "groups", group=str(region))
        assert accuracy["estimate"] == pytest.approx((part["hand"] == part["label"].astype(str)).mean())
        assert accuracy["n"] == len(part)
    assert row(found, "accuracy")["n"] == len(frame)
    assert found.facts["estimate"] == row(found, "accuracy")["estimate"]


@pytest.mark.parametrize("cluster", [None, "event"])
def test_groups_have_the_figures_and_intervals_of_an_evaluation(cluster: str | None) -> None:
    frame = divided()
    found, evaluated = (verb(frame, "hand", by="region", cluster=cluster) for verb in (audit, evaluate))
    for region in ("north", "south"):
        for metric, name in (("accuracy", None), ("precision", "police")):
            ours, theirs = (row(one, metric, name, "groups", group=region) for one in (found, evaluated))
            for column in ("estimate", "conf_low", "conf_high", "n", "interval"):
                assert ours[column] == pytest.approx(theirs[column], abs=1e-12), (region, metric, column)


def test_two_large_groups_are_compared_by_chi_squared_and_newcombe() -> None:
    frame = divided()
    found = audit(frame, "hand", by="region", conf_level=0.9)
    right = (frame["hand"] == frame["label"].astype(str)).groupby(frame["region"]).agg(["sum", "size"])
    test, pair = row(found, "accuracy", None, "tests"), row(found, "accuracy", None, "differences")
    statistic, p_value, _ = proportions_chisquare(right["sum"], right["size"])
    assert (test["test"], test["df"]) == ("chi-squared", 1)
    assert (test["statistic"], test["p_value"]) == pytest.approx((statistic, p_value))
    counts = [*right.loc["south"], *right.loc["north"]]
    assert (pair["group"], pair["reference"], pair["interval"]) == ("south", "north", "Newcombe")
    expected = confint_proportions_2indep(*counts, method="newcomb", alpha=0.1)
    assert (pair["conf_low"], pair["conf_high"]) == pytest.approx(expected)
    assert pair["difference"] == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    assert test["gap"] == pytest.approx(abs(pair["difference"]))


def test_small_groups_are_compared_by_exact_tests() -> None:
    frame = pd.DataFrame({"hand": "yes", "label": ["yes"] * 7 + ["no"] + ["yes"] * 4 + ["no"] * 8})
    frame["region"] = ["a"] * 8 + ["b"] * 12
    two = row(audit(frame, "hand", by="region", class_name="yes"), "accuracy", None, "tests")
    assert two["test"] == "Fisher"
    assert two["p_value"] == pytest.approx(fisher_exact([[7, 1], [4, 8]])[1])
    # Of two groups, tables drawn with the same margins come as near to Fisher's test as 20,000 of them can.
    frame["third"] = ["a"] * 8 + ["b"] * 11 + ["c"]
    three = row(audit(frame, "hand", by="third", class_name="yes"), "accuracy", None, "tests")
    assert (three["test"], three["n_groups"]) == ("Monte Carlo", 3)
    # Exactly, by counting every table: Freeman and Halton (1951), ordered by Pearson's statistic.
    assert three["p_value"] == pytest.approx(exact([8, 11, 1], [7, 4, 0]), abs=0.01)


def exact(sizes: list[int], right: list[int]) -> float:
    from scipy.stats import multivariate_hypergeom

    n, total = np.array(sizes), sum(right)
    expected = n * total / n.sum()
    a, b, c = (grid.ravel() for grid in np.meshgrid(*(np.arange(size + 1) for size in sizes), indexing="ij"))
    tables = np.stack([a, b, c], axis=1)
    tables = tables[tables.sum(axis=1) == total]
    distance = ((tables - expected) ** 2 / (n * (total / n.sum()) * (1 - total / n.sum()))).sum(axis=1)
    seen = ((np.array(right) - expected) ** 2 / (n * (total / n.sum()) * (1 - total / n.sum()))).sum()
    chances = multivariate_hypergeom.pmf(tables, n, total)
    return float(chances[distance >= seen - 1e-9].sum())


def test_copies_of_photographs_are_no_new_evidence() -> None:
    frame = divided(200)
    once = audit(frame, "hand", by="region")
    copies = pd.concat([frame] * 5, ignore_index=True)
    as_new = audit(copies.assign(image=range(1000)), "hand", by="region")
    as_copies = audit(copies, "hand", by="region")
    assert as_copies.facts["n_clusters"] == 200
    assert as_copies.facts["design_effect"] == pytest.approx(5, abs=0.1)
    for name in CLASSES:
        widths = [
            np.subtract(*(row(found, "precision", name, "differences")[end] for end in ("conf_high", "conf_low")))
            for found in (once, as_new, as_copies)
        ]
        assert widths[2] == pytest.approx(widths[0], rel=0.05)
        assert widths[1] < 0.6 * widths[0]
        means = [row(found, "share_error", name, "differences")["conf_high"] for found in (once, as_copies)]
        assert means[1] == pytest.approx(means[0], abs=1e-3)
        tests = [row(found, "share_error", name, "tests") for found in (once, as_copies)]
        assert tests[0]["test"] == tests[1]["test"] == "score"
        assert tests[1]["p_value"] == pytest.approx(tests[0]["p_value"], rel=1e-6)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_test_and_the_interval_hold_their_level_and_find_what_is_there(clustered: bool) -> None:
    rng = np.random.default_rng(3)
    n, events, draws = 400, 40, 300
    wrongly, covered, found = 0, 0, 0
    one = np.array([1]), np.array([0])
    for _ in range(draws):
        cluster = rng.integers(0, events, n)
        # Events differ in how hard they are (correlation of .2 within them), and lie in one of the groups each.
        share = rng.beta(0.8, 3.2, events)[cluster] if clustered else np.full(n, 0.2)
        group = rng.integers(0, 2, events)[cluster] if clustered else rng.integers(0, 2, n)
        for more in (0.0, 0.25):
            values = (rng.random(n) < share + more * (group == 1)).astype(float)
            rate = Rate("error", None, values, np.ones(n, bool))
            reckoned = grouped(rate, group, 2, cluster if clustered else None)
            p_value = compare_all(reckoned, 1)["p_value"]
            if more:
                found += p_value < 0.05
            else:
                _, low, high = differences(reckoned, *one, 0.95)
                wrongly += p_value < 0.05
                covered += bool(low[0] <= 0 <= high[0])
    # A level of .05 and of .95, and three standard errors of 300 draws.
    assert wrongly / draws < 0.05 + 0.038
    assert covered / draws > 0.95 - 0.038
    assert found / draws > 0.8


def test_the_interval_of_a_gap_reaches_as_far_as_any_pair_can_differ() -> None:
    missed = pd.DataFrame({"g": ["big"] * 200 + ["small"] * 4, "hand": "yes", "label": ["no"] * 20 + ["yes"] * 184})
    right = pd.DataFrame({"g": ["big"] * 200 + ["small"] * 4, "hand": "no", "label": "no"})
    with pytest.warns(ImagesAsDataWarning, match=r"in accuracy is not shown.* as wide as 0\.27"):
        found = audit_predictions(pd.concat([missed, right]).assign(image=range(408)), "hand", by="g", replicates=0)
    for metric, name in (("accuracy", None), ("false_negative_rate", "yes")):
        gap, pair = (row(found, metric, name, table) for table in ("tests", "differences"))
        assert gap["gap"] == pytest.approx(abs(pair["difference"]))
        assert (gap["conf_low"], gap["conf_high"]) == pytest.approx((0, max(-pair["conf_low"], pair["conf_high"])))
    frame = divided(600, (0.5, 0.3, 0.2))
    three = audit(frame, "hand", by="region", conf_level=0.94)
    pairs = audit(frame, "hand", by="region", conf_level=0.98).differences  # 1 - 0.06 / 3
    pairs = pairs[pairs["metric"] == "accuracy"]
    gap = row(three, "accuracy", None, "tests")
    assert gap["conf_high"] == pytest.approx(np.maximum(-pairs["conf_low"], pairs["conf_high"]).max())
    assert gap["conf_low"] == pytest.approx(max(0, pairs["conf_low"].max(), (-pairs["conf_high"]).max()))


@pytest.mark.parametrize(
    ("sizes", "shares"), [([200, 8], [0.1, 0.3]), ([200, 8], [0.1, 0.1]), ([300, 10, 10, 10], [0.1, 0.1, 0.1, 0.3])]
)
def test_the_interval_of_a_gap_covers_the_widest_one(sizes: list[int], shares: list[float]) -> None:
    rng = np.random.default_rng(1)
    group, k, draws = np.repeat(np.arange(len(sizes)), sizes), len(sizes), 200
    true, covered = max(shares) - min(shares), 0
    for _ in range(draws):
        values = (rng.random(len(group)) < np.array(shares)[group]).astype(float)
        rate = Rate("false_negative_rate", "yes", values, np.ones(len(group), bool))
        said = audit_test(grouped(rate, group, k), [str(i) for i in range(k)], 0.95, 1)
        covered += said["conf_low"] <= true <= said["conf_high"]
    assert covered / draws > 0.95 - 0.046  # three standard errors of 200 draws


def test_a_tiny_group_without_an_error_is_no_finding_because_nothing_varies_in_it() -> None:
    frame = divided(300, (0.6, 0.35, 0.05))
    tiny = frame["region"] == "west"
    frame.loc[tiny, "label"] = frame.loc[tiny, "hand"]
    found = audit(frame, "hand", by="region", cluster="event")
    assert row(found, "accuracy", None, "groups", group="west")["estimate"] == 1
    assert row(found, "false_positive_rate", "protest", "tests")["p_value"] > 0.05
    assert row(found, "share_error", "police", "differences", group="west", reference="north")["conf_low"] is None


def test_of_two_classes_the_second_is_compared_and_of_attributes_and_scores_each() -> None:
    two = coded(200, ("calm", "protest")).assign(g=np.arange(200) % 2)
    assert audit(two, "hand", by="g").tests["class"].dropna().unique().tolist() == ["protest"]
    assert audit(two, "hand", by="g", class_name="calm").tests["class"].dropna().unique().tolist() == ["calm"]
    many = audit(attributes().assign(g=np.arange(300) % 3), "truth", by="g")
    assert many.tests["class"].unique().tolist() == ["fire", "flag"]
    frame = scores().assign(g=np.arange(300) % 2)
    found = audit(frame, "truth", by="g")
    error = frame["score_joy"] - frame["truth_joy"]
    for group in (0, 1):
        got = row(found, "mean_error", "joy", "groups", group=str(group))
        assert got["estimate"] == pytest.approx(error[frame["g"] == group].mean())
    difference = row(found, "mean_error", "joy", "differences")
    expected = error[frame["g"] == 1].mean() - error[frame["g"] == 0].mean()
    assert difference["difference"] == pytest.approx(expected)
    assert found.facts["design_effect"] is None


def test_p_values_are_adjusted_over_all_rates_and_columns() -> None:
    frame = divided().assign(half=lambda d: np.arange(len(d)) % 2)
    found = audit(frame, "hand", by=["region", "half"])
    tests = found.tests
    assert found.facts["n_tests"] == len(tests) == 2 * (1 + 3 * 5)
    np.testing.assert_allclose(tests["p_adjusted"], multipletests(tests["p_value"], method="holm")[1])


def test_small_groups_are_named_with_the_number_that_would_be_needed() -> None:
    frame = divided(300, (0.6, 0.3, 0.1))
    with pytest.warns(ImagesAsDataWarning) as said:
        audit_predictions(frame, "hand", by="region", replicates=50)
    text = " ".join(str(one.message) for one in said)
    assert '"west" (' in text
    assert "±0.05 needs" in text
    assert "is not shown, nor that they are equal" in text
    frame.loc[:9, "region"] = None
    with pytest.warns(ImagesAsDataWarning, match=r'10 photograph\(s\) have no "region"'):
        audit_predictions(frame, "hand", by="region", replicates=0)
    with pytest.warns(ImagesAsDataWarning, match="rest on . cluster"):
        audit_predictions(frame.assign(event=np.arange(300) % 5), "hand", by="region", cluster="event", replicates=0)


def test_a_division_that_cannot_be_compared_is_an_error() -> None:
    frame = divided(100).assign(one="x")
    for by, said in (("one", "two groups or more"), ("image", "the most is 50"), ("town", "neither the predictions")):
        with pytest.raises(ArgumentInvalid, match=said):
            audit(frame, "hand", by=by)
    with pytest.raises(ArgumentInvalid, match="names no column"):
        audit(frame, "hand", by=[])
    with pytest.raises(ArgumentInvalid, match="there are 'other'"):
        audit(frame, "hand", by="region", class_name="riot")


def test_one_group_of_one_photograph_and_all_right_are_rows_without_figures() -> None:
    frame = pd.DataFrame({"hand": ["a", "b"] * 10, "label": ["a", "b"] * 10, "g": ["x"] * 19 + ["y"]})
    found = audit(frame, "hand", by="g")
    test = row(found, "accuracy", None, "tests")
    assert (test["gap"], test["p_value"]) == (0, 1)
    assert (test["lowest"], test["highest"]) == ("x", "y")
    assert row(found, "false_positive_rate", "b", "tests")["test"] is None  # "y" has no photograph that is not "b"
    assert row(found, "false_positive_rate", "b", "groups", group="y")["estimate"] is None


def test_the_seed_decides_and_names_from_outside_stay_on_their_line(tmp_path: Path) -> None:
    frame = coded(200).assign(g=np.array(HOSTILE, object)[np.arange(200) % 4])
    found = audit(frame, "hand", by="g")
    again = audit(frame, "hand", by="g")
    assert all(found.tables[name].equals(again.tables[name]) for name in found.tables)
    assert set(found.tests["lowest"].dropna()) <= set(HOSTILE)
    assert not any("\n" in line or "\N{RIGHT-TO-LEFT OVERRIDE}" in line for line in found.lines)
    path = found.save(tmp_path / "audit.zip")
    assert Findings.load(path).tables["tests"].equals(found.tables["tests"])
    assert found.plot().axes


def test_the_shell_prints_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = divided()
    write_table(pa.Table.from_pandas(frame), tmp_path / "p.parquet")
    options = ["--truth", "hand", "--by", "region", "--replicates", "50", "--class-name", "police"]
    assert main(["audit", str(tmp_path / "p.parquet"), *options, "--save", str(tmp_path / "a.zip")]) == 0
    found = audit(frame, "hand", by="region", class_name="police")
    assert capsys.readouterr().out == f"{found}\n"
    assert Findings.load(tmp_path / "a.zip").tables["tests"].equals(found.tables["tests"])
