"""Transactions: what a roll-back does, for any number of live ranges.

The induction over the length of a transaction. Rolling back no operation changes nothing. Let
n operations be rolled back, from any state with the live ranges that they left, to one with
the live ranges before them. One more operation leaves some live ranges; the theorems below
say that its undo is granted from *any* state with these, and leads to a state with those
before it, which is where the n others left off. So a roll-back, the last operation first, is
never refused, and restores the live ranges, and with them all gaps and all later outcomes
(`determinism`). Several allocators share nothing: an operation on one of them leaves the
others as they are, and the induction is over the operations on all. An allocation of many is
as many allocations (`many`), and an update without an old range is one.

The steps are proved; that they compose is this paragraph, and the state machine `devices`.
It is taken for granted that nobody else operates on the allocators meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from spec.model import Allocator, Request
from spec.proofs.cases import (
    POLICIES,
    AllocatorCase,
    allocate,
    any_allocation,
    any_range,
    any_request,
    any_start,
)
from spec.proofs.update import any_update, update
from vm_allocator.modelling import Outcome, Range, attempt
from vm_allocator.proving.theorem import theorem


def any_other_with_the_same_live_ranges(case: AllocatorCase, state: Allocator) -> Allocator:
    """Return any state of the same space with these live ranges: what may follow a roll-back.

    Its alignments are its own: a range that was put back has another one than before.
    """
    return replace(
        case.state("other"), top=state.top, base=state.base, last=state.last, live=state.live
    )


def put_back(state: Allocator, old: Range) -> Outcome[Allocator]:
    """Try to allocate exactly that range, aligned to 1: how a free is undone."""
    again = Request(old.end - old.start + 1, 1, Range(state.base, state.last))
    return attempt(state, lambda: state.allocate_exact(again, old.start))


def move_back(state: Allocator, new: Range, old: Range) -> Outcome[Allocator]:
    """Try to move the new range to where the old one was, aligned to 1."""
    back = Request(old.end - old.start + 1, 1, Range(state.base, state.last))
    return update(state, new, back, old)


@theorem
def the_undo_of_an_allocation_is_granted_and_restores_the_state(case: AllocatorCase) -> None:
    """From any state with the live ranges after an allocation, freeing it leads to those before."""
    before = case.state()
    request, granted, after = any_allocation(case, before)
    there = any_other_with_the_same_live_ranges(case, after)
    undone = attempt(there, lambda: there.free(granted.start, request.size))
    case.claim(undone.refusal is None)
    case.claim(undone.after.live.same_as(before.live))


@theorem
def the_undo_of_a_free_is_granted_and_restores_the_state(case: AllocatorCase) -> None:
    """From any state with the live ranges after a free, the range can be allocated there again.

    Whatever alignment it was allocated with: an undo asks for 1.
    """
    before = case.state()
    start, size = any_range(case, before)
    after = before.free(start, size).after
    there = any_other_with_the_same_live_ranges(case, after)
    undone = put_back(there, Range(start, start + size - 1))
    case.claim(undone.refusal is None)
    case.claim(undone.after.live.same_as(before.live))


@theorem
def the_undo_of_an_update_is_granted_and_restores_the_state(case: AllocatorCase) -> None:
    """From any state with the live ranges after an update, moving back leads to those before."""
    before, old, request, new = any_update(case)
    moved = update(before, old, request, new)
    case.assume(moved.refusal is None)
    there = any_other_with_the_same_live_ranges(case, moved.after)
    undone = move_back(there, new, old)
    case.claim(undone.refusal is None)
    case.claim(undone.after.live.same_as(before.live))


@theorem
def a_freed_range_whose_place_was_taken_comes_back_in_reverse_order(case: AllocatorCase) -> None:
    """A free and then any allocation, perhaps in its place: undone in reverse, all is as before.

    In the other order the undo of the free may be refused.
    """
    before = case.state()
    start, size = any_range(case, before, "freed")
    freed = before.free(start, size).after
    request, to = any_request(case, freed), any_start(case, freed, "to")
    step = allocate(freed, case.one_of("policy", POLICIES), request, to)
    assert step.granted is not None  # noqa: S101  # for the type checker: allocations grant
    taken = step.granted
    first = attempt(step.after, lambda: step.after.free(taken.start, request.size))
    case.claim(first.refusal is None)
    second = put_back(first.after, Range(start, start + size - 1))
    case.claim(second.refusal is None)
    case.claim(second.after.live.same_as(before.live))
