"""Four families of models: the score of a row, its derivative, and values to start from.

With the linear predictor ``eta = X b``, the log likelihood of a row and its derivative, the score ``psi``:

========== ================== =============================== ============================================
family     mean ``mu``        score for ``b``                 minus its derivative
========== ================== =============================== ============================================
gaussian   ``eta``            ``x (y - mu)``                  ``x x'``
binomial   ``1/(1+exp(-eta))``  ``x (y - mu)``                ``x x' mu (1 - mu)``
poisson    ``exp(eta)``       ``x (y - mu)``                  ``x x' mu``
negbin     ``exp(eta)``       ``x (y - mu) / (1 + alpha mu)``  ``x x' mu (1 + alpha y) / (1 + alpha mu)^2``
========== ================== =============================== ============================================

The negative binomial is NB2, with variance ``mu + alpha mu^2`` (Cameron and Trivedi 2013); ``alpha`` is
the last parameter, and MASS calls its inverse theta. With ``a = 1 / alpha`` and the digamma function ``F`` the score
for it is ``-a^2 (F(y + a) - F(a) + log(a / (a + mu)) + 1 - (y + a) / (a + mu))``. All scores hold for an outcome that
is not whole, as an expected label is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, expit, polygamma

from ..errors import OutcomeInvalid, choose

Floats = npt.NDArray[np.float64]
FAMILIES = ("gaussian", "binomial", "poisson", "negbin")
LEAST_ALPHA = 1e-5  # below, digamma's differences are rounding


class Family(Protocol):
    """A family whose score can be written."""

    @property
    def name(self) -> str: ...

    @property
    def extra(self) -> tuple[str, ...]: ...  # names of the parameters after the coefficients

    def allowed(self, theta: Floats) -> bool: ...

    def scores(self, theta: Floats, y: Floats, x: Floats) -> Floats: ...

    def equations(self, theta: Floats, y: Floats, x: Floats, weights: Floats) -> Floats: ...

    def information(self, theta: Floats, y: Floats, x: Floats, weights: Floats) -> Floats: ...

    def start(self, y: Floats, x: Floats, weights: Floats) -> Floats: ...

    def check(self, y: Floats) -> None: ...


@dataclass(frozen=True)
class OneParameter:
    """A family with its natural link: the score is ``x (y - mu)``."""

    name: str
    extra: tuple[str, ...] = ()

    def mean(self, eta: Floats) -> Floats:
        """Return the mean of the outcome."""
        if self.name == "gaussian":
            return eta
        return np.asarray(expit(eta) if self.name == "binomial" else np.exp(eta), float)

    def allowed(self, theta: Floats) -> bool:
        """Say whether these parameters can be."""
        return bool(np.isfinite(theta).all())

    def scores(self, theta: Floats, y: Floats, x: Floats) -> Floats:
        """Return ``[n, p]``, the score of each row."""
        return np.asarray(x * (y - self.mean(x @ theta))[:, None], float)

    def equations(self, theta: Floats, y: Floats, x: Floats, weights: Floats) -> Floats:
        """Return ``[p]``, the weighted sum of the scores."""
        return np.asarray(x.T @ (weights * (y - self.mean(x @ theta))), float)

    def information(self, theta: Floats, y: Floats, x: Floats, weights: Floats) -> Floats:
        """Return ``[p, p]``, minus the derivative of the weighted sum of the scores."""
        if self.name != "gaussian":
            mu = self.mean(x @ theta)
            weights = weights * (mu * (1 - mu) if self.name == "binomial" else mu)
        return np.asarray(x.T @ (x * weights[:, None]), float)

    def start(self, y: Floats, x: Floats, weights: Floats) -> Floats:
        """Return coefficients to start from: one step of weighted least squares from means near the outcomes."""
        if self.name == "gaussian" or not len(y):
            return np.zeros(x.shape[1])
        weights = np.abs(weights)
        middle = float((weights * y).sum() / weights.sum())
        mu = (y + middle) / 2 if self.name == "poisson" else (y + 0.5) / 2
        mu = np.clip(mu, 1e-3, None) if self.name == "poisson" else np.clip(mu, 0.05, 0.95)
        slope = mu if self.name == "poisson" else mu * (1 - mu)
        eta = np.log(mu) if self.name == "poisson" else np.log(mu / (1 - mu))
        square = x.T @ (x * (weights * slope)[:, None])
        return np.asarray(np.linalg.pinv(square, hermitian=True) @ (x.T @ (weights * slope * (eta + (y - mu) / slope))))

    def check(self, y: Floats) -> None:
        """Raise `OutcomeInvalid` where the outcome cannot be of this family."""
        if self.name == "binomial":
            _refuse(y, (y != 0) & (y != 1), "binomial", "0 or 1")
        if self.name == "poisson":
            _refuse(y, y < 0, "poisson", "0 or more")
        if len(y) and np.ptp(y) == 0:
            raise OutcomeInvalid(
                f"All {len(y):,} outcomes are {y[0]:g}; a model of what never varies cannot be estimated. "
                "Label more rows, or look at how the outcome was made."
            )


@dataclass(frozen=True)
class NegativeBinomial:
    """Counts whose variance is ``mu + alpha mu^2``; the last parameter is ``alpha``."""

    name: str = "negbin"
    extra: tuple[str, ...] = ("alpha",)

    def allowed(self, theta: Floats) -> bool:
        """Say whether these parameters can be."""
        return bool(np.isfinite(theta).all() and theta[-1] > LEAST_ALPHA / 2)

    def scores(self, theta: Floats, y: Floats, x: Floats) -> Floats:
        """Return ``[n, p]``, the score of each row."""
        first, last = self._parts(theta, y, x)
        return np.column_stack([x * first[:, None], last])

    def equations(self, theta: Floats, y: Floats, x: Floats, weights: Floats) -> Floats:
        """Return ``[p]``, the weighted sum of the scores."""
        first, last = self._parts(theta, y, x)
        return np.append(x.T @ (weights * first), weights @ last)

    def _parts(self, theta: Floats, y: Floats, x: Floats) -> tuple[Floats, Floats]:
        alpha, mu = theta[-1], np.exp(x @ theta[:-1])
        return (y - mu) / (1 + alpha * mu), -(alpha**-2.0) * self._by_inverse(1 / alpha, mu, y)

    @staticmethod
    def _by_inverse(a: float, mu: Floats, y: Floats) -> Floats:
        known = digamma(y + a) - digamma(a) - np.log1p(mu / a) + 1 - (y + a) / (a + mu)
        return np.asarray(known, float)

    def information(self, theta: Floats, y: Floats, x: Floats, weights: Floats) -> Floats:
        """Return ``[p, p]``, minus the derivative of the weighted sum of the scores."""
        alpha, mu = theta[-1], np.exp(x @ theta[:-1])
        a = 1 / alpha
        both = x.T @ (x * (weights * mu * (1 + alpha * y) / (1 + alpha * mu) ** 2)[:, None])
        cross = x.T @ (weights * mu * (y - mu) / (1 + alpha * mu) ** 2)
        twice = _trigamma(y, a) - polygamma(1, a) + 1 / a - 1 / (a + mu) - (mu - y) / (a + mu) ** 2
        last = -float(weights @ (a**4 * twice + 2 * a**3 * self._by_inverse(a, mu, y)))
        return np.block([[both, cross[:, None]], [cross[None, :], np.array([[last]])]])

    def start(self, y: Floats, x: Floats, weights: Floats) -> Floats:
        """Return parameters to start from: Poisson's step, and ``alpha`` by its moments."""
        first = POISSON.start(y, x, weights)
        mu = np.exp(np.clip(x @ first, -30, 30))
        weights = np.abs(weights)
        alpha = float((weights * ((y - mu) ** 2 - mu)).sum() / (weights * mu**2).sum())
        return np.append(first, np.clip(alpha, 0.1, 5.0))

    def check(self, y: Floats) -> None:
        """Raise `OutcomeInvalid` where the outcome cannot be of this family."""
        _refuse(y, y < 0, "negbin", "0 or more")
        if len(y) and np.ptp(y) == 0:
            POISSON.check(y)


GAUSSIAN, BINOMIAL, POISSON = OneParameter("gaussian"), OneParameter("binomial"), OneParameter("poisson")
NEGBIN = NegativeBinomial()


def family_of(name: str) -> Family:
    """Return the family of a name."""
    choose("family", name, FAMILIES)
    known: dict[str, Family] = {"gaussian": GAUSSIAN, "binomial": BINOMIAL, "poisson": POISSON, "negbin": NEGBIN}
    return known[name]


def _trigamma(y: Floats, a: float) -> Floats:
    """Return the second derivative of log gamma at ``y + a``; of counts, each value that there is once."""
    if len(y) and y.max() < len(y) and (y == np.floor(y)).all():
        return np.asarray(polygamma(1, np.arange(y.max() + 1) + a)[y.astype(np.int64)], float)
    return np.asarray(polygamma(1, y + a), float)


def _refuse(y: Floats, wrong: npt.NDArray[np.bool_], family: str, wanted: str) -> None:
    if wrong.any():
        example = y[np.flatnonzero(wrong)[0]]
        raise OutcomeInvalid(
            f'family="{family}" needs an outcome of {wanted}; {int(wrong.sum()):,} row(s) have another value, '
            f"for instance {example:g}. Recode it, or choose another family."
        )
