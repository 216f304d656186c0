"""Every step that keeps the bitmap and its summary true, each of them left out or bent in turn."""

from __future__ import annotations

import ast
import copy
import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import vm_allocator.chunk_summary
import vm_allocator.id_bitmap
import vm_allocator.id_bits
from vm_allocator.proving.source_mutation import SourceMutant, load, mutants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SUMMARY: Final = {
    "Group.lower",
    "Group.copy",
    "ChunkSummary.insert",
    "ChunkSummary.delete",
    "ChunkSummary.raise_bounds",
    "ChunkSummary.lower_bound",
    "ChunkSummary._lower_group",
    "ChunkSummary.copy",
    "room",
}
BITMAP: Final = {
    "IdBitmap.add",
    "IdBitmap.add_all",
    "IdBitmap.remove",
    "IdBitmap._room",
    "IdBitmap.copy",
}
BITS: Final = {"IdBits.__init__", "IdBits._open", "IdBits._drop"}

EQUIVALENT: Final[dict[str, str]] = {
    "ChunkSummary.insert: self._highest < chunk < self._top -> "
    "self._highest <= chunk < self._top": "it becomes what it is",
    "IdBitmap.add_all: without chunk = self._chunks[filled - "
    "self._origin]": "all are added one by one: slower, and the same",
    "Group.lower: most < bounds[slot] -> most <= bounds[slot]": "likewise",
    "ChunkSummary.raise_bounds: bounds[slot] < size -> "
    "bounds[slot] <= size": "the bound becomes what it is",
}
"""What changes nothing that a caller could notice, each with the reason."""


@cache
def maintenance_mutants() -> list[SourceMutant]:
    """Return every mutant that is not known to be equivalent."""
    made: list[SourceMutant] = []
    for module, functions in (
        (vm_allocator.chunk_summary, SUMMARY),
        (vm_allocator.id_bits, BITS),
        (vm_allocator.id_bitmap, BITMAP),
    ):
        made += _without_a_step(module, functions)
        # Bent sums in the bitmap make a bound looser, which is safe: only what is left out counts.
        bent = mutants(module, functions)
        made += [m for m in bent if m.function in SUMMARY or m.after == "pass"]
    unknown = set(EQUIVALENT) - {mutant.name for mutant in made}
    if unknown:
        raise LookupError(f"equivalent mutants that are not made any more: {sorted(unknown)}")
    return [mutant for mutant in made if mutant.name not in EQUIVALENT]


def bitmap_with(mutant: SourceMutant) -> Any:
    """Return the class, with the mutant in it, in its bits or in its summary."""
    if mutant.function in BITMAP:
        return load(vm_allocator.id_bitmap, mutant).IdBitmap
    if mutant.function in BITS:
        replaced = {"id_bits": load(vm_allocator.id_bits, mutant)}
    else:
        summary = load(vm_allocator.chunk_summary, mutant)
        bits = load(vm_allocator.id_bits, _as_it_is(vm_allocator.id_bits), chunk_summary=summary)
        replaced = {"chunk_summary": summary, "id_bits": bits}
    return load(vm_allocator.id_bitmap, _as_it_is(vm_allocator.id_bitmap), **replaced).IdBitmap


def _as_it_is(module: ModuleType) -> SourceMutant:
    return SourceMutant("", "", "", "", inspect.getsource(module))


def _without_a_step(module: ModuleType, functions: set[str]) -> Iterator[SourceMutant]:
    """Yield the module without one assignment or deletion; calls are dropped by `mutants`."""
    tree = ast.parse(inspect.getsource(module))
    seen: dict[str, int] = {}
    for name, function in _functions(tree):
        if name not in functions:
            continue
        for step in ast.walk(function):
            if isinstance(step, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete)):
                text = f"{name}: without {ast.unparse(step)}"
                seen[text] = seen.get(text, 0) + 1
                number = f" #{seen[text]}" if seen[text] > 1 else ""
                yield SourceMutant(
                    text + number, name, ast.unparse(step), "pass", _dropped(tree, step)
                )


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield f"{node.name}.{member.name}", member


def _dropped(tree: ast.Module, step: ast.stmt) -> str:
    memo: dict[int, Any] = {}
    whole = copy.deepcopy(tree, memo)
    copied = memo[id(step)]

    class Drop(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return ast.Pass() if node is copied else self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(Drop().visit(whole)))
