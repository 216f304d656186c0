"""Mutants of what lies above the allocators, and of its specification: each loses a theorem.

The source that ships must be told from the specification, and the specification from a bent one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import spec.devices
import spec.pools
import spec.proofs.pools
import vm_allocator.ordered_pools
import vm_allocator.resource_map
import vm_allocator.snapshots.states
import vm_allocator.snapshots.sweep
import vm_allocator.transactions
from spec.proofs.refinement_devices import Shipped, devices_theorems
from spec.proofs.refinement_pools import pools_theorems
from spec.proofs.refinement_snapshots import Shipped as ShippedRestore
from spec.proofs.refinement_snapshots import snapshot_theorems
from vm_allocator.proving.source_mutation import SourceMutant, load, mutants
from vm_allocator.proving.theorem import Theorem

if TYPE_CHECKING:
    from types import ModuleType

    from spec.proofs.cases import AllocatorCase

ORDERED_POOLS: Final[dict[str, tuple[str, ...]]] = {
    "OrderedPools.allocate": ("do_anywhere", "do_exactly"),
    "OrderedPools.free": ("do_free",),
    "OrderedPools.update": ("do_update",),
    "OrderedPools._home": ("do_exactly",),
    "_distance": ("do_exactly",),
}
"""The functions of `ordered_pools.py` that are mutated, and the theorems that are tried first."""

SPECIFIED_POOLS: Final[dict[str, tuple[str, ...]]] = {
    "Pools.home": ("do_exactly", "a_move_between_pools"),
    "Pools.allocate_anywhere": ("do_anywhere", "pools_refuse"),
    "Pools.allocate_exact": ("a_move_between_pools",),
    "Pools.free": ("a_move_between_pools",),
    "Pools.update": ("do_update", "a_move_between_pools"),
    "Pools._with": ("pools_grant",),
    "_distance": ("a_move_between_pools",),
}
"""Those of `spec/pools.py`, likewise."""

TRANSACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Transaction.allocate": ("two_on_two",),
    "Transaction.free": ("two_on_two",),
    "Transaction.update": ("two_on_two",),
    "Transaction.part": ("fails_alone",),
    "Transaction.__enter__": ("fails_alone",),
    "Transaction.__exit__": ("two_on_two",),
    "Transaction._leave": ("two_on_two", "fails_alone"),
    "Transaction._roll_back": ("two_on_two",),
    "Transaction._do": ("two_on_two",),
}
"""Those of `transactions.py`. What is left out is about interrupts, and errors of others."""

RESOURCE_MAP: Final[dict[str, tuple[str, ...]]] = {
    "ResourceMap.register": ("registers",),
    "ResourceMap.unregister": ("unregisters",),
    "ResourceMap.update_device": ("updates_a_device",),
    "ResourceMap.move": ("moves_a_bar",),
    "ResourceMap._put": ("goes_with", "registers"),
}
"""Those of `resource_map.py`."""

SPECIFIED_DEVICES: Final[dict[str, tuple[str, ...]]] = {
    "Books.allocate": ("registers",),
    "Books.allocate_all": ("registers",),
    "Books.free": ("unregisters",),
    "Books.register": ("registers",),
    "Books.unregister": ("unregisters",),
    "Books.update_device": ("updates_a_device",),
    "Books.move_bar": ("moves_a_bar",),
    "Books.held_by": ("unregisters",),
    "Books._with": ("registers",),
}
"""Those of `spec/devices.py`."""

SWEEP: Final[dict[str, tuple[str, ...]]] = {
    "Sweep.over": ("up_to_three",),
    "Sweep.take": ("one_more_entry",),
    "Sweep.keep": ("one_more_entry", "reports_as_an_overlap"),
}
"""Those of `snapshots/sweep.py`: what a restore refuses."""

STATES: Final[dict[str, tuple[str, ...]]] = {
    "SavedMove.reserved": ("what_a_move_reserves",),
    "SavedState.filled": ("what_was_read",),
    "_span": ("what_was_read",),
}
"""Those of `snapshots/states.py`: what a restore makes. How data is read is tested."""

MISUSE: Final = "misuse is an error: tested (tests/devices/test_transactions.py)"
INTERRUPTS: Final = "about interrupts and pools that break their word: tested (tests/faults)"

OWNERS: Final = "whose a range is after a roll-back is tested (tests/test_owners_and_holds.py)"

EQUIVALENT: Final[dict[str, str]] = {
    "transactions: Transaction.free: back_to(allocator, resource) -> "
    "back_to(resource, allocator)": OWNERS,
    "transactions: Transaction.update: back_to(allocator, old_resource) -> "
    "back_to(old_resource, allocator)": OWNERS,
    "transactions: Transaction.update: Undo(allocator.allocate, old, again, old_resource, pool) -> "
    "Undo(allocator.allocate, again, old, old_resource, pool)": OWNERS,
    "transactions: Transaction.update: Undo(allocator.allocate, old, again, old_resource, pool) -> "
    "Undo(allocator.allocate, old, old_resource, again, pool)": OWNERS,
    "transactions: Transaction.update: Undo(allocator.allocate, old, again, old_resource, pool) -> "
    "Undo(allocator.allocate, old, again, pool, old_resource)": OWNERS,
    "transactions: Transaction.update: Undo(allocator.free, (new_resource, new_size), PLAIN, None, "
    "pool) -> Undo(allocator.free, (new_resource, new_size), pool, None, PLAIN) #2": OWNERS,
    "transactions: Transaction._roll_back: not begun or self._may_be_made(undo) -> "
    "not begun and self._may_be_made(undo)": INTERRUPTS,
    "transactions: Transaction._roll_back: not begun -> begun #2": INTERRUPTS,
    "transactions: Transaction.allocate: self._demand_open() -> pass": MISUSE,
    "transactions: Transaction.free: self._demand_open() -> pass": MISUSE,
    "transactions: Transaction.update: self._demand_open() -> pass": MISUSE,
    "transactions: Transaction.part: self._demand_open() -> pass": MISUSE,
    "transactions: Transaction.__enter__: raise TransactionStateError(self._phase.value) "
    "-> pass": MISUSE,
    "transactions: Transaction.__enter__: self._whole._pause(self) -> pass": MISUSE,
    "transactions: Transaction._leave: self._report(error) -> pass": INTERRUPTS,
    "transactions: Transaction._leave: raise self._interruption -> pass": INTERRUPTS,
    "transactions: Transaction._leave: error is not None -> error is None #2": INTERRUPTS,
    "resource_map: ResourceMap.unregister: held.free(part); self._put(part, device, None) -> "
    "self._put(part, device, None); held.free(part)": "both happen, or neither, in any order",
    "transactions: Transaction._leave: self._log.clear() -> pass": "it lets go of memory: nobody "
    "reads the log of a transaction that is over",
    "snapshots.sweep: Sweep.keep: self.highest.end < entry.end -> self.highest.end <= "
    "entry.end": "of two that reach equally high, either may be remembered",
    "spec.pools: _distance: larger(pool.base - start, start - pool.last) -> "
    "larger(start - pool.last, pool.base - start)": "the larger of two is that of the two swapped",
}
"""Mutants that no theorem can tell from the original, each with the reason."""


_LAYERS: Final[dict[str, tuple[ModuleType, dict[str, tuple[str, ...]]]]] = {
    "ordered_pools: ": (vm_allocator.ordered_pools, ORDERED_POOLS),
    "transactions: ": (vm_allocator.transactions, TRANSACTIONS),
    "resource_map: ": (vm_allocator.resource_map, RESOURCE_MAP),
    "snapshots.sweep: ": (vm_allocator.snapshots.sweep, SWEEP),
    "snapshots.states: ": (vm_allocator.snapshots.states, STATES),
    "spec.pools: ": (spec.pools, SPECIFIED_POOLS),
    "spec.devices: ": (spec.devices, SPECIFIED_DEVICES),
}
"""By how the names of their mutants begin: the modules, and the functions that are mutated."""


def layer_mutants() -> list[SourceMutant]:
    """Return every mutant that is not known to be equivalent."""
    made = [
        replace(mutant, name=f"{prefix}{mutant.name}")
        for prefix, (module, functions) in _LAYERS.items()
        for mutant in mutants(module, set(functions))
    ]
    unknown = set(EQUIVALENT) - {mutant.name for mutant in made}
    if unknown:
        raise LookupError(f"equivalent mutants that are not made any more: {sorted(unknown)}")
    return [mutant for mutant in made if mutant.name not in EQUIVALENT]


def is_of_a_layer(mutant: SourceMutant) -> bool:
    """Whether it is one of these."""
    return mutant.name.startswith(tuple(_LAYERS))


def theorems_about_layer(mutant: SourceMutant) -> list[Theorem]:
    """Return the theorems about the mutated module, those that should notice first."""
    module, functions = next(
        layer for prefix, layer in _LAYERS.items() if mutant.name.startswith(prefix)
    )
    bent = load(module, mutant)
    if module is vm_allocator.ordered_pools:
        theorems = pools_theorems(bent)
    elif module is spec.pools:
        theorems = [_about(stated, bent) for stated in _stated(spec.proofs.pools)]
        theorems += pools_theorems(specification=bent)
    elif module is vm_allocator.transactions:
        theorems = devices_theorems(Shipped(transactions=bent))
    elif module is vm_allocator.resource_map:
        theorems = devices_theorems(Shipped(resource_map=bent))
    elif module is vm_allocator.snapshots.sweep:
        theorems = snapshot_theorems(ShippedRestore(sweep=bent))
    elif module is vm_allocator.snapshots.states:
        theorems = snapshot_theorems(ShippedRestore(states=bent))
    else:
        theorems = devices_theorems(Shipped(devices=bent))
    hints = functions[mutant.function]
    hinted = [stated for hint in hints for stated in theorems if hint in stated.name]
    return [*hinted, *(stated for stated in theorems if stated not in hinted)]


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
