"""The verbs on data frames: what feeds them, what they say, what they refuse; the same from the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import imagesasdata as iad
from imagesasdata import ImagesAsDataWarning, cli
from imagesasdata.errors import (
    ArgumentInvalid,
    ColumnsCollinear,
    LabelsInvalid,
    OutcomeInvalid,
    ProbabilityInvalid,
    SeparationFound,
    TooFewLabels,
)
from imagesasdata.tablefiles import write_table

N = 1500
ONE = ({"protest": "seen"}, {"protest": "coded"})


def posts(seed: int = 1, labels: int = 400) -> pd.DataFrame:
    """Return posts, of which some show a protest, is predicted with 85 percent accuracy, and is coded for some."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"followers": rng.normal(size=N), "city": rng.choice(["a", "b", "c"], N)})
    protest = (rng.random(N) < 0.4).astype(float)
    frame["likes"] = 1 + 2 * protest - 0.3 * frame["followers"] + rng.normal(size=N)
    frame["retweets"] = rng.poisson(np.exp(0.2 + 0.5 * protest) * rng.gamma(2, 0.5, N))
    frame["protest"] = protest
    frame["seen"] = np.where(rng.random(N) < 0.85, protest, 1 - protest)
    frame["prob_protest"] = 0.1 + 0.8 * frame["seen"]
    frame["pi"] = labels / N * np.where(frame["followers"] > 0, 1.4, 0.6)
    frame["coded"] = frame["protest"].where(rng.random(N) < frame["pi"])
    frame["coded_text"] = frame["coded"].map({1.0: "protest", 0.0: "other"})
    return frame


def fit(formula: str = "likes ~ protest + followers", data: pd.DataFrame | None = None, **options: Any) -> Any:
    frame = posts() if data is None else data
    return iad.regress(formula, frame, *ONE, **{"sampling_prob": "pi", "repeats": 2, **options})


@pytest.mark.filterwarnings("error")
def test_a_sample_with_known_probabilities_has_no_warning_and_covers_the_truth() -> None:
    found = fit()
    interval = found.conf_int().loc["protest"]
    assert interval["conf_low"] < 2 < interval["conf_high"]
    assert found.estimate_of("naive")[0][1] < 1.7
    assert isinstance(found, iad.Regression) and found.nobs == N and found.n_labelled == found.accuracy["n"][0]


def test_a_probability_and_the_name_of_its_class_are_as_good_as_numbers() -> None:
    frame = posts()
    text = iad.regress(
        "likes ~ protest", frame, {"protest": "prob_protest"}, {"protest": "coded_text"}, sampling_prob="pi", repeats=2
    )
    number = iad.regress(
        "likes ~ protest", frame, {"protest": "prob_protest"}, {"protest": "coded"}, sampling_prob="pi", repeats=2
    )
    pd.testing.assert_series_equal(text.params, number.params)
    with pytest.raises(LabelsInvalid, match="prob_<class>"):
        iad.regress("likes ~ protest", frame, {"protest": "seen"}, {"protest": "coded_text"})


def test_a_zero_and_one_may_be_a_category_in_the_formula() -> None:
    plain, category = fit(), fit("likes ~ C(protest) + followers")
    np.testing.assert_allclose(plain.params, category.params, atol=1e-10)


def test_groups_with_an_intercept_of_their_own_are_dummies() -> None:
    absorbed, dummies = fit(absorb="city"), fit("likes ~ protest + followers + city")
    for name in ("protest", "followers"):
        assert absorbed.params[name] == pytest.approx(dummies.params[name], abs=0.02)  # other folds' models: no city
        assert absorbed.bse[name] == pytest.approx(dummies.bse[name], rel=0.03)
    assert "Intercept" not in absorbed.params


