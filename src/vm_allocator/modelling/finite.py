"""The concrete reading: finite sets, tables and maps of plain values."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from .tables import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .language import IntMap
    from .tables import RangeSet, SetOf

T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K")
V = TypeVar("V")


def in_order(value: object) -> Any:
    """Return what a value is sorted by: enums as they are declared, `None` before all else."""
    if isinstance(value, Enum):
        return list(type(value)).index(value)
    if isinstance(value, tuple):
        return tuple(in_order(part) for part in value)
    return () if value is None else (value,)


class FiniteSet(Generic[T]):
    """The concrete reading of `SetOf`: a sorted tuple. Everything is O(n), pairs O(n^2)."""

    __slots__ = ("_members",)

    def __init__(self, members: Iterable[T] = ()) -> None:
        found = tuple(members)
        # A single member may be symbolic, and then it has neither a hash nor a place in an order.
        self._members = found if len(found) <= 1 else self._in_order(found)

    def _in_order(self, members: Iterable[T]) -> tuple[T, ...]:
        return tuple(sorted(set(members), key=in_order))

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: T) -> bool:
        return member in self._members

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FiniteSet) and self._members == other._members

    def __hash__(self) -> int:
        return hash(self._members)

    def all(self, holds: Callable[[T], bool]) -> bool:
        """Whether the predicate holds of every member."""
        return all(holds(member) for member in self._members)

    def any(self, holds: Callable[[T], bool]) -> bool:
        """Whether the predicate holds of some member."""
        return any(holds(member) for member in self._members)

    def all_pairs(self, holds: Callable[[T, T], bool]) -> bool:
        """Whether the symmetric predicate holds of every two members."""
        return all(
            holds(one, other)
            for position, one in enumerate(self._members)
            for other in self._members[position:]
        )

    def all_with(self, other: SetOf[U], holds: Callable[[T, U], bool]) -> bool:
        """Whether the predicate holds of every member with every member of the other set."""
        return self.all(lambda one: other.all(lambda two: holds(one, two)))

    def first(self, where: Callable[[T], bool]) -> T | None:
        """Return the first member of which the predicate holds."""
        return next((member for member in self._members if where(member)), None)

    def count(self) -> int:
        """Return how many members there are."""
        return len(self._members)

    def total(self, amount: Callable[[T], int]) -> int:
        """Return the sum of an amount over the members."""
        return sum(amount(member) for member in self._members)

    def with_member(self, member: T) -> Self:
        """Return the set with one member more."""
        return type(self)((*self._members, member))

    def without(self, member: T) -> Self:
        """Return the set with one member less."""
        return type(self)(other for other in self._members if other != member)

    def where(self, holds: Callable[[T], bool]) -> Self:
        """Return the members of which the predicate holds."""
        return type(self)(member for member in self._members if holds(member))

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self._members)) + "}"


class FiniteTable(Generic[K, V]):
    """The concrete reading of `Table`: a dict in order of its keys. Everything is O(n)."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Mapping[K, V] | None = None) -> None:
        found = dict(rows or {})
        self._rows = {key: found[key] for key in sorted(found, key=in_order)}

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def items(self) -> dict[K, V]:
        """Return the rows by key, in order."""
        return dict(self._rows)

    def __contains__(self, key: K) -> bool:
        return key in self._rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FiniteTable) and self._rows == other._rows

    def __hash__(self) -> int:
        return hash(tuple(self._rows.items()))

    def get(self, key: K) -> V | None:
        """Return the row at the key; `None` if there is none."""
        return self._rows.get(key)

    def all(self, holds: Callable[[K, V], bool]) -> bool:
        """Whether the predicate holds of every key and its row."""
        return all(holds(key, row) for key, row in self._rows.items())

    def any(self, holds: Callable[[K, V], bool]) -> bool:
        """Whether the predicate holds of some key and its row."""
        return any(holds(key, row) for key, row in self._rows.items())

    def all_pairs(self, holds: Callable[[K, V, K, V], bool]) -> bool:
        """Whether the symmetric predicate holds of every two keys and their rows."""
        items = list(self._rows.items())
        return all(
            holds(*one, *other) for position, one in enumerate(items) for other in items[position:]
        )

    def count(self) -> int:
        """Return how many keys there are."""
        return len(self._rows)

    def total(self, amount: Callable[[K, V], int]) -> int:
        """Return the sum of an amount over the keys and their rows."""
        return sum(amount(key, row) for key, row in self._rows.items())

    def put(self, key: K, row: V) -> FiniteTable[K, V]:
        """Return the table with this row at the key."""
        return FiniteTable({**self._rows, key: row})

    def drop(self, key: K) -> FiniteTable[K, V]:
        """Return the table without a row at the key."""
        return FiniteTable({other: row for other, row in self._rows.items() if other != key})

    def where(self, holds: Callable[[K, V], bool]) -> FiniteTable[K, V]:
        """Return the table of those keys of which, and of whose rows, the predicate holds."""
        return FiniteTable({key: row for key, row in self._rows.items() if holds(key, row)})

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {row!r}" for key, row in self._rows.items()) + "}"


class FiniteRanges(FiniteSet[Range]):
    """A set of ranges as a sorted tuple."""

    __slots__ = ()

    def _in_order(self, members: Iterable[Range]) -> tuple[Range, ...]:
        return tuple(sorted(set(members)))

    def lowest(self, where: Callable[[Range], bool]) -> Range | None:
        """Return the member with the least start among those where the predicate holds."""
        return self.first(where)

    def highest(self, where: Callable[[Range], bool]) -> Range | None:
        """Return the member with the greatest start among those where the predicate holds."""
        return next((member for member in reversed(self._members) if where(member)), None)

    def with_range(self, member: Range) -> Self:
        """Return the set with one member more."""
        return self.with_member(member)

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
