"""Programs that show a misbehaviour: silent on the real source, telling on a changed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import vm_allocator.placement
import vm_allocator.requests
from spec.proofs.refinement import refinement_theorems
from spec.proofs.subjects import Shipped
from spec.source_mutations import rebuilt
from vm_allocator.proving.theorem import Theorem
from vm_allocator.refutation import (
    NoSuchCaseError,
    Refutation,
    call_of,
    program,
    recording,
    refutation_of,
)

from .examples import CHANGES, EXAMPLES, Change, Example
from .support import (
    ADDRESSES,
    IDS,
    changed_copy,
    changed_module,
    run,
    sampled,
    values,
)

if TYPE_CHECKING:
    from pathlib import Path

    from vm_allocator.proving.concrete_case import Values

THEOREMS = {stated.name: stated for stated in refinement_theorems()}


def refuted(name: str, of: Values) -> Refutation:
    return refutation_of(name, THEOREMS[name].claim, of)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.call}")
def test_the_program_makes_the_call_and_agrees_with_the_real_source(
    example: Example, tmp_path: Path
) -> None:
    refutation = refuted(example.theorem, example.values)
    assert (refutation.call, refutation.expected) == (example.call, example.expected)
    assert refutation.program is not None
    ran = run(refutation.program, tmp_path)
    assert (ran.code, ran.errors) == (0, ""), ran.out
    assert ran.out.endswith("agrees\n")


def test_every_kind_of_theorem_has_an_example_by_hand() -> None:
    def kind(name: str) -> str:
        ending = name.removeprefix(ADDRESSES).removeprefix(IDS)
        return "within 64 bits" if ending.endswith("within_64_bits") else ending

    assert {kind(name) for name in THEOREMS} == {kind(example.theorem) for example in EXAMPLES}


@pytest.mark.parametrize("theorem", THEOREMS.values(), ids=lambda theorem: theorem.name)
def test_programs_of_sampled_cases_agree_with_the_real_source(
    theorem: Theorem, tmp_path: Path
) -> None:
    # All in one process, one after the other: each is run as if by hand.
    programs = [refuted(theorem.name, of).program for of in sampled(theorem, 12, seed=1)]
    ran = run(f"PROGRAMS = {programs!r}\n{ALL_IN_ONE}", tmp_path)
    assert ran.code == 0, ran.out + ran.errors
    assert ran.out.count("\nagrees\n") == len(programs)


ALL_IN_ONE = """
for program in PROGRAMS:
    try:
        exec(compile(program, "refuted.py", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        if end.code:
            print(program, end.code)
            raise
"""


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.before.strip()[:40])
def test_the_program_shows_what_a_changed_source_does_instead(
    change: Change, tmp_path: Path
) -> None:
    # As `verify` does it: what is refuted is the changed source.
    module = changed_module(change.module, change.before, change.after)
    shipped = {
        "ids": lambda: Shipped(ids=module),
        "address": lambda: Shipped(address=module),
        "requests": lambda: rebuilt(vm_allocator.requests, module),
        "placement": lambda: rebuilt(vm_allocator.placement, module),
    }[change.module]()
    claim = THEOREMS[change.theorem].claim
    refutation = refutation_of(change.theorem, claim, change.values, shipped)
    assert refutation.program is not None
    package = changed_copy(tmp_path, change.module, change.before, change.after)
    ran = run(refutation.program, tmp_path, package)
    assert (ran.code, ran.errors) == (1, ""), ran.out
    assert [line for line in ran.out.splitlines() if line[:6] in ("expect", "actual")] == [
        change.expected,
        change.actual,
    ]
    assert ran.out.endswith("differs\n")


def test_a_state_that_cannot_be_built_is_told(tmp_path: Path) -> None:
    name = f"{ADDRESSES}_does_free_as_the_model"
    text = refuted(name, values([(0, 3)], {"old.start": 0, "old.end": 3})).program
    assert text is not None
    refuses_all = "if not self._inside(start, span, self._base, self._last):\n            raise Out"
    package = changed_copy(
        tmp_path, "placement", refuses_all, refuses_all.replace("if not self._inside", "if not min")
    )
    ran = run(text, tmp_path, package)
    assert ran.code == 1
    assert ran.errors.startswith("differs: the state before cannot be built: OutOfBoundsError(")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("self._demand_live(start, span)", "pass"),  # a KeyError of the index
        ("self._demand_live(start, span)", "return"),  # no refusal
        ("self._index.add(start, start + span)", "raise TypeError"),  # no state before
        (
            "self._demand_live(start, span)",
            "self._index = None; return",
        ),  # no state that can be read
    ],
)
def test_a_call_that_ends_wrongly_by_itself_needs_no_guard(before: str, after: str) -> None:
    name = f"{ADDRESSES}_does_free_as_the_model"
    of = values([(0, 3)], {"old.start": 2, "old.end": 3})
    claim = THEOREMS[name].claim
    wrong = Shipped(address=changed_module("address", before, after))
    assert "Guard" not in (refutation_of(name, claim, of, wrong).program or "Guard")
    assert "Guard" in (refutation_of(name, claim, of).program or "")


def test_a_theorem_that_calls_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = Theorem("idle", "Nothing.", __name__, lambda _case: None)
    monkeypatch.setattr(recording, "refinement_theorems", lambda _shipped: [idle])
    with pytest.raises(NoSuchCaseError, match="calls nothing"):
        call_of("idle", values([], {}))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.call}")
def test_a_program_is_short_and_needs_the_library_alone(example: Example) -> None:
    call = call_of(example.theorem, example.values)
    assert call is not None
    plain, guarded = (
        [
            line
            for line in program(example.theorem, "A claim.", call, guarded=guarded).splitlines()
            if line and not line.startswith("#")
        ]
        for guarded in (False, True)
    )
    assert len(plain) <= 30
    assert len(guarded) <= len(plain) + 20
    assert {line.split()[1] for line in guarded if "import" in line} == {"sys", "vm_allocator"}


def test_a_theorem_about_the_model_itself_is_about_no_call() -> None:
    model = values([], {"old.start": 0, "old.end": 0})
    assert call_of("free_succeeds_exactly_when_that_range_is_live", model) is None


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (values([], {}), "needs 'old.start'"),
        (values([], {"old.start": 0, "old.end": 0}, top=7), "does not speak of"),
        (values([], {"old.start": 0, "old.end": 0}, alignment=3), "does not speak of"),
    ],
)
def test_values_that_are_no_case_of_the_theorem_are_refused(of: Values, message: str) -> None:
    with pytest.raises(NoSuchCaseError, match=message):
        call_of(f"{ADDRESSES}_does_free_as_the_model", of)


def test_a_choice_that_the_theorem_does_not_offer_is_refused() -> None:
    of = values([], {}, {"policy": "any"})
    with pytest.raises(NoSuchCaseError, match="not in tuple"):
        call_of(f"{ADDRESSES}_does_allocate_anywhere_as_the_model", of)
