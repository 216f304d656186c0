"""The model of devices: an allocator for each pool, and who holds what of them.

It is read on plain ints alone, by the state machine of devices and by `vm-allocator check`. What
an allocator does is said in `spec/model.py`; what is said here is who holds what. The steps
are proved in `spec/proofs/conservation.py`, in terms of allocators.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vm_allocator.modelling import Range, require

from .model import NOT_ALLOCATED, Allocator, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEVICE_EXISTS: Final = "device-exists"
UNKNOWN_DEVICE: Final = "unknown-device"
NOT_HELD: Final = "not-held"
ON_PURPOSE: Final = "failed-on-purpose"


class Wish(NamedTuple):
    """Something that is to be allocated, as plain numbers; the pool is told by its position."""

    pool: int
    size: int
    align: int | None = None
    at: int | None = None


class Held(NamedTuple):
    """A range that a device holds, or nobody in particular."""

    pool: int
    start: int
    size: int


@dataclass(frozen=True)
class Books:
    """What is live, and whose it is. Never changes: each operation returns other books.

    Every operation raises `Refused`. The allocators do what `spec/model.py` says; what is said
    here is who holds what. That nothing is left over of an operation that is refused half-way
    is seen to by going on with the books from before it.
    """

    pools: tuple[Allocator, ...]
    alignments: tuple[int, ...]
    devices: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
    loose: tuple[Held, ...] = ()
    """What was allocated past the map, the latest last."""

    # ---- the pools

    def allocate(self, wish: Wish) -> tuple[Books, Held]:
        """Allocate at the given place, or at the lowest that fits."""
        pool = self.pools[wish.pool]
        align = self.alignments[wish.pool] if wish.align is None else wish.align
        request = Request(wish.size, align, Range(pool.base, pool.last))
        if wish.at is None:
            step = pool.allocate_first(request)
        else:
            step = pool.allocate_exact(request, wish.at)
        if step.granted is None:
            raise AssertionError("an allocation grants")
        return self._with(wish.pool, step.after), Held(wish.pool, step.granted.start, wish.size)

    def allocate_all(self, wishes: Iterable[Wish]) -> tuple[Books, tuple[Held, ...]]:
        """Allocate one after the other."""
        books, held = self, []
        for wish in wishes:
            books, one = books.allocate(wish)
            held.append(one)
        return books, tuple(held)

    def free(self, held: Iterable[Held]) -> Books:
        """Free all of them."""
        books = self
        for pool, start, size in held:
            books = books._with(pool, books.pools[pool].free(start, size).after)
        return books

    # ---- past the map

    def allocate_loose(self, wish: Wish) -> Books:
        """Allocate for nobody in particular."""
        books, held = self.allocate(wish)
        return replace(books, loose=(*self.loose, held))

    def find_loose(self, which: int) -> Held:
        """Return one of what nobody in particular holds; there may be none."""
        require(bool(self.loose), NOT_ALLOCATED)
        return self.loose[which % len(self.loose)]

    def free_loose(self, which: int) -> Books:
        """Free that one."""
        held = self.find_loose(which)
        return replace(self.free([held]), loose=tuple(x for x in self.loose if x != held))

    def update_loose(self, which: int, start: int) -> Books:
        """Move that one."""
        pool, old, size = held = self.find_loose(which)
        request = Request(
            size, self.alignments[pool], Range(self.pools[pool].base, self.pools[pool].last)
        )
        after = self.pools[pool].update(old, size, request, start).after
        others = tuple(x for x in self.loose if x != held)
        return replace(self._with(pool, after), loose=(*others, Held(pool, start, size)))

    # ---- the map

    def register(self, device: str, wishes: Iterable[Wish]) -> Books:
        """Allocate for a new device."""
        require(device not in self.devices, DEVICE_EXISTS)
        books, held = self.allocate_all(wishes)
        return replace(books, devices={**self.devices, device: held})

    def unregister(self, device: str) -> Books:
        """Free what the device holds."""
        held = self.held_by(device)
        rest = {name: one for name, one in self.devices.items() if name != device}
        return replace(self.free(held), devices=rest)

    def update_device(self, device: str, wanted: Iterable[Held | Wish]) -> Books:
        """Free what is not kept, then allocate what is new; kept is only what it holds, once."""
        wanted, before = list(wanted), self.held_by(device)
        kept = [one for one in wanted if isinstance(one, Held)]
        require(all(one in before for one in kept) and len(set(kept)) == len(kept), NOT_HELD)
        books = self.free(held for held in before if held not in kept)
        after: list[Held] = []
        for one in wanted:
            held = one
            if isinstance(held, Wish):
                books, held = books.allocate(held)
            after.append(held)
        return replace(books, devices={**self.devices, device: tuple(after)})

    def move(self, device: str, which: int, pools: tuple[int, ...], start: int) -> Books:
        """Move one of the ranges that the device holds of these pools, aligned to 1."""
        held = self.held_by(device)
        bars = [one for one in held if one.pool in pools]
        require(bool(bars), NOT_HELD)
        bar = bars[which % len(bars)]
        moved = Wish(bar.pool, bar.size, 1, start)
        return self.update_device(device, [moved if one == bar else one for one in held])

    def held_by(self, device: str) -> tuple[Held, ...]:
        """Return what the device holds."""
        require(device in self.devices, UNKNOWN_DEVICE)
        return self.devices[device]

    # ---- their parts

    def _with(self, pool: int, after: Allocator) -> Books:
        pools = tuple(after if at == pool else one for at, one in enumerate(self.pools))
        return replace(self, pools=pools)
