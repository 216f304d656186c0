"""What a device needs, what it was granted, and the set of all that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from .ids import ONE
from .ordered_pools import OrderedPools
from .ranges import RangeInclusive
from .resource import GuestAddress, GuestUsize, Id, IdCount, R, ResourceAllocator, S
from .view import RangeView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .policy import Policy
    from .transactions import Transaction


@dataclass(frozen=True, slots=True)
class Need(Generic[R, S]):
    """`size` units of a pool: exactly at `at` if given, else wherever the pool says.

    The other fields are passed on when they are given; a pool that is not one
    of ours has to know them then.
    """

    pool: ResourceAllocator[R, S]
    size: S
    at: R | None = None
    align: int | None = None
    policy: Policy[R] | None = None
    within: RangeInclusive[R] | None = None
    prefer: int | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Grant(Generic[R, S]):
    """A live range of a pool, that somebody holds: `size` units from `start` on."""

    pool: ResourceAllocator[R, S]
    start: R
    size: S

    @property
    def range(self) -> RangeInclusive[R]:
        """The range, both ends included."""
        start = self.start.__index__()
        end: R = start + self.size.__index__() - 1  # type: ignore[assignment]  # NewTypes are ints; R is one of them
        return RangeInclusive(self.start, end)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same range of the very same pool: equal pools are not the same."""
        if not isinstance(other, Grant):
            return NotImplemented
        mine, theirs = (self.start, self.size), (other.start, other.size)
        return self.pool is other.pool and mine == theirs

    def __hash__(self) -> int:
        return hash((id(self.pool), self.start.__index__(), self.size.__index__()))

    def __str__(self) -> str:
        return shown(self.pool, self.range)

    def __repr__(self) -> str:
        return f"<Grant {self} of a {type(self.pool).__name__}>"


def shown(pool: object, found: RangeInclusive[Any]) -> str:
    """Return a range of the pool as people write it: addresses in hex, ids in decimal."""
    if isinstance(pool, RangeView):
        return pool._unit.show_range(int(found.start), int(found.end))  # noqa: SLF001  # it knows
    return repr(found)


def allocate(tx: Transaction, need: Need[R, S]) -> Grant[R, S]:
    """Allocate what is needed, within the transaction. Raises what the pool raises."""
    chosen = {
        "align": need.align,
        "policy": need.policy,
        "within": need.within,
        "prefer": need.prefer,
        "owner": need.owner,
    }
    options: dict[str, Any] = {key: value for key, value in chosen.items() if value is not None}
    start: R = tx.allocate(need.pool, need.at, need.size, **options)
    # Of several pools the one that granted it: that is whose live range it is.
    pool = need.pool.pool_at(start) if isinstance(need.pool, OrderedPools) else None
    return Grant(need.pool if pool is None else pool, start, need.size)


Wish: TypeAlias = Need[R, S] | Grant[R, S]
"""Something new, or a grant that the device holds and keeps."""


@dataclass(frozen=True, slots=True)
class DeviceNeeds:
    """What a device needs to be plugged in: an instance id, and as much of the rest as it has.

    For `ResourceMap.update_device`, a `Grant` that the device holds stands for "keep this".
    """

    instance: Wish[Id, IdCount]
    irqs: Sequence[Wish[Id, IdCount]] = ()
    """Legacy interrupts, or GSIs."""
    vectors: Sequence[Wish[Id, IdCount]] = ()
    """Message-signalled vectors: MSI takes a block that is aligned to its size, MSI-X any."""
    mmio: Sequence[Wish[GuestAddress, GuestUsize]] = ()
    pio: Sequence[Wish[GuestAddress, GuestUsize]] = ()

    def __post_init__(self) -> None:
        # They are gone through more than once, and must not change in between.
        for name in ("irqs", "vectors", "mmio", "pio"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def __iter__(self) -> Iterator[Wish[Any, Any]]:
        """Iterate over all of them, in the order in which they are allocated."""
        yield self.instance
        yield from self.irqs
        yield from self.vectors
        yield from self.mmio
        yield from self.pio

    def allocate(self, tx: Transaction) -> ResourceSet:
        """Allocate all that is new, within the transaction; grants stay as they are.

        O(number of needs) beyond the pools' costs. Raises what the pools raise.
        """

        def granted(wish: Wish[R, S]) -> Grant[R, S]:
            return wish if isinstance(wish, Grant) else allocate(tx, wish)

        return ResourceSet(
            instance=granted(self.instance),
            irqs=tuple([granted(wish) for wish in self.irqs]),
            vectors=tuple([granted(wish) for wish in self.vectors]),
            mmio=tuple([granted(wish) for wish in self.mmio]),
            pio=tuple([granted(wish) for wish in self.pio]),
        )


@dataclass(frozen=True, slots=True)
class ResourceSet:
    """All that one device holds. It never changes: a device that changes gets another set."""

    instance: Grant[Id, IdCount]
    irqs: tuple[Grant[Id, IdCount], ...]
    vectors: tuple[Grant[Id, IdCount], ...]
    mmio: tuple[Grant[GuestAddress, GuestUsize], ...]
    pio: tuple[Grant[GuestAddress, GuestUsize], ...]

    def __iter__(self) -> Iterator[Grant[Any, Any]]:
        """Iterate over all of them, in the order in which they were allocated."""
        yield self.instance
        yield from self.irqs
        yield from self.vectors
        yield from self.mmio
        yield from self.pio

    def needs(self) -> DeviceNeeds:
        """Return needs that keep all of it: with `dataclasses.replace`, all but something."""
        return DeviceNeeds(self.instance, self.irqs, self.vectors, self.mmio, self.pio)

    def free(self, tx: Transaction) -> None:
        """Free exactly these ranges, within the transaction, the last one first.

        O(number of grants) beyond the pools' costs. Raises what the pools raise.
        """
        free_all(tx, reversed(tuple(self)))


def free_all(tx: Transaction, grants: Iterable[Grant[Any, Any]]) -> None:
    """Free the grants, within the transaction. Raises what the pools raise."""
    for grant in grants:
        tx.free(grant.pool, grant.start, grant.size)


def one_id(pool: ResourceAllocator[Id, IdCount], at: Id | None = None) -> Need[Id, IdCount]:
    """Return the need of a single id of the pool: any, or exactly this one."""
    return Need(pool, ONE, at)


def aligned_to_size(
    pool: ResourceAllocator[GuestAddress, GuestUsize],
    size: GuestUsize,
    *,
    within: RangeInclusive[GuestAddress] | None = None,
) -> Need[GuestAddress, GuestUsize]:
    """Return the need of a PCI BAR: a power of two of bytes, aligned to itself.

    PCI Local Bus Specification 3.0, section 6.2.5.1: the low bits of a BAR are hardwired to 0.
    """
    return Need(pool, size, align=size, within=within)
