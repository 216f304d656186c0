"""Bit-vectors that stand for ints: their intervals are right, and nothing wraps unnoticed."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from vm_allocator.modelling import (
    align_down,
    align_up,
    is_aligned,
    is_power_of_two,
    larger,
    smaller,
)
from vm_allocator.symbolic import UnsupportedError, smt
from vm_allocator.symbolic.bits import WIDTH, SymBits, bool_leaf, int_leaf, lift

from .support import ADDRESSES, ALIGNMENTS, answer

if TYPE_CHECKING:
    from collections.abc import Callable

LOWEST, HIGHEST = -(1 << (WIDTH - 1)), (1 << (WIDTH - 1)) - 1
SMALL = range(-5, 6)
INTERVALS = [(low, high) for low, high in product(SMALL, SMALL) if low <= high]


def bits(name: str, low: int, high: int) -> SymBits:
    return SymBits(smt.bits(name, WIDTH), low, high)


def is_value(found: SymBits, expected: int) -> bool:
    """Whether the term has this value, whatever its constants are."""
    same = smt.equal(found.term, smt.bits_literal(expected, WIDTH))
    return answer(smt.neg(same)) == "unsat"


OPERATIONS: dict[str, Callable[[SymBits, SymBits], SymBits]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "&": lambda one, other: one & other,
}
NATIVE: dict[str, Callable[[int, int], int]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "&": lambda one, other: one & other,
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_interval_holds_every_result(operation: str) -> None:
    for one, other in product(INTERVALS, INTERVALS):
        found = OPERATIONS[operation](bits("one", *one), bits("other", *other))
        results = [
            NATIVE[operation](a, b)
            for a, b in product(range(one[0], one[1] + 1), range(other[0], other[1] + 1))
        ]
        assert found.low <= min(results)
        assert max(results) <= found.high


def test_the_interval_of_a_negative_holds_every_result() -> None:
    for low, high in INTERVALS:
        found = -bits("one", low, high)
        assert (found.low, found.high) == (-high, -low)


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(one=ADDRESSES, other=ADDRESSES)
def test_an_operation_computes_what_python_computes(operation: str, one: int, other: int) -> None:
    found = OPERATIONS[operation](lift(one), lift(other))
    assert is_value(found, NATIVE[operation](one, other))


@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(one=ADDRESSES, other=ADDRESSES)
def test_comparisons_are_signed_and_decide_what_python_decides(one: int, other: int) -> None:
    compared: dict[bool, Callable[[int], bool]] = {
        one < other: lambda x: x < other,
        one <= other: lambda x: x <= other,
    }
    more: list[tuple[bool, Callable[[int], bool]]] = [
        *compared.items(),
        (one > other, lambda x: x > other),
        (one >= other, lambda x: x >= other),
        (one == other, lambda x: x == other),
        (one != other, lambda x: x != other),
        (bool(one), bool),
        (not one & other, lambda x: not x & other),
    ]
    for expected, code in more:
        assert answer(bool_leaf(code, lift(one))) == ("sat" if expected else "unsat")


def test_a_bit_vector_is_false_exactly_when_it_is_zero() -> None:
    value = bits("value", -8, 8)
    zero = smt.equal(value.term, smt.bits_literal(0, WIDTH))
    assert answer(smt.neg(smt.equal(bool_leaf(bool, value), smt.neg(zero)))) == "unsat"


def test_what_might_not_fit_the_width_is_refused() -> None:
    everything = bits("everything", LOWEST, HIGHEST)
    operations: list[Callable[[], SymBits]] = [
        lambda: everything + 1,
        lambda: everything - 1,
        lambda: -everything,
        lambda: everything + everything,
        lambda: lift(HIGHEST + 1),
        lambda: lift(LOWEST - 1),
        lambda: bits("too low", LOWEST - 1, 0),
        lambda: bits("too high", 0, HIGHEST + 1),
    ]
    for operation in operations:
        with pytest.raises(UnsupportedError, match="does not fit 72 bits"):
            operation()
    assert (lift(HIGHEST) + 0).high == HIGHEST
    assert (lift(LOWEST) - 0).low == LOWEST


def test_what_bit_vectors_do_not_have_is_refused() -> None:
    value = bits("value", 0, 8)
    codes: list[Callable[[int], object]] = [
        lambda x: x * 2,
        lambda x: x % 2,
        lambda x: x << 1,
        lambda x: 1 - x,
        range,
        lambda x: [1, 2][x],
        hash,
        int,
        lambda x: x + None,  # type: ignore[operator]  # what is tested
        lambda x: x < "1",  # type: ignore[operator]  # what is tested
    ]
    for code in codes:
        with pytest.raises((UnsupportedError, TypeError)):
            int_leaf(code, value)


@settings(derandomize=True, max_examples=150, deadline=None, database=None)
@given(address=ADDRESSES, align=ALIGNMENTS)
def test_the_leaves_on_bit_vectors_compute_what_they_compute_on_ints(
    address: int, align: int
) -> None:
    one, other = lift(address), lift(align)
    numbers = (align_up, align_down, larger, smaller)
    for leaf in numbers:
        term = int_leaf(leaf.code, one, other)
        assert is_value(SymBits(term, LOWEST, HIGHEST), leaf.code(address, align))
    assert answer(bool_leaf(is_aligned.code, one, other)) == (
        "sat" if is_aligned.code(address, align) else "unsat"
    )
    assert answer(bool_leaf(is_power_of_two.code, other)) == (
        "sat" if is_power_of_two.code(align) else "unsat"
    )


def test_the_paths_of_a_leaf_become_one_term() -> None:
    def distance(one: int, other: int) -> int:
        if one < other:
            return other - one
        return one - other

    one, other = bits("one", -9, 9), bits("other", -9, 9)
    found = int_leaf(distance, one, other)
    for a, b in product((-9, -1, 0, 4, 9), repeat=2):
        known = [
            smt.equal(one.term, smt.bits_literal(a, WIDTH)),
            smt.equal(other.term, smt.bits_literal(b, WIDTH)),
        ]
        assert answer(*known, smt.equal(found, smt.bits_literal(abs(a - b), WIDTH))) == "sat"
        assert answer(*known, smt.neg(smt.equal(found, smt.bits_literal(abs(a - b), WIDTH)))) == (
            "unsat"
        )
