"""Solve the equations of an estimate: weighted scores that sum to 0, where a weight may be below 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import qr

from ..errors import ColumnsCollinear, NoOverdispersion, NotConverged, SeparationFound, quoted
from .families import LEAST_ALPHA, Family

Floats = npt.NDArray[np.float64]
MOST_STEPS = 60
MOST_HALVINGS = 30
CLOSE = 1e-10  # the last step, in units of a parameter's own size
COLLINEAR = 1e-9  # what is left of a column once the others are taken out, as a share of it
FAR = 12.0  # standard deviations of a covariate times its coefficient: odds of more than 100,000 to 1


def check_columns(x: Floats, names: Sequence[str]) -> None:
    """Raise `ColumnsCollinear` where columns are a combination of others, and name them."""
    found = collinear(x)
    if found:
        named = [names[j] for j in found]
        raise ColumnsCollinear(
            f"The column(s) {quoted(named)} of the model are a combination of other columns, or the same everywhere. "
            "Leave them out of the formula, or put categories together."
        )


def collinear(x: Floats) -> list[int]:
    """Return the columns that are a combination of the columns before them."""
    if not x.shape[0]:
        return list(range(x.shape[1]))
    size = np.sqrt((x**2).sum(axis=0))
    if (size > 0).all():
        scaled = x / size
        factor = qr(scaled, mode="r", pivoting=True)[0]
        if len(factor) >= x.shape[1] and np.abs(np.diag(factor)[: x.shape[1]]).min() > COLLINEAR:
            return []
    kept: list[int] = []
    lost: list[int] = []
    basis = np.zeros((x.shape[0], 0))
    for j in range(x.shape[1]):
        if size[j] == 0:
            lost.append(j)
            continue
        rest = x[:, j] / size[j]
        for _ in range(2):  # twice is enough (Giraud, Langou and Rozloznik 2005)
            rest = rest - basis @ (basis.T @ rest)
        left = float(np.sqrt(rest @ rest))
        if left <= COLLINEAR:
            lost.append(j)
        else:
            kept.append(j)
            basis = np.column_stack([basis, rest / left])
    return lost


def solve(
    family: Family,
    y: Floats,
    x: Floats,
    weights: Floats,
    names: Sequence[str],
    start: Floats | None = None,
) -> Floats:
    """Return the parameters at which the weighted scores sum to 0, by Newton's method.

    A step is halved until it brings the equations nearer to 0, as measured by the step that they would ask for next
    (the natural monotonicity test; Deuflhard 2011). That does not depend on the units of the covariates.

    Parameters
    ----------
    family : Family
        Whose scores.
    y, x : numpy.ndarray
        ``[n]`` and ``[n, k]``.
    weights : numpy.ndarray
        ``[n]``; they may be below 0.
    names : list of str
        Of the columns of `x`, for messages.
    start : numpy.ndarray, optional
        Parameters to start from.

    Raises
    ------
    ColumnsCollinear, SeparationFound, NoOverdispersion, NotConverged
        Why there is no solution.
    """
    # Columns of size 1 keep the equations well conditioned; the parameters are brought back at the end.
    size = np.sqrt((x**2).mean(axis=0))
    size = np.where(size > 0, size, 1.0)
    units = np.append(size, np.ones(len(family.extra)))
    scaled = x / size
    theta = family.start(y, scaled, weights) if start is None else start * units
    total = float(np.abs(weights).sum()) or 1.0
    w = weights / total

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(MOST_STEPS):
            inverse = _inverted(family.information(theta, y, scaled, w))
            if inverse is None:
                break
            step = inverse @ family.equations(theta, y, scaled, w)
            length = float(np.sqrt(step @ step))
            if not np.isfinite(length):
                break
            if length <= CLOSE * (1 + float(np.sqrt(theta @ theta))) and family.allowed(theta + step):
                return np.asarray((theta + step) / units, float)
            moved = _halved(family, theta, step, length, inverse, y, scaled, w)
            if moved is None:
                break
            theta = moved
    raise _why(family, theta, y, scaled, w, names)


def _inverted(information: Floats) -> Floats | None:
    try:
        inverse = np.asarray(np.linalg.inv(information), float)
    except np.linalg.LinAlgError:
        return None
    return inverse if np.isfinite(inverse).all() else None


def _halved(
    family: Family, theta: Floats, step: Floats, length: float, inverse: Floats, y: Floats, x: Floats, w: Floats
) -> Floats | None:
    part = 1.0
    for _ in range(MOST_HALVINGS):
        new = theta + part * step
        if family.allowed(new):
            left = inverse @ family.equations(new, y, x, w)
            size = float(np.sqrt(left @ left))
            if np.isfinite(size) and size <= (1 - part / 4) * length:
                return np.asarray(new, float)
        part /= 2
    return None


def _why(family: Family, theta: Floats, y: Floats, x: Floats, w: Floats, names: Sequence[str]) -> Exception:
    """Return the error that says why there is no solution."""
    lost = collinear(x)
    if lost:
        return ColumnsCollinear(
            f"The column(s) {quoted([names[j] for j in lost])} of the model are a combination of other columns, or the "
            "same everywhere. Leave them out of the formula, or put categories together."
        )
    if family.extra and (theta[-1] < 100 * LEAST_ALPHA or _as_poisson(theta, y, x, w)):
        return NoOverdispersion(
            "These counts vary no more than a Poisson model says, and a negative binomial one has no estimate. "
            'Use family="poisson".'
        )
    k = x.shape[1]
    spread = np.abs(theta[:k]) * np.where(np.ptp(x, axis=0) > 0, np.ptp(x, axis=0), 0)
    if family.name != "gaussian" and (not np.isfinite(spread).all() or spread.max(initial=0) > FAR):
        worst = int(np.argmax(np.where(np.isfinite(spread), spread, np.inf)))
        return SeparationFound(
            f"The coefficient of {names[worst]} has no finite value: it tells the outcome without fail, or almost, in "
            "the rows at hand. Label more rows, put categories together, or leave it out."
        )
    return NotConverged(
        "The equations of the estimate were not solved. There may be too few labels for so many coefficients: label "
        "more rows, or use a smaller model."
    )


def _as_poisson(theta: Floats, y: Floats, x: Floats, w: Floats) -> bool:
    """Say whether the outcomes vary less around their means than these means do by chance."""
    mu = np.exp(x @ theta[:-1])
    return not float(w @ ((y - mu) ** 2 - y)) > 0
