"""The two readings of a model agree: what runs on ints is what its formula says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spec.model import (
    Request,
    has_room,
    highest_start,
    inside,
    lowest_start,
    overlaps,
    usable,
)
from spec.proofs.cases import holds
from spec.proofs.gaps import apart
from vm_allocator.modelling import (
    FiniteMap,
    IntMap,
    Range,
    align_down,
    align_up,
    is_aligned,
    is_power_of_two,
    larger,
    smaller,
)
from vm_allocator.proving.symbolic_case import SymbolicMap
from vm_allocator.symbolic import formula_of, smt

from .support import ADDRESSES, ALIGNMENTS, evaluated, ints

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from vm_allocator.symbolic.smt import BoolTerm

NAMES = ("a", "b", "c", "d", "e", "align")

PREDICATES: dict[str, Callable[[int, int, int, int, int, int], bool]] = {
    "overlaps": lambda a, b, c, d, _e, _align: overlaps(Range(a, b), Range(c, d)),
    "inside": lambda a, b, c, d, _e, _align: inside(Range(a, b), Range(c, d)),
    "usable": lambda a, b, c, d, e, _align: usable(Range(a, b), Range(c, d)) == Range(e, b),
    "the range of a request": lambda a, b, c, d, e, align: (
        Request(a, align, Range(c, d)).at(b) == Range(b, e)
    ),
    "lowest_start": lambda a, b, c, d, e, align: (
        lowest_start(Range(a, b), Request(e, align, Range(c, d))) <= b
    ),
    "highest_start": lambda a, b, c, d, e, align: (
        a <= highest_start(Range(a, b), Request(e, align, Range(c, d)))
    ),
    "has_room": lambda a, b, c, d, e, align: has_room(Range(a, b), Request(e, align, Range(c, d))),
    "holds": lambda a, b, c, _d, _e, _align: holds(a, Range(b, c)),
    "apart": lambda a, b, c, d, _e, _align: apart(Range(a, b), Range(c, d)),
    "equality of ranges": lambda a, b, c, d, _e, _align: Range(a, b) == Range(c, d),
    "larger": lambda a, b, c, _d, _e, _align: larger(a, b) == c or larger(a, c) < b,
    "smaller": lambda a, b, c, _d, _e, _align: smaller(a, b) == c or smaller(a, c) > b,
    "is_aligned": lambda a, _b, _c, _d, _e, align: is_aligned(a, align),
    "is_power_of_two": lambda _a, _b, _c, _d, _e, align: is_power_of_two(align),
    "align_up": lambda a, b, _c, _d, _e, align: align_up(a, align) <= b,
    "align_down": lambda a, b, _c, _d, _e, align: not align_down(a, align) < b,
    "aligned twice": lambda a, _b, _c, _d, _e, align: align_up(align_down(a, align), align) == a,
}

NUMBERS: SearchStrategy[tuple[int, ...]] = st.one_of(
    st.tuples(*[st.integers(-2, 6)] * 5, ALIGNMENTS),
    st.tuples(*[ADDRESSES] * 5, ALIGNMENTS),
)


@pytest.mark.parametrize("name", PREDICATES)
@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(numbers=NUMBERS)
def test_a_predicate_run_on_ints_is_what_its_formula_says(
    name: str, numbers: tuple[int, int, int, int, int, int]
) -> None:
    formula = formula_of(lambda: PREDICATES[name](*ints(*NAMES)))
    assert evaluated(formula, dict(zip(NAMES, numbers, strict=True))) == PREDICATES[name](*numbers)


@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(puts=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=5))
def test_a_map_has_what_was_put_last(puts: list[tuple[int, int]]) -> None:
    finite: IntMap = FiniteMap()
    symbolic = SymbolicMap(lambda _key: smt.literal(1))
    for key, value in puts:
        finite, symbolic = finite.put(key, value), symbolic.put(key, value)

    def agree(key: int) -> BoolTerm:
        return formula_of(lambda: symbolic.at(key) == finite.at(key))

    assert all(smt.is_true(agree(key)) for key in range(5))
