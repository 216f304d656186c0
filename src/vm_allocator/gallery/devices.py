"""A correct map of devices over several pools, and bugs of such maps.

The docstring of a class that is a bug is the cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from vm_allocator.ranges import RangeInclusive

from .ranges import DeclinedError, Gap, ListAllocator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vm_allocator.checker.device_calls import Kept, Need

    Held: TypeAlias = tuple[str, int, int]
    """A pool, the start and the size of a range of it."""


class DeviceMap:
    """A map from each device to what it holds of two pools. Correct."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (DeclinedError,)
    profile: ClassVar[dict[str, object]] = {"pools": ["irqs", "bars"]}

    def __init__(self, pools: Mapping[str, RangeInclusive[int]]) -> None:
        self.pools = {name: self.pool(name, space) for name, space in pools.items()}
        self.devices: dict[str, list[Held]] = {}

    def pool(self, name: str, space: RangeInclusive[int]) -> ListAllocator:
        """Return the allocator of a pool."""
        del name
        return ListAllocator(space.start, space.size)

    def register(self, device: str, needs: Sequence[Need]) -> list[int]:
        """Give a new device all that it needs, or nothing. Raises `DeclinedError`."""
        if device in self.devices:
            raise DeclinedError("device exists")
        held = self.allocate_all(needs)
        self.devices[device] = held
        return [start for _, start, _ in held]

    def unregister(self, device: str) -> None:
        """Take all back that a device holds. Raises `DeclinedError`."""
        self.check_known(device)
        self.free_all(self.devices[device])
        self.forget(device)

    def update_device(self, device: str, keep: Sequence[Kept], needs: Sequence[Need]) -> list[int]:
        """Take back what is not kept, then give what is new. Raises `DeclinedError`."""
        self.check_known(device)
        kept = [(one.pool, one.range.start, one.range.end - one.range.start + 1) for one in keep]
        before = self.devices[device]
        if any(one not in before for one in kept) or len(set(kept)) < len(kept):
            raise DeclinedError("not held")
        gone = [one for one in before if one not in kept]
        self.free_all(gone)
        try:
            new = self.allocate_all(needs)
        except DeclinedError:
            for pool, start, size in gone:
                self.pools[pool].take(start, size)
            raise
        self.devices[device] = [*kept, *new]
        return [start for _, start, _ in new]

    def live(self) -> list[RangeInclusive[int]]:
        """Return the live ranges of all pools."""
        return [
            RangeInclusive(start, start + size - 1)
            for pool in self.pools.values()
            for start, size in pool.held.items()
        ]

    def held(self) -> dict[str, list[RangeInclusive[int]]]:
        """Return what each device holds."""
        return {
            device: [RangeInclusive(start, start + size - 1) for _, start, size in held]
            for device, held in self.devices.items()
        }

    # ---- the steps

    def check_known(self, device: str) -> None:
        """Decline a device that is not there."""
        if device not in self.devices:
            raise DeclinedError("no such device")

    def allocate_all(self, needs: Sequence[Need]) -> list[Held]:
        """Allocate one after the other; give all back if one is declined."""
        held: list[Held] = []
        try:
            for need in needs:
                align = 1 if need.align is None else need.align
                start = self.pools[need.pool].allocate(need.start, need.size, align=align)
                held.append((need.pool, start, need.size))
        except DeclinedError:
            self.free_all(held)
            raise
        return held

    def free_all(self, held: list[Held]) -> None:
        """Give all of it back."""
        for pool, start, size in held:
            self.pools[pool].free(start, size)

    def forget(self, device: str) -> None:
        """Take the device out of the map."""
        del self.devices[device]


class UnplugLeaksVectors(DeviceMap):
    """Unplugging a device frees its BARs, and forgets its interrupt vectors."""

    def free_all(self, held: list[Held]) -> None:
        """Free the BARs."""
        super().free_all([one for one in held if one[0] == "bars"])


class UnplugLeaksTheBar(DeviceMap):
    """Unplugging a device frees its interrupts, and its BAR stays allocated for good."""

    def free_all(self, held: list[Held]) -> None:
        """Free the interrupts."""
        super().free_all([one for one in held if one[0] == "irqs"])


class SlotOfRemovedDevice(DeviceMap):
    """Of what a removed device holds only the first is freed: its interrupt or slot stays taken."""

    def free_all(self, held: list[Held]) -> None:
        """Free the first."""
        super().free_all(held[:1])


class EntryOfRemovedDevice(DeviceMap):
    """The ranges are given back, and the map of the devices keeps its entry."""

    def forget(self, device: str) -> None:
        """Keep it."""


class RemovesFromWhatItIteratesOver(DeviceMap):
    """The list of what a device holds is changed while it is gone through: half is skipped."""

    def free_all(self, held: list[Held]) -> None:
        """Free what is not skipped."""
        for one in held:
            held.remove(one)
            super().free_all([one])


class _CountsUp(ListAllocator):
    """Never looks back."""

    next = 0

    def lowest(self, size: int, align: int, window: Gap) -> int | None:
        """Return the lowest start that was never granted."""
        rest = window.clipped(Gap(self.next, self.space.last))
        start = super().lowest(size, align, rest)
        if start is not None:
            self.next = start + size
        return start


class GsiCounter(DeviceMap):
    """Interrupts come from a counter that counts up whatever is unplugged."""

    profile: ClassVar[dict[str, object]] = {**DeviceMap.profile, "policies": ["any"]}

    def pool(self, name: str, space: RangeInclusive[int]) -> ListAllocator:
        """Return a counter for the interrupts."""
        return _CountsUp(space.start, space.size) if name == "irqs" else super().pool(name, space)
