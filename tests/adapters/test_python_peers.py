"""The Python targets agree with the allocator that is proved."""

from __future__ import annotations

import random

import pytest

from adapters.python.intervaltree_allocator import IntervalTreeAllocator
from adapters.python.portion_allocator import PortionAllocator
from adapters.python.seed import DeclinedError, Seed
from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
from vm_allocator.errors import AllocatorError


def _outcome(target: Seed, name: str, arguments: tuple[int | None, ...]) -> object:
    try:
        return getattr(target, name)(*arguments)
    except DeclinedError:
        return "refused"


def _expected(ours: AddressAllocator, name: str, arguments: tuple[int | None, ...]) -> object:
    try:
        return getattr(ours, name)(*arguments)
    except AllocatorError:
        return "refused"


@pytest.mark.parametrize("factory", [PortionAllocator, IntervalTreeAllocator])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("base", [0, 3, 2**64 - 9])
def test_the_correct_ones_do_what_the_proved_allocator_does(
    factory: type[Seed], seed: int, base: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # a workload, not a secret
    size = 9
    target = factory(base, size)
    ours = AddressAllocator(GuestAddress(base), GuestUsize(size))
    refusals = 0
    for _ in range(300):
        place = base + chance.randrange(size)
        length = chance.randrange(5)
        name, arguments = chance.choice(
            [
                ("allocate", (None, length)),
                ("allocate", (place, length)),
                ("free", (place, length)),
                ("update", (place, length, base + chance.randrange(size), chance.randrange(5))),
            ]
        )
        expected = _expected(ours, name, arguments)
        assert _outcome(target, name, arguments) == expected, (name, arguments)
        refusals += expected == "refused"
    assert 0 < refusals < 300
