"""Several ranges at once, by FirstMatch or LastMatch: for any number of them, by induction.

`spec.proofs.runs` says how: each theorem shows its claim of one allocation more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.model import INVALID_COUNT, MAX_COUNT, NO_SPACE, Request
from spec.proofs.cases import (
    FIRST,
    LAST,
    AllocatorCase,
    allocate,
    any_request,
    any_start,
    look_at,
)
from spec.proofs.runs import any_runs
from vm_allocator.modelling import Range, attempt, is_aligned
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from spec.model import Allocator
    from vm_allocator.modelling import Step


def any_count(case: AllocatorCase) -> int:
    """Return any number of ranges; few are worth sampling."""
    return case.number("count", like=(1, 2, 2, 3, 4, 0, MAX_COUNT, MAX_COUNT + 1))


def allocate_many(before: Allocator, policy: str, count: int, request: Request) -> Step[Allocator]:
    """Allocate several by either policy."""
    if policy == FIRST:
        return before.allocate_many_first(count, request)
    return before.allocate_many_last(count, request)


def _any_policy(case: AllocatorCase) -> str:
    return case.one_of("policy", (FIRST, LAST))


@theorem
def allocating_many_keeps_every_invariant(case: AllocatorCase) -> None:
    """After any number at once: in the space, apart, and aligned as they were asked for."""
    before, count = case.state(), any_count(case)
    request, policy = any_request(case, before), _any_policy(case)
    with any_runs(case):
        after = allocate_many(before, policy, count, request).after
    for predicate in case.model.invariants().values():
        case.claim(predicate(after))


@theorem
def many_are_granted_all_or_none(case: AllocatorCase) -> None:
    """What is granted is as many ranges as were asked for; a refusal leaves nothing behind."""
    before, count = case.state(), any_count(case)
    request, policy = any_request(case, before), _any_policy(case)
    with any_runs(case) as runs:
        outcome = attempt(before, lambda: allocate_many(before, policy, count, request))
    if outcome.refusal is not None:
        case.claim(outcome.after is before)
        case.claim(not outcome.starts)
    else:
        case.claim(runs.run is not None and runs.run.times == count)
        case.claim(runs.run is not None and outcome.starts is runs.run.starts)


@theorem
def many_at_once_are_as_many_one_after_the_other(case: AllocatorCase) -> None:
    """The same starts in the same order as one by one, and the same state; or too few would fit."""
    before, count = case.state(), any_count(case)
    request, policy = any_request(case, before), _any_policy(case)
    with any_runs(case) as runs:
        together = attempt(before, lambda: allocate_many(before, policy, count, request))
        case.assume(together.refusal in (None, NO_SPACE))
        alone = runs.repeat(count, before, lambda state: allocate(state, policy, request, 0))
    case.claim((together.refusal is None) == (alone.times == count))
    if together.refusal is None:
        case.claim(together.starts == alone.starts)
        case.claim(together.after.live.same_as(alone.after.live))


@theorem
def one_of_many_is_a_single_allocation(case: AllocatorCase) -> None:
    """A count of 1 is a single allocation: the same start, or the same refusal."""
    before = case.state()
    request, policy = any_request(case, before), _any_policy(case)
    one = attempt(before, lambda: allocate(before, policy, request, 0))
    many = attempt(before, lambda: allocate_many(before, policy, 1, request))
    case.claim(many.refusal == one.refusal)
    case.claim(many.after.live.same_as(one.after.live))
    case.claim(len(many.starts) == (one.granted is not None))
    for start in many.starts:
        case.claim(one.granted is not None and start == one.granted.start)


@theorem
def the_next_of_many_lies_beyond_the_last_one(case: AllocatorCase) -> None:
    """FirstMatch goes upwards and LastMatch downwards: what was passed over stays without room."""
    before = case.state()
    request, policy = any_request(case, before), _any_policy(case)
    one = allocate(before, policy, request, 0)
    assert one.granted is not None  # noqa: S101  # for the type checker: allocations grant
    other = allocate(one.after, policy, request, 0).granted
    assert other is not None  # noqa: S101  # likewise
    look_at(case, before, other.start)
    if policy == FIRST:
        case.claim(one.granted.end < other.start)
    else:
        case.claim(other.end < one.granted.start)


@theorem
def the_next_of_many_fits_beyond_the_last_one(case: AllocatorCase) -> None:
    """After one is granted, the starts that fit are those that fitted beyond it before.

    So an index finds many without adding any: by this theorem and the next one, used in turn,
    each of them is the first one of the state before, in the window beyond the last one.
    """
    before = case.state()
    request, policy = any_request(case, before), _any_policy(case)
    other = any_start(case, before, "other")
    one = allocate(before, policy, request, 0)
    assert one.granted is not None  # noqa: S101  # for the type checker: allocations grant
    beyond = Range(one.granted.end + 1, request.window.end)
    if policy == LAST:
        beyond = Range(request.window.start, one.granted.start - 1)
    look_at(case, before, other)
    fits = before.fits(Request(request.size, request.align, beyond), other)
    case.claim(one.after.fits(request, other) == fits)


@theorem
def what_is_live_outside_of_its_window_is_nothing_to_a_request(case: AllocatorCase) -> None:
    """One range more that is live below the window, or above it: the same starts fit."""
    before = case.state()
    request, other = any_request(case, before), any_start(case, before, "other")
    outside = case.range("outside", like=case.members(before.gaps()))
    whole = Request(outside.end - outside.start + 1, 1, Range(before.base, before.last))
    after = before.allocate_exact(whole, outside.start).after
    case.assume(outside.end < request.window.start or request.window.end < outside.start)
    case.claim(after.fits(request, other) == before.fits(request, other))


@theorem
def allocating_many_leaves_live_what_was_live(case: AllocatorCase) -> None:
    """Whatever was live is live afterwards."""
    before, count = case.state(), any_count(case)
    request, policy = any_request(case, before), _any_policy(case)
    other = case.range("other", like=case.members(before.live))
    case.assume(other in before.live)
    with any_runs(case, lambda state, _: other in state.live):
        after = allocate_many(before, policy, count, request).after
    case.claim(other in after.live)


@theorem
def each_of_many_is_what_was_asked_for(case: AllocatorCase) -> None:
    """Nothing joins the live ranges but what has the size, the alignment and the window."""
    before, count = case.state(), any_count(case)
    request, policy = any_request(case, before), _any_policy(case)
    other = case.range("other", like=case.members(before.live))
    case.assume(not (other in before.live))  # noqa: E713  # symbolic: `not in` is the same

    def as_asked() -> bool:
        return (
            other.end - other.start + 1 == request.size
            and is_aligned(other.start, request.align)
            and request.window.start <= other.start
            and other.end <= request.window.end
        )

    with any_runs(case, lambda state, _: not (other in state.live) or as_asked()):  # noqa: E713
        after = allocate_many(before, policy, count, request).after
    case.claim(not (other in after.live) or as_asked())  # noqa: E713


@theorem
def many_are_refused_only_if_they_do_not_all_fit(case: AllocatorCase) -> None:
    """A sensible request is refused only if, after fewer of them, one fits nowhere."""
    before, count = case.state(), any_count(case)
    request, policy = any_request(case, before), _any_policy(case)
    other = any_start(case, before, "other")
    with any_runs(case, refused=True) as runs:
        outcome = attempt(before, lambda: allocate_many(before, policy, count, request))
    case.assume(outcome.refusal == NO_SPACE)
    assert runs.run is not None  # noqa: S101  # for the type checker: there was room for some or none
    case.claim(runs.run.times < count)
    look_at(case, runs.run.after, other)
    case.claim(not runs.run.after.fits(request, other))


@theorem
def a_count_that_makes_no_sense_is_refused_as_such(case: AllocatorCase) -> None:
    """Below 1, or above 2^20: an invalid count, whatever else is asked; and no other is."""
    before, count = case.state(), any_count(case)
    request, policy = any_request(case, before), _any_policy(case)
    with any_runs(case):
        refusal = attempt(before, lambda: allocate_many(before, policy, count, request)).refusal
    case.claim((refusal == INVALID_COUNT) == (count < 1 or count > MAX_COUNT))
