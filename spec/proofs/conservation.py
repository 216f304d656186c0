"""Conservation: the live ranges of a pool are the sum of what the devices hold.

The map is a second state of the same space here: its live ranges are the sum over the sets
of all devices. The theorems are the steps of the induction: if both have the same ranges,
every operation that a map carries out on both leaves both with the same, what is new was
held by nobody, so that sets never share an address, and what is held can be freed. A map
changes several pools; each of them is such a pair, and they share nothing.
"""

from __future__ import annotations

from dataclasses import replace

from spec.proofs.cases import AllocatorCase, any_allocation, any_range
from spec.proofs.transactions import any_other_with_the_same_live_ranges
from spec.proofs.update import any_update, update
from vm_allocator.modelling import Range, attempt
from vm_allocator.proving.theorem import theorem


@theorem
def registering_keeps_live_ranges_the_sum_of_what_is_held(case: AllocatorCase) -> None:
    """Whatever is granted is noted as held: the pool and the map have the same ranges again."""
    pool = case.state()
    held = any_other_with_the_same_live_ranges(case, pool)
    _, granted, after = any_allocation(case, pool)
    noted = held.live.with_range(granted)
    case.claim(after.live.same_as(noted))


@theorem
def what_is_granted_was_held_by_nobody(case: AllocatorCase) -> None:
    """A granted range shares no address with what any device holds: sets are disjoint."""
    pool = case.state()
    held = any_other_with_the_same_live_ranges(case, pool)
    _, granted, _ = any_allocation(case, pool)
    case.claim(held.is_free(granted))


@theorem
def unregistering_keeps_live_ranges_the_sum_of_what_is_held(case: AllocatorCase) -> None:
    """What a device holds can be freed, always; then the pool and the map agree again."""
    pool = case.state()
    held = any_other_with_the_same_live_ranges(case, pool)
    start, size = any_range(case, pool)
    given_up = Range(start, start + size - 1)
    case.assume(given_up in held.live)
    outcome = attempt(pool, lambda: pool.free(start, size))
    case.claim(outcome.refusal is None)
    case.claim(outcome.after.live.same_as(held.live.without(given_up)))


@theorem
def moving_keeps_live_ranges_the_sum_of_what_is_held(case: AllocatorCase) -> None:
    """A granted update, noted as the old range given up and the new one held: they agree again."""
    pool, old, request, new = any_update(case)
    held = any_other_with_the_same_live_ranges(case, pool)
    outcome = update(pool, old, request, new)
    case.assume(outcome.refusal is None)
    noted = replace(held, live=held.live.without(old).with_range(new))
    case.claim(outcome.after.live.same_as(noted.live))
