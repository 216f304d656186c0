"""Refusals: a refused action changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.proofs.cases import (
    EXACT,
    FIRST,
    LAST,
    AllocatorCase,
    allocate,
    any_range,
    any_request,
    any_start,
)
from vm_allocator.modelling import Step, attempt
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from spec.model import Allocator


@theorem
def a_refused_action_changes_nothing(case: AllocatorCase) -> None:
    """Whatever is refused, and why ever: the live ranges and the gaps are as they were."""
    before = case.state()
    request = any_request(case, before)
    (start, size), to = any_range(case, before), any_start(case, before, "to")
    action = case.one_of("action", (FIRST, LAST, EXACT, "free", "update"))

    def act() -> Step[Allocator]:
        if action == "free":
            return before.free(start, size)
        if action == "update":
            return before.update(start, size, request, to)
        return allocate(before, action, request, start)

    outcome = attempt(before, act)
    case.assume(outcome.refusal is not None)
    case.claim(outcome.after.live.same_as(before.live))
    case.claim(outcome.after.gaps().same_as(before.gaps()))
