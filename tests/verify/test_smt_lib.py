"""The obligations, as files that any solver reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from vm_allocator.proving import second_opinion
from vm_allocator.verify import Options, Section, Task, verify

if TYPE_CHECKING:
    from pathlib import Path

    from vm_allocator.proving.second_opinion import SolverName

WRITTEN: Final[dict[SolverName, tuple[Task, str]]] = {
    "cvc5": (Task(Section.THEOREM, "a_freed_range_can_be_allocated_again"), "QF_UFLIA"),
    "bitwuzla": (Task(Section.LEMMA, "aligning_up_gives_the_least_multiple"), "QF_BV"),
}


@pytest.mark.parametrize("solver", WRITTEN)
def test_every_obligation_is_a_file_that_the_second_solver_answers(
    solver: SolverName, tmp_path: Path
) -> None:
    task, logic = WRITTEN[solver]
    place = tmp_path / "deep" / "down"
    result = verify(Options(jobs=1, smt_lib=str(place)), [task])
    assert result.holds
    written = sorted(place.iterdir())
    numbers = re.search(r"(\d+) obligations", result.rows[0].measure)
    assert len(written) == (int(numbers[1]) if numbers else 1)
    assert [path.name for path in written] == [
        f"{task.name}.{number:03d}.smt2" for number in range(1, len(written) + 1)
    ]
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"(set-logic {logic})")
        assert text.count("(check-sat)") == 1
        assert second_opinion.ask(solver, text) == "unsat"


def test_a_question_that_is_not_the_one_asked_gets_another_answer(tmp_path: Path) -> None:
    """So `unsat` above is an answer to what stands in the file."""
    for solver, (task, _) in WRITTEN.items():
        verify(Options(jobs=1, smt_lib=str(tmp_path)), [task])
        text = (tmp_path / f"{task.name}.001.smt2").read_text(encoding="utf-8")
        declared = re.sub(r"(?ms)^\(assert.*?^(?=\((assert|check-sat))", "", text)
        assert second_opinion.ask(solver, declared) == "sat"


def test_nothing_is_written_unless_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    verify(Options(jobs=1), [WRITTEN["bitwuzla"][0]])
    assert list(tmp_path.iterdir()) == []
