"""Agreement has the numbers of published examples and of other packages, also where answers are missing."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from imagesasdata.agreement import ceiling, coder_agreement
from imagesasdata.errors import ArgumentInvalid, ImageColumnMissing, ImagesAsDataWarning, LabelsInvalid
from imagesasdata.findings import Findings
from imagesasdata.labels import read_labels
from imagesasdata.tablefiles import write_table

NA = np.nan
# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, example C: four observers, twelve units.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NA, NA, NA],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NA, 3],
        [NA, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NA],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NA],
    ]
).T
# Fleiss (1971), table 1: how many of 6 psychiatrists gave each of 30 patients one of 5 diagnoses.
FLEISS = [
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031",
    "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006",
]
# Wikipedia, "Fleiss' kappa", after Sim and Wright (2005): 14 raters, 10 items, 5 classes.
RATERS_14 = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
# Shrout and Fleiss (1979), table 2: four judges, six targets.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def quietly(labels: Any, **options: Any) -> Findings:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImagesAsDataWarning)
        return coder_agreement(labels, **{"replicates": 20, **options})


def notes(labels: Any, **options: Any) -> list[str]:
    return list(coder_agreement.for_r(labels, **{"replicates": 20, **options}).notes)


def wide(values: Any) -> tuple[pd.DataFrame, list[str]]:
    """A table of ``[photographs, coders]``, and the names of its columns."""
    values = np.asarray(values)
    people = [f"coder {i}" for i in range(values.shape[1])]
    frame = pd.DataFrame(values, columns=people)
    frame.insert(0, "image", [f"{i}.jpg" for i in range(len(values))])
    return frame, people


def long(values: Any) -> pd.DataFrame:
    """The same in long form, in no order, without the missing answers."""
    frame, people = wide(values)
    return frame.melt("image", people, "coder", "label").dropna().sample(frac=1, random_state=1)


def spread(counts: Any) -> np.ndarray[Any, Any]:
    """One row a photograph and one column a coder, of how many gave each class; who is who does not matter."""
    return np.array([np.repeat(np.arange(len(row)), row) for row in np.asarray(counts)])


def estimates(values: Any, **options: Any) -> dict[str, float]:
    frame, people = wide(values)
    metrics = quietly(frame, coders=people, **options).metrics
    return dict(zip(metrics["metric"], metrics["estimate"], strict=True))


def random_answers(n: int, coders: int, classes: int, missing: float = 0.0, seed: int = 1) -> np.ndarray[Any, Any]:
    """Coders who see a truth, and err now and then."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=(n, 1))
    answers = np.where(rng.random((n, coders)) < 0.7, truth, rng.integers(classes, size=(n, coders))).astype(float)
    answers[rng.random((n, coders)) < missing] = np.nan
    return answers


# -- published examples ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_krippendorffs_own_example(scale: str, alpha: float) -> None:
    assert round(estimates(KRIPPENDORFF, scale=scale)["krippendorff_alpha"], 3) == alpha


def test_fleiss_kappa_is_that_of_fleiss_own_example() -> None:
    counts = [[int(digit) for digit in row] for line in FLEISS for row in line.split()]
    assert np.sum(counts, axis=0).tolist() == [26, 26, 30, 55, 43]  # the margins of table 1
    assert round(estimates(spread(counts))["fleiss_kappa"], 3) == 0.430


def test_fleiss_kappa_of_fourteen_raters() -> None:
    assert round(estimates(spread(RATERS_14))["fleiss_kappa"], 3) == 0.210


def test_fleiss_kappa_with_missing_answers_is_gwets() -> None:
    # irrCAC::fleiss.kappa.raw(cac.raw4raters), which is Krippendorff's example.
    assert round(estimates(KRIPPENDORFF)["fleiss_kappa"], 5) == 0.76117


def test_intraclass_correlations_are_those_of_shrout_and_fleiss() -> None:
    found = estimates(SHROUT_FLEISS, scale="interval")
    assert [round(found[name], 2) for name in ("icc_1", "icc_a1", "icc_c1")] == [0.17, 0.29, 0.71]


# -- other packages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(("coders", "classes"), [(2, 2), (3, 4), (5, 7)])
def test_alpha_is_that_of_the_krippendorff_package(coders: int, classes: int, missing: float) -> None:
    answers = random_answers(80, coders, classes, missing)
    for scale in ("nominal", "ordinal", "interval"):
        expected = krippendorff.alpha(reliability_data=answers.T, level_of_measurement=scale)
        assert estimates(answers, scale=scale)["krippendorff_alpha"] == pytest.approx(expected, abs=1e-12)


