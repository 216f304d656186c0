"""What the lock of a synchronized allocator costs where nobody else wants it.

`python -m benchmarks.synchronized`: rounds of the plain allocator and of the synchronized one in
turn, in processor time; the median of each, for operations that come in pairs.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from vm_allocator import (
    AddressAllocator,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    RangeInclusive,
    SynchronizedAddressAllocator,
    SynchronizedIdAllocator,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TARGET: Final = 30
"""Percent of an operation that the lock may cost."""

_SIZE: Final = GuestUsize(0x1000)
_PAIRS: Final = 2_000


@dataclass(frozen=True)
class Scenario:
    """Two operations, one after the other, that lead back to where they began."""

    name: str
    make: Callable[[type[Any], int], Any]
    pair: Callable[[Any, int], Callable[[], None]]
    kinds: tuple[type[Any], type[Any]]


def addresses(kind: type[Any], live: int) -> Any:
    """Return an allocator with so many live ranges, and as many gaps of the same size."""
    made = kind(GuestAddress(0), GuestUsize(1 << 40))
    for number in range(live):
        made.allocate(GuestAddress(2 * number * _SIZE), _SIZE)
    return made


def ids(kind: type[Any], live: int) -> Any:
    """Return an allocator with so many live ids at its beginning."""
    made = kind(Id(0), Id((1 << 20) - 1))
    made.allocate_many(live)
    return made


def first_fit(made: Any, _live: int) -> Callable[[], None]:
    """Allocate the lowest fit, and free it."""

    def pair() -> None:
        made.free(made.allocate(None, _SIZE), _SIZE)

    return pair


def exact(made: Any, live: int) -> Callable[[], None]:
    """Allocate a gap in the middle, and free it."""
    place = GuestAddress((live // 2 * 2 + 1) * _SIZE)

    def pair() -> None:
        made.allocate(place, _SIZE)
        made.free(place, _SIZE)

    return pair


def move(made: Any, live: int) -> Callable[[], None]:
    """Move a range by half its size, and back."""
    here = GuestAddress(live // 2 * 2 * _SIZE)
    there = GuestAddress(here + _SIZE // 2)

    def pair() -> None:
        made.update(here, _SIZE, there, _SIZE)
        made.update(there, _SIZE, here, _SIZE)

    return pair


def ask(made: Any, live: int) -> Callable[[], None]:
    """Look two addresses up, of which one is live."""
    here = GuestAddress(live // 2 * 2 * _SIZE)
    found: list[RangeInclusive[GuestAddress] | None] = [None]

    def pair() -> None:
        found[0] = made.lookup(here)
        found[0] = made.lookup(here + _SIZE)

    return pair


def one_id(made: Any, _live: int) -> Callable[[], None]:
    """Allocate an id, and free it."""

    def pair() -> None:
        made.free(made.allocate(None))

    return pair


_ADDRESSES: Final = (AddressAllocator, SynchronizedAddressAllocator)
_IDS: Final = (IdAllocator, SynchronizedIdAllocator)
SCENARIOS: Final = (
    Scenario("first fit, free", addresses, first_fit, _ADDRESSES),
    Scenario("exact, free", addresses, exact, _ADDRESSES),
    Scenario("update, back", addresses, move, _ADDRESSES),
    Scenario("lookup twice", addresses, ask, _ADDRESSES),
    Scenario("id, free", ids, one_id, _IDS),
)


def measured(scenario: Scenario, live: int, rounds: int) -> tuple[float, float]:
    """Return nanoseconds of an operation, without the lock and with it."""
    pairs = [scenario.pair(scenario.make(kind, live), live) for kind in scenario.kinds]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for pair, into in zip(pairs, times, strict=True):
            began = time.process_time_ns()
            for _ in range(_PAIRS):
                pair()
            into.append((time.process_time_ns() - began) / (2 * _PAIRS))
    return median(times[0]), median(times[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--live", type=int, nargs="+", default=[100, 10_000])
    options = parser.parse_args(arguments)
    print(f"{'operations':<18}{'live':>8}{'plain':>10}{'locked':>10}{'more':>8}")
    for live in options.live:
        for scenario in SCENARIOS:
            plain, locked = measured(scenario, live, options.rounds)
            more = 100 * (locked / plain - 1)
            print(f"{scenario.name:<18}{live:>8,}{plain:>7.0f} ns{locked:>7.0f} ns{more:>6.0f} %")
    print(f"target: at most {TARGET} % more")


if __name__ == "__main__":
    main()
