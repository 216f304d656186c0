"""Mutants of the gap tree: each drops or bends one step of the maintenance of its bounds.

A row names the function, the statement or expression as it is parsed, and what
becomes of it. A row that no longer applies is an error that says so.
"""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final

MODULES: Final = ("arithmetic", "gap_node", "gap_search", "gap_tree")


@dataclass(frozen=True)
class Mutant:
    name: str
    module: str
    function: str
    before: str
    after: str

    def tree(self) -> Any:
        """Return the mutated `GapTree`; the module that ships stays as it is."""
        made: dict[str, ModuleType] = {}
        for name in MODULES:
            original = import_module(f"vm_allocator.{name}")
            source = ast.parse(inspect.getsource(original))
            if name == self.module:
                source = self._mutate(source)
            made[name] = _execute(name, source, made)
        return made["gap_tree"].GapTree

    def _mutate(self, source: ast.Module) -> ast.Module:
        functions = [
            node
            for node in ast.walk(source)
            if isinstance(node, ast.FunctionDef) and node.name == self.function
        ]
        after, places = self.after, 0
        statement = ast.parse(self.before).body[0]
        befores = {ast.dump(statement)}
        if isinstance(statement, ast.Expr):
            befores.add(ast.dump(statement.value))

        class Replace(ast.NodeTransformer):
            def visit(self, node: ast.AST) -> Any:
                nonlocal places
                if isinstance(node, (ast.stmt, ast.expr)) and ast.dump(node) in befores:
                    places += 1
                    return _parsed(after, node)
                return self.generic_visit(node)

        for function in functions:
            Replace().visit(function)
        if places != 1:
            raise LookupError(
                f"{self.function} has {places} places that read {self.before!r}: "
                "the source has changed, so write the mutant anew"
            )
        return ast.fix_missing_locations(source)


def _parsed(text: str, like: ast.AST) -> ast.AST:
    """Parse a statement, or, if that is what it stands for, an expression."""
    statement = ast.parse(text).body[0]
    if isinstance(like, ast.expr) and isinstance(statement, ast.Expr):
        return statement.value
    return statement


def _execute(name: str, source: ast.Module, made: dict[str, ModuleType]) -> ModuleType:
    """Run the source as a module whose imports are those that were made before it."""
    module = ModuleType(f"vm_allocator._mutated_{name}")
    module.__package__ = "vm_allocator"
    full = {f"vm_allocator.{other}": loaded for other, loaded in made.items()}
    saved = {other: sys.modules[other] for other in full}
    sys.modules.update(full)
    try:
        exec(compile(source, f"<mutated {name}>", "exec"), module.__dict__)  # noqa: S102  # our own source
    finally:
        sys.modules.update(saved)
    return module


def _node(name: str, function: str, before: str, after: str) -> Mutant:
    return Mutant(name, "gap_node", function, before, after)


def _tree(name: str, function: str, before: str, after: str) -> Mutant:
    return Mutant(name, "gap_tree", function, before, after)


def _search(name: str, function: str, before: str, after: str) -> Mutant:
    return Mutant(name, "gap_search", function, before, after)


