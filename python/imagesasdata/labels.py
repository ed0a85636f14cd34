"""Hand labels: read them in whatever shape they come, and check them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .answers import (
    LABELS,
    NA,
    as_frame,
    class_text,
    decide,
    drop_repeats,
    is_missing,
    label_columns,
    listed,
    long_answers,
    numbered,
    put_together,
    share_of_yes,
    take_column,
)
from .card import TASKS
from .devices import cpu_count
from .errors import ArgumentInvalid, ImagesNotFound, LabelsInvalid, choose, quoted
from .folders import IGNORED_FOLDERS
from .images import ImageList, find_images
from .reading import Unreadable, read_file
from .tablefiles import TABLE_SUFFIXES

LEAST = 2  # photographs of a class
FEW = 10  # photographs altogether
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Photographs and what people said of them, one row a photograph.

    Attributes
    ----------
    images : ImageList
        The photographs.
    task : {"single", "multi", "score"}
        Exclusive classes, several attributes at once, or numbers.
    names : tuple of str
        Classes (sorted, numbers as numbers), attributes or scores.
    values : numpy.ndarray
        ``[n, k]`` float64. For ``"single"`` the share of the coders who said each class (one of them 1 where all agree,
        and rows sum to 1); for ``"multi"`` 0, 1 or NaN (not coded, or coders tied); for ``"score"`` a number or NaN.
    groups : numpy.ndarray
        ``[n]`` int64: photographs with the same number are never apart in cross-validation.
    answers : pyarrow.Table or None
        The coders' answers in long form, where there were several coders: ``row`` (of this object, int64), ``coder``,
        ``name`` (attribute or score; for ``"single"`` the label column), ``value`` (text).
    notes : tuple of str
        What the user should know.
    shares : numpy.ndarray or None
        For ``"multi"`` with several coders, ``[n, k]``: the share of the coders who said yes, NaN where nobody coded.
    """

    images: ImageList
    task: str
    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int64]
    answers: pa.Table | None = None
    notes: tuple[str, ...] = ()
    shares: npt.NDArray[np.float64] | None = None

    @property
    def targets(self) -> npt.NDArray[np.float64]:
        """What a model learns, ``[n, k]``: of classes and attributes the share of coders who said so, not the majority.

        A photograph on which coders differ so says less than one on which they agree (Peterson et al. 2019, Human
        Uncertainty Makes Classification More Robust).
        """
        return self.values if self.shares is None else self.shares

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """For ``"single"``: the number of each photograph's class, ``[n]``."""
        return np.asarray(self.values.argmax(axis=1))

    def __len__(self) -> int:
        return len(self.images)


