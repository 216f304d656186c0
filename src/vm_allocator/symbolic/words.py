"""Symbolic ints that tell what is computed with them: does every result fit the word."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .values import SymInt, lift

if TYPE_CHECKING:
    from collections.abc import Callable

    from .smt import IntTerm


class Word(SymInt):
    """A symbolic int of the code under proof. Each sum and difference is told to `watch`."""

    __slots__ = ("watch",)

    def __init__(self, term: IntTerm, watch: Callable[[Word], None]) -> None:
        super().__init__(term)
        self.watch = watch

    def _computed(self, term: IntTerm) -> Word:
        result = Word(term, self.watch)
        self.watch(result)
        return result

    def read_leaf(self, name: str, arguments: tuple[object, ...]) -> object:
        """Read a leaf as `SymInt` does; a number that comes out is a word again."""
        result = super().read_leaf(name, arguments)
        return Word(result.term, self.watch) if isinstance(result, SymInt) else result

    def __add__(self, other: object) -> Word:
        return self._computed(self.term + lift(other))

    def __radd__(self, other: object) -> Word:
        return self._computed(lift(other) + self.term)

    def __sub__(self, other: object) -> Word:
        return self._computed(self.term - lift(other))

    def __rsub__(self, other: object) -> Word:
        return self._computed(lift(other) - self.term)

    def __neg__(self) -> Word:
        return self._computed(-self.term)


def plain(value: int) -> int:
    """Return the number without its watch; plain ints as they are."""
    number: object = value  # symbolic ints only look like ints to a type checker
    return cast("int", SymInt(number.term)) if isinstance(number, Word) else value
