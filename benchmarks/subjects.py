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
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap

from .workloads import BASE, IDS, LAST, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vm_allocator.gaps import GapIndex

    Factory = Callable[[int, int], GapIndex]


class Subject:
    """The calls; sizes are in bytes or ids, ends are inclusive."""

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

    by_end: tuple[Callable[[int, int], object], Callable[[int, int], object]] | None = None
    """The calls that `exact` and `free` wrap, where these take (start, end)."""

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


class Index(Subject):
    """A gap index alone, called as an allocator calls it once the request has been found good."""

    def __init__(self, kind: Factory) -> None:
        index = kind(BASE, LAST)
        add, remove, lowest_fit = index.add, index.remove, index.lowest_fit

        def first_fit(size: int, *, align: int) -> int:
            start = lowest_fit(size - 1, align, BASE, LAST)
            if start is None:
                raise LookupError("no room")
            add(start, start + size - 1)
            return start

        self.load = self.exact = lambda start, size: add(start, start + size - 1)
        self.free = lambda start, size: remove(start, start + size - 1)
        self.by_end = (add, remove)
        self.first_fit = first_fit
        self.lookup = lambda place: index.overlapping(place, place)
        self.iterate = index.live


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
    "GapTree": partial(Addresses, GapTree),
    "GapTree index": partial(Index, GapTree),
    "SortedGaps": partial(Addresses, SortedGaps),
    "SortedDict pair": SortedDictPair,
    "portion": Portion,
    "intervaltree": IntervalTreePair,
}

ID_SUBJECTS: Final[dict[str, Callable[[], Subject]]] = {
    "ids by IdBitmap": partial(Ids, IdBitmap),
    "ids by GapTree": partial(Ids, GapTree),
    "ids by SortedGaps": partial(Ids, SortedGaps),
}

SUBJECTS: Final = {**ADDRESS_SUBJECTS, **ID_SUBJECTS}

OURS: Final = frozenset({"GapTree", "GapTree index", "SortedGaps", *ID_SUBJECTS})
"""The subjects of this package: what a label of another build names."""
