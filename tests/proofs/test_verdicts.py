"""What is true is proved, what is false never is, and what is unknown says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spec.model import Allocator
from spec.not_theorems import FALSE, OUT_OF_REACH, every_live_range_has_a_size_below_three
from spec.proofs.cases import AllocatorCase, small_state
from spec.proofs.gaps import no_two_gaps_touch, the_gaps_follow_from_the_live_ranges
from vm_allocator.proving import lemma as lemma_module
from vm_allocator.proving import prover, second_opinion
from vm_allocator.proving.concrete_case import sample
from vm_allocator.proving.lemma import Lemma, lemma, prove_lemma
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.theorem import Theorem, theorem
from vm_allocator.proving.verdict import Opinion, Verdict
from vm_allocator.symbolic import smt
from vm_allocator.verify import Row, Section, Summary, Task, work

from .support import attempted, shown_false
from .true_theorems import PROVABLE

if TYPE_CHECKING:
    from vm_allocator.proving.second_opinion import SolverName
    from vm_allocator.symbolic.smt import Answer


def row_of(stated: Theorem, monkeypatch: pytest.MonkeyPatch) -> Row:
    """Return the row that `verify` would make of this theorem."""
    monkeypatch.setattr(work, "all_theorems", lambda: [stated])
    return work.work(Task(Section.THEOREM, stated.name), work.Settings())


def summed_up(row: Row) -> int:
    return Summary([row], 0.0, 0).exit_code


def lemma_row(stated: Lemma, monkeypatch: pytest.MonkeyPatch) -> Row:
    monkeypatch.setattr(work, "all_lemmas", lambda: [stated])
    return work.work(Task(Section.LEMMA, stated.name), work.Settings())


@theorem
def a_state_is_a_state(case: AllocatorCase) -> None:
    """True of every state: its base is not above its last address."""
    state = case.state()
    case.claim(state.base <= state.last)


@theorem
def nothing_at_all(case: AllocatorCase) -> None:
    """Claims nothing."""
    case.state()


@theorem
def pigs_fly(case: AllocatorCase) -> None:
    """Follows from assumptions that contradict each other."""
    number = case.number("number")
    case.assume(number < 0)
    case.assume(number > 0)
    case.claim(number == 0)


@theorem
def what_only_holds_on_a_condition_that_is_never_met(case: AllocatorCase) -> None:
    """Makes its claim in a branch that no state takes."""
    state = case.state()
    if state.base > state.last:
        case.claim(state.base == 0)


@lemma
def a_bit_vector_is_itself() -> tuple[list[smt.BoolTerm], smt.BoolTerm]:
    """True."""
    value = smt.bits("value", 8)
    return [], smt.equal(value, value + smt.bits_literal(0, 8))


@lemma
def a_bit_vector_is_its_successor() -> tuple[list[smt.BoolTerm], smt.BoolTerm]:
    """False."""
    value = smt.bits("value", 8)
    return [], smt.equal(value, value + smt.bits_literal(1, 8))


# ---- true, false, unprovable


@pytest.mark.parametrize("stated", PROVABLE, ids=lambda stated: stated.name)
def test_what_is_true_is_proved_and_confirmed_and_no_sample_breaks_it(stated: Theorem) -> None:
    proof = attempted(stated)
    assert (proof.verdict, proof.opinion) == (Verdict.PROVED, Opinion.CONFIRMED), proof.reason
    assert proof.holds
    assert proof.second_solver.startswith("cvc5 ")
    assert sample(stated, Allocator, small_state, cases=300, seed=0).broken is None


@pytest.mark.parametrize("stated", FALSE, ids=lambda stated: stated.name)
def test_what_is_false_is_refuted_by_values_that_break_it_when_executed(stated: Theorem) -> None:
    proof = attempted(stated)
    assert not proof.holds
    assert shown_false(stated, proof), proof.reason
    assert proof.reason.startswith("a claim fails")


@pytest.mark.parametrize("stated", OUT_OF_REACH, ids=lambda stated: stated.name)
def test_what_is_true_and_not_provable_is_unknown_and_not_refuted(stated: Theorem) -> None:
    proof = attempted(stated)
    assert (proof.verdict, proof.counterexample) == (Verdict.UNKNOWN, None)
    assert "no counterexample was found" in proof.reason


def test_a_counterexample_is_made_of_small_numbers() -> None:
    proof = attempted(every_live_range_has_a_size_below_three)
    assert proof.counterexample is not None
    assert proof.counterexample.lines() == [
        "before.top = 0x2",
        "before.base = 0x0",
        "before.last = 0x2",
        "before.live = {0x0-0x2}",
        "before.asked = {0x0: 0x1}",
    ]


# ---- vacuity


def test_a_theorem_without_a_claim_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = attempted(nothing_at_all)
    assert (proof.verdict, proof.holds) == (Verdict.UNKNOWN, False)
    assert "no claim" in proof.reason
    assert summed_up(row_of(nothing_at_all, monkeypatch)) == 2


def test_contradictory_assumptions_do_not_pass_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    for vacuous in (pigs_fly, what_only_holds_on_a_condition_that_is_never_met):
        row = row_of(vacuous, monkeypatch)
        assert not row.holds
        assert row.verdict is Verdict.UNKNOWN
        assert row.reason
        assert summed_up(row) == 2


def test_a_theorem_needs_a_docstring() -> None:
    def unexplained(case: AllocatorCase) -> None:
        case.claim(condition=True)

    with pytest.raises(ValueError, match="unexplained has no docstring"):
        theorem(unexplained)


def test_two_numbers_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read symbolically they would be one constant, and anything about the two would hold."""

    @theorem
    def any_two_numbers_are_equal(case: AllocatorCase) -> None:
        """False; by a slip, both numbers have the same name."""
        one, other = case.number("number"), case.number("number")
        case.claim(one == other)

    try:
        row = row_of(any_two_numbers_are_equal, monkeypatch)
    except ValueError:
        return
    assert not row.holds


