"""Choose which photographs to code by hand, with the probability that each had of being chosen."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from .answers import as_frame, class_text, is_missing, take_column
from .classify import probabilities
from .decode import Limits
from .engine import Engine
from .errors import ArgumentInvalid, choose, quoted
from .images import ImageList, find_images
from .intervals import check_whole
from .job import Job
from .labels import Labels
from .model import ImageModel, load_model
from .pipeline import Batch
from .progress import Report
from .registry import DEFAULT_MODEL
from .tablefiles import TABLE_SUFFIXES
from .tables import provenance_of, to_frame, with_provenance
from .verb import Result, Stopped, Verb, refuse_existing
from .version import __version__

STRATEGIES = ("random", "stratified", "uncertain")
UNIFORM = 0.5  # the share of the sample that is spread evenly, so that no weight is more than twice the usual one
CERTAIN = 1 - 1e-9
NO_STRATUM = "(missing)"
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@Verb
def sample_images(
    pool: Any,
    n: int | Mapping[Any, int],
    strategy: str = "random",
    strata: str | Sequence[str] | None = None,
    model: str | os.PathLike[str] | ImageModel = DEFAULT_MODEL,
    labelled: Any = None,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    seed: int = 1,
    device: str = "auto",
    progress: Report = True,
    cache: bool = True,
) -> Result:
    """Draw photographs to be coded by hand, and say with which probability each was drawn.

    Parameters
    ----------
    pool : path, pattern, list of paths, data frame, or table file
        The photographs to draw from, as in `classify_images`.
    n : int or dict
        How many; with ``strategy="stratified"`` also a dict ``{stratum: how many}``. Several columns of strata are
        joined to one name by ``" / "``, and a missing value is ``"(missing)"``.
    strategy : {"random", "stratified", "uncertain"}
        ``"random"``: simple random sampling without replacement. ``"stratified"``: the same in each stratum, `n` spread
        evenly over them as far as they reach. ``"uncertain"``: half of the sample's probability is spread evenly, and
        half in proportion to how uncertain the model is.
    strata : str or list of str, optional
        Columns of `pool`, such as a city, a year, or the ``label`` of `classify_images`.
    model : str, path or ImageModel
        With ``strategy="uncertain"``: whose uncertainty. It is not run where `pool` has its predictions already:
        ``prob_<class>`` columns, or else ``label`` and ``prob``.
    labelled : data frame, list of paths, folder or table file, optional
        Photographs that were coded before. They are not drawn again, and every probability is then one among the rest.
    image_col : str, optional
        The column with the paths, where `pool` is a data frame; in `labelled` the same, or ``"image"``.
    image_dir : path, optional
        The folder from which relative paths start; the working directory if not given.
    seed : int
        The same seed draws the same photographs.
    device, progress, cache
        As in `classify_images`.

    Returns
    -------
    pandas.DataFrame
        The rows drawn, in the order of `pool`, with its columns (``image`` where it is no data frame),
        ``inclusion_prob`` (above 0, up to 1: with which probability this photograph was to be drawn, exactly) and, with
        ``strategy="uncertain"``, ``uncertainty`` (0 to 1). Whoever estimates something of the whole pool from the
        sample weights by 1 / `inclusion_prob`; the error-corrected regression does so.

    Raises
    ------
    ArgumentInvalid
        For instance, `n` is more than there are.
    ImagesNotFound, ImageColumnMissing, ColumnExists, ModelNotFound, ModelInvalid, DeviceUnavailable

    Notes
    -----
    Uncertainty is 1 less the difference between the two highest probabilities; with attributes the mean of
    ``1 - |2 p - 1|``; with nothing but ``prob``, 1 less that. The mixture with even probabilities is that of Zrnic and
    Candès (2024), Active Statistical Inference. The draw is systematic (Madow 1949, On the Theory of Systematic
    Sampling, II) over a random order of the pool: probabilities hold exactly, and none is above 1. What the model is
    sure to be uncertain about is drawn with probability 1.

    Examples
    --------
    >>> import imagesasdata as iad, pandas as pd
    >>> pool = pd.DataFrame({"image": [f"{i}.jpg" for i in range(100)], "city": ["A"] * 90 + ["B"] * 10})
    >>> drawn = iad.sample_images(pool, 30, "stratified", strata="city", image_col="image")
    >>> drawn["city"].value_counts().to_dict()
    {'A': 20, 'B': 10}
    >>> drawn.groupby("city")["inclusion_prob"].first().round(3).to_dict()
    {'A': 0.222, 'B': 1.0}
    """
    choose("strategy", strategy, STRATEGIES)
    if (strata is not None) != (strategy == "stratified"):
        raise ArgumentInvalid('`strata` names columns of `pool`, and belongs to strategy="stratified".')
    if isinstance(n, Mapping) and strategy != "stratified":
        raise ArgumentInvalid('`n` is a number for each stratum, which belongs to strategy="stratified".')
    rng = np.random.default_rng(check_whole("seed", seed))
    found = find_images(pool, image_col, image_dir)
    refuse_existing(found.columns, ["inclusion_prob", *(["uncertainty"] if strategy == "uncertain" else [])])
    notes: list[str] = []
    rows = _to_draw_from(found, labelled, image_col, image_dir, notes)
    added: dict[str, Floats] = {}
    described: dict[str, Any] = {"package_version": __version__}
    if strategy == "uncertain":
        doubt, described = _uncertainty(found, rows, model, device, progress, cache, described)
        failed = np.isnan(doubt)
        if failed.any():
            notes.append(f"{int(failed.sum()):,} photograph(s) have no prediction, and are left out of the pool.")
        rows, doubt = rows[~failed], doubt[~failed]
        size = _size(n, len(rows), found)
        prob = inclusion_probabilities((1 - UNIFORM) * _shares(doubt) + UNIFORM / len(doubt), size)
        drawn = systematic_sample(prob, rng)
        added["uncertainty"] = doubt[drawn]
    elif strategy == "stratified":
        prob, drawn = _stratified(_strata(found, strata or [])[rows], n, rng, notes)
    else:
        size = _size(n, len(rows), found)
        prob = np.full(len(rows), size / len(rows))
        drawn = np.sort(rng.choice(len(rows), size, replace=False))
    chosen = rows[drawn]
    columns = {"image": [found.names[row] for row in chosen], "inclusion_prob": prob[drawn], **added}
    facts = {"strategy": strategy, "n": len(chosen), "pool": len(rows), "seed": int(seed)}
    time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    table = with_provenance(
        pa.table(columns), {**_made_by(found), **described, "verb": "sample_images", "time": time, "sample": facts}
    )
    data = found.data.iloc[chosen] if isinstance(found.data, pd.DataFrame) else found.data
    return Result(table, data.take(chosen) if isinstance(data, pa.Table) else data, tuple(notes))


# -- the draw ----------------------------------------------------------------------------------------------------------


def inclusion_probabilities(size: Floats, n: int) -> Floats:
    """Return probabilities in proportion to `size` ``[N]``, all positive, that sum to `n`; none is above 1."""
    prob = np.ones(len(size))
    free = np.ones(len(size), dtype=bool)
    while free.any():
        prob[free] = size[free] / size[free].sum() * (n - int((~free).sum()))
        above = free & (prob >= CERTAIN)
        prob[above] = 1
        if not above.any():
            break
        free &= ~above
    return prob


def systematic_sample(prob: Floats, rng: np.random.Generator) -> Rows:
    """Draw with these probabilities, whose sum is a whole number, by equal steps along a random order; sorted."""
    certain = prob >= CERTAIN
    order = rng.permutation(np.flatnonzero(~certain))
    steps = round(float(prob[order].sum()))
    ends = np.cumsum(prob[order])
    if steps:
        ends *= steps / ends[-1]  # the last digits of a sum
    picked = order[np.searchsorted(ends, rng.random() + np.arange(steps), side="right")]
    return np.sort(np.concatenate([np.flatnonzero(certain), picked]))


def even_allocation(sizes: Sequence[int], n: int) -> list[int]:
    """Spread `n` over strata as evenly as their sizes allow; what does not divide goes to the largest."""
    given = [0] * len(sizes)
    while n:
        open_ = [i for i, size in enumerate(sizes) if given[i] < size]
        each = n // len(open_)
        if each:
            for i in open_:
                more = min(each, sizes[i] - given[i])
                given[i] += more
                n -= more
        else:
            for i in sorted(open_, key=lambda i: given[i] - sizes[i])[:n]:
                given[i] += 1
            n = 0
    return given


def _stratified(
    strata: npt.NDArray[np.object_], n: int | Mapping[Any, int], rng: np.random.Generator, notes: list[str]
) -> tuple[Floats, Rows]:
    """Return the probability of each row, and the rows drawn."""
    names = sorted(set(strata.tolist()))
    members = {name: np.flatnonzero(strata == name) for name in names}
    if isinstance(n, Mapping):
        wanted = {_stratum(key): check_whole("n", value) for key, value in n.items()}
        unknown = [name for name in wanted if name not in members]
        if unknown:
            raise ArgumentInvalid(
                f"`n` names the strata {quoted(map(repr, unknown))}, which `pool` does not have (it has: "
                f"{quoted(map(repr, names))})."
            )
        short = [f"{name!r} ({m:,} of {len(members[name]):,})" for name, m in wanted.items() if m > len(members[name])]
        if short:
            raise ArgumentInvalid(f"`n` is more than there are in the strata {quoted(short)}.")
        none = [name for name in names if not wanted.get(name)]
        if len(none) == len(names):
            raise ArgumentInvalid("`n` is 0 for every stratum.")
        if none:
            notes.append(f"Nothing is drawn from {quoted(map(repr, none))}: the sample says nothing about these.")
    else:
        size = _size(n, len(strata))
        if size < len(names):
            raise ArgumentInvalid(
                f"`n` is {size:,}, and there are {len(names):,} strata: at least one photograph of each is needed."
            )
        wanted = dict(zip(names, even_allocation([len(members[name]) for name in names], size), strict=True))
    prob, drawn = np.zeros(len(strata)), []
    for name in names:
        rows, m = members[name], wanted.get(name, 0)
        prob[rows] = m / len(rows)
        drawn.append(rng.choice(rows, m, replace=False))
    return prob, np.sort(np.concatenate(drawn))


# -- the pool ----------------------------------------------------------------------------------------------------------


def _to_draw_from(
    found: ImageList, labelled: Any, image_col: str | None, image_dir: str | os.PathLike[str] | None, notes: list[str]
) -> Rows:
    """Return the rows of the pool that can be drawn."""
    paths = [None if path is None else os.path.abspath(path) for path in found.paths]
    without = paths.count(None)
    if without:
        notes.append(f"{without:,} row(s) have no path and are left out of the pool.")
    known = {path for path in paths if path is not None}
    if len(known) < len(paths) - without:
        notes.append(
            f"{len(paths) - without - len(known):,} row(s) repeat a photograph of the pool. Each row is drawn by "
            "itself, so a photograph may be drawn several times."
        )
    coded: set[str] = set()
    if labelled is not None:
        coded = _coded_paths(labelled, image_col, image_dir)
        if not coded & known:
            notes.append(
                f"None of the {len(coded):,} photographs of `labelled` is in the pool, so that any may be drawn again. "
                "Are their paths written alike?"
            )
    rows = np.array([row for row, path in enumerate(paths) if path is not None and path not in coded], dtype=np.int64)
    if not len(rows):
        raise ArgumentInvalid("`pool` has no photograph to draw: all are in `labelled`, or have no path.")
    return rows


def _coded_paths(labelled: Any, image_col: str | None, image_dir: str | os.PathLike[str] | None) -> set[str]:
    if isinstance(labelled, Labels):
        images = labelled.images
    else:
        is_file = isinstance(labelled, str | os.PathLike) and os.path.splitext(labelled)[1].lower() in TABLE_SUFFIXES
        if is_file or hasattr(labelled, "columns"):
            frame = as_frame(labelled, "labelled")
            images = find_images(frame, image_col if image_col in frame.columns else "image", image_dir)
        else:
            images = find_images(labelled, image_col, image_dir)
    return {os.path.abspath(path) for path in images.paths if path is not None}


def _strata(found: ImageList, strata: str | Sequence[str]) -> npt.NDArray[np.object_]:
    """Return the name of each row's stratum."""
    if found.data is None:
        raise ArgumentInvalid("`strata` names columns, and `pool` has none: give a data frame or a table file.")
    columns = [strata] if isinstance(strata, str) else list(strata)
    if not columns:
        raise ArgumentInvalid("`strata` is empty; name a column of `pool`.")
    frame = as_frame(found.data, "pool")
    values = [take_column(frame, str(name), "strata").astype(object).tolist() for name in columns]
    names = np.empty(len(frame), dtype=object)
    names[:] = [_stratum(row) for row in zip(*values, strict=True)]
    return names


