"""What the lockstep with the reference index does not see: how far a search goes, and building."""

from __future__ import annotations

from typing import Any

import pytest

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, gap_search
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.resource import U64_MAX

SMALL = {"capacity": 4}


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The nodes that searches for the lowest fit have visited."""
    seen: list[object] = []
    search = gap_search.lowest

    def watched(node: Any, asked: Any) -> int | None:
        seen.append(node)
        return search(node, asked)

    for module in ("gap_search", "gap_tree"):
        monkeypatch.setattr(f"vm_allocator.{module}.lowest", watched)
    return seen


def holes(size: int, offset: int, count: int = 200) -> GapTree:
    """A tree with that many holes, `offset` beyond the multiples of 16, and nothing else free."""
    starts = [16 * number + offset for number in range(count)]
    ends = [start - 1 for start in starts[1:]] + [16 * count - 1]
    live = [(start + size, end) for start, end in zip(starts, ends, strict=True)]
    head = [(0, offset - 1)] if offset else []
    return GapTree.from_live(0, 16 * count - 1, [*head, *live], **SMALL)


@pytest.mark.parametrize(
    ("size", "offset", "span", "align"),
    [
        (4, 0, 4, 1),  # too small
        (8, 4, 7, 8),  # large enough, and no aligned block in any
        (2, 1, 0, 4),  # no aligned address in any
        (4, 0, 3, 32),  # an alignment that half of the holes have: found at once
    ],
)
def test_a_search_of_a_fresh_tree_looks_nowhere_in_vain(
    visits: list[object], size: int, offset: int, span: int, align: int
) -> None:
    tree = holes(size, offset)
    height = len(tree._path(0)[0])
    assert height >= 4
    tree.lowest_fit(span, align, 0, tree._last)
    assert len(visits) <= 1 + height


def test_a_search_in_vain_spares_the_next_one(visits: list[object]) -> None:
    tree = holes(9, 1)
    # No measure tells that 9 units from 1 mod 16 have no room for 8 at a multiple of 4.
    assert tree.lowest_fit(7, 4, 0, tree._last) is None
    assert len(visits) > 200 // 4
    visits.clear()
    assert tree.lowest_fit(7, 4, 0, tree._last) is None
    assert len(visits) == 1


def test_a_search_looks_nowhere_in_vain_after_many_changes(visits: list[object]) -> None:
    tree = holes(4, 0)
    for start in range(0, 200 * 16, 16):
        tree.add(start, start + 3)
        visits.clear()
        tree.lowest_fit(3, 4, 0, tree._last)
        assert len(visits) <= 1 + len(tree._path(0)[0])
    visits.clear()
    assert tree.lowest_fit(3, 4, 0, tree._last) is None
    assert len(visits) == 1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 40, 500])
def test_built_at_once_or_one_by_one_it_is_the_same(count: int) -> None:
    ranges = [(3 * number, 3 * number + number % 3) for number in range(count)]
    built = GapTree.from_live(0, 2000, ranges, **SMALL)
    grown = GapTree(0, 2000, **SMALL)
    for start, end in ranges:
        grown.add(start, end)
    for tree in (built, grown):
        tree._check()
        assert list(tree.live()) == ranges
    assert list(built.gaps()) == list(grown.gaps())
    assert len(built) == len(grown) == count


def test_the_whole_of_2_to_the_64_is_one_space() -> None:
    tree = GapTree(0, U64_MAX)
    assert tree.highest_fit(0, 1, 0, U64_MAX) == U64_MAX
    assert tree.lowest_fit(U64_MAX, 1, 0, U64_MAX) == 0
    tree.add(0, U64_MAX)
    assert tree.lowest_fit(0, 1, 0, U64_MAX) is None
    assert tree.overlapping(U64_MAX, U64_MAX) == (0, U64_MAX)
    tree.remove(0, U64_MAX)
    assert list(tree.gaps()) == [(0, U64_MAX)]


def test_an_allocator_takes_the_index_that_it_is_given() -> None:
    base, size = GuestAddress(0), GuestUsize(64)
    assert isinstance(AddressAllocator(base, size)._index, GapTree)
    simple = AddressAllocator(base, size, index=SortedGaps)
    assert isinstance(simple._index, SortedGaps)
    assert simple == AddressAllocator(base, size)
