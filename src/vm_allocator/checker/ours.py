"""Our own allocators as targets: `vm-allocator check vm_allocator.checker.ours:ids`."""

from __future__ import annotations

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator


def addresses(base: int, size: int) -> AddressAllocator:
    """Return an `AddressAllocator` of that space."""
    return AddressAllocator(GuestAddress(base), GuestUsize(size))


def ids(base: int, size: int) -> IdAllocator:
    """Return an `IdAllocator` of that space."""
    return IdAllocator(Id(base), Id(base + size - 1))
