"""The shipped allocators in any state, beside the model in the same state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import vm_allocator.address
import vm_allocator.holds
import vm_allocator.ids
import vm_allocator.moves
import vm_allocator.placement
import vm_allocator.requests
from spec.contract import IndexContract
from spec.model import MAX_ALIGNMENT, U64_MAX, Allocator, Request
from spec.proofs.cases import AllocatorCase, any_request
from spec.proofs.runs import SomeStarts
from spec.proofs.summaries import READING, standing_in
from vm_allocator.errors import AllocatorError
from vm_allocator.modelling import Outcome, Range, is_power_of_two
from vm_allocator.ranges import RangeInclusive
from vm_allocator.resource import Unit
from vm_allocator.symbolic.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from vm_allocator.address import RangeAllocator

T = TypeVar("T")

GIVEN: Final = "given"
LEFT_OUT: Final = "left out"


@dataclass(frozen=True)
class Shipped:
    """The modules under proof: the real ones, or mutated copies of them."""

    address: ModuleType = vm_allocator.address
    ids: ModuleType = vm_allocator.ids
    requests: ModuleType = vm_allocator.requests
    placement: ModuleType = vm_allocator.placement
    holds: ModuleType = vm_allocator.holds
    moves: ModuleType = vm_allocator.moves

    def kind(self, unit: Unit) -> Any:
        """Return the class that ships for addresses, or for ids."""
        return self.address.AddressAllocator if unit is Unit.ADDRESS else self.ids.IdAllocator


class Named:
    """What a `dict` promises whose keys are ints, or pairs of them, by their equality: no hash."""

    def __init__(self) -> None:
        self._items: list[tuple[Any, Any]] = []

    def __len__(self) -> int:
        return len(self._items)

    def __setitem__(self, key: object, value: object) -> None:
        self.pop(key, None)
        self._items.append((key, value))

    def get(self, key: object) -> Any:
        """Return what the key stands for, if it is there."""
        return next((value for known, value in self._items if _same(known, key)), None)

    def pop(self, key: object, default: object = None) -> None:
        """Take the key away, if it is there."""
        del default
        self._items = [item for item in self._items if not _same(item[0], key)]

    def keys(self) -> list[Any]:
        """Return the keys."""
        return [key for key, _ in self._items]

    def __getitem__(self, key: object) -> Any:
        return self.get(key)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return bool(one[0] == other[0] and one[1] == other[1])
    return bool(one == other)


class WatchedIndex:
    """The contract, asked with words of the code under proof, and answering with such."""

    def __init__(self, index: IndexContract, word: Callable[[int], int]) -> None:
        self._index = index
        self._word = word
        self._found: tuple[object, int, Allocator] = ((), 0, index.state)

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Ask the contract."""
        start = self._index.lowest_fit(plain(span), plain(align), plain(first), plain(last))
        return None if start is None else self._word(start)

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Ask the contract."""
        start = self._index.highest_fit(plain(span), plain(align), plain(first), plain(last))
        return None if start is None else self._word(start)

    def lowest_fits(
        self, count: int, span: int, align: int, first: int, last: int
    ) -> Sequence[int]:
        """Ask the contract, and remember what it was that it found."""
        request = (plain(count), plain(span), plain(align), plain(first), plain(last))
        return self._remember(self._index.lowest_fits(*request), plain(span))

    def highest_fits(
        self, count: int, span: int, align: int, first: int, last: int
    ) -> Sequence[int]:
        """Ask the contract, and remember what it was that it found."""
        request = (plain(count), plain(span), plain(align), plain(first), plain(last))
        return self._remember(self._index.highest_fits(*request), plain(span))

    def _remember(self, starts: Sequence[int], span: int) -> Sequence[int]:
        self._found = (starts, span, self._index.state)
        return starts

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        """Ask the contract."""
        found = self._index.overlapping(plain(start), plain(end))
        return None if found is None else (self._word(found[0]), self._word(found[1]))

    def is_live(self, start: int, end: int) -> bool:
        """Ask the contract."""
        return self._index.is_live(plain(start), plain(end))

    def add(self, start: int, end: int) -> None:
        """Tell the contract."""
        self._index.add(plain(start), plain(end))

    def add_all(self, starts: Sequence[int] | SomeStarts, span: int) -> None:
        """Tell the contract.

        Starts that nobody has listed can only be those that were found, in the state in which
        they were: the run that found them has made the ranges live, one by one.
        """
        if not isinstance(starts, SomeStarts):
            self._index.add_all(starts, plain(span))
            return
        found, found_span, state = self._found
        self._index._demand(starts is found)
        self._index._demand(plain(span) == found_span)
        self._index._demand(self._index.state.live.same_as(state.live))
        self._index.state = starts.after

    def remove(self, start: int, end: int) -> None:
        """Tell the contract."""
        self._index.remove(plain(start), plain(end))


@dataclass(frozen=True)
class Subject:
    """A shipped allocator, the contract below it, and the model in the same state."""

    before: Allocator
    allocator: RangeAllocator[Any, Any]
    index: IndexContract
    word: Callable[[int], Any]
    """Makes an argument of a number; a watched one is assumed to be a 64-bit number."""
    size: Callable[[int], Any]
    """Makes a size of a number; a watched one may also be 2^64, the size of everything."""

    def unchanged(self) -> bool:
        """Whether the live ranges are those of the state before."""
        return self.index.state.live.same_as(self.before.live)

    def agrees(
        self, case: AllocatorCase, expected: Outcome[Allocator], call: Callable[[], int | None]
    ) -> None:
        """Claim that the call does what the model did."""
        granted, refusal = outcome_of(call)
        case.claim(refusal == expected.refusal)
        if granted is not None and expected.granted is not None:
            case.claim(plain(granted) == expected.granted.start)
        case.claim(self.index.state.live.same_as(expected.after.live))


def outcome_of(call: Callable[[], T]) -> tuple[T | None, str | None]:
    """Return what a call of the shipped code granted, or the reason of its refusal."""
    try:
        return call(), None
    except AllocatorError as error:
        return None, error.refusal
    except Exception as error:  # noqa: BLE001  # a crash is an outcome: the model has none such
        return None, f"crash: {type(error).__name__}: {error}"


def any_subject(case: AllocatorCase, shipped: Shipped, unit: Unit, *, watched: bool) -> Subject:
    """Return an allocator in any state that its constructor and its operations can lead to."""
    before = case.state()
    case.assume(before.top == unit.top)
    default = case.number("alignment", like=(1, 2))
    case.assume(1 <= default <= MAX_ALIGNMENT and is_power_of_two(default))
    word: Callable[[int], int] = partial(_watched, case, U64_MAX) if watched else _as_it_is
    size: Callable[[int], int] = partial(_watched, case, U64_MAX + 1) if watched else _as_it_is
    index = IndexContract(before, case.claim)
    kind = shipped.kind(unit)
    allocator = kind.__new__(kind)
    shipped.address.RangeAllocator.__init__(
        allocator,
        unit,
        word(before.base),
        word(before.last),
        word(default),
        WatchedIndex(index, word),
    )
    vars(allocator).update(_pending=Named(), _owners=Named())
    return Subject(before, allocator, index, word, size)


def any_options(
    case: AllocatorCase, subject: Subject, ways: tuple[str, ...] = (GIVEN, LEFT_OUT)
) -> tuple[Request, dict[str, Any]]:
    """Return a request, and the keyword arguments that say it: each given, or left out."""
    request = any_request(case, subject.before)
    align, window = request.align, request.window
    options: dict[str, Any] = {}
    if case.one_of("align", ways) == GIVEN:
        options["align"] = subject.word(align)
    else:
        align = plain(subject.allocator.alignment)
    if case.one_of("within", ways) == GIVEN:
        # What RangeInclusive itself guarantees of every window.
        case.assume(0 <= window.start <= window.end)
        options["within"] = range_of(subject.word(window.start), subject.word(window.end))
    else:
        window = Range(subject.before.base, subject.before.last)
    return Request(request.size, align, window), options


def reading(case: AllocatorCase, shipped: Shipped, **more: Callable[..., Any]) -> Any:
    """Return the context in which the shipped code is run: with summaries where it is symbolic."""
    summaries = {**READING, **more} if case.is_symbolic else more
    modules = (shipped.address, shipped.ids, shipped.requests, shipped.placement)
    return standing_in(summaries, *modules, shipped.holds, shipped.moves)


def range_of(start: int, end: int) -> RangeInclusive[Any]:
    """Make a range without its own checks, which were assumed."""
    made: RangeInclusive[Any] = RangeInclusive.__new__(RangeInclusive)
    object.__setattr__(made, "start", start)
    object.__setattr__(made, "end", end)
    return made


def _watched(case: AllocatorCase, limit: int, value: int) -> int:
    case.assume(0 <= value <= limit)
    return case.word(value)


def _as_it_is(value: int) -> int:
    return value
