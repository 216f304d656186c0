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
from .steps import Arguments, site_of, trouble_of
from .store import decide
from .subject import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from vm_allocator.symbolic import Returned
    from vm_allocator.symbolic.smt import Answer, BoolTerm

    from .endings import Ending
    from .exact import Clock
    from .states import Parts, PartTerms
    from .subject import Operation, Rule, Subject

T = TypeVar("T")

Z3_LIMIT: Final = 20_000_000
PATHS: Final = 20_000


@dataclass(frozen=True)
class Lost:
    """An invariant that was not seen to be kept, and by which action."""

    rule: str
    action: str


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
    def is_empty(self) -> bool:
        """Whether there was nothing to prove: the invariants hold of whatever there is."""
        return not self.lost and not self.reason and not self.obligations

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
    proof = _Proof(subject, clock, second_opinion=second_opinion, assumed=assumed)
    return proof.run(length, rules or subject.rules)


def impossible(
    subject: Subject, unseen: Collection[Ending], clock: Clock, *, second_opinion: bool = True
) -> set[Ending]:
    """Return those endings of actions that no state has in which every invariant holds.

    The second solver has to agree. What cannot be followed is not returned.
    """
    proof = _Proof(subject, clock, second_opinion=second_opinion)
    found: set[Ending] = set()
    for action in subject.actions:
        of_action = {
            ending
            for ending in unseen
            if (ending if isinstance(ending, str) else ending.operation) == action.name
        }
        possible = proof.possible(action) if of_action else None
        if possible is not None:
            found |= of_action - possible
    return found


class _Proof:
    """The paths of actions from any state, and what became of their obligations."""

    def __init__(
        self,
        subject: Subject,
        clock: Clock,
        *,
        second_opinion: bool,
        assumed: Sequence[Rule] = (),
    ) -> None:
        self._subject = subject
        self._clock = clock
        self._second_opinion = second_opinion
        self._assumed = assumed
        self._found = Induction(1)
        self._world = World()
        self._explorer = Explorer()
        self._pruner = Pruner(self._explorer)

    def run(self, length: int, rules: Sequence[Rule]) -> Induction:
        """Try to prove that the rules hold after so many actions in a row."""
        self._found = Induction(length)
        for action in self._subject.actions:
            self._found.reason = self._each_path(
                action, partial(self._path, action, length, rules), lambda _ended: None
            )
            if self._found.reason:
                break
        return self._found

    def possible(self, action: Operation) -> set[Ending] | None:
        """Return the endings of an action that are not seen to be impossible; `None`: unknown."""
        self._found = Induction(1)
        found: set[Ending] = set()

        def ended(outcome: Returned[None] | Raised) -> None:
            ending: Ending = action.name
            if isinstance(outcome, Raised):
                ending = site_of(self._subject, action, outcome.error)
            if ending not in found and not self._discharge():
                found.add(ending)

        reason = self._each_path(action, partial(self._once, action), ended)
        if reason or (self._second_opinion and not self._found.is_confirmed):
            return None
        return found

    def _each_path(
        self,
        action: Operation,
        code: Callable[[], None],
        ended: Callable[[Returned[None] | Raised], None],
    ) -> str:
        """Take every path; return why this cannot be done, if it cannot."""
        self._explorer = Explorer(impossible=self._is_impossible, path_limit=PATHS)
        self._pruner = Pruner(self._explorer)
        try:
            with smt.remembering():
                for outcome in self._explorer.paths(code):
                    if isinstance(outcome, Raised) and not isinstance(outcome.error, Refused):
                        raise trouble_of(self._subject, action.place, outcome.error)
                    ended(outcome)
                    if self._clock.is_over:
                        return "no time is left"
        except (UnsupportedError, PathLimitError) as signal:
            return f"{self._subject.lines.of_error(signal, action.place)}: {signal}"
        return ""

    def _once(self, action: Operation) -> None:
        self._world = World()
        parts = self._any_state()
        self._assume(parts)
        self._after(parts, action, 0)

    def _path(self, last: Operation, length: int, rules: Sequence[Rule]) -> None:
        self._world = World()
        parts = self._any_state()
        for number in range(length - 1):
            self._assume(parts)
            parts = self._after(parts, _one_of(self._subject.actions), number)
        self._assume(parts)
        after = self._after(parts, last, length - 1)
        rule = _one_of(rules)
        if not self._holds(rule, after) and not self._discharge():
            lost = Lost(rule.name, last.name)
            if lost not in self._found.lost:
                self._found.lost.append(lost)

    def _any_state(self) -> Parts:
        explorer = Explorer.active()
        parts: dict[str, PartTerms] = {}
        for name, part in self._subject.parts.items():
            if isinstance(part, Shape):
                parts[name] = any_relation(self._world, part, name)
            elif isinstance(part, Kind):
                columns = tuple(smt.integer(f"{name}!{n}") for n in range(part.columns))
                explorer.assume(part.coded(columns))
                parts[name] = columns
            else:
                parts[name] = any_map(name)
        return parts

    def _assume(self, parts: Parts) -> None:
        for rule in (*self._subject.rules, *self._assumed):
            if not self._holds(rule, parts):
                raise PathCut

    def _after(self, parts: Parts, action: Operation, number: int) -> Parts:
        arguments = Arguments(action, f"do!{number}")
        Explorer.active().assume(arguments.allowed())
        made = action.method(model_of(self._subject, parts), **arguments.made())
        return parts_of(self._subject, made, partial(listed, self._world), action)

    def _holds(self, rule: Rule, parts: Parts) -> bool:
        if rule.variable is None:
            value = rule.predicate(model_of(self._subject, parts))
            demand_truth(value, f"the invariant {rule.name!r}")
            return bool(value)
        part, terms = self._subject.parts[rule.variable], parts[rule.variable]
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

    def _discharge(self) -> bool:
        """Whether the path just taken is seen to be impossible."""
        known = [*self._world.facts(), *self._explorer.condition]
        question = [*known, *lemma_instances(known)]
        timeout = max(1, int(self._clock.left * 1000))
        answer, core = smt.unsat_core(question, limit=Z3_LIMIT, timeout_ms=timeout)
        if answer == "sat":
            solver = ExactSolver(self._clock)
            solver.add(*question)
            answer = solver.check()
            if answer == "unsat":
                question += solver.facts
                answer, core = smt.unsat_core(question, limit=Z3_LIMIT, timeout_ms=timeout)
        if answer == "unsat":
            self._record(core)
            return True
        self._found.obligations += 1
        return False

    def _is_impossible(self, formula: BoolTerm) -> bool:
        core, known = self._pruner.contradiction(formula)
        if core and not known:
            self._record(core)
        return bool(core)

    def _record(self, question: Sequence[BoolTerm]) -> None:
        self._found.obligations += 1
        text = smt.smt_lib(question, LOGIC)
        self._found.smt_lib.append(text)
        if self._second_opinion:
            self._found.opinions.append(ask(SECOND_SOLVER, text))


def _one_of(options: Sequence[T]) -> T:
    for option in options[:-1]:
        if Explorer.active().choose():
            return option
    return options[-1]
