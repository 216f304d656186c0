"""The plan, and doing it: here or in other processes, in the same order, with the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from spec.claim_mutations import all_claim_mutations
from spec.mutations import all_mutations
from spec.proofs import all_theorems, theorems_about_claims
from spec.proofs.arithmetic import all_lemmas
from spec.proofs.reachable import ACTS
from vm_allocator.machines import MACHINES
from vm_allocator.proving.verdict import Opinion, Verdict
from vm_allocator.verify import Options, Row, Section, Task, plan, run, verify

if TYPE_CHECKING:
    from collections.abc import Iterable

FEW: Final = [
    Task(Section.MUTATION, "free leaves the range live"),
    Task(Section.THEOREM, "no_two_gaps_touch"),
    Task(Section.WITNESS, "free"),
    Task(Section.LEMMA, "everything_is_aligned_to_one"),
    Task(Section.THEOREM, "a_new_space_is_one_gap"),
]
IN_ORDER: Final = [
    "everything_is_aligned_to_one",
    "no_two_gaps_touch",
    "a_new_space_is_one_gap",
    "free",
    "free leaves the range live",
]


def names(tasks: Iterable[Task], section: Section) -> list[str]:
    return [task.name for task in tasks if task.section is section]


def told(row: Row) -> tuple[object, ...]:
    """Return everything about a row but its time, and the values of its evidence.

    Which of many counterexamples z3 comes up with depends on what its process did before.
    """
    return (
        row.section,
        row.name,
        row.claim,
        row.verdict,
        row.opinion,
        row.second_solver,
        row.measure,
        bool(row.evidence),
        row.reason,
    )


@pytest.fixture(scope="module")
def everything() -> list[Task]:
    return plan(Options())


@pytest.fixture
def planned(everything: list[Task], monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """Let every plan be made out of the same tasks: to make them takes a while."""
    monkeypatch.setattr(run, "tasks", lambda **_: everything)
    return everything


def test_everything_is_planned_when_nothing_is_selected(everything: list[Task]) -> None:
    assert names(everything, Section.LEMMA) == [stated.name for stated in all_lemmas()]
    stated = [*all_theorems(), *theorems_about_claims()]
    assert names(everything, Section.THEOREM) == [each.name for each in stated]
    assert names(everything, Section.WITNESS) == list(ACTS)
    bent = [*all_mutations(), *all_claim_mutations()]
    assert names(everything, Section.MUTATION) == [each.name for each in bent]
    assert names(everything, Section.MACHINE) == list(MACHINES)
    assert {task.section for task in everything} == set(Section)


def test_no_two_tasks_are_the_same(everything: list[Task]) -> None:
    assert len(set(everything)) == len(everything)


def test_tasks_of_one_name_in_two_sections_are_two_tasks() -> None:
    assert Task(Section.WITNESS, "free") != Task(Section.THEOREM, "free")


@pytest.mark.parametrize("section", Section, ids=lambda section: section.name)
def test_a_section_is_selected_by_its_name(section: Section, planned: list[Task]) -> None:
    selected = plan(Options(only=section.name.lower()))
    assert names(selected, section) == names(planned, section)
    assert plan(Options(only=section.name)) == selected


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize(
    "only",
    [
        "no_two_gaps_touch",
        "no two gaps touch",
        "No Two Gaps Touch",
        "two_gaps_tou",
    ],
)
def test_a_theorem_is_selected_by_a_part_of_its_name(only: str) -> None:
    assert plan(Options(only=only)) == [Task(Section.THEOREM, "no_two_gaps_touch")]


@pytest.mark.usefixtures("planned")
def test_a_name_may_be_that_of_rows_of_several_sections() -> None:
    sections = {task.section for task in plan(Options(only="update"))}
    assert {Section.THEOREM, Section.WITNESS, Section.MUTATION} <= sections


@pytest.mark.usefixtures("planned")
def test_what_matches_nothing_selects_nothing() -> None:
    assert plan(Options(only="no such row")) == []
    nothing = verify(Options(only="no such row"))
    assert (list(nothing.rows), nothing.exit_code) == ([], 2)


def test_rows_are_told_as_they_are_done_and_returned_in_order() -> None:
    done: list[Row] = []
    result = verify(Options(jobs=1), FEW, done.append)
    assert [row.name for row in done] == [task.name for task in FEW]
    assert [row.name for row in result.rows] == IN_ORDER
    assert result.holds


def test_one_process_and_two_give_the_same_rows() -> None:
    alone = verify(Options(jobs=1, seed=3), FEW)
    done: list[Row] = []
    spread = verify(Options(jobs=2, seed=3), FEW, done.append)
    assert [told(row) for row in spread.rows] == [told(row) for row in alone.rows]
    assert sorted(row.name for row in done) == sorted(task.name for task in FEW)
    assert (alone.exit_code, spread.exit_code, spread.seed) == (0, 0, 3)


def test_a_machine_runs_for_its_share_of_the_time() -> None:
    result = verify(Options(jobs=1, max_time=0.0), [Task(Section.MACHINE, next(iter(MACHINES)))])
    assert result.holds
    assert "steps" in result.rows[0].measure


# ---- what is wrong ends it


def answers(monkeypatch: pytest.MonkeyPatch, **verdicts: Verdict) -> list[str]:
    """Let rows be made up; return the list to which the name of each one that is made is added."""
    made: list[str] = []

    def work(task: Task, _settings: object) -> Row:
        made.append(task.name)
        opinion = Opinion.CONFIRMED
        return Row(task.section, task.name, "", verdicts[task.name], opinion, "", 0.0, "")

    monkeypatch.setattr(run, "work", work)
    return made


THREE: Final = [Task(Section.THEOREM, name) for name in ("one", "two", "three")]


def test_the_first_refutation_ends_it_and_the_rest_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = answers(monkeypatch, one=Verdict.PROVED, two=Verdict.REFUTED, three=Verdict.PROVED)
    result = verify(Options(jobs=1), THREE)
    assert made == ["one", "two"]
    assert ([row.name for row in result.rows], result.exit_code) == (made, 1)
    assert result.not_looked_at == (THREE[2],)


def test_who_keeps_going_sees_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    made = answers(monkeypatch, one=Verdict.REFUTED, two=Verdict.PROVED, three=Verdict.REFUTED)
    result = verify(Options(jobs=1, keep_going=True), THREE)
    assert made == ["one", "two", "three"]
    assert (len(result.rows), result.exit_code, result.not_looked_at) == (3, 1, ())


def test_what_is_not_known_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = answers(monkeypatch, one=Verdict.UNKNOWN, two=Verdict.PROVED, three=Verdict.PROVED)
    assert verify(Options(jobs=1), THREE).exit_code == 2
    assert made == ["one", "two", "three"]


def test_a_mutant_that_survives_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants = [Task(Section.MUTATION, "one"), Task(Section.MUTATION, "two")]
    answers(monkeypatch, one=Verdict.PROVED, two=Verdict.REFUTED)
    assert verify(Options(jobs=1), mutants).not_looked_at == (mutants[1],)


def test_the_shipped_source_is_looked_at_first(everything: list[Task]) -> None:
    about_source = names(everything, Section.REFINEMENT)
    assert [task.name for task in everything[: len(about_source)]] == about_source
