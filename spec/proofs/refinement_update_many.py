"""The shipped source updates many as the model does: lists of any length, and all integers.

The two loops of the method are cut by induction (`spec.proofs.walks`): any item, in any state
that the items before it may have led to, in which model and source have the same live ranges.
Both accept it, and have the same live ranges again; or both refuse it, for the same reason.
What the undo log does is its contract here: it brings back what was live when it was made, if
it was told of every change. That the shipped log keeps this is shown of short logs only
(`spec.proofs.undo`), and of the method as it ships, with its log and its reading of the pairs,
for one pair.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from spec.proofs.subjects import (
    GIVEN,
    Shipped,
    Subject,
    WatchedIndex,
    any_options,
    any_subject,
    outcome_of,
    range_of,
    reading,
)
from spec.proofs.walks import OneMoreError, Ranges, any_ranges, any_walks, same_space
from vm_allocator.modelling import Outcome, Range, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spec.model import Allocator
    from spec.proofs.cases import AllocatorCase
    from vm_allocator.resource import Unit


class LogContract:
    """What an undo log promises: what was live when it was made is live again after `undo`."""

    def __init__(self, case: AllocatorCase, index: WatchedIndex) -> None:
        self._case = case
        self._index = index
        self._first = self.state = index._index.state

    def remove(self, start: int, end: int) -> None:
        """Tell the index, and remember."""
        self.claim_told()
        self._index.remove(start, end)
        self.state = self._index._index.state

    def add(self, start: int, end: int) -> None:
        """Tell the index, and remember."""
        self.claim_told()
        self._index.add(start, end)
        self.state = self._index._index.state

    def undo(self) -> None:
        """Take everything back; whatever the log was not told of would stay."""
        self.claim_told()
        self._index._index.state = self.state = self._first

    def claim_told(self) -> None:
        """Claim that nobody changed the index but through the log."""
        self._case.claim(self._index._index.state is self.state)

    def arrive(self, state: Allocator) -> None:
        """Be in the middle of a walk: all that led there went through the log."""
        self._index._index.state = self.state = state


class Followed:
    """The lists of the model's walks, as the shipped loops walk them after it."""

    def __init__(self, case: AllocatorCase, subject: Subject) -> None:
        self._case = case
        self._subject = subject
        self._log: LogContract | None = None

    def make_log(self, index: WatchedIndex) -> LogContract:
        """Stand in for the shipped log."""
        self._log = LogContract(self._case, index)
        return self._log

    def walk(self, items: Ranges) -> Iterator[tuple[int, int]]:
        """Visit the item that the model met, in the state in which it met it; or the end."""
        case, log, index = self._case, self._log, self._subject.index
        if log is None or items.before is None or items.middle is None:
            case.claim(False)  # noqa: FBT003  # the model did not walk here
            return
        log.claim_told()
        case.claim(index.state.live.same_as(items.before.live))
        log.arrive(items.middle)
        if items.item is None:
            return
        yield self._subject.word(items.item.start), self._subject.word(items.item.end)
        log.claim_told()
        case.claim(items.after is not None)
        if items.after is not None:
            case.claim(index.state.live.same_as(items.after.live))
        case.assume(False)  # noqa: FBT003  # this item has been looked at

    def walk_alone(self, items: Ranges) -> Iterator[tuple[int, int]]:
        """Visit any item in any state, or none: where the model is not asked."""
        case, log, word = self._case, self._log, self._subject.word
        middle = case.state(f"{items.name}.middle")
        case.assume(same_space(middle, self._subject.before))
        if log is not None:
            log.arrive(middle)
        if case.one_of(items.name, ("an item", "the end")) == "an item":
            start, end = case.range(f"{items.name}.item")
            case.assume(0 <= start <= end)
            yield word(start), word(end)
            case.assume(False)  # noqa: FBT003  # this item has been looked at


