"""How far coders agree: percent, kappa, alpha and intraclass correlation, with intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .answers import (
    LABELS,
    are_numbers,
    are_scores,
    as_frame,
    class_text,
    drop_repeats,
    is_missing,
    label_columns,
    long_answers,
    take_column,
)
from .coefficients import Coded, estimates, mean, pairs_of, resampled
from .errors import ArgumentInvalid, LabelsInvalid, choose, quoted
from .findings import Findings, FindingsVerb
from .intervals import check_level, check_whole, percentile
from .labels import Labels

SCALES = ("nominal", "ordinal", "interval")
FEW = 20  # photographs, below which an interval by resampling is too short
TITLES = {
    "percent_agreement": "percent agreement",
    "cohen_kappa": "Cohen's kappa",
    "weighted_kappa": "weighted kappa",
    "fleiss_kappa": "Fleiss' kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "icc_1": "ICC(1)",
    "icc_a1": "ICC(A,1)",
    "icc_c1": "ICC(C,1)",
}
CONVENTION = (
    "Krippendorff (2004) relies on data with an alpha of .800 or more, and draws tentative conclusions from .667 on. "
    "That is a convention: what is enough depends on what the labels are for."
)


@FindingsVerb
def coder_agreement(
    labels: Any,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    coders: str | Sequence[str] = "coder",
    scale: str = "auto",
    conf_level: float = 0.95,
    replicates: int = 1000,
    seed: int = 1,
) -> Findings:
    """Measure how far coders agree on photographs, with intervals by resampling photographs.

    Photographs need not be there, and coders need not have coded all of them.

    Parameters
    ----------
    labels : data frame or table file
        The coders' answers.
    image_col : str
        The column that says which photograph, by path or by any other name.
    label_col : str or list of str
        The column with the answers, or several (attributes, scores), each of which is measured by itself.
    coders : str or list of str
        The column that names the coder, where each row is one coder's answer; or two columns or more, each of which
        holds one coder's answers.
    scale : {"auto", "nominal", "ordinal", "interval"}
        What kind of answers: classes, classes in an order (numbers, or an ordered factor), or a measure. ``"auto"``
        takes numbers with more than 10 distinct values, or with decimals, as a measure, and anything else as classes.
    conf_level : float
        Of the intervals, between 0 and 1.
    replicates : int
        How many times photographs are resampled for the intervals (percentiles).
    seed : int
        Of the resampling.

    Returns
    -------
    Findings
        ``metrics``: ``name`` (the column), ``metric``, ``estimate``, ``conf_low``, ``conf_high``, ``n`` (photographs
        that it rests on). For classes ``percent_agreement`` (a share, 0 to 1) and ``cohen_kappa``, both the mean over
        pairs of coders, ``fleiss_kappa`` and ``krippendorff_alpha``; for ordered classes ``weighted_kappa`` (quadratic
        weights) in place of the two kappas; for a measure ``krippendorff_alpha``, and of the photographs that all
        coded ``icc_1``, ``icc_a1`` and ``icc_c1``. Missing where it is not defined, as kappa is where there is one
        class only; an interval also where all resamples give the same, as with perfect agreement.
        ``pairs``: ``name``, ``coder_a``, ``coder_b``, ``n``, ``percent``, ``kappa``, ``correlation``.
        ``coders``: ``name``, ``coder``, ``n`` (answers), and ``label`` with its ``share``, or ``mean``.
        ``disagreements``: ``name``, ``image``, ``answers`` (text), ``disagreement`` (share of pairs of coders that
        differ, or the standard deviation of the answers), the largest first.

    Raises
    ------
    LabelsInvalid
        Fewer than two coders, no photograph that two of them coded, or answers that contradict each other.
    ImageColumnMissing, ArgumentInvalid, TableUnreadable

    Notes
    -----
    Cohen's kappa is that of scikit-learn (Cohen 1960; over several pairs Light 1971), the weighted one Cohen (1968).
    Fleiss' kappa (1971) is generalised to missing answers as by Gwet (2014, Handbook of Inter-Rater Reliability).
    Alpha: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability. ICC: Shrout and Fleiss (1979) in the names
    of McGraw and Wong (1996); ``icc_1`` is their ICC(1,1), ``icc_a1`` ICC(2,1), ``icc_c1`` ICC(3,1).

    Examples
    --------
    >>> import imagesasdata as iad, pandas as pd
    >>> coded = pd.DataFrame({"image": list("aabbccdd"), "coder": ["Ann", "Ben"] * 4, "label": list("xxyyxyxx")})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):  # of so few photographs
    ...     found = iad.coder_agreement(coded, replicates=100)
    >>> found.metrics.set_index("metric")["estimate"].round(3).to_dict()
    {'percent_agreement': 0.75, 'cohen_kappa': 0.5, 'fleiss_kappa': 0.467, 'krippendorff_alpha': 0.533}
    """
    choose("scale", scale, ("auto", *SCALES))
    conf_level, seed = check_level(conf_level), check_whole("seed", seed)
    if not (replicates := check_whole("replicates", replicates)):
        raise ArgumentInvalid("`replicates` is 0; without resampling there are no intervals. Take 1000.")
    notes: list[str] = []
    answers, images, orders = _read(labels, image_col, label_col, coders, notes)
    people = list(dict.fromkeys(answers["coder"])) if not isinstance(coders, str) else sorted(set(answers["coder"]))
    if len(people) < 2:
        raise LabelsInvalid(f"There are answers of {quoted(people) or 'no coder'} only; agreement needs two coders.")
    parts = answers.groupby("name", sort=False)
    tried = [_coded(part, str(name), scale, orders, people, notes) for name, part in parts]
    every = [coded for coded in tried if coded is not None]
    if not every:
        raise LabelsInvalid("No photograph was coded by two coders; let them code some of the same ones.")
    metrics = pd.concat([_metrics(coded, conf_level, replicates, seed, notes) for coded in every], ignore_index=True)
    several = np.unique(np.concatenate([coded.rows[coded.answered > 1] for coded in every]))
    alone = answers["photograph"].nunique() - len(several)
    if alone:
        notes.append(f"{alone:,} photograph(s) have one coder's answer only, which says little about agreement.")
    if len(several) < FEW:
        notes.append(f"With {len(several)} photographs the intervals are rough, and rather too short than too long.")
    facts = {
        "names": [coded.name for coded in every],
        "scale": [coded.scale for coded in every],
        "n": len(several),
        "n_coders": len(people),
        "conf_level": conf_level,
        "replicates": replicates,
        "seed": seed,
    }
    tables = {
        "metrics": metrics,
        "pairs": _pairs_table(every),
        "coders": _coders_table(every),
        "disagreements": _disagreements(every, images),
    }
    found = Findings.of("agreement", facts, {name: _typed(table) for name, table in tables.items()})
    return Findings("agreement", found.facts, found.tables, _lines(facts, metrics), tuple(notes))


def ceiling(labels: Labels) -> float | None:
    """Return how far the coders agree by themselves, which a model that learns from them can hardly surpass.

    Returns
    -------
    float or None
        For ``"single"`` the mean share of photographs on which two coders agree, for ``"multi"`` the same over
        attributes, for ``"score"`` the mean correlation of two coders. None where no two coders coded the same
        photographs.
    """
    means = []
    for coded in coded_labels(labels):
        pairs = pairs_of(coded, np.ones((len(coded.rows), 1)))
        kind = [pair.correlation if coded.scale == "interval" else float(pair.percent[0]) for pair in pairs]
        means.append(mean([np.array([number]) for number in kind])[0])
    known = [float(mean) for mean in means if np.isfinite(mean)]
    return float(np.mean(known)) if known else None


def coded_labels(labels: Labels) -> list[Coded]:
    """Return the coders' answers about each class column, attribute or score of which a photograph has two."""
    if labels.answers is None:
        return []
    answers = _of_labels(labels)
    people = sorted(set(answers["coder"]))
    scale = "interval" if labels.task == "score" else "nominal"
    parts = answers.groupby("name", sort=False)
    tried = [_coded(part, str(name), scale, {}, people, []) for name, part in parts]
    return [coded for coded in tried if coded is not None]


