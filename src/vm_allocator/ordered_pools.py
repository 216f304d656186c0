"""`OrderedPools`: several allocators as one, the first that has room being asked first."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Any, Generic

from .address import AddressAllocator, RangeAllocator
from .errors import InvalidTypeError, NoSpaceError
from .ids import IdAllocator
from .policy import ExactMatch
from .pool_errors import NoPoolsError, NoRoomInPoolsError, PoolsOverlapError
from .ranges import RangeInclusive
from .resource import R, S, Unit
from .snapshots.pools import read_pools, save_pools
from .transactions import transaction
from .view import plain_int

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .gaps import GapIndex
    from .policy import Policy


class OrderedPools(Generic[R, S]):
    """Pools that are tried in their order: the 64-bit window, say, and then the 32-bit one.

    >>> from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
    >>> high = AddressAllocator(GuestAddress(1 << 32), GuestUsize(0x2000))
    >>> low = AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x4000))
    >>> mmio = OrderedPools(high, low)
    >>> [hex(mmio.allocate(None, GuestUsize(0x2000))) for _ in range(3)]
    ['0x100000000', '0xc0000000', '0xc0002000']
    >>> mmio.free(GuestAddress(1 << 32), GuestUsize(0x2000))
    >>> mmio.allocate(None, GuestUsize(0x4000))
    Traceback (most recent call last):
        ...
    vm_allocator.pool_errors.NoRoomInPoolsError: no room for 0x4000 aligned to 0x1 in any of \
