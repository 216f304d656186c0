"""Induction for any number of entries: every action keeps every invariant, from any state.

Each way in which an invariant could be lost is a path; its obligation is that what the path
knows contradicts itself. z3 decides, and the second solver gets those facts that z3 needed,
as SMT-LIB 2 text. With a length of k, the invariants are known of k states in a row, and are
to hold of the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from vm_allocator.modelling import Refused
from vm_allocator.modelling.language import demand_truth
from vm_allocator.proving.lemmas import lemma_instances
from vm_allocator.proving.prover import LOGIC, SECOND_SOLVER, Pruner
from vm_allocator.proving.second_opinion import ask
from vm_allocator.symbolic import Explorer, PathCut, PathLimitError, Raised, UnsupportedError, smt

from .exact import ExactSolver
from .kinds import Kind
from .relations import Relation, World, any_relation, listed
from .states import any_map, model_of, parts_of
from .steps import Arguments, trouble_of
from .store import decide
from .subject import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.symbolic.smt import Answer, BoolTerm

    from .exact import Clock
    from .states import Parts, PartTerms
    from .subject import Operation, Rule, Subject

T = TypeVar("T")

Z3_LIMIT: Final = 20_000_000
PATHS: Final = 20_000


@dataclass(frozen=True)
class Lost:
    """An invariant that was not seen to be kept, by which action, and why."""

    rule: str
    action: str
    answer: str


@dataclass
class Induction:
    """What came of an induction for any number of entries."""

    length: int
    lost: list[Lost] = field(default_factory=list)
    obligations: int = 0
    opinions: list[Answer] = field(default_factory=list)
    smt_lib: list[str] = field(default_factory=list)
    reason: str = ""
    """Why it cannot be had, if it cannot."""

    @property
    def is_proved(self) -> bool:
        """Whether every action keeps every invariant, for any number of entries."""
        return not self.lost and not self.reason and self.obligations > 0

    @property
    def is_confirmed(self) -> bool:
        """Whether the second solver agrees with every part of the proof."""
        return bool(self.opinions) and all(answer == "unsat" for answer in self.opinions)


def induction(
    subject: Subject,
    clock: Clock,
    *,
    length: int = 1,
    second_opinion: bool = True,
    rules: Sequence[Rule] = (),
    assumed: Sequence[Rule] = (),
) -> Induction:
    """Try to prove that the invariants are kept, for any number of entries.

    `rules`: those to prove, all of them by default; `assumed`: what is known of the states
    before, beside the invariants. Raises `ModelTrouble` for what a model does wrong.
    """
    attempt = _Attempt(subject, clock, length, second_opinion, rules or subject.rules, assumed)
    return attempt.run()


@dataclass
class _Attempt:
    subject: Subject
    clock: Clock
    length: int
    second_opinion: bool
    rules: Sequence[Rule]
    assumed: Sequence[Rule]
    found: Induction = field(init=False)
    pruner: Pruner = field(init=False)
    world: World = field(init=False)

    def run(self) -> Induction:
        self.found = Induction(self.length)
        for action in self.subject.actions:
            try:
                with smt.remembering():
                    self._each_path(action)
            except UnsupportedError as unsupported:
                self.found.reason = f"{action.name}: {unsupported}"
            except PathLimitError as limit:
                self.found.reason = f"{action.name}: {limit}"
            if self.clock.is_over:
                self.found.reason = "no time is left"
            if self.found.reason:
                break
        return self.found

    def _each_path(self, last: Operation) -> None:
        explorer = Explorer(impossible=self._is_impossible, path_limit=PATHS)
        self.pruner = Pruner(explorer)
        for outcome in explorer.paths(lambda: self._path(last)):
            if isinstance(outcome, Raised) and not isinstance(outcome.error, Refused):
                raise trouble_of(self.subject, last.place, outcome.error)
            if self.clock.is_over:
                return

    def _path(self, last: Operation) -> None:
        self.world = World()
        parts = self._any_state()
        for number in range(self.length - 1):
            self._assume(parts)
            action = self._one_of(self.subject.actions)
            parts = self._after(parts, action, number)
        self._assume(parts)
        after = self._after(parts, last, self.length - 1)
        rule = self._one_of(self.rules)
        if not self._holds(rule, after):
            self._discharge(rule, last)

    def _any_state(self) -> Parts:
        explorer = Explorer.active()
        parts: dict[str, PartTerms] = {}
        for name, part in self.subject.parts.items():
            if isinstance(part, Shape):
                parts[name] = any_relation(self.world, part, name)
            elif isinstance(part, Kind):
                columns = tuple(smt.integer(f"{name}!{n}") for n in range(part.columns))
                explorer.assume(part.coded(columns))
                parts[name] = columns
            else:
                parts[name] = any_map(name)
        return parts

    def _assume(self, parts: Parts) -> None:
        for rule in (*self.subject.rules, *self.assumed):
            if not self._holds(rule, parts):
                raise PathCut

    def _after(self, parts: Parts, action: Operation, number: int) -> Parts:
        arguments = Arguments(action, f"do!{number}")
        Explorer.active().assume(arguments.allowed())
        made = action.method(model_of(self.subject, parts), **arguments.made())
        return parts_of(self.subject, made, partial(listed, self.world), action)

    def _holds(self, rule: Rule, parts: Parts) -> bool:
        if rule.variable is None:
            value = rule.predicate(model_of(self.subject, parts))
            demand_truth(value, f"the invariant {rule.name!r}")
            return bool(value)
        part, terms = self.subject.parts[rule.variable], parts[rule.variable]
        if isinstance(part, Shape) and isinstance(terms, Relation):
            return terms.every(
                (),
                lambda found: decide(
                    smt.conj(part.key.allowed(found[0][0]), part.row.allowed(found[0][1]))
                ),
            )
        if isinstance(part, Kind) and isinstance(terms, tuple):
            return decide(part.allowed(terms))
        return True

    def _one_of(self, options: Sequence[T]) -> T:
        for option in options[:-1]:
            if Explorer.active().choose():
                return option
        return options[-1]

    def _discharge(self, rule: Rule, action: Operation) -> None:
        """Show that the path just taken, on which an invariant is lost, is impossible."""
        known = [*self.world.facts(), *Explorer.active().condition]
        question = [*known, *lemma_instances(known)]
        answer, core = smt.unsat_core(question, limit=Z3_LIMIT)
        if answer == "sat":
            solver = ExactSolver(self.clock)
            solver.add(*question)
            answer = solver.check()
            if answer == "unsat":
                answer, core = smt.unsat_core([*question, *solver.facts], limit=Z3_LIMIT)
        if answer == "unsat":
            self._record(core)
        else:
            self.found.obligations += 1
            lost = Lost(rule.name, action.name, answer)
            if lost not in self.found.lost:
                self.found.lost.append(lost)

    def _is_impossible(self, formula: BoolTerm) -> bool:
        core, known = self.pruner.contradiction(formula)
        if core and not known:
            self._record(core)
        return bool(core)

    def _record(self, question: Sequence[BoolTerm]) -> None:
        self.found.obligations += 1
        text = smt.smt_lib(question, LOGIC)
        self.found.smt_lib.append(text)
        if self.second_opinion:
            self.found.opinions.append(ask(SECOND_SOLVER, text))
