"""A whole gap index keeps its contract, its data structure included: up to k gaps.

`spec.proofs.index` proves the reference index for any number of gaps, and assumes what an
ordered map does. Here nothing of an index is assumed: the very class, over the very
`sortedcontainers.SortedDict`, is filled and asked with symbolic numbers, and stands beside
the contract. Every number is any 64-bit number; what is bounded is how many pieces there
are. So a row of these is never "proved": it holds to some k.

What is possible, and what is not:

- `SortedDict` is a `dict` beside a `SortedList`. The list only compares (also in C, where
  `bisect` calls `__lt__`), which symbolic ints follow. The dict hashes; see `symbolic.keys`
  for why one hash for all symbolic keys is as good as any.
- `SortedList` keeps lists of 1,000 items, and that many are out of reach. So its lists are made
  small, at most 4 items, and 2 for the gaps: few pieces then already split and join them.
- A search goes through ways in which gap after gap has no room, and these multiply. So the
  searches for room are looked at with one gap less than the rest.
- The order in which an index was filled matters to its shape: layouts come with a history.
- Not every arrangement of k gaps is looked at, but those of `layouts`. The leaves (bit
  tricks) are read through their lemmas, as everywhere.

Any other index is checked by its factory: `bounded_theorems(factory, gaps)`. The gap tree is
set up and read in a way of its own: `spec.proofs.bounded_tree`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import vm_allocator.arithmetic
import vm_allocator.gaps
from spec.contract import IndexContract
from spec.model import U64_MAX, Allocator
from spec.proofs.summaries import ARITHMETIC, MAX_AND_MIN, standing_in
from vm_allocator.gaps import GapIndex, SortedGaps
from vm_allocator.modelling import FiniteMap, Range
from vm_allocator.proving.listed import ListedRanges
from vm_allocator.proving.theorem import Theorem
from vm_allocator.symbolic.keys import keyed

if TYPE_CHECKING:
    from spec.proofs.cases import AllocatorCase

Factory = Callable[[int, int], GapIndex]
"""Makes an index of the space from one number to the other, all of it free."""

GAP: Final = "."
LIVE: Final = "L"
UPWARDS: Final = "filled from below"
DOWNWARDS: Final = "filled from above"
AGAIN: Final = "filled from below, every other range freed, and filled again"


def layouts(gaps: int) -> list[tuple[str, str]]:
    """Return arrangements of that many gaps: the pieces from below, and how they came about.

    Gaps at both ends of the space and single live ranges between them; live ranges at both
    ends; and neighbouring live ranges, three and two, so that each can have a gap beside it on
    either side, on both, or on none.
    """
    if not gaps:
        return [(LIVE, UPWARDS), (LIVE * 3, AGAIN)]
    return [
        (LIVE.join(GAP * gaps), DOWNWARDS),
        (f"{LIVE}{GAP}" * gaps + LIVE, UPWARDS),
        ("".join(LIVE * (3 - at % 3) + GAP for at in range(gaps)) + LIVE, AGAIN),
    ]


def small_nodes(base: int, last: int) -> SortedGaps:
    """Return the reference index as it ships, but for the size of the lists below it."""
    index = SortedGaps(base, last)
    for held, load in ((index._live, 2), (index._gaps, 1)):
        items: Any = held._items  # type: ignore[attr-defined]  # the real map, behind its protocol
        items._reset(load)
    return index


Make = Callable[..., "Subject"]
"""Makes a subject of a case, `gaps=` and `searching=`."""


class Subject:
    """An index filled with any numbers, and the contract in the same state.

    `searching`: room is looked for in it.
    """

    def __init__(
        self, case: AllocatorCase, factory: Factory, gaps: int, *, searching: bool = False
    ) -> None:
        self.case = case
        self.searching = searching
        self.layout, history = case.one_of("layout", self.arrangements(gaps))
        self.before = _any_state(case, self.layout)
        self.live: list[Range] = list(self.before.live)  # type: ignore[call-overload]  # listed
        self.contract = IndexContract(self.before, case.assume)
        self.align = self.any_alignment() if searching else 1
        self.index: Any = None
        with self.reading():
            self.index = factory(self.before.base, self.before.last)
            self.fill(history)

    # ---- what may differ from index to index

    def arrangements(self, gaps: int) -> list[tuple[str, Any]]:
        """Return the layouts with up to that many gaps, each with how it came about."""
        return [each for count in range(gaps + 1) for each in layouts(count)]

    def any_alignment(self) -> int:
        """Return any alignment."""
        return keyed(self.case.number("align", like=(1, 1, 2, 4)))

    def any_window(self, *, from_below: bool) -> tuple[int, int]:
        """Return any first and any last address; which one a search meets first is told."""
        del from_below
        first = keyed(self.case.number("first", like=(self.before.base, self.before.base + 2)))
        return first, keyed(self.case.number("until", like=(self.before.last,)))

    def fill(self, history: Any) -> None:
        """Bring the empty index into the state."""
        for start, end in reversed(self.live) if history == DOWNWARDS else self.live:
            self.ask("add", start, end)
        if history == AGAIN:
            for act in ("remove", "add"):
                for start, end in self.live[::2]:
                    self.ask(act, start, end)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let summaries stand in the shipped source, where the numbers are symbolic."""
        symbolic = self.case.is_symbolic
        with (
            standing_in(ARITHMETIC if symbolic else {}, vm_allocator.arithmetic),
            standing_in(MAX_AND_MIN if symbolic else {}, vm_allocator.gaps),
        ):
            yield

    # ---- the rest

    def ask(self, method: str, *arguments: Any) -> Any:
        """Ask the index; whatever the contract allows, it has to be able to answer."""
        with self.reading():
            try:
                return getattr(self.index, method)(*arguments)
            except Exception:
                self.case.claim(False)  # noqa: FBT003  # a crash is no answer
                raise

    def agrees(self) -> None:
        """Claim that the index lists the live ranges and the gaps that the contract has."""
        state = self.contract.state
        held = (
            (state.live, [*self.index.live()]),
            (state.gaps(), [*self.index.gaps()]),
        )
        for expected, found in held:
            listed: list[Range] = list(expected)  # type: ignore[call-overload]  # listed
            self.case.claim(len(found) == len(listed))
            for one, other in zip(found, listed, strict=True):
                self.case.claim(one[0] == other.start and one[1] == other.end)
        self.case.claim(len(self.index) == len([*self.index.live()]))

    def is_sound(self) -> None:
        """Claim whatever else has to hold of its structure for the next operation."""


