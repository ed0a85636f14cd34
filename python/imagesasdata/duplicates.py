"""Near-duplicates: photographs that are copies of each other, resized, recompressed, cropped, marked or mirrored."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pyarrow as pa
from onnx import TensorProto, helper
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .card import ModelCard
from .decode import Preprocessing
from .errors import ArgumentInvalid
from .features import embed
from .images import find_images
from .model import ImageModel, load_model
from .modelfile import write_model
from .progress import Report, Stages
from .registry import DEFAULT_MODEL, cache_folder
from .runtime import Values
from .verb import Result, Verb

CORRELATION = 0.8
# A pair is looked at closely where its hashes differ in so few of 64 bits, or its embeddings are so similar.
HASH_DISTANCE, SIMILARITY = 10, 0.8
SIDE = 32  # of a thumbnail, in pixels
BLUR = 3.0  # standard deviation in pixels of what is taken off a thumbnail: the layout that all portraits share
CROPS = (1.0, 0.975, 0.95, 0.925)  # side of a copy that was cropped, against the original's
ROUGHLY = 0.5  # correlation of thumbnails as they lie, below which they are not laid over each other
BLOCK = 2048  # rows that are compared at once
PAIRS_AT_ONCE = 512
SCHEMA = pa.schema(
    [
        ("image_a", pa.string()),
        ("image_b", pa.string()),
        ("correlation", pa.float64()),
        ("hash_distance", pa.int32()),
        ("similarity", pa.float64()),
    ]
)
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@Verb
def find_duplicates(
    images: Any,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    correlation: float = CORRELATION,
    device: str = "auto",
    progress: Report = True,
    cache: bool = True,
) -> Result:
    """Find photographs that are copies of each other, also where they were resized, recompressed, cropped or marked.

    In an evaluation, a copy of a photograph to test on among those to learn from makes any model look better than it
    is; `cross_validate` and `fine_tune` keep copies together by this.

    Parameters
    ----------
    images, image_col, image_dir, device, progress, cache
        As in `classify_images`.
    correlation : float
        A pair's thumbnails, laid over each other, correlate at least so much, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        One row a pair: ``image_a`` and ``image_b`` (in the order of the images), ``correlation`` (of the thumbnails, at
        most 1), ``hash_distance`` (how many of 64 bits differ) and ``similarity`` (cosine of the embeddings, at most
        1). Photographs that cannot be read have no pairs.

    Notes
    -----
    Pairs are proposed by a 64-bit difference hash or by the embeddings of EfficientNet-Lite0, which finds mirrored
    copies too. A proposed pair's grey thumbnails of 32 x 32 pixels are then laid over each other, plain and mirrored,
    whole and with up to 7.5 % cropped, without their coarse layout, in which all portraits are alike; the largest
    correlation counts. All pairs are compared, so time grows with the square of the number of photographs: 60,000 take
    minutes.

    Examples
    --------
    >>> import imagesasdata as iad, skimage
    >>> cat = skimage.__path__[0] + "/data/chelsea.png"
    >>> iad.find_duplicates([cat, cat], progress=False)["correlation"].round(3).tolist()
    [1.0]
    """
    found = find_images(images, image_col, image_dir)
    with Stages(progress) as stages:
        (features, thumbnails), _ = embed(
            found, [load_model(DEFAULT_MODEL), thumbnail_model()], device, cache, stages.report
        )
        pairs = near_pairs(features, thumbnails, correlation, stages.report)
    return Result(pairs_table(pairs, found.names))


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Pairs of rows that are near-duplicates: ``a < b``, ``[m]`` each."""

    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    correlation: npt.NDArray[np.float64]
    distance: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.a)

    def join(self, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return groups ``[n]`` in which the two of a pair are together, and whoever was together before."""
        n = len(groups)
        _, first, group = np.unique(groups, return_index=True, return_inverse=True)
        rows, columns = np.concatenate([self.a, np.arange(n)]), np.concatenate([self.b, first[group]])
        graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(n, n))
        return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def near_pairs(
    features: Values,
    thumbnails: Values,
    correlation: float = CORRELATION,
    report: Callable[[str, int, int], None] = lambda text, done, total: None,
) -> Pairs:
    """Compare all rows of ``[n, d]`` embeddings and ``[n, 1024]`` thumbnails; rows with NaN have no pairs.

    Raises
    ------
    ArgumentInvalid
        `correlation` is not a number from 0 to 1.
    """
    if isinstance(correlation, bool) or not isinstance(correlation, int | float) or not 0 < correlation <= 1:
        raise ArgumentInvalid(f"`correlation` is {correlation!r}; it must be a number above 0 and at most 1.")
    kept = []
    for a, b, distance, similarity in _proposed(features, thumbnails, report):
        found = _aligned(thumbnails, a, b)
        near = found >= correlation
        kept.append((a[near], b[near], found[near], distance[near], similarity[near]))
    a, b, found, distance, similarity = (
        (np.concatenate(c) for c in zip(*kept, strict=True)) if kept else [np.empty(0)] * 5
    )
    order = np.lexsort((b, a))
    return Pairs(
        a[order].astype(np.int64),
        b[order].astype(np.int64),
        found[order].astype(float),
        np.rint(distance[order]).astype(np.int64),
        similarity[order].astype(float),
    )


def _proposed(
    features: Values, thumbnails: Values, report: Callable[[str, int, int], None]
) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """Yield rows, other rows, hash distances and cosines of the pairs to look at, a block of rows at a time."""
    n = len(features)
    directions = np.nan_to_num(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12))
    signs = np.nan_to_num(difference_hash(thumbnails))  # zeros where a photograph failed: far from everything
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        for other in range(start, n, BLOCK):
            columns = slice(other, other + BLOCK)
            cosines = directions[rows] @ directions[columns].T
            distances = (64 - signs[rows] @ signs[columns].T) / 2
            near = (cosines >= SIMILARITY) | (distances <= HASH_DISTANCE)
            i, j = np.nonzero(np.triu(near, 1) if other == start else near)
            yield i + start, j + other, distances[i, j], cosines[i, j]
        report("looking for near-duplicates", min(start + BLOCK, n), n)


def difference_hash(thumbnails: Values) -> Floats:
    """Return a difference hash ``[n, 64]`` of 1 and -1: which of 8 x 9 fields is darker than its right neighbour."""
    grey = thumbnails.reshape(-1, SIDE, SIDE)
    fields = np.einsum("yk,nkl,xl->nyx", _resampled(8), grey, _resampled(9), optimize=True)
    bits = np.where(fields[:, :, :-1] < fields[:, :, 1:], 1.0, -1.0).reshape(len(grey), 64)
    return np.asarray(np.where(np.isnan(thumbnails[:, :1]), np.nan, bits), np.float32)


def _resampled(fields: int) -> Floats:
    """Return the weights by which `SIDE` pixels become fewer fields, each the mean of what it covers."""
    edges = np.linspace(0, SIDE, fields + 1)
    pixels = np.arange(SIDE)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(np.maximum(covered, 0) * fields / SIDE, np.float32)


def _aligned(thumbnails: Values, a: Rows, b: Rows) -> npt.NDArray[np.float64]:
    """Return the largest correlation of each pair's thumbnails over all crops of either, as they are or mirrored."""
    found = np.full(len(a), -1.0)
    grey = thumbnails.reshape(-1, SIDE, SIDE)
    for start in range(0, len(a), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        first, second = grey[a[part]], grey[b[part]]
        plain, mirrored = (_correlation(_coarse(one), _coarse(second)) for one in (first, first[:, :, ::-1]))
        first = np.where((mirrored > plain)[:, None, None], first[:, :, ::-1], first)
        near = np.maximum(plain, mirrored) >= ROUGHLY
        first, second = first[near], second[near]
        best = np.full(len(first), -1.0)
        for one, other in ((first, second), (second, first)):
            whole = _detail(other, *_crops()[0])
            for rows, columns in _crops():
                best = np.maximum(best, _correlation(_detail(one, rows, columns), whole))
        found[start + np.flatnonzero(near)] = best
    return found


def _correlation(one: Floats, other: Floats) -> Floats:
    return np.asarray((one * other).sum(axis=(1, 2)))


def _coarse(grey: Floats) -> Floats:
    """Return thumbnails with neither their layout nor their finest detail, which a small crop shifts."""
    return _standard(np.asarray(_blurred(grey, 1.0) - _blurred(grey, BLUR), np.float32))


def _detail(grey: Floats, rows: Floats, columns: Floats) -> Floats:
    """Return thumbnails cut to a crop, without their coarse layout."""
    layout = _blur(BLUR)
    return _standard(np.asarray(rows @ grey @ columns.T - (layout @ rows) @ grey @ (layout @ columns).T, np.float32))


def _standard(grey: Floats) -> Floats:
    """Return thumbnails with mean 0 and length 1."""
    grey = grey - grey.mean(axis=(1, 2), keepdims=True)
    return np.asarray(grey / np.maximum(np.sqrt((grey**2).sum(axis=(1, 2), keepdims=True)), 1e-6))


def _blurred(grey: Floats, deviation: float) -> Floats:
    return np.asarray(_blur(deviation) @ grey @ _blur(deviation).T)


@functools.cache
def _blur(deviation: float) -> Floats:
    """Return the weights of a Gaussian blur along one side, ``[32, 32]``."""
    return np.asarray(gaussian_filter1d(np.eye(SIDE, dtype=np.float32), deviation, axis=0))


@functools.cache
def _crops() -> list[tuple[Floats, Floats]]:
    """Return for each crop, the whole first, the weights of rows and columns by which it is cut and enlarged again."""
    crops = []
    for side in CROPS:
        starts = [0.0] if side == 1 else [part * (1 - side) for part in (0, 0.5, 1)]
        weights = [_cut(start, side) for start in starts]
        crops += [(rows, columns) for rows in weights for columns in weights]
    return crops


def _cut(start: float, side: float) -> Floats:
    places = np.clip((start + (np.arange(SIDE) + 0.5) / SIDE * side) * SIDE - 0.5, 0, SIDE - 1)
    left = np.floor(places).astype(int)
    right, share = np.minimum(left + 1, SIDE - 1), places - left
    weights = np.zeros((SIDE, SIDE), np.float32)
    weights[np.arange(SIDE), left] += 1 - share
    weights[np.arange(SIDE), right] += share
    return weights


def pairs_table(pairs: Pairs, names: list[str | None]) -> pa.Table:
    """Return pairs as the table of `find_duplicates`."""
    columns = [
        pa.array([names[i] for i in pairs.a.tolist()], pa.string()),
        pa.array([names[i] for i in pairs.b.tolist()], pa.string()),
        pa.array(pairs.correlation, pa.float64()),
        pa.array(pairs.distance, pa.int32()),
        pa.array(pairs.similarity, pa.float64()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def thumbnail_model() -> ImageModel:
    """Return a grey thumbnail as a model, so that it shares the reading of files and the cache with the others."""
    path = cache_folder() / "thumbnail_1.onnx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_thumbnail_model(path)
    return ImageModel(path)


def _write_thumbnail_model(path: Path) -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, SIDE, SIDE])
    width = SIDE * SIDE
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], ["thumbnail"], axis=1),
            helper.make_node("Identity", ["thumbnail"], ["output"]),
        ],
        "thumbnail",
        [image],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name in ("thumbnail", "output")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    steps = Preprocessing(
        size=SIDE, resize=SIDE, rule="stretch", filter="box", colour="grey", scale=255.0, mean=(0.0,), std=(1.0,)
    )
    card = ModelCard(
        name="thumbnail",
        task="score",
        classes=tuple(f"pixel_{i + 1}" for i in range(width)),
        preprocessing=steps,
        tensors={"input": "image", "embedding": "thumbnail", "output": "output"},
        activation="none",
        licence="MIT",
        description="A grey thumbnail of 32 x 32 pixels, by which near-duplicates are found.",
    )
    write_model(proto, card, path)
