"""Two causes of avocado-vt's `qdevices.py`, in our own code: a bus of numbered ports."""

from __future__ import annotations

from typing import ClassVar

from .seed import DeclinedError, Seed


class _Bus(Seed):
    profile: ClassVar[dict[str, object]] = {
        "kind": "ids",
        "policies": ["any", "exact"],
        "greatest_size": 1,
    }

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._ports: set[int] = set()
        self._next = base

    def allocate(self, resource: int | None, size: int) -> int:
        """Insert a device at the next free port, or reserve that very one."""
        if size != 1:
            raise DeclinedError("one port at a time")
        if resource is None:
            return self._insert()
        if not self.base <= resource <= self.last:
            raise DeclinedError("no such port")
        return self._reserve(resource)

    def free(self, resource: int, size: int) -> None:
        """Remove the device from its port."""
        if size != 1 or resource not in self._ports:
            raise DeclinedError("no device")
        self._ports.remove(resource)

    def _insert(self) -> int:
        if len(self._ports) > self.last - self.base:
            raise DeclinedError("full")
        while self._next in self._ports or self._next > self.last:
            self._next = self._next + 1 if self._next < self.last else self._after_carry()
        self._ports.add(self._next)
        return self._next

    def _after_carry(self) -> int:
        return self.base

    def _reserve(self, port: int) -> int:
        if port in self._ports:
            raise DeclinedError("taken")
        self._ports.add(port)
        return port


class CarryToZero(_Bus):
    """After the last port the search goes on at 0, where the first port was meant."""

    def _after_carry(self) -> int:
        return 0


class ReserveErases(_Bus):
    """Reserving a port that a live device has erases the device."""

    def _reserve(self, port: int) -> int:
        self._ports.add(port)
        return port
