"""`SystemAllocator`: the base of the dataclass in which a VMM lists its own allocators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from .claims import Claims
from .ordered_pools import OrderedPools
from .ranges import RangeInclusive
from .resource_sets import DeviceNeeds, Grant, ResourceSet, shown
from .snapshots.systems import restore_system, save_system
from .transaction_errors import UnaccountedError, UncheckablePoolError
from .transactions import atomically, transaction
from .view import RangeView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .resource import ResourceAllocator
    from .resource_map import ResourceMap

_OPERATIONS = ("allocate", "free", "update")


class Pool(NamedTuple):
    """An allocator, and the name of the field that it stands in: for people to read."""

    name: str
    allocator: ResourceAllocator[Any, Any]

    def live(self) -> Iterable[RangeInclusive[Any]]:
        """Return the live ranges. Raises `UncheckablePoolError` if the allocator does not tell."""
        if not isinstance(self.allocator, Iterable):
            raise UncheckablePoolError(self.name, type(self.allocator).__name__)
        return self.allocator


class SystemAllocator:
    """The allocators of one virtual machine, each in a field of its own.

    >>> from dataclasses import dataclass
    >>> from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator
    >>> @dataclass(frozen=True, eq=False)
    ... class Board(SystemAllocator):
    ...     slots: IdAllocator
    ...     mmio: AddressAllocator
    >>> board = Board(
    ...     IdAllocator(Id(0), Id(31)), AddressAllocator(GuestAddress(0xC000), GuestUsize(0x2000))
    ... )
    >>> from vm_allocator import DeviceNeeds, Need, ResourceMap, one_id
    >>> held = board.allocate_set(
    ...     DeviceNeeds(one_id(board.slots), mmio=[Need(board.mmio, GuestUsize(0x1000))])
    ... )
    >>> board.check()
    Traceback (most recent call last):
        ...
    vm_allocator.transaction_errors.UnaccountedError: live and held by no device: slots 0, \
