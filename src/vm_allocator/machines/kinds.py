"""The machines for addresses and for ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vm_allocator.lockstep import Lockstep
from vm_allocator.resource import Id, IdCount

from .base import step
from .ranges import RangesMachine

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from spec.model import Allocator
    from vm_allocator.ids import IdAllocator
    from vm_allocator.modelling import Outcome

    from .session import Subject


class AddressMachine(RangesMachine):
    """Drives `factory(base, size, alignment)`: an `AddressAllocator`, or something like it."""

    def builder(self, first: int, last: int, align: Callable[[], int]) -> Callable[[], Subject]:
        """Return what builds an allocator of addresses in lockstep."""
        factory, alignment = self.run.factory, align()
        return lambda: Lockstep[Any, Any](factory(first, last - first + 1, alignment))


@dataclass
class IdLockstep(Lockstep[Id, IdCount]):
    """An allocator of ids together with its oracle."""

    allocator: IdAllocator

    def allocate_block(self, count: IdCount, **options: Any) -> Outcome[Allocator]:
        """`allocate_block` on both: in the model, a request aligned to its own size."""
        return self._granted(
            f"allocate_block({count}{self._options(**options)})",
            lambda: self.allocator.allocate_block(count, **options),
            self._allocation(None, count, count, options.get("policy"), options.get("within")),
            int(count),
            None,
        )


class IdMachine(RangesMachine):
    """Drives `factory(first, last)`: an `IdAllocator`, or something like it."""

    def builder(self, first: int, last: int, align: Callable[[], int]) -> Callable[[], Subject]:
        """Return what builds an allocator of ids in lockstep; ids have no default alignment."""
        del align
        factory = self.run.factory
        return lambda: IdLockstep(factory(first, last))

    @step()
    def allocate_a_single_id(self, chance: Random) -> None:
        """Take the lowest or the highest free id: what most callers do."""
        on, draw = self.choose(chance)
        self.operate(on, "allocate", None, 1, policy=draw.order())

    @step()
    def allocate_a_block(self, chance: Random) -> None:
        """Take a power of two of ids, now and then another number."""
        on, draw = self.choose(chance)
        count = draw.any_size() if draw.rarely() else draw.pick((1, 2, 4, 8, 16))
        self.operate(on, "allocate_block", count, policy=draw.order(), within=draw.window())
