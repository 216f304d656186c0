"""Allocators that several threads share: `SynchronizedAddressAllocator` and its like.

One lock for each allocator, held for each operation, so that every operation happens at one
moment for all other threads. What is defined besides:

- **Several operations as one**: `with mmio.locked():`, and `with locked(mmio, irqs):` for several
  allocators, whose locks are always taken in the same order. A transaction that other threads
  must not come between is opened in such a block.
- **Re-entrance**: an operation that begins while another one on the same allocator, of the same
  thread, is not over - in a signal handler, a finalizer, an `__index__` of an argument - raises
  `ReentrantUseError` and changes nothing. Within `locked()` no operation is in progress.
- **fork**: waits for operations and locked blocks of other threads, so that the child gets a copy
  of a whole state, its lock free. What takes longer than `FORK_PATIENCE` leaves the child
  an allocator that raises `ForkedInUseError` for ever.
- **Copies** (`copy`, `deepcopy`, pickle) are taken between operations, and
  have a lock of their own.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final, Generic, Self

from .address import AddressAllocator, RangeAllocator
from .gates import Gate, Gated
from .ids import ONE, IdAllocator
from .resource import R, S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .gaps import GapIndex
    from .policy import Policy
    from .ranges import RangeInclusive
    from .resource import GuestAddress, GuestUsize, Id, IdCount, ResourceAllocator


class Synchronized(Gated, Generic[R, S]):
    """Any allocator with the seed interface, for several threads: one operation at a time.

    It takes the allocator over: nobody may use that past the wrapper any more. A copy of the
    wrapper wraps a deep copy of the allocator. For allocators of this library there are
    `SynchronizedAddressAllocator` and `SynchronizedIdAllocator`, which have all their methods.

    >>> from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
    >>> ports = Synchronized(AddressAllocator(GuestAddress(0xC000), GuestUsize(0x1000)))
    >>> hex(ports.allocate(None, GuestUsize(8)))
    '0xc000'
    """

    def __init__(self, allocator: ResourceAllocator[R, S]) -> None:
        self._allocator = allocator
        self._gate = Gate()

    def allocate(self, resource: R | None, size: S) -> R:
        """Allocate as the allocator does. Raises what that raises, and `ReentrantUseError`."""
        with self._gate:
            return self._allocator.allocate(resource, size)

    def free(self, resource: R, size: S) -> None:
        """Free as the allocator does. Raises what that raises, and `ReentrantUseError`."""
        with self._gate:
            self._allocator.free(resource, size)

    def update(
        self, old_resource: R | None, old_size: S | None, new_resource: R, new_size: S
    ) -> None:
        """Update as the allocator does. Raises what that raises, and `ReentrantUseError`."""
        with self._gate:
            self._allocator.update(old_resource, old_size, new_resource, new_size)

    def copy(self) -> Self:
        """Return a wrapper of a deep copy of the allocator, with a lock of its own."""
        with self._gate:
            twin = self.__class__.__new__(self.__class__)
            twin._allocator = copy.deepcopy(self._allocator)
        twin._gate = Gate()
        return twin

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self.copy()

    def __getstate__(self) -> dict[str, object]:
        return {"_allocator": self.copy()._allocator}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._allocator = state["_allocator"]
        self._gate = Gate()

    def __repr__(self) -> str:
        with self._gate:
            return f"<{type(self).__name__} {self._allocator!r}>"


class _SynchronizedRanges(Gated, RangeAllocator[R, S]):
    """The methods of our own allocators, each of which is one operation.

    All of them raise `ReentrantUseError`, or after a fork `ForkedInUseError`, with nothing
    changed, besides what the method of the same name raises.
    """

    # ---- the operations. Some spell out what `with self._gate` does: that is a tenth faster.

    def allocate(
        self,
        resource: R | None,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> R:
        """See `RangeAllocator.allocate`."""
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                granted: R = _allocate(
                    self, resource, size, align=align, policy=policy, within=within
                )
                return granted  # typed here: what is looked up once is not
            finally:
                gate.busy = gate.broken

    def free(self, resource: R, size: S) -> None:
        """See `RangeAllocator.free`."""
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                _free(self, resource, size)
            finally:
                gate.busy = gate.broken

    def update(
        self,
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> None:
        """See `RangeAllocator.update`."""
        if old_resource is None and old_size is None:
            self.allocate(new_resource, new_size, align=align, within=within)
            return
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                _update(
                    self, old_resource, old_size, new_resource, new_size, align=align, within=within
                )
            finally:
                gate.busy = gate.broken

    def allocate_many(
        self,
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> list[R]:
        """See `RangeAllocator.allocate_many`."""
        with self._gate:
            return RangeAllocator.allocate_many(
                self, count, size, align=align, policy=policy, within=within
            )

    # ---- what is asked

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> R | None:
        """See `RangeAllocator.available`: once it is answered, another thread may be faster."""
        with self._gate:
            return super().available(size, align=align, policy=policy, within=within)

    def lookup(self, resource: R) -> RangeInclusive[R] | None:
        """See `RangeView.lookup`."""
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                found: RangeInclusive[R] | None = _lookup(self, resource)
                return found
            finally:
                gate.busy = gate.broken

    def __contains__(self, item: R | RangeInclusive[R]) -> bool:
        with self.locked():
            return super().__contains__(item)

    def __len__(self) -> int:
        with self._gate:
            return super().__len__()

    def __iter__(self) -> Iterator[RangeInclusive[R]]:
        """Iterate over what is live now, whatever becomes of it meanwhile. O(n) at once."""
        with self._gate:
            return iter(list(super().__iter__()))

    def gaps(self) -> Iterator[RangeInclusive[R]]:
        """Iterate over the gaps of now, whatever becomes of them meanwhile. O(n) at once."""
        with self._gate:
            return iter(list(super().gaps()))

    @property
    def live_size(self) -> int:
        """Units in live ranges. O(n)."""
        with self._gate:
            return super().live_size

    @property
    def free_size(self) -> int:
        """Units in gaps. O(n)."""
        with self.locked():
            return super().free_size

    @property
    def largest_gap(self) -> int:
        """Units in the largest gap; 0 when the space is full. O(n)."""
        with self._gate:
            return super().largest_gap

    # ---- copies

    def copy(self) -> Self:
        """Return an equal allocator, with a lock of its own, that shares nothing with this one."""
        with self._gate:
            twin = super().copy()
        twin._gate = Gate()
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        twin = self.copy()
        state = vars(self) | vars(twin) | {name: getattr(twin, name) for name in _STATE}
        del state["_gate"]
        return _bare, (type(self),), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._gate = Gate()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _SynchronizedRanges):
            other = other.copy()  # never both locks at once: others may compare them in turn
        with self.locked():
            return super().__eq__(other)

    # Allocators change; a hash that changes with them would be a trap.
    __hash__ = None  # type: ignore[assignment]  # the documented way to be unhashable

    def __repr__(self) -> str:
        with self.locked():
            return super().__repr__()

    def _check(self) -> None:
        with self.locked():
            super()._check()


# Looked up once: these are called often.
_allocate: Final[Callable[..., Any]] = RangeAllocator.allocate
_free: Final[Callable[..., Any]] = RangeAllocator.free
_update: Final[Callable[..., Any]] = RangeAllocator.update
_lookup: Final[Callable[..., Any]] = RangeAllocator.lookup

_STATE: Final = ("_unit", "_base", "_last", "_align", "_index")


def _bare(kind: type[_SynchronizedRanges[Any, Any]]) -> _SynchronizedRanges[Any, Any]:
    """Return an allocator without a state, which pickle is about to give it."""
    return kind.__new__(kind)


class SynchronizedAddressAllocator(
    _SynchronizedRanges["GuestAddress", "GuestUsize"], AddressAllocator
):
    """An `AddressAllocator` that several threads share. See the module for what is defined.

    >>> from vm_allocator import GuestAddress, GuestUsize
    >>> mmio = SynchronizedAddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x10000), 0x1000)
    >>> with mmio.locked():  # no other thread comes between
    ...     if mmio.free_size >= 0x3000:
    ...         bars = [mmio.allocate(None, GuestUsize(0x1000)) for _ in range(3)]
    """

    def __init__(
        self,
        base: GuestAddress,
        size: GuestUsize,
        alignment: int = 1,
        *,
        index: Callable[[int, int], GapIndex] | None = None,
    ) -> None:
        AddressAllocator.__init__(self, base, size, alignment, index=index)
        self._gate = Gate()


class SynchronizedIdAllocator(_SynchronizedRanges["Id", "IdCount"], IdAllocator):
    """An `IdAllocator` that several threads share. See the module for what is defined.

    >>> from vm_allocator import Id
    >>> irqs = SynchronizedIdAllocator(Id(5), Id(23))
    >>> irqs.allocate(None)
    5
    """

    def __init__(
        self, first: Id, last: Id, *, index: Callable[[int, int], GapIndex] | None = None
    ) -> None:
        IdAllocator.__init__(self, first, last, index=index)
        self._gate = Gate()

    def allocate(
        self,
        resource: Id | None,
        size: IdCount = ONE,
        *,
        align: int | None = None,
        policy: Policy[Id] | None = None,
        within: RangeInclusive[Id] | None = None,
    ) -> Id:
        """See `IdAllocator.allocate`."""
        return super().allocate(resource, size, align=align, policy=policy, within=within)

    def allocate_many(
        self,
        count: int,
        size: IdCount = ONE,
        *,
        align: int | None = None,
        policy: Policy[Id] | None = None,
        within: RangeInclusive[Id] | None = None,
    ) -> list[Id]:
        """See `IdAllocator.allocate_many`."""
        return super().allocate_many(count, size, align=align, policy=policy, within=within)

    def free(self, resource: Id, size: IdCount = ONE) -> None:
        """See `IdAllocator.free`."""
        super().free(resource, size)
