"""Theorems that are true, and must be proved."""

from __future__ import annotations

from typing import Final

from spec.model import overlaps
from spec.proofs.cases import AllocatorCase, holds
from vm_allocator.modelling import (
    Range,
    align_down,
    align_up,
    is_aligned,
    is_power_of_two,
    larger,
    smaller,
)
from vm_allocator.proving.theorem import Theorem, theorem


@theorem
def a_live_range_meets_no_gap(case: AllocatorCase) -> None:
    """What is live is not free."""
    state, r = case.state(), case.range("r", like=[Range(0, 0)])
    case.assume(r in state.live)
    case.claim(state.gaps().all(lambda gap: not overlaps(gap, r)))


@theorem
def the_lowest_live_range_is_not_above_the_highest(case: AllocatorCase) -> None:
    """And if there is a lowest one, there is a highest one."""
    live = case.state().live
    low, high = live.lowest(lambda _: True), live.highest(lambda _: True)
    case.claim((low is None) == (high is None))
    case.claim(low is None or high is None or low.start <= high.start)


@theorem
def two_live_ranges_that_share_an_address_are_one(case: AllocatorCase) -> None:
    """The same said of an address."""
    state = case.state()
    one = case.range("one", like=case.members(state.live))
    other = case.range("other", like=case.members(state.live))
    address = case.number("address", like=(one.start, one.end))
    case.assume(one in state.live and other in state.live)
    case.assume(holds(address, one) and holds(address, other))
    case.claim(one == other)


@theorem
def adding_and_taking_away_a_new_range_changes_nothing(case: AllocatorCase) -> None:
    """Of any set, with any range that it does not have."""
    live, r = case.state().live, case.range("r")
    case.assume(r not in live)
    case.claim(live.with_range(r).without(r).same_as(live))


@theorem
def adding_twice_is_adding_once(case: AllocatorCase) -> None:
    """Of any set, with any range."""
    live, r = case.state().live, case.range("r")
    case.claim(live.with_range(r).with_range(r).same_as(live.with_range(r)))


@theorem
def no_gap_leaves_the_space(case: AllocatorCase) -> None:
    """And none is empty."""
    state = case.state()
    case.claim(state.gaps().all(lambda gap: state.base <= gap.start <= gap.end <= state.last))


@theorem
def beside_a_gap_stands_a_live_range_or_the_end(case: AllocatorCase) -> None:
    """A gap cannot be made longer upwards."""
    state = case.state()
    gap = state.gaps().lowest(lambda _: True)
    case.assume(gap is not None)
    assert gap is not None  # for the type checker
    beside = state.live.lowest(lambda r: holds(gap.end + 1, r))
    case.claim(beside is not None or gap.end == state.last)


@theorem
def the_larger_is_not_the_smaller(case: AllocatorCase) -> None:
    """Unless they are equal."""
    one, other = case.number("one"), case.number("other")
    case.claim(smaller(one, other) <= larger(one, other))
    case.claim(smaller(one, other) + larger(one, other) == one + other)


@theorem
def between_aligning_down_and_up_lies_the_address(case: AllocatorCase) -> None:
    """For any alignment and any 64-bit address."""
    address, align = case.number("address"), case.number("align", like=(1, 2, 4))
    case.assume(0 <= address < 2**64 and 1 <= align <= 2**63 and is_power_of_two(align))
    case.claim(align_down(address, align) <= address <= align_up(address, align))
    case.claim(is_aligned(align_up(address, align), align))
    case.claim(align_up(address, align) - align < address)


PROVABLE: Final = [member for member in globals().values() if isinstance(member, Theorem)]
