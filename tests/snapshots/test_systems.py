"""Systems and the maps of their devices: saved and restored as one, and held against each other."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from tests.builders import ids, space
from tests.snapshots.making import Board, board, system
from vm_allocator import (
    ARM64_VIRT,
    X86_Q35,
    AddressAllocator,
    DeviceNeeds,
    Grant,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    Machine,
    Need,
    NotSavableError,
    OrderedPools,
    ResourceMap,
    ResourceSet,
    SnapshotError,
    SnapshotFormatError,
    SnapshotMismatchError,
    SnapshotStateError,
    SystemAllocator,
    dump_snapshot,
    load_snapshot,
    one_id,
)
from vm_allocator.gap_tree import GapTree


@pytest.mark.parametrize("seed", range(60))
def test_a_system_is_restored_with_its_maps(seed: int) -> None:
    made, maps = system(Random(seed))
    text = dump_snapshot(made.save(*maps))
    fresh = board()
    before = fresh.save()
    restored, maps_of_it = fresh.restore(load_snapshot(text))
    assert dump_snapshot(restored.save(*maps_of_it)) == text
    assert fresh.save() == before
    assert made.save(*maps) == load_snapshot(text)
    assert [pool.allocator for pool in restored.pools()] == [p.allocator for p in made.pools()]
    assert restored.mmio.pools[1] is restored.low
    held = [str(grant) for each in maps for _, grant in each.grants()]
    assert [str(grant) for each in maps_of_it for _, grant in each.grants()] == held
    for each in maps_of_it:
        for device in list(each):
            pools: list[tuple[Any, Any]] = [(one.pool, one.start) for one in each[device]]
            if all(pool.lookup(start) for pool, start in pools):
                each.unregister(device)


def test_copies_and_pickles_of_a_system_and_its_maps_are_taken_together() -> None:
    for seed in range(30):
        made, maps = system(Random(seed))
        before = made.save(*maps)
        for twin, maps_of_it in (
            copy.deepcopy((made, maps)),
            pickle.loads(pickle.dumps((made, maps))),  # noqa: S301  # our own
        ):
            assert twin.save(*maps_of_it) == before
            assert twin.irqs is not made.irqs


def plugged() -> tuple[Board, ResourceMap[str]]:
    made, devices = board(), ResourceMap[str]()
    bar = Need(made.mmio, GuestUsize(0x100))
    devices.register("nic", DeviceNeeds(one_id(made.slots), [one_id(made.irqs)], mmio=[bar]))
    devices.register("disk", DeviceNeeds(one_id(made.slots), mmio=[bar]))
    return made, devices


def refused(kind: type[SnapshotError], data: Any, *findings: str) -> None:
    with pytest.raises(kind) as caught:
        board().restore(data)
    assert [str(finding) for finding in caught.value.findings] == list(findings)


def test_what_is_live_is_held_once_and_what_is_held_is_live() -> None:
    made, devices = plugged()
    data = made.save(devices)
    nic, disk = data["maps"][0]
    nic["irqs"] = [["irqs", 6, 6], ["irqs", 5, 6], ["irqs", -1, 3]]
    disk["mmio"] = nic["mmio"]
    refused(
        SnapshotStateError,
        data,
        "maps[0][0].irqs[0]: irqs 6 is held and not live",
        "maps[0][0].irqs[1]: irqs 5-6 is held and not live",
        "maps[0][0].irqs[2]: irqs -1 to 3 is held and not live",
        "maps[0][1].mmio[0]: mmio[0] 0x100000000-0x1000000ff is held by maps[0][0].mmio[0] as well",
        "pools.irqs.live[0]: irqs 5 is live and held by nobody",
        "pools.mmio[0].live[1]: mmio[0] 0x100000100-0x1000001ff is live and held by nobody",
    )


def test_firecracker_5170_what_is_not_replayed_is_noticed() -> None:
    made, devices = plugged()
    data = made.save(devices)
    data["pools"]["irqs"]["live"] = []
    refused(SnapshotStateError, data, "maps[0][0].irqs[0]: irqs 5 is held and not live")


def test_firecracker_5952_a_number_that_is_there_twice_or_was_never_issued_is_refused() -> None:
    made, devices = plugged()
    data = made.save(devices)
    data["pools"]["irqs"]["live"] = [[5, 5], [5, 5], [99, 99]]
    refused(
        SnapshotStateError,
        data,
        "pools.irqs.live[1]: 5 overlaps pools.irqs.live[0], 5",
        "pools.irqs.live[2]: 99 is not within the space 5-23",
        "pools.irqs.live[2]: irqs 99 is live and held by nobody",
    )


def test_cloud_hypervisor_8251_nothing_of_the_old_state_comes_back() -> None:
    made, devices = plugged()
    stale = made.save(devices)
    fresh, (restored,) = board().restore(stale)
    restored.unregister("nic")
    bars = [Need(fresh.mmio, GuestUsize(0x80))]
    restored.register("nic", DeviceNeeds(one_id(fresh.slots), mmio=bars))
    assert restored["nic"].irqs == ()
    assert fresh.save(restored)["maps"][0][1]["mmio"] == [["mmio[0]", 1 << 32, (1 << 32) + 0x7F]]
    assert stale == made.save(devices)
    fresh.check(restored)


def test_a_pending_move_is_of_the_device_that_holds_its_old_range() -> None:
    made, devices = plugged()
    (bar,) = devices["nic"].mmio
    to = GuestAddress(int(bar.start) + 0x4000)
    made.mmio.pools[0].move(bar.start, bar.size, to, bar.size)
    fresh, (restored,) = board().restore(made.save(devices))
    (move,) = fresh.mmio.pools[0].moves()
    move.abort()
    restored.unregister("nic")


def test_a_snapshot_of_another_machine_is_refused() -> None:
    made, devices = plugged()
    data = made.save(devices)
    pools = data["pools"]
    pools["irqs"]["last"] = 24
    pools["low"]["alignment"] = 2
    pools["more"] = pools.pop("pio")
    refused(
        SnapshotMismatchError,
        data,
        "pools.more: the system has no pool of that name",
        "pools.irqs.last: it is 24, and 23 in the system",
        "pools.low.alignment: it is 2, and 1 in the system",
        "pools.pio: the snapshot has no pool of that name",
    )
    with pytest.raises(SnapshotMismatchError):
        Machine.of(ARM64_VIRT).restore(Machine.of(X86_Q35).save())


def test_devices_and_fields_have_their_shapes() -> None:
    made, devices = plugged()
    data = made.save(devices)
    nic, disk = data["maps"][0]
    nic["mmio"] += [["irqs", 5, 5], ["none", 0, 0], [0, 0]]
    disk["device"] = "nic"
    data["maps"][0].append({**nic, "device": 1 << 64, "mmio": [], "irqs": None})
    data["platform"] = {
        "excluded": {"grant": ["irqs", 5, 5]},
        "timer": {"grants": [], "set": {}},
        "x" * 99: {"grants": []},
    }
    where = "platform." + "'" + "x" * 40 + "'..."
    refused(
        SnapshotFormatError,
        data,
        "platform.timer: a dict of 2 is not an object with one of grant, grants, set",
        "maps[0][0].mmio[1]: a range of 'irqs' stands where addresses are wanted",
        "maps[0][0].mmio[2]: there is no pool 'none'",
        "maps[0][0].mmio[3]: a list of 2 is not [pool, start, end]",
        "maps[0][1].device: 'nic' is there twice",
        "maps[0][2].device: 18446744073709551616 is not a string, or an integer of 64 bits",
        "maps[0][2].irqs: None is not a list",
        "platform.excluded: a grant stands where the system has another form",
        f"{where}: the system has no field of that name",
    )


def test_what_cannot_be_restored_is_not_saved() -> None:
    made, devices = plugged()
    made.irqs.allocate(None)
    with pytest.raises(SnapshotStateError, match="irqs 6 is live and held by nobody"):
        made.save(devices)
    made, _ = plugged()
    named = ResourceMap[Any]()
    named.register((1, 2), DeviceNeeds(one_id(made.slots)))
    with pytest.raises(NotSavableError, match="device a tuple is no string and no 64-bit int"):
        made.save(named)
    foreign = ids(0, 9)
    strange = ResourceMap[str]()
    strange.register("nic", DeviceNeeds(one_id(foreign)))
    with pytest.raises(NotSavableError, match="is of a pool that is no field of the system"):
        made.save(strange)
    made.excluded = (Grant(made.pio, GuestAddress(0), GuestUsize(1)), 5)  # type: ignore[assignment]  # on purpose
    with pytest.raises(NotSavableError, match="make two fields of it"):
        made.save()


class Counter:
    """An allocator of somebody else."""

    def allocate(self, resource: Id | None, size: IdCount) -> Id:
        raise NotImplementedError

    def free(self, resource: Id, size: IdCount) -> None: ...

    def update(self, *_: Any) -> None: ...


@dataclass(frozen=True, eq=False)
class Mixed(SystemAllocator):
    other: Counter


def test_pools_of_others_cannot_be_saved() -> None:
    with pytest.raises(NotSavableError, match="a Counter is no allocator of this library"):
        Mixed(Counter()).save()


@dataclass(frozen=True, eq=False)
class Odd(SystemAllocator):
    """Fields of every kind: frozen, one pool twice, a set, names, what is no field."""

    irqs: IdAllocator
    again: IdAllocator
    pio: AddressAllocator
    both: OrderedPools[GuestAddress, GuestUsize]
    names: tuple[str, ...]
    chipset: ResourceSet | None = None

    def held(self) -> Odd:
        """The same with a chipset that holds something."""
        one = Grant(self.irqs, self.irqs.allocate(None), IdCount(1))
        port = Grant(self.pio, self.pio.allocate(None, GuestUsize(4)), GuestUsize(4))
        chipset = ResourceSet(one, (), (), (), (port,))
        return Odd(self.irqs, self.again, self.pio, self.both, self.names, chipset)


def odd(*names: str) -> Odd:
    irqs, pio = ids(5, 23), AddressAllocator(GuestAddress(0), GuestUsize(99), index=GapTree)
    return Odd(irqs, irqs, pio, OrderedPools(pio, space(200, 9)), names)


def test_fields_of_every_kind_find_their_places() -> None:
    made = odd("a").held()
    data = made.save()
    assert list(data["platform"]) == ["chipset"]
    assert list(data["pools"]) == ["irqs", "pio", "both[1]"]
    restored, maps = odd("b", "c").restore(data)
    assert maps == ()
    assert restored.again is restored.irqs
    assert restored.both.pools[0] is restored.pio
    assert restored.names == ("b", "c")
    assert restored.chipset is not None
    assert [str(one) for one in restored.chipset] == ["5", "0x0-0x3"]
    assert restored.chipset.instance.pool is restored.irqs
    assert restored.save() == data


def test_what_the_fresh_system_holds_for_the_platform_is_told_by_the_snapshot() -> None:
    data = odd().save()
    del data["platform"]["names"]
    with pytest.raises(SnapshotFormatError, match="the snapshot does not say what it is"):
        odd().held().restore(data)


def test_tuples_of_names_are_nobodys() -> None:
    for here, there in (((), ("a",)), (("a",), ()), ((), ()), (("a",), ("b",))):
        restored, _ = odd(*there).restore(odd(*here).save())
        assert restored.names == there
