"""Random requests that are likely to matter in a given state.

Addresses and sizes drawn at large from 2^64 never meet. Most draws here come from
what the state is made of instead: the ends of live ranges and gaps and the numbers
next to them, their sizes, less one and plus one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from vm_allocator.policy import ExactMatch, FirstMatch, LastMatch, Policy
from vm_allocator.ranges import RangeInclusive
from vm_allocator.resource import MAX_COUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from spec.model import Allocator
    from vm_allocator.modelling import Range

T = TypeVar("T")

SMALL_ALIGNMENTS: Final = (1, 2, 2, 4, 4, 8, 16, 32, 64)
BIG_ALIGNMENTS: Final = (1, 2, 4, 16, 0x1000, 1 << 31, 1 << 32, 1 << 62, 1 << 63)
INVALID_ALIGNMENTS: Final = (0, -1, 3, 6, -8, (1 << 63) + 1, 1 << 64)

_RARELY: Final = 15  # one draw in this many is of the uncommon kind
_EVERY_NUMBER: Final = 64  # spaces up to this size are drawn from at large, too


@dataclass(frozen=True)
class Requests:
    """Draws for one state of the oracle. Sizes are at least 1 unless they are invalid on purpose.

    Ranges may reach out of the space on either side: refusals are half of what is checked.
    """

    chance: Random
    model: Allocator
    alignments: Sequence[int]

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of the options."""
        return self.chance.choice(options)

    def rarely(self) -> bool:
        """Draw `True` one time in many."""
        return self.chance.randrange(_RARELY) == 0

    def live(self) -> Range:
        """Draw a live range; there must be one."""
        return self.pick(self._live())

    def gap(self) -> Range:
        """Draw a gap; there must be one."""
        return self.pick(self._gaps())

    def place(self) -> int:
        """Draw an address, or an id: next to what is there, or anywhere in a small space."""
        low, high, top = self.model.base, self.model.last, self.model.top
        if self.rarely():
            return self.pick(_unique([0, low - 1, high + 1, top, top + 1, -1]))
        if high - low < _EVERY_NUMBER and self.pick((True, False)):
            return self.chance.randint(low, high)
        near = [low, high]
        for start, end in (*self._live(), *self._gaps()):
            near += [start, end, start - 1, start + 1, end - 1, end + 1, (start + end) // 2]
        return self.pick(_unique(near))

    def size(self) -> int:
        """Draw a valid size: small, or near that of a live range, a gap or the space."""
        if self.pick((True, False)):
            return self.pick((1, 2, 3, 4))
        most = self.model.top + 1
        sizes = [1, 2, 3, 4, 5, 7, 8, 15, 16]
        for start, end in (*self._live(), *self._gaps(), (self.model.base, self.model.last)):
            units = end - start + 1
            sizes += [units, units - 1, units + 1, units // 2]
        return self.pick([size for size in _unique([*sizes, most]) if 1 <= size <= most])

    def any_size(self) -> int:
        """Draw a size that is now and then invalid."""
        if self.rarely():
            most = self.model.top + 1
            return self.pick((0, -1, most + 1, 2 * most))
        return self.size()

    def count(self) -> int:
        """Draw a number of ranges: few, now and then more than a leaf or a chunk holds."""
        return self.pick((1, 2, 2, 3, 4, 5, 9, 17, 40))

    def any_count(self) -> int:
        """Draw a number of ranges that is now and then invalid."""
        return self.pick((0, -1, MAX_COUNT + 1, 2**64)) if self.rarely() else self.count()

    def filling(self) -> tuple[int, int, RangeInclusive[int]]:
        """Draw a count, a size, and a window in a gap with room for all of them, or one less."""
        start, end = self.gap()
        size = self.pick((1, 1, 2, 3))
        count = max(1, min((end - start + 1) // size, self.pick((1, 2, 3, 5, 9))))
        low = self.pick((start, end - count * size + 1))
        return count + self.rarely(), size, self.span(low, count * size)

    def align(self) -> int | None:
        """Draw an alignment: the default, a power of two, now and then something invalid."""
        if self.rarely():
            return self.pick(INVALID_ALIGNMENTS)
        return self.pick((None, None, *self.alignments))

    def prefer(self) -> int | None:
        """Draw an alignment to be preferred: mostly none."""
        return self.align() if self.pick((False, False, True)) else None

    def owner(self) -> str | None:
        """Draw whose a range is: mostly nobody's."""
        return self.pick((None, None, None, "disk", "nic"))

    def align_for_exact(self) -> int | None:
        """Draw an alignment for a given start: mostly 1, which does not hide other refusals."""
        return self.align() if self.pick((False, False, True)) else 1

    def window(self) -> RangeInclusive[int] | None:
        """Draw a window: often none, else partly or wholly within the space, or outside it."""
        if self.pick((True, True, True, False)):
            return None
        first, last = sorted((max(0, self.place()), max(0, self.place())))
        return RangeInclusive(first, last)

    def order(self) -> Policy[int] | None:
        """Draw a policy that leaves the place open."""
        return self.pick((None, FirstMatch, LastMatch))

    def exactly(self, start: int) -> tuple[int | None, Policy[int] | None]:
        """Draw one of the ways to insist on a start: by resource, by policy, by both."""
        exact = ExactMatch(start)
        return self.pick(((start, None), (None, exact), (start, exact)))

    def near(self, one: Range) -> tuple[int, int]:
        """Draw the start and size of a range that overlaps the given one, or touches it."""
        start, end = one
        before = start - self.pick((1, 2, 3))
        low = self.pick((start, before, start + 1, (start + end) // 2, end, end + 1))
        high = self.pick((end, start, end + 1, end + 2, start - 1, low, (start + end) // 2))
        return low, max(low, high) - low + 1

    def slide(self, one: Range) -> tuple[int, int]:
        """Draw the start and size of the same range moved up or down by less than its size."""
        start, end = one
        by = self.pick(_unique((1, 2, (end - start + 1) // 2, end - start)))
        return self.pick((start + by, start - by)), end - start + 1

    def several_live(self) -> list[Range]:
        """Draw one to four live ranges in any order, now and then one of them twice."""
        live = self._live()
        drawn = self.chance.sample(live, min(len(live), self.pick((1, 2, 2, 3, 4))))
        return [*drawn, drawn[0]] if self.rarely() else drawn

    def span(self, start: int, size: int) -> RangeInclusive[int]:
        """Return that range, or what of it is left of zero: no range lies there."""
        low = max(start, 0)
        return RangeInclusive(low, max(low, start + size - 1))

    def changes(self) -> list[tuple[RangeInclusive[int] | None, RangeInclusive[int] | None]]:
        """Draw up to four changes of one live range, or none, into one range, or none."""
        live = self._live()
        old = self.several_live() if live else []
        changes: list[tuple[RangeInclusive[int] | None, RangeInclusive[int] | None]] = []
        for _ in range(self.pick((0, 1, 2, 2, 3, 4))):
            before = self.span(old[0].start, old[0].end - old[0].start + 1) if old else None
            where = self.pick((None, self.place()))
            if self.pick((True, False)) and old:
                new: RangeInclusive[int] | None = self.span(*self.near(old[0]))
            else:
                new = None if where is None else self.span(where, self.pick((1, 1, 2, self.size())))
            if self.rarely():
                before = self.span(self.place(), self.size())
            if before is not None or new is not None:
                changes.append((before, new))
            old = old[1:]
        return changes

    def _live(self) -> list[Range]:
        return list(self.model.live)  # type: ignore[call-overload, no-any-return]  # finite

    def _gaps(self) -> list[Range]:
        return list(self.model.gaps())  # type: ignore[call-overload, no-any-return]  # finite


def _unique(values: Iterable[int]) -> list[int]:
    """Drop repetitions and keep the order."""
    return list(dict.fromkeys(values))
