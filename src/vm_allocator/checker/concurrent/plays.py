"""A program played on a Python target: in threads by a schedule, or in threads let loose."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from vm_allocator import checker
from vm_allocator.checker.calls import Done, Failed, Failure, Skipped
from vm_allocator.threads import Limits, Schedule, run

from .history import ALONE, Event, History
from .programs import left_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.checker.calls import Call, Reply
    from vm_allocator.checker.local import LocalTarget
    from vm_allocator.checker.profile import Profile
    from vm_allocator.modelling import Range
    from vm_allocator.threads import Execution, Operation, Stop, Stuck

    from .programs import Planned, Program

UNSEEN: Final = frozenset(str(file) for file in Path(checker.__file__).parent.rglob("*.py"))
"""Our own files: between their instructions nothing of the target's can happen."""

_OFTEN: Final = 1e-6
"""Seconds between switches of threads that are let loose, where the interpreter can."""


@dataclass(frozen=True)
class Played:
    """What came of a program: a history, and how the target failed, if it did.

    In the history, a call that failed has not ended. There is none if the space was refused.
    `operations` are those of each thread, as the scheduler saw them.
    """

    history: History | None = None
    failed: Failed | None = None
    stuck: Stuck | None = None
    stops: tuple[Stop, ...] = ()
    schedule: Schedule | None = None
    hopeless: bool = False
    """Whether threads are left that never end: the process has to go."""
    operations: tuple[tuple[Operation, ...], ...] = ()
    alone: bool = False
    """Whether it was stuck before there were threads."""


class Player(Protocol):
    """Plays programs on one target."""

    @property
    def profile(self) -> Profile:
        """What the target said of itself."""
        ...

    @property
    def scheduled(self) -> bool:
        """Whether it can play by a schedule."""
        ...

    def perform(self, program: Program, schedule: Schedule | None) -> Played:
        """Play a program: by a schedule, or without one, in which case anything may come of it."""
        ...


@dataclass
class _Recorded:
    """Calls as they happen, whichever thread makes them."""

    target: LocalTarget
    granted: dict[int, Range] = field(default_factory=dict)
    begun: dict[int, Call] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def make(self, planned: Planned) -> tuple[Call, Reply] | None:
        """Make a call, if it is to be made; return it and the reply."""
        call = planned.resolved(self.granted)
        if call is None:
            return None
        self.begun[planned.name] = call
        reply = self.target.do(call)
        left = left_by(call, reply)
        if left is not None:
            self.granted[planned.name] = left
        return call, reply


class LocalPlayer:
    """Plays programs on the Python target, in this process."""

    scheduled = True

    def __init__(self, target: LocalTarget, limits: Limits | None = None) -> None:
        self._target = target
        self._limits = limits or Limits()
        self.profile = target.profile

    def perform(self, program: Program, schedule: Schedule | None) -> Played:
        """See `Player`."""
        recorded = _Recorded(self._target)
        begun = self._target.begin(program.space)
        if not isinstance(begun, Done):
            return Played(failed=begun if isinstance(begun, Failed) else None)
        # By the scheduler too, though there is nothing to switch to: a call may never end.
        alone = [[partial(recorded.make, one) for one in program.parts[0]]]
        execution = run(alone if program.parts[0] else [], Schedule(), self._limits, UNSEEN)
        _note(recorded, program, execution, ALONE, 0)
        if execution.stuck is not None:
            history, failed = self._history(program, recorded, listed=False)
            stuck, left = execution.stuck, execution.left
            return Played(history, failed, stuck, (), Schedule(), left, alone=True)
        first = 2 * len(program.parts[0])
        if schedule is None:
            return self._let_loose(program, recorded, first)
        return self._by_schedule(program, recorded, first, schedule)

    def _by_schedule(
        self, program: Program, recorded: _Recorded, first: int, schedule: Schedule
    ) -> Played:
        threads = [[partial(recorded.make, one) for one in part] for part in program.parts[1:]]
        execution = run(threads, schedule, self._limits, UNSEEN)
        _note(recorded, program, execution, ALONE + 1, first)
        stops = tuple(replace(stop, moment=first + stop.moment) for stop in execution.stops)
        stuck = execution.stuck
        history, failed = self._history(program, recorded, listed=stuck is None)
        return Played(history, failed, stuck, stops, schedule, execution.left, execution.operations)

    def _let_loose(self, program: Program, recorded: _Recorded, first: int) -> Played:
        moments = count(first)  # `next` of it is one instruction of C: no two get the same
        together = threading.Barrier(program.threads)
        events: list[list[Event]] = [[] for _ in range(program.threads)]

        def body(number: int, part: Sequence[Planned]) -> None:
            together.wait()
            for planned in part:
                began = next(moments)
                made = recorded.make(planned)
                ended = next(moments)
                if made is not None:
                    events[number - 1].append(
                        Event(number, made[0], began, ended, made[1], planned.name)
                    )

        threads = [
            threading.Thread(target=body, args=(number, part), daemon=True)
            for number, part in enumerate(program.parts[1:], start=1)
        ]
        before = sys.getswitchinterval()
        sys.setswitchinterval(_OFTEN)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(self._limits.seconds)
        finally:
            sys.setswitchinterval(before)
        if any(thread.is_alive() for thread in threads):
            seconds = self._limits.seconds
            hang = Failed(Failure.HANG, f"threads did not end within {seconds:g} s")
            return Played(failed=hang, hopeless=True)
        recorded.events += [event for part in events for event in part]
        return Played(*self._history(program, recorded, listed=True))

    def _history(
        self, program: Program, recorded: _Recorded, *, listed: bool
    ) -> tuple[History, Failed | None]:
        events, failed = [], None
        for event in sorted(recorded.events, key=lambda event: event.began):
            if isinstance(event.reply, Failed):
                failed = failed or event.reply
                events.append(replace(event, ended=None, reply=None))
            elif not isinstance(event.reply, Skipped):
                events.append(event)
        live = None
        if listed and failed is None and self.profile.lists:
            found = self._target.list_live()
            if isinstance(found, Failed):
                failed = found
            else:
                live = found.live
        return History(program.space, tuple(events), live), failed


def _note(
    recorded: _Recorded, program: Program, execution: Execution, part: int, first: int
) -> None:
    """Take note of the calls of an execution: of which parts, and from which moment on."""
    for number, operations in enumerate(execution.operations, start=part):
        for planned, one in zip(program.parts[number], operations, strict=False):
            if one.error is not None:
                raise one.error  # ours: whatever the target raises is a reply
            began, call, reply = first + one.invoked, recorded.begun.get(planned.name), None
            if one.value is not None:
                call, reply = one.value
            if call is not None:
                ended = None if one.returned is None else first + one.returned
                recorded.events.append(Event(number, call, began, ended, reply, planned.name))
