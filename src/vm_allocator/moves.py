"""`Move`: an update in two phases, between which neither range can be handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, Self

from .errors import MoveEndedError
from .ranges import RangeInclusive
from .resource import R, Unit
from .undo import UndoLog

if TYPE_CHECKING:
    from types import TracebackType

    from .gaps import GapIndex


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
    An allocator makes moves; `begin` is for it alone.
    """

    __slots__ = ("_ending", "_index", "_parts", "_pending", "_unit", "ends", "owner")

    def __init__(  # noqa: PLR0917  # for `begin` and `copied` alone
        self,
        unit: Unit,
        index: GapIndex,
        pending: list[Move[R]],
        ends: tuple[int, int, int, int],
        parts: list[tuple[int, int]],
        owner: str | None,
    ) -> None:
        self._unit = unit
        self._index = index
        self._pending = pending
        self._parts = parts
        self._ending = ""
        self.ends = ends
        self.owner = owner

    @classmethod
    def begin(
        cls,
        unit: Unit,
        index: GapIndex,
        pending: list[Move[R]],
        ends: tuple[int, int, int, int],
        owner: str | None,
    ) -> Self:
        """Reserve both ranges: the old one is live, and of the new one all else is free."""
        old_start, old_end, new_start, new_end = ends
        parts = list[tuple[int, int]]()
        if new_start < old_start:
            parts.append((new_start, min(new_end, old_start - 1)))
        if old_end < new_end:
            parts.append((max(new_start, old_end + 1), new_end))
        move = cls(unit, index, pending, ends, parts, owner)
        log = UndoLog(index)
        try:
            for start, end in parts:
                log.add(start, end)
            pending.append(move)
        except BaseException:  # an interrupt may come between any two steps
            log.undo()
            pending[:] = [other for other in pending if other is not move]
            raise
        return move

    def commit(self) -> None:
        """Free the old range and make the new one live. O(log n). Raises `MoveEndedError`."""
        self._demand_pending()
        old_start, old_end, new_start, new_end = self.ends
        log, pending = UndoLog(self._index), list(self._pending)
        try:
            log.remove(old_start, old_end)
            for start, end in self._parts:
                log.remove(start, end)
            log.add(new_start, new_end)
            self._end("committed")
        except BaseException:  # likewise
            log.undo()
            self._reopen(pending)
            raise

    def abort(self) -> None:
        """Make the old range live again, as if nothing had been. Raises `MoveEndedError`."""
        self._demand_pending()
        log, pending = UndoLog(self._index), list(self._pending)
        try:
            for start, end in self._parts:
                log.remove(start, end)
            self._end("aborted")
        except BaseException:  # likewise
            log.undo()
            self._reopen(pending)
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

    def holds(self, start: int, end: int) -> bool:
        """Whether exactly this is the old range, the new one, or a part of that."""
        old_start, old_end, new_start, new_end = self.ends
        if start == old_start and end == old_end:
            return True
        if start == new_start and end == new_end:
            return True
        return any(start == part_start and end == part_end for part_start, part_end in self._parts)

    def reserved(self) -> list[tuple[int, int]]:
        """Return what the index holds of it."""
        return [self.ends[:2], *self._parts]

    def copied(self, index: GapIndex, pending: list[Move[R]]) -> Move[R]:
        """Return the same move of a copy of the allocator: ended there, it goes on here."""
        return type(self)(self._unit, index, pending, self.ends, list(self._parts), self.owner)

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
        self._pending[:] = [move for move in self._pending if move is not self]
        self._ending = ending

    def _reopen(self, pending: list[Move[R]]) -> None:
        self._pending[:] = pending
        self._ending = ""

    def _range(self, start: int, end: int) -> RangeInclusive[R]:
        first: R = start  # type: ignore[assignment]  # NewTypes are ints; R is one of them
        last: R = end  # type: ignore[assignment]  # likewise
        return RangeInclusive(first, last)
