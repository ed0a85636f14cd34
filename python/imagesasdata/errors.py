"""The exceptions: each says the problem, what was given, and the cure.

In R the same text arrives as a condition whose class is the snake-case name, for instance
``imagesasdata_image_column_missing``, then ``imagesasdata_error``.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any


class ImagesAsDataError(Exception):
    """The base of every error that this package raises on purpose."""


class ImagesAsDataWarning(UserWarning):
    """Something about a result that its user should know."""


class ImageColumnMissing(ImagesAsDataError):
    """The data frame has no column of the name given as ``image_col``."""


class ImagesNotFound(ImagesAsDataError):
    """A folder or a pattern leads to no image, or does not exist."""


class ImageFailed(ImagesAsDataError):
    """An image could not be read and the caller asked to stop at the first such image."""


class ColumnExists(ImagesAsDataError):
    """The data frame already has a column that the verb would add."""


class ModelNotFound(ImagesAsDataError):
    """No model has that name and no file that path."""


class ModelInvalid(ImagesAsDataError):
    """The file is not a model that this package can use, or contradicts itself."""


class ModelCardMissing(ModelInvalid):
    """A plain ONNX file without the metadata that prediction needs."""


class ModelTooNew(ModelInvalid):
    """The metadata has a schema version from the future."""


class DeviceUnavailable(ImagesAsDataError):
    """The device asked for is not there."""


class ArgumentInvalid(ImagesAsDataError):
    """An argument has a value outside what it may be."""


class KeysInvalid(ImagesAsDataError):
    """The keys of a merge are missing, of different kinds, duplicated, or match nothing."""


class TableUnreadable(ImagesAsDataError):
    """A table file cannot be read or written."""


class RunDiffers(ImagesAsDataError):
    """The folder of a run holds a run of other images, models or options."""


class RunDamaged(ImagesAsDataError):
    """A file of a run is not as it was written."""


class RunUnwritable(ImagesAsDataError):
    """The folder of a run cannot be written: the disk is full, or it is not allowed."""


class Interrupted(KeyboardInterrupt):
    """A run was interrupted from the keyboard; what was done is not lost.

    Attributes
    ----------
    partial : pandas.DataFrame or pyarrow.Table
        The rows that were done, the first ones in the caller's order.
    """

    def __init__(self, message: str, partial: Any) -> None:
        super().__init__(message)
        self.partial = partial


class LabelsInvalid(ImagesAsDataError):
    """Hand labels cannot be used as they are; the message says which and why."""


class DependencyMissing(ImagesAsDataError):
    """An optional package is needed and not installed."""


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


class PurposeMissing(ImagesAsDataError):
    """Recognising people was asked for without saying what for."""


class PeopleInvalid(ImagesAsDataError):
    """The references of the people to recognise cannot be used."""


def quoted(names: Iterable[str], most: int = 8) -> str:
    """Names for a message: at most `most`, then a count of the rest."""
    names = list(names)
    shown = ", ".join(names[:most])
    return f"{shown}, and {len(names) - most:,} more" if len(names) > most else shown


def disk_problem(problem: OSError) -> str:
    """Say in plain words why a file cannot be written."""
    return {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "your quota of the disk is used up",
        errno.EACCES: "no permission",
        errno.EPERM: "no permission",
        errno.EROFS: "the disk is read-only",
        errno.ENOTDIR: "a part of its path is a file",
        errno.EEXIST: "a file of that name is in the way",
    }.get(problem.errno or 0, problem.strerror or str(problem))


def choose(argument: str, value: object, allowed: Iterable[str]) -> None:
    """Raise `ArgumentInvalid` unless `value` is one of `allowed`."""
    allowed = list(allowed)
    if value not in allowed:
        options = ", ".join(f'"{option}"' for option in allowed)
        raise ArgumentInvalid(f"`{argument}` is {value!r}; it must be one of {options}.")
