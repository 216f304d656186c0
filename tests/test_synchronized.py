"""Allocators that threads share: what is defined beside what the plain ones do."""

import copy
import inspect
import os
import pickle
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from vm_allocator import (
    AddressAllocator,
    AllocatorError,
    DeviceNeeds,
    ForkedInUseError,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    InvalidSizeError,
    LastMatch,
    Need,
    NoSpaceError,
    RangeInclusive,
    ReentrantUseError,
    ResourceAllocator,
    ResourceMap,
    Synchronized,
    SynchronizedAddressAllocator,
    SynchronizedIdAllocator,
    SystemAllocator,
    gates,
    locked,
    one_id,
    transaction,
)
from vm_allocator.synchronized_ranges import SynchronizedRanges
from vm_allocator.threads import Schedule, Switch, run, schedulable_locks

PAGE = GuestUsize(0x1000)
SETTLED = {"base", "last", "space", "size", "alignment"}
"""What never changes, and needs no lock."""
MAKES_ANOTHER = {"restore"}
"""What makes an allocator, which nobody else has yet."""


def addresses() -> SynchronizedAddressAllocator:
    return SynchronizedAddressAllocator(GuestAddress(0), GuestUsize(0x10000))


def wrapper() -> Synchronized[GuestAddress, GuestUsize]:
    return Synchronized(AddressAllocator(GuestAddress(0), GuestUsize(0x10000)))


def test_every_method_that_looks_at_what_changes_takes_the_lock() -> None:
    public = {
        name
        for kind in AddressAllocator.__mro__[:-1]
        for name in vars(kind)
        if not name.startswith("_") or name in ("__len__", "__iter__", "__contains__", "__eq__")
    }
    unlocked = {
        name
        for name in public - SETTLED - MAKES_ANOTHER
        if getattr(SynchronizedAddressAllocator, name) is getattr(AddressAllocator, name)
    }
    assert unlocked == set()


@pytest.mark.parametrize("kind", [SynchronizedAddressAllocator, SynchronizedIdAllocator])
def test_the_signatures_are_those_of_the_plain_ones(kind: type[Any]) -> None:
    plain = AddressAllocator if issubclass(kind, AddressAllocator) else IdAllocator
    names = {name for name in vars(SynchronizedRanges) if callable(getattr(plain, name, None))}
    for name in names - {"__new__", "__init__", "__reduce__", "__setstate__"}:
        assert inspect.signature(getattr(kind, name)) == inspect.signature(getattr(plain, name))


def test_it_does_what_the_plain_one_does() -> None:
    plain = AddressAllocator(GuestAddress(0), GuestUsize(0x10000))
    mmio = addresses()
    for one in (plain, mmio):
        assert one.allocate(None, PAGE, policy=LastMatch) == 0xF000
        assert one.allocate_many(2, PAGE, align=0x2000) == [0, 0x2000]
        one.update(GuestAddress(0), PAGE, GuestAddress(0x800), PAGE)
        one.update(None, None, GuestAddress(0x4000), PAGE)
        one.free(GuestAddress(0x2000), PAGE)
        with pytest.raises(InvalidSizeError):
            one.allocate(None, GuestUsize(0))
    assert list(mmio) == list(plain)
    assert list(mmio.gaps()) == list(plain.gaps())
    assert (len(mmio), mmio.live_size, mmio.free_size) == (3, 0x3000, 0xD000)
    assert mmio.largest_gap == plain.largest_gap
    assert mmio.lookup(GuestAddress(0x900)) == plain.lookup(GuestAddress(0x900))
    assert GuestAddress(0x900) in mmio
    assert RangeInclusive(GuestAddress(0), GuestAddress(1)) not in mmio
    assert mmio.available(PAGE) == plain.available(PAGE)
    assert repr(mmio) == repr(plain).replace("Address", "SynchronizedAddress", 1)
    mmio._check()


