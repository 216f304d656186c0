"""Moves, owners and transactions of allocators that threads share."""

import copy
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from vm_allocator import (
    GuestAddress,
    GuestUsize,
    Move,
    MoveEndedError,
    NoSpaceError,
    OverlapError,
    RangeInclusive,
    ReentrantUseError,
    SynchronizedAddressAllocator,
    transaction,
)
from vm_allocator.synchronized_ranges import SynchronizedMove
from vm_allocator.threads import Execution, Schedule, Switch, run, schedulable_locks

ONE = GuestUsize(1)
EVERY = 2
"""Instructions between two places at which a thread is stopped: fewer than any window has."""

HERE, THERE = GuestAddress(0), GuestAddress(3)


def full_but_for_the_new_place() -> tuple[SynchronizedAddressAllocator, Move[GuestAddress]]:
    """Return 0-3 with a move of 0-1 to 2-3: nothing is free."""
    mmio = SynchronizedAddressAllocator(HERE, GuestUsize(4))
    mmio.allocate(HERE, GuestUsize(2), owner="nvme0/BAR0")
    return mmio, mmio.move(HERE, GuestUsize(2), GuestAddress(1), GuestUsize(3))


def stopped_on_the_way(
    make: Callable[[], tuple[Any, Callable[[], object], Callable[[], object]]],
) -> list[tuple[Any, Execution]]:
    """Stop the first of two threads at many an instruction; the other one goes on."""
    found, instruction = [], 0
    with schedulable_locks():
        while True:
            state, one, other = make()
            execution = run([[one], [other]], Schedule((Switch(0, 0, instruction, 1),)))
            assert execution.stuck is None
            found.append((state, execution))
            if not execution.stops:
                return found
            instruction += EVERY


def outcome(execution: Execution, thread: int) -> object:
    ((operation,), (other,)) = execution.operations
    mine = (operation, other)[thread]
    return type(mine.error) if mine.error is not None else mine.value


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_a_move_ends_at_one_moment_for_an_allocation(end: str) -> None:
    def make() -> tuple[Any, Callable[[], object], Callable[[], object]]:
        mmio, move = full_but_for_the_new_place()
        return mmio, getattr(move, end), lambda: mmio.allocate(None, ONE)

    granted = HERE if end == "commit" else GuestAddress(2)
    seen = set()
    for mmio, execution in stopped_on_the_way(make):
        mmio._check()
        seen.add(outcome(execution, 1))
        assert outcome(execution, 0) is None
        assert outcome(execution, 1) in (NoSpaceError, granted)
    assert seen == {NoSpaceError, granted}


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_leaving_the_block_of_a_move_that_another_thread_ends_is_fine(end: str) -> None:
    def make() -> tuple[Any, Callable[[], object], Callable[[], object]]:
        mmio, move = full_but_for_the_new_place()

        def leave() -> None:
            with move:
                pass

        def end_it() -> None:
            with suppress(MoveEndedError):
                getattr(move, end)()

        return mmio, leave, end_it

    for mmio, execution in stopped_on_the_way(make):
        mmio._check()
        assert outcome(execution, 0) is outcome(execution, 1) is None
        assert not list(mmio.moves())


def test_a_move_does_not_end_within_an_operation() -> None:
    mmio, move = full_but_for_the_new_place()

    class Ends:
        def __index__(self) -> int:
            for end in (move.commit, move.abort):
                with pytest.raises(ReentrantUseError):
                    end()
            return 1

    with pytest.raises(NoSpaceError):
        mmio.allocate(None, Ends())  # type: ignore[arg-type]  # an int by its index
    assert move.is_pending


# ---- copies


COPIES: tuple[Callable[[Any], Any], ...] = (
    copy.deepcopy,
    lambda one: pickle.loads(pickle.dumps(one)),  # noqa: S301  # our own
    lambda one: one.copy(),
)


