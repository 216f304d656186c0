"""The concrete reading: finite sets and maps of plain ints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .language import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .language import IntMap, RangeSet


class FiniteRanges:
    """A set of ranges as a sorted tuple. Everything is O(n) or better in its n members."""

    __slots__ = ("_members",)

    def __init__(self, members: Iterable[Range] = ()) -> None:
        self._members = self._in_order(members)

    def _in_order(self, members: Iterable[Range]) -> tuple[Range, ...]:
        return tuple(sorted(set(members)))

    def __iter__(self) -> Iterator[Range]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: Range) -> bool:
        return member in self._members

    def all(self, holds: Callable[[Range], bool]) -> bool:
        """Whether the predicate holds of every member."""
        return all(holds(member) for member in self._members)

    def all_pairs(self, holds: Callable[[Range, Range], bool]) -> bool:
        """Whether the symmetric predicate holds of every two members. O(n^2)."""
        return all(
            holds(one, other)
            for position, one in enumerate(self._members)
            for other in self._members[position:]
        )

    def lowest(self, where: Callable[[Range], bool]) -> Range | None:
        """Return the member with the least start among those where the predicate holds."""
        return next((member for member in self._members if where(member)), None)

    def highest(self, where: Callable[[Range], bool]) -> Range | None:
        """Return the member with the greatest start among those where the predicate holds."""
        return next((member for member in reversed(self._members) if where(member)), None)

    def with_range(self, member: Range) -> FiniteRanges:
        """Return the set with one member more."""
        return type(self)((*self._members, member))

    def without(self, member: Range) -> FiniteRanges:
        """Return the set with one member less."""
        return type(self)(other for other in self._members if other != member)

    def where(self, holds: Callable[[Range], bool]) -> FiniteRanges:
        """Return the members of which the predicate holds."""
        return type(self)(member for member in self._members if holds(member))

    def gaps(self, space: Range) -> FiniteRanges:
        """Return the maximal intervals of `space` that share no value with any member."""
        found = []
        start = space.start
        for member in self._members:
            if start < member.start:
                found.append(Range(start, min(member.start - 1, space.end)))
            start = max(start, member.end + 1)
        if start <= space.end:
            found.append(Range(start, space.end))
        return type(self)(gap for gap in found if gap.start <= space.end)

    def same_as(self, other: RangeSet) -> bool:
        """Whether both sets have the same members."""
        return isinstance(other, FiniteRanges) and tuple(self) == tuple(other)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{start:#x}-{end:#x}" for start, end in self._members) + "}"


class FiniteMap:
    """A map that is 1 wherever nothing was put."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[int, int] | None = None) -> None:
        self._items = dict(items or {})

    def at(self, key: int) -> int:
        """Return the value at `key`."""
        return self._items.get(key, 1)

    def put(self, key: int, value: int) -> IntMap:
        """Return the map that differs at `key` alone. O(n)."""
        return FiniteMap({**self._items, key: value})

    def items(self) -> dict[int, int]:
        """Return what was put, by key."""
        return dict(self._items)

    def __repr__(self) -> str:
        return repr(self._items)