mmio 0xc000-0xcfff: allocate and free the devices' ranges through the map only
    >>> board.free_set(held)
    >>> board.check()

    The fields keep their types: no name has to be looked up to get at an allocator. Grants in
    the fields, tuples of them, and sets are what the platform itself holds.
    """

    def pools(self) -> Iterator[Pool]:
        """Iterate over the allocators, in the order of the fields: each once, by its first name.

        `OrderedPools` are no allocator of their own: those of them that are no fields
        themselves follow, as `mmio[0]` and so on.
        """
        seen: set[int] = set()
        ordered = [
            (name, value) for name, value in self._values() if isinstance(value, OrderedPools)
        ]
        parts = [
            (f"{name}[{at}]", pool)
            for name, value in ordered
            for at, pool in enumerate(value.pools)
        ]
        for name, value in chain(self._values(), parts):
            if isinstance(value, OrderedPools):
                continue
            if all(callable(getattr(value, operation, None)) for operation in _OPERATIONS):
                if id(value) not in seen:
                    yield Pool(name, value)
                seen.add(id(value))

    def platform(self) -> Iterator[Grant[Any, Any]]:
        """Iterate over the grants that the platform itself holds."""
        for _, value in self._values():
            if isinstance(value, Grant):
                yield value
            elif isinstance(value, (tuple, ResourceSet)):
                yield from (each for each in value if isinstance(each, Grant))

    def allocate_set(self, needs: DeviceNeeds) -> ResourceSet:
        """Allocate all that is needed, or nothing. O(number of needs) beyond the pools' costs.

        Raises what the pools raise, with nothing changed.
        Whoever calls it keeps the set; `ResourceMap.register` does so for you.
        """
        return atomically(transaction(), needs.allocate)

    def free_set(self, held: ResourceSet) -> None:
        """Free exactly what the set holds, or nothing. O(number of its grants) beyond the pools'.

        Raises what the pools raise, with nothing changed.
        """
        atomically(transaction(), held.free)

    def check(self, *maps: ResourceMap[Any]) -> None:
        """Raise unless live ranges of all pools = the sum over the maps, and the platform's.

        O(n log n) in the number of live ranges. Raises `UnaccountedError`, which names every range
        that has leaked, is held and not live, or is held twice; `UncheckablePoolError` for
        an allocator that cannot be iterated over; and `BrokenInvariantError` if one of ours is
        damaged itself.
        """
        held = Counter(self._held(maps))
        leaked, missing = [], []
        for pool in self.pools():
            if isinstance(pool.allocator, RangeView):
                pool.allocator._check()  # noqa: SLF001  # there for this caller
            for live in pool.live():
                key = _key(pool.allocator, live)
                if held[key] == 0:
                    leaked.append(f"{pool.name} {shown(pool.allocator, live)}")
                held[key] -= 1
        names = {id(pool.allocator): pool for pool in self.pools()}
        for (place, start, end), times in sorted(held.items()):
            if times > 0:
                found = RangeInclusive(start, end)
                pool_of = names.get(place)
                missing.append(
                    f"{found!r} of a pool that is no field of the system"
                    if pool_of is None
                    else f"{pool_of.name} {shown(pool_of.allocator, found)}"
                )
        if leaked or missing:
            raise UnaccountedError(leaked, missing)

    def save(self, *maps: ResourceMap[Any]) -> dict[str, Any]:
        """Return pools, maps and what the platform holds as plain data. O(n).

        Raises `NotSavableError` for what has no place in a snapshot: a pool that is not ours, a
        device whose name is neither a string nor an int. And `SnapshotStateError` where live
        ranges are not what is held, as `check` does; that of a pending move's old range counts.
        """
        return save_system(self, maps)

    def restore(self, data: Any) -> tuple[Self, tuple[ResourceMap[Any], ...]]:
        """Return a system like this one in the state that was saved, and its maps in their order.

        This one, freshly made, says which pools there are, over which spaces, with which index;
        it stays as it is. Fields that are about no allocator are passed on as they are here, and
        no constructor is called. O(n), and O(n log n) for ranges that are not in order.

        Raises, with nothing made, what `RangeAllocator.restore` raises; `SnapshotMismatchError`
        also for pools of other spaces, and `SnapshotStateError` also where live ranges are not
        what is held.
        """
        return restore_system(self, data)

    def picture(self, *maps: ResourceMap[Any]) -> str:
        """Return a drawing in text: a line for each pool, and one for each range live or reserved.

        O(n) in the number of live ranges. Raises `UncheckablePoolError`, as `check` does.
        """
        holders = {
            _key(grant.pool, grant.range): str(device)
            for each in maps
            for device, grant in each.grants()
        }
        holders |= {_key(grant.pool, grant.range): "platform" for grant in self.platform()}
        lines = []
        for pool in self.pools():
            lines.append(f"{pool.name}: {pool.allocator!r}")
            for live in pool.live():
                holder = holders.get(_key(pool.allocator, live), "held by no device")
                lines.append(f"  {shown(pool.allocator, live)}  {holder}")
            if isinstance(pool.allocator, RangeView):
                for found, held in pool.allocator.reserved():
                    lines.append(f"  {shown(pool.allocator, found)}  {held!r}")
        return "\n".join(lines)

    # ---- their parts

    def _values(self) -> Iterator[tuple[str, Any]]:
        names = getattr(self, "__dataclass_fields__", None)
        if names is None:
            raise TypeError(f"{type(self).__name__} is no dataclass: decorate it with @dataclass")
        return ((name, getattr(self, name)) for name in names)

    def claims(self) -> Iterator[tuple[str, Claims[Any, Any, Any]]]:
        """Iterate over the fields that are claims: what their owners hold is held."""
        return ((name, value) for name, value in self._values() if isinstance(value, Claims))

    def _held(self, maps: Iterable[ResourceMap[Any]]) -> Iterator[tuple[int, int, int]]:
        for grant in self.platform():
            yield _key(grant.pool, grant.range)
        for _, claims in self.claims():
            for granted in claims:
                yield _key(claims.allocator, granted.range)
        for each in maps:
            for _, grant in each.grants():
                yield _key(grant.pool, grant.range)


def _key(pool: object, found: RangeInclusive[Any]) -> tuple[int, int, int]:
    """Return what tells a range of one pool from all others; equal pools are not the same."""
    return id(pool), int(found.start), int(found.end)
