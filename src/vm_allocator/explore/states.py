"""States of a model: as terms, as the model sees them, and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vm_allocator.modelling import FiniteMap, FiniteRanges, FiniteSet, FiniteTable, Model, Step
from vm_allocator.proving.symbolic_case import SymbolicMap
from vm_allocator.symbolic import smt
from vm_allocator.symbolic.values import lift

from .kinds import Kind
from .slots import Slots, first_row, merged
from .store import Row, Store, SymbolicSet, SymbolicTable, stored, words_of
from .subject import MapShape, Shape
from .trouble import ModelTrouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm, Valuation

    from .store import Make
    from .subject import Operation, Part, Subject

_NAMES: Final = {
    "SymInt": "number",
    "int": "number",
    "SymBool": "truth",
    "bool": "truth",
    "SymbolicSet": "SetOf",
    "SymbolicRangeSet": "RangeSet",
    "SymbolicTable": "Table",
}
"""What a person calls the types of symbolic values."""

PartTerms: TypeAlias = "Row | Store | Total"
Parts: TypeAlias = "Mapping[str, PartTerms]"


class Total:
    """An `IntMap` as terms."""

    def __init__(self, symbolic: SymbolicMap) -> None:
        self.map = symbolic


def model_of(subject: Subject, parts: Parts) -> Model:
    """Return the state as the model sees it. Forks where a variable is not a number."""
    values: dict[str, Any] = {}
    for name, part in subject.parts.items():
        terms = parts[name]
        if isinstance(part, Shape) and isinstance(terms, Store):
            values[name] = words_of(part, terms)
        elif isinstance(part, Kind) and isinstance(terms, tuple):
            values[name] = part.made(terms)
        elif isinstance(terms, Total):
            values[name] = terms.map
        else:
            raise TypeError(f"{name} is {terms!r}, and should be of {part!r}")
    return subject.model(**values)


def parts_of(subject: Subject, state: object, make: Make, whose: Operation) -> Parts:
    """Return the terms of a state that the model has made.

    Raises `ModelTrouble` if it is no state of the model: an action that returns nothing, a
    variable of another type.
    """
    after = state.after if isinstance(state, Step) else state
    if not isinstance(after, subject.model):
        found = "nothing" if after is None else f"a {type(after).__name__}"
        raise ModelTrouble(
            whose.place, f"{whose.name!r} returns {found}: return the state after it"
        )
    found_parts: dict[str, PartTerms] = {}
    for name, part in subject.parts.items():
        value = getattr(after, name)
        terms = _terms(part, value, make)
        if terms is None:
            found = type(value).__name__
            raise ModelTrouble(
                whose.place,
                f"{whose.name!r} makes {name!r} a {_NAMES.get(found, found)}, "
                "which is not what it is declared to be",
            )
        found_parts[name] = terms
    return found_parts


def _terms(part: Part, value: Any, make: Make) -> PartTerms | None:
    """Return the terms of a variable; `None` if the value is not what it is declared to be."""
    if isinstance(part, Kind):
        return tuple(part.terms(value)) if part.typed(value) else None
    if isinstance(part, MapShape):
        return Total(_map_of(value)) if isinstance(value, SymbolicMap | FiniteMap) else None
    known = FiniteSet | SymbolicSet if part.is_set else FiniteTable | SymbolicTable
    if not isinstance(value, known):
        return None
    try:
        return stored(make, part, value)
    except (AttributeError, TypeError, ValueError):
        # A plain set whose members are of another kind.
        return None


def any_map(name: str) -> Total:
    """Return any total map."""
    return Total(SymbolicMap(smt.function(name, 1)))


def _map_of(value: SymbolicMap | FiniteMap) -> SymbolicMap:
    if isinstance(value, SymbolicMap):
        return value
    table = value.items()

    def at(key: IntTerm) -> IntTerm:
        found = smt.literal(1)
        for one, number in table.items():
            found = smt.if_then_else(smt.equal(key, lift(one)), lift(number), found)
        return found

    return SymbolicMap(at)


def merged_parts(subject: Subject, ways: Sequence[tuple[BoolTerm, Parts]]) -> Parts:
    """Return the state of the first way whose formula is true; the last one, if none is."""
    found: dict[str, PartTerms] = {}
    for name, part in subject.parts.items():
        own: list[tuple[BoolTerm, Any]] = [(taken, parts[name]) for taken, parts in ways]
        if isinstance(part, Shape):
            found[name] = merged(part, own)
        elif isinstance(part, MapShape):
            found[name] = Total(_merged_map([(taken, total.map) for taken, total in own]))
        else:
            found[name] = first_row(own)
    return found


def _merged_map(ways: Sequence[tuple[BoolTerm, SymbolicMap]]) -> SymbolicMap:
    known: dict[int, tuple[IntTerm, IntTerm]] = {}

    def at(key: IntTerm) -> IntTerm:
        if key.get_id() not in known:
            # The key is kept beside its value: so that no other term ever gets its id.
            row = first_row([(taken, (one.value(key),)) for taken, one in ways])
            known[key.get_id()] = (key, row[0])
        return known[key.get_id()][1]

    return SymbolicMap(at)


def plain_state(subject: Subject, parts: Parts, valuation: Valuation) -> Model:
    """Return the state that a solver's valuation makes of slots and columns."""
    values: dict[str, Any] = {}
    starts: set[int] = set()
    for name, part in subject.parts.items():
        terms = parts[name]
        if isinstance(part, Kind) and isinstance(terms, tuple):
            values[name] = part.read([valuation.integer(term) for term in terms])
        elif isinstance(part, Shape) and isinstance(terms, Slots):
            entries = [
                (
                    part.key.read([valuation.integer(term) for term in slot.key]),
                    part.row.read([valuation.integer(term) for term in slot.row])
                    if not part.is_set
                    else None,
                )
                for slot in terms.slots
                if valuation.holds(slot.present)
            ]
            values[name] = plain_part(part, entries)
            if part.ranges:
                starts |= {key.start for key, _ in entries}
    for name, part in subject.parts.items():
        terms = parts[name]
        if isinstance(part, MapShape) and isinstance(terms, Total):
            values[name] = FiniteMap(
                {
                    start: valuation.integer(terms.map.value(smt.literal(start)))
                    for start in sorted(starts)
                }
            )
    return subject.model(**values)


def plain_part(part: Shape, entries: Sequence[tuple[Any, Any]]) -> Any:
    """Return the set or the table of these entries."""
    if part.ranges:
        return FiniteRanges([key for key, _ in entries])
    if part.is_set:
        return FiniteSet([key for key, _ in entries])
    return FiniteTable(dict(entries))
