"""What a gap index promises, in the words of the model.

The allocators are proved against this, and every concrete index is held to it: it is the one
place where the promise is written. It is code of the modelling language, so it also *is* an
index: a slow one, over a state of the model, on plain ints or on symbolic ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spec.model import (
    MAX_ALIGNMENT,
    NO_SPACE,
    Allocator,
    Request,
    has_room,
    highest_start,
    lowest_start,
    overlaps,
)
from vm_allocator.modelling import Range, Step, demand, is_power_of_two, repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class IndexContract:
    """The live ranges of `state`, searched and changed as an index does.

    `demand` is told each precondition. A caller's proof claims it; an implementer's test
    takes it as the limit of what may be asked.
    """

    def __init__(self, state: Allocator, demand: Callable[[bool], None]) -> None:
        self.state = state
        self._demand = demand

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Return the lowest aligned start of `span + 1` free units within `first` to `last`."""
        request = self._request(span, align, first, last)
        gap = self.state.gaps().lowest(lambda gap: has_room(gap, request))
        return None if gap is None else lowest_start(gap, request)

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Return the highest aligned start of `span + 1` free units within `first` to `last`."""
        request = self._request(span, align, first, last)
        gap = self.state.gaps().highest(lambda gap: has_room(gap, request))
        return None if gap is None else highest_start(gap, request)

    def lowest_fits(
        self, count: int, span: int, align: int, first: int, last: int
    ) -> Sequence[int]:
        """Return what `lowest_fit` finds, each found range added before the next search.

        These are `count` starts, or fewer: as many as fit. The state stays as it is.
        """
        self._request(span, align, first, last)
        return self._fits(count, span, lambda one: one.lowest_fit(span, align, first, last))

    def highest_fits(
        self, count: int, span: int, align: int, first: int, last: int
    ) -> Sequence[int]:
        """Return what `highest_fit` finds; otherwise likewise."""
        self._request(span, align, first, last)
        return self._fits(count, span, lambda one: one.highest_fit(span, align, first, last))

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the lowest live range that shares an address with `start` to `end`."""
        self._demand_range(start, end)
        return self.state.live.lowest(lambda live: overlaps(live, Range(start, end)))

    def is_live(self, start: int, end: int) -> bool:
        """Whether exactly `start` to `end` is live."""
        self._demand_range(start, end)
        return Range(start, end) in self.state.live

    def add(self, start: int, end: int) -> None:
        """Make `start` to `end` live, all of which must be free."""
        self._demand_range(start, end)
        new = Range(start, end)
        self._demand(self.state.is_free(new))
        # What was asked for is not an index's to know: that it was 1 is true of every start.
        asked = self.state.asked.put(start, 1)
        self.state = replace(self.state, live=self.state.live.with_range(new), asked=asked)

    def add_all(self, starts: Sequence[int], span: int) -> None:
        """Make `span + 1` units from each of the starts live, one range after the other."""
        for start in starts:
            self.add(start, start + span)

    def remove(self, start: int, end: int) -> None:
        """Free `start` to `end`, which must be live exactly so."""
        old = Range(start, end)
        self._demand(old in self.state.live)
        self.state = replace(self.state, live=self.state.live.without(old))

    def _fits(
        self, count: int, span: int, search: Callable[[IndexContract], int | None]
    ) -> Sequence[int]:
        def take(state: Allocator) -> Step[Allocator]:
            one = IndexContract(state, self._demand)
            start = demand(search(one), NO_SPACE)
            one.add(start, start + span)
            return Step(one.state, Range(start, start + span))

        self._demand(count >= 1)
        return repeat(count, self.state, take).starts

    def _demand_range(self, start: int, end: int) -> None:
        """Every range that an index is asked about lies in its space and is not empty."""
        self._demand(self.state.base <= start <= end <= self.state.last)

    def _request(self, span: int, align: int, first: int, last: int) -> Request:
        self._demand(span >= 0)
        self._demand(1 <= align <= MAX_ALIGNMENT and is_power_of_two(align))
        self._demand_range(first, last)
        return Request(span + 1, align, Range(first, last))
