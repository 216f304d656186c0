"""What the tests of the proof engine share: asking z3, and reading formulas with plain ints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from spec.model import Allocator
from spec.proofs.cases import small_state
from vm_allocator.modelling import align_down, align_up, is_aligned, is_power_of_two
from vm_allocator.proving.concrete_case import ReplayedCase, Values, breaks
from vm_allocator.proving.lemmas import DOMAIN, Applications
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.verdict import Verdict
from vm_allocator.symbolic import Explorer, smt, sym_int
from vm_allocator.symbolic.values import ALIGNED, DOWN, POWER_OF_TWO, UP

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.proving.theorem import Theorem
    from vm_allocator.proving.verdict import Proof
    from vm_allocator.symbolic import Raised, Returned
    from vm_allocator.symbolic.smt import BoolTerm, IntTerm

LIMIT: Final = 1_000_000

ADDRESSES: Final = st.one_of(
    st.integers(-20, 40),
    st.sampled_from([2**64 - 1, 2**64, 2**63, 2**32, DOMAIN, -DOMAIN]).flatmap(
        lambda near: st.integers(near - 3, near + 3)
    ),
    st.integers(-DOMAIN, DOMAIN),
)
POWERS: Final = st.sampled_from([2**k for k in range(65)])
ALIGNMENTS: Final = st.one_of(POWERS, st.integers(-4, 20))


def ints(*names: str) -> tuple[int, ...]:
    """Return a symbolic int for each name."""
    return tuple(sym_int(smt.integer(name)) for name in names)


def answer(*formulas: BoolTerm) -> str:
    """Return what z3 says of these formulas together."""
    return smt.Solver(formulas, limit=LIMIT).check()


def valid(formula: BoolTerm) -> bool:
    """Whether the formula is true whatever its constants are."""
    return answer(smt.neg(formula)) == "unsat"


def explored(
    function: Callable[[], Any], explorer: Explorer | None = None
) -> list[tuple[BoolTerm, Returned[Any] | Raised]]:
    """Return the condition and the outcome of each path, in the order in which they are taken."""
    explorer = explorer or Explorer()
    return [(smt.conj(*explorer.condition), outcome) for outcome in explorer.paths(function)]


def evaluated(formula: BoolTerm, values: dict[str, int]) -> bool:
    """Return what the formula says of these values; the leaves are read by their own code."""
    constants = [(smt.integer(name), smt.literal(value)) for name, value in values.items()]
    formula = smt.simplify(smt.substitute(formula, *constants))
    while known := _computed(formula):
        formula = smt.simplify(smt.substitute(formula, *known))
    found = Applications([formula])
    facts = [
        *(
            _fact(ALIGNED(address, align), holds=is_aligned.code(_int(address), _int(align)))
            for address, align in found.tests.values()
        ),
        *(
            _fact(POWER_OF_TWO(value), holds=is_power_of_two.code(_int(value)))
            for value in found.powers.values()
        ),
    ]
    holds, fails = answer(*facts, formula), answer(*facts, smt.neg(formula))
    assert {holds, fails} == {"sat", "unsat"}, f"{formula} is not decided by {values}"
    return holds == "sat"


def _computed(formula: BoolTerm) -> list[tuple[IntTerm, IntTerm]]:
    """Return the applications of alignment to plain numbers, each with its value."""
    found = Applications([formula])
    return [
        (leaf(address, align), smt.literal(code(_int(address), _int(align))))
        for leaf, code, table in (
            (UP, align_up.code, found.ups),
            (DOWN, align_down.code, found.downs),
        )
        for address, align in table.values()
        if not address.children() and not align.children()
    ]


def _int(term: IntTerm) -> int:
    return int(str(term))


def _fact(formula: BoolTerm, *, holds: bool) -> BoolTerm:
    return formula if holds else smt.neg(formula)


def attempted(theorem: Theorem, model: type[Allocator] = Allocator) -> Proof:
    """Try to prove the theorem of the model, with a second opinion."""
    return prove(theorem, model, small_state, Effort())


def broken_by(theorem: Theorem, values: Values, model: type[Allocator] = Allocator) -> bool:
    """Whether a claim of the theorem fails on these values when it is run."""
    return breaks(theorem, ReplayedCase(model, values))


def shown_false(theorem: Theorem, proof: Proof, model: type[Allocator] = Allocator) -> bool:
    """Whether the proof is a refutation, with values on which the theorem really breaks."""
    return (
        proof.verdict is Verdict.REFUTED
        and proof.counterexample is not None
        and broken_by(theorem, proof.counterexample, model)
    )
