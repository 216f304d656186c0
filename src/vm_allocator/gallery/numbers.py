"""Two correct allocators of ids, one at a time: what the bugs of the gallery bend."""

from __future__ import annotations

from typing import ClassVar

from .ranges import DeclinedError


class IdCounter:
    """A counter of ids never used yet, and a set of those that came back. Correct."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (DeclinedError,)
    profile: ClassVar[dict[str, object]] = {
        "kind": "ids",
        "policies": ["first"],
        "greatest_size": 1,
    }

    def __init__(self, base: int, size: int) -> None:
        self.base, self.last = base, base + size - 1
        self.next = base
        self.returned: set[int] = set()

    def allocate(self, resource: int | None, size: int) -> int:
        """Grant the lowest id that is not live. Raises `DeclinedError`."""
        if resource is not None or size != 1:
            raise DeclinedError("one id, anywhere")
        number = self.lowest()
        if number > self.last:
            raise DeclinedError("no id left")
        self.take(number)
        return number

    def free(self, resource: int, size: int) -> None:
        """Take a live id back. Raises `DeclinedError`."""
        if size != 1 or not self.is_live(resource):
            raise DeclinedError("not live")
        self.give_back(resource)

    # ---- the steps

    def lowest(self) -> int:
        """Return the lowest id that is not live; it may be beyond the last one."""
        return min(self.returned, default=self.next)

    def is_live(self, number: int) -> bool:
        """Whether the id was granted and has not come back."""
        return self.base <= number < self.next and number not in self.returned

    def take(self, number: int) -> None:
        """Note that the lowest id is live now."""
        if number in self.returned:
            self.returned.remove(number)
        else:
            self.next = number + 1

    def give_back(self, number: int) -> None:
        """Note that the id can be granted again."""
        self.returned.add(number)


class PortBus:
    """Numbered ports: the next free one, round and round, or a certain one. Correct."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (DeclinedError,)
    profile: ClassVar[dict[str, object]] = {
        "kind": "ids",
        "policies": ["any", "exact"],
        "greatest_size": 1,
    }

    def __init__(self, base: int, size: int) -> None:
        self.first, self.last = base, base + size - 1
        self.next = base
        self.used: set[int] = set()

    def allocate(self, resource: int | None, size: int) -> int:
        """Grant the next free port, or that very one. Raises `DeclinedError`."""
        if size != 1:
            raise DeclinedError("one port at a time")
        if resource is None:
            resource = self.next_free()
        elif not self.first <= resource <= self.last:
            raise DeclinedError("no such port")
        else:
            self.reserve(resource)
        self.used.add(resource)
        return resource

    def free(self, resource: int, size: int) -> None:
        """Take the device off its port. Raises `DeclinedError`."""
        if size != 1 or resource not in self.used:
            raise DeclinedError("no device")
        self.used.remove(resource)

    # ---- the steps

    def next_free(self) -> int:
        """Return the next port without a device, the first one again after the last."""
        if len(self.used) > self.last - self.first:
            raise DeclinedError("full")
        while self.next > self.last or self.next in self.used:
            self.next = self.next + 1 if self.next < self.last else self.carry()
        self.next += 1
        return self.next - 1

    def carry(self) -> int:
        """Return where the search goes on after the last port."""
        return self.first

    def reserve(self, port: int) -> None:
        """Decline a port that has a device."""
        if port in self.used:
            raise DeclinedError("taken")
