"""The search for a program and a schedule with which a target does what the model does not.

What is tried depends on the target, the number of threads and the seed, and on nothing else.
Where the time runs out is the machine's affair, and so is what comes of threads let loose. The
search ends with the first thing found: one race shows in many ways.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from itertools import count, repeat
from typing import TYPE_CHECKING, Final

from vm_allocator.checker.calls import Allocate, Failure, Refused
from vm_allocator.checker.judge import Judge
from vm_allocator.threads import Schedule

from .drawn import LOOSE_PLAYS, draw_schedule, is_loose, program_number, random_of
from .linearizability import Verdict, explain, linearize

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.checker.calls import Failed, Space
    from vm_allocator.checker.profile import Profile
    from vm_allocator.threads import Stuck

    from .linearizability import Illegal
    from .plays import Played, Player
    from .programs import Program

_SCHEDULES: Final = 12
"""Schedules that are tried with one program."""


class Broken(enum.Enum):
    """What a target can break that is used by several threads at once."""

    LINEARIZABILITY = "linearizability"
    NO_DEADLOCK = "no deadlock"
    NO_CRASH = "no crash"
    NO_HANG = "no hang"
    PROTOCOL = "protocol"

    @property
    def sentence(self) -> str:
        """The property in words."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    Broken.LINEARIZABILITY: "concurrent calls answer as if each happened at one moment between "
    "its beginning and its end",
    Broken.NO_DEADLOCK: "no threads wait for each other for ever",
    Broken.NO_CRASH: "every call ends, granted or refused",
    Broken.NO_HANG: "every call ends within its time limit",
    Broken.PROTOCOL: "every request gets exactly one reply, in the format of the protocol",
}

_BY_FAILURE: Final = {
    Failure.CRASH: Broken.NO_CRASH,
    Failure.HANG: Broken.NO_HANG,
    Failure.GARBAGE: Broken.PROTOCOL,
}


@dataclass(frozen=True)
class Found:
    """A program, how it was played, and what is wrong with what came of it.

    `illegal` is there if the answers are what is wrong.
    """

    program: Program
    played: Played
    broken: Broken
    operation: str
    actual: str
    words: str
    illegal: Illegal | None = None

    @property
    def fingerprint(self) -> str:
        """A name that stays the same as long as the property, the call and the answer do."""
        key = f"{self.broken.value}\0{self.operation}\0{self.actual}"
        return hashlib.sha256(key.encode()).hexdigest()[:12]

    @property
    def title(self) -> str:
        """The finding in a line."""
        return f"{self.operation}: {self.actual}" if self.operation else self.actual


@dataclass
class Tally:
    """What was looked at. `unknown` counts histories that were too much for the search."""

    programs: int = 0
    executions: int = 0
    loose: int = 0
    calls: int = 0
    overlapping: int = 0
    switches: int = 0
    spaces: set[Space] = field(default_factory=set)
    unknown: int = 0


class Bench:
    """A target, and the judge of each space that it is tried in."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.profile: Profile = player.profile
        self.tally = Tally()
        self._judges: dict[Space, Judge] = {}

    def try_program(
        self, program: Program, schedule: Schedule | None
    ) -> tuple[Played, Found | None]:
        """Play a program once, and judge what came of it."""
        played = self.player.perform(program, schedule)
        return played, self._judged(program, played)

    def _judged(self, program: Program, played: Played) -> Found | None:
        tally = self.tally
        tally.executions += 1
        tally.loose += played.schedule is None
        tally.switches += len(played.stops)
        history = played.history
        if played.stuck is not None:
            return _of_stuck(program, played, played.stuck)
        if history is None:
            return None if played.failed is None else of_failure(program, played, played.failed)
        tally.calls += len(history.events)
        tally.overlapping += history.overlapping
        tally.spaces.add(program.space)
        judge = self.judge(program.space)
        outcome = linearize(judge, history)
        tally.unknown += outcome.verdict is Verdict.UNKNOWN
        if outcome.verdict is Verdict.NOT_LINEARIZABLE:
            return _of_illegal(program, played, explain(judge, history, outcome))
        return None if played.failed is None else of_failure(program, played, played.failed)

    def judge(self, space: Space) -> Judge:
        """Return the judge of a space: the same one each time, since judges remember."""
        judge = self._judges.get(space)
        if judge is None:
            judge = self._judges[space] = Judge(self.profile, space)
        return judge


def of_failure(program: Program, played: Played, failed: Failed) -> Found:
    """Return the finding that a target failed."""
    actual = f"{failed.how.value}: {failed.name}"
    words = f"{actual}\n{failed.detail}" if failed.detail else actual
    return Found(program, played, _BY_FAILURE[failed.how], "", actual, words)


def _of_stuck(program: Program, played: Played, stuck: Stuck) -> Found:
    broken = Broken.NO_DEADLOCK if stuck.how == "deadlock" else Broken.NO_HANG
    words = "\n".join(
        f"before the threads: a call {what}" if played.alone else f"thread {number} {what}"
        for number, what in enumerate(stuck.threads, 1)
    )
    return Found(program, played, broken, "", _STUCK[stuck.how], words)


def _of_illegal(program: Program, played: Played, illegal: Illegal) -> Found:
    if illegal.event is None:
        operation, actual = "", "what is live in the end fits no order of the calls"
    else:
        event = illegal.history.events[illegal.event]
        operation = event.call.kind
        actual = "its answer fits no order of the calls"
        if isinstance(event.reply, Refused):
            actual = f"refused ({event.reply.reason}), which fits no order of the calls"
        elif isinstance(event.call, Allocate):
            actual = "granted a place that fits no order of the calls"
    return Found(program, played, Broken.LINEARIZABILITY, operation, actual, illegal.words, illegal)


_STUCK: Final = {
    "deadlock": "threads wait for each other",
    "endless": "a call that does not end",
    "blocked": "a call waits for something that the scheduler does not see",
}


def search(
    bench: Bench,
    threads: int,
    seed: int,
    going_on: Callable[[int], bool],
    first: int = 0,
) -> tuple[int, Found | None]:
    """Try one program after the other; return the number of the last one, and what it showed.

    `going_on` is asked before each program, by its number, whether to try it.
    """
    for number in count(first):
        if not going_on(number):
            return number, None
        found = try_number(bench, threads, seed, number)
        if found is not None:
            return number, found
    raise AssertionError  # pragma: no cover  # there is no last number


def try_number(bench: Bench, threads: int, seed: int, number: int) -> Found | None:
    """Try the program of that number, with several schedules."""
    loose = not bench.player.scheduled or is_loose(number)
    program = program_number(bench.profile, threads, seed, number, loose=loose)
    bench.tally.programs += 1
    if loose:
        plays = repeat(None, LOOSE_PLAYS)
        return next(filter(None, (bench.try_program(program, one)[1] for one in plays)), None)
    played, found = bench.try_program(program, Schedule())
    random = random_of(seed, number, _SCHEDULES)
    for _ in range(_SCHEDULES):
        if found is not None or played.history is None:
            break
        schedule = draw_schedule(played.operations, random)
        _, found = bench.try_program(program, schedule)
    return found
