"""Breakers: the library without one of its repairs, each of which an interrupt has to find out.

They are made from the source: in turn, each handler of `BaseException` does nothing but raise.
Others are written by hand.
"""

from __future__ import annotations

import ast
import copy
import inspect
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FOUND_BY: Final[dict[str, tuple[str, ...]]] = {
    "address": ("addresses: GapTree",),
    "chunk_summary": ("IdBitmap, chunks of 4",),
    "gap_node": ("GapTree, nodes of 4",),
    "gap_tree": ("GapTree, nodes of 4",),
    "gaps": ("SortedGaps",),
    "id_bitmap": ("IdBitmap, chunks of 4",),
    "moves": ("addresses: GapTree",),
    "ordered": ("SortedGaps, many",),
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
        tree = ast.parse(inspect.getsource(module))
        (function,) = [node for owner, node in _functions(tree) if (owner, node.name) == self._key]
        function = copy.deepcopy(function)
        _handlers(function)[self.number].body = [ast.Raise()]
        code = ast.fix_missing_locations(ast.Module([function], []))
        made: dict[str, Any] = {}
        exec(compile(code, str(module.__file__), "exec"), vars(module), made)  # noqa: S102  # our own source
        replacement = made[self.function]
        plain = getattr(replacement, "__func__", replacement)
        plain.__code__ = plain.__code__.replace(co_qualname=self.name)
        setattr(place, self.function, replacement)
        try:
            yield
        finally:
            setattr(place, self.function, kept)

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
