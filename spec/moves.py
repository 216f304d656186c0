"""The model of what is taken by whom: pending moves, ranges of the platform, owners.

What allocating, freeing, moving, beginning a move and ending it do is said in `spec/model.py`,
where what is reserved counts as live. What is said here: to everybody else it is not. It is
not listed, and whoever frees or moves it is refused, until its move has ended or the platform
has given it back. And whose a live range is. It is read on plain ints alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vm_allocator.modelling import Range, Refused, Step, attempt, require

from .model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator, Request, outside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOVE_PENDING: Final = "move-pending"
MOVE_ENDED: Final = "move-ended"
RESERVED: Final = "reserved"
NOT_RESERVED: Final = "not-reserved"


class Move(NamedTuple):
    """A move that is pending: from where to where, with which alignment, and for whom."""

    old: Range
    new: Range
    align: int
    owner: str | None = None

    def reserved(self) -> tuple[Range, ...]:
        """Return what of the model's live ranges it holds."""
        return (self.old, *outside(self.old, self.new))


@dataclass(frozen=True)
class Moving:
    """An allocator, its pending moves, what the platform holds. Operations raise `Refused`."""

    allocator: Allocator
    moves: tuple[Move, ...] = ()
    holds: Mapping[Range, str] = field(default_factory=dict)
    """What the platform holds, and for whom."""
    owners: Mapping[Range, str] = field(default_factory=dict)
    """Whose live ranges are, where that was said."""

    def reserved(self) -> list[Range]:
        """Return what all pending moves and the platform hold."""
        return [*(one for move in self.moves for one in move.reserved()), *self.holds]

    def live(self) -> tuple[Range, ...]:
        """Return what is live to everybody, lowest first."""
        taken: tuple[Range, ...] = tuple(self.allocator.live)  # type: ignore[arg-type]  # the oracle's sets are finite
        if not self.moves and not self.holds:
            return taken
        held = set(self.reserved())
        return tuple(one for one in taken if one not in held)

    def owner_of(self, one: Range) -> str | None:
        """Return whose a live or reserved range is."""
        for move in self.moves:
            if one in move.reserved():
                return move.owner
        return self.holds.get(one, self.owners.get(one))

    # ---- allocations

    def grant(
        self, act: Callable[[Allocator], Step[Allocator]], size: int, owner: str | None = None
    ) -> tuple[Moving, Step[Allocator]]:
        """Allocate by any action of the model: what is granted is the owner's."""
        step = act(self.allocator)
        starts = step.starts if step.granted is None else (step.granted.start,)
        new = [Range(start, start + size - 1) for start in starts]
        return self._with(step.after, dict.fromkeys(new, owner)), step

    # ---- moves

    def begin(self, old: Range, request: Request, start: int, owner: str | None = None) -> Moving:
        """Begin a move, if the update would be granted: both ranges are reserved from now on."""
        size = old.end - old.start + 1

        def act() -> Step[Allocator]:
            self.allocator.update(old.start, size, request, start)  # refused for its reasons
            return self.allocator.begin_move(old, new, request.align, request.window)

        new = request.at(start)
        after = self._unless_held(act, old)
        whose = self.owners.get(old) if owner is None else owner
        move = Move(old, new, request.align, whose)
        return replace(self, allocator=after, moves=(*self.moves, move))

    def commit(self, old: Range) -> Moving:
        """End the move of that range: the new range is live, the old one is free."""
        move = self._pending(old)
        step = self.allocator.commit_move(move.old, move.new, move.align)
        return self._ended(move)._with(step.after, {move.new: move.owner}, [move.old])

    def abort(self, old: Range) -> Moving:
        """End the move of that range: it is live again, as before, and whose it was."""
        move = self._pending(old)
        return self._ended(move)._with(self.allocator.abort_move(move.old, move.new).after)

    # ---- the platform

    def reserve(self, start: int, size: int, owner: str) -> Moving:
        """Keep a range for the platform, if it could be allocated at that place."""
        everything = Range(self.allocator.base, self.allocator.last)
        step = self.allocator.allocate_exact(Request(size, 1, everything), start)
        held = Range(start, start + size - 1)
        return replace(self._with(step.after), holds={**self.holds, held: owner})

    def unreserve(self, start: int, size: int) -> Moving:
        """Give a range of the platform back: it is free."""
        require(1 <= size <= self.allocator.top + 1, INVALID_SIZE)
        held = Range(start, start + size - 1)
        require(held in self.holds, NOT_RESERVED)
        holds = {one: owner for one, owner in self.holds.items() if one != held}
        return replace(self._with(self.allocator.free(start, size).after), holds=holds)

    # ---- what else may be about a range that somebody has reserved

    def free(self, start: int, size: int) -> Moving:
        """Free a range that is live to everybody."""
        freed = Range(start, start + size - 1)
        after = self._unless_held(lambda: self.allocator.free(start, size), freed)
        return self._with(after, {}, [freed])

    def update(
        self, old_start: int, old_size: int, request: Request, start: int, owner: str | None = None
    ) -> Moving:
        """Move such a range, at once; it stays whose it is, unless an owner is named."""
        old = Range(old_start, old_start + old_size - 1)
        after = self._unless_held(
            lambda: self.allocator.update(old_start, old_size, request, start), old
        )
        whose = self.owners.get(old) if owner is None else owner
        return self._with(after, {request.at(start): whose}, [old])

    def update_many(
        self, changes: Sequence[tuple[Range | None, Range | None]], align: int, window: Range
    ) -> Moving:
        """Move, free and allocate such ranges; what comes first in the list is refused first."""
        old = [one for one, _ in changes if one is not None]
        new = [one for _, one in changes if one is not None]
        free = next((at for at, one in enumerate(old) if self._refusal_of(one)), len(old))
        if free < len(old):
            self.allocator.update_many(old[:free], (), align, window)
            raise Refused(self._refusal_of(old[free]) or MOVE_PENDING)
        after = self.allocator.update_many(old, new, align, window).after
        whose = {
            to: None if one is None else self.owners.get(one)
            for one, to in changes
            if to is not None
        }
        return self._with(after, whose, old)

    # ---- their parts

    def _with(
        self,
        after: Allocator,
        new: Mapping[Range, str | None] | None = None,
        gone: Sequence[Range] = (),
    ) -> Moving:
        """Return this with another state of the allocator, and owners of what has come and gone."""
        owners = {one: owner for one, owner in self.owners.items() if one not in gone}
        owners |= {one: owner for one, owner in (new or {}).items() if owner is not None}
        return replace(self, allocator=after, owners=owners)

    def _ended(self, move: Move) -> Moving:
        return replace(self, moves=tuple(one for one in self.moves if one is not move))

    def _pending(self, old: Range) -> Move:
        found = [move for move in self.moves if move.old == old]
        require(bool(found), MOVE_ENDED)
        return found[0]

    def _refusal_of(self, one: Range) -> str | None:
        """Return why exactly this range is nobody's to free: a pending move, or the platform."""
        if one in self.holds:
            return RESERVED
        # The whole new range of a move, too, wherever its parts are reserved.
        pending = any(one in move.reserved() or one == move.new for move in self.moves)
        return MOVE_PENDING if pending else None

    def _unless_held(self, act: Callable[[], Step[Allocator]], one: Range) -> Allocator:
        """Return the state after an action about that range; what is reserved is not live."""
        refusal = self._refusal_of(one)
        if refusal is None:
            return act().after
        outcome = attempt(self.allocator, act)
        nonsense = outcome.refusal in (INVALID_SIZE, INVALID_ALIGNMENT)
        raise Refused(outcome.refusal if nonsense and outcome.refusal else refusal)
