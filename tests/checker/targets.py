"""Small targets for the tests: one that is right, and ones with one bug each."""

from __future__ import annotations

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, RangeInclusive


class Right(AddressAllocator):
    """Ours, made from a base and a size."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(GuestAddress(base), GuestUsize(size))


class FreesTwice(Right):
    """A free of what is not live is granted."""

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        if self.lookup(resource) is not None or size < 1:
            super().free(resource, size)


class MovesInTwoSteps(Right):
    """Frees the old range before it knows that the new one is free."""

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
        if old_resource is not None and old_size is not None:
            self.free(old_resource, old_size)
        self.allocate(new_resource, new_size, align=align, within=within, owner=owner)
