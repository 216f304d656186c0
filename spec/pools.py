"""Several allocators as one: which of them acts. What each of them does is in `spec.model`.

Spaces of different pools share no address, so that a range has one pool at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from spec.model import NO_SPACE, Allocator, Request
from vm_allocator.modelling import Range, Refused, attempt, larger, require

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.modelling import Step


class PoolsStep(NamedTuple):
    """What a granted action did: the pools after it, what it granted, if anything, and where."""

    after: Pools
    granted: Range | None = None
    pool: int = 0


@dataclass(frozen=True)
class Pools:
    """The pools, in the order in which they are tried."""

    members: tuple[Allocator, ...]

    def home(self, start: int) -> int:
        """Return which pool `start` lies in; of several that it does not, the nearest refuses."""
        best, least = 0, _distance(self.members[0], start)
        for at, pool in enumerate(self.members[1:], start=1):
            distance = _distance(pool, start)
            if distance < least:
                best, least = at, distance
        return best

    def allocate_anywhere(self, act: Callable[[Allocator], Step[Allocator]]) -> PoolsStep:
        """Act on the first pool that has room for it; refuse for want of space if none has."""
        for at, pool in enumerate(self.members):
            outcome = attempt(pool, lambda pool=pool: act(pool))  # type: ignore[misc]  # mypy takes no defaults here
            if outcome.refusal is None:
                return PoolsStep(self._with(at, outcome.after), outcome.granted, at)
            require(outcome.refusal == NO_SPACE, outcome.refusal)
        raise Refused(NO_SPACE)

    def allocate_exact(self, request: Request, start: int) -> PoolsStep:
        """Grant that very start, in its pool."""
        at = self.home(start)
        step = self.members[at].allocate_exact(request, start)
        return PoolsStep(self._with(at, step.after), step.granted, at)

    def free(self, start: int, size: int) -> PoolsStep:
        """Free a range that is live exactly so, in its pool."""
        at = self.home(start)
        return PoolsStep(self._with(at, self.members[at].free(start, size).after), pool=at)

    def update(self, old_start: int, old_size: int, request: Request, start: int) -> PoolsStep:
        """Move a live range, from one pool to another too: all of that, or nothing.

        Between pools the new range is looked at first; within one, the old range.
        """
        source, target = self.home(old_start), self.home(start)
        if source == target:
            step = self.members[source].update(old_start, old_size, request, start)
            return PoolsStep(self._with(source, step.after), step.granted, source)
        allocated = self.allocate_exact(request, start)
        freed = allocated.after.free(old_start, old_size)
        return PoolsStep(freed.after, allocated.granted, target)

    def _with(self, at: int, after: Allocator) -> Pools:
        members = tuple(after if here == at else pool for here, pool in enumerate(self.members))
        return replace(self, members=members)


def _distance(pool: Allocator, start: int) -> int:
    """Return how far the pool's space is from `start`: 0 if it lies in it."""
    return larger(larger(pool.base - start, start - pool.last), 0)
