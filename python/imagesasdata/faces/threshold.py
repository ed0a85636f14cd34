"""From which distance on a face is nobody of the people known: chosen from their references, with its uncertainty."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from ..errors import ArgumentInvalid
from ..intervals import wilson
from .matching import blocks, person_distances
from .people import People

FEWEST = 5  # people from which on their references count
USUAL = 0.5  # without them: what 1 of 26,000 pairs of different politicians were nearer than
WORTH = 20  # people, as many as the usual threshold counts for
FAR = 0.05  # from the usual one
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
    limit : float or None
        What the references alone say.
    accepted, compared : int
        How many of the references would be taken for one of the other people, of how many; 0 of 0 for one that is
        given.
    accepted_high : float or None
        The upper limit of that share's interval.
    """

    value: float
    low: float | None = None
    high: float | None = None
    how: str = "given"
    false_match_rate: float | None = None
    limit: float | None = None
    accepted: int = 0
    compared: int = 0
    accepted_high: float | None = None

    def as_facts(self) -> dict[str, Any]:
        """Return it for a table's provenance."""
        return asdict(self)


def choose_threshold(threshold: float | str, false_match_rate: float, known: People) -> Threshold:
    """Choose the threshold, or take the one that is given.

    Each reference in turn plays a stranger: its distance to the nearest of the *other* people is what a stranger's
    could be. Strangers' distances are taken to be normal, and people to differ, so their limit is the lower one of a
    prediction interval for one more stranger (Student's t, with a degree of freedom less than there are people). Of few
    people it is far from certain: with five it was between 0.2 and 0.7 for the same false-match rate. So the threshold
    is a mean of that limit and of the usual 0.5, which counts for as much as `WORTH` people; with fewer than `FEWEST`
    it is 0.5.

    In 300 draws each of 4, 5, 6, 8 and 11 of 12 politicians with 1, 3 and 5 references, at a rate of 1 %, fewer than
    0.2 % of strangers' faces were accepted on the mean (10 % in the worst draw), and of the known people's 84 to 89 %
    were recognised with 1 reference, 91 to 94 % with 3 and 93 to 96 % with 5.

    Parameters
    ----------
    threshold : float or "auto"
        A distance, or ``"auto"``.
    false_match_rate : float
        Share of strangers' faces that may be accepted, above 0 and below 0.5.
    known : People
        The people and their references.

    Raises
    ------
    ArgumentInvalid
        Where one of the first two is out of range.
    """
    rate, people = false_match_rate, len(known.names)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 0.5:
        raise ArgumentInvalid(f"`false_match_rate` is {rate!r}; it must be a number above 0 and below 0.5.")
    if threshold != "auto":
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 10:
            raise ArgumentInvalid(
                f'`threshold` is {threshold!r}; it must be "auto" or a distance above 0, such as 0.5.'
            )
        return Threshold(float(threshold))
    strangers = as_strangers(known)
    if people < FEWEST:
        return _counted(Threshold(USUAL, how="usual"), strangers)
    starts = np.searchsorted(known.person, np.arange(people))
    # Of each person: how many references, their sum, the sum of their squares.
    parts = np.add.reduceat(np.stack([np.ones_like(strangers), strangers, strangers**2]), starts, axis=1)
    draws = np.random.default_rng(1).multinomial(people, np.full(people, 1 / people), RESAMPLES)
    limits = _limit(np.column_stack([parts.sum(axis=1), parts @ draws.T]), people, rate)
    values = USUAL + people / (people + WORTH) * (limits - USUAL)
    low, high = np.quantile(values[1:], [(1 - CONF_LEVEL) / 2, (1 + CONF_LEVEL) / 2])
    chosen = Threshold(float(values[0]), float(low), float(high), "references", float(rate), float(limits[0]))
    return _counted(chosen, strangers)


def as_strangers(known: People) -> Floats:
    """Return each reference's distance to the nearest of the other people; infinite where there are none."""
    found = []
    for rows in blocks(len(known.person), known):
        others = person_distances(known.descriptors[rows], known)
        others[np.arange(len(others)), known.person[rows]] = np.inf
        found.append(others.min(axis=1, initial=np.inf))
    return np.concatenate(found)


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
