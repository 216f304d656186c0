"""Memory slots of KVM: ranges of guest memory by slot number, and their dirty logs.

As `KVM_SET_USER_MEMORY_REGION` has it: slots may not overlap, a slot may be moved but not
resized, and its dirty log is there exactly while the flag is set.
"""

from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple, Self

from vm_allocator import modelling as vm

Number = Annotated[int, vm.Between(0, 508)]
Page = Annotated[int, vm.Between(0, 2**52 - 1)]


class Slot(NamedTuple):
    """Guest page numbers, whether writes are logged, and how many pages the log holds."""

    first: Page
    last: Page
    logged: bool
    dirty: Annotated[int, vm.Between(0, 2**52)]


@dataclass(frozen=True)
class MemorySlots(vm.Model):
    """The slots that are in use."""

    slots: vm.Table[Number, Slot]

    @classmethod
    def initial(cls) -> Self:
        """A new machine has no memory."""
        return cls(vm.FiniteTable())

    @vm.invariant
    def sensible(self) -> bool:
        """A slot has a page at least."""
        return self.slots.all(lambda _, slot: slot.first <= slot.last)

    @vm.invariant
    def no_overlap(self) -> bool:
        """No guest page belongs to two slots."""
        return self.slots.all_pairs(
            lambda a, one, b, other: a == b or one.last < other.first or other.last < one.first
        )

    @vm.invariant
    def log_fits(self) -> bool:
        """A log holds no more pages than its slot has."""
        return self.slots.all(lambda _, slot: slot.dirty <= slot.last - slot.first + 1)

    @vm.invariant
    def only_logged_pages(self) -> bool:
        """A slot that is not logged has no log."""
        return self.slots.all(lambda _, slot: slot.logged or slot.dirty == 0)

    @vm.action
    def create(self, number: Number, first: Page, last: Page, *, logged: bool) -> Self:
        """Give a number that is free a range of guest pages."""
        vm.require(number not in self.slots, "in-use")
        vm.require(first <= last, "empty")
        vm.require(self.is_free(number, first, last), "overlap")
        return replace(self, slots=self.slots.put(number, Slot(first, last, logged, 0)))

    @vm.action
    def move(self, number: Number, first: Page) -> Self:
        """Move a slot elsewhere; its log begins anew."""
        slot = vm.demand(self.slots.get(number), "no-such-slot")
        last = first + (slot.last - slot.first)
        vm.require(last < 2**52, "beyond-memory")
        vm.require(self.is_free(number, first, last), "overlap")
        return replace(self, slots=self.slots.put(number, Slot(first, last, slot.logged, 0)))

    @vm.action
    def set_log(self, number: Number, *, logged: bool) -> Self:
        """Change the flag alone; whatever the log holds is dropped where it ends."""
        slot = vm.demand(self.slots.get(number), "no-such-slot")
        dirty = slot.dirty if logged else 0
        changed = Slot(slot.first, slot.last, logged, dirty)
        return replace(self, slots=self.slots.put(number, changed))

    @vm.action
    def write(self, number: Number, pages: Page) -> Self:
        """The guest writes so many pages that the log does not hold yet."""
        slot = vm.demand(self.slots.get(number), "no-such-slot")
        vm.require(slot.logged, "not-logged")
        dirty = slot.dirty + pages
        vm.require(dirty <= slot.last - slot.first + 1, "no-such-pages")
        changed = Slot(slot.first, slot.last, slot.logged, dirty)
        return replace(self, slots=self.slots.put(number, changed))

    @vm.action
    def get_log(self, number: Number) -> Self:
        """Fetch the log, which begins anew."""
        slot = vm.demand(self.slots.get(number), "no-such-slot")
        vm.require(slot.logged, "not-logged")
        changed = Slot(slot.first, slot.last, slot.logged, 0)
        return replace(self, slots=self.slots.put(number, changed))

    @vm.action
    def delete(self, number: Number) -> Self:
        """Give a slot back, log and all."""
        vm.require(number in self.slots, "no-such-slot")
        return replace(self, slots=self.slots.drop(number))

    def is_free(self, number: int, first: int, last: int) -> bool:
        """Whether the pages are in no slot but this one."""
        return self.slots.all(
            lambda other, slot: other == number or last < slot.first or slot.last < first
        )
