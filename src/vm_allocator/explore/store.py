"""Sets and tables in a symbolic reading: what every reading answers, and the words of a model.

A `Store` holds rows by key, as terms. `SymbolicSet`, `SymbolicRanges` and `SymbolicTable` put
the words of the modelling language on top of any store, so that each word has one meaning.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from vm_allocator.modelling import FiniteSet, FiniteTable, ModelError, Range
from vm_allocator.symbolic import Explorer, Raised, UnsupportedError, smt, sym_int
from vm_allocator.symbolic.values import lift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm

    from .subject import Shape

Row: TypeAlias = "tuple[IntTerm, ...]"


class Store(ABC):
    """Rows by key. Immutable."""

    shape: Shape

    @abstractmethod
    def has(self, key: Row) -> BoolTerm:
        """Whether there is a row at the key."""

    @abstractmethod
    def at(self, key: Row) -> Row:
        """Return the row at the key; anything at all where there is none."""

    @abstractmethod
    def every(self, others: Sequence[Store], holds: Callable[[Sequence[Entry]], bool]) -> bool:
        """Decide whether it holds of every entry of this store, with every one of each other."""

    @abstractmethod
    def put(self, key: Row, row: Row) -> Store:
        """Return the store with this row at the key."""

    @abstractmethod
    def drop(self, key: Row) -> Store:
        """Return the store without a row at the key."""

    @abstractmethod
    def kept(self, holds: Callable[[Entry], bool]) -> Store:
        """Return the store of the entries of which it holds."""

    @abstractmethod
    def best(self, where: Callable[[Entry], bool], first: Precedes) -> Entry | None:
        """Decide whether it holds of any entry; return the one that precedes all others."""

    @abstractmethod
    def count(self) -> IntTerm:
        """Return the number of entries."""

    @abstractmethod
    def total(self, amount: Callable[[Entry], int]) -> IntTerm:
        """Return the sum of an amount over the entries."""

    @abstractmethod
    def gaps(self, first: IntTerm, last: IntTerm) -> Store:
        """Return the maximal free intervals of a space, of a set of ranges."""

    @abstractmethod
    def same(self, other: Store) -> bool:
        """Decide whether the two have the same entries."""

    @abstractmethod
    def like(self, shape: Shape, entries: Sequence[Entry]) -> Store:
        """Return the store of these entries, in the reading of this one."""


SYMMETRY_LIMIT: Final = 2_000_000
"""z3's work to see that a predicate is not symmetric; beyond it, it is taken to be so."""

_symmetric: dict[tuple[int, int], tuple[BoolTerm, BoolTerm]] = {}

Entry: TypeAlias = "tuple[Row, Row]"
Make: TypeAlias = "Callable[[Shape, Sequence[Entry]], Store]"
Precedes: TypeAlias = "Callable[[Row, Row], BoolTerm]"


def same_row(one: Row, other: Row) -> BoolTerm:
    """Whether two rows are equal, column by column."""
    return smt.conj(*(smt.equal(a, b) for a, b in zip(one, other, strict=True)))


def not_after(one: Row, other: Row) -> BoolTerm:
    """Whether a row is not after another, in the order of their columns."""
    if len(one) == 1:
        return one[0] <= other[0]
    rest = smt.conj(smt.equal(one[0], other[0]), not_after(one[1:], other[1:]))
    return smt.disj(one[0] < other[0], rest)


def demand_symmetric(body: BoolTerm, one: Row, other: Row) -> None:
    """Raise `ModelError` if a predicate of two entries depends on which of them comes first.

    Sets have no order that a model could mean; each reading looks at two entries once only.
    """
    there = smt.substitute(body, *zip(one + other, other + one, strict=True))
    known = body.get_id(), there.get_id()
    if known in _symmetric:
        return
    differs = smt.neg(smt.equal(body, there))
    if smt.Solver([differs], limit=SYMMETRY_LIMIT).check() == "sat":
        raise ModelError(
            "all_pairs is given a predicate that depends on the order of the two: "
            "let it say the same of (b, a) as of (a, b)"
        )
    # The terms are kept, and with them their ids.
    _symmetric[known] = (body, there)


