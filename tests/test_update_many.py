"""Many changes at once: swaps, chains, overlaps, frees and allocations; or nothing at all."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from vm_allocator import (
    AddressAllocator,
    ConflictingRequestError,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    InvalidAlignmentError,
    InvalidTypeError,
    MisalignedError,
    NotAllocatedError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
    RangeInclusive,
)
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap
from vm_allocator.lockstep import Lockstep
from vm_allocator.resource import U64_MAX
from vm_allocator.undo import UndoLog

from .builders import addresses, space

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.gaps import GapIndex

INDEXES = (SortedGaps, GapTree, IdBitmap)
every_index = pytest.mark.parametrize("index", INDEXES)


def filled(*live: tuple[int, int], index: Any = None) -> AddressAllocator:
    """Return the addresses 0 to 63 with these live ranges."""
    mmio = AddressAllocator(GuestAddress(0), GuestUsize(64), index=index)
    mmio.update_many([(None, addresses(*one)) for one in live])
    return mmio


def live_in(mmio: AddressAllocator) -> list[tuple[int, int]]:
    mmio._check()
    return [(one.start, one.end) for one in mmio]


@every_index
def test_two_live_ranges_are_swapped(index: Callable[[int, int], GapIndex]) -> None:
    mmio = filled((0, 3), (8, 15), index=index)
    mmio.update_many([(addresses(0, 3), addresses(12, 15)), (addresses(8, 15), addresses(0, 7))])
    assert live_in(mmio) == [(0, 7), (12, 15)]


@every_index
def test_a_chain_moves_up_by_one_place_each(index: Callable[[int, int], GapIndex]) -> None:
    mmio = filled((0, 3), (4, 7), (8, 11), index=index)
    mmio.update_many([(addresses(at, at + 3), addresses(at + 4, at + 7)) for at in (0, 4, 8)])
    assert live_in(mmio) == [(4, 7), (8, 11), (12, 15)]


def test_frees_and_allocations_are_changes_too() -> None:
    mmio = filled((0, 3), (4, 7))
    mmio.update_many(
        [
            (addresses(0, 3), None),
            (None, addresses(2, 3)),
            (addresses(4, 7), addresses(5, 20)),
        ]
    )
    assert live_in(mmio) == [(2, 3), (5, 20)]


def test_no_change_and_a_change_into_itself_leave_everything_as_it_is() -> None:
    mmio = filled((0, 3))
    mmio.update_many([])
    mmio.update_many(iter([(addresses(0, 3), addresses(0, 3))]))
    assert live_in(mmio) == [(0, 3)]


def test_everything_can_become_one_range_and_back() -> None:
    whole = AddressAllocator(GuestAddress(0), GuestUsize(1 << 64))
    halves = [addresses(0, U64_MAX >> 1), addresses((U64_MAX >> 1) + 1, U64_MAX)]
    whole.update_many([(None, half) for half in halves])
    whole.update_many([(halves[0], addresses(0, U64_MAX)), (halves[1], None)])
    assert list(whole) == [addresses(0, U64_MAX)]
    whole.update_many([(addresses(0, U64_MAX), halves[1]), (None, halves[0])])
    assert list(whole) == halves


REFUSED: dict[str, tuple[type[Exception], list[Any], dict[str, Any], str]] = {
    "an old range that is not live": (
        NotAllocatedError,
        [(addresses(0, 3), None), (addresses(8, 9), None)],
        {},
        "0x8-0x9 is not a live range: pass exactly what was allocated",
    ),
    "an old range named twice": (
        NotAllocatedError,
        [(addresses(0, 3), None), (addresses(0, 3), addresses(8, 11))],
        {},
        "0x0-0x3 is not a live range: pass exactly what was allocated",
    ),
    "a live range in the way that is not old": (
        OverlapError,
        [(addresses(0, 3), addresses(6, 9))],
        {},
        "0x6-0x9 overlaps live 0x4-0x7: free that first or choose another range",
    ),
    "two new ranges that meet": (
        OverlapError,
        [(addresses(0, 3), addresses(8, 11)), (addresses(4, 7), addresses(11, 14))],
        {},
        "0xb-0xe overlaps live 0x8-0xb: free that first or choose another range",
    ),
    "out of the space": (
        OutOfBoundsError,
        [(addresses(0, 3), addresses(4, 7)), (addresses(4, 7), addresses(60, 64))],
        {},
        "0x3c-0x40 is not within the space 0x0-0x3f: choose a range inside it",
    ),
    "out of the window": (
        OutsideWindowError,
        [(addresses(0, 3), addresses(32, 35)), (addresses(4, 7), addresses(36, 39))],
        {"within": addresses(32, 38)},
        "0x24-0x27 is not within the window 0x20-0x26: widen it or move the range",
    ),
    "misaligned": (
        MisalignedError,
        [(addresses(0, 3), addresses(32, 35)), (addresses(4, 7), addresses(38, 41))],
        {"align": 4},
        "0x26-0x29 does not start at a multiple of 0x4: pass an aligned start",
    ),
    "an alignment that is none, before anything else": (
        InvalidAlignmentError,
        [(addresses(8, 9), None)],
        {"align": 3},
        "alignment 0x3 is not possible: pass a power of two, 1 to 0x8000000000000000",
    ),
    "a change of nothing into nothing": (
        ConflictingRequestError,
        [(addresses(0, 3), None), (None, None)],
        {},
        "a change from None to None is none: leave it out",
    ),
    "no pair": (
        InvalidTypeError,
        [(addresses(0, 3), None), addresses(4, 7)],
        {},
        "change is RangeInclusive(4, 7), a RangeInclusive: pass a tuple (old, new)",
    ),
    "three of them": (
        InvalidTypeError,
        [(None, None, None)],
        {},
        "change is (None, None, None), a tuple: pass a tuple (old, new)",
    ),
    "no range": (
        InvalidTypeError,
        [(addresses(0, 3), 8)],
        {},
        "new is 8, a int: pass a RangeInclusive, or None",
    ),
}


@every_index
@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_names_what_is_wrong_and_changes_nothing(
    what: str, index: Callable[[int, int], GapIndex]
) -> None:
    error, changes, options, words = REFUSED[what]
    mmio = filled((0, 3), (4, 7), index=index)
    before = mmio.copy()
    with pytest.raises(error) as caught:
        mmio.update_many(changes, **options)
    assert str(caught.value) == words
    assert mmio == before
    mmio._check()


def test_ids_are_changed_likewise() -> None:
    irqs = IdAllocator(Id(5), Id(23))
    one, other = (RangeInclusive(irq, irq) for irq in irqs.allocate_many(2))
    irqs.update_many([(one, other), (other, RangeInclusive(Id(20), Id(23)))])
    assert list(irqs) == [other, RangeInclusive(Id(20), Id(23))]
    beyond: Any = RangeInclusive(0, 1 << 40)
    with pytest.raises(OutOfBoundsError):
        irqs.update_many([(None, beyond)])


class InterruptedIndex(SortedGaps):
    """Somebody presses Ctrl-C before the second addition."""

    additions = 0

    def add(self, start: int, end: int) -> None:
        self.additions += 1
        if self.additions == 4:
            raise KeyboardInterrupt
        super().add(start, end)


def test_an_interrupt_between_two_steps_undoes_those_before_it() -> None:
    mmio = filled((0, 3), (4, 7), index=InterruptedIndex)
    with pytest.raises(KeyboardInterrupt):
        mmio.update_many([(addresses(0, 3), addresses(4, 7)), (addresses(4, 7), addresses(0, 3))])
    assert live_in(mmio) == [(0, 3), (4, 7)]


def test_a_step_that_fails_is_not_logged() -> None:
    index = InterruptedIndex(0, 9)
    index.additions = 2
    log = UndoLog(index)
    log.add(0, 3)
    with pytest.raises(KeyboardInterrupt):
        log.add(4, 5)
    log.undo()
    assert list(index.live()) == []


@every_index
@pytest.mark.parametrize("seed", range(3))
def test_dozens_of_ranges_are_shuffled_as_the_model_says(
    index: Callable[[int, int], GapIndex], seed: int
) -> None:
    chance = Random(seed)  # noqa: S311  # seeded examples
    both = Lockstep(AddressAllocator(GuestAddress(0), GuestUsize(4096), index=index))
    both.allocate_many(60, GuestUsize(8), align=16)
    for _ in range(3):
        old = list(both.allocator)
        new = list(old)
        chance.shuffle(new)
        outcome = both.update_many([*zip(old, new, strict=True)])
        assert outcome.refusal is None
        assert both.update_many([*zip(old, new, strict=True), (None, old[7])]).refusal == "overlap"


def test_a_swap_of_the_whole_of_a_space_needs_no_room() -> None:
    mmio = space(0, 16)
    mmio.update_many([(None, addresses(0, 7)), (None, addresses(8, 15))])
    mmio.update_many([(addresses(0, 7), addresses(8, 15)), (addresses(8, 15), addresses(0, 7))])
    assert mmio.free_size == 0