def _any_state(case: AllocatorCase, layout: str) -> Allocator:
    """Return a state with these pieces, at any 64-bit numbers."""
    base = keyed(case.number("base", like=(0, 0, 1, 2**32 - 9, U64_MAX - 60)))
    case.assume(base >= 0)
    low, space, live = base, False, list[Range]()
    for number, piece in enumerate(layout):
        if piece == GAP:
            space = True
            continue
        start, end = low, keyed(case.number(f"live{number}.end", like=(low + 1, low + 2)))
        if space:
            start = keyed(case.number(f"live{number}.start", like=(low + 1, low + 2)))
            case.assume(low < start)
        case.assume(start <= end)
        live.append(Range(start, end))
        low, space = end + 1, False
    last = low - 1
    if space:
        last = keyed(case.number("last", like=(low, low + 1, low + 3)))
        case.assume(low <= last)
    case.assume(last <= U64_MAX)
    return Allocator(U64_MAX, base, last, ListedRanges(live), FiniteMap())


def searches(case: AllocatorCase, make: Make, gaps: int, method: str) -> None:
    """A search finds exactly the start that the contract names, or none if it names none."""
    subject = make(case, gaps=gaps, searching=True)
    span = keyed(case.number("span", like=(0, 1, 2)))
    align = subject.align
    first, last = subject.any_window(from_below=method.startswith("lowest"))
    expected = getattr(subject.contract, method)(span, align, first, last)
    found = subject.ask(method, span, align, first, last)
    case.claim((found is None) == (expected is None))
    case.claim(found is None or found == expected)
    subject.is_sound()


