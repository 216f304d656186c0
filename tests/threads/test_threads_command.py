"""`vm-allocator check --threads`, called as a user calls it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from vm_allocator.checker.calls import Space
from vm_allocator.checker.concurrent.programs import Program
from vm_allocator.checker.concurrent.saved import SavedError, read_program
from vm_allocator.checker.concurrent.told import FORMAT

FREE = {"op": "free", "start": 0, "size": 1}
WRONG: tuple[dict[str, Any], ...] = (
    {"format": "other"},
    {"program": []},
    {"space": [1, 0]},
    {"program": [[{"name": 1, "call": FREE}, {"name": 1, "call": FREE}]]},
    {"program": [[{"name": 1, "call": {"op": "paint"}}]]},
    {"schedule": {"switches": [[1]]}},
)

COMMAND = (sys.executable, "-m", "vm_allocator.cli")
RACING = "tests.threads.racing:"
SERVED = [*COMMAND, "check", "--serve", "--threads", "4"]


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own command
        [*COMMAND, *words], capture_output=True, text=True, check=False, timeout=240
    )


def check(*words: str) -> subprocess.CompletedProcess[str]:
    return call("check", "--threads", "3", *words)


def found(*words: str) -> dict[str, Any]:
    done = check("--json", *words)
    assert done.returncode == 1, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_an_unlocked_allocator_is_caught_and_the_finding_is_played_again(tmp_path: Path) -> None:
    page, junit, saved = tmp_path / "a.html", tmp_path / "a.xml", tmp_path / "saved"
    target = f"{RACING}Unlocked"
    files = ("--html", str(page), "--junit", str(junit), "--save", str(saved))
    report = found(*files, target)
    again = found(target)
    for one in (report, again):
        del one["seconds"]
    assert again == report  # in another process
    assert report["holds"] is False
    (finding,) = report["findings"]
    assert finding["property"] == "linearizability"
    assert [len(part) for part in finding["program"]] == [0, 1, 1]
    assert page.read_text(encoding="utf-8").startswith("<!")
    cases = {
        str(case.get("name")).partition(":")[0]: case.find("failure") is not None
        for case in ET.parse(junit).iter("testcase")  # noqa: S314  # our own file
    }
    assert cases == {"linearizability": True}

    (file,) = saved.iterdir()
    still = call("replay", str(file), target)
    assert still.returncode == 1, still.stderr
    assert "it still happens" in still.stdout
    mended = call("replay", str(file), f"{RACING}Right")
    assert mended.returncode == 0, mended.stderr
    assert "answered as it must" in mended.stdout


def test_what_is_right_leaves_with_0_and_says_how_far_that_goes(tmp_path: Path) -> None:
    junit = tmp_path / "a.xml"
    done = check("--max-calls", "4000", "--junit", str(junit), f"{RACING}Right")
    assert done.returncode == 0, done.stdout
    assert "no counterexample found (sampled, not proved)" in done.stdout
    assert "while another one was open" in done.stdout
    cases = list(ET.parse(junit).iter("testcase"))  # noqa: S314  # our own file
    assert len(cases) == 5
    assert not any(list(case) for case in cases)


def test_a_terminal_shows_the_calls_over_time() -> None:
    done = check("--seed", "2", f"{RACING}MovesInTwoSteps")
    assert done.returncode == 1
    assert "update(0, 1, 0, 1)" in done.stdout
    assert "not over" in done.stdout
    assert "<- fits no order of the calls" in done.stdout
    assert "is stopped at" in done.stdout
    assert "--threads 3 --seed 2" in done.stdout


@pytest.mark.parametrize(
    ("target", "broken", "said"),
    [
        ("LocksCrosswise", "no deadlock", "waits for a lock, held by thread"),
        ("Exits", "no crash", "ended with exit code 7"),
        ("Spins", "no hang", "is at racing.py"),
        ("WaitsOutOfSight", "no hang", "something that the scheduler does not see"),
    ],
)
def test_a_target_that_gives_no_answer_is_a_finding(target: str, broken: str, said: str) -> None:
    done = check("--op-timeout", "0.5", f"{RACING}{target}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{broken} is broken" in done.stdout
    assert said in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--threads", "1", f"{RACING}Right"), "--threads 1 is one call at a time"),
        (("--sarif", "a.sarif", f"{RACING}Right"), "--sarif is not there with --threads"),
        (("no_such_module:factory",), "no_such_module:factory: it cannot be loaded"),
        (
            ("--", *COMMAND, "check", "--serve", f"{RACING}Right"),
            "does not say that it answers concurrent calls",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(words: tuple[str, ...], said: str) -> None:
    done = check(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_saved_finding_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "a.threads.json"
    done = call("replay", str(file), f"{RACING}Right")
    assert (done.returncode, "no such file" in done.stderr) == (2, True), done.stderr
    right: dict[str, Any] = {"format": FORMAT, "space": [0, 0], "program": [[]], "schedule": None}
    for content in ("{", "{}", *(json.dumps(right | wrong) for wrong in WRONG)):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(SavedError, match="no saved finding"):
            read_program(file)
    file.write_text(json.dumps(right), encoding="utf-8")
    assert read_program(file) == (Program(Space(0, 0), ((),)), None)


def test_an_adapter_with_a_race_is_caught_by_calls_that_are_open_at_once() -> None:
    report = found("--max-time", "60", "--", sys.executable, "-m", "tests.threads.racing_adapter")
    (finding,) = report["findings"]
    assert finding["property"] == "linearizability"
    assert finding["schedule"] is None
    assert len(finding["history"]) <= 4


def test_an_adapter_that_is_right_survives() -> None:
    done = check("--max-calls", "3000", "--", *SERVED, f"{RACING}Right")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "while another one was open" in done.stdout


def test_an_adapter_that_dies_is_a_finding() -> None:
    report = found("--max-time", "6", "--", *SERVED, f"{RACING}Exits")
    (finding,) = report["findings"]
    assert finding["property"] == "no crash"
    assert "exit code 7" in finding["actual"]
