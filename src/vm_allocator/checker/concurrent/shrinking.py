"""From what was found to the smallest program and schedule that show the same.

A smaller program has other instructions at other places. So each candidate is played by the
old schedule as far as that fits it, then with one switch at each of many places, then by
schedules drawn at random: all of it from the same numbers each time.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from vm_allocator.threads import Schedule, Switch

from .drawn import draw_schedule, random_of
from .programs import adapted, smaller
from .search import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .plays import Played
    from .programs import Program
    from .search import Bench, Found

_MOST_PLAYS: Final = 6_000
_MOST_PLACES: Final = 80
_MOST_DRAWN: Final = 40
_LOOSE_PLAYS: Final = 120


class _Shrinker:
    def __init__(self, bench: Bench, found: Found, going_on: Callable[[], bool]) -> None:
        self._bench = bench
        self._broken = found.broken
        self._left = _MOST_PLAYS
        self._going_on = going_on

    def run(self, found: Found) -> Found:
        best = found
        if found.played.schedule is None and self._bench.player.scheduled:
            best = self._first(found.program, self._drawn(found.program, 4 * _MOST_DRAWN)) or found
        seen: set[Program] = set()
        better: Found | None = best
        while better is not None:
            best = better
            better = next(self._better(best, seen), None)
        return self._calmer(best)

    def _better(self, best: Found, seen: set[Program]) -> Iterator[Found]:
        """Yield findings of simpler programs."""
        for program in chain(_shown_only(best), smaller(best.program)):
            if program in seen or program.measure >= best.program.measure:
                continue
            seen.add(program)
            if not program.taken_by(self._bench.profile) or self._over():
                continue
            found = self._first(program, self._schedules(best, program))
            if found is not None:
                yield found

    def _schedules(self, best: Found, program: Program) -> Iterator[Schedule | None]:
        schedule = best.played.schedule
        if schedule is None:
            yield from [None] * _LOOSE_PLAYS
            return
        yield adapted(schedule, best.program, program)
        if not schedule.switches:
            return  # what needs no switch is not to be found by one
        for order in _orders(program):
            serial = self._play(program, Schedule(order=order))[0]
            yield from _one_switch(serial, order)
        yield from self._drawn(program, _MOST_DRAWN)

    def _drawn(self, program: Program, number: int) -> Iterator[Schedule]:
        serial = self._play(program, Schedule())[0]
        random = random_of(number)
        yield from (draw_schedule(serial.operations, random) for _ in range(number))

    def _first(self, program: Program, schedules: Iterator[Schedule | None]) -> Found | None:
        """Return what the first of the schedules shows that tells as much."""
        for schedule in schedules:
            _, found = self._play(program, schedule)
            if found is not None and self._as_good(found):
                self._broken = found.broken
                return found
            if self._over():
                break
        return None

    def _as_good(self, found: Found) -> bool:
        """Whether a finding tells as much. Wrong answers tell more than what they break later."""
        if found.broken is self._broken:
            return True
        crash = self._broken is Broken.NO_CRASH
        return crash and found.broken is Broken.LINEARIZABILITY

    def _over(self) -> bool:
        return self._left <= 0 or not self._going_on()

    def _play(self, program: Program, schedule: Schedule | None) -> tuple[Played, Found | None]:
        self._left -= 1
        return self._bench.try_program(program, schedule)

    def _calmer(self, best: Found) -> Found:
        """Return the finding with no switch that it does not need."""
        schedule = best.played.schedule
        if schedule is None:
            return best
        for simpler in (replace(schedule, order=()), *map(schedule.without, schedule.switches)):
            if simpler != schedule:
                found = self._first(best.program, iter([simpler]))
                if found is not None:
                    return self._calmer(found)
        return best


def _shown_only(found: Found) -> Iterator[Program]:
    """Yield the program without what comes after the wrong answer."""
    if found.illegal is not None:
        shown = {event.name for event in found.illegal.history.events}
        yield found.program.without(
            [one.name for one in found.program.calls if one.name not in shown]
        )


def _orders(program: Program) -> list[tuple[int, ...]]:
    """Return for each thread an order in which it is the first one."""
    threads = range(program.threads)
    return [(first, *(one for one in threads if one != first)) for first in threads]


def _one_switch(serial: Played, order: tuple[int, ...]) -> Iterator[Schedule]:
    """Yield schedules with one switch of the first thread: after locks, then all over its calls."""
    thread = order[0]
    operations = serial.operations[thread] if thread < len(serial.operations) else ()
    places = max(1, _MOST_PLACES // max(1, len(operations) * (len(order) - 1)))
    marked = [
        (position, mark + 1)
        for position, operation in enumerate(operations)
        for mark in dict.fromkeys(operation.marks)
    ]
    spread = [
        (position, instruction)
        for position, operation in enumerate(operations)
        for instruction in range(
            0, operation.instructions + 1, max(1, -(-operation.instructions // places))
        )
    ]
    for position, instruction in marked + spread:
        for to in order[1:]:
            yield Schedule((Switch(thread, position, instruction, to),), order)


def shrunk(bench: Bench, found: Found, going_on: Callable[[], bool] = lambda: True) -> Found:
    """Return the smallest finding of the same property that some thousand plays lead to.

    `going_on` is asked now and then whether there is time for more.
    """
    return _Shrinker(bench, found, going_on).run(found)
