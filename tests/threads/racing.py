"""Python targets for several threads: right ones, and ones with one race each."""

from __future__ import annotations

import os
import threading
import time
from typing import Any, ClassVar

from vm_allocator import (
    AddressAllocator,
    ExactMatch,
    GuestAddress,
    GuestUsize,
    Id,
    Move,
    Policy,
    RangeInclusive,
    Synchronized,
    SynchronizedAddressAllocator,
    SynchronizedIdAllocator,
)


class Unlocked(AddressAllocator):
    """Ours, without a lock."""


class Right(SynchronizedAddressAllocator):
    """Ours, with one."""


def right_ids(base: int, size: int) -> SynchronizedIdAllocator:
    """Ids of ours, with a lock."""
    return SynchronizedIdAllocator(Id(base), Id(base + size - 1))


def right_wrapper(base: int, size: int) -> Synchronized[GuestAddress, GuestUsize]:
    """Anybody's allocator, in a wrapper."""
    return Synchronized(AddressAllocator(GuestAddress(base), GuestUsize(size)))


class ChecksThenActs(SynchronizedAddressAllocator):
    """Asks where there is room, and allocates there: another thread may come between."""

    def allocate(
        self,
        resource: GuestAddress | None,
        size: GuestUsize,
        *,
        align: int | None = None,
        policy: Policy[GuestAddress] | None = None,
        within: RangeInclusive[GuestAddress] | None = None,
        prefer: int | None = None,
        owner: str | None = None,
    ) -> GuestAddress:
        if resource is None and not isinstance(policy, ExactMatch):
            found = self.available(size, align=align, policy=policy, within=within)
            if found is not None:
                return super().allocate(found, size, align=align, within=within, owner=owner)
        return super().allocate(
            resource, size, align=align, policy=policy, within=within, prefer=prefer, owner=owner
        )


class MovesInTwoSteps(SynchronizedAddressAllocator):
    """Moves a BAR under the lock by freeing it, and under the lock again by allocating it anew.

    Alone, it does what it must: what would be refused is refused before anything is freed.
    """

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
        *,
        align: int | None = None,
        within: RangeInclusive[GuestAddress] | None = None,
        owner: str | None = None,
    ) -> None:
        options: dict[str, Any] = {"align": align, "within": within, "owner": owner}
        if old_resource is None or old_size is None:
            super().update(old_resource, old_size, new_resource, new_size, **options)
            return
        trial = self.copy()
        SynchronizedAddressAllocator.update(
            trial, old_resource, old_size, new_resource, new_size, **options
        )
        self.free(old_resource, old_size)
        self.allocate(new_resource, new_size, **options)


class EndsMovesPastTheLock(SynchronizedAddressAllocator):
    """Begins moves under the lock, and lets them end without it."""

    def _new_move(self, ends: tuple[int, int, int, int], owner: str | None) -> Move[GuestAddress]:
        return Move(self._unit, self._index, self._pending, self._owners, ends, owner)


class LocksCrosswise(AddressAllocator):
    """Two locks, taken in one order to allocate and in the other to free."""

    profile: ClassVar = {"operations": ["allocate", "free", "live"]}

    def __init__(self, base: GuestAddress, size: GuestUsize) -> None:
        super().__init__(base, size)
        self._one, self._other = threading.Lock(), threading.Lock()

    def allocate(
        self, resource: GuestAddress | None, size: GuestUsize, **options: Any
    ) -> GuestAddress:
        with self._one, self._other:
            return super().allocate(resource, size, **options)

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        with self._other, self._one:
            super().free(resource, size)


class Exits(SynchronizedAddressAllocator):
    """Takes the process along when it is asked for 2 units."""

    def allocate(
        self, resource: GuestAddress | None, size: GuestUsize, **options: Any
    ) -> GuestAddress:
        if size > 1:
            os._exit(7)
        return super().allocate(resource, size, **options)


class Spins(SynchronizedAddressAllocator):
    """Never answers when it is asked for 2 units."""

    def allocate(
        self, resource: GuestAddress | None, size: GuestUsize, **options: Any
    ) -> GuestAddress:
        while size > 1:
            pass
        return super().allocate(resource, size, **options)


class WaitsOutOfSight(SynchronizedAddressAllocator):
    """Waits for something that is no lock, when it is asked for 2 units."""

    def allocate(
        self, resource: GuestAddress | None, size: GuestUsize, **options: Any
    ) -> GuestAddress:
        if size > 1:
            read, _ = os.pipe()
            os.read(read, 1)
        return super().allocate(resource, size, **options)


class Naps(SynchronizedAddressAllocator):
    """Sleeps in the middle of its lock, which is no mistake."""

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        with self.locked():
            time.sleep(3600)
            super().free(resource, size)
