"""The reading of sets and tables up to a number of entries: a list of slots.

After n actions from a known state, a set has at most so many members as actions have added.
Each is a slot: there or not, with its columns. Everything a model asks is then a formula
without quantifiers, and nothing is left out.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, Any

from vm_allocator.symbolic import UnsupportedError, formula_of, smt

from .store import Row, Store, decide, demand_symmetric, same_row, term_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm

    from .store import Entry, Precedes
    from .subject import Shape


@dataclass(frozen=True)
class Slot:
    """Room for one entry."""

    present: BoolTerm
    key: Row
    row: Row = ()

    @property
    def columns(self) -> Row:
        """The key and the row."""
        return self.key + self.row


_nesting: list[int] = [0]


@contextmanager
def _holes(widths: Sequence[tuple[int, int]]) -> Iterator[list[Entry]]:
    """Name as many columns as the entries have; those of a quantifier within are others."""
    depth = _nesting[-1]
    _nesting.append(depth + 1)
    try:
        yield [
            (
                tuple(smt.integer(f"hole!{depth}!{place}!key!{n}") for n in range(keys)),
                tuple(smt.integer(f"hole!{depth}!{place}!row!{n}") for n in range(rows)),
            )
            for place, (keys, rows) in enumerate(widths)
        ]
    finally:
        _nesting.pop()


class Slots(Store):
    """A store of slots. No two that are there have the same key."""

    def __init__(self, shape: Shape, slots: Sequence[Slot] = ()) -> None:
        self.shape = shape
        self.slots = tuple(slot for slot in slots if not smt.is_false(slot.present))

    def like(self, shape: Shape, entries: Sequence[Entry]) -> Store:
        return slots_of(shape, entries)

    def has(self, key: Row) -> BoolTerm:
        return smt.disj(*(smt.conj(slot.present, same_row(slot.key, key)) for slot in self.slots))

    def at(self, key: Row) -> Row:
        found: Row = tuple(smt.literal(0) for _ in range(self.shape.row.columns))
        for slot in self.slots:
            here = smt.conj(slot.present, same_row(slot.key, key))
            found = tuple(
                smt.if_then_else(here, column, other)
                for column, other in zip(slot.row, found, strict=True)
            )
        return found

    def every(self, others: Sequence[Store], holds: Callable[[Sequence[Entry]], bool]) -> bool:
        stores = [self, *map(_slots, others)]
        with _holes([(one.shape.key.columns, one.shape.row.columns) for one in stores]) as holes:
            body = formula_of(lambda: holds(holes))
        hole_columns = [term for key, row in holes for term in key + row]
        twice = len(stores) > 1 and all(store is self for store in stores)
        if twice:
            demand_symmetric(body, *(key + row for key, row in holes))
        ways = (
            combinations_with_replacement(self.slots, len(stores))
            if twice
            else product(*(store.slots for store in stores))
        )
        parts = []
        for way in ways:
            columns = [term for slot in way for term in slot.columns]
            instance = smt.substitute(body, *zip(hole_columns, columns, strict=True))
            parts.append(smt.implies(smt.conj(*(slot.present for slot in way)), instance))
        return decide(smt.conj(*parts))

    def put(self, key: Row, row: Row) -> Slots:
        return Slots(self.shape, [*self._without(key), Slot(smt.TRUE, key, row)])

    def drop(self, key: Row) -> Slots:
        return Slots(self.shape, self._without(key))

    def _without(self, key: Row) -> list[Slot]:
        return [
            Slot(
                smt.simplify(smt.conj(slot.present, smt.neg(same_row(slot.key, key)))),
                slot.key,
                slot.row,
            )
            for slot in self.slots
        ]

    def kept(self, holds: Callable[[Entry], bool]) -> Slots:
        return Slots(
            self.shape,
            [
                Slot(smt.simplify(smt.conj(slot.present, where)), slot.key, slot.row)
                for slot, where in zip(self.slots, self._each(holds), strict=True)
            ],
        )

    def _each(self, holds: Callable[[Entry], bool]) -> list[BoolTerm]:
        """Return the formula of a predicate at each slot."""
        widths = [(self.shape.key.columns, self.shape.row.columns)]
        with _holes(widths) as ((key, row),):
            body = formula_of(lambda: holds((key, row)))
        return [
            smt.substitute(body, *zip(key + row, slot.columns, strict=True)) for slot in self.slots
        ]

    def best(self, where: Callable[[Entry], bool], first: Precedes) -> Entry | None:
        fits = [
            smt.conj(slot.present, fit)
            for slot, fit in zip(self.slots, self._each(where), strict=True)
        ]
        if not decide(smt.disj(*fits)):
            return None
        key: Row = tuple(smt.literal(0) for _ in range(self.shape.key.columns))
        row: Row = tuple(smt.literal(0) for _ in range(self.shape.row.columns))
        for slot, fit in zip(self.slots, fits, strict=True):
            ahead = (
                smt.implies(other_fit, first(slot.key, other.key))
                for other, other_fit in zip(self.slots, fits, strict=True)
                if other is not slot
            )
            chosen = smt.simplify(smt.conj(fit, *ahead))
            key = tuple(smt.if_then_else(chosen, a, b) for a, b in zip(slot.key, key, strict=True))
            row = tuple(smt.if_then_else(chosen, a, b) for a, b in zip(slot.row, row, strict=True))
        return key, row

    def count(self) -> IntTerm:
        return _sum([(slot.present, smt.literal(1)) for slot in self.slots])

    def total(self, amount: Callable[[Entry], int]) -> IntTerm:
        widths = [(self.shape.key.columns, self.shape.row.columns)]
        with _holes(widths) as ((key, row),):
            term = term_of(lambda: amount((key, row)))
        return _sum(
            [
                (slot.present, smt.put_in(term, *zip(key + row, slot.columns, strict=True)))
                for slot in self.slots
            ]
        )

    def gaps(self, first: IntTerm, last: IntTerm) -> Slots:
        begins = [(smt.TRUE, first), *((slot.present, slot.key[1] + 1) for slot in self.slots)]
        ends = [(smt.TRUE, last), *((slot.present, slot.key[0] - 1) for slot in self.slots)]
        found: list[Slot] = []
        for (begin_there, begin), (end_there, end) in product(begins, ends):
            free = (
                smt.implies(slot.present, smt.disj(slot.key[1] < begin, end < slot.key[0]))
                for slot in self.slots
            )
            there = smt.conj(
                begin_there, end_there, first <= begin, begin <= end, end <= last, *free
            )
            key = (smt.simplify_int(begin), smt.simplify_int(end))
            new = (smt.neg(smt.conj(other.present, same_row(other.key, key))) for other in found)
            found.append(Slot(smt.simplify(smt.conj(there, *new)), key))
        return Slots(self.shape, found)

    def same(self, other: Store) -> bool:
        theirs = _slots(other)
        return decide(smt.conj(*_included(self, theirs), *_included(theirs, self)))


def slots_of(shape: Shape, entries: Sequence[Entry]) -> Slots:
    """Return the store of these entries; of two at one key, the latter."""
    store = Slots(shape)
    for key, row in entries:
        store = store.put(key, row)
    return store


def _included(one: Slots, other: Slots) -> list[BoolTerm]:
    return [
        smt.implies(
            slot.present, smt.conj(other.has(slot.key), same_row(other.at(slot.key), slot.row))
        )
        for slot in one.slots
    ]


def _sum(amounts: Sequence[tuple[BoolTerm, IntTerm]]) -> IntTerm:
    total = smt.literal(0)
    for there, amount in amounts:
        total = total + smt.if_then_else(there, amount, smt.literal(0))
    return smt.simplify_int(total)


def _slots(store: Store) -> Slots:
    if not isinstance(store, Slots):
        raise UnsupportedError(f"{store!r} is of another reading")
    return store


def merged(shape: Shape, ways: Sequence[tuple[BoolTerm, Slots]]) -> Slots:
    """Return the store of the first way whose formula is true; the last one, if none is."""
    room = max(len(store.slots) for _, store in ways)
    filler = _filler(shape)
    lists = [
        (taken, [*store.slots, *[filler] * (room - len(store.slots))]) for taken, store in ways
    ]
    return Slots(
        shape,
        [
            Slot(
                _first([(taken, slots[n].present) for taken, slots in lists]),
                first_row([(taken, slots[n].key) for taken, slots in lists]),
                first_row([(taken, slots[n].row) for taken, slots in lists]),
            )
            for n in range(room)
        ],
    )


def first_row(ways: Sequence[tuple[BoolTerm, Row]]) -> Row:
    """Return, column by column, the row of the first way whose formula is true."""
    width = len(ways[0][1])
    return tuple(_first([(taken, row[n]) for taken, row in ways]) for n in range(width))


def _first(ways: Sequence[tuple[BoolTerm, Any]]) -> Any:
    *others, (_, found) = ways
    for taken, term in reversed(others):
        if term.get_id() != found.get_id():
            found = smt.if_then_else(taken, term, found)
    return found


def _filler(shape: Shape) -> Slot:
    zero = smt.literal(0)
    return Slot(smt.FALSE, (zero,) * shape.key.columns, (zero,) * shape.row.columns)
