"""The kinds of values that a model speaks of, and how each is made of integer columns.

A truth is 0 or 1, a member of an enum its number, an optional value a flag and a value, a
row its fields, one after the other. What is read of a symbolic column is symbolic only where
it is a number: truths, enums and absences are decided at once, by forking, so that code may
ask `is None` and `is Power.ON` as it always does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vm_allocator.symbolic import Explorer, SymBool, SymInt, smt, sym_int
from vm_allocator.symbolic.values import lift

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import Enum

    from vm_allocator.modelling import Between
    from vm_allocator.symbolic.smt import BoolTerm, IntTerm

ZERO = smt.literal(0)
ONE = smt.literal(1)


class Kind(ABC):
    """A kind of value, over a fixed number of integer columns."""

    columns: int

    def lows(self) -> list[int]:
        """Return, for each column, the number from which on people like it small."""
        return [0] * self.columns

    @property
    def is_narrow(self) -> bool:
        """Whether it has numbers of which not all are allowed."""
        columns = [smt.integer(f"any!{n}") for n in range(self.columns)]
        return not smt.is_true(smt.simplify(self.allowed(columns)))

    @abstractmethod
    def made(self, terms: Sequence[IntTerm]) -> Any:
        """Return the value that the columns hold. Forks where the value is not a number."""

    @abstractmethod
    def terms(self, value: Any) -> list[IntTerm]:
        """Return the columns of a value, symbolic or plain."""

    @abstractmethod
    def read(self, numbers: Sequence[int]) -> Any:
        """Return the plain value that the columns hold."""

    @abstractmethod
    def coded(self, terms: Sequence[IntTerm]) -> BoolTerm:
        """Whether the columns are those of some value: true of all that a model can make."""

    @abstractmethod
    def allowed(self, terms: Sequence[IntTerm]) -> BoolTerm:
        """Whether the numbers are of their widths: what has to be proved."""

    @abstractmethod
    def fits(self, value: Any) -> bool:
        """Whether the numbers of a plain value are of their widths."""

    @abstractmethod
    def typed(self, value: Any) -> bool:
        """Whether a value, symbolic or plain, is of this kind at all."""


@dataclass(frozen=True)
class IntKind(Kind):
    """Ints; of some values only if `domain` says so."""

    domain: Between | None = None
    columns = 1

    def lows(self) -> list[int]:
        return [0 if self.domain is None else max(0, self.domain.low)]

    def made(self, terms: Sequence[IntTerm]) -> Any:
        return sym_int(terms[0])

    def terms(self, value: Any) -> list[IntTerm]:
        return [lift(value)]

    def read(self, numbers: Sequence[int]) -> Any:
        return numbers[0]

    def coded(self, terms: Sequence[IntTerm]) -> BoolTerm:
        del terms
        return smt.TRUE

    def allowed(self, terms: Sequence[IntTerm]) -> BoolTerm:
        return smt.TRUE if self.domain is None else _within(terms[0], self.domain)

    def fits(self, value: Any) -> bool:
        return self.domain is None or self.domain.low <= value <= self.domain.high

    def typed(self, value: Any) -> bool:
        return isinstance(value, int | SymInt) and not isinstance(value, bool)


@dataclass(frozen=True)
class BoolKind(Kind):
    """Truths."""

    columns = 1

    def made(self, terms: Sequence[IntTerm]) -> Any:
        return Explorer.active().decide(smt.equal(terms[0], ONE))

    def terms(self, value: Any) -> list[IntTerm]:
        if isinstance(value, SymBool):
            return [smt.if_then_else(value.term, ONE, ZERO)]
        return [ONE if value else ZERO]

    def read(self, numbers: Sequence[int]) -> Any:
        return numbers[0] == 1

    def coded(self, terms: Sequence[IntTerm]) -> BoolTerm:
        return smt.conj(terms[0] >= ZERO, terms[0] <= ONE)

    def allowed(self, terms: Sequence[IntTerm]) -> BoolTerm:
        del terms
        return smt.TRUE

    def fits(self, value: Any) -> bool:
        del value
        return True

    def typed(self, value: Any) -> bool:
        return isinstance(value, bool | SymBool)


@dataclass(frozen=True)
class EnumKind(Kind):
    """The members of an enum, by their place in it."""

    enum: type[Enum]
    columns = 1

    def made(self, terms: Sequence[IntTerm]) -> Any:
        *others, last = self.enum
        for number, member in enumerate(others):
            if Explorer.active().decide(smt.equal(terms[0], smt.literal(number))):
                return member
        return last

    def terms(self, value: Any) -> list[IntTerm]:
        return [smt.literal(list(self.enum).index(value))]

    def read(self, numbers: Sequence[int]) -> Any:
        return list(self.enum)[numbers[0]]

    def coded(self, terms: Sequence[IntTerm]) -> BoolTerm:
        return smt.conj(terms[0] >= ZERO, terms[0] < smt.literal(len(self.enum)))

    def allowed(self, terms: Sequence[IntTerm]) -> BoolTerm:
        del terms
        return smt.TRUE

    def fits(self, value: Any) -> bool:
        del value
        return True

    def typed(self, value: Any) -> bool:
        return isinstance(value, self.enum)


@dataclass(frozen=True)
class OptionalKind(Kind):
    """A value or None: a flag, and columns that are 0 where the flag is."""

    inner: Kind

    def lows(self) -> list[int]:
        return [0, *self.inner.lows()]

    @property
    def columns(self) -> int:  # type: ignore[override]  # a property where others have a number
        return 1 + self.inner.columns

    def made(self, terms: Sequence[IntTerm]) -> Any:
        if Explorer.active().decide(smt.equal(terms[0], ZERO)):
            return None
        return self.inner.made(terms[1:])

    def terms(self, value: Any) -> list[IntTerm]:
        if value is None:
            return [ZERO] * self.columns
        return [ONE, *self.inner.terms(value)]

    def read(self, numbers: Sequence[int]) -> Any:
        return self.inner.read(numbers[1:]) if numbers[0] else None

    def coded(self, terms: Sequence[IntTerm]) -> BoolTerm:
        nothing = smt.conj(*(smt.equal(term, ZERO) for term in terms))
        something = smt.conj(smt.equal(terms[0], ONE), self.inner.coded(terms[1:]))
        return smt.disj(nothing, something)

    def allowed(self, terms: Sequence[IntTerm]) -> BoolTerm:
        return smt.disj(smt.equal(terms[0], ZERO), self.inner.allowed(terms[1:]))

    def fits(self, value: Any) -> bool:
        return value is None or self.inner.fits(value)

    def typed(self, value: Any) -> bool:
        return value is None or self.inner.typed(value)


@dataclass(frozen=True)
class RowKind(Kind):
    """A `NamedTuple` or a dataclass: its fields, one after the other."""

    row: type
    fields: tuple[tuple[str, Kind], ...]

    def lows(self) -> list[int]:
        return [low for _, kind in self.fields for low in kind.lows()]

    @property
    def columns(self) -> int:  # type: ignore[override]  # a property where others have a number
        return sum(kind.columns for _, kind in self.fields)

    def made(self, terms: Sequence[IntTerm]) -> Any:
        return self.row(**{name: kind.made(own) for name, kind, own in self._split(terms)})

    def terms(self, value: Any) -> list[IntTerm]:
        return [term for name, kind in self.fields for term in kind.terms(getattr(value, name))]

    def read(self, numbers: Sequence[int]) -> Any:
        return self.row(**{name: kind.read(own) for name, kind, own in self._split(numbers)})

    def coded(self, terms: Sequence[IntTerm]) -> BoolTerm:
        return smt.conj(*(kind.coded(own) for _, kind, own in self._split(terms)))

    def allowed(self, terms: Sequence[IntTerm]) -> BoolTerm:
        return smt.conj(*(kind.allowed(own) for _, kind, own in self._split(terms)))

    def fits(self, value: Any) -> bool:
        return all(kind.fits(getattr(value, name)) for name, kind in self.fields)

    def typed(self, value: Any) -> bool:
        return isinstance(value, self.row) and all(
            kind.typed(getattr(value, name)) for name, kind in self.fields
        )

    def _split(self, values: Sequence[Any]) -> list[tuple[str, Kind, Sequence[Any]]]:
        found, position = [], 0
        for name, kind in self.fields:
            found.append((name, kind, values[position : position + kind.columns]))
            position += kind.columns
        return found


NOTHING = RowKind(tuple, ())
"""The row of a set: its members are all key."""


def _within(term: IntTerm, domain: Between) -> BoolTerm:
    return smt.conj(smt.literal(domain.low) <= term, term <= smt.literal(domain.high))
