"""Invariants that a model may be missing: per entry, per two entries, across sets, by counting.

Each is made of text that can be pasted into the model, and is read from that very text: what
is suggested is what was tried.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import TYPE_CHECKING, Final

from vm_allocator import modelling

from .kinds import BoolKind, EnumKind, IntKind, Kind, OptionalKind, RowKind
from .subject import Rule, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .subject import Subject

WORDS: Final = {name: getattr(modelling, name) for name in modelling.__all__}


@dataclass(frozen=True)
class _Field:
    """A part of an entry, as text with a place for the entry's name, and its kind."""

    text: str
    kind: Kind

    def of(self, suffix: str = "") -> str:
        """Return the text for one of two entries."""
        return self.text.replace("@", suffix)


@dataclass(frozen=True)
class _Entries:
    """A set or a table: its name, the parameters of a lambda over it, and the parts of an entry."""

    name: str
    shape: Shape
    fields: tuple[_Field, ...]

    def names(self, suffix: str = "") -> str:
        """Return the parameters of a lambda over one entry."""
        return f"r{suffix}" if self.shape.is_set else f"k{suffix}, r{suffix}"

    @property
    def key(self) -> str:
        """The text of what tells two entries apart."""
        return "r@" if self.shape.is_set else "k@"

    def ints(self) -> list[_Field]:
        """Return the parts that are numbers."""
        return [field for field in self.fields if isinstance(field.kind, IntKind)]

    def ranges(self) -> list[tuple[str, str]]:
        """Return the first and the last value of every part that may be an interval."""
        found = [
            (f"{field.text}.start", f"{field.text}.end")
            for field in self.fields
            if isinstance(field.kind, RowKind) and field.kind.row is modelling.Range
        ]
        numbers = self.ints()
        own = [field for field in numbers if field.text != "k@"]
        found += [
            (one.text, other.text)
            for one, other in pairwise(own)
            if (one.text, other.text) not in found
        ]
        return found

    def each(self, condition: str) -> str:
        """Return the text of a rule for every entry."""
        return f"self.{self.name}.all(lambda {self.names()}: {condition.replace('@', '')})"

    def pairs(self, condition: str) -> str:
        """Return the text of a rule for every two entries; `@1` and `@2` are the two."""
        same = f"{self.key.replace('@', '1')} == {self.key.replace('@', '2')}"
        names = f"{self.names('1')}, {self.names('2')}"
        return f"self.{self.name}.all_pairs(lambda {names}: {same} or {condition})"


def candidates(subject: Subject) -> list[Rule]:
    """Return the rules that the templates make of a model's variables."""
    texts = dict.fromkeys([*_of_entries(subject), *_across(subject), *_of_variables(subject)])
    return [rule_of(subject, text) for text in texts]


def rule_of(subject: Subject, text: str) -> Rule:
    """Return the invariant that an expression over `self` says."""
    names = {**WORDS, **vars(sys.modules[subject.model.__module__])}
    predicate = eval(f"lambda self: {text}", names)  # noqa: S307  # made of the templates here
    return Rule(text, predicate, str(subject.lines.file), text)


def _fields_of(kind: Kind, text: str) -> Iterator[_Field]:
    yield _Field(text, kind)
    if isinstance(kind, RowKind):
        for name, inner in kind.fields:
            yield from _fields_of(inner, f"{text}.{name}")


def _entries(subject: Subject) -> list[_Entries]:
    found = []
    for name, part in subject.parts.items():
        if isinstance(part, Shape):
            key, row = ("r@", None) if part.is_set else ("k@", "r@")
            fields = list(_fields_of(part.key, key))
            fields += [] if row is None else list(_fields_of(part.row, row))
            found.append(_Entries(name, part, tuple(fields)))
    return found


def _of_entries(subject: Subject) -> Iterator[str]:
    scalars = [f"self.{name}" for name, part in subject.parts.items() if isinstance(part, IntKind)]
    for entries in _entries(subject):
        yield from map(entries.each, _of_one(entries, scalars))
        yield from map(entries.pairs, _of_two(entries))


