"""Bugs of the Rust crate `vm-allocator`: the cause of each, in code of our own.

The docstring of a class is the cause.
"""

from __future__ import annotations

from typing import ClassVar, Final

from .numbers import IdCounter
from .ranges import DeclinedError, Gap, ListAllocator

_TOP: Final = 2**64 - 1


class ExactInsideLive(ListAllocator):
    """An exact place is looked for in live ranges too, and only the same size is told apart."""

    def exact(self, start: int, size: int, align: int, window: Gap) -> int | None:
        for held, units in self.held.items():
            inside = Gap(held, held + units - 1).holds(start, size)
            if inside and window.holds(start, size) and start % align == 0 and size != units:
                return start
        return super().exact(start, size, align, window)


class FreeOfFree(ListAllocator):
    """Free looks for a known range and not at whether it is live."""

    def free(self, resource: int, size: int) -> None:
        self.check(size, 1)
        if not any(gap.holds(resource, size) for gap in self.gaps):
            super().free(resource, size)


class LostNextToOne(ListAllocator):
    """Looking for the left neighbour subtracts 2 from the start, after the range was removed."""

    def left_of(self, freed: Gap) -> Gap | None:
        if freed.first == 1:
            raise DeclinedError("underflow")
        return super().left_of(freed)


class LostNextToTheEnd(ListAllocator):
    """Looking for the right neighbour adds 2 to the end, after the range was removed."""

    profile: ClassVar[dict[str, object]] = {"spaces": {"greatest_last": _TOP - 1}}

    def right_of(self, freed: Gap) -> Gap | None:
        if freed.last + 2 > _TOP:
            raise DeclinedError("overflow")
        return super().right_of(freed)


class OnesStayApart(ListAllocator):
    """Neighbours are looked for as ranges of two units at least."""

    def left_of(self, freed: Gap) -> Gap | None:
        gap = super().left_of(freed)
        return None if gap is not None and gap.first == gap.last else gap

    def right_of(self, freed: Gap) -> Gap | None:
        gap = super().right_of(freed)
        return None if gap is not None and gap.first == gap.last else gap


class ExactLastUnit(ListAllocator):
    """An exact place of one unit has to begin before the last unit of its gap."""

    def exact(self, start: int, size: int, align: int, window: Gap) -> int | None:
        if size == 1 and any(gap.last == start for gap in self.gaps):
            return None
        return super().exact(start, size, align, window)


class LastMatchFromZero(ListAllocator):
    """The search from above takes the start 0 for "nothing found"."""

    def highest(self, size: int, align: int, window: Gap) -> int | None:
        return super().highest(size, align, window) or None


class NoRangeOfOne(ListAllocator):
    """A range whose end is not above its start counts as invalid."""

    def check(self, size: int, align: int) -> None:
        super().check(size, align)
        if size == 1:
            raise DeclinedError("invalid range")


class EndOffByOne(ListAllocator):
    """The end of the inclusive space is computed as if it were exclusive, once too often."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self.space = Gap(base, base + size - 2)
        self.gaps = [self.space] if size > 1 else []


class WrongRightNeighbour(ListAllocator):
    """The right neighbour is looked for after the start of the freed range, not after its end."""

    def right_of(self, freed: Gap) -> Gap | None:
        return super().right_of(Gap(freed.first, freed.first))


class AlignmentAfterExact(ListAllocator):
    """The builder checks the alignment that it knows when the exact place is set: none yet."""

    def exact(self, start: int, size: int, align: int, window: Gap) -> int | None:
        del align
        return super().exact(start, size, 1, window)


class FreeOfTheNextId(IdCounter):
    """The id that would be granted next passes for one that was granted: `<=` for `<`."""

    def is_live(self, number: int) -> bool:
        return self.base <= number <= self.next and number not in self.returned
