"""Every machine by name: what it drives, in which spaces, with which alignments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.address import AddressAllocator
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap
from vm_allocator.ids import IdAllocator
from vm_allocator.resource import U32_MAX, U64_MAX

from .claims_machine import ClaimsMachine, fresh_claims
from .deep_machine import DeepTreeMachine
from .device_lockstep import plant
from .device_machine import DeviceMachine
from .index_machine import IndexMachine
from .kinds import AddressMachine, IdMachine
from .pools_machine import PoolsMachine, pools
from .requests import BIG_ALIGNMENTS, SMALL_ALIGNMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Spaces as (first, last), where everything collides: 1, 8, 16 and 64 units, aligned and not.
SMALL: Final = (
    (0, 7),
    (1, 8),
    (5, 5),
    (0, 15),
    (4, 19),
    (3, 63),
    (0, 63),
    (0x1000, 0x103F),
)


def ends(top: int) -> tuple[tuple[int, int], ...]:
    """Spaces as (first, last) at both ends of the numbers up to `top`, and over all of them."""
    return (
        (0, top),
        (1, top),
        (0, top - 1),
        (1, top - 1),
        (0, 15),
        (1, 16),
        (top - 15, top),
        (top - 16, top - 1),
        (top, top),
        (top // 2 + 1, top),
    )


DEEP: Final = ((0, 2999), (7, 3006), (0x800, 0x17FF), (U64_MAX - 2999, U64_MAX))

# Nodes so small that a dozen live ranges make several levels: what takes thousands of ranges
# in the tree that ships.
TINY_TREE: Final = partial(GapTree, capacity=4)
UNEVEN_TREE: Final = partial(GapTree, capacity=5)

# Chunks and groups so small that every few live ranges lie across several of them.
TINY_BITMAP: Final = partial(IdBitmap, chunk_bits=2, fan_bits=1)


@dataclass(frozen=True)
class MachineEntry:
    """A machine, and what it drives unless told otherwise."""

    name: str
    about: str
    machine: type[
        AddressMachine | IdMachine | IndexMachine | ClaimsMachine | DeviceMachine | PoolsMachine
    ]
    factory: Callable[..., Any]
    spaces: Sequence[tuple[int, int]]
    alignments: Sequence[int]
    batch: int = 100
    """Examples between two looks at the clock: fewer where an example takes long."""


MACHINES: Final[dict[str, MachineEntry]] = {
    entry.name: entry
    for entry in (
        MachineEntry(
            "address-small",
            "addresses in spaces of 1 to 64 bytes, where everything collides",
            AddressMachine,
            AddressAllocator,
            SMALL,
            SMALL_ALIGNMENTS,
        ),
        MachineEntry(
            "address-ends",
            "addresses at both ends of 2^64, and in the whole of it",
            AddressMachine,
            AddressAllocator,
            ends(U64_MAX),
            BIG_ALIGNMENTS,
        ),
        MachineEntry(
            "id-small",
            "ids in spaces of 1 to 64: one at a time, in blocks, exactly",
            IdMachine,
            IdAllocator,
            (*SMALL, (5, 23), (33, 96)),
            SMALL_ALIGNMENTS,
        ),
        MachineEntry(
            "id-ends",
            "ids at both ends of 2^32, and in the whole of it",
            IdMachine,
            IdAllocator,
            ends(U32_MAX),
            BIG_ALIGNMENTS,
        ),
        MachineEntry(
            "index-small",
            "the gap index alone against its contract, in spaces of 1 to 64",
            IndexMachine,
            SortedGaps,
            SMALL,
            SMALL_ALIGNMENTS,
        ),
        MachineEntry(
            "index-ends",
            "the gap index alone against its contract, at both ends of 2^64",
            IndexMachine,
            SortedGaps,
            ends(U64_MAX),
            BIG_ALIGNMENTS,
        ),
        MachineEntry(
            "tree-small",
            "the gap tree with tiny nodes against the contract, in spaces of 1 to 64",
            IndexMachine,
            TINY_TREE,
            SMALL,
            SMALL_ALIGNMENTS,
        ),
        MachineEntry(
            "tree-ends",
            "the gap tree with tiny nodes and exact bounds, at both ends of 2^64",
            IndexMachine,
            UNEVEN_TREE,
            ends(U64_MAX),
            BIG_ALIGNMENTS,
        ),
        MachineEntry(
            "tree-deep",
            "a deep gap tree, grown and shrunk, that meets ever more alignments",
            DeepTreeMachine,
            TINY_TREE,
            DEEP,
            SMALL_ALIGNMENTS,
            batch=15,
        ),
        MachineEntry(
            "bitmap-small",
            "the bitmap of ids alone against the contract, in spaces of 1 to 64",
            IndexMachine,
            IdBitmap,
            SMALL,
            SMALL_ALIGNMENTS,
        ),
        MachineEntry(
            "bitmap-ends",
            "the bitmap of ids alone against the contract, at both ends of 2^32",
            IndexMachine,
            IdBitmap,
            ends(U32_MAX),
            BIG_ALIGNMENTS,
        ),
        MachineEntry(
            "bitmap-chunks",
            "the bitmap with chunks of 4 ids and groups of 2, whose borders are everywhere",
            IndexMachine,
            TINY_BITMAP,
            (*SMALL, (0, 299), (1000, 1254)),
            SMALL_ALIGNMENTS,
        ),
        MachineEntry(
            "claims",
            "claims of five owners to the places of each other, granted and waiting",
            ClaimsMachine,
            fresh_claims,
            SMALL,
            SMALL_ALIGNMENTS,
        ),
        MachineEntry(
            "devices",
            "devices plugged and unplugged, and transactions rolled back, over five small pools",
            DeviceMachine,
            plant,
            SMALL,
            SMALL_ALIGNMENTS,
            batch=50,
        ),
        MachineEntry(
            "pools",
            "three pools as one, tried in their order, in spaces of 1 to 64 bytes",
            PoolsMachine,
            pools,
            SMALL,
            SMALL_ALIGNMENTS,
        ),
    )
}
