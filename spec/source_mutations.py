"""Mutants of the shipped allocators, each of which must lose a theorem of refinement."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import vm_allocator.address
import vm_allocator.claims
import vm_allocator.gaps
import vm_allocator.holds
import vm_allocator.ids
import vm_allocator.moves
import vm_allocator.owners
import vm_allocator.placement
import vm_allocator.requests
import vm_allocator.saving
import vm_allocator.undo
import vm_allocator.view
from spec.claims import Claims
from spec.layer_mutations import is_of_a_layer, layer_mutants, theorems_about_layer
from spec.model import Allocator
from spec.proofs.bounded_many import many_theorems
from spec.proofs.cases import small_state
from spec.proofs.index import index_theorems
from spec.proofs.queues import small_claims
from spec.proofs.refinement import refinement_theorems
from spec.proofs.refinement_claims import claims_refinement
from spec.proofs.refinement_taken import taken_theorems
from spec.proofs.subjects import Shipped
from spec.proofs.undo import undo_theorems
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.source_mutation import SourceMutant, load, mutants, reload
from vm_allocator.proving.verdict import Proof, Verdict

if TYPE_CHECKING:
    from types import ModuleType

    from vm_allocator.proving.theorem import Theorem

ADDRESS: Final[dict[str, tuple[str, ...]]] = {
    "RangeAllocator.allocate": (
        "does_allocate_anywhere_as",
        "does_allocate_exactly_as",
        "keeps_whose",
    ),
    "RangeAllocator.allocate_many": ("does_allocate_many_as", "many_at_one_start"),
    "RangeAllocator.free": ("does_free_as", "keeps_whose"),
    "RangeAllocator.update": (
        "does_update_as",
        "does_update_from_nothing_as",
        "contradictions",
        "keeps_whose",
    ),
    "RangeAllocator.move": ("allocator_moves_as",),
    "RangeAllocator.update_many": ("does_update_many_as",),
    "RangeAllocator.available": ("available",),
    "RangeAllocator._find": (
        "does_allocate_anywhere_as",
        "does_allocate_exactly_as",
        "with_a_preference",
    ),
    "AddressAllocator.__init__": ("constructs",),
}
"""The functions of `address.py` that are mutated, and the theorems that are tried first."""

PLACEMENT: Final[dict[str, tuple[str, ...]]] = {
    "Placement._plan": ("does_update_as",),
    "Placement._inside": ("does_free_as", "does_allocate_exactly_as"),
    "Placement._demand_live": ("does_free_as", "frees_nothing"),
    "Placement._place": ("does_allocate_exactly_as",),
    "Placement._demand_free": ("does_allocate_exactly_as", "does_update_as", "names_whose"),
}
"""The functions of `placement.py` that are mutated, likewise."""

HOLDS: Final[dict[str, tuple[str, ...]]] = {
    "Reserving.reserve": ("reserves_as",),
    "Reserving.unreserve": ("unreserves_as",),
}
"""The functions of `holds.py` that are mutated, likewise."""

OWNERS: Final[dict[str, tuple[str, ...]]] = {
    "tag": ("keeps_whose",),
}
"""The functions of `owners.py` that are mutated, likewise."""

REQUESTS: Final[dict[str, tuple[str, ...]]] = {
    "RequestReader._exact_start": ("does_allocate_exactly_as", "contradictions"),
    "RequestReader._span": ("does_allocate_exactly_as", "does_free_as"),
    "RequestReader._count": ("does_allocate_many_as",),
    "RequestReader._sides": ("updates_a_pair_as",),
    "RequestReader._granule": ("does_allocate_exactly_as",),
    "RequestReader._window": ("does_allocate_exactly_as",),
    "RequestReader._preferred": ("with_a_preference", "contradictions"),
    "checked_alignment": ("does_allocate_exactly_as", "constructs"),
}
"""The functions of `requests.py` that are mutated, likewise."""

MOVES: Final[dict[str, tuple[str, ...]]] = {
    "Move.begin": ("allocator_moves_as",),
    "Move.commit": ("allocator_moves_as",),
    "Move.abort": ("allocator_moves_as",),
    "Move._end": ("allocator_moves_as",),
    "Move._delist": ("allocator_moves_as",),
    "Move._demand_pending": ("allocator_moves_as",),
}
"""The functions of `moves.py` that are mutated, likewise."""

IDS: Final[dict[str, tuple[str, ...]]] = {
    "IdAllocator.__init__": ("constructs",),
    "IdAllocator.allocate": ("does_allocate_anywhere_as",),
    "IdAllocator.allocate_many": ("does_allocate_many_as",),
    "IdAllocator.free": ("does_free_as",),
    "IdAllocator.allocate_block": ("block_as",),
}
"""The functions of `ids.py` that are mutated, likewise."""

UNDO: Final[dict[str, tuple[str, ...]]] = {
    "UndoLog.remove": ("undo_log",),
    "UndoLog.add": ("undo_log",),
    "UndoLog.undo": ("undo_log",),
}
"""The functions of `undo.py` that are mutated, likewise."""

GAPS: Final[dict[str, tuple[str, ...]]] = {
    "SortedGaps.lowest_fit": ("lowest_room",),
    "SortedGaps.highest_fit": ("highest_room",),
    "SortedGaps._first_reaching": ("lowest_room", "highest_room"),
    "SortedGaps.overlapping": ("overlap",),
    "SortedGaps.is_live": ("what_is_live",),
    "SortedGaps.add": ("adding",),
    "SortedGaps.remove": ("removing",),
}
"""The functions of `gaps.py` that are mutated, likewise."""

GAPS_BOUNDED: Final[dict[str, tuple[str, ...]]] = {
    "SortedGaps.lowest_fits": ("lowest_room_for_up_to_2",),
    "SortedGaps.highest_fits": ("highest_room_for_up_to_2",),
    "SortedGaps.add_all": ("adds_up_to_2_at_once",),
}
"""Those of `gaps.py` of which only bounded theorems speak: with one gap, which is enough."""

CLAIMS: Final[dict[str, tuple[str, ...]]] = {
    "Claims.claim": ("claim_as", "they_claim"),
    "Claims.release": ("release_as", "they_release"),
    "Claims.settle": ("settle_as", "they_settle"),
    "Claims._give_up": ("release_as", "claim_as"),
}
"""The functions of `claims.py` that are mutated, likewise."""

FIRST_TRIED: Final = {
    **ADDRESS,
    **PLACEMENT,
    **HOLDS,
    **OWNERS,
    **REQUESTS,
    **MOVES,
    **IDS,
    **UNDO,
    **GAPS,
    **GAPS_BOUNDED,
    **CLAIMS,
}

MESSAGE: Final = (
    "refuses for the same reason; what the error names is tested (tests/test_requests.py)"
)
TYPES: Final = (
    "symbolic arguments are of the right types; others are tested "
    "(tests/test_requests.py, tests/test_update_many.py)"
)

STEPS: Final = (
    "what the contract of the index allows does not fail; that a step is logged before it is "
    "carried out matters to one that is interrupted (tests/faults)"
)

EQUIVALENT: Final[dict[str, str]] = {
    "Move.commit: old_start <= new_end and new_start <= old_end -> "
    "old_start <= new_end or new_start <= old_end": (
        "a new range that is whole already is taken away and put back"
    ),
    "Placement._plan: self._demand_free(new_start, new_span, new_start, "
    "min(new_end, old_start - 1)) -> self._demand_free(new_span, new_start, new_start, "
    "min(new_end, old_start - 1))": MESSAGE,
    "Placement._plan: self._demand_free(new_start, new_span, max(new_start, old_end + 1), "
    "new_end) -> self._demand_free(new_span, new_start, max(new_start, old_end + 1), "
    "new_end)": MESSAGE,
    "RangeAllocator.update_many: self._demand_free(start, end - start, start, end) -> "
    "self._demand_free(end - start, start, start, end)": MESSAGE,
    "RangeAllocator.update_many: end - start -> end + start #3": MESSAGE,
    "RequestReader._sides: raise InvalidTypeError(self._unit, 'change', pair, "
    "'a tuple (old, new)') -> pass": TYPES,
    "RequestReader._sides: not isinstance(pair, tuple) or len(pair) != len(sides) -> "
    "not isinstance(pair, tuple) and len(pair) != len(sides)": TYPES,
    "RequestReader._sides: raise InvalidTypeError(self._unit, name, side, "
    "'a RangeInclusive, or None') -> pass": TYPES,
    "UndoLog.remove: self._removed.append((start, end)); self._index.remove(start, end) -> "
    "self._index.remove(start, end); self._removed.append((start, end))": STEPS,
    "UndoLog.add: self._added.append((start, end)); self._index.add(start, end) -> "
    "self._index.add(start, end); self._added.append((start, end))": STEPS,
    "Move._delist: self._pending.pop((new_start, new_end), None); "
    "self._pending.pop((old_start, old_end), None) -> "
    "self._pending.pop((old_start, old_end), None); "
    "self._pending.pop((new_start, new_end), None)": (
        "the order matters to an end that is interrupted (tests/faults)"
    ),
    "RangeAllocator._find: self._demand_free(exact, span, exact, exact + span) -> "
    "self._demand_free(span, exact, exact, exact + span)": MESSAGE,
    "RequestReader._exact_start: raise InvalidTypeError(self._unit, 'policy', policy, "
    "'a policy') -> pass": TYPES,
    "RequestReader._window: raise InvalidTypeError(self._unit, 'within', within, "
    "'a RangeInclusive') -> pass": TYPES,
}
"""Mutants that the theorems cannot tell from the original, each with the reason."""


NOTES: Final = ("tag(", "tag_all(", "hand_on(", "restore(", "checked_owner(", "owner", "owners")
"""What marks a statement of `RangeAllocator` that notes whose a range is.