@pytest.mark.parametrize("make", COPIES)
def test_a_copy_has_owners_moves_and_what_is_reserved(make: Callable[[Any], Any]) -> None:
    mmio = SynchronizedAddressAllocator(HERE, GuestUsize(8))
    mmio.reserve(GuestAddress(7), ONE, owner="the firmware")
    mmio.allocate(HERE, GuestUsize(2), owner="nvme0/BAR0")
    mmio.allocate(GuestAddress(5), ONE, owner="nic")
    move = mmio.move(HERE, GuestUsize(2), GuestAddress(1), GuestUsize(3))
    twin = make(mmio)
    twin._check()
    assert twin == mmio
    assert [(one, holder.owner) for one, holder in twin.reserved()] == [
        (one, holder.owner) for one, holder in mmio.reserved()
    ]
    (its,) = twin.moves()
    assert type(its) is SynchronizedMove
    with mmio.locked():  # no lock of the original is taken
        its.commit()
    assert move.is_pending
    twin._check()
    assert twin.owned_by("nvme0/BAR0") == [RangeInclusive(GuestAddress(1), THERE)]
    assert twin.owner_of(GuestAddress(5)) == "nic"
    move.abort()
    mmio._check()
    with twin.locked(), pytest.raises(OverlapError):
        twin.allocate(GuestAddress(7), ONE)
    twin.unreserve(GuestAddress(7), ONE)


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_move_alone_is_not_copied(make: Callable[[Any], Any]) -> None:
    _, move = full_but_for_the_new_place()
    with pytest.raises(TypeError, match=r"take the move from its moves\(\)"):
        make(move)


def test_lists_are_of_the_moment_they_were_made() -> None:
    mmio, move = full_but_for_the_new_place()
    moves, reserved = mmio.moves(), mmio.reserved()
    move.commit()
    assert list(moves) == [move]
    assert len(list(reserved)) == 2
    assert not list(mmio.moves())
    assert not list(mmio.reserved())


# ---- transactions


def test_a_refused_operation_of_a_transaction_takes_nothing_back_of_another_thread() -> None:
    def make() -> tuple[Any, Callable[[], object], Callable[[], object]]:
        mmio = SynchronizedAddressAllocator(HERE, GuestUsize(4))
        mmio.allocate(THERE, ONE)

        def refused() -> None:
            with transaction() as tx:
                tx.allocate(mmio, THERE, ONE)

        return mmio, refused, lambda: mmio.allocate(None, ONE)

    for mmio, execution in stopped_on_the_way(make):
        assert outcome(execution, 0) is OverlapError
        assert outcome(execution, 1) == 0
        assert list(mmio) == [RangeInclusive(one, one) for one in (HERE, THERE)]


class _LeftError(Exception):
    """Leaves the block of a transaction."""


@pytest.mark.parametrize("ended", [False, True])
def test_a_roll_back_undoes_what_the_transaction_did_and_nothing_else(ended: bool) -> None:  # noqa: FBT001  # a case
    def make() -> tuple[Any, Callable[[], object], Callable[[], object]]:
        mmio = SynchronizedAddressAllocator(HERE, GuestUsize(4))
        mmio.allocate(HERE, ONE, owner="nvme0/BAR0")

        def move() -> None:
            with transaction() as tx:
                begun = tx.move(mmio, HERE, ONE, THERE, ONE, owner="other")
                if ended:
                    begun.commit()
                raise _LeftError

        return mmio, move, lambda: mmio.allocate(GuestAddress(1), ONE, owner="nic")

    for mmio, execution in stopped_on_the_way(make):
        mmio._check()
        assert outcome(execution, 0) is _LeftError
        assert outcome(execution, 1) == 1
        assert mmio.owned_by("nvme0/BAR0") == [RangeInclusive(HERE, HERE)]
        assert mmio.owned_by("nic") == [RangeInclusive(GuestAddress(1), GuestAddress(1))]
        assert len(mmio) == 2