def test_ids_come_one_by_one_and_in_blocks() -> None:
    irqs = SynchronizedIdAllocator(Id(5), Id(23))
    assert irqs.allocate(None) == 5
    assert irqs.allocate_block(IdCount(4)) == 8
    assert irqs.allocate_many(2) == [6, 7]
    irqs.free(Id(5))
    assert len(irqs) == 3


def test_iterators_are_of_the_moment_they_were_made() -> None:
    mmio = addresses()
    mmio.allocate(None, PAGE)
    live, gaps = iter(mmio), mmio.gaps()
    mmio.allocate(None, PAGE)
    assert (len(list(live)), len(list(gaps))) == (1, 1)
    assert len(mmio) == 2


@dataclass(frozen=True, eq=False)
class Board(SystemAllocator):
    slots: IdAllocator
    mmio: AddressAllocator


def test_it_stands_wherever_the_plain_one_does() -> None:
    board = Board(SynchronizedIdAllocator(Id(0), Id(3)), addresses())
    devices = ResourceMap[str]()
    devices.register("nic", DeviceNeeds(one_id(board.slots), mmio=[Need(board.mmio, PAGE)]))
    wanted = [Need(board.mmio, PAGE), Need(board.mmio, GuestUsize(0x10000))]
    with pytest.raises(NoSpaceError):
        devices.register("gpu", DeviceNeeds(one_id(board.slots), mmio=wanted))
    board.check(devices)
    assert "nic" in board.picture(devices)
    devices.unregister("nic")
    board.check(devices)


# ---- several operations as one


def test_no_other_thread_comes_into_a_locked_block() -> None:
    with schedulable_locks():
        for instruction in range(0, 1200, 40):
            mmio = SynchronizedAddressAllocator(GuestAddress(0), GuestUsize(2))

            def both(mmio: SynchronizedAddressAllocator = mmio) -> list[int]:
                with mmio.locked() as held:
                    return [held.allocate(None, GuestUsize(1)) for _ in range(2)]

            def one(mmio: SynchronizedAddressAllocator = mmio) -> int | None:
                try:
                    return mmio.allocate(None, GuestUsize(1))
                except NoSpaceError:
                    return None

            execution = run([[both], [one]], Schedule((Switch(0, 0, instruction, 1),)))
            (first,), (second,) = execution.operations
            assert (first.value, second.value) in (([0, 1], None), (None, 0))


def test_several_locks_are_taken_in_one_order_whatever_the_order_of_the_words() -> None:
    with schedulable_locks():
        one, other = addresses(), addresses()

        def forth() -> None:
            with locked(one, other), one.locked():
                one.allocate(None, GuestUsize(1))

        def back() -> None:
            with locked(other, one, other):
                other.allocate(None, GuestUsize(1))

        stuck = set()
        for instruction in range(0, 400, 3):
            stuck.add(run([[forth], [back]], Schedule((Switch(0, 0, instruction, 1),))).stuck)
        assert stuck == {None}
        assert len(one) == len(other) > 0


def test_what_has_no_lock_is_named() -> None:
    plain = IdAllocator(Id(0), Id(7))
    mmio = addresses()
    named = r"IdAllocator 0-7.*pass allocators that are synchronized"
    with pytest.raises(TypeError, match=named), locked(mmio, plain):
        pass
    assert mmio.allocate(None, PAGE) == 0


def test_a_transaction_in_a_locked_block_is_undone_before_anybody_comes_in() -> None:
    with schedulable_locks():
        for instruction in range(0, 3000, 150):
            mmio, irqs = addresses(), SynchronizedIdAllocator(Id(0), Id(0))
            irqs.allocate(None)

            def plug(
                mmio: SynchronizedAddressAllocator = mmio, irqs: SynchronizedIdAllocator = irqs
            ) -> None:
                with locked(mmio, irqs), transaction() as tx:
                    tx.allocate(mmio, None, PAGE)
                    tx.allocate(irqs, None)

            def look(mmio: SynchronizedAddressAllocator = mmio) -> int:
                return len(mmio)

            execution = run([[plug], [look]], Schedule((Switch(0, 0, instruction, 1),)))
            (plugged,), (looked,) = execution.operations
            assert isinstance(plugged.error, NoSpaceError)
            assert looked.value == 0


