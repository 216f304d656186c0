"""Worker processes: they answer, they are ended whatever they are at, and none is left."""

from __future__ import annotations

import multiprocessing
import os
import time
from contextlib import closing

import pytest

from vm_allocator.verify.workers import WorkerLostError, spread

FOREVER = 3600


def double(number: int) -> int:
    return 2 * number


def sleep_but_for_zero(number: int) -> int:
    if number:
        time.sleep(FOREVER)
    return number


def divide_by(number: int) -> float:
    return 1 / number


def die(number: int) -> int:
    os._exit(number)


def test_every_question_is_answered_once() -> None:
    questions = list(range(7))
    assert sorted(spread(double, questions, 2)) == [(n, 2 * n) for n in questions]
    assert not multiprocessing.active_children()


def test_nothing_asked_starts_nothing() -> None:
    assert list(spread(double, [], 2)) == []


def test_who_stops_listening_ends_what_runs_and_does_not_wait_for_it() -> None:
    with closing(spread(sleep_but_for_zero, [1, 0, 2, 3], 2)) as answers:
        assert next(answers) == (0, 0)
        running = multiprocessing.active_children()
        assert running
    assert not multiprocessing.active_children()


def test_what_a_function_raises_is_raised_here_with_its_own_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        list(spread(divide_by, [0, 1], 2))
    assert any("divide_by" in note for note in raised.value.__notes__)
    assert not multiprocessing.active_children()


def test_a_worker_that_dies_is_told_with_what_it_was_at() -> None:
    with pytest.raises(WorkerLostError, match="was at 7 ended with 7"):
        list(spread(die, [7], 2))
    assert not multiprocessing.active_children()
