"""Moves in two phases: reserved from the start, and then the one range or the other."""

from __future__ import annotations

import pickle
from copy import copy
from typing import TYPE_CHECKING, Any

import pytest

from vm_allocator import (
    AddressAllocator,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    Move,
    MoveEndedError,
    MovePendingError,
    NoSpaceError,
    NotAllocatedError,
    OverlapError,
    RangeInclusive,
    ReservedError,
)
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap

from .builders import addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.gaps import GapIndex

INDEXES = (SortedGaps, GapTree, IdBitmap)
every_index = pytest.mark.parametrize("index", INDEXES)
FOUR = GuestUsize(4)


def filled(index: Callable[[int, int], GapIndex] | None = None) -> AddressAllocator:
    """Return the addresses 0 to 31, of which 8 to 11 are live."""
    mmio = AddressAllocator(GuestAddress(0), GuestUsize(32), index=index)
    mmio.allocate(GuestAddress(8), FOUR)
    return mmio


def begin(mmio: AddressAllocator, old: int, new: int, size: int = 4, owner: str = "") -> Move[Any]:
    return mmio.move(
        GuestAddress(old), FOUR, GuestAddress(new), GuestUsize(size), owner=owner or None
    )


def pieces(mmio: AddressAllocator) -> tuple[list[Any], list[Any], int]:
    """Return what is live, what is reserved, and how much is free."""
    mmio._check()
    return list(mmio), [one for one, _ in mmio.reserved()], mmio.free_size


@every_index
@pytest.mark.parametrize(
    ("new", "size", "reserved"),
    [
        (16, 4, [(8, 11), (16, 19)]),  # elsewhere
        (0, 4, [(0, 3), (8, 11)]),
        (12, 4, [(8, 11), (12, 15)]),  # next to it
        (10, 4, [(8, 11), (12, 13)]),  # by half its size
        (6, 4, [(6, 7), (8, 11)]),
        (6, 8, [(6, 7), (8, 11), (12, 13)]),  # around it
        (9, 2, [(8, 11)]),  # within it
        (8, 4, [(8, 11)]),  # nowhere
    ],
)
def test_both_ranges_are_reserved_until_the_move_ends(
    index: Callable[[int, int], GapIndex], new: int, size: int, reserved: list[tuple[int, int]]
) -> None:
    for commit in (True, False):
        mmio = filled(index)
        before = mmio.copy()
        with begin(mmio, 8, new, size) as move:
            assert list(mmio.moves()) == [move]
            assert pieces(mmio)[:2] == ([], [addresses(*one) for one in reserved])
            assert len(mmio) == 0
            assert mmio.lookup(GuestAddress(8)) is None
            assert addresses(8, 11) not in mmio
            taken = {at for low, high in reserved for at in range(low, high + 1)}
            assert mmio.free_size == 32 - len(taken)
            for at in range(32):
                found = mmio.available(GuestUsize(1), within=addresses(at, at))
                assert (found is None) == (at in taken)
            if commit:
                move.commit()
        assert list(mmio.moves()) == []
        assert pieces(mmio)[1] == []
        if commit:
            assert list(mmio) == [addresses(new, new + size - 1)]
        else:
            assert mmio == before


def test_an_exception_puts_everything_back_and_goes_on() -> None:
    mmio = filled()
    with pytest.raises(RuntimeError, match="KVM said no"), begin(mmio, 8, 16):
        raise RuntimeError("KVM said no")
    assert pieces(mmio) == ([addresses(8, 11)], [], 28)


def test_an_exception_after_the_commit_does_not_undo_it() -> None:
    mmio = filled()

    def commit_and_fail() -> None:
        with begin(mmio, 8, 16) as move:
            move.commit()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        commit_and_fail()
    assert list(mmio) == [addresses(16, 19)]


def test_what_a_move_holds_is_refused_by_name() -> None:
    mmio = filled()
    move = begin(mmio, 8, 14, owner="nvme0/BAR2")
    calls: list[Callable[[], object]] = [
        lambda: mmio.free(GuestAddress(8), FOUR),
        lambda: mmio.free(GuestAddress(14), FOUR),
        lambda: mmio.update(GuestAddress(8), FOUR, GuestAddress(20), FOUR),
        lambda: mmio.update_many([(addresses(8, 11), None)]),
        lambda: begin(mmio, 8, 20),
        lambda: begin(mmio, 14, 20),
    ]
    for call in calls:
        with pytest.raises(MovePendingError) as caught:
            call()
        assert (caught.value.move_old, caught.value.move_new) == ((8, 11), (14, 17))
        assert caught.value.owner == "nvme0/BAR2"
    assert str(caught.value) == (
        "0xe-0x11 is held by the pending move of nvme0/BAR2 from 0x8-0xb to 0xe-0x11: "
        "commit or abort that first"
    )
    with pytest.raises(NotAllocatedError):
        mmio.free(GuestAddress(8), GuestUsize(2))
    with pytest.raises(ReservedError) as conflict:
        mmio.allocate(GuestAddress(16), FOUR)
    assert isinstance(conflict.value, OverlapError)
    assert (conflict.value.conflict_start, conflict.value.conflict_end) == (14, 17)
    assert str(conflict.value) == (
        "0x10-0x13 overlaps reserved 0xe-0x11 of the pending move of nvme0/BAR2 from 0x8-0xb to "
        "0xe-0x11: choose another range, or wait until that move has ended"
    )
    for error in (caught.value, conflict.value):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # our own
    move.abort()
    mmio.free(GuestAddress(8), FOUR)


