"""Ordered pools with one bug each: a `factory(first, last, alignment)` makes them."""

from __future__ import annotations

from typing import Any

from vm_allocator.errors import NoSpaceError
from vm_allocator.machines.pools_machine import pools
from vm_allocator.ordered_pools import OrderedPools
from vm_allocator.ranges import RangeInclusive


class Bent(OrderedPools[Any, Any]):
    """Made like the real ones, of the same pools."""

    def __new__(cls, *arguments: Any) -> Any:
        del arguments
        return super().__new__(cls)

    def __init__(self, first: Any, last: Any = None, alignment: Any = None, *more: Any) -> None:
        # Either from the ends of a space, as a factory, or from pools, as a copy is made.
        made = pools(first, last, alignment).pools if isinstance(first, int) else None
        super().__init__(*(made or [p for p in (first, last, alignment, *more) if p is not None]))


class LastPoolFirst(Bent):
    """The pools are tried from the wrong end."""

    def allocate(self, resource: Any, size: Any, **options: Any) -> Any:
        if resource is not None or len(self.pools) == 1:
            return super().allocate(resource, size, **options)
        for pool in reversed(self.pools):
            try:
                return pool.allocate(None, size, **options)
            except NoSpaceError as error:
                refused = error
        raise refused


class NoFallBack(Bent):
    """The first pool refuses, and nobody else is asked."""

    def allocate(self, resource: Any, size: Any, **options: Any) -> Any:
        if resource is not None:
            return super().allocate(resource, size, **options)
        return self.pools[0].allocate(None, size, **options)


class MoveBetweenPoolsFreesFirst(Bent):
    """A move to another pool frees the old range, and then sees that the new one is taken."""

    def update(
        self, old_resource: Any, old_size: Any, new_resource: Any, new_size: Any, **options: Any
    ) -> None:
        home, to = self._home(old_resource), self._home(new_resource)
        if home is to or not _is_live(home, old_resource, old_size):
            super().update(old_resource, old_size, new_resource, new_size, **options)
            return
        home.free(old_resource, old_size)
        to.allocate(new_resource, new_size, **options)


class MoveBetweenPoolsKeepsTheOldRange(Bent):
    """A move to another pool allocates there, and forgets the range that it came from."""

    def update(
        self, old_resource: Any, old_size: Any, new_resource: Any, new_size: Any, **options: Any
    ) -> None:
        home, to = self._home(old_resource), self._home(new_resource)
        if home is to or not _is_live(home, old_resource, old_size):
            super().update(old_resource, old_size, new_resource, new_size, **options)
            return
        to.allocate(new_resource, new_size, **options)


def _is_live(pool: Any, start: int, size: int) -> bool:
    return start >= 0 and size > 0 and RangeInclusive(start, start + size - 1) in pool
