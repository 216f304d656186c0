"""A first-fit allocator over a sorted list of ranges."""

from __future__ import annotations


class NoRoomError(Exception):
    """The request cannot be granted."""


class TinyAllocator:
    """Ranges of `size` addresses from `base` on; every operation is linear."""

    refusals = (NoRoomError,)

    def __init__(self, base: int, size: int) -> None:
        self.base = base
        self.last = base + size - 1
        self.taken: list[tuple[int, int]] = []

    def allocate(self, resource: int | None, size: int) -> int:
        """Take the lowest room, or exactly the range at `resource`."""
        if size < 1:
            raise NoRoomError("a size is at least 1")
        start = self._lowest(size) if resource is None else resource
        end = start + size - 1
        if (
            start < self.base
            or self.last < end
            or any(start <= high and low <= end for low, high in self.taken)
        ):
            raise NoRoomError(f"no room for {size} at {start:#x}")
        self.taken = sorted([*self.taken, (start, end)])
        return start

    def free(self, resource: int, size: int) -> None:
        """Give back exactly a range that was taken."""
        one = (resource, resource + size - 1)
        if one not in self.taken:
            raise NoRoomError(f"{resource:#x} with {size} is not taken")
        self.taken.remove(one)

    def _lowest(self, size: int) -> int:
        start = self.base
        for low, high in self.taken:
            if start + size - 1 < low:
                break
            start = high + 1
        return start
