"""A node of the gap tree: a leaf that holds gaps, or a branch with bounds on what lies below.

Gaps may be empty; inside the tree they are half-open, from `start` up to `start + length`.

Three *measures* of a gap never grow when the gap shrinks:

- its length;
- its order: 1 + log2 of the largest aligned block in it, 0 if it is empty;
- its top: 1 + log2 of the largest alignment that some address in it has, 0 if it is empty.

A slot of a branch has the greatest of each that any gap below it has: exactly that, always.
A fourth kind is an upper bound, kept only for the alignments that need it (see `Node.rooms`).
"""

from __future__ import annotations

from itertools import pairwise

from .arithmetic import padding, reach, rooms_after


def measures(start: int, length: int) -> tuple[int, int]:
    """Return the order and the top of a gap."""
    return reach(start, start + length - 1) if length else (0, 0)


def most_room(length: int, order: int, top: int, align: int) -> int:
    """Return what the three measures allow one aligned start to have after it, at most.

    >>> most_room(length=12, order=3, top=4, align=8)  # a multiple of 8, no block of 8
    7
    >>> most_room(length=12, order=3, top=4, align=16)  # no multiple of 16
    0
    """
    if align >> top:
        return 0
    if align >> order:
        return min(length, align - 1)
    return length


class Node:
    """A leaf, if `kids` is empty: slot `i` is the gap that starts at `starts[i]`.

    Otherwise a branch: slot `i` is `kids[i]`, whose first gap starts at `starts[i]`. All the
    lists of a node have one item per slot, apart from `kids`, of which a leaf has none.
    """

    __slots__ = ("kids", "lengths", "orders", "rooms", "starts", "tops")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.kids: list[Node] = []
        self.lengths: list[int] = []
        self.orders = bytearray()
        self.tops = bytearray()
        self.rooms: dict[int, list[int]] = {}
        """Of a branch: alignment -> per slot, a bound of the room after an aligned start."""

    # ---- slots of a leaf. An interrupt may come between any two steps, so a step that is one
    # ---- of several is completed, or taken back: no gap lacks a part of what it has.

    def set_gap(self, slot: int, start: int, length: int) -> None:
        """Give the gap of a slot another length."""
        self.lengths[slot] = length
        self.orders[slot], self.tops[slot] = measures(start, length)

    def insert_gap(self, slot: int, start: int, length: int) -> None:
        """Put a gap before the given slot."""
        order, top = measures(start, length)
        try:
            self.starts.insert(slot, start)
            self.lengths.insert(slot, length)
            self.orders.insert(slot, order)
            self.tops.insert(slot, top)
        except BaseException:
            self._delete_beyond(slot, len(self.tops))
            raise

    def delete_gap(self, slot: int) -> None:
        """Take out a gap."""
        try:
            del self.starts[slot], self.lengths[slot], self.orders[slot], self.tops[slot]
        except BaseException:
            self._delete_beyond(slot, len(self.starts))
            raise

    def _delete_beyond(self, slot: int, slots: int) -> None:
        """Take out a slot where there are more of them than that."""
        if len(self.starts) > slots:
            del self.starts[slot]
        if len(self.lengths) > slots:
            del self.lengths[slot]
        if len(self.orders) > slots:
            del self.orders[slot]
        if len(self.tops) > slots:
            del self.tops[slot]

    # ---- slots of a branch

    def replace(self, slot: int, stop: int, kids: list[Node]) -> None:
        """Put kids, with all gaps of those of the slots `slot` to `stop`, in the place of these."""
        # The first step is the one that counts: before and after it, every gap is in one leaf.
        self.kids[slot:stop] = kids
        self.starts[slot:stop] = [kid.starts[0] for kid in kids]
        self.lengths[slot:stop] = [max(kid.lengths) for kid in kids]
        self.orders[slot:stop] = [max(kid.orders) for kid in kids]
        self.tops[slot:stop] = [max(kid.tops) for kid in kids]
        for align, room in self.rooms.items():
            most = max(room[slot:stop])
            room[slot:stop] = [
                min(most, self._allowed(at, align)) for at in range(slot, slot + len(kids))
            ]

    def refresh(self, slot: int) -> None:
        """Take over what the kid of a slot has, which lost or gained slots of its own."""
        kid = self.kids[slot]
        self.starts[slot] = kid.starts[0]
        self.lengths[slot] = max(kid.lengths)
        self.orders[slot] = max(kid.orders)
        self.tops[slot] = max(kid.tops)

    def lower(self, slot: int, length: int, order: int, top: int) -> bool:
        """Follow a kid that no longer has these measures; return whether any was its greatest."""
        kid = self.kids[slot]
        lowered = False
        if length == self.lengths[slot] and length not in kid.lengths:
            self.lengths[slot] = max(kid.lengths)
            lowered = True
        # The next greatest order, or top, is seldom much less: looking for it is a loop in C.
        if order == self.orders[slot] and order not in kid.orders:
            while order not in kid.orders:
                order -= 1
            self.orders[slot] = order
            lowered = True
        if top == self.tops[slot] and top not in kid.tops:
            while top not in kid.tops:
                top -= 1
            self.tops[slot] = top
            lowered = True
        return lowered

    def lift(self, slot: int, length: int, order: int, top: int) -> bool:
        """Raise the measures of a slot to those of a gap; return whether any was below."""
        lifted = False
        if self.lengths[slot] < length:
            self.lengths[slot] = length
            lifted = True
        if self.orders[slot] < order:
            self.orders[slot] = order
            lifted = True
        if self.tops[slot] < top:
            self.tops[slot] = top
            lifted = True
        return lifted

    # ---- room, per alignment

    def room(self, align: int) -> list[int]:
        """Return the room per slot: of a leaf exactly that, of a branch a bound of it.

        A branch makes the bounds for an alignment when it is first asked, and keeps them.
        """
        if not self.kids:
            return rooms_after(self.starts, self.lengths, align)
        found = self.rooms.get(align)
        if found is None:
            found = [self._allowed(slot, align) for slot in range(len(self.starts))]
            self.rooms[align] = found
        return found

    def lift_rooms(self, slot: int, start: int, length: int) -> None:
        """Raise the bounds per alignment of a slot to those of a gap."""
        for align, room in self.rooms.items():
            room[slot] = max(room[slot], length - padding(start, align))

    def most(self, align: int) -> int:
        """Return the most room of any slot; below 1, none has any."""
        return max(self.room(align))

    def _allowed(self, slot: int, align: int) -> int:
        return most_room(self.lengths[slot], self.orders[slot], self.tops[slot], align)

    # ---- both

    def halves(self) -> list[Node]:
        """Return two nodes with the lower and the upper half of the slots; this one stays."""
        slots = len(self.starts)
        return [self._part(0, slots // 2), self._part(slots // 2, slots)]

    def parts(self, most: int) -> list[Node]:
        """Return nodes of about as many slots each, and not more than that; this one stays."""
        return [self._part(first, stop) for first, stop in shares(len(self.starts), most)]

    def _part(self, first: int, stop: int) -> Node:
        """Return a node with the slots `first` to `stop`."""
        part = Node()
        part.starts = self.starts[first:stop]
        part.kids = self.kids[first:stop]
        part.lengths = self.lengths[first:stop]
        part.orders = self.orders[first:stop]
        part.tops = self.tops[first:stop]
        part.rooms = {align: room[first:stop] for align, room in self.rooms.items()}
        return part

    def joined(self, upper: Node) -> Node:
        """Return a node with these slots and those of the node that follows, of equal height."""
        node = Node()
        node.starts = self.starts + upper.starts
        node.kids = self.kids + upper.kids
        node.lengths = self.lengths + upper.lengths
        node.orders = self.orders + upper.orders
        node.tops = self.tops + upper.tops
        # Each makes the bounds that only the other one has.
        for align in {**self.rooms, **upper.rooms}:
            node.rooms[align] = self.room(align) + upper.room(align)
        return node

    def copy(self) -> Node:
        """Return an equal node that shares nothing with this one."""
        twin = Node()
        twin.starts = self.starts.copy()
        twin.kids = [kid.copy() for kid in self.kids]
        twin.lengths = self.lengths.copy()
        twin.orders = self.orders.copy()
        twin.tops = self.tops.copy()
        twin.rooms = {align: room.copy() for align, room in self.rooms.items()}
        return twin


def shares(count: int, most: int) -> list[tuple[int, int]]:
    """Cut `count` items into runs of almost equal lengths, of `most` at most."""
    runs = -(-count // most)
    cuts = [count * run // runs for run in range(runs + 1)]
    return list(pairwise(cuts))


def leaf_of(starts: list[int], lengths: list[int]) -> Node:
    """Return the leaf with these gaps."""
    node = Node()
    bits = list(map(measures, starts, lengths))
    node.starts, node.lengths = starts, lengths
    node.orders = bytearray([order for order, _ in bits])
    node.tops = bytearray([top for _, top in bits])
    return node


def branch_of(kids: list[Node]) -> Node:
    """Return the branch over these kids."""
    node = Node()
    node.replace(0, 0, kids)
    return node
