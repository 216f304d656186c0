"""Whose a live range is: a tag for people, by the start of the range.

A tag decides nothing; errors about conflicts name it. One at a start where nothing is live says
nothing either, so that tags are written before a range is made live and dropped after it has
gone, and an interrupt in between leaves nothing wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .ranges import RangeInclusive
    from .resource import R, Unit


def checked_owner(unit: Unit, owner: object) -> str | None:
    """Return a tag, or `None`. Raises `InvalidTypeError` for what is no text, or empty."""
    if owner is None:
        return None
    if not isinstance(owner, str) or not owner:
        raise InvalidTypeError(unit, "owner", owner, "a text such as 'nvme0/BAR2', or None")
    return owner


def tag(owners: dict[int, str], start: int, owner: str | None) -> None:
    """Let the range at this start be theirs, or nobody's in particular."""
    if owner is None:
        owners.pop(start, None)
    else:
        owners[start] = owner


def tag_all(owners: dict[int, str], starts: Iterable[int], owner: str | None) -> None:
    """Let the ranges at all these starts be theirs, or nobody's in particular."""
    for start in starts:
        tag(owners, start, owner)


def hand_on(
    owners: dict[int, str],
    changes: Iterable[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
) -> None:
    """Let each new range be whose the old one was; what is new altogether is nobody's."""
    changes = tuple(changes)
    before = dict(owners)
    for old, _ in changes:
        if old is not None:
            owners.pop(old.start.__index__(), None)
    for old, new in changes:
        if new is not None:
            whose = None if old is None else before.get(old.start.__index__())
            tag(owners, new.start.__index__(), whose)


def restore(owners: dict[int, str], before: dict[int, str]) -> None:
    """Let everything be whose it was before."""
    owners.clear()
    owners.update(before)