MUTANTS: Final = (
    # a gap grows: its bounds are raised, all the way up
    _tree("remove raises nothing", "remove", "self._lift(path, gap, stop, order, top)", "pass"),
    _tree(
        "remove raises to the freed range alone",
        "remove",
        "self._lift(path, gap, stop, order, top)",
        "self._lift(path, start, end + 1, *measures(start, end + 1))",
    ),
    _tree("room is not raised", "_lift", "branch.lift_rooms(slot, start, stop)", "pass"),
    _tree(
        "raising stops one level early",
        "_lift",
        "if not branch.lift(slot, stop - start, order, top):\n    return",
        "if branch.lift(slot, stop - start, order, top):\n    return",
    ),
    _node("the length is not raised", "lift", "self.longest[slot] = length", "pass"),
    _node("the order is not raised", "lift", "self.orders[slot] = order", "pass"),
    _node("the top is not raised", "lift", "self.tops[slot] = top", "pass"),
    _node(
        "room is raised without its padding",
        "lift_rooms",
        "room[slot] = max(room[slot], usable)",
        "room[slot] = max(room[slot], usable - 1)",
    ),
    _tree(
        "a grown gap keeps its measures",
        "remove",
        "(leaf.stops[slot], leaf.orders[slot], leaf.tops[slot]) = (stop, order, top)",
        "leaf.stops[slot] = stop",
    ),
    # a gap shrinks: what may be too high is remembered and made exact in turn
    _tree("no leaf becomes stale", "add", "leaf.stale = True", "pass"),
    _tree("a stale leaf is forgotten", "add", "self._stale.append(gap)", "pass"),
    _tree(
        "only the length makes stale",
        "add",
        "stop - gap >= branch.longest[position] or leaf.orders[slot] >= branch.orders[position] "
        "or leaf.tops[slot] >= branch.tops[position]",
        "stop - gap >= branch.longest[position]",
    ),
    _tree(
        "stale leaves pile up",
        "add",
        "if len(self._stale) > self._slack:\n    self._tighten(self._stale.popleft())",
        "pass",
    ),
    _tree(
        "a leaf is dropped from the stale ones as it is",
        "_tighten",
        "if leaf.stale:\n    leaf.stale = False\n    for branch, slot in reversed(path):\n"
        "        if not branch.refresh(slot):\n            return",
        "leaf.stale = False",
    ),
    _tree(
        "tightening stops above the leaf",
        "_tighten",
        "if not branch.refresh(slot):\n    return",
        "if not branch.refresh(slot) or True:\n    return",
    ),
    _node(
        "an exact bound is not written down",
        "refresh",
        "(self.longest[slot], self.orders[slot], self.tops[slot]) = (length, order, top)",
        "pass",
    ),
    _tree(
        "a new gap has no measures",
        "add",
        "(order, top) = measures(end + 1, stop)",
        "order, top = (0, 0)",
    ),
    _tree(
        "a shrunk gap keeps its measures",
        "add",
        "(leaf.orders[slot], leaf.tops[slot]) = measures(gap, start)",
        "pass",
    ),
    _tree("the grid is not kept", "add", "self._grid |= end + 1", "pass"),
    # nodes split and join
    _tree("a split is not told", "_grow", "branch.refresh(slot)", "pass"),
    _tree("a join keeps its old bounds", "_join", "branch.replace(slot)", "pass"),
    _tree(
        "a join is put in the upper place",
        "_join",
        "branch.insert_kid(slot + 1, lower.split())",
        "branch.insert_kid(slot, lower.split())",
    ),
    _tree(
        "a separator goes stale",
        "_settle",
        "branch.starts[slot] = node.starts[0]",
        "pass",
    ),
    _tree("a settled slot keeps its old bounds", "_settle", "branch.refresh(slot)", "pass"),
    _tree(
        "the neighbour is not settled",
        "remove",
        "self._settle(above, other)",
        "pass",
    ),
    _tree("a small leaf is left alone", "remove", "self._settle(path, leaf)", "pass"),
    _node(
        "a split halves no room",
        "split",
        "(upper.rooms[align], self.rooms[align]) = (room[half:], room[:half])",
        "upper.rooms[align] = room[half:]",
    ),
    _node(
        "joined nodes mix up their alignments",
        "absorb",
        "self.rooms[align] = self.room(align) + upper.room(align)",
        "self.rooms[align] = self.rooms.get(align, []) + upper.rooms.get(align, [])",
    ),
    _node(
        "the upper node's alignments are lost",
        "absorb",
        "{**self.rooms, **upper.rooms}",
        "{**self.rooms}.fromkeys(upper.rooms)",
    ),
    _node("joined orders are lost", "absorb", "self.orders += upper.orders", "pass"),
    _node("joined tops are lost", "absorb", "self.tops += upper.tops", "pass"),
    _node("joined lengths are lost", "absorb", "self.longest += upper.longest", "pass"),
    _node(
        "a new slot has no room",
        "insert_kid",
        "room.insert(slot, self._allowed(slot, align))",
        "room.insert(slot, 0)",
    ),
    _node(
        "a new slot is left out of the room",
        "insert_kid",
        "room.insert(slot, self._allowed(slot, align))",
        "pass",
    ),
    _node("a slot that goes leaves its room", "delete_kid", "del room[slot]", "pass"),
    # bounds per alignment
    _node("room is not clamped at 0", "most_room", "min(longest, align - 1)", "align // 2"),
    _node("no multiple, yet room", "most_room", "align >> top", "align >> (top - 1 if top else 0)"),
    _node(
        "no block, less room", "most_room", "align >> order", "align >> (order - 1 if order else 0)"
    ),
    _search("an order too low", "__init__", "align.bit_length() - 1", "align.bit_length()"),
    _search("by order, although less will do", "__init__", "span == align - 1", "span < align"),
    # a search in vain makes bounds exact
    _search("what was learnt stays below", "learn", "self.tightened = True", "pass"),
    _search("a bound is called exact as it is", "learn", "branch.refresh(slot)", "pass"),
    _search(
        "room is learnt too low",
        "learn",
        "branch.room(self.align)[slot] = kid.most(self.align)",
        "branch.room(self.align)[slot] = kid.most(self.align) - 1",
    ),
    Mutant("blocks are too large", "arithmetic", "reach", "last - middle + 1", "last - middle"),
    Mutant("tops are too low", "arithmetic", "reach", "first - 1", "first"),
    _node("a copy shares its lengths", "copy", "self.longest.copy()", "self.longest"),
    _node("a copy shares its room", "copy", "room.copy()", "room"),
    _node("a copy is not stale", "copy", "twin.stale = self.stale", "pass"),
)
