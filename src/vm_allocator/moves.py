"""`Move`: an update in two phases, between which neither range can be handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NoReturn, Self

from .errors import MoveEndedError, MovePendingError, ReservedError
from .owners import tag
from .ranges import RangeInclusive
from .resource import R, Unit
from .undo import UndoLog

if TYPE_CHECKING:
    from types import TracebackType

    from .errors import OverlapError, RangeRefusedError
    from .gaps import GapIndex
    from .holds import Hold


ABORTED: Final = "aborted"
COMMITTED: Final = "committed"


class Move(Generic[R]):
    """A move that was begun: `commit` ends it with the new range live, `abort` with the old one.

    >>> from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
    >>> mmio = AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x10000))
    >>> size, there = GuestUsize(0x1000), GuestAddress(0xC000_8000)
    >>> bar = mmio.allocate(None, size)
    >>> with mmio.move(bar, size, there, size, owner="nvme0/BAR0") as move:
    ...     mmio.lookup(bar), len(mmio)  # the VMM remaps the device here
    ...     move.commit()
    (None, 0)
    >>> list(mmio)
    [RangeInclusive(0xc0008000, 0xc0008fff)]

    While it is pending, the index holds the old range, and those parts of the new one that lie
    outside of it: at most two. So no search finds them, and no range is in two places at once.
    By each of these ranges, and by the new one, the allocator finds the move in O(1).
    An allocator makes moves, and begins them.
    """

    __slots__ = ("_ending", "_index", "_owners", "_parts", "_pending", "_unit", "ends", "owner")

    def __init__(  # noqa: PLR0917  # for the allocator alone
        self,
        unit: Unit,
        index: GapIndex,
        pending: dict[tuple[int, int], Move[R] | Hold[R]],
        owners: dict[int, str],
        ends: tuple[int, int, int, int],
        owner: str | None,
    ) -> None:
        self._unit = unit
        self._index = index
        self._pending = pending
        self._owners = owners
        self._parts: list[tuple[int, int]] = []
        self._ending = ""
        self.ends = ends
        self.owner = owner

    def begin(self) -> Self:
        """Reserve both ranges: the old one is live, and of the new one all else is free."""
        old_start, old_end, new_start, new_end = self.ends
        if new_start < old_start:
            self._parts.append((new_start, min(new_end, old_start - 1)))
        if old_end < new_end:
            self._parts.append((max(new_start, old_end + 1), new_end))
        log = UndoLog(self._index)
        try:
            for start, end in self._parts:
                log.add(start, end)
            self.enlist()
        except BaseException:  # an interrupt may come between any two steps
            log.undo()
            self._delist()
            raise
        return self

    def commit(self) -> None:
        """Free the old range and make the new one live. O(log n). Raises `MoveEndedError`."""
        self._demand_pending()
        old_start, old_end, new_start, new_end = self.ends
        log, before = UndoLog(self._index), self._owners.get(old_start)
        try:
            if self._owners or self.owner is not None:
                tag(self._owners, new_start, self.owner)
            log.remove(old_start, old_end)
            # The new range is whole already, if it lies outside of the old one.
            if old_start <= new_end and new_start <= old_end:
                for start, end in self._parts:
                    log.remove(start, end)
                log.add(new_start, new_end)
            self._end(COMMITTED)
        except BaseException:  # likewise
            if not self._decide(log, COMMITTED) and self._owners:
                tag(self._owners, old_start, before)
            raise
        if self._owners and new_start != old_start:
            tag(self._owners, old_start, None)

    def abort(self) -> None:
        """Make the old range live again, as if nothing had been. Raises `MoveEndedError`."""
        self._demand_pending()
        log = UndoLog(self._index)
        try:
            for start, end in self._parts:
                log.remove(start, end)
            self._end(ABORTED)
        except BaseException:  # likewise
            self._decide(log, ABORTED)
            raise

    @property
    def old(self) -> RangeInclusive[R]:
        """From where."""
        return self._range(*self.ends[:2])

    @property
    def new(self) -> RangeInclusive[R]:
        """To where."""
        return self._range(*self.ends[2:])

    @property
    def is_pending(self) -> bool:
        """Whether it was neither committed nor aborted."""
        return not self._ending

    @property
    def is_committed(self) -> bool:
        """Whether it has ended with the new range live."""
        return self._ending == COMMITTED

    def reserved(self) -> list[tuple[int, int]]:
        """Return what the index holds of it."""
        return [self.ends[:2], *self._parts]

    def resume(self, reserved: list[tuple[int, int]]) -> None:
        """Go on as a move of another allocator, of which this one's is a copy.

        `reserved` is what is reserved for that; what ends it there, ends nothing here.
        """
        self._parts = reserved[1:]
        self.enlist()

    def refuse_use(self, start: int, span: int) -> RangeRefusedError:
        """Return the error for who frees or moves what it holds."""
        return MovePendingError(self._unit, start, span, *self.ends, self.owner)

    def refuse_place(self, start: int, span: int, conflict: tuple[int, int]) -> OverlapError:
        """Return the error for who wants a place that meets what it holds."""
        return ReservedError(self._unit, start, span, *conflict, *self.ends, self.owner)

    def enlist(self) -> None:
        """Let the allocator find it: first by its old range."""
        old_start, old_end, new_start, new_end = self.ends
        self._pending[old_start, old_end] = self
        for part in self._parts:
            self._pending[part] = self
        self._pending[new_start, new_end] = self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Abort it, unless it has ended. What went wrong in the block is raised on."""
        if self.is_pending:
            self.abort()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied alone: it would end in an index that nobody uses."""
        raise TypeError("a move is a part of its allocator: pickle that, and ask it for moves()")

    def __repr__(self) -> str:
        show = self._unit.show_range
        of = f" of {self.owner}" if self.owner else ""
        return (
            f"<Move{of} from {show(*self.ends[:2])} to {show(*self.ends[2:])}: "
            f"{self._ending or 'pending'}>"
        )

    def _demand_pending(self) -> None:
        if self._ending:
            raise MoveEndedError(self._unit, self._ending)

    def _end(self, ending: str) -> None:
        self._delist()
        self._ending = ending

    def _decide(self, log: UndoLog, ending: str) -> bool:
        """Go on or end, after an exception; return whether it has ended.

        It ends once its old range is listed no more.
        """
        if self._pending.get(self.ends[:2]) is self:
            log.undo()
            self.enlist()
            self._ending = ""
            return False
        self._end(ending)
        return True

    def _delist(self) -> None:
        old_start, old_end, new_start, new_end = self.ends
        for part in self._parts:
            self._pending.pop(part, None)
        self._pending.pop((new_start, new_end), None)
        self._pending.pop((old_start, old_end), None)

    def _range(self, start: int, end: int) -> RangeInclusive[R]:
        first: R = start  # type: ignore[assignment]  # NewTypes are ints; R is one of them
        last: R = end  # type: ignore[assignment]  # likewise
        return RangeInclusive(first, last)