def _of_one(entries: _Entries, scalars: list[str]) -> Iterator[str]:
    numbers = [field.text for field in entries.ints()]
    for one, other in permutations(numbers, 2):
        yield f"{one} <= {other}"
    for number in numbers:
        yield f"{number} >= 0"
        for scalar in scalars:
            for order in ("<=", "<"):
                yield f"{number} {order} {scalar}"
                yield f"{scalar} {order} {number}"
    yield from _disjunctions(_conditions(entries.fields), numbers)
    for first, last in entries.ranges():
        yield f"is_power_of_two({last} - {first} + 1)"
        yield f"is_aligned({first}, {last} - {first} + 1)"


def _of_two(entries: _Entries) -> Iterator[str]:
    for first, last in entries.ranges():
        yield (
            f"{_second(last, 1)} < {_second(first, 2)} or {_second(last, 2)} < {_second(first, 1)}"
        )
    for field in entries.fields:
        if field.text != entries.key and isinstance(field.kind, IntKind | RowKind):
            yield f"{_second(field.text, 1)} != {_second(field.text, 2)}"


def _disjunctions(conditions: list[str], numbers: list[str]) -> Iterator[str]:
    for place, one in enumerate(conditions):
        for number in numbers:
            yield f"{one} or {number} == 0"
        for other in conditions[place + 1 :]:
            if not _opposite(one, other):
                yield f"{one} or {other}"


def _second(text: str, which: int) -> str:
    return text.replace("@", str(which))


def _conditions(fields: tuple[_Field, ...]) -> list[str]:
    found = []
    for field in fields:
        if isinstance(field.kind, BoolKind):
            found += [field.text, f"not {field.text}"]
        elif isinstance(field.kind, EnumKind):
            found += [
                f"{field.text} {how} {field.kind.enum.__name__}.{member.name}"
                for member in field.kind.enum
                for how in ("is", "is not")
            ]
        elif isinstance(field.kind, OptionalKind):
            found += [f"{field.text} is None", f"{field.text} is not None"]
            if isinstance(field.kind.inner, EnumKind):
                found += [
                    f"{field.text} {how} {field.kind.inner.enum.__name__}.{member.name}"
                    for member in field.kind.inner.enum
                    for how in ("is", "is not")
                ]
    return found


def _opposite(one: str, other: str) -> bool:
    """Whether one of two conditions is the negation of the other, so that one always holds."""
    return other in (f"not {one}", one.replace(" is ", " is not "), one.replace(" is not ", " is "))


def _across(subject: Subject) -> Iterator[str]:
    every = _entries(subject)
    for one in every:
        for other in every:
            for field in one.fields:
                if _may_be_key(field.kind, other.shape.key) and not (
                    one is other and field.text == one.key
                ):
                    yield one.each(f"{field.text} in self.{other.name}")
            if one is not other and one.shape.is_set and other.shape.is_set:
                for first, last in one.ranges():
                    for their_first, their_last in other.ranges():
                        yield (
                            f"self.{one.name}.all_with(self.{other.name}, lambda r1, r2: "
                            f"{_second(last, 1)} < {_second(their_first, 2)} or "
                            f"{_second(their_last, 2)} < {_second(first, 1)})"
                        )
            if one is not other:
                yield f"self.{one.name}.count() <= self.{other.name}.count()"


def _may_be_key(kind: Kind, key: Kind) -> bool:
    if isinstance(key, IntKind):
        return isinstance(kind, IntKind)
    return kind == key


def _of_variables(subject: Subject) -> Iterator[str]:
    fields = tuple(
        _Field(f"self.{name}", part)
        for name, part in subject.parts.items()
        if isinstance(part, Kind)
    )
    numbers = [field.text for field in fields if isinstance(field.kind, IntKind)]
    for one, other in permutations(numbers, 2):
        yield f"{one} <= {other}"
    for number in numbers:
        yield f"{number} >= 0"
        for entries in _entries(subject):
            count = f"self.{entries.name}.count()"
            yield f"{number} == {count}"
            yield f"{count} <= {number}"
            yield f"{number} <= {count}"
    yield from _disjunctions(_conditions(fields), numbers)
