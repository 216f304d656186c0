"""The invariants of a gap tree, each by name."""

from __future__ import annotations

from itertools import pairwise

from .arithmetic import is_aligned
from .errors import hold
from .gap_node import Node, measures


def check_tree(
    root: Node, space: tuple[int, int], capacity: int, grid: int, covered: set[int]
) -> None:
    """Raise `BrokenInvariantError` unless all holds. `covered`: leaves known to be stale, by id.

    O(n) for every alignment that has bounds of its own.
    """
    leaves: list[Node] = []
    _check_node(root, capacity, leaves, is_root=True)
    starts = [start for leaf in leaves for start in leaf.starts]
    stops = [stop for leaf in leaves for stop in leaf.stops]
    state = f"gaps from {starts} up to {stops}"
    hold("the first gap starts at the base", starts[0] == space[0], state)
    hold("the last gap stops after the last", stops[-1] == space[1] + 1, state)
    hold("no gap is less than empty", all(map(int.__le__, starts, stops)), state)
    hold(
        "a live range lies between any two gaps",
        all(stop < start for stop, start in zip(stops, starts[1:], strict=False)),
        state,
    )
    low = grid & -grid if grid else 1 << 64
    hold("every gap starts on the grid", all(is_aligned(start, low) for start in starts), state)
    hold(
        "an address of every stale leaf is remembered",
        all(id(leaf) in covered for leaf in leaves if leaf.stale),
        state,
    )


def _check_node(node: Node, capacity: int, leaves: list[Node], *, is_root: bool) -> int:
    """Check a node and all below it; return its height, and collect the leaves."""
    slots = len(node.starts)
    state = f"starts {node.starts}, longest {node.longest}, rooms {node.rooms}"
    hold("a node is not too full", slots <= capacity, state)
    least = (2 if node.kids else 1) if is_root else max(2, capacity // 4)
    hold("a node is not too empty", least <= slots, state)
    hold("the slots are in order", all(low < high for low, high in pairwise(node.starts)), state)
    hold("every slot has measures", slots == len(node.orders) == len(node.tops), state)
    if not node.kids:
        hold("every gap has two ends", slots == len(node.stops), state)
        found = [measures(*gap) for gap in zip(node.starts, node.stops, strict=True)]
        hold(
            "a leaf knows the measures of its gaps",
            found == list(zip(node.orders, node.tops, strict=True)),
            state,
        )
        leaves.append(node)
        return 0
    hold("every slot has a kid", slots == len(node.kids) == len(node.longest), state)
    hold("every slot has room", all(len(room) == slots for room in node.rooms.values()), state)
    heights = {_check_node(kid, capacity, leaves, is_root=False) for kid in node.kids}
    hold("all leaves are equally deep", len(heights) == 1, state)
    for slot, kid in enumerate(node.kids):
        _check_bounds(node, slot, kid, state)
    return 1 + max(heights)


def _check_bounds(node: Node, slot: int, kid: Node, state: str) -> None:
    hold("a slot is named by its first gap", node.starts[slot] == kid.starts[0], state)
    bounds = (node.longest[slot], node.orders[slot], node.tops[slot])
    found = (kid.length(), max(kid.orders), max(kid.tops))
    hold("no bound is too low", all(map(int.__ge__, bounds, found)), f"{found} in {state}")
    hold("only above stale leaves are bounds too high", kid.stale or bounds == found, state)
    for align, room in node.rooms.items():
        hold(
            "no bound of an alignment is too low",
            room[slot] >= _usable(kid, align),
            f"alignment {align} in {state}",
        )


def _usable(node: Node, align: int) -> int:
    """Return the most that any gap below has after an aligned start, or 0."""
    if node.kids:
        return max(_usable(kid, align) for kid in node.kids)
    return node.most(align)
