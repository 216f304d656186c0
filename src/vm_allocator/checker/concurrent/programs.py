"""Programs of several threads: what is called, as plain data, and how it is made smaller."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from vm_allocator.checker.calls import Allocate, Done, Free, Pick, Plain, Space, Update
from vm_allocator.checker.wide import BeginMove, EndMove, UpdateMany, Wide
from vm_allocator.modelling import Range
from vm_allocator.threads import Schedule, Switch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vm_allocator.checker.calls import Reply
    from vm_allocator.checker.profile import Profile

Single: TypeAlias = Plain | Wide
"""What a thread asks: one call, and no batch of them."""

_LONG: Final = 3
"""Calls of a thread from which on it is tried to leave out half of them at once."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A call of a program, under a name that no other call of it has.

    With `of`, it is about the range that the call of that name was granted: its start and size
    (of an update: the old ones; of several changes: those of the first) stand for nothing, and
    if nothing was granted it is left out. What ends a move is about the call that began it.
    """

    name: int
    call: Single
    of: int | None = None

    def resolved(self, granted: Mapping[int, Range]) -> Single | None:
        """Return the call to be made, now that it is known what was granted to which name."""
        if self.of is None:
            return self.call
        found = granted.get(self.of)
        return None if found is None else _about(self.call, found)


def _about(call: Single, found: Range) -> Single | None:
    """Return the call as one about a range that was granted."""
    size = found.end - found.start + 1
    match call:
        case Free():
            return Free(found.start, size)
        case Update():
            return replace(call, old_start=found.start, old_size=size)
        case UpdateMany(changes=((_, new), *others)):
            return replace(call, changes=((found, new), *others))
        case BeginMove() | EndMove():
            return replace(call, old_range=found)
    return None


def left_by(call: Single, reply: Reply) -> Range | None:
    """Return the range that later calls about this one are about, if it was carried out."""
    if not isinstance(reply, Done):
        return None
    match call:
        case Allocate() | Update():
            start = call.start if reply.start is None else reply.start
            return None if start is None else Range(start, start + call.size - 1)
        case UpdateMany(changes=((_, new), *_)):
            return new
        case BeginMove(old_range=old):
            return old
    return None


@dataclass(frozen=True, slots=True)
class Program:
    """Calls on one fresh allocator: those of part 0 come first, then all other parts at once."""

    space: Space
    parts: tuple[tuple[Planned, ...], ...]

    @property
    def threads(self) -> int:
        """How many parts go on at once."""
        return len(self.parts) - 1

    @property
    def calls(self) -> list[Planned]:
        """All calls."""
        return [planned for part in self.parts for planned in part]

    @property
    def measure(self) -> tuple[int, ...]:
        """What makes one program simpler than another, the most important thing first."""
        calls = self.calls
        return (
            len(calls) - len(self.parts[0]),
            self.threads,
            len(calls),
            sum(isinstance(planned.call, Update | Wide) for planned in calls),
            self.space.size,
            self.space.base,
            sum(_weight(planned) for planned in calls),
        )

    def without(self, names: Collection[int]) -> Program:
        """Return the program without some calls, and without those about what they are granted.

        Threads that have nothing left to do go, too.
        """
        lost = set(names)
        while True:
            more = {planned.name for planned in self.calls if planned.of in lost} - lost
            if not more:
                break
            lost |= more
        kept = [tuple(one for one in part if one.name not in lost) for part in self.parts]
        return replace(self, parts=(kept[0], *filter(None, kept[1:])))

    def with_call(self, changed: Planned) -> Program:
        """Return the program in which a call is another one, of the same name."""
        parts = (
            tuple(changed if one.name == changed.name else one for one in part)
            for part in self.parts
        )
        return replace(self, parts=tuple(parts))

    def taken_by(self, profile: Profile) -> bool:
        """Whether the target can be asked all of this, by what its handshake says.

        Where it does not tell that it declines to free, nobody frees what may not be live: each
        range is freed or moved once, by one who was granted it.
        """
        if not profile.takes_space(self.space):
            return False
        used: set[int] = set()
        for planned in self.calls:
            call = planned.call
            if isinstance(call, Wide) and not (profile.takes(call) and _may_free_anything(profile)):
                return False
            if planned.of is None:
                if not profile.takes(call) or (
                    not isinstance(call, Allocate) and not _may_free_anything(profile)
                ):
                    return False
            elif not _may_free_anything(profile):
                if planned.of in used:
                    return False
                used.add(planned.of)
        return True


def _may_free_anything(profile: Profile) -> bool:
    return profile.free_reports and profile.free_by == "range"


def _weight(planned: Planned) -> int:
    call = planned.call
    if isinstance(call, Wide):
        return sum(call.numbers()) + call.options()
    if isinstance(call, Free):
        return 0 if planned.of is not None else 1 + call.start + call.size
    options = (0 if call.align is None else call.align) + (0 if call.within is None else 1)
    old = 0 if planned.of is not None or isinstance(call, Allocate) else call.old_start
    other = isinstance(call, Allocate) and call.start is None and call.pick is not Pick.FIRST
    return call.size + (0 if call.start is None else 1 + call.start) + options + old + other


def adapted(schedule: Schedule, before: Program, after: Program) -> Schedule:
    """Return a schedule for a program as one for what was made of that: calls keep their names."""
    old = {
        (thread, position): planned.name
        for thread, part in enumerate(before.parts[1:])
        for position, planned in enumerate(part)
    }
    new = {
        planned.name: (thread, position)
        for thread, part in enumerate(after.parts[1:])
        for position, planned in enumerate(part)
    }
    threads = {thread: new[name][0] for (thread, _), name in reversed(old.items()) if name in new}
    switches = []
    for switch in schedule.switches:
        place = new.get(old.get((switch.thread, switch.operation), -1))
        if place is not None and switch.to in threads:
            switches.append(Switch(*place, switch.instruction, threads[switch.to]))
    order = dict.fromkeys(threads[one] for one in schedule.order if one in threads)
    return Schedule(tuple(sorted(switches)), tuple(order))


def smaller(program: Program) -> Iterator[Program]:
    """Yield simpler programs, the boldest changes first."""
    for part in program.parts:
        names = [planned.name for planned in part]
        yield program.without(names)
        if len(names) > _LONG:
            yield program.without(names[len(names) // 2 :])
            yield program.without(names[: len(names) // 2])
    for planned in reversed(program.calls):
        yield program.without([planned.name])
    for thread in range(1, len(program.parts)):
        yield _begun_earlier(program, thread)
    yield from _smaller_space(program)
    for planned in program.calls:
        yield from (program.with_call(one) for one in _simpler(planned))


def _begun_earlier(program: Program, thread: int) -> Program:
    """Return the program with the first call of a thread made before all threads."""
    first, *others = program.parts[thread]
    parts = (*program.parts[1:thread], tuple(others), *program.parts[thread + 1 :])
    return replace(program, parts=((*program.parts[0], first), *filter(None, parts)))


def _smaller_space(program: Program) -> Iterator[Program]:
    space = program.space
    if space.base:
        yield _moved(program, -space.base)
    for size in sorted({1, 2, space.size // 2, space.size - 1}):
        if 1 <= size < space.size:
            yield replace(program, space=Space(space.base, space.base + size - 1))


def _moved(program: Program, by: int) -> Program:
    """Return the program in a space that is elsewhere, with everything in it."""

    def moved(call: Single) -> Single:
        if isinstance(call, Wide):
            return call.ranges(lambda one: Range(max(0, one.start + by), max(0, one.end + by)))
        if isinstance(call, Free):
            return replace(call, start=call.start + by)
        window = call.within
        if window is not None:
            window = Range(max(0, window.start + by), max(0, window.end + by))
        if isinstance(call, Update):
            old = call.old_start + by
            return replace(call, old_start=old, start=call.start + by, within=window)
        start = None if call.start is None else call.start + by
        return replace(call, start=start, within=window)

    parts = tuple(
        tuple(replace(one, call=moved(one.call)) for one in part) for part in program.parts
    )
    return Program(Space(program.space.base + by, program.space.last + by), parts)


def _simpler(planned: Planned) -> Iterator[Planned]:
    """Yield simpler calls in the place of one."""
    call = planned.call
    if isinstance(call, Wide):
        for other in (*call.simpler(), call.ranges(lambda one: Range(one.start, one.start))):
            yield replace(planned, call=other)
        return
    if not isinstance(call, Free):
        for simpler in _simpler_place(call):
            yield replace(planned, call=simpler)


def _simpler_place(call: Allocate | Update) -> Iterator[Allocate | Update]:
    """Yield the call with a part left out, or a number made smaller."""
    if call.within is not None:
        yield replace(call, within=None)
    if call.align is not None:
        yield replace(call, align=None)
    for size in sorted({1, call.size // 2, call.size - 1}):
        if 1 <= size < call.size:
            yield replace(call, size=size)
    if isinstance(call, Allocate) and call.start is not None:
        yield replace(call, start=None)
    if isinstance(call, Allocate) and call.start is None and call.pick is not Pick.FIRST:
        yield replace(call, pick=Pick.FIRST)
    if call.start is not None and call.start > 0:
        for start in sorted({0, call.start - 1}):
            yield replace(call, start=start)
