"""What the benchmarks ask for: states of n live ranges, and seeded random numbers.

Everything follows from a seed, in Python and in `rivals/` alike. A state is the list of its
live ranges in the order in which a subject is to take them up: shuffled, as in a structure that
has been in use for a while, and in order where the scenario says so.

A new scenario has its place in `STATES`, `SCENARIOS` and `ABOUT` here, in `SLICES` and `NEEDS` of
`slices.py`, and a call of `Subject` that those have who take part; then in `rivals/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vm_allocator.gap_tree import GapTree
from vm_allocator.id_bitmap import IdBitmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.gaps import GapIndex

Ranges = list[tuple[int, int]]
"""Live ranges as (start, size)."""

BASE: Final = 1 << 32
SPACE: Final = 1 << 47  # bytes: a million ranges leave most of it free
LAST: Final = BASE + SPACE - 1
IDS: Final = 1 << 32
PAGE: Final = 0x1000
CHURN_SIZES: Final = (0x1000, 0x4000, 0x10000, 0x200000)
BLOCK_POWERS: Final = 6  # blocks of 1 to 32 ids, as multi-message MSI has them
WARM_UP: Final = 100_000  # pairs of churn at the most, before the state is used

_WORD: Final = (1 << 64) - 1


class SplitMix64:
    """Steele, Lea and Flood's generator of 64-bit numbers: ten lines in any language.

    >>> SplitMix64(0).draw(2) == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]
    True
    """

    def __init__(self, seed: int) -> None:
        self._state = seed & _WORD

    def draw(self, count: int) -> list[int]:
        """Return the next `count` numbers."""
        state, drawn = self._state, []
        for _ in range(count):
            state = (state + 0x9E3779B97F4A7C15) & _WORD
            mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
            drawn.append(mixed ^ (mixed >> 31))
        self._state = state
        return drawn


def _shuffled(ranges: Ranges, seed: int) -> Ranges:
    drawn = SplitMix64(seed).draw(len(ranges))
    return [ranges[at] for at in sorted(range(len(ranges)), key=drawn.__getitem__)]


def side_by_side(count: int) -> Ranges:
    """Pages without a hole, in order: what append extends."""
    return [(BASE + at * PAGE, PAGE) for at in range(count)]


def comb(count: int) -> Ranges:
    """Every other page live, so that there are as many holes of one page."""
    return _shuffled([(BASE + at * 2 * PAGE, PAGE) for at in range(count)], count)


def misaligned(count: int) -> Ranges:
    """Gaps of two pages, none of which holds two pages aligned to two."""
    above = [(BASE + (4 * at - 1) * PAGE, 2 * PAGE) for at in range(1, count)]
    return _shuffled([(BASE, PAGE), *above], count)


def mixed(count: int) -> Ranges:
    """What is left after a long churn of sizes, each aligned to itself, by first fit."""
    generator, live, cursor = SplitMix64(count), [], BASE
    index = GapTree(BASE, LAST)
    for drawn in generator.draw(count):
        size = CHURN_SIZES[drawn % len(CHURN_SIZES)]
        start = -(-cursor // size) * size
        index.add(start, start + size - 1)
        live.append((start, size))
        cursor = start + size
    picks = generator.draw(2 * min(2 * count, WARM_UP))
    for which, kind in zip(picks[::2], picks[1::2], strict=True):
        start, size = live[which % count]
        index.remove(start, start + size - 1)
        size = CHURN_SIZES[kind % len(CHURN_SIZES)]
        found = index.lowest_fit(size - 1, size, BASE, LAST)
        if found is None:
            raise RuntimeError("the space is too small for this churn")
        index.add(found, found + size - 1)
        live[which % count] = (found, size)
    return _shuffled(live, count)


def dense_ids(count: int) -> Ranges:
    """The ids from 0 on, in order: a crate that counts upwards has no other way."""
    return [(at, 1) for at in range(count)]


def id_blocks(count: int) -> Ranges:
    """Blocks of 1 to 32 ids aligned to their size, after a long churn by first fit."""
    generator, index = SplitMix64(count), IdBitmap(0, IDS - 1)
    sizes = [1 << drawn % BLOCK_POWERS for drawn in generator.draw(count)]
    blocks = [_lowest_block(index, size) for size in sizes]
    picks = generator.draw(2 * min(2 * count, WARM_UP))
    for which, kind in zip(picks[::2], picks[1::2], strict=True):
        start, size = blocks[which % count]
        index.remove(start, start + size - 1)
        blocks[which % count] = _lowest_block(index, 1 << kind % BLOCK_POWERS)
    return _shuffled(blocks, count)


def _lowest_block(index: GapIndex, size: int) -> tuple[int, int]:
    start = index.lowest_fit(size - 1, size, 0, IDS - 1)
    if start is None:
        raise RuntimeError("there are not that many ids")
    index.add(start, start + size - 1)
    return start, size


STATES: Final[dict[str, Callable[[int], Ranges]]] = {
    "side-by-side": side_by_side,
    "comb": comb,
    "misaligned": misaligned,
    "mixed": mixed,
    "dense-ids": dense_ids,
    "id-blocks": id_blocks,
}

SCENARIOS: Final[dict[str, str]] = {
    "append": "side-by-side",
    "churn": "mixed",
    "exact": "comb",
    "skip": "comb",
    "misaligned": "misaligned",
    "lookup": "comb",
    "iterate": "comb",
    "smallest-id": "dense-ids",
    "id-blocks": "id-blocks",
}
"""Each scenario, and the state that it starts from."""

ABOUT_IDS: Final = frozenset({"dense-ids", "id-blocks"})
"""The states of ids; the others are of addresses."""

ABOUT: Final[dict[str, str]] = {
    "append": "first fit of a page behind n neighbours",
    "churn": "free a random range + first fit of 4K, 16K, 64K or 2M aligned to itself",
    "exact": "exact allocation in a random hole + free",
    "skip": "first fit of two pages past n holes of one + free",
    "misaligned": "first fit of two aligned pages past n gaps of two misaligned ones + free",
    "lookup": "the live range at a random address",
    "iterate": "all live ranges in order, per range",
    "smallest-id": "free a random id + allocate the smallest",
    "id-blocks": "free a random block + allocate one of 1 to 32 ids aligned to itself",
}
