"""The gap index: the one data structure, behind a small interface.

An index holds the live ranges of one space, and thereby its gaps. Both ends of
every range are inclusive and every number is a plain int. Sizes appear as
*spans* (size - 1), which fit 64 bits even for the whole of 2^64.

`SortedGaps` is the reference implementation: simple, and linear in the number of gaps
where it searches for room. `GapTree` (`gap_tree.py`) keeps the same contract, and is fast.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from .arithmetic import highest_start, lowest_start
from .compiled import mypyc_attr
from .errors import hold
from .ordered import OrderedMap, SortedMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class GapIndex(Protocol):
    """What an allocator needs of its index. Preconditions are the caller's to keep.

    An exception that comes from without, such as a `KeyboardInterrupt` at any moment, leaves the
    live ranges as they were before the call, or as they are after it, and the index whole.
    """

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Return the lowest aligned start of `span + 1` free units within `first` to `last`.

        `None` only if nothing fits. Needs `base <= first <= last <= the space's last`,
        `span >= 0` and a power of two for `align`.
        """
        ...

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Return the highest such start; otherwise as `lowest_fit`."""
        ...

    def lowest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        """Return what `lowest_fit` would find `count` times, each found range added in between.

        Fewer only if no more fit. Nothing is added. Needs `count >= 1`, and what
        `lowest_fit` needs.
        """
        ...

    def highest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        """Return what `highest_fit` would find; otherwise as `lowest_fits`."""
        ...

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the lowest live range that meets `start` to `end`; `None` if all is free.

        Needs `base <= start <= end <= the space's last`.
        """
        ...

    def is_live(self, start: int, end: int) -> bool:
        """Whether exactly `start` to `end` is a live range. Needs what `overlapping` needs."""
        ...

    def add(self, start: int, end: int) -> None:
        """Make `start` to `end` live. Needs all of it to be free."""
        ...

    def add_all(self, starts: Sequence[int], span: int) -> None:
        """Make `span + 1` units from each start live.

        Needs all of these ranges to be free, and no two of them to meet.
        """
        ...

    def remove(self, start: int, end: int) -> None:
        """Free `start` to `end`. Needs exactly that range to be live."""
        ...

    def __len__(self) -> int:
        """Return the number of live ranges."""
        ...

    def live(self) -> Iterator[tuple[int, int]]:
        """Iterate over the live ranges, lowest first."""
        ...

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Iterate over the maximal free ranges, lowest first."""
        ...

    def copy(self) -> GapIndex:
        """Return an equal, independent index."""
        ...

    def _check(self) -> None:
        """Raise `BrokenInvariantError`, with the state, when the structure is damaged."""
        ...


@mypyc_attr(allow_interpreted_subclasses=True)
class SortedGaps:
    """The reference index: live ranges and gaps in two sorted maps from start to end.

    `overlapping`, `is_live`: O(log n). `add`, `remove`: O(log n) searches in sorted lists.
    `lowest_fit`, `highest_fit`: O(number of gaps in the window). `lowest_fits`,
    `highest_fits`: the same, and O(log n) for each start. `add_all`: as many `add`s.
    """

    __slots__ = ("_base", "_gaps", "_last", "_live")

    def __init__(self, base: int, last: int) -> None:
        self._base = base
        self._last = last
        self._live: OrderedMap = SortedMap()
        self._gaps: OrderedMap = SortedMap({base: last})

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start, end in self._gaps.ascending(self._first_reaching(first), last):
            fit = lowest_start(max(start, first), min(end, last), span, align)
            if fit is not None:
                return fit
        return None

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start, end in self._gaps.descending(self._first_reaching(first), last):
            fit = highest_start(max(start, first), min(end, last), span, align)
            if fit is not None:
                return fit
        return None

    def lowest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        # Below a range that was found there is no more room, and above it all is as it was:
        # so the next one is the lowest above it, whether or not the first one is live.
        starts: list[int] = []
        for _ in range(count):
            fit = self.lowest_fit(span, align, first, last)
            if fit is None:
                break
            starts.append(fit)
            taken = fit + span
            if taken == last:
                break
            first = taken + 1
        return starts

    def highest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        starts: list[int] = []
        for _ in range(count):
            fit = self.highest_fit(span, align, first, last)
            if fit is None:
                break
            starts.append(fit)
            if fit == first:
                break
            last = fit - 1
        return starts

    def _first_reaching(self, address: int) -> int:
        """Return the start of the gap over `address`, or `address` itself if it is live."""
        below = self._gaps.floor(address)
        return address if below is None or below[1] < address else below[0]

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        # At most one live range starts below `start`, and it is the lowest candidate.
        below = self._live.floor(start)
        if below is not None and start <= below[1]:
            return below
        above = self._live.ceiling(start)
        return None if above is None or end < above[0] else above

    def is_live(self, start: int, end: int) -> bool:
        found = self._live.floor(start)
        return found is not None and found[0] == start and found[1] == end

    def add(self, start: int, end: int) -> None:
        try:
            gap = self._gaps.floor(start)
            assert gap is not None  # noqa: S101  # what `add` needs: `start` to `end` is free
            if gap[0] < start:
                self._gaps.put(gap[0], start - 1)
            else:
                self._gaps.delete(start)
            if end < gap[1]:
                self._gaps.put(end + 1, gap[1])
            self._live.put(start, end)
        except BaseException:  # an interrupt may come between any two steps
            self._mend()
            raise

    def add_all(self, starts: Sequence[int], span: int) -> None:
        try:
            for start in starts:
                self.add(start, start + span)
        except BaseException:  # likewise: none of them, then
            for start in starts:
                if self.is_live(start, start + span):
                    self.remove(start, start + span)
            raise

    def remove(self, start: int, end: int) -> None:
        try:
            self._live.delete(start)
            left, right = self._gaps.floor(start), self._gaps.ceiling(start)
            # Nothing lies below the base or above the last, so that no sum leaves 64 bits.
            if right is not None and right[0] - 1 == end:
                self._gaps.delete(right[0])
                end = right[1]
            if left is not None and left[1] + 1 == start:
                start = left[0]
            self._gaps.put(start, end)
        except BaseException:  # likewise
            self._mend()
            raise

    def _mend(self) -> None:
        """Be whole again, after an exception: the live ranges are true, and give the gaps. O(n)."""
        self._live.mend()
        gaps, below = {}, self._base
        for start, end in self._live.items():
            if below < start:
                gaps[below] = start - 1
            below = end + 1
        if below <= self._last:
            gaps[below] = self._last
        self._gaps = SortedMap(gaps)

    def __len__(self) -> int:
        return len(self._live)

    def live(self) -> Iterator[tuple[int, int]]:
        return self._live.items()

    def gaps(self) -> Iterator[tuple[int, int]]:
        return self._gaps.items()

    def copy(self) -> SortedGaps:
        twin = type(self)(self._base, self._last)
        twin._live = self._live.copy()  # noqa: SLF001  # of this very class
        twin._gaps = self._gaps.copy()  # noqa: SLF001  # likewise
        return twin

    def _check(self) -> None:
        state = f"space {self._base}-{self._last}, live {self._live}, gaps {self._gaps}"
        pieces = sorted(
            [(*item, "live") for item in self._live.items()]
            + [(*item, "gap") for item in self._gaps.items()]
        )
        neighbours = list(pairwise(pieces))
        hold("every piece is well formed", all(low <= high for low, high, _ in pieces), state)
        # Slices, since a damaged index may hold nothing at all.
        first, last = [low for low, _, _ in pieces[:1]], [high for _, high, _ in pieces[-1:]]
        hold("the pieces start at the base", first == [self._base], state)
        hold("the pieces end at the last", last == [self._last], state)
        hold(
            "no two pieces overlap, and nothing lies between them",
            all(low[1] + 1 == high[0] for low, high in neighbours),
            state,
        )
        hold(
            "no two gaps touch",
            not any(low[2] == high[2] == "gap" for low, high in neighbours),
            state,
        )
