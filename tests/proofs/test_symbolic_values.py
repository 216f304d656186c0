"""Symbolic ints and truths read as Python's own, or refuse: they are never silently concrete."""

from __future__ import annotations

import json
import math
import operator
from typing import TYPE_CHECKING, Any

import pytest

from vm_allocator.modelling import FiniteRanges, Range
from vm_allocator.symbolic import (
    Explorer,
    Raised,
    SymBool,
    SymInt,
    UnsupportedError,
    formula_of,
    smt,
    sym_int,
)

from .support import answer, explored, ints, valid

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.symbolic.smt import BoolTerm

X, Y, Z = ints("x", "y", "z")
x, y, z = (smt.integer(name) for name in "xyz")
ZERO = smt.literal(0)


def both(*formulas: BoolTerm) -> BoolTerm:
    return smt.conj(*formulas)


READINGS: dict[str, tuple[Callable[[], Any], BoolTerm]] = {
    "and": (lambda: X < Y and Z < Y, both(x < y, z < y)),
    "or": (lambda: X < Y or Y < Z, smt.disj(x < y, y < z)),
    "not": (lambda: not X < Y, y <= x),
    "not and": (lambda: not (X < Y and Z < Y), smt.disj(y <= x, y <= z)),
    "and or": (lambda: (X < Y and Z < Y) or Z < X, smt.disj(both(x < y, z < y), z < x)),
    "chain": (lambda: 0 <= X < Y <= Z, both(x >= ZERO, x < y, y <= z)),
    "chained equality": (lambda: X == Y == Z, both(smt.equal(x, y), smt.equal(y, z))),
    "conditional": (
        lambda: (X if X < Y else Z) < Y + Z,
        smt.if_then_else(x < y, x, z) < y + z,
    ),
    "conditional truth": (
        lambda: Y < Z if X < Y else Z < Y,
        smt.if_then_else(x < y, y < z, z < y),
    ),
    "greater": (lambda: X > Y, y < x),
    "at least": (lambda: X >= Y, y <= x),
    "at least a number": (lambda: 3 >= X, x <= smt.literal(3)),  # noqa: SIM300  # reflected
    "unequal": (lambda: X != Y, smt.neg(smt.equal(x, y))),
    "sum": (lambda: 1 + X + Y == Z, smt.equal(x + y + 1, z)),
    "difference": (lambda: 10 - X - Y < Z, smt.literal(10) - x - y < z),
    "negative": (lambda: -X == Y, smt.equal(ZERO - x, y)),
    "truth of an int": (lambda: bool(X), smt.neg(smt.equal(x, ZERO))),
    "max": (lambda: max(X, Y) == Z, smt.equal(smt.if_then_else(y <= x, x, y), z)),
    "equal truths": (lambda: (X < Y) == (Y < Z), smt.equal(x < y, y < z)),
    "unequal truths": (lambda: (X < Y) != (Y < Z), smt.neg(smt.equal(x < y, y < z))),
    "equal to True": (lambda: (X < Y) == True, x < y),  # noqa: E712  # what is tested
    "equal to False": (lambda: (X < Y) == False, y <= x),  # noqa: E712  # what is tested
    "True on the left": (lambda: True == (X < Y), x < y),  # noqa: E712, SIM300  # what is tested
    "False on the left": (lambda: False != (X < Y), x < y),  # noqa: E712, SIM300  # what is tested
    "equal pairs": (lambda: Range(X, Y) == Range(Y, Z), both(smt.equal(x, y), smt.equal(y, z))),
    "unequal pairs": (
        lambda: Range(X, Y) != Range(Y, Z),
        smt.neg(both(smt.equal(x, y), smt.equal(y, z))),
    ),
    "one of": (
        lambda: X in (Y, Z, 3),
        smt.disj(smt.equal(x, y), smt.equal(x, z), smt.equal(x, smt.literal(3))),
    ),
    "all of": (lambda: all((X < Y, Y < Z)), both(x < y, y < z)),
    "any of": (lambda: any((X < Y, Y < Z)), smt.disj(x < y, y < z)),
}


