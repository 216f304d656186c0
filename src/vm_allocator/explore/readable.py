"""Making the numbers of a solution small, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from vm_allocator.symbolic import smt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm, Valuation

    from .exact import ExactSolver

Numbers: TypeAlias = "list[tuple[BoolTerm, list[tuple[IntTerm, int]]]]"
"""Formulas to keep true, each with the numbers that are to be made small from there on.

With each number stands the one from which on it is small.
"""

SMALL: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 31, 32, 64, 255, 4096, 2**16, 2**32, 2**63)


def readable(
    solver: ExactSolver,
    wanted: Sequence[BoolTerm],
    numbers: Callable[[Valuation], Numbers],
    is_real: Callable[[Valuation], bool],
) -> Valuation:
    """Return the solution that was just found with one number after the other made small."""
    valuation = solver.valuation
    fixed = list(wanted)
    for keep, terms in numbers(valuation):
        fixed.append(keep)
        for term, low in terms:
            value = valuation.integer(term)
            for small in SMALL:
                if low <= value <= low + small:
                    break
                smaller = smt.equal(term, smt.literal(low + small))
                if solver.check(*fixed, smaller, is_real=is_real) == "sat":
                    valuation, value = solver.valuation, low + small
                    break
            fixed.append(smt.equal(term, smt.literal(value)))
    return valuation
