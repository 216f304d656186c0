"""The proofs about claims: what they rest on, and that they bite."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

import spec.claims
from spec.claim_mutations import BENT, all_claim_mutations
from spec.claims import Claims, in_order, number_of
from spec.model import Request
from spec.mutations import all_mutations
from spec.proofs import theorems_about_claims
from spec.proofs.queues import small_claims, walking
from spec.proofs.refinement_claims import claims_refinement
from vm_allocator.modelling import FiniteRanges, Model, Range, RangeSet, invariant
from vm_allocator.proving.concrete_case import SampledCase, sample
from vm_allocator.proving.mutation import mutated_model, mutated_source, refute
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.theorem import Case, Theorem, theorem
from vm_allocator.proving.verdict import Opinion, Verdict

if TYPE_CHECKING:
    from vm_allocator.proving.mutation import Mutation

THEOREMS: Final[dict[str, Theorem]] = {stated.name: stated for stated in theorems_about_claims()}


def test_every_mutation_names_a_theorem_that_exists() -> None:
    assert {mutation.refuted_by for mutation in all_claim_mutations()} <= set(THEOREMS)


def test_no_two_mutations_share_a_name_or_a_change() -> None:
    mutations = all_claim_mutations()
    names = [mutation.name for mutation in (*mutations, *all_mutations())]
    assert len(set(names)) == len(names)
    sources = {mutated_source(spec.claims, mutation) for mutation in mutations}
    assert len(sources) == len(mutations)


# `verify` puts all of them through the theorems.
@pytest.mark.parametrize("mutation", BENT[2:5], ids=lambda mutation: mutation.name)
def test_a_bent_model_loses_the_very_theorem_that_it_names(mutation: Mutation) -> None:
    mutant = mutated_model(spec.claims, Claims, mutation)
    stated = THEOREMS[mutation.refuted_by]
    result = refute(mutation, mutant, [stated], small_claims, Effort())
    assert result.refuted is not None
    assert result.refuted.counterexample is not None
    alone = sample(stated, Claims, small_claims, cases=300, seed=0)
    assert alone.broken is None


@pytest.mark.parametrize("name", ["settling_makes_no_claims", "a_claim_asks_for_what_was_asked"])
def test_a_theorem_is_proved_and_confirmed(name: str) -> None:
    proof = prove(THEOREMS[name], Claims, small_claims)
    assert (proof.verdict, proof.opinion) == (Verdict.PROVED, Opinion.CONFIRMED)


@pytest.mark.parametrize("stated", claims_refinement(), ids=lambda stated: stated.name)
def test_the_shipped_source_does_as_the_model_on_sampled_cases(stated: Theorem) -> None:
    sampled = sample(stated, Claims, small_claims, cases=200, seed=1)
    assert sampled.broken is None
    assert sampled.relevant > 20


@theorem
def waiting_is_for_ever(case: Case[Claims]) -> None:
    """What waits waits still after settling: which is false."""
    before = case.state()
    watched = case.range("watched", like=case.members(before.waiting))
    case.assume(watched in before.waiting)
    with walking(case, lambda _claims, state, _act: state):
        case.claim(watched in before.settle().after.waiting)
    request = Request(1, 1, Range(before.base, before.last))
    case.claim(watched in before.claim(watched.end, request, before.base).after.waiting)


def test_a_false_theorem_is_refuted() -> None:
    proof = prove(waiting_is_for_ever, Claims, small_claims)
    assert Verdict.REFUTED is proof.verdict
    assert proof.counterexample is not None


@dataclass(frozen=True)
class Either(Model):
    """A state whose invariant is more than what a quantifier says."""

    number: int
    live: RangeSet

    @invariant
    def either(self) -> bool:
        """Every range starts at 0, or the number is 1."""
        return self.live.all(lambda r: r.start == 0) or self.number == 1


@theorem
def ranges_start_at_0(case: Case[Either]) -> None:
    """What would hold if the first half of the invariant were all of it."""
    state = case.state()
    r = case.range("r", like=case.members(state.live))
    case.assume(r in state.live)
    case.claim(r.start == 0)


def test_of_an_invariant_that_is_a_choice_both_halves_are_looked_at() -> None:
    def states(model: type[Either], random: Random) -> Either:
        del random
        return model(1, FiniteRanges([Range(3, 3)]))

    assert Verdict.REFUTED is prove(ranges_start_at_0, Either, states).verdict


def test_claims_are_visited_once_and_in_order() -> None:
    claims = FiniteRanges(Range(number, 9 - number) for number in (4, 1, 7, 2))
    seen: list[int] = []

    def act(state: Claims, claim: Range) -> Claims:
        seen.append(number_of(claim))
        return state

    nothing = Claims.initial(15, 0, 15)
    assert in_order(claims, nothing, act) is nothing
    assert seen == [1, 2, 4, 7]
    assert in_order(FiniteRanges(), nothing, act) is nothing


def test_sampled_states_are_reachable_and_of_every_kind() -> None:
    random = Random(0)  # noqa: S311  # reproducible
    states = [SampledCase(Claims, small_claims, random).state() for _ in range(200)]
    assert any(len(list(state.waiting)) > 1 for state in states)  # type: ignore[call-overload]  # finite
    assert any(list(state.granted) for state in states)  # type: ignore[call-overload]  # finite
    for state in states:
        assert all(predicate(state) for predicate in Claims.invariants().values())
