"""The searches of the gap tree: down to the leaves, past every slot whose bound is too low."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from .arithmetic import highest_start, is_aligned, lowest_start

if TYPE_CHECKING:
    from .gap_node import Node

BY_LENGTH: Final = 0
BY_ORDER: Final = 1
BY_ROOM: Final = 2


class Search:
    """What is looked for, and which bounds say where it may be.

    The bounds have to exceed `limit`. Those by length, and by order, tell exactly: apart from
    stale leaves, a search by them never goes down in vain. All bounds are made exact where a
    search does go down in vain, so that it happens once.
    """

    __slots__ = ("align", "first", "kind", "last", "limit", "span", "tightened")

    def __init__(self, span: int, align: int, first: int, last: int, grid: int) -> None:
        self.span = span
        self.align = align
        self.first = first
        self.last = last
        self.tightened = False  # a bound below has been made exact: those above follow
        self.kind = BY_ROOM
        self.limit = span
        if is_aligned(grid, align):
            self.kind = BY_LENGTH  # every gap starts at a multiple of `align`
        elif span == align - 1:
            self.kind = BY_ORDER  # only an aligned block will do, and any of that order does
            self.limit = align.bit_length() - 1

    def bounds(self, branch: Node) -> list[int] | bytearray:
        """Return the bounds of that kind, one per slot."""
        if self.kind == BY_LENGTH:
            return branch.longest
        return branch.orders if self.kind == BY_ORDER else branch.room(self.align)

    def learn(self, branch: Node, slot: int, fit: int | None) -> None:
        """Make the bounds of a slot that was searched exact, if they are known to be too high."""
        kid = branch.kids[slot]
        if fit is None:
            if self.kind == BY_ROOM:
                branch.room(self.align)[slot] = kid.most(self.align)
            if kid.stale:
                kid.stale = False
                self.tightened = True
        if self.tightened:
            branch.refresh(slot)


def lowest(node: Node, search: Search) -> int | None:
    """Return the lowest fit from `first` on. `None`, or one beyond `last`, if there is none."""
    starts, first = node.starts, search.first
    # The slot that `first` lies in, of which only a part counts. Below the node, it is none.
    cut = bisect_right(starts, first) - 1
    if not node.kids:
        stops, span = node.stops, search.span
        for slot in range(max(cut, 0), len(starts)):
            start, stop = max(starts[slot], first), stops[slot]
            if stop - start > span:
                fit = lowest_start(start, stop - 1, span, search.align)
                if fit is not None:
                    return fit
        return None
    bounds, limit = search.bounds(node), search.limit
    for slot in range(max(cut, 0), len(starts)):
        if bounds[slot] > limit:
            if search.last < starts[slot]:
                return None
            fit = lowest(node.kids[slot], search)
            if fit is None or search.tightened:
                search.learn(node, slot, fit)
            if fit is not None:
                return fit
    return None


def highest(node: Node, search: Search) -> int | None:
    """Return the highest fit up to `last`. `None`, or one below `first`, if there is none."""
    starts, last = node.starts, search.last
    cut = bisect_right(starts, last) - 1
    if not node.kids:
        stops, span = node.stops, search.span
        for slot in range(cut, -1, -1):
            start, end = starts[slot], min(stops[slot] - 1, last)
            if span <= end - start:
                fit = highest_start(start, end, span, search.align)
                if fit is not None:
                    return fit
        return None
    bounds, limit = search.bounds(node), search.limit
    for slot in range(cut, -1, -1):
        if bounds[slot] > limit:
            if slot < cut and starts[slot + 1] <= search.first:
                return None
            fit = highest(node.kids[slot], search)
            if fit is None or search.tightened:
                search.learn(node, slot, fit)
            if fit is not None:
                return fit
    return None
