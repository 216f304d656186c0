"""The model of moves in two phases: an allocator, and which of its moves are pending.

What beginning, committing and aborting do is said in `spec/model.py`, where what a move has
reserved counts as live. What is said here: to everybody else it is not. It is not listed, and
whoever frees or moves it is refused until the move has ended. It is read on plain ints alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vm_allocator.modelling import Range, Refused, Step, attempt, require

from .model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator, Request, outside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOVE_PENDING: Final = "move-pending"
MOVE_ENDED: Final = "move-ended"


class Move(NamedTuple):
    """A move that is pending: from where to where, and with which alignment."""

    old: Range
    new: Range
    align: int

    def reserved(self) -> tuple[Range, ...]:
        """Return what of the model's live ranges it holds."""
        return (self.old, *outside(self.old, self.new))


@dataclass(frozen=True)
class Moving:
    """An allocator and its pending moves. Every operation raises `Refused`."""

    allocator: Allocator
    moves: tuple[Move, ...] = ()

    def reserved(self) -> list[Range]:
        """Return what all pending moves hold."""
        return [one for move in self.moves for one in move.reserved()]

    def live(self) -> tuple[Range, ...]:
        """Return what is live to everybody, lowest first."""
        taken: tuple[Range, ...] = tuple(self.allocator.live)  # type: ignore[arg-type]  # the oracle's sets are finite
        if not self.moves:
            return taken
        held = set(self.reserved())
        return tuple(one for one in taken if one not in held)

    # ---- moves

    def begin(self, old: Range, request: Request, start: int) -> Moving:
        """Begin a move, if the update would be granted: both ranges are reserved from now on."""
        size = old.end - old.start + 1

        def act() -> Step[Allocator]:
            self.allocator.update(old.start, size, request, start)  # refused for its reasons
            return self.allocator.begin_move(old, new, request.align, request.window)

        new = request.at(start)
        after = self.unless_held(act, old).after
        return Moving(after, (*self.moves, Move(old, new, request.align)))

    def commit(self, old: Range) -> Moving:
        """End the move of that range: the new range is live, the old one is free."""
        move = self._pending(old)
        return self._ended(move, self.allocator.commit_move(move.old, move.new, move.align))

    def abort(self, old: Range) -> Moving:
        """End the move of that range: it is live again, as before."""
        move = self._pending(old)
        return self._ended(move, self.allocator.abort_move(move.old, move.new))

    # ---- what else may be about a range that a move holds

    def free(self, start: int, size: int) -> Moving:
        """Free a range that is live to everybody."""
        held = Range(start, start + size - 1)
        step = self.unless_held(lambda: self.allocator.free(start, size), held)
        return self._with(step.after)

    def update(self, old_start: int, old_size: int, request: Request, start: int) -> Moving:
        """Move such a range, at once."""
        held = Range(old_start, old_start + old_size - 1)
        step = self.unless_held(
            lambda: self.allocator.update(old_start, old_size, request, start), held
        )
        return self._with(step.after)

    def update_many(
        self, old: Sequence[Range], new: Sequence[Range], align: int, window: Range
    ) -> Moving:
        """Move, free and allocate such ranges; what comes first in the list is refused first."""
        free = next((at for at, one in enumerate(old) if self._is_named(one)), len(old))
        if free < len(old):
            self.allocator.update_many(old[:free], (), align, window)
            raise Refused(MOVE_PENDING)
        return self._with(self.allocator.update_many(old, new, align, window).after)

    def unless_held(self, act: Callable[[], Step[Allocator]], one: Range) -> Step[Allocator]:
        """Carry out an action of the allocator about that range; what a move holds is not live."""
        if not self._is_named(one):
            return act()
        outcome = attempt(self.allocator, act)
        nonsense = outcome.refusal in (INVALID_SIZE, INVALID_ALIGNMENT)
        raise Refused(outcome.refusal if nonsense and outcome.refusal else MOVE_PENDING)

    # ---- their parts

    def _with(self, after: Allocator) -> Moving:
        return replace(self, allocator=after)

    def _ended(self, move: Move, step: Step[Allocator]) -> Moving:
        return Moving(step.after, tuple(one for one in self.moves if one is not move))

    def _pending(self, old: Range) -> Move:
        found = [move for move in self.moves if move.old == old]
        require(bool(found), MOVE_ENDED)
        return found[0]

    def _is_named(self, one: Range) -> bool:
        """Whether a pending move has reserved exactly this range, or it is the whole new one."""
        return any(one in move.reserved() or one == move.new for move in self.moves)
