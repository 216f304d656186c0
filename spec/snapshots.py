"""What a snapshot tells of an allocator, and when there is such a state: by the model's actions.

Restoring is replaying: into an empty space everything is put that was live, and then each move
that was pending is begun again. What an action refuses is no state that could have been saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from spec.model import (
    INVALID_ALIGNMENT,
    INVALID_RANGE,
    MAX_ALIGNMENT,
    Allocator,
    Request,
    inside,
)
from spec.moves import Moving
from vm_allocator.modelling import Range, Step, is_power_of_two, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

A = TypeVar("A", bound=Allocator)


def replay(empty: A, taken: Iterable[Range]) -> Step[A]:
    """Make all of these live in an empty space, or refuse: in any order, of any length."""
    return empty.update_many((), taken, 1, Range(empty.base, empty.last))


@dataclass(frozen=True)
class Told:
    """What a snapshot tells: a space, what is taken in it, and which moves are pending."""

    top: int
    base: int
    last: int
    align: int
    """What the allocator aligns to unless it is told otherwise."""
    taken: tuple[Range, ...] = ()
    """What is live, and what the platform holds."""
    moves: tuple[tuple[Range, Range], ...] = ()
    """From where to where: neither is among what is taken."""

    def restored(self) -> Moving:
        """Return the state. Refused exactly if there is none: read on plain ints alone."""
        empty = Allocator.initial(self.top, self.base, self.last)
        require(1 <= self.align <= MAX_ALIGNMENT, INVALID_ALIGNMENT)
        require(is_power_of_two(self.align), INVALID_ALIGNMENT)
        olds = [old for old, _ in self.moves]
        state = Moving(replay(empty, [*self.taken, *olds]).after)
        whole = Range(self.base, self.last)
        for old, new in self.moves:
            require(new.start <= new.end, INVALID_RANGE)
            state = state.begin(old, Request(new.end - new.start + 1, 1, whole), new.start)
        return state


def agree(taken: Iterable[tuple[str, Range]], held: Iterable[tuple[str, Range]]) -> bool:
    """Whether what is live in the pools is what is held of them: each by one, each once."""
    return sorted(taken) == sorted(held)


def claims_agree(
    live: Iterable[Range],
    space: Range,
    held: Sequence[tuple[Range, object]],
    waiting: Sequence[tuple[Range, object]],
) -> bool:
    """Whether these claims can be: an owner has one, and a range has one owner.

    What is held is live, and what is waited for is a range of the space.
    """
    owners = [owner for _, owner in (*held, *waiting)]
    ranges = [one for one, _ in held]
    return (
        all(owners.count(owner) == 1 for owner in owners)
        and all(ranges.count(one) == 1 for one in ranges)
        and set(ranges) <= set(live)
        and all(one.start <= one.end and inside(one, space) for one, _ in waiting)
    )
