"""What is wrong with a model itself, told in one line with the line that it is about."""

from __future__ import annotations

import ast
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class ModelTrouble(Exception):  # noqa: N818  # not an error of ours: the model is in trouble
    """A model cannot be explored, or is refuted before any action: `FILE:LINE: what and why`."""

    def __init__(self, place: str, message: str, *, exit_code: int = 2) -> None:
        super().__init__(f"{place}: {message}")
        self.exit_code = exit_code


class Lines:
    """Where things stand in the file of a model."""

    def __init__(self, file: Path, source: str) -> None:
        self.file = file
        self.source = source
        self._tree = ast.parse(source)

    def place(self, line: int) -> str:
        """Return `FILE:LINE`."""
        return f"{self.file}:{line}"

    def of_class(self, name: str) -> str:
        """Return where a class is defined."""
        return self._find(name, None)

    def of_member(self, owner: str, name: str) -> str:
        """Return where a field or a method of a class is defined; the class, if it is not there."""
        return self._find(owner, name)

    def _find(self, owner: str, name: str | None) -> str:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.ClassDef) and node.name == owner:
                for member in node.body if name is not None else ():
                    if _name_of(member) == name:
                        return self.place(member.lineno)
                return self.place(node.lineno)
        return str(self.file)

    def of_error(self, error: BaseException) -> str:
        """Return the innermost line of the file that an exception came through."""
        line = line_of(error.__traceback__, self.file)
        return str(self.file) if line is None else self.place(line)


def line_of(trace: TracebackType | None, file: Path) -> int | None:
    """Return the innermost line of the file in a traceback."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(trace)
        if Path(frame.filename) == file and frame.lineno is not None
    ]
    return lines[-1] if lines else None


def said_of(error: BaseException) -> str:
    """Return in a line what an exception says, as a person who wrote the model needs it."""
    said = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {said}" if said else name


def _name_of(member: ast.stmt) -> str | None:
    if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
        return member.target.id
    return member.name if isinstance(member, ast.FunctionDef) else None
