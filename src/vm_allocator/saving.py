"""`Saving`: allocators to plain data and back; what a state has to be is said in `snapshots`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from .holds import Hold, Reserving
from .resource import R, S, Unit
from .snapshots.states import SavedState

if TYPE_CHECKING:
    from collections.abc import Callable

    from .gaps import GapIndex


class Saving(Reserving[R, S]):
    """The operations on the state as a whole."""

    _kind: ClassVar[Unit]
    _makes_index: ClassVar[type[Any]]
    """What a kind of allocator counts in, and the index that it has unless it is told another."""

    def save(self) -> dict[str, Any]:
        """Return the state as plain data, for `json.dumps` and `restore`. O(n).

        `docs/snapshots.md` describes it.
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
        made = cls.__new__(cls)
        made._unit, made._base, made._last = state.unit, state.base, state.last
        made._align = state.alignment
        made._index = state.filled(index or cls._makes_index)
        made._pending, made._owners = {}, state.owners()
        for entry in state.reserved:
            ends = (entry.start, entry.end)
            made._pending[ends] = Hold(state.unit, ends, entry.owner or "")
        for move in state.moves:
            ends_of = (*move.old[:2], *move.new[:2])
            made._new_move(ends_of, move.owner).begin()
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by way of a snapshot: what is damaged is noticed, and moves find their ranges."""
        return _unpickled, (type(self), self.save(), type(self._index))


def _unpickled(
    kind: type[Saving[Any, Any]], data: Any, index: Callable[[int, int], GapIndex]
) -> Saving[Any, Any]:
    return kind.restore(data, index=index)
