"""Whose ranges are, what the platform holds, and preferred alignments."""

from __future__ import annotations

from typing import Any

import pytest

from vm_allocator import (
    AddressAllocator,
    ConflictingRequestError,
    ExactMatch,
    GuestAddress,
    GuestUsize,
    HeldByPlatformError,
    Hold,
    Id,
    IdAllocator,
    IdCount,
    InvalidAlignmentError,
    InvalidTypeError,
    LastMatch,
    NotAllocatedError,
    NotReservedError,
    NotYoursError,
    OrderedPools,
    OverlapError,
    RangeInclusive,
    transaction,
)

BASE, PAGE = GuestAddress(0xC000_0000), GuestUsize(0x1000)


def mmio() -> AddressAllocator:
    return AddressAllocator(BASE, GuestUsize(0x10_0000))


def at(page: int) -> GuestAddress:
    return GuestAddress(BASE + page * PAGE)


# ---- owners


def test_a_conflict_names_the_owner_of_what_is_in_the_way() -> None:
    bus = mmio()
    bus.allocate(at(1), PAGE, owner="nvme0/BAR2")
    bus.allocate(at(4), PAGE)
    with pytest.raises(OverlapError, match=r"overlaps live .* of nvme0/BAR2: free") as caught:
        bus.allocate(at(1), PAGE)
    assert caught.value.owner == "nvme0/BAR2"
    with pytest.raises(OverlapError, match="of nvme0/BAR2"):
        bus.update(at(4), PAGE, at(1), PAGE)
    with pytest.raises(OverlapError, match=r"overlaps live 0xc0004000-0xc0004fff: free") as caught:
        bus.allocate(at(4), PAGE, owner="nic")
    assert caught.value.owner is None


def test_a_range_stays_whose_it_is_when_it_moves_unless_somebody_else_is_named() -> None:
    bus = mmio()
    bus.allocate(at(0), PAGE, owner="disk")
    bus.update(at(0), PAGE, at(2), PAGE)
    assert (bus.owner_of(at(0)), bus.owner_of(at(2))) == (None, "disk")
    bus.update(at(2), PAGE, at(2), GuestUsize(0x2000), owner="nic")
    assert bus.owner_of(GuestAddress(at(3) + 5)) == "nic"
    with bus.move(at(2), GuestUsize(0x2000), at(8), PAGE) as move:
        assert (move.owner, bus.owner_of(at(8))) == ("nic", "nic")
        move.commit()
    assert bus.owned_by("nic") == [RangeInclusive(at(8), GuestAddress(at(9) - 1))]
    with bus.move(at(8), PAGE, at(10), PAGE, owner="gpu"):
        pass
    assert bus.owner_of(at(8)) == "nic"
    bus.free(at(8), PAGE)
    assert bus.allocate(at(8), PAGE) == at(8)
    assert bus.owner_of(at(8)) is None


def test_owners_change_places_with_their_ranges() -> None:
    bus = mmio()
    for page, owner in enumerate(("disk", "nic", None)):
        bus.allocate(at(page), PAGE, owner=owner)
    pages = [RangeInclusive(at(page), GuestAddress(at(page + 1) - 1)) for page in range(4)]
    bus.update_many(
        [(pages[0], pages[1]), (pages[1], pages[2]), (pages[2], None), (None, pages[3])]
    )
    assert [bus.owner_of(at(page)) for page in range(4)] == [None, "disk", "nic", None]
    with pytest.raises(NotAllocatedError):
        bus.update_many([(pages[1], pages[2]), (pages[0], pages[1])])
    assert [bus.owner_of(at(page)) for page in range(4)] == [None, "disk", "nic", None]


def test_many_are_one_owners_and_ids_have_owners_too() -> None:
    vectors = IdAllocator(Id(32), Id(63))
    assert vectors.allocate_many(3, owner="nic") == [32, 33, 34]
    assert vectors.allocate_block(IdCount(4), owner="disk") == 36
    assert [vectors.owner_of(Id(n)) for n in (31, 32, 34, 35, 39, 64)] == [
        None,
        "nic",
        "nic",
        None,
        "disk",
        None,
    ]


