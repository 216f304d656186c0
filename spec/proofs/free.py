"""Freeing, for any number of live ranges."""

from __future__ import annotations

from spec.model import INVALID_SIZE, NOT_ALLOCATED, Request, inside
from spec.proofs.cases import AllocatorCase, any_allocation, any_range
from vm_allocator.modelling import Range, attempt
from vm_allocator.proving.theorem import theorem


@theorem
def freeing_keeps_every_live_range_in_the_space(case: AllocatorCase) -> None:
    """After a free, every live range still lies in the space."""
    before = case.state()
    after = before.free(*any_range(case, before)).after
    case.claim(after.bounds())


@theorem
def freeing_keeps_live_ranges_apart(case: AllocatorCase) -> None:
    """After a free, no two live ranges share an address."""
    before = case.state()
    after = before.free(*any_range(case, before)).after
    case.claim(after.no_overlap())


@theorem
def freeing_keeps_every_live_range_aligned(case: AllocatorCase) -> None:
    """After a free, every live range starts at a multiple of what it was asked for."""
    before = case.state()
    after = before.free(*any_range(case, before)).after
    case.claim(after.alignment())


@theorem
def free_succeeds_exactly_when_that_range_is_live(case: AllocatorCase) -> None:
    """A free is granted if and only if a live range has exactly that start and that size."""
    before = case.state()
    start, size = any_range(case, before)
    refusal = attempt(before, lambda: before.free(start, size)).refusal
    live = Range(start, start + size - 1) in before.live
    case.claim((refusal is None) == live)
    case.claim(refusal in (None, INVALID_SIZE, NOT_ALLOCATED))


@theorem
def a_part_of_a_live_range_is_not_freed(case: AllocatorCase) -> None:
    """What lies in a live range and is not all of it is refused: as a part, or as a double free."""
    before = case.state()
    whole = case.range("whole", like=case.members(before.live))
    start = case.number("start", like=(whole.start, whole.start + 1))
    size = case.number("size", like=(1, whole.end - whole.start))
    part = Range(start, start + size - 1)
    case.assume(whole in before.live)
    case.assume(inside(part, whole) and part != whole)
    case.claim(attempt(before, lambda: before.free(start, size)).refusal is not None)


@theorem
def freeing_removes_exactly_that_range(case: AllocatorCase) -> None:
    """Whatever else was live stays live, and nothing joins it."""
    before = case.state()
    start, size = any_range(case, before)
    after = before.free(start, size).after
    other = case.range("other")
    freed = Range(start, start + size - 1)
    case.claim((other in after.live) == (other in before.live and other != freed))


@theorem
def freeing_undoes_allocating(case: AllocatorCase) -> None:
    """Allocating and freeing again leaves the same live ranges, and therefore the same gaps."""
    before = case.state()
    request, granted, after = any_allocation(case, before)
    again = after.free(granted.start, request.size).after
    case.claim(again.live.same_as(before.live))


@theorem
def a_granted_range_can_be_freed(case: AllocatorCase) -> None:
    """Whatever an allocation granted, a free of just that is not refused."""
    request, granted, after = any_allocation(case, case.state())
    case.claim(attempt(after, lambda: after.free(granted.start, request.size)).refusal is None)


@theorem
def a_freed_range_can_be_allocated_again(case: AllocatorCase) -> None:
    """Right after a free, that range is free in all its addresses."""
    before = case.state()
    start, size = any_range(case, before)
    after = before.free(start, size).after
    again = Request(size, 1, Range(after.base, after.last))
    case.claim(after.is_free(again.at(start)))
