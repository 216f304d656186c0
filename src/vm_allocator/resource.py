"""The seed interface: what a resource is, and what every allocator of resources can do.

Resources are plain ints at run time and distinct types to a type checker: a
`GuestAddress` cannot be passed where an `Id` is wanted, nor a size where an
address is. The distinction costs nothing when the program runs.
"""

from __future__ import annotations

import enum
from typing import Final, NewType, Protocol, TypeVar

U64_MAX: Final = (1 << 64) - 1
"""The last guest address that exists."""

U32_MAX: Final = (1 << 32) - 1
"""The last id that exists."""

MAX_ALIGNMENT: Final = 1 << 63
"""The largest power of two that is a 64-bit number."""

MAX_COUNT: Final = 1 << 20
"""The most ranges that one call allocates: a list of their starts has to be possible."""


class Resource(Protocol):
    """Something that a guest is given: an address, an id. Ordered, and an int underneath."""

    def __index__(self) -> int: ...
    def __lt__(self, other: int, /) -> bool: ...
    def __le__(self, other: int, /) -> bool: ...


class ResourceSize(Protocol):
    """How much of a resource: bytes, ids. At least 1."""

    def __index__(self) -> int: ...
    def __lt__(self, other: int, /) -> bool: ...
    def __le__(self, other: int, /) -> bool: ...


GuestAddress = NewType("GuestAddress", int)
"""A guest-physical address, or a port: a byte in [0, 2^64-1]."""

GuestUsize = NewType("GuestUsize", int)
"""A number of bytes in [1, 2^64]; 2^64 is the whole of the guest's memory."""

Id = NewType("Id", int)
"""An interrupt number, a message-signalled vector, an instance: an id in [0, 2^32-1]."""

IdCount = NewType("IdCount", int)
"""A number of ids in [1, 2^32]."""

R = TypeVar("R", bound=Resource)
S = TypeVar("S", bound=ResourceSize)
R_any = TypeVar("R_any", bound=Resource)
S_contra = TypeVar("S_contra", bound=ResourceSize, contravariant=True)


class ResourceAllocator(Protocol[R_any, S_contra]):
    """The seed of every allocator here. A refused operation raises and changes nothing."""

    def allocate(self, resource: R_any | None, size: S_contra) -> R_any:
        """Allocate `size` units anywhere, or exactly at `resource`; return where."""
        ...

    def free(self, resource: R_any, size: S_contra) -> None:
        """Free exactly the range of `size` units at `resource`."""
        ...

    def update(
        self,
        old_resource: R_any | None,
        old_size: S_contra | None,
        new_resource: R_any,
        new_size: S_contra,
    ) -> None:
        """Free the old range and allocate the new one, or change nothing at all."""
        ...


class Unit(enum.Enum):
    """What an allocator counts in: how its values read, and where they end."""

    ADDRESS = "address"
    ID = "id"

    def __init__(self, kind: str) -> None:
        self.top: Final = U64_MAX if kind == "address" else U32_MAX
        """The last value that exists."""

    def show(self, value: object) -> str:
        """Addresses in hex, ids in decimal; whatever else was passed, as it is."""
        if isinstance(value, int) and self is Unit.ADDRESS:
            return hex(value)
        return repr(value)

    def show_range(self, start: int, end: int) -> str:
        """An inclusive range, as the errors and the pictures write it."""
        return self.show(start) if start == end else f"{self.show(start)}-{self.show(end)}"
