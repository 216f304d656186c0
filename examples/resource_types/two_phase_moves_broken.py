"""Broken: a range that is on the move can be freed."""

from dataclasses import dataclass, replace
from typing import Self

from two_phase_moves import TwoPhaseMoves

from vm_allocator import modelling as vm


@dataclass(frozen=True)
class FreesWhatMoves(TwoPhaseMoves):
    """`free` looks at the live ranges alone."""

    @vm.action
    def free(self, start: vm.U64, end: vm.U64) -> Self:
        """Free a range that is live."""
        old = vm.Range(start, end)
        vm.require(old in self.live, "not-allocated")
        return replace(self, live=self.live.without(old))