def test_alpha_of_decimals_far_from_zero_keeps_its_digits() -> None:
    answers = random_answers(50, 3, 9, 0.2) / 7
    expected = krippendorff.alpha(reliability_data=answers.T, level_of_measurement="interval")
    found = estimates(answers + 1e6, scale="interval")
    assert found["krippendorff_alpha"] == pytest.approx(expected, abs=1e-6)
    assert found["icc_1"] == pytest.approx(estimates(answers, scale="interval")["icc_1"], abs=1e-6)


def test_cohens_kappa_and_percent_are_those_of_scikit_learn() -> None:
    answers = random_answers(70, 2, 4)
    found = estimates(answers)
    assert found["cohen_kappa"] == pytest.approx(cohen_kappa_score(*answers.T.astype(int)), abs=1e-12)
    assert found["percent_agreement"] == pytest.approx((answers[:, 0] == answers[:, 1]).mean())


def test_weighted_kappa_is_that_of_scikit_learn_with_quadratic_weights() -> None:
    answers = random_answers(70, 2, 5)
    expected = cohen_kappa_score(*answers.T.astype(int), weights="quadratic")
    assert estimates(answers, scale="ordinal")["weighted_kappa"] == pytest.approx(expected, abs=1e-12)
    # An order, not a distance: the same of 1, 2, 4, 8 and 16.
    assert estimates(2**answers, scale="ordinal")["weighted_kappa"] == pytest.approx(expected, abs=1e-12)


def test_kappa_of_several_coders_is_the_mean_over_pairs_of_what_both_coded() -> None:
    answers = random_answers(60, 4, 3, missing=0.2)
    frame, people = wide(answers)
    found = quietly(frame, coders=people)
    pairs, kappas, percents = found.pairs, [], []
    for a, b in itertools.combinations(range(4), 2):
        both = answers[~np.isnan(answers[:, [a, b]]).any(axis=1)][:, [a, b]].astype(int)
        kappas.append(cohen_kappa_score(*both.T))
        percents.append((both[:, 0] == both[:, 1]).mean())
        row = pairs[(pairs["coder_a"] == people[a]) & (pairs["coder_b"] == people[b])].iloc[0]
        assert row["n"] == len(both)
        assert row["kappa"] == pytest.approx(kappas[-1], abs=1e-12)
        assert row["percent"] == pytest.approx(percents[-1])
    metrics = found.metrics.set_index("metric")["estimate"]
    assert metrics["cohen_kappa"] == pytest.approx(np.mean(kappas))
    assert metrics["percent_agreement"] == pytest.approx(np.mean(percents))
    assert pairs["correlation"].isna().all()


@pytest.mark.parametrize("coders", [2, 3, 6])
def test_fleiss_kappa_is_that_of_statsmodels(coders: int) -> None:
    answers = random_answers(50, coders, 4)
    expected = fleiss_kappa(aggregate_raters(answers.astype(int))[0])
    assert estimates(answers)["fleiss_kappa"] == pytest.approx(expected, abs=1e-12)


def test_intraclass_correlations_follow_from_an_analysis_of_variance_by_statsmodels() -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    answers = random_answers(25, 3, 9) + 0.5 * np.arange(3)
    k, n = 3, 25
    frame = wide(answers)[0].melt("image", var_name="coder", value_name="y")
    squares = anova_lm(ols("y ~ C(image) + C(coder)", frame).fit())["mean_sq"]
    r, c, e = squares["C(image)"], squares["C(coder)"], squares["Residual"]
    w = anova_lm(ols("y ~ C(image)", frame).fit())["mean_sq"]["Residual"]
    found = estimates(answers, scale="interval")
    # McGraw and Wong (1996), table 4
    assert found["icc_1"] == pytest.approx((r - w) / (r + (k - 1) * w))
    assert found["icc_c1"] == pytest.approx((r - e) / (r + (k - 1) * e))
    assert found["icc_a1"] == pytest.approx((r - e) / (r + (k - 1) * e + k / n * (c - e)))


