"""The arithmetic that no lemma speaks of: compared with counting."""

from __future__ import annotations

from itertools import product

from vm_allocator.arithmetic import reach
from vm_allocator.resource import U64_MAX


def test_reach_is_what_counting_says() -> None:
    for first, last in product(range(40), range(40)):
        if first <= last:
            blocks = [
                bit
                for bit in range(7)
                for start in range(0, 64, 1 << bit)
                if first <= start and start + (1 << bit) - 1 <= last
            ]
            tops = [(at & -at).bit_length() or 64 for at in range(first, last + 1)]
            assert reach(first, last) == (1 + max(blocks), max(tops))
    assert reach(0, U64_MAX) == (65, 64)
    assert reach(1, U64_MAX) == (64, 64)
    assert reach(U64_MAX, U64_MAX) == (1, 1)