def read_labels(
    labels: Any,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    image_dir: str | os.PathLike[str] | None = None,
    coders: str | Sequence[str] | None = None,
    task: str = "auto",
    groups: str | None = None,
) -> Labels:
    """Read hand labels, put the answers of several coders together, and check that something can be learnt from them.

    Parameters
    ----------
    labels : folder, data frame, or table file
        A folder of class folders (``photos/protest/*.jpg``: the direct sub-folders are the classes), a data frame
        (pandas, Arrow, or anything with ``__arrow_c_stream__``), or a .csv, .parquet, .feather or .dta file.
    image_col : str
        The column with the paths.
    label_col : str or list of str
        The column with the labels, or several columns: attributes (0/1, true/false, yes/no) or scores (numbers).
    image_dir : path, optional
        The folder from which relative paths start; the working directory if not given.
    coders : str or list of str, optional
        A column that names the coder, where each row is one coder's answer; or two columns or more, each of which holds
        one coder's labels (`label_col` is then only their common name).
    task : {"auto", "single", "multi", "score"}
        ``"auto"``: one column is ``"single"``, except that numbers with more than 10 distinct values, or with decimals,
        are a ``"score"``; several columns are ``"multi"`` where all say yes or no, else ``"score"``.
    groups : str, optional
        A column whose equal values (an account, an event) are never apart in cross-validation.

    Returns
    -------
    Labels
        One row for each photograph that is labelled and can be opened, in the order in which they first occur.
        ``"single"``: the share of coders a class; the majority is the class, and a tie goes to the first of the tied
        classes. ``"multi"``: the majority; a tie is NaN, so a row may be all NaN; and the shares of coders, from which
        models learn. ``"score"``: the mean. Photographs with the same bytes are in one group.

    Raises
    ------
    LabelsInvalid
        No label, one class only, a class with one photograph, values that are no label of the task, labels that
        contradict each other, or no photograph that can be opened.
    ImageColumnMissing, ImagesNotFound, TableUnreadable, ArgumentInvalid
    """
    if isinstance(labels, Labels):
        return labels
    choose("task", task, ("auto", *TASKS))
    notes: list[str] = []
    if isinstance(labels, str | os.PathLike) and Path(labels).suffix.lower() not in TABLE_SUFFIXES:
        if coders is not None or groups is not None or task not in ("auto", "single"):
            raise ArgumentInvalid(
                "`labels` is a folder of class folders, which has one class a photograph and no columns: leave out "
                "`coders`, `groups` and `task`, or give a table."
            )
        images, frame = read_folders(os.fspath(labels), image_dir, notes)
        columns = ["label"]
    else:
        frame = as_frame(labels, "labels", LABELS)
        images = find_images(frame, image_col, image_dir)
        columns = label_columns(label_col, coders)
        if groups is not None:
            take_column(frame, groups, "groups")  # wrong names are told before any file is read
    photograph, first = _photographs(images, notes)
    answers = long_answers(frame, columns, coders)
    given = columns if coders is None or isinstance(coders, str) else list(map(str, coders))
    if not_coded := sum(isinstance(v, str) and v.strip() == NA for name in given for v in frame[name].tolist()):
        notes.append(f'{not_coded:,} label(s) are the text "NA", which is read as missing. A class? Call it otherwise.')
    answers = answers.assign(photograph=photograph[answers["row"].to_numpy()])
    answers = answers[answers["photograph"] >= 0]
    if not len(answers):
        raise LabelsInvalid(f"No photograph has a label in {listed(columns)}.")
    task = decide(answers, columns, task, notes)
    answers, classes = numbered(answers, columns, task)
    names = [images.names[row] or "" for row in first]
    answers = drop_repeats(answers, names, coders is not None, notes)
    values = put_together(answers, len(first), len(classes), task, notes)
    soft = share_of_yes(answers, len(first), len(classes)) if task == "multi" and coders is not None else None
    labelled = np.bincount(answers["photograph"], minlength=len(first)) > 0
    if not labelled.all():
        notes.append(f"{int((~labelled).sum()):,} of {len(first):,} photographs have no label and are left out.")
    paths = [images.paths[row] or "" for row in first]
    prints = _fingerprints(paths, names, labelled, notes)
    kept = np.flatnonzero([mark is not None for mark in prints])
    marks = [mark for mark in prints if mark is not None]
    values, classes = _check(values[kept], classes, task, notes)
    found = ImageList([names[i] for i in kept], [paths[i] for i in kept])
    together = _groups(frame, groups, photograph, marks, kept)
    read = Labels(
        found,
        task,
        classes,
        values,
        together,
        None if coders is None else _answers_table(answers, kept),
        shares=None if soft is None else soft[kept],
    )
    return dataclasses.replace(read, notes=(*notes, *_about_copies(read, marks)))


