import pickle

import pytest

from vm_allocator import (
    ExactMatch,
    FirstMatch,
    InvalidRangeError,
    LastMatch,
    RangeInclusive,
)
from vm_allocator.resource import U64_MAX


@pytest.mark.parametrize(("start", "end", "size"), [(0, 0, 1), (5, 23, 19), (0, U64_MAX, 1 << 64)])
def test_a_range_has_both_its_ends(start: int, end: int, size: int) -> None:
    r = RangeInclusive(start, end)
    assert r.size == size
    assert start in r
    assert end in r
    assert start - 1 not in r
    assert end + 1 not in r


@pytest.mark.parametrize(("start", "end"), [(1, 0), (-1, 0), (-2, -1)])
def test_a_range_that_is_empty_or_below_0_is_refused(start: int, end: int) -> None:
    with pytest.raises(InvalidRangeError, match=f"range {start}-{end} is empty") as caught:
        RangeInclusive(start, end)
    assert (caught.value.start, caught.value.end) == (start, end)


@pytest.mark.parametrize(
    ("start", "end", "overlap"),
    [(0, 3, False), (0, 4, True), (5, 6, True), (0, 99, True), (8, 9, True), (9, 9, False)],
)
def test_ranges_overlap_if_they_share_a_value(start: int, end: int, *, overlap: bool) -> None:
    four_to_eight = RangeInclusive(4, 8)
    assert four_to_eight.overlaps(RangeInclusive(start, end)) is overlap
    assert RangeInclusive(start, end).overlaps(four_to_eight) is overlap


@pytest.mark.parametrize("r", [RangeInclusive(1, 2), RangeInclusive(0xFEC0_0000, 0xFEC0_0FFF)])
def test_the_repr_of_a_range_is_read_back(r: RangeInclusive[int]) -> None:
    assert eval(repr(r)) == r  # noqa: S307  # what a repr is for
    assert pickle.loads(pickle.dumps(r)) == r  # noqa: S301  # our own bytes
    assert len({r, eval(repr(r))}) == 1  # noqa: S307


def test_large_ranges_are_shown_in_hex() -> None:
    assert repr(RangeInclusive(5, 0xFFFF)) == "RangeInclusive(5, 65535)"
    assert repr(RangeInclusive(5, 0x1_0000)) == "RangeInclusive(0x5, 0x10000)"


def test_policies_are_values() -> None:
    assert repr(FirstMatch) == "FirstMatch"
    assert repr(LastMatch) == "LastMatch"
    assert ExactMatch(5) == ExactMatch(5) != ExactMatch(6)
    for policy in (FirstMatch, LastMatch, ExactMatch(5)):
        assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301  # our own bytes