def test_a_roll_back_gives_owners_back() -> None:
    bus = mmio()
    bus.allocate(at(0), PAGE, owner="disk")
    bus.allocate(at(1), PAGE)
    before = bus.copy()
    with pytest.raises(ZeroDivisionError), transaction() as tx:  # noqa: PT012  # undone are all
        tx.free(bus, at(0), PAGE)
        tx.update(bus, at(1), PAGE, at(0), PAGE, owner="nic")
        tx.allocate(bus, at(1), PAGE, owner="gpu")
        raise ZeroDivisionError
    assert bus == before
    assert (bus.owner_of(at(0)), bus.owner_of(at(1))) == ("disk", None)


def test_owners_are_a_part_of_what_is_equal() -> None:
    one, other = mmio(), mmio()
    one.allocate(at(0), PAGE, owner="disk")
    other.allocate(at(0), PAGE)
    assert one != other
    twin = one.copy()
    assert twin == one
    twin.update(at(0), PAGE, at(0), PAGE, owner="nic")
    assert one.owner_of(at(0)) == "disk"
    # A tag at a place where nothing is live any more says nothing.
    one.free(at(0), PAGE)
    other.free(at(0), PAGE)
    assert one == other


@pytest.mark.parametrize("owner", [7, "", b"disk", ("disk",)])
def test_an_owner_is_a_text(owner: Any) -> None:
    bus = mmio()
    for call in (
        lambda: bus.allocate(None, PAGE, owner=owner),
        lambda: bus.allocate_many(2, PAGE, owner=owner),
        lambda: bus.reserve(at(0), PAGE, owner=owner),
    ):
        with pytest.raises(InvalidTypeError, match="owner is"):
            call()
    assert (list(bus), list(bus.reserved())) == ([], [])
    bus.allocate(at(0), PAGE)
    with pytest.raises(InvalidTypeError, match="owner is"):
        bus.update(at(0), PAGE, at(1), PAGE, owner=owner)
    with pytest.raises(InvalidTypeError, match="owner is"):
        bus.move(at(0), PAGE, at(1), PAGE, owner=owner)
    assert [live.start for live in bus] == [at(0)]


def test_whose_a_place_is_that_is_no_place() -> None:
    nothing: Any = "0x1000"
    with pytest.raises(InvalidTypeError):
        mmio().owner_of(nothing)
    assert mmio().owner_of(GuestAddress(0)) is None


# ---- what the platform holds


def test_what_is_reserved_is_granted_to_nobody_and_freed_by_nobody() -> None:
    bus = mmio()
    bus.reserve(at(0), PAGE, owner="ACPI tables")
    assert (list(bus), len(bus), at(0) in bus, bus.lookup(at(0))) == ([], 0, False, None)
    [(found, hold)] = bus.reserved()
    assert isinstance(hold, Hold)
    assert (found, hold.range, hold.owner) == (hold.range, found, "ACPI tables")
    assert bus.allocate(None, PAGE) == at(1)
    with pytest.raises(HeldByPlatformError, match="reserved for ACPI tables: choose") as caught:
        bus.allocate(at(0), PAGE)
    assert isinstance(caught.value, OverlapError)
    for call in (
        lambda: bus.free(at(0), PAGE),
        lambda: bus.update(at(0), PAGE, at(5), PAGE),
        lambda: bus.move(at(0), PAGE, at(5), PAGE),
        lambda: bus.update_many([(found, None)]),
    ):
        with pytest.raises(NotYoursError, match="reserved for ACPI tables"):
            call()
    with pytest.raises(HeldByPlatformError):
        bus.update(at(1), PAGE, at(0), PAGE)
    assert bus.free_size == bus.size - 2 * PAGE


