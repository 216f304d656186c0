"""What callers hand in may raise whenever it is called: then nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, RangeInclusive, transaction
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import GapIndex, SortedGaps
from vm_allocator.id_bitmap import IdBitmap

INDEXES = (GapTree, SortedGaps, IdBitmap)


class FedUpError(BaseException):
    """What a callback raises: no `Exception`."""


class Odd:
    """A number that answers so many times, shared with others, and then raises."""

    def __init__(self, value: int, answers: list[None]) -> None:
        self._value = value
        self._answers = answers

    def __index__(self) -> int:
        if not self._answers:
            raise FedUpError
        self._answers.pop()
        return self._value


def pool(index: Callable[[int, int], GapIndex] = GapTree) -> Any:
    made = AddressAllocator(GuestAddress(0), GuestUsize(256), index=index)
    for start in (0, 32, 64):
        made.allocate(GuestAddress(start), GuestUsize(16))
    return made


Number = Callable[[int], Odd]
OPERATIONS: dict[str, Callable[[Any, Number], object]] = {
    "allocate": lambda pool, n: pool.allocate(n(128), n(16), align=n(4)),
    "anywhere": lambda pool, n: pool.allocate(None, n(16), align=n(4)),
    "many": lambda pool, n: pool.allocate_many(n(3), n(16), align=n(4)),
    "free": lambda pool, n: pool.free(n(32), n(16)),
    "update": lambda pool, n: pool.update(n(32), n(16), n(40), n(16), align=n(4)),
    "move": lambda pool, n: pool.move(n(32), n(16), n(40), n(16), align=n(4)),
    "available": lambda pool, n: pool.available(n(16), align=n(4)),
    "lookup": lambda pool, n: pool.lookup(n(32)),
}


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_number_that_raises(name: str, index: Callable[[int, int], GapIndex]) -> None:
    before = pool(index)
    for answers in range(100):
        made = pool(index)
        left = [None] * answers
        try:
            OPERATIONS[name](made, lambda value, left=left: Odd(value, left))  # type: ignore[misc]  # bound now
        except FedUpError:
            assert made == before
            made._check()
        else:
            assert answers > 0
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("index", INDEXES)
def test_changes_that_raise_in_between(index: Callable[[int, int], GapIndex]) -> None:
    def changes() -> Iterator[tuple[RangeInclusive[Any] | None, RangeInclusive[Any] | None]]:
        yield RangeInclusive(0, 15), RangeInclusive(32, 47)
        yield RangeInclusive(32, 47), None
        raise FedUpError

    made = pool(index)
    with pytest.raises(FedUpError):
        made.update_many(changes())
    assert made == pool(index)
    with pytest.raises(FedUpError), transaction() as tx:
        tx.allocate(made, None, GuestUsize(1))
        tx.update_many(made, changes())
    assert made == pool(index)


def test_a_factory_that_raises() -> None:
    def factory(_: int, __: int) -> GapIndex:
        raise FedUpError

    with pytest.raises(FedUpError):
        pool(factory)


def test_an_allocator_that_raises_in_the_midst_of_a_transaction() -> None:
    class Broken:
        def allocate(self, *_: object) -> Any:
            raise FedUpError

        free = update = allocate

    made = pool()
    other: Any = Broken()
    for operation in ("allocate", "free"):
        with pytest.raises(FedUpError), transaction() as tx:
            tx.allocate(made, None, GuestUsize(1))
            getattr(tx, operation)(other, GuestAddress(0), GuestUsize(1))
        assert made == pool()


def test_an_undo_that_raises_is_named_and_the_rest_is_undone() -> None:
    def undo() -> None:
        raise FedUpError

    made = pool()
    with pytest.raises(BaseExceptionGroup) as found, transaction() as tx:
        tx.allocate(made, None, GuestUsize(1))
        tx.undo_with(undo)
        tx.allocate(made, None, GuestUsize(1))
        raise ValueError
    assert found.value.subgroup(FedUpError)
    assert made == pool()
