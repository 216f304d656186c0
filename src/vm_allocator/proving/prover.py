"""From a theorem to obligations, and from their answers to a verdict.

Each way in which a claim could fail is a path; its obligation is that the path is
impossible: what is known on it must contradict itself (`unsat`). z3 decides. The second
solver gets, as SMT-LIB 2 text, those of the facts that z3 needed for the contradiction: if
a part of what is known is contradictory, all of it is.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic

from vm_allocator.modelling import Refused
from vm_allocator.symbolic import Explorer, PathLimitError, Raised, Signal, UnsupportedError, smt
from vm_allocator.symbolic.explorer import DEFAULT_PATH_LIMIT

from .counterexample import from_samples, from_solver
from .lemmas import lemma_instances
from .second_opinion import SolverName, ask, named
from .symbolic_case import SymbolicCase
from .theorem import M
from .verdict import Opinion, Proof, Verdict

if TYPE_CHECKING:
    from vm_allocator.symbolic.smt import Answer, BoolTerm

    from .concrete_case import SmallStates, Values
    from .theorem import Theorem

Z3_LIMIT: Final = 20_000_000
"""z3's own count of work per obligation, beyond which the answer is `unknown`."""

LOGIC: Final = "QF_UFLIA"
SECOND_SOLVER: Final[SolverName] = "cvc5"


@dataclass(frozen=True)
class Effort:
    """How a theorem is tried."""

    second_opinion: bool = True
    """Ask the second solver, too."""
    keep_smt_lib: bool = False
    """Return the obligations as text."""
    seed: int = 0
    """Of the sampled search for a counterexample."""
    path_limit: int = DEFAULT_PATH_LIMIT
    """Paths beyond which the answer is `unknown`."""


class _NotProvedError(Signal):
    """The first obligation that fails ends the attempt."""

    def __init__(self, answer: Answer, question: list[BoolTerm]) -> None:
        super().__init__(answer)
        self.answer = answer
        self.question = question


class Pruner:
    """Finds out cheaply that a path is impossible, from its condition alone.

    Paths of one theorem have much in common: what contradicts itself on one of them does so
    on others. So each contradiction is kept, as the few facts that make it, and found again
    without a solver.
    """

    LIMIT: Final = 50_000

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self._run: object = None
        self._told = 0
        self._known: set[int] = set()
        self._solver = smt.Solver([], limit=self.LIMIT)
        self._cores: dict[int, list[tuple[set[int], list[BoolTerm]]]] = {}

    def contradiction(self, formula: BoolTerm) -> tuple[list[BoolTerm], bool]:
        """Return facts of the current path that the formula contradicts, itself included.

        None, if it is not seen to contradict any. The second value is whether this very
        contradiction was returned before.
        """
        if self._run is not self.explorer.run:
            self._run, self._told = self.explorer.run, 0
            self._known = set()
            self._solver = smt.Solver([], limit=self.LIMIT)
        new = self.explorer.condition[self._told :]
        self._told = len(self.explorer.condition)
        self._solver.add(*new)
        self._known.update(fact.get_id() for fact in new)
        asked = formula.get_id()
        if asked in self._known:
            # Known as it stands. (A path that contradicts itself is only looked at in vain.)
            return [], False
        for others, core in self._cores.get(asked, ()):
            if others <= self._known:
                return core, True
        opposite = smt.negated(formula)
        if opposite.get_id() in self._known:
            question = [opposite, formula]
        elif self._solver.check(formula) == "unsat":
            question = [*self.explorer.condition, formula]
        else:
            return [], False
        _, core = smt.unsat_core(question, limit=self.LIMIT)
        # The core keeps its terms alive, so that no other term ever gets their ids.
        core = core or question
        ids = {fact.get_id() for fact in core}
        self._cores.setdefault(asked, []).append((ids - {asked}, [*core, formula]))
        return core, False


