"""Bugs in claims: each class makes claims with one mistake in them."""

from __future__ import annotations

from typing import Any

from vm_allocator.address import AddressAllocator
from vm_allocator.claim_errors import NotClaimedError
from vm_allocator.claims import Claims, Granted
from vm_allocator.errors import OverlapError
from vm_allocator.resource import GuestAddress, GuestUsize


class Buggy(Claims[Any, Any, Any]):
    """Claims of a fresh allocator."""

    def __init__(self, base: Any, size: int = 0, alignment: int = 1) -> None:
        # From the ends of a space, as a factory, or from an allocator, as a restore makes it.
        made = base
        if isinstance(base, int):
            made = AddressAllocator(GuestAddress(base), GuestUsize(size), alignment)
        super().__init__(made)

    def copy(self) -> Any:
        twin = type(self).__new__(type(self))
        Claims.__init__(twin, self._allocator.copy())
        twin._held, twin._waiting = dict(self._held), dict(self._waiting)
        return twin


class AWakeUpIsLost(Buggy):
    """A release frees the range, and nobody looks at who waited for it."""

    def release(self, owner: Any) -> list[Any]:
        if not self._give_up(owner):
            raise NotClaimedError(self._allocator._unit, owner)
        return []


class AMoveWakesNobody(Buggy):
    """A claim that leaves a range behind looks at itself alone."""

    def claim(self, owner: Any, resource: Any, size: Any, **options: Any) -> list[Any]:
        others = {who: ends for who, ends in self._waiting.items() if who != owner}
        mine = {who: ends for who, ends in self._waiting.items() if who == owner}
        self._waiting = mine
        try:
            return super().claim(owner, resource, size, **options)
        finally:
            self._waiting = {**others, **self._waiting}


class OnlyOneIsWoken(Buggy):
    """A wake-up ends with the first grant."""

    def _queue(self) -> Any:
        overlapping = self._allocator._index.overlapping
        queue = super()._queue()
        return [each for each in queue if overlapping(*each[1]) is None][:1]


class TheFirstInLineBlocksAllOthers(Buggy):
    """Whoever waits behind a claim that cannot be granted yet waits, too."""

    def _queue(self) -> Any:
        overlapping = self._allocator._index.overlapping
        queue = super()._queue()
        blocked = [at for at, each in enumerate(queue) if overlapping(*each[1]) is not None]
        return queue[: blocked[0]] if blocked else queue


class TheLastComesFirst(Buggy):
    """Claims are granted as from a stack."""

    def _queue(self) -> Any:
        return super()._queue()[::-1]


class AGrantIsToldTwice(Buggy):
    """Who waited is granted, and told so again: the VMM maps the range twice."""

    def settle(self) -> list[Granted[Any, Any]]:
        granted = super().settle()
        return granted + granted[1:]


class AGrantIsNotTold(Buggy):
    """A release wakes another owner, and the VMM hears nothing of it."""

    def release(self, owner: Any) -> list[Any]:
        return super().release(owner)[1:]


class TheOldRangeIsKept(Buggy):
    """A claim that has to wait holds on to the range that the guest has left."""

    def claim(self, owner: Any, resource: Any, size: Any, **options: Any) -> list[Any]:
        old = self._held.get(owner)
        granted = super().claim(owner, resource, size, **options)
        if old is not None and owner in self._waiting and not granted:
            self._allocator._index.add(*old)
            self._held[owner] = old
        return granted


class AWithdrawnClaimIsGranted(Buggy):
    """A release forgets the claim that waits: the range goes to who has gone."""

    def release(self, owner: Any) -> list[Any]:
        waited = self._waiting.get(owner)
        granted = super().release(owner)
        if waited is not None:
            self._waiting[owner] = waited
        return granted


class ANewClaimTakesTheOldPlaceInLine(Buggy):
    """An owner that waited and claims anew is served before those who came in between."""

    def claim(self, owner: Any, resource: Any, size: Any, **options: Any) -> list[Any]:
        order = list(self._waiting)
        granted = super().claim(owner, resource, size, **options)
        if owner in self._waiting and owner in order:
            self._waiting = {who: self._waiting[who] for who in order if who in self._waiting}
        return granted


class AClaimIsRefusedWhereItShouldWait(Buggy):
    """What is taken is refused, as `allocate` would."""

    def claim(self, owner: Any, resource: Any, size: Any, **options: Any) -> list[Any]:
        held, waiting = dict(self._held), dict(self._waiting)
        live = list(self._allocator._index.live())
        granted = super().claim(owner, resource, size, **options)
        if owner in self._waiting:
            self._held, self._waiting = held, waiting
            for ends in list(self._allocator._index.live()):
                self._allocator._index.remove(*ends)
            for ends in live:
                self._allocator._index.add(*ends)
            raise OverlapError(self._allocator._unit, resource, size - 1, resource, resource)
        return granted


class ARefusedClaimGivesUpTheOldRange(Buggy):
    """The old range is freed before it is known that the new one makes sense."""

    def claim(self, owner: Any, resource: Any, size: Any, **options: Any) -> list[Any]:
        if owner is not None:
            self._give_up(owner)
        return super().claim(owner, resource, size, **options)


class ACopySharesTheQueue(Buggy):
    """What waits in a copy waits in the original."""

    def copy(self) -> Any:
        twin = super().copy()
        twin._waiting = self._waiting
        return twin
