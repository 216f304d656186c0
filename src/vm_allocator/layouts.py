"""Ready-made layouts of a virtual machine, as data, and `Machine`, the allocators of one.

Each region names where its numbers come from. They are the usual ones, not the only
ones: `dataclasses.replace` changes a region, and a VMM with other needs writes a
`SystemAllocator` of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, Self

from .address import AddressAllocator
from .ids import IdAllocator
from .ranges import RangeInclusive
from .resource import GuestAddress, GuestUsize, Id, IdCount, R
from .system import SystemAllocator

_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Reserved(Generic[R]):
    """A part of a region, and for whom the platform keeps it."""

    range: RangeInclusive[R]
    owner: str


@dataclass(frozen=True, slots=True)
class Region(Generic[R]):
    """A range that one allocator manages, in bytes, ports or ids, and where it is taken from."""

    range: RangeInclusive[R]
    source: str
    reserved: tuple[Reserved[R], ...] = ()
    """Parts of it that belong to the platform: never handed out."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the resources of a kind of virtual machine lie."""

    name: str
    slots: Region[Id]
    """Instances: the device numbers of one PCI bus."""
    irqs: Region[Id]
    """Interrupts that are lines."""
    gsis: Region[Id]
    """Interrupts that are messages: what KVM routes beyond the lines."""
    mmio32: Region[GuestAddress]
    mmio64: Region[GuestAddress]
    pio: Region[GuestAddress]
    """I/O ports, from 0 on, wherever the guest finds them."""


@dataclass(frozen=True, eq=False)
class Machine(SystemAllocator):
    """The allocators of a layout.

    >>> machine = Machine.of(X86_Q35)
    >>> machine.irqs.allocate(None), machine.gsis.allocate(None), hex(machine.mmio32.base)
    (5, 24, '0xc0000000')
    >>> machine.pio.allocate(GuestAddress(0xCF8), GuestUsize(4))
    Traceback (most recent call last):
        ...
    vm_allocator.errors.HeldByPlatformError: 0xcf8-0xcfb overlaps 0xcf8-0xcff, reserved for PCI \
configuration: choose another range
    """

    slots: IdAllocator
    irqs: IdAllocator
    gsis: IdAllocator
    mmio32: AddressAllocator
    mmio64: AddressAllocator
    pio: AddressAllocator

    @classmethod
    def of(cls, layout: Layout) -> Self:
        """Return fresh allocators for the layout, with what belongs to the platform reserved.

        O(number of reserved parts). Raises what the allocators raise for a region that is not
        of their kind, or a part that lies outside of its region.
        """

        def ids(region: Region[Id]) -> IdAllocator:
            pool = IdAllocator(region.range.start, region.range.end)
            for part in region.reserved:
                pool.reserve(part.range.start, IdCount(part.range.size), owner=part.owner)
            return pool

        def addresses(region: Region[GuestAddress]) -> AddressAllocator:
            pool = AddressAllocator(region.range.start, GuestUsize(region.range.size))
            for part in region.reserved:
                pool.reserve(part.range.start, GuestUsize(part.range.size), owner=part.owner)
            return pool

        pools = (ids(layout.slots), ids(layout.irqs), ids(layout.gsis))
        return cls(
            *pools, addresses(layout.mmio32), addresses(layout.mmio64), addresses(layout.pio)
        )


def _ids(first: int, last: int) -> RangeInclusive[Id]:
    return RangeInclusive(Id(first), Id(last))


def _addresses(first: int, last: int) -> RangeInclusive[GuestAddress]:
    return RangeInclusive(GuestAddress(first), GuestAddress(last))


_SLOTS: Final = Region(_ids(0, 31), "PCI Local Bus Specification 3.0, 3.2.2.3.2: 32 devices a bus")

_LAST_GSI: Final = 4095  # KVM_MAX_IRQ_ROUTES is 4096, as of Linux and as Firecracker relies on

DYNAMIC_PORTS: Final = _addresses(0x1000, 0xFFFF)
"""Where ports go that may lie anywhere: below are the fixed ones of a PC's own devices.

Linux, `arch/x86/include/asm/pci.h`: `PCIBIOS_MIN_IO`.
"""


def x86_q35(end_of_ram: GuestAddress) -> Layout:
    """Return the layout of a PC like QEMU's `q35`, whose RAM ends before `end_of_ram`.

    The 64-bit window follows the RAM above 4 GiB, from the next multiple of 1 GiB on.
    """
    above = max(end_of_ram, 4 * _GIB)
    window = (above + _GIB - 1) // _GIB * _GIB
    return Layout(
        name="x86, like q35",
        slots=_SLOTS,
        irqs=Region(
            _ids(5, 23), "Firecracker, src/vmm/src/arch/x86_64/layout.rs: IRQ_BASE, IRQ_MAX"
        ),
        gsis=Region(
            _ids(24, _LAST_GSI),
            "after the 24 pins of the I/O APIC, up to KVM_MAX_IRQ_ROUTES (Firecracker, "
            "src/vmm/src/arch/aarch64/layout.rs: GSI_MSI_END)",
        ),
        mmio32=Region(
            _addresses(0xC000_0000, 0xFEBF_FFFF),
            "QEMU, hw/pci-host/q35.c: from the end of MCH_HOST_BRIDGE_PCIEXBAR_DEFAULT "
            "to IO_APIC_DEFAULT_ADDRESS - 1",
        ),
        mmio64=Region(
            _addresses(window, window + 32 * _GIB - 1),
            "QEMU, hw/i386/pc.c: pc_pci_hole64_start; hw/pci-host/q35.c: "
            "Q35_PCI_HOST_HOLE64_SIZE_DEFAULT",
        ),
        pio=Region(
            _addresses(0, 0xFFFF),
            "the ports of x86; reserved are CONFIG_ADDRESS and CONFIG_DATA of the PCI Local Bus "
            "Specification 3.0, 3.2.2.3.2",
            reserved=(Reserved(_addresses(0xCF8, 0xCFF), "PCI configuration"),),
        ),
    )


X86_Q35: Final = x86_q35(GuestAddress(4 * _GIB))
"""A PC like q35 with no RAM above 4 GiB: for more, call `x86_q35`."""

ARM64_VIRT: Final = Layout(
    name="arm64, like virt",
    slots=_SLOTS,
    irqs=Region(
        _ids(0, 95),
        "Firecracker, src/vmm/src/arch/aarch64/layout.rs: GSI_LEGACY_START, GSI_LEGACY_END, "
        "which are the SPIs 32 to 127",
    ),
    gsis=Region(
        _ids(96, _LAST_GSI),
        "Firecracker, src/vmm/src/arch/aarch64/layout.rs: GSI_MSI_START, GSI_MSI_END",
    ),
    mmio32=Region(_addresses(0x1000_0000, 0x3EFE_FFFF), "QEMU, hw/arm/virt.c: VIRT_PCIE_MMIO"),
    mmio64=Region(
        _addresses(0x80_0000_0000, 0xFF_FFFF_FFFF),
        "QEMU, hw/arm/virt.c: VIRT_PCIE_MMIO_HIGH, 512 GiB at 512 GiB",
    ),
    pio=Region(
        _addresses(0, 0xFFFF),
        "QEMU, hw/arm/virt.c: VIRT_PCIE_PIO, whose 64 KiB of addresses at 0x3eff0000 are the ports",
    ),
)
"""An arm64 board like `virt`: its PCI configuration space is memory, so no port is reserved."""
