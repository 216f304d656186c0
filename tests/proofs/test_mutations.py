"""Bent models: each loses the theorem that it names, by a counterexample that is real."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

import pytest

import spec.model
from spec.model import Allocator
from spec.mutations import BENT, GUARDS, all_mutations
from spec.proofs import all_theorems
from spec.proofs.cases import small_state
from vm_allocator.proving.counterexample import from_samples
from vm_allocator.proving.mutation import (
    Mutation,
    MutationError,
    dropped_guards,
    mutated_model,
    mutated_source,
    refute,
)
from vm_allocator.proving.prover import Effort
from vm_allocator.verify import Section, Summary, Task, work

from .support import attempted, broken_by, shown_false

if TYPE_CHECKING:
    from vm_allocator.proving.theorem import Theorem

THEOREMS: Final[dict[str, Theorem]] = {stated.name: stated for stated in all_theorems()}

EQUIVALENT: Final = Mutation(
    "a conjunction the other way round",
    "return outer.start <= inner.start and inner.end <= outer.end",
    "return inner.end <= outer.end and outer.start <= inner.start",
    "allocating_keeps_every_live_range_in_the_space",
)


def bent(name: str) -> Mutation:
    return next(mutation for mutation in all_mutations() if mutation.name == name)


def test_every_mutation_names_a_theorem_that_exists() -> None:
    assert {mutation.refuted_by for mutation in all_mutations()} <= set(THEOREMS)


def test_no_two_mutations_share_a_name_or_a_change() -> None:
    mutations = all_mutations()
    assert len({mutation.name for mutation in mutations}) == len(mutations)
    sources = {mutated_source(spec.model, mutation) for mutation in mutations}
    assert len(sources) == len(mutations)


# Every fourth: `verify`, which CI runs, refutes them all. Here what it shows is looked at.
@pytest.mark.parametrize("mutation", all_mutations()[::4], ids=lambda mutation: mutation.name)
def test_a_bent_model_loses_the_very_theorem_that_it_names(mutation: Mutation) -> None:
    mutant = mutated_model(spec.model, Allocator, mutation)
    stated = THEOREMS[mutation.refuted_by]
    result = refute(mutation, mutant, [stated], small_state, Effort())
    assert result.refuted is not None
    assert shown_false(stated, result.refuted, mutant)
    assert result.refuted.counterexample is not None
    assert not broken_by(stated, result.refuted.counterexample)


def test_a_mutant_is_not_the_model_and_leaves_it_alone() -> None:
    mutant = mutated_model(spec.model, Allocator, BENT[0])
    assert mutant is not Allocator
    assert mutant.__name__ == Allocator.__name__
    assert mutant.__module__ == "spec.model__mutated"
    assert spec.model.Allocator is Allocator


def test_every_guard_of_the_model_is_dropped_once() -> None:
    dropped = dropped_guards(spec.model, Allocator, GUARDS)
    assert len(dropped) == len(GUARDS) == 17
    assert {mutation.new for mutation in dropped} == {"pass"}


def test_a_guard_without_a_theorem_is_an_error() -> None:
    missing = dict(list(GUARDS.items())[1:])
    with pytest.raises(MutationError, match=r"guards and theorems do not match.*INVALID_SPACE"):
        dropped_guards(spec.model, Allocator, missing)


def test_a_name_that_fits_no_guard_is_an_error() -> None:
    stale = {**GUARDS, "free: require(something, ELSE)": "a_granted_range_was_free"}
    with pytest.raises(MutationError, match="ELSE"):
        dropped_guards(spec.model, Allocator, stale)


@pytest.mark.parametrize(
    ("old", "within"),
    [
        ("no such text", ""),
        ("self._check(request)", ""),  # more than once
        ("no such text", "Allocator.free"),
        ("request", "Allocator.allocate_exact"),  # more than once there
    ],
)
def test_a_table_that_has_drifted_from_the_model_is_an_error(old: str, within: str) -> None:
    with pytest.raises(MutationError, match="not once"):
        mutated_source(spec.model, Mutation("stale", old, "pass", "", within))


def test_a_function_that_has_gone_is_an_error() -> None:
    with pytest.raises((MutationError, AttributeError)):
        mutated_source(spec.model, Mutation("stale", "x", "y", "", "Allocator.no_such_method"))


def test_a_change_in_one_function_leaves_the_rest_of_the_text() -> None:
    mutation = bent("LastMatch places at the start of the gap")
    changed = mutated_source(spec.model, mutation)
    expected = inspect.getsource(spec.model).replace(
        "self._grant(request, highest_start(", "self._grant(request, lowest_start("
    )
    assert changed == expected


def test_refuting_goes_on_to_other_theorems_when_the_named_one_holds() -> None:
    mutation = bent("free leaves the range live")
    mutant = mutated_model(spec.model, Allocator, mutation)
    other = THEOREMS["freeing_keeps_live_ranges_apart"]
    right = THEOREMS[mutation.refuted_by]
    result = refute(mutation, mutant, [other, right], small_state, Effort())
    assert (result.tried, result.refuted and result.refuted.name) == (1, right.name)
    survived = refute(mutation, mutant, [other], small_state, Effort())
    assert (survived.tried, survived.refuted) == (1, None)


def test_a_mutant_that_survives_does_not_hold_and_verify_ends_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "all_mutations", lambda: [EQUIVALENT])
    # A few theorems stand for all: what is equivalent survives them just the same.
    few = [THEOREMS[EQUIVALENT.refuted_by], THEOREMS["a_granted_range_was_free"]]
    monkeypatch.setattr(work, "all_theorems", lambda: few)
    row = work.work(Task(Section.MUTATION, EQUIVALENT.name), work.Settings())
    assert not row.holds
    assert row.refuted
    assert row.measure == "survives 2 theorems"
    assert row.reason
    assert Summary([row], 0.0, 0).exit_code == 1


def test_the_row_of_a_mutant_shows_the_counterexample() -> None:
    row = work.work(Task(Section.MUTATION, "free leaves the range live"), work.Settings())
    assert row.holds
    assert row.measure == "loses freeing_removes_exactly_that_range"
    assert any("before.live" in line for line in row.evidence)


def test_the_theorem_that_a_mutant_loses_is_proved_of_the_model() -> None:
    for name in {mutation.refuted_by for mutation in BENT[:3]}:
        assert attempted(THEOREMS[name]).holds


def test_a_sampled_counterexample_is_one_in_a_state_that_the_theorem_speaks_of() -> None:
    # This mutant walks out of its own space, and theorems say nothing of such states.
    name = "FirstMatch aligns downwards, out of the gap"
    mutation = next(mutation for mutation in all_mutations() if mutation.name == name)
    mutant = mutated_model(spec.model, Allocator, mutation)
    stated = THEOREMS[mutation.refuted_by]
    values = from_samples(stated, mutant, small_state, seed=0)
    assert values is not None
    assert broken_by(stated, values, mutant)
