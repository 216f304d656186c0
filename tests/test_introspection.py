import copy

import pytest

from vm_allocator import (
    AddressAllocator,
    ExactMatch,
    GuestAddress,
    GuestUsize,
    Id,
    IdCount,
    InvalidAlignmentError,
    InvalidSizeError,
    LastMatch,
    NoSpaceError,
    NotAllocatedError,
    OutsideWindowError,
    RangeInclusive,
)
from vm_allocator.resource import U64_MAX

from .builders import DemandingGaps, addresses, ids, space


@pytest.fixture
def used() -> AddressAllocator:
    """Live 0x10-0x1f and 0x30-0x37 of 0x0-0x3f."""
    allocator = space(0, 0x40)
    allocator.allocate(GuestAddress(0x30), GuestUsize(8))
    allocator.allocate(GuestAddress(0x10), GuestUsize(0x10))
    return allocator


def test_live_ranges_and_gaps_come_in_order(used: AddressAllocator) -> None:
    assert list(used) == [addresses(0x10, 0x1F), addresses(0x30, 0x37)]
    assert list(used.gaps()) == [addresses(0, 0xF), addresses(0x20, 0x2F), addresses(0x38, 0x3F)]


def test_figures_add_up(used: AddressAllocator) -> None:
    assert (len(used), used.size) == (2, 0x40)
    assert (used.live_size, used.free_size, used.largest_gap) == (0x18, 0x28, 0x10)
    assert (used.base, used.last, used.space) == (0, 0x3F, addresses(0, 0x3F))


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (0xF, None),
        (0x10, (0x10, 0x1F)),
        (0x1F, (0x10, 0x1F)),
        (0x20, None),
        (0x37, (0x30, 0x37)),
        (0x38, None),
        (-1, None),
        (1 << 64, None),
    ],
)
def test_lookup_finds_the_range_that_an_address_lies_in(
    used: AddressAllocator, address: int, found: tuple[int, int] | None
) -> None:
    expected = None if found is None else addresses(*found)
    assert used.lookup(GuestAddress(address)) == expected
    assert (GuestAddress(address) in used) == (found is not None)


def test_a_range_is_in_an_allocator_if_exactly_it_is_live(used: AddressAllocator) -> None:
    assert addresses(0x10, 0x1F) in used
    assert addresses(0x10, 0x1E) not in used
    assert addresses(0x11, 0x1F) not in used
    assert addresses(0x0, 0xF) not in used


@pytest.mark.parametrize("address", [-1, 0, 0xF, 0x50, 0x51, U64_MAX, 1 << 64])
def test_what_lies_outside_of_the_space_is_answered_without_asking_the_index(address: int) -> None:
    allocator = space(0x10, 0x40)
    allocator._index = DemandingGaps(0x10, 0x4F)
    allocator.allocate(None, GuestUsize(0x40))
    with pytest.raises(AssertionError, match="outside the contract"):
        allocator._index.overlapping(address, address)
    assert allocator.lookup(GuestAddress(address)) is None
    assert GuestAddress(address) not in allocator
    with pytest.raises(NotAllocatedError):
        allocator.free(GuestAddress(address), GuestUsize(1))


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0xF), (0xF, 0x10), (0, U64_MAX), (0x4F, 0x50), (0x50, 0x50), (0, 1 << 70)],
)
def test_a_range_that_leaves_the_space_is_not_in_it(start: int, end: int) -> None:
    allocator = space(0x10, 0x40)
    allocator._index = DemandingGaps(0x10, 0x4F)
    assert addresses(start, end) not in allocator


def test_a_full_space_has_no_gap() -> None:
    full = space(0, 16)
    full.allocate(None, GuestUsize(16))
    assert (list(full.gaps()), full.largest_gap, full.free_size) == ([], 0, 0)


def test_available_says_what_allocate_will_do_and_changes_nothing(used: AddressAllocator) -> None:
    before = used.copy()
    size = GuestUsize(8)
    assert used.available(size) == 0
    assert used.available(size, align=0x20) == 0
    assert used.available(size, policy=LastMatch) == 0x38
    assert used.available(size, within=addresses(0x10, 0x37)) == 0x20
    assert used.available(size, policy=ExactMatch(GuestAddress(0x28))) == 0x28
    assert used.available(size, policy=ExactMatch(GuestAddress(0x18))) is None
    assert used.available(GuestUsize(0x11)) is None
    assert used.available(size, within=addresses(0x40, 0x80)) is None
    assert used == before


