"""Leaves mean to the exact solver what their code computes: for any alignment, sensible or not."""

from __future__ import annotations

import pytest

from vm_allocator.explore.exact import Clock, ExactSolver
from vm_allocator.modelling import align_down, align_up, is_aligned, is_power_of_two
from vm_allocator.symbolic import smt
from vm_allocator.symbolic.values import ALIGNED, DOWN, POWER_OF_TWO, UP

ADDRESSES = (-5, 0, 7, 8, 4095, 2**63 + 1)
ALIGNMENTS = (-4, 0, 1, 3, 8, 4096, 2**63)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_leaf_is_what_its_code_computes(address: int) -> None:
    x, a = smt.integer("x"), smt.integer("a")
    for align in ALIGNMENTS:
        solver = ExactSolver(Clock(300))
        solver.add(smt.equal(x, smt.literal(address)), smt.equal(a, smt.literal(align)))
        aligned = ALIGNED(x, a) if is_aligned(address, align) else smt.neg(ALIGNED(x, a))
        power = POWER_OF_TWO(a) if is_power_of_two(align) else smt.neg(POWER_OF_TWO(a))
        up = smt.equal(UP(x, a), smt.literal(align_up(address, align)))
        down = smt.equal(DOWN(x, a), smt.literal(align_down(address, align)))
        for right in (aligned, power, up, down):
            assert solver.check(right) == "sat"
            assert solver.check(smt.neg(right)) == "unsat"


def test_what_is_real_needs_no_more_facts() -> None:
    solver = ExactSolver(Clock(300))
    x = smt.integer("x")
    solver.add(smt.neg(ALIGNED(smt.literal(8), smt.literal(4))), smt.equal(x, smt.literal(1)))
    assert solver.check(is_real=lambda values: values.integer(x) == 1) == "sat"
    assert solver.check() == "unsat"


def test_no_time_is_unknown() -> None:
    assert ExactSolver(Clock(0)).check() == "unknown"
