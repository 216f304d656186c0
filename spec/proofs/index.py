"""The reference index keeps its contract: `SortedGaps`, for any number of gaps.

The methods of the real class run on symbolic ints, over ordered maps of which only this is
assumed: what `floor`, `ceiling`, `put` and `delete` say they do, and that `ascending` and
`descending` visit the items of an interval in order. The loops of the two searches carry
nothing from one round to the next; so it is enough to look at three things: any gap without
room is passed over; the first gap with room ends the search; and without one, the loop ends.

A counterexample is executed on the real class over real maps.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import vm_allocator.arithmetic
import vm_allocator.gaps
from spec.contract import IndexContract
from spec.model import Request, has_room
from spec.proofs.cases import AllocatorCase, any_range, look_at
from spec.proofs.gaps import claim_gaps
from spec.proofs.summaries import ARITHMETIC, MAX_AND_MIN, standing_in
from vm_allocator.modelling import FiniteRanges, Range, RangeSet
from vm_allocator.proving.theorem import Theorem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


class ProvenMap:
    """An ordered map from the starts of a set of ranges to their ends, as the proofs see it."""

    def __init__(self, case: AllocatorCase, ranges: RangeSet) -> None:
        self.ranges = ranges
        self.request: Request | None = None
        self._case = case

    def floor(self, key: int) -> tuple[int, int] | None:
        """Return the item with the greatest key at or below `key`."""
        return self.ranges.highest(lambda r: r.start <= key)

    def ceiling(self, key: int) -> tuple[int, int] | None:
        """Return the item with the least key at or above `key`."""
        return self.ranges.lowest(lambda r: key <= r.start)

    def put(self, key: int, value: int) -> None:
        """Set the value at `key`, whether there is one or not."""
        self.ranges = self.ranges.where(lambda r: r.start != key).with_range(Range(key, value))

    def delete(self, key: int) -> None:
        """Remove the item at `key`, which must be there."""
        self._case.claim(self.ranges.lowest(lambda r: r.start == key) is not None)
        self.ranges = self.ranges.where(lambda r: r.start != key)

    def ascending(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Visit the rounds that matter of a loop from the lowest key."""
        yield from self._rounds(first, last, self.ranges.lowest)

    def descending(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Visit the rounds that matter of a loop from the highest key."""
        yield from self._rounds(first, last, self.ranges.highest)

    def _rounds(
        self, first: int, last: int, pick: Callable[[Callable[[Range], bool]], Range | None]
    ) -> Iterator[tuple[int, int]]:
        request = self.request
        if request is None:
            raise AssertionError("only the searches for room have loops")
        if self._case.one_of("round", ("a gap without room", "the last round")) != "the last round":
            passed = self._case.range("passed")
            self._case.assume(passed in self.ranges and first <= passed.start <= last)
            self._case.assume(not has_room(passed, request))
            yield passed
            # The search went on, as it must; whether it ends well is another path.
            self._case.assume(False)  # noqa: FBT003  # this path has been looked at
        found = pick(lambda r: first <= r.start <= last and has_room(r, request))
        if found is not None:
            yield found
            self._case.claim(False)  # noqa: FBT003  # a gap with room ends the search


def _unmended(module: ModuleType) -> Any:
    """Return the shipped class without its repair: no exception from without comes here.

    What the engine raises to leave a path is none, and what a repair does is tested (tests/faults).
    """

    class Unmended(module.SortedGaps):  # type: ignore[misc, name-defined]  # perhaps a mutated one
        def _mend(self) -> None:
            """Leave everything as it is."""

    return Unmended


class Subject:
    """The shipped index in any state, and the contract in the same one."""

    def __init__(self, case: AllocatorCase, module: ModuleType) -> None:
        self.case = case
        self.module = module
        self.before = case.state()
        self.contract = IndexContract(self.before, case.assume)
        if case.is_symbolic:
            kind = _unmended(module)
            self.index: Any = kind.__new__(kind)
            self.index._base, self.index._last = self.before.base, self.before.last
            self.index._live = ProvenMap(case, self.before.live)
            self.index._gaps = ProvenMap(case, self.before.gaps())
        else:
            self.index = module.SortedGaps(self.before.base, self.before.last)
            for start, end in case.members(self.before.live):
                self.index.add(start, end)

    def ask(self, method: str, *arguments: int) -> Any:
        """Call the shipped method: with summaries of the leaves, where it is symbolic."""
        symbolic = self.case.is_symbolic
        with (
            standing_in(ARITHMETIC if symbolic else {}, vm_allocator.arithmetic),
            standing_in(MAX_AND_MIN if symbolic else {}, self.module),
        ):
            try:
                return getattr(self.index, method)(*arguments)
            except Exception:
                self.case.claim(False)  # noqa: FBT003  # whatever the contract allows, it can answer
                raise

    def live(self) -> RangeSet:
        """Return the live ranges that the index holds."""
        if self.case.is_symbolic:
            held: RangeSet = self.index._live.ranges
            return held
        return FiniteRanges(Range(*item) for item in self.index.live())

    def gaps(self) -> RangeSet:
        """Return the gaps that the index holds."""
        if self.case.is_symbolic:
            held: RangeSet = self.index._gaps.ranges
            return held
        return FiniteRanges(Range(*item) for item in self.index.gaps())


def searches(case: AllocatorCase, module: ModuleType, method: str) -> None:
    """A search finds exactly the start that the contract names, or none if it names none."""
    subject = Subject(case, module)
    before = subject.before
    span, align = case.number("span", like=(0, 1, 2)), case.number("align", like=(1, 1, 2, 4))
    window = case.range("window", like=(Range(before.base, before.last),))
    arguments = (span, align, window.start, window.end)
    if case.is_symbolic:
        subject.index._gaps.request = Request(span + 1, align, window)
    expected = getattr(subject.contract, method)(*arguments)
    found = subject.ask(method, *arguments)
    case.claim((found is None) == (expected is None))
    case.claim(found is None or found == expected)


def names_the_lowest_overlap(case: AllocatorCase, module: ModuleType) -> None:
    """`overlapping` returns the lowest live range that meets the range, if there is one."""
    subject = Subject(case, module)
    start, size = any_range(case, subject.before)
    expected = subject.contract.overlapping(start, start + size - 1)
    found = subject.ask("overlapping", start, start + size - 1)
    case.claim((found is None) == (expected is None))
    if found is not None and expected is not None:
        case.claim(found[0] == expected[0] and found[1] == expected[1])


def knows_what_is_live(case: AllocatorCase, module: ModuleType) -> None:
    """`is_live` is true of exactly the live ranges."""
    subject = Subject(case, module)
    start, size = any_range(case, subject.before)
    expected = subject.contract.is_live(start, start + size - 1)
    case.claim(subject.ask("is_live", start, start + size - 1) == expected)


def adds(case: AllocatorCase, module: ModuleType) -> None:
    """`add` makes the range live, and splits the gap that it lay in."""
    subject = Subject(case, module)
    start = case.number("start", like=[gap.start for gap in case.members(subject.before.gaps())])
    end = start + case.number("span", like=(0, 1))
    subject.contract.add(start, end)
    look_at(case, subject.before, start)
    subject.ask("add", start, end)
    case.claim(subject.live().same_as(subject.contract.state.live))
    claim_gaps(case, subject.contract.state, subject.gaps())


def removes(case: AllocatorCase, module: ModuleType) -> None:
    """`remove` frees the range, and merges it with the gaps beside it."""
    subject = Subject(case, module)
    start, size = any_range(case, subject.before)
    subject.contract.remove(start, start + size - 1)
    subject.ask("remove", start, start + size - 1)
    case.claim(subject.live().same_as(subject.contract.state.live))
    claim_gaps(case, subject.contract.state, subject.gaps())


def index_theorems(module: ModuleType = vm_allocator.gaps) -> list[Theorem]:
    """Return the theorems about the shipped index, or about a mutated copy of it."""
    statements: dict[str, Callable[[AllocatorCase], None]] = {
        "the_index_finds_the_lowest_room": partial(searches, module=module, method="lowest_fit"),
        "the_index_finds_the_highest_room": partial(searches, module=module, method="highest_fit"),
        "the_index_names_the_lowest_overlap": partial(names_the_lowest_overlap, module=module),
        "the_index_knows_what_is_live": partial(knows_what_is_live, module=module),
        "adding_to_the_index_splits_a_gap": partial(adds, module=module),
        "removing_from_the_index_merges_gaps": partial(removes, module=module),
    }
    return [
        Theorem(name, " ".join((_about(state) or "").split()), __name__, state)
        for name, state in statements.items()
    ]


def _about(state: Any) -> str | None:
    return state.func.__doc__  # type: ignore[no-any-return]  # a partial's function
