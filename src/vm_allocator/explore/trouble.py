"""What is wrong with a model itself, told in one line with the line that it is about."""

from __future__ import annotations

import ast
import sys
import traceback
from pathlib import Path


class ModelTrouble(Exception):  # noqa: N818  # not an error of ours: the model is in trouble
    """A model cannot be explored, or is refuted before any action: `FILE:LINE: what and why`."""

    def __init__(self, place: str, message: str, *, exit_code: int = 2) -> None:
        super().__init__(f"{place}: {message}")
        self.exit_code = exit_code


class Lines:
    """Where things stand in the file of a model, and in those of the classes that it extends."""

    def __init__(self, file: Path, source: str) -> None:
        self.file = file
        self.source = source
        self._trees = {str(file): ast.parse(source)}

    def of_class(self, owner: type) -> str:
        """Return where a class is defined."""
        return self._find(owner, None)

    def of_member(self, owner: type, name: str) -> str:
        """Return where a field or a method of a class is defined; the class, if it is not there."""
        for base in owner.__mro__:
            if name in vars(base) or name in vars(base).get("__annotations__", {}):
                return self._find(base, name)
        return self._find(owner, None)

    def _find(self, owner: type, name: str | None) -> str:
        file = getattr(sys.modules.get(owner.__module__), "__file__", None) or str(self.file)
        if file not in self._trees:
            self._trees[file] = ast.parse(Path(file).read_text(encoding="utf-8"))
        for node in ast.walk(self._trees[file]):
            if isinstance(node, ast.ClassDef) and node.name == owner.__name__:
                for member in node.body if name is not None else ():
                    if _name_of(member) == name:
                        return place_of(file, member.lineno)
                return place_of(file, node.lineno)
        return file

    def of_error(self, error: BaseException, otherwise: str = "") -> str:
        """Return the innermost line of the model that an exception came through."""
        places = [
            place_of(frame.filename, frame.lineno)
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename in self._trees
        ]
        return places[-1] if places else otherwise or str(self.file)


def place_of(file: str | Path, line: int | None) -> str:
    """Return `FILE:LINE`, the file as seen from the working directory if it lies there."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return f"{path}:{line}"


def said_of(error: BaseException) -> str:
    """Return in a line what an exception says, as a person who wrote the model needs it."""
    said = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {said}" if said else name


def _name_of(member: ast.stmt) -> str | None:
    if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
        return member.target.id
    return member.name if isinstance(member, ast.FunctionDef) else None
