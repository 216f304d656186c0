"""Claims: for any number of live ranges, and any number of claims that wait.

`spec.proofs.queues` says how the walk along the claims is cut by induction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spec.claims import (
    HOLDS,
    NOBODY,
    NOT_CLAIMED,
    NOTHING,
    Claims,
    number_of,
    owner_of,
)
from spec.model import MAX_ALIGNMENT, NOT_ALLOCATED, Request, inside
from spec.proofs.queues import OWNERS, ClaimsCase, Walks, any_walks, is_no_part_of
from vm_allocator.modelling import Outcome, Range, attempt, is_aligned, is_power_of_two
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from collections.abc import Callable

CLAIM: Final = "claim"
RELEASE: Final = "release"
SETTLE: Final = "settle"


def any_owner(case: ClaimsCase, name: str = "owner") -> int:
    """Return any owner, also one that nobody is."""
    return case.number(name, like=(*OWNERS, *OWNERS, NOBODY))


def any_wish(case: ClaimsCase, state: Claims) -> tuple[Request, int]:
    """Return any request and start; what is live, and what is free, is worth claiming."""
    size = case.number("request.size", like=(1, 1, 2, 3, 4))
    align = case.number("request.align", like=(1, 1, 1, 2, 4))
    first = case.number("request.window.start", like=(state.base,))
    last = case.number("request.window.end", like=(state.last,))
    near = [r.start for r in (*case.members(state.live), *case.members(state.gaps()))]
    return Request(size, align, Range(first, last)), case.number("start", like=near)


def any_operation(
    case: ClaimsCase, before: Claims, walks: Walks
) -> tuple[str, int, Outcome[Claims]]:
    """Try any operation of claims by any owner; return which, by whom, and what came of it."""
    kind, owner = case.one_of("operation", (CLAIM, RELEASE, SETTLE)), any_owner(case)
    # What settles itself is any state; all others settle a state that is one of these.
    walks.from_anywhere = kind == SETTLE
    if kind == CLAIM:
        request, start = any_wish(case, before)
        return kind, owner, attempt(before, lambda: before.claim(owner, request, start))
    if kind == RELEASE:
        return kind, owner, attempt(before, lambda: before.release(owner))
    return kind, owner, attempt(before, before.settle)


def any_claim(case: ClaimsCase, state: Claims) -> Range:
    """Return any claim, or what is none."""
    near = (*case.members(state.waiting), *case.members(state.granted))
    return case.range("watched", like=(*near, Range(state.upcoming, OWNERS[0])))


@theorem
def settling_leaves_alone_what_it_has_not_come_to(case: ClaimsCase) -> None:
    """The step of the induction: one claim more, and the others wait as before; invariants hold."""
    before = case.state()
    with any_walks(case) as walks:
        walks.structure = True
        after = before.settle().after
    for predicate in case.model.invariants().values():
        case.claim(predicate(after))


@theorem
def settling_makes_no_claims(case: ClaimsCase) -> None:
    """What waits after settling, or is granted by it, has waited before."""
    before = case.state()
    watched = any_claim(case, before)
    with any_walks(case, keeps=is_no_part_of(watched)):
        after = before.settle().after
    if not (watched in before.waiting):  # noqa: E713  # symbolic: `not in` is the same
        case.claim(not (watched in after.waiting))  # noqa: E713  # likewise
        case.claim(not (watched in after.granted))  # noqa: E713  # likewise


@theorem
def claims_keep_every_invariant(case: ClaimsCase) -> None:
    """After any operation, granted ranges share no address, and no owner has two of anything.

    Of claiming and releasing it is shown for the state that is settled then; of settling it is
    the step of the induction, above.
    """
    before, settled = case.state(), list[Claims]()
    with any_walks(case) as walks:
        walks.starting = settled.append
        kind, _, _ = any_operation(case, before, walks)
    case.assume(kind != SETTLE and bool(settled))
    for predicate in case.model.invariants().values():
        case.claim(predicate(settled[0]))


@theorem
def no_owner_has_two_of_anything(case: ClaimsCase) -> None:
    """Two live ranges are of different owners; so are two claims that wait, or one of each."""
    state = case.state()
    one = case.range("one", like=case.members(state.live))
    other = case.range("other", like=case.members(state.live))
    owner = state.holder.at(one.start)
    case.assume(one in state.live and owner != NOBODY)
    if other in state.live and state.holder.at(other.start) == owner:
        case.claim(one == other)
    case.claim(state.waiting.all(lambda claim: owner_of(claim) != owner))


@theorem
def nothing_waits_that_could_be_granted(case: ClaimsCase) -> None:
    """After any operation that is not refused, what a claim waits for is not free.

    Whatever others have done to the allocator before: no wake-up is lost, only late.
    """
    before = case.state()
    watched = any_claim(case, before)
    with any_walks(case, watched=watched, then=is_blocked_if_it_waits(watched)) as walks:
        _, _, outcome = any_operation(case, before, walks)
    case.assume(outcome.refusal is None)
    after = outcome.after
    case.assume(watched in after.waiting)
    case.claim(not after.is_free(after.wanted(owner_of(watched))))


@theorem
def grants_follow_the_order_of_claims(case: ClaimsCase) -> None:
    """When a claim is granted, no claim that was made before it and waits could be granted then.

    Nor can it be at the end: a live range is in the way of whoever was passed over.
    """
    before = case.state()
    watched = any_claim(case, before)
    later = case.range("later", like=case.members(before.waiting))

    def granting(state: Claims, claim: Range, after: Claims) -> None:
        if claim in after.granted and watched in state.waiting:
            case.claim(
                number_of(claim) <= number_of(watched)
                or not state.is_free(state.wanted(owner_of(watched)))
            )

    with any_walks(case, watched=watched, then=is_blocked_if_it_waits(watched)) as walks:
        walks.granting = granting
        after = before.settle().after
    case.assume(later in after.granted and watched in after.waiting)
    case.assume(number_of(watched) < number_of(later))
    case.claim(not after.is_free(after.wanted(owner_of(watched))))


@theorem
def a_claim_is_granted_or_withdrawn_once(case: ClaimsCase) -> None:
    """After an operation a claim waits, or was granted, or was withdrawn: exactly one of these.

    Withdrawn by a newer claim of its owner, or by a release. Whatever neither waited before nor
    was made by this very operation does not wait, and is not granted: never a second time.
    """
    before = case.state()
    watched = any_claim(case, before)

    def once(_: Claims, state: Claims) -> bool:
        return (watched in state.waiting) is not (watched in state.granted)

    with any_walks(case, watched=watched, then=once) as walks:
        kind, owner, outcome = any_operation(case, before, walks)
    case.assume(outcome.refusal is None)
    waits, granted = watched in outcome.after.waiting, watched in outcome.after.granted
    if kind == CLAIM and number_of(watched) == before.upcoming:
        expected = owner == owner_of(watched)
    else:
        withdrawn = kind != SETTLE and owner == owner_of(watched)
        expected = watched in before.waiting and not withdrawn
    case.claim((waits or granted) if expected else not (waits or granted))
    case.claim(not (waits and granted))


@theorem
def a_new_claim_has_a_number_of_its_own(case: ClaimsCase) -> None:
    """It comes after all claims that wait, and those to come get other numbers."""
    before = case.state()
    with any_walks(case) as walks:
        walks.from_anywhere = False
        kind, _, outcome = any_operation(case, before, walks)
    case.assume(outcome.refusal is None)
    if kind == CLAIM:
        case.claim(before.waiting.all(lambda claim: number_of(claim) < before.upcoming))
        case.claim(outcome.after.upcoming == before.upcoming + 1)
    else:
        case.claim(outcome.after.upcoming == before.upcoming)


@theorem
def what_is_granted_is_held_by_its_owner(case: ClaimsCase) -> None:
    """The range that a granted claim asked for is live, and its owner's."""
    before = case.state()
    watched = any_claim(case, before)

    def held(_: Claims, state: Claims) -> bool:
        return not (watched in state.granted) or holds_what_it_wants(state, owner_of(watched))  # noqa: E713  # symbolic: `not in` is the same

    with any_walks(case, watched=watched, then=held) as walks:
        _, _, outcome = any_operation(case, before, walks)
    case.assume(outcome.refusal is None and watched in outcome.after.granted)
    case.claim(holds_what_it_wants(outcome.after, owner_of(watched)))


