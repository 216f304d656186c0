"""The reading of sets and tables of any number of entries: relations, and quantifiers as instances.

As in `vm_allocator.proving.symbolic_case`, for rows of any columns. Asking whether a predicate
holds of all entries forks the path: either it does (a *universal*, kept for later), or some
entry is a witness against it. What a path knows is then without quantifiers: every universal
is instantiated at the keys in play. Too few of them can only make a proof fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, Final, TypeAlias

from vm_allocator.symbolic import Explorer, PathCut, UnsupportedError, formula_of, smt

from .kinds import EnumKind, Kind, RowKind
from .store import Row, Store, demand_symmetric, same_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm

    from .store import Entry, Precedes
    from .subject import Shape

Signature: TypeAlias = str
"""What keys have in common that may be keys of the same tables: the kind of what they are."""

LEVELS: Final = 2
"""Keys that an instance mentions are in play, too; those that theirs mention are not."""

GAP: Final = "a gap"


def signature_of(kind: Kind) -> Signature:
    """Return the signature of a kind of keys; widths make no difference."""
    if isinstance(kind, RowKind):
        return kind.row.__qualname__
    return kind.enum.__qualname__ if isinstance(kind, EnumKind) else type(kind).__name__


@dataclass(frozen=True)
class Universal:
    """A formula with holes that holds of all keys of these signatures."""

    signatures: tuple[Signature, ...]
    holes: tuple[Row, ...]
    body: BoolTerm
    is_symmetric: bool = False
    touched: tuple[tuple[Signature, Row], ...] = ()
    """Keys that the formula asks about."""


@dataclass
class World:
    """What one path knows beyond its condition: universals, and the keys in play."""

    universals: list[Universal] = field(default_factory=list)
    in_play: dict[Signature, dict[tuple[int, ...], tuple[Row, int]]] = field(default_factory=dict)
    _touching: list[list[tuple[Signature, Row]]] = field(default_factory=list)

    def touch(self, signature: Signature, key: Row, level: int = 0) -> None:
        """Instantiate universals at this key from now on."""
        if self._touching:
            self._touching[-1].append((signature, key))
            return
        known = self.in_play.setdefault(signature, {})
        known.setdefault(tuple(term.get_id() for term in key), (key, level))

    def fresh(self, shape: Shape, signature: Signature, name: str) -> Row:
        """Return a new key in play."""
        explorer = Explorer.active()
        key = tuple(explorer.fresh(name) for _ in range(shape.key.columns))
        self.touch(signature, key)
        return key

    def refuse_nesting(self) -> None:
        """Refuse a quantifier inside the predicate of another one."""
        if self._touching:
            raise UnsupportedError(
                "a quantifier inside a quantifier: use all_pairs or all_with, or a table "
                "that is asked by its key"
            )

    def template(
        self, build: Callable[[], BoolTerm]
    ) -> tuple[BoolTerm, tuple[tuple[Signature, Row], ...]]:
        """Return a formula with holes, and the keys that it asks about."""
        self.refuse_nesting()
        self._touching.append([])
        try:
            return build(), tuple(self._touching[-1])
        finally:
            self._touching.pop()

    def facts(self) -> list[BoolTerm]:
        """Return the instances of all universals at the keys in play."""
        done: set[tuple[int, tuple[tuple[int, ...], ...]]] = set()
        found: list[BoolTerm] = []
        grown = True
        while grown:
            before = sum(map(len, self.in_play.values()))
            for number, universal in enumerate(self.universals):
                for ids, keys, level in self._ways(universal):
                    if (number, ids) not in done:
                        done.add((number, ids))
                        found.append(self._instance(universal, keys, level))
            grown = sum(map(len, self.in_play.values())) > before
        return found

    def _ways(
        self, universal: Universal
    ) -> list[tuple[tuple[tuple[int, ...], ...], list[Row], int]]:
        pools = [list(self.in_play.get(one, {}).items()) for one in universal.signatures]
        ways = (
            combinations_with_replacement(pools[0], len(pools))
            if universal.is_symmetric
            else product(*pools)
        )
        return [
            (
                tuple(ids for ids, _ in way),
                [key for _, (key, _) in way],
                max(level for _, (_, level) in way),
            )
            for way in ways
        ]

    def _instance(self, universal: Universal, keys: Sequence[Row], level: int) -> BoolTerm:
        pairs = [
            pair
            for holes, key in zip(universal.holes, keys, strict=True)
            for pair in zip(holes, key, strict=True)
        ]
        if level < LEVELS:
            for signature, touched in universal.touched:
                self.touch(signature, tuple(smt.put_in(one, *pairs) for one in touched), level + 1)
        return smt.substitute(universal.body, *pairs)


def _holes(number: int, columns: int) -> Row:
    return tuple(smt.integer(f"hole!{number}!{column}") for column in range(columns))


@dataclass(frozen=True)
class Content:
    """What is in a store: which keys, the row of each, and how many there are."""

    member: Callable[[Row], BoolTerm]
    row: Callable[[Row], Row]
    size: Callable[[], IntTerm]


class Relation(Store):
    """A store of any number of entries."""

    def __init__(
        self, world: World, shape: Shape, content: Content, signature: Signature = ""
    ) -> None:
        self.world = world
        self.shape = shape
        self.member = content.member
        self.row = content.row
        self.size = content.size
        self.signature = signature or signature_of(shape.key)

    def _other(
        self,
        member: Callable[[Row], BoolTerm],
        row: Callable[[Row], Row],
        size: Callable[[], IntTerm],
    ) -> Relation:
        return Relation(self.world, self.shape, Content(member, row, size), self.signature)

    def like(self, shape: Shape, entries: Sequence[Entry]) -> Relation:
        return listed(self.world, shape, entries)

    def has(self, key: Row) -> BoolTerm:
        self.world.touch(self.signature, key)
        return self.member(key)

    def at(self, key: Row) -> Row:
        return self.row(key)

    def every(self, others: Sequence[Store], holds: Callable[[Sequence[Entry]], bool]) -> bool:
        stores = [self, *map(_relation, others)]
        self.world.refuse_nesting()
        if Explorer.active().choose():
            self.know(stores, holds)
            return True
        witnesses = [store.world.fresh(store.shape, store.signature, "counter") for store in stores]
        for store, witness in zip(stores, witnesses, strict=True):
            Explorer.active().assume(store.member(witness))
        pairs = [(key, store.row(key)) for store, key in zip(stores, witnesses, strict=True)]
        if holds(pairs):
            raise PathCut
        return False

    def know(self, stores: Sequence[Relation], holds: Callable[[Sequence[Entry]], bool]) -> None:
        """Know of all entries that the predicate holds of them."""
        holes = [_holes(number, store.shape.key.columns) for number, store in enumerate(stores)]
        entries = [(key, store.row(key)) for store, key in zip(stores, holes, strict=True)]
        body, touched = self.world.template(lambda: formula_of(lambda: bool(holds(entries))))
        is_twice = len(stores) > 1 and all(store is stores[0] for store in stores)
        if is_twice:
            demand_symmetric(body, *holes)
        there = smt.conj(*(store.member(key) for store, key in zip(stores, holes, strict=True)))
        self.world.universals.append(
            Universal(
                tuple(store.signature for store in stores),
                tuple(holes),
                smt.implies(there, body),
                is_symmetric=is_twice,
                touched=touched,
            )
        )

    def put(self, key: Row, row: Row) -> Relation:
        self.world.touch(self.signature, key)
        there = self.member(key)
        return self._other(
            lambda at: smt.disj(self.member(at), same_row(at, key)),
            lambda at: _either(same_row(at, key), row, self.row(at)),
            lambda: smt.if_then_else(there, self.size(), self.size() + 1),
        )

    def drop(self, key: Row) -> Relation:
        self.world.touch(self.signature, key)
        there = self.member(key)
        return self._other(
            lambda at: smt.conj(self.member(at), smt.neg(same_row(at, key))),
            self.row,
            lambda: smt.if_then_else(there, self.size() - 1, self.size()),
        )

    def kept(self, holds: Callable[[Entry], bool]) -> Relation:
        hole = _holes(0, self.shape.key.columns)
        body, _ = self.world.template(
            lambda: formula_of(lambda: bool(holds((hole, self.row(hole)))))
        )

        def size() -> IntTerm:
            number = Explorer.active().fresh("kept")
            Explorer.active().assume(smt.conj(smt.literal(0) <= number, number <= self.size()))
            return number

        return self._other(
            lambda at: smt.conj(self.member(at), smt.substitute(body, *zip(hole, at, strict=True))),
            self.row,
            size,
        )

    def best(self, where: Callable[[Entry], bool], first: Precedes) -> Entry | None:
        self.world.refuse_nesting()
        if not Explorer.active().choose():
            self.know([self], lambda found: not where(found[0]))
            return None
        key = self.world.fresh(self.shape, self.signature, "found")
        Explorer.active().assume(self.member(key))
        entry = (key, self.row(key))
        if not where(entry):
            raise PathCut
        self.know(
            [self],
            lambda found: not where(found[0]) or Explorer.active().decide(first(key, found[0][0])),
        )
        return entry

    def count(self) -> IntTerm:
        return self.size()

    def total(self, amount: Callable[[Entry], int]) -> IntTerm:
        raise UnsupportedError(f"a sum over any number of entries: {amount}")

    def gaps(self, first: IntTerm, last: IntTerm) -> Relation:
        """Return the gaps: intervals of the space, apart from each other and from all members.

        That they cover all that is free is not said: no invariant of a state needs it, and an
        action that finds no gap where there is one would only be refused more often.
        """
        named = Explorer.active().fresh("gaps")
        relation = smt.relation(f"is_{named}", 2)
        content = Content(lambda at: relation(*at), lambda _at: (), _no_number)
        gaps = Relation(self.world, self.shape, content, GAP)
        (start, end), (other_start, other_end) = one, other = _holes(0, 2), _holes(1, 2)
        lies = smt.conj(first <= start, start <= end, end <= last)
        apart = smt.disj(same_row(one, other), end + 1 < other_start, other_end + 1 < start)
        free = smt.disj(end < other_start, other_end < start)
        for signatures, premise, conclusion in (
            ((GAP,), relation(*one), lies),
            ((GAP, GAP), smt.conj(relation(*one), relation(*other)), apart),
            ((GAP, self.signature), smt.conj(relation(*one), self.member(other)), free),
        ):
            holes = (one, other)[: len(signatures)]
            self.world.universals.append(
                Universal(
                    signatures,
                    holes,
                    smt.implies(premise, conclusion),
                    is_symmetric=signatures == (GAP, GAP),
                )
            )
        return gaps

    def same(self, other: Store) -> bool:
        theirs = _relation(other)
        if Explorer.active().choose():
            self.know([self], lambda found: _agrees(theirs, found[0]))
            theirs.know([theirs], lambda found: _agrees(self, found[0]))
            return True
        one, two = (self, theirs) if Explorer.active().choose() else (theirs, self)
        key = self.world.fresh(self.shape, self.signature, "differs")
        Explorer.active().assume(one.member(key))
        if _agrees(two, (key, one.row(key))):
            raise PathCut
        return False


def _agrees(store: Relation, entry: Entry) -> bool:
    key, row = entry
    return Explorer.active().decide(smt.conj(store.member(key), same_row(store.row(key), row)))


def _either(condition: BoolTerm, one: Row, other: Row) -> Row:
    return tuple(smt.if_then_else(condition, a, b) for a, b in zip(one, other, strict=True))


def _no_number() -> IntTerm:
    raise UnsupportedError("the number of gaps is not known for any number of ranges")


def _relation(store: Store) -> Relation:
    if not isinstance(store, Relation):
        raise UnsupportedError(f"{store!r} is of another reading")
    return store


def any_relation(world: World, shape: Shape, name: str) -> Relation:
    """Return a store of any entries at all, of the kinds of its shape."""
    member = smt.relation(f"{name}.has", shape.key.columns)
    rows = [
        smt.function(f"{name}.row!{column}", shape.key.columns)
        for column in range(shape.row.columns)
    ]
    number = smt.integer(f"{name}.count")
    counted: list[bool] = []

    def size() -> IntTerm:
        if not counted:
            counted.append(True)
            Explorer.active().assume(smt.literal(0) <= number)
            one, other = (_holes(n, shape.key.columns) for n in range(2))
            for holes, least in (((one,), 1), ((one, other), 2)):
                there = [member(*hole) for hole in holes]
                if least == 2:  # noqa: PLR2004  # two of them, and not one twice
                    there.append(smt.neg(same_row(one, other)))
                world.universals.append(
                    Universal(
                        (store.signature,) * least,
                        holes,
                        smt.implies(smt.conj(*there), smt.literal(least) <= number),
                        is_symmetric=least > 1,
                    )
                )
        return number

    content = Content(lambda at: member(*at), lambda at: tuple(row(*at) for row in rows), size)
    store = Relation(world, shape, content)
    hole = _holes(0, shape.key.columns)
    coded = smt.conj(shape.key.coded(hole), shape.row.coded(store.row(hole)))
    if not smt.is_true(smt.simplify(coded)):
        world.universals.append(
            Universal((store.signature,), (hole,), smt.implies(member(*hole), coded))
        )
    return store


def listed(world: World, shape: Shape, entries: Sequence[Entry]) -> Relation:
    """Return the store of these entries."""
    zeros = tuple(smt.literal(0) for _ in range(shape.row.columns))
    empty = Content(lambda _at: smt.FALSE, lambda _at: zeros, lambda: smt.literal(0))
    store = Relation(world, shape, empty)
    for key, row in entries:
        store = store.put(key, row)
    return store
