"""The concrete reading of sets of ranges, against sets of addresses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from spec.model import U64_MAX, overlaps
from vm_allocator.modelling import FiniteMap, FiniteRanges, Range

SIZE = 16
SHIFTS = (0, 1, 4096, U64_MAX - SIZE + 1)
"""Where the small spaces of these tests begin: the last one ends at 2^64-1."""


def shifted(pairs: list[tuple[int, int]], shift: int) -> list[Range]:
    return [Range(shift + min(pair), shift + max(pair)) for pair in pairs]


ENDS = st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
RANGES = st.builds(shifted, st.lists(ENDS, max_size=6), st.sampled_from(SHIFTS))
derandomized = settings(derandomize=True, max_examples=200, deadline=None, database=None)


def addresses(r: Range) -> set[int]:
    return set(range(r.start, r.end + 1))


def runs(free: set[int]) -> list[Range]:
    """Return the maximal runs of a set of addresses."""
    starts = sorted(address for address in free if address - 1 not in free)
    ends = sorted(address for address in free if address + 1 not in free)
    return [Range(*ends) for ends in zip(starts, ends, strict=True)]


def space_around(members: list[Range], *, before: int, after: int) -> Range:
    low = min((r.start for r in members), default=0)
    high = max((r.end for r in members), default=low + SIZE)
    return Range(low - before, high + after)


@derandomized
@given(members=RANGES, before=st.integers(-4, 3), after=st.integers(-4, 3))
def test_gaps_are_the_maximal_runs_of_addresses_in_no_member(
    members: list[Range], before: int, after: int
) -> None:
    space = space_around(members, before=before, after=after)
    taken = {address for member in members for address in addresses(member)}
    assert list(FiniteRanges(members).gaps(space)) == runs(addresses(space) - taken)


def test_the_gap_of_an_empty_set_is_the_whole_space() -> None:
    everything = Range(0, U64_MAX)
    assert list(FiniteRanges().gaps(everything)) == [everything]
    assert list(FiniteRanges([everything]).gaps(everything)) == []


def test_gaps_at_the_very_end_of_64_bits() -> None:
    space = Range(0, U64_MAX)
    last = FiniteRanges([Range(U64_MAX, U64_MAX)])
    assert list(last.gaps(space)) == [Range(0, U64_MAX - 1)]
    first = FiniteRanges([Range(0, U64_MAX - 1)])
    assert list(first.gaps(space)) == [Range(U64_MAX, U64_MAX)]


@derandomized
@given(members=RANGES)
def test_members_are_sorted_and_each_there_once(members: list[Range]) -> None:
    ranges = FiniteRanges([*members, *members])
    assert list(ranges) == sorted(set(members))
    assert len(ranges) == len(set(members))
    assert all(member in ranges for member in members)


@derandomized
@given(members=RANGES, limit=st.integers(1, 8))
def test_all_and_all_pairs_look_at_every_member_and_every_two(
    members: list[Range], limit: int
) -> None:
    ranges = FiniteRanges(members)

    def short(r: Range) -> bool:
        return r.end - r.start + 1 <= limit

    assert ranges.all(short) == all(short(member) for member in members)
    meeting = {(one, other) for one in members for other in members if overlaps(one, other)}
    assert ranges.all_pairs(lambda one, other: one == other or not overlaps(one, other)) == all(
        one == other for one, other in meeting
    )
    seen: list[frozenset[Range]] = []

    def note(one: Range, other: Range) -> bool:
        seen.append(frozenset((one, other)))
        return True

    assert ranges.all_pairs(note)
    assert set(seen) == {frozenset((one, other)) for one in members for other in members}


@derandomized
@given(members=RANGES, limit=st.integers(1, 8))
def test_lowest_and_highest_are_the_ends_of_those_that_qualify(
    members: list[Range], limit: int
) -> None:
    ranges = FiniteRanges(members)

    def long_enough(r: Range) -> bool:
        return r.end - r.start + 1 >= limit

    starts = [member.start for member in members if long_enough(member)]
    lowest, highest = ranges.lowest(long_enough), ranges.highest(long_enough)
    assert (lowest is None) == (highest is None) == (not starts)
    if lowest is not None and highest is not None:
        assert lowest in ranges
        assert highest in ranges
        assert long_enough(lowest)
        assert long_enough(highest)
        assert (lowest.start, highest.start) == (min(starts), max(starts))


@derandomized
@given(members=RANGES, pair=ENDS)
def test_with_range_and_without_change_that_member_alone(
    members: list[Range], pair: tuple[int, int]
) -> None:
    ranges, member = FiniteRanges(members), Range(min(pair), max(pair))
    assert set(ranges.with_range(member)) == {*members, member}
    assert set(ranges.without(member)) == {*members} - {member}
    assert set(ranges) == set(members)


@derandomized
@given(one=RANGES, other=RANGES)
def test_two_sets_are_the_same_when_their_members_are(one: list[Range], other: list[Range]) -> None:
    assert FiniteRanges(one).same_as(FiniteRanges(reversed(one)))
    assert FiniteRanges(one).same_as(FiniteRanges(other)) == (set(one) == set(other))


def test_a_map_is_one_where_nothing_was_put() -> None:
    empty = FiniteMap()
    changed = empty.put(U64_MAX, 4096)
    assert [changed.at(key) for key in (0, U64_MAX)] == [1, 4096]
    assert empty.at(U64_MAX) == 1
    assert changed.put(U64_MAX, 2).at(U64_MAX) == 2


def test_a_set_and_a_map_show_their_contents() -> None:
    assert repr(FiniteRanges([Range(16, 31), Range(0, 1)])) == "{0x0-0x1, 0x10-0x1f}"
    assert repr(FiniteMap({1: 2})) == "{1: 2}"
