"""`Attempt`: a call of which can be told, after an exception, whether it was carried out.

A `KeyboardInterrupt` may come after an allocator has done its work, and before anybody has
written that down. Our own allocators note in `_intent` what they are about to change: the
state tells whether they did. Of other calls it is known whether they returned: the call, and
the keeping of what it returned, are one step of a loop in C, which no exception comes between.
"""

from __future__ import annotations

from functools import partial
from itertools import starmap
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

from .address import RangeAllocator
from .view import plain_int

if TYPE_CHECKING:
    from collections.abc import Callable

_ARGUMENTS: Final = {"allocate": 2, "allocate_many": 2, "free": 2, "update": 4}
"""The operations of our allocators that are made out by the state, with all their arguments."""


class Attempt:
    """A call that is made at most once. `wanted` is what it has to return, if that matters."""

    __slots__ = ("_call", "_options", "_results", "_waiting", "_wanted")

    def __init__(
        self,
        call: Callable[..., object],
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        wanted: object = None,
    ) -> None:
        self._call = call
        self._options = options
        self._wanted = wanted
        self._results: list[Any] = []
        self._waiting = iter((arguments,))

    def make(self) -> Any:
        """Make the call, the first time. Raises what it raises; `ValueError` for a wrong result."""
        self._results.extend(starmap(partial(self._call, **self._options), self._waiting))
        (got,) = self._results
        if self._wanted is not None and got != self._wanted:
            raise ValueError(f"it granted {got!r}, not {self._wanted!r}: free that")
        return got

    @property
    def has_begun(self) -> bool:
        """Whether the call was made, whatever came of it."""
        return not length_hint(self._waiting)

    @property
    def is_done(self) -> bool:
        """Whether the call returned, and what it had to."""
        return bool(self._results) and self._wanted in (None, self._results[0])

    @property
    def result(self) -> Any:
        """What the call returned. Needs it to be done."""
        return self._results[0]


def pool_of(
    call: Callable[..., object], arguments: tuple[Any, ...]
) -> RangeAllocator[Any, Any] | None:
    """Return the allocator of ours of which this is an operation that the state tells of."""
    owner = getattr(call, "__self__", None)
    if isinstance(owner, RangeAllocator) and len(arguments) == _ARGUMENTS.get(call.__name__):
        return owner
    return None


def is_done(
    pool: RangeAllocator[Any, Any], call: Callable[..., object], arguments: tuple[Any, ...]
) -> bool:
    """Whether an operation of ours was carried out; before it, `_intent` has to be `None`."""
    intent = pool._intent
    if intent is None:
        return False
    if call.__name__ == "free":
        return not _is_live(pool, arguments[0], arguments[1])
    # Several are granted together, or none of them.
    return _is_live(pool, intent[0] if isinstance(intent, list) else intent, arguments[-1])


def _is_live(pool: RangeAllocator[Any, Any], start: object, size: object) -> bool:
    first = plain_int(pool._unit, "resource", start)
    return pool._index.is_live(first, first + plain_int(pool._unit, "size", size) - 1)
