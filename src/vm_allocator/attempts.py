"""`Attempt`: a call of which can be told, after an exception, whether it was carried out.

A `KeyboardInterrupt` may come after an allocator has done its work, and before anybody has
written that down. Our own allocators note in `_intent` what they are about to change: the
state tells whether they did. Of other calls it is known whether they returned: the call, and
the keeping of what it returned, are one step of a loop in C, which no exception comes between.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from itertools import starmap
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

from .address import RangeAllocator
from .owners import tag
from .view import plain_int

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from .moves import Move
    from .ranges import RangeInclusive
    from .resource import R, S

_ARGUMENTS: Final = {"allocate": 2, "allocate_many": 2, "free": 2, "update": 4, "update_many": 1}
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


def as_one(pool: RangeAllocator[Any, Any] | None) -> AbstractContextManager[object]:
    """Return what keeps other threads out of an allocator of ours that they share.

    Between the beginning of an operation and the end of asking whether it was carried out,
    `_intent` is to be of that operation alone.
    """
    return nullcontext() if pool is None else pool._as_one()


def move_back(
    pool: RangeAllocator[R, S], move: Move[R], ends: tuple[R, S, R, S], owner: str | None
) -> None:
    """Leave the old range of a move live, whichever way the move has come, and whose it was."""
    if move.is_pending:
        move.abort()
    elif move.is_committed and not _is_live(pool, ends[2], ends[3]):
        pool.update(*ends, align=1)
    if pool._owners or owner is not None:
        tag(pool._owners, plain_int(pool._unit, "resource", ends[2]), owner)


def change_back(
    pool: RangeAllocator[R, S],
    changes: Sequence[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
    owners: Mapping[int, str],
) -> None:
    """Let each range of an `update_many` be where it was, and whose it was."""
    if pool._intent is None:  # otherwise an interrupt came after that
        pool.update_many([(new, old) for old, new in changes], align=1)
    for start, owner in owners.items():
        tag(pool._owners, start, owner)


def is_done(  # noqa: PLR0911  # one case for each operation
    pool: RangeAllocator[Any, Any], call: Callable[..., object], given: tuple[Any, ...]
) -> bool:
    """Whether an operation of ours was carried out; before it, `_intent` has to be `None`."""
    name, intent = call.__name__, pool._intent
    if name == move_back.__name__:
        _, move, ends, owner = given
        start = plain_int(pool._unit, "resource", ends[2])
        is_back = not move.is_pending and _is_live(pool, start, ends[3])
        return is_back and pool._owners.get(start) == owner
    if intent is None:
        return False
    match name:
        case "free":
            return not _is_live(pool, given[0], given[1])
        case "update_many":
            return True
        case "change_back":
            return all(pool._owners.get(start) == owner for start, owner in given[2].items())
        case "move":
            return _ends(pool, given[0], given[1]) in pool._pending
        case _:
            # Several are granted together, or none of them.
            start = intent[0] if isinstance(intent, list) else intent
            return _is_live(pool, start, given[-1])


def result_of(
    pool: RangeAllocator[Any, Any], call: Callable[..., object], given: tuple[Any, ...]
) -> Any:
    """Return what an operation of ours that was carried out has granted, or was to return."""
    if call.__name__ == "move":
        return pool._pending[_ends(pool, given[0], given[1])]
    return pool._intent


def _is_live(pool: RangeAllocator[Any, Any], start: object, size: object) -> bool:
    return pool._index.is_live(*_ends(pool, start, size))


def _ends(pool: RangeAllocator[Any, Any], start: object, size: object) -> tuple[int, int]:
    first = plain_int(pool._unit, "resource", start)
    return first, first + plain_int(pool._unit, "size", size) - 1
