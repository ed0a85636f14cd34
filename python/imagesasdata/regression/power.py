"""How large the standard errors would be with another number of labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ..errors import ArgumentInvalid, quoted
from ..findings import Findings, FindingsVerb
from ..intervals import check_whole
from .result import FROM_LABELS, Regression
from .sandwich import Floats
from .words import in_columns, in_words

FEWEST, POINTS = 50, 25


@FindingsVerb
def power_regress(
    result: Regression,
    n_labelled: Sequence[int] | None = None,
    terms: Sequence[str] | None = None,
    std_error: float | None = None,
) -> Findings:
    """Say how large the standard errors of a regression would be with another number of hand labels.

    Parameters
    ----------
    result : Regression
        From `regress`, with some labels; the more they are, the surer the answer.
    n_labelled : list of int, optional
        How many labels. By default 25 numbers from 50 up to all rows.
    terms : list of str, optional
        Which parameters; all by default.
    std_error : float, optional
        Which standard error is wanted: ``needed`` says how many labels give it.

    Returns
    -------
    Findings
        With the table ``metrics``: ``term``, ``n_labelled``, ``std_error``, and ``conf_low`` and ``conf_high``, where
        the interval would end if the estimate stayed as it is. With `std_error` also the table ``needed``: ``term``,
        ``std_error``, ``n_labelled`` (missing where labelling all rows would not do). Facts: ``nobs``, ``n_labelled``
        (those at hand), ``conf_level``. ``plot()`` draws the standard errors.

    Raises
    ------
    ArgumentInvalid
        A number of labels that cannot be, a term that there is not, or a result of ``method="naive"``, in which labels
        have no part.

    Notes
    -----
    The covariance has a part that labels add, which falls with their number, and a part of the rows, which stays
    (Egami, Hinck, Stewart and Wei 2024). The labels to come are taken to be drawn as those at hand were.

    Examples
    --------
    >>> import pandas as pd
    >>> from imagesasdata import regress
    >>> rng = np.random.default_rng(1)
    >>> protest = rng.integers(0, 2, 2000)
    >>> posts = pd.DataFrame({"likes": 1 + 2 * protest + rng.normal(size=2000), "prob": 0.1})
    >>> posts["seen"] = np.where(rng.random(2000) < 0.85, protest, 1 - protest)
    >>> posts["coded"] = np.where(rng.random(2000) < 0.1, protest, np.nan)
    >>> found = regress("likes ~ protest", posts, {"protest": "seen"}, {"protest": "coded"}, sampling_prob="prob")
    >>> bool(power_regress(found, terms="protest", std_error=0.06).needed["n_labelled"][0] > 200)
    True
    """
    if not isinstance(result, Regression):
        raise ArgumentInvalid(f"`result` is a {type(result).__name__}; give what regress() returned.")
    if result.kind != "regression":
        raise ArgumentInvalid(f"`result` has findings of the kind {result.kind}; give what regress() returned.")
    nobs, at_hand = int(result.facts["nobs"]), int(result.facts["n_labelled"])
    names = list(result.params.index)
    chosen = names if terms is None else [terms] if isinstance(terms, str) else [str(term) for term in terms]
    absent = [term for term in chosen if term not in names]
    if absent:
        raise ArgumentInvalid(f"`terms` names {quoted(absent)}; the model has {quoted(names, 30)}.")
    if std_error is not None and not std_error > 0:
        raise ArgumentInvalid(f"`std_error` is {std_error}; it must be above 0.")
    numbers = _grid(at_hand, nobs) if n_labelled is None else [check_whole("n_labelled", m) for m in n_labelled]
    for m in numbers:
        if not 2 <= m <= nobs:
            raise ArgumentInvalid(f"`n_labelled` is {m}; it must be from 2 to {nobs:,}, the number of rows.")
    whole, part = _parts(result)
    params = result.params.to_numpy()
    half = (result.conf_int()["conf_high"] - result.params).to_numpy() / result.bse.to_numpy()
    rows = []
    for j in map(names.index, chosen):
        for m in numbers:
            error = float(np.sqrt(max(whole[j] + (at_hand / m - 1) * part[j], 0.0)))
            low, high = params[j] - half[j] * error, params[j] + half[j] * error
            rows.append(dict(zip(COLUMNS, (names[j], m, error, low, high), strict=True)))
    metrics = pa.Table.from_pylist(rows, pa.schema(list(COLUMNS.items())))
    tables = {"metrics": metrics, "power": metrics}
    if std_error is not None:
        needed = [_needed(whole[j], part[j], at_hand, nobs, std_error) for j in map(names.index, chosen)]
        kinds = pa.schema([("term", pa.string()), ("std_error", pa.float64()), ("n_labelled", pa.int64())])
        columns = [chosen, [std_error] * len(chosen), needed]
        tables["needed"] = pa.table([pa.array(c, f.type) for c, f in zip(columns, kinds, strict=True)], schema=kinds)
    facts = {"nobs": nobs, "n_labelled": at_hand, "conf_level": result.facts["conf_level"]}
    return Findings("power", facts, tables, tuple(_lines(chosen, tables, facts)))


COLUMNS = {
    "term": pa.string(),
    "n_labelled": pa.int64(),
    "std_error": pa.float64(),
    "conf_low": pa.float64(),
    "conf_high": pa.float64(),
}


def _grid(at_hand: int, nobs: int) -> list[int]:
    spread = np.geomspace(min(FEWEST, at_hand), nobs, POINTS)
    return sorted({*np.round(spread).astype(int).tolist(), at_hand})


def _needed(whole: float, part: float, at_hand: int, nobs: int, std_error: float) -> int | None:
    """Return how many labels give a standard error; None where labelling all rows would not do."""
    left = std_error**2 - (whole - part)
    if left <= 0:
        return None
    m = max(2, int(np.ceil(at_hand * part / left)))
    return m if m <= nobs else None


def _parts(result: Regression) -> tuple[Floats, Floats]:
    """Return the variance of each parameter, and the part of it that labels add."""
    part = result.covariance_of(FROM_LABELS)
    if part is None:
        raise ArgumentInvalid('The result has method="naive", in which labels have no part. Use method="dsl".')
    return np.diag(result.cov_params().to_numpy()), np.diag(part)


def _lines(chosen: list[str], tables: dict[str, pa.Table], facts: dict[str, int]) -> list[str]:
    rows = tables["metrics"].to_pylist()
    at_hand = facts["n_labelled"]
    numbers = sorted({row["n_labelled"] for row in rows})
    later = [m for m in numbers if m >= at_hand] or numbers
    shown = sorted({later[round(i)] for i in np.linspace(0, len(later) - 1, 6)})
    lines = [f"Standard errors by number of hand labels ({at_hand:,} at hand, {facts['nobs']:,} rows)"]
    table = [["term", *(f"{m:,}" for m in shown)]]
    for term in chosen:
        errors = {row["n_labelled"]: row["std_error"] for row in rows if row["term"] == term}
        table.append([term, *in_words([errors[m] for m in shown], list(errors.values()))])
    lines += in_columns(table)
    for row in tables["needed"].to_pylist() if "needed" in tables else []:
        m = row["n_labelled"]
        said = "is out of reach, even with labels for all rows" if m is None else f"needs {m:,} labels"
        lines.append(f"{row['term']}: a standard error of {row['std_error']:g} {said}")
    return lines
