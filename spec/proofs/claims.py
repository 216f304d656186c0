"""Claims: for any number of live ranges, and any number of claims that wait.

`spec.proofs.queues` says how the walk along the claims is cut by induction.
"""

from __future__ import annotations

from typing import Final

from spec.claims import (
    HOLDS,
    INVALID_OWNER,
    NOBODY,
    NOT_CLAIMED,
    NOTHING,
    WAITS,
    Claims,
    number_of,
    owner_of,
)
from spec.model import MAX_ALIGNMENT, NOT_ALLOCATED, Request, inside
from spec.proofs.queues import OWNERS, ClaimsCase, Walks, any_walks
from vm_allocator.modelling import Outcome, Range, attempt, is_aligned, is_power_of_two
from vm_allocator.proving.theorem import theorem

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
    near = case.members(state.waiting)
    return case.range("watched", like=(*near, Range(state.upcoming, OWNERS[0])))


@theorem
def settling_leaves_alone_what_it_has_not_come_to(case: ClaimsCase) -> None:
    """The step of the induction: one claim more, and the others wait as before; invariants hold."""
    before = case.state()
    with any_walks(case, watched=any_claim(case, before)) as walks:
        walks.structure = True
        after = before.settle().after
    for predicate in case.model.invariants().values():
        case.claim(predicate(after))


@theorem
def claims_keep_every_invariant(case: ClaimsCase) -> None:
    """After any operation, granted ranges share no address, and no owner has two of anything.

    Of claiming and releasing it is shown for the state that is settled then.
    """
    before, settled = case.state(), list[Claims]()
    with any_walks(case, lambda start, _: not settled.append(start)) as walks:
        any_operation(case, before, walks)
    case.assume(bool(settled))
    for predicate in case.model.invariants().values():
        case.claim(predicate(settled[0]))


@theorem
def nothing_waits_that_could_be_granted(case: ClaimsCase) -> None:
    """After any operation that is not refused, what a claim waits for is not free.

    Whatever others have done to the allocator before: no wake-up is lost, only late.
    """
    before = case.state()
    watched = any_claim(case, before)
    with any_walks(case, watched=watched, then=_is_blocked_if_it_waits(watched)) as walks:
        _, _, outcome = any_operation(case, before, walks)
    case.assume(outcome.refusal is None)
    after = outcome.after
    case.assume(watched in after.waiting)
    case.claim(not after.is_free(after.wanted(owner_of(watched))))


def _is_blocked_if_it_waits(watched: Range):
    def blocked(_: Claims, state: Claims) -> bool:
        return not (watched in state.waiting) or not state.is_free(  # noqa: E713  # symbolic: `not in` is the same
            state.wanted(owner_of(watched))
        )

    return blocked
