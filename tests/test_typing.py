"""What a type checker accepts and what it refuses, under `mypy --strict`."""

from pathlib import Path

import pytest
from mypy import api

PREAMBLE = """\
from vm_allocator import (
    AddressAllocator, ExactMatch, GuestAddress, GuestUsize, Id, IdAllocator, IdCount, Move,
    RangeInclusive, ResourceAllocator,
    Claims, ClaimPools,
    Synchronized, SynchronizedAddressAllocator, SynchronizedIdAllocator,
    DeviceNeeds, Grant, Machine, Need, ResourceMap, ResourceSet, X86_Q35, one_id, transaction,
)

addresses = AddressAllocator(GuestAddress(0), GuestUsize(16))
ids = IdAllocator(Id(0), Id(15))
address, size, id_, count = GuestAddress(0), GuestUsize(1), Id(0), IdCount(1)
machine, devices, tx = Machine.of(X86_Q35), ResourceMap[str](), transaction()
slot, irq, bar = Grant(ids, id_, count), Grant(ids, id_, count), Grant(addresses, address, size)
seed: ResourceAllocator[GuestAddress, GuestUsize] = addresses
claims, pools = Claims[str, GuestAddress, GuestUsize](addresses), ClaimPools[str]()
"""

ACCEPTED = (
    "memory: ResourceAllocator[GuestAddress, GuestUsize] = addresses",
    "irqs: ResourceAllocator[Id, IdCount] = ids",
    "got: GuestAddress = addresses.allocate(None, size)",
    "bars: list[GuestAddress] = addresses.allocate_many(2, size, align=4)",
    "msis: list[Id] = ids.allocate_many(2); ids.allocate_many(2, count)",
    "addresses.update(None, None, address, size)",
    "one = RangeInclusive(address, address); addresses.update_many([(one, None), (None, one)])",
    "addresses.allocate(None, size, policy=ExactMatch(address))",
    "addresses.allocate(None, size, within=RangeInclusive(address, address))",
    "first: Id = ids.allocate(None); ids.free(first)",
    "first: Id = tx.allocate(ids, None); tx.free(ids, first); tx.free(ids, first, count)",
    "bar_: GuestAddress = tx.allocate(addresses, None, size, align=4)",
    "bar_: GuestAddress = tx.allocate(seed, None, size); tx.free(seed, address, size)",
    "tx.update(addresses, address, size, address, size, align=1); tx.allocate_many(ids, 2, count)",
    "tx.update_many(addresses, [(RangeInclusive(address, address), None)], align=1)",
    "going: Move[Id] = tx.move(ids, id_, count, id_, count, owner='rtc'); going.commit()",
    "ResourceSet(instance=slot, irqs=(irq,), vectors=(), mmio=(bar,), pio=())",
    "DeviceNeeds(one_id(machine.slots), irqs=[one_id(machine.irqs), irq], mmio=[bar])",
    "devices.register('nic', DeviceNeeds(slot, mmio=[Need(machine.mmio32, size, align=4096)]))",
    "got: GuestAddress = claims.claim('nic', address, size, align=4)[0].start",
    "pools.claim(claims, 'nic', address, size); pools.release('nic')",
    "shared: AddressAllocator = SynchronizedAddressAllocator(address, size, 4096)",
    "irqs: IdAllocator = SynchronizedIdAllocator(id_, id_); first: Id = irqs.allocate(None)",
    "wrapped: ResourceAllocator[GuestAddress, GuestUsize] = Synchronized(seed)",
    "with SynchronizedIdAllocator(id_, id_).locked() as held: first: Id = held.allocate(None)",
)

