"""Bugs in a gap index: each class is the reference index with one mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm_allocator.address import AddressAllocator
from vm_allocator.arithmetic import align_down, highest_start, lowest_start
from vm_allocator.gaps import SortedGaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.resource import GuestAddress, GuestUsize


def allocator_on(index: type[SortedGaps]) -> type[AddressAllocator]:
    """The correct allocator over an index that is not."""

    class OnSeededIndex(AddressAllocator):
        def __init__(self, base: GuestAddress, size: GuestUsize, alignment: int = 1) -> None:
            super().__init__(base, size, alignment)
            self._index = index(self._base, self._last)

    return OnSeededIndex


class SplitLeavesOneTooMany(SortedGaps):
    """The gap below a new range keeps the first address of that range."""

    def add(self, start: int, end: int) -> None:
        super().add(start, end)
        below = self._gaps.floor(start)
        if below is not None and below[1] == start - 1:
            self._gaps.put(below[0], start)


class SplitLosesOne(SortedGaps):
    """The gap above a new range starts one too high."""

    def add(self, start: int, end: int) -> None:
        super().add(start, end)
        above = self._gaps.ceiling(end)
        if above is not None and above[0] == end + 1:
            self._gaps.delete(end + 1)
            if end + 2 <= above[1]:
                self._gaps.put(end + 2, above[1])


class NoCoalescingOnTheLeft(SortedGaps):
    """A freed range is not joined to the gap below it."""

    def remove(self, start: int, end: int) -> None:
        self._live.delete(start)
        above = self._gaps.ceiling(end)
        if above is not None and above[0] == end + 1:
            self._gaps.delete(end + 1)
            end = above[1]
        self._gaps.put(start, end)


class NoCoalescingOnTheRight(SortedGaps):
    """A freed range is not joined to the gap above it."""

    def remove(self, start: int, end: int) -> None:
        above = self._gaps.ceiling(end)
        super().remove(start, end)
        joined = self._gaps.floor(start)
        if joined is not None and above is not None and above[0] == end + 1:
            self._gaps.put(joined[0], end)
            self._gaps.put(*above)


class FirstMatchIgnoresAlignment(SortedGaps):
    """The lowest start is taken as it comes."""

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        del align
        return super().lowest_fit(span, 1, first, last)


class FirstMatchTriesOneGap(SortedGaps):
    """The first gap that is large enough is the only one tried, whether aligned room is in it."""

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start, end in self._gaps.items():
            low, high = max(start, first), min(end, last)
            if low + span <= high:
                return lowest_start(low, high, span, align)
        return None


class FirstMatchWrapsAtTheEnd(SortedGaps):
    """Rounding up to the alignment wraps to 0, as an unsigned 64-bit sum does."""

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start, end in self._gaps.items():
            low, high = max(start, first), min(end, last)
            aligned = (low + align - 1) % 2**64 & -align
            if low <= high and (aligned + span) % 2**64 <= high:
                return aligned
        return None


class LastMatchIsLowerThanPossible(SortedGaps):
    """The highest gap with room is the right one, but its lowest start is taken."""

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start, end in self._gaps.descending(self._base, self._last):
            low, high = max(start, first), min(end, last)
            if low <= high and highest_start(low, high, span, align) is not None:
                return lowest_start(low, high, span, align)
        return None


class LastMatchAlignsTheEnd(SortedGaps):
    """The end of the gap is rounded down, and not the start: too low, or not aligned at all."""

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start, end in self._gaps.descending(self._base, self._last):
            low, high = max(start, first), min(end, last)
            fit = align_down(high, align) - span
            if low <= fit:
                return fit
        return None


class WindowIgnored(SortedGaps):
    """The search runs over the whole space."""

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        del first, last
        return super().lowest_fit(span, align, self._base, self._last)


class RefusesAnExactFit(SortedGaps):
    """`<` where `<=` is meant: a gap that is filled to its last unit does not count."""

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start, end in self._gaps.items():
            low, high = max(start, first), min(end, last) - 1
            fit = lowest_start(low, high, span, align) if low <= high else None
            if fit is not None:
                return fit
        return None


class ManySkipAFit(SortedGaps):
    """Every other one of the fits."""

    def lowest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        return super().lowest_fits(2 * count, span, align, first, last)[::2]


class ManyOverlap(SortedGaps):
    """The next is looked for from the next address on, in the range that was just found."""

    def lowest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        starts: list[int] = []
        while len(starts) < count and first <= last:
            fit = self.lowest_fit(span, align, first, last)
            if fit is None:
                break
            starts.append(fit)
            first = fit + 1
        return starts


class ManyWithoutTheLast(SortedGaps):
    """The last of many is found, and not added."""

    def add_all(self, starts: Sequence[int], span: int) -> None:
        super().add_all(starts[:-1] if len(starts) > 1 else starts, span)


class OverlapLooksAtOneNeighbour(SortedGaps):
    """Only the live range at or below the start is looked at, and none above it."""

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        del end
        return super().overlapping(start, start)


class CopySharesItsGaps(SortedGaps):
    """The copy has live ranges of its own, and the gaps of the original."""

    def copy(self) -> CopySharesItsGaps:
        twin = type(self)(self._base, self._last)
        twin._live = self._live.copy()
        twin._gaps = self._gaps
        return twin
