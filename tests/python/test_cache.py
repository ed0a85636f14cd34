"""The cache of embeddings: found by content, shared by processes, limited in size, never a wrong number."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import imagesasdata as iad
from imagesasdata import cache
from imagesasdata.cache import EmbeddingCache, content_key, embeddings_folder

STEPS = iad.load_model().card.preprocessing


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGESASDATA_CACHE", str(tmp_path / "cache"))


def opened(width: int = 8) -> EmbeddingCache:
    return EmbeddingCache("backbone", STEPS, "cpu", width)


def rows(n: int, width: int = 8, seed: int = 1) -> tuple[list[bytes], np.ndarray]:
    values = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    return [content_key(f"{seed} {i}".encode()) for i in range(n)], values


def test_what_was_put_is_found_again_bit_for_bit_after_closing() -> None:
    keys, values = rows(500)
    store = opened()
    store.put(keys[:300], values[:300])
    store.put(keys[300:], values[300:])
    store.close()
    again = opened()
    for key, value in zip(keys, values, strict=True):
        np.testing.assert_array_equal(again.get(key), value)
    assert again.get(content_key(b"never seen")) is None


def test_another_backbone_preprocessing_or_device_finds_nothing() -> None:
    import dataclasses

    keys, values = rows(3)
    store = opened()
    store.put(keys, values)
    store.close()
    other_steps = dataclasses.replace(STEPS, filter="nearest")
    for other in (
        EmbeddingCache("another", STEPS, "cpu", 8),
        EmbeddingCache("backbone", other_steps, "cpu", 8),
        EmbeddingCache("backbone", STEPS, "cuda:0", 8),
    ):
        assert other.get(keys[0]) is None


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text"])
def test_a_damaged_file_is_as_good_as_missing_and_never_a_wrong_number(damage: str) -> None:
    keys, values = rows(200)
    store = opened()
    store.put(keys, values)
    store.close()
    (path,) = embeddings_folder().glob("*/*.arrow")
    content = bytearray(path.read_bytes())
    if damage == "flip":
        for place in range(len(content) // 3, len(content) // 2, 7):
            content[place] ^= 0xFF
    path.write_bytes({"flip": content, "cut": content[: len(content) // 2], "empty": b"", "text": b"hello"}[damage])
    again = opened()
    found = [again.get(key) for key in keys]
    assert any(row is None for row in found)
    for row, value in zip(found, values, strict=True):
        assert row is None or (row == value).all()


def test_the_second_run_decodes_nothing_and_gives_the_same_table(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photographs, folder)
    first = iad.classify_images(folder, probs=True, progress=False)
    monkeypatch.setattr("imagesasdata.engine.decode_image", None)  # would fail if it were called
    second = iad.classify_images(folder, probs=True, progress=False)
    pd.testing.assert_frame_equal(first, second)
    renamed = next(folder.iterdir()).rename(folder / "renamed.jpg")
    assert iad.classify_images([str(renamed)], progress=False)["error"].isna().all()


def test_without_the_cache_nothing_is_kept_and_the_table_is_the_same(photographs: Path) -> None:
    with_cache = iad.classify_images(photographs, probs=True, progress=False)
    iad.clear_cache()
    without = iad.classify_images(photographs, probs=True, cache=False, progress=False)
    pd.testing.assert_frame_equal(with_cache, without)
    assert iad.cache_info()["images"].tolist() == [0]


def test_classify_embed_and_tag_share_one_entry_an_image(photographs: Path) -> None:
    n = len(list(photographs.iterdir()))
    iad.embed_images(photographs, progress=False)
    iad.classify_images(photographs, progress=False)
    iad.tag_images(photographs, progress=False)
    assert iad.cache_info()["images"].tolist() == [n]


def test_the_cache_keeps_within_its_size_and_drops_what_was_used_least_recently(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import os

    monkeypatch.setenv("IMAGESASDATA_CACHE_GB", "0.0001")  # 100 kB
    for seed in range(8):
        keys, values = rows(400, seed=seed)  # about 27 kB each
        store = opened()
        store.put(keys, values)
        store.close()
        for age, path in enumerate(sorted(embeddings_folder().glob("*/*.arrow"), reverse=True)):
            os.utime(path, (1e9 - age, 1e9 - age))
    assert 50 < iad.cache_info()["megabytes"].iloc[0] * 1000 <= 100
    assert opened().get(rows(400, seed=7)[0][0]) is not None
    assert opened().get(rows(400, seed=0)[0][0]) is None


def test_many_small_files_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_FILES", 5)
    everything = []
    for seed in range(12):
        keys, values = rows(3, seed=seed)
        everything += list(zip(keys, values, strict=True))
        store = opened()
        store.put(keys, values)
        store.close()
    assert iad.cache_info()["files"].iloc[0] <= 6
    again = opened()
    for key, value in everything:
        np.testing.assert_array_equal(again.get(key), value)


def test_several_processes_can_fill_it_at_once(photographs: Path) -> None:
    code = f"import imagesasdata as iad; iad.classify_images({str(photographs)!r}, progress=False)"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    expected = iad.classify_images(photographs, cache=False, progress=False)
    pd.testing.assert_frame_equal(iad.classify_images(photographs, progress=False), expected)


def test_a_cache_that_cannot_be_written_does_not_stop_the_run(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("IMAGESASDATA_CACHE", str(tmp_path / "file"))
    assert iad.classify_images(photographs, progress=False)["error"].isna().all()


def test_another_limit_of_pixels_is_not_answered_from_the_cache(photographs: Path) -> None:
    iad.classify_images(photographs, progress=False)
    table = iad.classify_images(photographs, max_pixels=100, progress=False)
    assert table["error"].str.contains("raise max_pixels").all()


def test_a_size_that_is_no_number_is_refused_before_the_work(
    photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGESASDATA_CACHE_GB", "lots")
    with pytest.raises(iad.ImagesAsDataError, match="a number of gigabytes"):
        iad.classify_images(photographs, progress=False)
