"""`_check` finds damage: each invariant is broken by hand, and named in the message."""

from collections.abc import Callable

import pytest

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
from vm_allocator.errors import BrokenInvariantError
from vm_allocator.gaps import SortedGaps

from .builders import space


def _index() -> SortedGaps:
    """Live 0x10-0x1f of 0x0-0x3f."""
    index = SortedGaps(0, 0x3F)
    index.add(0x10, 0x1F)
    index._check()
    return index


def _turned_around(index: SortedGaps) -> None:
    index._live.put(0x10, 0xF)


def _base_lost(index: SortedGaps) -> None:
    index._gaps.delete(0)
    index._gaps.put(1, 0xF)


def _last_lost(index: SortedGaps) -> None:
    index._gaps.put(0x20, 0x3E)


def _overlap(index: SortedGaps) -> None:
    index._gaps.put(0, 0x10)


def _hole(index: SortedGaps) -> None:
    index._gaps.put(0, 0xE)


def _live_overlap(index: SortedGaps) -> None:
    index._live.put(0x18, 0x1F)


def _gaps_touch(index: SortedGaps) -> None:
    index._gaps.put(0, 7)
    index._gaps.put(8, 0xF)


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        (_turned_around, "every piece is well formed"),
        (_base_lost, "the pieces start at the base"),
        (_last_lost, "the pieces end at the last"),
        (_overlap, "no two pieces overlap, and nothing lies between them"),
        (_hole, "no two pieces overlap, and nothing lies between them"),
        (_live_overlap, "no two pieces overlap, and nothing lies between them"),
        (_gaps_touch, "no two gaps touch"),
    ],
)
def test_a_damaged_index_is_noticed_and_the_invariant_named(
    damage: Callable[[SortedGaps], None], invariant: str
) -> None:
    index = _index()
    damage(index)
    with pytest.raises(BrokenInvariantError) as caught:
        index._check()
    assert f"broken invariant: {invariant};" in str(caught.value)
    assert f"live {index._live}, gaps {index._gaps}" in str(caught.value)


def test_an_index_that_lost_everything_is_noticed() -> None:
    index = SortedGaps(0, 0x3F)
    index._gaps.delete(0)
    with pytest.raises(BrokenInvariantError, match="the pieces start at the base"):
        index._check()


class _Miscounts(SortedGaps):
    def __len__(self) -> int:
        return 7


class _KnowsNothingOfTheSpace(SortedGaps):
    def _check(self) -> None:
        """Leave the space to the allocator's own half of the check."""


def _wrong_space(allocator: AddressAllocator) -> None:
    allocator._last = 1 << 64


def _wrong_alignment(allocator: AddressAllocator) -> None:
    allocator._align = 3


def _wrong_index(allocator: AddressAllocator) -> None:
    allocator._index = _index()
    _gaps_touch(allocator._index)


def _wrong_count(allocator: AddressAllocator) -> None:
    allocator._index = _Miscounts(0, 0x3F)


def _wrong_bounds(allocator: AddressAllocator) -> None:
    allocator._index = _KnowsNothingOfTheSpace(0, 0x7F)
    allocator._index.add(0x40, 0x4F)


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        (_wrong_space, "the space exists"),
        (_wrong_alignment, "the alignment is a power of two"),
        (_wrong_index, "no two gaps touch"),
        (_wrong_count, "live ranges are counted"),
        (_wrong_bounds, "live ranges lie in the space"),
    ],
)
def test_a_damaged_allocator_is_noticed_and_the_invariant_named(
    damage: Callable[[AddressAllocator], None], invariant: str
) -> None:
    allocator = space(0, 0x40)
    allocator.allocate(GuestAddress(0x10), GuestUsize(0x10))
    allocator._check()
    damage(allocator)
    with pytest.raises(BrokenInvariantError, match=f"broken invariant: {invariant};"):
        allocator._check()
