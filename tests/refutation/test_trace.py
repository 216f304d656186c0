"""ITF traces: what they hold, and that they can be read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spec.proofs import all_theorems
from spec.proofs.refinement import refinement_theorems
from vm_allocator import ExactMatch, FirstMatch, GuestAddress, LastMatch
from vm_allocator.modelling import Range
from vm_allocator.proving.concrete_case import Values
from vm_allocator.refutation import itf, refutation_of, values_of

from .examples import EXAMPLES, Example
from .support import ADDRESSES, sampled, values

INTEGERS = st.integers(-(2**70), 2**70)
NAMES = st.sampled_from(["start", "base", "other", "request.size", "request.window.start"])
CHOICES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=8),
    st.sampled_from([FirstMatch, LastMatch]),
    st.integers(0, 2**64).map(lambda start: ExactMatch(GuestAddress(start))),
)


def through_json(trace: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(trace))
    return loaded


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of the machine, not us
@given(
    numbers=st.dictionaries(NAMES, INTEGERS),
    states=st.lists(st.sampled_from(["before", "one", "other"]), unique=True, max_size=2),
    members=st.lists(st.builds(Range, INTEGERS, INTEGERS), max_size=4),
    asked=st.dictionaries(INTEGERS, INTEGERS, max_size=4),
    choices=st.dictionaries(st.sampled_from(["policy", "how"]), CHOICES),
)
def test_values_survive_the_trip_through_a_trace(
    numbers: dict[str, int],
    states: list[str],
    members: list[Range],
    asked: dict[int, int],
    choices: dict[str, object],
) -> None:
    parts = {f"{name}.{part}": 7 for name in states for part in ("top", "base", "last")}
    of = Values(
        {**parts, **numbers},
        {f"{name}.live": members for name in states},
        {f"{name}.asked": asked for name in states},
        choices,
    )
    assert values_of(through_json(itf("a_theorem", "Its claim.", of))) == of


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.call}")
def test_every_example_survives_the_trip(example: Example) -> None:
    trace = refutation_of(example.theorem, "Its claim.", example.values).itf
    assert values_of(through_json(trace)) == example.values


@pytest.mark.parametrize("theorem", [*all_theorems(), *refinement_theorems()], ids=lambda t: t.name)
def test_cases_of_every_theorem_have_a_trace_and_a_drawing(theorem: Any) -> None:
    for of in sampled(theorem, 2, seed=0):
        refutation = refutation_of(theorem.name, theorem.claim, of)
        assert values_of(through_json(refutation.itf)) == of
        assert refutation.drawing
        assert (refutation.program is None) == (theorem in all_theorems())


def test_a_trace_holds_the_state_before_the_call_and_the_state_that_must_follow() -> None:
    of = values([(0, 1)], {"old.start": 0, "old.end": 1, "start": 4})
    trace = refutation_of(f"{ADDRESSES}_does_update_as_the_model", "Its claim.", of).itf
    assert trace["#meta"]["format"] == "ITF"
    assert trace["#meta"]["theorem"] == f"{ADDRESSES}_does_update_as_the_model"
    before, after = trace["states"]
    assert all(set(state) == {"#meta", *trace["vars"]} for state in (before, after))
    assert before["live"] == {"#set": [{"start": {"#bigint": "0"}, "end": {"#bigint": "1"}}]}
    assert after["live"] == {"#set": [{"start": {"#bigint": "4"}, "end": {"#bigint": "4"}}]}
    assert after["asked"] == {
        "#map": [[{"#bigint": "0"}, {"#bigint": "1"}], [{"#bigint": "4"}, {"#bigint": "1"}]]
    }
    assert (before["action"], after["action"]) == ("init", "update")
    assert after["outcome"] == "returns None"
    assert before["parameters"] == after["parameters"]
    assert before["parameters"]["start"] == {"#bigint": "4"}
    assert before["parameters"]["align"] == "left out"


def test_a_choice_that_the_format_has_no_word_for_is_shown_and_cannot_be_read_back() -> None:
    trace = itf("a_theorem", "Its claim.", Values(choices={"policy": {1, 2}}))
    assert trace["states"][0]["parameters"]["policy"] == {"#unserializable": "{1, 2}"}
    with pytest.raises(ValueError, match="cannot be read back"):
        values_of(trace)


@pytest.mark.parametrize("trace", [{}, {"#meta": {}, "vars": [], "states": []}, {"#meta": 3}])
def test_what_is_no_trace_is_refused(trace: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no trace of a counterexample"):
        values_of(trace)
