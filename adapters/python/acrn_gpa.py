"""The cause of ACRN's `get_free_addr`, in our own code.

It asks whether the candidate *overlaps* the hole that it was taken from, where the
candidate has to be *contained* in it.
"""

from __future__ import annotations

from .seed import DeclinedError, Seed


class GuestPhysicalAddresses(Seed):
    """First fit among the holes, with the wrong question asked of each."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._used: dict[int, int] = {}

    def allocate(self, resource: int | None, size: int) -> int:
        """Grant the start of the first hole that the range overlaps; exact places are checked."""
        if size < 1:
            raise DeclinedError("size")
        for first, last in self._holes():
            if resource is None:
                # The bug: `first + size - 1 <= last` is what was meant.
                if first <= last and first + size - 1 >= first:
                    return self._take(first, size)
            elif first <= resource and resource + size - 1 <= last:
                return self._take(resource, size)
        raise DeclinedError("no hole")

    def free(self, resource: int, size: int) -> None:
        """Forget a used range."""
        if self._used.get(resource) != size:
            raise DeclinedError("not used")
        del self._used[resource]

    def _take(self, start: int, size: int) -> int:
        self._used[start] = size
        return start

    def _holes(self) -> list[tuple[int, int]]:
        holes = []
        first = self.base
        for start, size in sorted(self._used.items()):
            if first < start:
                holes.append((first, start - 1))
            first = max(first, start + size)
        if first <= self.last:
            holes.append((first, self.last))
        return holes
