"""A short, seeded workout of a bitmap of ids, beside the contract and with its effort counted."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.machines.index_lockstep import IndexLockstep

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from vm_allocator.gaps import GapIndex

# Chunks of 4 ids in groups of 2: a dozen of each, and borders everywhere.
TINY: Final = {"chunk_bits": 2, "fan_bits": 1}
SPACES: Final = ((0, 79), (3, 66), (1021, 1090))
LOOKS: Final = {"_lowest_in", "_highest_in", "_first_from", "_last_upto"}


@dataclass
class Workout:
    """Random calls, each compared with the contract: grow, shrink, and search in between."""

    subject: IndexLockstep
    random: Random
    live: list[tuple[int, int]] = field(default_factory=list)

    def run(self, steps: int) -> None:
        """Raise `DisagreementError`, or whatever the index raises, at the first mistake."""
        for step in range(steps):
            grows = (step // 20) % 2 == 0
            if grows and self.random.random() < 0.1:
                self.take_many()
            elif self.random.random() < (0.8 if grows else 0.2):
                self.take()
            elif self.live:
                self.subject.remove(*self.live.pop(self.random.randrange(len(self.live))))
            self.ask()
            if step % 40 == 25:  # go on with a copy, while the original moves away
                original, self.subject = self.subject, self.subject.fork(f"copy_{step}")
                if self.live:
                    original.remove(*self.live[0])

    def take(self) -> None:
        """Search for room, and use it."""
        size, align = self.random.choice((1, 1, 2, 3, 5, 8, 13)), 1 << self.random.randrange(5)
        search = self.random.choice((self.subject.lowest_fit, self.subject.highest_fit))
        found = search(size - 1, align, *self.window())
        if found is not None:
            self.subject.add(found, found + size - 1)
            self.live.append((found, found + size - 1))

    def take_many(self) -> None:
        """Search for room for several ranges, and use most of it, in any order."""
        size, align = self.random.choice((1, 1, 2, 3, 5)), 1 << self.random.randrange(4)
        search = self.random.choice((self.subject.lowest_fits, self.subject.highest_fits))
        found = search(self.random.choice((1, 3, 7, 20)), size - 1, align, *self.window())
        taken = self.random.sample(list(found), len(found) * 2 // 3)
        self.subject.add_all(taken, size - 1)
        self.live += [(start, start + size - 1) for start in taken]

    def ask(self) -> None:
        """Ask about a range of the space."""
        low, high = self.window()
        self.subject.overlapping(low, high)
        self.subject.is_live(low, high)

    def window(self) -> tuple[int, int]:
        """Return a part of the space, every other time all of it."""
        base, last = self.subject.base, self.subject.last
        if self.random.random() < 0.5:
            return base, last
        ends = (self.random.randint(base, last), self.random.randint(base, last))
        return min(ends), max(ends)


def work_out(factory: Callable[..., GapIndex], *, steps: int = 160) -> None:
    """Put an index through the workout, in each of the spaces."""
    for seed, (base, last) in enumerate(SPACES):
        subject = IndexLockstep(factory(base, last, **TINY), base, last)
        Workout(subject, Random(seed)).run(steps)  # noqa: S311  # seeded examples


def looks(index: Any, method: str, *arguments: int) -> int:
    """Return into how many chunks and groups a search looks; there is a limit to it."""
    counted = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal counted
        counted += event == "call" and frame.f_code.co_name in LOOKS
        assert counted < 1000, "the search does not end"

    sys.setprofile(note)
    try:
        getattr(index, method)(*arguments)
    finally:
        sys.setprofile(None)
    return counted


def effort(factory: Callable[..., GapIndex]) -> None:
    """Demand that nothing is looked at twice in vain, and that no chunk outlives its bits."""
    # Gaps inside of chunks, and gaps from one into the next: none with room for what is sought.
    for first, step in ((0, 2), (3, 4)):
        index: Any = factory(0, 255, **TINY)
        for place in range(first, 256, step):
            index.add(place, place)
        levels = len(index._summary._levels)
        for method in ("lowest_fit", "highest_fit"):
            for size, align in ((step, 1), (step, 8), (1 if not first else step, 2)):
                looks(index, method, size - 1, align, step, 255 - step)
                looks(index, method, size - 1, align, 0, 255)
                again = looks(index, method, size - 1, align, 0, 255)
                assert again <= levels, f"{method} of {size} aligned to {align}: {again} looks"
        for start, end in list(index.gaps()):
            index.add(start, end)
        looks(index, "lowest_fit", 0, 1, 0, 255)
        assert looks(index, "lowest_fit", 0, 1, 0, 255) <= levels
        # One that is free again is found by way of one group of each level, and of its chunk.
        index.remove(start, end)
        assert looks(index, "lowest_fit", 0, 1, 0, 255) <= 2 * levels
        for live in list(index.live()):
            index.remove(*live)
        assert len(index._chunks) == 2
        assert sum(map(len, index._summary._levels)) <= 2 * levels