@dataclass
class _Attempt(Generic[M]):
    """One theorem on one model, and what became of its obligations so far."""

    theorem: Theorem
    model: type[M]
    effort: Effort
    paths: int = 0
    obligations: int = 0
    claims: int = 0
    opinions: list[Answer] = field(default_factory=list)
    smt_lib: list[str] = field(default_factory=list)
    failed: _NotProvedError | None = None
    """The first claim that may fail: code under proof may catch what tells of it, and go on."""
    case: SymbolicCase[M] = field(init=False)
    pruner: Pruner = field(init=False)

    def run(self) -> None:
        """Take every path. Raises `_NotProvedError` at the first claim that may fail."""
        explorer = Explorer(impossible=self._is_impossible, path_limit=self.effort.path_limit)
        self.pruner = Pruner(explorer)
        for outcome in explorer.paths(self._run_once):
            if isinstance(outcome, Raised) and not isinstance(outcome.error, Refused):
                raise outcome.error

    def _run_once(self) -> None:
        self.paths += 1
        self.case = SymbolicCase(self.model, self._discharge)
        try:
            self.theorem.state(self.case)
        except BaseException as error:
            _raise_hidden(error)
            raise
        finally:
            if self.failed is not None:
                raise self.failed
        self.claims += self.case.claims

    def _discharge(self) -> None:
        """Show that the path just taken, on which a claim fails, is impossible."""
        known, mentions = self.case.world.facts()
        question = [*known, *lemma_instances(mentions)]
        answer, core = smt.unsat_core(question, limit=Z3_LIMIT)
        if answer != "unsat":
            self.obligations += 1
            self.failed = _NotProvedError(answer, question)
            raise self.failed
        self._record(core)

    def _is_impossible(self, formula: BoolTerm) -> bool:
        """Whether the path cannot go on like this. Each reason for it is an obligation, too."""
        core, known = self.pruner.contradiction(formula)
        if core and not known:
            self._record(core)
        return bool(core)

    def _record(self, question: list[BoolTerm]) -> None:
        """Count an obligation that z3 has proved, keep it, and put it to the second solver."""
        self.obligations += 1
        if not (self.effort.keep_smt_lib or self.effort.second_opinion):
            return
        text = smt.smt_lib(question, LOGIC)
        if self.effort.keep_smt_lib:
            self.smt_lib.append(text)
        if self.effort.second_opinion:
            self.opinions.append(ask(SECOND_SOLVER, text))

    def opinion(self) -> Opinion:
        """Sum up the second solver's answers."""
        if not self.effort.second_opinion:
            return Opinion.NOT_ASKED
        if "sat" in self.opinions:
            return Opinion.CONTRADICTED
        if self.opinions and all(answer == "unsat" for answer in self.opinions):
            return Opinion.CONFIRMED
        return Opinion.NOT_CONFIRMED


def _raise_hidden(error: BaseException) -> None:
    """Raise what cannot be followed, if a handler of the code under proof has hidden it.

    It goes on to the next step of a repair, say, and there its path is cut.
    """
    hidden = error.__context__
    while hidden is not None:
        if isinstance(hidden, UnsupportedError) and not isinstance(error, UnsupportedError):
            raise hidden
        hidden = hidden.__context__


def prove(
    theorem: Theorem,
    model: type[M],
    states: SmallStates[M],
    effort: Effort = Effort(),
) -> Proof:
    """Try to prove the theorem of the model; never raises for a theorem that is false.

    `states` supplies small reachable states in case that a counterexample is looked for. A
    theorem without a single obligation claims nothing and is `unknown`.
    """
    began = time.perf_counter()
    attempt: _Attempt[M] = _Attempt(theorem, model, effort)
    verdict, reason, counterexample = Verdict.PROVED, "", None
    try:
        attempt.run()
        if not attempt.claims:
            verdict, reason = Verdict.UNKNOWN, "the theorem makes no claim on any path"
    except _NotProvedError as failed:
        counterexample = _explain(attempt, failed, states)
        verdict = Verdict.REFUTED if counterexample else Verdict.UNKNOWN
        reason = (
            f"a claim fails (obligation {attempt.obligations})"
            if counterexample
            else f"z3 answers {failed.answer} to obligation {attempt.obligations}, "
            "and no counterexample was found"
        )
    except PathLimitError as limit:
        verdict, reason = Verdict.UNKNOWN, str(limit)
    except UnsupportedError as unsupported:
        # The symbolic reading stops here; the native one may still show what is wrong.
        counterexample = from_samples(theorem, model, states, effort.seed)
        verdict = Verdict.REFUTED if counterexample else Verdict.UNKNOWN
        reason = f"{unsupported} ({_line_of(unsupported)})"
    return Proof(
        name=theorem.name,
        claim=theorem.claim,
        verdict=verdict,
        opinion=attempt.opinion() if verdict is Verdict.PROVED else Opinion.NOT_ASKED,
        second_solver=named(SECOND_SOLVER),
        paths=attempt.paths,
        obligations=attempt.obligations,
        seconds=time.perf_counter() - began,
        reason=reason,
        counterexample=counterexample,
        smt_lib=attempt.smt_lib,
    )


def _explain(
    attempt: _Attempt[M], failed: _NotProvedError, states: SmallStates[M]
) -> Values | None:
    """Return values on which the theorem breaks when it is run."""
    found = from_solver(attempt.theorem, attempt.case, failed.question)
    if found is not None:
        return found
    return from_samples(attempt.theorem, attempt.model, states, attempt.effort.seed)


def _line_of(error: UnsupportedError) -> str:
    """Return the line, outside of the proof engine, that asked for what it cannot follow."""
    engine = ("symbolic", "proving")
    frames = traceback.extract_tb(error.__traceback__)
    outside = [frame for frame in frames if Path(frame.filename).parent.name not in engine]
    found = (outside or list(frames))[-1]
    return f"{Path(found.filename).name}:{found.lineno}: {found.line}"
