"""Resource allocators for virtual machine monitors, held to a machine-checked specification.

`from vm_allocator import AddressAllocator, IdAllocator` needs `sortedcontainers` and
nothing else. What must be true of them is in `spec/model.py`.
"""

from . import _loading, arithmetic  # noqa: F401  # `_loading` says where the others come from
from ._version import __version__
from .address import AddressAllocator
from .claim_errors import InvalidOwnerError, NotClaimedError
from .claims import ClaimPools, Claims, Granted
from .errors import (
    AllocatorError,
    ConflictingRequestError,
    HeldByPlatformError,
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
    NotReservedError,
    NotYoursError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
    RefusedError,
    ReservedError,
)
from .gates import ForkedInUseError, ReentrantUseError, locked
from .holds import Hold
from .ids import IdAllocator
from .layouts import ARM64_VIRT, DYNAMIC_PORTS, X86_Q35, Layout, Machine, Region, Reserved, x86_q35
from .moves import Move
from .ordered_pools import OrderedPools
from .policy import ExactMatch, FirstMatch, LastMatch, Policy
from .pool_errors import NoPoolsError, NoRoomInPoolsError, PoolsOverlapError
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
from .resource_map import ResourceMap
from .resource_sets import DeviceNeeds, Grant, Need, ResourceSet, aligned_to_size, one_id
from .snapshots.errors import (
    NotSavableError,
    SnapshotError,
    SnapshotFormatError,
    SnapshotMismatchError,
    SnapshotStateError,
    SnapshotTooLargeError,
    SnapshotVersionError,
)
from .snapshots.text import SnapshotLimits, dump_snapshot, load_snapshot
from .synchronized import Synchronized, SynchronizedAddressAllocator, SynchronizedIdAllocator
from .system import SystemAllocator
from .transaction_errors import (
    DeviceError,
    DeviceExistsError,
    NotHeldError,
    RollBackError,
    TransactionStateError,
    UnaccountedError,
    UncheckablePoolError,
    UndoError,
    UnknownDeviceError,
)
from .transactions import Transaction, atomically, transaction

__compiled__ = not str(arithmetic.__file__).endswith(".py")
"""Whether the gap indexes were loaded as machine code: see `_loading`."""

__all__ = [
    "ARM64_VIRT",
    "DYNAMIC_PORTS",
    "X86_Q35",
    "AddressAllocator",
    "AllocatorError",
    "ClaimPools",
    "Claims",
    "ConflictingRequestError",
    "DeviceError",
    "DeviceExistsError",
    "DeviceNeeds",
    "ExactMatch",
    "FirstMatch",
    "ForkedInUseError",
    "Grant",
    "Granted",
    "GuestAddress",
    "GuestUsize",
    "HeldByPlatformError",
    "Hold",
    "Id",
    "IdAllocator",
    "IdCount",
    "InvalidAlignmentError",
    "InvalidCountError",
    "InvalidOwnerError",
    "InvalidRangeError",
    "InvalidRequestError",
    "InvalidSizeError",
    "InvalidSpaceError",
    "InvalidTypeError",
    "LastMatch",
    "Layout",
    "Machine",
    "MisalignedError",
    "Move",
    "MoveEndedError",
    "MovePendingError",
    "Need",
    "NoPoolsError",
    "NoRoomInPoolsError",
    "NoSpaceError",
    "NotAllocatedError",
    "NotClaimedError",
    "NotHeldError",
    "NotReservedError",
    "NotSavableError",
    "NotYoursError",
    "OrderedPools",
    "OutOfBoundsError",
    "OutsideWindowError",
    "OverlapError",
    "Policy",
    "PoolsOverlapError",
    "RangeInclusive",
    "ReentrantUseError",
    "RefusedError",
    "Region",
    "Reserved",
    "ReservedError",
    "Resource",
    "ResourceAllocator",
    "ResourceMap",
    "ResourceSet",
    "ResourceSize",
    "RollBackError",
    "SnapshotError",
    "SnapshotFormatError",
    "SnapshotLimits",
    "SnapshotMismatchError",
    "SnapshotStateError",
    "SnapshotTooLargeError",
    "SnapshotVersionError",
    "Synchronized",
    "SynchronizedAddressAllocator",
    "SynchronizedIdAllocator",
    "SystemAllocator",
    "Transaction",
    "TransactionStateError",
    "UnaccountedError",
    "UncheckablePoolError",
    "UndoError",
    "UnknownDeviceError",
    "__compiled__",
    "__version__",
    "aligned_to_size",
    "atomically",
    "dump_snapshot",
    "load_snapshot",
    "locked",
    "one_id",
    "transaction",
    "x86_q35",
]
