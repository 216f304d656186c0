"""From a file to the model in it."""

from __future__ import annotations

import ast
import sys
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from vm_allocator.modelling import Model

from .subject import declared
from .trouble import Lines, ModelTrouble, said_of

if TYPE_CHECKING:
    from .subject import Subject


_loaded = count(1)
"""Every file that is loaded is a module of its own, however often."""


def load(target: str) -> Subject:
    """Return the model in `FILE`, or the one called NAME in `FILE:NAME`.

    The file is executed. Raises `ModelTrouble` if it cannot be, or if it holds no such model.
    """
    place, _, name = target.rpartition(":") if not target.endswith(".py") else (target, "", "")
    file = Path(place)
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelTrouble(str(file), f"cannot be read: {said_of(error)}") from None
    return load_source(file, source, name)


def load_source(file: Path, source: str, name: str = "") -> Subject:
    """Return the model in this source, which stands in the file."""
    try:
        tree = ast.parse(source, str(file))
    except SyntaxError as error:
        raise ModelTrouble(f"{file}:{error.lineno}", f"SyntaxError: {error.msg}") from None
    except ValueError as error:
        raise ModelTrouble(str(file), said_of(error)) from None
    return load_tree(file, source, tree, name)


def load_tree(file: Path, source: str, tree: ast.Module, name: str = "") -> Subject:
    """Return the model in this syntax tree, which is that of the source, or nearly so."""
    lines = Lines(file, source)
    module = ModuleType(f"explored_{next(_loaded)}_{file.stem}")
    module.__file__ = str(file)
    # Dataclasses and annotations look their own module up, also long after.
    sys.modules[module.__name__] = module
    # As if the file were run: what lies beside it can be imported.
    beside = str(file.resolve().parent)
    sys.path.insert(0, beside)
    try:
        exec(compile(tree, str(file), "exec"), module.__dict__)  # noqa: S102  # the user's own model
    except Exception as error:  # noqa: BLE001  # whatever the file does wrong
        raise ModelTrouble(lines.of_error(error), said_of(error)) from None
    finally:
        sys.path.remove(beside)
    return declared(_chosen(module, name, lines), lines)


def _chosen(module: ModuleType, name: str, lines: Lines) -> type[Model]:
    found = {
        member.__name__: member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, Model)
        and member.__module__ == module.__name__
    }
    if name:
        if name not in found:
            known = ", ".join(found) or "none"
            raise ModelTrouble(str(lines.file), f"no model {name!r} here; there is: {known}")
        return found[name]
    if not found:
        raise ModelTrouble(str(lines.file), "no model here: write a class that extends Model")
    if len(found) > 1:
        raise ModelTrouble(
            str(lines.file),
            f"several models here: name one, as in {lines.file}:{next(iter(found))}",
        )
    return next(iter(found.values()))
