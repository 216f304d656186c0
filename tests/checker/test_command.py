"""`vm-allocator check` as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

CHECK = (sys.executable, "-m", "vm_allocator.cli", "check")
QUICK = ("--max-calls", "2500", "--max-time", "600", "--jobs", "1")


def check(*words: str) -> CompletedProcess[str]:
    command = [*CHECK, *QUICK, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command


def replay(*words: str) -> CompletedProcess[str]:
    command = [sys.executable, "-m", "vm_allocator.cli", "replay", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command


def found(*words: str) -> dict[str, Any]:
    done = check("--json", *words)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("name", ["addresses", "ids"])
def test_our_own_allocators_pass_and_the_report_says_what_was_covered(name: str) -> None:
    done = check(f"vm_allocator.checker.ours:{name}", "--max-calls", "5000")
    assert done.returncode == 0, done.stdout
    assert "no counterexample found (sampled, not proved)" in done.stdout
    assert "every sequence of: 2 calls in 5 spaces of 1 unit" in done.stdout
    for operation in ("allocate first", "allocate last", "allocate exact", "free", "update"):
        assert operation in done.stdout


def test_a_bug_is_shown_as_its_shortest_trace_with_a_drawing() -> None:
    done = check("tests.checker.targets:FreesTwice")
    assert done.returncode == 1
    assert "exact free  free: expected refused: not-allocated, got granted" in done.stdout
    assert "free(0, 1)  done   must be refused (not-allocated)" in done.stdout
    assert "before" in done.stdout
    assert "must be" in done.stdout


def test_a_move_in_two_steps_breaks_atomicity_in_three_calls() -> None:
    report = found("tests.checker.targets:MovesInTwoSteps")
    broken = {one["property"]: one for one in report["findings"]}
    assert "atomicity" in broken
    steps = broken["atomicity"]["steps"]
    assert len(steps) <= 3
    assert [step["call"]["op"] for step in steps][:2] == ["allocate", "update"]
    assert not report["holds"]


def test_an_adapter_and_a_python_target_are_the_same_thing() -> None:
    factory = "tests.checker.targets:FreesTwice"
    ours = found(factory)
    served = found("--", sys.executable, "-m", "vm_allocator.checker.serve", factory)
    for report in (ours, served):
        for key in ("seconds",):
            del report[key]
    assert ours == served


def test_serve_is_the_reference_adapter() -> None:
    served = subprocess.run(  # noqa: S603  # our own command
        [*CHECK, "--serve", "vm_allocator.checker.ours:ids"],
        input='{"id": 1, "op": "new", "base": 5, "last": 23}\n'
        '{"id": 2, "op": "allocate", "size": 1, "policy": "last"}\n'
        '{"id": 3, "op": "free", "start": 5, "size": 1}\n'
        '{"id": 4, "op": "live"}\n'
        "what?\n",
        capture_output=True,
        text=True,
        check=True,
    )
    hello, *replies = map(json.loads, served.stdout.splitlines())
    assert hello["protocol"] == "vm-allocator/1"
    assert hello["kind"] == "ids"
    assert replies[:4] == [
        {"id": 1, "ok": True},
        {"id": 2, "granted": 23},
        {"id": 3, "refused": "not-allocated"},
        {"id": 4, "live": [[23, 23]]},
    ]
    assert "crashed" in replies[4]


def test_the_same_seed_finds_the_same_with_one_job_and_with_three() -> None:
    target = "tests.checker.targets:MovesInTwoSteps"
    one, three = found(target), found("--jobs", "3", target)
    del one["seconds"], three["seconds"]
    assert one == three


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no_such_module:factory",), "no_such_module:factory: it cannot be loaded"),
        (("vm_allocator:nothing",), "vm_allocator:nothing: it cannot be loaded"),
        (("vm_allocator:__doc__",), "vm_allocator:__doc__: it cannot be called"),
        (("vm_allocator:IdAllocator",), "factory(base, size)"),
        (("builtins:dict",), "builtins:dict: "),
        (("--", "no-such-program"), "no-such-program: it cannot be started"),
        (("--", "echo", "hello"), "its first line is no handshake"),
        (("--", "true"), "no handshake came (exit code 0)"),
        (("--", "echo", '{"protocol": "other/9", "name": "x", "kind": "ids"}'), "it speaks"),
        (("--baseline", "no-such-file", "a:b"), "no-such-file: it cannot be read"),
    ],
)
def test_a_mistake_is_told_in_one_line(words: tuple[str, ...], said: str) -> None:
    done = check(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_baseline_accepts_with_a_reason_and_tells_what_is_gone(tmp_path: Path) -> None:
    baseline = tmp_path / "known.json"
    target = "tests.checker.targets:FreesTwice"
    assert check("--write-baseline", str(baseline), target).returncode == 1
    unsaid = check("--baseline", str(baseline), target)
    assert unsaid.returncode == 2
    assert "has no reason" in unsaid.stderr

    data = json.loads(baseline.read_text())
    for entry in data["accepted"]:
        entry["reason"] = "the firmware frees everything twice"
    baseline.write_text(json.dumps(data))
    accepted = check("--baseline", str(baseline), target)
    assert accepted.returncode == 0, accepted.stdout
    assert "the firmware frees everything twice" in accepted.stdout
    assert "accepted findings" in accepted.stdout

    other = check("--baseline", str(baseline), "tests.checker.targets:Right")
    assert other.returncode == 0
    assert "was not found this time" in other.stdout
    kept = check("--baseline", str(baseline), "--write-baseline", str(baseline), target)
    assert kept.returncode == 0
    assert json.loads(baseline.read_text()) == data


def test_every_file_is_written_and_its_traces_are_played_again(tmp_path: Path) -> None:
    target = "tests.checker.targets:FreesTwice"
    page, junit, sarif = (tmp_path / name for name in ("a.html", "a.xml", "a.sarif"))
    saved = tmp_path / "saved"
    options = ("--html", page, "--junit", junit, "--sarif", sarif, "--save", saved)
    report = found(*map(str, options), target)
    assert page.read_text(encoding="utf-8").startswith("<!")
    assert "<testsuite" in junit.read_text(encoding="utf-8")
    assert json.loads(sarif.read_text(encoding="utf-8"))["version"] == "2.1.0"

    (name, *_) = [one["finding"] for one in report["findings"]]
    for file in (saved / f"{name}.itf.json", saved / f"test_{name}.py"):
        still = replay(str(file), target)
        assert still.returncode == 1, still.stderr
        assert "it still happens" in still.stdout
        mended = replay(str(file), "tests.checker.targets:Right")
        assert mended.returncode == 0, mended.stderr
        assert "answered as it must" in mended.stdout
    test = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", saved / f"test_{name}.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed" in test.stdout


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "such" / "place"
    done = check("--html", str(nowhere), "tests.checker.targets:FreesTwice")
    assert done.returncode == 2
    assert f"cannot write {nowhere}" in done.stderr


def test_a_replay_wants_a_target_and_a_trace(tmp_path: Path) -> None:
    alone = replay(str(tmp_path / "a.json"))
    assert alone.returncode == 2
    assert "name the target" in alone.stderr
    missing = replay(str(tmp_path / "a.json"), "tests.checker.targets:Right")
    assert missing.returncode == 2
    assert "no such file" in missing.stderr


def test_nothing_is_left_in_the_folder_where_it_was_called(tmp_path: Path) -> None:
    command = [*CHECK, *QUICK[:-1], "2", "vm_allocator.checker.ours:addresses"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603  # our own command
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
