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
from benchmarks.report import BEGIN, END
from benchmarks.results import Results, read
from benchmarks.run import Plan, Run, state_file
from benchmarks.subjects import OURS
from benchmarks.worker import Worker, hopeless, read_state
from benchmarks.workloads import ABOUT_IDS, SCENARIOS, STATES, SplitMix64
from benchmarks.worst import ADVERSARIES, ID_ADVERSARIES, worst_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECOND = 10**9


def _plan(sizes: tuple[int, ...] = (100,), **changes: Any) -> Plan:
    wanted = {
        "scenarios": tuple(SCENARIOS),
        "rounds": 2,
        "slice_ns": 1,
        "warm_ns": 1,
        "load_ns": 60 * SECOND,
        "operation_ns": 60 * SECOND,
        "memory_sizes": sizes[:1],
        "worst_size": 20,
        **changes,
    }
    return Plan(sizes, **wanted)


@pytest.fixture(autouse=True)
def _states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "BUILD", tmp_path)


def test_everything_is_run_and_all_agree_on_the_places() -> None:
    """Whatever each subject offers, in Rust as well."""
    built = rust()
    also = [built] if isinstance(built, Kind) else []
    run = Run(_plan(), [this_python(), *also])
    results = Results({}, {}, run.results(), run.memory(), run.worst(["GapTree"]), [])
    told = {(row["scenario"], row["subject"]) for row in results.rows}
    assert len(told) == len(results.rows)
    for subject, scenarios in Worker().hello()["subjects"].items():
        assert {(scenario, subject) for scenario in scenarios} <= told
    assert ("churn", "vm-allocator 0.1.4 (Rust)") in told or not also
    assert all(row["ns"] > 0 and len(row["slices"]) == 2 for row in results.rows)
    assert results.disagreements() == []
    assert {row["state"] for row in results.memory} == set(harness.MEMORY_AFTER)
    assert all(row["bytes"] > 0 for row in results.memory)
    assert {row["case"] for row in results.worst} == set(ADVERSARIES)


def test_what_takes_too_long_is_not_run_and_the_reason_is_given() -> None:
    plan = _plan((20, 50), scenarios=("exact",), operation_ns=-1)
    run = Run(plan, [this_python()])
    reasons = {(row["subject"], row["size"]): row["not_run"] for row in run.results()}
    assert reasons["portion", 20].startswith("one operation takes")
    assert reasons["portion", 50].startswith("at 20, one operation takes")
    assert run.memory() == []


def test_only_the_subjects_that_are_asked_for_take_part() -> None:
    plan = _plan(scenarios=("exact",), subjects=("portion", "GapTree index"))
    rows = Run(plan, [this_python()]).results()
    assert [row["subject"] for row in rows] == ["GapTree index", "portion"]


def test_what_is_slow_to_load_is_not_run_either() -> None:
    rows = Run(_plan(scenarios=("exact",), load_ns=-1), [this_python()]).results()
    assert rows
    assert all("the first 64 ranges took" in row["not_run"] for row in rows)


def test_the_pace_of_loading_tells() -> None:
    assert not hopeless(SECOND, 1, 1000, 40 * SECOND)
    assert hopeless(6 * SECOND, 10, 1000, 40 * SECOND)
    assert not hopeless(6 * SECOND, 100, 1000, 40 * SECOND)
    assert hopeless(41 * SECOND, 999, 1000, 40 * SECOND)


@pytest.mark.parametrize("name", ID_ADVERSARIES)
def test_the_slowest_operation_is_named(name: str) -> None:
    found = worst_of("ids by IdBitmap", 20)[name]
    assert found["ns"] > 0
    assert found["operations"] > 0
    assert "free" in found["operation"]


def test_a_worker_that_dies_is_a_reason_too() -> None:
    with running([sys.executable, "-c", ""]) as process, pytest.raises(WorkerDiedError):
        process.ask("hello")


def test_the_command_writes_all_there_is_and_lets_another_python_take_turns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "rust", lambda: "no cargo today")
    monkeypatch.setattr(command, "FULL", _plan(memory_sizes=()))
    page, out = tmp_path / "page.md", tmp_path / "out"
    page.write_text(f"{BEGIN}\n{END}\n")
    plan = ["--sizes", "20", "--rounds", "1", "--scenarios", "exact"]
    also = ["--also", f"compiled={sys.executable}"]
    assert command.main([*plan, *also, "--out", str(out), "--page", str(page)]) == 0
    results = read(out / "results.json")
    assert results == read(tmp_path / "page" / "results.json")
    assert results.sizes() == [20]
    assert results.notes[0] == "no Rust rivals: no cargo today"
    subjects = set(results.subjects("exact"))
    assert {*OURS, *(f"{name} (compiled)" for name in OURS)} & subjects == {
        *("GapTree", "GapTree index", "SortedGaps"),
        *("GapTree (compiled)", "GapTree index (compiled)", "SortedGaps (compiled)"),
    }
    assert {"portion", "intervaltree", "SortedDict pair"} <= subjects
    assert "portion (compiled)" not in subjects  # a rival is the same everywhere
    assert (out / "exact.svg").is_file()
    assert "### exact" in (out / "results.md").read_text()
    assert "| GapTree (compiled) | growth of exact" in page.read_text()
    assert "subjects named 'compiled': vm_allocator as" in page.read_text()
    told = capsys.readouterr()
    assert "| GapTree index | exact at 100 / pair | 2.5x | - | not measured |" in told.out
    assert "no cargo today" in told.err


def test_another_python_that_cannot_run_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "rust", lambda: "no cargo today")
    nowhere = tmp_path / "python"
    assert command.main(["--quick", "--also", f"compiled={nowhere}"]) == 2
    assert "a worker cannot run" in capsys.readouterr().err


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
        asked = {"subject": "vm-allocator 0.1.4", "scenario": "churn", "count": 10}
        held = process.ask("memory", state=path, **asked)
    assert held["ranges"] == 200
    assert held["bytes"] > 200 * 16


@pytest.mark.parametrize("state", STATES)
def test_a_state_survives_its_file(state: str) -> None:
    assert read_state(str(state_file(state, 30))) == STATES[state](30)
