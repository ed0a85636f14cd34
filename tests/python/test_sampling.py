"""Each photograph is drawn with exactly the probability that the sample says."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import CARD, colours
from PIL import Image

import imagesasdata as iad
from imagesasdata.errors import ArgumentInvalid, ColumnExists, ImageColumnMissing, ImagesAsDataWarning, ImagesNotFound
from imagesasdata.labels import read_labels
from imagesasdata.modelfile import write_model
from imagesasdata.sampling import (
    even_allocation,
    inclusion_probabilities,
    sample_images,
    systematic_sample,
    uncertainty,
)
from imagesasdata.tablefiles import write_table
from imagesasdata.tables import provenance_of

HOSTILE = ["=cmd|calc.jpg", "<script>.jpg", "line\nbreak.jpg", "📷 é.jpg", "'; DROP TABLE.jpg", " .jpg"]


def quietly(*arguments: Any, **options: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImagesAsDataWarning)
        return sample_images(*arguments, **{"progress": False, **options})


def notes(*arguments: Any, **options: Any) -> list[str]:
    return list(provenance_of(sample_images.arrow(*arguments, **{"progress": False, **options})).get("notes", []))


def posts(n: int = 60) -> pd.DataFrame:
    """Photographs in three cities of 1/2, 1/3 and 1/6, and what a model of three classes says of them."""
    rng = np.random.default_rng(3)
    prob = rng.dirichlet([0.5, 0.5, 0.5], n)
    frame = pd.DataFrame(
        {"path": [f"{i}.jpg" for i in range(n)], "city": [["A", "A", "A", "B", "B", "C"][i % 6] for i in range(n)]}
    )
    frame["label"] = pd.Categorical.from_codes(prob.argmax(axis=1), ["x", "y", "z"])
    frame["prob"] = prob.max(axis=1)
    return frame.assign(**{f"prob_{name}": prob[:, i] for i, name in enumerate("xyz")})


def drawn_shares(draw: Callable[[int], Sequence[str]], names: Sequence[str], times: int) -> np.ndarray[Any, Any]:
    """How often each photograph is drawn over many seeds."""
    counts = pd.Series(0, index=list(names))
    for seed in range(times):
        counts[list(draw(seed))] += 1
    return np.asarray(counts / times)


# -- every strategy ----------------------------------------------------------------------------------------------------

STRATEGIES = [("random", {}), ("stratified", {"strata": "city"}), ("uncertain", {})]


@pytest.mark.parametrize(("strategy", "options"), STRATEGIES)
def test_probabilities_are_those_of_many_draws(strategy: str, options: dict[str, str]) -> None:
    frame, times = posts(), 1000
    prob = pd.Series(np.nan, index=frame["path"])

    def draw(seed: int) -> list[str]:
        drawn = quietly(frame, 13, strategy, image_col="path", seed=seed, **options)
        prob[drawn["path"]] = drawn["inclusion_prob"].to_numpy()
        return list(drawn["path"])

    shares = drawn_shares(draw, frame["path"].tolist(), times)
    assert prob.notna().all()
    assert prob.sum() == pytest.approx(13, abs=1e-9)
    error = np.sqrt(prob * (1 - prob) / times)
    assert (np.abs(shares - prob) <= 4.5 * error + 1e-9).all()  # of 60 photographs, one in 2,500 such tests


@pytest.mark.parametrize(("strategy", "options"), STRATEGIES)
def test_weighting_by_the_probability_gives_the_mean_of_the_pool_on_average(
    strategy: str, options: dict[str, str]
) -> None:
    frame = posts().assign(y=lambda d: np.arange(60.0) + 50 * (d["city"] == "C"))
    means = []
    for seed in range(500):
        drawn = quietly(frame, 12, strategy, image_col="path", seed=seed, **options)
        means.append((drawn["y"] / drawn["inclusion_prob"]).sum() / 60)
    error = np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means) - frame["y"].mean()) < 4 * error  # Horvitz and Thompson (1952)


@pytest.mark.parametrize(("strategy", "options"), STRATEGIES)
def test_the_rows_are_the_callers_own_in_their_order(strategy: str, options: dict[str, str]) -> None:
    frame = posts().set_index(np.arange(60) * 7)
    before = frame.copy(deep=True)
    drawn = quietly(frame, 20, strategy, image_col="path", **options)
    new = ["inclusion_prob"] + (["uncertainty"] if strategy == "uncertain" else [])
    assert drawn.columns.tolist() == [*frame.columns, *new]
    assert len(drawn) == drawn["path"].nunique() == 20
    assert drawn.index.is_monotonic_increasing
    pd.testing.assert_frame_equal(drawn[frame.columns], frame.loc[drawn.index])
    pd.testing.assert_frame_equal(frame, before)
    assert drawn["inclusion_prob"].between(0, 1, inclusive="right").all()


@pytest.mark.parametrize(("strategy", "options"), STRATEGIES)
def test_the_seed_decides_and_pandas_and_arrow_and_files_agree(
    tmp_path: Path, strategy: str, options: dict[str, str]
) -> None:
    frame = posts()
    one = quietly(frame, 10, strategy, image_col="path", seed=4, **options)
    pd.testing.assert_frame_equal(one, quietly(frame, 10, strategy, image_col="path", seed=4, **options))
    assert one["path"].tolist() != quietly(frame, 10, strategy, image_col="path", seed=5, **options)["path"].tolist()
    table = pa.Table.from_pandas(frame)
    arrow = sample_images.arrow(table, 10, strategy, image_col="path", seed=4, **options)
    assert arrow.column_names == one.columns.tolist()
    assert arrow["path"].to_pylist() == one["path"].tolist()
    assert arrow["inclusion_prob"].to_pylist() == one["inclusion_prob"].tolist()
    write_table(table, tmp_path / "pool.csv")
    from_file = quietly(tmp_path / "pool.csv", 10, strategy, image_col="path", seed=4, **options)
    assert from_file["path"].tolist() == one["path"].tolist()


@pytest.mark.parametrize(("strategy", "options"), STRATEGIES)
def test_the_whole_pool_is_drawn_for_certain(strategy: str, options: dict[str, str]) -> None:
    drawn = quietly(posts(), 60, strategy, image_col="path", **options)
    assert drawn["path"].tolist() == posts()["path"].tolist()
    assert drawn["inclusion_prob"].tolist() == [1.0] * 60


@pytest.mark.parametrize(("strategy", "options"), STRATEGIES)
def test_more_than_the_pool_is_an_error(strategy: str, options: dict[str, str]) -> None:
    with pytest.raises(ArgumentInvalid, match="`n` is 61, and the pool has 60 photographs to draw from"):
        quietly(posts(), 61, strategy, image_col="path", **options)


def test_paths_and_folders_give_a_column_image(tmp_path: Path) -> None:
    for name in HOSTILE:
        (tmp_path / name).write_bytes(b"x")
    drawn = quietly(tmp_path, 4)
    assert drawn.columns.tolist() == ["image", "inclusion_prob"]
    assert set(drawn["image"]) <= {str(tmp_path / name) for name in HOSTILE}
    assert drawn["inclusion_prob"].tolist() == [4 / 6] * 4
    listed = quietly(HOSTILE, 6)
    assert listed["image"].tolist() == HOSTILE


def test_the_provenance_says_how_it_was_drawn() -> None:
    frame = posts()
    frame.attrs["imagesasdata"] = {"verb": "classify_images", "model": "protest"}
    said = quietly(frame, 10, "uncertain", image_col="path", seed=2).attrs["imagesasdata"]
    assert said["verb"] == "sample_images"
    assert said["model"] == "protest"
    assert said["sample"] == {"strategy": "uncertain", "n": 10, "pool": 60, "seed": 2}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "`n` is 0"),
        ({"n": -1}, "`n` is -1; it must be a whole number"),
        ({"n": 2.5}, "`n` is 2.5"),
        ({"n": "ten"}, "`n` is 'ten'"),
        ({"n": True}, "`n` is True"),
        ({"n": {"A": 3}}, "`n` is a number for each stratum"),
        ({"n": 5, "strategy": "systematic"}, "`strategy` is 'systematic'"),
        ({"n": 5, "strata": "city"}, "`strata` names columns of `pool`, and belongs to"),
        ({"n": 5, "strategy": "stratified"}, "`strata` names columns of `pool`, and belongs to"),
        ({"n": 5, "strategy": "stratified", "strata": []}, "`strata` is empty"),
        ({"n": 5, "strategy": "stratified", "strata": "town"}, '`strata` is "town"; the table has no such column'),
        ({"n": 5, "seed": -1}, "`seed` is -1"),
    ],
)
def test_wrong_arguments_are_errors_that_name_them(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentInvalid, match=words):
        quietly(posts(), image_col="path", **options)


def test_a_column_that_would_be_added_and_is_there_is_an_error_before_anything_is_run() -> None:
    with pytest.raises(ColumnExists, match="inclusion_prob"):
        quietly(posts().assign(inclusion_prob=0.5), 5, image_col="path")
    with pytest.raises(ColumnExists, match="uncertainty"):
        quietly(posts()[["path"]].assign(uncertainty=0.5), 5, "uncertain", image_col="path")
    assert len(quietly(posts().assign(uncertainty=0.5), 5, image_col="path")) == 5


def test_a_pool_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageColumnMissing, match="image_col="):
        quietly(posts(), 5)
    with pytest.raises(ImagesNotFound):
        quietly(tmp_path, 5)
    with pytest.raises(ArgumentInvalid, match="no photograph to draw"):
        quietly([], 5)


def test_rows_without_a_path_are_never_drawn_and_repeated_ones_are_mentioned() -> None:
    frame = pd.DataFrame({"path": ["a.jpg", None, "", "b.jpg", "./a.jpg"]})
    drawn = quietly(frame, 3, image_col="path")
    assert drawn.index.tolist() == [0, 3, 4]
    said = notes(frame, 2, image_col="path")
    assert said[0] == "2 row(s) have no path and are left out of the pool."
    assert said[1].startswith("1 row(s) repeat a photograph")


# -- labelled ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["list", "frame", "own column", "arrow", "file", "previous"])
def test_what_is_labelled_is_not_drawn_again(tmp_path: Path, form: str) -> None:
    frame = posts()
    coded = frame["path"].tolist()[:50]
    write_table(pa.table({"image": coded}), tmp_path / "coded.csv")
    labelled: Any = {
        "list": coded,
        "frame": pd.DataFrame({"image": coded, "label": "x"}),
        "own column": pd.DataFrame({"path": coded, "image": "something else"}),
        "arrow": pa.table({"image": coded}),
        "file": tmp_path / "coded.csv",
        "previous": frame.iloc[:50],
    }[form]
    drawn = quietly(frame, 4, image_col="path", labelled=labelled)
    assert set(drawn["path"]) <= set(frame["path"][50:])
    assert drawn["inclusion_prob"].tolist() == [0.4] * 4  # among the rest
    with pytest.raises(ArgumentInvalid, match=r"`n` is 11, and the pool has 10 .* \(50 others are labelled already"):
        quietly(frame, 11, image_col="path", labelled=labelled)


def test_samples_that_follow_each_other_never_meet(tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / f"{i}.jpg").write_bytes(b"%d" % i)
    first = quietly(tmp_path, 6)
    second = quietly(tmp_path, 6, labelled=first)
    assert sorted([*first["image"], *second["image"]]) == sorted(str(p) for p in tmp_path.iterdir())
    labels = read_labels(first.assign(label=list("ababab")))
    assert quietly(tmp_path, 6, labelled=labels)["image"].tolist() == second["image"].tolist()
    with pytest.raises(ArgumentInvalid, match="all are in `labelled`"):
        quietly(tmp_path, 1, labelled=tmp_path)


def test_labelled_photographs_that_match_nothing_are_mentioned() -> None:
    said = notes(posts(), 5, image_col="path", labelled=["elsewhere/1.jpg"])
    assert "None of the 1 photographs of `labelled` is in the pool" in said[0]


def test_paths_are_compared_by_where_they_lead(tmp_path: Path) -> None:
    pool = pd.DataFrame({"path": ["a/1.jpg", "a/2.jpg"]})
    labelled = ["a/../a/1.jpg", str(tmp_path / "b.jpg")]
    assert quietly(pool, 1, image_col="path", image_dir=tmp_path, labelled=labelled)["path"].tolist() == ["a/2.jpg"]
    assert notes(pool, 1, image_col="path", image_dir=tmp_path, labelled=labelled) == []


# -- strata ------------------------------------------------------------------------------------------------------------


def test_strata_get_the_same_number_each_as_far_as_they_reach() -> None:
    drawn = quietly(posts(), 36, "stratified", strata="city", image_col="path")
    assert drawn["city"].value_counts().to_dict() == {"A": 13, "B": 13, "C": 10}
    assert drawn.groupby("city")["inclusion_prob"].first().to_dict() == {"A": 13 / 30, "B": 13 / 20, "C": 1}


def test_a_number_for_each_stratum_is_kept() -> None:
    wanted = {"A": 2, "B": 5, "C": 10}
    drawn = quietly(posts(), wanted, "stratified", strata="city", image_col="path")
    assert drawn["city"].value_counts().to_dict() == wanted
    assert drawn.groupby("city")["inclusion_prob"].first().to_dict() == {"A": 2 / 30, "B": 5 / 20, "C": 1}
    assert notes(posts(), wanted, "stratified", strata="city", image_col="path") == []


def test_a_stratum_from_which_nothing_is_drawn_is_mentioned() -> None:
    said = notes(posts(), {"A": 2, "B": 0}, "stratified", strata="city", image_col="path")
    assert said == ["Nothing is drawn from 'B', 'C': the sample says nothing about these."]


def test_several_columns_and_missing_values_make_strata() -> None:
    frame = posts(24).assign(year=[2019.0, np.nan] * 12, loud=[True, True, False] * 8)
    drawn = quietly(frame, 12, "stratified", strata=["city", "year"], image_col="path")
    # A and C with one year each, B with both
    assert drawn.groupby(["city", "year"], dropna=False).size().tolist() == [3, 3, 2, 2, 2]
    wanted = {("A", 2019): 1, ("B", None): 2, "C / (missing)": 3}
    drawn = quietly(frame, wanted, "stratified", strata=["city", "year"], image_col="path")
    sizes = drawn.groupby(["city", "year"], dropna=False).size()
    assert sizes.tolist() == [1, 2, 3]
    assert quietly(frame, {True: 3}, "stratified", strata="loud", image_col="path")["loud"].tolist() == [True] * 3


def test_predicted_classes_can_be_strata() -> None:
    drawn = quietly(posts(), 9, "stratified", strata="label", image_col="path")
    assert drawn["label"].value_counts().to_dict() == {"x": 3, "y": 3, "z": 3}


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (2, "`n` is 2, and there are 3 strata: at least one"),
        ({"A": 1, "D": 1}, r"`n` names the strata 'D', which `pool` does not have \(it has: 'A', 'B', 'C'\)"),
        ({"A": 31}, r"`n` is more than there are in the strata 'A' \(31 of 30\)"),
        ({"A": 0}, "`n` is 0 for every stratum"),
        ({}, "`n` is 0 for every stratum"),
        ({"A": 1.5}, "`n` is 1.5"),
    ],
)
def test_numbers_that_the_strata_cannot_give_are_errors(n: Any, words: str) -> None:
    with pytest.raises(ArgumentInvalid, match=words):
        quietly(posts(), n, "stratified", strata="city", image_col="path")


def test_strata_of_a_list_of_paths_are_an_error() -> None:
    with pytest.raises(ArgumentInvalid, match="`strata` names columns, and `pool` has none"):
        quietly(["a.jpg", "b.jpg"], 1, "stratified", strata="city")


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.data())
def test_an_even_allocation_uses_up_everything_and_never_gives_more_to_some_than_others_could_have(
    sizes: list[int], data: st.DataObject
) -> None:
    n = data.draw(st.integers(len(sizes), max(len(sizes), sum(sizes))))
    n = min(n, sum(sizes))
    given_ = even_allocation(sizes, n)
    assert sum(given_) == n
    assert all(0 <= got <= size for got, size in zip(given_, sizes, strict=True))
    room = [got for got, size in zip(given_, sizes, strict=True) if got < size]
    assert not room or max(given_) <= min(room) + 1


# -- uncertainty -------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=60),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
def test_probabilities_sum_to_the_size_and_are_never_above_one(sizes: list[float], n: int, seed: int) -> None:
    n = min(n, len(sizes))
    prob = inclusion_probabilities(np.array(sizes), n)
    assert prob.sum() == pytest.approx(n, abs=1e-6)
    assert ((prob > 0) & (prob <= 1)).all()
    below = prob < 1
    ratio = prob[below] / np.array(sizes)[below]
    assert ratio.max(initial=0) - ratio.min(initial=np.inf) <= 1e-6 * ratio.max(initial=0)  # in proportion, these
    drawn = systematic_sample(prob, np.random.default_rng(seed))
    assert len(drawn) == len(set(drawn.tolist())) == n
    assert set(np.flatnonzero(prob == 1)) <= set(drawn.tolist())


def test_systematic_draws_hold_very_unequal_probabilities() -> None:
    prob = inclusion_probabilities(np.array([1, 2, 3, 4, 50, 100, 1, 1, 1, 1.5]), 4)
    np.testing.assert_allclose(prob[[4, 5]], 1)
    np.testing.assert_allclose(prob[[0, 1, 2, 3]], 2 * np.array([1, 2, 3, 4]) / 14.5)
    rng, counts, times = np.random.default_rng(1), np.zeros(10), 20_000
    for _ in range(times):
        counts[systematic_sample(prob, rng)] += 1
    assert (np.abs(counts / times - prob) <= 4.5 * np.sqrt(prob * (1 - prob) / times) + 1e-12).all()


def test_the_margin_of_classes_and_the_nearness_of_attributes_to_a_half() -> None:
    prob = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [1 / 3, 1 / 3, 1 / 3], [0.1, 0.45, 0.45]])
    np.testing.assert_allclose(uncertainty(prob, "single"), [0.8, 0, 1, 1])
    np.testing.assert_allclose(uncertainty(np.array([[0.5, 1.0], [0.25, 0.0], [0.5, 0.5]]), "multi"), [0.5, 0.25, 1])


def test_half_of_the_probability_is_spread_evenly_and_half_by_uncertainty() -> None:
    frame = posts()
    drawn = quietly(frame, 3, "uncertain", image_col="path")
    doubt = uncertainty(frame[["prob_x", "prob_y", "prob_z"]].to_numpy(), "single")
    expected = pd.Series(3 * (0.5 * doubt / doubt.sum() + 0.5 / 60), index=frame["path"])
    np.testing.assert_allclose(drawn["inclusion_prob"], expected[drawn["path"]])
    np.testing.assert_allclose(drawn["uncertainty"], pd.Series(doubt, index=frame["path"])[drawn["path"]])
    assert expected.min() >= 0.5 * 3 / 60


def test_uncertain_photographs_are_drawn_more_often() -> None:
    frame = posts(600)
    doubt = uncertainty(frame[["prob_x", "prob_y", "prob_z"]].to_numpy(), "single")
    assert quietly(frame, 100, "uncertain", image_col="path")["uncertainty"].mean() > doubt.mean() + 0.05


def test_a_model_that_is_certain_of_everything_makes_a_random_sample() -> None:
    frame = posts().assign(prob_x=1.0, prob_y=0.0, prob_z=0.0)
    drawn = quietly(frame, 6, "uncertain", image_col="path")
    np.testing.assert_allclose(drawn["inclusion_prob"], 0.1)
    assert drawn["uncertainty"].tolist() == [0.0] * 6


def test_attributes_and_a_single_probability_are_understood() -> None:
    paths = pd.DataFrame({"path": list("abcd")})
    attributes = paths.assign(fire=True, prob_fire=[0.5, 1, 0.75, 0], sign=False, prob_sign=[0.5, 0, 0, 0])
    drawn = quietly(attributes, 4, "uncertain", image_col="path")
    assert drawn["uncertainty"].tolist() == [1, 0, 0.25, 0]
    one = quietly(paths.assign(prob_protest=[0.5, 1, 0.75, 0]), 4, "uncertain", image_col="path")
    assert one["uncertainty"].tolist() == [1, 0, 0.5, 0]
    top = quietly(paths.assign(label="x", prob=[0.5, 1, 0.75, 0.25]), 4, "uncertain", image_col="path")
    assert top["uncertainty"].tolist() == [0.5, 0, 0.25, 0.75]


def test_photographs_that_failed_are_no_part_of_the_pool() -> None:
    frame = posts()
    frame.loc[:9, ["prob", "prob_x", "prob_y", "prob_z"]] = np.nan
    drawn = quietly(frame, 50, "uncertain", image_col="path")
    assert drawn.index.tolist() == list(range(10, 60))
    assert notes(frame, 5, "uncertain", image_col="path") == [
        "10 photograph(s) have no prediction, and are left out of the pool."
    ]
    with pytest.raises(ArgumentInvalid, match="`n` is 51, and the pool has 50"):
        quietly(frame, 51, "uncertain", image_col="path")
    with pytest.raises(ArgumentInvalid, match="the pool has 0"):
        quietly(frame.iloc[:10], 1, "uncertain", image_col="path")


@pytest.mark.parametrize("wrong", [[1.5] * 60, ["high"] * 60, [-0.1] * 60])
def test_columns_that_are_no_probabilities_are_an_error(wrong: list[Any]) -> None:
    with pytest.raises(ArgumentInvalid, match="prob_x"):
        quietly(posts().assign(prob_x=wrong), 5, "uncertain", image_col="path")


def small_model(folder: Path, task: str = "single") -> Path:
    activation = {"single": "softmax", "multi": "sigmoid", "score": "none"}[task]
    write_model(colours(), dataclasses.replace(CARD, task=task, activation=activation), folder / f"{task}.onnx")
    return folder / f"{task}.onnx"


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Twelve small photographs of one colour each, and one that is broken."""
    rng, paths = np.random.default_rng(1), []
    for i in range(12):
        Image.new("RGB", (16, 16), tuple(rng.integers(0, 256, 3).tolist())).save(tmp_path / f"{i}.png")
        paths.append(str(tmp_path / f"{i}.png"))
    (tmp_path / "broken.png").write_bytes(b"no image")
    return [*paths, str(tmp_path / "broken.png")]