@pytest.mark.parametrize("reading", READINGS)
def test_a_predicate_amounts_to_its_formula(reading: str) -> None:
    predicate, expected = READINGS[reading]
    assert valid(smt.equal(formula_of(lambda: bool(predicate())), expected))


REFUSED: dict[str, Callable[[], object]] = {
    "hash": lambda: hash(X),
    "hash of a truth": lambda: hash(X < Y),
    "dict key": lambda: {X: 1},
    "dict lookup": lambda: {1: 1}.get(X),
    "set": lambda: {X, Y},
    "hash of a range": lambda: hash(Range(X, Y)),
    "finite set": lambda: FiniteRanges([Range(X, Y), Range(Y, X)]),
    "int": lambda: int(X),
    "float": lambda: float(X),
    "complex": lambda: complex(X),
    "index": lambda: [1, 2, 3][X],
    "operator.index": lambda: operator.index(X),
    "slice": lambda: [1, 2, 3][X:],
    "len": lambda: len(X),  # type: ignore[arg-type]  # what is tested
    "range": lambda: range(X),
    "repetition": lambda: [0] * X,
    "bytes": lambda: bytes(X),
    "chr": lambda: chr(X),
    "hex": lambda: hex(X),
    "round": lambda: round(X),
    "floor": lambda: math.floor(X),
    "abs": lambda: abs(X),
    "sqrt": lambda: math.isqrt(X),
    "gcd": lambda: math.gcd(X, 4),
    "bit_length": lambda: X.bit_length() + 1,
    "json": lambda: json.dumps(X),
    "modulo": lambda: X % 4,
    "modulo of": lambda: 4 % X,
    "product": lambda: X * Y,
    "product of": lambda: 2 * X,
    "floor division": lambda: X // 2,
    "division": lambda: X / 2,
    "division by": lambda: 2 / X,
    "divmod": lambda: divmod(X, 2),
    "divmod by": lambda: divmod(2, X),
    "power": lambda: X**2,
    "power of": lambda: 2**X,
    "bitwise and": lambda: X & 1,
    "bitwise and of": lambda: 1 & X,
    "bitwise or": lambda: X | 1,
    "bitwise xor": lambda: X ^ 1,
    "inversion": lambda: ~X,
    "left shift": lambda: X << 1,
    "left shift by": lambda: 1 << X,
    "right shift": lambda: X >> 1,
    "right shift by": lambda: 1 >> X,
    "percent d": lambda: "%d" % X,  # noqa: UP031  # what is tested
    "percent x": lambda: "%x" % X,  # noqa: UP031  # what is tested
    "str": lambda: str(X) == "0",
    "format": lambda: f"{X}" == "0",
    "format in hex": lambda: f"{X:#x}" == "0x0",
    "str.format": lambda: "{}".format(X) == "0",  # noqa: UP032  # what is tested
    "format of a truth": lambda: f"{X < Y}" == "True",
    "sum with a str": lambda: X + "1",  # type: ignore[operator]  # what is tested
    "str with a sum": lambda: "1" + X,  # type: ignore[operator]  # what is tested
    "sum with None": lambda: X + None,  # type: ignore[operator]  # what is tested
    "sum with a float": lambda: X + 0.5,
    "compared with a str": lambda: X < "1",  # type: ignore[operator]  # what is tested
    "compared with None": lambda: X < None,  # type: ignore[operator]  # what is tested
    "None compared": lambda: None < X,  # type: ignore[operator]  # noqa: SIM300  # what is tested
    "equal to a str": lambda: X == "1",  # type: ignore[comparison-overlap]  # what is tested
    "equal to a float": lambda: X == 0.5,
    "equal to a truth": lambda: X == (X < Y),  # noqa: SIM300  # what is tested
    "sum with a truth": lambda: X + (X < Y),
    "truth plus one": lambda: (X < Y) + 1,
    "one plus truth": lambda: 1 + (X < Y),
    "sum of truths": lambda: sum((X < Y, Y < Z)),
    "truth times": lambda: (X < Y) * 2,
    "times truth": lambda: [1] * (X < Y),
    "negated truth": lambda: -(X < Y),
    "inverted truth": lambda: ~(X < Y),
    "int of a truth": lambda: int(X < Y),
    "float of a truth": lambda: float(X < Y),
    "index of a truth": lambda: (1, 2)[X < Y],
    "and of truths": lambda: (X < Y) & (Y < Z),
    "or of truths": lambda: (X < Y) | (Y < Z),
    "xor of truths": lambda: (X < Y) ^ (Y < Z),
    "truth below": lambda: (X < Y) < (Y < Z),
    "truth at least": lambda: (X < Y) >= 1,
    "truth equal to a number": lambda: (X < Y) == 2,
    "truth equal to None": lambda: (X < Y) == None,  # noqa: E711  # what is tested
    "truth unequal to a str": lambda: (X < Y) != "no",  # type: ignore[comparison-overlap]  # what is tested
    "sorting key": lambda: sorted([3, 1], key=lambda each: {X: 0}.get(each, 0)),
}


