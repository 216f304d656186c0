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
    """A call that is not made yet. `wanted` is what it has to return, if that matters."""

    __slots__ = ("_arguments", "_call", "_options", "_pool", "_results", "_waiting", "_wanted")

    def __init__(
        self,
        call: Callable[..., object],
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        wanted: object = None,
    ) -> None:
        self._call = call
        self._arguments = arguments
        self._options = options
        self._wanted = wanted
        self._results: list[Any] = []
        self._waiting = iter((arguments,))
        owner = getattr(call, "__self__", None)
        known = isinstance(owner, RangeAllocator) and len(arguments) == _ARGUMENTS.get(
            getattr(call, "__name__", "")
        )
        self._pool: RangeAllocator[Any, Any] | None = owner if known else None
        if self._pool is not None:
            self._pool._intent = None

    def make(self) -> Any:
        """Make the call. Raises what it raises, and `ValueError` if it returns what it should not.

        One of ours may be made again as long as it was not carried out, any other one may not:
        it is not, then.
        """
        if self._pool is not None:
            self._pool._intent = None
            return self._call(*self._arguments, **self._options)
        self._results.extend(starmap(partial(self._call, **self._options), self._waiting))
        (got,) = self._results
        if self._wanted is not None and got != self._wanted:
            raise ValueError(f"it granted {got!r}, not {self._wanted!r}: free that")
        return got

    @property
    def may_be_made(self) -> bool:
        """Whether `make` would do something, and nothing twice."""
        if self._pool is not None:
            return not self.is_done
        return bool(length_hint(self._waiting))

    @property
    def is_done(self) -> bool:
        """Whether the call was carried out, be it that an exception came after that."""
        pool = self._pool
        if pool is None:
            return bool(self._results) and self._wanted in (None, self._results[0])
        if pool._intent is None:
            return False
        given, intent = self._arguments, pool._intent
        if self._call.__name__ == "free":
            return not _is_live(pool, given[0], given[1])
        # Several are granted together, or none of them.
        return _is_live(pool, intent[0] if isinstance(intent, list) else intent, given[-1])

    @property
    def result(self) -> Any:
        """What a call that is done returned; for one of ours, what it granted or was to free."""
        return self._results[0] if self._pool is None else self._pool._intent


def _is_live(pool: RangeAllocator[Any, Any], start: object, size: object) -> bool:
    first = plain_int(pool._unit, "resource", start)
    return pool._index.is_live(first, first + plain_int(pool._unit, "size", size) - 1)
