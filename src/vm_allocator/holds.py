"""Ranges that firmware or the platform keeps for itself, so that nobody is ever granted them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from .errors import HeldByPlatformError, InvalidTypeError, NotReservedError, NotYoursError
from .owners import checked_owner
from .placement import Placement
from .ranges import RangeInclusive
from .resource import R, S, Unit
from .view import plain_int

if TYPE_CHECKING:
    from .errors import OverlapError, RangeRefusedError


class Hold(Generic[R]):
    """A range that firmware or the platform holds. Made by `Reserving.reserve`.

    The allocator's index holds it like a live range, so that no search finds it; to everybody
    it is reserved, which is neither free nor live.
    """

    __slots__ = ("_unit", "ends", "owner")

    def __init__(self, unit: Unit, ends: tuple[int, int], owner: str) -> None:
        self._unit = unit
        self.ends = ends
        self.owner = owner
        """Who holds it, as errors name them."""

    @property
    def range(self) -> RangeInclusive[R]:
        """What is held."""
        first: R = self.ends[0]  # type: ignore[assignment]  # NewTypes are ints; R is one of them
        last: R = self.ends[1]  # type: ignore[assignment]  # likewise
        return RangeInclusive(first, last)

    def reserved(self) -> list[tuple[int, int]]:
        """Return what the index holds of it: all of it."""
        return [self.ends]

    def refuse_use(self, start: int, span: int) -> RangeRefusedError:
        """Return the error for who frees or moves it."""
        return NotYoursError(self._unit, start, span, self.owner)

    def refuse_place(self, start: int, span: int, conflict: tuple[int, int]) -> OverlapError:
        """Return the error for who wants a place that meets it."""
        return HeldByPlatformError(self._unit, start, span, *conflict, self.owner)

    def __repr__(self) -> str:
        return f"<Hold {self._unit.show_range(*self.ends)} for {self.owner}>"


class Reserving(Placement[R, S]):
    """The operations on what the platform holds."""

    def reserve(self, resource: R, size: S, *, owner: str) -> None:
        """Keep a range for firmware or the platform, named as the `owner`. O(log n).

        It is never granted, neither live nor free to anybody, and `reserved` lists it. Freeing or
        moving it is refused (`NotYoursError`), and so is what meets it (`HeldByPlatformError`).

        Raises, with nothing changed, what an exact `allocate` with alignment 1 raises.
        """
        start, span = plain_int(self._unit, "resource", resource), self._span(size)
        named = checked_owner(self._unit, owner)
        if named is None:
            raise InvalidTypeError(self._unit, "owner", owner, "a text that says for whom")
        self._place(start, span, 1, self._base, self._last)
        self._demand_free(start, span, start, start + span)
        ends = (start, start + span)
        try:
            self._pending[ends] = Hold(self._unit, ends, named)
            self._index.add(*ends)
        except BaseException:  # an interrupt may come between any two steps
            if self._index.is_live(*ends):
                self._index.remove(*ends)
            self._pending.pop(ends, None)
            raise

    def unreserve(self, resource: R, size: S) -> None:
        """Give back a range that was reserved exactly so: it is free again. O(log n).

        Raises, with nothing changed: `InvalidTypeError`, `InvalidSizeError`, `NotReservedError`.
        """
        start, span = plain_int(self._unit, "resource", resource), self._span(size)
        ends = (start, start + span)
        held = self._pending.get(ends)
        if not isinstance(held, Hold):
            raise NotReservedError(self._unit, start, span)
        try:
            self._index.remove(*ends)
            self._pending.pop(ends)
        except BaseException:  # likewise
            if not self._index.is_live(*ends):
                self._index.add(*ends)
            self._pending[ends] = held
            raise
