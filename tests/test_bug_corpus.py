"""Traces that broke released allocators, played on ours beside the specification.

The rows are those of the newest release of the crate `vm-allocator` (0.1.4), then two of
older ones. `Lockstep` compares every outcome and every state with the model; the
assertions say what the outcome is.
"""

from vm_allocator import (
    AddressAllocator,
    ExactMatch,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    RangeInclusive,
)
from vm_allocator.lockstep import Lockstep
from vm_allocator.modelling import Outcome, Range
from vm_allocator.resource import U64_MAX


class Addresses:
    """An `AddressAllocator` in lockstep that takes plain ints: brevity for the rows below."""

    def __init__(self, base: int, size: int) -> None:
        self.lockstep = Lockstep(AddressAllocator(GuestAddress(base), GuestUsize(size)))

    def allocate(self, size: int, exact: int | None = None, align: int = 1) -> str | int:
        policy = None if exact is None else ExactMatch(GuestAddress(exact))
        return _said(self.lockstep.allocate(None, GuestUsize(size), align=align, policy=policy))

    def free(self, start: int, size: int) -> str | int:
        return _said(self.lockstep.free(GuestAddress(start), GuestUsize(size)))

    @property
    def live(self) -> list[tuple[int, int]]:
        return [(r.start, r.end) for r in self.lockstep.allocator]


def _said(outcome: Outcome) -> str | int:  # type: ignore[type-arg]  # of whichever model
    if outcome.refusal is not None:
        return outcome.refusal
    return "done" if outcome.granted is None else outcome.granted.start


def test_row_1_exact_match_looks_inside_live_ranges() -> None:
    space = Addresses(0x1000, 0x1000)
    assert space.allocate(0x800, exact=0x1000) == 0x1000
    assert space.allocate(0x10, exact=0x1000) == "overlap"
    assert space.allocate(0x800, exact=0x1000) == "overlap"
    assert space.free(0x1000, 0x800) == "done"
    assert space.live == []


def test_row_2_a_range_is_freed_once_and_only_if_it_was_allocated() -> None:
    space = Addresses(0x1000, 0x1000)
    assert [space.allocate(0x10) for _ in range(3)] == [0x1000, 0x1010, 0x1020]
    assert space.free(0x1010, 0x10) == "done"
    assert space.free(0x1010, 0x10) == "not-allocated"
    assert Addresses(0x1000, 0x1000).free(0x1000, 0x1000) == "not-allocated"


def test_row_3_a_space_that_starts_at_1_gets_its_first_range_back() -> None:
    space = Addresses(1, 16)
    assert space.allocate(4) == 1
    assert space.free(1, 4) == "done"
    assert space.allocate(16) == 1


def test_row_4_a_space_that_ends_at_2_to_64_minus_2_gets_its_last_range_back() -> None:
    space = Addresses(U64_MAX - 16, 16)
    assert space.lockstep.allocator.last == U64_MAX - 1
    assert space.allocate(4, exact=U64_MAX - 4) == U64_MAX - 4
    assert space.free(U64_MAX - 4, 4) == "done"
    assert space.allocate(16) == U64_MAX - 16


def test_row_5_freed_ranges_of_size_1_are_joined() -> None:
    space = Addresses(0, 4)
    assert [space.allocate(1) for _ in range(4)] == [0, 1, 2, 3]
    assert [space.free(start, 1) for start in (0, 2, 1, 3)] == ["done"] * 4
    assert space.allocate(4) == 0


def test_row_6_the_last_address_can_be_asked_for() -> None:
    assert Addresses(0x1000, 0x1000).allocate(1, exact=0x1FFF) == 0x1FFF
    assert Addresses(0, 1 << 64).allocate(1, exact=U64_MAX) == U64_MAX


def test_release_0_1_3_an_id_that_was_never_allocated_is_not_freed_nor_given_twice() -> None:
    ids = Lockstep(IdAllocator(Id(5), Id(23)))
    assert ids.free(Id(5), IdCount(1)).refusal == "not-allocated"
    assert ids.allocate(None, IdCount(1)).granted == Range(5, 5)
    assert ids.allocate(None, IdCount(1)).granted == Range(6, 6)
    assert list(ids.allocator) == [RangeInclusive(Id(5), Id(5)), RangeInclusive(Id(6), Id(6))]


def test_release_0_1_0_ranges_of_size_1_are_ranges() -> None:
    space = Addresses(1, 1000)
    # The padding below the aligned start is a gap of size 1.
    assert space.allocate(10, align=2) == 2
    assert space.allocate(1) == 1
    assert space.live == [(1, 1), (2, 11)]
