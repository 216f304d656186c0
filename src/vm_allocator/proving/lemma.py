"""Lemmas about leaf functions: proved of their code, by z3, on bit-vectors."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vm_allocator.symbolic import smt

from .second_opinion import SolverName, ask, named
from .verdict import Opinion, Proof, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.symbolic.smt import BoolTerm

    from .prover import Effort

LOGIC: Final = "QF_BV"
SECOND_SOLVER: Final[SolverName] = "bitwuzla"
LIMIT: Final = 200_000_000


@dataclass(frozen=True)
class Lemma:
    """A sentence about a leaf: what is known, and the formula that follows from it."""

    name: str
    claim: str
    module: str
    state: Callable[[], tuple[list[BoolTerm], BoolTerm]]


def lemma(function: Callable[[], tuple[list[BoolTerm], BoolTerm]]) -> Lemma:
    """Make a lemma of a function. Its name is the sentence, its docstring the claim."""
    if not function.__doc__:
        raise ValueError(f"{function.__name__} has no docstring: say what it claims")
    claim = " ".join(function.__doc__.split())
    return Lemma(function.__name__, claim, function.__module__, function)


def prove_lemma(stated: Lemma, effort: Effort) -> Proof:
    """Try to prove the lemma; its negation is one question for both solvers."""
    began = time.perf_counter()
    known, conclusion = stated.state()
    question = [*known, smt.neg(conclusion)]
    text = smt.smt_lib(question, LOGIC)
    answer = smt.Solver(question, limit=LIMIT).check()
    verdict = {"unsat": Verdict.PROVED, "sat": Verdict.REFUTED}.get(answer, Verdict.UNKNOWN)
    opinion = Opinion.NOT_ASKED
    if effort.second_opinion and verdict is Verdict.PROVED:
        second = ask(SECOND_SOLVER, text)
        opinion = {"unsat": Opinion.CONFIRMED, "sat": Opinion.CONTRADICTED}.get(
            second, Opinion.NOT_CONFIRMED
        )
    return Proof(
        name=stated.name,
        claim=stated.claim,
        verdict=verdict,
        opinion=opinion,
        second_solver=named(SECOND_SOLVER),
        paths=1,
        obligations=1,
        seconds=time.perf_counter() - began,
        reason="" if verdict is Verdict.PROVED else f"z3 answers {answer}",
        smt_lib=[text] if effort.keep_smt_lib else [],
    )
