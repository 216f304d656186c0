"""`GapTree`: the gap index that stays fast. `docs/gap-index.md` draws it and gives numbers.

A B+ tree over the gaps, empty ones included: n live ranges have n + 1 gaps, each live
range lies between two neighbours, and so one structure holds both and nothing is ever
coalesced. The branches hold upper bounds of what the gaps below them have room for, by
which a search passes over everything that cannot fit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from .errors import hold
from .gap_check import check_tree
from .gap_node import Node, branch_of, leaf_of, measures
from .gap_search import Search, highest, lowest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CAPACITY: Final = 48
"""Slots of a node: from 24 to 64 there is little difference."""

SLACK: Final = 256
"""Leaves whose bounds may be too high at a time: what a search may visit for nothing."""


class GapTree:
    """A gap index with logarithmic operations; `n` is the number of live ranges.

    `overlapping`, `is_live`, `add`, `remove`: O(log n), worst case.
    `lowest_fit`, `highest_fit`: O(log n) and a visit of at most `slack` leaves, worst case,
    for `align` 1, for an alignment that all gaps start at, for a size of `align`, and for an
    `align` that no address of a gap has. For others O(log n) amortised: a search that visits
    a leaf in vain leaves a bound behind that spares the next one the visit.

    >>> index = GapTree(0, 99)
    >>> index.add(0, 9); index.add(12, 99)
    >>> index.lowest_fit(1, 1, 0, 99), index.lowest_fit(1, 4, 0, 99), list(index.gaps())
    (10, None, [(10, 11)])
    """

    __slots__ = (
        "_base",
        "_capacity",
        "_grid",
        "_last",
        "_least",
        "_len",
        "_root",
        "_slack",
        "_stale",
    )

    def __init__(
        self, base: int, last: int, *, capacity: int = CAPACITY, slack: int = SLACK
    ) -> None:
        self._base = base
        self._last = last
        self._capacity = capacity  # most slots of a node, at least 4
        self._least = max(2, capacity // 4)  # least slots of a node other than the root
        self._slack = slack
        self._len = 0
        # All bits that the start of some gap has or had: below the lowest, all are aligned.
        self._grid = base
        # An address in each stale leaf, in the order in which they became so.
        self._stale: deque[int] = deque()
        self._root = leaf_of([base], [last + 1])

    @classmethod
    def from_live(
        cls,
        base: int,
        last: int,
        ranges: Iterable[tuple[int, int]],
        *,
        capacity: int = CAPACITY,
        slack: int = SLACK,
    ) -> GapTree:
        """Return the index with these live ranges. O(n).

        Needs the ranges lowest first, and none to overlap another or to leave the space.
        """
        tree = cls(base, last, capacity=capacity, slack=slack)
        starts, stops = [base], []
        grid = base
        for start, end in ranges:
            stops.append(start)
            starts.append(end + 1)
            grid |= end + 1
        stops.append(last + 1)
        tree._len = len(starts) - 1
        tree._grid = grid
        tree._root = _built(starts, stops, capacity)
        return tree

    # ---- searches

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """See `GapIndex`; for the cost, the class."""
        fit = lowest(self._root, Search(span, align, first, last, self._grid))
        return None if fit is None or last - fit < span else fit

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """See `GapIndex`; for the cost, the class."""
        fit = highest(self._root, Search(span, align, first, last, self._grid))
        return None if fit is None or fit < first else fit

    def lowest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        """See `GapIndex`."""
        return self._fits(self.lowest_fit, count, span, align, first, last)

    def highest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        """See `GapIndex`."""
        return self._fits(self.highest_fit, count, span, align, first, last)

    def _fits(
        self, search: Callable[..., int | None], count: int, span: int, *request: int
    ) -> list[int]:
        starts: list[int] = []
        while len(starts) < count:
            fit = search(span, *request)
            if fit is None:
                break
            starts.append(fit)
            self.add(fit, fit + span)
        for start in starts:
            self.remove(start, start + span)
        return starts

    # ---- what is live

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        """See `GapIndex`. O(log n)."""
        _, above, stop = self._around(start)
        if start < stop:
            # `start` is free: the next live range begins where its gap stops.
            if end < stop or self._last < stop:
                return None
            return stop, self._around(stop)[1] - 1
        return stop, above - 1

    def is_live(self, start: int, end: int) -> bool:
        """See `GapIndex`. O(log n)."""
        _, above, stop = self._around(start)
        return stop == start and above - 1 == end

    def _around(self, address: int) -> tuple[int, int, int]:
        """Return the start of the gap at or below `address`, of the next one, and its own stop.

        After the last gap comes `last` + 2.
        """
        node = self._root
        above = self._last + 2
        while True:
            starts = node.starts
            slot = bisect_right(starts, address)
            if slot < len(starts):
                above = starts[slot]
            if not node.kids:
                return starts[slot - 1], above, node.stops[slot - 1]
            node = node.kids[slot - 1]

    # ---- changes

    def add(self, start: int, end: int) -> None:
        """See `GapIndex`. O(log n)."""
        path, leaf, slot = self._path(start)
        gap, stop = leaf.starts[slot], leaf.stops[slot]
        if path and not leaf.stale:
            branch, position = path[-1]
            # The bounds may only be too high now if they were those of this very gap.
            if (
                stop - gap >= branch.longest[position]
                or leaf.orders[slot] >= branch.orders[position]
                or leaf.tops[slot] >= branch.tops[position]
            ):
                leaf.stale = True
                self._stale.append(gap)
        leaf.stops[slot] = start
        leaf.orders[slot], leaf.tops[slot] = measures(gap, start)
        leaf.starts.insert(slot + 1, end + 1)
        leaf.stops.insert(slot + 1, stop)
        order, top = measures(end + 1, stop)
        leaf.orders.insert(slot + 1, order)
        leaf.tops.insert(slot + 1, top)
        self._grid |= end + 1
        self._len += 1
        if len(leaf.starts) > self._capacity:
            self._grow(path, leaf)
        if len(self._stale) > self._slack:
            self._tighten(self._stale.popleft())

    def add_all(self, starts: Sequence[int], span: int) -> None:
        """See `GapIndex`."""
        for start in starts:
            self.add(start, start + span)

    def remove(self, start: int, end: int) -> None:
        """See `GapIndex`. O(log n)."""
        path, leaf, slot = self._path(start)
        if slot + 1 < len(leaf.starts):
            stop = leaf.stops[slot + 1]
            self._delete_gap(leaf, slot + 1)
        else:
            # The gap above is the first one of the next leaf, which may have no other.
            above, other, first = self._path(end + 1)
            stop = other.stops[first]
            self._delete_gap(other, first)
            self._settle(above, other)
            path, leaf, slot = self._path(start)
        gap = leaf.starts[slot]
        order, top = measures(gap, stop)
        leaf.stops[slot], leaf.orders[slot], leaf.tops[slot] = stop, order, top
        self._len -= 1
        self._lift(path, gap, stop, order, top)
        if len(leaf.starts) < self._least:
            self._settle(path, leaf)

    @staticmethod
    def _delete_gap(leaf: Node, slot: int) -> None:
        # Its leaf does not become stale: the gap lives on in a larger one, see `remove`.
        del leaf.starts[slot], leaf.stops[slot]
        del leaf.orders[slot], leaf.tops[slot]

    def _path(self, address: int) -> tuple[Path, Node, int]:
        """Return the branches and their slots on the way to `address`, its leaf, and its gap."""
        path: Path = []
        node = self._root
        while node.kids:
            slot = bisect_right(node.starts, address) - 1
            path.append((node, slot))
            node = node.kids[slot]
        return path, node, bisect_right(node.starts, address) - 1

    # ---- the bounds

    def _lift(self, path: Path, start: int, stop: int, order: int, top: int) -> None:
        """Raise the bounds above a gap that has grown."""
        for branch, slot in path:
            branch.lift_rooms(slot, start, stop)
        for branch, slot in reversed(path):
            # A bound of a branch is that of its best slot: what does not exceed it here ...
            if not branch.lift(slot, stop - start, order, top):
                return  # ... exceeds nothing further up.

    def _tighten(self, address: int) -> None:
        """Make the bounds above the leaf at this address exact again, if they are not."""
        path, leaf, _ = self._path(address)
        if leaf.stale:
            leaf.stale = False
            for branch, slot in reversed(path):
                if not branch.refresh(slot):
                    return

    # ---- the shape

    def _grow(self, path: Path, node: Node) -> None:
        """Split the node, and the branches above that have no room for one more slot."""
        for branch, slot in reversed(path):
            if len(node.starts) > self._capacity:
                upper = node.split()
                node.stale = False
                branch.insert_kid(slot + 1, upper)
            branch.refresh(slot)
            node = branch
        if len(node.starts) > self._capacity:
            self._root = Node()
            upper = node.split()
            node.stale = False
            self._root.insert_kid(0, node)
            self._root.insert_kid(1, upper)

    def _settle(self, path: Path, node: Node) -> None:
        """Join nodes that have become small with a neighbour, and name their first gaps anew."""
        for branch, slot in reversed(path):
            if len(node.starts) < self._least:
                self._join(branch, max(slot - 1, 0))
            else:
                branch.starts[slot] = node.starts[0]
                branch.refresh(slot)
                if not node.kids:
                    node.stale = False
            node = branch
        while len(self._root.kids) == 1:
            self._root = self._root.kids[0]

    def _join(self, branch: Node, slot: int) -> None:
        """Join two neighbours, or share their slots out evenly if they are too many for one."""
        lower, upper = branch.kids[slot], branch.kids[slot + 1]
        lower.absorb(upper)
        branch.delete_kid(slot + 1)
        if len(lower.starts) > self._capacity * 3 // 4:
            branch.insert_kid(slot + 1, lower.split())
        lower.stale = False
        branch.replace(slot)

    # ---- everything

    def __len__(self) -> int:
        """See `GapIndex`. O(1)."""
        return self._len

    def live(self) -> Iterator[tuple[int, int]]:
        """See `GapIndex`. O(n) in all."""
        below: int | None = None
        for start, stop in _all_gaps(self._root):
            if below is not None:
                yield below, start - 1
            below = stop

    def gaps(self) -> Iterator[tuple[int, int]]:
        """See `GapIndex`. O(n) in all."""
        return ((start, stop - 1) for start, stop in _all_gaps(self._root) if start < stop)

    def copy(self) -> GapTree:
        """See `GapIndex`. O(n)."""
        twin = GapTree(self._base, self._last, capacity=self._capacity, slack=self._slack)
        twin._len, twin._grid = self._len, self._grid
        twin._stale, twin._root = self._stale.copy(), self._root.copy()
        return twin

    def _check(self) -> None:
        """See `GapIndex`. O(n) for every alignment that has bounds of its own."""
        hold("live ranges are counted", len(list(self.live())) == self._len, self._root)
        covered = {id(self._path(address)[1]) for address in self._stale}
        check_tree(self._root, (self._base, self._last), self._capacity, self._grid, covered)
        hold("few bounds are too high", len(self._stale) <= self._slack, list(self._stale))


Path: TypeAlias = list[tuple[Node, int]]


def _all_gaps(node: Node) -> Iterator[tuple[int, int]]:
    """Iterate over all gaps below a node, empty ones included, lowest first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.kids)
        yield from zip(node.starts if node.stops else (), node.stops, strict=True)


def _built(starts: list[int], stops: list[int], capacity: int) -> Node:
    """Return the tree over these gaps, its nodes three quarters full."""
    level = [
        leaf_of(starts[at:to], stops[at:to]) for at, to in _shares(len(starts), capacity * 3 // 4)
    ]
    while len(level) > 1:
        level = [branch_of(level[at:to]) for at, to in _shares(len(level), capacity * 3 // 4)]
    return level[0]


def _shares(count: int, most: int) -> list[tuple[int, int]]:
    """Cut `count` items into runs of almost equal lengths, of `most` at most."""
    runs = -(-count // most)
    cuts = [count * run // runs for run in range(runs + 1)]
    return list(pairwise(cuts))
