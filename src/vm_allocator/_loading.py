"""Where the modules of this package are loaded from: imported first, before any of them.

A compiled build (`make wheel-compiled`) has machine code beside the source of some modules,
and Python prefers it. With `VM_ALLOCATOR_PURE` set to anything, only source is loaded: to
debug, to compare, and to prove, since proofs are about the source.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

VARIABLE: Final = "VM_ALLOCATOR_PURE"
BUT_MACHINES: Final = "all but the state machines"
"""The value with which `verify` runs itself again: the machines are to drive machine code."""


class SourceOnly(MetaPathFinder):
    """Finds the modules of this package by their source, whatever lies beside it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load a module of this package; `None` for any other."""
        del target
        if fullname.partition(".")[0] != __package__ or path is None:
            return None
        found = (
            FileFinder(place, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(fullname)
            for place in path
        )
        return next((spec for spec in found if spec is not None), None)


def run_from_source(module: str) -> NoReturn:
    """Run the module in place of this process, on source, with the same arguments."""
    environment = {**os.environ, VARIABLE: BUT_MACHINES}
    command = [sys.executable, "-m", module, *sys.argv[1:]]
    os.execve(sys.executable, command, environment)  # noqa: S606  # this very program again


if os.environ.get(VARIABLE):
    sys.meta_path.insert(0, SourceOnly())
