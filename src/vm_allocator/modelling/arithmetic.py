"""The arithmetic of the language: leaves, which a proof reads through lemmas.

A leaf is a small function whose code no integer solver follows (bit tricks). On
plain ints its code runs. A symbolic argument answers for itself: it stands for the
result and knows the lemmas. Each lemma is proven of the code below, on bit-vectors,
by `spec/proofs/arithmetic.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Symbolic(ABC):
    """A value that a proof reads in place of an int."""

    @abstractmethod
    def read_leaf(self, name: str, arguments: tuple[object, ...]) -> object:
        """Return what the leaf of this name is, symbolically, for these arguments."""


class SymbolicTruth:
    """A truth that a proof reads in place of a bool: what a guard and an invariant may be."""

    __slots__ = ()


class Leaf(Generic[P, T]):
    """A function with two readings: its own code, and what symbolic arguments make of it."""

    def __init__(self, code: Callable[P, T]) -> None:
        self.code = code
        self.__doc__ = code.__doc__
        self.__name__ = code.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Read the leaf: by its code, or as the symbolic arguments have it."""
        for argument in args:
            if isinstance(argument, Symbolic):
                answer: T = argument.read_leaf(self.__name__, args)  # type: ignore[assignment]  # a symbolic T
                return answer
        return self.code(*args, **kwargs)


@Leaf
def is_power_of_two(value: int) -> bool:
    """Whether `value` is 1, 2, 4, ..."""
    return value > 0 and value & (value - 1) == 0


@Leaf
def is_aligned(address: int, align: int) -> bool:
    """Whether `address` is a multiple of the power of two `align`."""
    return address & (align - 1) == 0


@Leaf
def align_up(address: int, align: int) -> int:
    """Return the least multiple of the power of two `align` at or above `address`."""
    return (address + (align - 1)) & -align


@Leaf
def align_down(address: int, align: int) -> int:
    """Return the greatest multiple of the power of two `align` at or below `address`."""
    return address & -align


@Leaf
def larger(one: int, other: int) -> int:
    """Return the larger of two numbers."""
    return max(one, other)


@Leaf
def smaller(one: int, other: int) -> int:
    """Return the smaller of two numbers."""
    return min(one, other)
