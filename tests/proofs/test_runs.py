"""The rule by which runs of any length are read: it proves what is true, and nothing else."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import spec.contract
import spec.model
from spec.model import Allocator, Request
from spec.proofs.cases import FIRST, LAST, AllocatorCase, any_request, small_state
from spec.proofs.many import allocate_many, any_count
from spec.proofs.runs import SomeStarts, any_runs
from vm_allocator.modelling import FiniteRanges, Range, repeat
from vm_allocator.proving.concrete_case import SampledCase
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.theorem import theorem
from vm_allocator.proving.verdict import Verdict
from vm_allocator.symbolic import UnsupportedError

from .support import shown_false

if TYPE_CHECKING:
    from vm_allocator.proving.theorem import Theorem
    from vm_allocator.proving.verdict import Proof


def tried(stated: Theorem) -> Proof:
    return prove(stated, Allocator, small_state, Effort(second_opinion=False))


@theorem
def the_base_stays_free(case: AllocatorCase) -> None:
    """False after one time, and the premise of the induction says so."""
    before, count = case.state(), any_count(case)
    base = Range(before.base, before.base)
    case.assume(before.is_free(base))
    with any_runs(case, lambda state, _: state.is_free(base)):
        step = allocate_many(before, FIRST, count, any_request(case, before))
    case.claim(step.after.is_free(base))


@theorem
def nothing_is_known_of_the_end_but_what_is_kept(case: AllocatorCase) -> None:
    """True, and out of reach without saying what is kept."""
    before, count = case.state(), any_count(case)
    other = case.range("other", like=case.members(before.live))
    case.assume(other in before.live)
    with any_runs(case):
        step = allocate_many(before, FIRST, count, any_request(case, before))
    case.claim(other in step.after.live)


@theorem
def from_below_and_from_above_are_the_same(case: AllocatorCase) -> None:
    """False: their actions differ in some state."""
    before, count = case.state(), any_count(case)
    request = any_request(case, before)
    with any_runs(case) as runs:
        one = allocate_many(before, FIRST, count, request)
        other = runs.repeat(count, before, lambda state: state.allocate_last(request))
    case.claim(one.starts == other.starts)


@theorem
def one_fewer_is_the_same(case: AllocatorCase) -> None:
    """False: the second run is of another length."""
    before, count = case.state(), any_count(case)
    request = any_request(case, before)
    with any_runs(case) as runs:
        one = allocate_many(before, LAST, count, request)
        other = runs.repeat(count - 1, before, lambda state: state.allocate_last(request))
    case.claim(one.starts == other.starts)


@pytest.mark.parametrize(
    "stated",
    [the_base_stays_free, from_below_and_from_above_are_the_same, one_fewer_is_the_same],
    ids=lambda stated: stated.name,
)
def test_what_is_false_of_a_run_is_refuted(stated: Theorem) -> None:
    proof = tried(stated)
    assert proof.verdict is Verdict.REFUTED, proof.reason
    assert shown_false(stated, proof)


def test_what_is_not_kept_is_not_known() -> None:
    assert tried(nothing_is_known_of_the_end_but_what_is_kept).verdict is Verdict.UNKNOWN


def test_starts_that_nobody_has_listed_are_not_made_up() -> None:
    state = Allocator.initial(7, 0, 7)
    starts: Any = SomeStarts(3, state)
    for look in (list, len, lambda some: some[0]):
        with pytest.raises(UnsupportedError):
            look(starts)
    assert starts != SomeStarts(3, state)


def test_on_plain_ints_the_loop_itself_runs_and_all_is_as_before_afterwards() -> None:

    case = SampledCase(Allocator, small_state, Random(0))  # noqa: S311  # seeded
    before = Allocator.initial(15, 0, 15)
    with any_runs(case) as runs:
        step = before.allocate_many_first(3, Request(2, 4, Range(0, 15)))
        assert runs.run is not None
        assert runs.run.times == 3
    assert step.starts == [0, 4, 8]
    assert isinstance(step.after.live, FiniteRanges)
    assert list(step.after.live) == [Range(0, 1), Range(4, 5), Range(8, 9)]
    for module in (spec.model, spec.contract):
        assert vars(module)["repeat"] is repeat
