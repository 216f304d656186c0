"""The harness at tiny sizes: whatever is asked for is run, or said not to be. Nothing is timed."""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import __main__ as command
from benchmarks import run as harness
from benchmarks.processes import Kind, WorkerDiedError, running, rust, this_python
from benchmarks.results import read
from benchmarks.run import Plan, Run, state_file
from benchmarks.worker import Worker, read_state
from benchmarks.workloads import ABOUT_IDS, SCENARIOS, STATES, SplitMix64
from benchmarks.worst import ADVERSARIES, ID_ADVERSARIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECOND = 10**9


def _plan(**changes: int) -> Plan:
    wanted = {"load_ns": 60 * SECOND, "operation_ns": 60 * SECOND, **changes}
    return Plan((20, 50), tuple(SCENARIOS), 2, 1, 1, memory_sizes=(20,), worst_size=20, **wanted)


@pytest.fixture(autouse=True)
def _states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "BUILD", tmp_path)


def test_everything_is_run() -> None:
    run = Run(_plan(), [this_python()])
    rows = run.results()
    told = {(row["scenario"], row["subject"], row["size"]) for row in rows}
    assert len(told) == len(rows)
    for subject, scenarios in Worker().hello()["subjects"].items():
        for scenario in scenarios:
            for size in (20, 50):
                assert (scenario, subject, size) in told
    assert all(row["ns"] > 0 and len(row["slices"]) == 2 for row in rows)
    assert all(row["bytes"] > 0 for row in run.memory())
    worst = {(row["subject"], row["case"]) for row in run.worst(["SortedGaps", "ids by IdBitmap"])}
    assert worst == {
        *(("SortedGaps", case) for case in ADVERSARIES),
        *(("ids by IdBitmap", case) for case in ID_ADVERSARIES),
    }


def test_what_takes_too_long_is_not_run_and_the_reason_is_given() -> None:
    rows = Run(_plan(operation_ns=-1), [this_python()]).results()
    assert rows
    assert all("one operation takes" in row["not_run"] for row in rows)


def test_a_labelled_build_takes_turns_with_its_own_subjects_alone() -> None:
    plan = Plan((20,), ("exact", "smallest-id"), 1, 1, 1, 60 * SECOND, 60 * SECOND)
    kinds = [this_python(), Kind(this_python().command, "compiled")]
    subjects = {row["subject"] for row in Run(plan, kinds).results()}
    assert {"SortedGaps (compiled)", "ids by IdBitmap (compiled)", "portion"} <= subjects
    assert "portion (compiled)" not in subjects


def test_a_worker_that_dies_is_a_reason_too() -> None:
    with running([sys.executable, "-c", ""]) as process, pytest.raises(WorkerDiedError):
        process.ask("hello")


def test_the_command_writes_all_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "rust", lambda: "no cargo today")
    monkeypatch.setattr(command, "QUICK", _plan())
    out = tmp_path / "out"
    arguments = ["--quick", "--sizes", "20", "--scenarios", "exact", "--rounds", "1"]
    assert command.main([*arguments, "--out", str(out)]) == 0
    results = read(out / "results.json")
    assert results.sizes() == [20]
    assert results.notes == ["no Rust rivals: no cargo today"]
    assert (out / "pictures" / "exact.svg").is_file()
    assert "### exact" in (out / "results.md").read_text()
    told = capsys.readouterr()
    assert "SortedDict pair" in told.out
    assert "no cargo today" in told.err
    again = ["--label", "compiled", "--merge", str(out / "results.json"), "--out", str(out)]
    assert command.main([*arguments, *again]) == 0
    assert {"SortedGaps", "SortedGaps (compiled)"} <= set(
        read(out / "results.json").subjects("exact")
    )


def _asks(worker: Worker) -> Callable[..., dict[str, Any]]:
    """Return how to ask a worker in this very process."""

    def ask(do: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(worker.answer(json.dumps({"do": do, **arguments})))
        return answer

    return ask


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    yield
    gc.enable()  # a worker in this process switches it off
    gc.unfreeze()


@pytest.fixture(scope="module")
def rivals() -> Kind:
    built = rust()
    if isinstance(built, Kind):
        return built
    assert os.environ.get("ADAPTERS") != "needed", built
    pytest.skip(f"no Rust rivals: {built}")


def test_both_languages_draw_the_same_numbers(rivals: Kind) -> None:
    with running(rivals.command) as process:
        for seed in (0, 1, (1 << 64) - 1):
            drawn = process.ask("draws", seed=seed, count=100)["draws"]
            assert drawn == SplitMix64(seed).draw(100)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_both_languages_run_the_same_workload(rivals: Kind, scenario: str) -> None:
    """The same operations, and the same places: the crates are first fit as ours is."""
    path = str(state_file(SCENARIOS[scenario], 200))
    worker = Worker()
    ours = "ids by IdBitmap" if SCENARIOS[scenario] in ABOUT_IDS else "SortedGaps"
    with running(rivals.command) as process:
        for subject, scenarios in process.ask("hello")["subjects"].items():
            if scenario not in scenarios:
                continue
            told = []
            for asked, name in ((process.ask, subject), (_asks(worker), ours)):
                assert asked("load", subject=name, state=path, limit_ns=60 * SECOND)["complete"]
                slices = [asked("slice", scenario=scenario, count=50, seed=seed) for seed in (1, 2)]
                told.append([(one["operations"], one["sum"]) for one in slices])
            assert told[0] == told[1], subject


def test_the_memory_of_the_rivals_is_counted(rivals: Kind) -> None:
    with running(rivals.memory_command) as process:
        path = str(state_file("mixed", 200))
        held = process.ask("memory", subject="vm-allocator 0.1.4", state=path)
    assert held["ranges"] == 200
    assert held["bytes"] > 200 * 16


@pytest.mark.parametrize("state", STATES)
def test_a_state_survives_its_file(state: str) -> None:
    assert read_state(str(state_file(state, 30))) == STATES[state](30)
