"""Whose faces are hidden, of people who are known: in doubt, a face is hidden."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentInvalid
from .matching import person_distances
from .people import UNKNOWN, People
from .threshold import choose_threshold

SURE, POSSIBLE = 0.5, 0.6  # at most, and at least, where no threshold is given
LOW = 0.3
Floats = npt.NDArray[np.floating]


class Chosen:
    """Whose faces are hidden.

    A face whose nearest person lies within `sure` is that person's. Any other may be anybody's: it is hidden where
    unknown people are, and where one who is to be hidden lies within `possible`.

    Attributes
    ----------
    known : People
        Who is known.
    sure, possible : float
        Distances.
    notes : tuple of str
        What the user should know.
    """

    def __init__(self, people: str | Sequence[str] | None, known: People, threshold: float | str) -> None:
        """Raise `ArgumentInvalid` where a name of `people` is not among those who are known."""
        wanted = [people] if isinstance(people, str) else list(people or [])
        if not wanted or set(wanted) - {*known.names, UNKNOWN}:
            raise ArgumentInvalid(f'`people` is {people!r}; it must be "unknown" or names of `known`: {known.names}.')
        chosen = choose_threshold(threshold, 0.01, known)
        self.known, self.notes = known, known.notes
        self.sure = self.possible = chosen.value
        if threshold == "auto":
            low = chosen.value if chosen.low is None else chosen.low
            self.sure, self.possible = min(low, SURE), max(chosen.value, POSSIBLE)
            if chosen.low is None:
                self.notes += (
                    f"With {len(known.names)} people no threshold can be chosen from their references: a face is taken "
                    f"for theirs up to a distance of {self.sure:.2f}, and hidden as theirs up to {self.possible:.2f}. "
                    "Look at the copies, or give match_threshold=.",
                )
            elif UNKNOWN in wanted and self.sure < LOW:
                self.notes += (
                    f"The references lead to a threshold of {self.sure:.2f}, at which few faces are recognised: most "
                    "people who are known are hidden too. Look for photographs under the wrong name, or give "
                    "match_threshold=.",
                )
        self._wanted = np.array([name in wanted for name in known.names])
        self._strangers = UNKNOWN in wanted

    def __call__(self, descriptors: Floats) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Say which faces ``[n, 128]`` are hidden, and the number of each one's person; nobody known is the last."""
        people = len(self.known.names)
        far = person_distances(descriptors, self.known)
        nearest, sure = far.argmin(axis=1), far.min(axis=1) <= self.sure
        feared = np.where(self._wanted, far, np.inf)
        possible = feared.min(axis=1) <= self.possible
        person = np.where(sure, nearest, np.where(possible, feared.argmin(axis=1), people))
        return np.where(sure, self._wanted[nearest], possible | self._strangers), person
