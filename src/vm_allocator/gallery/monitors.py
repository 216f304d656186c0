"""Bugs of virtual machine monitors and their tools: the cause of each, in code of our own.

The docstring of a class is the cause.
"""

from __future__ import annotations

from typing import ClassVar

from .numbers import IdCounter, PortBus
from .ranges import DeclinedError, Gap, ListAllocator, Options, Place


class MoveFreesFirst(ListAllocator):
    """A move frees the old range, and returns early when the new one is refused."""

    def relocate(self, old: Place, new: Place, options: Options) -> None:
        self.free(*old)
        self.allocate(*new, **options)


class MoveWritesFirst(ListAllocator):
    """The register holds the new place already when the move is refused."""

    def relocate(self, old: Place, new: Place, options: Options) -> None:
        self.check_held(*old)
        try:
            super().relocate(old, new, options)
        except DeclinedError:
            del self.held[old[0]]
            self.held[new[0]] = new[1]
            raise


class CounterOnlyUp(IdCounter):
    """Interrupt numbers come from a counter that only counts up."""

    profile: ClassVar[dict[str, object]] = {**IdCounter.profile, "policies": ["any"]}

    def lowest(self) -> int:
        return self.next


class BaseRefused(ListAllocator):
    """An exact place is compared with the base of the space by `<=` where `<` was meant."""

    def exact(self, start: int, size: int, align: int, window: Gap) -> int | None:
        if start <= self.space.first:
            return None
        return super().exact(start, size, align, window)


class UnplugKeeps(ListAllocator):
    """Unplugging a device forgets its range and does not give it back."""

    def give_back(self, freed: Gap) -> None:
        pass


class PreferredNotTaken(ListAllocator):
    """A preferred address that is free is used as it is, and never reserved."""

    def reserve(self, start: int | None, size: int) -> int:
        return super().reserve(start, size) if start is None else start


class BarNotAligned(ListAllocator):
    """A region gets the next address that is free, whatever its alignment."""

    def aligned_up(self, address: int, align: int) -> int:
        del align
        return address


class SlotStays(IdCounter):
    """Removing a device returns its interrupt, but not the slot that goes with it."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self.slots: set[int] = set()

    def lowest(self) -> int:
        return min(self.returned - self.slots, default=self.next)

    def take(self, number: int) -> None:
        super().take(number)
        self.slots.add(number)


class MapKeepsEntry(ListAllocator):
    """The range is given back, but the map of devices keeps its entry, which conflicts later."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self.devices: set[int] = set()

    def grant(self, start: int | None, size: int) -> int:
        if start in self.devices:
            raise DeclinedError("conflict")
        granted = super().grant(start, size)
        self.devices.add(granted)
        return granted


class OverlapsTheHole(ListAllocator):
    """The range has to overlap the hole that it is taken from, where it has to lie in it."""

    def fits(self, part: Gap, start: int, size: int) -> bool:
        return part.first <= start <= part.last and start + size - 1 >= part.first


class CarryToZero(PortBus):
    """After the last port the search goes on at 0, where the first port was meant."""

    def carry(self) -> int:
        return 0


class ReserveErases(PortBus):
    """Reserving the port of a live device erases the device."""

    def reserve(self, port: int) -> None:
        self.used.discard(port)


class NextBeforeCommit(IdCounter):
    """The next slot is looked up in what is committed: twice before a commit, it is the same."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self.waiting: list[int] = []

    def take(self, number: int) -> None:
        self.waiting.append(number)

    def free(self, resource: int, size: int) -> None:
        for number in dict.fromkeys(self.waiting):
            super().take(number)
        self.waiting.clear()
        super().free(resource, size)