# ---- re-entrance


class Calls:
    """An int whose conversion calls something."""

    def __init__(self, value: int, call: Callable[[], object]) -> None:
        self.value = value
        self.call = call

    def __index__(self) -> int:
        self.call()
        return self.value

    def __lt__(self, other: int) -> bool:
        return self.value < other

    def __le__(self, other: int) -> bool:
        return self.value <= other


ARGUMENTS: tuple[Callable[[Any, Any], object], ...] = (
    lambda one, call: one.allocate(None, Calls(0x1000, call)),
    lambda one, call: one.allocate(Calls(0x8000, call), PAGE),
    lambda one, call: one.free(Calls(0, call), PAGE),
    lambda one, call: one.free(GuestAddress(0), Calls(0x1000, call)),
    lambda one, call: one.update(GuestAddress(0), Calls(0x1000, call), GuestAddress(0x9000), PAGE),
    lambda one, call: one.update(GuestAddress(0), PAGE, Calls(0x9000, call), PAGE),
)


@pytest.mark.parametrize("operate", ARGUMENTS)
def test_an_operation_within_another_one_is_refused_and_changes_nothing(
    operate: Callable[[Any, Any], object],
) -> None:
    for one in (addresses(), wrapper()):
        one.allocate(GuestAddress(0), PAGE)
        before = repr(one)

        def again(one: ResourceAllocator[GuestAddress, GuestUsize] = one) -> None:
            with pytest.raises(ReentrantUseError, match="in the middle of an operation"):
                one.allocate(None, PAGE)

        operate(one, again)
        assert repr(one) != before  # the outer one was done
        assert one.allocate(GuestAddress(0xF000), PAGE) == 0xF000  # and is over


@pytest.mark.parametrize("operate", ARGUMENTS)
def test_a_plain_allocator_does_what_an_argument_does_first(
    operate: Callable[[Any, Any], object],
) -> None:
    plain = AddressAllocator(GuestAddress(0), GuestUsize(0x10000))
    plain.allocate(GuestAddress(0), PAGE)
    once = iter([GuestAddress(0x3000)])

    def again() -> None:
        for place in once:
            plain.allocate(place, PAGE)

    operate(plain, again)
    plain._check()
    assert GuestAddress(0x3000) in plain


@pytest.mark.parametrize("operate", ARGUMENTS)
def test_an_error_within_an_operation_leaves_it_usable(
    operate: Callable[[Any, Any], object],
) -> None:
    def fail() -> None:
        raise KeyError("of an argument")

    for one in (addresses(), wrapper()):
        one.allocate(GuestAddress(0), PAGE)
        with pytest.raises(KeyError, match="of an argument"):
            operate(one, fail)
        one.free(GuestAddress(0), PAGE)


def test_a_signal_handler_in_the_middle_of_an_operation_is_refused() -> None:
    mmio = addresses()
    caught: list[str] = []

    def handler(_number: int, _frame: FrameType | None) -> None:
        try:
            mmio.allocate(None, PAGE)
        except ReentrantUseError:
            caught.append("refused")

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        mmio.allocate(None, Calls(0x1000, lambda: signal.raise_signal(signal.SIGUSR1)))  # type: ignore[arg-type]  # an int by its index
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert caught == ["refused"]
    assert len(mmio) == 1


def test_a_block_cannot_begin_within_an_operation_but_operations_within_a_block() -> None:
    mmio = addresses()
    with mmio.locked(), mmio.locked(), locked(mmio):
        mmio.allocate(None, PAGE)
    errors: list[Exception] = []

    def block() -> None:
        try:
            with mmio.locked():
                pass
        except ReentrantUseError as error:
            errors.append(error)

    mmio.allocate(None, Calls(0x1000, block))  # type: ignore[arg-type]  # an int by its index
    assert len(errors) == 1
    assert mmio._gate.lock.acquire(blocking=False)
    mmio._gate.lock.release()


