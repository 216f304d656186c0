"""`GapTree`: the gap index that stays fast. `docs/gap-index.md` draws it and gives numbers.

A B+ tree over the gaps, empty ones included: n live ranges have n + 1 gaps, each live
range lies between two neighbours, and so one structure holds both and nothing is ever
coalesced. The branches know the greatest measures of what lies below them, by which a search
passes over everything that cannot fit.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import add
from typing import TYPE_CHECKING, Final, TypeAlias

from .compiled import mypyc_attr
from .errors import hold
from .gap_bulk import add_below, take_highest, take_lowest
from .gap_check import check_tree
from .gap_node import Node, branch_of, leaf_of, shares
from .gap_search import Search, highest, lowest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CAPACITY: Final = 48
"""Slots of a node: from 24 to 64 there is little difference."""


@mypyc_attr(allow_interpreted_subclasses=True)
class GapTree:
    """A gap index with logarithmic operations; `n` is the number of live ranges.

    `overlapping`, `is_live`, `add`, `remove`: O(log n), worst case.
    `lowest_fit`, `highest_fit`: O(log n), worst case, for `align` 1, for an alignment that all
    gaps start at and always did, and for a size of `align`. For others O(log n) amortised: a
    search that visits a leaf in vain leaves a bound behind that spares the next one the visit.

    >>> index = GapTree(0, 99)
    >>> index.add(0, 9); index.add(12, 99)
    >>> index.lowest_fit(1, 1, 0, 99), index.lowest_fit(1, 4, 0, 99), list(index.gaps())
    (10, None, [(10, 11)])
    """

    __slots__ = ("_base", "_capacity", "_grid", "_last", "_least", "_len", "_root")

    def __init__(self, base: int, last: int, *, capacity: int = CAPACITY) -> None:
        self._base = base
        self._last = last
        self._capacity = capacity  # most slots of a node, at least 4
        self._least = max(2, capacity // 4)  # least slots of a node other than the root
        self._len = 0
        # All bits that the start of some gap has or had: below the lowest, all are aligned.
        self._grid = base
        self._root = leaf_of([base], [last - base + 1])

    @classmethod
    def from_live(
        cls, base: int, last: int, ranges: Iterable[tuple[int, int]], *, capacity: int = CAPACITY
    ) -> GapTree:
        """Return the index with these live ranges. O(n).

        Needs the ranges lowest first, and none to overlap another or to leave the space.
        """
        tree = cls(base, last, capacity=capacity)
        starts, lengths = [base], []
        below, grid = base, base
        for start, end in ranges:
            lengths.append(start - below)
            below = end + 1
            starts.append(below)
            grid |= below
        lengths.append(last + 1 - below)
        tree._len = len(starts) - 1
        tree._grid = grid
        tree._root = _built(starts, lengths, capacity)
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
        """See `GapIndex`. One search, and O(1) for each start and each leaf with room."""
        found: list[int] = []
        take_lowest(self._root, Search(span, align, first, last, self._grid), count, found)
        return found

    def highest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        """See `GapIndex`. As `lowest_fits`."""
        found: list[int] = []
        take_highest(self._root, Search(span, align, first, last, self._grid), count, found)
        return found

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
                gap = starts[slot - 1]
                return gap, above, gap + node.lengths[slot - 1]
            node = node.kids[slot - 1]

    # ---- changes

    def add(self, start: int, end: int) -> None:
        """See `GapIndex`. O(log n)."""
        try:
            path, leaf, slot = self._path(start)
            gap, length = leaf.starts[slot], leaf.lengths[slot]
            order, top = leaf.orders[slot], leaf.tops[slot]
            leaf.insert_gap(slot + 1, end + 1, gap + length - 1 - end)
            leaf.set_gap(slot, gap, start - gap)
            self._grid |= end + 1
            self._len += 1
            if len(leaf.starts) > self._capacity:
                self._grow(path, leaf)
                return
            for branch, position in reversed(path):
                if not branch.lower(position, length, order, top):
                    return  # what was lost is no number of this branch, nor of those above
        except BaseException:  # an interrupt may come between any two steps
            self._mend()
            raise

    def add_all(self, starts: Sequence[int], span: int) -> None:
        """See `GapIndex`. O(log n) for each leaf that is met, and O(1) for each start there.

        A leaf that becomes m of them costs O(m log m), and so does each branch above.
        """
        try:
            for start in starts:
                self._grid |= start + span + 1
            self._len += len(starts)
            self._root = add_below(self._root, sorted(starts), span + 1, self._capacity)
        except BaseException:  # likewise: none of them, then
            self._mend()
            for start in starts:
                if self.is_live(start, start + span):
                    self.remove(start, start + span)
            raise

    def remove(self, start: int, end: int) -> None:
        """See `GapIndex`. O(log n)."""
        try:
            path, leaf, slot = self._path(start)
            gap = leaf.starts[slot]
            above, other, first = path, leaf, slot + 1
            if first == len(leaf.starts):
                # The gap above is the first one of the next leaf.
                above, other, first = self._path(end + 1)
            stop = end + 1 + other.lengths[first]
            leaf.set_gap(slot, gap, stop - gap)
            self._lift(path, leaf, slot)
            other.delete_gap(first)
            if other is not leaf or len(leaf.starts) < self._least:
                self._settle(above, other)
            self._len -= 1
        except BaseException:  # likewise
            self._mend()
            raise

    def _mend(self) -> None:
        """Be whole again, after an exception from the midst of a change. O(n).

        At any moment all gaps are in the leaves, each in one. While one is divided or two are
        made one, the upper one starts inside the lower one, or where that stops: it goes.
        """
        starts: list[int] = []
        lengths: list[int] = []
        stop = self._base - 1
        for start, end in _all_gaps(self._root):
            if stop < start:
                starts.append(start)
                lengths.append(end - start)
                stop = end
        for start in starts:
            self._grid |= start
        self._len = len(starts) - 1
        self._root = _built(starts, lengths, self._capacity)

    def _path(self, address: int) -> tuple[Path, Node, int]:
        """Return the branches and their slots on the way to `address`, its leaf, and its gap."""
        path: Path = []
        node = self._root
        while node.kids:
            slot = bisect_right(node.starts, address) - 1
            path.append((node, slot))
            node = node.kids[slot]
        return path, node, bisect_right(node.starts, address) - 1

    def _lift(self, path: Path, leaf: Node, slot: int) -> None:
        """Raise what is known above a gap that has grown."""
        start, length = leaf.starts[slot], leaf.lengths[slot]
        order, top = leaf.orders[slot], leaf.tops[slot]
        lifted = True
        for branch, position in reversed(path):
            # Measures that exceed none here exceed none further up. Room is no such measure:
            # its bounds above may have been made exact when these here were not.
            lifted = lifted and branch.lift(position, length, order, top)
            if branch.rooms:
                branch.lift_rooms(position, start, length)

    # ---- the shape

    def _grow(self, path: Path, node: Node) -> None:
        """Split the node, and the branches above that have no room for one more slot."""
        for branch, slot in reversed(path):
            if len(node.starts) > self._capacity:
                branch.replace(slot, slot + 1, node.halves())
            else:
                branch.refresh(slot)
            node = branch
        if len(node.starts) > self._capacity:
            self._root = branch_of(node.halves())

    def _settle(self, path: Path, node: Node) -> None:
        """Join nodes that have become small with a neighbour, and take over what changed."""
        for branch, slot in reversed(path):
            if len(node.starts) < self._least:
                self._join(branch, max(slot - 1, 0))
            else:
                branch.refresh(slot)
            node = branch
        while len(self._root.kids) == 1:
            self._root = self._root.kids[0]

    def _join(self, branch: Node, slot: int) -> None:
        """Join two neighbours, or share their slots out evenly if one would be rather full."""
        node = branch.kids[slot].joined(branch.kids[slot + 1])
        full = len(node.starts) > self._capacity * 3 // 4
        branch.replace(slot, slot + 2, node.halves() if full else [node])

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
        twin = GapTree(self._base, self._last, capacity=self._capacity)
        twin._len, twin._grid = self._len, self._grid
        twin._root = self._root.copy()
        return twin

    def _check(self) -> None:
        """See `GapIndex`. O(n) for every alignment that has bounds of its own."""
        hold("live ranges are counted", len(list(self.live())) == self._len, self._root)
        check_tree(self._root, (self._base, self._last), self._capacity, self._grid)


Path: TypeAlias = list[tuple[Node, int]]


def _all_gaps(node: Node) -> Iterator[tuple[int, int]]:
    """Iterate over all gaps below a node, empty ones included, lowest first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node.kids:
            waiting += reversed(node.kids)
        else:
            yield from zip(node.starts, map(add, node.starts, node.lengths), strict=True)


def _built(starts: list[int], lengths: list[int], capacity: int) -> Node:
    """Return the tree over these gaps, its nodes three quarters full."""
    level = [
        leaf_of(starts[at:to], lengths[at:to]) for at, to in shares(len(starts), capacity * 3 // 4)
    ]
    while len(level) > 1:
        level = [branch_of(level[at:to]) for at, to in shares(len(level), capacity * 3 // 4)]
    return level[0]
