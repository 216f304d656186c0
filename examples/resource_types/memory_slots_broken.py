"""Broken: the dirty log outlives its flag, and is found again when the flag is set again."""

from dataclasses import dataclass, replace
from typing import Self

from memory_slots import MemorySlots, Number

from vm_allocator import modelling as vm


@dataclass(frozen=True)
class KeepsTheLog(MemorySlots):
    """`set_log` changes the flag and nothing else."""

    @vm.action
    def set_log(self, number: Number, *, logged: bool) -> Self:
        """Change the flag."""
        slot = vm.demand(self.slots.get(number), "no-such-slot")
        return replace(self, slots=self.slots.put(number, slot._replace(logged=logged)))
