"""The scheduler: threads of which exactly one goes on at a time, and a schedule says which.

Each thread runs under `sys.settrace` with an event for every bytecode instruction, so that it
can be stopped between any two of them: where the interpreter might switch threads, and some
places more. What is written in C is one instruction. The same functions, if they do the same
each time, and the same schedule give the same execution.
"""

from __future__ import annotations

import gc
import sys
import threading
from dataclasses import dataclass, field
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from . import locks
from .execution import Execution, Limits, Operation, Stop, Stuck
from .locks import SchedulableLock, scheduled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from .schedule import Schedule, Switch

_OURS: Final = frozenset({__file__, locks.__file__, threading.__file__})
_IMPORT_SYSTEM: Final = "<frozen importlib"


class _AbandonedError(BaseException):
    """Ends a thread of an execution that cannot go on; no handler of the functions stops it."""


def run(
    threads: Sequence[Sequence[Callable[[], Any]]],
    schedule: Schedule,
    limits: Limits | None = None,
    unseen: frozenset[str] = frozenset(),
) -> Execution:
    """Run the functions of each thread one after the other, all threads by the schedule.

    Whatever a function raises is kept as its outcome, and the thread goes on with the next one.
    No thread is stopped within functions of the files that are `unseen`, and their
    instructions do not count.
    """
    collecting = gc.isenabled()
    gc.disable()  # what a finalizer does would come at any moment, and not at the same one again
    try:
        return _Scheduler(threads, schedule, limits or Limits(), unseen).run()
    finally:
        if collecting:
            gc.enable()


