"""`AddressAllocator`, and `RangeAllocator`: the logic that it shares with `IdAllocator`.

The logic has no loops and no data structure of its own: it checks the request,
asks the gap index, and changes the index as the last thing that it does. It works
on plain ints, with inclusive ends and spans (size - 1), so that no value leaves 64
bits. `spec/model.py` says what each operation must do.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from .arithmetic import is_aligned, is_power_of_two
from .errors import (
    ConflictingRequestError,
    InvalidAlignmentError,
    InvalidCountError,
    InvalidSizeError,
    InvalidSpaceError,
    InvalidTypeError,
    MisalignedError,
    MovePendingError,
    NoSpaceError,
    NotAllocatedError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
    ReservedError,
)
from .gap_tree import GapTree
from .moves import Move
from .policy import ExactMatch, LastMatch, Order, Policy
from .ranges import RangeInclusive
from .resource import MAX_ALIGNMENT, MAX_COUNT, GuestAddress, GuestUsize, R, S, Unit
from .snapshots.states import SavedState
from .undo import UndoLog
from .view import RangeView, plain_int

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .gaps import GapIndex


class RangeAllocator(RangeView[R, S]):
    """Ranges of one space: allocate, free, update, each of which happens whole or not at all.

    Every operation is O(log n) in the number n of live ranges, apart from the search for
    room, whose cost is the gap index's: see `GapTree`, and `SortedGaps`. That holds also for an
    exception from without, at any moment (`docs/faults.md`).
    """

    _intent: int | list[int] | None
    """What the last operation was about to grant or free when nothing was left to refuse it.

    For a `Transaction`, which sets it to `None` before it calls one.
    """

    _kind: ClassVar[Unit]
    _makes_index: ClassVar[type[GapIndex]]
    """What a kind of allocator counts in, and the index that it has unless it is told another."""

    def __init__(self, unit: Unit, base: int, last: int, align: int, index: GapIndex) -> None:
        self._unit = unit
        self._base = base
        self._last = last
        self._align = align
        self._index = index
        self._pending: list[Move[R]] = []

    # ---- the operations

    def allocate(
        self,
        resource: R | None,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> R:
        """Allocate `size` units: exactly at `resource` if given, else where `policy` says.

        `align` defaults to the allocator's alignment, `policy` to `FirstMatch`, the window
        `within` to the whole space. Returns the start of the range that is now live.

        Raises, with nothing changed: `InvalidTypeError`, `InvalidSizeError`,
        `InvalidAlignmentError`, `ConflictingRequestError` (a resource and a policy that
        disagree); for an exact start `OutOfBoundsError`, `OutsideWindowError`,
        `MisalignedError`, `OverlapError`; otherwise `NoSpaceError`, only if nothing fits.
        """
        span = self._span(size)
        start = self._find(resource, span, align, policy, within)
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
    ) -> list[R]:
        """Allocate `count` ranges of `size` units each, or none of them.

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

    def update(
        self,
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> None:
        """Move a live range: free the old one and allocate exactly the new one, or neither.

        The new range may overlap the old one. With `None` for both old values this is
        `allocate(new_resource, new_size)`.

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
            self.allocate(new_resource, new_size, align=align, within=within)
            return
        plan = self._plan(old_resource, old_size, new_resource, new_size, align, within)
        old_start, old_end, new_start, new_end = plan
        self._intent = new_start
        try:
            self._index.remove(old_start, old_end)
            self._index.add(new_start, new_end)
        except BaseException:  # an interrupt may come between any two steps
            is_live = self._index.is_live
            if not is_live(new_start, new_end) and not is_live(old_start, old_end):
                self._index.add(old_start, old_end)
            raise

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
        every new range. O(log n) for each range.

        Raises, with nothing changed: what `free` raises for an old range (also if it is named
        twice), what an exact `allocate` raises for a new one (another new range, or a live one
        that is not old, is in the way: `OverlapError`), `ConflictingRequestError` for `None`
        twice, `InvalidTypeError`.
        """
        granule = self._granule(align)
        first, last = self._window(within)
        old, new = self._sides(changes)
        log = UndoLog(self._index)
        try:
            for start, end in old:
                self._demand_live(start, end - start)
                log.remove(start, end)
            for start, end in new:
                self._place(start, end - start, granule, first, last)
                self._demand_free(start, end - start, start, end)
                log.add(start, end)
        except BaseException:  # an interrupt may come between any two steps
            log.undo()
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
        be allocated, freed and moved meanwhile. `owner` is named in errors about conflicts.

        Raises, with nothing changed, what `update` raises.
        """
        plan = self._plan(old_resource, old_size, new_resource, new_size, align, within)
        return Move.begin(self._unit, self._index, self._pending, plan, owner)

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> R | None:
        """Return what `allocate` would grant now, without allocating; `None` for a refusal.

        Raises what `allocate` raises for requests that make no sense.
        """
        try:
            return self._resource(self._find(None, self._span(size), align, policy, within))
        except (NoSpaceError, OutOfBoundsError, OutsideWindowError, MisalignedError, OverlapError):
            return None

    # ---- snapshots

    def save(self) -> dict[str, Any]:
        """Return the state as plain data, for `json.dumps` and `restore`. O(n).

        `docs/snapshots.md` describes it. Owners of pending moves have to be strings: anything
        else is a `NotSavableError`.
        """
        return SavedState.of(self).data()

    @classmethod
    def restore(cls, data: Any, *, index: Callable[[int, int], GapIndex] | None = None) -> Self:
        """Return a new allocator in the state that was saved; `moves` of it are pending again.

        `data` is what `save` returned, or what JSON made of it (`load_snapshot` reads text of
        unknown origin). `index` is that of the constructor. O(n), and O(n log n) for ranges that
        are not in order.

        Raises, with nothing made: `SnapshotFormatError`, `SnapshotVersionError`,
        `SnapshotMismatchError` for a snapshot of something else, and `SnapshotStateError` for a
        state that breaks an invariant. Each names what is wrong, and where.
        """
        return cls._made(SavedState.read(data, cls._kind), index)

    @classmethod
    def _made(cls, state: SavedState, index: Callable[[int, int], GapIndex] | None = None) -> Self:
        """Return an allocator in that state, which breaks no invariant."""
        filled = state.filled(index or cls._makes_index)
        made = cls.__new__(cls)
        RangeAllocator.__init__(made, state.unit, state.base, state.last, state.alignment, filled)
        begin: Callable[..., object] = partial(RangeAllocator.move, made)
        for move in state.moves:
            (old, old_end), (new, new_end) = move.old[:2], move.new[:2]
            begin(old, old_end - old + 1, new, new_end - new + 1, align=1, owner=move.owner)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by way of a snapshot: what is damaged is noticed, and moves find their ranges."""
        return _unpickled, (type(self), self.save(), type(self._index))

    # ---- their parts; none of these changes anything

    def _find(
        self,
        resource: R | None,
        span: int,
        align: int | None,
        policy: Policy[R] | None,
        within: RangeInclusive[R] | None,
    ) -> int:
        """Return the start that the request is granted, or raise."""
        granule = self._granule(align)
        exact = self._exact_start(resource, policy)
        window_first, window_last = self._window(within)
        if exact is not None:
            self._place(exact, span, granule, window_first, window_last)
            self._demand_free(exact, span, exact, exact + span)
            return exact
        first, last = max(window_first, self._base), min(window_last, self._last)
        start = None
        if first <= last:
            if policy is LastMatch:
                start = self._index.highest_fit(span, granule, first, last)
            else:
                start = self._index.lowest_fit(span, granule, first, last)
        if start is None:
            raise NoSpaceError(self._unit, span, granule, window_first, window_last)
        return start

    def _exact_start(self, resource: R | None, policy: Policy[R] | None) -> int | None:
        """Return the start that the caller insists on, if any."""
        if policy is None:
            return None if resource is None else plain_int(self._unit, "resource", resource)
        if isinstance(policy, ExactMatch):
            start = plain_int(self._unit, "ExactMatch", policy.start)
            if resource is not None and plain_int(self._unit, "resource", resource) != start:
                raise ConflictingRequestError(
                    self._unit, f"resource {resource!r} and {policy!r} differ: pass only one"
                )
            return start
        if not isinstance(policy, Order):
            raise InvalidTypeError(self._unit, "policy", policy, "a policy")
        if resource is not None:
            raise ConflictingRequestError(
                self._unit,
                f"resource {resource!r} asks for an exact start and {policy!r} for any: "
                "pass only one",
            )
        return None

    def _span(self, size: S) -> int:
        """Return the checked size less one: 64 bits hold it even for the whole of 2^64."""
        units = plain_int(self._unit, "size", size)
        if units < 1 or self._unit.top < units - 1:
            raise InvalidSizeError(self._unit, units)
        return units - 1

    def _count(self, count: int) -> int:
        """Return the checked number of ranges: few enough for a list of them."""
        ranges = plain_int(self._unit, "count", count)
        if not 1 <= ranges <= MAX_COUNT:
            raise InvalidCountError(self._unit, ranges)
        return ranges

    def _plan(  # noqa: PLR0917  # the arguments of `update`, as they were passed
        self,
        old_resource: R,
        old_size: S,
        new_resource: R,
        new_size: S,
        align: int | None,
        within: RangeInclusive[R] | None,
    ) -> tuple[int, int, int, int]:
        """Return the ends of the old and of the new range of an update, or raise."""
        new_start = plain_int(self._unit, "new resource", new_resource)
        new_span = self._span(new_size)
        granule = self._granule(align)
        old_start = plain_int(self._unit, "old resource", old_resource)
        old_span = self._span(old_size)
        first, last = self._window(within)
        self._demand_live(old_start, old_span)
        self._place(new_start, new_span, granule, first, last)
        old_end, new_end = old_start + old_span, new_start + new_span
        # Look at the new range as it will be once the old one is gone: only its parts
        # outside the old range can be in anybody's way. Nothing has changed yet.
        if new_start < old_start:
            self._demand_free(new_start, new_span, new_start, min(new_end, old_start - 1))
        if old_end < new_end:
            self._demand_free(new_start, new_span, max(new_start, old_end + 1), new_end)
        return old_start, old_end, new_start, new_end

    def _sides(
        self, changes: Iterable[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]]
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the ends of all old ranges, and those of all new ones."""
        sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for change in changes:
            pair: object = change  # what a caller without a type checker passes is anything
            if not isinstance(pair, tuple) or len(pair) != len(sides):
                raise InvalidTypeError(self._unit, "change", pair, "a tuple (old, new)")
            if change[0] is None and change[1] is None:
                raise ConflictingRequestError(
                    self._unit, "a change from None to None is none: leave it out"
                )
            for name, side, ends in zip(("old", "new"), change, sides, strict=True):
                if side is None:
                    continue
                if not isinstance(side, RangeInclusive):
                    raise InvalidTypeError(self._unit, name, side, "a RangeInclusive, or None")
                start = plain_int(self._unit, f"first of the {name} range", side.start)
                ends.append((start, plain_int(self._unit, f"last of the {name} range", side.end)))
        return sides

    def _granule(self, align: int | None) -> int:
        """Return the checked alignment, or the default one."""
        if align is None:
            return self._align
        return checked_alignment(self._unit, align)

    def _window(self, within: RangeInclusive[R] | None) -> tuple[int, int]:
        """Return the ends of the window, which may reach out of the space or miss it."""
        if within is None:
            return self._base, self._last
        if not isinstance(within, RangeInclusive):
            raise InvalidTypeError(self._unit, "within", within, "a RangeInclusive")
        first = plain_int(self._unit, "first of the window", within.start)
        last = plain_int(self._unit, "last of the window", within.end)
        return first, last

    def _inside(self, start: int, span: int, first: int, last: int) -> bool:
        """Whether the range lies within `first` to `last`, which is not empty.

        Its end is computed nowhere: it may lie beyond 2^64-1.
        """
        return first <= start <= last and span <= last - start

    def _demand_live(self, start: int, span: int) -> None:
        """Raise unless exactly this range is live."""
        if not self._inside(start, span, self._base, self._last):
            raise NotAllocatedError(self._unit, start, span)
        for move in self._pending:
            if move.holds(start, start + span):
                raise MovePendingError(self._unit, start, span, *move.ends, move.owner)
        if not self._index.is_live(start, start + span):
            raise NotAllocatedError(self._unit, start, span)

    def _place(self, start: int, span: int, granule: int, first: int, last: int) -> None:
        """Raise unless the range may stand where it is in this window, live ranges apart."""
        if not self._inside(start, span, self._base, self._last):
            raise OutOfBoundsError(self._unit, start, span, self._base, self._last)
        if not self._inside(start, span, first, last):
            raise OutsideWindowError(self._unit, start, span, first, last)
        if not is_aligned(start, granule):
            raise MisalignedError(self._unit, start, span, granule)

    def _demand_free(self, start: int, span: int, part_start: int, part_end: int) -> None:
        """Raise, naming the whole range, if a live range meets the given part of it."""
        conflict = self._index.overlapping(part_start, part_end)
        if conflict is not None:
            for move in self._pending:
                if move.holds(*conflict):
                    raise ReservedError(self._unit, start, span, *conflict, *move.ends, move.owner)
            raise OverlapError(self._unit, start, span, conflict[0], conflict[1])


def checked_alignment(unit: Unit, align: int) -> int:
    """Return `align` if it is a power of two of 64 bits; raise `InvalidAlignmentError` if not."""
    value = plain_int(unit, "align", align)
    if not 1 <= value <= MAX_ALIGNMENT or not is_power_of_two(value):
        raise InvalidAlignmentError(unit, value)
    return value


def _unpickled(
    kind: type[RangeAllocator[Any, Any]], data: Any, index: type[GapIndex]
) -> RangeAllocator[Any, Any]:
    return kind.restore(data, index=index)


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
