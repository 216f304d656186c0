"""`IdAllocator`: interrupt numbers, MSI vectors, device instances, memory slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .address import RangeAllocator
from .errors import InvalidSpaceError
from .gaps import SortedGaps
from .resource import Id, IdCount, Unit
from .view import plain_int

if TYPE_CHECKING:
    from collections.abc import Callable

    from .gaps import GapIndex
    from .policy import Policy
    from .ranges import RangeInclusive

ONE: Final = IdCount(1)


class IdAllocator(RangeAllocator[Id, IdCount]):
    """The ids from `first` to `last`, both included: one at a time, in blocks, or exactly.

    >>> irqs = IdAllocator(Id(5), Id(23))
    >>> irqs.allocate(None), irqs.allocate(None), irqs.allocate(Id(23))
    (5, 6, 23)
    >>> irqs.free(Id(6)); irqs.allocate(None)
    6
    >>> vectors = IdAllocator(Id(33), Id(255))
    >>> vectors.allocate_block(IdCount(8))  # a power of two, aligned to itself, as MSI wants it
    40
    >>> irqs.allocate(Id(23))
    Traceback (most recent call last):
        ...
    vm_allocator.errors.OverlapError: 23 overlaps live 23: free that first or choose another range

    `index` makes the gap index from the first and the last id: `SortedGaps` by
    default, or `IdBitmap`. Raises `InvalidTypeError`, or `InvalidSpaceError` unless
    `0 <= first <= last <= 2^32-1`.
    """

    _kind = Unit.ID
    _makes_index = SortedGaps

    def __init__(
        self, first: Id, last: Id, *, index: Callable[[int, int], GapIndex] | None = None
    ) -> None:
        unit: Final = Unit.ID
        low = plain_int(unit, "first", first)
        high = plain_int(unit, "last", last)
        if low < 0 or high < low or unit.top < high:
            raise InvalidSpaceError(unit, low, high - low)
        super().__init__(unit, low, high, 1, (index or SortedGaps)(low, high))

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
        """Allocate `size` neighbouring ids, one by default; see `RangeAllocator.allocate`."""
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
        """Allocate `count` times `size` ids, or none; see `RangeAllocator.allocate_many`.

        >>> vectors = IdAllocator(Id(32), Id(47))
        >>> vectors.allocate_many(3), vectors.allocate_many(2, IdCount(4), align=4)
        ([32, 33, 34], [36, 40])
        >>> vectors.allocate_many(9)
        Traceback (most recent call last):
            ...
        vm_allocator.errors.NoSpaceError: no room for 9 times 1 aligned to 1 within 32-47, \
only for 5 of them: free something, or ask for fewer
        """
        return super().allocate_many(
            count, size, align=align, policy=policy, within=within, owner=owner
        )

    def free(self, resource: Id, size: IdCount = ONE) -> None:
        """Free the `size` ids from `resource` on, allocated as one; see `RangeAllocator.free`."""
        super().free(resource, size)

    def reserve(self, resource: Id, size: IdCount = ONE, *, owner: str) -> None:
        """Keep the `size` ids from `resource` on for the platform; see `RangeAllocator.reserve`.

        >>> irqs = IdAllocator(Id(0), Id(23))
        >>> irqs.reserve(Id(2), owner="the cascade"); irqs.reserve(Id(8), owner="the clock")
        >>> irqs.allocate(Id(8))
        Traceback (most recent call last):
            ...
        vm_allocator.errors.HeldByPlatformError: 8 overlaps 8, reserved for the clock: \
choose another range
        """
        super().reserve(resource, size, owner=owner)

    def unreserve(self, resource: Id, size: IdCount = ONE) -> None:
        """Give the `size` ids from `resource` on back; see `RangeAllocator.unreserve`."""
        super().unreserve(resource, size)

    def allocate_block(
        self,
        count: IdCount,
        *,
        policy: Policy[Id] | None = None,
        within: RangeInclusive[Id] | None = None,
        owner: str | None = None,
    ) -> Id:
        """Allocate a power of two of neighbouring ids that starts at a multiple of itself.

        That is what multi-message MSI asks for: the device sets the low bits of the vector
        itself (PCI Local Bus Specification 3.0, section 6.8.1.3). Raises what `allocate`
        raises, and `InvalidAlignmentError` for a count that is no power of two.
        """
        return self.allocate(None, count, align=count, policy=policy, within=within, owner=owner)
