"""Merge predictions into a data set: check the keys, report what does not match, sum up several images a unit."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from .errors import ArgumentInvalid, ColumnExists, KeysInvalid, choose, quoted
from .tables import provenance_of, to_frame, with_provenance
from .verb import Result, Verb

HOW = ("any", "mean", "max")
PREFIXES = ("prob_", "score_", "embedding_")
MOST_CLASSES = 25
OBJECT_KINDS = {
    "boolean": "logical",
    "integer": "a number",
    "floating": "a number",
    "mixed-integer-float": "a number",
    "decimal": "a number",
    "date": "a date",
    "datetime": "a date",
    "datetime64": "a date",
}


@Verb
def merge_predictions(
    data: Any,
    predictions: Any,
    by: str | Sequence[str] | Mapping[str, str] = "image",
    how: str | None = None,
) -> Result:
    """Add predictions to a data set, one row in for each row out, and say what did not match.

    Parameters
    ----------
    data : data frame
        One row a unit: a photograph, a post, an account. All its rows and columns are kept, in order.
    predictions : data frame
        From `classify_images` or another verb with one row an image.
    by : str, list of str, or dict
        The key: a column of both, or ``{"column of data": "column of predictions"}``.
    how : {"any", "mean", "max"}, optional
        How to sum up several images of one unit, such as the photographs of a post. ``"any"``: does at least one image
        show it. ``"mean"``: share of the images that show it, and mean probability or score. ``"max"``: highest
        probability or score. Without it, two rows of `predictions` with one key are an error. Failed images are left
        out of the sum.

    Returns
    -------
    pandas.DataFrame
        `data` with the columns of `predictions` that it does not have. With `how` instead: ``any_<class>``; or
        ``share_<class>``, ``prob_<class>`` and ``score_<name>``; or ``prob_<class>`` and ``score_<name>``; and always
        ``n_images`` (rows of `predictions` with this key) and ``n_used`` (those that did not fail). Rows of `data`
        without predictions have missing values, and 0 images. With more than 25 classes, only those that occur get
        columns. ``attrs["imagesasdata"]["merge"]`` counts what matched.

    Warns
    -----
    ImagesAsDataWarning
        Rows of `data` without predictions, predictions without a row of `data`, keys that `data` has twice.

    Raises
    ------
    KeysInvalid
        A key column is missing or of another kind, nothing matches, or one key has several predictions and `how` is not
        given.
    ColumnExists
        `data` has one of the prediction columns already.

    Examples
    --------
    >>> import imagesasdata as iad, pandas as pd
    >>> posts = pd.DataFrame({"post": ["a", "b"], "retweets": [12, 3]})
    >>> photos = pd.DataFrame({"post": ["a", "a", "b"], "label": pd.Categorical(["protest", "other", "other"])})
    >>> iad.merge_predictions(posts, photos, by="post", how="any")[["post", "any_protest", "n_images"]]
      post  any_protest  n_images
    0    a         True         2
    1    b        False         1
    """
    if how is not None:
        choose("how", how, HOW)
    left, right = _frame(data, "data"), _frame(predictions, "predictions")
    keys = _pairs(by)
    for mine, theirs in keys.items():
        _check_key(left, mine, right, theirs)
    provenance = (
        provenance_of(predictions) if isinstance(predictions, pa.Table) else right.attrs.get("imagesasdata", {})
    )
    ids = _identify(left[list(keys)], right[list(keys.values())])
    notes, counts = _report(left, right, keys, *ids)
    if how is None:
        table = _one_to_one(left, right, keys, *ids)
    else:
        table = pa.Table.from_pandas(_sum_up(right, keys, how, *ids), preserve_index=False)
    table = with_provenance(table, {**provenance, "verb": "merge_predictions", "merge": counts})
    return Result(table, data if isinstance(data, pd.DataFrame | pa.Table) else left, notes, keep_image=True)


def _frame(table: Any, argument: str) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        return to_frame(pa.table(table))
    raise ArgumentInvalid(f"`{argument}` is a {type(table).__name__}; give a data frame.")


def _pairs(by: str | Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(by, str):
        return {by: by}
    pairs = dict(by) if isinstance(by, Mapping) else {name: name for name in by or ()}
    if not pairs:
        raise ArgumentInvalid("`by` is empty; name the column that identifies a unit in both tables.")
    return pairs


def _check_key(left: pd.DataFrame, mine: str, right: pd.DataFrame, theirs: str) -> None:
    for frame, argument, name in ((left, "data", mine), (right, "predictions", theirs)):
        if name not in frame.columns:
            columns = quoted(map(str, frame.columns))
            raise KeysInvalid(
                f'`{argument}` has no column "{name}" (it has: {columns}). '
                'Name the key of each table: by={"column of data": "column of predictions"}.'
            )
        if list(frame.columns).count(name) > 1:
            raise KeysInvalid(f'`{argument}` has more than one column "{name}"; rename the others.')
        if pd.api.types.is_float_dtype(frame[name].dtype) and (frame[name].abs() > 2**53).any():
            raise KeysInvalid(
                f'The key "{name}" of `{argument}` holds numbers above 2^53 as decimal numbers, whose last digits are '
                "lost. Read it again as text."
            )
    kinds = [_kind(left[mine]), _kind(right[theirs])]
    if kinds[0] != kinds[1] and "nothing" not in kinds:
        raise KeysInvalid(
            f'The key "{mine}" is {kinds[0]} in `data` and "{theirs}" is {kinds[1]} in `predictions`, so nothing can '
            "match. Convert one of them first (long ids are safest as text)."
        )


def _kind(column: pd.Series[Any]) -> str:
    if column.isna().all():
        return "nothing"
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = pd.Series(column.cat.categories)
    if column.dtype == object:
        return OBJECT_KINDS.get(pd.api.types.infer_dtype(column, skipna=True), "text")
    if pd.api.types.is_bool_dtype(column.dtype):
        return "logical"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return "a number"
    return "a date" if pd.api.types.is_datetime64_any_dtype(column.dtype) else "text"


def _identify(left: pd.DataFrame, right: pd.DataFrame) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Number the distinct keys of both tables alike; -1 where a key is missing, which never matches."""
    both = pd.DataFrame(
        {
            i: pd.concat([_plain(left.iloc[:, i]), _plain(right.iloc[:, i])], ignore_index=True)
            for i in range(left.shape[1])
        }
    )
    groups = both.groupby(list(both.columns), sort=False, dropna=True).ngroup()
    ids = groups.mask(both.isna().any(axis=1), -1).to_numpy(dtype=np.int64)
    return ids[: len(left)], ids[len(left) :]


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a key as objects that are equal where a reader would say so: a path and its text, for instance."""
    plain = column.astype(object)
    paths = pd.api.types.infer_dtype(plain, skipna=True) == "mixed"
    return plain.map(lambda key: os.fspath(key) if isinstance(key, os.PathLike) else key) if paths else plain


def _report(
    left: pd.DataFrame,
    right: pd.DataFrame,
    keys: dict[str, str],
    left_ids: np.ndarray[Any, Any],
    right_ids: np.ndarray[Any, Any],
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return warnings, and counts of what matched."""
    mine, theirs = next(iter(keys)), next(iter(keys.values()))
    matched = np.isin(left_ids, right_ids[right_ids >= 0])
    used = np.isin(right_ids, left_ids[left_ids >= 0])
    doubled = int((pd.Series(left_ids[left_ids >= 0]).value_counts() > 1).sum())
    counts = {
        "rows": len(left),
        "rows_matched": int(matched.sum()),
        "rows_unmatched": int((~matched).sum()),
        "predictions": len(right),
        "predictions_unmatched": int((~used).sum()),
        "keys_doubled_in_data": doubled,
    }
    if len(left) and len(right) and not matched.any():
        ends = {_file_name(v) for v in right[theirs].dropna()}
        hint = ""
        if any(_file_name(v) in ends for v in left[mine].dropna()):
            hint = " The file names match without their folders: write the paths alike in both."
        raise KeysInvalid(
            f'No value of "{mine}" in `data` ({_examples(left[mine])}) is in "{theirs}" of `predictions` '
            f"({_examples(right[theirs])}).{hint}"
        )
    notes = []
    if not matched.all():
        notes.append(
            f"{counts['rows_unmatched']:,} of {len(left):,} rows of `data` have no prediction, for instance "
            f"{_examples(left.loc[~matched, mine])}."
        )
    if not used.all():
        notes.append(
            f"{counts['predictions_unmatched']:,} of {len(right):,} predictions match no row of `data`, for instance "
            f"{_examples(right.loc[~used, theirs])}."
        )
    if doubled:
        notes.append(f"{doubled:,} key(s) occur more than once in `data`; each such row gets the same predictions.")
    return tuple(notes), counts


