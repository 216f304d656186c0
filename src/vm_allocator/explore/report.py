"""What an exploration found, in lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm_allocator.proving.prover import SECOND_SOLVER
from vm_allocator.proving.second_opinion import named
from vm_allocator.proving.verdict import Verdict

from .words import call_said, ending_said, state_said, steps_said

if TYPE_CHECKING:
    from .exploring import Exploration
    from .mutants import Mutants
    from .search import Search
    from .trace import Trace
    from .witness import Predicate


def lines_of(found: Exploration, *, dead: bool = False) -> list[str]:
    """Return the report of an exploration; with `dead`, also of what never happens."""
    subject = found.subject
    title = f"{subject.name} ({subject.lines.file})"
    if subject.left_out:
        title += f", without {', '.join(subject.left_out)}"
    lines = [title, *_verdict(found), *_actions(found)]
    if dead:
        lines += _dead(found)
    return lines


def _verdict(found: Exploration) -> list[str]:
    trace = found.search.trace
    if trace is not None:
        return _refuted(found, trace)
    if found.verdict is Verdict.PROVED:
        return [*_proved(found), *_searched(found)]
    lines = [f"unknown: {found.reason}"]
    if found.bounded is not None and found.bounded.trace is not None:
        broken = ", ".join(rule.name for rule in found.bounded.trace.broken())
        lines += [
            f"  not inductive: this would break {broken}, from a state that the invariants allow",
            "  and that may never be reached",
            *_indented(steps_said(found.bounded.trace)),
        ]
    lines += [
        f"  cannot be followed for any number of entries: {one.reason}"
        for one in found.inductions
        if one.reason
    ]
    if found.suggestion is not None:
        lines.append("  add what rules such states out, for example:")
        lines += [f"    {rule.name}" for rule in found.suggestion.rules]
        lines.append(
            "  with it, every invariant is proved for any number of entries"
            if found.suggestion.is_proved
            else f"  with it, they are kept up to {found.suggestion.entries} entries at least"
        )
    return [*lines, *_searched(found)]


def _refuted(found: Exploration, trace: Trace) -> list[str]:
    broken = trace.broken()
    lines = [f"{rule.place}: {_how(trace)}: {rule.name}: {rule.words}" for rule in broken[:1]]
    lines += [f"  and with it {rule.name}: {rule.words}" for rule in broken[1:]]
    if trace.depth == 0:
        return [*lines, *_indented(steps_said(trace))]
    shorter = f"no shorter one does (all up to {found.search.exhausted} searched)"
    return [
        *lines,
        f"  the trace of {_count(trace.depth, 'action')}, executed; {shorter}:",
        *_indented(steps_said(trace)),
    ]


def _how(trace: Trace) -> str:
    return "refuted" if trace.depth else "this invariant does not hold initially"


def _proved(found: Exploration) -> list[str]:
    proof = found.proof
    if proof is None:
        return [
            f"proved up to a number only: {found.reason},",
            "  that is, as long as none ever has more",
        ]
    over = "" if proof.length == 1 else f", by induction over {proof.length} states in a row"
    return [
        f"proved for any number of entries: every action keeps every invariant{over}",
        f"  {proof.obligations} obligations by z3, confirmed by {named(SECOND_SOLVER)}",
        *(f"  {rule.name}: {rule.words}" for rule in found.subject.rules),
    ]


def _searched(found: Exploration) -> list[str]:
    depth = found.search.exhausted
    lines = [] if depth < 0 else [f"  no trace of up to {depth} actions breaks one"]
    return lines + ([f"  the search ended: {found.search.reason}"] if found.search.reason else [])


def _actions(found: Exploration) -> list[str]:
    if found.search.trace is not None or found.endings is None:
        return []
    lines = []
    for action in found.idle:
        place = next(one.place for one in found.subject.actions if one.name == action)
        if action in found.dead:
            guard = found.endings.blocking(action)
            where = place if guard is None else guard.place
            what = "" if guard is None else f" the guard {guard.refusal!r} is false in every state:"
            lines.append(f"{where}:{what} {action!r} can never happen")
        else:
            lines.append(
                f"{place}: {action!r} was not seen to happen in up to {found.endings.depth} "
                "actions, and a proof about it is worth nothing: search deeper (--depth)"
            )
    return lines


def _dead(found: Exploration) -> list[str]:
    if found.endings is None:
        return []
    unseen = found.endings.unseen
    if not unseen:
        return ["every action happens, and every guard refuses"]
    return [f"{ending_said(ending)}: {_never(found, ending in found.dead)}" for ending in unseen]


def _never(found: Exploration, is_proved: bool) -> str:  # noqa: FBT001  # one of two sentences
    if is_proved:
        return "never, proved for any number of entries"
    depth = 0 if found.endings is None else found.endings.depth
    return f"not seen in up to {depth} actions"


def witness_lines(predicate: Predicate, search: Search) -> list[str]:
    """Return the report of a search for a state."""
    trace = search.trace
    if trace is not None:
        return [
            f"{predicate.text}: reached in {_count(trace.depth, 'action')}, and in no fewer",
            *_indented(steps_said(trace)),
        ]
    why = f" ({search.reason})" if search.reason else ""
    return [f"{predicate.text}: not reached in up to {search.exhausted} actions{why}"]


def mutant_lines(mutants: Mutants) -> list[str]:
    """Return the report of which guards are needed."""
    lines = []
    for one in mutants.results:
        lines.append(f"{one.place}: {one.guard}: {one.verdict.value}{_because(one.reason)}")
        if one.trace is not None:
            lines += _indented([call_said(step.call) for step in one.trace.steps])
            lines.append(f"    {state_said(one.trace.last)}")
    return lines


def _because(reason: str) -> str:
    return f", {reason}" if reason else ""


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