def read_folders(
    folder: str, image_dir: str | os.PathLike[str] | None, notes: list[str]
) -> tuple[ImageList, pd.DataFrame]:
    """List the photographs below a folder of class folders, and their classes."""
    start = "" if image_dir is None else os.path.expanduser(os.fspath(image_dir))
    root = os.path.join(start, os.path.expanduser(folder), "")
    if not os.path.isdir(root):
        raise ImagesNotFound(
            f'`labels` is "{folder}", which is no folder and no table file (working directory: {Path.cwd()}). Give a '
            f"folder of class folders, a data frame, or a table file ({quoted(sorted(TABLE_SUFFIXES))})."
        )
    images = find_images(folder, image_dir=image_dir)
    inside = [(path or "")[len(root) :].partition(os.sep) for path in images.paths]
    loose = [first for first, _, rest in inside if not rest]
    if loose:
        raise LabelsInvalid(
            f'{len(loose):,} photograph(s) lie directly in "{folder}", not in the folder of a class: '
            f"{quoted(map(repr, loose), 3)}. Move each into a folder that is named after its class."
        )
    classes = [first for first, _, _ in inside]
    with os.scandir(root) as entries:
        every = {entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")}
    empty = sorted(every - set(classes) - IGNORED_FOLDERS)
    if empty:
        notes.append(
            f"{len(empty):,} folder(s) hold no photograph (links are not followed) and are no class: "
            f"{quoted(map(repr, empty), 5)}."
        )
    return images, pd.DataFrame({"label": pd.Series(classes, dtype=object)})


def _photographs(images: ImageList, notes: list[str]) -> tuple[Codes, Codes]:
    """Number the photographs: return that of each row, -1 without a path, and the first row of each."""
    paths = [None if path is None else os.path.normpath(path) for path in images.paths]
    codes = pd.factorize(np.array(paths, dtype=object))[0].astype(np.int64)
    if (codes < 0).any():
        notes.append(f"{int((codes < 0).sum()):,} row(s) have no path and are left out.")
    return codes, np.flatnonzero((codes >= 0) & ~pd.Series(codes).duplicated().to_numpy())


def _fingerprints(
    paths: list[str], names: list[str], wanted: npt.NDArray[np.bool_], notes: list[str]
) -> list[bytes | None]:
    """Return the sha256 of each file, None where it is not wanted or cannot be opened."""

    def read(row: int) -> bytes | Unreadable:
        try:
            return hashlib.sha256(read_file(paths[row])).digest()
        except Unreadable as problem:
            return problem

    rows = np.flatnonzero(wanted).tolist()
    with ThreadPoolExecutor(cpu_count()) as pool:
        results = dict(zip(rows, pool.map(read, rows), strict=True))
    failed = [f"{names[row]!r} ({result})" for row, result in results.items() if isinstance(result, Unreadable)]
    if failed and len(failed) == len(rows):
        raise LabelsInvalid(
            f"None of the {len(rows):,} labelled photographs can be opened, for instance {failed[0]}. Relative paths "
            f"start at `image_dir`, or else in the working directory, {Path.cwd()}."
        )
    if failed:
        notes.append(
            f"{len(failed):,} of {len(rows):,} labelled photographs cannot be opened and are left out: "
            f"{quoted(failed, 3)}."
        )
    found = [results.get(row) for row in range(len(paths))]
    return [None if isinstance(result, Unreadable) else result for result in found]


def _check(
    values: npt.NDArray[np.float64], names: tuple[str, ...], task: str, notes: list[str]
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Raise `LabelsInvalid` where nothing can be learnt; return values and names without classes that nothing has."""
    having: dict[str, int] = {}
    if task == "single":
        counts = np.bincount(values.argmax(axis=1), minlength=len(names))
        nobody = [name for name, count in zip(names, counts, strict=True) if not count]
        if nobody:
            notes.append(
                f"No photograph has the label {listed(nobody)} once the coders are put together and unreadable files "
                "are left out; it is no class."
            )
            values = values[:, counts > 0] / values[:, counts > 0].sum(axis=1, keepdims=True)
            names = tuple(name for name in names if name not in nobody)
        if len(names) < 2:
            raise LabelsInvalid(f"All photographs have one label, {listed(names)}; two are needed to tell apart.")
        having = dict(zip(names, counts[counts > 0].tolist(), strict=True))
        _refuse_rare("class", having)
        if len({name.casefold() for name in names}) < len(names):
            notes.append(f"Some classes differ by capital letters only, and count as different: {listed(names)}.")
    for name, column in zip(names, values.T, strict=True) if task != "single" else ():
        known = column[~np.isnan(column)]
        if len(np.unique(known)) < 2:
            what = f"is {class_text(known[0])} in every photograph" if len(known) else "is coded in no photograph"
            raise LabelsInvalid(f'"{name}" {what}, so nothing can be learnt about it. Leave it out of `label_col`.')
        if task == "multi":
            present = int(known.sum())
            answers = {f"{name} = 0": len(known) - present, f"{name} = 1": present}
            _refuse_rare("attribute", answers)
            having |= answers
    if len(values) < FEW:
        notes.append(f"Only {len(values)} photographs are labelled: figures from so few say next to nothing.")
    elif few := [f'"{name}" ({count})' for name, count in having.items() if count < FEW]:
        notes.append(
            f"Fewer than {FEW} photographs of {quoted(few)}: a model learns little from so few, and figures of them "
            "say next to nothing. Label more of them, or join them with others."
        )
    return values, names


def _refuse_rare(kind: str, counts: dict[str, int]) -> None:
    rare = [f'"{name}" ({count})' for name, count in counts.items() if count < LEAST]
    if rare:
        cure = "join it with another class" if kind == "class" else "leave the attribute out"
        raise LabelsInvalid(
            f"Too few photographs of {quoted(rare)}: at least {LEAST} are needed, to learn from one and to test on "
            f"another. Label more, or {cure}."
        )


def _groups(
    frame: pd.DataFrame, groups: str | None, photograph: Codes, prints: list[bytes], kept: Codes
) -> npt.NDArray[np.int64]:
    """Number what must stay together: photographs of one value of `groups`, and photographs of the same bytes."""
    n = len(kept)
    same = pd.factorize(np.array(prints, dtype=object))[0]
    rows, marks = np.arange(n), same
    if groups is not None:
        column = take_column(frame, groups, "groups").astype(object)
        named = np.array([not is_missing(value) for value in column], dtype=bool)
        codes = np.full(len(frame), -1)
        codes[named] = pd.factorize(column[named])[0]
        place = np.full(int(photograph.max()) + 2, -1)  # the last one stands for rows without a path
        place[kept] = np.arange(n)
        use = named & (place[photograph] >= 0)
        rows = np.concatenate([rows, place[photograph[use]]])
        marks = np.concatenate([marks, codes[use] + same.max() + 1])
    size = n + int(marks.max()) + 1
    graph = coo_array((np.ones(len(rows), np.int8), (rows, marks + n)), shape=(size, size))
    parts = connected_components(graph, directed=False)[1][:n]
    return np.asarray(pd.factorize(parts)[0], dtype=np.int64)


def _about_copies(labels: Labels, prints: list[bytes]) -> list[str]:
    """Return notes on photographs that are there twice under different names."""
    first: dict[bytes, int] = {}
    pairs = [(first[mark], row) for row, mark in enumerate(prints) if first.setdefault(mark, row) != row]
    if not pairs:
        return []
    notes = [
        f"{len(pairs):,} photograph(s) are byte for byte the same as another under a different name, for instance "
        f"{labels.images.names[pairs[0][0]]!r} and {labels.images.names[pairs[0][1]]!r}. They are kept together in "
        "cross-validation."
    ]
    against = [
        f"{labels.images.names[a]!r} is {_label_text(labels, a)} and {labels.images.names[b]!r} is "
        f"{_label_text(labels, b)}"
        for a, b in pairs
        if _differ(labels, a, b)
    ]
    if against:
        notes.append(
            f"{len(against):,} pair(s) of identical photographs have DIFFERENT labels: {quoted(against, 5)}. At least "
            "one of each pair is wrong, and no model can get both right. Correct them before anything else."
        )
    return notes


def _differ(labels: Labels, a: int, b: int) -> bool:
    if labels.task == "single":
        return bool(labels.codes[a] != labels.codes[b])
    gap = np.abs(labels.values[a] - labels.values[b])
    return bool((gap > 0).any())  # NaN, not coded, is no difference


def _label_text(labels: Labels, row: int) -> str:
    if labels.task == "single":
        return repr(labels.names[int(labels.codes[row])])
    pairs = zip(labels.names, labels.values[row].tolist(), strict=True)
    return ", ".join(f"{name} {'not coded' if np.isnan(value) else class_text(value)}" for name, value in pairs)


def _answers_table(answers: pd.DataFrame, kept: Codes) -> pa.Table:
    known = answers[answers["photograph"].isin(kept)]
    columns = {"coder": known["coder"], "name": known["name"], "value": known["text"]}
    texts = {name: pa.array(column.tolist(), pa.string()) for name, column in columns.items()}
    return pa.table({"row": pa.array(np.searchsorted(kept, known["photograph"]), pa.int64()), **texts})
