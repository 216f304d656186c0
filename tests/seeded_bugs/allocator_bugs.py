"""Bugs in the logic of an allocator: each class is the real one with one mistake."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vm_allocator.address import AddressAllocator
from vm_allocator.arithmetic import is_aligned
from vm_allocator.errors import AllocatorError, MisalignedError, NoSpaceError, OverlapError
from vm_allocator.ids import ONE, IdAllocator
from vm_allocator.resource import GuestUsize

if TYPE_CHECKING:
    from vm_allocator.resource import GuestAddress, Id, IdCount


class UpdateFreesBeforeItChecks(AddressAllocator):
    """A refused move loses the old range (Cloud Hypervisor issue 8203)."""

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
        **options: Any,
    ) -> None:
        if old_resource is None or old_size is None:
            super().update(old_resource, old_size, new_resource, new_size, **options)
            return
        self._span(new_size)
        self._granule(options.get("align"))
        self.free(old_resource, old_size)
        self.allocate(new_resource, new_size, **options)


class UpdateForgetsThatOldAndNewMayOverlap(AddressAllocator):
    """A range that is moved by half its size collides with itself."""

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
        **options: Any,
    ) -> None:
        # Whatever is refused for another reason is refused for that reason.
        self.copy_as_it_should_be().update(
            old_resource, old_size, new_resource, new_size, **options
        )
        if old_resource is not None and old_size is not None:
            start, span = int(new_resource), int(new_size) - 1
            self._demand_free(start, span, start, start + span)
        super().update(old_resource, old_size, new_resource, new_size, **options)

    def copy_as_it_should_be(self) -> AddressAllocator:
        correct = AddressAllocator(self.base, GuestUsize(self.size), self.alignment)
        correct._index = self._index.copy()
        return correct


class UpdateKeepsTheOldRange(AddressAllocator):
    """The new range is live, and so is the old one."""

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
        **options: Any,
    ) -> None:
        super().update(old_resource, old_size, new_resource, new_size, **options)
        if old_resource is not None and old_size is not None:
            start, end = int(old_resource), int(old_resource) + int(old_size) - 1
            if self._index.overlapping(start, end) is None:
                self._index.add(start, end)


class ExactMatchDoesNotLookInside(AddressAllocator):
    """Refused only if a live range has that very start and end (row 1 of the bug corpus)."""

    def _demand_free(self, start: int, span: int, part_start: int, part_end: int) -> None:
        del part_start, part_end
        if self._index.is_live(start, start + span):
            raise OverlapError(self._unit, start, span, start, start + span)


class FreeAcceptsAPart(AddressAllocator):
    """The first bytes of a live range may be freed; all of it is gone then."""

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        found = self.lookup(resource)
        if found is not None and found.start == resource and 1 <= size <= found.size:
            self._index.remove(found.start, found.end)
        else:
            super().free(resource, size)


class EndWrapsAt2To64(AddressAllocator):
    """The end is an unsigned 64-bit sum: past the last address it looks like a low one."""

    def _inside(self, start: int, span: int, first: int, last: int) -> bool:
        return first <= start and (start + span) % 2**64 <= last

    def _demand_free(self, start: int, span: int, part_start: int, part_end: int) -> None:
        super()._demand_free(start, span, part_start, max(part_start, part_end % 2**64))


class WindowOfTheStartAlone(AddressAllocator):
    """An exact range may reach out of the window at its end."""

    def _place(self, start: int, span: int, granule: int, first: int, last: int) -> None:
        if first <= start <= last:
            last = max(last, start + span)
        super()._place(start, span, granule, first, last)


class RefusesForTheWrongReason(AddressAllocator):
    """Alignment is looked at before the bounds are: refused rightly, for another reason."""

    def _place(self, start: int, span: int, granule: int, first: int, last: int) -> None:
        if not is_aligned(start, granule):
            raise MisalignedError(self._unit, start, span, granule)
        super()._place(start, span, granule, first, last)


class AvailableForgetsTheAlignment(AddressAllocator):
    """`available` promises what `allocate` does not keep."""

    def available(self, size: GuestUsize, *, align: int | None = None, **options: Any) -> Any:
        super().available(size, align=align)  # invalid requests are refused as they should be
        return super().available(size, align=1, **options)


class ManyKeepsWhatFits(AddressAllocator):
    """A refusal of many leaves behind those that fitted."""

    def allocate_many(self, count: int, size: GuestUsize, **options: Any) -> list[GuestAddress]:
        return [self.allocate(None, size, **options) for _ in range(self._count(count))]


class ManyAreTheOtherWayRound(AddressAllocator):
    """The right starts, the last one first."""

    def allocate_many(self, count: int, size: GuestUsize, **options: Any) -> list[GuestAddress]:
        return super().allocate_many(count, size, **options)[::-1]


class ManyAreGrantedAsFarAsTheyFit(AddressAllocator):
    """Fewer than were asked for, and no refusal."""

    def allocate_many(self, count: int, size: GuestUsize, **options: Any) -> list[GuestAddress]:
        try:
            return super().allocate_many(count, size, **options)
        except NoSpaceError as error:
            if not error.fitting:
                raise
            return super().allocate_many(error.fitting, size, **options)


class ManyMovesAreOneByOne(AddressAllocator):
    """One move after the other: a swap meets the range that has not moved yet (CH issue 8202)."""

    def update_many(self, changes: Any, **options: Any) -> None:
        whole = list(changes)
        self.copy_as_it_should_be().update_many(whole, **options)  # refuses as it should
        for old, new in whole:
            super().update_many([(old, new)], **options)

    def copy_as_it_should_be(self) -> AddressAllocator:
        correct = AddressAllocator(self.base, GuestUsize(self.size), self.alignment)
        correct._index = self._index.copy()
        return correct


class ManyMovesKeepWhatCameFirst(AddressAllocator):
    """The changes before the refused one stay: all or nothing is neither."""

    def update_many(self, changes: Any, **options: Any) -> None:
        whole = list(changes)
        try:
            super().update_many(whole, **options)
        except OverlapError:
            with suppress(AllocatorError):
                super().update_many(whole[:1], **options)
            raise


class ManyMovesForgetToFree(AddressAllocator):
    """What is only to be freed stays live, as the moves are all that is looked at."""

    def update_many(self, changes: Any, **options: Any) -> None:
        whole = list(changes)
        freed = [(old, new) for old, new in whole if new is None]
        super().update_many(whole, **options)
        for old, _ in freed:
            if self._index.overlapping(int(old.start), int(old.end)) is None:
                self._index.add(int(old.start), int(old.end))


class AMoveFreesItsOldRangeAtOnce(AddressAllocator):
    """It may be handed out while the device still answers there (Cloud Hypervisor issue 8572)."""

    def move(self, *arguments: Any, **options: Any) -> Any:
        move = super().move(*arguments, **options)
        start, end = move.ends[:2]
        self._index.remove(start, end)
        return move


class AMoveReservesNothing(AddressAllocator):
    """The new range is looked at when the move begins, and taken when it is committed."""

    def move(self, *arguments: Any, **options: Any) -> Any:
        move = super().move(*arguments, **options)
        while move._parts:
            self._index.remove(*move._parts.pop())
        return move


class WhatAMoveHoldsMayBeFreed(AddressAllocator):
    """A range is freed while it is on its way: when the move ends, it ends badly."""

    def _demand_live(self, start: int, span: int) -> None:
        held, self._pending = self._pending, {}
        try:
            super()._demand_live(start, span)
        finally:
            self._pending = held


class AnIdIsHandedOutTwice(IdAllocator):
    """The id that was freed last is kept at hand, and stays there when it is handed out again."""

    _at_hand: Id | None = None

    def free(self, resource: Id, size: IdCount = ONE) -> None:
        super().free(resource, size)
        self._at_hand = resource if size == 1 else None

    def allocate(self, resource: Id | None, size: IdCount = ONE, **options: Any) -> Id:
        plain = resource is None and size == 1 and not any(options.values())
        if (
            plain
            and self._at_hand is not None
            and self._index.is_live(self._at_hand, self._at_hand)
        ):
            return self._at_hand
        return super().allocate(resource, size, **options)


class BlockIsNotAligned(IdAllocator):
    """A block of vectors starts anywhere; the device will set the low bits all the same."""

    def allocate_block(self, count: IdCount, **options: Any) -> Id:
        self.copy().allocate(None, count, align=count, **options)  # refuses as it should
        return self.allocate(None, count, **options)


class LastIdIsNeverGiven(IdAllocator):
    """The last id counts as outside the space when it is asked for exactly (corpus, row 6)."""

    def _place(self, start: int, span: int, granule: int, first: int, last: int) -> None:
        self._last -= 1
        try:
            super()._place(start, span, granule, first, last)
        finally:
            self._last += 1
