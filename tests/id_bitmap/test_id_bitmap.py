"""The bitmap of ids: what it costs, what it notices, and that it is what ids come from."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from vm_allocator import Id, IdAllocator, IdCount
from vm_allocator.errors import BrokenInvariantError
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap
from vm_allocator.id_bits import Chunk
from vm_allocator.resource import U32_MAX

from .workout import TINY, looks

if TYPE_CHECKING:
    from collections.abc import Callable


def _bytes_of(build: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        made = build()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        del made


def _dense(count: int) -> IdBitmap:
    index = IdBitmap(0, U32_MAX)
    for place in range(count):
        index.add(place, place)
    return index


def test_ids_come_from_a_bitmap_if_it_is_asked_for() -> None:
    assert isinstance(IdAllocator(Id(0), Id(9))._index, SortedGaps)
    other = IdAllocator(Id(3), Id(9), index=IdBitmap)
    assert isinstance(other._index, IdBitmap)
    assert other.allocate(None) == 3


def test_dense_ids_take_less_than_a_byte_each() -> None:
    assert _bytes_of(lambda: _dense(100_000)) < 100_000


def test_a_range_takes_the_same_whatever_its_size() -> None:
    def whole() -> IdBitmap:
        index = IdBitmap(0, U32_MAX)
        index.add(1, U32_MAX - 1)
        return index

    assert _bytes_of(whole) < 20_000
    index = whole()
    index._check()
    assert index.is_live(1, U32_MAX - 1)
    assert list(index.gaps()) == [(0, 0), (U32_MAX, U32_MAX)]
    index.remove(1, U32_MAX - 1)
    assert list(index.gaps()) == [(0, U32_MAX)]


def test_the_lowest_of_many_chunks_is_found_in_a_few_looks() -> None:
    index = _dense(200_000)
    index.lowest_fit(0, 1, 0, U32_MAX)
    index.remove(131_000, 131_000)
    assert looks(index, "lowest_fit", 0, 1, 0, U32_MAX) <= 10
    assert index.lowest_fit(0, 1, 0, U32_MAX) == 131_000
    assert index.highest_fit(0, 1, 0, 199_999) == 131_000


def test_blocks_are_aligned_across_chunks() -> None:
    ids = IdAllocator(Id(33), Id(U32_MAX))
    starts = [ids.allocate_block(IdCount(1 << power)) for power in (5, 11, 0, 12, 5)]
    assert starts == [64, 2048, 33, 4096, 96]
    ids._check()


def _index() -> IdBitmap:
    """Return 4-19 live, with the start and the end in different chunks, and 24 beside it."""
    index = IdBitmap(0, 63, **TINY)
    index.add(4, 19)
    index.add(24, 24)
    index._check()
    return index


def _stray_bit(index: IdBitmap) -> None:
    index._chunks[index._number(4)].starts |= 1 << 7


def _end_lost(index: IdBitmap) -> None:
    index._chunks[index._number(19)].ends = 0
    index._drop(index._number(19))


def _sentinel_lost(index: IdBitmap) -> None:
    index._last = 60


def _empty_chunk(index: IdBitmap) -> None:
    index._chunks[index._number(40)] = Chunk(0, 0)
    index._summary.insert(index._number(40))


def _miscounted(index: IdBitmap) -> None:
    index._count += 1


def _unknown_chunk(index: IdBitmap) -> None:
    index._summary.delete(index._number(19))


def _false_highest(index: IdBitmap) -> None:
    index._summary._highest -= 1


def _low_bound(index: IdBitmap) -> None:
    index._summary.lower_bound(index._number(24), 1, 38)


def _group_of_nobody(index: IdBitmap) -> None:
    group = index._summary._levels[0][0]
    index._summary._levels[0][12] = type(group)(0, 0, {1: [0, 0]})


def _closed(index: IdBitmap) -> None:
    index._summary._levels[0][index._number(24) >> 1].open = 0


def _ghost(index: IdBitmap) -> None:
    number = index._number(24)
    index._summary.raise_bounds(number ^ 1, 0, 3)


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        (_stray_bit, "no bit lies outside its chunk"),
        (_end_lost, "starts and ends take turns"),
        (_sentinel_lost, "the ids beside the space are live, and none beyond"),
        (_empty_chunk, "no chunk is empty"),
        (_miscounted, "live ranges are counted"),
        (_unknown_chunk, "the members of the groups are those that exist"),
        (_false_highest, "no chunk lies between the highest and the top"),
        (_low_bound, "no bound is below the room of a gap"),
        (_group_of_nobody, "no group is empty"),
        (_closed, "open are those with a bound for alignment 1"),
        (_ghost, "what does not exist has no room"),
    ],
)
def test_a_damaged_bitmap_is_noticed_and_the_invariant_named(
    damage: Callable[[IdBitmap], None], invariant: str
) -> None:
    index = _index()
    damage(index)
    with pytest.raises(BrokenInvariantError, match=f"broken invariant: {invariant};"):
        index._check()
