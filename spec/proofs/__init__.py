"""The theorems about `spec.model`, and `spec.claims`: one function each, its name a sentence.

`all_theorems` finds every one by looking through the modules of this package, so that a
theorem cannot be written and then forgotten.
"""

from __future__ import annotations

import importlib
import pkgutil

from vm_allocator.proving.theorem import Theorem

NOT_THEOREMS = {
    "any_pools",
    "arithmetic",
    "bounded",
    "cases",
    "claims",
    "index",
    "queues",
    "reachable",
    "refinement",
    "refinement_devices",
    "refinement_claims",
    "refinement_many",
    "refinement_pools",
    "refinement_moves",
    "refinement_snapshots",
    "refinement_taken",
    "refinement_update_many",
    "runs",
    "subjects",
    "summaries",
    "undo",
    "walks",
}
"""Modules of another kind: what the theorems share, lemmas on bit-vectors, witnesses.

`claims` has theorems, about another model: `theorems_about_claims`.
"""


def all_theorems() -> list[Theorem]:
    """Return every theorem about the model, in the order in which a reader meets them."""
    modules = sorted(
        found.name for found in pkgutil.iter_modules(__path__) if found.name not in NOT_THEOREMS
    )
    return [member for name in modules for member in _theorems_in(name)]


def theorems_about_claims() -> list[Theorem]:
    """Return every theorem about the model of claims, likewise."""
    return _theorems_in("claims")


def _theorems_in(name: str) -> list[Theorem]:
    members = vars(importlib.import_module(f"{__name__}.{name}")).values()
    return [member for member in members if isinstance(member, Theorem)]
