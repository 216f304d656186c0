"""THE specification, continued: claims, of owners who put their ranges where they like.

A guest moves its BARs one at a time, so that for a while two of them claim one address. A
claim is granted at once if its range is free; otherwise it waits, and is granted as soon as
the range is free, in the order in which claims were made. An owner has one claim at most.

A state of claims is a state of an allocator and more: all that `spec.model` says is true of
it. It has a page of its own so that either page is read in one sitting.

A set of claims is a `RangeSet` of pairs: the number of the claim stands for the start, its
owner for the end. Owners are numbers, too, any but `NOBODY`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from spec.model import NOT_ALLOCATED, Allocator, Request
from vm_allocator.modelling import (
    FiniteMap,
    FiniteRanges,
    IntMap,
    Model,
    Range,
    RangeSet,
    Step,
    action,
    invariant,
    is_aligned,
    require,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    M = TypeVar("M", bound=Model)

# Why a claim or a release may be refused, beyond what an exact allocation may be refused for.
INVALID_OWNER: Final = "invalid-owner"
NOT_CLAIMED: Final = "not-claimed"

NOBODY: Final = 1  # what a map says of whatever nothing was put for
NOTHING, HOLDS, WAITS = 1, 2, 3  # what an owner has


def number_of(claim: Range) -> int:
    """Return the place of a claim in the order of all claims: no other has it, ever."""
    return claim.start


def owner_of(claim: Range) -> int:
    """Return whose claim it is."""
    return claim.end


def in_order(claims: RangeSet, before: M, act: Callable[[M, Range], M]) -> M:
    """Act on each claim of a set in the state that the one before it has led to."""
    after, claim = before, claims.lowest(lambda _: True)
    while claim is not None:
        after = act(after, claim)
        claim = _next_of(claims, claim)
    return after


def _next_of(claims: RangeSet, claim: Range) -> Range | None:
    return claims.lowest(lambda other: number_of(claim) < number_of(other))


@dataclass(frozen=True)
class Claims(Allocator):
    """An allocator, who holds its live ranges, and who waits for what."""

    holder: IntMap  # for each live start, the owner of the range: NOBODY if it was not claimed
    has: IntMap  # for each owner: NOTHING, a range that it HOLDS, or a claim that WAITS
    wants_first: IntMap  # for each owner, the range that it claimed last: where it starts,
    wants_last: IntMap  # where it ends,
    wants_align: IntMap  # and what it was to be aligned to
    waiting: RangeSet  # the claims that wait
    granted: RangeSet  # the claims that the last action granted: of these the VMM is told
    upcoming: int  # the number of the next claim

    @classmethod
    def initial(cls, top: int, base: int, last: int) -> Self:
        """Return the space from `base` to `last`, all of it free and unclaimed."""
        free = Allocator.initial(top, base, last)
        nothing, none = FiniteMap(), FiniteRanges()
        return cls(
            *(top, base, last, free.live, free.asked),
            holder=nothing,
            has=nothing,
            wants_first=nothing,
            wants_last=nothing,
            wants_align=nothing,
            waiting=none,
            granted=none,
            upcoming=0,
        )

    # ---- what is true in every state

    @invariant
    def holders(self) -> bool:
        """Whose range is live holds what it claimed last: no two ranges, and it does not wait."""
        return self.live.all(
            lambda r: (
                self.holder.at(r.start) == NOBODY
                or (
                    self.has.at(self.holder.at(r.start)) == HOLDS
                    and self.wanted(self.holder.at(r.start)) == r
                )
            )
        )

    @invariant
    def numbered(self) -> bool:
        """Claims are counted from 0."""
        return self.upcoming >= 0

    @invariant
    def waiters(self) -> bool:
        """A claim that waits is its owner's, was made before, and asks for what may be granted."""
        return self.waiting.all(
            lambda claim: (
                0 <= number_of(claim) < self.upcoming
                and owner_of(claim) != NOBODY
                and self.has.at(owner_of(claim)) == WAITS
                and self.may_be_granted(owner_of(claim))
            )
        )

    @invariant
    def one_claim_each(self) -> bool:
        """No two claims that wait have one number, or one owner."""
        return self.waiting.all_pairs(
            lambda one, other: (
                one == other
                or (number_of(one) != number_of(other) and owner_of(one) != owner_of(other))
            )
        )

    # ---- what is asked of a state

    def wanted(self, owner: int) -> Range:
        """Return the range that the owner claimed last."""
        return Range(self.wants_first.at(owner), self.wants_last.at(owner))

    def may_be_granted(self, owner: int) -> bool:
        """Whether what the owner claimed last is a range of the space, and aligned."""
        r = self.wanted(owner)
        return self.base <= r.start <= r.end <= self.last and is_aligned(
            r.start, self.wants_align.at(owner)
        )

    def holds(self, owner: int) -> bool:
        """Whether what the owner claimed last is live, and its own."""
        r = self.wanted(owner)
        return r in self.live and self.holder.at(r.start) == owner

    # ---- what can happen, beside all that can happen to an allocator

    @action
    def claim(self, owner: int, request: Request, start: int) -> Step[Self]:
        """Claim exactly that range, in the place of all that the owner holds or waits for."""
        require(owner != NOBODY, INVALID_OWNER)
        self._check(request)
        self._require_place(request, start)
        alone, r = self._without_owner(owner), request.at(start)
        return replace(
            alone,
            has=alone.has.put(owner, WAITS),
            wants_first=self.wants_first.put(owner, r.start),
            wants_last=self.wants_last.put(owner, r.end),
            wants_align=self.wants_align.put(owner, request.align),
            waiting=alone.waiting.with_range(Range(self.upcoming, owner)),
            upcoming=self.upcoming + 1,
        ).settle()

    @action
    def release(self, owner: int) -> Step[Self]:
        """Give back what the owner holds, or withdraw the claim that waits."""
        require(self.has.at(owner) != NOTHING, NOT_CLAIMED)
        return self._without_owner(owner).settle()

    @action
    def settle(self) -> Step[Self]:
        """Grant every claim that waits for what is free: in order, each beside those before it."""
        nothing = replace(self, granted=FiniteRanges())
        return Step(in_order(self.waiting, nothing, lambda state, claim: state._visit(claim)))

    # ---- their parts

    def _without_owner(self, owner: int) -> Self:
        alone = self
        if self.has.at(owner) == HOLDS:
            require(self.holds(owner), NOT_ALLOCATED)
            alone = replace(self, live=self.live.without(self.wanted(owner)))
        return replace(
            alone,
            has=self.has.put(owner, NOTHING),
            waiting=self.waiting.where(lambda claim: owner_of(claim) != owner),
        )

    def _visit(self, claim: Range) -> Self:
        owner = owner_of(claim)
        r = self.wanted(owner)
        if not self.is_free(r):
            return self
        request = Request(r.end - r.start + 1, self.wants_align.at(owner), r)
        live = self._grant(request, r.start).after
        return replace(
            live,
            holder=live.holder.put(r.start, owner),
            has=self.has.put(owner, HOLDS),
            waiting=self.waiting.without(claim),
            granted=self.granted.with_range(claim),
        )

    def _grant(self, request: Request, start: int) -> Step[Self]:
        """Grant as an allocator does: the range is nobody's, until it is said whose it is."""
        step = super()._grant(request, start)
        return step._replace(after=replace(step.after, holder=self.holder.put(start, NOBODY)))
