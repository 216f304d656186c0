"""Which invariants are missing: those of the templates that make a proof of the others.

A model may keep its invariants, and still not be inductive: from some state that is never
reached, an action breaks one. What rules such states out is an invariant that nobody has
written down. A candidate is only suggested if it is itself kept by every action, holds at the
beginning, and makes the induction succeed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from vm_allocator.symbolic import UnsupportedError, smt

from .bounded import OneStep
from .induction import induction
from .search import Unrolling
from .steps import holds_in
from .templates import candidates
from .trouble import ModelTrouble
from .walks import walked_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.modelling import Model
    from vm_allocator.symbolic.smt import BoolTerm

    from .exact import Clock
    from .subject import Rule, Subject
    from .trace import Trace

ENTRIES: Final = 2
"""Candidates are sorted out on states of up to so many entries, and proved for any number."""

TOGETHER: Final = 2
"""So many candidates are tried together before all are."""


@dataclass(frozen=True)
class Suggestion:
    """Invariants to add, as expressions over `self`."""

    rules: tuple[Rule, ...]
    is_proved: bool
    """Whether the model is then proved for any number of entries, and that confirmed."""
    entries: int
    """Otherwise: up to so many entries."""


def suggest(
    subject: Subject, clock: Clock, *, seed: int = 0, against: Trace | None = None
) -> Suggestion | None:
    """Return what to add to the invariants, or `None` if the templates do not help.

    `against` is a counterexample to induction: something has to rule its first state out.
    """
    try:
        pool = _Pool(subject, clock, seed)
        pool.sort_out()
        chosen = pool.chosen(None if against is None else against.start)
    except (ModelTrouble, UnsupportedError):
        return None
    if chosen is None:
        return None
    proof = induction(subject, clock, rules=(*subject.rules, *chosen), assumed=chosen)
    return Suggestion(tuple(chosen), proof.is_proved and proof.is_confirmed, ENTRIES)


class _Pool:
    """The candidates that are left, and one action from any state of few entries."""

    def __init__(self, subject: Subject, clock: Clock, seed: int) -> None:
        self._subject = subject
        self._clock = clock
        states = walked_states(subject, seed)
        self.rules = [rule for rule in candidates(subject) if _holds_of_all(rule, states)]
        self._step = OneStep(subject, ENTRIES, clock)
        self._before: dict[str, BoolTerm] = {}
        self._after: dict[str, BoolTerm] = {}
        start = Unrolling(subject, clock, seed=seed)
        for rule in list(self.rules):
            begins = smt.conj(start.moved, smt.neg(holds_in(subject, rule, start.last)))
            if start.solver.check(begins) != "unsat":
                self.rules.remove(rule)
                continue
            self._before[rule.name] = holds_in(subject, rule, self._step.before.parts)
            self._after[rule.name] = holds_in(subject, rule, self._step.after)

    def sort_out(self) -> None:
        """Leave out, again and again, what is not kept while all that is left holds."""
        while self.rules and not self._clock.is_over:
            lost = smt.disj(*(smt.neg(self._after[rule.name]) for rule in self.rules))
            answer = self._step.solver.check(
                *(self._before[rule.name] for rule in self.rules), lost
            )
            if answer == "unsat":
                return
            if answer == "unknown":
                self.rules = []
                return
            valuation = self._step.solver.valuation
            self.rules = [rule for rule in self.rules if valuation.holds(self._after[rule.name])]

    def chosen(self, against: Model | None) -> list[Rule] | None:
        """Return a few of what is left that prove the invariants, as few as are seen."""
        if not self._proves(self.rules):
            return None
        useful = [
            rule for rule in self.rules if against is None or not rule.predicate(against)
        ] or self.rules
        for number in range(1, TOGETHER + 1):
            for first in useful:
                others = [rule for rule in self.rules if rule is not first]
                for more in combinations(others, number - 1):
                    if self._clock.is_over:
                        return self.rules
                    if self._proves([first, *more]):
                        return [first, *more]
        return self._thinned()

    def _thinned(self) -> list[Rule]:
        kept = list(self.rules)
        for rule in self.rules:
            fewer = [other for other in kept if other is not rule]
            if not self._clock.is_over and self._proves(fewer):
                kept = fewer
        return kept

    def _proves(self, rules: Sequence[Rule]) -> bool:
        """Whether these and the invariants are kept by every action, from few entries."""
        lost = [smt.neg(self._after[rule.name]) for rule in rules]
        wanted = smt.disj(self._step.loses(self._subject.rules), *lost)
        before = [self._before[rule.name] for rule in rules]
        return self._step.solver.check(*before, wanted) == "unsat"


def _holds_of_all(rule: Rule, states: Sequence[Model]) -> bool:
    try:
        return all(rule.predicate(state) for state in states)
    except TypeError:
        # A comparison that makes no sense of these values.
        return False
