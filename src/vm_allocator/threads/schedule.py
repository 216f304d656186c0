"""A schedule: where threads are switched. Plain data, to be drawn, saved, and played again."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, order=True)
class Switch:
    """Before `thread` runs instruction number `instruction` of its operation, `to` goes on.

    Threads and operations count from 0. Instructions are those of bytecode, in Python functions
    that the operation calls, from 1 on; at 0, the operation has not begun.
    """

    thread: int
    operation: int
    instruction: int
    to: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which thread goes on when, for programs of any length.

    A thread goes on until a switch, until it ends, or until it waits for something. Then the
    first thread in `order` that can go on does; those that `order` leaves out come last.
    """

    switches: tuple[Switch, ...] = ()
    order: tuple[int, ...] = ()

    def without(self, switch: Switch) -> Schedule:
        """Return the schedule with one switch less."""
        return replace(self, switches=tuple(one for one in self.switches if one != switch))
