"""Moves in two phases: the new range is reserved first, and the old one freed at the end.

A guest reprograms a BAR while its device works. Between `begin` and `commit` (or `abort`)
neither the old range nor the new one may be handed out; the new one may overlap the old.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from vm_allocator import modelling as vm


class Move(NamedTuple):
    """A live range, and where it is going."""

    old: vm.Range
    new: vm.Range


def apart(one: vm.Range, other: vm.Range) -> bool:
    """Whether two ranges share no address."""
    return one.end < other.start or other.end < one.start


@dataclass(frozen=True)
class TwoPhaseMoves(vm.Model):
    """The ranges that are live, and the moves that have begun."""

    last: vm.U64
    live: vm.RangeSet
    moves: vm.SetOf[Move]

    @classmethod
    def initial(cls, last: vm.U64) -> Self:
        """Return the space from 0 to `last`."""
        return cls(last, vm.FiniteRanges(), vm.FiniteSet())

    # ---- what is true in every state

    @vm.invariant
    def bounds(self) -> bool:
        """Live ranges lie in the space, and so does where they are going."""
        return self.live.all(self.is_in_space) and self.moves.all(
            lambda move: self.is_in_space(move.new)
        )

    @vm.invariant
    def no_overlap(self) -> bool:
        """No two live ranges share an address."""
        return self.live.all_pairs(lambda one, other: one == other or apart(one, other))

    @vm.invariant
    def movers_are_live(self) -> bool:
        """What moves is live until the end."""
        return self.moves.all(lambda move: move.old in self.live)

    @vm.invariant
    def one_move_each(self) -> bool:
        """A range moves to one place at a time."""
        return self.moves.all_pairs(lambda one, other: one == other or one.old != other.old)

    @vm.invariant
    def reserved_is_kept(self) -> bool:
        """Where a range is going, no other range is live."""
        return self.moves.all_with(
            self.live, lambda move, other: other == move.old or apart(move.new, other)
        )

    @vm.invariant
    def targets_apart(self) -> bool:
        """No two ranges are going to one address."""
        return self.moves.all_pairs(lambda one, other: one == other or apart(one.new, other.new))

    # ---- what can happen

    @vm.action
    def allocate(self, start: vm.U64, end: vm.U64) -> Self:
        """Grant exactly that range."""
        wanted = vm.Range(start, end)
        vm.require(self.is_in_space(wanted), "out-of-bounds")
        vm.require(self.live.all(lambda other: apart(wanted, other)), "overlap")
        vm.require(self.moves.all(lambda move: apart(wanted, move.new)), "reserved")
        return replace(self, live=self.live.with_range(wanted))

    @vm.action
    def free(self, start: vm.U64, end: vm.U64) -> Self:
        """Free a range that is not on the move."""
        old = vm.Range(start, end)
        vm.require(old in self.live, "not-allocated")
        vm.require(self.moves.all(lambda move: move.old != old), "on-the-move")
        return replace(self, live=self.live.without(old))

    @vm.action
    def begin(self, old: vm.Range, new: vm.Range) -> Self:
        """Reserve the place where a live range is going."""
        vm.require(old in self.live, "not-allocated")
        vm.require(self.is_in_space(new), "out-of-bounds")
        vm.require(self.moves.all(lambda move: move.old != old), "on-the-move")
        vm.require(self.live.all(lambda other: other == old or apart(new, other)), "overlap")
        vm.require(self.moves.all(lambda move: apart(new, move.new)), "reserved")
        return replace(self, moves=self.moves.with_member(Move(old, new)))

    @vm.action
    def commit(self, old: vm.Range, new: vm.Range) -> Self:
        """End a move: the old range is free, and the new one is live."""
        vm.require(Move(old, new) in self.moves, "no-such-move")
        live = self.live.without(old).with_range(new)
        return replace(self, live=live, moves=self.moves.without(Move(old, new)))

    @vm.action
    def abort(self, old: vm.Range, new: vm.Range) -> Self:
        """Give a move up: the old range stays live."""
        vm.require(Move(old, new) in self.moves, "no-such-move")
        return replace(self, moves=self.moves.without(Move(old, new)))

    def is_in_space(self, one: vm.Range) -> bool:
        """Whether it is a range of the space."""
        return 0 <= one.start <= one.end <= self.last
