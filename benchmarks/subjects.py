"""What is measured in Python: each subject answers the same few calls.

A subject says what it can do by what it has: a call that is `None` is one that it does not
offer. The calls are bound methods of the measured objects themselves wherever their own
signature allows it, so that no wrapper is measured with them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sortedcontainers import SortedDict

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator

from .indexes import ID_INDEXES, INDEXES
from .workloads import BASE, IDS, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .indexes import Factory


class Subject:
    """The calls; sizes are in bytes or ids, ends exclusive nowhere."""

    load: Callable[[int, int], object]
    """Take up a live range, (start, size)."""
    free: Callable[[int, int], object]
    """Free a live range, (start, size)."""
    first_fit: Callable[..., int] | None = None
    """Allocate (size, align=...) at the lowest place; return its start."""
    exact: Callable[[int, int], object] | None = None
    """Allocate (start, size) exactly there."""
    lookup: Callable[[int], Any] | None = None
    """Return the live range at an address."""
    iterate: Callable[[], Iterable[object]] | None = None
    """Iterate over the live ranges, in order."""

    refits = True
    """Whether churn looks for room. Otherwise it puts back what it has freed."""


class Addresses(Subject):
    """Our `AddressAllocator` over some index."""

    def __init__(self, index: Factory) -> None:
        allocator: Any = AddressAllocator(GuestAddress(BASE), GuestUsize(SPACE), index=index)
        self.load = self.exact = allocator.allocate
        self.first_fit = partial(allocator.allocate, None)
        self.free = allocator.free
        self.lookup = allocator.lookup
        self.iterate = allocator.__iter__


class Ids(Subject):
    """Our `IdAllocator` over some index."""

    def __init__(self, index: Factory) -> None:
        allocator: Any = IdAllocator(Id(0), Id(IDS - 1), index=index)
        self.load = self.exact = allocator.allocate
        self.first_fit = partial(allocator.allocate, None)
        self.free = allocator.free


class SortedDictPair(Subject):
    """An insertion and a deletion in a `SortedDict`, and nothing else: the practical limit."""

    refits = False

    def __init__(self) -> None:
        items: Any = SortedDict()
        self.load = self.exact = items.__setitem__
        self.free = items.pop


class Portion(Subject):
    """An allocator as one would write it on `portion`: the free space as a union of intervals."""

    def __init__(self) -> None:
        import portion  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped; a rival

        self._interval = portion.closedopen
        self._free = portion.closedopen(BASE, BASE + SPACE)
        self.load = self.exact = self._take
        self.free = self._give
        self.first_fit = self._first_fit

    def _take(self, start: int, size: int) -> None:
        self._free -= self._interval(start, start + size)

    def _give(self, start: int, size: int) -> None:
        self._free |= self._interval(start, start + size)

    def _first_fit(self, size: int, *, align: int) -> int:
        for gap in self._free:
            start: int = -(-gap.lower // align) * align
            if start + size <= gap.upper:
                self._take(start, size)
                return start
        raise LookupError("no room")


class IntervalTreePair(Subject):
    """An allocator as one would write it on `intervaltree`: the live ranges in a tree."""

    def __init__(self) -> None:
        from intervaltree import IntervalTree  # type: ignore[import-untyped]  # noqa: PLC0415  # untyped; a rival

        self._live = IntervalTree()
        self.load = self.exact = self._take
        self.free = self._give
        self.first_fit = self._first_fit
        self.lookup = self._live.__getitem__
        self.iterate = lambda: sorted(self._live)

    def _take(self, start: int, size: int) -> None:
        if self._live.overlaps(start, start + size):
            raise LookupError("taken")
        self._live.addi(start, start + size)

    def _give(self, start: int, size: int) -> None:
        self._live.removei(start, start + size)

    def _first_fit(self, size: int, *, align: int) -> int:
        cursor = BASE
        for live in sorted(self._live):
            start = -(-cursor // align) * align
            if start + size <= live.begin:
                break
            cursor = live.end
        start = -(-cursor // align) * align
        self._live.addi(start, start + size)
        return start


ADDRESS_SUBJECTS: Final[dict[str, Callable[[], Subject]]] = {
    **{name: partial(Addresses, index) for name, index in INDEXES.items()},
    "SortedDict pair": SortedDictPair,
    "portion": Portion,
    "intervaltree": IntervalTreePair,
}

ID_SUBJECTS: Final[dict[str, Callable[[], Subject]]] = {
    f"ids by {name}": partial(Ids, index) for name, index in ID_INDEXES.items()
}

SUBJECTS: Final = {**ADDRESS_SUBJECTS, **ID_SUBJECTS}
