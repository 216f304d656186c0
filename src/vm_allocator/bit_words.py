"""Words of bits: whole numbers of which bit `i` says something about place `i`.

A word has as many bits as it needs: a thousand or so here. Python takes 30 of them at a time,
so that an operation on such a word costs little more than one on a small number. Hence no
function below looks at a word bit by bit, apart from `places`, which says so.

Two words describe the live ranges of a chunk of places: bit `s` of `starts` where a range
starts, bit `e` of `ends` where one ends. A range that reaches out of the chunk has only one
of its two bits there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def lowest(word: int) -> int:
    """Return the place of the lowest bit. Needs a word that has one."""
    return (word & -word).bit_length() - 1


def highest(word: int) -> int:
    """Return the place of the highest bit. Needs a word that has one."""
    return word.bit_length() - 1


def places(word: int) -> Iterator[int]:
    """Iterate over the places of the bits, lowest first. O(length of the word) in all."""
    digits = bin(word)[:1:-1]  # the lowest first; without the "0b"
    place = digits.find("1")
    while place >= 0:
        yield place
        place = digits.find("1", place + 1)


@cache
def multiples(step: int, size: int) -> int:
    """Return the word of the multiples of `step` below `size`, both of them powers of two."""
    word = 1
    while step < size:
        word |= word << step
        step *= 2
    return word


def inner_gaps(starts: int, ends: int) -> int:
    """Return the free places between an end and the start after it, both in this chunk.

    Between end `e` and the next start `s`, the free places are the bits of `2^s - 2^(e+1)`
    (none at all where the two touch). The sum over all such pairs is one subtraction.
    """
    if not ends:
        return 0
    # A start at or below the lowest end has its gap, if any, below this chunk.
    above = starts & -((ends & -ends) << 1)
    if not above:
        return 0
    # An end above the highest start has its gap reach out of this chunk.
    below = ends & ((1 << highest(above)) - 1)
    return above - (below << 1)


def runs(free: int, size: int) -> int:
    """Return the places from which `size` bits in a row are set. O(log size) operations."""
    length = 1
    while length < size and free:
        step = min(length, size - length)
        free &= free >> step
        length += step
    return free


def longest_run(free: int, wanted: int) -> int:
    """Return the most bits in a row that start at a place in `wanted`. O(log) operations."""
    if not free & wanted:
        return 0
    # By powers of two as far as they go; then the rest, from the largest power down.
    powers = [free]
    while (twice := powers[-1] & (powers[-1] >> (1 << (len(powers) - 1)))) & wanted:
        powers.append(twice)
    longest, length = powers[-1], 1 << (len(powers) - 1)
    for exponent in range(len(powers) - 2, -1, -1):
        longer = longest & (powers[exponent] >> length)
        if longer & wanted:
            longest, length = longer, length + (1 << exponent)
    return length
