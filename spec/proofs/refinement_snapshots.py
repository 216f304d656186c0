"""The shipped restore accepts what the model accepts, and makes what the model makes.

Its walk over the entries of a snapshot is cut by induction: any entry, met after any others that
the model has accepted, all of them lower. What the sweep remembers of these is one entry alone.
That the loop around it does nothing else is shown of short lists (`lists of up to 3`), and so is
how an allocator is made of what was read: its index by the contract of such.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import vm_allocator.snapshots.states
import vm_allocator.snapshots.sweep
from spec.contract import IndexContract
from spec.model import OVERLAP, Allocator, inside, overlaps
from spec.proofs.snapshots import empty_like
from spec.proofs.subjects import outcome_of
from spec.snapshots import replay
from vm_allocator.modelling import Range, attempt
from vm_allocator.proving.theorem import Theorem
from vm_allocator.resource import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from spec.proofs.cases import AllocatorCase

MOST: Final = 3


@dataclass(frozen=True)
class Shipped:
    """The modules under proof: the real ones, or mutated copies of them."""

    sweep: ModuleType = vm_allocator.snapshots.sweep
    states: ModuleType = vm_allocator.snapshots.states


def sweeps_one_more_as_the_model(case: AllocatorCase, shipped: Shipped) -> None:
    """After any entries that were accepted, and lower: the model's answer, for its reason.

    And the entry that is remembered is, afterwards too, a live one that reaches highest: what
    the next answer rests on. Nothing is remembered exactly while nothing is live.
    """
    before = case.state()
    sweep = shipped.sweep.Sweep(before.base, before.last)
    case.claim(sweep.highest is None)
    if case.one_of("before it", ("nothing", "others")) == "nothing":
        case.assume(before.live.lowest(lambda _: True) is None)
    else:
        highest = case.range("highest", like=case.members(before.live))
        case.assume(highest in before.live)
        case.assume(before.live.all(lambda live: live.end <= highest.end))
        sweep.highest = _entry(shipped, highest)
    item = case.range("item", like=case.members(before.gaps()))
    case.assume(before.live.all(lambda live: live.start <= item.start))
    expected = attempt(before, lambda: replay(before, (item,)))
    entry = _entry(shipped, item)
    reason = _done(case, lambda: sweep.take(entry))
    case.claim(reason == (expected.refusal or ""))
    if expected.refusal is None:
        _done(case, lambda: sweep.keep(entry, reason))
        case.claim(sweep.highest is not None)
        now = Range(sweep.highest.start, sweep.highest.end)
        case.claim(now in expected.after.live)
        case.claim(expected.after.live.all(lambda live: live.end <= now.end))


def what_is_reported_as_an_overlap_is_one(case: AllocatorCase, shipped: Shipped) -> None:
    """After any entries at all, accepted or not, all of them lower: the two that are named meet.

    What is remembered lies in the space, and reaches as high as anything before it there.
    """
    like = case.state()
    space = Range(like.base, like.last)
    sweep = shipped.sweep.Sweep(like.base, like.last)
    highest, item = case.range("highest"), case.range("item")
    case.assume(highest.start <= highest.end and inside(highest, space))
    case.assume(highest.start <= item.start)
    sweep.highest = _entry(shipped, highest)
    entry = _entry(shipped, item)
    reason = _done(case, lambda: sweep.take(entry))
    if reason == OVERLAP:
        case.claim(overlaps(item, highest))
    _done(case, lambda: sweep.keep(entry, reason))
    now = Range(sweep.highest.start, sweep.highest.end)
    case.claim(now.start <= now.end and inside(now, space))
    case.claim(highest.end <= now.end)
    if item.start <= item.end and inside(item, space):
        case.claim(item.end <= now.end)


def sweeps_a_list_as_the_model(case: AllocatorCase, shipped: Shipped) -> None:
    """A whole list, of up to 3 entries in order: one is reported exactly if the model refuses."""
    like = case.state()
    empty = empty_like(case, like)
    told = _some_ranges(case, like)
    for one, other in pairwise(told):
        case.assume(one.start <= other.start)
    expected = attempt(empty, lambda: replay(empty, told))
    found: list[tuple[Any, str, Any]] = []
    sweep = shipped.sweep.Sweep(empty.base, empty.last)
    entries = [_entry(shipped, one, at) for at, one in enumerate(told)]
    _done(case, lambda: sweep.over(entries, lambda *one: found.append(one)))
    case.claim(bool(found) == (expected.refusal is not None))
    if found:
        entry, reason, other = found[0]
        case.claim(reason == expected.refusal)
        case.claim((other is not None) == (reason == OVERLAP))
        if other is not None:
            case.claim(overlaps(Range(entry.start, entry.end), Range(other.start, other.end)))


def makes_what_was_read(case: AllocatorCase, shipped: Shipped) -> None:
    """Of a state that was read and accepted, up to 2 ranges: just these are live in the index."""
    like = case.state()
    empty = empty_like(case, like)
    told = _some_ranges(case, like)[:2]
    expected = attempt(empty, lambda: replay(empty, told))
    case.assume(expected.refusal is None)
    by = case.one_of("index", ("from_live", "add_all"))
    made: list[IndexContract] = []

    def make(base: int, last: int) -> IndexContract:
        case.claim(base == empty.base and last == empty.last)
        made.append(IndexContract(empty, case.claim))
        return made[0]

    def from_live(base: int, last: int, ranges: Iterable[tuple[int, int]]) -> IndexContract:
        index, below = make(base, last), None
        for start, end in ranges:
            case.claim(below is None or below < start)
            index.add(start, end)
            below = end
        return index

    factory: Any = make
    if by == "from_live":
        factory = type("Factory", (), {"from_live": staticmethod(from_live)})
    state = shipped.states.SavedState(Unit.ADDRESS, empty.base, empty.last, 1)
    state.live = [_entry(shipped, one, at) for at, one in enumerate(told)]
    _done(case, lambda: state.filled(factory))
    case.claim(made[0].state.live.same_as(expected.after.live))


def looks_at_what_a_move_reserves(case: AllocatorCase, shipped: Shipped) -> None:
    """What is looked at of a pending move is what the model reserves of one, if it is possible."""
    before = case.state()
    old, new = case.range("old", like=case.members(before.live)), case.range("new")
    whole = Range(before.base, before.last)
    case.assume(old in before.live)
    begun = attempt(before, lambda: before.begin_move(old, new, 1, whole))
    move = shipped.states.SavedMove(
        _entry(shipped, old, part=".old"), _entry(shipped, new, part=".new"), None
    )
    held = _done(case, lambda: [Range(one.start, one.end) for one in move.reserved()])
    case.claim(held[0] == old)
    # Beside what else is live, by the model's own rules for ranges that are told.
    again = attempt(before, lambda: replay(before, held[1:]))
    case.claim((again.refusal is None) == (begun.refusal is None))
    case.claim(again.after.live.same_as(begun.after.live))


def _stated(
    case: AllocatorCase, state: Callable[[AllocatorCase, Shipped], None], shipped: Shipped
) -> None:
    state(case, shipped)


def _done(case: AllocatorCase, call: Callable[[], Any]) -> Any:
    """Return what the shipped code returns; that it crashes would be a wrong answer."""
    answer, refusal = outcome_of(call)
    case.claim(refusal is None)
    return answer


def _entry(shipped: Shipped, one: Range, at: int = 0, part: str = "") -> Any:
    return shipped.sweep.Entry(one.start, one.end, "live", at, part)


def _some_ranges(case: AllocatorCase, like: Allocator) -> list[Range]:
    near = [*case.members(like.live), *case.members(like.gaps())]
    count = case.one_of("count", tuple(range(MOST, -1, -1)))
    return [case.range(f"told{at}", like=near) for at in range(count)]


ABOUT_SNAPSHOTS: Final[dict[str, Callable[[AllocatorCase, Shipped], None]]] = {
    "the_restore_looks_at_one_more_entry_as_the_model": sweeps_one_more_as_the_model,
    "what_the_restore_reports_as_an_overlap_is_one": what_is_reported_as_an_overlap_is_one,
    "the_restore_looks_at_up_to_three_entries_as_the_model": sweeps_a_list_as_the_model,
    "the_restore_makes_of_up_to_two_ranges_what_was_read": makes_what_was_read,
    "the_restore_looks_at_what_a_move_reserves": looks_at_what_a_move_reserves,
}


def snapshot_theorems(shipped: Shipped | None = None) -> list[Theorem]:
    """Return what is shown of the shipped restore, or of a mutated copy of it."""
    return [
        Theorem(
            name,
            " ".join((state.__doc__ or "").split()),
            __name__,
            partial(_stated, state=state, shipped=shipped or Shipped()),
        )
        for name, state in ABOUT_SNAPSHOTS.items()
    ]
