"""From "this obligation is not proved" to values that break the theorem when it is run.

A solver's model of an obligation may be an artefact: an instance may be missing, and the
leaves are uninterpreted. So the leaves are pinned to what they compute, the numbers are
made small, and the theorem is *executed* on them. Only what breaks it there is shown. If
the solver's candidates do not, sampled cases are tried; if these do not either, the answer
stays `unknown`.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from vm_allocator.modelling import Range
from vm_allocator.symbolic import smt

from .concrete_case import ReplayedCase, SampledCase, Values, breaks
from .lemmas import exact_instances
from .symbolic_case import SymbolicMap, SymbolicRanges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm, Valuation

    from .concrete_case import SmallStates
    from .symbolic_case import SymbolicCase
    from .theorem import M, Theorem

SEARCH_LIMIT: Final = 3_000_000
"""z3's work per question of the search; giving up here costs only readability."""

SEARCH_TIMEOUT_MS: Final = 3_000
"""And its time: the resource count does not see all that big alignments make it do."""

SAMPLES: Final = 20_000
ENOUGH: Final = 12
"""Of so many sampled counterexamples, the most readable one is shown."""

_SMALL: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 31, 64, 255, 4096, 2**16, 2**32, 2**63)


def from_solver(
    theorem: Theorem, case: SymbolicCase[M], question: Sequence[BoolTerm]
) -> Values | None:
    """Return values that break the theorem, out of a model of the failed obligation."""
    solver = smt.Solver(
        [*question, *exact_instances(question)],
        limit=SEARCH_LIMIT,
        timeout_ms=SEARCH_TIMEOUT_MS,
    )
    if solver.check() != "sat":
        return None
    valuation = _minimised(solver, list(case.numbers.values()))
    values = _values(case, valuation)
    return values if breaks(theorem, ReplayedCase(case.model, values)) else None


def from_samples(
    theorem: Theorem, model: type[M], states: SmallStates[M], seed: int
) -> Values | None:
    """Return sampled values that break the theorem, the most readable ones of a few."""
    random = Random(seed)  # noqa: S311  # reproducible sampling, no secret
    found: list[Values] = []
    for _ in range(SAMPLES):
        case = SampledCase(model, states, random)
        if breaks(theorem, case):
            found.append(case.values)
            if len(found) == ENOUGH:
                break
    return min(found, key=Values.weight, default=None)


def _minimised(solver: smt.Solver, numbers: list[IntTerm]) -> Valuation:
    """Make one number after the other as small as the ones before it allow."""
    valuation = solver.valuation
    for number in numbers:
        current = valuation.integer(number)
        for small in _SMALL:
            if small >= current >= 0:
                break
            if solver.check(smt.equal(number, smt.literal(small))) == "sat":
                valuation = solver.valuation
                break
        solver.add(smt.equal(number, smt.literal(valuation.integer(number))))
    return valuation


def _values(case: SymbolicCase[M], valuation: Valuation) -> Values:
    values = Values(
        numbers={name: valuation.integer(term) for name, term in case.numbers.items()},
        choices=dict(case.choices),
    )
    pairs = case.world.in_play()
    for name, state in case.states.items():
        parts = vars(state)
        starts: set[int] = set()
        for part, value in parts.items():
            if isinstance(value, SymbolicRanges):
                members = {
                    Range(valuation.integer(start), valuation.integer(end))
                    for start, end in pairs
                    if valuation.holds(value.member(start, end))
                }
                values.ranges[f"{name}.{part}"] = sorted(members)
                starts |= {member.start for member in members}
        for part, value in parts.items():
            if isinstance(value, SymbolicMap):
                values.maps[f"{name}.{part}"] = {
                    start: valuation.integer(value.value(smt.literal(start)))
                    for start in sorted(starts)
                }
    return values
