"""What rows sum up to: unknown never counts, and what is wrong is told from what is not known."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from vm_allocator.proving.verdict import Opinion, Verdict
from vm_allocator.verify import Row, Section, Summary, Task

PROVERS = (Section.LEMMA, Section.THEOREM, Section.REFINEMENT, Section.BOUNDED)
WRONG = (Section.MUTATION, Section.SOURCE, Section.FALSE)


def row(
    section: Section = Section.THEOREM,
    verdict: Verdict = Verdict.PROVED,
    opinion: Opinion = Opinion.CONFIRMED,
    name: str = "a_name",
) -> Row:
    return Row(section, name, "a claim", verdict, opinion, "cvc5 1", 0.5, "2 paths", (), "")


def code(*rows: Row) -> int:
    return Summary(rows, 1.0, 0).exit_code


def expected(section: Section, verdict: Verdict, opinion: Opinion) -> int:
    """Return the exit code that a single such row must give."""
    if section in WRONG:
        return {Verdict.REFUTED: 0, Verdict.PROVED: 1, Verdict.UNKNOWN: 2}[verdict]
    if verdict is Verdict.REFUTED or opinion is Opinion.CONTRADICTED:
        return 1
    if verdict is Verdict.UNKNOWN:
        return 2
    return 0 if opinion is Opinion.CONFIRMED or section not in PROVERS else 2


@pytest.mark.parametrize("section", Section, ids=lambda section: section.name)
def test_a_row_alone_gives_the_exit_code_of_its_answer(section: Section) -> None:
    opinions = Opinion if section in PROVERS else (Opinion.NOT_ASKED,)
    for verdict, opinion in product(Verdict, opinions):
        one = row(section, verdict, opinion)
        assert code(one) == expected(section, verdict, opinion), (verdict, opinion)
        assert one.holds == (code(one) == 0)
        if verdict is Verdict.UNKNOWN:
            assert not one.holds


def test_rows_together_give_the_worst_answer_and_a_finding_is_worse_than_a_doubt() -> None:
    kinds = {
        0: row(),
        1: row(verdict=Verdict.REFUTED, opinion=Opinion.NOT_ASKED),
        2: row(verdict=Verdict.UNKNOWN, opinion=Opinion.NOT_ASKED),
    }
    for picked in product(kinds, repeat=3):
        worst = 1 if 1 in picked else max(picked)
        assert code(*(kinds[kind] for kind in picked)) == worst
        assert Summary([kinds[kind] for kind in picked], 1.0, 0).holds == (worst == 0)


def test_no_rows_hold_nothing() -> None:
    nothing = Summary([], 0.0, 0)
    assert (nothing.holds, nothing.exit_code, nothing.counts()) == (False, 2, {})


def test_rows_that_hold_do_not_hold_for_those_that_were_not_looked_at() -> None:
    cut_short = Summary([row()], 0.0, 0, (Task(Section.THEOREM, "another"),))
    assert (cut_short.holds, cut_short.exit_code) == (False, 2)


def test_rows_are_counted_by_section() -> None:
    rows = [
        row(),
        row(verdict=Verdict.UNKNOWN),
        row(Section.MUTATION, Verdict.REFUTED),
        row(Section.WITNESS, opinion=Opinion.NOT_ASKED),
    ]
    assert Summary(rows, 0.0, 0).counts() == {
        Section.THEOREM: (1, 2),
        Section.MUTATION: (1, 1),
        Section.WITNESS: (1, 1),
    }


def test_only_what_is_proved_is_called_a_proof() -> None:
    called = {section: row(section).answer for section in Section}
    assert [called[section] for section in PROVERS] == ["proved"] * 4
    assert (called[Section.WITNESS], called[Section.MACHINE]) == ("reached", "agreed")
    assert called[Section.DOUBT] == "left open"
    bounded = replace(row(Section.BOUNDED), gaps=3)
    assert (bounded.answer, bounded.holds) == ("holds to k=3", True)
    assert replace(bounded, verdict=Verdict.REFUTED).answer == "refuted"
    assert row(Section.MACHINE, Verdict.REFUTED).answer == "refuted"
    assert row(Section.WITNESS, Verdict.UNKNOWN).answer == "unknown"
    assert row(Section.MUTATION, Verdict.REFUTED).answer == "refuted"


def test_the_name_of_a_theorem_reads_as_a_sentence_and_other_names_are_left_alone() -> None:
    assert row(name="it_holds_at_2_64").title == "it holds at 2 64"
    assert row(Section.WITNESS, name="allocate_first").title == "allocate_first"
