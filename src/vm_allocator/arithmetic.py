"""The arithmetic of alignment: the only place with bit tricks.

Each function is small and total on its stated domain. Those that the allocators use keep
every intermediate value within 64 bits, so that they port to Rust or C as they stand; the
proofs read them through lemmas that are proven of this very code on bit-vectors. `reach` and
`rooms_after` are the gap tree's own, and tested.
"""

from __future__ import annotations


def is_power_of_two(value: int) -> bool:
    """Whether `value` is 1, 2, 4, ...; 0 and negative numbers are not."""
    return value > 0 and value & (value - 1) == 0


def is_aligned(address: int, align: int) -> bool:
    """Whether `address` is a multiple of the power of two `align`."""
    return address & (align - 1) == 0


def padding(address: int, align: int) -> int:
    """How far above `address` its next multiple of the power of two `align` lies.

    0 when `address` is a multiple already. Always below `align`, whereas the
    multiple itself may lie beyond 2^64-1: hence the distance and not the place.
    """
    return -address & (align - 1)


def rooms_after(starts: list[int], lengths: list[int], align: int) -> list[int]:
    """Return what each range has from its first multiple of `align` on; below 1, it has none.

    >>> rooms_after([3, 5], [6, 2], 4)
    [5, -1]
    """
    low = align - 1
    return [
        length - (-start & low)  # `padding`, without a call for each
        for start, length in zip(starts, lengths, strict=True)
    ]


def align_down(address: int, align: int) -> int:
    """Return the greatest multiple of the power of two `align` at or below `address`."""
    return address & -align


def lowest_start(first: int, last: int, span: int, align: int) -> int | None:
    """Return the lowest aligned start of `span + 1` units within `first` to `last`.

    `None` if there is none. Needs `first <= last` and `span >= 0`.
    """
    skip = padding(first, align)
    room = last - first
    if skip <= room and span <= room - skip:
        return first + skip
    return None


def highest_start(first: int, last: int, span: int, align: int) -> int | None:
    """Return the highest aligned start of `span + 1` units within `first` to `last`.

    `None` if there is none. Needs `first <= last` and `span >= 0`.
    """
    if span <= last - first:
        start = align_down(last - span, align)
        if first <= start:
            return start
    return None


def reach(first: int, last: int) -> tuple[int, int]:
    """Return two counts of bits for `first` to `last`, which is not empty.

    1 + log2 of the largest aligned block in it, and 1 + log2 of the largest alignment, 2^63
    at most, that has a multiple in it.

    >>> reach(3, 14), reach(5, 5)  # 8 to 11 is a block of 4, 8 is a multiple of 8; 5 is odd
    ((3, 4), (1, 1))
    """
    if first == 0:
        # The half of `last + 1`, which may be 2^64, is what has one bit less.
        return (last - (last >> 1)).bit_length() + 1, 64
    # The highest bit in which the two ends differ, counting from just below `first`, is the
    # best alignment within; `middle` has it. No aligned block that lies within can reach
    # across `middle`, so the largest one ends or starts there.
    top = ((first - 1) ^ last).bit_length()
    middle = align_down(last, 1 << (top - 1))
    return ((middle - first) | (last - middle + 1)).bit_length(), top
