"""`vm-allocator verify` as people and machines use it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

import vm_allocator.verify
from vm_allocator.commands import app
from vm_allocator.proving import prover
from vm_allocator.proving.verdict import Opinion, Verdict
from vm_allocator.verify import Row, Section, Summary, Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEMMA: Final = "everything_is_aligned_to_one"
THEOREM: Final = "a_new_space_is_one_gap"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["verify", *arguments], env={"COLUMNS": "160"})


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be few rows to select from: to make the list of all of them takes a while."""
    tasks = [Task(Section.LEMMA, LEMMA), Task(Section.THEOREM, THEOREM)]
    monkeypatch.setattr(vm_allocator.verify.run, "tasks", lambda **_: tasks)


def made_up(*rows: Row) -> Callable[..., Summary]:
    """Return a `verify` that makes these rows."""

    def verify(_options: object, _selected: object, on_row: Callable[[Row], None]) -> Summary:
        for row in rows:
            on_row(row)
        return Summary(rows, 1.0, 0)

    return verify


def row(
    verdict: Verdict, opinion: Opinion = Opinion.NOT_ASKED, *evidence: str, reason: str = ""
) -> Row:
    return Row(
        Section.THEOREM,
        "it_is_so",
        "It is always so.",
        verdict,
        opinion,
        "cvc5 1",
        0.5,
        "2 paths",
        evidence,
        reason,
    )


def usage_error(result: Result) -> str:
    """Return what is said about an error of use, which is never a traceback."""
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


# ---- what it prints


def test_help_shows_an_example_and_every_option() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "Example: vm-allocator verify --only update" in result.output
    for option in (
        "--only",
        "--jobs",
        "--seed",
        "--max-time",
        "--json",
        "--junit",
        "--save",
        "--smt-lib",
    ):
        assert option in result.output


def test_the_example_of_the_help_selects_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert vm_allocator.verify.plan(vm_allocator.verify.Options(only="update"))


def test_the_table_is_on_stdout_and_the_progress_on_stderr() -> None:
    result = run("--only", LEMMA, "--jobs", "1")
    assert result.exit_code == 0
    assert "everything is aligned to one" in result.stdout
    assert "bitwuzla confirmed" in result.stdout
    assert "1 of 1 lemmas about alignment" in result.stdout
    assert "holds: every row is as it must be" in result.stdout
    assert "proved" in result.stderr


def test_json_is_all_that_is_on_stdout() -> None:
    result = run("--only", THEOREM, "--jobs", "1", "--json", "--seed", "5")
    data = json.loads(result.stdout)
    assert (data["holds"], data["exit_code"], data["seed"]) == (True, 0, 5)
    assert [each["name"] for each in data["rows"]] == [THEOREM]


@pytest.mark.parametrize(
    ("made", "code", "said"),
    [
        (row(Verdict.PROVED, Opinion.CONFIRMED), 0, "holds: every row is as it must be"),
        (row(Verdict.PROVED, Opinion.CONTRADICTED), 1, "refuted: something is wrong"),
        (row(Verdict.PROVED, Opinion.NOT_CONFIRMED), 2, "could not tell: unknown is not proved"),
        (row(Verdict.REFUTED), 1, "refuted: something is wrong"),
        (row(Verdict.UNKNOWN), 2, "could not tell: unknown is not proved"),
    ],
    ids=lambda value: value.verdict.value if isinstance(value, Row) else str(value)[:7],
)
def test_the_exit_code_and_the_summary_say_the_same(
    made: Row, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vm_allocator.verify, "verify", made_up(made))
    result = run("--only", THEOREM)
    assert result.exit_code == code
    assert said in result.stdout
    assert json.loads(run("--only", THEOREM, "--json").stdout)["exit_code"] == code


def test_a_finding_is_shown_with_its_claim_and_its_evidence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = row(Verdict.REFUTED, Opinion.NOT_ASKED, "live = {0x0-0x1}", "[bold]", reason="it fails")
    monkeypatch.setattr(vm_allocator.verify, "verify", made_up(found))
    out = run("--only", THEOREM).stdout
    for line in ("it_is_so: it fails", "claim: It is always so.", "live = {0x0-0x1}", "[bold]"):
        assert line in out