Its mutants are left out: tags decide nothing, the theorem about them takes minutes for each, and
many of them are harmless (a tag where nothing lives says nothing). That tags follow their ranges is
proved of the source as it is (`keeps_whose_a_range_is`), and these statements are tested
(tests/test_owners_and_holds.py, and the machines, which compare owners at every step).
"""


def _only_notes(mutant: SourceMutant) -> bool:
    return mutant.function.startswith("RangeAllocator.") and any(
        note in mutant.before for note in NOTES
    )


@cache
def source_mutants() -> list[SourceMutant]:
    """Return every mutant that is not known to be equivalent."""
    made = [
        *mutants(vm_allocator.address, set(ADDRESS)),
        *mutants(vm_allocator.placement, set(PLACEMENT)),
        *mutants(vm_allocator.holds, set(HOLDS)),
        *mutants(vm_allocator.owners, set(OWNERS)),
        *mutants(vm_allocator.requests, set(REQUESTS)),
        *mutants(vm_allocator.moves, set(MOVES)),
        *mutants(vm_allocator.ids, set(IDS)),
        *mutants(vm_allocator.undo, set(UNDO)),
        *mutants(vm_allocator.gaps, set(GAPS)),
        *mutants(vm_allocator.gaps, set(GAPS_BOUNDED)),
        *mutants(vm_allocator.claims, set(CLAIMS)),
    ]
    unknown = set(EQUIVALENT) - {mutant.name for mutant in made}
    if unknown:
        raise LookupError(f"equivalent mutants that are not made any more: {sorted(unknown)}")
    kept = [mutant for mutant in made if not _only_notes(mutant)]
    return [mutant for mutant in kept if mutant.name not in EQUIVALENT] + layer_mutants()


def shipped_with(mutant: SourceMutant) -> Shipped:
    """Return the modules of the allocators, with the mutant in one of them if it is of these."""
    if mutant.function in IDS:
        return Shipped(ids=load(vm_allocator.ids, mutant))
    if mutant.function in ADDRESS:
        return Shipped(address=load(vm_allocator.address, mutant))
    for functions, module in _BELOW:
        if mutant.function in functions:
            return rebuilt(module, load(module, mutant))
    return Shipped()


_BELOW: Final[tuple[tuple[dict[str, tuple[str, ...]], ModuleType], ...]] = (
    (OWNERS, vm_allocator.owners),
    (MOVES, vm_allocator.moves),
    ({}, vm_allocator.view),
    (REQUESTS, vm_allocator.requests),
    (PLACEMENT, vm_allocator.placement),
    (HOLDS, vm_allocator.holds),
    ({}, vm_allocator.saving),
)
"""What `address` stands on, each after what it imports itself."""


def rebuilt(module: ModuleType, mutated: ModuleType) -> Shipped:
    """Return the modules of the allocators, made again over the mutated one."""
    made: dict[str, ModuleType] = {}
    for _, each in _BELOW:
        name = each.__name__.rpartition(".")[2]
        if each is module:
            made[name] = mutated
        elif made:
            made[name] = reload(each, **made)
    address = reload(vm_allocator.address, **made)
    return Shipped(
        address,
        **{name: each for name, each in made.items() if name not in ("owners", "view", "saving")},
    )


def theorems_about(mutant: SourceMutant) -> list[Theorem]:
    """Return the theorems about the mutated module, those that should notice first."""
    if is_of_a_layer(mutant):
        return theorems_about_layer(mutant)
    if mutant.function in GAPS_BOUNDED:
        factory = load(vm_allocator.gaps, mutant).SortedGaps
        theorems = [stated.theorem for stated in many_theorems(factory, gaps=1)]
    elif mutant.function in UNDO:
        theorems = undo_theorems(load(vm_allocator.undo, mutant))
    elif mutant.function in CLAIMS:
        theorems = claims_refinement(load(vm_allocator.claims, mutant))
    elif mutant.function in GAPS:
        theorems = index_theorems(load(vm_allocator.gaps, mutant))
    else:
        kind = "the_id_allocator" if mutant.function in IDS else "the_address_allocator"
        shipped = shipped_with(mutant)
        stated = [*refinement_theorems(shipped), *taken_theorems(shipped)]
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