def names_the_lowest_overlap(case: AllocatorCase, make: Make, gaps: int) -> None:
    """`overlapping` returns the lowest live range that meets the range, if there is one."""
    subject = make(case, gaps=gaps)
    start, end = _any_range(case, subject)
    expected = subject.contract.overlapping(start, end)
    found = subject.ask("overlapping", start, end)
    case.claim((found is None) == (expected is None))
    if found is not None and expected is not None:
        case.claim(found[0] == expected[0] and found[1] == expected[1])


def knows_what_is_live(case: AllocatorCase, make: Make, gaps: int) -> None:
    """`is_live` is true of exactly the live ranges."""
    subject = make(case, gaps=gaps)
    start, end = _any_range(case, subject)
    expected = subject.contract.is_live(start, end)
    case.claim(subject.ask("is_live", start, end) == expected)


def adds(case: AllocatorCase, make: Make, gaps: int) -> None:
    """`add` makes the range live, and splits the gap that it lay in."""
    subject = make(case, gaps=gaps)
    start, end = _any_range(case, subject)
    subject.contract.add(start, end)
    subject.ask("add", start, end)
    subject.agrees()
    subject.is_sound()


def removes(case: AllocatorCase, make: Make, gaps: int) -> None:
    """`remove` frees the range, and merges it with the gaps beside it."""
    subject = make(case, gaps=gaps)
    case.assume(bool(subject.live))
    start, end = subject.live[case.one_of("which", range(len(subject.live)))]
    subject.contract.remove(start, end)
    subject.ask("remove", start, end)
    subject.agrees()
    subject.is_sound()


def _any_range(case: AllocatorCase, subject: Subject) -> tuple[int, int]:
    ends = [end for pair in subject.live for end in (*pair, pair[1] + 1)]
    start = keyed(case.number("start", like=(subject.before.base, *ends)))
    return start, keyed(case.number("end", like=(start, start + 1)))


@dataclass(frozen=True)
class Bounded:
    """A theorem about an index, and the number of gaps up to which it is stated."""

    theorem: Theorem
    gaps: int


def bounded_theorems(
    factory: Factory,
    gaps: int,
    name: str = "the_reference_index",
    subject: type[Subject] = Subject,
) -> list[Bounded]:
    """Return what holds of an index that keeps its contract, with up to that many gaps.

    `gaps` is 1 or more; `subject` sets the index up and reads it.
    """
    make = partial(subject, factory=factory)
    fewer = max(gaps - 1, 1)
    statements: dict[str, tuple[int, Callable[..., None]]] = {
        "finds_the_lowest_room": (fewer, partial(searches, method="lowest_fit")),
        "finds_the_highest_room": (fewer, partial(searches, method="highest_fit")),
        "names_the_lowest_overlap": (gaps, names_the_lowest_overlap),
        "knows_what_is_live": (gaps, knows_what_is_live),
        "adds_and_splits_a_gap": (gaps, adds),
        "removes_and_merges_gaps": (gaps, removes),
    }
    return [
        stated_to(bound, f"{name}_{ending}", partial(state, make=make))
        for ending, (bound, state) in statements.items()
    ]


def stated_to(gaps: int, name: str, state: partial[None]) -> Bounded:
    """Return the theorem that the function states, docstring and all, up to that many gaps."""
    claim = " ".join((state.func.__doc__ or "").split())
    return Bounded(Theorem(name, claim, state.func.__module__, partial(state, gaps=gaps)), gaps)
