"""Tell the caller how far a long run is: a bar, a function of theirs, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from tqdm.auto import tqdm

from .errors import ArgumentInvalid

Report = bool | Callable[[int, int, str], Any]
BY_OTHERS = ", the rest by other workers"  # ends the text of the last report, where that is so


class Progress:
    """Report progress as a context manager.

    Parameters
    ----------
    progress : bool or function
        True shows a bar on standard error, or in a notebook. A function is called as ``progress(done, total, text)`` on
        the thread that called the verb, at the start, now and then, and at the end.
    total : int
        Number of images.
    text : str
        What is running, and where.
    unit : str
        What is counted.
    """

    def __init__(self, progress: Report, total: int, text: str, unit: str = " images") -> None:
        if not isinstance(progress, bool) and not callable(progress):
            raise ArgumentInvalid(f"`progress` is {progress!r}; it must be True, False or a function.")
        self._function = None if isinstance(progress, bool) else progress
        self._total, self._text, self._done = total, text, 0
        self._bar: tqdm[Any] | None = None
        if progress is True:
            self._bar = tqdm(total=total, desc=text, unit=unit, dynamic_ncols=True, smoothing=0.05)

    def __enter__(self) -> Progress:
        if self._function:
            self._function(0, self._total, self._text)
        return self

    def advance(self, images: int) -> None:
        """Say that `images` more are done."""
        self._done += images
        if self._bar is not None:
            self._bar.update(images)
        elif self._function:
            self._function(self._done, self._total, self._text)

    def complete(self) -> None:
        """Say that all is done: what is left was done by other workers."""
        if self._done < self._total:
            self._text += BY_OTHERS
            self.advance(self._total - self._done)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


class Stages:
    """Report the stages of long work one after the other, each with its own total; a context manager.

    Parameters
    ----------
    progress : bool or function
        As in `Progress`.
    """

    def __init__(self, progress: Report) -> None:
        if not isinstance(progress, bool) and not callable(progress):
            raise ArgumentInvalid(f"`progress` is {progress!r}; it must be True, False or a function.")
        self._progress = progress
        self._now: Progress | None = None
        self._text, self._done = "", 0

    def report(self, text: str, done: int, total: int) -> None:
        """Say that `done` of `total` steps of the stage `text` are done."""
        if self._now is None or text != self._text or done < self._done:
            self.close()
            self._now, self._text, self._done = Progress(self._progress, total, text, unit=""), text, 0
            self._now.__enter__()
        if done > self._done:
            self._now.advance(done - self._done)
            self._done = done

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the last bar as it is."""
        if self._now is not None:
            self._now.close()
            self._now = None