# ---- copies


COPIES: tuple[Callable[[Any], Any], ...] = (
    copy.copy,
    copy.deepcopy,
    lambda one: pickle.loads(pickle.dumps(one)),  # noqa: S301  # our own
    lambda one: one.copy(),
)


@pytest.mark.parametrize("make", COPIES)
@pytest.mark.parametrize("original", [addresses, wrapper])
def test_a_copy_is_equal_and_independent_with_a_lock_of_its_own(
    original: Callable[[], Any], make: Callable[[Any], Any]
) -> None:
    one = original()
    one.allocate(GuestAddress(0), PAGE)
    with one.locked():
        twin = make(one)
        assert type(twin) is type(one)
        assert repr(twin) == repr(one)
        done: list[int] = []
        thread = threading.Thread(
            target=lambda: done.append(twin.allocate(None, PAGE)), daemon=True
        )
        thread.start()
        thread.join(20)
        assert done == [0x1000]  # its lock is not the one that is held here
    assert one.allocate(None, PAGE) == 0x1000


def test_equality_is_of_kind_space_and_live_ranges() -> None:
    one, other = addresses(), addresses()
    assert one == other
    other.allocate(None, PAGE)
    assert one != other
    assert one != AddressAllocator(GuestAddress(0), GuestUsize(0x10000))
    assert one != "an allocator"
    with pytest.raises(TypeError):
        hash(one)


def test_what_a_subclass_adds_is_copied_too() -> None:
    mmio = Named("bars")
    twin = pickle.loads(pickle.dumps(mmio))  # noqa: S301  # our own
    assert (twin.name, twin == mmio) == ("bars", True)


class Named(SynchronizedAddressAllocator):
    def __init__(self, name: str) -> None:
        super().__init__(GuestAddress(0), GuestUsize(0x1000))
        self.name = name


# ---- fork

# From Python 3.12 on, a fork of several threads warns of what is looked at here.
forks = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def _in_child(act: Callable[[], int]) -> int:
    """Fork; return what the child does, as its exit code."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends a child that waits for a lock for ever
        code = 99
        try:
            code = act()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@forks
@pytest.mark.parametrize("make", [addresses, wrapper])
def test_a_child_has_a_usable_copy_of_its_own(make: Callable[[], Any]) -> None:
    one = make()
    one.allocate(None, PAGE)
    assert _in_child(lambda: one.allocate(None, PAGE) >> 12) == 1
    assert one.allocate(None, PAGE) == 0x1000
    with one.locked():  # held by the thread that forks, in the child as well
        assert _in_child(lambda: one.allocate(None, PAGE) >> 12) == 2
    assert _in_child(lambda: one.allocate(None, PAGE) >> 12) == 2


@forks
def test_a_fork_waits_for_the_block_of_another_thread() -> None:
    mmio = addresses()
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with mmio.locked():
            entered.set()
            leave.wait()
            mmio.allocate(None, PAGE)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    threading.Timer(0.05, leave.set).start()
    assert _in_child(lambda: len(mmio)) == 1
    thread.join()
    assert len(mmio) == 1


@forks
def test_what_is_held_for_too_long_is_refused_in_the_child_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gates, "FORK_PATIENCE", 0.05)
    mmio, other = addresses(), addresses()
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with mmio.locked():
            entered.set()
            leave.wait()

    def child() -> int:
        refused = 0
        for operate in (lambda: mmio.allocate(None, PAGE), lambda: len(mmio), mmio.copy) * 2:
            try:
                operate()
            except ForkedInUseError as error:
                refused += "make a new one" in str(error)
        other.allocate(None, PAGE)
        return refused

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    assert _in_child(child) == 6
    leave.set()
    thread.join()
    assert mmio.allocate(None, PAGE) == 0  # the parent's goes on


def test_refusals_are_no_refusals_of_the_allocator() -> None:
    assert not issubclass(ReentrantUseError, AllocatorError)
    assert not issubclass(ForkedInUseError, AllocatorError)
