"""Prediction-powered inference with power tuning: an outcome that was predicted, and labelled in a random sample.

With the mean loss ``L`` of the labelled rows, ``L_f`` of the same rows with predictions, and ``U_f`` of the rows that
were not labelled, the estimate is where ``L + lambda (U_f - L_f)`` is least; ``lambda`` from 0 (the labels alone) to 1
is the one that makes the summed variance of the coefficients least (PPI++: Angelopoulos, Duchi and Zrnic 2023). The
linear model takes the sum of two regressions, as the authors' own program does: predictions times ``lambda`` on the
rows without labels, and what the labels differ from that on those with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .families import GAUSSIAN, Family
from .sandwich import Floats
from .solve import check_columns, solve


@dataclass(frozen=True)
class Powered:
    """Coefficients, their covariance, its part that falls with the number of labels, and how much predictions count.

    The predictions of the other rows less those of the labelled rows are ``(n + N) / N`` times those of all rows less
    those of the labelled rows. With ``mu = lambda (n + N) / N`` the part is the variance of a label less ``mu`` times
    its prediction, and the best ``mu`` is the same for any number of labels.
    """

    theta: Floats
    cov: Floats
    from_labels: Floats
    power: float


@dataclass(frozen=True)
class Halves:
    """Rows with labels and rows without: covariates, labels, predictions, and weights with a mean of 1 in each."""

    x: Floats
    y: Floats
    predicted: Floats
    weights: Floats
    x_rest: Floats
    predicted_rest: Floats
    weights_rest: Floats


def mean(y: Floats, predicted: Floats, predicted_rest: Floats, power: float | None = None) -> Powered:
    """Return the mean of an outcome, or the share where it is 0 or 1.

    Parameters
    ----------
    y, predicted : numpy.ndarray
        ``[n]``: labels and predictions of the labelled rows.
    predicted_rest : numpy.ndarray
        ``[N]``: predictions of the other rows.
    power : float, optional
        0 to 1, instead of the best one.

    Examples
    --------
    >>> found = mean(np.array([1.0, 0, 1, 1]), np.array([1.0, 0, 1, 0]), np.array([1.0, 0, 0, 0, 1, 1, 0, 1]))
    >>> round(float(found.theta[0]), 3), round(found.power, 3)
    (0.75, 0.306)
    """
    n, rest = len(y), len(predicted_rest)
    if power is None:
        together = np.cov(y, predicted, ddof=0)[0, 1]
        spread = (1 + n / rest) * float(np.var(np.append(predicted, predicted_rest), ddof=1))
        power = float(np.clip(together / spread, 0, 1)) if spread > 0 else 0.0
    theta = power * predicted_rest.mean() + (y - power * predicted).mean()
    variance = np.var(power * predicted_rest) / rest + np.var(y - power * predicted) / n
    drawn = np.var(y - power * (n + rest) / rest * predicted) / n
    return Powered(np.array([theta]), np.array([[variance]]), np.array([[drawn]]), power)


def regression(family: Family, halves: Halves, names: Sequence[str], power: float | None = None) -> Powered:
    """Return a linear, logistic or Poisson model of an outcome that was predicted.

    Parameters
    ----------
    family : Family
        One without parameters besides the coefficients.
    halves : Halves
        The rows.
    names : list of str
        Of the covariates.
    power : float, optional
        0 to 1, instead of the best one.

    Raises
    ------
    ColumnsCollinear, SeparationFound, NotConverged
        There is no estimate.
    """
    check_columns(halves.x, names)
    if power is None:
        first = _best_power(family, halves, _coefficients(family, halves, 1.0, names))
        power = _best_power(family, halves, _coefficients(family, halves, first, names))
    theta = _coefficients(family, halves, power, names)
    inverse = _inverse(family, halves, theta, power)
    of_labels, of_predicted, of_rest = _scores(family, halves, theta)
    n, rest = len(halves.y), len(halves.x_rest)
    meat = np.atleast_2d(np.cov(of_labels.T - power * of_predicted.T)) / n
    if power > 0:
        meat = meat + np.atleast_2d(np.cov(power * of_rest.T)) / rest
    drawn = np.atleast_2d(np.cov(of_labels.T - power * (n + rest) / rest * of_predicted.T)) / n
    cov, part = (np.asarray(inverse @ middle @ inverse, float) for middle in (meat, drawn))
    return Powered(theta, cov, part, power)


def _coefficients(family: Family, halves: Halves, power: float, names: Sequence[str]) -> Floats:
    if family is GAUSSIAN:
        of_rest = solve(GAUSSIAN, power * halves.predicted_rest, halves.x_rest, halves.weights_rest, names)
        return of_rest + solve(GAUSSIAN, halves.y - power * halves.predicted, halves.x, halves.weights, names)
    n, rest = len(halves.y), len(halves.x_rest)
    labels = halves.weights / n
    start = solve(family, halves.y, halves.x, labels, names)
    if power == 0:
        return start
    y = np.concatenate([halves.y, halves.predicted, halves.predicted_rest])
    x = np.vstack([halves.x, halves.x, halves.x_rest])
    weights = np.concatenate([labels, -power * labels, power * halves.weights_rest / rest])
    return solve(family, y, x, weights, names, start)


def _scores(family: Family, halves: Halves, theta: Floats) -> tuple[Floats, Floats, Floats]:
    return (
        family.scores(theta, halves.y, halves.x) * halves.weights[:, None],
        family.scores(theta, halves.predicted, halves.x) * halves.weights[:, None],
        family.scores(theta, halves.predicted_rest, halves.x_rest) * halves.weights_rest[:, None],
    )


def _inverse(family: Family, halves: Halves, theta: Floats, power: float) -> Floats:
    """Return the inverse of the mean information, from all rows unless the predictions count nothing."""
    information = family.information(theta, halves.y, halves.x, halves.weights)
    n = len(halves.y)
    if power > 0:
        information = information + family.information(theta, halves.predicted_rest, halves.x_rest, halves.weights_rest)
        n += len(halves.x_rest)
    return np.asarray(np.linalg.inv(information / n), float)


def _best_power(family: Family, halves: Halves, theta: Floats) -> float:
    inverse = _inverse(family, halves, theta, 1.0)
    of_labels, of_predicted, of_rest = _scores(family, halves, theta)
    n, rest = len(of_labels), len(of_rest)
    together = (of_labels - of_labels.mean(axis=0)).T @ (of_predicted - of_predicted.mean(axis=0)) / n
    spread = np.atleast_2d(np.cov(np.vstack([of_predicted, of_rest]).T))
    above = float(np.trace(inverse @ (together + together.T) @ inverse))
    below = 2 * (1 + n / rest) * float(np.trace(inverse @ spread @ inverse))
    return float(np.clip(above / below, 0, 1)) if below > 0 else 0.0
