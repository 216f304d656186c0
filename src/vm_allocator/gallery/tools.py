"""Bugs of kernels, libraries and tools: the cause of each, in code of our own.

The docstring of a class is the cause.
"""

from __future__ import annotations

from typing import ClassVar, Final

from .ranges import DeclinedError, Gap, ListAllocator, Options, Place

_WORD: Final = 2**64


class SizePlusAlignmentWraps(ListAllocator):
    """Size and alignment are added in 64 bits: the sum wraps, and a gap far too small will do."""

    def fits(self, part: Gap, start: int, size: int) -> bool:
        needed = (size + start - part.first) % _WORD
        return part.first <= start and needed <= part.last - part.first + 1


class AlignedInTheChunk(ListAllocator):
    """The offset in the space is aligned, and not the address."""

    def aligned_up(self, address: int, align: int) -> int:
        return self.space.first + super().aligned_up(address - self.space.first, align)

    def aligned_down(self, address: int, align: int) -> int:
        return self.space.first + super().aligned_down(address - self.space.first, align)


class RemovesTheWrongRegion(ListAllocator):
    """An overlap is seen late, and the region that is removed again is the last of the list."""

    def exact(self, start: int, size: int, align: int, window: Gap) -> int | None:
        found = super().exact(start, size, align, window)
        if found is None and self.held:
            last = max(self.held)
            self.give_back(Gap(last, last + self.held.pop(last) - 1))
        return found


class CleanUpReleasesOthers(ListAllocator):
    """A move that fails cleans up the new place, which it never held."""

    def relocate(self, old: Place, new: Place, options: Options) -> None:
        try:
            super().relocate(old, new, options)
        except DeclinedError:
            if new[0] != old[0] and self.held.get(new[0]) == new[1]:
                self.free(*new)
            raise


class RollBackDropsAll(ListAllocator):
    """A claim of several units that fails halfway drops all of them, those of others too."""

    def exact(self, start: int, size: int, align: int, window: Gap) -> int | None:
        found = super().exact(start, size, align, window)
        if found is None:
            claimed = Gap(start, start + size - 1)
            for held, units in list(self.held.items()):
                if claimed.holds(held, units):
                    self.free(held, units)
        return found


class RemovesWhileIterating(ListAllocator):
    """The list of what is to be freed is changed while it is gone through: half is skipped."""

    def give_back(self, freed: Gap) -> None:
        middle = (freed.first + freed.last) // 2
        halves = [Gap(freed.first, middle), Gap(middle + 1, freed.last)]
        parts = [half for half in halves if half.first <= half.last]
        for part in parts:
            parts.remove(part)
            super().give_back(part)


class GrowingFreesAll(ListAllocator):
    """The space grows when it is full, and the list of gaps is begun anew: all is free again."""

    profile: ClassVar[dict[str, object]] = {
        "operations": ["allocate", "free"],
        "policies": ["first"],
    }

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self.gaps = [Gap(base, base + (size - 1) // 2)]
        self.grown = False

    def lowest(self, size: int, align: int, window: Gap) -> int | None:
        found = super().lowest(size, align, window)
        if found is None and not self.grown:
            self.grown, self.gaps = True, [self.space]
            found = super().lowest(size, align, window)
        return found