# -- answers as numbers ------------------------------------------------------------------------------------------------


def _read(
    labels: Any, image_col: str, label_col: str | Sequence[str], coders: str | Sequence[str], notes: list[str]
) -> tuple[pd.DataFrame, list[str], dict[str, list[str]]]:
    """Return the answers, the photographs' names, and the order of the classes of ordered factors."""
    if isinstance(labels, Labels):
        if labels.answers is None:
            raise LabelsInvalid("`labels` does not say who coded what: read it with `coders`.")
        return _of_labels(labels), [name or "" for name in labels.images.names], {}
    if coders is None:
        raise ArgumentInvalid("`coders` is missing; name the column that names the coder, or a column for each coder.")
    frame, columns = as_frame(labels, "labels", LABELS), label_columns(label_col, coders)
    units = [None if is_missing(unit) else class_text(unit) for unit in take_column(frame, image_col, "image_col")]
    numbered, names = pd.factorize(np.array(units, dtype=object))
    answers = long_answers(frame, columns, coders)
    answers = answers.assign(photograph=numbered[answers["row"].to_numpy()])
    nameless = answers["photograph"] < 0
    if nameless.any():
        notes.append(f'{int(nameless.sum()):,} answer(s) have no photograph in "{image_col}" and are left out.')
    answers = _with_text(answers[~nameless])
    orders = {}
    for name in columns:
        kinds = {frame[c].dtype for c in ([name] if isinstance(coders, str) else map(str, coders))}
        kind = kinds.pop()
        if not kinds and isinstance(kind, pd.CategoricalDtype) and kind.ordered:
            orders[name] = [class_text(level) for level in kind.categories]
    return drop_repeats(answers, names.tolist(), True, notes), names.tolist(), orders


