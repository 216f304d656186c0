"""The shipped moves do what the model's do: for all integers, any number of live ranges.

Each theorem begins a move by the real method and ends it by the real object, over the contract
of the index. One move is pending, at most, where another operation comes in between; that more
of them do not disturb each other is tested. Ids are moved by the very same code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spec.model import outside
from spec.moves import MOVE_ENDED, MOVE_PENDING
from spec.proofs.cases import any_range, any_start
from spec.proofs.subjects import (
    GIVEN,
    Shipped,
    Subject,
    any_options,
    any_subject,
    outcome_of,
    reading,
)
from vm_allocator.modelling import Range, attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from spec.model import Request
    from spec.proofs.cases import AllocatorCase
    from vm_allocator.resource import Unit

COMMIT: Final = "commit"
ABORT: Final = "abort"


def moves_as_the_model(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`move`, and then `commit` or `abort`: the same refusal, or the same live ranges each time.

    Ended once, it is refused to be ended again.
    """
    subject = any_subject(case, shipped, unit, watched=False)
    before = subject.before
    old, request, new, call = _any_move(case, subject)
    align = request.align
    begun = attempt(before, lambda: before.begin_move(old, new, align, request.window))
    with reading(case, shipped):
        move, refusal = outcome_of(call)
    case.claim(refusal == begun.refusal)
    case.claim(subject.index.state.live.same_as(begun.after.live))
    case.assume(move is not None)
    end = case.one_of("end", (COMMIT, ABORT))
    ended = attempt(
        begun.after,
        lambda: (
            begun.after.commit_move(old, new, align)
            if end == COMMIT
            else begun.after.abort_move(old, new)
        ),
    )
    with reading(case, shipped):
        _, refusal = outcome_of(getattr(move, end))
        again = {outcome_of(getattr(move, other))[1] for other in (COMMIT, ABORT)}
    case.claim(refusal == ended.refusal)
    case.claim(subject.index.state.live.same_as(ended.after.live))
    case.claim(not subject.allocator._pending)
    case.claim(again == {MOVE_ENDED})


def moves_within_64_bits(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`move`: no sum or difference leaves [0, 2^64-1]. What ends a move computes none."""
    subject = any_subject(case, shipped, unit, watched=True)
    _, _, _, call = _any_move(case, subject)
    with reading(case, shipped):
        _, refusal = outcome_of(call)
    case.claim(refusal is None or not refusal.startswith("crash"))


def frees_nothing_of_a_pending_move(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`free` while a move is pending: what the move holds is refused, and all else as ever."""
    subject = any_subject(case, shipped, unit, watched=False)
    start, size = any_range(case, subject.before, "freed")
    old_start, old_size = any_range(case, subject.before)
    new_start, new_size = any_range(case, subject.before, "new")
    with reading(case, shipped):
        move, _ = outcome_of(
            lambda: subject.allocator.move(old_start, old_size, new_start, new_size, align=1)
        )
        case.assume(move is not None)
        pending = subject.index.state
        expected = attempt(pending, lambda: pending.free(start, size))
        _, refusal = outcome_of(lambda: subject.allocator.free(start, size))
    old = Range(old_start, old_start + old_size - 1)
    new = Range(new_start, new_start + new_size - 1)
    freed = Range(start, start + size - 1)
    held = any(freed == one for one in (old, new, *outside(old, new)))
    case.claim((refusal == MOVE_PENDING) == held)
    if held:
        case.claim(subject.index.state.live.same_as(pending.live))
    else:
        case.claim(refusal == expected.refusal)
        case.claim(subject.index.state.live.same_as(expected.after.live))


ABOUT_MOVES: Final[tuple[Callable[[AllocatorCase, Shipped, Unit], None], ...]] = (
    moves_as_the_model,
    moves_within_64_bits,
    frees_nothing_of_a_pending_move,
)


def _any_move(
    case: AllocatorCase, subject: Subject
) -> tuple[Range, Request, Range, Callable[[], Any]]:
    """Return the old range of any move, what is asked of the new one, that, and the call.

    What options mean that are left out is read by the methods that `update` reads them by.
    """
    request, options = any_options(case, subject, (GIVEN,))
    start, (old_start, old_size) = any_start(case, subject.before), any_range(case, subject.before)
    # Sizes that make no sense are `update`'s to refuse, by the same method.
    case.assume(1 <= old_size <= subject.before.top + 1)
    case.assume(1 <= request.size <= subject.before.top + 1)
    old, new = subject.word(old_start), subject.word(start)
    old_units, units = subject.size(old_size), subject.size(request.size)
    move = subject.allocator.move
    call = lambda: move(old, old_units, new, units, **options)  # noqa: E731  # returned below
    return Range(old_start, old_start + old_size - 1), request, request.at(start), call