def decide(formula: BoolTerm) -> bool:
    """Fork on a formula."""
    return Explorer.active().decide(smt.simplify(formula))


def term_of(amount: Callable[[], int]) -> IntTerm:
    """Return the one term that a function of a model computes, over all its paths."""
    explorer = Explorer(may_choose=False)
    found: list[tuple[BoolTerm, IntTerm]] = []
    for outcome in explorer.paths(amount):
        if isinstance(outcome, Raised):
            raise UnsupportedError(f"an amount raised {outcome.error!r}") from outcome.error
        found.append((smt.conj(*explorer.condition), lift(outcome.value)))
    term = found[-1][1]
    for condition, other in found[:-1]:
        term = smt.if_then_else(condition, other, term)
    return smt.simplify_int(term)


class SymbolicSet:
    """`SetOf` over a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def _key(self, member: Any) -> Row:
        return tuple(self.store.shape.key.terms(member))

    def _member(self, entry: Entry) -> Any:
        return self.store.shape.key.made(entry[0])

    def __contains__(self, member: Any) -> bool:
        return decide(self.store.has(self._key(member)))

    def _refuse(self, *_: object) -> NoReturn:
        raise ModelError("a set is no list and no truth: use all, any, first, count, total, where")

    __bool__ = __iter__ = __len__ = __getitem__ = _refuse

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SymbolicSet) and self.store.same(other.store)

    __hash__ = None  # type: ignore[assignment]  # a set of terms has no number

    def all(self, holds: Callable[[Any], bool]) -> bool:
        """Whether the predicate holds of every member."""
        return self.store.every((), lambda found: holds(self._member(found[0])))

    def any(self, holds: Callable[[Any], bool]) -> bool:
        """Whether the predicate holds of some member."""
        return not self.all(lambda member: not holds(member))

    def all_pairs(self, holds: Callable[[Any, Any], bool]) -> bool:
        """Whether the predicate holds of every two members."""
        return self.store.every(
            (self.store,),
            lambda found: holds(self._member(found[0]), self._member(found[1])),
        )

    def all_with(self, other: Any, holds: Callable[[Any, Any], bool]) -> bool:
        """Whether the predicate holds of every member with every one of the other set."""
        theirs = other if isinstance(other, SymbolicSet) else None
        if theirs is None:
            return self.all(lambda one: bool(other.all(lambda two: holds(one, two))))
        return self.store.every(
            (theirs.store,),
            lambda found: holds(self._member(found[0]), theirs._member(found[1])),  # noqa: SLF001  # its own class
        )

    def first(self, where: Callable[[Any], bool]) -> Any:
        """Return the first member of which the predicate holds."""
        return self._best(where, not_after)

    def _best(self, where: Callable[[Any], bool], precedes: Precedes) -> Any:
        found = self.store.best(lambda entry: where(self._member(entry)), precedes)
        return None if found is None else self._member(found)

    def count(self) -> int:
        """Return the number of members."""
        return sym_int(self.store.count())

    def total(self, amount: Callable[[Any], int]) -> int:
        """Return the sum of an amount over the members."""
        return sym_int(self.store.total(lambda entry: amount(self._member(entry))))

    def with_member(self, member: Any) -> SymbolicSet:
        """Return the set with one member more."""
        return type(self)(self.store.put(self._key(member), ()))

    def without(self, member: Any) -> SymbolicSet:
        """Return the set with one member less."""
        return type(self)(self.store.drop(self._key(member)))

    def where(self, holds: Callable[[Any], bool]) -> SymbolicSet:
        """Return the members of which the predicate holds."""
        return type(self)(self.store.kept(lambda entry: holds(self._member(entry))))


class SymbolicRangeSet(SymbolicSet):
    """`RangeSet` over a store."""

    def lowest(self, where: Callable[[Range], bool]) -> Any:
        """Return a member with the least start."""
        return self._best(where, lambda one, other: one[0] <= other[0])

    def highest(self, where: Callable[[Range], bool]) -> Any:
        """Return a member with the greatest start."""
        return self._best(where, lambda one, other: other[0] <= one[0])

    def with_range(self, member: Range) -> SymbolicSet:
        """Return the set with one member more."""
        return self.with_member(member)

    def gaps(self, space: Range) -> SymbolicRangeSet:
        """Return the maximal free intervals of the space."""
        return SymbolicRangeSet(self.store.gaps(lift(space.start), lift(space.end)))

    def same_as(self, other: Any) -> bool:
        """Whether both have the same members."""
        return self.store.same(stored(self.store.like, self.store.shape, other))


class SymbolicTable:
    """`Table` over a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def _key(self, key: Any) -> Row:
        return tuple(self.store.shape.key.terms(key))

    def _entry(self, entry: Entry) -> tuple[Any, Any]:
        return self.store.shape.key.made(entry[0]), self.store.shape.row.made(entry[1])

    def __contains__(self, key: Any) -> bool:
        return decide(self.store.has(self._key(key)))

    def _refuse(self, *_: object) -> NoReturn:
        raise ModelError("a table is no dict and no truth: use get, in, all, any, count, where")

    __bool__ = __iter__ = __len__ = __getitem__ = _refuse

    def get(self, key: Any) -> Any:
        """Return the row at the key; `None` if there is none."""
        columns = self._key(key)
        if not decide(self.store.has(columns)):
            return None
        return self.store.shape.row.made(self.store.at(columns))

    def all(self, holds: Callable[[Any, Any], bool]) -> bool:
        """Whether the predicate holds of every key and its row."""
        return self.store.every((), lambda found: holds(*self._entry(found[0])))

    def any(self, holds: Callable[[Any, Any], bool]) -> bool:
        """Whether the predicate holds of some key and its row."""
        return not self.all(lambda key, row: not holds(key, row))

    def all_pairs(self, holds: Callable[[Any, Any, Any, Any], bool]) -> bool:
        """Whether the predicate holds of every two keys and their rows."""
        return self.store.every(
            (self.store,),
            lambda found: holds(*self._entry(found[0]), *self._entry(found[1])),
        )

    def count(self) -> int:
        """Return the number of keys."""
        return sym_int(self.store.count())

    def total(self, amount: Callable[[Any, Any], int]) -> int:
        """Return the sum of an amount over the keys and their rows."""
        return sym_int(self.store.total(lambda entry: amount(*self._entry(entry))))

    def put(self, key: Any, row: Any) -> SymbolicTable:
        """Return the table with this row at the key."""
        return SymbolicTable(self.store.put(self._key(key), tuple(self.store.shape.row.terms(row))))

    def drop(self, key: Any) -> SymbolicTable:
        """Return the table without a row at the key."""
        return SymbolicTable(self.store.drop(self._key(key)))

    def where(self, holds: Callable[[Any, Any], bool]) -> SymbolicTable:
        """Return the table of those keys of which, and of whose rows, the predicate holds."""
        return SymbolicTable(self.store.kept(lambda entry: holds(*self._entry(entry))))


def stored(make: Make, shape: Shape, value: Any) -> Store:
    """Return the store of a set or a table, be it symbolic or one of plain Python."""
    if isinstance(value, SymbolicSet | SymbolicTable):
        return value.store
    if isinstance(value, FiniteSet):
        entries: list[Entry] = [(tuple(shape.key.terms(member)), ()) for member in value]
    elif isinstance(value, FiniteTable):
        entries = [
            (tuple(shape.key.terms(key)), tuple(shape.row.terms(row)))
            for key, row in value.items().items()
        ]
    else:
        raise UnsupportedError(f"{value!r} is no set and no table of the language")
    return make(shape, entries)


def words_of(shape: Shape, store: Store) -> Any:
    """Return what the model sees of a store."""
    if shape.ranges:
        return SymbolicRangeSet(store)
    return SymbolicSet(store) if shape.is_set else SymbolicTable(store)