def _of_labels(labels: Labels) -> pd.DataFrame:
    table: pa.Table = labels.answers
    answers: pd.DataFrame = table.to_pandas().rename(columns={"row": "photograph"})
    if labels.task == "score":
        answers["value"] = answers["value"].astype(float)
    return _with_text(answers)


def _with_text(answers: pd.DataFrame) -> pd.DataFrame:
    """Add each answer as ``text``, and as a ``number`` where all answers of its name are numbers."""
    parts = []
    for _, part in answers.groupby("name", sort=False):
        codes, distinct = pd.factorize(part["value"].astype(object))
        numeric = are_numbers(distinct)
        texts = np.array([class_text(value, numeric) for value in distinct], dtype=object)
        amounts = np.array([float(value) if numeric else np.nan for value in distinct])
        parts.append(part.assign(text=texts[codes], number=amounts[codes]))
    return pd.concat(parts, ignore_index=True) if parts else answers.assign(text=[], number=[])


def _coded(
    part: pd.DataFrame, name: str, scale: str, orders: dict[str, list[str]], people: list[str], notes: list[str]
) -> Coded | None:
    """Return the answers about one thing as numbers, None where no photograph has two."""
    numeric = bool(part["number"].notna().all())
    if scale == "auto":
        scale = "interval" if numeric and are_scores(part["number"].unique()) else "nominal"
    texts = set(part["text"])
    classes: list[str] = []
    if scale == "interval":
        if not numeric or np.isinf(part["number"]).any():
            raise ArgumentInvalid(
                f'`scale` is "interval", and "{name}" holds {quoted(map(repr, sorted(texts)), 3)}; a measure needs '
                'finite numbers. For classes take scale="nominal".'
            )
        numbers_ = part["number"].to_numpy()
    else:
        if name in orders:
            classes = [level for level in orders[name] if level in texts]
        elif numeric:
            classes = sorted(texts, key=float)
        elif scale == "ordinal":
            raise ArgumentInvalid(
                f'`scale` is "ordinal", and "{name}" holds text ({quoted(map(repr, sorted(texts)), 3)}), whose order '
                "is not known. Give numbers, or an ordered factor (pandas: an ordered categorical)."
            )
        else:
            classes = sorted(texts)
        place = {text: code for code, text in enumerate(classes)}
        numbers_ = part["text"].map(place).to_numpy(dtype=float)
    rows, inverse = np.unique(part["photograph"].to_numpy(), return_inverse=True)
    person = part["coder"].map({coder: code for code, coder in enumerate(people)}).to_numpy()
    values = np.full((len(rows), len(people)), np.nan)
    values[inverse, person] = numbers_
    coded = Coded(name, scale, people, classes, rows.astype(np.int64), values)
    if not (coded.answered > 1).any():
        notes.append(f'No photograph has the answers of two coders about "{name}"; it is left out.')
        return None
    return coded


# -- tables ------------------------------------------------------------------------------------------------------------