0x100000000-0x100001fff, 0xc0000000-0xc0003fff: free something, or ask for less

    It is a `ResourceAllocator` itself, has no state of its own, and leaves the pools as they are
    to whoever else uses them. `p` below is the number of pools; the costs of theirs come on top.
    Raises `NoPoolsError` for none, `PoolsOverlapError` if two of them share an address, and
    `InvalidTypeError` for what is no allocator of this library, or one of another kind.
    """

    __slots__ = ("_pools", "_unit")

    def __init__(self, *pools: RangeAllocator[R, S]) -> None:
        if not pools:
            raise NoPoolsError
        for pool in pools:
            if not isinstance(pool, RangeAllocator):
                raise InvalidTypeError(Unit.ADDRESS, "pool", pool, "a RangeAllocator")
        self._unit = pools[0]._unit  # noqa: SLF001  # which shows values
        for one, other in combinations(pools, 2):
            if other._unit is not self._unit:  # noqa: SLF001  # likewise
                raise InvalidTypeError(self._unit, "pool", other, f"one of the kind of {one!r}")
            if one.space.overlaps(other.space):
                spaces = (int(one.base), int(one.last), int(other.base), int(other.last))
                raise PoolsOverlapError(self._unit, *spaces)
        self._pools = pools

    @property
    def pools(self) -> tuple[RangeAllocator[R, S], ...]:
        """The pools, the one that is tried first first."""
        return self._pools

    def pool_at(self, resource: R) -> RangeAllocator[R, S] | None:
        """Return the pool whose space `resource` lies in; `None` if there is none. O(p).

        Raises `InvalidTypeError` for what is no int.
        """
        value = plain_int(self._unit, "resource", resource)
        return next((pool for pool in self._pools if pool._base <= value <= pool._last), None)  # noqa: SLF001  # plain ints

    # ---- the operations

    def allocate(
        self,
        resource: R | None,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        prefer: int | None = None,
        owner: str | None = None,
    ) -> R:
        """Allocate `size` units in the first pool that has room: by `policy`, within that pool.

        An exact start is asked of the pool that it lies in. A place at a multiple of `prefer` is
        preferred to another one of its pool, and not to an earlier pool.

        Raises, with nothing changed, `NoRoomInPoolsError` if no pool has room, and otherwise
        what that one pool raises. O(p).
        """
        exact = policy.start if isinstance(policy, ExactMatch) else resource
        if exact is not None:
            return self._home(exact).allocate(
                resource,
                size,
                align=align,
                policy=policy,
                within=within,
                prefer=prefer,
                owner=owner,
            )
        refusals = list[NoSpaceError]()
        for pool in self._pools:
            try:
                return pool.allocate(
                    None,
                    size,
                    align=align,
                    policy=policy,
                    within=within,
                    prefer=prefer,
                    owner=owner,
                )
            except NoSpaceError as error:
                refusals.append(error)
        raise self._no_room(refusals)

    def free(self, resource: R, size: S) -> None:
        """Free exactly that range in its pool. Raises what the pool raises. O(p)."""
        self._home(resource).free(resource, size)

    def update(
        self,
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> None:
        """Move a live range, from one pool to another too: the whole of it, or nothing. O(p).

        Raises what `RangeAllocator.update` raises, with nothing changed.
        """
        to = self._home(new_resource)
        home = to if old_resource is None else self._home(old_resource)
        if home is to or old_resource is None or old_size is None:
            home.update(old_resource, old_size, new_resource, new_size, align=align, within=within)
            return
        # The new range first: what refuses it has then changed nothing, not even for a moment.
        with transaction() as tx:
            whose = home.owner_of(old_resource) if owner is None else owner
            tx.allocate(to, new_resource, new_size, align=align, within=within, owner=whose)
            tx.free(home, old_resource, old_size)

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        prefer: int | None = None,
    ) -> R | None:
        """Return what `allocate` would grant now, without allocating; `None` for a refusal. O(p).

        Raises what `allocate` raises for requests that make no sense.
        """
        pools = (self._home(policy.start),) if isinstance(policy, ExactMatch) else self._pools
        for pool in pools:
            found = pool.available(size, align=align, policy=policy, within=within, prefer=prefer)
            if found is not None:
                return found
        return None

    # ---- what is live

    def __len__(self) -> int:
        """Return the number of live ranges in all pools. O(p)."""
        return sum(map(len, self._pools))

    def __iter__(self) -> Iterator[RangeInclusive[R]]:
        """Iterate over the live ranges, pool by pool, each lowest first. O(n) in all."""
        return chain.from_iterable(self._pools)

    def owner_of(self, resource: R) -> str | None:
        """Return whose the range is that `resource` lies in; `None`: nobody's. O(p)."""
        pool = self.pool_at(resource)
        return None if pool is None else pool.owner_of(resource)

    def lookup(self, resource: R) -> RangeInclusive[R] | None:
        """Return the live range that `resource` lies in; `None` if there is none. O(p)."""
        pool = self.pool_at(resource)
        return None if pool is None else pool.lookup(resource)

    def __contains__(self, item: R | RangeInclusive[R]) -> bool:
        """Whether a resource lies in a live range, or exactly this range is live. O(p)."""
        return item in self._home(item.start if isinstance(item, RangeInclusive) else item)

    # ---- snapshots and copies

    def save(self) -> dict[str, Any]:
        """Return the state of all pools as plain data, in their order. O(n). See `restore`."""
        return save_pools(self._pools)

    @classmethod
    def restore(
        cls, data: Any, *, index: Callable[[int, int], GapIndex] | None = None
    ) -> OrderedPools[Any, Any]:
        """Return new pools in the state that was saved, as one; `index` is that of all of them.

        O(n), and O(n log n) for ranges that are not in order. Raises what
        `RangeAllocator.restore` raises.
        """
        states = read_pools(data)
        kinds: dict[Unit, type[RangeAllocator[Any, Any]]] = {
            Unit.ADDRESS: AddressAllocator,
            Unit.ID: IdAllocator,
        }
        return cls(*[kinds[state.unit]._made(state, index) for state in states])  # noqa: SLF001  # theirs to make

    def copy(self) -> OrderedPools[R, S]:
        """Return equal pools that share nothing with these. O(n)."""
        return type(self)(*[pool.copy() for pool in self._pools])

    def __copy__(self) -> OrderedPools[R, S]:
        return self.copy()

    def __eq__(self, other: object) -> bool:
        """Whether the pools are equal, one by one. O(n)."""
        if not isinstance(other, OrderedPools):
            return NotImplemented
        return self._pools == other._pools

    # Allocators change; a hash that changes with them would be a trap.
    __hash__ = None  # type: ignore[assignment]  # the documented way to be unhashable

    def __repr__(self) -> str:
        return f"<OrderedPools of {', '.join(map(repr, self._pools))}>"

    # ---- their parts

    def _home(self, resource: R) -> RangeAllocator[R, S]:
        """Return the pool that `resource` lies in, or else the nearest: that one will refuse."""
        value = plain_int(self._unit, "resource", resource)
        best, least = self._pools[0], _distance(self._pools[0], value)
        for pool in self._pools[1:]:
            distance = _distance(pool, value)
            if distance < least:
                best, least = pool, distance
        return best

    def _no_room(self, refusals: list[NoSpaceError]) -> NoRoomInPoolsError:
        of = refusals[0]
        windows = tuple([(refusal.first, refusal.last) for refusal in refusals])
        return NoRoomInPoolsError(of.unit, of.span, of.align, windows)


def _distance(pool: RangeAllocator[R, S], value: int) -> int:
    """Return how far the space of the pool is from `value`: 0 if it lies in it."""
    outside = max(pool._base - value, value - pool._last)  # noqa: SLF001  # plain ints
    return max(outside, 0)