REFUSED = (
    "addresses.allocate(id_, size)  # an id as an address",
    "addresses.allocate(size, size)  # a size as an address",
    "addresses.allocate(address, address)  # an address as a size",
    "addresses.allocate(None, count)  # a number of ids as a number of bytes",
    "addresses.allocate(None, 16)  # a bare number",
    "addresses.allocate_many(2, count)  # a number of ids as a number of bytes",
    "addresses.free(id_, size)  # an id as an address",
    "addresses.update(address, size, id_, size)  # an id as an address",
    "addresses.update_many([(RangeInclusive(id_, id_), None)])  # a range of ids",
    "addresses.update_many([(address, address)])  # no ranges",
    "addresses.allocate(None, size, policy=ExactMatch(id_))  # an id in a policy",
    "addresses.allocate(None, size, within=RangeInclusive(id_, id_))  # an id in a window",
    "addresses.allocate(None, size, policy='LastMatch')  # no policy",
    "ids.allocate(address)  # an address as an id",
    "ids.free(count)  # a count as an id",
    "ids.allocate(None, size)  # bytes as a number of ids",
    "wrong: ResourceAllocator[Id, IdCount] = addresses  # an allocator of something else",
    "wrong: ResourceAllocator[GuestAddress, GuestUsize] = ids  # likewise",
    "wrong: Id = addresses.allocate(None, size)  # an address as an id",
    "claims.claim('nic', id_, size)  # an id as an address",
    "claims.claim(1, address, size)  # a number as the name of an owner",
    "pools.claim(claims, 'nic', address, count)  # a number of ids as a number of bytes",
    "AddressAllocator(size, size)  # a size as a base",
    "tx.allocate(addresses, id_, size)  # an irq as an address, in a transaction",
    "tx.allocate(addresses, None)  # an address range without a size",
    "tx.allocate(seed, None, size, align=4)  # an option that the interface does not have",
    "tx.free(ids, address)  # an address as an id, in a transaction",
    "tx.update(addresses, address, size, size, size)  # a size as an address, in a transaction",
    "tx.update_many(addresses, [(RangeInclusive(id_, id_), None)])  # ids as addresses",
    "tx.move(ids, address, count, id_, count)  # an address as an id, in a move of a transaction",
    "wrong: Id = tx.allocate(addresses, None, size)  # an address as an id",
    "Need(machine.irqs, size)  # bytes of interrupts",
    "Need(machine.mmio32, size, at=id_)  # an irq as an address",
    "Need(machine.mmio32, size, at=size)  # a size as an address",
    "one_id(machine.mmio32)  # an id of an address space",
    "ResourceSet(instance=slot, irqs=(irq,), vectors=(), mmio=(bar,))  # a set without its ports",
    "ResourceSet(instance=slot, irqs=(irq,), vectors=(), mmio=(irq,), pio=())  # an irq as MMIO",
    "DeviceNeeds(irqs=[one_id(machine.irqs)])  # a device without an instance",
    "DeviceNeeds(one_id(machine.slots), mmio=[one_id(machine.irqs)])  # an irq as MMIO",
    "DeviceNeeds(one_id(machine.slots), irqs=[bar])  # MMIO as an irq",
    "devices.register(5, DeviceNeeds(slot))  # a device of another kind of name",
    "devices['nic'].irqs = ()  # a set that changes",
    "Synchronized(ids).allocate(address, count)  # an address as an id, through a wrapper",
    "SynchronizedAddressAllocator(id_, size)  # an id as a base",
)


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return what mypy says about each snippet, in one run over all of them."""
    place = tmp_path_factory.mktemp("snippets")
    files = {}
    for number, snippet in enumerate(ACCEPTED + REFUSED):
        file = place / f"snippet_{number}.py"
        file.write_text(PREAMBLE + snippet + "\n")
        files[snippet] = file
    out, err, _ = api.run(
        ["--strict", f"--cache-dir={place / 'cache'}", "--no-error-summary", "--hide-error-context"]
        + [str(file) for file in files.values()]
    )
    assert err == ""
    lines = [line for line in out.splitlines() if ": error:" in line]
    about = {
        snippet: [x for x in lines if Path(x.split(":")[0]).name == f.name]
        for snippet, f in files.items()
    }
    assert sum(map(len, about.values())) == len(lines), out  # and nothing about the package
    return about


@pytest.mark.parametrize("snippet", ACCEPTED)
def test_mypy_accepts(complaints: dict[str, list[str]], snippet: str) -> None:
    assert complaints[snippet] == []


@pytest.mark.parametrize("snippet", REFUSED)
def test_mypy_refuses(complaints: dict[str, list[str]], snippet: str) -> None:
    assert complaints[snippet]
