"""Reading leaf functions on bit-vectors that are wide enough to be exact.

Python's ints do not wrap; bit-vectors do. So every `SymBits` carries the interval that its
value lies in, and an operation whose result might not fit the width is refused. What is
proved of the bit-vectors is then true of the ints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import smt
from .explorer import Explorer, Raised, UnsupportedError
from .values import SymBool

if TYPE_CHECKING:
    from collections.abc import Callable

    from .smt import BitsTerm, BoolTerm

WIDTH: Final = 72
"""Bits, two's complement: room for 64-bit values, their sums, and their negatives."""


class SymBits:
    """An int between `low` and `high`, as a signed bit-vector."""

    __slots__ = ("high", "low", "term")
    __hash__ = None  # type: ignore[assignment]  # a hash would have to be a concrete int

    def __init__(self, term: BitsTerm, low: int, high: int) -> None:
        if low < -(1 << (WIDTH - 1)) or high >= (1 << (WIDTH - 1)):
            raise UnsupportedError(f"a value in [{low}, {high}] does not fit {WIDTH} bits")
        self.term = term
        self.low = low
        self.high = high

    def __bool__(self) -> bool:
        # Without this, every bit-vector would be true: a silently concrete answer.
        return bool(self != 0)

    def __add__(self, other: object) -> SymBits:
        o = lift(other)
        return SymBits(self.term + o.term, self.low + o.low, self.high + o.high)

    def __sub__(self, other: object) -> SymBits:
        o = lift(other)
        return SymBits(self.term - o.term, self.low - o.high, self.high - o.low)

    def __neg__(self) -> SymBits:
        return SymBits(-self.term, -self.high, -self.low)

    def __and__(self, other: object) -> SymBits:
        o = lift(other)
        size = max(abs(self.low), abs(self.high), abs(o.low), abs(o.high)).bit_length()
        low = 0 if self.low >= 0 or o.low >= 0 else -(1 << size)
        high = min((v.high for v in (self, o) if v.low >= 0), default=(1 << size) - 1)
        return SymBits(self.term & o.term, low, high)

    __radd__, __rand__ = __add__, __and__

    def __lt__(self, other: object) -> SymBool:
        return SymBool(self.term < lift(other).term)

    def __le__(self, other: object) -> SymBool:
        return SymBool(self.term <= lift(other).term)

    def __gt__(self, other: object) -> SymBool:
        return SymBool(lift(other).term < self.term)

    def __ge__(self, other: object) -> SymBool:
        return SymBool(lift(other).term <= self.term)

    def __eq__(self, other: object) -> SymBool:  # type: ignore[override]  # a truth, as a formula
        return SymBool(smt.equal(self.term, lift(other).term))

    def __ne__(self, other: object) -> SymBool:  # type: ignore[override]  # a truth, as a formula
        return SymBool(smt.neg(smt.equal(self.term, lift(other).term)))


def lift(value: object) -> SymBits:
    """Return a plain int as a constant; refuse everything else that is not symbolic."""
    if isinstance(value, SymBits):
        return value
    if isinstance(value, int):
        return SymBits(smt.bits_literal(value, WIDTH), value, value)
    raise UnsupportedError(f"{value!r} meets a bit-vector, and is none itself")


def int_leaf(code: Callable[..., object], *arguments: SymBits) -> BitsTerm:
    """Return the one term that a function of ints computes, over all its paths."""
    results = _results(code, *arguments)
    term: BitsTerm = lift(results[-1][1]).term
    for condition, value in results[:-1]:
        term = smt.if_then_else(condition, lift(value).term, term)
    return term


def bool_leaf(code: Callable[..., object], *arguments: SymBits) -> BoolTerm:
    """Return the formula that a predicate of ints decides, over all its paths."""
    results = _results(lambda *given: bool(code(*given)), *arguments)
    return smt.disj(*(condition for condition, value in results if value))


def _results(code: Callable[..., object], *arguments: SymBits) -> list[tuple[BoolTerm, object]]:
    explorer = Explorer(may_choose=False)
    results = []
    for outcome in explorer.paths(lambda: code(*arguments)):
        if isinstance(outcome, Raised):
            raise UnsupportedError(f"a leaf raised {outcome.error!r}") from outcome.error
        results.append((smt.conj(*explorer.condition), outcome.value))
    return results
