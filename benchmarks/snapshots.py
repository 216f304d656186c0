"""How long saving and restoring takes: `python -m benchmarks.snapshots [RANGES ...]`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from vm_allocator import (
    AddressAllocator,
    GuestAddress,
    GuestUsize,
    SnapshotLimits,
    dump_snapshot,
    load_snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BIG = SnapshotLimits(size=1 << 30, values=1 << 27)
SIZE = GuestUsize(0x1000)


def best(work: Callable[[], Any], times: int = 3) -> float:
    """Seconds of processor time: the least of a few rounds."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    """Print a table: a row for each number of ranges."""
    print("| ranges | bytes | save | text | read | restore | one `allocate` each |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count in map(int, sys.argv[1:] or ("1000", "10000", "100000")):
        pool = AddressAllocator(GuestAddress(1 << 40), GuestUsize(count * 0x4000))
        ends = [GuestAddress((1 << 40) + at * 0x4000) for at in range(count)]
        for start in ends:
            pool.allocate(start, SIZE)
        data = pool.save()
        text = dump_snapshot(data)
        read = load_snapshot(text, limits=BIG)
        if AddressAllocator.restore(read) != pool:
            raise AssertionError("what is restored is another allocator")

        def one_by_one(count: int = count, ends: list[GuestAddress] = ends) -> None:
            fresh = AddressAllocator(GuestAddress(1 << 40), GuestUsize(count * 0x4000))
            for start in ends:
                fresh.allocate(start, SIZE)

        def saving(pool: AddressAllocator = pool) -> None:
            pool.save()

        def writing(data: dict[str, Any] = data) -> None:
            dump_snapshot(data)

        def reading(text: str = text) -> None:
            load_snapshot(text, limits=BIG)

        def restoring(read: Any = read) -> None:
            AddressAllocator.restore(read)

        works = (saving, writing, reading, restoring, one_by_one)
        seconds = " | ".join(f"{best(work) * 1000:.1f} ms" for work in works)
        print(f"| {count:,} | {len(text):,} | {seconds} |")


if __name__ == "__main__":
    main()
