"""Mutants of shipped source: small changes of the syntax tree, made mechanically.

Each operator stands for a mistake that people make: a comparison off by its equality, a sum
off by one, arguments swapped, a statement forgotten, two effects in the wrong order. A
mutant that no theorem notices is a hole in the proofs, or changes nothing that matters; which
of the two must be said, with the reason.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FLIPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}

SWAPS = {
    one: other
    for pair in (("max", "min"), ("lowest_fit", "highest_fit"), ("lowest_fits", "highest_fits"))
    for one, other in (pair, pair[::-1])
}


@dataclass(frozen=True)
class SourceMutant:
    """One change of one function; `source` is the whole mutated module."""

    name: str
    function: str
    before: str
    after: str
    source: str


def mutants(module: ModuleType, functions: set[str]) -> list[SourceMutant]:
    """Return every mutant of the functions (methods are named `Class.method`)."""
    tree = ast.parse(inspect.getsource(module))
    found = []
    for name, body in _functions(tree):
        if name in functions:
            found += [_mutant(tree, name, *change) for change in _changes(body)]
    missing = functions - {name for name, _ in _functions(tree)}
    if missing:
        raise LookupError(f"no such functions to mutate: {sorted(missing)}")
    return _numbered(found)


def reload(module: ModuleType, **replaced: ModuleType) -> ModuleType:
    """Execute the source as it is once more, on what is `replaced` among its imports."""
    as_it_is = SourceMutant("", "", "", "", inspect.getsource(module))
    return load(module, as_it_is, **replaced)


def load(module: ModuleType, mutant: SourceMutant, **replaced: ModuleType) -> ModuleType:
    """Execute the mutated source beside the original; `replaced` stand in for its imports."""
    name = f"{module.__name__}__mutated"
    loaded = ModuleType(name)
    loaded.__package__ = module.__package__
    saved = {full: sys.modules[full] for full in (f"{module.__package__}.{k}" for k in replaced)}
    sys.modules.update({f"{module.__package__}.{k}": v for k, v in replaced.items()})
    sys.modules[name] = loaded
    try:
        exec(compile(mutant.source, name, "exec"), loaded.__dict__)  # noqa: S102  # our own source
    finally:
        del sys.modules[name]
        sys.modules.update(saved)
    return loaded


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield f"{node.name}.{member.name}", member


def _changes(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Return pairs of a node of the function and what it becomes.

    What an error is made with is left alone: it changes a message, and no refusal. So is what
    repairs a state after an exception from without: only an exception at every instruction
    makes all of it run (`tests/faults`).
    """
    left_alone = {
        id(part)
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) or _repairs(node)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(function):
        if id(node) in left_alone:
            continue
        if isinstance(node, ast.Compare):
            yield from _flipped(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            yield from _bent_sum(node)
        elif isinstance(node, ast.Call):
            yield from _bent_call(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, node.operand
        elif isinstance(node, ast.BoolOp):
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, ast.BoolOp(other, node.values)
        if isinstance(node, (ast.FunctionDef, ast.If, ast.Try)):
            yield from _bent_block(node)


def _repairs(node: ast.AST) -> bool:
    """Whether this is a handler of whatever may be raised."""
    return (
        isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id == BaseException.__name__
    )


def _flipped(node: ast.Compare) -> Iterator[tuple[ast.AST, ast.AST]]:
    for position, operator in enumerate(node.ops):
        flipped = FLIPS.get(type(operator))
        if flipped is not None:
            changed = copy.deepcopy(node)
            changed.ops[position] = flipped()
            yield node, changed


def _bent_sum(node: ast.BinOp) -> Iterator[tuple[ast.AST, ast.AST]]:
    other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    yield node, ast.BinOp(node.left, other, node.right)
    if isinstance(node.right, ast.Constant) and node.right.value == 1:
        yield node, node.left


def _bent_call(node: ast.Call) -> Iterator[tuple[ast.AST, ast.AST]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if isinstance(node.func, ast.Name):
        name = node.func.id
    if name in SWAPS:
        changed = copy.deepcopy(node)
        if isinstance(changed.func, ast.Name):
            changed.func.id = SWAPS[name]
        elif isinstance(changed.func, ast.Attribute):
            changed.func.attr = SWAPS[name]
        yield node, changed
    plain = [at for at, given in enumerate(node.args) if isinstance(given, (ast.Name, ast.BinOp))]
    if name not in ("max", "min") and not name.endswith("Error"):
        for one, other in pairwise(plain):
            changed = copy.deepcopy(node)
            changed.args[one], changed.args[other] = changed.args[other], changed.args[one]
            yield node, changed


def _bent_block(node: ast.FunctionDef | ast.If | ast.Try) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Drop each call and each raise; swap each call with the one that follows it."""
    for position, statement in enumerate(node.body):
        call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        if call or isinstance(statement, ast.Raise):
            changed = copy.deepcopy(node)
            changed.body[position] = ast.Pass()
            yield node, changed
        following = node.body[position + 1 : position + 2]
        if call and following and isinstance(following[0], ast.Expr):
            changed = copy.deepcopy(node)
            changed.body[position : position + 2] = changed.body[position : position + 2][::-1]
            yield node, changed


def _mutant(tree: ast.Module, function: str, node: ast.AST, changed: ast.AST) -> SourceMutant:
    class Replace(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return changed if visited is node else self.generic_visit(visited)

    # generic_visit changes trees in place: work on one whose copies are shared with nobody.
    memo: dict[int, ast.AST] = {}
    whole = copy.deepcopy(tree, memo)
    node = memo[id(node)]
    mutated = ast.fix_missing_locations(Replace().visit(whole))
    before, after = _shown(node, changed)
    return SourceMutant(
        name=f"{function}: {before} -> {after}",
        function=function,
        before=before,
        after=after,
        source=ast.unparse(mutated),
    )


def _shown(node: ast.AST, changed: ast.AST) -> tuple[str, str]:
    """Return what changed, as a line or two: for a block, the statements that differ."""
    if not isinstance(node, (ast.FunctionDef, ast.If, ast.Try)):
        return ast.unparse(node), ast.unparse(changed)
    assert isinstance(changed, (ast.FunctionDef, ast.If, ast.Try))  # noqa: S101  # made from such a node
    old, new = [ast.unparse(s) for s in node.body], [ast.unparse(s) for s in changed.body]
    lines = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    return "; ".join(a for a, _ in lines), "; ".join(b for _, b in lines)


def _numbered(found: list[SourceMutant]) -> list[SourceMutant]:
    """Make names unique: the second change of the same words is called #2."""
    seen: dict[str, int] = {}
    unique = []
    for mutant in found:
        seen[mutant.name] = seen.get(mutant.name, 0) + 1
        number = seen[mutant.name]
        name = mutant.name if number == 1 else f"{mutant.name} #{number}"
        unique.append(
            SourceMutant(name, mutant.function, mutant.before, mutant.after, mutant.source)
        )
    return unique