@theorem
def a_claim_asks_for_what_was_asked(case: ClaimsCase) -> None:
    """A claim that is not refused is for that very range; the claims of others are as they were."""
    before, owner, other = case.state(), any_owner(case), any_owner(case, "other")
    request, start = any_wish(case, before)
    with any_walks(case) as walks:
        walks.from_anywhere = False
        after = before.claim(owner, request, start).after
    mine = bool(other == owner)
    case.claim(after.wanted(other) == (request.at(start) if mine else before.wanted(other)))
    align = request.align if mine else before.wants_align.at(other)
    case.claim(after.wants_align.at(other) == align)


@theorem
def nobody_else_loses_a_range(case: ClaimsCase) -> None:
    """What is live, and not the owner's who claims or releases, stays live and whose it was."""
    before = case.state()
    other = case.range("other", like=case.members(before.live))
    whose = before.holder.at(other.start)

    def keeps(start: Claims, state: Claims) -> bool:
        return not is_whose(start, other, whose) or is_whose(state, other, whose)

    with any_walks(case, keeps) as walks:
        kind, owner, outcome = any_operation(case, before, walks)
    case.assume(other in before.live and (kind == SETTLE or whose != owner))
    case.claim(is_whose(outcome.after, other, whose))


@theorem
def what_an_owner_leaves_is_free(case: ClaimsCase) -> None:
    """After a claim or a release the range that the owner held is free: then others are served."""
    before, owner, settled = case.state(), any_owner(case), list[Claims]()
    old = before.wanted(owner)
    case.assume(before.has.at(owner) == HOLDS and before.holds(owner))
    kind, (request, start) = case.one_of("operation", (CLAIM, RELEASE)), any_wish(case, before)
    acts = {
        CLAIM: lambda: before.claim(owner, request, start),
        RELEASE: lambda: before.release(owner),
    }
    with any_walks(case) as walks:
        walks.from_anywhere, walks.starting = False, settled.append
        outcome = attempt(before, acts[kind])
    case.assume(outcome.refusal is None)
    case.claim(len(settled) == 1 and settled[0].is_free(old))


