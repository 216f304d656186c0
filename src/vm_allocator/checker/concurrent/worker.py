"""A Python target in a process of its own, searched there: it may hang, crash, or take it along."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vm_allocator.checker.calls import Failed, Failure
from vm_allocator.checker.local import LocalTarget, load_factory
from vm_allocator.checker.profile import Profile, TargetError
from vm_allocator.threads import Limits, schedulable_locks

from .drawn import is_loose, program_number
from .plays import LocalPlayer, Played
from .search import Bench, Found, Tally, of_failure, search
from .shrinking import shrunk

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

_START: Final = 30.0
"""Seconds for the target to be loaded and to make its first allocator."""

_REPORT: Final = 0.1
"""Seconds between two reports of how far it is."""

_SILENCE: Final = 20.0
"""Seconds besides those of an operation after which a silent process is given up."""


@dataclass(frozen=True)
class Task:
    """What is to be searched. Times are in seconds; the search ends early enough to shrink."""

    target: str
    threads: int
    seed: int
    seconds: float
    most_calls: int
    op_timeout: float
    first: int = 0


@dataclass(frozen=True)
class Progress:
    """How far the search is; `ended` says that it is over."""

    tally: Tally
    found: Found | None = None
    number: int = 0
    ended: bool = False


Message: TypeAlias = Profile | Progress | TargetError
_SHARE_TO_SHRINK: Final = 0.2
_MOST_TO_SHRINK: Final = 20.0


def kept_to_shrink(seconds: float) -> float:
    """Return how many seconds of a time are kept to make small what is found."""
    return min(_SHARE_TO_SHRINK * seconds, _MOST_TO_SHRINK)


def work(connection: Connection, number: Any, task: Task) -> None:
    """Search, and tell of it. `number` always has the number of the program that is tried."""
    # What the target prints is no part of our report, and there is nothing for it to read.
    os.dup2(2, 1)
    with schedulable_locks(), suppress(BrokenPipeError):
        try:
            target = LocalTarget(load_factory(task.target), task.target)
        except TargetError as error:
            connection.send(error)
            return
        connection.send(target.profile)
        bench = Bench(LocalPlayer(target, Limits(seconds=task.op_timeout)))
        told, end = time.monotonic(), time.monotonic() + task.seconds

        def going_on(at: int) -> bool:
            nonlocal told
            number.value = at
            now = time.monotonic()
            if now - told > _REPORT:
                connection.send(Progress(bench.tally))
                told = now
            enough = 0 < task.most_calls <= bench.tally.calls
            return now < end - kept_to_shrink(task.seconds) and not enough

        at, found = search(bench, task.threads, task.seed, going_on, task.first)
        looked, bench.tally = bench.tally, Tally()
        hopeless = found is not None and found.played.hopeless
        if found is not None and not hopeless:
            found = shrunk(bench, found, lambda: time.monotonic() < end)
        if found is not None:
            found = replace(found, played=replace(found.played, operations=()))
        connection.send(Progress(looked, found, at, ended=True))
        connection.close()
        if hopeless:
            os._exit(0)  # threads are left that never end


def search_elsewhere(
    task: Task, on_progress: Callable[[Tally], None] = lambda _tally: None
) -> tuple[Profile, Progress]:
    """Search the Python target in another process. Raises `TargetError`."""
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    number = context.Value("q", task.first, lock=False)
    process = context.Process(target=work, args=(theirs, number, task), daemon=True)
    process.start()
    theirs.close()
    tally = Tally()
    profile: Profile | None = None
    patience = _START
    try:
        while mine.poll(patience):
            message: Message = mine.recv()
            if isinstance(message, TargetError):
                raise message
            if isinstance(message, Profile):
                profile, patience = message, task.op_timeout * 10 + _SILENCE
                continue
            tally = message.tally
            on_progress(tally)
            if message.ended and profile is not None:
                return profile, message
        failed = Failed(Failure.HANG, "the process of the target does not go on")
    except EOFError:
        process.join(_START)
        failed = Failed(Failure.CRASH, _ending(process.exitcode))
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        mine.close()
    if profile is None:
        problem = f"it cannot be started ({failed.name})"
        raise TargetError(task.target, problem, "see that its module can be imported")
    at = number.value
    program = program_number(profile, task.threads, task.seed, at, loose=is_loose(at))
    found = of_failure(program, Played(failed=failed), failed)
    return profile, Progress(tally, found, at, ended=True)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process of the target was killed by signal {-code}"
    return f"the process of the target ended with exit code {code}"