def _file_name(path: Any) -> str:
    return re.split(r"[\\/]", str(path))[-1]


def _examples(column: pd.Series[Any]) -> str:
    return ", ".join("missing" if pd.isna(v) else repr(v) for v in column.head(3).tolist())


def _one_to_one(
    left: pd.DataFrame,
    right: pd.DataFrame,
    keys: dict[str, str],
    left_ids: np.ndarray[Any, Any],
    right_ids: np.ndarray[Any, Any],
) -> pa.Table:
    valid = pd.Series(right_ids[right_ids >= 0])
    several = valid.value_counts()
    several = several[several > 1]
    if len(several):
        theirs = next(iter(keys.values()))
        first = right.loc[right_ids == several.index[0], theirs].iloc[0]
        raise KeysInvalid(
            f'`predictions` has {several.iloc[0]} rows for "{theirs}" {first!r}, and {len(several):,} such keys. '
            'Several images belong to one unit: pass how="any", "mean" or "max" to sum them up.'
        )
    have = {str(c) for c in left.columns}
    kept = [
        c for c in right.columns if c not in keys.values() and not (str(c) in have and not _is_prediction(c, right))
    ]
    both = [str(c) for c in kept if str(c) in have]
    if both:
        raise ColumnExists(
            f"`data` already has the column(s) {quoted(both)}, which would be added. Rename or drop them first."
        )
    position = np.full(int(max(left_ids.max(initial=-1), right_ids.max(initial=-1))) + 2, -1, np.int64)
    position[right_ids[right_ids >= 0]] = np.flatnonzero(right_ids >= 0)
    where = np.where(left_ids >= 0, position[left_ids], -1)
    table = pa.Table.from_pandas(right[kept], preserve_index=False)
    return table.take(pa.array(where, mask=where < 0)) if table.num_columns else table