def test_the_summary_says_how_many_rows_were_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = (Task(Section.MACHINE, "addresses"), Task(Section.LEMMA, LEMMA))
    cut_short = Summary((row(Verdict.REFUTED),), 1.0, 0, left)
    monkeypatch.setattr(vm_allocator.verify, "verify", lambda *_: cut_short)
    assert "2 of 3 rows were not looked at" in run("--only", THEOREM).stdout
    monkeypatch.setattr(vm_allocator.verify, "verify", made_up(row(Verdict.REFUTED)))
    assert "not looked at" not in run("--only", THEOREM).stdout


def test_a_proof_that_the_second_solver_contradicts_ends_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prover, "ask", lambda *_: "sat")
    result = run("--only", THEOREM, "--jobs", "1")
    assert result.exit_code == 1
    assert "cvc5 contradicted" in result.stdout


def test_a_proof_that_the_second_solver_does_not_confirm_ends_with_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prover, "ask", lambda *_: "unknown")
    result = run("--only", THEOREM, "--jobs", "1")
    assert result.exit_code == 2
    assert "cvc5 not confirmed" in result.stdout


# ---- what it writes


def test_junit_is_written_whatever_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "verify.xml"
    for made, code, child in (
        (row(Verdict.PROVED, Opinion.CONFIRMED), 0, None),
        (row(Verdict.REFUTED), 1, "failure"),
        (row(Verdict.UNKNOWN), 2, "error"),
    ):
        monkeypatch.setattr(vm_allocator.verify, "verify", made_up(made))
        assert run("--only", THEOREM, "--junit", str(path)).exit_code == code
        case = next(ET.parse(path).getroot().iter("testcase"))  # noqa: S314  # our own file
        assert [each.tag for each in case] == ([child] if child else [])


@pytest.mark.parametrize("place", [".", "missing/verify.xml"])
def test_a_junit_file_that_cannot_be_written_is_said_in_one_line(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        vm_allocator.verify, "verify", made_up(row(Verdict.PROVED, Opinion.CONFIRMED))
    )
    monkeypatch.chdir(tmp_path)
    said = usage_error(run("--only", THEOREM, "--junit", place))
    assert f"cannot write {place}: " in said
    assert "name a place that can be written" in said


@pytest.mark.parametrize("option", ["--smt-lib", "--save"])
def test_a_directory_that_cannot_be_made_is_said_in_one_line(option: str, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    said = usage_error(run("--only", LEMMA, "--jobs", "1", option, str(taken)))
    assert "cannot write" in said


# ---- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--unheard-of"], "--unheard-of"),
        (["--jobs", "0"], "--jobs"),
        (["--jobs", "many"], "--jobs"),
        (["--seed", "x"], "--seed"),
        (["--max-time", "-1"], "--max-time"),
        (["--only"], "--only"),
        (["too", "much"], "unexpected extra argument"),
    ],
    ids=" ".join,
)
def test_an_error_of_use_is_named_and_ends_with_two(arguments: list[str], named: str) -> None:
    assert named in usage_error(run(*arguments))


def test_a_name_that_nothing_has_is_said_and_ends_with_two() -> None:
    said = usage_error(run("--only", "no such row"))
    assert "nothing was selected" in said
    assert "holds" not in said


MISSING: Final = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {module!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, Refuse())
sys.argv = ["vm-allocator", *{arguments!r}]
from vm_allocator.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("typer", ["--help"]),
        ("rich", ["verify"]),
        ("z3", ["verify", "--only", LEMMA]),
        ("hypothesis", ["verify", "--only", LEMMA]),
        ("junitparser", ["verify", "--only", LEMMA]),
        ("cvc5", ["verify", "--only", THEOREM]),
        ("bitwuzla", ["verify", "--only", LEMMA]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_library_that_is_not_installed_is_said_in_one_line(
    module: str, arguments: list[str]
) -> None:
    in_this_process = ["--jobs", "1"] if "verify" in arguments else []
    program = MISSING.format(module=module, arguments=[*arguments, *in_this_process])
    ran = subprocess.run(  # noqa: S603  # this interpreter, with the program above
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.strip().splitlines()[-1] == (
        f"vm-allocator needs {module}, which is not installed: pip install 'vm-allocator[all]'"
    )