def test_with_all_rows_labelled_it_is_statsmodels() -> None:
    frame = posts().assign(coded=lambda f: f["protest"], pi=1.0)
    found = fit("likes ~ protest * followers + city", frame)
    other = smf.ols("likes ~ protest * followers + city", frame).fit(cov_type="HC1")
    for name in found.params.index:
        assert found.params[name] == pytest.approx(other.params[name], abs=1e-8)
        assert found.bse[name] == pytest.approx(other.bse[name], abs=1e-8)


@pytest.mark.parametrize("sampling_prob", ("pi", None))
def test_with_useless_predictions_it_is_the_labels_alone_within_noise(sampling_prob: str | None) -> None:
    frame = posts()
    frame["seen"] = np.random.default_rng(2).integers(0, 2, N).astype(float)
    found = fit("protest ~ city", frame, sampling_prob=sampling_prob)
    labels = found.estimate_of("labels")
    np.testing.assert_allclose(found.params, labels[0], atol=0.5 * np.sqrt(np.diag(labels[1])).max())
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(labels[1])), rtol=0.1)


def test_both_sides_may_be_predicted_and_categories_too() -> None:
    frame, rng = posts(), np.random.default_rng(3)
    kinds = np.array(["flag", "none", "police"])
    kind = rng.integers(0, 3, N)
    frame["angry"] = (rng.random(N) < np.where(kind == 2, 0.7, 0.3)).astype(float)
    right = rng.random(N) < 0.9
    seen = np.where(right, kind, (kind + 1) % 3)
    for j, name in enumerate(kinds):
        frame[f"prob_{name}"] = np.where(seen == j, 0.8, 0.1)
    frame["kind_coded"] = pd.Series(kinds[kind]).where(frame["coded"].notna())
    frame["angry_seen"] = np.where(rng.random(N) < 0.8, frame["angry"], 1 - frame["angry"])
    frame["angry_coded"] = frame["angry"].where(frame["coded"].notna())
    predicted = {"angry": "angry_seen", "kind": [f"prob_{name}" for name in kinds]}
    labelled = {"angry": "angry_coded", "kind": "kind_coded"}
    found = iad.regress("angry ~ C(kind)", frame, predicted, labelled, sampling_prob="pi", repeats=2)
    assert list(found.accuracy["variable"]) == ["angry", "kind"]
    assert abs(found.params["C(kind)[T.police]"] - 0.4) < 3 * found.bse["C(kind)[T.police]"]
    assert abs(found.params["C(kind)[T.none]"]) < 3 * found.bse["C(kind)[T.none]"]
    share = iad.estimate_share(frame, {"kind": predicted["kind"]}, {"kind": "kind_coded"}, sampling_prob="pi")
    rows = share.metrics.set_index("class")
    assert rows["estimate"].sum() == pytest.approx(1, abs=0.005)  # each class by models of its own
    truth = np.bincount(kind) / N
    assert (np.abs(rows["estimate"] - truth) < 3 * rows["std_error"]).all()


def test_what_is_wrong_is_said_with_a_class() -> None:
    frame = posts()
    with pytest.raises(ColumnsCollinear, match="twice"):
        fit("likes ~ protest + followers + twice", frame.assign(twice=lambda f: 2 * f["followers"]))
    with pytest.raises(SeparationFound, match="tells"):
        fit("sure ~ protest + followers", frame.assign(sure=(frame["followers"] > 0) * 1.0), family="binomial")
    with pytest.raises(OutcomeInvalid, match="never varies"):
        fit("same ~ protest", frame.assign(same=1.0), family="binomial")
    with pytest.raises(ProbabilityInvalid):
        fit(data=frame.assign(pi=0.0))
    with pytest.raises(ProbabilityInvalid):
        fit(data=frame.assign(pi=1.2))
    with pytest.raises(TooFewLabels):
        fit(data=frame.assign(coded=np.nan))
    with pytest.raises(ArgumentInvalid, match="infinite"), np.errstate(divide="ignore"):
        fit("likes ~ protest + np.log(zero)", frame.assign(zero=0.0))
    with pytest.raises(ArgumentInvalid, match="family"):
        fit(family="probit")
    with pytest.raises(ArgumentInvalid, match="folds"):
        fit(folds=1)
    with pytest.raises(ArgumentInvalid, match="gaussian"):
        fit("retweets ~ protest", family="poisson", absorb="city")


