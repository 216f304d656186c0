"""The symbolic reading of states: sets of ranges as relations, quantifiers as instances.

A set of ranges is a relation over pairs (start, end). Asking whether a predicate holds of
*all* members forks the path: either it does (a *universal*, kept for later) or some member
is a witness against it. An obligation is then a question without quantifiers: what the
path knows, with every universal instantiated at every range in play.
Which ranges these are is said in `world`.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar, cast

from vm_allocator.modelling import IntMap, Range, RangeSet
from vm_allocator.symbolic import (
    Explorer,
    PathCut,
    Signal,
    UnsupportedError,
    formula_of,
    smt,
    sym_int,
)
from vm_allocator.symbolic.values import lift
from vm_allocator.symbolic.words import Word

from .lemmas import mentions_alignment
from .theorem import Case, M
from .world import HOLES, Family, Universal, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.modelling import SetOf
    from vm_allocator.symbolic.smt import BoolTerm, IntTerm

    from .world import Pair

T = TypeVar("T")
U = TypeVar("U")


class AskedError(Signal):
    """A predicate that is to be assumed does more than to return what a quantifier says."""


class Assumed:
    """The answer of a quantifier to a predicate that is only to be assumed: no truth yet.

    If this is what the predicate returns, this is what holds: no path on which it does not
    has to be looked at. Whoever asks for its truth, to go on by it, is told to assume plainly.
    """

    def __init__(self, know: Callable[[], None]) -> None:
        self.know = know

    def __bool__(self) -> bool:
        raise AskedError


class SymbolicRanges:
    """A set of ranges as a relation."""

    def __init__(
        self,
        world: World,
        member: Callable[[IntTerm, IntTerm], BoolTerm],
        family: Family = Family.MEMBER,
    ) -> None:
        self.world = world
        self.member = member
        self.family = family
        self._gaps: dict[tuple[int, int], SymbolicRanges] = {}

    def __contains__(self, member: Range) -> bool:
        start, end = lift(member.start), lift(member.end)
        self.world.put_in_play(self.family, start, end)
        return self.world.explorer.decide(self.member(start, end))

    def all(self, holds: Callable[[Range], bool]) -> bool:
        """Fork: it holds of all members, or a witness is a member and it does not hold of it."""
        if self.world.assuming:
            return cast("bool", Assumed(lambda: self._know_of_all(holds)))
        if self.world.explorer.choose():
            self._know_of_all(holds)
            return True
        if holds(self._witness("counter")):
            raise PathCut
        return False

    def all_pairs(self, holds: Callable[[Range, Range], bool]) -> bool:
        """Fork as `all` does, over two members; the predicate is symmetric."""
        if self.world.assuming:
            return cast("bool", Assumed(lambda: self._know_of_pairs(holds)))
        if self.world.explorer.choose():
            self._know_of_pairs(holds)
            return True
        if holds(self._witness("counter"), self._witness("counter")):
            raise PathCut
        return False

    def any(self, holds: Callable[[Range], bool]) -> bool:
        """Fork as `all` does: the opposite does not hold of all members, or it does."""
        return not self.all(lambda member: not holds(member))

    def all_with(self, other: SetOf[U], holds: Callable[[Range, U], bool]) -> bool:
        """Refuse: no theorem speaks of the pairs of two sets."""
        raise UnsupportedError(f"the pairs of a set of ranges with {other!r}: {holds}")

    def count(self) -> int:
        """Refuse: a set of any number of members."""
        raise UnsupportedError("the number of members of a set of any number")

    def total(self, amount: Callable[[Range], int]) -> int:
        """Refuse: a set of any number of members."""
        raise UnsupportedError(f"a sum over a set of any number of members: {amount}")

    def first(self, where: Callable[[Range], bool]) -> Range | None:
        """Fork: a member where it holds, no other such before it; or there is none."""
        return self._extreme(
            where,
            lambda found, other: (
                found.start < other.start or (found.start == other.start and found.end <= other.end)
            ),
        )

    def lowest(self, where: Callable[[Range], bool]) -> Range | None:
        """Fork: a member where it holds, no other such starts below it; or there is none."""
        return self._extreme(where, lambda found, other: found.start <= other.start)

    def highest(self, where: Callable[[Range], bool]) -> Range | None:
        """Fork: a member where it holds, no other such starts above it; or there is none."""
        return self._extreme(where, lambda found, other: other.start <= found.start)

    def with_member(self, member: Range) -> SymbolicRanges:
        """Return the set with one member more."""
        return self.with_range(member)

    def with_range(self, member: Range) -> SymbolicRanges:
        """Return the set with one member more."""
        new = (lift(member.start), lift(member.end))
        self.world.put_in_play(self.family, *new)
        return SymbolicRanges(
            self.world,
            lambda start, end: smt.disj(self.member(start, end), _same(new, start, end)),
            self.family,
        )

    def without(self, member: Range) -> SymbolicRanges:
        """Return the set with one member less."""
        old = (lift(member.start), lift(member.end))
        self.world.put_in_play(self.family, *old)
        return SymbolicRanges(
            self.world,
            lambda start, end: smt.conj(self.member(start, end), smt.neg(_same(old, start, end))),
            self.family,
        )

    def where(self, holds: Callable[[Range], bool]) -> SymbolicRanges:
        """Return the members of which the predicate holds."""
        hole = HOLES[:2]
        kept = formula_of(lambda: holds(_range(*hole)))
        return SymbolicRanges(
            self.world,
            lambda start, end: smt.conj(
                self.member(start, end), smt.substitute(kept, (hole[0], start), (hole[1], end))
            ),
            self.family,
        )

    def gaps(self, space: Range) -> SymbolicRanges:
        """Return the set of maximal free intervals: a new relation, and what defines it.

        Gaps are not empty and lie in the space; no two touch; none meets a member; and every
        address of the space lies in a gap or in a member. For every finite set of members
        there is exactly one such set, which `FiniteRanges.gaps` computes.
        """
        first, last = lift(space.start), lift(space.end)
        known = self._gaps.get((first.get_id(), last.get_id()))
        if known is not None:
            return known
        named = self.world.explorer.fresh("gaps")
        relation = smt.relation(f"is_{named}", 2)
        one, other = HOLES[:2], HOLES[2:]
        gap, gap_too = relation(*one), relation(*other)
        lies = smt.conj(first <= one[0], one[0] <= one[1], one[1] <= last)
        apart = smt.disj(_same(one, *other), _before(one, other), _before(other, one))
        disjoint = smt.disj(one[1] < other[0], other[1] < one[0])
        self._know(smt.implies(gap, lies), Family.GAP)
        self._know(smt.implies(smt.conj(gap, gap_too), apart), Family.GAP, Family.GAP)
        member = self.member(*other)
        self._know(smt.implies(smt.conj(gap, member), disjoint), Family.GAP, self.family)

        def covered(address: IntTerm) -> tuple[BoolTerm, Pair]:
            live = self.world.fresh_range(self.family, "over")
            free = self.world.fresh_range(Family.GAP, "under")
            either = smt.disj(
                smt.conj(self.member(*live), _within(address, live)),
                smt.conj(relation(*free), _within(address, free)),
            )
            return smt.implies(smt.conj(first <= address, address <= last), either), free

        self.world.cover(covered)
        gaps = SymbolicRanges(self.world, relation, Family.GAP)
        self._gaps[first.get_id(), last.get_id()] = gaps
        return gaps

    def same_as(self, other: RangeSet) -> bool:
        """Fork: the same members, or a witness is a member of just one of the two."""
        theirs = _member_of(other)
        if self.world.explorer.choose():
            same = smt.equal(self.member(*HOLES[:2]), theirs(*HOLES[:2]))
            self._know(same, self.family)
            return True
        start, end = self.world.fresh_range(self.family, "differs")
        self.world.explorer.assume(smt.neg(smt.equal(self.member(start, end), theirs(start, end))))
        # Where two sets of gaps differ, the addresses in and around the witness tell why.
        self.world.consider(start, beyond=True)
        self.world.consider(start - 1)
        self.world.consider(end + 1)
        return False

    def _know(self, body: BoolTerm, *families: Family) -> None:
        self.world.universals.append(Universal(families, body, mentions_alignment(body)))

    def _know_of_all(self, holds: Callable[[Range], bool]) -> None:
        hole = HOLES[:2]
        formula = formula_of(lambda: holds(_range(*hole)))
        self._know(smt.implies(self.member(*hole), formula), self.family)

    def _know_of_pairs(self, holds: Callable[[Range, Range], bool]) -> None:
        one, other = HOLES[:2], HOLES[2:]
        formula = formula_of(lambda: holds(_range(*one), _range(*other)))
        both = smt.conj(self.member(*one), self.member(*other))
        self._know(smt.implies(both, formula), self.family, self.family)

    def _witness(self, name: str) -> Range:
        pair = self.world.fresh_range(self.family, name)
        self.world.explorer.assume(self.member(*pair))
        if self.family is Family.GAP:
            # A gap is maximal: what lies beside it is live, or beyond the space.
            self.world.consider(pair[0] - 1)
            self.world.consider(pair[1] + 1)
        return _range(*pair)

    def _extreme(
        self, where: Callable[[Range], bool], best: Callable[[Range, Range], bool]
    ) -> Range | None:
        if not self.world.explorer.choose():
            self._know_of_all(lambda member: not where(member))
            return None
        found = self._witness("found")
        if not where(found):
            raise PathCut
        self._know_of_all(lambda other: not where(other) or best(found, other))
        return found


class SymbolicMap:
    """A map as an uninterpreted function, and what was put on top of it."""

    def __init__(self, value: Callable[[IntTerm], IntTerm]) -> None:
        self.value = value

    def at(self, key: int) -> int:
        """Return the value at `key`."""
        return sym_int(self.value(lift(key)))

    def put(self, key: int, value: int) -> SymbolicMap:
        """Return the map that differs at `key` alone."""
        changed, new = lift(key), lift(value)
        return SymbolicMap(lambda at: smt.if_then_else(smt.equal(at, changed), new, self.value(at)))


class SymbolicCase(Case[M]):
    """Any states and numbers at all, on one path; claims go to `discharge`."""

    def __init__(self, model: type[M], discharge: Callable[[], None]) -> None:
        super().__init__(model)
        self._discharge = discharge
        self.world = World()
        self.numbers: dict[str, IntTerm] = {}
        self.choices: dict[str, object] = {}
        self.states: dict[str, M] = {}
        self.claims = 0

    def state(self, name: str = "before", **known: object) -> M:
        """Return a state of fresh constants, relations and maps that meets the invariants."""
        values: dict[str, object] = {}
        for field in fields(self.model):
            own = f"{name}.{field.name}"
            if field.name in known:
                values[field.name] = known[field.name]
            elif field.type == "int":
                values[field.name] = self.number(own)
            elif field.type == RangeSet.__name__:
                values[field.name] = SymbolicRanges(self.world, smt.relation(own, 2))
            elif field.type == IntMap.__name__:
                values[field.name] = SymbolicMap(smt.function(own, 1))
            else:
                raise TypeError(f"{own} is a {field.type}: states hold int, RangeSet and IntMap")
        state = self.model(**values)
        if not known:
            self.states[name] = state
        for predicate in self.model.invariants().values():
            self._assume_of(state, predicate)
        return state

    def _assume_of(self, state: M, predicate: Callable[[M], bool]) -> None:
        """Assume the predicate: as one formula or one universal, if it is such, on one path."""
        self.world.assuming = True
        try:
            formula = formula_of(lambda: predicate(state))
        except AskedError:
            formula = None
        try:
            answer: object = predicate(state) if formula is None else None
        except AskedError:
            self.world.assuming = False
            answer = predicate(state)
        self.world.assuming = False
        if formula is not None:
            self.world.explorer.assume(formula)
        elif isinstance(answer, Assumed):
            answer.know()
        else:
            self.assume(bool(answer))

    def read(self, state: M) -> M:
        """Return the state with its finite sets and maps as relations and functions."""
        parts: dict[str, object] = {}
        for part in fields(state):
            value = getattr(state, part.name)
            if part.type == RangeSet.__name__:
                parts[part.name] = SymbolicRanges(self.world, _member_of(value))
            elif part.type == IntMap.__name__:
                parts[part.name] = SymbolicMap(smt.function(f"initial.{part.name}", 1))
        return replace(state, **parts)

    def number(self, name: str, like: Sequence[int] = ()) -> int:  # noqa: ARG002  # for samples
        """Return a fresh constant."""
        if name in self.numbers:
            # Two constants of one name would be one: equal by accident.
            raise ValueError(f"the theorem asks for two numbers called {name}: rename one")
        self.numbers[name] = smt.integer(name)
        return sym_int(self.numbers[name])

    def one_of(self, name: str, options: Sequence[T]) -> T:
        """Fork over the options."""
        for option in options[:-1]:
            if Explorer.active().choose():
                self.choices[name] = option
                return option
        self.choices[name] = options[-1]
        return options[-1]

    def assume(self, condition: bool) -> None:  # noqa: FBT001  # reads as a sentence
        """Leave the path unless the condition was decided to hold on it."""
        if not condition:
            raise PathCut

    def claim(self, condition: bool) -> None:  # noqa: FBT001  # reads as a sentence
        """On a path where the condition was decided to fail, the path must be impossible."""
        self.claims += 1
        if not condition:
            self._discharge()
            raise PathCut

    @property
    def is_symbolic(self) -> bool:
        """Always."""
        return True

    def word(self, value: int) -> int:
        """Return the value, watched: what is computed with it must fit 64 bits."""
        limit = 2**64 - 1
        return cast("int", Word(lift(value), lambda result: self.claim(bool(0 <= result <= limit))))

    def consider(self, address: int) -> None:
        """Put the live range or gap of the address in play."""
        self.world.consider(lift(address))


def _range(start: IntTerm, end: IntTerm) -> Range:
    return Range(sym_int(start), sym_int(end))


def _same(pair: Sequence[IntTerm], start: IntTerm, end: IntTerm) -> BoolTerm:
    return smt.conj(smt.equal(start, pair[0]), smt.equal(end, pair[1]))


def _before(one: Sequence[IntTerm], other: Sequence[IntTerm]) -> BoolTerm:
    """One ends below the other, and something lies between them."""
    return one[1] + 1 < other[0]


def _within(address: IntTerm, pair: Pair) -> BoolTerm:
    return smt.conj(pair[0] <= address, address <= pair[1])


def _member_of(ranges: RangeSet) -> Callable[[IntTerm, IntTerm], BoolTerm]:
    """Return the relation behind any set: a finite one is an enumeration."""
    if isinstance(ranges, SymbolicRanges):
        return ranges.member
    members = [(lift(r.start), lift(r.end)) for r in ranges]  # type: ignore[attr-defined]  # finite
    return lambda start, end: smt.disj(*[_same(pair, start, end) for pair in members])
