"""Worker processes that can be stopped at once.

`concurrent.futures` waits for what is running before it lets go, and `multiprocessing.Pool`
waits forever for a worker that died. Here whoever stops listening ends the workers, whatever
they are at, and a worker that dies is told as such.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from multiprocessing.process import BaseProcess

A = TypeVar("A")
B = TypeVar("B")


class WorkerLostError(Exception):
    """A worker ended before it answered: killed, out of memory, or crashed in a solver."""


@dataclass
class _Worker(Generic[A]):
    process: BaseProcess
    connection: Connection
    at: A


def spread(
    function: Callable[[A], B], questions: Sequence[A], jobs: int
) -> Generator[tuple[A, B], None, None]:
    """Yield each question with its answer, as answers come in; questions are begun in order.

    Raises what the function raises, and `WorkerLostError`. Closing the iterator, or leaving it
    by an exception, kills the workers: no process is left, and no answer is waited for.
    """
    # Fresh processes, not forks: solvers keep state that a fork would share by accident.
    context = multiprocessing.get_context("spawn")
    waiting = deque(questions)
    workers: dict[Connection, _Worker[A]] = {}
    try:
        while waiting and len(workers) < jobs:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(function, theirs), daemon=True)
            process.start()
            theirs.close()
            workers[ours] = _Worker(process, ours, waiting.popleft())
            _hand_over(workers[ours])
        while workers:
            for ready in wait(list(workers)):
                assert isinstance(ready, Connection)  # noqa: S101  # for the type checker
                worker = workers[ready]
                question = worker.at
                answer: B = _answer(worker)
                if waiting:
                    worker.at = waiting.popleft()
                    _hand_over(worker)
                else:
                    _end(workers.pop(ready))
                yield question, answer
    finally:
        for worker in workers.values():
            worker.process.kill()
        for worker in workers.values():
            _end(worker)


def _hand_over(worker: _Worker[A]) -> None:
    # If the worker has died, reading its answer is what tells.
    with suppress(OSError):
        worker.connection.send(worker.at)


def _answer(worker: _Worker[A]) -> Any:
    """Return what came out of the pipe, which carries no types."""
    try:
        answer: object = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join()
        raise WorkerLostError(
            f"the process that was at {worker.at} ended with {worker.process.exitcode}"
        ) from None
    if isinstance(answer, _Failure):
        answer.error.add_note(answer.where)
        raise answer.error
    return answer


def _end(worker: _Worker[A]) -> None:
    """Wait until the process is gone. One that serves ends when its pipe is closed."""
    worker.connection.close()
    worker.process.join()
    worker.process.close()


@dataclass(frozen=True)
class _Failure:
    """What a function raised, and its traceback, which an exception does not take along."""

    error: Exception
    where: str


def _serve(function: Callable[[A], B], connection: Connection) -> None:
    """Answer questions until there are no more: what a worker process runs."""
    # An interrupt goes to every process of a terminal; the parent alone decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            question = connection.recv()
            try:
                answer: B | _Failure = function(question)
            except Exception as error:  # noqa: BLE001  # raised again by the parent
                answer = _Failure(error, traceback.format_exc())
            connection.send(answer)
