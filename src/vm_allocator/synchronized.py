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
from typing import TYPE_CHECKING, Any, Generic, Self

from .address import AddressAllocator
from .gates import Gate, Gated
from .ids import ONE, IdAllocator
from .resource import R, S
from .synchronized_ranges import SynchronizedRanges

if TYPE_CHECKING:
    from collections.abc import Callable

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


class SynchronizedAddressAllocator(
    SynchronizedRanges["GuestAddress", "GuestUsize"], AddressAllocator
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


class SynchronizedIdAllocator(SynchronizedRanges["Id", "IdCount"], IdAllocator):
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

    def allocate(
        self,
        resource: Id | None,
        size: IdCount = ONE,
        *,
        align: int | None = None,
        policy: Policy[Id] | None = None,
        within: RangeInclusive[Id] | None = None,
        prefer: int | None = None,
        owner: str | None = None,
    ) -> Id:
        """See `IdAllocator.allocate`."""
        return super().allocate(
            resource, size, align=align, policy=policy, within=within, prefer=prefer, owner=owner
        )

    def allocate_many(
        self,
        count: int,
        size: IdCount = ONE,
        *,
        align: int | None = None,
        policy: Policy[Id] | None = None,
        within: RangeInclusive[Id] | None = None,
        owner: str | None = None,
    ) -> list[Id]:
        """See `IdAllocator.allocate_many`."""
        return super().allocate_many(
            count, size, align=align, policy=policy, within=within, owner=owner
        )

    def free(self, resource: Id, size: IdCount = ONE) -> None:
        """See `IdAllocator.free`."""
        super().free(resource, size)

    def reserve(self, resource: Id, size: IdCount = ONE, *, owner: str) -> None:
        """See `IdAllocator.reserve`."""
        super().reserve(resource, size, owner=owner)

    def unreserve(self, resource: Id, size: IdCount = ONE) -> None:
        """See `IdAllocator.unreserve`."""
        super().unreserve(resource, size)
