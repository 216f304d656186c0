"""Threads by a schedule: what is chosen, what is seen, and that it comes out the same again."""

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from vm_allocator.threads import Limits, Schedule, Switch, run, schedulable_locks


class Counter:
    """Counts in three steps: reads, adds, writes."""

    def __init__(self) -> None:
        self.value = 0

    def add(self) -> None:
        read = self.value
        self.value = read + 1


def _counted(schedule: Schedule) -> int:
    counter = Counter()
    run([[counter.add], [counter.add]], schedule)
    return counter.value


@pytest.fixture
def locks() -> Iterator[None]:
    with schedulable_locks():
        yield


def test_without_a_switch_one_thread_follows_the_other() -> None:
    calls: list[str] = []
    threads = [[lambda: calls.append("a"), lambda: calls.append("b")], [lambda: calls.append("c")]]
    run(threads, Schedule())
    assert calls == ["a", "b", "c"]
    calls.clear()
    run(threads, Schedule(order=(1, 0)))
    assert calls == ["c", "a", "b"]


def test_a_switch_at_every_instruction_finds_the_lost_update() -> None:
    counter = Counter()
    (operation,) = run([[counter.add]], Schedule()).operations[0]
    values = [
        _counted(Schedule((Switch(0, 0, instruction, 1),)))
        for instruction in range(operation.instructions + 1)
    ]
    assert set(values) == {1, 2}
    assert values[0] == values[-1] == 2  # before it reads, and after it has written


def test_a_switch_says_where_it_was_made() -> None:
    counter = Counter()
    execution = run([[counter.add], [counter.add]], Schedule((Switch(0, 0, 4, 1),)))
    (stop,) = execution.stops
    assert stop.place.startswith("test_scheduler.py:")
    assert stop.place.endswith("in add")
    (first,), (second,) = execution.operations
    assert (first.invoked, second.invoked, second.returned, first.returned) == (0, 1, 2, 3)


def test_what_a_function_raises_is_its_outcome() -> None:
    def fail() -> None:
        raise ValueError("no")

    execution = run([[fail, lambda: 7]], Schedule())
    first, second = execution.operations[0]
    assert isinstance(first.error, ValueError)
    assert (second.value, second.error) == (7, None)


def test_the_same_schedule_gives_the_same_execution() -> None:
    def once() -> object:
        shared: list[int] = []

        def work(number: int) -> Callable[[], int]:
            def append() -> int:
                shared.append(number)
                return len(shared)

            return append

        switches = (Switch(0, 0, 2, 1), Switch(1, 0, 3, 2), Switch(2, 1, 1, 0))
        execution = run([[work(n), work(n)] for n in range(3)], Schedule(switches, (2, 0, 1)))
        return shared, execution.operations, execution.stops

    assert once() == once()


@pytest.mark.usefixtures("locks")
def test_threads_that_wait_for_each_other_are_a_deadlock() -> None:
    one, other = threading.Lock(), threading.RLock()

    def forth() -> None:
        with one, other:
            pass

    def back() -> None:
        with other, one:
            pass

    hows = set()
    for instruction in range(12):
        stuck = run([[forth], [back]], Schedule((Switch(0, 0, instruction, 1),))).stuck
        hows.add(None if stuck is None else stuck.how)
        if stuck is not None:
            assert "waits for a lock, held by thread 2, at test_scheduler.py" in stuck.threads[0]
            assert "waits for a lock, held by thread 1, at test_scheduler.py" in stuck.threads[1]
    assert hows == {None, "deadlock"}
    assert not one.locked()  # the threads were ended, and let go of everything


@pytest.mark.usefixtures("locks")
def test_a_lock_keeps_others_out_wherever_its_holder_is_stopped() -> None:
    lock = threading.RLock()

    def counted(instruction: int) -> int:
        counter = Counter()

        def add() -> None:
            with lock:
                counter.add()

        run([[add], [add]], Schedule((Switch(0, 0, instruction, 1),)))
        return counter.value

    assert {counted(instruction) for instruction in range(30)} == {2}


@pytest.mark.usefixtures("locks")
def test_queues_conditions_and_time_outs_work_in_the_time_of_the_schedule() -> None:
    box: queue.Queue[int] = queue.Queue(1)
    execution = run(
        [
            [lambda: box.put(1), lambda: box.put(2)],
            [box.get, box.get, lambda: box.get(timeout=3600)],
        ],
        Schedule((Switch(0, 0, 3, 1),)),
    )
    assert execution.stuck is None
    got = execution.operations[1]
    assert (got[0].value, got[1].value) == (1, 2)
    assert isinstance(got[2].error, queue.Empty)

    event = threading.Event()
    waited = run(
        [[lambda: event.wait(5), event.is_set], [lambda: time.sleep(1), event.set]], Schedule()
    )
    assert [one.value for one in waited.operations[0]] == [True, True]


def test_a_call_that_never_ends_is_given_up() -> None:
    def spin() -> None:
        while True:
            pass

    limits = Limits(instructions=2_000, patience=500)
    execution = run([[spin], [lambda: 1]], Schedule(), limits)
    assert execution.stuck is not None
    assert execution.stuck.how == "endless"
    assert "in spin" in execution.stuck.threads[0]
    assert execution.operations[1][0].value == 1  # patience has an end: the other one went on


def test_one_that_waits_in_a_loop_lets_the_other_go_on() -> None:
    ready: list[bool] = []

    def wait() -> int:
        while not ready:
            pass
        return 1

    execution = run([[wait], [lambda: ready.append(True)]], Schedule(), Limits(patience=200))
    assert execution.stuck is None
    assert execution.operations[0][0].value == 1


def test_what_waits_out_of_sight_is_told_and_left() -> None:
    lock = threading.Lock()
    lock.acquire()  # made before: the scheduler does not see it
    execution = run([[lock.acquire], [lambda: 1]], Schedule(), Limits(seconds=0.05))
    assert execution.stuck is not None
    assert (execution.stuck.how, execution.left) == ("blocked", True)
    lock.release()


def test_locks_are_themselves_again_afterwards() -> None:
    before = threading.Lock, threading.RLock, time.sleep, time.monotonic
    with schedulable_locks():
        assert threading.Lock is not before[0]
        lock, again = threading.Lock(), threading.RLock()
        with lock as held, again, again:
            assert held is True
            assert lock.locked()
        assert not lock.locked()
    assert (threading.Lock, threading.RLock, time.sleep, time.monotonic) == before
