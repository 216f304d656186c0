"""Many ranges at once in the gap tree: found in one walk over the leaves, added leaf by leaf.

A walk goes down where a search would, and takes from each gap all that it has room for. What
is added is sorted first: so each node is told once which of the ranges lie below it, and cut
into as many as it takes when all of them are in. Such nodes are half full at least, mostly
three quarters.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import add, sub
from typing import TYPE_CHECKING, Final

from .gap_node import branch_of, leaf_of
from .series import highest_series, lowest_series

if TYPE_CHECKING:
    from .gap_node import Node
    from .gap_search import Search

FEW: Final = 8
"""A leaf with more gaps than this for each new range has it put in; else all gaps are made anew."""


def take_lowest(node: Node, search: Search, count: int, found: list[int]) -> None:
    """Append the lowest fits of several ranges, until `found` has `count`, or there are no more."""
    starts = node.starts
    slot = max(bisect_right(starts, search.first) - 1, 0)
    if not node.kids:
        for start, length in zip(starts[slot:], node.lengths[slot:], strict=True):
            if search.last < start or len(found) == count:
                return
            if length > search.span:
                low, high = max(start, search.first), min(start + length - 1, search.last)
                found += lowest_series(low, high, search.span, search.align, count - len(found))
        return
    slot = search.next_slot(node, slot)
    while slot >= 0 and len(found) < count and starts[slot] <= search.last:
        known = len(found)
        take_lowest(node.kids[slot], search, count, found)
        if len(found) == known:
            search.in_vain(node, slot)
        slot = search.next_slot(node, slot + 1)


def take_highest(node: Node, search: Search, count: int, found: list[int]) -> None:
    """Append the highest fits of several ranges; otherwise likewise."""
    starts = node.starts
    slot = bisect_right(starts, search.last) - 1
    if not node.kids:
        for at in range(slot, -1, -1):
            start, length = starts[at], node.lengths[at]
            if start + length <= search.first or len(found) == count:
                return
            if length > search.span:
                low, high = max(start, search.first), min(start + length - 1, search.last)
                found += highest_series(low, high, search.span, search.align, count - len(found))
        return
    slot = search.last_slot(node, slot)
    while slot >= 0 and len(found) < count:
        known = len(found)
        take_highest(node.kids[slot], search, count, found)
        if len(found) == known:
            search.in_vain(node, slot)
        if starts[slot] <= search.first:
            return
        slot = search.last_slot(node, slot - 1)


def add_below(root: Node, starts: list[int], size: int, capacity: int) -> Node:
    """Make `size` units from each start live; return the root after that.

    Needs the starts lowest first, and all of these ranges to be free and apart.
    """
    nodes = _add(root, starts, size, capacity)
    while len(nodes) > 1:
        nodes = _cut(branch_of(nodes), capacity)
    return nodes[0]


def _add(node: Node, starts: list[int], size: int, capacity: int) -> list[Node]:
    """Add what lies below a node; return the nodes that take its place, or itself alone."""
    if not node.kids:
        if len(starts) * FEW >= len(node.starts):
            return _cut(_merged(node, starts, size), capacity)
        for start in starts:
            _split_gap(node, start, size)
        return _cut(node, capacity)
    # From above, so that slots further down stay where they are.
    to = len(starts)
    while to:
        slot = bisect_right(node.starts, starts[to - 1]) - 1
        at = bisect_left(starts, node.starts[slot], 0, to)
        node.replace(slot, slot + 1, _add(node.kids[slot], starts[at:to], size, capacity))
        to = at
    return _cut(node, capacity)


def _split_gap(leaf: Node, start: int, size: int) -> None:
    """Leave what is below the range, and what is above it, of the gap that it lies in."""
    slot = bisect_right(leaf.starts, start) - 1
    gap, above = leaf.starts[slot], start + size
    leaf.insert_gap(slot + 1, above, gap + leaf.lengths[slot] - above)
    leaf.set_gap(slot, gap, start - gap)


def _merged(leaf: Node, starts: list[int], size: int) -> Node:
    """Return a leaf with what is between the ranges, of all gaps together.

    A gap starts where one did, or after a range; it stops where one did, or at a range. In
    order, the starts and the stops are those of the same gaps.
    """
    stops = sorted([*map(add, leaf.starts, leaf.lengths), *starts])
    merged = sorted([*leaf.starts, *[start + size for start in starts]])
    return leaf_of(merged, list(map(sub, stops, merged)))


def _cut(node: Node, capacity: int) -> list[Node]:
    """Return the node, if it is not too full, or else parts of it, lowest first."""
    if len(node.starts) <= capacity:
        return [node]
    return node.parts(capacity * 3 // 4)
