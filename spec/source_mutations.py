"""Mutants of the shipped allocators, each of which must lose a theorem of refinement."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import vm_allocator.address
import vm_allocator.claims
import vm_allocator.gaps
import vm_allocator.ids
from spec.claims import Claims
from spec.model import Allocator
from spec.proofs.bounded_many import many_theorems
from spec.proofs.cases import small_state
from spec.proofs.index import index_theorems
from spec.proofs.queues import small_claims
from spec.proofs.refinement import refinement_theorems
from spec.proofs.refinement_claims import claims_refinement
from spec.proofs.subjects import Shipped
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.source_mutation import SourceMutant, load, mutants
from vm_allocator.proving.verdict import Proof, Verdict

if TYPE_CHECKING:
    from vm_allocator.proving.theorem import Theorem

ADDRESS: Final = {
    "RangeAllocator.allocate": ("does_allocate_anywhere_as", "does_allocate_exactly_as"),
    "RangeAllocator.allocate_many": ("does_allocate_many_as", "many_at_one_start"),
    "RangeAllocator._count": ("does_allocate_many_as",),
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
    "IdAllocator.allocate_many": ("does_allocate_many_as",),
    "IdAllocator.free": ("does_free_as",),
    "IdAllocator.allocate_block": ("block_as",),
}
"""The functions of `ids.py` that are mutated, likewise."""

GAPS: Final = {
    "SortedGaps.lowest_fit": ("lowest_room",),
    "SortedGaps.highest_fit": ("highest_room",),
    "SortedGaps._first_reaching": ("lowest_room", "highest_room"),
    "SortedGaps.overlapping": ("overlap",),
    "SortedGaps.is_live": ("what_is_live",),
    "SortedGaps.add": ("adding",),
    "SortedGaps.remove": ("removing",),
}
"""The functions of `gaps.py` that are mutated, likewise."""

GAPS_BOUNDED: Final = {
    "SortedGaps.lowest_fits": ("lowest_room_for_up_to_2",),
    "SortedGaps.highest_fits": ("highest_room_for_up_to_2",),
    "SortedGaps.add_all": ("adds_up_to_2_at_once",),
}
"""Those of `gaps.py` of which only bounded theorems speak: with one gap, which is enough."""

CLAIMS: Final = {
    "Claims.claim": ("claim_as", "they_claim"),
    "Claims.release": ("release_as", "they_release"),
    "Claims.settle": ("settle_as", "they_settle"),
    "Claims._give_up": ("release_as", "claim_as"),
}
"""The functions of `claims.py` that are mutated, likewise."""

FIRST_TRIED: Final = {**ADDRESS, **IDS, **GAPS, **GAPS_BOUNDED, **CLAIMS}

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
        *mutants(vm_allocator.gaps, set(GAPS)),
        *mutants(vm_allocator.gaps, set(GAPS_BOUNDED)),
        *mutants(vm_allocator.claims, set(CLAIMS)),
    ]
    unknown = set(EQUIVALENT) - {mutant.name for mutant in made}
    if unknown:
        raise LookupError(f"equivalent mutants that are not made any more: {sorted(unknown)}")
    return [mutant for mutant in made if mutant.name not in EQUIVALENT]


def shipped_with(mutant: SourceMutant) -> Shipped:
    """Return the modules of the allocators, with the mutant in one of them if it is of these."""
    if mutant.function in IDS:
        return Shipped(ids=load(vm_allocator.ids, mutant))
    if mutant.function in ADDRESS:
        return Shipped(address=load(vm_allocator.address, mutant))
    return Shipped()


def theorems_about(mutant: SourceMutant) -> list[Theorem]:
    """Return the theorems about the mutated module, those that should notice first."""
    if mutant.function in GAPS_BOUNDED:
        factory = load(vm_allocator.gaps, mutant).SortedGaps
        theorems = [stated.theorem for stated in many_theorems(factory, gaps=1)]
    elif mutant.function in CLAIMS:
        theorems = claims_refinement(load(vm_allocator.claims, mutant))
    elif mutant.function in GAPS:
        theorems = index_theorems(load(vm_allocator.gaps, mutant))
    else:
        kind = "the_id_allocator" if mutant.function in IDS else "the_address_allocator"
        stated = refinement_theorems(shipped_with(mutant))
        theorems = [theorem for theorem in stated if theorem.name.startswith(kind)]
    first = FIRST_TRIED[mutant.function]
    return sorted(theorems, key=lambda stated: not any(hint in stated.name for hint in first))


def refute_source(mutant: SourceMutant, effort: Effort) -> tuple[Proof | None, int]:
    """Return the first theorem that the mutant loses, if any, and how many were tried."""
    theorems = theorems_about(mutant)
    for tried, stated in enumerate(theorems, start=1):
        if mutant.function in CLAIMS:
            proof = prove(stated, Claims, small_claims, effort)
        else:
            proof = prove(stated, Allocator, small_state, effort)
        if proof.verdict is Verdict.REFUTED:
            return proof, tried
    return None, len(theorems)
