"""What makes no sense is said before any work is done, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata.errors import ArgumentInvalid, DependencyMissing
from imagesasdata.images import ImageList
from imagesasdata.labels import Labels
from imagesasdata.train import prepare

BAD = [
    ({"conf_level": 95}, "`conf_level` is 95"),
    ({"folds": 1}, "`folds` is 1"),
    ({"folds": 1000}, "`folds` is 1000"),
    ({"folds": 2.5}, "`folds` is 2.5"),
    ({"folds": "5"}, "`folds` is '5'"),
    ({"seed": -1}, "`seed` is -1"),
    ({"seed": 1.5}, "`seed` is 1.5"),
    ({"seed": 2**40}, "the greatest is 2,147,483,647"),
    ({"method": "head", "epochs": 3}, "`epochs` is for"),
    ({"method": "tail", "epochs": 0}, "`epochs` is 0"),
    ({"method": "full", "epochs": True}, "`epochs` is True"),
    ({"method": "tails"}, "`method` is 'tails'"),
    ({"class_weights": {"house": 2}}, "`class_weights` is"),
    ({"class_weights": {"temple": "2"}}, "`class_weights` is"),
    ({"class_weights": {"temple": float("inf")}}, "`class_weights` is"),
]


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def embed(*_: Any) -> None:
        raise AssertionError("the photographs were embedded")

    monkeypatch.setattr(prepare, "embed", embed)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(("options", "message"), BAD)
def test_what_makes_no_sense_is_said_first(
    class_folders: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentInvalid, match=message):
        iad.cross_validate(class_folders, progress=False, **options)
    with pytest.raises(ArgumentInvalid, match=message):
        iad.fine_tune(class_folders, out=tmp_path / "m.onnx", progress=False, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("name", ["error", "image", "fold", "repeat", "group", "truth_flag", "prob_flag"])
def test_an_attribute_that_would_be_a_column_twice_is_said_first(
    class_folders: Path, tmp_path: Path, name: str
) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))
    data = pd.DataFrame({"path": paths, name: [0, 1] * 24, "flag": [1, 0] * 24})
    options = {"image_col": "path", "label_col": [name, "flag"], "progress": False}
    with pytest.raises(ArgumentInvalid, match=f"`label_col`: {name} would be two columns"):
        iad.fine_tune(data, out=tmp_path / "m.onnx", **options)
    with pytest.raises(ArgumentInvalid, match=f"`label_col`: {name} would be two columns"):
        iad.cross_validate(data, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_work")
def test_without_pytorch_the_cure_is_named_first(class_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(DependencyMissing, match='method="tail" needs PyTorch'):
        iad.cross_validate(class_folders, method="tail", progress=False)


def test_folds_that_near_duplicates_make_impossible_leave_no_file(class_folders: Path, tmp_path: Path) -> None:
    paths = sorted(map(str, class_folders.rglob("*.jpg")))[::6]
    data = pd.DataFrame({"image": paths, "label": [Path(path).parent.name for path in paths]})
    with pytest.MonkeyPatch.context() as patch:

        class Pairs:
            a = b = (0,)

            def __len__(self) -> int:
                return 1

            def join(self, groups: Any) -> Any:
                return groups // 2

        patch.setattr(prepare, "near_pairs", lambda *_, **__: Pairs())
        patch.setattr(prepare, "pairs_table", lambda *_: None)
        with pytest.raises(ArgumentInvalid, match="kept apart, which is 4"):
            iad.fine_tune(data, folds=7, method="head", out=tmp_path / "m.onnx", progress=False)
    assert not list(tmp_path.iterdir())


def labelled(names: tuple[str, ...], task: str = "single") -> Labels:
    files = [f"{i}.jpg" for i in range(10)]
    return Labels(ImageList(files, files), task, names, np.eye(len(names))[np.arange(10) % len(names)], np.arange(10))


@pytest.mark.parametrize(
    ("names", "given", "named"),
    [
        (("0", "1"), {0: 2.0, 1: 1}, {"0": 2.0, "1": 1.0}),
        (("0", "1"), {np.int64(0): np.float64(2)}, {"0": 2.0}),
        (("0", "1"), {"0": 2}, {"0": 2.0}),
        (("1", "2.5"), {2.5: 2, 1.0: 3}, {"2.5": 2.0, "1": 3.0}),
        (("false", "true"), {True: 2, False: 1}, {"true": 2.0, "false": 1.0}),
        (("false", "true"), {"TRUE": 2}, {"true": 2.0}),
        (("a", "b"), "balanced", "balanced"),
        (("a", "b"), None, None),
    ],
)
def test_class_weights_are_named_as_the_classes_are(names: tuple[str, ...], given: Any, named: Any) -> None:
    assert prepare.named_weights(labelled(names), given) == named


@pytest.mark.parametrize("given", [{"A": 2}, {0: 1}, {"a": 0}, {"a": -1}, {"a": "x"}, {"a": None}, 2, ["a"]])
def test_class_weights_that_make_no_sense_are_refused(given: Any) -> None:
    with pytest.raises(ArgumentInvalid, match="`class_weights` is"):
        prepare.named_weights(labelled(("a", "b")), given)
    with pytest.raises(ArgumentInvalid, match="scores have none"):
        prepare.named_weights(labelled(("a", "b"), "score"), given)


def test_copies_with_scores_that_are_far_apart_differ() -> None:
    scores = np.array([[1.0], [1.5], [9.0], [5.0], [5.1], [np.nan]])
    files = [f"{i}.jpg" for i in range(6)]
    given = Labels(ImageList(files, files), "score", ("anger",), scores, np.arange(6))
    first, second = np.array([0, 0, 3, 0]), np.array([1, 2, 4, 5])
    assert prepare._differing(given, first, second).tolist() == [1]
