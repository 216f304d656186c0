"""Sets of devices: registered whole, freed exactly, and accounted for at any time."""

from __future__ import annotations

import copy
import os
from dataclasses import FrozenInstanceError, dataclass, replace
from typing import TYPE_CHECKING

import pytest

from vm_allocator import (
    ARM64_VIRT,
    DYNAMIC_PORTS,
    X86_Q35,
    AddressAllocator,
    DeviceExistsError,
    DeviceNeeds,
    Grant,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    InvalidAlignmentError,
    Layout,
    Machine,
    Need,
    NoSpaceError,
    NotAllocatedError,
    NotHeldError,
    OverlapError,
    RangeInclusive,
    Reserved,
    ResourceMap,
    ResourceSet,
    SystemAllocator,
    UnaccountedError,
    UncheckablePoolError,
    UnknownDeviceError,
    aligned_to_size,
    one_id,
    transaction,
    x86_q35,
)

from .test_transactions import Ports

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = GuestUsize(0x1000)
ROUNDS = int(os.environ.get("HOT_PLUG_ROUNDS", "3000"))
"""`make hot-plug` has a million."""


def nic(machine: Machine, size: int = 0x4000) -> DeviceNeeds:
    return DeviceNeeds(
        one_id(machine.slots),
        irqs=[one_id(machine.irqs)],
        vectors=[Need(machine.gsis, IdCount(4), align=4)],
        mmio=[
            aligned_to_size(machine.mmio32, PAGE),
            aligned_to_size(machine.mmio64, GuestUsize(size)),
        ],
        pio=[Need(machine.pio, GuestUsize(32), align=32, within=DYNAMIC_PORTS)],
    )


def plugged() -> tuple[Machine, ResourceMap[str]]:
    machine, devices = Machine.of(X86_Q35), ResourceMap[str]()
    devices.register("nic0", nic(machine))
    return machine, devices


def state(machine: Machine) -> list[list[object]]:
    return [list(pool.live()) for pool in machine.pools()]


def test_a_device_gets_all_that_it_needs() -> None:
    machine, devices = plugged()
    held = devices["nic0"]
    assert [str(grant) for grant in held] == [
        "0",
        "5",
        "24-27",
        "0xc0000000-0xc0000fff",
        "0x100000000-0x100003fff",
        "0x1000-0x101f",
    ]
    assert held.mmio[0].range.size == PAGE
    assert (len(devices), list(devices), "nic0" in devices) == (1, ["nic0"], True)
    assert repr(devices) == "<ResourceMap of 1 devices that hold 6 ranges>"
    machine.check(devices)


def test_a_device_that_does_not_fit_leaves_nothing_behind() -> None:
    machine, devices = plugged()
    before = state(machine)
    with pytest.raises(NoSpaceError):
        devices.register("nic1", nic(machine, 1 << 40))
    with pytest.raises(InvalidAlignmentError):
        devices.register("nic1", nic(machine, 0x3000))
    assert state(machine) == before
    assert list(devices) == ["nic0"]
    machine.check(devices)


def test_unregistering_frees_exactly_what_was_held() -> None:
    machine, devices = plugged()
    before = state(machine)
    held = devices.register("nic1", nic(machine))
    assert devices.unregister("nic1") == held
    assert state(machine) == before
    with pytest.raises(UnknownDeviceError, match="'nic1' is not registered: register it first"):
        devices.unregister("nic1")
    machine.check(devices)


def test_a_range_that_was_freed_behind_the_maps_back_stops_it() -> None:
    machine, devices = plugged()
    held = devices["nic0"]
    machine.irqs.free(held.irqs[0].start)
    before = state(machine)
    with pytest.raises(NotAllocatedError):
        devices.unregister("nic0")
    assert state(machine) == before
    assert devices["nic0"] == held


def test_names_are_taken_once_and_grants_are_not_adopted() -> None:
    machine, devices = plugged()
    before, held = state(machine), devices["nic0"]
    with pytest.raises(DeviceExistsError, match="'nic0' is registered: unregister it first"):
        devices.register("nic0", nic(machine))
    with pytest.raises(NotHeldError, match="'nic1' does not hold 5: keep only"):
        devices.register("nic1", replace(nic(machine), irqs=held.irqs))
    with pytest.raises(NotHeldError):
        devices.update_device("nic0", replace(held.needs(), irqs=held.irqs * 2))
    with pytest.raises(UnknownDeviceError):
        devices.update_device("nic1", nic(machine))
    with pytest.raises(KeyError):
        devices["nic1"]
    assert state(machine) == before