def test_a_move_ends_once() -> None:
    mmio = filled()
    move = begin(mmio, 8, 16)
    move.commit()
    for again in (move.commit, move.abort):
        with pytest.raises(MoveEndedError, match=r"^this move was committed before: begin another"):
            again()
    with begin(mmio, 16, 8) as other:
        other.abort()
    with pytest.raises(MoveEndedError, match="aborted before"):
        other.commit()
    assert list(mmio) == [addresses(16, 19)]


def test_moves_of_different_ranges_nest_and_end_in_any_order() -> None:
    mmio = filled()
    mmio.allocate(GuestAddress(0), FOUR)
    with begin(mmio, 8, 16, owner="first") as first, begin(mmio, 0, 4, owner="second") as second:
        assert [move.owner for move in mmio.moves()] == ["first", "second"]
        assert [(one, move.owner) for one, move in mmio.reserved()] == [
            (addresses(0, 3), "second"),
            (addresses(4, 7), "second"),
            (addresses(8, 11), "first"),
            (addresses(16, 19), "first"),
        ]
        with pytest.raises(ReservedError):
            mmio.allocate(GuestAddress(4), FOUR)
        first.commit()
        mmio.allocate(GuestAddress(8), FOUR)
        second.commit()
    assert list(mmio) == [addresses(4, 7), addresses(8, 11), addresses(16, 19)]


def test_a_refused_move_reserves_nothing() -> None:
    mmio = filled()
    mmio.allocate(GuestAddress(20), FOUR)
    before = mmio.copy()
    with pytest.raises(OverlapError):
        begin(mmio, 8, 18)
    assert mmio == before
    assert list(mmio.moves()) == []


def test_a_full_space_has_room_for_a_move_within_it() -> None:
    whole = AddressAllocator(GuestAddress(0), GuestUsize(1 << 64))
    half = GuestUsize(1 << 63)
    whole.allocate(GuestAddress(0), half)
    with whole.move(GuestAddress(0), half, GuestAddress(1 << 63), half) as move:
        with pytest.raises(NoSpaceError):
            whole.allocate(None, GuestUsize(1))
        move.commit()
    assert whole.lookup(GuestAddress(0)) is None


def test_a_copy_has_the_pending_moves_and_ends_them_by_itself() -> None:
    mmio = filled()
    move = begin(mmio, 8, 10, owner="net0")
    twin = copy(mmio)
    assert twin == mmio
    (of_twin,) = twin.moves()
    assert of_twin is not move
    assert (of_twin.old, of_twin.new, of_twin.owner) == (move.old, move.new, "net0")
    of_twin.commit()
    assert list(twin) == [addresses(10, 13)]
    assert twin != mmio
    move.abort()
    assert pieces(mmio) == ([addresses(8, 11)], [], 28)


def test_equality_tells_reserved_from_live_and_one_owner_from_another() -> None:
    one, other = filled(), filled()
    begin(one, 8, 16, owner="a")
    begin(other, 8, 16, owner="b")
    assert one != other
    live = filled()
    live.allocate(GuestAddress(16), FOUR)
    assert one != live


def test_ids_are_moved_likewise() -> None:
    irqs = IdAllocator(Id(5), Id(23))
    irq = irqs.allocate(None)
    with irqs.move(irq, IdCount(1), Id(7), IdCount(2), owner="rtc") as move:
        assert irqs.allocate_many(2) == [6, 9]
        assert repr(move) == "<Move of rtc from 5 to 7-8: pending>"
        move.commit()
    assert repr(move) == "<Move of rtc from 5 to 7-8: committed>"
    assert RangeInclusive(Id(7), Id(8)) in irqs


class InterruptedGaps(SortedGaps):
    """Somebody presses Ctrl-C at one of the changes."""

    changes_left = 1 << 30

    def add(self, start: int, end: int) -> None:
        self._count()
        super().add(start, end)

    def remove(self, start: int, end: int) -> None:
        self._count()
        super().remove(start, end)

    def _count(self) -> None:
        self.changes_left -= 1
        if self.changes_left == -1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("end", ["commit", "abort"])
def test_an_interrupt_between_two_steps_leaves_the_move_as_it_was(after: int, end: str) -> None:
    mmio = filled(InterruptedGaps)
    index: Any = mmio._index
    index.changes_left = after
    try:
        move = begin(mmio, 8, 6, 8)
        getattr(move, end)()
    except KeyboardInterrupt:
        index.changes_left = 1 << 30
        mmio._check()
        for pending in mmio.moves():
            assert pieces(mmio)[1] == [addresses(6, 7), addresses(8, 11), addresses(12, 13)]
            pending.abort()
        assert pieces(mmio) == ([addresses(8, 11)], [], 28)
    else:
        assert pieces(mmio)[1] == []
