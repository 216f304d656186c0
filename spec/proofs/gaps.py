"""Gaps: what is free, and how it follows from what is live."""

from __future__ import annotations

from spec.model import Allocator, inside, overlaps
from spec.proofs.cases import AllocatorCase, any_range, any_request, any_start, holds
from vm_allocator.modelling import Range, RangeSet
from vm_allocator.proving.theorem import theorem


def apart(one: Range, other: Range) -> bool:
    """Whether something lies between two ranges."""
    return one.end + 1 < other.start or other.end + 1 < one.start


@theorem
def every_address_is_live_or_in_a_gap_and_never_both(case: AllocatorCase) -> None:
    """An address of the space lies in exactly one live range or in exactly one gap."""
    state = case.state()
    address = case.number("address", like=(state.base, state.last))
    case.assume(state.base <= address <= state.last)
    case.consider(address)
    live = state.live.lowest(lambda r: holds(address, r))
    gap = state.gaps().lowest(lambda r: holds(address, r))
    case.claim((live is None) != (gap is None))
    case.claim(state.live.all(lambda r: not holds(address, r) or r == live))
    case.claim(state.gaps().all(lambda r: not holds(address, r) or r == gap))


@theorem
def no_two_gaps_touch(case: AllocatorCase) -> None:
    """Between two gaps lies at least one live address: what is free together is one gap."""
    state = case.state()
    case.claim(state.gaps().all_pairs(lambda one, other: one == other or apart(one, other)))


@theorem
def the_gaps_follow_from_the_live_ranges(case: AllocatorCase) -> None:
    """Two states of one space with the same live ranges have the same gaps."""
    one, other = case.state("one"), case.state("other")
    case.assume(one.base == other.base and one.last == other.last)
    case.assume(one.live.same_as(other.live))
    case.claim(one.gaps().same_as(other.gaps()))


def claim_gaps(case: AllocatorCase, state: Allocator, gaps: RangeSet) -> None:
    """Claim, from the meaning of the word, that these are the gaps of the state."""
    space = Range(state.base, state.last)
    address = case.number("address", like=(space.start, space.end))
    case.claim(gaps.all(lambda gap: inside(gap, space) and gap.start <= gap.end))
    case.claim(gaps.all_pairs(lambda one, other: one == other or apart(one, other)))
    case.assume(holds(address, space))
    case.consider(address)
    live = state.live.lowest(lambda r: holds(address, r))
    gap = gaps.lowest(lambda gap: holds(address, gap))
    case.claim((live is None) != (gap is None))


@theorem
def allocating_splits_one_gap(case: AllocatorCase) -> None:
    """The gaps after are those before, but for one, of which what is left on either side stays.

    ExactMatch stands for every policy: none grants anything but a start that fits.
    """
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    after, granted = before.allocate_exact(request, start).after, request.at(start)
    case.consider(granted.start)
    split = before.gaps().lowest(lambda gap: overlaps(gap, granted))
    case.claim(split is not None and inside(granted, split))
    if split is not None:
        gaps: RangeSet = before.gaps().without(split)
        if split.start < granted.start:
            gaps = gaps.with_range(Range(split.start, granted.start - 1))
        if granted.end < split.end:
            gaps = gaps.with_range(Range(granted.end + 1, split.end))
        claim_gaps(case, after, gaps)


@theorem
def freeing_merges_the_gaps_beside(case: AllocatorCase) -> None:
    """The gaps after are those before, with the freed range and the gaps beside it as one gap."""
    before = case.state()
    start, size = any_range(case, before)
    after = before.free(start, size).after
    freed = Range(start, start + size - 1)
    left = before.gaps().lowest(lambda gap: gap.end + 1 == freed.start)
    right = before.gaps().lowest(lambda gap: gap.start == freed.end + 1)
    gaps, merged = before.gaps(), freed
    if left is not None:
        gaps, merged = gaps.without(left), Range(left.start, merged.end)
    if right is not None:
        gaps, merged = gaps.without(right), Range(merged.start, right.end)
    claim_gaps(case, after, gaps.with_range(merged))