def test_what_the_user_should_know_is_a_warning() -> None:
    frame = posts()
    with pytest.warns(ImagesAsDataWarning, match="simple random sample"):
        fit(sampling_prob=None)
    with pytest.warns(ImagesAsDataWarning, match="never predicted to be 1"):
        fit(data=frame.assign(seen=0.0))
    with pytest.warns(ImagesAsDataWarning, match="have one row"):
        fit(data=frame.assign(unit=np.arange(N)), cluster="unit")
    with pytest.warns(ImagesAsDataWarning, match="no prediction of protest"):
        fit(data=frame.assign(seen=frame["seen"].where(frame.index > 9)))
    with pytest.warns(ImagesAsDataWarning, match="missing values are left out"):
        fit(data=frame.assign(followers=frame["followers"].where(frame.index > 9)))
    with pytest.warns(ImagesAsDataWarning, match="out-of-fold"):
        fit(data=frame.assign(seen=frame["protest"]))
    frame["angry"] = frame["protest"].where(frame.index < 600)
    two = {"predicted": {"protest": "seen", "angry": "seen"}, "labelled": {"protest": "coded", "angry": "angry"}}
    partly = int((frame["coded"].notna() != frame["angry"].notna()).sum())
    with pytest.warns(ImagesAsDataWarning, match=f"{partly:,} row.* of some predicted variables and not of all"):
        iad.regress("angry ~ protest", frame, **two, repeats=1)


def test_a_share_by_group_from_both_ends() -> None:
    frame = posts()
    found = iad.estimate_share(frame, *ONE, by="city", sampling_prob="pi", repeats=2)
    rows = found.metrics
    assert rows["group"].isna().tolist() == [True, False, False, False]
    assert rows["n"].tolist() == [N, *frame["city"].value_counts().sort_index().tolist()]
    assert rows["n_labelled"][0] == found.n_labelled == rows["n_labelled"][1:].sum()
    assert rows["naive"][0] > rows["estimate"][0] + 0.02
    assert rows["conf_low"][0] < 0.4 < rows["conf_high"][0]
    with pytest.raises(ArgumentInvalid, match="one variable"):
        iad.estimate_share(frame, {**ONE[0], "b": "seen"}, {**ONE[1], "b": "coded"})


def test_a_share_by_prediction_powered_inference_is_that_of_ppi_python() -> None:
    import ppi_py

    frame = posts().assign(pi=0.3)
    frame["coded"] = frame["protest"].where(np.random.default_rng(4).random(N) < 0.3)
    row = iad.estimate_share(frame, {"protest": "prob_protest"}, ONE[1], sampling_prob="pi", method="ppi").metrics.iloc[
        0
    ]
    known = frame["coded"].notna().to_numpy()
    seen = frame["prob_protest"].to_numpy()
    low, high = ppi_py.ppi_mean_ci(frame["coded"].to_numpy()[known], seen[known], seen[~known], alpha=0.05)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([low.item(), high.item()], abs=1e-6)
    with pytest.raises(ArgumentInvalid, match="simple random sample"):
        iad.estimate_share(posts(), *ONE, sampling_prob="pi", method="ppi")


def test_results_can_be_kept_and_drawn(tmp_path: Path) -> None:
    found = fit()
    found.save(tmp_path / "found.zip")
    again = iad.Regression.load(tmp_path / "found.zip")
    pd.testing.assert_frame_equal(again.cov_params(), found.cov_params())
    assert again.summary() == found.summary()
    shares = iad.estimate_share(posts(), *ONE, by="city", sampling_prob="pi", repeats=2)
    for result, labels in ((found, 2), (iad.power_regress(found), 0), (shares, 4)):
        (axes,) = result.plot().axes
        assert axes.get_title(loc="left")
        if labels:
            assert len(axes.get_yticklabels()) == labels