def _stratum(values: Any) -> str:
    values = values if isinstance(values, tuple) else (values,)
    return " / ".join(NO_STRATUM if is_missing(value) else class_text(value) for value in values)


def _size(n: Any, available: int, found: ImageList | None = None) -> int:
    size = check_whole("n", n)
    if not size:
        raise ArgumentInvalid("`n` is 0; draw at least one photograph.")
    if size > available:
        out = len(found) - available if found is not None else 0
        why = f" ({out:,} others are labelled already, or cannot be drawn)" if out else ""
        raise ArgumentInvalid(f"`n` is {size:,}, and the pool has {available:,} photographs to draw from{why}.")
    return size


def _made_by(found: ImageList) -> dict[str, Any]:
    """Return the provenance of the pool, such as that of its predictions."""
    if isinstance(found.data, pa.Table):
        return provenance_of(found.data)
    return dict(found.data.attrs.get("imagesasdata", {})) if found.data is not None else {}


# -- uncertainty -------------------------------------------------------------------------------------------------------


def _uncertainty(
    found: ImageList,
    rows: Rows,
    model: str | os.PathLike[str] | ImageModel,
    device: str,
    progress: Report,
    cache: bool,
    described: dict[str, Any],
) -> tuple[Floats, dict[str, Any]]:
    """Return how uncertain the model is about each row, 0 to 1 or NaN, and what made that."""
    known = _from_columns(found)
    if known is not None:
        return known[rows], described
    loaded = load_model(model)
    if loaded.card.task == "score":
        raise ArgumentInvalid(
            f'`model` is "{loaded.name}", a model of scores, which does not say how uncertain it is. Draw with '
            'strategy="random" or "stratified".'
        )
    schema = pa.schema([("image", pa.string()), ("uncertainty", pa.float64()), ("error", pa.string())])

    def encode(batch: Batch) -> pa.RecordBatch:
        doubt = uncertainty(probabilities(batch.values[0], loaded.card.activation), loaded.card.task)
        columns = [pa.array(batch.names, pa.string()), pa.array(doubt, mask=batch.failed)]
        return pa.RecordBatch.from_arrays([*columns, pa.array(batch.errors, pa.string())], schema=schema)

    images = ImageList([found.names[row] for row in rows], [found.paths[row] for row in rows])
    job = Job("sample_images", images, Engine([loaded], device, cache=cache), schema, encode, {}, joins=False)
    try:
        table = job.run("auto", progress, "record", Limits()).table
    except Stopped:  # what is done is no sample
        raise KeyboardInterrupt from None
    return table["uncertainty"].to_numpy(), provenance_of(table)


