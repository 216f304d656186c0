"""The allocators ask of their index what its contract allows, and nothing else.

The proofs claim the same of the source; this is the same claim of what runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import DemandingGaps
from vm_allocator import AddressAllocator, Id, IdAllocator
from vm_allocator.address import RangeAllocator
from vm_allocator.claims import Claims
from vm_allocator.machines import MACHINES, run_machine
from vm_allocator.machines.device_lockstep import Plant, plant
from vm_allocator.machines.pools_machine import pools

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator import GuestAddress, GuestUsize, OrderedPools


class _Addresses(AddressAllocator):
    def __init__(self, base: GuestAddress, size: GuestUsize, alignment: int = 1) -> None:
        super().__init__(base, size, alignment)
        self._index = DemandingGaps(self._base, self._last)


class _Ids(IdAllocator):
    def __init__(self, first: Id, last: Id) -> None:
        super().__init__(first, last)
        self._index = DemandingGaps(self._base, self._last)


def _plant(first: int, last: int, alignment: int) -> Plant:
    made = plant(first, last, alignment)
    for pool in made.board.pools():
        if isinstance(pool.allocator, RangeAllocator):
            pool.allocator._index = DemandingGaps(pool.allocator._base, pool.allocator._last)
    return made


def _pools(first: int, last: int, alignment: int) -> OrderedPools[GuestAddress, GuestUsize]:
    made = pools(first, last, alignment)
    for pool in made.pools:
        pool._index = DemandingGaps(pool._base, pool._last)
    return made


def _claims(base: GuestAddress, size: GuestUsize, alignment: int) -> Claims[str, Any, Any]:
    return Claims(AddressAllocator(base, size, alignment, index=DemandingGaps))


@pytest.mark.parametrize("name", MACHINES)
def test_every_question_is_within_the_contract(name: str) -> None:
    allocators: dict[str, Callable[..., Any]] = {
        "address": _Addresses,
        "id": _Ids,
        "devices": _plant,
        "pools": _pools,
        "claims": _claims,
    }
    factory = allocators.get(name.partition("-")[0], DemandingGaps)
    # The machines of an index ask it themselves: less is to be learnt of them.
    examples = 150 if factory in allocators.values() else 20
    result = run_machine(name, max_examples=examples, steps=20, factory=factory)
    assert result.failure is None, result.failure
    assert result.granted > 100


class _LooksUpAnything(_Addresses):
    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        self._index.is_live(int(resource), int(resource) + int(size) - 1)
        super().free(resource, size)


def test_a_question_outside_of_it_is_a_finding() -> None:
    result = run_machine("address-small", max_examples=150, steps=20, factory=_LooksUpAnything)
    assert result.failure is not None
    assert "outside the contract: is_live(" in result.failure
