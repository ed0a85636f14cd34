"""A classifier fitted on the descriptors of the references, for people who have many of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from ..errors import PeopleInvalid
from ..train.head import compress, fit_single
from .people import People

FEWEST_EACH = 5  # references of a person


class Classifier:
    """Logistic regression on descriptors, its strength chosen by inner folds, as the head of `fine_tune`.

    Parameters
    ----------
    known : People
        Two people or more, with 5 references or more each.

    Raises
    ------
    PeopleInvalid
        There are fewer.
    """

    def __init__(self, known: People) -> None:
        counts = np.bincount(known.person, minlength=len(known.names))
        if len(known.names) < 2 or counts.min() < FEWEST_EACH:
            few = int(counts.argmin())
            raise PeopleInvalid(
                f'method="classifier" needs two people or more with {FEWEST_EACH} references each; '
                f'"{known.names[few]}" has {counts[few]:,}. Add photographs, or use method="nearest".'
            )
        splits = StratifiedKFold(FEWEST_EACH, shuffle=True, random_state=1).split(known.descriptors, known.person)
        values = np.eye(len(known.names))[known.person]
        with threadpool_limits(1):
            x, back = compress(known.descriptors.astype(np.float32))
            weight, bias, _ = fit_single(x, values, np.ones(len(known.names)), list(splits))
            self._weight, self._bias = back(weight, bias)

    def scores(self, descriptors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return ``[faces, people]``, the logit of each person."""
        return np.asarray(descriptors @ self._weight.T + self._bias, float)