def uncertainty(prob: Floats, task: str) -> Floats:
    """Return 1 less the margin of the two most probable classes, or the mean nearness of attributes to 0.5, ``[n]``."""
    if task == "single":
        top = np.sort(prob, axis=1)[:, -2:]
        return np.asarray(1 - (top[:, 1] - top[:, 0]))
    return np.asarray((1 - np.abs(2 * prob - 1)).mean(axis=1))


def _from_columns(found: ImageList) -> Floats | None:
    """Return the uncertainty of predictions that the pool has, None where it has none."""
    if found.data is None:
        return None
    data = found.data if isinstance(found.data, pd.DataFrame) else to_frame(found.data)
    names = [str(column) for column in data.columns]
    classes = [name.removeprefix("prob_") for name in names if name.startswith("prob_")]
    columns = [f"prob_{name}" for name in classes] or (["prob"] if {"label", "prob"} <= set(names) else [])
    if not columns:
        return None
    frame = as_frame(data, "pool")
    try:
        prob = np.column_stack(
            [take_column(frame, name, "pool").to_numpy(dtype=float, na_value=np.nan) for name in columns]
        )
    except (TypeError, ValueError):
        raise ArgumentInvalid(f"`pool` has text in {quoted(columns)}; probabilities are numbers.") from None
    if ((prob < 0) | (prob > 1)).any():
        raise ArgumentInvalid(f"`pool` has numbers in {quoted(columns)} that are no probabilities, which are 0 to 1.")
    if not classes:
        return 1 - prob[:, 0]
    attributes = len(classes) == 1 or set(classes) <= set(names)
    return uncertainty(prob, "multi" if attributes else "single")


def _shares(doubt: Floats) -> Floats:
    """Return each one's share of the whole uncertainty; even shares where there is none."""
    total = doubt.sum()
    return doubt / total if total > 0 else np.full(len(doubt), 1 / len(doubt))
