"""An allocator on `intervaltree`: the tree holds what is live."""

from __future__ import annotations

from intervaltree import (  # type: ignore[import-untyped]  # it comes without types
    Interval,
    IntervalTree,
)

from .seed import DeclinedError, Seed


class IntervalTreeAllocator(Seed):
    """Half-open intervals [start, start + size) in a tree; gaps are what lies between them."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._live = IntervalTree()

    def allocate(self, resource: int | None, size: int) -> int:
        """Grant the lowest start that fits, or that very one."""
        if size < 1:
            raise DeclinedError("size")
        start = self._lowest(size) if resource is None else resource
        if start < self.base or start + size - 1 > self.last:
            raise DeclinedError("bounds")
        if self._live.overlaps(start, start + size):
            raise DeclinedError("taken")
        self._live.addi(start, start + size)
        return start

    def free(self, resource: int, size: int) -> None:
        """Take exactly that interval out of the tree."""
        # An empty interval is never in the tree, and the tree raises on one.
        if size < 1 or Interval(resource, resource + size) not in self._live:
            raise DeclinedError("not live")
        self._live.removei(resource, resource + size)

    def _lowest(self, size: int) -> int:
        start = self.base
        for live in sorted(self._live):
            if live.begin - start >= size:
                break
            start = int(live.end)
        return start
