"""Python targets for several threads: a right one, and ones with one race each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from vm_allocator import (
    AddressAllocator,
    AllocatorError,
    GuestAddress,
    GuestUsize,
    Policy,
    RangeInclusive,
    SynchronizedAddressAllocator,
    SynchronizedIdAllocator,
    Id,
)


class Unlocked(AddressAllocator):
    """Ours, without a lock."""


class Right(SynchronizedAddressAllocator):
    """Ours, with one."""


def right_ids(base: int, size: int) -> SynchronizedIdAllocator:
    return SynchronizedIdAllocator(Id(base), Id(base + size - 1))


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
    ) -> GuestAddress:
        if resource is None and (policy is None or not hasattr(policy, "start")):
            found = self.available(size, align=align, policy=policy, within=within)
            if found is not None:
                return super().allocate(found, size, align=align, within=within)
        return super().allocate(resource, size, align=align, policy=policy, within=within)


class MovesInTwoSteps(SynchronizedAddressAllocator):
    """Moves a BAR by freeing it and allocating it anew, each step under the lock."""

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
        *,
        align: int | None = None,
        within: RangeInclusive[GuestAddress] | None = None,
    ) -> None:
        if old_resource is None or old_size is None:
            super().update(
                old_resource, old_size, new_resource, new_size, align=align, within=within
            )
            return
        if self.would_refuse(old_resource, old_size, new_resource, new_size, align, within):
            super().update(
                old_resource, old_size, new_resource, new_size, align=align, within=within
            )
            return
        self.free(old_resource, old_size)
        self.allocate(new_resource, new_size, align=align, within=within)

    def would_refuse(self, old: Any, old_size: Any, new: Any, new_size: Any, align: Any, within: Any) -> bool:
        try:
            self.copy().move(old, old_size, new, new_size, align, within)
        except AllocatorError:
            return True
        return False

    def move(self, old: Any, old_size: Any, new: Any, new_size: Any, align: Any, within: Any) -> None:
        super().update(old, old_size, new, new_size, align=align, within=within)


class LocksCrosswise(AddressAllocator):
    """Two locks, taken in one order to allocate and in the other to free."""

    def __init__(self, base: GuestAddress, size: GuestUsize) -> None:
        super().__init__(base, size)
        self._one, self._other = threading.Lock(), threading.Lock()

    def allocate(self, resource: GuestAddress | None, size: GuestUsize, **options: Any) -> GuestAddress:
        with self._one, self._other:
            return super().allocate(resource, size, **options)

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        with self._other, self._one:
            super().free(resource, size)

    update: Callable[..., None]
