"""Our own allocators as targets: `vm-allocator check vm_allocator.checker.ours:ids`.

They are examples, too, of what a Python target looks like: see docs/checking.md.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from vm_allocator import (
    AddressAllocator,
    DeviceNeeds,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    ResourceMap,
    one_id,
    transaction,
)
from vm_allocator import Need as PoolNeed
from vm_allocator.resource_sets import Grant
from vm_allocator.transaction_errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vm_allocator import RangeInclusive, ResourceSet
    from vm_allocator.transactions import Transaction

    from .device_calls import Kept, Need


def addresses(base: int, size: int) -> AddressAllocator:
    """Return an `AddressAllocator` of that space."""
    return AddressAllocator(GuestAddress(base), GuestUsize(size))


def ids(base: int, size: int) -> IdAllocator:
    """Return an `IdAllocator` of that space."""
    return IdAllocator(Id(base), Id(base + size - 1))


class _Within:
    """A transaction, as far as it is about one allocator."""

    def __init__(self, tx: Transaction, allocator: AddressAllocator) -> None:
        self._tx = tx
        self._allocator = allocator

    def allocate(self, resource: Any, size: Any, **options: Any) -> GuestAddress:
        """Allocate, until the transaction is rolled back."""
        start: GuestAddress = self._tx.allocate(self._allocator, resource, size, **options)
        return start

    def free(self, resource: Any, size: Any) -> None:
        """Free, likewise."""
        self._tx.free(self._allocator, resource, size)

    def update(self, *ranges: Any, **options: Any) -> None:
        """Move, likewise."""
        self._tx.update(self._allocator, *ranges, **options)


class InTransactions(AddressAllocator):
    """An `AddressAllocator` whose `transaction()` is ours: batches go through it."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(GuestAddress(base), GuestUsize(size))

    @contextmanager
    def transaction(self) -> Iterator[_Within]:
        """Begin a transaction; what is to be a part of it is asked of what this yields."""
        with transaction() as tx:
            yield _Within(tx, self)


class Devices:
    """A `ResourceMap` over ids and addresses. Instance ids come from a pool that is not shown."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (DeviceError,)
    profile: ClassVar[dict[str, object]] = {"pools": ["irqs", "mmio", "pio"], "largest": 2**32 - 1}

    def __init__(self, pools: Mapping[str, RangeInclusive[Any]]) -> None:
        irqs, mmio, pio = pools["irqs"], pools["mmio"], pools["pio"]
        self._slots = IdAllocator(Id(0), Id(2**32 - 1))
        self._pools: dict[str, IdAllocator | AddressAllocator] = {
            "irqs": IdAllocator(irqs.start, irqs.end),
            "mmio": AddressAllocator(mmio.start, GuestUsize(mmio.size)),
            "pio": AddressAllocator(pio.start, GuestUsize(pio.size)),
        }
        self._map: ResourceMap[str] = ResourceMap()

    def register(self, device: str, needs: Sequence[Need]) -> list[int]:
        """Give a new device all that it needs; return where."""
        wanted = self._needs(one_id(self._slots), (), needs)
        return self._starts(self._map.register(device, wanted), (), needs)

    def unregister(self, device: str) -> None:
        """Take all back that the device holds."""
        self._map.unregister(device)

    def update_device(self, device: str, keep: Sequence[Kept], needs: Sequence[Need]) -> list[int]:
        """Let the device keep some of what it holds, and give it more; return where."""
        wanted = self._needs(self._map[device].instance, keep, needs)
        return self._starts(self._map.update_device(device, wanted), keep, needs)

    def live(self) -> list[RangeInclusive[Any]]:
        """Return the live ranges of all pools."""
        return [one for pool in self._pools.values() for one in pool]

    def held(self) -> dict[str, list[RangeInclusive[Any]]]:
        """Return what each device holds."""
        return {
            device: [grant.range for grant in held if grant.pool is not self._slots]
            for device, held in self._map.items()
        }

    def _needs(self, instance: Any, keep: Iterable[Kept], needs: Iterable[Need]) -> DeviceNeeds:
        wanted: dict[str, list[Any]] = {name: [] for name in self._pools}
        for pool, (start, end) in keep:
            wanted[pool].append(Grant(self._pools[pool], start, end - start + 1))
        for need in needs:
            at, size, pool_of = need.start, need.size, self._pools[need.pool]
            wanted[need.pool].append(PoolNeed(pool_of, size, at, align=need.align))
        return DeviceNeeds(instance, irqs=wanted["irqs"], mmio=wanted["mmio"], pio=wanted["pio"])

    def _starts(self, held: ResourceSet, keep: Sequence[Kept], needs: Sequence[Need]) -> list[int]:
        """Return where the needs were put, in their order: a set lists its ranges by pool."""
        new = {
            name: [int(grant.start) for grant in grants][sum(one.pool == name for one in keep) :]
            for name, grants in (("irqs", held.irqs), ("mmio", held.mmio), ("pio", held.pio))
        }
        return [new[need.pool].pop(0) for need in needs]
