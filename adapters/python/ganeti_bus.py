"""The cause of ganeti's `bus_manager.py`, in our own code.

The next slot is looked up in what is committed, so that two look-ups before a commit
give one slot out twice.
"""

from __future__ import annotations

from typing import ClassVar

from .seed import DeclinedError, Seed


class BusManager(Seed):
    """A bitmap of committed slots, and slots that wait for the next commit."""

    profile: ClassVar[dict[str, object]] = {
        "kind": "ids",
        "policies": ["first"],
        "greatest_size": 1,
    }

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._committed: set[int] = set()
        self._waiting: set[int] = set()

    def allocate(self, resource: int | None, size: int) -> int:
        """Grant the lowest slot that is not committed, or that very one."""
        if size != 1:
            raise DeclinedError("one slot at a time")
        slot = self._next_allocation() if resource is None else resource
        if not self.base <= slot <= self.last or slot in self._committed:
            raise DeclinedError("no slot")
        self._waiting.add(slot)
        return slot

    def free(self, resource: int, size: int) -> None:
        """Commit, and clear the slot."""
        self._committed |= self._waiting
        self._waiting.clear()
        if size != 1 or resource not in self._committed:
            raise DeclinedError("not allocated")
        self._committed.remove(resource)

    def _next_allocation(self) -> int:
        slot = self.base
        while slot in self._committed:
            slot += 1
        return slot
