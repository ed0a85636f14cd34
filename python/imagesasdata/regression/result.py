"""What a regression found: coefficients, their covariance, and the same from predictions and from labels alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import norm

from ..intervals import check_level
from .sandwich import Floats

TITLES = {"naive": "predictions", "labels": "hand labels", "corrected": "corrected"}


@dataclass(frozen=True)
class Regression:
    """A fitted model.

    Attributes
    ----------
    names : tuple of str
        Of the parameters; ``alpha`` is the last one of a negative binomial model.
    estimates : dict
        ``"naive"`` (predictions taken for labels), ``"labels"`` (the labelled rows alone), ``"corrected"``: each
        parameters and covariance, or None where there is no such estimate.
    chosen : {"naive", "labels", "corrected"}
        The one that `params` and `bse` give.
    family, method : str
        As asked for.
    nobs, n_labelled : int
        Rows used, and how many of them were labelled.
    accuracy : pyarrow.Table
        ``variable``, ``metric`` ("accuracy", or "correlation" of a number), ``estimate``, ``n``: predictions beside
        labels.
    conf_level : float
        Of the intervals.
    notes : tuple of str
        What the user should know.
    from_labels : numpy.ndarray, optional
        ``[p, p]``: the part of the covariance that falls with the number of labels.
    """

    names: tuple[str, ...]
    estimates: Mapping[str, tuple[Floats, Floats] | None]
    chosen: str
    family: str
    method: str
    nobs: int
    n_labelled: int
    accuracy: pa.Table
    conf_level: float = 0.95
    notes: tuple[str, ...] = ()
    from_labels: Floats | None = None

    @property
    def params(self) -> pd.Series[float]:
        """The parameters."""
        return pd.Series(self._own()[0], index=list(self.names))

    @property
    def bse(self) -> pd.Series[float]:
        """The standard errors of the parameters."""
        return pd.Series(np.sqrt(np.diag(self._own()[1])), index=list(self.names))

    @property
    def pvalues(self) -> pd.Series[float]:
        """The probability of estimates so far from 0 if the parameters were 0, from the normal distribution."""
        return pd.Series(2 * norm.sf(np.abs(self.params / self.bse)), index=list(self.names))

    def cov_params(self) -> pd.DataFrame:
        """Return the covariance of the parameters."""
        return pd.DataFrame(self._own()[1], index=list(self.names), columns=list(self.names))

    def conf_int(self, conf_level: float | None = None) -> pd.DataFrame:
        """Return the intervals, with the columns ``conf_low`` and ``conf_high``."""
        level = self.conf_level if conf_level is None else conf_level
        check_level(level)
        half = norm.ppf(0.5 + level / 2) * self.bse
        return pd.DataFrame({"conf_low": self.params - half, "conf_high": self.params + half})

    def table(self) -> pa.Table:
        """Return the three estimates side by side.

        Returns
        -------
        pyarrow.Table
            ``term``, then ``<which>_estimate``, ``<which>_std_error``, ``<which>_conf_low``, ``<which>_conf_high`` for
            naive, labels and corrected; missing where there is no such estimate.
        """
        z = float(norm.ppf(0.5 + self.conf_level / 2))
        columns: dict[str, pa.Array] = {"term": pa.array(self.names, pa.string())}
        for which in TITLES:
            found = self.estimates.get(which)
            theta, se = (None, None) if found is None else (found[0], np.sqrt(np.diag(found[1])))
            parts = {"estimate": 0.0, "std_error": None, "conf_low": -z, "conf_high": z}
            for part, times in parts.items():
                if theta is None or se is None:
                    columns[f"{which}_{part}"] = pa.nulls(len(self.names), pa.float64())
                else:
                    columns[f"{which}_{part}"] = pa.array(se if times is None else theta + times * se, pa.float64())
        return pa.table(columns)

    def summary(self) -> str:
        """Return the three estimates side by side, with standard errors in brackets, and what is known of the data."""
        wide = max(len("term"), *(len(name) for name in self.names)) + 2
        lines = [f"Regression ({self.family}, method {self.method}): {self.nobs:,} rows, {self.n_labelled:,} labelled"]
        lines.append("term".ljust(wide) + "".join(title.rjust(20) for title in TITLES.values()))
        for row in self.table().to_pylist():
            cells = [_cell(row[f"{which}_estimate"], row[f"{which}_std_error"]) for which in TITLES]
            lines.append(row["term"].ljust(wide) + "".join(cell.rjust(20) for cell in cells))
        for row in self.accuracy.to_pylist():
            value = "-" if row["estimate"] is None else f"{row['estimate']:.3f}"
            lines.append(f"{row['metric']} of {row['variable']}: {value} on {row['n']:,} labelled rows")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        return self.summary()

    def _own(self) -> tuple[Floats, Floats]:
        found = self.estimates[self.chosen]
        assert found is not None
        return found


def _cell(estimate: float | None, error: float | None) -> str:
    return "-" if estimate is None or error is None else f"{estimate:.3f} ({error:.3f})"
