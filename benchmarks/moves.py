"""Moves and transactions against the plain operations in them: `python -m benchmarks.moves`.

Both ways take turns, and the best of a few rounds counts, in processor time. Each way ends in
the same live ranges, which is looked at. Each is to cost at most three times what it is compared
with: a move, an update of many, a transaction of three allocations.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, RangeInclusive, transaction
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps

from .bulk import best
from .workloads import BASE, PAGE, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES: Final = (100, 10_000)
MOVES: Final = 2000
MOVED: Final = 1000  # ranges, at most: each goes and comes back
SIZE: Final = 2 * PAGE
BY: Final = {"elsewhere": SIZE, "by half": PAGE}
PENDING: Final = 1000
AT_ONCE: Final = (2, 16, 256)
INDEXES: Final = (GapTree, SortedGaps)


def filled(index: Any, count: int) -> Any:
    """Return an allocator with so many live ranges of two pages, and two free pages after each."""
    mmio = AddressAllocator(GuestAddress(BASE), GuestUsize(SPACE), PAGE, index=index)
    for at in range(count):
        mmio.allocate(GuestAddress(BASE + at * 2 * SIZE), GuestUsize(SIZE))
    return mmio


def places(count: int, by: int) -> list[tuple[int, int]]:
    """Return from where to where each of many moves leads: all go up, then all come back."""
    moved = min(count, MOVED)
    starts = [BASE + at * count // moved * 2 * SIZE for at in range(moved)]
    there = [(start, start + by) for start in starts]
    back = [(new, old) for old, new in there]
    return (there + back) * (MOVES // (2 * moved))


def by_update(mmio: Any, moves: list[tuple[int, int]]) -> object:
    """Move each range at once."""
    for old, new in moves:
        mmio.update(old, SIZE, new, SIZE)
    return mmio.copy()


def by_hand(mmio: Any, moves: list[tuple[int, int]]) -> object:
    """Allocate the new range, then free the old one: what a VMM does that has no moves."""
    for old, new in moves:
        mmio.allocate(new, SIZE)
        mmio.free(old, SIZE)
    return mmio.copy()


def in_two_phases(mmio: Any, moves: list[tuple[int, int]]) -> object:
    """Begin each move, and commit it."""
    for old, new in moves:
        mmio.move(old, SIZE, new, SIZE).commit()
    return mmio.copy()


def at_once(mmio: Any, moves: list[tuple[int, int]], many: int) -> object:
    """Update so many in one call."""
    pairs = [
        (RangeInclusive(old, old + SIZE - 1), RangeInclusive(new, new + SIZE - 1))
        for old, new in moves
    ]
    for first in range(0, len(pairs), many):
        mmio.update_many(pairs[first : first + many])
    return mmio.copy()


def plainly(mmio: Any, starts: list[int]) -> object:
    """Allocate three ranges at a time, and free them."""
    for start in starts:
        for at in range(3):
            mmio.allocate(start + at * PAGE, PAGE)
        for at in range(3):
            mmio.free(start + at * PAGE, PAGE)
    return mmio.copy()


def in_transactions(mmio: Any, starts: list[int]) -> object:
    """Allocate three ranges in a transaction, and free them in another one."""
    for start in starts:
        with transaction() as tx:
            for at in range(3):
                tx.allocate(mmio, start + at * PAGE, PAGE)
        with transaction() as tx:
            for at in range(3):
                tx.free(mmio, start + at * PAGE, PAGE)
    return mmio.copy()


def with_pending(mmio: Any, pending: int) -> Any:
    """Begin so many moves further up, and leave them pending."""
    above = BASE + SPACE // 2
    for at in range(pending):
        start = above + at * 2 * SIZE
        mmio.allocate(start, SIZE)
        mmio.move(start, SIZE, start + SIZE, SIZE)
    return mmio


def cases(count: int) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return what is compared, by name: the plain operations, and the other way."""
    found: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {}
    for index in INDEXES:
        name = index.__name__
        plain, other = filled(index, count), filled(index, count)
        for where, by in BY.items():
            moves = places(count, by)
            found[f"{name}, {where}: update / move, commit"] = (
                partial(by_update, plain, moves),
                partial(in_two_phases, other, moves),
            )
        moves = places(count, SIZE)
        found[f"{name}, elsewhere: allocate, free / move, commit"] = (
            partial(by_hand, plain, moves),
            partial(in_two_phases, other, moves),
        )
        starts = [BASE + SPACE // 2 + at * 4 * PAGE for at in range(MOVES // 6)]
        found[f"{name}: three allocations, three frees / a transaction of each"] = (
            partial(plainly, plain, starts),
            partial(in_transactions, other, starts),
        )
        for many in AT_ONCE:
            if many <= min(count, MOVED):
                found[f"{name}: {many} updates / update_many"] = (
                    partial(by_update, plain, moves),
                    partial(at_once, other, moves, many),
                )
    busy = [with_pending(filled(GapTree, count), PENDING) for _ in range(2)]
    found[f"GapTree, elsewhere, {PENDING} moves pending: update / move, commit"] = (
        partial(by_update, busy[0], places(count, SIZE)),
        partial(in_two_phases, busy[1], places(count, SIZE)),
    )
    return found


def main() -> int:
    """Print the table, in Markdown; times are those of all `MOVES`."""
    print("| plain / other | live | plain | other | times the cost |")
    print("| --- | --- | --- | --- | --- |")
    for size in SIZES:
        for name, ways in cases(size).items():
            plain, other = best(ways)
            print(f"| {name} | {size} | {plain:.2f} ms | {other:.2f} ms | {other / plain:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
