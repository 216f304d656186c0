"""Witnesses: every action can be granted, and every refusal that it has can happen.

What an action may end with is read off all its paths, symbolically. For each such ending,
a reachable state and arguments are then searched for and executed: a proof about an action
that never happens would be worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spec.model import U64_MAX, Allocator
from spec.proofs.cases import any_range, any_request, any_start, small_state
from spec.proofs.many import any_count
from spec.proofs.runs import any_runs
from spec.proofs.update import any_update
from spec.proofs.walks import any_ranges, any_walks
from vm_allocator.modelling import Refused, Step
from vm_allocator.proving.counterexample import from_samples
from vm_allocator.proving.symbolic_case import SymbolicCase
from vm_allocator.proving.theorem import Theorem
from vm_allocator.symbolic import Explorer, Raised

if TYPE_CHECKING:
    from spec.proofs.cases import AllocatorCase
    from vm_allocator.proving.concrete_case import Values

GRANTED: Final = "granted"

Act = Callable[["AllocatorCase"], Step[Allocator]]


def initial(case: AllocatorCase) -> Step[Allocator]:
    """Make any space."""
    base, last = case.number("base"), case.number("last", like=(3, U64_MAX))
    return Step(case.read(case.model.initial(case.number("top", like=(7, U64_MAX)), base, last)))


def allocate_first(case: AllocatorCase) -> Step[Allocator]:
    """Allocate anything by FirstMatch."""
    before = case.state()
    return before.allocate_first(any_request(case, before))


def allocate_last(case: AllocatorCase) -> Step[Allocator]:
    """Allocate anything by LastMatch."""
    before = case.state()
    return before.allocate_last(any_request(case, before))


def allocate_exact(case: AllocatorCase) -> Step[Allocator]:
    """Allocate anything by ExactMatch."""
    before = case.state()
    return before.allocate_exact(any_request(case, before), any_start(case, before))


def allocate_many_first(case: AllocatorCase) -> Step[Allocator]:
    """Allocate any number of anything by FirstMatch."""
    before = case.state()
    with any_runs(case):
        return before.allocate_many_first(any_count(case), any_request(case, before))


def allocate_many_last(case: AllocatorCase) -> Step[Allocator]:
    """Allocate any number of anything by LastMatch."""
    before = case.state()
    with any_runs(case):
        return before.allocate_many_last(any_count(case), any_request(case, before))


def free(case: AllocatorCase) -> Step[Allocator]:
    """Free anything."""
    before = case.state()
    return before.free(*any_range(case, before))


def update(case: AllocatorCase) -> Step[Allocator]:
    """Move anything anywhere."""
    before = case.state()
    return before.update(
        *any_range(case, before), any_request(case, before), any_start(case, before)
    )


def update_many(case: AllocatorCase) -> Step[Allocator]:
    """Free any ranges, and allocate any others."""
    before = case.state()
    old, new = any_ranges(case, before, "old"), any_ranges(case, before, "new")
    request = any_request(case, before)
    with any_walks(case):
        return before.update_many(old, new, request.align, request.window)


def begin_move(case: AllocatorCase) -> Step[Allocator]:
    """Begin to move anything anywhere."""
    before, old, request, new = any_update(case)
    return before.begin_move(old, new, request.align, request.window)


def commit_move(case: AllocatorCase) -> Step[Allocator]:
    """Commit any move, whether it was begun or not."""
    before, old, request, new = any_update(case)
    return before.commit_move(old, new, request.align)


def abort_move(case: AllocatorCase) -> Step[Allocator]:
    """Abort any move, whether it was begun or not."""
    before, old, _, new = any_update(case)
    return before.abort_move(old, new)


ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        initial,
        allocate_first,
        allocate_last,
        allocate_exact,
        allocate_many_first,
        allocate_many_last,
        free,
        update,
        update_many,
        begin_move,
        commit_move,
        abort_move,
    )
}


@dataclass(frozen=True)
class Endings:
    """How an action can end, and a witness for each; `None` where none was found."""

    action: str
    witnesses: dict[str, Values | None]

    @property
    def all_reached(self) -> bool:
        """Whether every ending has a witness, and being granted is one of them."""
        return GRANTED in self.witnesses and None not in self.witnesses.values()


def endings(action: str, seed: int) -> Endings:
    """Find how the action can end, and a witness for each way."""
    act = ACTS[action]
    return Endings(action, {ending: _witness(act, ending, seed) for ending in _possible(act)})


def _possible(act: Act) -> list[str]:
    """Return every ending on any path, in the order in which the paths meet them."""
    found: dict[str, None] = {}
    explorer = Explorer()
    for outcome in explorer.paths(lambda: act(SymbolicCase(Allocator, _claims_are_for_theorems))):
        if not isinstance(outcome, Raised):
            found[GRANTED] = None
        elif isinstance(outcome.error, Refused):
            found[outcome.error.refusal] = None
        else:
            raise outcome.error
    return list(found)


def _witness(act: Act, ending: str, seed: int) -> Values | None:
    """Look for a counterexample to "it never ends so"."""

    def never(case: AllocatorCase) -> None:
        try:
            act(case)
            ended = GRANTED
        except Refused as refused:
            ended = refused.refusal
        case.claim(ended != ending)

    theorem = Theorem(f"never_{ending}", "", __name__, never)
    return from_samples(theorem, Allocator, small_state, seed)


def _claims_are_for_theorems() -> None:
    """What an action claims of its runs is proved elsewhere; here such a path just ends."""
