"""An allocator on `portion`: the free space is one union of intervals."""

from __future__ import annotations

import portion  # type: ignore[import-untyped]  # it comes without types

from .seed import DeclinedError, Seed


class PortionAllocator(Seed):
    """Half-open intervals, so that neighbours melt into one: [0, 4) | [4, 8) is [0, 8)."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._free = portion.closedopen(base, base + size)
        self._live: dict[int, int] = {}

    def allocate(self, resource: int | None, size: int) -> int:
        """Grant the lowest start that fits, or that very one."""
        if size < 1:
            raise DeclinedError("size")
        start = self._lowest(size) if resource is None else resource
        wanted = portion.closedopen(start, start + size)
        if wanted not in self._free:
            raise DeclinedError("taken")
        self._free -= wanted
        self._live[start] = size
        return start

    def free(self, resource: int, size: int) -> None:
        """Give a live range back to the union."""
        if resource not in self._live or self._live[resource] != size:
            raise DeclinedError("not live")
        del self._live[resource]
        self._free |= portion.closedopen(resource, resource + size)

    def _lowest(self, size: int) -> int:
        for gap in self._free:
            if not gap.empty and gap.upper - gap.lower >= size:
                return int(gap.lower)
        raise DeclinedError("full")
