"""Moves in two phases: nothing comes in between, and they end whole or as if never begun.

To the model, what a move reserves is live: the theorems on allocations say that nothing is
handed out of it. That nobody frees it meanwhile is the allocator's to see to.
"""

from __future__ import annotations

from spec.model import (
    INVALID_SIZE,
    Allocator,
    Request,
    inside,
    outside,
    overlaps,
)
from spec.proofs.cases import (
    POLICIES,
    AllocatorCase,
    allocate,
    any_request,
    any_start,
    holds,
)
from spec.proofs.update import any_update, update
from vm_allocator.modelling import Outcome, Range, attempt
from vm_allocator.proving.theorem import theorem


def begin(before: Allocator, old: Range, request: Request, new: Range) -> Outcome[Allocator]:
    """Try to begin the move."""
    align, window = request.align, request.window
    return attempt(before, lambda: before.begin_move(old, new, align, window))


def any_pending_move(case: AllocatorCase) -> tuple[Allocator, Range, Request, Range, Allocator]:
    """Return a state, a move that was begun in it, and the state since."""
    before, old, request, new = any_update(case)
    begun = begin(before, old, request, new)
    case.assume(begun.refusal is None)
    return before, old, request, new, begun.after


@theorem
def a_move_keeps_every_invariant(case: AllocatorCase) -> None:
    """However moves begin and end: ranges stay in the space, apart, and aligned."""
    before, old, request, new = any_update(case)
    align, window = request.align, request.window
    way = case.one_of("way", ("begin", "commit", "abort"))

    if way == "begin":
        after = before.begin_move(old, new, align, window).after
    elif way == "commit":
        after = before.commit_move(old, new, align).after
    else:
        after = before.abort_move(old, new).after
    for predicate in case.model.invariants().values():
        case.claim(predicate(after))


@theorem
def a_move_may_begin_exactly_when_an_update_is_granted(case: AllocatorCase) -> None:
    """And it is refused for the same reason."""
    before, old, request, new = any_update(case)
    at_once = update(before, old, request, new)
    # What a range can be: not empty, and no longer than everything.
    case.assume(0 <= old.end - old.start <= before.top and at_once.refusal != INVALID_SIZE)
    case.claim(begin(before, old, request, new).refusal == at_once.refusal)


@theorem
def nothing_is_handed_out_of_a_pending_move(case: AllocatorCase) -> None:
    """Whatever is allocated meanwhile, by whichever policy: it meets neither of the two ranges."""
    _, old, _, new, pending = any_pending_move(case)
    other = any_request(case, pending, "other")
    start = any_start(case, pending, "other.start")
    step = allocate(pending, case.one_of("policy", POLICIES), other, start)
    granted = step.granted
    assert granted is not None  # noqa: S101  # for the type checker: allocations grant
    case.claim(not overlaps(granted, old))
    case.claim(not overlaps(granted, new))


@theorem
def a_pending_move_reserves_both_ranges_and_nothing_else(case: AllocatorCase) -> None:
    """An address is taken since the move began exactly if it was before, or is of the new range."""
    before, old, _, new, pending = any_pending_move(case)
    address = case.number("address", like=(new.start, new.end, old.start, old.end))
    at = Range(address, address)
    case.claim(pending.is_free(at) == (before.is_free(at) and not holds(address, new)))
    case.claim(old in pending.live)


@theorem
def a_committed_move_is_an_update(case: AllocatorCase) -> None:
    """Beginning and committing is never refused in the end, and leaves what an update does."""
    before, old, request, new, pending = any_pending_move(case)
    ended = attempt(pending, lambda: pending.commit_move(old, new, request.align))
    case.claim(ended.refusal is None)
    case.claim(ended.after.live.same_as(update(before, old, request, new).after.live))


@theorem
def an_aborted_move_never_was(case: AllocatorCase) -> None:
    """Beginning and aborting is never refused in the end, and leaves what was live before."""
    before, old, _, new, pending = any_pending_move(case)
    ended = attempt(pending, lambda: pending.abort_move(old, new))
    case.claim(ended.refusal is None)
    case.claim(ended.after.live.same_as(before.live))


@theorem
def what_happens_meanwhile_does_not_keep_a_move_from_ending(case: AllocatorCase) -> None:
    """While it is pending, others are allocated, freed or begin to move: it can still end.

    And what is live then is what happened meanwhile, and the one range of the move.
    """
    _, old, request, new, pending = any_pending_move(case)
    other = case.range("other", like=case.members(pending.live))
    reserved = (old, *outside(old, new))
    for held in reserved:
        case.assume(other != held)
    # All that others do adds ranges or takes others away: one range of either kind is enough.
    meanwhile = case.one_of("meanwhile", ("allocated", "freed"))
    if meanwhile == "freed":
        case.assume(other in pending.live)
        since = pending.free(other.start, other.end - other.start + 1).after
    else:
        whole = Range(pending.base, pending.last)
        case.assume(inside(other, whole))
        one = Request(other.end - other.start + 1, 1, whole)
        since = pending.allocate_exact(one, other.start).after
    if case.one_of("end", ("commit", "abort")) == "commit":
        ended = attempt(since, lambda: since.commit_move(old, new, request.align))
        left = new
    else:
        ended = attempt(since, lambda: since.abort_move(old, new))
        left = old
    case.claim(ended.refusal is None)
    case.claim(left in ended.after.live)
    case.claim((other in ended.after.live) == (meanwhile == "allocated"))