def test_out_of_fold_predictions_merge_into_data_and_feed_it(class_folders: Path) -> None:
    found = iad.cross_validate(class_folders, folds=3, progress=False)
    own = found.predictions
    truth, classes = own["truth"].astype(str), sorted(own["truth"].astype(str).unique())
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"photo": own["image"], "likes": (truth == classes[0]) * 2.0 + rng.normal(size=len(own))})
    merged = iad.merge_predictions(data, own, by={"photo": "image"})
    fitted = iad.regress(
        "likes ~ it", merged.assign(pi=1.0), {"it": f"prob_{classes[0]}"}, {"it": "truth"}, sampling_prob="pi"
    )
    assert fitted.n_labelled == len(own)
    assert fitted.accuracy["estimate"][0] == pytest.approx(
        ((own[f"prob_{classes[0]}"] >= 0.5) == (truth == classes[0])).mean()
    )


def test_rows_that_a_model_learnt_from_are_noticed(class_folders: Path, tmp_path: Path) -> None:
    model = iad.fine_tune(class_folders, method="head", out=tmp_path / "it.onnx", folds=3, progress=False)
    photos = iad.classify_images(class_folders, model=model.path, progress=False)
    promised = photos.attrs["imagesasdata"]["cross_validated_accuracy"]
    assert promised == model.card.metrics["accuracy"]
    truth = [Path(image).parts[-2] for image in photos["image"]]
    photos.attrs["imagesasdata"]["cross_validated_accuracy"] = [0.8, 0.7, 0.9]  # as if they were harder
    data = pd.DataFrame({"photo": photos["image"], "truth": truth, "likes": np.arange(len(truth)) % 7.0})
    name = sorted(set(truth))[0]
    columns = {"predicted": {"it": f"prob_{name}"}, "labelled": {"it": "truth"}, "repeats": 1}
    merged = iad.merge_predictions.arrow(data, photos, {"photo": "image"})
    write_table(merged, tmp_path / "merged.parquet")
    with pytest.warns(ImagesAsDataWarning, match="learnt from these rows"):
        iad.regress("likes ~ it", iad.merge_predictions(data, photos, {"photo": "image"}), **columns)
    with pytest.warns(ImagesAsDataWarning, match="learnt from these rows"):
        iad.regress("likes ~ it", tmp_path / "merged.parquet", **columns)


def test_the_shell_gives_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = posts()
    frame.to_parquet(tmp_path / "posts.parquet")
    common = [str(tmp_path / "posts.parquet")]
    sample = ["--predicted", "protest=seen", "--labelled", "protest=coded", "--sampling-prob", "pi", "--repeats", "2"]
    kept = str(tmp_path / "found.zip")
    assert cli.main(["regress", *common, "likes ~ protest + followers", *sample, "--save", kept]) == 0
    assert capsys.readouterr().out.splitlines() == list(fit().lines)
    assert cli.main(["power", kept, "--std-error", "0.07", "--terms", "protest"]) == 0
    needed = iad.power_regress(fit(), std_error=0.07, terms=["protest"]).needed["n_labelled"][0]
    assert f"needs {needed:,} labels" in capsys.readouterr().out
    assert cli.main(["power", kept, "--save", str(tmp_path / "power.zip")]) == 0
    assert cli.main(["power", str(tmp_path / "power.zip")]) != 0
    assert "findings of the kind power; give what regress() returned" in capsys.readouterr().err
    assert cli.main(["share", *common, *sample, "--by", "city"]) == 0
    share = iad.estimate_share(frame, *ONE, by="city", sampling_prob="pi", repeats=2)
    assert capsys.readouterr().out.splitlines() == list(share.lines)
    assert cli.main(["share", *common, "--predicted", "protest", "--labelled", "protest=coded"]) != 0
    assert "VARIABLE=COLUMN" in capsys.readouterr().err
