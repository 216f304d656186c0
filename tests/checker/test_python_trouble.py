"""Whatever a Python target does, it is one finding: in this process, and behind the adapter."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from vm_allocator.checker.campaign import Options, Report, run
from vm_allocator.checker.judge import Property
from vm_allocator.checker.local import LocalTarget, load_factory
from vm_allocator.checker.profile import TargetError
from vm_allocator.checker.target import Target

from . import troubled
from .by_hand import opener
from .test_robustness import only

if TYPE_CHECKING:
    from pathlib import Path

Kind: TypeAlias = Callable[[type[troubled.Correct], float], Callable[[], Target]]
FEW = Options(max_calls=12, max_time=600)
SERVE = (sys.executable, "-m", "vm_allocator.checker.serve")


def here(factory: type[troubled.Correct], seconds: float) -> Callable[[], Target]:
    return partial(LocalTarget, factory, factory.__name__, seconds)


def served(factory: type[troubled.Correct], seconds: float) -> Callable[[], Target]:
    command = [*SERVE, f"{factory.__module__}:{factory.__qualname__}"]
    return opener(command, seconds)


TROUBLES: Final = [
    (troubled.Hangs, Property.NO_HANG, "hang: no answer within 0.5 s"),
    (troubled.HangsAndHoldsOn, Property.NO_HANG, "hang: no answer within 0.5 s"),
    (troubled.Leaves, Property.NO_CRASH, "crash: SystemExit in trouble"),
    (troubled.Recurses, Property.NO_CRASH, "crash: RecursionError in trouble"),
    (troubled.Exits, Property.NO_CRASH, "crash: exit code 3"),
]
NOT_HERE: Final = (troubled.Exits, troubled.HangsAndHoldsOn)
"""They end or hold the process that they are in: hence `check` runs targets behind the adapter."""


@pytest.mark.parametrize(
    ("kind", "factory", "broken", "actual"),
    [
        (kind, *trouble)
        for kind in (here, served)
        for trouble in TROUBLES
        if kind is served or trouble[0] not in NOT_HERE
    ],
)
def test_trouble_of_a_python_target_is_one_finding(
    kind: Kind, factory: type[troubled.Correct], broken: Property, actual: str
) -> None:
    seconds = 0.5 if broken is Property.NO_HANG else 20.0
    report = run(kind(factory, seconds), FEW)
    assert only(report) == (broken, "allocate first", actual, ["allocate(FirstMatch, 2)"])


@pytest.mark.parametrize("factory", [troubled.Correct, troubled.Chats])
def test_what_a_served_target_prints_and_reads_is_apart_from_the_protocol(
    factory: type[troubled.Correct],
) -> None:
    report = run(served(factory, 20.0), Options(max_calls=100, max_time=600))
    assert report.findings == ()
    assert report.holds


def test_a_factory_that_leaves_is_no_target() -> None:
    with pytest.raises(TargetError, match=r"it makes no allocator \(SystemExit: 0\)"):
        LocalTarget(troubled.LeavesAtFirst)


def test_a_factory_that_hangs_is_no_target() -> None:
    with pytest.raises(TargetError, match=r"it makes no allocator \(no answer within 0\.2 s\)"):
        LocalTarget(troubled.HangsAtFirst, "", 0.2)


def test_a_module_that_leaves_while_it_loads_is_no_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaves_while_it_loads.py").write_text("raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TargetError, match=r"it cannot be loaded \(SystemExit: 0\)"):
        load_factory("leaves_while_it_loads:factory")


def test_a_target_that_is_wrong_in_10000_ways_gets_a_report_of_bounded_size() -> None:
    report = run(here(troubled.WrongInManyWays, 20.0), Options(max_calls=20_000, max_time=600))
    assert 0 < len(report.findings) <= 60
    assert report.more_groups > 60
    assert len(report.findings) + report.more_groups <= 201
    text = sum(len(found.title) + len(found.violation.words) for found in report.findings)
    assert text < 60 * 1_000


def test_a_list_of_live_ranges_without_end_is_not_shown_without_end() -> None:
    report = run(here(troubled.ListsThousands, 20.0), Options(max_calls=20, max_time=600))
    assert report.findings
    for found in report.findings:
        assert len(found.violation.words) < 1_000


# ---- the same findings with any number of jobs


def told(report: Report) -> list[tuple[object, ...]]:
    """Return all that a report says of its findings."""
    return [
        (found.key, found.trial, found.occurrences, found.found_by, found.after_calls, found.notes)
        for found in report.findings
    ]


def spawned(workers: int) -> Executor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


WRONG = "vm_allocator.gallery.monitors:ReserveErases"


def many(jobs: int = 1, seed: int = 7) -> Options:
    return Options(seed=seed, max_calls=6_000, max_time=600, jobs=jobs)


def test_the_same_seed_gives_the_same_findings_with_1_job_and_with_4() -> None:
    open_target = partial(LocalTarget, load_factory(WRONG), WRONG)
    one = run(open_target, many())
    four = run(open_target, many(4))
    assert len(one.findings) > 0
    assert told(one) == told(four)
    assert one.coverage == four.coverage


@pytest.mark.parametrize("make", [ThreadPoolExecutor, spawned])
def test_any_executor_gives_the_same_findings(make: Callable[[int], Executor]) -> None:
    open_target = partial(LocalTarget, load_factory(WRONG), WRONG)
    alone = run(open_target, many())
    with make(3) as executor:
        other = run(open_target, many(3), executor)
    assert told(alone) == told(other)
    assert alone.coverage == other.coverage


def test_another_seed_looks_elsewhere() -> None:
    open_target = partial(LocalTarget, load_factory(WRONG), WRONG)
    one, other = (run(open_target, many(seed=seed)) for seed in (7, 8))
    assert one.coverage != other.coverage
