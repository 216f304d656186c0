"""Concurrent histories: which call of which thread began and ended when, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vm_allocator.checker.calls import Call, Reply, Space
    from vm_allocator.modelling import Range

ALONE = 0
"""The number of the thread before and after all others; those count from 1."""


@dataclass(frozen=True, slots=True)
class Event:
    """One call. Moments count beginnings and ends of calls: each is of one call alone.

    A call that has not ended has no end and no reply: it may have happened, or not. `name` is
    that of the call in its program.
    """

    thread: int
    call: Call
    began: int
    ended: int | None = None
    reply: Reply | None = None
    name: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """The calls on one allocator, by when they began, and what is live after all of them.

    `live` is `None` if that is not known.
    """

    space: Space
    events: tuple[Event, ...]
    live: tuple[Range, ...] | None = None

    def until(self, moment: int) -> History:
        """Return the history as it was at that moment: later ends have not happened yet."""
        events = tuple(
            event
            if event.ended is not None and event.ended <= moment
            else replace(event, ended=None, reply=None)
            for event in self.events
            if event.began <= moment
        )
        return History(self.space, events)

    @property
    def overlapping(self) -> int:
        """How many calls began before one of another thread had ended that began before them."""
        found, last = 0, -1
        for event in self.events:
            found += event.began < last
            last = max(last, event.began if event.ended is None else event.ended)
        return found

    @property
    def threads(self) -> int:
        """The greatest number of a thread."""
        return max((event.thread for event in self.events), default=0)
