"""Races are found, made small, and found again; what is right survives."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vm_allocator.checker.calls import Allocate, Free, Space, Update
from vm_allocator.checker.concurrent.drawn import draw_program, random_of
from vm_allocator.checker.concurrent.plays import LocalPlayer
from vm_allocator.checker.concurrent.programs import Planned, Program, adapted, smaller
from vm_allocator.checker.concurrent.saved import read_program, write_found
from vm_allocator.checker.concurrent.search import Bench, Broken, Found, search
from vm_allocator.checker.concurrent.shrinking import shrunk
from vm_allocator.checker.local import LocalTarget
from vm_allocator.checker.profile import PROTOCOL, Operation, Profile, Spaces
from vm_allocator.checker.wide import BeginMove, CommitMove, UpdateMany, Wide
from vm_allocator.modelling import Range
from vm_allocator.threads import Schedule, Switch, schedulable_locks

from . import racing

MOST_PROGRAMS = 60
"""Of each search here: before that number, no threads are let loose."""


@pytest.fixture(autouse=True)
def _locks() -> Iterator[None]:
    with schedulable_locks():
        yield


def _bench(factory: Callable[..., Any]) -> Bench:
    return Bench(LocalPlayer(LocalTarget(factory)))


def _search(factory: Callable[..., Any], threads: int = 3, seed: int = 0) -> Found | None:
    bench = _bench(factory)
    _, found = search(bench, threads, seed, lambda number: number < MOST_PROGRAMS)
    assert bench.tally.overlapping > 0
    return found


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_an_unlocked_allocator_is_caught_with_two_calls(threads: int) -> None:
    found = _search(racing.Unlocked, threads)
    assert found is not None
    small = shrunk(_bench(racing.Unlocked), found)
    assert small.broken is Broken.LINEARIZABILITY
    assert small.program.parts[0] == ()
    assert [len(part) for part in small.program.parts[1:]] == [1, 1]
    assert small.program.space.size == 1
    assert small.played.schedule is not None
    assert len(small.played.schedule.switches) == 1


@pytest.mark.parametrize(
    ("factory", "before", "culprit"),
    [(racing.ChecksThenActs, 0, "allocate first"), (racing.MovesInTwoSteps, 1, "update")],
)
def test_a_race_between_two_locked_steps_is_caught_with_two_calls(
    factory: Callable[..., Any], before: int, culprit: str
) -> None:
    found = _search(factory)
    assert found is not None
    small = shrunk(_bench(factory), found)
    assert small.broken is Broken.LINEARIZABILITY
    assert len(small.program.parts[0]) == before
    assert [len(part) for part in small.program.parts[1:]] == [1, 1]
    assert culprit in {one.call.kind for part in small.program.parts[1:] for one in part}


def test_a_move_that_ends_past_the_lock_is_caught_and_saved(tmp_path: Path) -> None:
    one = Range(0, 0)  # stands for nothing
    program = Program(
        Space(0, 3),
        (
            (Planned(1, Allocate(1)), Planned(2, BeginMove(one, Range(3, 3)), of=1)),
            (Planned(3, CommitMove(one), of=2),),
            (Planned(4, UpdateMany(((None, Range(0, 2)),))),),
        ),
    )
    places = [Schedule((Switch(0, 0, instruction, 1),)) for instruction in range(0, 400, 3)]

    def tried(factory: Callable[..., Any]) -> Iterator[Found]:
        bench = _bench(factory)
        return filter(None, (bench.try_program(program, place)[1] for place in places))

    found = next(tried(racing.EndsMovesPastTheLock), None)
    assert found is not None
    assert found.broken is Broken.LINEARIZABILITY
    assert read_program(write_found(found, tmp_path)) == (program, found.played.schedule)
    assert next(tried(racing.Right), None) is None


def test_moves_and_changes_at_once_are_drawn_and_made_smaller() -> None:
    operations: tuple[Operation, ...] = ("allocate", "free", "update", "update_many", "move")
    profile = Profile(PROTOCOL, "x", "addresses", operations, ("first", "exact"))
    less = msgspec.structs.replace(profile, operations=("allocate", "free", "update"))
    kinds, simpler = set(), 0
    for number in range(200):
        program = draw_program(profile, 3, random_of(0, number))
        assert program.taken_by(profile)
        wide = {one.call.kind for one in program.calls if isinstance(one.call, Wide)}
        assert program.taken_by(less) == (not wide)
        kinds |= wide
        smalls = [one for one in smaller(program) if wide and one.measure < program.measure]
        simpler += any(len(one.calls) == len(program.calls) for one in smalls)
    assert kinds == {"update_many", "move_begin", "move_commit", "move_abort"}
    assert simpler > 0


def test_a_deadlock_is_caught_and_says_who_waits_for_whom() -> None:
    found = _search(racing.LocksCrosswise)
    assert found is not None
    small = shrunk(_bench(racing.LocksCrosswise), found)
    assert small.broken is Broken.NO_DEADLOCK
    assert "thread 1 waits for a lock, held by thread 2" in small.words
    assert [len(part) for part in small.program.parts[1:]] == [1, 1]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "factory", [racing.Right, racing.right_ids, racing.right_wrapper, racing.Naps]
)
def test_what_is_locked_survives(factory: Callable[..., Any], seed: int) -> None:
    assert _search(factory, seed=seed) is None


def test_the_same_seed_finds_the_same_history() -> None:
    def once(seed: int) -> tuple[Program, Found]:
        found = _search(racing.Unlocked, 2, seed)
        assert found is not None
        return found.program, replace(found, played=replace(found.played, operations=()))

    assert once(5) == once(5)
    assert once(5) != once(6)
    small = [shrunk(_bench(racing.Unlocked), once(5)[1]).played.history for _ in range(2)]
    assert small[0] == small[1]


def test_a_found_schedule_shows_the_same_each_time() -> None:
    found = _search(racing.ChecksThenActs)
    assert found is not None
    bench = _bench(racing.ChecksThenActs)
    bench.try_program(found.program, Schedule())
    again = {
        repr(bench.try_program(found.program, found.played.schedule)[0].history) for _ in range(5)
    }
    assert again == {repr(found.played.history)}


def test_threads_let_loose_are_recorded_and_judged() -> None:
    bench = _bench(racing.Right)
    for number in range(5):
        program = draw_program(bench.profile, 4, random_of(1, number), 10)
        played, found = bench.try_program(program, None)
        assert found is None
        assert played.history is not None
        assert played.history.live is not None
    assert bench.tally.loose == 5


def test_what_is_not_over_is_in_the_history_of_a_call_that_crashed() -> None:
    class Crashes(racing.Right):
        def free(self, resource: Any, size: Any) -> None:
            raise RuntimeError("out of order", resource, size)

    found = _search(Crashes)
    assert found is not None
    small = shrunk(_bench(Crashes), found)
    assert (small.broken, small.actual) == (Broken.NO_CRASH, "crash: RuntimeError in free")
    assert small.played.history is not None
    assert [event.reply for event in small.played.history.events] == [None]


# ---- programs


def _program() -> Program:
    return Program(
        Space(16, 19),
        (
            (Planned(1, Allocate(1)),),
            (Planned(2, Free(0, 1), of=1), Planned(3, Allocate(2, 17))),
            (Planned(4, Update(0, 1, 18, 1), of=3), Planned(5, Allocate(1))),
        ),
    )


def test_a_call_about_a_lost_range_goes_with_it() -> None:
    without = _program().without([3])
    assert [[one.name for one in part] for part in without.parts] == [[1], [2], [5]]
    without = _program().without([1])
    assert [[one.name for one in part] for part in without.parts] == [[], [3], [4, 5]]
    assert _program().without([4, 5]).threads == 1


def test_a_schedule_follows_the_calls_that_are_left() -> None:
    schedule = Schedule((Switch(0, 1, 7, 1), Switch(1, 1, 3, 0)), (1, 0))
    program = _program()
    fewer = program.without([2])
    assert adapted(schedule, program, fewer) == Schedule(
        (Switch(0, 0, 7, 1), Switch(1, 1, 3, 0)), (1, 0)
    )
    alone = program.without([2, 3])
    assert adapted(schedule, program, alone) == Schedule((), (0,))


def test_smaller_programs_end() -> None:
    waiting, seen = [_program().without([4])], set[Program]()
    while waiting:
        program = waiting.pop()
        for one in smaller(program):
            if one not in seen and one.measure < program.measure:
                seen.add(one)
                waiting.append(one)
        assert len(seen) < 200_000
    assert seen


@pytest.mark.parametrize(
    "profile",
    [
        Profile(PROTOCOL, "x", "addresses"),
        Profile(PROTOCOL, "x", "addresses", free_reports=False, policies=("any", "exact")),
        Profile(PROTOCOL, "x", "addresses", free_by="start", default_alignment=4096),
        Profile(PROTOCOL, "x", "ids", ("allocate", "free", "update"), spaces=Spaces(32, 255, 8)),
        Profile(PROTOCOL, "x", "ids", policies=("last",), align=True, within=True, greatest_size=4),
        Profile(PROTOCOL, "x", "addresses", policies=("exact",), largest=255),
    ],
)
def test_what_is_drawn_can_be_asked(profile: Profile) -> None:
    for number in range(300):
        program = draw_program(profile, 2 + number % 7, random_of(0, number))
        assert program.taken_by(profile), program
        assert program.threads == 2 + number % 7
        for planned in program.calls:
            names = {one.name for one in program.calls}
            assert planned.of is None or planned.of in names


def test_without_a_report_of_frees_nobody_frees_twice() -> None:
    operations: tuple[Operation, ...] = ("allocate", "free", "update")
    tells = Profile(PROTOCOL, "x", "addresses", operations, ("first", "exact"))
    silent = Profile(PROTOCOL, "x", "addresses", operations, ("first", "exact"), free_reports=False)
    twice = _program().with_call(Planned(5, Free(0, 1), of=1))
    assert twice.taken_by(tells)
    assert not twice.taken_by(silent)
    assert _program().taken_by(silent)
    assert not _program().with_call(Planned(5, Free(16, 1))).taken_by(silent)


def test_schedules_without_a_switch_are_part_of_themselves() -> None:
    switch = Switch(0, 1, 7, 1)
    schedule = Schedule((switch, Switch(1, 1, 3, 0)), (1, 0))
    assert schedule.without(switch) == replace(schedule, switches=schedule.switches[1:])


def test_switches_that_a_finding_does_not_need_are_left_out() -> None:
    found = _search(racing.Unlocked, 2)
    assert found is not None
    bench = _bench(racing.Unlocked)
    small = shrunk(bench, found)
    needed = small.played.schedule
    assert needed is not None
    never = (Switch(0, 0, 300_000, 1), Switch(1, 0, 300_000, 0))
    restless = Schedule((*needed.switches, *never), (0, 1))
    _, again = bench.try_program(small.program, restless)
    assert again is not None
    assert again.played.schedule == restless
    assert shrunk(bench, again).played.schedule == needed


def test_a_space_that_the_handshake_excludes_is_no_smaller_program() -> None:
    profile = Profile(PROTOCOL, "x", "addresses", spaces=Spaces(least_size=4))
    program = _program().without([3, 4])
    assert program.taken_by(profile)
    assert not Program(Space(16, 18), program.parts).taken_by(profile)
