"""Updates of many: all the old ranges freed and all the new ones live, at once, or nothing.

For lists of any length, by induction: `spec.proofs.walks` says how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.model import (
    INVALID_ALIGNMENT,
    INVALID_RANGE,
    NOT_ALLOCATED,
    Allocator,
    Request,
)
from spec.proofs.cases import AllocatorCase, any_request, any_start
from spec.proofs.update import any_update, update
from spec.proofs.walks import Ranges, any_ranges, any_walks
from vm_allocator.modelling import Outcome, Range, attempt
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from collections.abc import Iterable


def update_many(
    before: Allocator, old: Iterable[Range], new: Iterable[Range], request: Request
) -> Outcome[Allocator]:
    """Try the update; the size of the request says nothing."""
    return attempt(before, lambda: before.update_many(old, new, request.align, request.window))


def any_change(case: AllocatorCase) -> tuple[Allocator, Ranges, Ranges, Request]:
    """Return a state, any old ranges, any new ones, and what is asked of the new ones."""
    before = case.state()
    old, new = any_ranges(case, before, "old"), any_ranges(case, before, "new")
    return before, old, new, any_request(case, before)


@theorem
def updating_many_keeps_every_invariant(case: AllocatorCase) -> None:
    """After any number of changes at once: in the space, apart, and aligned as asked for."""
    before, old, new, request = any_change(case)
    with any_walks(case):
        after = update_many(before, old, new, request).after
    for predicate in case.model.invariants().values():
        case.claim(predicate(after))


@theorem
def what_an_update_of_many_leaves_live(case: AllocatorCase) -> None:
    """A granted one changes the live ranges by the old and the new ones, and by no others.

    Every old range was live, and what is both old and new is live before and after.
    """
    before, old, new, request = any_change(case)
    other = case.range("other", like=case.members(before.live))

    def keeps(items: Ranges, state: Allocator) -> bool:
        gone, come = old.watched_among, new.watched_among
        if items is old:
            return _is(other in state.live, other in before.live and not gone) and (
                not gone or other in before.live
            )
        left = other in before.live and not gone
        return _is(other in state.live, left or come) and not (left and come)

    with any_walks(case, keeps, watched=other):
        outcome = update_many(before, old, new, request)
    case.assume(outcome.refusal is None)
    gone, come = old.watched_among, new.watched_among
    case.claim(not gone or other in before.live)
    case.claim(_is(other in outcome.after.live, come or (other in before.live and not gone)))


@theorem
def each_old_range_of_many_is_live_and_named_once(case: AllocatorCase) -> None:
    """An old range is accepted exactly if it was live and is not named before."""
    before, old, _, request = any_change(case)
    watched = case.range("watched", like=case.members(before.live))

    def keeps(_: Ranges, state: Allocator) -> bool:
        return _is(watched in state.live, watched in before.live and not old.watched_among)

    def accepted(_: Ranges, __: Allocator, item: Range) -> None:
        if item == watched:
            case.claim(watched in before.live and not old.watched_among)

    with any_walks(case, keeps, accepted, watched):
        # The new ranges come when all the old ones are accepted.
        refusal = update_many(before, old, (), request).refusal
    if refusal == NOT_ALLOCATED:
        case.assume(old.item == watched)
        case.claim(not (watched in before.live) or old.watched_among)  # noqa: E713  # symbolic: `not in` is the same


@theorem
def each_new_range_of_many_fits_once_the_old_ones_are_gone(case: AllocatorCase) -> None:
    """What is accepted fits, beside all new ranges before it; what is refused does not.

    What is live then is said by `what_an_update_of_many_leaves_live`: after each item.
    """
    before, old, new, request = any_change(case)

    def accepted(items: Ranges, state: Allocator, item: Range) -> None:
        if items is new:
            one = Request(item.end - item.start + 1, request.align, request.window)
            case.claim(state.fits(one, item.start))

    with any_walks(case, accepted=accepted):
        refusal = update_many(before, old, new, request).refusal
    case.assume(refusal not in (None, NOT_ALLOCATED, INVALID_ALIGNMENT, INVALID_RANGE))
    assert new.item is not None  # noqa: S101  # for the type checker: something was refused
    assert new.middle is not None  # noqa: S101  # likewise
    one = Request(new.item.end - new.item.start + 1, request.align, request.window)
    case.claim(not new.middle.fits(one, new.item.start))


@theorem
def an_update_of_one_is_an_update(case: AllocatorCase) -> None:
    """A single pair does what `update` does, and is refused for the same reason."""
    before, old, request, new = any_update(case)
    # What a range can be: not empty, and no longer than everything.
    case.assume(0 <= old.end - old.start <= before.top and 1 <= request.size <= before.top + 1)
    one = update(before, old, request, new)
    many = update_many(before, (old,), (new,), request)
    case.claim(many.refusal == one.refusal)
    case.claim(many.after.live.same_as(one.after.live))


@theorem
def half_of_an_update_of_many_is_an_allocation_or_a_free(case: AllocatorCase) -> None:
    """A single new range is an exact allocation; a single old one is freed."""
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    whole = Range(before.base, before.last)
    case.assume(1 <= request.size <= before.top + 1)
    r = request.at(start)
    if case.one_of("half", ("new", "old")) == "new":
        one = attempt(before, lambda: before.allocate_exact(request, start))
        many = update_many(before, (), (r,), request)
    else:
        one = attempt(before, lambda: before.free(start, request.size))
        many = update_many(before, (r,), (), Request(1, 1, whole))
    case.claim(many.refusal == one.refusal)
    case.claim(many.after.live.same_as(one.after.live))


@theorem
def two_live_ranges_can_always_be_swapped(case: AllocatorCase) -> None:
    """The swap of two live ranges of one size is never refused."""
    before = case.state()
    one = case.range("one", like=case.members(before.live))
    other = case.range("other", like=case.members(before.live))
    case.assume(one in before.live and other in before.live and one != other)
    case.assume(one.end - one.start == other.end - other.start)
    anywhere = Request(1, 1, Range(before.base, before.last))
    swapped = update_many(before, (one, other), (other, one), anywhere)
    case.claim(swapped.refusal is None)
    case.claim(swapped.after.live.same_as(before.live))


@theorem
def updating_two_back_undoes_an_update_of_two(case: AllocatorCase) -> None:
    """Taking the new ranges for the old ones is never refused, and leaves what was live."""
    before = case.state()
    request = any_request(case, before)
    old = [case.range(f"old{at}", like=case.members(before.live)) for at in range(2)]
    new = [case.range(f"new{at}", like=case.members(before.gaps())) for at in range(2)]
    moved = update_many(before, old, new, request)
    case.assume(moved.refusal is None)
    anywhere = Request(1, 1, Range(before.base, before.last))
    back = update_many(moved.after, new, old, anywhere)
    case.claim(back.refusal is None)
    case.claim(back.after.live.same_as(before.live))


def _is(one: bool, other: bool) -> bool:  # noqa: FBT001  # reads as a sentence
    """Whether both are true, or neither."""
    return bool(one) == bool(other)
