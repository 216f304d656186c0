"""Calls as they are written to files: the fields of docs/protocol.md, read back with care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import msgspec

from .calls import Space
from .wire import Request, WireError, call_of, space_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .calls import Call

_LONGEST_REASON = 200


class BadTraceError(ValueError):
    """Something that is no trace of calls; the message says in one line what is wrong."""

    def __str__(self) -> str:
        words = " ".join(map(str, self.args))[:_LONGEST_REASON]
        return "".join(c if c.isprintable() else "?" for c in words)


@dataclass(frozen=True)
class Recorded:
    """A space, and the calls on a fresh allocator of it."""

    space: Space
    calls: tuple[Call, ...]

    @classmethod
    def of(cls, base: object, last: object, calls: Iterable[Call], pools: object = None) -> Self:
        """Return the calls in that space. Raises `BadTraceError` if there is no such space."""
        if pools:
            return cls(_space_of(pools), tuple(calls))
        if not isinstance(base, int) or not isinstance(last, int) or not 0 <= base <= last:
            raise BadTraceError(f"{base!r} to {last!r} is no space")
        return cls(Space(base, last), tuple(calls))


def _space_of(pools: object) -> Space:
    try:
        space = space_of(msgspec.convert({"id": 0, "op": "new", "pools": pools}, Request))
    except (msgspec.ValidationError, WireError, OverflowError) as error:
        raise BadTraceError(f"{pools!r} are no pools ({error})") from None
    ends = [end for _, one in space.pools for end in one]
    if ends != sorted(ends) or ends[0] < 0:
        raise BadTraceError(f"{pools!r} are no pools: they overlap, or are empty")
    return space


def call_from_json(data: object) -> Call:
    """Return the call in the fields of docs/protocol.md. Raises `BadTraceError`."""
    if not isinstance(data, dict):
        raise BadTraceError(f"{data!r} is no call")
    try:
        return call_of(msgspec.convert(data | {"id": 0}, Request))
    except (msgspec.ValidationError, WireError, OverflowError) as error:
        raise BadTraceError(f"{data!r} is no call ({error})") from None
