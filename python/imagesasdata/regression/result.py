"""What a regression found: coefficients, their covariance, and the same from predictions and from labels alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import norm

from ..findings import Findings
from ..intervals import check_level
from .sandwich import Floats
from .words import in_columns, in_words

TITLES = {"naive": "predictions", "labels": "hand labels", "corrected": "corrected"}
FROM_LABELS = "from_labels"
COV = "cov_"  # so that a covariate named "term" or "n_images" is no other column and no count
Pair = tuple[Floats, Floats]


@dataclass(frozen=True, repr=False)
class Regression(Findings):
    """A fitted model: findings with the methods that statsmodels' results have.

    Its tables, each an attribute as pandas:

    * ``metrics``: ``term``, ``estimate``, ``std_error``, ``statistic``, ``p_value``, ``conf_low``, ``conf_high`` of the
      method that was asked for.
    * ``estimates``: ``term``, then ``<which>_estimate``, ``<which>_std_error``, ``<which>_conf_low`` and
      ``<which>_conf_high`` of ``naive`` (predictions taken for labels), ``labels`` (the labelled rows alone) and
      ``corrected``; missing where there is no such estimate.
    * ``covariance``: ``which`` (these three, and ``from_labels``: the part of the covariance that falls with the number
      of labels), ``term``, then a column ``cov_<term>`` for each term.
    * ``accuracy``: ``variable``, ``metric`` ("accuracy", or "correlation" of a number), ``estimate``, ``n``:
      predictions beside labels.

    Facts: ``family``, ``method``, ``chosen`` ("naive", "labels" or "corrected": the estimate that ``params`` gives),
    ``nobs`` (rows used), ``n_labelled``, ``n_clusters`` (missing without them), ``conf_level``.
    """

    @property
    def params(self) -> pd.Series[float]:
        """The parameters; ``alpha`` is the last one of a negative binomial model."""
        return self._column("estimate")

    @property
    def bse(self) -> pd.Series[float]:
        """The standard errors of the parameters."""
        return self._column("std_error")

    @property
    def pvalues(self) -> pd.Series[float]:
        """The probability of estimates so far from 0 if the parameters were 0, from the normal distribution."""
        return self._column("p_value")

    @property
    def tvalues(self) -> pd.Series[float]:
        """The parameters by their standard errors."""
        return self._column("statistic")

    def cov_params(self) -> pd.DataFrame:
        """Return the covariance of the parameters."""
        found = self.covariance_of(self.facts["chosen"])
        assert found is not None
        return pd.DataFrame(found, index=self._terms(), columns=self._terms())

    def conf_int(self, alpha: float | None = None) -> pd.DataFrame:
        """Return the intervals, with the columns ``conf_low`` and ``conf_high``.

        Parameters
        ----------
        alpha : float, optional
            1 less the level, as in statsmodels: 0.05 for intervals of 95 percent. By default they have the level that
            the regression was given.
        """
        half = _z(self.facts["conf_level"] if alpha is None else 1 - check_level(alpha, "alpha", 0.05)) * self.bse
        return pd.DataFrame({"conf_low": self.params - half, "conf_high": self.params + half})

    def summary(self) -> str:
        """Return what is printed: the three estimates side by side, standard errors in brackets, accuracy, notes."""
        return repr(self)

    def covariance_of(self, which: str) -> Floats | None:
        """Return ``[p, p]``, a covariance by the name that it has in the table; None where there is none."""
        table = self.tables["covariance"].to_pandas()
        rows = table[table["which"] == which]
        return rows[[COV + term for term in self._terms()]].to_numpy(float) if len(rows) else None

    def estimate_of(self, which: str) -> Pair | None:
        """Return parameters ``[p]`` and covariance ``[p, p]`` of one of the three estimates, or None."""
        cov = self.covariance_of(which)
        return None if cov is None else (self.tables["estimates"][f"{which}_estimate"].to_numpy(), cov)

    def _terms(self) -> list[str]:
        return list(self.tables["metrics"]["term"].to_pylist())

    def _column(self, name: str) -> pd.Series[float]:
        return pd.Series(self.tables["metrics"][name].to_numpy(), index=self._terms())


def regression_of(
    names: Sequence[str],
    estimates: Mapping[str, Pair | None],
    chosen: str,
    family: str,
    method: str,
    nobs: int,
    n_labelled: int,
    n_clusters: int | None,
    accuracy: pa.Table,
    conf_level: float,
    notes: Sequence[str],
    from_labels: Floats | None,
) -> Regression:
    """Return a result of its numbers.

    Parameters
    ----------
    names : sequence of str
        Of the parameters.
    estimates : dict
        By name: parameters ``[p]`` and covariance ``[p, p]``, or None.
    chosen : str
        Which of them was asked for; that one is there.
    family, method, nobs, n_labelled, n_clusters, accuracy, conf_level, notes
        As in `Regression`.
    from_labels : numpy.ndarray, optional
        ``[p, p]``: the part of the covariance that falls with the number of labels.
    """
    own = estimates[chosen]
    assert own is not None
    covariances = {which: None if found is None else found[1] for which, found in estimates.items()}
    side_by_side = _side_by_side(names, estimates, conf_level)
    tables = {
        "metrics": _metrics(names, own, conf_level),
        "estimates": side_by_side,
        "covariance": _covariances(names, {**covariances, FROM_LABELS: from_labels}),
        "accuracy": accuracy,
    }
    facts = {
        "family": family,
        "method": method,
        "chosen": chosen,
        "nobs": nobs,
        "n_labelled": n_labelled,
        "n_clusters": n_clusters,
        "conf_level": conf_level,
    }
    clusters = "" if n_clusters is None else f", {n_clusters:,} clusters"
    head = f"Regression ({family}, method {method}): {nobs:,} rows, {n_labelled:,} labelled{clusters}"
    return Regression("regression", facts, tables, (head, *_lines(side_by_side, accuracy)), tuple(notes))


def _z(conf_level: float) -> float:
    return float(norm.ppf(0.5 + conf_level / 2))


def _metrics(names: Sequence[str], found: Pair, conf_level: float) -> pa.Table:
    theta, se = found[0], np.sqrt(np.diag(found[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = theta / se
    return pa.table(
        {
            "term": pa.array(names, pa.string()),
            "estimate": theta,
            "std_error": se,
            "statistic": statistic,
            "p_value": 2 * norm.sf(np.abs(statistic)),
            "conf_low": theta - _z(conf_level) * se,
            "conf_high": theta + _z(conf_level) * se,
        }
    )


def _side_by_side(names: Sequence[str], estimates: Mapping[str, Pair | None], conf_level: float) -> pa.Table:
    columns: dict[str, pa.Array] = {"term": pa.array(names, pa.string())}
    for which in TITLES:
        found = estimates.get(which)
        one = None if found is None else _metrics(names, found, conf_level)
        for part in ("estimate", "std_error", "conf_low", "conf_high"):
            columns[f"{which}_{part}"] = pa.nulls(len(names), pa.float64()) if one is None else one[part]
    return pa.table(columns)


def _covariances(names: Sequence[str], covariances: Mapping[str, Floats | None]) -> pa.Table:
    there = {which: cov for which, cov in covariances.items() if cov is not None}
    columns: dict[str, pa.Array] = {
        "which": pa.array([which for which in there for _ in names], pa.string()),
        "term": pa.array([name for _ in there for name in names], pa.string()),
    }
    stacked = np.vstack(list(there.values()))
    return pa.table({**columns, **{COV + name: stacked[:, j] for j, name in enumerate(names)}})


def _lines(table: pa.Table, accuracy: pa.Table) -> list[str]:
    rows = [["term", *TITLES.values()]]
    for row in table.to_pylist():
        errors = [row[f"{which}_std_error"] for which in TITLES]
        texts = in_words([*(row[f"{which}_estimate"] for which in TITLES), *errors], errors)
        pairs = zip(texts[: len(TITLES)], texts[len(TITLES) :], strict=True)
        rows.append([row["term"], *("-" if estimate == "-" else f"{estimate} ({error})" for estimate, error in pairs)])
    lines = in_columns(rows)
    for row in accuracy.to_pylist():
        value = "-" if row["estimate"] is None else f"{row['estimate']:.3f}"
        lines.append(f"{row['metric']} of {row['variable']}: {value} on {row['n']:,} labelled rows")
    return lines
