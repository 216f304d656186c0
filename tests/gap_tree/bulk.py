"""Many ranges at once, in a tree and in the reference index; and what may go wrong with it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.gaps import SortedGaps

from .mutants import Mutant, _node
from .workload import SPACES

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITIES: Final = (4, 4, 5, 8, 16)


def drive_many(tree_of: Callable[..., Any], seed: int, steps: int = 40) -> None:
    """Raise, at the latest at the end of these steps, if the tree errs. Deterministic."""
    chance = Random(seed)  # noqa: S311  # a workload, and no secret
    base, last = chance.choice(SPACES)
    tree = tree_of(base, last, capacity=chance.choice(CAPACITIES))
    reference = SortedGaps(base, last)
    for step in range(steps):
        _add_many(tree, reference, chance)
        if step % 4 == 3:
            live = list(reference.live())
            for start, end in chance.sample(live, len(live) // 2):
                tree.remove(start, end)
                reference.remove(start, end)
        tree._check()
        assert len(tree) == len(reference)
        assert list(tree.live()) == list(reference.live())
        assert list(tree.gaps()) == list(reference.gaps())


def _add_many(tree: Any, reference: SortedGaps, chance: Random) -> None:
    base, last = reference._base, reference._last
    room = last - base
    align = 1 << chance.randrange(min(8, room.bit_length()))
    span = min(chance.choice((0, 0, 1, 2, 3, 7, 11, align - 1, align, room // 40)), room)
    count = chance.choice((1, 2, 3, 5, 8, 13, 40, 90))
    ends = sorted((base + chance.randint(0, room), base + chance.randint(0, room)))
    first, end = chance.choice((ends, (base, last), (base, last)))
    request = (count, span, align, first, end)
    chosen: list[int] = []
    for method in ("lowest_fits", "highest_fits"):
        found = getattr(tree, method)(*request)
        assert found == getattr(reference, method)(*request), (method, request)
        chosen = chance.choice((chosen, found))
    if chance.random() < 0.3:  # not those of a search: any of them, in any order
        chosen = chance.sample(chosen, len(chosen) * 2 // 3)
    tree.add_all(chosen, span)
    reference.add_all(chosen, span)


def _bulk(name: str, function: str, before: str, after: str) -> Mutant:
    return Mutant(name, "gap_bulk", function, before, after)


MANY_MUTANTS: Final = (
    # one walk
    _bulk("more are found than asked for", "take_lowest", "count - len(found)", "count"),
    _bulk("more are found from above", "take_highest", "count - len(found)", "count"),
    _bulk(
        "a perfect fit is passed over",
        "take_lowest",
        "length > search.span",
        "length > search.span + 1",
    ),
    _bulk(
        "a perfect fit is passed over from above",
        "take_highest",
        "length > search.span",
        "length > search.span + 1",
    ),
    _bulk(
        "the window does not cut the first gap",
        "take_lowest",
        "max(start, search.first)",
        "start",
    ),
    _bulk(
        "the window does not cut the last gap",
        "take_highest",
        "min(start + length - 1, search.last)",
        "start + length - 1",
    ),
    _bulk(
        "the walk ends after one leaf",
        "take_lowest",
        "slot = search.next_slot(node, slot + 1)",
        "slot = -1",
    ),
    _bulk(
        "the walk skips a leaf",
        "take_highest",
        "slot = search.last_slot(node, slot - 1)",
        "slot = search.last_slot(node, slot - 2)",
    ),
    Mutant("neighbours overlap", "series", "_step", "align_down(span, align) + align", "align"),
    Mutant("neighbours have room between", "series", "_step", "span", "span + 1"),
    Mutant(
        "the last of a gap is left", "series", "lowest_series", "last - span + 1", "last - span"
    ),
    Mutant("the first of a gap is left", "series", "highest_series", "first - 1", "first"),
    # adding, leaf by leaf
    _bulk(
        "what a leaf has become is not told",
        "_add",
        "node.replace(slot, slot + 1, _add(node.kids[slot], starts[at:to], size, capacity))",
        "node.kids[slot : slot + 1] = _add(node.kids[slot], starts[at:to], size, capacity)",
    ),
    _bulk(
        "the leaf stays beside its parts",
        "_add",
        "node.replace(slot, slot + 1, _add(node.kids[slot], starts[at:to], size, capacity))",
        "node.replace(slot + 1, slot + 1, _add(node.kids[slot], starts[at:to], size, capacity))",
    ),
    _bulk(
        "a node is too full",
        "_cut",
        "len(node.starts) <= capacity",
        "len(node.starts) - 1 <= capacity",
    ),
    _bulk("parts are too full", "_cut", "capacity * 3 // 4", "capacity + 1"),
    _bulk("parts are too empty", "_cut", "capacity * 3 // 4", "1"),
    _bulk(
        "the root is too full",
        "add_below",
        "_cut(branch_of(nodes), capacity)",
        "[branch_of(nodes)]",
    ),
    _bulk(
        "the gap below keeps its length",
        "_split_gap",
        "leaf.set_gap(slot, gap, start - gap)",
        "pass",
    ),
    _bulk(
        "the gap above is lost",
        "_split_gap",
        "leaf.insert_gap(slot + 1, above, stop - above)",
        "pass",
    ),
    _bulk(
        "the gap above is one too long",
        "_split_gap",
        "stop - above",
        "stop - above + 1",
    ),
    _bulk(
        "merged gaps keep no order",
        "_merged",
        "sorted([*map(add, leaf.starts, leaf.lengths), *starts])",
        "[*map(add, leaf.starts, leaf.lengths), *starts]",
    ),
    _bulk(
        "the gaps after the ranges come last",
        "_merged",
        "sorted([*leaf.starts, *[start + size for start in starts]])",
        "[*leaf.starts, *[start + size for start in starts]]",
    ),
    _node("a leaf has no orders", "leaf_of", "[order for order, _ in bits]", "[0 for _ in bits]"),
    _node("a leaf has no tops", "leaf_of", "[top for _, top in bits]", "[0 for _ in bits]"),
    Mutant("the grid is not kept", "gap_tree", "add_all", "self._grid |= start + span + 1", "pass"),
    Mutant("many are not counted", "gap_tree", "add_all", "self._len += len(starts)", "pass"),
    Mutant("many are added as they come", "gap_tree", "add_all", "sorted(starts)", "list(starts)"),
)