@theorem
def after_a_release_the_owner_has_nothing(case: ClaimsCase) -> None:
    """No range that is live is the owner's, and no claim that waits."""
    before, owner = case.state(), any_owner(case)
    case.assume(owner != NOBODY)

    def keeps(_: Claims, state: Claims) -> bool:
        return state.has.at(owner) == NOTHING

    with any_walks(case, keeps):
        after = before.release(owner).after
    case.claim(after.live.all(lambda r: after.holder.at(r.start) != owner))
    case.claim(after.waiting.all(lambda claim: owner_of(claim) != owner))


@theorem
def a_claim_is_refused_exactly_if_it_can_never_be_granted(case: ClaimsCase) -> None:
    """Of a size, an alignment, a place or an owner that makes no sense; what is live is no reason.

    An owner whose range was freed past the claims, by mistake, is refused too.
    """
    before, owner = case.state(), any_owner(case)
    request, start = any_wish(case, before)
    with any_walks(case) as walks:
        walks.from_anywhere = False
        outcome = attempt(before, lambda: before.claim(owner, request, start))
    case.assume(outcome.refusal != NOT_ALLOCATED)
    r = request.at(start)
    sensible = (
        owner != NOBODY
        and 1 <= request.size <= before.top + 1
        and 1 <= request.align <= MAX_ALIGNMENT
        and is_power_of_two(request.align)
        and inside(r, request.window)
        and inside(r, Range(before.base, before.last))
        and is_aligned(start, request.align)
    )
    case.claim(bool(sensible) is (outcome.refusal is None))


