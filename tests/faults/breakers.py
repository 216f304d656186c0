"""Breakers: the library without one of its repairs, each of which an interrupt has to find out.

They are made from the source: in turn, each handler of `BaseException` does nothing but raise.
Others are written by hand.
"""

from __future__ import annotations

import ast
import inspect
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from .scenes import Board, a_part, all_of_it, none_of_it, undone_in_a_with_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOUND_BY: Final[dict[str, tuple[str, ...]]] = {
    "address": ("addresses: GapTree",),
    "chunk_summary": ("IdBitmap, chunks of 4",),
    "gap_node": ("GapTree, nodes of 4",),
    "gap_tree": ("GapTree, nodes of 4",),
    "gaps": ("SortedGaps",),
    "id_bitmap": ("IdBitmap, chunks of 4",),
    "moves": ("addresses: GapTree",),
    "transactions": ("devices",),
}
"""The modules that repair something, and the entries of the campaign that drive them."""


@dataclass(frozen=True)
class Handler:
    """One handler of `BaseException`, counted from 0 within its function."""

    module: str
    owner: str
    function: str
    number: int

    @property
    def name(self) -> str:
        """The qualified name of the function."""
        return f"{self.owner}.{self.function}" if self.owner else self.function

    def __str__(self) -> str:
        return f"{self.name}, handler {self.number}"

    @contextmanager
    def missing(self) -> Iterator[None]:
        """Let the function do without the handler for a while."""
        module = import_module(f"vm_allocator.{self.module}")
        place: Any = getattr(module, self.owner) if self.owner else module
        kept = inspect.getattr_static(place, self.function)
        shipped = getattr(kept, "__func__", kept)  # of a class method
        tree = ast.parse(inspect.getsource(module))
        (function,) = [node for owner, node in _functions(tree) if (owner, node.name) == self._key]
        _handlers(function)[self.number].body = [ast.Raise()]
        function.decorator_list = []
        code = ast.fix_missing_locations(ast.Module([function], []))
        made: dict[str, Any] = {}
        exec(compile(code, str(module.__file__), "exec"), vars(module), made)  # noqa: S102  # our own source
        before = shipped.__code__
        # The code alone: whoever has imported the function has it, too.
        shipped.__code__ = made[self.function].__code__.replace(co_qualname=self.name)
        try:
            yield
        finally:
            shipped.__code__ = before

    @property
    def _key(self) -> tuple[str, str]:
        return self.owner, self.function


NO_REPAIRS: Final[dict[str, str]] = {
    "Transaction._roll_back": "it notes an undo that fails: tests/devices/test_transactions.py",
    "Transaction._failed": "likewise",
}
"""Functions whose handlers are there for something else, and what that is."""


def handlers() -> list[Handler]:
    """Return every handler of `BaseException` in the library."""
    found = []
    for name in FOUND_BY:
        tree = ast.parse(inspect.getsource(import_module(f"vm_allocator.{name}")))
        for owner, function in _functions(tree):
            count = len(_handlers(function))
            found += [Handler(name, owner, function.name, number) for number in range(count)]
    return [handler for handler in found if handler.name not in NO_REPAIRS]


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield node.name, member


def _handlers(function: ast.FunctionDef) -> list[ast.ExceptHandler]:
    found = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id == "BaseException"
    ]
    return sorted(found, key=lambda node: node.lineno)


SEARCHES: Final = tuple(Handler("ordered", "SortedMap", name, 0) for name in ("floor", "ceiling"))
"""Those of the searches of a sorted map: `test_sorted_map` has the states that tell."""

IN_SCENES: Final[dict[str, tuple[Callable[[Board], None], str, int]]] = {
    "Transaction.__enter__": (a_part, "Transaction.__enter__", 1),
    "Transaction.__exit__": (undone_in_a_with_statement, "Transaction.__exit__", 1),
    "Transaction._do": (all_of_it, "Transaction._do", 5),
    "atomically": (none_of_it, "Transaction.__exit__", 1),
}
"""Those of transactions: the scene that tells, the function in which to interrupt it, and
one instruction in how many."""
