"""Claims that are granted at once, against the plain operations: `python -m benchmarks.claims`.

Both ways take turns, and the best of a few rounds counts, in processor time. Both end in the
same live ranges, which is looked at.
"""

from __future__ import annotations

import gc
import sys
from time import process_time_ns
from typing import TYPE_CHECKING, Any, Final

from vm_allocator import AddressAllocator, Claims, GuestAddress, GuestUsize

from .workloads import BASE, PAGE, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

LIVE: Final = (10, 1000, 100_000)
CALLS: Final = 2000
ROUNDS: Final = 7
STRIDE: Final = 4 * PAGE


def allocator(live: int) -> Any:
    """Return an allocator with so many live ranges, three free pages behind each."""
    made: Any = AddressAllocator(GuestAddress(BASE), GuestUsize(SPACE), PAGE)
    for at in range(live):
        made.allocate(BASE + at * STRIDE, PAGE)
    return made


def timed(operations: Callable[[int], object]) -> float:
    """Return the processor time of one of `CALLS` calls, in ns."""
    gc.collect()
    began = process_time_ns()
    for number in range(CALLS):
        operations(number)
    return (process_time_ns() - began) / CALLS


def measure(live: int) -> dict[str, tuple[float, float]]:
    """Return, by operation, what the plain one takes and what the claim takes, in ns."""
    plain, claims = allocator(live), Claims[int, Any, Any](allocator(live))
    steps: dict[str, tuple[Callable[[int], object], Callable[[int], object]]] = {
        "allocate / claim": (
            lambda at: plain.allocate(BASE + at * STRIDE + 2 * PAGE, PAGE),
            lambda at: claims.claim(at, BASE + at * STRIDE + 2 * PAGE, PAGE),
        ),
        "update / claim": (
            lambda at: plain.update(
                BASE + at * STRIDE + 2 * PAGE, PAGE, BASE + at * STRIDE + PAGE, PAGE
            ),
            lambda at: claims.claim(at, BASE + at * STRIDE + PAGE, PAGE),
        ),
        "free / release": (
            lambda at: plain.free(BASE + at * STRIDE + PAGE, PAGE),
            claims.release,
        ),
    }
    best = dict.fromkeys(steps, (float("inf"), float("inf")))
    for _ in range(ROUNDS):
        for name, (one, other) in steps.items():
            taken = timed(one), timed(other)
            best[name] = (min(best[name][0], taken[0]), min(best[name][1], taken[1]))
            if plain != claims.allocator:
                raise RuntimeError("the two ways do not end in the same live ranges")
    return best


def main() -> int:
    """Print the table, in Markdown."""
    print("| operation | live ranges | plain | claims | times as long |")
    print("| --- | --- | --- | --- | --- |")
    for live in LIVE:
        for name, (plain, claims) in measure(live).items():
            ratio = claims / plain
            print(f"| {name} | {live} | {plain:.0f} ns | {claims:.0f} ns | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
