"""Gates: the lock of an allocator that threads share, and what happens to it at a fork."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Final, Self
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Iterator

FORK_PATIENCE: Final = 1.0
"""Seconds that a fork waits for the operations of other threads, all allocators together."""


class ReentrantUseError(RuntimeError):
    """An operation began within another one of the same thread; it has changed nothing."""

    def __str__(self) -> str:
        return (
            "this allocator is in the middle of an operation of this very thread: do this one "
            "after it, and not in a signal handler, a finalizer or an argument's __index__"
        )


class ForkedInUseError(RuntimeError):
    """Another thread was in the middle of an operation when this process was forked."""

    def __str__(self) -> str:
        return (
            "this process was forked while another thread of its parent was operating on this "
            "allocator: make a new one, or fork while no thread holds it"
        )


class Gate:
    """The lock of an allocator, and whether an operation is in progress.

    A context manager around one operation; the most frequent ones spell it out.
    """

    __slots__ = ("__weakref__", "broken", "busy", "lock", "number")

    def __init__(self) -> None:
        self.number = next(_numbers)
        """Its place in the order in which several locks are taken."""
        self.lock = threading.RLock()
        self.busy = False
        self.broken = False
        with _registry:
            _gates.add(self)

    def __enter__(self) -> None:
        self.lock.acquire()
        if self.busy:
            self.lock.release()
            raise self.refusal()
        self.busy = True

    def __exit__(self, *_: object) -> None:
        self.busy = self.broken
        self.lock.release()

    def refusal(self) -> RuntimeError:
        """Return why no operation can begin while it is busy."""
        return ForkedInUseError() if self.broken else ReentrantUseError()

    def hold(self) -> None:
        """Keep other threads out until `let_go`. Raises what an operation would raise."""
        with self:
            self.lock.acquire()

    def let_go(self) -> None:
        """Let other threads in again, if it was not held more than once."""
        self.lock.release()

    def give_up(self) -> None:
        """Refuse all operations from now on, with no one to wait for."""
        self.lock = threading.RLock()
        self.busy = self.broken = True


_numbers: Final = count()
_registry: Final = threading.RLock()
_gates: Final[WeakSet[Gate]] = WeakSet()
_held_for_fork: Final[list[tuple[Gate, bool]]] = []


def _before_fork() -> None:
    """Wait until no other thread is in an operation or in a locked block."""
    _registry.acquire()
    deadline = time.monotonic() + FORK_PATIENCE
    for gate in sorted(_gates, key=lambda gate: gate.number):
        left = max(0.0, deadline - time.monotonic())
        _held_for_fork.append((gate, gate.lock.acquire(timeout=left)))


def _after_fork_in_parent() -> None:
    for gate, held in _held_for_fork:
        if held:
            gate.lock.release()
    _held_for_fork.clear()
    _registry.release()


def _after_fork_in_child() -> None:
    # The thread that forked is the only one here, and holds what it held before.
    for gate, held in _held_for_fork:
        if held:
            gate.lock.release()
        else:
            gate.give_up()
    _held_for_fork.clear()
    _registry.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )


class Gated:
    """What has a gate, and can be held for several operations."""

    _gate: Gate

    @property
    def gate(self) -> Gate:
        """The lock, for `locked` to take it in order."""
        return self._gate

    @contextmanager
    def locked(self) -> Iterator[Self]:
        """Keep other threads out for a block of operations; blocks may be nested.

        Raises `ReentrantUseError` while an operation of this thread is in progress. Whoever
        wants several allocators takes `locked(one, other)`: two blocks, one in the other, can
        end in two threads that wait for each other.
        """
        self._gate.hold()
        try:
            yield self
        finally:
            self._gate.let_go()


@contextmanager
def locked(*allocators: object) -> Iterator[None]:
    """Keep other threads out of several allocators for a block of operations.

    Locks are taken in an order that is the same for everybody. O(n log n) for n allocators.
    Raises `TypeError` for one that is not synchronized, and what `locked()` of one raises.

    >>> from vm_allocator import GuestAddress, GuestUsize, Id, transaction
    >>> from vm_allocator import SynchronizedAddressAllocator, SynchronizedIdAllocator
    >>> irqs = SynchronizedIdAllocator(Id(5), Id(23))
    >>> mmio = SynchronizedAddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x2000))
    >>> with locked(irqs, mmio), transaction() as tx:  # no other thread comes between
    ...     irq = tx.allocate(irqs, None)
    ...     bar = tx.allocate(mmio, None, GuestUsize(0x1000))
    """
    for one in allocators:
        if not isinstance(one, Gated):
            raise TypeError(f"{one!r} has no lock: pass allocators that are synchronized")
    gates = {one.gate for one in allocators if isinstance(one, Gated)}
    with ExitStack() as stack:
        for gate in sorted(gates, key=lambda gate: gate.number):
            gate.hold()
            stack.callback(gate.let_go)
        yield
