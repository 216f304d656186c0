"""Pools as one: the first that has room, and moves between them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import pytest

from vm_allocator import (
    AddressAllocator,
    DeviceNeeds,
    ExactMatch,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    InvalidTypeError,
    LastMatch,
    Need,
    NoPoolsError,
    NoRoomInPoolsError,
    NoSpaceError,
    NotAllocatedError,
    OrderedPools,
    OutOfBoundsError,
    OverlapError,
    PoolsOverlapError,
    RangeInclusive,
    ResourceMap,
    SystemAllocator,
    one_id,
)
from vm_allocator.resource import Unit

HIGH, LOW = GuestAddress(0x1_0000_0000), GuestAddress(0xC000_0000)
PAGE = GuestUsize(0x1000)


def two() -> tuple[AddressAllocator, AddressAllocator]:
    return AddressAllocator(HIGH, GuestUsize(0x2000)), AddressAllocator(LOW, GuestUsize(0x4000))


def test_a_later_pool_helps_out_and_an_earlier_one_is_asked_again() -> None:
    high, low = two()
    mmio = OrderedPools(high, low)
    assert [mmio.allocate(None, PAGE) for _ in range(3)] == [HIGH, HIGH + 0x1000, LOW]
    mmio.free(HIGH, PAGE)
    assert mmio.available(PAGE) == HIGH
    assert mmio.allocate(None, PAGE) == HIGH
    assert (len(high), len(low), len(mmio)) == (2, 1, 3)
    assert [live.start for live in mmio] == [HIGH, HIGH + 0x1000, LOW]


def test_the_policy_is_for_the_place_within_a_pool() -> None:
    mmio = OrderedPools(*two())
    assert mmio.allocate(None, PAGE, policy=LastMatch) == HIGH + 0x1000


def test_a_window_that_misses_the_first_pool_leads_to_the_second() -> None:
    mmio = OrderedPools(*two())
    below = RangeInclusive(GuestAddress(0), GuestAddress(0xFFFF_FFFF))
    assert mmio.allocate(None, PAGE, within=below) == LOW


def test_no_room_names_every_place_that_was_looked_at() -> None:
    mmio = OrderedPools(*two())
    with pytest.raises(NoRoomInPoolsError) as caught:
        mmio.allocate(None, GuestUsize(0x8000), align=0x1000)
    assert isinstance(caught.value, NoSpaceError)
    assert str(caught.value) == (
        "no room for 0x8000 aligned to 0x1000 in any of 0x100000000-0x100001fff, "
        "0xc0000000-0xc0003fff: free something, or ask for less"
    )
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # bytes of our own
    assert (str(again), again.args, again.size) == (str(caught.value), caught.value.args, 0x8000)
    assert mmio.available(GuestUsize(0x8000)) is None


def test_an_exact_start_is_asked_of_its_pool_alone() -> None:
    high, low = two()
    mmio = OrderedPools(high, low)
    assert mmio.allocate(LOW, PAGE) == LOW
    assert mmio.allocate(None, PAGE, policy=ExactMatch(HIGH)) == HIGH
    with pytest.raises(OverlapError):
        mmio.allocate(HIGH, PAGE)
    assert mmio.available(PAGE, policy=ExactMatch(HIGH)) is None
    with pytest.raises(OutOfBoundsError, match="not within the space 0xc0000000-0xc0003fff"):
        mmio.allocate(GuestAddress(0xB000_0000), PAGE)
    assert (len(high), len(low)) == (1, 1)


def test_a_move_between_pools_is_all_or_nothing() -> None:
    high, low = two()
    mmio = OrderedPools(high, low)
    mmio.allocate(LOW, PAGE)
    mmio.update(LOW, PAGE, HIGH, PAGE)
    assert (list(low), list(high)) == ([], [RangeInclusive(HIGH, GuestAddress(HIGH + 0xFFF))])
    low.allocate(LOW, PAGE)
    with pytest.raises(OverlapError):
        mmio.update(HIGH, PAGE, LOW, PAGE)
    with pytest.raises(NotAllocatedError):
        mmio.update(HIGH, GuestUsize(0x800), GuestAddress(LOW + 0x1000), PAGE)
    with pytest.raises(NotAllocatedError):
        mmio.free(GuestAddress(0), PAGE)
    assert (len(high), len(low)) == (1, 1)
    mmio.update(None, None, GuestAddress(HIGH + 0x1000), PAGE)
    assert len(high) == 2


def test_what_is_live_is_looked_up_in_its_pool() -> None:
    high, low = two()
    mmio = OrderedPools(high, low)
    mmio.allocate(LOW, PAGE)
    live = RangeInclusive(LOW, GuestAddress(LOW + 0xFFF))
    assert mmio.lookup(GuestAddress(LOW + 0x10)) == live
    assert mmio.lookup(GuestAddress(0)) is None
    assert (live in mmio, LOW in mmio, HIGH in mmio) == (True, True, False)
    assert (mmio.pool_at(HIGH), mmio.pool_at(LOW), mmio.pool_at(GuestAddress(0))) == (
        high,
        low,
        None,
    )
    assert mmio.pools == (high, low)
    assert repr(mmio) == f"<OrderedPools of {high!r}, {low!r}>"


def test_pools_that_make_no_sense_together_are_refused() -> None:
    high, _ = two()
    nobody: list[AddressAllocator] = []
    with pytest.raises(NoPoolsError, match="pass at least one"):
        OrderedPools(*nobody)
    with pytest.raises(
        PoolsOverlapError, match="overlap: pass pools whose spaces do not"
    ) as caught:
        OrderedPools(high, AddressAllocator(GuestAddress(HIGH + 0x1FFF), PAGE))
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # bytes of our own
    assert str(again) == str(caught.value)
    ids: Any = IdAllocator(Id(0), Id(3))
    with pytest.raises(InvalidTypeError, match="pass one of the kind of"):
        OrderedPools(high, ids)
    nothing: Any = "mmio"
    with pytest.raises(InvalidTypeError, match="pool is 'mmio'"):
        OrderedPools(nothing)
    start: Any = "0x1000"
    with pytest.raises(InvalidTypeError):
        OrderedPools(high).free(start, PAGE)


def test_a_device_holds_a_range_of_the_pool_that_granted_it() -> None:
    @dataclass(frozen=True, eq=False)
    class Board(SystemAllocator):
        slots: IdAllocator
        mmio: OrderedPools[GuestAddress, GuestUsize]
        low: AddressAllocator

    high, low = two()
    board = Board(IdAllocator(Id(0), Id(7)), OrderedPools(high, low), low)
    devices = ResourceMap[int]()
    for device in range(4):
        devices.register(
            device, DeviceNeeds(one_id(board.slots), mmio=[Need(board.mmio, PAGE, align=0x1000)])
        )
    assert [devices[device].mmio[0].pool for device in range(4)] == [high, high, low, low]
    assert [pool.name for pool in board.pools()] == ["slots", "low", "mmio[0]"]
    board.check(devices)
    devices.unregister(3)
    board.check(devices)
    assert Unit.ADDRESS.show_range(HIGH, HIGH + 0xFFF) in board.picture(devices)