def _metrics(coded: Coded, conf_level: float, replicates: int, seed: int, notes: list[str]) -> pd.DataFrame:
    # Photographs with the same answers are counted, not repeated: of a few classes there are few kinds.
    filled = np.where(np.isnan(coded.values), np.inf, coded.values)
    kinds, first, times = np.unique(filled, axis=0, return_index=True, return_counts=True)
    alike = dataclasses.replace(coded, rows=coded.rows[first], values=np.where(np.isinf(kinds), np.nan, kinds))
    found = estimates(alike, times[:, None].astype(float))
    blocks = [estimates(alike, weights) for weights in resampled(times, replicates, seed)]
    complete = int((coded.answered == len(coded.people)).sum())
    rows = []
    for metric, estimate in found.items():
        drawn = np.concatenate([estimate, *(block[metric] for block in blocks)])[:, None]
        drawn = np.where(np.isfinite(drawn), drawn, np.nan)
        low, high = percentile(drawn[1:], conf_level) if np.isfinite(drawn[0]) else ([np.nan], [np.nan])
        used = complete if metric.startswith("icc") else int((coded.answered > 1).sum())
        rows.append((coded.name, metric, drawn[0, 0], low[0], high[0], used))
    undefined = [TITLES[row[1]] for row in rows if np.isnan(row[2])]
    if coded.scale == "interval" and complete < 2:
        notes.append(f'ICC needs photographs that all coders coded; of "{coded.name}" there are {complete}.')
    elif undefined:
        notes.append(f'{quoted(undefined)} cannot be told of "{coded.name}": there is next to no variation in it.')
    return pd.DataFrame(rows, columns=["name", "metric", "estimate", "conf_low", "conf_high", "n"])


def _pairs_table(every: Sequence[Coded]) -> pd.DataFrame:
    rows = []
    for coded in every:
        for pair in pairs_of(coded, np.ones((len(coded.rows), 1))):
            names = coded.people[pair.a], coded.people[pair.b]
            rows.append((coded.name, *names, pair.n, pair.percent[0], pair.kappa[0], pair.correlation))
    return pd.DataFrame(rows, columns=["name", "coder_a", "coder_b", "n", "percent", "kappa", "correlation"])


def _coders_table(every: Sequence[Coded]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for coded in every:
        for person, column in zip(coded.people, coded.values.T, strict=True):
            known = column[~np.isnan(column)]
            if coded.classes:
                counts = np.bincount(known.astype(int), minlength=len(coded.classes))
                shares = counts / max(len(known), 1)
                rows += [
                    (coded.name, person, len(known), label, share, np.nan)
                    for label, share in zip(coded.classes, shares.tolist(), strict=True)
                ]
            else:
                rows.append((coded.name, person, len(known), None, np.nan, known.mean() if len(known) else np.nan))
    return pd.DataFrame(rows, columns=["name", "coder", "n", "label", "share", "mean"])


def _disagreements(every: Sequence[Coded], images: Sequence[str]) -> pd.DataFrame:
    parts = []
    for coded in every:
        rows = np.flatnonzero(coded.answered > 1)
        m = coded.answered[rows]
        if coded.scale == "nominal":
            amount = (m**2 - (coded.counts[rows] ** 2).sum(axis=1)) / (m * (m - 1))
        else:
            amount = np.nanstd(coded.values[rows], axis=1, ddof=1)
        order = np.argsort(-amount, kind="stable")[: int((amount > 0).sum())]
        said = [
            "; ".join(
                f"{person}: {coded.text(value)}"
                for person, value in zip(coded.people, coded.values[row].tolist(), strict=True)
                if not np.isnan(value)
            )
            for row in rows[order]
        ]
        names = [images[photograph] for photograph in coded.rows[rows[order]]]
        parts.append(pd.DataFrame({"name": coded.name, "image": names, "answers": said, "disagreement": amount[order]}))
    return pd.concat(parts, ignore_index=True)


def _typed(table: pd.DataFrame) -> pa.Table:
    """Return a table as Arrow, with the same types also where it has no row or nothing but missing values."""
    texts = ("name", "metric", "coder_a", "coder_b", "coder", "label", "image", "answers")
    kinds = {name: pa.string() if name in texts else pa.int64() if name == "n" else pa.float64() for name in table}
    arrays = [pa.array(table[name].tolist(), kind, from_pandas=True) for name, kind in kinds.items()]
    return pa.Table.from_arrays(arrays, list(map(str, kinds)))


def _lines(facts: dict[str, Any], metrics: pd.DataFrame) -> tuple[str, ...]:
    lines = [f"Agreement of {facts['n_coders']} coders on {facts['n']:,} photographs"]
    for name, scale in zip(facts["names"], facts["scale"], strict=True):
        lines.append(f"{name} ({scale})")
        for _, row in metrics[metrics["name"] == name].iterrows():
            shown = "     -" if np.isnan(row["estimate"]) else f"{row['estimate']:6.3f}"
            if not np.isnan(row["conf_low"]):
                shown += f"  [{row['conf_low']:.3f}, {row['conf_high']:.3f}]"
            lines.append(f"  {TITLES[row['metric']]:<21}{shown}")
    lines.append(f"Intervals: {facts['conf_level']:.0%}, by resampling photographs {facts['replicates']:,} times.")
    return (*lines, CONVENTION)
