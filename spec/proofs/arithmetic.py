"""The lemmas about alignment, proved of the very code of the leaves.

The theorems rely on these, instance by instance (`vm_allocator.proving.lemmas`): an
address is an integer from -2^66 to 2^66, an alignment a power of two from 1 to 2^64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vm_allocator import arithmetic
from vm_allocator.modelling import (
    align_down,
    align_up,
    is_aligned,
    is_power_of_two,
    larger,
    smaller,
)
from vm_allocator.proving.lemma import Lemma, lemma
from vm_allocator.proving.lemmas import DOMAIN
from vm_allocator.symbolic import smt
from vm_allocator.symbolic.bits import WIDTH, SymBits, bool_leaf, int_leaf

if TYPE_CHECKING:
    from vm_allocator.symbolic.smt import BoolTerm

MAX_ALIGN: Final = 2**64

ADDRESS: Final = SymBits(smt.bits("address", WIDTH), -DOMAIN, DOMAIN)
OTHER: Final = SymBits(smt.bits("other", WIDTH), -DOMAIN, DOMAIN)
ALIGN: Final = SymBits(smt.bits("align", WIDTH), -MAX_ALIGN, MAX_ALIGN)
UP: Final = SymBits(int_leaf(align_up.code, ADDRESS, ALIGN), -2 * DOMAIN, 2 * DOMAIN)
DOWN: Final = SymBits(int_leaf(align_down.code, ADDRESS, ALIGN), -2 * DOMAIN, 2 * DOMAIN)


def literal(value: int) -> SymBits:
    """Return a constant."""
    return SymBits(smt.bits_literal(value, WIDTH), value, value)


def bounded(*values: SymBits) -> list[BoolTerm]:
    """Say that each value lies in the interval that it is read with."""
    return [
        smt.conj(literal(value.low).term <= value.term, value.term <= literal(value.high).term)
        for value in values
    ]


def domain(*addresses: SymBits) -> list[BoolTerm]:
    """Say that the alignment is a power of two, and that the addresses are in the domain."""
    return [*bounded(*addresses, ALIGN), bool_leaf(is_power_of_two.code, ALIGN)]


def aligned(value: SymBits) -> BoolTerm:
    """Say that the value is aligned, as the leaf decides it."""
    return bool_leaf(is_aligned.code, value, ALIGN)


def below(one: SymBits, other: SymBits) -> BoolTerm:
    """Say that one value is less than the other."""
    return one.term < other.term


def at_most(one: SymBits, other: SymBits) -> BoolTerm:
    """Say that one value is at most the other."""
    return one.term <= other.term


@lemma
def a_power_of_two_is_two_to_some_power() -> tuple[list[BoolTerm], BoolTerm]:
    """`is_power_of_two(a)` is true of 1, 2, 4, ... 2^64 and of nothing else up to there."""
    powers = [smt.equal(ALIGN.term, literal(1 << power).term) for power in range(65)]
    decided = bool_leaf(is_power_of_two.code, ALIGN)
    return bounded(ALIGN), smt.equal(decided, smt.disj(*powers))


@lemma
def aligned_means_a_multiple() -> tuple[list[BoolTerm], BoolTerm]:
    """`is_aligned(x, 2^k)` is true exactly of the x that shifting right and left by k keeps."""
    power = smt.bits("power", WIDTH)
    known = [
        *bounded(ADDRESS),
        literal(0).term <= power,
        power <= literal(64).term,
        smt.equal(ALIGN.term, literal(1).term << power),
    ]
    shifted = (ADDRESS.term >> power) << power
    return known, smt.equal(aligned(ADDRESS), smt.equal(shifted, ADDRESS.term))


@lemma
def everything_is_aligned_to_one() -> tuple[list[BoolTerm], BoolTerm]:
    """1 is a power of two, and every address is a multiple of it."""
    one = smt.equal(ALIGN.term, literal(1).term)
    both = smt.conj(bool_leaf(is_power_of_two.code, ALIGN), aligned(ADDRESS))
    return [*bounded(ADDRESS), one], both


@lemma
def aligning_up_gives_a_multiple_just_above() -> tuple[list[BoolTerm], BoolTerm]:
    """`align_up(x, a)` is aligned, at least x, and less than x + a."""
    near = smt.conj(at_most(ADDRESS, UP), below(UP, ADDRESS + ALIGN))
    return domain(ADDRESS), smt.conj(near, aligned(UP))


@lemma
def aligning_up_gives_the_least_multiple() -> tuple[list[BoolTerm], BoolTerm]:
    """No multiple of a lies between x and `align_up(x, a)`."""
    known = [*domain(ADDRESS, OTHER), aligned(OTHER), at_most(ADDRESS, OTHER)]
    return known, at_most(UP, OTHER)


@lemma
def aligning_down_gives_a_multiple_just_below() -> tuple[list[BoolTerm], BoolTerm]:
    """`align_down(x, a)` is aligned, at most x, and more than x - a."""
    near = smt.conj(at_most(DOWN, ADDRESS), below(ADDRESS - ALIGN, DOWN))
    return domain(ADDRESS), smt.conj(near, aligned(DOWN))


@lemma
def aligning_down_gives_the_greatest_multiple() -> tuple[list[BoolTerm], BoolTerm]:
    """No multiple of a lies between `align_down(x, a)` and x."""
    known = [*domain(ADDRESS, OTHER), aligned(OTHER), at_most(OTHER, ADDRESS)]
    return known, at_most(OTHER, DOWN)


@lemma
def larger_and_smaller_are_what_they_say() -> tuple[list[BoolTerm], BoolTerm]:
    """`larger` returns whichever number is not below the other, `smaller` the other one."""
    order = at_most(OTHER, ADDRESS)
    high = smt.if_then_else(order, ADDRESS.term, OTHER.term)
    low = smt.if_then_else(order, OTHER.term, ADDRESS.term)
    return bounded(ADDRESS, OTHER), smt.conj(
        smt.equal(int_leaf(larger.code, ADDRESS, OTHER), high),
        smt.equal(int_leaf(smaller.code, ADDRESS, OTHER), low),
    )


@lemma
def the_shipped_leaves_are_those_of_the_model() -> tuple[list[BoolTerm], BoolTerm]:
    """The library's alignment functions compute what the model's do; `padding` is what is missing.

    Of addresses that are not negative: where the library uses them.
    """
    natural = literal(0).term <= ADDRESS.term
    missing = SymBits(int_leaf(arithmetic.padding, ADDRESS, ALIGN), -DOMAIN, DOMAIN)
    return [*domain(ADDRESS), natural], smt.conj(
        smt.equal(bool_leaf(arithmetic.is_aligned, ADDRESS, ALIGN), aligned(ADDRESS)),
        smt.equal((ADDRESS + missing).term, UP.term),
        smt.equal(int_leaf(arithmetic.align_down, ADDRESS, ALIGN), DOWN.term),
    )


@lemma
def the_shipped_test_for_powers_of_two_is_that_of_the_model() -> tuple[list[BoolTerm], BoolTerm]:
    """The library's `is_power_of_two` decides as the model's does, for every number."""
    ours = bool_leaf(arithmetic.is_power_of_two, ALIGN)
    return bounded(ALIGN), smt.equal(ours, bool_leaf(is_power_of_two.code, ALIGN))


def all_lemmas() -> list[Lemma]:
    """Return every lemma of this module, in the order in which they are written."""
    return [member for member in globals().values() if isinstance(member, Lemma)]
