"""Update: the old range freed and the new one live, at once, or nothing at all."""

from __future__ import annotations

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator, Request, overlaps
from spec.proofs.cases import AllocatorCase, any_range, any_request, any_start
from vm_allocator.modelling import Outcome, Range, attempt
from vm_allocator.proving.theorem import theorem


def any_update(case: AllocatorCase) -> tuple[Allocator, Range, Request, Range]:
    """Return a state, any old range, any request, and the range that it asks for."""
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    old_start, old_size = any_range(case, before)
    return before, Range(old_start, old_start + old_size - 1), request, request.at(start)


def update(before: Allocator, old: Range, request: Request, new: Range) -> Outcome[Allocator]:
    """Try the update."""
    size = old.end - old.start + 1
    return attempt(before, lambda: before.update(old.start, size, request, new.start))


@theorem
def updating_keeps_every_live_range_in_the_space(case: AllocatorCase) -> None:
    """After an update, every live range still lies in the space."""
    case.claim(update(*any_update(case)).after.bounds())


@theorem
def updating_keeps_live_ranges_apart(case: AllocatorCase) -> None:
    """After an update, no two live ranges share an address."""
    case.claim(update(*any_update(case)).after.no_overlap())


@theorem
def updating_keeps_every_live_range_aligned(case: AllocatorCase) -> None:
    """After an update, every live range starts at a multiple of what it was asked for."""
    case.claim(update(*any_update(case)).after.alignment())


@theorem
def an_update_ends_with_the_old_range_freed_and_the_new_one_live(case: AllocatorCase) -> None:
    """A granted update changes the live ranges by the old one and the new one, and no others."""
    before, old, request, new = any_update(case)
    outcome = update(before, old, request, new)
    case.assume(outcome.refusal is None)
    other = case.range("other")
    case.claim(old in before.live)
    case.claim(
        (other in outcome.after.live) == (other == new or (other in before.live and other != old))
    )


@theorem
def an_update_is_granted_exactly_when_the_new_range_fits_without_the_old(
    case: AllocatorCase,
) -> None:
    """A sensible update is granted iff the old range is live and the new one fits once it is gone.

    So the new range may overlap the old one, by however much.
    """
    before, old, request, new = any_update(case)
    refusal = update(before, old, request, new).refusal
    case.assume(refusal not in (INVALID_SIZE, INVALID_ALIGNMENT))
    without = Allocator(
        before.top, before.base, before.last, before.live.without(old), before.asked
    )
    case.claim((refusal is None) == (old in before.live and without.fits(request, new.start)))


@theorem
def an_update_is_not_refused_for_overlapping_its_old_range(case: AllocatorCase) -> None:
    """If a granted request at one place would meet only the old range at another, it may move."""
    before, old, request, new = any_update(case)
    case.assume(old in before.live and overlaps(old, new))
    case.assume(before.live.all(lambda live: live == old or not overlaps(live, new)))
    case.claim(update(before, old, request, new).refusal != "overlap")


@theorem
def an_update_is_freeing_and_then_allocating(case: AllocatorCase) -> None:
    """An update is granted iff freeing the old and then allocating the new one both are."""
    before, old, request, new = any_update(case)
    at_once = update(before, old, request, new)
    freed = attempt(before, lambda: before.free(old.start, old.end - old.start + 1))
    in_steps = attempt(freed.after, lambda: freed.after.allocate_exact(request, new.start))
    both = freed.refusal is None and in_steps.refusal is None
    case.claim((at_once.refusal is None) == both)
    if both:
        case.claim(at_once.after.live.same_as(in_steps.after.live))
    else:
        case.claim(at_once.after.live.same_as(before.live))


@theorem
def updating_back_undoes_an_update(case: AllocatorCase) -> None:
    """Moving a range and moving it back is never refused, and leaves the same live ranges."""
    before, old, request, new = any_update(case)
    moved = update(before, old, request, new)
    case.assume(moved.refusal is None)
    size = old.end - old.start + 1
    back = Request(size, 1, Range(before.base, before.last))
    again = update(moved.after, new, back, old)
    case.claim(again.refusal is None)
    case.claim(again.after.live.same_as(before.live))