def test_an_update_keeps_frees_and_allocates() -> None:
    machine, devices = plugged()
    held = devices["nic0"]
    more = replace(
        held.needs(), irqs=(), vectors=[*held.vectors, Need(machine.gsis, IdCount(2), align=2)]
    )
    now = devices.update_device("nic0", more)
    assert now.irqs == ()
    assert [str(each) for each in now.vectors] == ["24-27", "28-29"]
    assert now.mmio == held.mmio
    assert len(machine.irqs) == 0
    machine.check(devices)
    before = state(machine)
    with pytest.raises(NoSpaceError):
        devices.update_device("nic0", nic(machine, 1 << 40))
    assert (state(machine), devices["nic0"]) == (before, now)


def test_a_bar_moves_by_half_its_size_and_not_onto_another() -> None:
    machine, devices = plugged()
    (first, _) = devices["nic0"].mmio
    held = devices.move("nic0", first, GuestAddress(0xC000_0800))
    assert [str(each) for each in held.mmio] == ["0xc0000800-0xc00017ff", "0x100000000-0x100003fff"]
    with pytest.raises(NotHeldError):
        devices.move("nic0", first, GuestAddress(0xC000_0000))
    devices.register("nic1", nic(machine))
    before = state(machine)
    with pytest.raises(OverlapError):
        devices.move("nic1", devices["nic1"].mmio[0], GuestAddress(0xC000_1000))
    assert state(machine) == before
    moved = devices.move("nic1", devices["nic1"].pio[0], GuestAddress(0x2000), align=0x20)
    assert str(moved.pio[0]) == "0x2000-0x201f"
    machine.check(devices)


def test_a_change_may_be_a_part_of_a_transaction() -> None:
    machine, devices = plugged()
    before, held = state(machine), dict(devices)
    with pytest.raises(OSError, match="no memory slot"), transaction() as tx:
        devices.register("nic1", nic(machine), tx=tx)
        devices.unregister("nic0", tx=tx)
        devices.update_device("nic1", nic(machine, 0x10000), tx=tx)
        devices.move("nic1", devices["nic1"].mmio[0], GuestAddress(0xD000_0000), tx=tx)
        raise OSError("no memory slot")
    assert (state(machine), dict(devices)) == (before, held)
    with transaction() as tx:
        devices.unregister("nic0", tx=tx)
    assert list(devices) == []
    machine.check(devices)


def test_a_loop_of_plugging_and_unplugging_leaks_nothing() -> None:
    machine, devices = plugged()
    before = state(machine)
    for round_ in range(ROUNDS):
        name = f"nic{1 + round_ % 7}"
        if name in devices:
            devices.unregister(name)
        devices.register(name, nic(machine))
        if round_ % 5 == 0:
            with pytest.raises(NoSpaceError):
                devices.register("greedy", nic(machine, 1 << 40))
        if round_ % 100 == 0:
            machine.check(devices)
    for name in list(devices):
        if name != "nic0":
            devices.unregister(name)
    assert state(machine) == before
    machine.check(devices)


def test_a_set_never_changes_and_two_pools_that_are_equal_are_not_the_same() -> None:
    machine, devices = plugged()
    held = devices["nic0"]
    with pytest.raises(FrozenInstanceError):
        held.irqs = ()  # type: ignore[misc]  # that is what is refused
    other = ResourceMap[str]().register("nic0", nic(Machine.of(X86_Q35)))
    assert held != other
    assert held.instance != "0"
    assert {held, held} == {held}
    machine.check(devices)


def test_a_copy_of_everything_shares_nothing() -> None:
    machine, devices = plugged()
    twin, others = copy.deepcopy((machine, devices))
    others.unregister("nic0")
    twin.check(others)
    machine.check(devices)
    assert len(devices) == 1


@dataclass(frozen=True, eq=False)
class Board(SystemAllocator):
    slots: IdAllocator
    ports: Ports
    serial: Grant[Id, IdCount]


class TellingPorts(Ports):
    """What it takes to be checked, too."""

    def __iter__(self) -> Iterator[RangeInclusive[int]]:
        return (RangeInclusive(start, start + size - 1) for start, size in self.live.items())


def board(ports: Ports) -> Board:
    slots = IdAllocator(Id(0), Id(7))
    return Board(slots, ports, Grant(slots, slots.allocate(Id(3)), IdCount(1)))


