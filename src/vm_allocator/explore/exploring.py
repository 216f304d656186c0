"""Is a model sound? A proof, or a trace that breaks it, or what is missing for either."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vm_allocator.proving.verdict import Verdict

from .bounded import Bounded, bounded_induction
from .endings import Ending, Endings
from .exact import Clock
from .induction import Induction, impossible, induction
from .search import Depth, Hunt, Search, breaks_a_rule, shows
from .strengthening import Suggestion, suggest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .subject import Subject
    from .witness import Predicate

QUICK: Final = 3
"""So many actions are searched before a proof is tried: most mistakes show there at once."""

LONGEST: Final = 3
"""Inductions of more states in a row are not tried."""

SHARE: Final = 0.15
"""So much of the time that is left is for one of the quick depths, or for a longer induction."""


@dataclass(frozen=True)
class Options:
    """How a model is explored."""

    depth: int = 8
    """Traces of up to so many actions are looked for."""
    max_time: float = 60.0
    """Seconds, after which what is not known is `unknown`."""
    seed: int = 0
    """Of the solver, and of what is sampled."""
    entries: int = 3
    """Entries of each set and table that bounded induction goes up to."""
    accept_bounded: bool = False
    """Whether a proof up to so many entries is what was asked for."""
    guards: bool = False
    """Also see which guards ever refuse."""
    suggest: bool = True
    """Look for invariants that are missing."""


@dataclass
class Exploration:
    """What is known of a model."""

    subject: Subject
    options: Options
    verdict: Verdict = Verdict.UNKNOWN
    reason: str = ""
    """Why the verdict is `unknown`, or that a proof goes up to a number of entries only."""
    search: Search = field(default_factory=lambda: Search(()))
    """The search for a trace from how the model begins to a state that breaks an invariant."""
    inductions: list[Induction] = field(default_factory=list)
    """For any number of entries; a second one is over more states in a row."""
    bounded: Bounded | None = None
    """Up to a number of entries, with a counterexample to induction if there is one."""
    endings: Endings | None = None
    dead: set[Ending] = field(default_factory=set)
    """What is proved never to happen."""
    suggestion: Suggestion | None = None
    """Invariants with which the proof would succeed."""
    seconds: float = 0.0

    @property
    def proof(self) -> Induction | None:
        """The induction that proves the invariants for any number of entries."""
        return next((one for one in self.inductions if one.is_proved and one.is_confirmed), None)

    @property
    def idle(self) -> list[str]:
        """The actions that were not seen to happen."""
        return [] if self.endings is None else self.endings.idle_actions

    @property
    def exit_code(self) -> int:
        """0 holds, 1 refuted or an action that cannot happen, 2 could not tell."""
        if self.verdict is Verdict.REFUTED or any(action in self.dead for action in self.idle):
            return 1
        is_enough = self.proof is not None or self.options.accept_bounded
        return 0 if self.verdict is Verdict.PROVED and is_enough and not self.idle else 2


def explore(
    subject: Subject,
    options: Options = Options(),
    tell: Callable[[str], None] = lambda _said: None,
) -> Exploration:
    """Explore a model. Raises `ModelTrouble` where it makes no sense.

    `tell` is told what is being done.
    """
    return _Exploring(subject, options, tell).run()


class _Exploring:
    def __init__(self, subject: Subject, options: Options, tell: Callable[[str], None]) -> None:
        self._subject = subject
        self._options = options
        self._tell = tell
        self._clock = Clock(options.max_time)
        self._hunt = Hunt(subject, breaks_a_rule(subject), self._clock, seed=options.seed)
        self._endings = Endings(subject)
        self._found = Exploration(subject, options, endings=self._endings)

    def run(self) -> Exploration:
        began = time.perf_counter()
        self._search(min(QUICK, self._options.depth), SHARE)
        if not self._is_refuted():
            self._prove()
        self._found.seconds = time.perf_counter() - began
        return self._found

    def _search(self, depth: int, share: float = 1.0) -> None:
        self._found.search = self._hunt.to(depth, self._after_depth, share)

    def _after_depth(self, depth: Depth) -> None:
        words = {"unsat": "no trace breaks an invariant", "sat": "a trace breaks an invariant"}
        said = words.get(depth.answer, "could not tell")
        self._tell(f"depth {depth.depth}: {said} ({depth.seconds:.2f} s)")
        if depth.answer == "unsat":
            self._endings.look(self._hunt.runs)

    def _is_refuted(self) -> bool:
        if self._found.search.trace is None:
            return False
        self._found.verdict = Verdict.REFUTED
        return True

    def _prove(self) -> None:
        is_proved = self._induct(1, self._clock)
        if self._found.inductions[0].is_empty:
            self._found.reason = "the invariants claim nothing: they hold of any state whatever"
            return
        if not is_proved:
            self._tell(f"induction up to {self._options.entries} entries")
            self._found.bounded = bounded_induction(
                self._subject, self._options.entries, self._clock
            )
            self._search(self._options.depth)
            if self._is_refuted():
                return
            self._go_on()
        self._look_for_actions()
        if self._found.verdict is Verdict.UNKNOWN and not self._found.reason:
            self._found.reason = "no time is left"

    def _induct(self, length: int, clock: Clock) -> bool:
        """Whether an induction over so many states in a row proves it for any number."""
        self._tell(f"induction over {length} state(s), for any number of entries")
        proof = induction(self._subject, clock, length=length)
        self._found.inductions.append(proof)
        if not proof.is_proved:
            return False
        if proof.is_confirmed:
            self._found.verdict = Verdict.PROVED
        else:
            self._found.reason = "the second solver does not confirm the proof"
        return True

    def _go_on(self) -> None:
        """There is no proof by plain induction, and no trace: look further."""
        bounded = self._found.bounded
        first = self._found.inductions[0]
        if bounded is not None and bounded.answer == "unsat":
            self._found.verdict = Verdict.PROVED
            self._found.reason = f"proved up to {bounded.entries} entries of each set and table"
            return
        for length in range(2, LONGEST + 1):
            # What is assumed of the first states has to be known of those that a run begins with.
            if self._found.search.exhausted < length - 1 or first.reason or self._clock.is_over:
                break
            if self._induct(length, self._clock.part(SHARE)):
                return
        depth = self._found.search.exhausted
        if bounded is None or bounded.trace is None:
            # It is not known to be inductive, and not known not to be.
            self._found.reason = "no time is left" if self._clock.is_over else "no proof is found"
            return
        self._found.reason = (
            f"not inductive, and no trace of up to {depth} actions breaks an invariant"
        )
        if self._options.suggest and not self._clock.is_over:
            self._tell("looking for invariants that are missing")
            self._found.suggestion = suggest(
                self._subject,
                self._clock,
                seed=self._options.seed,
                against=bounded.trace,
            )

    def _wanted(self) -> list[Ending]:
        """Return what was not seen, and should be."""
        everything = self._endings.unseen
        return everything if self._options.guards else list(self._endings.idle_actions)

    def _look_for_actions(self) -> None:
        """Go on until every action was seen to happen; a proof about others is worth nothing."""
        if self._wanted() and self._found.proof is not None:
            self._tell("proving that what was not seen cannot happen")
            self._found.dead = impossible(self._subject, self._wanted(), self._clock)
        for depth in range(self._hunt.runs.depth + 1, self._options.depth + 1):
            if set(self._wanted()) <= self._found.dead or self._clock.is_over:
                break
            self._search(depth)
            if self._is_refuted():
                return


def witness(
    subject: Subject,
    predicate: Predicate,
    options: Options,
    tell: Callable[[str], None] = lambda _said: None,
) -> Search:
    """Look for the shortest run to a state in which the predicate holds."""
    clock = Clock(options.max_time)
    hunt = Hunt(subject, shows(subject, predicate.holds, predicate.place), clock, seed=options.seed)
    return hunt.to(options.depth, lambda depth: tell(f"depth {depth.depth}: {depth.seconds:.2f} s"))
