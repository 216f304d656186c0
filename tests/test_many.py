"""Many ranges at once: what one by one would be granted, or nothing; on every index."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from spec.model import MAX_COUNT as MAX_COUNT_OF_THE_MODEL
from spec.model import Allocator, Request
from vm_allocator import (
    AddressAllocator,
    ConflictingRequestError,
    ExactMatch,
    FirstMatch,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    InvalidAlignmentError,
    InvalidCountError,
    InvalidSizeError,
    InvalidTypeError,
    LastMatch,
    NoSpaceError,
)
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap
from vm_allocator.modelling import Range, Step, repeat, require
from vm_allocator.resource import MAX_COUNT, U32_MAX, U64_MAX

from .builders import addresses, ids, space

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.gaps import GapIndex

INDEXES = (SortedGaps, GapTree, IdBitmap)
every_index = pytest.mark.parametrize("index", INDEXES)


def test_many_are_granted_in_the_order_of_single_calls() -> None:
    mmio = space(0x1000, 0x10000, 0x1000)
    mmio.allocate(GuestAddress(0x3000), GuestUsize(0x1000))
    assert mmio.allocate_many(3, GuestUsize(0x800)) == [0x1000, 0x2000, 0x4000]
    highest = mmio.allocate_many(2, GuestUsize(0x1000), policy=LastMatch)
    assert highest == [0x10000, 0xF000]
    within = addresses(0x8000, 0xBFFF)
    assert mmio.allocate_many(2, GuestUsize(1), align=0x2000, within=within) == [0x8000, 0xA000]


def test_many_ids_are_one_unit_each_unless_told_otherwise() -> None:
    irqs = ids(5, 23)
    assert irqs.allocate_many(3) == [5, 6, 7]
    assert irqs.allocate_many(2, IdCount(4), align=4) == [8, 12]


@every_index
def test_a_refusal_says_how_many_fit_and_changes_nothing(
    index: Callable[[int, int], GapIndex],
) -> None:
    vectors = IdAllocator(Id(32), Id(47), index=index)
    vectors.allocate(Id(40))
    before = vectors.copy()
    for policy in (FirstMatch, LastMatch, None):
        with pytest.raises(NoSpaceError) as caught:
            vectors.allocate_many(5, IdCount(4), align=2, policy=policy)
        assert (caught.value.count, caught.value.fitting) == (5, 3)
        assert str(caught.value) == (
            "no room for 5 times 4 aligned to 2 within 32-47, only for 3 of them: "
            "free something, or ask for fewer"
        )
        assert vectors == before
        vectors._check()


def test_a_window_that_misses_the_space_has_room_for_none() -> None:
    with pytest.raises(NoSpaceError) as caught:
        space(0, 16).allocate_many(2, GuestUsize(1), within=addresses(16, 31))
    assert (caught.value.count, caught.value.fitting) == (2, 0)


def test_one_that_does_not_fit_is_refused_in_the_words_of_a_single_call() -> None:
    with pytest.raises(NoSpaceError, match=r"^no room for 0x2 aligned to 0x1 within 0x0: "):
        space(0, 1).allocate_many(1, GuestUsize(2))


@pytest.mark.parametrize("count", [0, -1, MAX_COUNT + 1, 1 << 64])
def test_a_count_below_one_or_beyond_a_list_is_refused_at_once(count: int) -> None:
    with pytest.raises(InvalidCountError, match=r"pass a count of 1 to 1048576$") as caught:
        space(0, U64_MAX + 1).allocate_many(count, GuestUsize(1))
    assert caught.value.count == count


def test_the_model_and_the_allocators_agree_how_many_a_call_may_grant() -> None:
    assert MAX_COUNT == MAX_COUNT_OF_THE_MODEL


@pytest.mark.parametrize("index", [GapTree, IdBitmap])
def test_the_largest_count_is_granted(index: Callable[[int, int], GapIndex]) -> None:
    everything = IdAllocator(Id(0), Id(U32_MAX), index=index)
    starts = everything.allocate_many(MAX_COUNT, IdCount(3), policy=LastMatch)
    assert starts == list(range(U32_MAX - 2, U32_MAX - 3 * MAX_COUNT, -3))
    assert len(everything) == MAX_COUNT
    assert everything.allocate(None, policy=LastMatch) == U32_MAX - 3 * MAX_COUNT


def test_what_makes_no_sense_is_told_apart() -> None:
    mmio, one = space(0, 16), GuestUsize(1)
    bad: Any = "3"
    calls: tuple[tuple[type[Exception], Callable[[], object]], ...] = (
        (InvalidTypeError, lambda: mmio.allocate_many(bad, one)),
        (InvalidTypeError, lambda: mmio.allocate_many(1, one, policy=bad)),
        (InvalidSizeError, lambda: mmio.allocate_many(1, GuestUsize(0))),
        (InvalidAlignmentError, lambda: mmio.allocate_many(1, one, align=3)),
    )
    for error, call in calls:
        with pytest.raises(error):
            call()
    exactly = ExactMatch(GuestAddress(0))
    says = r"^ExactMatch\(start=0\) is one start, for one range: pass FirstMatch or LastMatch$"
    with pytest.raises(ConflictingRequestError, match=says):
        mmio.allocate_many(1, one, policy=exactly)
    assert len(mmio) == 0


@every_index
@pytest.mark.parametrize("seed", range(20))
def test_many_are_as_many_single_calls(index: Callable[[int, int], GapIndex], seed: int) -> None:
    chance = Random(seed)  # noqa: S311  # seeded examples
    at_once = IdAllocator(Id(3), Id(2400), index=index)
    for _ in range(12):
        one_by_one = at_once.copy()
        size, count = IdCount(chance.choice((1, 1, 2, 3, 7))), chance.choice((1, 2, 9, 70))
        options: dict[str, Any] = {
            "align": chance.choice((1, 1, 2, 8)),
            "policy": chance.choice((FirstMatch, LastMatch)),
        }
        starts: list[Id] = []
        while len(starts) < count and one_by_one.available(size, **options) is not None:
            starts += [one_by_one.allocate(None, size, **options)]
        if len(starts) < count:
            with pytest.raises(NoSpaceError) as caught:
                at_once.allocate_many(count, size, **options)
            assert caught.value.fitting == len(starts)
            continue
        assert at_once.allocate_many(count, size, **options) == starts
        assert at_once == one_by_one
        at_once._check()
        for live in chance.sample(list(at_once), len(at_once) // 3):
            at_once.free(live.start, IdCount(live.size))


@pytest.mark.parametrize("policy", [FirstMatch, LastMatch])
def test_both_ends_of_all_addresses_are_reached(policy: Any) -> None:
    for index in (SortedGaps, GapTree):
        whole = AddressAllocator(GuestAddress(0), GuestUsize(1 << 64), index=index)
        halves = [0, 1 << 63] if policy is FirstMatch else [1 << 63, 0]
        assert whole.allocate_many(2, GuestUsize(1 << 63), policy=policy) == halves
        whole._check()


def test_a_run_ends_with_its_times_or_before_a_refusal() -> None:
    space_of_ten = Allocator.initial(U64_MAX, 0, 9)

    def take(state: Allocator) -> Step[Allocator]:
        require(len(state.live) < 3, "enough")  # type: ignore[arg-type]  # a finite set
        start = 2 * len(state.live)  # type: ignore[arg-type]  # likewise
        return state._grant(Request(1, 1, Range(0, 9)), start)

    assert repeat(0, space_of_ten, take) == (space_of_ten, 0, [])
    two = repeat(2, space_of_ten, take)
    assert (two.times, two.starts) == (2, [0, 2])
    assert list(two.after.live) == [Range(0, 0), Range(2, 2)]  # type: ignore[call-overload]  # finite
    more = repeat(9, space_of_ten, take)
    assert (more.times, more.starts) == (3, [0, 2, 4])
