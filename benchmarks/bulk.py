"""Many at once against one by one: `python -m benchmarks.bulk`.

Both ways take turns, and the best of a few rounds counts, in processor time. Each way ends in
the same live ranges, which is looked at.
"""

from __future__ import annotations

import gc
import sys
from functools import partial
from time import process_time_ns
from typing import TYPE_CHECKING, Any, Final

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator
from vm_allocator.gap_tree import GapTree
from vm_allocator.id_bitmap import IdBitmap

from .workloads import BASE, IDS, PAGE, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES: Final = (1000, 10_000, 100_000)
ROUNDS: Final = 5
LAST: Final = BASE + SPACE - 1


def addresses() -> Any:
    """Return an empty allocator of addresses."""
    return AddressAllocator(GuestAddress(BASE), GuestUsize(SPACE), PAGE)


def ids() -> Any:
    """Return an empty allocator of ids, on the bitmap."""
    return IdAllocator(Id(0), Id(IDS - 1), index=IdBitmap)


def with_holes(count: int) -> Any:
    """Return an allocator of addresses that has so many holes of three pages."""
    live = [
        (BASE + at * 4 * PAGE + 3 * PAGE, BASE + (at + 1) * 4 * PAGE - 1) for at in range(count)
    ]
    index = GapTree.from_live(BASE, LAST, live)
    return AddressAllocator(
        GuestAddress(BASE), GuestUsize(SPACE), PAGE, index=lambda _base, _last: index
    )


def one_by_one(allocator: Any, count: int, size: int) -> object:
    """Allocate one after the other."""
    for _ in range(count):
        allocator.allocate(None, size)
    return allocator


def at_once(allocator: Any, count: int, size: int) -> object:
    """Allocate all of them in one call."""
    allocator.allocate_many(count, size)
    return allocator


def loaded_one_by_one(ranges: list[tuple[int, int]]) -> object:
    """Put ranges that are known into a tree, one after the other."""
    index = GapTree(BASE, LAST)
    for start, end in ranges:
        index.add(start, end)
    return list(index.live())


def loaded_at_once(ranges: list[tuple[int, int]]) -> object:
    """Build the tree of ranges that are known."""
    return list(GapTree.from_live(BASE, LAST, ranges).live())


def best(ways: tuple[Callable[[], object], Callable[[], object]]) -> tuple[float, float]:
    """Return the least processor time of both ways, in ms, after taking turns."""
    times: tuple[list[int], list[int]] = ([], [])
    for _ in range(ROUNDS):
        results = []
        for way, taken in zip(ways, times, strict=True):
            gc.collect()
            began = process_time_ns()
            results.append(way())
            taken.append(process_time_ns() - began)
        if results[0] != results[1]:
            raise RuntimeError("the two ways do not end in the same live ranges")
    return min(times[0]) / 1e6, min(times[1]) / 1e6


def cases(count: int) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return what is compared, by name; states are made within both ways alike."""
    ranges = [(BASE + at * 2 * PAGE, BASE + at * 2 * PAGE + PAGE - 1) for at in range(count)]
    return {
        "GapTree, empty space": (
            lambda: one_by_one(addresses(), count, PAGE),
            lambda: at_once(addresses(), count, PAGE),
        ),
        "GapTree, holes of three pages": (
            lambda: one_by_one(with_holes(count // 3), count, PAGE),
            lambda: at_once(with_holes(count // 3), count, PAGE),
        ),
        "IdBitmap, empty space": (
            lambda: one_by_one(ids(), count, 1),
            lambda: at_once(ids(), count, 1),
        ),
        "GapTree, restored": (
            partial(loaded_one_by_one, ranges),
            partial(loaded_at_once, ranges),
        ),
    }


def main() -> int:
    """Print the table, in Markdown."""
    print("| case | ranges | one by one | at once | times as fast |")
    print("| --- | --- | --- | --- | --- |")
    for size in SIZES:
        for name, ways in cases(size).items():
            single, many = best(ways)
            print(f"| {name} | {size} | {single:.2f} ms | {many:.2f} ms | {single / many:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