@dataclass(eq=False)
class _Worker:
    """A thread of the schedule. Only the one that goes on changes anything."""

    scheduler: _Scheduler
    number: int
    functions: Sequence[Callable[[], Any]]
    switches: list[Switch]
    baton: Any = field(default_factory=locks.new_lock)
    operations: list[Operation] = field(default_factory=list)
    instruction: int = 0
    stop_at: int = 0
    waits_for: SchedulableLock | None = None
    until: float | None = None
    timed_out: bool = False
    done: bool = False
    marks: list[int] = field(default_factory=list)
    place: str = ""
    ident: int = 0

    @property
    def ready(self) -> bool:
        """Whether it can go on."""
        return not self.done and self.waits_for is None

    def body(self) -> None:
        """Wait for the first turn, and run the functions."""
        self.ident = get_ident()
        before = sys.gettrace()
        self.baton.acquire()
        scheduled[self.ident] = self
        try:
            if not self.scheduler.abandoned:
                for position, function in enumerate(self.functions):
                    self._operate(position, function)
        except _AbandonedError:
            pass
        finally:
            sys.settrace(before)
            del scheduled[self.ident]
            self.done = True
            self.scheduler.go_on(self)  # never waits: this thread has ended

    def _operate(self, position: int, function: Callable[[], Any]) -> None:
        scheduler = self.scheduler
        self.instruction = 0
        self.marks.clear()
        while self.switches and self.switches[0].operation < position:
            self.switches.pop(0)  # it was to happen later in an operation than that went
        self._next_stop(position)
        if self.stop_at == 0:
            self._stop(None)
        invoked = scheduler.moment()
        self.operations.append(Operation(invoked))
        value, error = None, None
        sys.settrace(self._trace_call)
        try:
            value = function()
        except _AbandonedError:
            raise
        except BaseException as raised:  # noqa: BLE001  # whatever it is, it is the outcome
            error = raised
        finally:
            sys.settrace(None)
            self.place = ""
        if scheduler.abandoned:
            raise _AbandonedError
        self.operations[position] = Operation(
            invoked, scheduler.moment(), value, error, self.instruction, tuple(self.marks)
        )

    def _next_stop(self, position: int) -> None:
        limits = self.scheduler.limits
        patience = self.instruction - self.instruction % limits.patience + limits.patience
        self.stop_at = min(patience, limits.instructions)
        if self.switches and self.switches[0].operation == position:
            self.stop_at = min(self.stop_at, self.switches[0].instruction)

    def _trace_call(self, frame: FrameType, _event: str, _argument: object) -> Any:
        file = frame.f_code.co_filename
        if file in self.scheduler.unseen or file.startswith(_IMPORT_SYSTEM):
            return None
        frame.f_trace = self._trace_instruction  # Python 3.13 wants it to be there first
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._trace_instruction

    def _trace_instruction(self, frame: FrameType, event: str, _argument: object) -> Any:
        if event == "opcode":
            self.instruction += 1
            if self.instruction >= self.stop_at:
                self._stop(frame)
        return self._trace_instruction

    def _stop(self, frame: FrameType | None) -> None:
        """Make the switches that are due here."""
        position = len(self.operations) - (frame is not None)
        scheduler = self.scheduler
        self.place = _place(frame)
        if self.instruction >= scheduler.limits.instructions:
            scheduler.abandon("endless")
            raise _AbandonedError
        due = None
        while self.switches and (
            (self.switches[0].operation, self.switches[0].instruction)
            <= (position, self.instruction)
        ):
            due = self.switches.pop(0)
        self._next_stop(position)
        if due is None:
            scheduler.rotate(self)
        else:
            scheduler.switch(self, due)

    # ---- what the locks ask

    def wait_for(self, lock: SchedulableLock, seconds: float | None) -> bool:
        """See `locks.Waiter`."""
        self.place = _place(_seen(sys._getframe()))  # noqa: SLF001  # who acquires
        self.waits_for, self.timed_out = lock, False
        self.until = None if seconds is None else self.scheduler.clock + seconds
        try:
            self.scheduler.go_on(self)
        finally:
            self.waits_for = self.until = None
        return not self.timed_out

    def acquired(self) -> None:
        """See `locks.Waiter`."""
        self.marks.append(self.instruction)

    def released(self, lock: SchedulableLock) -> None:
        """See `locks.Waiter`."""
        self.marks.append(self.instruction)
        for other in self.scheduler.workers:
            if other.waits_for is lock:
                other.waits_for = None

    def pause(self, seconds: float) -> None:
        """See `locks.Waiter`."""
        self.place = _place(_seen(sys._getframe()))  # noqa: SLF001  # who sleeps
        self.scheduler.clock += seconds
        self.scheduler.rotate(self)

    @property
    def clock(self) -> float:
        """See `locks.Waiter`."""
        return self.scheduler.clock


