"""THE specification: what an allocator of ranges must do. Everything else is held to this page.

It is read twice. On plain ints it runs: the oracle of the state machines, of `replay`
and of `check`. On symbolic ints it becomes the formulas that `spec/proofs` proves for
any number of live ranges. Ints do not wrap here: where 64 bits would, a guard stands.

Ids are the addresses of a space that ends at 2^32-1 at the latest: the same model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from vm_allocator.modelling import (
    FiniteMap,
    FiniteRanges,
    IntMap,
    Model,
    Range,
    RangeSet,
    Step,
    action,
    align_down,
    align_up,
    attempt,
    demand,
    for_each,
    invariant,
    is_aligned,
    is_power_of_two,
    larger,
    repeat,
    require,
    smaller,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

U64_MAX: Final = 2**64 - 1
U32_MAX: Final = 2**32 - 1
MAX_ALIGNMENT: Final = 2**63
MAX_COUNT: Final = 2**20  # ranges that one action grants: their starts have to be listed

# Why an action may be refused.
INVALID_SPACE: Final = "invalid-space"
INVALID_SIZE: Final = "invalid-size"
INVALID_ALIGNMENT: Final = "invalid-alignment"
INVALID_COUNT: Final = "invalid-count"
INVALID_RANGE: Final = "invalid-range"
OUT_OF_BOUNDS: Final = "out-of-bounds"
OUTSIDE_WINDOW: Final = "outside-window"
MISALIGNED: Final = "misaligned"
OVERLAP: Final = "overlap"
NO_SPACE: Final = "no-space"
NOT_ALLOCATED: Final = "not-allocated"


@dataclass(frozen=True)
class Request:
    """`size` units that start at a multiple of `align` and lie within `window`."""

    size: int
    align: int
    window: Range

    def at(self, start: int) -> Range:
        """Return the range that the request would be at `start`; it may end beyond 2^64-1."""
        return Range(start, start + self.size - 1)


def overlaps(one: Range, other: Range) -> bool:
    """Whether two ranges share an address."""
    return one.start <= other.end and other.start <= one.end


def inside(inner: Range, outer: Range) -> bool:
    """Whether all of `inner` lies in `outer`."""
    return outer.start <= inner.start and inner.end <= outer.end


def outside(old: Range, new: Range) -> list[Range]:
    """Return the parts of `new` below and above `old`: those that there are."""
    below = Range(new.start, smaller(new.end, old.start - 1))
    above = Range(larger(new.start, old.end + 1), new.end)
    parts = [below] if new.start < old.start else []
    return [*parts, above] if old.end < new.end else parts


def usable(gap: Range, window: Range) -> Range:
    """Return the part of a gap that lies in the window; it may be empty."""
    return Range(larger(gap.start, window.start), smaller(gap.end, window.end))


def lowest_start(gap: Range, request: Request) -> int:
    """Return the lowest aligned start that begins in the usable part of the gap or after it."""
    return align_up(usable(gap, request.window).start, request.align)


def highest_start(gap: Range, request: Request) -> int:
    """Return the highest aligned start from which the request ends in the usable part."""
    return align_down(usable(gap, request.window).end - request.size + 1, request.align)


def has_room(gap: Range, request: Request) -> bool:
    """Whether the request fits somewhere in the gap."""
    part = usable(gap, request.window)
    return part.start <= part.end and request.at(lowest_start(gap, request)).end <= part.end


@dataclass(frozen=True)
class Allocator(Model):
    """A space, and the ranges in it that are live."""

    top: int  # the last value that exists: U64_MAX for addresses, U32_MAX for ids
    base: int
    last: int
    live: RangeSet
    asked: IntMap  # for each live start, the alignment that it was allocated with

    @classmethod
    def initial(cls, top: int, base: int, last: int) -> Self:
        """Return the space from `base` to `last`, all of it free."""
        require(0 <= base <= last <= top, INVALID_SPACE)
        return cls(top, base, last, FiniteRanges(), FiniteMap())

    # ---- what is true in every state

    @invariant
    def space(self) -> bool:
        """The space is not empty and lies in the values that exist, of 64 bits at most."""
        return 0 <= self.base <= self.last <= self.top <= U64_MAX

    @invariant
    def bounds(self) -> bool:
        """Every live range is a range of the space."""
        return self.live.all(lambda r: self.base <= r.start <= r.end <= self.last)

    @invariant
    def no_overlap(self) -> bool:
        """No two live ranges share an address."""
        return self.live.all_pairs(lambda one, other: one == other or not overlaps(one, other))

    @invariant
    def alignment(self) -> bool:
        """Every live range starts at a multiple of the alignment that it was allocated with."""
        return self.live.all(lambda r: is_aligned(r.start, self.asked.at(r.start)))

    # ---- what is asked of a state

    def gaps(self) -> RangeSet:
        """Return the maximal free intervals of the space."""
        return self.live.gaps(Range(self.base, self.last))

    def is_free(self, r: Range) -> bool:
        """Whether no live range shares an address with `r`."""
        return self.live.all(lambda live: not overlaps(live, r))

    def fits(self, request: Request, start: int) -> bool:
        """Whether the request may be granted at `start`."""
        r = request.at(start)
        return (
            is_aligned(start, request.align)
            and inside(r, request.window)
            and inside(r, Range(self.base, self.last))
            and self.is_free(r)
        )

    # ---- what can happen

    @action
    def allocate_first(self, request: Request) -> Step[Self]:
        """FirstMatch: grant the lowest start that fits."""
        self._check(request)
        gap = demand(self.gaps().lowest(lambda gap: has_room(gap, request)), NO_SPACE)
        return self._grant(request, lowest_start(gap, request))

    @action
    def allocate_last(self, request: Request) -> Step[Self]:
        """LastMatch: grant the highest start that fits."""
        self._check(request)
        gap = demand(self.gaps().highest(lambda gap: has_room(gap, request)), NO_SPACE)
        return self._grant(request, highest_start(gap, request))

    @action
    def allocate_preferred(self, prefer: int, request: Request, *, last: bool) -> Step[Self]:
        """LastMatch or FirstMatch at a multiple of `prefer`; as asked, if nothing fits there."""
        self._check(request)
        self._check_alignment(prefer)
        act = type(self).allocate_last if last else type(self).allocate_first
        if request.align < prefer:
            preferred = attempt(self, lambda: act(self, replace(request, align=prefer)))
            if preferred.granted is not None:
                return Step(preferred.after, preferred.granted)
        return act(self, request)

    @action
    def allocate_exact(self, request: Request, start: int) -> Step[Self]:
        """ExactMatch: grant that very start, if it fits."""
        self._check(request)
        self._require_place(request, start)
        require(self.is_free(request.at(start)), OVERLAP)
        return self._grant(request, start)

    @action
    def allocate_many_first(self, count: int, request: Request) -> Step[Self]:
        """Grant what `count` calls of `allocate_first` would, one after the other; or nothing."""
        return self._all_or_none(count, request, lambda state: state.allocate_first(request))

    @action
    def allocate_many_last(self, count: int, request: Request) -> Step[Self]:
        """Grant what `count` calls of `allocate_last` would, one after the other; or nothing."""
        return self._all_or_none(count, request, lambda state: state.allocate_last(request))

    @action
    def free(self, start: int, size: int) -> Step[Self]:
        """Free a range that is live exactly so."""
        return Step(self._without(start, size))

    @action
    def update(self, old_start: int, old_size: int, request: Request, start: int) -> Step[Self]:
        """Move a live range: the old one is freed and exactly the new one is live, at once.

        The new range may overlap the old one, which is out of the way by then.
        """
        self._check(request)
        moving = self._without(old_start, old_size)
        self._require_place(request, start)
        require(moving.is_free(request.at(start)), OVERLAP)
        return moving._grant(request, start)

    @action
    def update_many(
        self, old: Iterable[Range], new: Iterable[Range], align: int, window: Range
    ) -> Step[Self]:
        """Free all of the old ranges, then allocate exactly the new ones; or change nothing.

        A range may be old and new, and new ranges may overlap old ones, in any permutation:
        every old range is out of the way by then.
        """
        self._check_alignment(align)
        freed = for_each(old, self, lambda state, r: state._remove(r))
        return Step(for_each(new, freed, lambda state, r: state._put(r, align, window)))

    @action
    def begin_move(self, old: Range, new: Range, align: int, window: Range) -> Step[Self]:
        """Reserve both ranges of an update, if it would be granted.

        What is reserved counts as live here, so that nothing is handed out of it: the old range,
        and what of the new one lies outside of it. To the VMM, neither is live.
        """
        self._check_alignment(align)
        self._remove(old)._put(new, align, window)
        return Step(for_each(outside(old, new), self, lambda state, r: state._reserve(r, 1)))

    @action
    def commit_move(self, old: Range, new: Range, align: int) -> Step[Self]:
        """End a move that was begun: the old range is freed, and the new one is live."""
        require(new.start <= new.end, INVALID_RANGE)
        require(is_aligned(new.start, align), MISALIGNED)
        reserved = (old, *outside(old, new))
        freed = for_each(reserved, self, lambda state, r: state._remove(r))
        return Step(freed._reserve(new, align))

    @action
    def abort_move(self, old: Range, new: Range) -> Step[Self]:
        """End a move that was begun: only the old range is live, as before."""
        return Step(for_each(outside(old, new), self, lambda state, r: state._remove(r)))

    # ---- their parts

    def _reserve(self, r: Range, align: int) -> Self:
        everything = Range(self.base, self.last)
        return self._grant(Request(r.end - r.start + 1, align, everything), r.start).after

    def _check(self, request: Request) -> None:
        require(1 <= request.size <= self.top + 1, INVALID_SIZE)
        self._check_alignment(request.align)

    def _check_alignment(self, align: int) -> None:
        require(1 <= align <= MAX_ALIGNMENT, INVALID_ALIGNMENT)
        require(is_power_of_two(align), INVALID_ALIGNMENT)

    def _all_or_none(
        self, count: int, request: Request, act: Callable[[Self], Step[Self]]
    ) -> Step[Self]:
        require(1 <= count <= MAX_COUNT, INVALID_COUNT)
        self._check(request)
        run = repeat(count, self, act)
        require(run.times == count, NO_SPACE)
        return Step(run.after, starts=run.starts)

    def _without(self, start: int, size: int) -> Self:
        require(1 <= size <= self.top + 1, INVALID_SIZE)
        return self._remove(Range(start, start + size - 1))

    def _remove(self, r: Range) -> Self:
        require(r in self.live, NOT_ALLOCATED)
        return replace(self, live=self.live.without(r))

    def _put(self, r: Range, align: int, window: Range) -> Self:
        require(r.start <= r.end, INVALID_RANGE)
        request = Request(r.end - r.start + 1, align, window)
        self._require_place(request, r.start)
        require(self.is_free(r), OVERLAP)
        return self._grant(request, r.start).after

    def _require_place(self, request: Request, start: int) -> None:
        r = request.at(start)
        require(inside(r, Range(self.base, self.last)), OUT_OF_BOUNDS)
        require(inside(r, request.window), OUTSIDE_WINDOW)
        require(is_aligned(start, request.align), MISALIGNED)

    def _grant(self, request: Request, start: int) -> Step[Self]:
        granted = request.at(start)
        after = replace(
            self,
            live=self.live.with_range(granted),
            asked=self.asked.put(start, request.align),
        )
        return Step(after, granted)
