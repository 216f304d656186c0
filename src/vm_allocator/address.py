"""`AddressAllocator`, and `RangeAllocator`: the logic that it shares with `IdAllocator`.

What a request says by itself is read by `requests`, and what it meets by `placement`. But for
`update_many`, which walks the changes that it is given, the logic has no loops and no data
structure of its own: it checks the request, asks the gap index, and changes the index as the
last thing that it does. It works on plain ints, with inclusive ends and spans (size - 1), so
that no value leaves 64 bits. `spec/model.py` says what each operation must do.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from .errors import (
    ConflictingRequestError,
    InvalidSizeError,
    InvalidSpaceError,
    MisalignedError,
    NoSpaceError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
)
from .gap_tree import GapTree
from .owners import checked_owner, hand_on, restore, tag, tag_all
from .policy import LastMatch
from .requests import checked_alignment
from .resource import GuestAddress, GuestUsize, R, S, Unit
from .saving import Saving
from .undo import UndoLog
from .view import plain_int

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from .gaps import GapIndex
    from .holds import Hold
    from .moves import Move
    from .policy import Policy
    from .ranges import RangeInclusive


_NO_LOCK: Final = nullcontext()


class RangeAllocator(Saving[R, S]):
    """Ranges of one space: allocate, free, update, each of which happens whole or not at all.

    Every operation is O(log n) in the number n of live ranges, apart from the search for
    room, whose cost is the gap index's: see `GapTree`, and `SortedGaps`. That holds also for an
    exception from without, at any moment (`docs/faults.md`).
    """

    _intent: int | list[int] | None
    """What the last operation was about to grant or free when nothing was left to refuse it.

    For a `Transaction`, which sets it to `None` before it calls one. That of many changes at
    once sets it when all are made.
    """

    def __init__(self, unit: Unit, base: int, last: int, align: int, index: GapIndex) -> None:
        self._unit = unit
        self._base = base
        self._last = last
        self._align = align
        self._index = index
        self._pending: dict[tuple[int, int], Move[R] | Hold[R]] = {}
        self._owners: dict[int, str] = {}

    # ---- the operations

    def allocate(
        self,
        resource: R | None,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        prefer: int | None = None,
        owner: str | None = None,
    ) -> R:
        """Allocate `size` units: exactly at `resource` if given, else where `policy` says.

        `align` defaults to the allocator's alignment, `policy` to `FirstMatch`, the window
        `within` to the whole space. `prefer` is an alignment that is tried first, where the
        start is open: what fits with it is taken, and `align` is for when nothing does. Errors
        about conflicts name the `owner`. Returns the start of the range that is now live.

        Raises, with nothing changed: `InvalidTypeError`, `InvalidSizeError`,
        `InvalidAlignmentError`, `ConflictingRequestError` (a resource and a policy that
        disagree); for an exact start `OutOfBoundsError`, `OutsideWindowError`,
        `MisalignedError`, `OverlapError`; otherwise `NoSpaceError`, only if nothing fits.
        """
        span = self._span(size)
        start = self._find(resource, span, align, policy, within, prefer)
        if owner is not None or self._owners:
            tag(self._owners, start, checked_owner(self._unit, owner))
        self._intent = start
        self._index.add(start, start + span)
        return self._resource(start)

    def allocate_many(
        self,
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> list[R]:
        """Allocate `count` ranges of `size` units each, or none of them, all for one `owner`.

        Returns the starts that as many calls of `allocate(None, size, ...)` would grant, in
        that order: upwards for `FirstMatch`, downwards for `LastMatch`. A count is 1 to
        `MAX_COUNT` (2^20). The cost is that of one search for room and of the ranges found,
        where the calls would search as often: see the index.

        Raises, with nothing changed: `InvalidCountError`, `ConflictingRequestError` for
        `ExactMatch`, `NoSpaceError`, which says how many of them fit, and otherwise what
        `allocate` raises.
        """
        wanted = self._count(count)
        span = self._span(size)
        granule = self._granule(align)
        if self._exact_start(None, policy) is not None:
            raise ConflictingRequestError(
                self._unit, f"{policy!r} is one start, for one range: pass FirstMatch or LastMatch"
            )
        window_first, window_last = self._window(within)
        first, last = max(window_first, self._base), min(window_last, self._last)
        starts: list[int] = []
        if first <= last:
            if policy is LastMatch:
                starts = self._index.highest_fits(wanted, span, granule, first, last)
            else:
                starts = self._index.lowest_fits(wanted, span, granule, first, last)
        if len(starts) < wanted:
            raise NoSpaceError(
                self._unit, span, granule, window_first, window_last, wanted, len(starts)
            )
        if owner is not None or self._owners:
            tag_all(self._owners, starts, checked_owner(self._unit, owner))
        self._intent = starts
        self._index.add_all(starts, span)
        resources: list[R] = starts  # type: ignore[assignment]  # NewTypes are ints; R is one of them
        return resources

    def free(self, resource: R, size: S) -> None:
        """Free the range of `size` units at `resource`, which must be live exactly so.

        Raises, with nothing changed: `InvalidTypeError`, `InvalidSizeError`,
        `NotAllocatedError` (a part of a live range, or several of them, are not that range).
        """
        start = plain_int(self._unit, "resource", resource)
        span = self._span(size)
        self._demand_live(start, span)
        self._intent = start
        self._index.remove(start, start + span)
        if self._owners:
            tag(self._owners, start, None)

    def update(
        self,
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> None:
        """Move a live range: free the old one and allocate exactly the new one, or neither.

        The new range may overlap the old one. With `None` for both old values this is
        `allocate(new_resource, new_size)`. It stays whose it is, unless an `owner` is given.

        Raises, with nothing changed: what `free` raises for the old range, what an exact
        `allocate` raises for the new one (a live range other than the old one is in the
        way: `OverlapError`), `ConflictingRequestError` if one old value is `None`.
        """
        if old_resource is None or old_size is None:
            if old_resource is not None or old_size is not None:
                raise ConflictingRequestError(
                    self._unit,
                    "the old range is given by halves: pass both its resource and its size, "
                    "or None for both",
                )
            self.allocate(new_resource, new_size, align=align, within=within, owner=owner)
            return
        plan = self._plan(old_resource, old_size, new_resource, new_size, align, within)
        old_start, old_end, new_start, new_end = plan
        before = self._owners.get(old_start)
        after = before if owner is None else checked_owner(self._unit, owner)
        self._intent = new_start
        try:
            if owner is not None or self._owners:
                tag(self._owners, new_start, after)
            self._index.remove(old_start, old_end)
            self._index.add(new_start, new_end)
        except BaseException:  # an interrupt may come between any two steps
            is_live = self._index.is_live
            if not is_live(new_start, new_end):
                if not is_live(old_start, old_end):
                    self._index.add(old_start, old_end)
                if self._owners:
                    tag(self._owners, old_start, before)
            raise
        if self._owners and new_start != old_start:
            tag(self._owners, old_start, None)

    def update_many(
        self,
        changes: Iterable[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> None:
        """Move any number of ranges at once, each from old to new: all of them, or none.

        All old ranges are out of the way of all new ones: swaps, chains and overlaps are
        changes as any other. With `None` for the new range, the old one is freed; with `None`
        for the old range, exactly the new one is allocated. `align` and `within` are those of
        every new range. What moves stays whose it is. O(log n) for each range, and O(n) in all
        if any range has an owner.

        Raises, with nothing changed: what `free` raises for an old range (also if it is named
        twice), what an exact `allocate` raises for a new one (another new range, or a live one
        that is not old, is in the way: `OverlapError`), `ConflictingRequestError` for `None`
        twice, `InvalidTypeError`.
        """
        granule = self._granule(align)
        first, last = self._window(within)
        if self._owners:
            changes = tuple(changes)  # they are gone through again, for whose they are
        old, new = self._sides(changes)
        log, owners = UndoLog(self._index), dict(self._owners)
        try:
            try:
                for start, end in old:
                    self._demand_live(start, end - start)
                    log.remove(start, end)
                for start, end in new:
                    self._place(start, end - start, granule, first, last)
                    self._demand_free(start, end - start, start, end)
                    log.add(start, end)
                if owners:
                    hand_on(self._owners, changes)
                self._intent = []
            except BaseException:  # an interrupt may come between any two steps
                self._intent = None
                log.undo()
                raise
        except BaseException:  # and while the steps before a refusal are undone
            self._intent = None
            log.undo()
            if owners:
                restore(self._owners, owners)
            raise

    def move(
        self,
        old_resource: R,
        old_size: S,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> Move[R]:
        """Begin an update in two phases: from now on, neither range can be handed out.

        Both are reserved until the move is committed, once the VMM has remapped the device, or
        aborted; as a context manager, it is aborted unless it was committed. Other ranges may
        be allocated, freed and moved meanwhile. It stays whose it is, unless an `owner` is
        given, and errors about conflicts name them.

        Raises, with nothing changed, what `update` raises.
        """
        plan = self._plan(old_resource, old_size, new_resource, new_size, align, within)
        named = checked_owner(self._unit, owner)
        if named is None:
            named = self._owners.get(plan[0])
        self._intent = plan[0]
        return self._new_move(plan, named).begin()

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        prefer: int | None = None,
    ) -> R | None:
        """Return what `allocate` would grant now, without allocating; `None` for a refusal.

        Raises what `allocate` raises for requests that make no sense.
        """
        try:
            span = self._span(size)
            return self._resource(self._find(None, span, align, policy, within, prefer))
        except (NoSpaceError, OutOfBoundsError, OutsideWindowError, MisalignedError, OverlapError):
            return None

    def _as_one(self) -> AbstractContextManager[object]:
        """Return what makes several operations one to other threads; here nothing does.

        For transactions; others use `locked()` of a synchronized allocator.
        """
        return _NO_LOCK

    # ---- their parts; none of these changes anything

    def _find(  # noqa: PLR0917  # the arguments of `allocate`, as they were passed
        self,
        resource: R | None,
        span: int,
        align: int | None,
        policy: Policy[R] | None,
        within: RangeInclusive[R] | None,
        prefer: int | None,
    ) -> int:
        """Return the start that the request is granted, or raise."""
        granule = self._granule(align)
        exact = self._exact_start(resource, policy)
        preferred = self._preferred(prefer, granule, exact)
        window_first, window_last = self._window(within)
        if exact is not None:
            self._place(exact, span, granule, window_first, window_last)
            self._demand_free(exact, span, exact, exact + span)
            return exact
        first, last = max(window_first, self._base), min(window_last, self._last)
        start = None
        if first <= last:
            search = self._index.highest_fit if policy is LastMatch else self._index.lowest_fit
            if preferred is not None:
                start = search(span, preferred, first, last)
            if start is None:
                start = search(span, granule, first, last)
        if start is None:
            raise NoSpaceError(self._unit, span, granule, window_first, window_last)
        return start


class AddressAllocator(RangeAllocator[GuestAddress, GuestUsize]):
    """Guest addresses, or ports: the `size` bytes from `base` on.

    >>> mmio = AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x1000_0000), 0x1000)
    >>> bar = mmio.allocate(None, GuestUsize(0x4000))
    >>> hex(bar)
    '0xc0000000'
    >>> mmio.allocate(GuestAddress(0xC000_2000), GuestUsize(0x1000))
    Traceback (most recent call last):
        ...
    vm_allocator.errors.OverlapError: 0xc0002000-0xc0002fff overlaps live 0xc0000000-0xc0003fff: \
