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
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES: Final = ("arithmetic", "series", "gap_node", "gap_search", "gap_bulk", "gap_tree")


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

    def is_caught(self, drive: Callable[[Any, int], None], seeds: int) -> bool:
        """Whether driving the mutated tree fails with any of that many seeds."""
        tree = self.tree()

        def fails(seed: int) -> bool:
            try:
                drive(tree, seed)
            except Exception:  # noqa: BLE001  # a wrong answer, a broken invariant or a crash
                return True
            return False

        return any(map(fails, range(seeds)))

    def _mutate(self, source: ast.Module) -> ast.Module:
        functions: list[ast.AST] = [
            node
            for node in ast.walk(source)
            if isinstance(node, ast.FunctionDef) and node.name == self.function
        ]
        if self.function == "<module>":
            functions = [source]
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
    # a gap grows: what is known above it is raised, all the way up
    _tree("remove raises nothing", "remove", "self._lift(path, leaf, slot)", "pass"),
    _tree("room is not raised", "_lift", "branch.lift_rooms(position, start, length)", "pass"),
    _tree(
        "room is raised in the lowest branch alone",
        "_lift",
        "if branch.rooms:\n    branch.lift_rooms(position, start, length)",
        "if branch.rooms and lifted:\n    branch.lift_rooms(position, start, length)",
    ),
    _tree(
        "raising stops one level early",
        "_lift",
        "lifted and branch.lift(position, length, order, top)",
        "lifted and not branch.lift(position, length, order, top)",
    ),
    _node("the length is not raised", "lift", "self.lengths[slot] = length", "pass"),
    _node("the order is not raised", "lift", "self.orders[slot] = order", "pass"),
    _node("the top is not raised", "lift", "self.tops[slot] = top", "pass"),
    _node(
        "a raised order is not told further up",
        "lift",
        "if self.orders[slot] < order:\n    self.orders[slot] = order\n    lifted = True",
        "if self.orders[slot] < order:\n    self.orders[slot] = order",
    ),
    _node(
        "room is raised without its padding",
        "lift_rooms",
        "max(room[slot], length - padding(start, align))",
        "max(room[slot], length - padding(start, align) - 1)",
    ),
    _tree(
        "a grown gap keeps its measures",
        "remove",
        "leaf.set_gap(slot, gap, stop - gap)",
        "leaf.lengths[slot] = stop - gap",
    ),
    # a gap shrinks: where it was the greatest, another one is
    _tree(
        "add lowers nothing",
        "add",
        "for branch, position in reversed(path):\n"
        "    if not branch.lower(position, length, order, top):\n        return",
        "pass",
    ),
    _tree(
        "lowering stops above the leaf",
        "add",
        "if not branch.lower(position, length, order, top):\n    return",
        "if not branch.lower(position, length, order, top) or True:\n    return",
    ),
    _node("the length is not lowered", "lower", "self.lengths[slot] = max(kid.lengths)", "pass"),
    _node("the order is not lowered", "lower", "self.orders[slot] = order", "pass"),
    _node("the top is not lowered", "lower", "self.tops[slot] = top", "pass"),
    _node(
        "a lowered top is not told further up",
        "lower",
        "if top == self.tops[slot] and top not in kid.tops:\n"
        "    while top not in kid.tops:\n        top -= 1\n"
        "    self.tops[slot] = top\n    lowered = True",
        "if top == self.tops[slot] and top not in kid.tops:\n"
        "    while top not in kid.tops:\n        top -= 1\n"
        "    self.tops[slot] = top",
    ),
    _tree(
        "what the gap had is asked too late",
        "add",
        "(order, top) = (leaf.orders[slot], leaf.tops[slot])",
        "order, top = (0, 0)",
    ),
    _node(
        "a new gap has no measures",
        "insert_gap",
        "(order, top) = measures(start, length)",
        "order, top = (0, 0)",
    ),
    _node(
        "a shrunk gap keeps its measures",
        "set_gap",
        "(self.orders[slot], self.tops[slot]) = measures(start, length)",
        "pass",
    ),
    _tree("the grid is not kept", "add", "self._grid |= end + 1", "pass"),
    # nodes split and join
    _tree("a split is not told", "_grow", "branch.refresh(slot)", "pass"),
    _tree(
        "a split ends the news",
        "_grow",
        "branch.refresh(slot)",
        "if len(node.starts) > self._capacity // 2:\n    branch.refresh(slot)",
    ),
    _tree(
        "a join keeps its old numbers",
        "_join",
        "branch.replace(slot, slot + 2, node.halves() if full else [node])",
        "branch.kids[slot:slot + 2] = node.halves() if full else [node]",
    ),
    _tree(
        "a join is put in the upper place",
        "_join",
        "branch.replace(slot, slot + 2, node.halves() if full else [node])",
        "branch.replace(slot + 1, slot + 2, node.halves() if full else [node])",
    ),
    _tree("a settled slot is told nothing", "_settle", "branch.refresh(slot)", "pass"),
    _tree(
        "the neighbour is not settled",
        "remove",
        "self._settle(above, other)",
        "pass",
    ),
    _tree(
        "a small leaf is left alone",
        "remove",
        "other is not leaf or len(leaf.starts) < self._least",
        "other is not leaf",
    ),
    _tree(
        "a leaf that has lost its first gap is not told",
        "remove",
        "other is not leaf or len(leaf.starts) < self._least",
        "len(leaf.starts) < self._least",
    ),
    _node("a separator goes stale", "refresh", "self.starts[slot] = kid.starts[0]", "pass"),
    _node("a length goes stale", "refresh", "self.lengths[slot] = max(kid.lengths)", "pass"),
    _node("an order goes stale", "refresh", "self.orders[slot] = max(kid.orders)", "pass"),
    _node("a top goes stale", "refresh", "self.tops[slot] = max(kid.tops)", "pass"),
    _node(
        "a split halves no room",
        "_part",
        "{align: room[first:stop] for (align, room) in self.rooms.items()}",
        "{align: room for (align, room) in self.rooms.items()}",
    ),
    _node(
        "joined nodes mix up their alignments",
        "joined",
        "node.rooms[align] = self.room(align) + upper.room(align)",
        "node.rooms[align] = self.rooms.get(align, []) + upper.rooms.get(align, [])",
    ),
    _node("joined orders are lost", "joined", "self.orders + upper.orders", "self.orders"),
    _node("joined tops are lost", "joined", "self.tops + upper.tops", "self.tops"),
    _node("joined lengths are lost", "joined", "self.lengths + upper.lengths", "self.lengths"),
    _node(
        "a new slot has no room",
        "replace",
        "min(most, self._allowed(at, align))",
        "0",
    ),
    _node(
        "a new slot is left out of the room",
        "replace",
        "for align, room in self.rooms.items():\n"
        "    most = max(room[slot:stop])\n"
        "    room[slot:stop] = [\n"
        "        min(most, self._allowed(at, align)) for at in range(slot, slot + len(kids))\n"
        "    ]",
        "pass",
    ),
    _node(
        "what was known of the slots that go counts for none that comes",
        "replace",
        "max(room[slot:stop])",
        "min(room[slot:stop])",
    ),
    # room per alignment
    _node("room is not clamped at 0", "most_room", "min(length, align - 1)", "align // 2"),
    _node("no multiple, yet room", "most_room", "align >> top", "align >> (top - 1 if top else 0)"),
    _node(
        "no block, less room", "most_room", "align >> order", "align >> (order - 1 if order else 0)"
    ),
    # searches
    _search("an order too low", "__init__", "align.bit_length() - 1", "align.bit_length()"),
    _search("by order, although less will do", "__init__", "span == align - 1", "span < align"),
    _search(
        "room is learnt too low",
        "in_vain",
        "node.room(self.align)[slot] = node.kids[slot].most(self.align)",
        "node.room(self.align)[slot] = node.kids[slot].most(self.align) - 1",
    ),
    _search("an order too high is wanted", "<module>", "order > limit", "order > limit + 1"),
    _search("an order is searched too far", "last_slot", "slot + 1", "slot"),
    Mutant("blocks are too large", "arithmetic", "reach", "last - middle + 1", "last - middle"),
    Mutant("tops are too low", "arithmetic", "reach", "first - 1", "first"),
    _node("a copy shares its lengths", "copy", "self.lengths.copy()", "self.lengths"),
    _node("a copy shares its room", "copy", "room.copy()", "room"),
)
