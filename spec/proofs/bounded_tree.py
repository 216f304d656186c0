"""How the gap tree is set up and read in the bounded check.

It is not filled by its own operations. It is built as any tree of a few small nodes that
satisfies its invariants, whatever its past: for additions and removals every division of the
gaps among leaves that the capacity allows, and bounds of room that are not too low. After
each operation the invariants have to hold again (`GapTree._check`). So this is one step of an
induction over histories, of any length, as far as trees of that many gaps go.

Three things are read through summaries, apart from the leaves that every index is read with:

- `max` of several numbers is one term.
- The order and the top of a gap are small numbers that follow from bits. Searches compare them
  with those of the alignment asked for, and nothing else: so, for alignment 2^k, a gap has k + 1
  if it has an aligned block (a multiple), 1 if it has none, and 0 if it is empty. The
  alignments are a few concrete ones. Where nothing is searched for, k + 1 or 0 will do.
- The grid is the set of the starts that it has collected. Whether it says all it could, or
  nothing that is of use any more (since bits stay), is open.

Windows are any in a single leaf. In trees with branches they are open at the end at which a search
would stop: with both ends, the ways multiply beyond what `verify` has time for.

What this does not see, and the machines and mutants of `tests/gap_tree` do:

- Where nothing is searched for, all gaps that are not empty have one order, and one top. On the
  scale of an alignment, an addition to two gaps took minutes.
- Bounds of room are those of one alignment, in every branch or in none, and never below those of
  the branches beneath. Searches always find some.
- Searches look at the shapes of `arrangements`: at one gap, one tree that has a branch.
- Joins of branches that share out their kids, which takes more nodes; many ranges at once.
- `reach`, which computes orders and tops: it is tested.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final

import vm_allocator.arithmetic
from spec.proofs.bounded import GAP, LIVE, Subject, layouts
from spec.proofs.summaries import ARITHMETIC, standing_in
from vm_allocator import gap_check, gap_node, gap_search, modelling
from vm_allocator.gap_node import Node, branch_of
from vm_allocator.gap_tree import GapTree
from vm_allocator.symbolic import SymBool, smt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Shape = tuple[Any, ...]
"""The number of gaps of each leaf, or the shapes below each slot of a branch."""

CAPACITY: Final = 4
LEAST: Final = 2
ALIGNMENTS: Final = (1, 4)
KEPT: Final = 4
"""The alignment that branches have bounds for where nothing is searched for."""

EXACT_GRID: Final = "the grid is that of the starts"
COARSE_GRID: Final = "the grid has all bits"
ALL_BITS: Final = (1 << 65) - 1

FULL_OR_DEEP: Final[list[tuple[str, Shape]]] = [
    ("LLL.LL", (4, 2)),  # a full leaf below a branch: an addition splits it
    ("LLL.LLLLLL", (4, 2, 2, 2)),  # and the branch with it
    ("LLL.LLLL", ((2, 2), (2, 2))),  # three levels, of which a removal leaves two
]
"""One gap where it takes a larger tree to see what happens to it."""

small_tree: Final = partial(GapTree, capacity=CAPACITY)
"""The tree as it ships, but for the size of its nodes."""


def shapes(gaps: int) -> list[Shape]:
    """Return the ways in which that many gaps may be divided among nodes."""
    alone: list[Shape] = [(gaps,)] if gaps <= CAPACITY else []
    flat = [parts for parts in _parts(gaps) if LEAST <= len(parts) <= CAPACITY]
    deep: list[Shape] = [
        (parts[:at], parts[at:]) for parts in flat for at in range(LEAST, len(parts) - LEAST + 1)
    ]
    return [*alone, *flat, *deep]


def _parts(gaps: int) -> list[Shape]:
    """Return the ways to write a number as a sum of sizes of leaves."""
    if not gaps:
        return [()]
    return [
        (size, *rest)
        for size in range(LEAST, min(CAPACITY, gaps) + 1)
        for rest in _parts(gaps - size)
    ]


class Grid:
    """The starts whose bits a grid has, in place of the bits."""

    def __init__(self, starts: Sequence[int], *, coarse: bool) -> None:
        self._starts = list(starts)
        self._coarse = coarse

    def __or__(self, start: int) -> Grid:
        if any(known == start for known in self._starts):
            return self
        return Grid([*self._starts, start], coarse=self._coarse)

    def is_aligned(self, align: int) -> bool:
        """Whether all that was collected is aligned: one question, whatever the number."""
        if align == 1 or self._coarse:
            return align == 1
        answers: list[Any] = [modelling.is_aligned(start, align) for start in self._starts]
        return bool(SymBool(smt.conj(*(answer.term for answer in answers))))


class TreeSubject(Subject):
    """A gap tree in any state of few gaps."""

    def arrangements(self, gaps: int) -> list[tuple[str, Any]]:
        """Return layouts, each with the shapes that a tree of it can have.

        Searches go many ways, so for them there are few layouts of each number of gaps.
        """
        if self.searching:
            few = [f"{LIVE * 2}{GAP}" * gaps + LIVE, GAP.join(LIVE * (gaps + 1))]
            return [
                (layout, shape)
                for layout in (LIVE, LIVE.join(GAP * gaps), *few)
                for shape in shapes(layout.count(LIVE) + 1)[-1:]
            ]
        distinct = dict.fromkeys(
            layout for count in range(gaps + 1) for layout, _ in layouts(count)
        )
        return [
            *((layout, shape) for layout in distinct for shape in shapes(layout.count(LIVE) + 1)),
            *FULL_OR_DEEP,
        ]

    def any_window(self, *, from_below: bool) -> tuple[int, int]:
        """Return any window; in trees with branches, one that is open where the search ends."""
        first, last = super().any_window(from_below=from_below)
        if not self.index._root.kids:
            return first, last
        return (first, self.before.last) if from_below else (self.before.base, last)

    def any_alignment(self) -> int:
        """Return one of a few: the orders are read on the scale of one."""
        return self.case.one_of("align", ALIGNMENTS)

    def fill(self, history: Shape) -> None:
        """Put a tree of that shape into the index."""
        starts = [self.before.base, *(live.end + 1 for live in self.live)]
        stops = [*(live.start for live in self.live), self.before.last + 1]
        # No length at all, rather than one that the solver would have to find to be none.
        held = [bool(piece) for piece in self.layout.split(LIVE)]
        lengths = [
            stop - start if some else 0
            for start, stop, some in zip(starts, stops, held, strict=True)
        ]
        self.bounds = 0
        # Any bounds: those that a search would make, had it none, are among them.
        kept = (True,) if self.searching else (False, True)
        self.bounded_rooms = len(history) > 1 and self.case.one_of("bounds of room", kept)
        self.index._root = self._node(history, iter(zip(starts, lengths, strict=True)))
        self.index._len = len(self.live)
        grids = (EXACT_GRID, COARSE_GRID) if self.align > 1 else (EXACT_GRID,)
        coarse = self.case.one_of("grid", grids) == COARSE_GRID
        if self.case.is_symbolic:
            self.index._grid = Grid(starts, coarse=coarse)
        else:
            self.index._grid = ALL_BITS if coarse else reduce(or_, starts)

    def _node(self, shape: Shape, gaps: Iterator[tuple[int, int]]) -> Node:
        if len(shape) == 1:
            pairs = [next(gaps) for _ in range(shape[0])]
            return gap_node.leaf_of([start for start, _ in pairs], [size for _, size in pairs])
        below = [part if isinstance(part, tuple) else (part,) for part in shape]
        node = branch_of([self._node(part, gaps) for part in below])
        align = self.align if self.searching else KEPT
        if self.bounded_rooms:
            node.rooms[align] = [self._any_bound(kid, align) for kid in node.kids]
        return node

    def _any_bound(self, kid: Node, align: int) -> int:
        self.bounds += 1
        bound = self.case.number(f"bound{self.bounds}", like=(0, 1, 2, 3, 1 << 64))
        for below in kid.room(align):
            self.case.assume(below <= bound)
        return bound

    def is_sound(self) -> None:
        """Claim the invariants of the tree; a search changes bounds of room alone."""
        if not self.searching:
            self.ask("_check")
            return
        with self.reading():
            waiting: list[Node] = [self.index._root]
            while waiting:
                node = waiting.pop()
                waiting += node.kids
                for align, bounds in node.rooms.items():
                    for kid, bound in zip(node.kids, bounds, strict=True):
                        for below in kid.room(align):
                            self.case.claim(below <= bound)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let the summaries stand in the modules of the tree."""
        if not self.case.is_symbolic:
            yield
            return
        summaries: dict[str, Callable[..., Any]] = {
            "measures": self._measures,
            "max": _most,
            "min": _least,
            "is_aligned": _is_aligned,
            "rooms_after": _rooms_after,
            **ARITHMETIC,
        }
        with standing_in(summaries, vm_allocator.arithmetic, gap_node, gap_search, gap_check):
            yield

    def _measures(self, start: int, length: int) -> tuple[int, int]:
        if length <= 0:
            return 0, 0
        if not self.searching:
            return KEPT.bit_length(), KEPT.bit_length()
        most = self.align.bit_length()
        first = modelling.align_up(start, self.align)
        stop = start + length
        if stop <= first:
            return 1, 1
        return (most if first + self.align <= stop else 1), most


def _most(*numbers: Any) -> Any:
    """Return the greatest as one term."""
    several = numbers[0] if len(numbers) == 1 else numbers
    if isinstance(several, bytearray):
        return max(several)
    return reduce(modelling.larger, several)


def _least(*numbers: Any) -> Any:
    """Return the least as one term."""
    return reduce(modelling.smaller, numbers[0] if len(numbers) == 1 else numbers)


def _is_aligned(address: int, align: int) -> bool:
    grid: object = address  # the tree does not know what it was given
    if isinstance(grid, Grid):
        return grid.is_aligned(align)
    return modelling.is_aligned(address, align)


def _rooms_after(starts: list[int], lengths: list[int], align: int) -> list[int]:
    return [
        length - (modelling.align_up(start, align) - start)
        for start, length in zip(starts, lengths, strict=True)
    ]
