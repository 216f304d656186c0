"""Allocation, by whatever policy, for any number of live ranges."""

from __future__ import annotations

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, NO_SPACE, U64_MAX, Request, overlaps
from spec.proofs.cases import (
    FIRST,
    LAST,
    AllocatorCase,
    allocate,
    any_allocation,
    any_request,
    any_start,
    holds,
    look_at,
)
from vm_allocator.modelling import Range, attempt, is_aligned
from vm_allocator.proving.theorem import theorem


@theorem
def allocating_keeps_every_live_range_in_the_space(case: AllocatorCase) -> None:
    """After an allocation, every live range still lies in the space."""
    _, _, after = any_allocation(case, case.state())
    case.claim(after.bounds())


@theorem
def allocating_keeps_live_ranges_apart(case: AllocatorCase) -> None:
    """After an allocation, no two live ranges share an address."""
    _, _, after = any_allocation(case, case.state())
    case.claim(after.no_overlap())


@theorem
def allocating_keeps_every_live_range_aligned(case: AllocatorCase) -> None:
    """After an allocation, every live range starts at a multiple of what it was asked for."""
    _, _, after = any_allocation(case, case.state())
    case.claim(after.alignment())


@theorem
def a_granted_range_is_what_was_asked_for(case: AllocatorCase) -> None:
    """A granted range has the size, the alignment and the window of its request."""
    request, granted, _ = any_allocation(case, case.state())
    case.claim(granted.end - granted.start + 1 == request.size)
    case.claim(is_aligned(granted.start, request.align))
    case.claim(request.window.start <= granted.start)
    case.claim(granted.end <= request.window.end)


@theorem
def a_granted_range_was_free(case: AllocatorCase) -> None:
    """No live range shared an address with a range that is granted."""
    before = case.state()
    _, granted, _ = any_allocation(case, before)
    case.claim(before.live.all(lambda live: not overlaps(live, granted)))


@theorem
def a_granted_range_ends_within_64_bits(case: AllocatorCase) -> None:
    """A granted range starts at 0 at the lowest and ends at 2^64-1 at the highest: no end wraps."""
    _, granted, _ = any_allocation(case, case.state())
    case.claim(granted.start >= 0)
    case.claim(granted.end <= U64_MAX)


@theorem
def allocating_makes_exactly_the_granted_range_live(case: AllocatorCase) -> None:
    """Whatever was live stays live, and nothing but the granted range joins it."""
    before = case.state()
    _, granted, after = any_allocation(case, before)
    other = case.range("other")
    case.claim((other in after.live) == (other in before.live or other == granted))


@theorem
def allocation_refuses_only_if_nothing_fits(case: AllocatorCase) -> None:
    """FirstMatch and LastMatch refuse a sensible request only if it fits nowhere."""
    before = case.state()
    request, other = any_request(case, before), any_start(case, before, "other")
    policy = case.one_of("policy", (FIRST, LAST))
    refusal = attempt(before, lambda: allocate(before, policy, request, 0)).refusal
    case.assume(refusal == NO_SPACE)
    look_at(case, before, other)
    case.claim(not before.fits(request, other))


@theorem
def first_match_takes_the_lowest_fit(case: AllocatorCase) -> None:
    """FirstMatch grants a start that fits, and none below it does."""
    before = case.state()
    request, other = any_request(case, before), any_start(case, before, "other")
    granted = before.allocate_first(request).granted
    case.claim(granted is not None and before.fits(request, granted.start))
    case.assume(before.fits(request, other))
    look_at(case, before, other)
    case.claim(granted is not None and granted.start <= other)


@theorem
def last_match_takes_the_highest_fit(case: AllocatorCase) -> None:
    """LastMatch grants a start that fits, and none above it does."""
    before = case.state()
    request, other = any_request(case, before), any_start(case, before, "other")
    granted = before.allocate_last(request).granted
    case.claim(granted is not None and before.fits(request, granted.start))
    case.assume(before.fits(request, other))
    look_at(case, before, other)
    case.claim(granted is not None and other <= granted.start)


@theorem
def exact_match_grants_that_very_range_or_nothing(case: AllocatorCase) -> None:
    """ExactMatch grants the start that it was given, and no other."""
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    granted = before.allocate_exact(request, start).granted
    case.claim(granted is not None and granted.start == start)


@theorem
def exact_match_succeeds_exactly_when_that_range_fits(case: AllocatorCase) -> None:
    """ExactMatch grants a sensible request if and only if it fits where it was asked for."""
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    refusal = attempt(before, lambda: before.allocate_exact(request, start)).refusal
    case.assume(refusal not in (INVALID_SIZE, INVALID_ALIGNMENT))
    case.claim((refusal is None) == before.fits(request, start))


@theorem
def nothing_is_handed_out_twice(case: AllocatorCase) -> None:
    """What is granted next shares no address (and no id) with what was granted before."""
    _, first, between = any_allocation(case, case.state())
    request, start = any_request(case, between, "next"), any_start(case, between, "next")
    address = case.number("address", like=(first.start, first.end))
    case.assume(between.fits(request, start) and holds(address, first))
    case.claim(not holds(address, request.at(start)))


@theorem
def a_block_aligned_to_its_size_never_straddles(case: AllocatorCase) -> None:
    """A power-of-two block of MSI vectors, aligned to its size, starts at a multiple of it."""
    before = case.state()
    request = any_request(case, before)
    case.assume(request.align == request.size)
    granted = before.allocate_first(request).granted
    case.claim(granted is not None and is_aligned(granted.start, request.size))


@theorem
def an_exact_request_for_the_whole_space_is_granted(case: AllocatorCase) -> None:
    """A new space, be it all of 2^64, can be allocated in one piece."""
    top, base, last = case.number("top"), case.number("base"), case.number("last")
    case.assume(top <= U64_MAX)
    new = case.read(case.model.initial(top, base, last))
    whole = Request(last - base + 1, 1, Range(base, last))
    outcome = attempt(new, lambda: new.allocate_exact(whole, base))
    case.claim(outcome.refusal is None)
    case.claim(outcome.granted == Range(base, last))
