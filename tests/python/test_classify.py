"""One row an image, in order, always; and the columns that the contract promises."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from onnx import TensorProto, helper, numpy_helper

import imagesasdata as iad
from imagesasdata import errors
from imagesasdata.card import ModelCard
from imagesasdata.modelfile import write_model
from imagesasdata.registry import model_path

CATS = {"tabby", "tiger cat", "Egyptian cat", "Persian cat", "Siamese cat", "lynx"}


def small_model(path: Path, task: str, classes: tuple[str, ...], bias: list[float] | None = None) -> Path:
    """Write a model of the mean colour of a photograph and one matrix product: quick, and easy to reckon by hand."""
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(len(classes), 3)).astype(np.float32)
    offset = np.asarray(bias if bias is not None else np.zeros(len(classes)), np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["embedding"]),
            helper.make_node("Gemm", ["embedding", "weight", "bias"], ["logits"], transB=1),
        ],
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(classes)])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(offset, "bias")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    lite0 = iad.load_model().card
    card = ModelCard(
        name=path.stem,
        task=task,
        classes=classes,
        preprocessing=dataclasses.replace(lite0.preprocessing, size=8, resize=8),
        tensors={"input": "image", "embedding": "embedding", "output": "logits"},
        activation={"single": "softmax", "multi": "sigmoid", "score": "none"}[task],
    )
    write_model(proto, card, path)
    return path


def test_every_photograph_and_every_broken_file_has_its_row_in_order(photographs: Path, odd_files: Path) -> None:
    given = sorted(map(str, photographs.iterdir())) + sorted(map(str, odd_files.iterdir())) + [None, "/no/such.jpg"]
    given = given[::-1]
    table = iad.classify_images(given, progress=False)
    assert len(table) == len(given) > 26
    assert [None if pd.isna(name) else name for name in table["image"]] == given
    assert table["error"].iloc[:2].tolist() == ["file does not exist", "no path was given"]
    failed = table["error"].notna()
    assert failed.sum() >= 8
    assert table.loc[failed, ["label", "prob"]].isna().all(axis=None)
    assert table.loc[~failed, ["label", "prob"]].notna().all(axis=None)


def test_the_label_of_a_photograph_is_the_sensible_one(photographs: Path) -> None:
    table = iad.classify_images(photographs, progress=False)
    label = {Path(image).stem: str(name) for image, name in zip(table["image"], table["label"], strict=True)}
    assert label["chelsea"] in CATS
    assert label["coffee"] in {"espresso", "cup"}
    assert label["rocket"] in {"missile", "projectile"}
    assert label["camera"] == "tripod"
    assert label["motorcycle_left"] in {"moped", "motor scooter"}


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_results_do_not_depend_on_batch_size_or_order(photographs: Path, odd_files: Path, batch_size: int) -> None:
    given = sorted(map(str, photographs.iterdir())) + sorted(map(str, odd_files.iterdir()))
    expected = iad.classify_images(given, probs=True, progress=False).set_index("image")
    order = np.random.default_rng(batch_size).permutation(len(given))
    shuffled = [given[i] for i in order]
    table = iad.classify_images(shuffled, probs=True, batch_size=batch_size, progress=False)
    assert table["image"].tolist() == shuffled
    table = table.set_index("image").loc[given]
    assert table["label"].astype(str).tolist() == expected["label"].astype(str).tolist()
    assert table["error"].fillna("").tolist() == expected["error"].fillna("").tolist()
    numbers = [column for column in table.columns if column.startswith("prob")]
    np.testing.assert_allclose(table[numbers], expected[numbers], atol=1e-5)


def test_a_data_frame_comes_back_whole_with_columns_added(photographs: Path) -> None:
    data = pd.DataFrame(
        {"post": [7, 8, 9], "path": ["coffee.png", None, "chelsea.jpg"], "text": ["a", "b", "c"]}, index=[30, 10, 20]
    )
    data.loc[10, "path"] = np.nan
    coffee = next(photographs.glob("coffee.*")).name
    chelsea = next(photographs.glob("chelsea.*")).name
    data.loc[30, "path"], data.loc[20, "path"] = coffee, chelsea
    table = iad.classify_images(data, image_col="path", image_dir=photographs, progress=False)
    assert table.columns.tolist() == ["post", "path", "text", "label", "prob", "error"]
    assert table.index.tolist() == [30, 10, 20]
    pd.testing.assert_frame_equal(table[["post", "path", "text"]], data, check_flags=False)
    assert str(table.loc[30, "label"]) == "espresso"
    assert table.loc[10, "error"] == "no path was given"


def test_a_hand_label_is_never_overwritten(photographs: Path) -> None:
    data = pd.DataFrame({"path": [str(next(photographs.iterdir()))], "label": ["protest"]})
    with pytest.raises(errors.ColumnExists, match="label"):
        iad.classify_images(data, image_col="path", progress=False)


def test_a_csv_of_posts_becomes_the_same_table_as_its_data_frame(photographs: Path, tmp_path: Path) -> None:
    data = pd.DataFrame({"path": sorted(p.name for p in photographs.iterdir()), "post": 1})
    data.to_csv(tmp_path / "posts.csv", index=False)
    from_file = iad.classify_images(tmp_path / "posts.csv", image_col="path", image_dir=photographs, progress=False)
    from_frame = iad.classify_images(data, image_col="path", image_dir=photographs, progress=False)
    pd.testing.assert_frame_equal(from_file, from_frame, check_dtype=False)


def test_the_label_is_a_factor_with_all_classes_also_where_there_is_no_row() -> None:
    table = iad.classify_images([], progress=False)
    assert len(table) == 0
    assert table.columns.tolist() == ["image", "label", "prob", "error"]
    arrow = iad.classify_images.arrow([], progress=False)
    assert pa.types.is_dictionary(arrow.schema.field("label").type)


def test_a_model_with_few_classes_has_a_column_for_each(photographs: Path, tmp_path: Path) -> None:
    path = small_model(tmp_path / "small.onnx", "single", ("no", "yes"))
    table = iad.classify_images(photographs, model=path, progress=False)
    assert table.columns.tolist() == ["image", "label", "prob", "prob_no", "prob_yes", "error"]
    assert table["label"].cat.categories.tolist() == ["no", "yes"]
    np.testing.assert_allclose(table["prob_no"] + table["prob_yes"], 1, atol=1e-12)
    np.testing.assert_allclose(table["prob"], table[["prob_no", "prob_yes"]].max(axis=1))
    assert "prob_no" not in iad.classify_images(photographs, model=path, probs=False, progress=False)


def test_several_attributes_are_logical_columns_and_missing_where_the_image_failed(
    photographs: Path, tmp_path: Path
) -> None:
    path = small_model(tmp_path / "several.onnx", "multi", ("crowd", "fire"), bias=[9, -9])
    given = [str(next(photographs.iterdir())), "missing.jpg"]
    table = iad.classify_images(given, model=path, progress=False)
    assert table.columns.tolist() == ["image", "crowd", "fire", "prob_crowd", "prob_fire", "error"]
    assert table["crowd"].tolist() == [True, pd.NA]
    assert table["fire"].tolist() == [False, pd.NA]


def test_scores_are_numbers_as_the_network_gives_them(photographs: Path, tmp_path: Path) -> None:
    path = small_model(tmp_path / "anger.onnx", "score", ("anger",), bias=[5])
    table = iad.classify_images(photographs, model=path, progress=False)
    assert table.columns.tolist() == ["image", "score_anger", "error"]
    embedding = iad.embed_images(photographs, model=path, progress=False)[[f"embedding_{i}" for i in (1, 2, 3)]]
    weight = numpy_helper.to_array(onnx.load(path).graph.initializer[0])
    np.testing.assert_allclose(table["score_anger"], embedding.to_numpy() @ weight[0] + 5, atol=1e-5)


def test_a_number_that_is_none_becomes_an_error_not_a_label(photographs: Path, tmp_path: Path) -> None:
    path = small_model(tmp_path / "nan.onnx", "single", ("no", "yes"), bias=[float("nan"), 0])
    table = iad.classify_images(photographs, model=path, progress=False)
    assert table["label"].isna().all()
    assert table["error"].str.contains("no number").all()


def test_tags_are_ranked_and_an_image_without_one_keeps_its_row(photographs: Path) -> None:
    given = [str(next(photographs.glob("coffee.*"))), "missing.jpg", str(next(photographs.glob("brick.*")))]
    table = iad.tag_images(given, top=3, threshold=0.5, progress=False)
    assert table["image"].tolist() == given
    assert table["rank"].tolist() == [1, pd.NA, pd.NA]
    assert table["error"].fillna("").tolist() == ["", "file does not exist", ""]
    every = iad.tag_images(given[:1], top=1000, progress=False)
    assert every["rank"].tolist() == list(range(1, 1001))
    assert every["prob"].is_monotonic_decreasing
    assert every["prob"].sum() == pytest.approx(1)


def test_embeddings_are_what_the_classifier_sees(photographs: Path) -> None:
    given = [str(next(photographs.glob("coffee.*"))), "missing.jpg"]
    table = iad.embed_images(given, progress=False)
    assert table.shape == (2, 1282)
    assert table.iloc[1, 1:-1].isna().all()
    weights = {w.name: numpy_helper.to_array(w) for w in onnx.load(model_path("efficientnet_lite0")).graph.initializer}
    numbers = table.iloc[0, 1:-1].to_numpy(np.float64)
    logits = numbers @ weights["classifier.weight"].T + weights["classifier.bias"]
    best = iad.classify_images(given, progress=False)["label"].cat.categories[int(logits.argmax())]
    assert best == "espresso"


def test_the_provenance_says_what_made_the_table(photographs: Path) -> None:
    table = iad.classify_images(photographs, device="cpu", progress=False)
    said = table.attrs["imagesasdata"]
    assert said["model_sha256"] == iad.load_model().sha256
    assert said["device"] == "cpu"
    assert said["preprocessing"]["size"] == 224
    assert said["package_version"] == iad.__version__


def test_on_error_stop_names_the_image_and_the_reason(photographs: Path) -> None:
    given = [*sorted(map(str, photographs.iterdir())), "gone.jpg"]
    with pytest.raises(errors.ImageFailed, match=r'"gone\.jpg": file does not exist'):
        iad.classify_images(given, on_error="stop", progress=False)


def test_a_progress_function_is_called_on_the_calling_thread_up_to_the_end(photographs: Path) -> None:
    calls: list[tuple[int, int, str, int]] = []
    total = len(list(photographs.iterdir()))
    iad.classify_images(photographs, progress=lambda d, t, text: calls.append((d, t, text, threading.get_ident())))
    assert [call[0] for call in calls] == sorted(call[0] for call in calls)
    assert calls[0][:2] == (0, total)
    assert calls[-1][:2] == (total, total)
    assert {call[3] for call in calls} == {threading.get_ident()}
    assert "efficientnet_lite0 on " in calls[0][2]


def test_an_interrupt_ends_the_run_at_once_and_leaves_no_thread(photographs: Path) -> None:
    def interrupt(done: int, total: int, text: str) -> None:
        if done:
            raise KeyboardInterrupt

    before = threading.active_count()
    given = sorted(map(str, photographs.iterdir())) * 20
    with pytest.raises(KeyboardInterrupt) as stopped:
        iad.classify_images(given, progress=interrupt)
    assert threading.active_count() == before
    partial = stopped.value.partial  # type: ignore[attr-defined]
    assert 0 < len(partial) < len(given)
    assert partial["image"].tolist() == given[: len(partial)]
    assert partial["label"].notna().all()


def test_an_interrupted_data_frame_comes_back_with_the_rows_that_are_done(photographs: Path) -> None:
    def interrupt(done: int, total: int, text: str) -> None:
        if done:
            raise KeyboardInterrupt

    data = pd.DataFrame({"path": sorted(map(str, photographs.iterdir())) * 20})
    data["row"] = range(len(data))
    with pytest.raises(iad.Interrupted) as stopped:
        iad.classify_images(data, image_col="path", progress=interrupt)
    partial = stopped.value.partial
    assert partial["row"].tolist() == list(range(len(partial)))
    assert partial.columns.tolist() == ["path", "row", "label", "prob", "error"]
    table = iad.classify_images.for_r(data["path"], progress=interrupt)
    assert "are done and returned" in iad.tables.provenance_of(table)["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": "many"}, "batch_size"),
        ({"on_error": "ignore"}, "on_error"),
        ({"device": "tpu"}, "device"),
        ({"progress": "yes"}, "progress"),
    ],
)
def test_a_wrong_argument_is_named(photographs: Path, arguments: dict[str, object], wrong: str) -> None:
    with pytest.raises(errors.ArgumentInvalid, match=wrong):
        iad.classify_images(photographs, **{"progress": False, **arguments})  # type: ignore[arg-type]