def test_available_refuses_what_makes_no_sense(used: AddressAllocator) -> None:
    with pytest.raises(InvalidSizeError):
        used.available(GuestUsize(0))
    with pytest.raises(InvalidAlignmentError):
        used.available(GuestUsize(1), align=3)


def test_a_window_beside_the_space_is_told_as_it_is() -> None:
    with pytest.raises(NoSpaceError) as caught:
        space(0, 0x40).allocate(None, GuestUsize(1), within=addresses(0x80, 0x8F))
    assert "within 0x80-0x8f" in str(caught.value)
    with pytest.raises(OutsideWindowError, match="is not within the window 0x30-0x8f"):
        space(0, 0x40).allocate(GuestAddress(0), GuestUsize(1), within=addresses(0x30, 0x8F))


def test_the_repr_says_space_use_and_room(used: AddressAllocator) -> None:
    assert (
        repr(used)
        == "<AddressAllocator 0x0-0x3f alignment=0x1: 2 live, 0x28 free, largest gap 0x10>"
    )
    assert repr(ids(5, 23)) == "<IdAllocator 5-23 alignment=1: 0 live, 19 free, largest gap 19>"


def test_equality_is_of_space_alignment_and_live_ranges(used: AddressAllocator) -> None:
    other = space(0, 0x40)
    assert used != other
    other.allocate(GuestAddress(0x10), GuestUsize(0x10))
    other.allocate(GuestAddress(0x30), GuestUsize(8))
    assert used == other  # whatever the order was
    assert space(0, 0x40) != space(0, 0x41)
    assert space(0, 0x40) != space(0, 0x40, 2)
    assert space(0, 0x40) != ids(0, 0x3F)
    assert space(0, 0x40) != "a space"


def test_allocators_are_not_hashable() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(space(0, 1))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, AddressAllocator.copy])
def test_a_copy_is_equal_and_independent(used: AddressAllocator, duplicate: object) -> None:
    assert callable(duplicate)
    twin = duplicate(used)
    assert twin == used
    twin.free(GuestAddress(0x10), GuestUsize(0x10))
    assert len(used) == 2
    used.allocate(None, GuestUsize(1))
    assert len(twin) == 1
    twin._check()
    used._check()


def test_the_whole_of_2_to_64_is_a_space() -> None:
    whole = space(0, 1 << 64)
    assert (whole.size, whole.last, whole.largest_gap) == (1 << 64, U64_MAX, 1 << 64)
    assert whole.allocate(None, GuestUsize(1 << 64)) == 0
    assert list(whole) == [addresses(0, U64_MAX)]
    assert whole.lookup(GuestAddress(U64_MAX)) == addresses(0, U64_MAX)
    whole.free(GuestAddress(0), GuestUsize(1 << 64))
    assert whole.allocate(None, GuestUsize(1), policy=LastMatch) == U64_MAX
    assert whole.allocate(None, GuestUsize(1), align=1 << 63, policy=LastMatch) == 1 << 63
    whole._check()


@pytest.mark.parametrize("address", [0, 1, 0x1000, U64_MAX - 1, U64_MAX])
def test_one_address_is_a_space(address: int) -> None:
    one = space(address, 1)
    assert one.allocate(None, GuestUsize(1)) == address
    with pytest.raises(NoSpaceError):
        one.allocate(None, GuestUsize(1))
    one.free(GuestAddress(address), GuestUsize(1))
    assert one.available(GuestUsize(1)) == address


def test_a_space_may_end_at_the_last_address() -> None:
    end = space(U64_MAX - 0xFFF, 0x1000)
    assert end.allocate(None, GuestUsize(0x10), policy=LastMatch) == U64_MAX - 0xF
    end.update(
        GuestAddress(U64_MAX - 0xF),
        GuestUsize(0x10),
        GuestAddress(U64_MAX - 0x1F),
        GuestUsize(0x20),
    )
    assert list(end) == [addresses(U64_MAX - 0x1F, U64_MAX)]
    end.free(GuestAddress(U64_MAX - 0x1F), GuestUsize(0x20))
    assert list(end.gaps()) == [end.space]


def test_ids_come_one_at_a_time_unless_told_otherwise() -> None:
    irqs = ids(5, 23)
    assert [irqs.allocate(None), irqs.allocate(None, IdCount(2))] == [5, 6]
    irqs.free(Id(5))
    assert list(irqs) == [RangeInclusive(Id(6), Id(7))]
    assert irqs.allocate_block(IdCount(4), policy=LastMatch) == 20
    assert irqs.allocate_block(IdCount(4), within=RangeInclusive(Id(9), Id(15))) == 12
    with pytest.raises(InvalidAlignmentError):
        irqs.allocate_block(IdCount(3))
