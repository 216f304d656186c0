"""What several test files share."""

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator, RangeInclusive
from vm_allocator.gaps import SortedGaps
from vm_allocator.resource import U64_MAX

POWERS_OF_TWO = frozenset(1 << bit for bit in range(64))


def space(base: int, size: int, alignment: int = 1) -> AddressAllocator:
    """An `AddressAllocator` of plain ints."""
    return AddressAllocator(GuestAddress(base), GuestUsize(size), alignment)


def ids(first: int, last: int) -> IdAllocator:
    """An `IdAllocator` of plain ints."""
    return IdAllocator(Id(first), Id(last))


def addresses(start: int, end: int) -> RangeInclusive[GuestAddress]:
    """A range of addresses."""
    return RangeInclusive(GuestAddress(start), GuestAddress(end))


class DemandingGaps(SortedGaps):
    """The reference index, which refuses to be asked what its contract does not allow."""

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        self._demand_room("lowest_fit", span, align, first, last)
        return super().lowest_fit(span, align, first, last)

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        self._demand_room("highest_fit", span, align, first, last)
        return super().highest_fit(span, align, first, last)

    def lowest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        self._demand_room("lowest_fits", span, align, first, last, holds=count >= 1)
        return super().lowest_fits(count, span, align, first, last)

    def highest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        self._demand_room("highest_fits", span, align, first, last, holds=count >= 1)
        return super().highest_fits(count, span, align, first, last)

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        self._demand("overlapping", start, end)
        return super().overlapping(start, end)

    def is_live(self, start: int, end: int) -> bool:
        self._demand("is_live", start, end)
        return super().is_live(start, end)

    def add(self, start: int, end: int) -> None:
        self._demand("add", start, end, holds=self.overlapping(start, end) is None)
        super().add(start, end)

    def remove(self, start: int, end: int) -> None:
        self._demand("remove", start, end, holds=self.is_live(start, end))
        super().remove(start, end)

    def _demand_room(
        self, method: str, span: int, align: int, first: int, last: int, *, holds: bool = True
    ) -> None:
        sensible = 0 <= span <= U64_MAX and align in POWERS_OF_TWO
        self._demand(method, first, last, holds=holds and sensible)

    def _demand(self, method: str, start: int, end: int, *, holds: bool = True) -> None:
        asked = f"{method}({start:#x}, {end:#x})"
        assert holds, f"outside the contract: {asked}"
        assert self._base <= start <= end <= self._last, f"outside the contract: {asked}"
