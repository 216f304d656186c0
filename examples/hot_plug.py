# ruff: noqa: INP001  # a program that is run, of no package
"""A VMM in small: its own allocators, devices plugged in and out, a guest that moves a BAR.

Run it: `python examples/hot_plug.py`. It passes `mypy --strict`, and pyright in strict mode.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from vm_allocator import (
    AddressAllocator,
    AllocatorError,
    DeviceNeeds,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    Need,
    ResourceMap,
    ResourceSet,
    SystemAllocator,
    aligned_to_size,
    one_id,
    transaction,
)

BAR = GuestUsize(0x4000)


@dataclass(frozen=True, eq=False)
class Pools(SystemAllocator):
    """Where this VMM's resources come from."""

    slots: IdAllocator
    irqs: IdAllocator
    vectors: IdAllocator
    mmio: AddressAllocator


@dataclass
class Hypervisor:
    """Stands for what maps guest addresses to devices, and may fail."""

    mappings: dict[GuestAddress, str] = field(default_factory=dict[GuestAddress, str])
    most: int = 3

    def map(self, start: GuestAddress, device: str) -> None:
        """Map the BAR at `start`. Raises `OSError` when there is no slot left."""
        if len(self.mappings) == self.most:
            raise OSError(f"no memory slot is left for {device}")
        self.mappings[start] = device

    def unmap(self, start: GuestAddress) -> None:
        """Take the mapping away again."""
        del self.mappings[start]


class Vmm:
    """Pools, devices, and a hypervisor: each change happens to all three, or to none."""

    def __init__(self) -> None:
        self.pools = Pools(
            slots=IdAllocator(Id(0), Id(31)),
            irqs=IdAllocator(Id(5), Id(23)),
            vectors=IdAllocator(Id(24), Id(255)),
            mmio=AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x10_0000)),
        )
        self.devices: ResourceMap[str] = ResourceMap()
        self.hypervisor = Hypervisor()

    def plug(self, device: str) -> ResourceSet:
        """Give a device all that it needs, and map its BAR."""
        needs = DeviceNeeds(
            instance=one_id(self.pools.slots),
            irqs=[one_id(self.pools.irqs)],
            vectors=[Need(self.pools.vectors, IdCount(4), align=4)],
            mmio=[aligned_to_size(self.pools.mmio, BAR)],
        )
        with transaction() as tx:
            held = self.devices.register(device, needs, tx=tx)
            self.hypervisor.map(held.mmio[0].start, device)
        return held

    def unplug(self, device: str) -> None:
        """Let the hypervisor go first: only then may anybody else have the range."""
        self.hypervisor.unmap(self.devices[device].mmio[0].start)
        self.devices.unregister(device)

    def move(self, device: str, start: GuestAddress) -> None:
        """Do what a guest does that writes a BAR; it may be refused, and then nothing changes."""
        old = self.devices[device].mmio[0]
        with transaction() as tx:
            self.devices.move(device, old, start, tx=tx)
            self.hypervisor.unmap(old.start)
            tx.undo_with(self.hypervisor.map, old.start, device)
            self.hypervisor.map(start, device)


def main() -> None:
    """Plug, move, fail, unplug; account for every range at each step."""
    vmm, say = Vmm(), sys.stdout.write
    for device in ("disk", "nic", "gpu", "one too many"):
        try:
            say(f"{device}: {' '.join(map(str, vmm.plug(device)))}\n")
        except (AllocatorError, OSError) as error:
            say(f"{device}: refused: {error}\n")
        vmm.pools.check(vmm.devices)
    for start in (0xC000_2000, 0xC001_0000):
        try:
            vmm.move("disk", GuestAddress(start))
            say(f"the disk moved to {start:#x}\n")
        except AllocatorError as error:
            say(f"the disk stays: {error}\n")
        vmm.pools.check(vmm.devices)
    for device in list(vmm.devices):
        vmm.unplug(device)
    vmm.pools.check(vmm.devices)
    say(f"{len(vmm.pools.mmio)} ranges and {len(vmm.hypervisor.mappings)} mappings are left\n")


if __name__ == "__main__":
    main()
