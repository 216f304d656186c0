"""`ResourceMap`: which device holds what, so that all of it can be given back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from .resource_sets import DeviceNeeds, Grant, Need, ResourceSet, free_all
from .transaction_errors import DeviceExistsError, NotHeldError, UnknownDeviceError
from .transactions import Transaction, atomically, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .resource import GuestAddress, GuestUsize

D = TypeVar("D", bound=Hashable)


class ResourceMap(Mapping[D, ResourceSet]):
    """From each device to the set that it holds: read like any mapping, changed as a whole.

    >>> from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator
    >>> slots, irqs = IdAllocator(Id(0), Id(31)), IdAllocator(Id(5), Id(23))
    >>> mmio = AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x4000))
    >>> from vm_allocator import one_id
    >>> def nic(size: int) -> DeviceNeeds:
    ...     bar = Need(mmio, GuestUsize(size))
    ...     return DeviceNeeds(one_id(slots), irqs=[one_id(irqs)], mmio=[bar])
    >>> devices: ResourceMap[str] = ResourceMap()
    >>> devices.register("nic0", nic(0x1000)).mmio
    (<Grant 0xc0000000-0xc0000fff of a AddressAllocator>,)
    >>> devices.register("nic1", nic(0x4000))
    Traceback (most recent call last):
        ...
    vm_allocator.errors.NoSpaceError: no room for 0x4000 aligned to 0x1 within \
0xc0000000-0xc0003fff: free something, or ask for less
    >>> devices.unregister("nic0").irqs, len(slots), len(irqs), len(mmio)
    ((<Grant 5 of a IdAllocator>,), 0, 0, 0)

    Every change happens whole or not at all. With `tx`, it is a part of that transaction, and is
    undone with it. `n` below is the number of grants in the set; the costs of the pools come
    on top. `begin` makes the transactions: for those who want to watch them.
    """

    def __init__(self, begin: Callable[[], Transaction] = transaction) -> None:
        self._begin = begin
        self._sets: dict[D, ResourceSet] = {}

    def __getitem__(self, device: D) -> ResourceSet:
        """Return the set of the device. Raises `UnknownDeviceError`. O(1)."""
        try:
            return self._sets[device]
        except KeyError:
            raise UnknownDeviceError(device) from None

    def __iter__(self) -> Iterator[D]:
        return iter(self._sets)

    def __len__(self) -> int:
        return len(self._sets)

    def __repr__(self) -> str:
        ranges = sum(1 for _ in self.grants())
        return f"<ResourceMap of {len(self)} devices that hold {ranges} ranges>"

    def grants(self) -> Iterator[tuple[D, Grant[Any, Any]]]:
        """Iterate over all that is held, each with the device that holds it."""
        return ((device, grant) for device, held in self._sets.items() for grant in held)

    # ---- the operations

    def register(
        self, device: D, needs: DeviceNeeds, *, tx: Transaction | None = None
    ) -> ResourceSet:
        """Allocate all that a new device needs, or nothing; return what it now holds. O(n).

        Raises, with nothing changed: `DeviceExistsError`, `NotHeldError` for a `Grant` among
        the needs, and what the pools raise.
        """
        if device in self._sets:
            raise DeviceExistsError(device)
        for wish in needs:
            if isinstance(wish, Grant):
                raise NotHeldError(device, wish)

        def work(part: Transaction) -> ResourceSet:
            held = needs.allocate(part)
            self._put(part, device, held)
            return held

        return atomically(self._part(tx), work)

    def unregister(self, device: D, *, tx: Transaction | None = None) -> ResourceSet:
        """Free exactly what the device holds, and forget it; return what it held. O(n).

        Raises, with nothing changed: `UnknownDeviceError`, and what the pools raise if somebody
        has freed a range behind the map's back.
        """
        held = self[device]

        def work(part: Transaction) -> ResourceSet:
            held.free(part)
            self._put(part, device, None)
            return held

        return atomically(self._part(tx), work)

    def update_device(
        self, device: D, needs: DeviceNeeds, *, tx: Transaction | None = None
    ) -> ResourceSet:
        """Let the device hold this instead, or what it held before; return its new set. O(n).

        A `Grant` of its present set among the needs is kept; everything else that it holds is
        freed first, so that what is new may take the place of what goes.

        Raises, with nothing changed: `UnknownDeviceError`, `NotHeldError` for a grant that is not
        its own, and what the pools raise.
        """
        before = self[device]
        going = dict.fromkeys(before)
        for wish in needs:
            if isinstance(wish, Grant):
                if wish not in going:
                    raise NotHeldError(device, wish)
                del going[wish]

        def work(part: Transaction) -> ResourceSet:
            free_all(part, reversed(going))
            held = needs.allocate(part)
            self._put(part, device, held)
            return held

        return atomically(self._part(tx), work)

    def move(
        self,
        device: D,
        bar: Grant[GuestAddress, GuestUsize],
        start: GuestAddress,
        *,
        align: int | None = None,
        tx: Transaction | None = None,
    ) -> ResourceSet:
        """Move one MMIO or PIO range of the device, as a guest does that writes a BAR. O(n).

        The new range may overlap the old one. Raises what `update_device` raises.
        """
        held = self[device]
        if bar not in held.mmio and bar not in held.pio:
            raise NotHeldError(device, bar)
        to = Need(bar.pool, bar.size, start, align=align)
        needs = replace(
            held.needs(),
            mmio=[to if each == bar else each for each in held.mmio],
            pio=[to if each == bar else each for each in held.pio],
        )
        return self.update_device(device, needs, tx=tx)

    # ---- their parts

    def _part(self, tx: Transaction | None) -> Transaction:
        return self._begin() if tx is None else tx.part()

    def _put(self, tx: Transaction, device: D, held: ResourceSet | None) -> None:
        """Note what the device holds now, and before that how to undo it.

        All of these are calls of the `dict`: one step each, done or not.
        """
        before = self._sets.get(device)
        if before is None:
            tx.undo_with(self._sets.pop, device, None)
        else:
            tx.undo_with(self._sets.__setitem__, device, before)
        if held is None:
            self._sets.pop(device, None)
        else:
            self._sets[device] = held
