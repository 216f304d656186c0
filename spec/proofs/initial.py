"""A new space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.model import U64_MAX
from vm_allocator.modelling import Range
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from spec.proofs.cases import AllocatorCase


@theorem
def a_new_space_meets_every_invariant(case: AllocatorCase) -> None:
    """Wherever a space may be made, it starts in bounds, without overlap and aligned."""
    top = case.number("top")
    case.assume(top <= U64_MAX)
    new = case.read(case.model.initial(top, case.number("base"), case.number("last")))
    for predicate in case.model.invariants().values():
        case.claim(predicate(new))


@theorem
def a_new_space_is_one_gap(case: AllocatorCase) -> None:
    """In a new space nothing is live, and everything is one gap."""
    top, base, last = (case.number(name) for name in ("top", "base", "last"))
    new = case.read(case.model.initial(top, base, last))
    space = Range(new.base, new.last)
    case.claim(new.live.lowest(lambda _: True) is None)
    case.claim(new.gaps().all(lambda gap: gap == space))
    case.consider(new.base)
    case.claim(space in new.gaps())
