"""What can be asked of an allocator without changing it."""

from __future__ import annotations

from operator import index, itemgetter
from typing import TYPE_CHECKING, Generic, Self

from .arithmetic import is_power_of_two
from .compiled import mypyc_attr
from .errors import InvalidTypeError, hold
from .moves import Move
from .ranges import RangeInclusive
from .resource import R, S, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .gaps import GapIndex
    from .holds import Hold


def plain_int(unit: Unit, name: str, value: object) -> int:
    """Return `value` as a plain int; raise `InvalidTypeError`, naming it, if it is none."""
    if type(value) is int:
        return value
    try:
        # `index` believes no `__index__` that returns something else, `int` drops subclasses.
        return int(index(value))  # type: ignore[arg-type]  # the except below is the check
    except TypeError:
        raise InvalidTypeError(unit, name, value, "an int") from None


@mypyc_attr(allow_interpreted_subclasses=True)
class RangeView(Generic[R, S]):
    """The reading half of an allocator: its space, its live ranges, its gaps.

    `n` below is the number of live ranges.
    """

    _unit: Unit
    _base: int
    _last: int
    _align: int
    _index: GapIndex
    _pending: dict[tuple[int, int], Move[R] | Hold[R]]
    """What is reserved, by each range that its holder is known by.

    Each pending move by all that it holds, and by its new range: first by its old one.
    """
    _owners: dict[int, str]
    """Whose the live ranges are, by their starts."""

    @property
    def base(self) -> R:
        """First resource of the space."""
        return self._resource(self._base)

    @property
    def last(self) -> R:
        """Last resource of the space, itself included."""
        return self._resource(self._last)

    @property
    def space(self) -> RangeInclusive[R]:
        """All that is managed, as a range."""
        return RangeInclusive(self.base, self.last)

    @property
    def size(self) -> int:
        """Units in the space, live or not: 1 to 2^64."""
        return self._last - self._base + 1

    @property
    def alignment(self) -> int:
        """The alignment of a request that names none."""
        return self._align

    def __len__(self) -> int:
        """Return the number of live ranges. O(1), and O(m) in the number m of reserved ones."""
        return len(self._index) - sum(len(holder.reserved()) for holder in self._holders())

    def __iter__(self) -> Iterator[RangeInclusive[R]]:
        """Iterate over the live ranges, lowest first. O(n) in all."""
        return (self._range(*live) for live in self._live())

    def moves(self) -> Iterator[Move[R]]:
        """Iterate over the pending moves, in the order in which they were begun."""
        return (holder for holder in self._holders() if isinstance(holder, Move))

    def reserved(self) -> Iterator[tuple[RangeInclusive[R], Move[R] | Hold[R]]]:
        """Iterate over what is reserved, lowest first: each range, and what holds it.

        These are neither live nor free. A `Hold` is the platform's. Of a pending `Move`, the old
        range is one of them, and of the new one each part outside of the old one. O(m log m) in
        the number m of such ranges.
        """
        held = [(ends, holder) for holder in self._holders() for ends in holder.reserved()]
        held.sort(key=itemgetter(0))
        return ((self._range(*ends), holder) for ends, holder in held)

    def owner_of(self, resource: R) -> str | None:
        """Return whose the range is that `resource` lies in, live or reserved; `None`: nobody's.

        O(log n). Raises `InvalidTypeError` for what is no int.
        """
        value = plain_int(self._unit, "resource", resource)
        if not self._base <= value <= self._last:
            return None
        found = self._index.overlapping(value, value)
        if found is None:
            return None
        holder = self._pending.get(found)
        return self._owners.get(found[0]) if holder is None else holder.owner

    def owned_by(self, owner: str) -> list[RangeInclusive[R]]:
        """Return the live ranges that are theirs, lowest first. O(n)."""
        mine = [live for live in self._live() if self._owners.get(live[0]) == owner]
        return [self._range(*live) for live in mine]

    def gaps(self) -> Iterator[RangeInclusive[R]]:
        """Iterate over the maximal free ranges, lowest first. O(n) in all."""
        return (self._range(*gap) for gap in self._index.gaps())

    def lookup(self, resource: R) -> RangeInclusive[R] | None:
        """Return the live range that `resource` lies in; `None` if there is none. O(log n).

        Raises `InvalidTypeError` for what is no int.
        """
        value = plain_int(self._unit, "resource", resource)
        if not self._base <= value <= self._last:
            return None
        found = self._index.overlapping(value, value)
        if found is None or found in self._pending:
            return None
        return self._range(*found)

    def __contains__(self, item: R | RangeInclusive[R]) -> bool:
        """Whether a resource lies in a live range, or exactly this range is live. O(log n).

        Raises `InvalidTypeError` for what is neither an int nor a range.
        """
        if isinstance(item, RangeInclusive):
            start = plain_int(self._unit, "first of the range", item.start)
            end = plain_int(self._unit, "last of the range", item.end)
            if not (self._base <= start and end <= self._last):
                return False
            return self._index.is_live(start, end) and (start, end) not in self._pending
        return self.lookup(item) is not None

    @property
    def live_size(self) -> int:
        """Units in live ranges. O(n)."""
        return sum(end - start + 1 for start, end in self._live())

    @property
    def free_size(self) -> int:
        """Units in gaps. O(n)."""
        return sum(end - start + 1 for start, end in self._index.gaps())

    @property
    def largest_gap(self) -> int:
        """Units in the largest gap; 0 when the space is full. O(n)."""
        return max((end - start + 1 for start, end in self._index.gaps()), default=0)

    def copy(self) -> Self:
        """Return an equal allocator that shares nothing with this one. O(n).

        Moves that are pending here are pending there, too: `moves` of the copy has them.
        """
        twin = self.__class__.__new__(self.__class__)
        twin._unit, twin._base, twin._last = self._unit, self._base, self._last
        twin._align, twin._index = self._align, self._index.copy()
        twin._pending = {}
        twin._owners = dict(self._owners)
        for holder in self._holders():
            if isinstance(holder, Move):
                twin._new_move(holder.ends, holder.owner).resume(holder.reserved())
            else:
                twin._pending[holder.ends] = holder  # it never changes
        return twin

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self.copy()

    def __eq__(self, other: object) -> bool:
        """Same kind, space and default alignment, and the same ranges live and reserved. O(n).

        Ranges are the same if they are the same owner's; moves if they lead from the same ranges
        to the same.
        """
        if not isinstance(other, RangeView):
            return NotImplemented
        mine = (type(self), self._base, self._last, self._align, list(self._index.live()))
        theirs = (type(other), other._base, other._last, other._align, list(other._index.live()))
        return mine == theirs and self._whose() == other._whose()

    # Allocators change; a hash that changes with them would be a trap.
    __hash__ = None  # type: ignore[assignment]  # the documented way to be unhashable

    def __repr__(self) -> str:
        show = self._unit.show
        return (
            f"<{type(self).__name__} {self._unit.show_range(self._base, self._last)} "
            f"alignment={show(self._align)}: {len(self)} live, "
            f"{show(self.free_size)} free, largest gap {show(self.largest_gap)}>"
        )

    def _check(self) -> None:
        """Raise `BrokenInvariantError` unless every invariant holds. O(n)."""
        state = repr(self)
        hold("the space exists", 0 <= self._base <= self._last <= self._unit.top, state)
        hold("the alignment is a power of two", is_power_of_two(self._align), state)
        self._index._check()  # the index's own half of this very check
        live = list(self._index.live())
        held = [ends for holder in self._holders() for ends in holder.reserved()]
        hold("live ranges are counted", len(live) == len(self._index), state)
        hold("what is reserved is in the index", set(held) <= set(live), state)
        hold("nothing is reserved twice", len(set(held)) == len(held), state)
        named = set(held) | {move.ends[2:] for move in self.moves()}
        hold("what is reserved is found by its ranges", named == set(self._pending), state)
        hold(
            "live ranges lie in the space",
            all(self._base <= start <= end <= self._last for start, end in live),
            state,
        )

    def _new_move(self, ends: tuple[int, int, int, int], owner: str | None) -> Move[R]:
        """Return a move of this allocator, which has not begun."""
        return Move(self._unit, self._index, self._pending, self._owners, ends, owner)

    def _live(self) -> Iterator[tuple[int, int]]:
        """Iterate over what the index holds and is not reserved."""
        if not self._pending:
            return self._index.live()
        # A new range is not in the index, unless it is all that its move has reserved there.
        return (ends for ends in self._index.live() if ends not in self._pending)

    def _holders(self) -> Iterator[Move[R] | Hold[R]]:
        """Iterate over what holds reserved ranges, each once, in the order in which it came."""
        named = tuple(self._pending.items())
        return (holder for ends, holder in named if ends == holder.ends[:2])

    def _whose(self) -> list[tuple[tuple[int, ...], str | None]]:
        """Return the owners of all reserved ranges, and of those live ones that have any."""
        found: list[tuple[tuple[int, ...], str | None]] = []
        found += sorted((holder.ends, holder.owner) for holder in self._holders())
        if self._owners:
            owners = ((live, self._owners.get(live[0])) for live in self._live())
            found += [one for one in owners if one[1] is not None]
        return found

    def _resource(self, value: int) -> R:
        """Give a plain int its static type; nothing happens at run time."""
        resource: R = value  # type: ignore[assignment]  # NewTypes are ints; R is one of them
        return resource

    def _range(self, start: int, end: int) -> RangeInclusive[R]:
        return RangeInclusive(self._resource(start), self._resource(end))
