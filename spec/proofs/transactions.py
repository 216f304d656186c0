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

An update of many is undone by the reversed pairs. It is granted: what it takes away first are
the new ranges, which are live and named once (`what_an_update_of_many_leaves_live`), and what
it puts back then are the old ones, each of which is granted as long as all that is live was
live before, which remains so. What is live in the end is what was: the same theorem, read of
the way back.

A move is undone by aborting it, or by moving back what was committed. It may be committed at
any later time. That frees what the move held and nobody else could have, so that the undos of
what came in between are granted after it as before it; what was granted there since has been
undone by then.

The steps are proved; that they compose is this paragraph, a theorem for two operations, and
the state machine `devices`.
It is taken for granted that nobody else operates on the allocators meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spec.model import Allocator, Request
from spec.proofs.cases import (
    EXACT,
    AllocatorCase,
    any_allocation,
    any_range,
    any_request,
    any_start,
)
from spec.proofs.moves import any_pending_move
from spec.proofs.update import any_update, update
from spec.proofs.walks import same_space
from vm_allocator.modelling import Outcome, Range, attempt
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from collections.abc import Callable


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
def what_an_update_of_many_freed_can_be_put_back_one_by_one(case: AllocatorCase) -> None:
    """Where all that is live was live before, any other range that was live is put back.

    And then again, all that is live was live before: the step of an undo that puts back any
    number of ranges, in any order, whatever alignment they were allocated with.
    """
    before, middle = case.state(), case.state("middle")
    case.assume(same_space(middle, before))
    case.assume(middle.live.all(lambda r: r in before.live))
    old = case.range("old", like=case.members(before.live))
    case.assume(old in before.live and old not in middle.live)
    whole = Range(before.base, before.last)
    undone = attempt(middle, lambda: middle.update_many((), (old,), 1, whole))
    case.claim(undone.refusal is None)
    case.claim(undone.after.live.all(lambda r: r in before.live))


@theorem
def the_undo_of_a_move_is_granted_and_restores_the_state(case: AllocatorCase) -> None:
    """From any state with the live ranges of a move, pending or committed, back to those before."""
    before, old, request, new, pending = any_pending_move(case)
    if case.one_of("end", ("pending", "committed")) == "pending":
        there = any_other_with_the_same_live_ranges(case, pending)
        undone = attempt(there, lambda: there.abort_move(old, new))
    else:
        after = pending.commit_move(old, new, request.align).after
        undone = move_back(any_other_with_the_same_live_ranges(case, after), new, old)
    case.claim(undone.refusal is None)
    case.claim(undone.after.live.same_as(before.live))


def any_operation(
    case: AllocatorCase, before: Allocator, name: str
) -> tuple[Allocator, Callable[[Allocator], Outcome[Allocator]]]:
    """Return the state after any operation that is granted, and what undoes it.

    Of the allocations those at a given start: whatever a policy grants, that start grants too.
    """
    request = any_request(case, before, f"{name}.request")
    start = any_start(case, before, f"{name}.start")
    kind = case.one_of(name, (EXACT, "free", "update"))
    if kind == EXACT:
        after = before.allocate_exact(request, start).after
        return after, lambda state: attempt(state, lambda: state.free(start, request.size))
    old_start, old_size = any_range(case, before, f"{name}.old")
    old = Range(old_start, old_start + old_size - 1)
    if kind == "free":
        return before.free(old_start, old_size).after, lambda state: put_back(state, old)
    after = before.update(old_start, old_size, request, start).after
    return after, lambda state: move_back(state, request.at(start), old)


@theorem
def two_operations_of_any_kind_are_undone_in_reverse_order(case: AllocatorCase) -> None:
    """Any two operations, the second one perhaps in the place of the first: all is as before.

    The induction, carried out for the shortest transaction that has an order.
    """
    before = case.state()
    middle, undo_first = any_operation(case, before, "first")
    after, undo_second = any_operation(case, middle, "second")
    back = undo_second(after)
    case.claim(back.refusal is None)
    everything = undo_first(back.after)
    case.claim(everything.refusal is None)
    case.claim(everything.after.live.same_as(before.live))