# -- intervals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_intervals_are_percentiles_of_the_coefficient_of_resampled_photographs(scale: str) -> None:
    answers = random_answers(40, 3, 4, missing=0.1)
    frame, people = wide(answers)
    row = quietly(frame, coders=people, scale=scale, replicates=4000, conf_level=0.8).metrics.set_index("metric")
    drawn = np.random.default_rng(5).integers(40, size=(1000, 40))
    alphas = [krippendorff.alpha(reliability_data=answers[rows].T, level_of_measurement=scale) for rows in drawn]
    found = row.loc["krippendorff_alpha", ["conf_low", "conf_high"]].tolist()
    assert found == pytest.approx(np.quantile(alphas, [0.1, 0.9]), abs=0.015)  # their standard errors are 0.005


def test_intervals_of_kappa_are_percentiles_of_that_of_scikit_learn() -> None:
    answers = random_answers(40, 2, 4)
    frame, people = wide(answers)
    row = quietly(frame, coders=people, replicates=4000, conf_level=0.8).metrics.set_index("metric")
    drawn = np.random.default_rng(5).integers(40, size=(1000, 40))
    kappas = [cohen_kappa_score(*answers[rows].T.astype(int)) for rows in drawn]
    found = row.loc["cohen_kappa", ["conf_low", "conf_high"]].tolist()
    assert found == pytest.approx(np.quantile(kappas, [0.1, 0.9]), abs=0.015)


def test_intervals_hold_the_true_alpha_about_as_often_as_they_say() -> None:
    # 200 samples of 60 photographs of a large population; 90 % intervals. Binomial: 0.8 is 4.7 standard errors away.
    population = random_answers(50_000, 3, 3, seed=9)
    truth = estimates(population, replicates=1)["krippendorff_alpha"]
    rng, held = np.random.default_rng(2), []
    for _ in range(200):
        frame, people = wide(population[rng.choice(len(population), 60, replace=False)])
        row = quietly(frame, coders=people, replicates=200, conf_level=0.9).metrics.set_index("metric")
        held.append(row["conf_low"]["krippendorff_alpha"] <= truth <= row["conf_high"]["krippendorff_alpha"])
    assert 0.8 <= np.mean(held) <= 0.97


