"""How large the standard errors would be with another number of labels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import ArgumentInvalid
from .result import Regression
from .sandwich import Floats


def errors_with(result: Regression, labels: list[int]) -> pd.DataFrame:
    """Return the standard error of each parameter with so many labels, drawn as those at hand were.

    The covariance has a part that labels add, which falls with their number, and a part of the rows, which stays
    (Egami, Hinck, Stewart and Wei 2024).

    Returns
    -------
    pandas.DataFrame
        One row for each number of labels: ``n_labelled``, then a column for each parameter.
    """
    whole, part = _parts(result)
    for m in labels:
        if not 2 <= m <= result.nobs:
            raise ArgumentInvalid(f"`n_labelled` is {m}; it must be from 2 to {result.nobs:,}, the number of rows.")
    variances = [np.clip(whole + (result.n_labelled / m - 1) * part, 0, None) for m in labels]
    frame = pd.DataFrame(np.sqrt(variances), columns=list(result.names))
    frame.insert(0, "n_labelled", labels)
    return frame


def labels_for(result: Regression, term: str, std_error: float) -> int | None:
    """Return how many labels give a parameter this standard error; None where labelling all rows would not do."""
    if term not in result.names:
        raise ArgumentInvalid(f'`term` is "{term}"; the model has {", ".join(result.names)}.')
    if not std_error > 0:
        raise ArgumentInvalid(f"`std_error` is {std_error}; it must be above 0.")
    j = result.names.index(term)
    whole, part = (float(values[j]) for values in _parts(result))
    left = std_error**2 - (whole - part)
    if left <= 0:
        return None
    m = max(2, int(np.ceil(result.n_labelled * part / left)))
    return m if m <= result.nobs else None


def _parts(result: Regression) -> tuple[Floats, Floats]:
    """Return the variance of each parameter, and the part of it that labels add."""
    if result.from_labels is None:
        raise ArgumentInvalid('The result has method="naive", in which labels have no part. Use method="dsl".')
    return np.diag(result.cov_params().to_numpy()), np.diag(result.from_labels)
