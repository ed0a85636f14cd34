"""What can be wrong with a regression: each error says the problem, what was given, and the cure."""

from __future__ import annotations

from ..errors import ImagesAsDataError


class ColumnsCollinear(ImagesAsDataError):
    """Some columns of the model are a combination of others."""


class SeparationFound(ImagesAsDataError):
    """A coefficient has no finite value: a covariate tells the outcome without fail."""


class NotConverged(ImagesAsDataError):
    """The equations of the estimate were not solved."""


class NoOverdispersion(ImagesAsDataError):
    """A negative binomial model of counts that vary no more than a Poisson model says."""


class OutcomeInvalid(ImagesAsDataError):
    """The outcome is not what the family describes."""


class ProbabilityInvalid(ImagesAsDataError):
    """A probability of being hand-labelled is missing, 0, below 0 or above 1."""


class TooFewLabels(ImagesAsDataError):
    """There are too few hand labels to estimate anything."""
