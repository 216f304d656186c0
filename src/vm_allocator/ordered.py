"""An ordered map from int to int: the few questions that a gap index asks of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from sortedcontainers import SortedDict

from .compiled import mypyc_attr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_ITEMS: Final[Callable[[Any], Iterable[tuple[int, int]]]] = dict.items
"""Of the `dict` itself: the method of a `SortedDict` goes by the list of keys."""


class OrderedMap(Protocol):
    """Items are (key, value), in the order of their keys."""

    def floor(self, key: int) -> tuple[int, int] | None:
        """Return the item with the greatest key at or below `key`; `None` if there is none."""
        ...

    def ceiling(self, key: int) -> tuple[int, int] | None:
        """Return the item with the least key at or above `key`; `None` if there is none."""
        ...

    def ascending(self, first: int, last: int) -> Iterable[tuple[int, int]]:
        """Iterate over the items with keys from `first` to `last`, lowest first."""
        ...

    def descending(self, first: int, last: int) -> Iterable[tuple[int, int]]:
        """Iterate over the items with keys from `first` to `last`, highest first."""
        ...

    def put(self, key: int, value: int) -> None:
        """Set the value at `key`, whether there is one or not."""
        ...

    def delete(self, key: int) -> None:
        """Remove the item at `key`. Needs one to be there."""
        ...

    def items(self) -> Iterator[tuple[int, int]]:
        """Iterate over all items, lowest first."""
        ...

    def copy(self) -> OrderedMap:
        """Return an equal, independent map."""
        ...

    def mend(self) -> None:
        """Be whole again, after an exception from the midst of `put` or `delete`.

        The item that was put or deleted is as it was before, or as it is after.
        """
        ...

    def __len__(self) -> int:
        """Return the number of items."""
        ...


@mypyc_attr(allow_interpreted_subclasses=True)
class SortedMap:
    """An ordered map by `sortedcontainers`: O(log n) searches, O(log n) changes.

    A `SortedDict` is a `dict` beside a list of its keys, which is kept by Python code: so an
    interrupt may come between the two, or leave the list half changed. A search changes it, too:
    it makes an index of it. What is true is the `dict`, of which each change is one step.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[int, int] | None = None) -> None:
        self._items: SortedDict[int, int] = SortedDict(items or {})

    def floor(self, key: int) -> tuple[int, int] | None:
        """Return the item with the greatest key at or below `key`; `None` if there is none."""
        try:
            position = self._items.bisect_right(key)
            return self._items.peekitem(position - 1) if position else None
        except BaseException:
            self.mend()
            raise

    def ceiling(self, key: int) -> tuple[int, int] | None:
        """Return the item with the least key at or above `key`; `None` if there is none."""
        try:
            position = self._items.bisect_left(key)
            return self._items.peekitem(position) if position < len(self._items) else None
        except BaseException:
            self.mend()
            raise

    def ascending(self, first: int, last: int) -> Iterable[tuple[int, int]]:
        """Iterate over the items with keys from `first` to `last`, lowest first."""
        return ((key, self._items[key]) for key in self._items.irange(first, last))

    def descending(self, first: int, last: int) -> Iterable[tuple[int, int]]:
        """Iterate over the items with keys from `first` to `last`, highest first."""
        return ((key, self._items[key]) for key in self._items.irange(first, last, reverse=True))

    def put(self, key: int, value: int) -> None:
        """Set the value at `key`, whether there is one or not."""
        self._items[key] = value

    def delete(self, key: int) -> None:
        """Remove the item at `key`. Needs one to be there."""
        del self._items[key]

    def items(self) -> Iterator[tuple[int, int]]:
        """Iterate over all items, lowest first."""
        return iter(self._items.items())

    def copy(self) -> SortedMap:
        """Return an equal, independent map."""
        return SortedMap(self._items)

    def mend(self) -> None:
        """Be whole again, after an exception from the midst of `put` or `delete`. O(n log n)."""
        self._items = SortedDict(dict(_ITEMS(self._items)))

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key:#x}-{value:#x}" for key, value in self.items()) + "}"
