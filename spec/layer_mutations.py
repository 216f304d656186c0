"""Mutants of what lies above the allocators, and of its specification: each loses a theorem.

The source that ships must be told from the specification, and the specification from a bent one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import spec.pools
import spec.proofs.pools
import vm_allocator.ordered_pools
from spec.proofs.refinement_pools import pools_theorems
from vm_allocator.proving.source_mutation import SourceMutant, load, mutants
from vm_allocator.proving.theorem import Theorem

if TYPE_CHECKING:
    from types import ModuleType

    from spec.proofs.cases import AllocatorCase

ORDERED_POOLS: Final = {
    "OrderedPools.allocate": ("do_anywhere", "do_exactly"),
    "OrderedPools.free": ("do_free",),
    "OrderedPools.update": ("do_update",),
    "OrderedPools._home": ("do_exactly",),
    "_distance": ("do_exactly",),
}
"""The functions of `ordered_pools.py` that are mutated, and the theorems that are tried first."""

SPECIFIED_POOLS: Final = {
    "Pools.home": ("do_exactly", "a_move_between_pools"),
    "Pools.allocate_anywhere": ("do_anywhere", "pools_refuse"),
    "Pools.allocate_exact": ("a_move_between_pools",),
    "Pools.free": ("a_move_between_pools",),
    "Pools.update": ("do_update", "a_move_between_pools"),
    "Pools._with": ("pools_grant",),
    "_distance": ("a_move_between_pools",),
}
"""Those of `spec/pools.py`, likewise."""

EQUIVALENT: Final[dict[str, str]] = {
    "specified: _distance: larger(pool.base - start, start - pool.last) -> "
    "larger(start - pool.last, pool.base - start)": "the larger of two is that of the two swapped",
}
"""Mutants that no theorem can tell from the original, each with the reason."""

_SHIPPED: Final = "shipped: "
_SPECIFIED: Final = "specified: "


def layer_mutants() -> list[SourceMutant]:
    """Return every mutant that is not known to be equivalent."""
    made = [
        *_named(_SHIPPED, mutants(vm_allocator.ordered_pools, set(ORDERED_POOLS))),
        *_named(_SPECIFIED, mutants(spec.pools, set(SPECIFIED_POOLS))),
    ]
    unknown = set(EQUIVALENT) - {mutant.name for mutant in made}
    if unknown:
        raise LookupError(f"equivalent mutants that are not made any more: {sorted(unknown)}")
    return [mutant for mutant in made if mutant.name not in EQUIVALENT]


def is_of_a_layer(mutant: SourceMutant) -> bool:
    """Whether it is one of these."""
    return mutant.name.startswith((_SHIPPED, _SPECIFIED))


def theorems_about_layer(mutant: SourceMutant) -> list[Theorem]:
    """Return the theorems about the mutated module, those that should notice first."""
    if mutant.name.startswith(_SHIPPED):
        theorems = pools_theorems(load(vm_allocator.ordered_pools, mutant))
        first = ORDERED_POOLS[mutant.function]
    else:
        bent = load(spec.pools, mutant)
        theorems = [_about(stated, bent) for stated in _stated(spec.proofs.pools)]
        theorems += pools_theorems(specification=bent)
        first = SPECIFIED_POOLS[mutant.function]
    hinted = [stated for hint in first for stated in theorems if hint in stated.name]
    return [*hinted, *(stated for stated in theorems if stated not in hinted)]


def _named(prefix: str, made: list[SourceMutant]) -> list[SourceMutant]:
    return [replace(mutant, name=f"{prefix}{mutant.name}") for mutant in made]


def _stated(module: ModuleType) -> list[Theorem]:
    return [member for member in vars(module).values() if isinstance(member, Theorem)]


def _about(stated: Theorem, bent: ModuleType) -> Theorem:
    """Return the theorem about the pools of a bent specification."""
    return replace(stated, state=partial(_state_about, stated=stated, bent=bent))


def _state_about(case: AllocatorCase, stated: Theorem, bent: ModuleType) -> None:
    place: dict[str, Any] = vars(spec.proofs.pools)
    saved = place["Pools"]
    place["Pools"] = bent.Pools
    try:
        stated.state(case)
    finally:
        place["Pools"] = saved