def does_update_many_as_the_model(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`update_many`, of lists of any length: the same refusal, or the same live ranges."""
    subject = any_subject(case, shipped, unit, watched=False)
    before = subject.before
    request, options = any_options(case, subject, (GIVEN,))
    old, new = _any_sides(case, before)
    expected: Outcome[Allocator] | None = None
    # What the model accepts ends its walk: the source must then come to the same place.
    with any_walks(case, stop=True), suppress(OneMoreError):
        expected = attempt(
            before, lambda: before.update_many(old, new, request.align, request.window)
        )
    for items in (old, new):
        if items.item is not None:  # what RangeInclusive itself guarantees of every range
            case.assume(0 <= items.item.start <= items.item.end)
    _, refusal = _call(case, shipped, subject, (old, new), options)
    case.claim(expected is not None)
    if expected is not None:
        case.claim(refusal == expected.refusal)
        case.claim(subject.index.state.live.same_as(expected.after.live))


def does_update_many_within_64_bits(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`update_many`, of lists of any length: no sum or difference leaves [0, 2^64-1]."""
    subject = any_subject(case, shipped, unit, watched=True)
    _, options = any_options(case, subject, (GIVEN,))
    old, new = _any_sides(case, subject.before)
    _, refusal = _call(case, shipped, subject, (old, new), options, alone=True)
    case.claim(refusal is None or not refusal.startswith("crash"))


def updates_a_pair_as_the_model(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`update_many` of one pair, as it ships: with its log, and `None` on either side.

    `None` on both sides is refused.
    """
    subject = any_subject(case, shipped, unit, watched=False)
    before = subject.before
    sides = case.one_of("sides", ("both", "old", "new", "neither"))
    ranges, change = {"old": list[Range](), "new": list[Range]()}, list[Any]()
    for name, side in ranges.items():
        if sides not in ("both", name):
            change.append(None)
            continue
        one = case.range(name, like=case.members(before.live))
        case.assume(0 <= one.start <= one.end)
        side.append(one)
        change.append(range_of(one.start, one.end))
    align, whole = case.number("granule", like=(1, 1, 2)), Range(before.base, before.last)
    expected = attempt(
        before, lambda: before.update_many(ranges["old"], ranges["new"], align, whole)
    )
    with reading(case, shipped):
        _, refusal = outcome_of(
            lambda: subject.allocator.update_many([(change[0], change[1])], align=align)
        )
    no_change = sides == "neither" and expected.refusal is None
    case.claim(refusal == ("conflicting-request" if no_change else expected.refusal))
    case.claim(subject.index.state.live.same_as(expected.after.live))


ABOUT_UPDATES: Final[tuple[Callable[[AllocatorCase, Shipped, Unit], None], ...]] = (
    does_update_many_as_the_model,
    does_update_many_within_64_bits,
    updates_a_pair_as_the_model,
)


def _call(
    case: AllocatorCase,
    shipped: Shipped,
    subject: Subject,
    sides: tuple[Ranges, Ranges],
    options: dict[str, Any],
    *,
    alone: bool = False,
) -> tuple[None, str | None]:
    """Call the shipped method with the lists: as pairs on plain ints, else as they stand."""
    allocator: Any = subject.allocator
    old, new = sides
    if old.listed is not None and new.listed is not None:
        changes = _pairs(old.listed, new.listed, subject.word)
        return outcome_of(lambda: allocator.update_many(changes, **options))
    followed = Followed(case, subject)
    old.follow = new.follow = followed.walk_alone if alone else followed.walk
    allocator._sides = lambda _: sides
    with reading(case, shipped, UndoLog=followed.make_log):
        return outcome_of(lambda: allocator.update_many((), **options))


def _any_sides(case: AllocatorCase, before: Allocator) -> tuple[Ranges, Ranges]:
    """Return any old ranges and any new ones, as `RangeInclusive` guarantees them to be."""
    sides = any_ranges(case, before, "old"), any_ranges(case, before, "new")
    for items in sides:
        case.assume(all(0 <= one.start <= one.end for one in items.listed or ()))
    return sides


def _pairs(old: Sequence[Range], new: Sequence[Range], word: Callable[[int], Any]) -> list[Any]:
    """Pair the old ranges with the new ones, and what is left over with `None`."""
    length = max(len(old), len(new))
    sides = [[range_of(word(one.start), word(one.end)) for one in ranges] for ranges in (old, new)]
    padded = [[*side, *[None] * (length - len(side))] for side in sides]
    return list(zip(*padded, strict=True))