def test_a_pool_of_the_users_own_takes_part() -> None:
    made = board(TellingPorts())
    held = made.allocate_set(DeviceNeeds(one_id(made.slots), pio=[Need(made.ports, GuestUsize(8))]))
    assert isinstance(held, ResourceSet)
    with pytest.raises(UnaccountedError) as found:
        made.check()
    assert found.value.leaked == ("slots 0", "ports RangeInclusive(255, 262)")
    assert found.value.missing == ()
    assert [str(grant) for grant in held] == ["0", "RangeInclusive(255, 262)"]
    made.free_set(held)
    made.check()
    with pytest.raises(UncheckablePoolError, match="pool ports, a Ports, does not tell"):
        board(Ports()).check()


def test_the_check_names_what_is_held_and_not_live_and_what_is_held_twice() -> None:
    machine, devices = plugged()
    machine.irqs.free(Id(5))
    twice = copy.copy(devices)
    with pytest.raises(UnaccountedError) as found:
        machine.check(devices)
    assert found.value.missing == ("irqs 5",)
    assert "held and not live, or held twice: irqs 5: allocate and free" in str(found.value)
    machine.irqs.allocate(Id(5))
    with pytest.raises(UnaccountedError) as found:
        machine.check(devices, twice)
    assert len(found.value.missing) == 6
    with pytest.raises(UnaccountedError, match="of a pool that is no field of the system"):
        Machine.of(X86_Q35).check(devices)


def test_a_picture_says_who_holds_what() -> None:
    machine, devices = plugged()
    machine.mmio32.allocate(None, PAGE)
    lines = machine.picture(devices).splitlines()
    assert lines[0].startswith("slots: <IdAllocator 0-31")
    assert "  0xc0000000-0xc0000fff  nic0" in lines
    assert "  0xc0001000-0xc0001fff  held by no device" in lines
    assert "  0xcf8-0xcff  <Hold 0xcf8-0xcff for PCI configuration>" in lines


@dataclass(frozen=True, eq=False)
class OneWindow(SystemAllocator):
    slots: IdAllocator
    mmio32: AddressAllocator
    mmio64: AddressAllocator
    console: ResourceSet


def test_one_pool_may_stand_in_two_fields_and_the_platform_may_hold_a_set() -> None:
    slots = IdAllocator(Id(0), Id(3))
    window = AddressAllocator(GuestAddress(0), GuestUsize(0x4000))
    needs = DeviceNeeds(one_id(slots), mmio=(Need(window, PAGE) for _ in range(2)))  # type: ignore[arg-type]  # a generator, as untyped code may pass
    with transaction() as tx:
        console = needs.allocate(tx)
    system = OneWindow(slots, window, window, console)
    assert [pool.name for pool in system.pools()] == ["slots", "mmio32"]
    assert len(console.mmio) == 2
    system.check()


def test_what_is_no_dataclass_says_so() -> None:
    class Plain(SystemAllocator):
        pass

    with pytest.raises(TypeError, match="Plain is no dataclass: decorate it"):
        Plain().check()


@pytest.mark.parametrize("layout", [X86_Q35, ARM64_VIRT, x86_q35(GuestAddress(0x2_4000_0001))])
def test_a_layout_is_sound(layout: Layout) -> None:
    machine = Machine.of(layout)
    machine.check()
    ids = (layout.slots, layout.irqs, layout.gsis)
    spaces = (layout.mmio32, layout.mmio64, layout.pio)
    assert all(region.source for region in (*ids, *spaces))
    assert not layout.mmio32.range.overlaps(layout.mmio64.range)
    assert layout.mmio32.range.end < 1 << 32 <= layout.mmio64.range.start
    assert layout.irqs.range.end + 1 == layout.gsis.range.start
    kept = [part.range for region in spaces for part in region.reserved]
    assert [one for one, _ in machine.pio.reserved()] == kept


def test_a_layout_may_reserve_ids_too() -> None:
    irqs = replace(X86_Q35.irqs, reserved=(Reserved(RangeInclusive(Id(9), Id(9)), "ACPI"),))
    machine = Machine.of(replace(X86_Q35, irqs=irqs))
    assert [repr(hold) for _, hold in machine.irqs.reserved()] == ["<Hold 9 for ACPI>"]
    assert machine.irqs.allocate_many(5) == [5, 6, 7, 8, 10]


def test_the_64_bit_window_lies_above_the_ram() -> None:
    assert X86_Q35.mmio64.range.start == 0x1_0000_0000
    assert x86_q35(GuestAddress(0x2_4000_0001)).mmio64.range.start == 0x2_8000_0000