@theorem
def a_release_is_refused_exactly_if_the_owner_has_nothing(case: ClaimsCase) -> None:
    """Whoever holds a range or waits for one may give it up, and nobody else."""
    before, owner = case.state(), any_owner(case)
    with any_walks(case) as walks:
        walks.from_anywhere = False
        outcome = attempt(before, lambda: before.release(owner))
    case.assume(outcome.refusal != NOT_ALLOCATED)
    has_nothing = bool(before.has.at(owner) == NOTHING)
    case.claim((outcome.refusal == NOT_CLAIMED) is has_nothing)
    case.claim((outcome.refusal is None) is not has_nothing)


@theorem
def a_refused_claim_changes_nothing(case: ClaimsCase) -> None:
    """Nor does a refused release: every part is as it was. Settling is never refused."""
    before, other = case.state(), any_owner(case, "other")
    with any_walks(case) as walks:
        kind, _, outcome = any_operation(case, before, walks)
    case.claim(kind != SETTLE or outcome.refusal is None)
    case.assume(outcome.refusal is not None)
    after = outcome.after
    case.claim(after.live.same_as(before.live))
    case.claim(after.waiting.same_as(before.waiting))
    case.claim(after.has.at(other) == before.has.at(other))
    case.claim(after.wanted(other) == before.wanted(other))
    case.claim(after.holder.at(other) == before.holder.at(other))
    case.claim(after.upcoming == before.upcoming)


@theorem
def what_others_do_keeps_every_invariant(case: ClaimsCase) -> None:
    """Allocations by others, and frees and moves of what no owner holds, break nothing."""
    before = case.state()
    request, start = any_wish(case, before)
    old = case.range("old", like=case.members(before.live))
    case.assume(before.holder.at(old.start) == NOBODY)
    size = old.end - old.start + 1
    kind = case.one_of("operation", ("allocate", "free", "update"))
    acts = {
        "allocate": lambda: before.allocate_exact(request, start),
        "free": lambda: before.free(old.start, size),
        "update": lambda: before.update(old.start, size, request, start),
    }
    outcome = attempt(before, acts[kind])
    case.assume(outcome.refusal is None)
    for predicate in case.model.invariants().values():
        case.claim(predicate(outcome.after))


@theorem
def an_allocation_by_others_loses_no_wake_up(case: ClaimsCase) -> None:
    """What could not be granted before it cannot be granted after it: nothing is to be settled."""
    before = case.state()
    watched = any_claim(case, before)
    request, start = any_wish(case, before)
    wanted = before.wanted(owner_of(watched))
    case.assume(watched in before.waiting and not before.is_free(wanted))
    case.claim(not before.allocate_exact(request, start).after.is_free(wanted))


# ---- what they say of a state


def is_blocked_if_it_waits(watched: Range) -> Callable[[Claims, Claims], bool]:
    """Return: the watched claim does not wait, or what it asks for is not free."""

    def holds(_: Claims, state: Claims) -> bool:
        return not (watched in state.waiting) or not state.is_free(  # noqa: E713  # symbolic: `not in` is the same
            state.wanted(owner_of(watched))
        )

    return holds


def holds_what_it_wants(state: Claims, owner: int) -> bool:
    """Whether the range that the owner claimed last is live, and its own."""
    return state.has.at(owner) == HOLDS and state.holds(owner)


def is_whose(state: Claims, r: Range, owner: int) -> bool:
    """Whether the range is live, and held by the owner."""
    return r in state.live and state.holder.at(r.start) == owner
