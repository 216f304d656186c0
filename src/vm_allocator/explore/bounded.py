"""Induction up to a number of entries, and counterexamples to induction: on slots.

Every set and every table of the state before has up to so many entries, whatever they are.
A counterexample is a state in which every invariant holds, and an action after which one does
not. Nothing says that the state can be reached: it may be that an invariant is missing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vm_allocator.symbolic import smt

from .exact import ExactSolver
from .kinds import Kind
from .readable import Numbers, readable
from .slots import Slot, Slots
from .states import any_map, merged_parts, plain_state
from .steps import Arguments, holds_in, steps
from .store import not_after, same_row
from .subject import Shape
from .trace import Call, Trace, broken_in, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.symbolic.smt import Answer, BoolTerm, IntTerm, Valuation

    from .exact import Clock
    from .states import Parts, PartTerms
    from .steps import Ending
    from .subject import Rule, Subject


@dataclass(frozen=True)
class Bounded:
    """What came of induction up to a number of entries."""

    entries: int
    """Up to so many entries, every action keeps every invariant; -1 if that is not known."""
    answer: Answer
    trace: Trace | None
    """A counterexample to induction, executed."""
    seconds: float


@dataclass(frozen=True)
class AnyState:
    """Any state of up to so many entries per set and table."""

    parts: Parts
    is_one: BoolTerm
    """Whether the columns are those of a state."""

    def numbers(self, subject: Subject, valuation: Valuation) -> list[tuple[IntTerm, int]]:
        """Return the columns of what there is, those of one entry together."""
        found: list[tuple[IntTerm, int]] = []
        for name, terms in self.parts.items():
            part = subject.parts[name]
            if isinstance(terms, Slots):
                lows = [*terms.shape.key.lows(), *terms.shape.row.lows()]
                for slot in terms.slots:
                    if valuation.holds(slot.present):
                        found += zip(slot.columns, lows, strict=True)
            elif isinstance(terms, tuple) and isinstance(part, Kind):
                found += zip(terms, part.lows(), strict=True)
        return found

    def absent(self, valuation: Valuation) -> BoolTerm:
        """Say that the slots that are empty in the valuation stay so."""
        return smt.conj(
            *(
                smt.neg(slot.present)
                for terms in self.parts.values()
                if isinstance(terms, Slots)
                for slot in terms.slots
                if not valuation.holds(slot.present)
            )
        )


def any_state(subject: Subject, entries: int, name: str = "any") -> AnyState:
    """Return any state of up to so many entries; which slot an entry is in makes no difference."""
    parts: dict[str, PartTerms] = {}
    known: list[BoolTerm] = []
    for variable, part in subject.parts.items():
        own = f"{name}.{variable}"
        if isinstance(part, Shape):
            store = _any_slots(part, own, entries)
            known += _in_order(store)
            parts[variable] = store
        elif isinstance(part, Kind):
            columns = tuple(smt.integer(f"{own}!{n}") for n in range(part.columns))
            known.append(part.coded(columns))
            parts[variable] = columns
        else:
            parts[variable] = any_map(own)
    return AnyState(parts, smt.conj(*known))


def _any_slots(shape: Shape, name: str, entries: int) -> Slots:
    return Slots(
        shape,
        [
            Slot(
                smt.truth(f"{name}!{slot}"),
                tuple(smt.integer(f"{name}!{slot}!key!{n}") for n in range(shape.key.columns)),
                tuple(smt.integer(f"{name}!{slot}!row!{n}") for n in range(shape.row.columns)),
            )
            for slot in range(entries)
        ],
    )


def _in_order(store: Slots) -> list[BoolTerm]:
    """Say that the slots are filled from the first one on, in order of their keys, none twice."""
    known = [
        smt.implies(
            slot.present,
            smt.conj(store.shape.key.coded(slot.key), store.shape.row.coded(slot.row)),
        )
        for slot in store.slots
    ]
    for one, other in zip(store.slots, store.slots[1:], strict=False):
        ordered = smt.conj(not_after(one.key, other.key), smt.neg(same_row(one.key, other.key)))
        known.append(smt.implies(other.present, smt.conj(one.present, ordered)))
    return known


@dataclass(frozen=True)
class _Way:
    taken: BoolTerm
    ending: Ending
    arguments: Arguments


class OneStep:
    """One granted action from any state of up to so many entries that keeps the invariants."""

    def __init__(
        self, subject: Subject, entries: int, clock: Clock, assumed: Sequence[Rule] = ()
    ) -> None:
        self.subject = subject
        self._assumed = assumed
        self.before = any_state(subject, entries)
        self.solver = ExactSolver(clock)
        self.solver.add(self.before.is_one)
        for rule in (*subject.rules, *assumed):
            self.solver.add(holds_in(subject, rule, self.before.parts))
        self._ways: list[_Way] = []
        for action in subject.actions:
            arguments = Arguments(action, "do")
            for ending in steps(subject, self.before.parts, arguments):
                if ending.after is not None:
                    taken = smt.truth(f"taken!{len(self._ways)}")
                    self._ways.append(_Way(taken, ending, arguments))
                    self.solver.add(smt.implies(taken, smt.conj(arguments.allowed(), ending.when)))
        self.solver.add(smt.disj(*(way.taken for way in self._ways)))
        found = [
            (way.taken, way.ending.after) for way in self._ways if way.ending.after is not None
        ]
        # Where nothing can be granted there is no state after, and no solution.
        self.after = merged_parts(subject, found) if found else self.before.parts

    def by(self, action: str) -> BoolTerm:
        """Whether the step is one of this action."""
        return smt.disj(*(way.taken for way in self._ways if way.ending.operation.name == action))

    def loses(self, rules: Sequence[Rule]) -> BoolTerm:
        """Whether one of these does not hold after the step."""
        return smt.disj(*(smt.neg(holds_in(self.subject, rule, self.after)) for rule in rules))

    def trace(self, rules: Sequence[Rule], wanted: BoolTerm) -> Trace | None:
        """Return the step that was just found, with small numbers, if it happens when executed."""

        def is_real(valuation: Valuation) -> bool:
            return self._loses(self._executed(valuation), rules)

        first = self.solver.valuation
        for valuation in (readable(self.solver, [wanted], self._numbers, is_real), first):
            trace = self._executed(valuation)
            if self._loses(trace, rules):
                return trace
        return None

    def happens(self, rules: Sequence[Rule]) -> Callable[[Valuation], bool]:
        """Return what sees, by executing it, whether a step loses one of these invariants."""
        return lambda valuation: self._loses(self._executed(valuation), rules)

    def _executed(self, valuation: Valuation) -> Trace:
        way = self._chosen(valuation)
        kinds = way.ending.operation.parameters
        arguments = {
            name: kinds[name].read([valuation.integer(term) for term in terms])
            for name, terms in way.arguments.terms.items()
        }
        start = plain_state(self.subject, self.before.parts, valuation)
        return execute(self.subject, [Call(way.ending.operation.name, arguments)], start)

    def _loses(self, trace: Trace, rules: Sequence[Rule]) -> bool:
        """Whether the step is granted, from a state with every invariant, and loses one."""
        return (
            trace.start is not None
            and trace.steps[0].refusal is None
            and not broken_in(self.subject, trace.start)
            and all(rule.predicate(trace.start) for rule in self._assumed)
            and not all(rule.predicate(trace.last) for rule in rules)
        )

    def _numbers(self, valuation: Valuation) -> Numbers:
        way = self._chosen(valuation)
        return [
            (self.before.absent(valuation), self.before.numbers(self.subject, valuation)),
            (way.taken, way.arguments.numbers()),
        ]

    def _chosen(self, valuation: Valuation) -> _Way:
        return next(way for way in self._ways if valuation.holds(way.taken))


def bounded_induction(
    subject: Subject,
    entries: int,
    clock: Clock,
    *,
    rules: Sequence[Rule] = (),
    tell: Callable[[int, Answer], None] = lambda _entries, _answer: None,
) -> Bounded:
    """Look for a counterexample to induction among states of up to so many entries.

    The one that is returned has as few entries as any has, and small numbers.
    """
    began = time.perf_counter()
    done = -1
    rules = rules or subject.rules
    for fewer in range(entries + 1):
        step = OneStep(subject, fewer, clock)
        wanted = step.loses(rules)
        answer = step.solver.check(wanted, is_real=step.happens(rules))
        tell(fewer, answer)
        if answer == "sat":
            trace = step.trace(rules, wanted)
            if trace is not None:
                return Bounded(done, "sat", trace, time.perf_counter() - began)
            # It did not happen when it was executed: so nobody is shown it.
            answer = "unknown"
        if answer != "unsat":
            return Bounded(done, answer, None, time.perf_counter() - began)
        done = fewer
    return Bounded(done, "unsat", None, time.perf_counter() - began)
