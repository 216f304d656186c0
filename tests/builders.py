"""What several test files share."""

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator, RangeInclusive


def space(base: int, size: int, alignment: int = 1) -> AddressAllocator:
    """An `AddressAllocator` of plain ints."""
    return AddressAllocator(GuestAddress(base), GuestUsize(size), alignment)


def ids(first: int, last: int) -> IdAllocator:
    """An `IdAllocator` of plain ints."""
    return IdAllocator(Id(first), Id(last))


def addresses(start: int, end: int) -> RangeInclusive[GuestAddress]:
    """A range of addresses."""
    return RangeInclusive(GuestAddress(start), GuestAddress(end))