class _Scheduler:
    def __init__(
        self,
        threads: Sequence[Sequence[Callable[[], Any]]],
        schedule: Schedule,
        limits: Limits,
        unseen: frozenset[str],
    ) -> None:
        self.limits = limits
        self.unseen = unseen | _OURS
        self.abandoned = False
        self.clock = 0.0
        self.workers = [
            _Worker(self, number, functions, [s for s in schedule.switches if s.thread == number])
            for number, functions in enumerate(threads)
        ]
        given = [one for one in dict.fromkeys(schedule.order) if 0 <= one < len(threads)]
        rest = [number for number in range(len(threads)) if number not in given]
        self._order = [self.workers[number] for number in given + rest]
        self._stops: list[Stop] = []
        self._stuck: Stuck | None = None
        self._moments = 0
        self._finished: Any = locks.new_lock()

    def run(self) -> Execution:
        """Start the threads, and wait until all have ended, or cannot."""
        self._finished.acquire()
        threads = [
            threading.Thread(target=worker.body, name=f"scheduled {worker.number}", daemon=True)
            for worker in self.workers
        ]
        for worker, thread in zip(self.workers, threads, strict=True):
            worker.baton.acquire()
            thread.start()
        left = False
        if self._order:
            self._order[0].baton.release()
            left = not self._wait()
            if not left:
                for thread in threads:
                    thread.join()
        operations = tuple(tuple(worker.operations) for worker in self.workers)
        return Execution(operations, tuple(self._stops), self._stuck, left)

    def _wait(self) -> bool:
        """Wait for the threads; whether they have all ended."""
        progress = -1
        while not self._finished.acquire(timeout=self.limits.seconds):
            now = self._moments + sum(worker.instruction for worker in self.workers)
            if now == progress:
                frames = sys._current_frames()  # noqa: SLF001  # documented, for debuggers
                for worker in self.workers:
                    if not worker.done and worker.waits_for is None:
                        worker.place = worker.place or _place(_seen(frames.get(worker.ident)))
                self._stuck = self._stuck or self._told("blocked")
                self.abandoned = True  # should it ever go on, it ends there
                return False
            progress = now
        return True

    def moment(self) -> int:
        """Return the next moment."""
        self._moments += 1
        return self._moments - 1

    # ---- who goes on; called by the thread that went on until now

    def switch(self, worker: _Worker, due: Switch) -> None:
        """Make a switch: to the thread that it names, or another one if that cannot go on."""
        wanted = self.workers[due.to] if 0 <= due.to < len(self.workers) else worker
        ready = [one for one in (wanted, *self._order) if one.ready and one is not worker]
        if ready:
            self._stops.append(Stop(due, self._moments, worker.place))
            self._hand_over(worker, ready[0])

    def rotate(self, worker: _Worker) -> None:
        """Let the next thread that can go on do so."""
        place = self._order.index(worker)
        ready = [one for one in self._order[place + 1 :] + self._order[:place] if one.ready]
        if ready:
            self._hand_over(worker, ready[0])

    def go_on(self, worker: _Worker) -> None:
        """Let another thread go on, since this one waits or has ended."""
        ready = [one for one in self._order if one.ready and one is not worker]
        if not ready and not self.abandoned:
            ready = self._timed_out()
        if not ready and not self.abandoned and not all(one.done for one in self.workers):
            self.abandon("deadlock")
        if not ready and self.abandoned:
            ready = [one for one in self._order if not one.done]
        if not ready:
            self._finished.release()
        elif ready[0] is not worker:
            self._hand_over(worker, ready[0])
        elif self.abandoned:
            raise _AbandonedError

    def _timed_out(self) -> list[_Worker]:
        """Let the time pass until the first of those who wait for so long only gives up."""
        waiting = [one for one in self._order if not one.done and one.until is not None]
        first = min(waiting, key=lambda one: one.until or 0.0, default=None)
        if first is None:
            return []
        self.clock = max(self.clock, first.until or 0.0)
        first.timed_out, first.waits_for, first.until = True, None, None
        return [first]

    def abandon(self, how: str) -> None:
        """Give the execution up: every thread ends where it is."""
        self._stuck = self._told(how)
        self.abandoned = True

    def _hand_over(self, worker: _Worker, to: _Worker) -> None:
        to.baton.release()
        if not worker.done:
            worker.baton.acquire()
            if self.abandoned:
                raise _AbandonedError

    def _told(self, how: str) -> Stuck:
        return Stuck(how, tuple(self._where(worker) for worker in self.workers))

    def _where(self, worker: _Worker) -> str:
        if worker.done:
            return "has ended"
        if worker.waits_for is not None:
            holder = worker.waits_for.holder
            by = "" if holder is None else f", held by thread {holder + 1}"
            return f"waits for a lock{by}, at {worker.place}"
        return f"is at {worker.place}" if worker.place else "could go on"


def _seen(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame that is not of the scheduler."""
    while frame is not None and frame.f_code.co_filename in _OURS:
        frame = frame.f_back
    return frame


def _place(frame: FrameType | None) -> str:
    """Return where a frame is, for people."""
    if frame is None:
        return ""
    code = frame.f_code  # what follows is C throughout: Python would be seen as the function's
    return f"{code.co_filename.rpartition('/')[2]}:{frame.f_lineno} in {code.co_name}"
