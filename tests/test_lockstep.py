"""Allocator and oracle in lockstep: agreement is silent, disagreement is readable."""

import pytest

from vm_allocator import (
    AddressAllocator,
    ExactMatch,
    GuestAddress,
    GuestUsize,
    LastMatch,
    OverlapError,
)
from vm_allocator.gaps import SortedGaps
from vm_allocator.lockstep import DisagreementError, Lockstep
from vm_allocator.ordered import SortedMap

from .builders import addresses, space

ONE = GuestUsize(1)


def test_agreement_is_written_down_call_by_call() -> None:
    both = Lockstep(space(0, 0x40))
    both.allocate(None, GuestUsize(4), align=8, policy=LastMatch)
    both.allocate(GuestAddress(0x38), ONE)
    both.available(ONE, within=addresses(0x38, 0x3F))
    both.available(GuestUsize(0))
    both.available(ONE, policy=ExactMatch(GuestAddress(0x38)))
    both.lookup(GuestAddress(0x39))
    both.lookup(GuestAddress(0))
    both.update(GuestAddress(0x38), GuestUsize(4), GuestAddress(0x3A), GuestUsize(4))
    both.update(None, None, GuestAddress(0), ONE, align=1)
    both.free(GuestAddress(0x3A), GuestUsize(4))
    assert [str(call) for call in both.calls] == [
        "allocator.allocate(None, 0x4, align=8, policy=LastMatch)  # 0x38",
        "allocator.allocate(0x38, 0x1)  # refused: overlap",
        "allocator.available(0x1, within=RangeInclusive(56, 63))  # 0x3c",
        "allocator.available(0x0)  # refused: invalid-size",
        "allocator.available(0x1, policy=ExactMatch(start=56))  # None",
        "allocator.lookup(0x39)  # 0x38-0x3b",
        "allocator.lookup(0x0)  # None",
        "allocator.update(0x38, 0x4, 0x3a, 0x4)  # done",
        "allocator.update(None, None, 0x0, 0x1, align=1)  # done",
        "allocator.free(0x3a, 0x4)  # done",
    ]


def test_a_fork_goes_its_own_way_in_the_same_trace() -> None:
    one = Lockstep(space(0, 0x40))
    two = one.fork("two")
    two.allocate(None, ONE)
    one.compare()
    assert (len(one.allocator), len(two.allocator)) == (0, 1)
    assert one.calls is two.calls
    assert str(one.calls[0]) == "two = allocator.copy()  # done"


class _IsNeverEqual(AddressAllocator):
    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]  # as its base class


def test_a_copy_that_is_not_equal_is_a_disagreement() -> None:
    with pytest.raises(DisagreementError, match="two is not equal to allocator"):
        Lockstep(_IsNeverEqual(GuestAddress(0), GuestUsize(4))).fork("two")


class _IsAlwaysFull(AddressAllocator):
    def allocate(self, *_: object, **__: object) -> GuestAddress:
        raise OverlapError(self._unit, 0, 0, 0, 0)


def test_a_disagreement_shows_set_up_calls_and_difference() -> None:
    both = Lockstep(_IsAlwaysFull(GuestAddress(0), GuestUsize(0x40)))
    both.free(GuestAddress(1), ONE)
    with pytest.raises(DisagreementError) as caught:
        both.allocate(None, ONE)
    assert str(caught.value).splitlines() == [
        "expected 0x0, got refused: overlap",
        "",
        "allocator = <_IsAlwaysFull 0x0-0x3f alignment=0x1: 0 live, 0x40 free, largest gap 0x40>",
        "allocator.free(0x1, 0x1)  # refused: not-allocated",
        "allocator.allocate(None, 0x1)  # refused: overlap; the specification says: 0x0",
    ]


def test_a_damaged_state_is_a_disagreement_however_it_is_damaged() -> None:
    for damage, says in (
        ({0: 1}, "expected the gaps of allocator to be 0x0-0x3f, got 0x0-0x1"),
        ({5: 4}, "the state of allocator cannot be read: InvalidRangeError"),
    ):
        both = Lockstep(AddressAllocator(GuestAddress(0), GuestUsize(0x40), index=SortedGaps))
        both.allocator._index._gaps = SortedMap(damage)  # type: ignore[attr-defined]  # the reference index
        with pytest.raises(DisagreementError, match=says):
            both.compare()


def test_a_broken_invariant_is_named() -> None:
    both = Lockstep(space(0, 0x40))
    both.allocator._align = 3
    with pytest.raises(DisagreementError, match="allocator: broken invariant: the alignment"):
        both.compare()