@pytest.mark.parametrize("operation", REFUSED)
def test_what_only_concrete_values_have_is_refused_loudly(operation: str) -> None:
    try:
        taken = explored(REFUSED[operation])
    except UnsupportedError:
        return
    assert taken
    for _, outcome in taken:
        assert isinstance(outcome, Raised), outcome
        assert isinstance(outcome.error, TypeError | AttributeError), outcome


def test_hashing_cannot_be_swallowed_by_the_code_under_proof() -> None:
    def swallows() -> int:
        try:
            return {1: 1}[X]
        except (TypeError, KeyError):
            return 0

    with pytest.raises(UnsupportedError):
        explored(swallows)


def test_a_truth_outside_of_an_exploration_is_refused() -> None:
    asking: list[Callable[[], object]] = [
        lambda: bool(X < Y),
        lambda: bool(X),
        lambda: 0 <= X <= Y,
        lambda: X == Y and 1,
    ]
    for ask in asking:
        with pytest.raises(UnsupportedError, match="outside of an exploration"):
            ask()


def test_a_comparison_of_truths_forks_and_does_not_compare_identities() -> None:
    taken = explored(lambda: (X < Y) == (X < Y))
    assert len(taken) == 4  # two of them impossible: the truths are two objects
    for condition, outcome in taken:
        assert not isinstance(outcome, Raised)
        possible = answer(condition) == "sat"
        assert outcome.value is True or not possible


def test_a_quantifier_in_a_predicate_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="quantifier inside a quantifier"):
        formula_of(lambda: Explorer.active().choose())
    with pytest.raises(UnsupportedError, match="quantifier inside a quantifier"):
        formula_of(lambda: sym_int(Explorer.active().fresh("inner")) == 0)


def test_a_predicate_that_raises_has_no_formula() -> None:
    with pytest.raises(UnsupportedError, match="a predicate raised"):
        formula_of(lambda: bool(1 // 0))


def test_a_leaf_without_a_symbolic_reading_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="no symbolic reading of the leaf unheard_of"):
        SymInt(x).read_leaf("unheard_of", (X,))


def test_a_predicate_without_symbolic_values_is_a_constant() -> None:
    assert smt.is_true(formula_of(lambda: 1 < 2))  # noqa: PLR0133  # concrete on purpose
    assert smt.is_false(formula_of(lambda: 2 < 1))  # noqa: PLR0133  # concrete on purpose
    assert smt.is_true(formula_of(lambda: bool(SymBool(smt.TRUE))))


def test_no_number_is_none() -> None:
    assert formula_of(lambda: X == None).get_id() == smt.FALSE.get_id()  # noqa: E711  # what is tested
    assert formula_of(lambda: X != None).get_id() == smt.TRUE.get_id()  # noqa: E711  # what is tested
