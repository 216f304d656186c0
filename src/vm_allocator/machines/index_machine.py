"""The machine that drives a gap index alone, through the `GapIndex` protocol.

Any index can be plugged in by its factory `(base, last) -> GapIndex`. Only what the
contract's preconditions allow is called; the allocators never call anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import SessionMachine, has_gap, has_live, step
from .index_lockstep import IndexLockstep

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from .requests import Requests
    from .session import Subject


class IndexMachine(SessionMachine):
    """Random calls to an index and a copy of it, each beside the model with the same ranges."""

    def builder(self, first: int, last: int, align: Callable[[], int]) -> Callable[[], Subject]:
        """Return what builds an index in lockstep; an index has no default alignment."""
        del align
        factory = self.run.factory
        return lambda: IndexLockstep(factory(first, last), first, last)

    @step(has_gap)
    def add(self, chance: Random) -> None:
        """Make a part of a gap live: its start, its end, its middle or all of it."""
        on, draw = self.choose(chance, has_gap)
        start, end = draw.gap()
        room = end - start
        start = min(start + draw.pick((0, 1, 2, room // 2, room, draw.size() - 1)), end)
        span = draw.pick((0, 1, 2, 0, 1, 2, room, draw.size() - 1))
        self.do(on, "add", start, min(start + span, end))
        self.run.tally.count(None)

    @step(has_live)
    def remove(self, chance: Random) -> None:
        """Free a live range."""
        on, draw = self.choose(chance, has_live)
        self.do(on, "remove", *draw.live())
        self.run.tally.count(None)

    @step()
    def find_the_lowest_room(self, chance: Random) -> None:
        """Ask for the lowest fit, and often take it."""
        self.find_room("lowest_fit", chance)

    @step()
    def find_the_highest_room(self, chance: Random) -> None:
        """Ask for the highest fit, and often take it."""
        self.find_room("highest_fit", chance)

    def find_room(self, method: str, chance: Random) -> None:
        """Ask for room in a window of the space."""
        on, draw = self.choose(chance)
        size = draw.pick((1, 2, 3, draw.size()))
        align = draw.pick(self.run.alignments)
        found = self.do(on, method, size - 1, align, *self.window(draw))
        if found is not None and draw.pick((True, False)):
            self.do(on, "add", found, found + size - 1)
        self.run.tally.count(None if found is not None else "no-space")

    @step()
    def find_room_for_many(self, chance: Random) -> None:
        """Ask for several fits at once, and mostly take them, in this order or another."""
        on, draw = self.choose(chance)
        size = draw.pick((1, 1, 2, 3, draw.size()))
        align = draw.pick(self.run.alignments)
        count = draw.count()
        method = draw.pick(("lowest_fits", "highest_fits"))
        found = list(self.do(on, method, count, size - 1, align, *self.window(draw)) or ())
        if draw.pick((True, True, False)):
            if draw.rarely():
                chance.shuffle(found)
            self.do(on, "add_all", found, size - 1)
        self.run.tally.count(None if len(found) == count else "no-space")

    @step()
    def ask_about_a_range(self, chance: Random) -> None:
        """Ask what overlaps a range of the space, and whether it is live."""
        on, draw = self.choose(chance)
        start, end = self.in_space(draw, draw.place(), draw.place())
        self.do(on, "overlapping", start, end)
        self.do(on, "is_live", start, end)

    @step(has_live)
    def ask_about_a_live_range(self, chance: Random) -> None:
        """Ask about a live range itself, and about one that meets it or touches it."""
        on, draw = self.choose(chance, has_live)
        live = draw.live()
        self.do(on, "is_live", *live)
        start, size = draw.near(live)
        self.do(on, "overlapping", *self.in_space(draw, start, start + size - 1))

    def window(self, draw: Requests) -> tuple[int, int]:
        """Draw a window: mostly the whole space."""
        if draw.pick((True, True, False)):
            return draw.model.base, draw.model.last
        return self.in_space(draw, draw.place(), draw.place())

    @staticmethod
    def in_space(draw: Requests, one: int, other: int) -> tuple[int, int]:
        """Return the range between two places, moved into the space as the contract wants it."""
        base, last = draw.model.base, draw.model.last
        low, high = sorted(min(max(place, base), last) for place in (one, other))
        return low, high
