"""Broken: only the first vector of a block is looked at, as if every block had one vector."""

from dataclasses import dataclass, replace
from typing import Annotated, Self

from msi_blocks import MsiBlocks, Vector

from vm_allocator import modelling as vm


@dataclass(frozen=True)
class LooksAtTheFirstVector(MsiBlocks):
    """`allocate` sees that no block holds `start`; a block that begins above it is not seen."""

    @vm.action
    def allocate(self, start: Vector, count: Annotated[int, vm.Between(1, 32)]) -> Self:
        """Give a device a block, if its first vector is free."""
        vm.require(vm.is_power_of_two(count) and vm.is_aligned(start, count), "misaligned")
        vm.require(self.blocks.all(lambda b: start < b.start or b.end < start), "overlap")
        block = vm.Range(start, start + count - 1)
        return replace(self, blocks=self.blocks.with_range(block))
