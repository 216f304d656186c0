"""Restoring what was saved: the same state; and what no state can be is refused, and only that.

A snapshot is a list of any length: by induction along it, as `spec.proofs.walks` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.model import OVERLAP, Request, overlaps
from spec.proofs.moves import any_pending_move, begin
from spec.proofs.walks import any_ranges, any_walks, same_space
from spec.snapshots import replay
from vm_allocator.modelling import Range, attempt
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from spec.model import Allocator
    from spec.proofs.cases import AllocatorCase
    from spec.proofs.walks import Ranges


def empty_like(case: AllocatorCase, state: Allocator) -> Allocator:
    """Return the same space with nothing live in it."""
    return case.read(case.model.initial(state.top, state.base, state.last))


@theorem
def what_is_restored_breaks_no_invariant(case: AllocatorCase) -> None:
    """Whatever a snapshot tells: what comes of it is a state, with all that was told live in it.

    So a snapshot of which there is no state is refused.
    """
    like = case.state("like")
    told = any_ranges(case, like, "told")
    watched = case.range("watched", like=told.listed or ())

    def keeps(items: Ranges, state: Allocator) -> bool:
        return (watched in state.live) == items.watched_among

    empty = empty_like(case, like)
    with any_walks(case, keeps, watched=watched):
        outcome = attempt(empty, lambda: replay(empty, told))
    for predicate in case.model.invariants().values():
        case.claim(predicate(outcome.after))
    case.assume(outcome.refusal is None)
    case.claim((watched in outcome.after.live) == told.watched_among)


@theorem
def a_snapshot_of_a_state_is_never_refused(case: AllocatorCase) -> None:
    """However many live ranges of a state are told, in any order, each once: all are accepted.

    So a snapshot is refused only if there is no such state.
    """
    saved = case.state("saved")
    told = any_ranges(case, saved, "told")
    watched = case.range("watched", like=case.members(saved.live))

    def keeps(items: Ranges, state: Allocator) -> bool:
        among = items.watched_among
        return (watched in state.live) == among and (not among or watched in saved.live)

    def accepted(_: Ranges, state: Allocator, item: Range) -> None:
        case.assume(item in saved.live and not (item in state.live))  # noqa: E713  # symbolic: `not in` is the same

    empty = empty_like(case, saved)
    with any_walks(case, keeps, accepted, watched):
        refusal = attempt(empty, lambda: replay(empty, told)).refusal
    if refusal is None:
        case.claim(not told.watched_among or watched in saved.live)
        return
    item, middle = told.item, told.middle
    assert item is not None  # noqa: S101  # for the type checker: something was refused
    assert middle is not None  # noqa: S101  # likewise
    case.assume(item in saved.live and not (item in middle.live))  # noqa: E713  # likewise
    if refusal == OVERLAP:
        # Whatever it is that is in the way, the watched range is any range: so it is that one.
        in_the_way = middle.live.lowest(lambda live: overlaps(live, item))
        case.assume(in_the_way == watched)
    case.claim(False)  # noqa: FBT003  # there is no such case


@theorem
def what_was_saved_is_restored(case: AllocatorCase) -> None:
    """If all live ranges of a state are told, and nothing else, then just these are live again."""
    saved = case.state("saved")
    told = any_ranges(case, saved, "told")
    watched = case.range("watched", like=case.members(saved.live))

    def keeps(items: Ranges, state: Allocator) -> bool:
        return (watched in state.live) == items.watched_among

    empty = empty_like(case, saved)
    with any_walks(case, keeps, watched=watched):
        outcome = attempt(empty, lambda: replay(empty, told))
    case.assume(outcome.refusal is None)
    case.assume(told.watched_among == (watched in saved.live))
    case.claim((watched in outcome.after.live) == (watched in saved.live))
    case.claim(same_space(outcome.after, saved))


@theorem
def a_pending_move_is_restored(case: AllocatorCase) -> None:
    """Begun again where what it leads from is live, it reserves the same: it is never refused.

    With which alignment, and within which window, it was begun is not told, and makes no
    difference.
    """
    before, old, request, new, pending = any_pending_move(case)
    anywhere = Request(request.size, 1, Range(before.base, before.last))
    again = begin(before, old, anywhere, new)
    case.claim(again.refusal is None)
    case.claim(again.after.live.same_as(pending.live))