free that first or choose another range
    >>> mmio.update(bar, GuestUsize(0x4000), GuestAddress(0xC000_2000), GuestUsize(0x4000))
    >>> list(mmio)
    [RangeInclusive(0xc0002000, 0xc0005fff)]

    `alignment` is a power of two, in bytes, for requests that name none. The space may be a
    single byte, all of [0, 2^64-1], and anything between. `index` makes the gap index from
    the first and the last address: `GapTree` by default, or the simple `SortedGaps`. Raises
    `InvalidTypeError`, `InvalidSizeError`, `InvalidSpaceError` or `InvalidAlignmentError`.
    """

    _kind = Unit.ADDRESS
    _makes_index = GapTree

    def __init__(
        self,
        base: GuestAddress,
        size: GuestUsize,
        alignment: int = 1,
        *,
        index: Callable[[int, int], GapIndex] | None = None,
    ) -> None:
        unit: Final = Unit.ADDRESS
        first = plain_int(unit, "base", base)
        units = plain_int(unit, "size", size)
        if units < 1 or unit.top < units - 1:
            raise InvalidSizeError(unit, units)
        if not 0 <= first <= unit.top or unit.top - first < units - 1:
            raise InvalidSpaceError(unit, first, units - 1)
        last = first + (units - 1)
        align = checked_alignment(unit, alignment)
        super().__init__(unit, first, last, align, (index or GapTree)(first, last))
