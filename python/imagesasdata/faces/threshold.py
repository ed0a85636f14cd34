"""From which distance on a face is nobody of the people known: chosen from their references, with its uncertainty."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from ..errors import ArgumentInvalid
from ..intervals import wilson

FEWEST = 5  # people from which on a threshold is chosen
USUAL = 0.5  # where there are fewer: what 1 of 26,000 pairs of different politicians were nearer than
RESAMPLES = 1000
CONF_LEVEL = 0.95
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """The largest distance at which a face is still the nearest person's.

    Attributes
    ----------
    value : float
        The distance.
    low, high : float or None
        Its interval, from a bootstrap over people; None where it was not chosen from references.
    how : {"given", "usual", "references"}
        Where it comes from.
    false_match_rate : float or None
        Share of strangers' faces that it is chosen to accept.
    accepted, compared : int
        How many of the references would be taken for one of the other people, of how many.
    accepted_high : float or None
        The upper limit of that share's interval.
    """

    value: float
    low: float | None = None
    high: float | None = None
    how: str = "given"
    false_match_rate: float | None = None
    accepted: int = 0
    compared: int = 0
    accepted_high: float | None = None

    def as_facts(self) -> dict[str, Any]:
        """Return it for a table's provenance."""
        return asdict(self)


def person_distances(distances: Floats, person: npt.NDArray[np.int64], people: int) -> Floats:
    """Return the distance of faces to each person: the mean over the person's references.

    The mean has the same expectation for one reference as for many, so people with more of them are not favoured.

    Parameters
    ----------
    distances : numpy.ndarray
        ``[faces, references]``.
    person : numpy.ndarray
        ``[references]``: whose each reference is, 0 to `people` - 1.

    Returns
    -------
    numpy.ndarray
        ``[faces, people]``.
    """
    members = np.zeros((len(person), people))
    members[np.arange(len(person)), person] = 1
    return np.asarray(distances @ (members / np.maximum(members.sum(axis=0), 1)))


def choose_threshold(
    threshold: float | str, false_match_rate: float, distances: Floats, person: npt.NDArray[np.int64], people: int
) -> Threshold:
    """Choose the threshold, or take the one that is given.

    Each reference in turn plays a stranger: its distance to the nearest of the *other* people is what a stranger's
    could be. Strangers' distances are taken to be normal, and people to differ, so the threshold is the lower limit of
    a prediction interval for one more stranger (Student's t, with a degree of freedom less than there are people). It
    lies lower where few people are known.

    Parameters
    ----------
    threshold : float or "auto"
        A distance, or ``"auto"``.
    false_match_rate : float
        Share of strangers' faces that may be accepted, above 0 and below 0.5.
    distances : numpy.ndarray
        ``[references, references]``.
    person, people
        As in `person_distances`.

    Raises
    ------
    ArgumentInvalid
        Where one of the first two is out of range.
    """
    rate = false_match_rate
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 0.5:
        raise ArgumentInvalid(f"`false_match_rate` is {rate!r}; it must be a number above 0 and below 0.5.")
    strangers = _as_strangers(distances, person, people)
    if threshold != "auto":
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 10:
            raise ArgumentInvalid(
                f'`threshold` is {threshold!r}; it must be "auto" or a distance above 0, such as 0.5.'
            )
        return _counted(Threshold(float(threshold)), strangers)
    if people < FEWEST:
        return _counted(Threshold(USUAL, how="usual"), strangers)
    parts = np.zeros((3, people))  # of each person: how many references, their sum, the sum of their squares
    for row, values in zip(parts, (np.ones_like(strangers), strangers, strangers**2), strict=True):
        np.add.at(row, person, values)
    draws = np.random.default_rng(1).multinomial(people, np.full(people, 1 / people), RESAMPLES)
    value = float(_limit(parts.sum(axis=1), people, rate))
    low, high = np.quantile(_limit(parts @ draws.T, people, rate), [(1 - CONF_LEVEL) / 2, (1 + CONF_LEVEL) / 2])
    chosen = Threshold(value, float(low), float(high), "references", float(rate))
    return _counted(chosen, strangers)


def _as_strangers(distances: Floats, person: npt.NDArray[np.int64], people: int) -> Floats:
    """Return each reference's distance to the nearest of the other people; infinite where there are none."""
    others = person_distances(distances, person, people)
    others[np.arange(len(person)), person] = np.inf
    return np.asarray(others.min(axis=1, initial=np.inf))


def _limit(sums: Floats, people: int, rate: float) -> Floats:
    """Return the lower limit of a prediction interval for one more stranger, from sums ``[3, ...]`` over references."""
    n, total, squares = sums
    mean = total / n
    variance = np.maximum(squares - n * mean**2, 0) / np.maximum(n - 1, 1)
    return np.asarray(mean + student.ppf(rate, people - 1) * np.sqrt(variance * (1 + 1 / people))).clip(0)


def _counted(threshold: Threshold, strangers: Floats) -> Threshold:
    compared = strangers[np.isfinite(strangers)]
    accepted = int((compared <= threshold.value).sum())
    high = float(wilson(accepted, len(compared), CONF_LEVEL)[1]) if len(compared) else None
    return Threshold(**{**asdict(threshold), "accepted": accepted, "compared": len(compared), "accepted_high": high})
