"""Resource allocators for virtual machine monitors, held to a machine-checked specification.

`from vm_allocator import AddressAllocator, IdAllocator` needs `sortedcontainers` and
nothing else. What must be true of them is in `spec/model.py`.
"""

from . import _loading, arithmetic  # noqa: F401  # `_loading` says where the others come from
from ._version import __version__
from .address import AddressAllocator
from .errors import (
    AllocatorError,
    ConflictingRequestError,
    InvalidAlignmentError,
    InvalidCountError,
    InvalidRangeError,
    InvalidRequestError,
    InvalidSizeError,
    InvalidSpaceError,
    InvalidTypeError,
    MisalignedError,
    MoveEndedError,
    MovePendingError,
    NoSpaceError,
    NotAllocatedError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
    RefusedError,
    ReservedError,
)
from .ids import IdAllocator
from .moves import Move
from .policy import ExactMatch, FirstMatch, LastMatch, Policy
from .ranges import RangeInclusive
from .resource import (
    GuestAddress,
    GuestUsize,
    Id,
    IdCount,
    Resource,
    ResourceAllocator,
    ResourceSize,
)

__compiled__ = not str(arithmetic.__file__).endswith(".py")
"""Whether the allocators were loaded as machine code: see `_loading`."""

__all__ = [
    "AddressAllocator",
    "AllocatorError",
    "ConflictingRequestError",
    "ExactMatch",
    "FirstMatch",
    "GuestAddress",
    "GuestUsize",
    "Id",
    "IdAllocator",
    "IdCount",
    "InvalidAlignmentError",
    "InvalidCountError",
    "InvalidRangeError",
    "InvalidRequestError",
    "InvalidSizeError",
    "InvalidSpaceError",
    "InvalidTypeError",
    "LastMatch",
    "MisalignedError",
    "Move",
    "MoveEndedError",
    "MovePendingError",
    "NoSpaceError",
    "NotAllocatedError",
    "OutOfBoundsError",
    "OutsideWindowError",
    "OverlapError",
    "Policy",
    "RangeInclusive",
    "RefusedError",
    "ReservedError",
    "Resource",
    "ResourceAllocator",
    "ResourceSize",
    "__compiled__",
    "__version__",
]