def test_the_same_seed_gives_the_same_intervals_and_another_one_others() -> None:
    frame, people = wide(random_answers(40, 2, 3))
    one, same, other = (quietly(frame, coders=people, seed=seed).metrics for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one["conf_low"].equals(other["conf_low"])
    assert one["estimate"].equals(other["estimate"])


def test_many_photographs_are_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, people = wide(random_answers(50, 2, 3))
    whole = quietly(frame, coders=people, replicates=400).metrics
    monkeypatch.setattr("imagesasdata.coefficients.CELLS", 50 * 7)
    blocks = quietly(frame, coders=people, replicates=400).metrics
    assert blocks["conf_low"].to_numpy() == pytest.approx(whole["conf_low"].to_numpy(), abs=0.1)


# -- tables ------------------------------------------------------------------------------------------------------------


def test_wide_and_long_and_files_and_labels_agree(tmp_path: Path) -> None:
    answers = random_answers(40, 3, 3, missing=0.2)
    frame, people = wide(answers)
    expected = quietly(frame, coders=people)
    write_table(pa.Table.from_pandas(long(answers), preserve_index=False), tmp_path / "long.csv")
    for i in range(40):
        (tmp_path / f"{i}.jpg").write_bytes(b"%d" % i)
    labels = read_labels(frame, coders=people, image_dir=tmp_path)
    for found in (
        quietly(long(answers)),
        quietly(pa.Table.from_pandas(long(answers))),
        quietly(tmp_path / "long.csv"),
        quietly(labels, coders=people),
    ):
        columns = ["metric", "estimate", "n"]
        left = found.metrics[columns]
        pd.testing.assert_frame_equal(left, expected.metrics[columns])
        assert found.n == expected.n


def test_the_tables_have_their_columns_and_the_facts_their_values() -> None:
    frame, people = wide(KRIPPENDORFF)
    found = quietly(frame, coders=people)
    assert found.kind == "agreement"
    assert found.metrics.columns.tolist() == ["name", "metric", "estimate", "conf_low", "conf_high", "n"]
    assert found.metrics["metric"].tolist() == [
        "percent_agreement",
        "cohen_kappa",
        "fleiss_kappa",
        "krippendorff_alpha",
    ]
    assert set(found.metrics["n"]) == {11}  # the twelfth has one answer
    assert found.facts == {
        "names": ["label"],
        "scale": ["nominal"],
        "n": 11,
        "n_coders": 4,
        "conf_level": 0.95,
        "replicates": 20,
        "seed": 1,
    }
    assert found.coders.columns.tolist() == ["name", "coder", "n", "label", "share", "mean"]
    first = found.coders[found.coders["coder"] == "coder 0"]
    assert first["n"].tolist() == [9] * 5
    assert first["share"].tolist() == pytest.approx([3 / 9, 3 / 9, 2 / 9, 1 / 9, 0])
    assert found.pairs["n"].tolist() == [9, 8, 9, 9, 10, 10]
    assert '"n_coders": 4' in found.facts_json()


def test_tables_have_the_same_types_whatever_is_in_them() -> None:
    nominal = quietly(long(random_answers(30, 2, 3)))
    measured = quietly(long(np.repeat(np.arange(12.0)[:, None], 2, axis=1)))
    for name, table in nominal.tables.items():
        assert measured.tables[name].schema == table.schema
    assert measured.tables["disagreements"].num_rows == 0
    assert measured.tables["coders"]["mean"].to_pylist() == [5.5, 5.5]
    assert measured.tables["coders"]["label"].null_count == 2


def test_the_photographs_on_which_coders_differ_most_come_first() -> None:
    frame, people = wide(KRIPPENDORFF)
    found = quietly(frame, coders=people).disagreements
    assert found["image"].tolist() == ["5.jpg", "1.jpg", "7.jpg"]
    assert found["disagreement"].tolist() == [1.0, 0.5, 0.5]  # pairs that differ: 6 of 6, 3 of 6
    assert found["answers"][0] == "coder 0: 1; coder 1: 2; coder 2: 3; coder 3: 4"
    measured = quietly(frame, coders=people, scale="interval").disagreements
    assert measured["disagreement"][0] == pytest.approx(np.std([1, 2, 3, 4], ddof=1))


def test_several_attributes_are_measured_each_by_itself() -> None:
    fire, sign = random_answers(40, 2, 2), random_answers(40, 2, 2, missing=0.2, seed=2)
    both = (
        long(fire)
        .rename(columns={"label": "fire"})
        .merge(long(sign).rename(columns={"label": "sign"}), on=["image", "coder"], how="left")
    )
    found = quietly(both, label_col=["fire", "sign"])
    for name, answers in (("fire", fire), ("sign", sign)):
        alone = estimates(answers)
        rows = found.metrics[found.metrics["name"] == name]
        assert dict(zip(rows["metric"], rows["estimate"], strict=True)) == pytest.approx(alone)
    assert found.facts["names"] == ["fire", "sign"]
    assert set(found.pairs["name"]) == set(found.coders["name"]) == {"fire", "sign"}
    assert any(line == "sign (nominal)" for line in found.lines)


def test_intraclass_correlations_rest_on_the_photographs_that_all_coded() -> None:
    values = np.vstack([SHROUT_FLEISS, [[5, NA, 1, 2], [NA, NA, 3, 3]]])
    frame, people = wide(values)
    metrics = quietly(frame, coders=people, scale="interval").metrics.set_index("metric")
    assert round(metrics.loc["icc_1", "estimate"], 2) == 0.17
    assert metrics["n"].to_dict() == {"krippendorff_alpha": 8, "icc_1": 6, "icc_a1": 6, "icc_c1": 6}
    said = notes(wide([[1.5, 2, NA], [2, NA, 3.5], [NA, 1, 1]])[0], coders=["coder 0", "coder 1", "coder 2"])
    assert any("ICC needs photographs that all coders coded" in note for note in said)


def test_the_summary_says_what_was_measured_and_that_the_marks_are_conventions() -> None:
    frame, people = wide(KRIPPENDORFF)
    text = repr(quietly(frame, coders=people))
    assert text.startswith("Agreement of 4 coders on 11 photographs\nlabel (nominal)\n")
    assert "Krippendorff's alpha  0.743  [" in text
    assert "convention" in text
    assert max(map(len, text.splitlines())) < 200


# -- scales ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([["a", "b"], ["b", "b"]] * 10, "nominal"),
        ([[True, False], [False, False]] * 10, "nominal"),
        ([[1, 2], [2, 2]] * 10, "nominal"),
        ([[1, 2.5], [2, 2]] * 10, "interval"),
        ([[i, i + 1] for i in range(20)], "interval"),
    ],
    ids=["text", "logical", "few numbers", "decimals", "many numbers"],
)
def test_the_scale_is_found_and_is_never_ordinal(values: Any, scale: str) -> None:
    frame, people = wide(np.array(values, dtype=object))
    assert quietly(frame, coders=people).facts["scale"] == [scale]


