"""Bounded model checking: runs of a model, one action longer each time.

A run is looked for at depth 0, then 1, and so on; a depth is left only once it is certain
that there is none in it. So the first trace that is found is a shortest one. It is made
readable, and executed on plain values, before anybody sees it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vm_allocator.modelling import Refused
from vm_allocator.symbolic import smt

from .exact import ExactSolver
from .readable import Numbers, readable
from .states import merged_parts, model_of
from .steps import Arguments, begins, holds_in, steps, truth_in
from .trace import Call, Trace, execute
from .trouble import ModelTrouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.modelling import Model
    from vm_allocator.symbolic.smt import Answer, BoolTerm, Valuation

    from .exact import Clock
    from .states import Parts
    from .steps import Ending, Site
    from .subject import Subject


LOOK: Final = 0.05
"""To look for one ending of an action takes at most such a share of the time that is left."""


@dataclass(frozen=True)
class Depth:
    """What is known of the runs of one length."""

    depth: int
    answer: Answer
    """`unsat`: there is none of the kind that was looked for."""
    seconds: float


@dataclass(frozen=True)
class Search:
    """What came of looking for a run."""

    depths: tuple[Depth, ...]
    trace: Trace | None = None
    reason: str = ""
    """Why it ended without a trace before the depth that was asked for."""

    @property
    def exhausted(self) -> int:
        """The greatest depth up to which there certainly is no such run; -1 if there is none."""
        found = -1
        for depth in self.depths:
            if depth.answer != "unsat":
                break
            found = depth.depth
        return found


@dataclass(frozen=True)
class Goal:
    """What a run shall end with: as a formula of its last state, and on plain values."""

    formula: Callable[[Unrolling], BoolTerm]
    holds: Callable[[Trace], bool]


@dataclass(frozen=True)
class _Way:
    taken: BoolTerm
    ending: Ending
    arguments: Arguments


class Unrolling:
    """The runs of a model up to some length, as formulas."""

    def __init__(self, subject: Subject, clock: Clock, *, seed: int = 0) -> None:
        self.subject = subject
        self.solver = ExactSolver(clock, seed=seed)
        self.ways: list[list[_Way]] = []
        self.endings: list[list[_Way]] = []
        arguments = Arguments(subject.initial, "begin")
        ways = [(ending, arguments) for ending in begins(subject, arguments)]
        if all(ending.after is None for ending, _ in ways):
            raise ModelTrouble(
                subject.initial.place, "'initial' always refuses: there is no state", exit_code=1
            )
        self.states: list[Parts] = []
        self.moved = smt.TRUE
        """Whether the last action of the run was granted: asked for, and not yet assumed."""
        self._take(ways)

    @property
    def depth(self) -> int:
        """How many actions the runs have."""
        return len(self.states) - 1

    @property
    def last(self) -> Parts:
        """The state that the runs end in."""
        return self.states[-1]

    def happens(self, action: str) -> BoolTerm:
        """Whether the last action of the run is this one."""
        return smt.disj(
            *(way.taken for way in self.ways[-1] if way.ending.operation.name == action)
        )

    def refusals(self) -> dict[Site, list[_Way]]:
        """Return the ways in which the last action would be refused, by guard."""
        found: dict[Site, list[_Way]] = {}
        for way in self.endings[-1]:
            if way.ending.site is not None:
                found.setdefault(way.ending.site, []).append(way)
        return found

    def granted(self, action: str) -> Trace | Answer:
        """Return a run whose last action is this one, executed; or why there is none."""
        return self._ending(self.happens(action), self.calls, refusal=None)

    def refused(self, way: _Way) -> Trace | Answer:
        """Return a run whose last action is refused in this way, executed; or why there is none."""

        def calls(valuation: Valuation) -> list[Call]:
            last = Call(way.ending.operation.name, _arguments(way, valuation))
            return [*self.calls(valuation, self.depth), last]

        site = way.ending.site
        when = smt.conj(way.arguments.allowed(), way.ending.when)
        return self._ending(when, calls, None if site is None else site.refusal)

    def _ending(
        self, when: BoolTerm, calls: Callable[[Valuation], list[Call]], refusal: str | None
    ) -> Trace | Answer:
        def executed(valuation: Valuation) -> Trace | None:
            try:
                trace = execute(self.subject, calls(valuation))
            except Refused:
                return None
            *others, last = trace.steps
            is_run = all(step.refusal is None for step in others)
            return trace if is_run and last.refusal == refusal else None

        answer = self.solver.check(
            when, is_real=lambda valuation: executed(valuation) is not None, share=LOOK
        )
        if answer != "sat":
            return answer
        return executed(self.solver.valuation) or "unknown"

    def extend(self) -> None:
        """Let every run take one more action."""
        self.solver.add(self.moved)
        ways = []
        for action in self.subject.actions:
            arguments = Arguments(action, f"do!{self.depth + 1}")
            ways += [(ending, arguments) for ending in steps(self.subject, self.last, arguments)]
        self._take(ways)

    def _take(self, endings: Sequence[tuple[Ending, Arguments]]) -> None:
        number = len(self.states)
        all_ways, granted = [], []
        for place, (ending, arguments) in enumerate(endings):
            taken = smt.truth(f"taken!{number}!{place}")
            way = _Way(taken, ending, arguments)
            all_ways.append(way)
            if ending.after is not None:
                granted.append(way)
                premise = smt.conj(arguments.allowed(), ending.when)
                self.solver.add(smt.implies(taken, premise))
        self.moved = smt.disj(*(way.taken for way in granted))
        self.ways.append(granted)
        self.endings.append(all_ways)
        found = [(way.taken, way.ending.after) for way in granted if way.ending.after is not None]
        # Where nothing can be granted there is no state after: `moved` is false.
        after = merged_parts(self.subject, found) if found else self.last
        self.states.append(after)

    def calls(self, valuation: Valuation, steps: int | None = None) -> list[Call]:
        """Return the calls of the run that a valuation describes; the first so many of them."""
        return [
            Call(way.ending.operation.name, _arguments(way, valuation))
            for way in self._chosen(valuation, steps)
        ]

    def numbers(self, valuation: Valuation) -> Numbers:
        """Return which way each call goes, and the columns of its arguments."""
        return [(way.taken, way.arguments.numbers()) for way in self._chosen(valuation)]

    def _chosen(self, valuation: Valuation, steps: int | None = None) -> list[_Way]:
        # Of several ways that are true, the state after is that of the first one.
        return [
            next(way for way in ways if valuation.holds(way.taken)) for ways in self.ways[:steps]
        ]


def _arguments(way: _Way, valuation: Valuation) -> dict[str, object]:
    kinds = way.ending.operation.parameters
    return {
        name: kinds[name].read([valuation.integer(term) for term in terms])
        for name, terms in way.arguments.terms.items()
    }


class Hunt:
    """A search that goes on where it stopped: one depth after the other."""

    def __init__(self, subject: Subject, goal: Goal, clock: Clock, *, seed: int = 0) -> None:
        self.runs = Unrolling(subject, clock, seed=seed)
        self._goal = goal
        self._clock = clock
        self._depths: list[Depth] = []
        self._ended: Search | None = None

    def to(
        self, depth: int, tell: Callable[[Depth], None] = lambda _depth: None, share: float = 1.0
    ) -> Search:
        """Look for the shortest run that ends with the goal, up to so many actions.

        One depth may take such a share of the time that is left.

        `tell` is called after each depth; the runs are then those of that depth.
        """
        while self._ended is None:
            if self._depths and self._depths[-1].depth >= depth:
                return Search(tuple(self._depths))
            if self._depths:
                self.runs.extend()
            self._look(tell, share)
        return self._ended

    def _look(self, tell: Callable[[Depth], None], share: float) -> None:
        runs, began = self.runs, time.perf_counter()
        wanted = self._goal.formula(runs)
        answer = runs.solver.check(runs.moved, wanted, is_real=self._is_real, share=share)
        found = Depth(runs.depth, answer, time.perf_counter() - began)
        self._depths.append(found)
        tell(found)
        if answer == "sat":
            self._ended = _executed(runs, self._goal, wanted, self._depths)
        elif answer == "unknown":
            why = "no time is left" if self._clock.is_over else "it takes too long"
            self._ended = Search(tuple(self._depths), None, f"{why} at depth {runs.depth}")
        else:
            # There is no such run: that helps to see that there is no longer one.
            runs.solver.add(smt.implies(runs.moved, smt.neg(wanted)))

    def _is_real(self, valuation: Valuation) -> bool:
        return _happens(self.runs.subject, self.runs.calls(valuation), self._goal) is not None


def _happens(subject: Subject, calls: Sequence[Call], goal: Goal) -> Trace | None:
    """Return the trace of the calls, if every one is granted and the goal is reached."""
    try:
        trace = execute(subject, calls)
    except Refused:
        return None
    is_granted = all(step.refusal is None for step in trace.steps)
    return trace if is_granted and goal.holds(trace) else None


def _executed(runs: Unrolling, goal: Goal, wanted: BoolTerm, depths: Sequence[Depth]) -> Search:
    first = runs.calls(runs.solver.valuation)

    def is_real(valuation: Valuation) -> bool:
        return _happens(runs.subject, runs.calls(valuation), goal) is not None

    small = runs.calls(readable(runs.solver, [runs.moved, wanted], runs.numbers, is_real))
    for calls in (small, first):
        trace = _happens(runs.subject, calls, goal)
        if trace is not None:
            return Search(tuple(depths), trace)
    return Search(tuple(depths), None, f"a trace does not happen when it is executed: {first}")


def breaks_a_rule(subject: Subject) -> Goal:
    """Return the goal of a state in which some invariant does not hold."""
    return Goal(
        lambda runs: smt.disj(
            *(smt.neg(holds_in(subject, rule, runs.last)) for rule in subject.rules)
        ),
        lambda trace: bool(trace.broken()),
    )


def shows(subject: Subject, predicate: Callable[[Model], bool], place: str) -> Goal:
    """Return the goal of a state in which a predicate holds."""
    return Goal(
        lambda runs: truth_in(
            subject, place, lambda: bool(predicate(model_of(subject, runs.last)))
        ),
        lambda trace: bool(predicate(trace.last)),
    )