def test_what_is_reserved_is_given_back_on_purpose_and_exactly() -> None:
    bus = mmio()
    bus.reserve(at(0), GuestUsize(0x2000), owner="firmware")
    live = bus.allocate(None, PAGE)
    for start, size in ((at(0), PAGE), (at(1), PAGE), (live, PAGE), (at(0), GuestUsize(0x3000))):
        with pytest.raises(NotReservedError):
            bus.unreserve(start, size)
    bus.unreserve(at(0), GuestUsize(0x2000))
    assert (bus.allocate(None, GuestUsize(0x2000)), list(bus.reserved())) == (at(0), [])
    with pytest.raises(NotReservedError):
        bus.unreserve(at(0), GuestUsize(0x2000))


def test_what_is_taken_cannot_be_reserved() -> None:
    bus = mmio()
    bus.allocate(at(0), PAGE, owner="disk")
    bus.reserve(at(1), PAGE, owner="firmware")
    with pytest.raises(OverlapError, match="of disk"):
        bus.reserve(at(0), PAGE, owner="firmware")
    with pytest.raises(HeldByPlatformError):
        bus.reserve(at(1), PAGE, owner="another firmware")
    assert [hold.owner for _, hold in bus.reserved()] == ["firmware"]


def test_a_copy_has_what_is_reserved_and_gives_it_back_alone() -> None:
    bus = mmio()
    bus.reserve(at(0), PAGE, owner="firmware")
    twin = bus.copy()
    assert twin == bus
    twin.unreserve(at(0), PAGE)
    assert twin != bus
    assert len(list(bus.reserved())) == 1
    twin.reserve(at(0), PAGE, owner="somebody else")
    assert twin != bus


# ---- preferred alignments


def test_a_preferred_alignment_decides_where_and_never_whether() -> None:
    bus = AddressAllocator(GuestAddress(0x1000), GuestUsize(0x3000), 0x1000)
    assert bus.available(PAGE, prefer=0x2000) == 0x2000
    assert bus.allocate(None, PAGE, prefer=0x2000) == 0x2000
    assert bus.allocate(None, PAGE, prefer=0x2000, policy=LastMatch) == 0x3000
    assert bus.allocate(None, PAGE, prefer=0x8000_0000) == 0x1000


def test_a_preference_below_the_minimum_is_none() -> None:
    bus = AddressAllocator(GuestAddress(0x1000), GuestUsize(0x3000), 0x1000)
    assert bus.allocate(None, GuestUsize(0x800), prefer=0x800) == 0x1000
    assert bus.allocate(None, GuestUsize(0x800), prefer=0x800) == 0x2000


def test_a_preference_makes_sense_or_is_refused() -> None:
    bus = mmio()
    with pytest.raises(InvalidAlignmentError):
        bus.allocate(None, PAGE, prefer=3)
    for resource, policy in ((at(0), None), (None, ExactMatch(at(0)))):
        with pytest.raises(ConflictingRequestError, match="leave it out"):
            bus.allocate(resource, PAGE, policy=policy, prefer=0x2000)
    assert len(bus) == 0


def test_pools_in_order_prefer_within_a_pool() -> None:
    high = AddressAllocator(GuestAddress(0x1000), GuestUsize(0x1000), 0x1000)
    low = AddressAllocator(GuestAddress(0x8000), GuestUsize(0x2000), 0x1000)
    pools = OrderedPools(high, low)
    assert pools.available(PAGE, prefer=0x8000) == 0x1000
    assert pools.allocate(None, PAGE, prefer=0x8000, owner="disk") == 0x1000
    assert pools.owner_of(GuestAddress(0x1000)) == "disk"
    pools.update(GuestAddress(0x1000), PAGE, GuestAddress(0x9000), PAGE)
    assert (pools.owner_of(GuestAddress(0x9000)), pools.owner_of(GuestAddress(0))) == ("disk", None)
