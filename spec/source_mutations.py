"""Mutants of the shipped allocators, each of which must lose a theorem of refinement."""

from __future__ import annotations

from functools import cache
from typing import Final

import vm_allocator.address
import vm_allocator.ids
from spec.model import Allocator
from spec.proofs.cases import small_state
from spec.proofs.refinement import refinement_theorems
from spec.proofs.subjects import Shipped
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.source_mutation import SourceMutant, load, mutants
from vm_allocator.proving.verdict import Proof, Verdict

ADDRESS: Final = {
    "RangeAllocator.allocate": ("does_allocate_anywhere_as", "does_allocate_exactly_as"),
    "RangeAllocator.free": ("does_free_as",),
    "RangeAllocator.update": ("does_update_as", "does_update_from_nothing_as", "contradictions"),
    "RangeAllocator.available": ("available",),
    "RangeAllocator._find": ("does_allocate_anywhere_as", "does_allocate_exactly_as"),
    "RangeAllocator._exact_start": ("does_allocate_exactly_as", "contradictions"),
    "RangeAllocator._span": ("does_free_as", "constructs"),
    "RangeAllocator._granule": ("does_allocate_exactly_as",),
    "RangeAllocator._window": ("does_allocate_exactly_as",),
    "RangeAllocator._inside": ("does_free_as", "does_allocate_exactly_as"),
    "RangeAllocator._demand_live": ("does_free_as",),
    "RangeAllocator._place": ("does_allocate_exactly_as",),
    "RangeAllocator._demand_free": ("does_allocate_exactly_as", "does_update_as"),
    "checked_alignment": ("does_allocate_exactly_as", "constructs"),
    "AddressAllocator.__init__": ("constructs",),
}
"""The functions of `address.py` that are mutated, and the theorems that are tried first."""

IDS: Final = {
    "IdAllocator.__init__": ("constructs",),
    "IdAllocator.allocate": ("does_allocate_anywhere_as",),
    "IdAllocator.free": ("does_free_as",),
    "IdAllocator.allocate_block": ("block_as",),
}
"""The functions of `ids.py` that are mutated, likewise."""

MESSAGE: Final = (
    "refuses for the same reason; what the error names is tested (tests/test_requests.py)"
)
TYPES: Final = (
    "symbolic arguments are of the right types; others are tested (tests/test_requests.py)"
)

EQUIVALENT: Final[dict[str, str]] = {
    "RangeAllocator.update: self._demand_free(new_start, new_span, new_start, "
    "min(new_end, old_start - 1)) -> self._demand_free(new_span, new_start, new_start, "
    "min(new_end, old_start - 1))": MESSAGE,
    "RangeAllocator.update: self._demand_free(new_start, new_span, max(new_start, old_end + 1), "
    "new_end) -> self._demand_free(new_span, new_start, max(new_start, old_end + 1), "
    "new_end)": MESSAGE,
    "RangeAllocator._find: self._demand_free(exact, span, exact, exact + span) -> "
    "self._demand_free(span, exact, exact, exact + span)": MESSAGE,
    "RangeAllocator._exact_start: raise InvalidTypeError(self._unit, 'policy', policy, "
    "'a policy') -> pass": TYPES,
    "RangeAllocator._window: raise InvalidTypeError(self._unit, 'within', within, "
    "'a RangeInclusive') -> pass": TYPES,
}
"""Mutants that the theorems cannot tell from the original, each with the reason."""


@cache
def source_mutants() -> list[SourceMutant]:
    """Return every mutant that is not known to be equivalent."""
    made = [
        *mutants(vm_allocator.address, set(ADDRESS)),
        *mutants(vm_allocator.ids, set(IDS)),
    ]
    unknown = set(EQUIVALENT) - {mutant.name for mutant in made}
    if unknown:
        raise LookupError(f"equivalent mutants that are not made any more: {sorted(unknown)}")
    return [mutant for mutant in made if mutant.name not in EQUIVALENT]


def shipped_with(mutant: SourceMutant) -> tuple[Shipped, str]:
    """Return the modules with the mutant in one of them, and which allocator is about it."""
    if mutant.function in IDS:
        return Shipped(ids=load(vm_allocator.ids, mutant)), "the_id_allocator"
    return Shipped(address=load(vm_allocator.address, mutant)), "the_address_allocator"


def refute_source(mutant: SourceMutant, effort: Effort) -> tuple[Proof | None, int]:
    """Return the first theorem that the mutant loses, if any, and how many were tried."""
    shipped, kind = shipped_with(mutant)
    first = {**ADDRESS, **IDS}[mutant.function]
    theorems = [stated for stated in refinement_theorems(shipped) if stated.name.startswith(kind)]
    theorems.sort(key=lambda stated: not any(hint in stated.name for hint in first))
    for tried, stated in enumerate(theorems, start=1):
        proof = prove(stated, Allocator, small_state, effort)
        if proof.verdict is Verdict.REFUTED:
            return proof, tried
    return None, len(theorems)
