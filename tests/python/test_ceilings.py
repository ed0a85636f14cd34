"""What coders allow: the definitions by hand, a perfect model just reaches it, and all of it from tables to figures."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

import imagesasdata as iad
from imagesasdata.ceilings import ceilings
from imagesasdata.findings import Findings
from imagesasdata.images import ImageList
from imagesasdata.labels import Labels, read_labels

EMOTIONS = ["anger", "fear", "disgust", "sadness", "enthusiasm"]


def labels_of(values: Any, task: str = "score") -> Labels:
    """Answers ``[photographs, coders]``, NaN where a coder did not answer."""
    values = np.asarray(values, float)
    row, coder = np.nonzero(~np.isnan(values))
    texts = [f"{value:g}" if task != "score" else repr(value) for value in values[row, coder].tolist()]
    table = pa.table({"row": row, "coder": [f"c{i}" for i in coder], "name": ["x"] * len(row), "value": texts})
    names = [f"{i}.jpg" for i in range(len(values))]
    kept = np.nanmean(values, axis=1, keepdims=True)
    return Labels(ImageList(list(names), list(names)), task, ("x",), kept, np.arange(len(values)), table)


def estimates(labels: Labels, **options: Any) -> dict[str, float]:
    table = ceilings(labels, **{"replicates": 0, **options})
    assert table is not None
    return {row["metric"]: row["estimate"] for row in table.to_pylist()}


def test_the_best_r2_is_the_reliability_of_the_mean() -> None:
    """Shrout and Fleiss (1979), table 2: six targets, four judges, ICC(3, 4) = .91."""
    judged = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    best = estimates(labels_of(judged))["best_r2"]
    # Their variance of the means has n - 1 below, that of R2 has n.
    assert 1 - (1 - best) * 5 / 6 == pytest.approx(0.91, abs=0.005)
    # With a gap, one-way, by hand: means 2, 5 and 8, and 2 + 0 + 2 about them with 2 + 0 + 1 degrees of freedom.
    gaps = [[1, 3, 2], [5, np.nan, np.nan], [7, 9, np.nan]]
    within, error = (2 + 0 + 2) / (2 + 0 + 1), (1 / 3 + 1 + 1 / 2) / 3
    assert estimates(labels_of(gaps))["best_r2"] == pytest.approx(1 - within * error / 6)


def test_a_model_that_knows_what_all_such_coders_mean_reaches_the_best_and_surpasses_a_coder() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(5, 1, 6000)
    coded = truth[:, None] + rng.normal(0, 1.5, (6000, 5)) + np.array([0, 1, -1, 2, 0])
    found = estimates(labels_of(coded))
    mean = coded.mean(axis=1)
    reached = np.corrcoef(truth, mean)[0, 1]
    assert found["best_correlation"] == pytest.approx(reached, abs=0.015)
    assert found["best_r2"] == pytest.approx(1 / (1 + 1.5**2 / 5), abs=0.02)
    each = [np.corrcoef(coded[:, i], np.delete(coded, i, axis=1).mean(axis=1))[0, 1] for i in range(5)]
    assert found["coder_correlation"] == pytest.approx(np.mean(each), abs=1e-9)
    assert found["best_correlation"] > found["coder_correlation"] + 0.2
    noise = rng.normal(5, 1, (2000, 4))
    assert estimates(labels_of(noise))["best_r2"] < 0.1


def test_intervals_hold_what_they_say() -> None:
    rng = np.random.default_rng(2)
    inside = 0
    for seed in range(60):
        truth = rng.normal(size=80)
        table = ceilings(labels_of(truth[:, None] + rng.normal(size=(80, 3))), replicates=200, seed=seed)
        assert table is not None
        (row,) = (row for row in table.to_pylist() if row["metric"] == "best_r2")
        inside += row["conf_low"] <= 0.75 <= row["conf_high"]
    assert inside >= 51  # of 60 at 0.95: fewer would happen once in 300 times


def test_one_coder_against_the_majority_of_the_others() -> None:
    # Against the others: 0 of 0, 0 (right three times); 1 of 0, 0 and twice 0 of 0, 1 (a tie, half); alone, left out.
    found = ceilings(labels_of([[0, 0, 0], [1, 0, 0], [1, np.nan, np.nan]], "multi"), replicates=0)
    assert found is not None
    (row,) = found.to_pylist()
    assert row["metric"] == "coder_accuracy"
    assert row["estimate"] == pytest.approx(np.mean([(1 + 0) / 2, (1 + 0.5) / 2, (1 + 0.5) / 2]))
    assert row["n"] == 2


def test_without_two_coders_of_the_same_photographs_nothing_is_said() -> None:
    assert ceilings(labels_of([[1, np.nan], [np.nan, 2]])) is None
    plain = Labels(ImageList(["a"], ["a"]), "score", ("x",), np.ones((1, 1)), np.zeros(1, np.int64))
    assert ceilings(plain) is None


def test_attributes_are_learnt_as_shares_and_measured_by_the_majority(photos: Path) -> None:
    answers = {"Ann": [1, 1, 0, 1, 0, 1], "Ben": [1, 1, 0, 0, 0, 1], "Cem": [1, 0, 0, None, 0, 1]}
    rows = [
        {"image": f"{i}.jpg", "coder": coder, "fear": said[i], "anger": i % 2}
        for coder, said in answers.items()
        for i in range(6)
    ]
    labels = read_labels(pd.DataFrame(rows), label_col=["fear", "anger"], image_dir=photos, coders="coder")
    assert labels.task == "multi"
    np.testing.assert_allclose(labels.targets[:, 0], [1, 2 / 3, 0, 1 / 2, 0, 1])
    np.testing.assert_array_equal(labels.values[:, 0], [1, 1, 0, np.nan, 0, 1])
    one = read_labels(pd.DataFrame(rows[:6]), label_col=["fear", "anger"], image_dir=photos)
    assert one.shares is None
    np.testing.assert_array_equal(one.targets, one.values)


@pytest.fixture(scope="module")
def rated(class_folders: Path) -> pd.DataFrame:
    """Ratings of five emotions, 0 to 10, by four coders: sadness is how dark a photograph is, the others are noise."""
    rng = np.random.default_rng(4)
    rows = []
    for path in sorted(class_folders.rglob("*.jpg")):
        with Image.open(path) as image:
            dark = 10 - np.asarray(image.convert("L")).mean() / 25.5
        for coder in ("Ann", "Ben", "Cem", "Dee"):
            row = {"image": str(path), "coder": coder}
            row |= {name: int(rng.integers(0, 11)) for name in EMOTIONS}
            row["sadness"] = int(np.clip(round(1.5 * (dark - 5) + 5 + rng.normal(0, 1.5)), 0, 10))
            rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def found(rated: pd.DataFrame) -> Findings:
    with warnings.catch_warnings(action="ignore"):
        return iad.cross_validate(rated, label_col=EMOTIONS, coders="coder", progress=False)


def test_evoked_emotions_have_their_ceiling_beside_their_figures(rated: pd.DataFrame, found: Findings) -> None:
    assert found.facts["task"] == "score"
    allowed = found.ceilings.set_index(["name", "metric"])["estimate"]
    assert set(found.ceilings["name"]) == set(EMOTIONS)
    assert allowed["sadness", "best_r2"] > 0.8
    assert allowed["fear", "best_r2"] < 0.4
    assert found.facts["ceiling_r2"] == pytest.approx(np.mean([allowed[name, "best_r2"] for name in EMOTIONS]))
    mean = rated.groupby("image")["sadness"].mean()
    truth = found.predictions.set_index("image")["truth_sadness"]
    np.testing.assert_allclose(truth, mean[truth.index])
    text = str(found)
    assert f"coders, sadness: they allow R2 up to {allowed['sadness', 'best_r2']:.3f}" in text
    assert text.index("coders, anger") < text.index("intervals")


def test_an_emotion_that_nothing_tells_is_said_not_to_be_told(found: Findings) -> None:
    (note,) = [note for note in found.notes if "is not shown to be better than" in note]
    figures = found.metrics[found.metrics["metric"] == "r2"].set_index("class")
    for name in EMOTIONS:
        assert (f'"{name}"' in note) == (figures.loc[name, "conf_low"] <= 0), name
    assert figures.loc["sadness", "conf_low"] > 0
    assert '"fear"' in note


def test_a_model_of_emotions_keeps_the_ceiling_in_its_card(rated: pd.DataFrame, tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"):
        model = iad.fine_tune(
            rated,
            label_col=EMOTIONS,
            coders="coder",
            method="head",
            out=tmp_path / "evoked.onnx",
            progress=False,
        )
    assert model.validation is not None
    assert model.card.metrics["ceiling_r2"] == model.validation.facts["ceiling_r2"]
    assert "The coders' agreement allows an R2 of" in iad.model_card(model)
    assert model.classify(rated["image"].unique()[:2].tolist(), progress=False).columns.tolist() == [
        "image",
        *[f"score_{name}" for name in EMOTIONS],
        "error",
    ]


def test_predictions_beside_coders_have_ceilings_too(rated: pd.DataFrame, found: Findings) -> None:
    predictions = found.predictions.drop(columns=[f"truth_{name}" for name in EMOTIONS])
    with warnings.catch_warnings(action="ignore"):
        evaluated = iad.evaluate_predictions(predictions, rated, coders="coder", replicates=1000)
    expected = found.ceilings.set_index(["name", "metric"])["estimate"]
    got = evaluated.ceilings.set_index(["name", "metric"])["estimate"]
    assert got.to_dict() == pytest.approx(expected.to_dict())
    assert Findings.from_json(evaluated.facts_json(), evaluated.tables).facts["ceiling_r2"] == pytest.approx(
        found.facts["ceiling_r2"]
    )
