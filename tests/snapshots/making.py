"""Allocators, pools and systems in random states, to be saved: each of a seed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vm_allocator import (
    AddressAllocator,
    AllocatorError,
    Claims,
    DeviceNeeds,
    Grant,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    Need,
    OrderedPools,
    ResourceMap,
    SystemAllocator,
)
from vm_allocator.resource import U32_MAX, U64_MAX

if TYPE_CHECKING:
    from random import Random

OWNERS = (None, None, "nvme0/BAR0", "net", "Grüße, \N{PILE OF POO}")


def address_allocator(random: Random, base: int | None = None, size: int | None = None) -> Any:
    """A small space anywhere, or all of it, with a few ranges."""
    size = random.choice((1, 16, 24, 1000)) if size is None else size
    if base is None:
        base = random.choice((0, 1, 0xC000_0000, U64_MAX - size + 1))
    made = AddressAllocator(GuestAddress(base), GuestUsize(size), random.choice((1, 1, 2, 4096)))
    return lived_in(made, random)


def id_allocator(random: Random, first: int | None = None, last: int | None = None) -> Any:
    """A few ids anywhere."""
    if first is None or last is None:
        first = random.choice((0, 5, U32_MAX - 30))
        last = random.choice((first, first + 18, U32_MAX))
    return lived_in(IdAllocator(Id(first), Id(last)), random)


def lived_in(made: Any, random: Random) -> Any:
    """The allocator, after some operations: with ranges, moves, holds and owners."""
    for _ in range(random.randrange(8)):
        start, size = _place(made, random)
        live = list(made)
        with suppress(AllocatorError):
            match random.randrange(6):
                case 0 | 1:
                    made.allocate(start, size, align=1, owner=random.choice(OWNERS))
                case 2:
                    made.allocate(None, size, align=1, owner=random.choice(OWNERS))
                case 3:
                    made.reserve(start, size, owner="firmware")
                case 4 if live:
                    old = random.choice(live)
                    made.free(old.start, old.size)
                case _ if live:
                    old = random.choice(live)
                    to = random.choice((start, int(old.start) + random.randint(-2, 2)))
                    owner = random.choice(OWNERS)
                    made.move(old.start, old.size, to, size, align=1, owner=owner)
    return made


def _place(made: Any, random: Random) -> tuple[int, int]:
    base, last = int(made.base), int(made.last)
    start = random.choice((base, last, random.randint(base, min(last, base + 24))))
    return start, random.choice((1, 1, 2, 3, 5))


def ordered_pools(random: Random) -> Any:
    """One to three pools."""
    bases = random.sample((0, 0x1000, 0xC000_0000, 1 << 32), random.randint(1, 3))
    return OrderedPools(*[address_allocator(random, base, 64) for base in bases])


@dataclass(eq=False)
class Board(SystemAllocator):
    """A system with one of everything."""

    slots: IdAllocator
    irqs: IdAllocator
    low: AddressAllocator
    mmio: OrderedPools[GuestAddress, GuestUsize]
    pio: AddressAllocator
    bars: Claims[Any, GuestAddress, GuestUsize]
    excluded: tuple[Grant[GuestAddress, GuestUsize], ...] = ()
    timer: Grant[Id, IdCount] | None = None
    name: str = "board"


def board() -> Board:
    """A fresh one: what snapshots of all of them are restored in the likeness of."""
    low = AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x10000))
    high = AddressAllocator(GuestAddress(1 << 32), GuestUsize(0x10000), 0x100)
    pio = AddressAllocator(GuestAddress(0), GuestUsize(0x1000))
    irqs = IdAllocator(Id(5), Id(23))
    pools = OrderedPools(high, low)
    return Board(IdAllocator(Id(0), Id(31)), irqs, low, pools, pio, Claims(pio))


def system(random: Random) -> tuple[Board, tuple[ResourceMap[Any], ...]]:
    """A system with a few devices in one or two maps, and something for the platform."""
    made = board()
    maps = [ResourceMap[Any]() for _ in range(random.randint(0, 2))]
    if random.random() < 0.5:
        start, size = made.pio.allocate(GuestAddress(0xCF8), GuestUsize(8)), GuestUsize(8)
        made.excluded = (Grant(made.pio, start, size),)
    if random.random() < 0.3:
        made.timer = Grant(made.irqs, made.irqs.allocate(None), IdCount(1))
    if random.random() < 0.3:
        made.low.reserve(GuestAddress(0xC000_8000), GuestUsize(0x100), owner="firmware")
    for owner in random.sample(("gpu", "usb", 7, -1), random.choice((0, 0, 2, 4))):
        size = GuestUsize(random.choice((1, 4)))
        made.bars.claim(owner, GuestAddress(random.choice((0, 2, 4))), size)
    for at in range(random.randrange(4) if maps else 0):
        bars = [
            Need(random.choice((made.low, made.mmio)), GuestUsize(0x100))
            for _ in range(random.randrange(3))
        ]
        irqs = [Need(made.irqs, IdCount(1))] * random.randrange(2)
        device: Any = random.choice((f"nic{at}", at))
        needs = DeviceNeeds(Need(made.slots, IdCount(1)), irqs, mmio=bars)
        held = random.choice(maps).register(device, needs)
        if held.mmio and random.random() < 0.4:
            bar: Any = held.mmio[0]
            to = int(bar.start) + random.choice((0x80, 0x1000 * (at + 1)))
            with suppress(AllocatorError):
                bar.pool.move(bar.start, bar.size, to, bar.size, align=1, owner="nic")
    return made, tuple(maps)


def claims(random: Random) -> Any:
    """Claims to a small space, some of which wait."""
    made = Claims[Any, Any, Any](random.choice((address_allocator, id_allocator))(random))
    base = int(made.allocator.base)
    for _ in range(random.randrange(8)):
        owner = random.choice(("nic", "disk", "", 0, (1 << 64) - 1))
        with suppress(AllocatorError):
            if random.random() < 0.2:
                made.release(owner)
            else:
                made.claim(owner, base + random.randrange(12), random.choice((1, 2, 4)), align=1)
    return made


def saved(random: Random) -> dict[str, Any]:
    """A snapshot of any kind."""
    match random.randrange(6):
        case 0 | 1:
            data = address_allocator(random).save()
        case 4:
            data = claims(random).save()
        case 2:
            data = id_allocator(random).save()
        case 3:
            data = ordered_pools(random).save()
        case _:
            made, maps = system(random)
            data = made.save(*maps)
    result: dict[str, Any] = data
    return result
