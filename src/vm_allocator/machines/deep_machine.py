"""The machine that makes the index large: many small ranges, and alignments met late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .base import has_gap, has_live, step
from .index_machine import IndexMachine

if TYPE_CHECKING:
    from random import Random

A_STEP: Final = 10  # ranges: with nodes of four, a few steps make a tree of four levels


class DeepTreeMachine(IndexMachine):
    """As the index machine; besides, it adds and removes many ranges in one step."""

    @step(has_gap)
    def add_many(self, chance: Random) -> None:
        """Fill a gap with ranges of a few units, some of them with a hole behind them."""
        on, draw = self.choose(chance, has_gap)
        start, end = draw.gap()
        sizes, holes = draw.pick(((1,), (1, 2, 3), (4, 8))), draw.pick(((0,), (0, 1, 3, 7)))
        for _ in range(A_STEP):
            last = start + draw.pick(sizes) - 1
            if end < last:
                break
            self.do(on, "add", start, last)
            self.run.tally.count(None)
            start = last + 1 + draw.pick(holes)

    @step(has_gap)
    def find_and_add_many(self, chance: Random) -> None:
        """Take the lowest or the highest room for many ranges, across several leaves."""
        on, draw = self.choose(chance, has_gap)
        method, align = draw.pick(("lowest_fits", "highest_fits")), draw.pick((1, 2, 4, 16))
        span, count = draw.pick((0, 0, 1, 2, 5)), draw.pick((3, A_STEP))
        found = self.do(on, method, count, span, align, *self.window(draw))
        self.do(on, "add_all", list(found or ()), span)
        self.run.tally.count(None)

    @step(has_live)
    def remove_many(self, chance: Random) -> None:
        """Free neighbours, or ranges here and there."""
        on, draw = self.choose(chance, has_live)
        live = list(draw.model.live)  # type: ignore[call-overload]  # the oracle's sets are finite
        first, stride = chance.randrange(len(live)), draw.pick((1, 1, 2, 3))
        for start, end in live[first::stride][:A_STEP]:
            self.do(on, "remove", start, end)
            self.run.tally.count(None)

    @step()
    def meet_an_alignment(self, chance: Random) -> None:
        """Ask for a little at an alignment that few gaps have, now and then for the first time."""
        on, draw = self.choose(chance)
        align, size = 1 << chance.randrange(13), draw.pick((1, 2, 3, 5, 7, 12))
        method = draw.pick(("lowest_fit", "highest_fit"))
        self.do(on, method, size - 1, align, *self.window(draw))