def _is_prediction(column: Any, frame: pd.DataFrame) -> bool:
    name = str(column)
    return name in ("label", "prob", "error") or name.startswith(PREFIXES) or f"prob_{name}" in frame.columns


def _sum_up(
    right: pd.DataFrame,
    keys: dict[str, str],
    how: str,
    left_ids: np.ndarray[Any, Any],
    right_ids: np.ndarray[Any, Any],
) -> pd.DataFrame:
    """Sum up the images of each unit, and return one row for each of `left_ids`."""
    failed = np.zeros(len(right), bool)
    if "error" in right.columns:
        failed |= ~_blank(right["error"])
    elif "label" in right.columns:
        failed |= _blank(right["label"])
    valid = right_ids >= 0
    images = pd.Series(right_ids[valid]).value_counts()
    used = pd.Series(right_ids[valid & ~failed]).value_counts()
    good, good_ids = right[valid & ~failed], right_ids[valid & ~failed]
    columns: dict[str, pd.Series[Any]] = {}
    if how in ("any", "mean"):
        prefix = "any_" if how == "any" else "share_"
        columns = {prefix + name: shows for name, shows in _shown(good).items()}
    if how in ("mean", "max"):
        numbers = [c for c in right.columns if str(c).startswith(PREFIXES) and c not in keys.values()]
        columns.update({str(c): good[c].astype(float) for c in numbers})
    if not columns:
        raise KeysInvalid(
            f'`predictions` has no column that how="{how}" can sum up. '
            'It needs `label` or attributes for "any", and probabilities or scores for "max" '
            "(classify_images(probs=True) gives a column for each class)."
        )
    grouped = pd.DataFrame({name: column.to_numpy() for name, column in columns.items()}).groupby(good_ids)
    summed: pd.DataFrame = getattr(grouped, how)()
    result: pd.DataFrame = summed.reindex(left_ids).reset_index(drop=True)
    if how == "any":
        result = result.astype("boolean")
    for name, count in (("n_images", images), ("n_used", used)):
        result[name] = count.reindex(left_ids).fillna(0).astype("int32").to_numpy()
    return result


def _shown(good: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Return, for each class or attribute, which images show it."""
    shown: dict[str, pd.Series[Any]] = {}
    if "label" in good.columns:
        label = good["label"].astype("category")
        classes = list(label.cat.categories)
        if len(classes) > MOST_CLASSES:
            classes = [c for c in classes if (label == c).any()]
        shown = {str(c): label == c for c in classes}
    for name in good.columns:
        # Stata and CSV have no logical columns: there an attribute is 0 or 1.
        if f"prob_{name}" in good.columns and good[name].dropna().isin([0, 1]).all():
            shown[str(name)] = good[name].eq(1).fillna(False).astype(bool)
    return shown


def _blank(column: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Say where text is missing, or "", which is how Stata writes that."""
    missing: npt.NDArray[np.bool_] = column.isna().to_numpy(dtype=bool)
    return missing | (column.astype(object).map(str) == "").to_numpy(dtype=bool)
