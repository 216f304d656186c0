"""The gap index: the one data structure, behind a small interface.

An index holds the live ranges of one space, and thereby its gaps. Both ends of
every range are inclusive and every number is a plain int. Sizes appear as
*spans* (size - 1), which fit 64 bits even for the whole of 2^64.

`SortedGaps` is the reference implementation: simple, and linear in the number of
gaps where it searches for room.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from sortedcontainers import SortedDict

from .arithmetic import highest_start, lowest_start
from .errors import hold

if TYPE_CHECKING:
    from collections.abc import Iterator


class GapIndex(Protocol):
    """What an allocator needs of its index. Preconditions are the caller's to keep."""

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Return the lowest aligned start of `span + 1` free units within `first` to `last`.

        `None` only if nothing fits. Needs `base <= first <= last <= the space's last`,
        `span >= 0` and a power of two for `align`.
        """
        ...

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Return the highest such start; otherwise as `lowest_fit`."""
        ...

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the lowest live range that meets `start` to `end`; `None` if all is free.

        Needs `start <= end`.
        """
        ...

    def is_live(self, start: int, end: int) -> bool:
        """Whether exactly `start` to `end` is a live range."""
        ...

    def add(self, start: int, end: int) -> None:
        """Make `start` to `end` live. Needs all of it to be free."""
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


class SortedGaps:
    """The reference index: live ranges and gaps in two sorted maps from start to end.

    `overlapping`, `is_live`: O(log n). `add`, `remove`: O(log n) searches in sorted lists.
    `lowest_fit`, `highest_fit`: O(number of gaps in the window).
    """

    __slots__ = ("_base", "_gaps", "_last", "_live")

    def __init__(self, base: int, last: int) -> None:
        self._base = base
        self._last = last
        self._live: SortedDict[int, int] = SortedDict()
        self._gaps: SortedDict[int, int] = SortedDict({base: last})

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start in self._gaps.irange(self._first_reaching(first), last):
            fit = lowest_start(max(start, first), min(self._gaps[start], last), span, align)
            if fit is not None:
                return fit
        return None

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        for start in self._gaps.irange(self._first_reaching(first), last, reverse=True):
            fit = highest_start(max(start, first), min(self._gaps[start], last), span, align)
            if fit is not None:
                return fit
        return None

    def _first_reaching(self, address: int) -> int:
        """Return the start of the gap over `address`, or `address` itself if it is live."""
        below = self._gaps.bisect_right(address) - 1
        if below >= 0:
            start, end = self._gaps.peekitem(below)
            if address <= end:
                return start
        return address

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        # At most one live range starts at or below `start`, and it is the lowest candidate.
        position = self._live.bisect_right(start)
        if position > 0:
            live_start, live_end = self._live.peekitem(position - 1)
            if start <= live_end:
                return live_start, live_end
        if position < len(self._live):
            live_start, live_end = self._live.peekitem(position)
            if live_start <= end:
                return live_start, live_end
        return None

    def is_live(self, start: int, end: int) -> bool:
        return self._live.get(start) == end

    def add(self, start: int, end: int) -> None:
        gap_start, gap_end = self._gaps.peekitem(self._gaps.bisect_right(start) - 1)
        if gap_start < start:
            self._gaps[gap_start] = start - 1
        else:
            del self._gaps[gap_start]
        if end < gap_end:
            self._gaps[end + 1] = gap_end
        self._live[start] = end

    def remove(self, start: int, end: int) -> None:
        del self._live[start]
        below = self._gaps.bisect_left(start) - 1
        if below >= 0:
            left_start, left_end = self._gaps.peekitem(below)
            if left_end == start - 1:
                start = left_start
        # end + 1 may be 2^64, which is no gap's start.
        end = self._gaps.pop(end + 1, end)
        self._gaps[start] = end

    def __len__(self) -> int:
        return len(self._live)

    def live(self) -> Iterator[tuple[int, int]]:
        return iter(self._live.items())

    def gaps(self) -> Iterator[tuple[int, int]]:
        return iter(self._gaps.items())

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
