"""MSI vectors: a device gets a power of two of them, and the block is aligned to its size."""

from dataclasses import dataclass, replace
from typing import Annotated, Self

from vm_allocator.modelling import (
    Between,
    FiniteRanges,
    Model,
    Range,
    RangeSet,
    action,
    invariant,
    is_aligned,
    is_power_of_two,
    require,
)

Vector = Annotated[int, Between(32, 255)]
Count = Annotated[int, Between(1, 32)]  # PCI 3.0, 6.8.1.3: at most 32 messages


@dataclass(frozen=True)
class MsiBlocks(Model):
    """The blocks that are in use."""

    blocks: RangeSet

    @classmethod
    def initial(cls) -> Self:
        return cls(FiniteRanges())

    @invariant
    def in_space(self) -> bool:
        """A block lies among the vectors that a device may have."""
        return self.blocks.all(lambda b: 32 <= b.start <= b.end <= 255)

    @invariant
    def no_overlap(self) -> bool:
        """No vector belongs to two blocks."""
        return self.blocks.all_pairs(lambda a, b: a == b or a.end < b.start or b.end < a.start)

    @invariant
    def aligned(self) -> bool:
        """A device counts from its block by changing the low bits of the message."""
        return self.blocks.all(lambda b: is_aligned(b.start, b.end - b.start + 1))

    @action
    def allocate(self, start: Vector, count: Count) -> Self:
        """Give a device the block of `count` vectors that begins at `start`."""
        block = Range(start, start + count - 1)
        require(is_power_of_two(count), "count")
        require(is_aligned(start, count), "misaligned")
        require(block.end <= 255, "out-of-space")
        require(self.blocks.all(lambda b: b.end < block.start or block.end < b.start), "overlap")
        return replace(self, blocks=self.blocks.with_range(block))

    @action
    def free(self, start: Vector, end: Vector) -> Self:
        """Take a block back."""
        require(Range(start, end) in self.blocks, "not-allocated")
        return replace(self, blocks=self.blocks.without(Range(start, end)))