# ---- what goes wrong


def test_a_crash_in_a_theorem_is_no_verdict() -> None:
    @theorem
    def broken(case: AllocatorCase) -> None:
        """Divides by zero on one of its paths."""
        if case.number("number") == 7:
            case.claim(1 // 0 == 0)

    with pytest.raises(ZeroDivisionError):
        attempted(broken)


def test_what_cannot_be_followed_is_unknown_and_names_the_line() -> None:
    @theorem
    def multiplied(case: AllocatorCase) -> None:
        """Multiplies two symbolic numbers."""
        one, other = case.number("one"), case.number("other")
        case.claim(one * other == other * one)

    proof = attempted(multiplied)
    assert proof.verdict is Verdict.UNKNOWN
    assert "only concrete ints have" in proof.reason
    assert "case.claim(one * other == other * one)" in proof.reason


def test_too_many_paths_are_unknown() -> None:
    @theorem
    def endless(case: AllocatorCase) -> None:
        """Counts up to a number, one path for each."""
        number, count = case.number("number"), 0
        while count != number:
            count += 1
        case.claim(count == number)

    proof = prove(endless, Allocator, small_state, Effort(path_limit=30))
    assert (proof.verdict, proof.holds) == (Verdict.UNKNOWN, False)
    assert "more than 30 paths" in proof.reason


def test_a_refusal_that_is_not_expected_ends_the_path_and_nothing_else() -> None:
    @theorem
    def granted_only(case: AllocatorCase) -> None:
        """Speaks of the frees that are granted."""
        before, r = case.state(), case.range("r")
        after = before.free(r.start, r.end - r.start + 1).after
        case.claim(r not in after.live)

    assert attempted(granted_only).holds


# ---- solvers that do not know, or do not agree


def test_a_solver_that_gives_up_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "Z3_LIMIT", 1)
    row = row_of(no_two_gaps_touch, monkeypatch)
    assert (row.verdict, row.holds, row.refuted) == (Verdict.UNKNOWN, False, False)
    assert "z3 answers unknown" in row.reason
    assert summed_up(row) == 2


def test_a_lemma_on_which_the_solver_gives_up_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smt.Solver, "check", lambda *_: "unknown")
    row = lemma_row(a_bit_vector_is_itself, monkeypatch)
    assert (row.verdict, row.holds) == (Verdict.UNKNOWN, False)
    assert summed_up(row) == 2


@pytest.mark.parametrize(
    ("second", "opinion", "code"),
    [
        ("unsat", Opinion.CONFIRMED, 0),
        ("unknown", Opinion.NOT_CONFIRMED, 2),
        ("sat", Opinion.CONTRADICTED, 1),
    ],
)
def test_a_proof_counts_only_if_the_second_solver_confirms_it(
    second: Answer, opinion: Opinion, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prover, "ask", lambda *_: second)
    monkeypatch.setattr(lemma_module, "ask", lambda *_: second)
    rows = [
        row_of(a_state_is_a_state, monkeypatch),
        row_of(PROVABLE[0], monkeypatch),
        lemma_row(a_bit_vector_is_itself, monkeypatch),
    ]
    for row in rows:
        assert (row.verdict, row.opinion) == (Verdict.PROVED, opinion)
        assert row.holds == (code == 0)
        assert summed_up(row) == code
        assert bool(row.reason) == (code != 0)


def test_one_answer_of_many_that_is_not_a_confirmation_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stated = next(
        stated for stated in PROVABLE if stated.name.startswith("between_aligning_down_and_up")
    )
    for odd, opinion in (("unknown", Opinion.NOT_CONFIRMED), ("sat", Opinion.CONTRADICTED)):
        answers = ["unsat", odd]

        def ask(_solver: SolverName, _text: str, left: list[str] = answers) -> str:
            return left.pop() if left else "unsat"

        monkeypatch.setattr(prover, "ask", ask)
        assert attempted(stated).opinion is opinion


def test_a_proof_without_a_second_opinion_does_not_hold() -> None:
    proof = prove(PROVABLE[0], Allocator, small_state, Effort(second_opinion=False))
    assert (proof.verdict, proof.opinion) == (Verdict.PROVED, Opinion.NOT_ASKED)
    assert not proof.holds


def test_a_false_lemma_is_refuted() -> None:
    proof = prove_lemma(a_bit_vector_is_its_successor, Effort())
    assert (proof.verdict, proof.opinion) == (Verdict.REFUTED, Opinion.NOT_ASKED)


UNSAT = "(set-logic {})(declare-const p Bool)(assert (and p (not p)))(check-sat)"
SAT = "(set-logic {})(declare-const p Bool)(assert p)(check-sat)"


@pytest.mark.parametrize(("solver", "logic"), [("cvc5", "QF_UFLIA"), ("bitwuzla", "QF_BV")])
def test_the_second_solvers_tell_sat_from_unsat(solver: SolverName, logic: str) -> None:
    assert second_opinion.ask(solver, UNSAT.format(logic)) == "unsat"
    assert second_opinion.ask(solver, SAT.format(logic)) == "sat"


def test_cvc5_gives_up_at_its_limit_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempted(the_gaps_follow_from_the_live_ranges).holds
    monkeypatch.setattr(second_opinion, "CVC5_LIMIT", 1)
    proof = attempted(the_gaps_follow_from_the_live_ranges)
    assert (proof.verdict, proof.opinion) == (Verdict.PROVED, Opinion.NOT_CONFIRMED)
