"""What people are recognised for: asked once a session, and written down with every table that comes of it."""

from __future__ import annotations

from ..errors import ArgumentInvalid, PurposeMissing

_said: list[str] = []  # the purposes of this session, the last one in force


def purpose_of(purpose: str | None) -> str:
    """Return the purpose that is given, or the last one that was given in this session.

    Raises
    ------
    PurposeMissing
        None was given yet.
    ArgumentInvalid
        It is no text, or an empty one.
    """
    if purpose is None:
        if not _said:
            raise PurposeMissing(
                'Recognising people needs a reason, once a session: purpose="...", in a sentence that you would show '
                "to a review board or to the people themselves. It is kept with the results."
            )
        return _said[-1]
    if not isinstance(purpose, str) or not purpose.strip():
        raise ArgumentInvalid(f"`purpose` is {purpose!r}; say in a sentence what people are recognised for.")
    _said.append(purpose.strip())
    return _said[-1]
