"""Which guards are needed: what is lost without each one, and without each part of one.

A guard without which a trace breaks an invariant is needed, and the trace says what for. One
without which everything is still proved is idle: no invariant needs it. That may be right (it
refuses what is pointless) or may say that an invariant is missing.
"""

from __future__ import annotations

import ast
import enum
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vm_allocator.proving.verdict import Verdict

from .exact import Clock
from .exploring import Options, explore
from .load import load_tree
from .trouble import ModelTrouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .subject import Subject
    from .trace import Trace


class Need(enum.Enum):
    """Whether a guard is needed."""

    NEEDED = "needed"
    IDLE = "idle"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Guard:
    """A guard, or a part of one: what stands there, and the file without it."""

    line: int
    text: str
    without: ast.Module


@dataclass(frozen=True)
class Mutant:
    """What came of leaving a guard out."""

    guard: str
    place: str
    verdict: Need
    reason: str
    trace: Trace | None


@dataclass(frozen=True)
class Mutants:
    """What came of leaving out one guard after the other."""

    results: tuple[Mutant, ...]

    @property
    def exit_code(self) -> int:
        """0 if it is known of every guard whether it is needed, otherwise 2."""
        return 2 if any(one.verdict is Need.UNKNOWN for one in self.results) else 0


def guards_of(source: str) -> list[Guard]:
    """Return every `require(...)` statement, and every part of one that is joined by `and`."""
    tree = ast.parse(source)
    found = []
    for number, node in enumerate(ast.walk(tree)):
        condition = _condition(node)
        if condition is None:
            continue
        found.append(_left_out(tree, number, None, node))
        if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And):
            found += [
                _left_out(tree, number, part, condition.values[part])
                for part in range(len(condition.values))
            ]
    return sorted(found, key=lambda guard: guard.line)


def _condition(node: ast.AST) -> ast.expr | None:
    """Return what a statement requires; `None` if it is no guard."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return None
    called = node.value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return node.value.args[0] if name == "require" and node.value.args else None


def _left_out(tree: ast.Module, number: int, part: int | None, shown: ast.AST) -> Guard:
    copy = deepcopy(tree)
    node = list(ast.walk(copy))[number]
    condition = _condition(node)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if part is None:
            node.value = ast.copy_location(ast.Constant(None), node.value)
        elif isinstance(condition, ast.BoolOp):
            condition.values[part] = ast.copy_location(
                ast.Constant(value=True), condition.values[part]
            )
    line = getattr(shown, "lineno", 0)
    return Guard(line, ast.unparse(shown), copy)


def mutants(
    subject: Subject, options: Options, tell: Callable[[str], None] = lambda _said: None
) -> Mutants:
    """Explore the model without one guard after the other."""
    return Mutants(tuple(_each(subject, options, tell)))


def _each(subject: Subject, options: Options, tell: Callable[[str], None]) -> Iterator[Mutant]:
    guards = guards_of(subject.lines.source)
    clock = Clock(options.max_time)
    for number, guard in enumerate(guards):
        tell(f"without {guard.text}")
        share = replace(
            options, max_time=clock.left / (len(guards) - number), suggest=False, guards=False
        )
        place = f"{subject.lines.file}:{guard.line}"
        try:
            mutant = load_tree(
                subject.lines.file, subject.lines.source, guard.without, subject.name
            )
            found = explore(mutant.without(subject.left_out), share)
        except ModelTrouble as trouble:
            yield Mutant(guard.text, place, Need.NEEDED, f"without it: {trouble}", None)
            continue
        if found.verdict is Verdict.REFUTED and found.search.trace is not None:
            broken = ", ".join(rule.name for rule in found.search.trace.broken())
            yield Mutant(
                guard.text, place, Need.NEEDED, f"without it, {broken} breaks", found.search.trace
            )
        elif found.proof is not None:
            yield Mutant(guard.text, place, Need.IDLE, "no invariant needs it", None)
        else:
            yield Mutant(guard.text, place, Need.UNKNOWN, found.reason, None)
