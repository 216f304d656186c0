"""Every transaction of up to three operations in a tiny space is rolled back.

The theorems say it of each operation on the model; this is the real thing, exhaustively.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import pytest

from tests.builders import addresses
from vm_allocator import (
    AddressAllocator,
    GuestAddress,
    GuestUsize,
    RefusedError,
    Transaction,
    transaction,
)

Operation = Callable[[Transaction, AddressAllocator], object]
SIZES = (GuestUsize(1), GuestUsize(2))


class OnPurposeError(Exception):
    """What ends each of them."""


def fresh(live: list[tuple[int, int]]) -> AddressAllocator:
    """Return three bytes from 1 on, whose default alignment refuses most starts."""
    pool = AddressAllocator(GuestAddress(1), GuestUsize(3), 2)
    for start, size in live:
        pool.allocate(GuestAddress(start), GuestUsize(size), align=1)
    return pool


def allocation(start: int | None, size: GuestUsize) -> Operation:
    at = None if start is None else GuestAddress(start)
    return lambda tx, pool: tx.allocate(pool, at, size, align=1)


def freeing(start: GuestAddress, size: GuestUsize) -> Operation:
    return lambda tx, pool: tx.free(pool, start, size)


def moving(start: GuestAddress, size: GuestUsize, to: int, new_size: GuestUsize) -> Operation:
    return lambda tx, pool: tx.update(pool, start, size, GuestAddress(to), new_size, align=1)


def changing(*changes: tuple[tuple[int, int] | None, tuple[int, int] | None]) -> Operation:
    pairs = [(ends and addresses(*ends), to and addresses(*to)) for ends, to in changes]
    return lambda tx, pool: tx.update_many(pool, pairs, align=1)


def beginning(start: GuestAddress, size: GuestUsize, to: int, new_size: GuestUsize) -> Operation:
    return lambda tx, pool: tx.move(pool, start, size, GuestAddress(to), new_size, align=1)


def ending(at: int, end: str) -> Operation:
    def end_it(_: Transaction, pool: AddressAllocator) -> None:
        getattr(list(pool.moves())[at], end)()

    return end_it


def several(pool: AddressAllocator) -> Iterator[Operation]:
    """Yield swaps and shifts of what is live, all or a part of it freed or allocated with it."""
    live = [(int(one.start), int(one.end)) for one in pool]
    for one, other in permutations(live, 2):
        yield changing((one, other), (other, one))
        yield changing((one, other), (other, None))
    for start, end in live:
        yield changing(((start, end), (start + 1, end + 1)), (None, (start, start)))


def operations(pool: AddressAllocator) -> Iterator[Operation]:
    """Yield each operation that this state grants."""
    candidates = [allocation(start, size) for start in (None, 1, 2, 3) for size in SIZES]
    for live in pool:
        size = GuestUsize(live.size)
        candidates.append(freeing(live.start, size))
        candidates += [moving(live.start, size, to, new) for to in (1, 2, 3) for new in SIZES]
        candidates += [beginning(live.start, size, to, new) for to in (1, 2, 3) for new in SIZES]
    candidates += several(pool)
    for at, _ in enumerate(pool.moves()):
        candidates += [ending(at, "commit"), ending(at, "abort")]
    for candidate in candidates:
        try:
            with transaction() as tx:
                candidate(tx, pool.copy())
        except RefusedError:
            continue
        yield candidate


def sequences(pool: AddressAllocator, length: int) -> Iterator[list[Operation]]:
    """Yield each sequence of granted operations up to this length."""
    yield []
    if length == 0:
        return
    for operation in operations(pool):
        after = pool.copy()
        with transaction() as tx:
            operation(tx, after)
        for rest in sequences(after, length - 1):
            yield [operation, *rest]


@pytest.mark.parametrize(
    "live", [[], [(1, 1)], [(2, 1)], [(1, 2)], [(2, 2)], [(1, 1), (3, 1)], [(1, 3)]]
)
def test_every_short_transaction_is_rolled_back(live: list[tuple[int, int]]) -> None:
    before, tried = fresh(live), 0
    for done in sequences(before, 3):
        pool = before.copy()
        with pytest.raises(OnPurposeError), transaction() as tx:
            for operation in done:
                operation(tx, pool)
            raise OnPurposeError
        assert pool == before
        tried += 1
    assert tried > 50
