"""Symbolic ints that may be keys of a `dict`: for code that keeps its numbers in one.

Everywhere else a symbolic int refuses to be hashed, since a hash is a concrete number that
code could go by. Here it has one, the same for all. That is a lawful hash (equal keys have
equal hashes), so a `dict` answers with it as with any other: it compares the key that it is
asked for with each key that it has, and every comparison is decided by the path.

Two things are for whoever uses this to see to. Code that looks at hashes itself, or that
goes by the order of a `set`, would be seen with one hash only. And a plain int has its own
hash: as keys of one `dict`, plain and symbolic ints must not be mixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .values import SymInt, lift

if TYPE_CHECKING:
    from .smt import IntTerm


class Key(SymInt):
    """A symbolic int with a hash. What is computed with it is a key again."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # where `SymInt` refuses
        return 0

    def read_leaf(self, name: str, arguments: tuple[object, ...]) -> object:
        """Read a leaf as `SymInt` does; a number that comes out is a key again."""
        result = super().read_leaf(name, arguments)
        return Key(result.term) if isinstance(result, SymInt) else result

    def __add__(self, other: object) -> Key:
        return Key(self.term + lift(other))

    def __radd__(self, other: object) -> Key:
        return Key(lift(other) + self.term)

    def __sub__(self, other: object) -> Key:
        return Key(self.term - lift(other))

    def __rsub__(self, other: object) -> Key:
        return Key(lift(other) - self.term)

    def __neg__(self) -> Key:
        return Key(-self.term)


def keyed(value: int) -> int:
    """Return a symbolic int as one that may be a key; plain ints as they are."""
    number: object = value  # symbolic ints only look like ints to a type checker
    term: IntTerm | None = number.term if isinstance(number, SymInt) else None
    return value if term is None else cast("int", Key(term))
