"""MSI vectors: a device gets a power of two of them, as a block that is aligned to its size."""

from dataclasses import dataclass, replace
from typing import Annotated, Self

from vm_allocator import modelling as vm

Vector = Annotated[int, vm.Between(32, 255)]


@dataclass(frozen=True)
class MsiBlocks(vm.Model):
    blocks: vm.RangeSet

    @classmethod
    def initial(cls) -> Self:
        return cls(vm.FiniteRanges())

    @vm.invariant
    def no_overlap(self) -> bool:
        """No vector belongs to two blocks."""
        return self.blocks.all_pairs(lambda a, b: a == b or a.end < b.start or b.end < a.start)

    @vm.invariant
    def aligned(self) -> bool:
        """A block is a power of two, aligned to itself: its device sets low bits of a message."""
        return self.blocks.all(
            lambda b: vm.is_power_of_two(b.size) and vm.is_aligned(b.start, b.size)
        )

    @vm.action
    def allocate(self, start: Vector, count: Annotated[int, vm.Between(1, 32)]) -> Self:
        vm.require(vm.is_power_of_two(count) and vm.is_aligned(start, count), "misaligned")
        vm.require(self.blocks.all(lambda b: b.end < start or start + count <= b.start), "overlap")
        return replace(self, blocks=self.blocks.with_range(vm.Range(start, start + count - 1)))

    @vm.action
    def free(self, block: vm.Range) -> Self:
        vm.require(block in self.blocks, "not-allocated")
        return replace(self, blocks=self.blocks.without(block))
