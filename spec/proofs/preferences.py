"""A preferred alignment is a wish: it decides where, and never whether."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spec.proofs.cases import FIRST, LAST, AllocatorCase, allocate, any_request, any_start, look_at
from vm_allocator.modelling import Outcome, attempt, is_aligned
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from spec.model import Allocator, Request


def any_preference(
    case: AllocatorCase, before: Allocator, policies: tuple[str, ...] = (FIRST, LAST)
) -> tuple[int, Request, str, Outcome[Allocator]]:
    """Return any preference, any request, a policy, and what comes of it."""
    prefer = case.number("prefer", like=(1, 2, 4, 8))
    request = any_request(case, before)
    policy = case.one_of("policy", policies)
    outcome = attempt(
        before, lambda: before.allocate_preferred(prefer, request, last=policy == LAST)
    )
    return prefer, request, policy, outcome


@theorem
def a_preferred_alignment_refuses_nothing(case: AllocatorCase) -> None:
    """With a power of two preferred, what is granted without that wish is granted with it."""
    before = case.state()
    _, request, policy, outcome = any_preference(case, before)
    plainly = attempt(before, lambda: allocate(before, policy, request, 0))
    case.assume(plainly.granted is not None)
    case.claim(outcome.granted is not None or outcome.refusal == "invalid-alignment")


@theorem
def a_preferred_place_is_taken_if_there_is_one(case: AllocatorCase) -> None:
    """If the request fits somewhere at a multiple of what is preferred, it is granted at such."""
    before = case.state()
    prefer, request, _, outcome = any_preference(case, before)
    case.assume(outcome.granted is not None and request.align < prefer)
    other = any_start(case, before, "other")
    case.assume(before.fits(replace(request, align=prefer), other))
    look_at(case, before, other)
    case.claim(outcome.granted is not None and is_aligned(outcome.granted.start, prefer))


@theorem
def a_preference_keeps_every_invariant(case: AllocatorCase) -> None:
    """After an allocation with a preference, ranges lie in the space, apart, and aligned.

    By FirstMatch: by LastMatch it is another of the allocations that `allocate` is about.
    """
    before = case.state()
    *_, outcome = any_preference(case, before, (FIRST,))
    for holds in case.model.invariants().values():
        case.claim(holds(outcome.after))
