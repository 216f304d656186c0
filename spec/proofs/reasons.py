"""Refusals tell the truth, and nonsense is told apart from what cannot be granted."""

from __future__ import annotations

from spec.model import (
    INVALID_ALIGNMENT,
    INVALID_SIZE,
    INVALID_SPACE,
    MAX_ALIGNMENT,
    MISALIGNED,
    OUT_OF_BOUNDS,
    OUTSIDE_WINDOW,
    OVERLAP,
    U64_MAX,
    Allocator,
    Request,
    inside,
)
from spec.proofs.cases import POLICIES, AllocatorCase, allocate, any_range, any_request, any_start
from vm_allocator.modelling import Range, Step, attempt, is_aligned, is_power_of_two
from vm_allocator.proving.theorem import theorem


def refusal_of_any_request(case: AllocatorCase, before: Allocator, request: Request) -> str | None:
    """Try the request as an allocation by any policy, or as an update; return the refusal."""
    way, start = case.one_of("way", (*POLICIES, "update")), any_start(case, before)
    old_start, old_size = any_range(case, before)

    def act() -> Step[Allocator]:
        if way == "update":
            return before.update(old_start, old_size, request, start)
        return allocate(before, way, request, start)

    return attempt(before, act).refusal


@theorem
def a_space_beyond_what_exists_is_refused(case: AllocatorCase) -> None:
    """A space is refused exactly when it is empty, negative, or beyond the last value."""
    top, base, last = case.number("top"), case.number("base"), case.number("last")
    case.assume(0 <= top <= U64_MAX)
    blank = case.state()
    refusal = attempt(blank, lambda: Step(case.model.initial(top, base, last))).refusal
    sensible = base >= 0 and base <= last <= top
    case.claim((refusal is None) == sensible)
    case.claim(refusal in (None, INVALID_SPACE))


@theorem
def a_size_that_makes_no_sense_is_refused_as_such(case: AllocatorCase) -> None:
    """Whatever else is asked: a size below 1 or beyond everything is an invalid size."""
    before = case.state()
    request = any_request(case, before)
    case.assume(request.size < 1 or before.top + 1 < request.size)
    case.claim(refusal_of_any_request(case, before, request) == INVALID_SIZE)


@theorem
def freeing_a_size_that_makes_no_sense_is_refused_as_such(case: AllocatorCase) -> None:
    """A free of less than 1 or more than everything is an invalid size, wherever it is."""
    before = case.state()
    start, size = any_range(case, before)
    case.assume(size < 1 or before.top + 1 < size)
    case.claim(attempt(before, lambda: before.free(start, size)).refusal == INVALID_SIZE)


@theorem
def an_alignment_that_is_no_power_of_two_is_refused_as_such(case: AllocatorCase) -> None:
    """An alignment below 1, beyond 2^63 or between two powers of two is invalid."""
    before = case.state()
    request = any_request(case, before)
    case.assume(1 <= request.size <= before.top + 1)
    case.assume(
        request.align < 1 or request.align > MAX_ALIGNMENT or not is_power_of_two(request.align)
    )
    case.claim(refusal_of_any_request(case, before, request) == INVALID_ALIGNMENT)


@theorem
def an_exact_refusal_names_the_first_thing_that_is_wrong(case: AllocatorCase) -> None:
    """Out of bounds, then outside the window, then misaligned, then overlapping: whichever is."""
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    refusal = attempt(before, lambda: before.allocate_exact(request, start)).refusal
    case.assume(refusal not in (INVALID_SIZE, INVALID_ALIGNMENT))
    r = request.at(start)
    if not inside(r, Range(before.base, before.last)):
        case.claim(refusal == OUT_OF_BOUNDS)
    elif not inside(r, request.window):
        case.claim(refusal == OUTSIDE_WINDOW)
    elif not is_aligned(start, request.align):
        case.claim(refusal == MISALIGNED)
    elif not before.is_free(r):
        case.claim(refusal == OVERLAP)
    else:
        case.claim(refusal is None)
