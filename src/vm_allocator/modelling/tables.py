"""Sets of rows and tables of rows: what a state holds beside numbers and ranges.

A row is a `NamedTuple` of ints, truths, members of an enum, optional values and other rows.
A range is such a row; `RangeSet` is the set of ranges, which has gaps, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K")
V = TypeVar("V")


class Range(NamedTuple):
    """The inclusive interval from `start` to `end`. May be empty (`end < start`)."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many values it holds; not above 0 if it is empty."""
        return self.end - self.start + 1


class SetOf(Protocol[T]):
    """A finite set of rows. Immutable: `with_member` and `without` return another set."""

    def __contains__(self, member: T) -> bool:
        """Whether exactly this row is a member."""
        ...

    def all(self, holds: Callable[[T], bool]) -> bool:
        """Whether the predicate holds of every member."""
        ...

    def any(self, holds: Callable[[T], bool]) -> bool:
        """Whether the predicate holds of some member."""
        ...

    def all_pairs(self, holds: Callable[[T, T], bool]) -> bool:
        """Whether the symmetric predicate holds of every two members, each with itself included."""
        ...

    def all_with(self, other: SetOf[U], holds: Callable[[T, U], bool]) -> bool:
        """Whether the predicate holds of every member with every member of the other set."""
        ...

    def first(self, where: Callable[[T], bool]) -> T | None:
        """Return the first member of which the predicate holds, in the order of their fields."""
        ...

    def count(self) -> int:
        """Return how many members there are."""
        ...

    def total(self, amount: Callable[[T], int]) -> int:
        """Return the sum of an amount over the members."""
        ...

    def with_member(self, member: T) -> SetOf[T]:
        """Return the set with one member more."""
        ...

    def without(self, member: T) -> SetOf[T]:
        """Return the set with one member less."""
        ...

    def where(self, holds: Callable[[T], bool]) -> SetOf[T]:
        """Return the members of which the predicate holds."""
        ...


class Table(Protocol[K, V]):
    """A finite map from keys to rows. Immutable: `put` and `drop` return another table."""

    def __contains__(self, key: K) -> bool:
        """Whether there is a row at the key."""
        ...

    def get(self, key: K) -> V | None:
        """Return the row at the key; `None` if there is none."""
        ...

    def all(self, holds: Callable[[K, V], bool]) -> bool:
        """Whether the predicate holds of every key and its row."""
        ...

    def any(self, holds: Callable[[K, V], bool]) -> bool:
        """Whether the predicate holds of some key and its row."""
        ...

    def all_pairs(self, holds: Callable[[K, V, K, V], bool]) -> bool:
        """Whether the symmetric predicate holds of every two keys, each with itself included."""
        ...

    def count(self) -> int:
        """Return how many keys there are."""
        ...

    def total(self, amount: Callable[[K, V], int]) -> int:
        """Return the sum of an amount over the keys and their rows."""
        ...

    def put(self, key: K, row: V) -> Table[K, V]:
        """Return the table with this row at the key, whatever was there."""
        ...

    def drop(self, key: K) -> Table[K, V]:
        """Return the table without a row at the key."""
        ...

    def where(self, holds: Callable[[K, V], bool]) -> Table[K, V]:
        """Return the table of those keys of which, and of whose rows, the predicate holds."""
        ...


class RangeSet(SetOf[Range], Protocol):
    """A finite set of ranges: it has an order along the addresses, and gaps."""

    def lowest(self, where: Callable[[Range], bool]) -> Range | None:
        """Return the member with the least start among those where the predicate holds."""
        ...

    def highest(self, where: Callable[[Range], bool]) -> Range | None:
        """Return the member with the greatest start among those where the predicate holds."""
        ...

    def with_range(self, member: Range) -> RangeSet:
        """Return the set with one member more."""
        ...

    def without(self, member: Range) -> RangeSet:
        """Return the set with one member less."""
        ...

    def where(self, holds: Callable[[Range], bool]) -> RangeSet:
        """Return the members of which the predicate holds."""
        ...

    def gaps(self, space: Range) -> RangeSet:
        """Return the maximal intervals of `space` that share no value with any member."""
        ...

    def same_as(self, other: RangeSet) -> bool:
        """Whether both sets have the same members."""
        ...