@pytest.mark.parametrize("task", ["single", "multi"])
def test_the_model_is_run_where_the_pool_has_no_predictions(tmp_path: Path, pictures: list[str], task: str) -> None:
    model = small_model(tmp_path, task)
    drawn = quietly(pictures, 12, "uncertain", model=model, cache=False)
    assert drawn["image"].tolist() == pictures[:12]
    predicted = iad.classify_images(pictures[:12], model=model, probs=True, progress=False, cache=False)
    expected = uncertainty(predicted.filter(like="prob_").to_numpy(), task)
    np.testing.assert_allclose(drawn["uncertainty"], expected, atol=1e-12)
    said = drawn.attrs["imagesasdata"]
    assert (said["verb"], said["model"], said["device"]) == ("sample_images", "colours", said["device"])
    assert "1 photograph(s) have no prediction" in notes(pictures, 5, "uncertain", model=model, cache=False)[0]


def test_only_photographs_that_can_be_drawn_are_run(tmp_path: Path, pictures: list[str]) -> None:
    seen: list[tuple[int, int]] = []
    quietly(
        pictures,
        2,
        "uncertain",
        model=small_model(tmp_path),
        labelled=pictures[4:],
        cache=False,
        progress=lambda done, total, text: seen.append((done, total)),
    )
    assert seen[-1] == (4, 4)


def test_a_model_of_scores_is_an_error_with_the_cure(tmp_path: Path, pictures: list[str]) -> None:
    with pytest.raises(ArgumentInvalid, match=r'a model of scores.*strategy="random"'):
        quietly(pictures, 2, "uncertain", model=small_model(tmp_path, "score"))


def test_an_interrupt_returns_no_half_of_a_pool_as_a_sample(tmp_path: Path, pictures: list[str]) -> None:
    def interrupt(done: int, total: int, text: str) -> None:
        if done:
            raise KeyboardInterrupt

    for call in (sample_images, sample_images.for_r):
        with pytest.raises(KeyboardInterrupt) as caught:
            call(pictures, 2, "uncertain", model=small_model(tmp_path), cache=False, progress=interrupt)
        assert not hasattr(caught.value, "partial")
