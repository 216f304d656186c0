"""The invariants of a gap tree, each by name."""

from __future__ import annotations

from itertools import pairwise
from operator import add

from .errors import hold
from .gap_node import Node, measures


def check_tree(root: Node, space: tuple[int, int], capacity: int, grid: int) -> None:
    """Raise `BrokenInvariantError` unless all holds.

    O(n) for every alignment that has bounds of its own.
    """
    leaves: list[Node] = []
    _check_node(root, capacity, leaves, is_root=True)
    starts = [start for leaf in leaves for start in leaf.starts]
    lengths = [length for leaf in leaves for length in leaf.lengths]
    hold("no gap is less than empty", min(lengths) >= 0, f"gaps at {starts} of {lengths}")
    stops = list(map(add, starts, lengths))
    state = f"gaps from {starts} up to {stops}"
    hold("the first gap starts at the base", starts[0] == space[0], state)
    hold("the last gap stops after the last", stops[-1] == space[1] + 1, state)
    hold(
        "a live range lies between any two gaps",
        all(stop < start for stop, start in zip(stops, starts[1:], strict=False)),
        state,
    )
    hold("the grid has the bits of all starts", all(grid | low == grid for low in starts), state)


def _check_node(node: Node, capacity: int, leaves: list[Node], *, is_root: bool) -> int:
    """Check a node and all below it; return its height, and collect the leaves."""
    slots = len(node.starts)
    state = f"starts {node.starts}, lengths {node.lengths}, rooms {node.rooms}"
    hold("a node is not too full", slots <= capacity, state)
    least = (2 if node.kids else 1) if is_root else max(2, capacity // 4)
    hold("a node is not too empty", least <= slots, state)
    hold("the slots are in order", all(low < high for low, high in pairwise(node.starts)), state)
    counts = {len(node.lengths), len(node.orders), len(node.tops)}
    hold("every slot has measures", counts == {slots}, state)
    if not node.kids:
        found = [measures(*gap) for gap in zip(node.starts, node.lengths, strict=True)]
        hold(
            "a leaf knows the measures of its gaps",
            found == list(zip(node.orders, node.tops, strict=True)),
            state,
        )
        leaves.append(node)
        return 0
    hold("every slot has a kid", slots == len(node.kids), state)
    hold("every slot has room", all(len(room) == slots for room in node.rooms.values()), state)
    heights = {_check_node(kid, capacity, leaves, is_root=False) for kid in node.kids}
    hold("all leaves are equally deep", len(heights) == 1, state)
    for slot, kid in enumerate(node.kids):
        _check_bounds(node, slot, kid, state)
    return 1 + max(heights)


def _check_bounds(node: Node, slot: int, kid: Node, state: str) -> None:
    hold("a slot is named by its first gap", node.starts[slot] == kid.starts[0], state)
    told = (node.lengths[slot], node.orders[slot], node.tops[slot])
    found = (max(kid.lengths), max(kid.orders), max(kid.tops))
    hold("a slot has the greatest measures below", told == found, f"{found} in {state}")
    for align, room in node.rooms.items():
        hold(
            "no bound of an alignment is too low",
            room[slot] >= _usable(kid, align),
            f"alignment {align} in {state}",
        )


def _usable(node: Node, align: int) -> int:
    """Return the most that any gap below has after an aligned start."""
    if node.kids:
        return max(_usable(kid, align) for kid in node.kids)
    return node.most(align)
