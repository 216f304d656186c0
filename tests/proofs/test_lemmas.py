"""The lemmas: each rests on the code of the leaves, and is true wherever it is relied upon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import example, given, settings

from spec.proofs import arithmetic
from spec.proofs.arithmetic import all_lemmas
from vm_allocator import modelling
from vm_allocator.modelling import align_down, align_up, is_aligned, is_power_of_two
from vm_allocator.proving import lemmas
from vm_allocator.proving.lemma import lemma, prove_lemma
from vm_allocator.proving.lemmas import DOMAIN, EXACT_ALIGNMENTS, exact_instances, lemma_instances
from vm_allocator.proving.prover import Effort
from vm_allocator.proving.verdict import Opinion, Verdict
from vm_allocator.symbolic import UnsupportedError, smt
from vm_allocator.symbolic.bits import SymBits, int_leaf
from vm_allocator.symbolic.values import ALIGNED, DOWN, POWER_OF_TWO, UP

from .support import ADDRESSES, ALIGNMENTS, answer, evaluated

if TYPE_CHECKING:
    from collections.abc import Callable

U64: Final = 2**64 - 1

# Each fault, the leaf that has it, and a lemma that must not be proved of it.
FAULTS: Final[dict[str, tuple[str, Callable[..., object], str]]] = {
    "align_up is masked to 64 bits": (
        "align_up",
        lambda address, align: ((address + (align - 1)) & -align) & U64,
        "aligning_up_gives_a_multiple_just_above",
    ),
    "align_up does not take one off the alignment": (
        "align_up",
        lambda address, align: (address + align) & -align,
        "aligning_up_gives_a_multiple_just_above",
    ),
    "align_up adds nothing": (
        "align_up",
        lambda address, align: address & -align,
        "aligning_up_gives_a_multiple_just_above",
    ),
    "align_up skips a multiple of large alignments": (
        "align_up",
        lambda address, align: (address + (align - 1)) & -align if align < 2**40 else 2**65,
        "aligning_up_gives_the_least_multiple",
    ),
    "align_down is off by one": (
        "align_down",
        lambda address, align: (address & -align) - 1,
        "aligning_down_gives_a_multiple_just_below",
    ),
    "align_down aligns what is one below": (
        "align_down",
        lambda address, align: (address - 1) & -align,
        "aligning_down_gives_the_greatest_multiple",
    ),
    "align_down clears one bit only": (
        "align_down",
        lambda address, align: address - (address & (align - 1) & 1),
        "aligning_down_gives_a_multiple_just_below",
    ),
    "is_power_of_two accepts 0": (
        "is_power_of_two",
        lambda value: value >= 0 and value & (value - 1) == 0,
        "a_power_of_two_is_two_to_some_power",
    ),
    "is_power_of_two accepts everything above 0": (
        "is_power_of_two",
        lambda value: value > 0,
        "a_power_of_two_is_two_to_some_power",
    ),
    "is_power_of_two does not know 1": (
        "is_power_of_two",
        lambda value: value > 1 and value & (value - 1) == 0,
        "everything_is_aligned_to_one",
    ),
    "is_aligned has a mask that is one bit too wide": (
        "is_aligned",
        lambda address, align: address & (align + (align - 1)) == 0,
        "aligned_means_a_multiple",
    ),
    "is_aligned looks at one bit only": (
        "is_aligned",
        lambda address, align: address & align == 0,
        "aligned_means_a_multiple",
    ),
    "is_aligned is always true": (
        "is_aligned",
        lambda address, align: address == address or align,  # noqa: PLR0124  # always true
        "aligned_means_a_multiple",
    ),
    "larger returns the first": (
        "larger",
        lambda one, other: one + (other - other),
        "larger_and_smaller_are_what_they_say",
    ),
    "smaller returns the second": (
        "smaller",
        lambda one, other: other + (one - one),
        "larger_and_smaller_are_what_they_say",
    ),
}


def not_proved(monkeypatch: pytest.MonkeyPatch, leaf: str, code: Callable[..., object]) -> set[str]:
    """Return the lemmas that are not proved once the leaf has other code."""
    monkeypatch.setattr(getattr(modelling, leaf), "code", code)
    # These two terms of the module are made of the leaves when it is imported.
    for name, of in (("UP", align_up), ("DOWN", align_down)):
        term = int_leaf(of.code, arithmetic.ADDRESS, arithmetic.ALIGN)
        monkeypatch.setattr(arithmetic, name, SymBits(term, -2 * DOMAIN, 2 * DOMAIN))
    proofs = [prove_lemma(stated, Effort(second_opinion=False)) for stated in all_lemmas()]
    return {proof.name for proof in proofs if proof.verdict is not Verdict.PROVED}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_leaf_loses_a_lemma(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    leaf, code, lost = FAULTS[fault]
    assert lost in not_proved(monkeypatch, leaf, code)


def test_every_lemma_is_proved_and_confirmed_by_another_solver() -> None:
    assert len(all_lemmas()) >= 8
    for stated in all_lemmas():
        proof = prove_lemma(stated, Effort())
        assert (proof.verdict, proof.opinion) == (Verdict.PROVED, Opinion.CONFIRMED), proof.name
        assert proof.second_solver.startswith("bitwuzla ")


def test_the_code_of_a_leaf_is_what_runs_on_ints() -> None:
    for leaf in (align_up, align_down, is_aligned, is_power_of_two):
        arguments = (12, 8)[: leaf.code.__code__.co_argcount]
        assert leaf(*arguments) == leaf.code(*arguments)


def test_no_lemma_is_relied_upon_beyond_what_is_proved() -> None:
    """The domain that each instance states is the domain of the bit-vectors."""
    assert (arithmetic.ADDRESS.low, arithmetic.ADDRESS.high) == (-DOMAIN, DOMAIN)
    assert (arithmetic.OTHER.low, arithmetic.OTHER.high) == (-DOMAIN, DOMAIN)
    assert arithmetic.ALIGN.high == arithmetic.MAX_ALIGN
    domain = lemmas._in_domain(smt.integer("address"), smt.integer("align"))
    limit = arithmetic.MAX_ALIGN
    for address in (-DOMAIN - 1, -DOMAIN, 0, DOMAIN, DOMAIN + 1):
        for align in (-limit, -1, 0, 1, 2, 3, 4096, limit - 1, limit, limit + 1, 2 * limit):
            assert evaluated(domain, {"address": address, "align": align}) == (
                arithmetic.ADDRESS.low <= address <= arithmetic.ADDRESS.high
                and 1 <= align <= arithmetic.ALIGN.high
                and is_power_of_two.code(align)
            )


X, Y, A, B = (smt.integer(name) for name in ("x", "y", "a", "b"))
MENTIONS: Final = [
    smt.equal(UP(X, A), Y),
    smt.equal(DOWN(X, A), Y),
    smt.equal(UP(Y, A), DOWN(Y, A)),
    smt.equal(UP(X, B), DOWN(X, B)),
    ALIGNED(X, A),
    ALIGNED(Y, A),
    ALIGNED(Y, B),
    POWER_OF_TWO(B),
]


def test_lemmas_are_instantiated_for_everything_that_is_mentioned() -> None:
    instances = lemma_instances(MENTIONS)
    text = [str(instance) for instance in instances]
    for leaf in ("align_up(x, a)", "align_up(y, a)", "align_up(x, b)", "align_down(x, b)"):
        assert any(leaf in instance for instance in text)
    assert len(instances) > 2 * len(MENTIONS)
    assert lemma_instances([smt.equal(X, Y)]) == []


@settings(derandomize=True, max_examples=120, deadline=None, database=None)
@given(x=ADDRESSES, y=ADDRESSES, a=ALIGNMENTS, b=ALIGNMENTS)
@example(x=0, y=0, a=0, b=0)
@example(x=-5, y=2**64, a=3, b=2**65)
@example(x=DOMAIN, y=DOMAIN - 1, a=2**64, b=1)
@example(x=DOMAIN + 1, y=-DOMAIN, a=2**64, b=2**63)
def test_every_instance_is_true_of_what_the_leaves_compute(x: int, y: int, a: int, b: int) -> None:
    assert evaluated(smt.conj(*lemma_instances(MENTIONS)), {"x": x, "y": y, "a": a, "b": b})


@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(x=ADDRESSES, y=ADDRESSES)
def test_the_search_for_a_counterexample_computes_the_leaves_exactly(x: int, y: int) -> None:
    terms = [UP(X, A), DOWN(Y, A)]
    test = ALIGNED(X, A)
    facts = exact_instances([*terms, test])
    for align in EXACT_ALIGNMENTS:
        known = [
            *facts,
            *(smt.equal(term, smt.literal(value)) for term, value in ((X, x), (Y, y), (A, align))),
        ]
        right = smt.conj(
            smt.equal(terms[0], smt.literal(align_up.code(x, align))),
            smt.equal(terms[1], smt.literal(align_down.code(y, align))),
            smt.equal(test, smt.TRUE if is_aligned.code(x, align) else smt.FALSE),
        )
        assert answer(*known, right) == "sat"
        assert answer(*known, smt.neg(right)) == "unsat"


def test_a_lemma_needs_a_docstring() -> None:
    def unexplained() -> tuple[list[smt.BoolTerm], smt.BoolTerm]:
        return [], smt.TRUE

    with pytest.raises(ValueError, match="unexplained has no docstring"):
        lemma(unexplained)


def test_a_leaf_that_a_bit_vector_cannot_follow_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UnsupportedError):
        not_proved(monkeypatch, "align_up", lambda address, align: -(-address // align) * align)
