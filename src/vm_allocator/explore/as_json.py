"""What an exploration found, as plain data for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vm_allocator.proving.prover import SECOND_SOLVER
from vm_allocator.proving.second_opinion import named

from .itf import itf
from .words import ending_said

if TYPE_CHECKING:
    from .exploring import Exploration
    from .mutants import Mutants
    from .search import Search
    from .trace import Trace
    from .witness import Predicate

SCHEMA = 1


def as_json(found: Exploration) -> dict[str, Any]:
    """Return an exploration; `proof` is null unless it holds for any number of entries."""
    proof, bounded = found.proof, found.bounded
    endings = found.endings
    return {
        "schema": SCHEMA,
        "model": found.subject.name,
        "file": str(found.subject.lines.file),
        "without": list(found.subject.left_out),
        "verdict": found.verdict.value,
        "exit_code": found.exit_code,
        "reason": found.reason,
        "invariants": [
            {"name": rule.name, "place": rule.place, "words": rule.words}
            for rule in found.subject.rules
        ],
        "proof": None
        if proof is None
        else {
            "scope": "any number of entries",
            "states_in_a_row": proof.length,
            "obligations": proof.obligations,
            "confirmed_by": named(SECOND_SOLVER),
        },
        "bounded": None
        if bounded is None
        else {
            "proved_up_to": bounded.entries,
            "counterexample_to_induction": _trace(bounded.trace),
        },
        "not_kept": sorted(
            {(lost.rule, lost.action) for one in found.inductions[:1] for lost in one.lost}
        ),
        "trace": _trace(found.search.trace),
        "broken": []
        if found.search.trace is None
        else [rule.name for rule in found.search.trace.broken()],
        "searched": _searched(found.search),
        "suggestion": None
        if found.suggestion is None
        else {
            "add": [rule.name for rule in found.suggestion.rules],
            "then_proved": found.suggestion.is_proved,
        },
        "unseen": []
        if endings is None
        else [
            {"what": ending_said(ending), "proved": ending in found.dead}
            for ending in endings.unseen
        ],
        "seconds": round(found.seconds, 3),
    }


def witness_json(predicate: Predicate, search: Search) -> dict[str, Any]:
    """Return a search for a state."""
    return {
        "schema": SCHEMA,
        "predicate": predicate.text,
        "trace": _trace(search.trace),
        "searched": _searched(search),
    }


def mutants_json(mutants: Mutants) -> dict[str, Any]:
    """Return which guards are needed."""
    return {
        "schema": SCHEMA,
        "exit_code": mutants.exit_code,
        "guards": [
            {
                "guard": one.guard,
                "place": one.place,
                "verdict": one.verdict.value,
                "reason": one.reason,
                "trace": _trace(one.trace),
            }
            for one in mutants.results
        ],
    }


def _trace(trace: Trace | None) -> dict[str, Any] | None:
    return None if trace is None else itf(trace)


def _searched(search: Search) -> dict[str, Any]:
    return {
        "exhausted": search.exhausted,
        "depths": [
            {"depth": one.depth, "answer": one.answer, "seconds": round(one.seconds, 3)}
            for one in search.depths
        ],
        "reason": search.reason,
    }
