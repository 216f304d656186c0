"""The searches of the gap tree: down to the leaves, past every slot that has no room."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from .arithmetic import highest_start, is_aligned, lowest_start

if TYPE_CHECKING:
    from .gap_node import Node

BY_LENGTH: Final = 0
BY_ORDER: Final = 1
BY_ROOM: Final = 2

HIT: Final = b"\x01"
EXCEEDS: Final = [bytes(order > limit for order in range(256)) for limit in range(65)]
"""`orders.translate(EXCEEDS[limit]).find(HIT)` is the first slot above `limit`: a loop in C."""


class Search:
    """What is looked for, and which number of a slot says where it may be.

    That number has to exceed `limit`. By length, and by order, it tells exactly: there is a
    fit below a slot, the window apart, if and only if it does. By room it may be too high, and
    is then lowered where a search went down in vain, so that the next one does not.
    """

    __slots__ = ("align", "exceeds", "first", "kind", "last", "limit", "span")

    def __init__(self, span: int, align: int, first: int, last: int, grid: int) -> None:
        self.span = span
        self.align = align
        self.first = first
        self.last = last
        self.kind = BY_ROOM
        self.limit = span
        self.exceeds = HIT
        if is_aligned(grid, align):
            self.kind = BY_LENGTH  # every gap starts at a multiple of `align`
        elif span == align - 1:
            self.kind = BY_ORDER  # only an aligned block will do, and any of that order does
            self.limit = align.bit_length() - 1
            self.exceeds = EXCEEDS[self.limit]

    def numbers(self, node: Node) -> list[int]:
        """Return the numbers of that kind, one per slot; not of orders, which are bytes."""
        return node.room(self.align) if self.kind == BY_ROOM else node.lengths

    def next_slot(self, node: Node, slot: int) -> int:
        """Return the first slot from `slot` on that may have room, or -1."""
        if self.kind == BY_ORDER:
            return node.orders.translate(self.exceeds).find(HIT, slot)
        numbers, limit = self.numbers(node), self.limit
        for at in range(slot, len(numbers)):
            if numbers[at] > limit:
                return at
        return -1

    def last_slot(self, node: Node, slot: int) -> int:
        """Return the last slot up to `slot`, which may be -1, that may have room, or -1."""
        if self.kind == BY_ORDER:
            return node.orders.translate(self.exceeds).rfind(HIT, 0, slot + 1)
        numbers, limit = self.numbers(node), self.limit
        for at in range(slot, -1, -1):
            if numbers[at] > limit:
                return at
        return -1

    def lowest_in(self, leaf: Node, slot: int) -> int | None:
        """Return the lowest fit of a gap from `first` on."""
        start = leaf.starts[slot]
        stop = start + leaf.lengths[slot]
        start = max(start, self.first)
        return lowest_start(start, stop - 1, self.span, self.align) if start < stop else None

    def highest_in(self, leaf: Node, slot: int) -> int | None:
        """Return the highest fit of a gap up to `last`."""
        start = leaf.starts[slot]
        end = min(start + leaf.lengths[slot] - 1, self.last)
        return highest_start(start, end, self.span, self.align) if start <= end else None

    def in_vain(self, node: Node, slot: int) -> None:
        """Lower the room of a slot in which nothing was found to the most that lies below it."""
        if self.kind == BY_ROOM:
            node.room(self.align)[slot] = node.kids[slot].most(self.align)


def lowest(node: Node, search: Search) -> int | None:
    """Return the lowest fit from `first` on; if there is none, `None` or one beyond the window."""
    starts = node.starts
    # From the slot on that `first` lies in, of which only a part counts; below the node, all do.
    slot = search.next_slot(node, max(bisect_right(starts, search.first) - 1, 0))
    while slot >= 0:
        if search.last < starts[slot]:
            return None
        if node.kids:
            fit = lowest(node.kids[slot], search)
            if fit is None:
                search.in_vain(node, slot)
        else:
            fit = search.lowest_in(node, slot)
        if fit is not None:
            return fit
        slot = search.next_slot(node, slot + 1)
    return None


def highest(node: Node, search: Search) -> int | None:
    """Return the highest fit up to `last`. `None`, or one below `first`, if there is none."""
    starts = node.starts
    slot = search.last_slot(node, bisect_right(starts, search.last) - 1)
    while slot >= 0:
        if node.kids:
            fit = highest(node.kids[slot], search)
            if fit is None:
                search.in_vain(node, slot)
        else:
            fit = search.highest_in(node, slot)
        if fit is not None:
            return fit
        if starts[slot] <= search.first:
            return None
        slot = search.last_slot(node, slot - 1)
    return None
