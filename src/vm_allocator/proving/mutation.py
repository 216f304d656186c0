"""Mutated models: a specification with one rule bent must lose at least one theorem.

A mutation is a change of the *text* of the model's module: what is bent is what a reader
sees. The mutated module is executed beside the original, its model class is put through
the same theorems, and a theorem that breaks must break when executed, too.
"""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .prover import prove
from .verdict import Proof, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.modelling import Model

    from .concrete_case import SmallStates
    from .prover import Effort
    from .theorem import M, Theorem


@dataclass(frozen=True)
class Mutation:
    """A change of text: `old`, which stands exactly once there, becomes `new`."""

    name: str
    old: str
    new: str
    refuted_by: str
    """The theorem that is tried first: it is about this very rule."""
    within: str = ""
    """The name of the function to look in; empty for the whole module."""


@dataclass(frozen=True)
class MutantResult:
    """What came of one mutated model."""

    mutation: Mutation
    refuted: Proof | None
    """The first theorem that was refuted, with its counterexample; `None` if all survived."""
    tried: int
    seconds: float


class MutationError(ValueError):
    """The text to mutate is not there, or not only once: the table and the model have drifted."""


def mutated_source(module: ModuleType, mutation: Mutation) -> str:
    """Return the module's source with the mutation in it."""
    source = inspect.getsource(module)
    part = source
    if mutation.within:
        part = inspect.getsource(_function(module, mutation.within))
    if part.count(mutation.old) != 1 or source.count(part) != 1:
        raise MutationError(
            f"{mutation.name}: {mutation.old!r} stands {part.count(mutation.old)} times "
            f"in {mutation.within or module.__name__}, not once"
        )
    return source.replace(part, part.replace(mutation.old, mutation.new))


def mutated_model(module: ModuleType, model: type[M], mutation: Mutation) -> type[M]:
    """Execute the mutated module and return its version of the model class."""
    name = f"{module.__name__}__mutated"
    mutant = ModuleType(name)
    # Dataclasses look their own module up while they are made.
    sys.modules[name] = mutant
    try:
        exec(compile(mutated_source(module, mutation), name, "exec"), mutant.__dict__)  # noqa: S102  # our own source
    finally:
        del sys.modules[name]
    found: type[M] = getattr(mutant, model.__name__)
    return found


def dropped_guards(
    module: ModuleType, model: type[Model], refuted_by: dict[str, str]
) -> list[Mutation]:
    """Return one mutation per `require(...)` statement of the model: that guard is dropped.

    `refuted_by` names, for each guard, the theorem that is tried first; a guard that it does
    not name is an error, and so is a name that fits no guard.
    """
    tree = ast.parse(inspect.getsource(module))
    found = []
    for owner in ast.walk(tree):
        if not isinstance(owner, ast.FunctionDef):
            continue
        for statement in owner.body:
            text = ast.get_source_segment(inspect.getsource(module), statement) or ""
            if text.startswith("require("):
                key = f"{owner.name}: {' '.join(text.split())}"
                found.append((key, owner.name, text))
    if {key for key, _, _ in found} != set(refuted_by):
        different = {key for key, _, _ in found} ^ set(refuted_by)
        raise MutationError(f"guards and theorems do not match: {sorted(different)}")
    return [
        Mutation(f"drop {key}", text, "pass", refuted_by[key], f"{model.__name__}.{owner}")
        for key, owner, text in found
    ]


def refute(
    mutation: Mutation,
    mutant: type[M],
    theorems: Sequence[Theorem],
    states: SmallStates[M],
    effort: Effort,
) -> MutantResult:
    """Put the mutated model through the theorems, until one is refuted."""
    ordered = sorted(theorems, key=lambda theorem: theorem.name != mutation.refuted_by)
    alone = replace(effort, second_opinion=False, keep_smt_lib=False)
    seconds = 0.0
    for tried, theorem in enumerate(ordered, start=1):
        proof = prove(theorem, mutant, states, alone)
        seconds += proof.seconds
        if proof.verdict is Verdict.REFUTED:
            return MutantResult(mutation, proof, tried, seconds)
    return MutantResult(mutation, None, len(ordered), seconds)


def _function(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split("."):
        found = inspect.getattr_static(found, name)
    return found.__func__ if isinstance(found, classmethod) else found
