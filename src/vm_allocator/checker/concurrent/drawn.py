"""Programs and schedules drawn at random, each from a seed and a number, and nothing else."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from vm_allocator.checker.calls import Allocate, Free, Space, Update
from vm_allocator.checker.wide import AbortMove, BeginMove, CommitMove, UpdateMany
from vm_allocator.modelling import Range
from vm_allocator.threads import Schedule, Switch

from .programs import Planned, Program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.checker.profile import Profile
    from vm_allocator.checker.wide import Change
    from vm_allocator.threads import Operation

    from .programs import Single

_UNITS: Final = (1, 2, 2, 3, 4, 4, 6, 8)
"""Sizes of spaces: where there is little room, threads meet."""

_WIDE: Final = ("update_many", "move")
"""Operations on more than one range at a time."""

_FIRST_LOOSE: Final = 60
_LOOSE: Final = 6
"""From that program on, one of so many is for threads let loose."""

_LOOSE_CALLS: Final = 12
"""Calls of each thread there: many, since switches come where they may."""

LOOSE_PLAYS: Final = 3
"""How often such a program is played."""

_MOST_BEFORE: Final = 3
_MOST_IN_ALL: Final = 10
_MOST_EACH: Final = 3
_MOST_SWITCHES: Final = 3


def random_of(*seeds: int) -> Random:
    """Return numbers that depend on the seeds alone."""
    return Random(repr(seeds))  # noqa: S311  # to be repeated, and no secret


def is_loose(number: int) -> bool:
    """Whether the program of that number is for threads that are let loose."""
    return number >= _FIRST_LOOSE and number % _LOOSE == 0


def program_number(
    profile: Profile, threads: int, seed: int, number: int, *, loose: bool
) -> Program:
    """Return the program of that number, for threads that are let loose or not."""
    calls = _LOOSE_CALLS if loose else 0
    return draw_program(profile, threads, random_of(seed, number), calls)


def draw_program(profile: Profile, threads: int, random: Random, calls: int = 0) -> Program:
    """Return a program that the target can be asked.

    `calls` is how many each thread makes; with 0, a few, and fewer where there are many
    threads: what was to be seen is lost among too many.
    """
    most = calls or max(1, min(_MOST_EACH, _MOST_IN_ALL // threads))
    draw = _Draw(profile, random)
    parts = [[draw.allocation() for _ in range(random.randint(0, _MOST_BEFORE))]]
    for _ in range(threads):
        draw.next_thread()
        count = calls or random.randint(1, most)
        parts.append([draw.call() for _ in range(count)])
    return Program(draw.space, tuple(tuple(part) for part in parts))


class _Draw:
    """Draws calls for one program."""

    def __init__(self, profile: Profile, random: Random) -> None:
        self.profile = profile
        self.random = random
        self.space = _space(profile, random)
        self.own: list[int] = []
        """Calls of this thread whose ranges it may free or move."""
        self._moving: list[int] = []
        """Likewise, that have begun a move."""
        self._shared: list[int] = []
        """Likewise, of the calls before the threads."""
        self._before = True
        self._names = 0
        self._unit = min(profile.default_alignment, self.space.size)
        self._careful = not (profile.free_reports and profile.free_by == "range")

    def next_thread(self) -> None:
        """Go on with the calls of another thread."""
        self.own, self._moving = [], []

    def allocation(self) -> Planned:
        """Return an allocation before the threads."""
        made = self._planned(self._allocate())
        self._shared.append(made.name)
        return made

    def call(self) -> Planned:
        """Return a call of the thread that is drawn."""
        if self._moving and self.random.random() < 0.6:  # noqa: PLR2004  # most of them end
            ends = self.random.choice((CommitMove, AbortMove))
            at = self.space.base
            return self._planned(ends(Range(at, at)), self._moving.pop(0))
        held = self.own + self._shared
        kind = self.random.random()
        if kind < 0.5 or (self._careful and not held):  # noqa: PLR2004  # half of the calls
            made = self._planned(self._allocate())
            self.own.append(made.name)
            return made
        of = self._one_of(held) if held and self.random.random() < 0.8 else None  # noqa: PLR2004
        if of is None and self._careful:
            return self.call()
        size, start = self._size(), self._start()
        if kind < 0.75 and self.profile.updates:  # noqa: PLR2004  # a quarter
            wide = [] if of is None or self._careful else list(filter(self.profile.does, _WIDE))
            if wide and self.random.random() < 0.4:  # noqa: PLR2004
                return self._wide(self.random.choice(wide), of)
            made = self._planned(Update(self._start(), self._size(), start, size), of)
            self.own.append(made.name)
            return made
        return self._planned(Free(start, size), of)

    def _wide(self, operation: str, of: int | None) -> Planned:
        """Return several changes at once, or the beginning of a move, of a range that is held."""
        old = Range(self.space.base, self.space.base)  # stands for nothing
        new, other = self._range(), self._range()
        if operation == "move":
            made = self._planned(BeginMove(old, new), of)
            self._moving.append(made.name)
            return made
        changes: tuple[Change, ...] = ((old, new), (None, other))
        made = self._planned(UpdateMany(changes), of)
        self.own.append(made.name)
        return made

    def _range(self) -> Range:
        start = self._start()
        return Range(start, start + self._size() - 1)

    def _one_of(self, held: Sequence[int]) -> int:
        of = self.random.choice(held)
        # Mostly, a range that is gone is not asked for again; sometimes that is the point.
        if self._careful or self.random.random() < 0.7:  # noqa: PLR2004
            for names in (self.own, self._shared):
                if of in names:
                    names.remove(of)
        return of

    def _planned(self, call: Single, of: int | None = None) -> Planned:
        self._names += 1
        return Planned(self._names, call, of)

    def _allocate(self) -> Allocate:
        profile, random = self.profile, self.random
        exact = "exact" in profile.policies
        size = self._size()
        align = None
        if profile.align and random.random() < 0.15:  # noqa: PLR2004
            align = random.choice([1, 2, 4])
        if exact and (not profile.picks or random.random() < 0.3):  # noqa: PLR2004
            return Allocate(size, self._start(), align=align)
        within = None
        if profile.within and random.random() < 0.15:  # noqa: PLR2004
            ends = sorted((self._start(), self._start()))
            within = Range(ends[0], ends[1])
        return Allocate(size, None, random.choice(profile.picks), align, within)

    def _size(self) -> int:
        if self.profile.most == 1:
            return 1
        most = max(1, self.space.size // self._unit)
        size = min(self.random.choice((1, 1, 1, 2, 2, 3, most)), most) * self._unit
        return min(size, self.profile.most)

    def _start(self) -> int:
        places = max(1, self.space.size // self._unit)
        return self.space.base + self.random.randrange(places) * self._unit


def _space(profile: Profile, random: Random) -> Space:
    unit = max(1, min(profile.default_alignment, profile.limit // 16))
    for _ in range(20):
        size = random.choice(_UNITS) * unit
        base = random.choice((0, 0, unit, 16 * unit))
        if profile.takes_space(Space(base, base + size - 1)):
            return Space(base, base + size - 1)
    size = max(profile.spaces.least_size, min(8 * unit, profile.spaces.greatest_size or 8 * unit))
    base = -(-profile.spaces.least_base // unit) * unit
    return Space(base, base + size - 1)


def draw_schedule(operations: Sequence[Sequence[Operation]], random: Random) -> Schedule:
    """Return a schedule for threads whose operations were these when they were not disturbed."""
    threads = range(len(operations))
    order = list(threads)
    random.shuffle(order)
    switches = []
    places = [(one, place) for one in threads for place in range(len(operations[one]))]
    for _ in range(random.randint(1, _MOST_SWITCHES) if len(order) > 1 and places else 0):
        thread, position = random.choice(places)
        to = random.choice([other for other in threads if other != thread])
        operation = operations[thread][position]
        instruction = random.randint(0, max(1, operation.instructions))
        if operation.marks and random.random() < 0.5:  # noqa: PLR2004  # half of the switches
            instruction = random.choice(operation.marks) + random.randint(1, 4)
        switches.append(Switch(thread, position, instruction, to))
    return Schedule(tuple(sorted(switches)), tuple(order))