def test_ordered_factors_are_ordinal_where_that_is_asked_for() -> None:
    levels = ["low", "middle", "high"]
    answers = random_answers(60, 2, 3)
    frame, people = wide(answers)
    words = frame.assign(**{p: pd.Categorical.from_codes(frame[p].astype(int), levels, ordered=True) for p in people})
    found = quietly(words, coders=people, scale="ordinal")
    metrics = found.metrics.set_index("metric")["estimate"]
    assert metrics["weighted_kappa"] == pytest.approx(cohen_kappa_score(*answers.T.astype(int), weights="quadratic"))
    assert found.coders["label"].tolist() == levels * 2
    assert quietly(words, coders=people).facts["scale"] == ["nominal"]


def test_words_without_an_order_cannot_be_ordinal_or_a_measure() -> None:
    frame, people = wide(np.array([["low", "high"], ["high", "high"]] * 10))
    with pytest.raises(ArgumentInvalid, match=r'`scale` is "ordinal", and "label" holds text.*ordered factor'):
        quietly(frame, coders=people, scale="ordinal")
    with pytest.raises(ArgumentInvalid, match='`scale` is "interval"'):
        quietly(frame, coders=people, scale="interval")


# -- odd and wrong -----------------------------------------------------------------------------------------------------


def test_perfect_agreement_is_one_throughout() -> None:
    values = np.repeat(np.arange(30.0)[:, None] % 3, 3, axis=1)
    for scale in ("nominal", "ordinal", "interval"):
        frame, people = wide(values)
        found = quietly(frame, coders=people, scale=scale)
        assert set(found.metrics["estimate"]) == {1.0}
        assert found.metrics["conf_low"].isna().all()  # all resamples are perfect too, which says nothing
        assert "1.000\n" in repr(found)


def test_agreement_on_one_class_only_leaves_kappa_undefined_and_says_so() -> None:
    frame, people = wide(np.full((30, 2), "a", dtype=object))
    found = quietly(frame, coders=people)
    metrics = found.metrics.set_index("metric")
    assert metrics.loc["percent_agreement", "estimate"] == 1
    assert metrics.loc[["cohen_kappa", "fleiss_kappa", "krippendorff_alpha"]].isna()["estimate"].all()
    assert found.tables["metrics"]["estimate"].null_count == 3
    assert any('cannot be told of "label": there is next to no variation' in note for note in found.notes)
    assert "     -" in repr(found)


def test_coders_who_share_no_photograph_are_left_out_of_the_pairs() -> None:
    values = [["a", "b", NA], ["b", "b", NA], ["a", NA, "a"], ["b", NA, "a"]] * 10
    frame, people = wide(np.array(values, dtype=object))
    pairs = quietly(frame, coders=people).pairs
    assert list(zip(pairs["coder_a"], pairs["coder_b"], strict=True)) == [
        ("coder 0", "coder 1"),
        ("coder 0", "coder 2"),
    ]


def test_photographs_of_one_coder_and_few_photographs_are_mentioned() -> None:
    frame, people = wide(KRIPPENDORFF)
    said = notes(frame, coders=people)
    assert any("1 photograph(s) have one coder's answer only" in note for note in said)
    assert any("With 11 photographs the intervals are rough" in note for note in said)
    enough, two = wide(random_answers(40, 2, 3))
    assert notes(enough, coders=two) == []


def test_python_warns_of_the_notes() -> None:
    frame, people = wide(KRIPPENDORFF)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        coder_agreement(frame, coders=people, replicates=5)
    assert [str(warning.message) for warning in caught] == notes(frame, coders=people)
    assert {warning.category for warning in caught} == {ImagesAsDataWarning}


def test_one_coder_or_no_photograph_in_common_is_an_error() -> None:
    frame = pd.DataFrame({"image": ["a", "b"], "coder": ["x", "x"], "label": ["p", "q"]})
    with pytest.raises(LabelsInvalid, match="answers of x only"):
        quietly(frame)
    with pytest.raises(LabelsInvalid, match="No photograph was coded by two coders"):
        quietly(frame.assign(coder=["x", "y"]))
    with pytest.raises(LabelsInvalid, match="no coder only"):
        quietly(frame.assign(label=None))


