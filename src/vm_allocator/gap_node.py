"""A node of the gap tree: a leaf that holds gaps, or a branch with bounds on what lies below.

Gaps are half-open inside the tree, from `start` up to `stop`, so that an empty one is a
gap, too. `stop` is 2^64 at most: the one number here that is no 64-bit address.

Three *measures* of a gap never grow when the gap shrinks, which is what lets a branch
keep upper bounds of them for everything below a slot:

- its length;
- its order: 1 + log2 of the largest aligned block in it, 0 if it is empty;
- its top: 1 + log2 of the largest alignment that some address in it has, 0 if it is empty.

A fourth kind is kept only for the alignments that need it (see `Node.rooms`).
"""

from __future__ import annotations

from operator import sub

from .arithmetic import padding, reach


def measures(start: int, stop: int) -> tuple[int, int]:
    """Return the order and the top of the gap from `start` up to `stop`."""
    return reach(start, stop - 1) if start < stop else (0, 0)


def most_room(longest: int, order: int, top: int, align: int) -> int:
    """Return what the three measures allow one aligned start to have after it, at most.

    >>> most_room(longest=12, order=3, top=4, align=8)  # a multiple of 8, no block of 8
    7
    >>> most_room(longest=12, order=3, top=4, align=16)  # no multiple of 16
    0
    """
    if align >> top:
        return 0
    if align >> order:
        return min(longest, align - 1)
    return longest


class Node:
    """A leaf, if `kids` is empty: slot `i` is the gap from `starts[i]` up to `stops[i]`.

    Otherwise a branch: slot `i` is `kids[i]`, whose first gap starts at `starts[i]`. All the
    lists of a node have one item per slot; `stops` is empty in a branch and `longest` in a leaf.
    """

    __slots__ = ("kids", "longest", "orders", "rooms", "stale", "starts", "stops", "tops")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.stops: list[int] = []
        self.kids: list[Node] = []
        self.longest: list[int] = []
        self.orders = bytearray()
        self.tops = bytearray()
        self.rooms: dict[int, list[int]] = {}
        """Of a branch: alignment -> per slot, a bound of the room after an aligned start."""
        self.stale = False
        """Of a leaf: it may have lost what its slot in the branch above still promises."""

    # ---- what is below

    def length(self) -> int:
        """Return the bound of the longest gap. Of a leaf, exactly that."""
        return max(self.longest) if self.kids else max(map(sub, self.stops, self.starts))

    def room(self, align: int) -> list[int]:
        """Return the bounds for this alignment, which a branch makes when it is first asked."""
        found = self.rooms.get(align)
        if found is None:
            found = [
                most_room(*bounds, align)
                for bounds in zip(self.longest, self.orders, self.tops, strict=True)
            ]
            self.rooms[align] = found
        return found

    def most(self, align: int) -> int:
        """Return a bound of the room after an aligned start. Of a leaf, exactly that, or 0."""
        if self.kids:
            return max(self.room(align))
        return max(
            0,
            *(
                stop - start - padding(start, align)
                for start, stop in zip(self.starts, self.stops, strict=True)
            ),
        )

    # ---- slots of a branch

    def insert_kid(self, slot: int, kid: Node) -> None:
        """Put a kid before the given slot, with the bounds that it has."""
        self.starts.insert(slot, kid.starts[0])
        self.kids.insert(slot, kid)
        self.longest.insert(slot, kid.length())
        self.orders.insert(slot, max(kid.orders))
        self.tops.insert(slot, max(kid.tops))
        for align, room in self.rooms.items():
            room.insert(slot, self._allowed(slot, align))

    def delete_kid(self, slot: int) -> None:
        """Take out a kid, and what is known of it."""
        del self.starts[slot], self.kids[slot]
        del self.longest[slot], self.orders[slot], self.tops[slot]
        for room in self.rooms.values():
            del room[slot]

    def refresh(self, slot: int) -> bool:
        """Set the bounds of a slot to what the kid has; return whether any was another one."""
        kid = self.kids[slot]
        length, order, top = kid.length(), max(kid.orders), max(kid.tops)
        if length == self.longest[slot] and order == self.orders[slot] and top == self.tops[slot]:
            return False
        self.longest[slot], self.orders[slot], self.tops[slot] = length, order, top
        for align, room in self.rooms.items():
            room[slot] = min(room[slot], self._allowed(slot, align))
        return True

    def lift(self, slot: int, length: int, order: int, top: int) -> bool:
        """Raise the bounds of a slot to those of a gap; return whether any was below."""
        lifted = False
        if self.longest[slot] < length:
            self.longest[slot] = length
            lifted = True
        if self.orders[slot] < order:
            self.orders[slot] = order
            lifted = True
        if self.tops[slot] < top:
            self.tops[slot] = top
            lifted = True
        return lifted

    def lift_rooms(self, slot: int, start: int, stop: int) -> None:
        """Raise the bounds per alignment of a slot to those of a gap."""
        for align, room in self.rooms.items():
            usable = stop - start - padding(start, align)
            room[slot] = max(room[slot], usable)

    def _allowed(self, slot: int, align: int) -> int:
        return most_room(self.longest[slot], self.orders[slot], self.tops[slot], align)

    def replace(self, slot: int) -> None:
        """Make all that is known of a slot what its kid has, whatever it was before."""
        kid = self.kids[slot]
        self.delete_kid(slot)
        self.insert_kid(slot, kid)

    # ---- halves

    def split(self) -> Node:
        """Move the upper half of the slots to a new node, and return it."""
        half = len(self.starts) // 2
        upper = Node()
        upper.starts, self.starts = self.starts[half:], self.starts[:half]
        upper.stops, self.stops = self.stops[half:], self.stops[:half]
        upper.kids, self.kids = self.kids[half:], self.kids[:half]
        upper.longest, self.longest = self.longest[half:], self.longest[:half]
        upper.orders, self.orders = self.orders[half:], self.orders[:half]
        upper.tops, self.tops = self.tops[half:], self.tops[:half]
        for align, room in self.rooms.items():
            upper.rooms[align], self.rooms[align] = room[half:], room[:half]
        return upper

    def absorb(self, upper: Node) -> None:
        """Append the slots of the node that follows this one, of the same height."""
        # Before the slots are joined: each makes the bounds that only the other one has.
        for align in {**self.rooms, **upper.rooms}:
            self.rooms[align] = self.room(align) + upper.room(align)
        self.starts += upper.starts
        self.stops += upper.stops
        self.kids += upper.kids
        self.longest += upper.longest
        self.orders += upper.orders
        self.tops += upper.tops

    def copy(self) -> Node:
        """Return an equal node that shares nothing with this one."""
        twin = Node()
        twin.starts = self.starts.copy()
        twin.stops = self.stops.copy()
        twin.kids = [kid.copy() for kid in self.kids]
        twin.longest = self.longest.copy()
        twin.orders = self.orders.copy()
        twin.tops = self.tops.copy()
        twin.rooms = {align: room.copy() for align, room in self.rooms.items()}
        twin.stale = self.stale
        return twin


def leaf_of(starts: list[int], stops: list[int]) -> Node:
    """Return the leaf with these gaps."""
    node = Node()
    node.starts, node.stops = starts, stops
    for start, stop in zip(starts, stops, strict=True):
        order, top = measures(start, stop)
        node.orders.append(order)
        node.tops.append(top)
    return node


def branch_of(kids: list[Node]) -> Node:
    """Return the branch over these kids."""
    node = Node()
    for slot, kid in enumerate(kids):
        node.insert_kid(slot, kid)
    return node