def test_a_coder_who_contradicts_himself_is_an_error_and_one_who_repeats_himself_is_not() -> None:
    frame = pd.DataFrame({"image": list("aabb"), "coder": list("xyxy"), "label": list("pqpp")})
    frame = pd.concat([frame] + [frame.replace({"a": "c", "b": "d"})] * 3)
    assert any("8 row(s) repeat" in note for note in notes(frame))
    with pytest.raises(LabelsInvalid, match=r"'a' by x \('p', 'q'\)"):
        quietly(pd.concat([frame, pd.DataFrame({"image": ["a"], "coder": ["x"], "label": ["q"]})]))


def test_photographs_may_have_any_name() -> None:
    answers = random_answers(30, 2, 3)
    frame, people = wide(answers)
    expected = estimates(answers)
    hostile = [f"=cmd|{i}\n<script>📷" for i in range(30)]
    for names in (range(30), hostile):
        found = quietly(frame.assign(image=list(names)), coders=people)
        assert dict(zip(found.metrics["metric"], found.metrics["estimate"], strict=True)) == expected
    assert set(found.disagreements["image"]) <= set(hostile)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"scale": "ratio"}, "`scale` is 'ratio'"),
        ({"conf_level": 95}, "`conf_level` is 95; it must be a number between 0 and 1"),
        ({"conf_level": "0.9"}, "`conf_level`"),
        ({"replicates": 0}, "`replicates` is 0; without resampling"),
        ({"replicates": 1.5}, "`replicates`"),
        ({"seed": -1}, "`seed` is -1"),
        ({"coders": "who"}, '`coders` is "who"; the table has no such column'),
        ({"coders": None}, "`coders` is missing"),
        ({"label_col": "tag"}, '`label_col` is "tag"'),
    ],
)
def test_wrong_arguments_are_errors_that_name_them(option: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentInvalid, match=words):
        quietly(long(random_answers(30, 2, 3)), **option)


def test_a_column_of_photographs_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ImageColumnMissing, match='`image_col` is "photo"'):
        quietly(long(random_answers(30, 2, 3)), image_col="photo")


def test_labels_without_coders_are_an_error(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(b"%d" % i)
    labels = read_labels(
        pd.DataFrame({"image": [f"{i}.jpg" for i in range(4)], "label": list("abab")}), image_dir=tmp_path
    )
    with pytest.raises(LabelsInvalid, match="does not say who coded what"):
        quietly(labels)
    assert ceiling(labels) is None


# -- the ceiling -------------------------------------------------------------------------------------------------------


def read(folder: Path, frame: pd.DataFrame, **options: Any) -> Any:
    for name in set(frame["image"]):
        (folder / name).write_bytes(name.encode())
    return read_labels(frame, image_dir=folder, **options)


def test_the_ceiling_of_classes_is_the_mean_agreement_of_two_coders(tmp_path: Path) -> None:
    answers = random_answers(50, 3, 3, missing=0.2)
    frame, people = wide(answers)
    labels = read(tmp_path, frame, coders=people)
    assert ceiling(labels) == pytest.approx(estimates(answers)["percent_agreement"])


def test_the_ceiling_of_attributes_is_the_mean_over_them_ties_included(tmp_path: Path) -> None:
    rows = [
        (f"{i}.jpg", coder, int(i % 2 == 0), int((i < 5) ^ (coder == "y" and i < 4)))
        for i in range(10)
        for coder in "xy"
    ]
    frame = pd.DataFrame(rows, columns=["image", "coder", "fire", "sign"])
    # fire: always the same; sign: 4 of 10 differ, and these ties are NaN in `values`.
    labels = read(
        tmp_path,
        pd.concat([frame, frame.tail(2).assign(image="10.jpg", sign=1)]),
        coders="coder",
        label_col=["fire", "sign"],
    )
    assert ceiling(labels) == pytest.approx((1 + 7 / 11) / 2)


def test_the_ceiling_of_scores_is_the_mean_correlation_of_two_coders(tmp_path: Path) -> None:
    answers = random_answers(40, 3, 12) + 0.5
    frame, people = wide(answers)
    expected = np.corrcoef(answers.T)[np.triu_indices(3, 1)].mean()
    assert ceiling(read(tmp_path, frame, coders=people)) == pytest.approx(expected)


def test_there_is_no_ceiling_without_photographs_in_common(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"image": [f"{i}.jpg" for i in range(8)], "coder": list("xxxxyyyy"), "label": list("abababab")}
    )
    assert ceiling(read(tmp_path, frame, coders="coder")) is None
