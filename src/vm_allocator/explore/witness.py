"""Predicates that a user names: a method of the model, or an expression over its variables."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from .trouble import ModelTrouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.modelling import Model

    from .subject import Subject


@dataclass(frozen=True)
class Predicate:
    """What a state may have."""

    text: str
    holds: Callable[[Any], bool]
    place: str


def predicate_of(subject: Subject, text: str) -> Predicate:
    """Return the predicate: `NAME` of a method, or `NOT NAME` of it, or an expression.

    An expression may name the variables, `self`, and whatever the file of the model defines:
    `blocks.count() == 3`. Raises `ModelTrouble` if it is neither.
    """
    method = getattr(subject.model, text, None) if text.isidentifier() else None
    if callable(method):
        return Predicate(text, method, subject.lines.of_member(subject.model, text))
    try:
        code = compile(text, "--witness", "eval")
    except (SyntaxError, ValueError) as error:
        raise ModelTrouble(
            "--witness", f"{text!r} is no method of {subject.name} and no expression: {error}"
        ) from None
    module = vars(sys.modules[subject.model.__module__])

    def holds(state: Model) -> bool:
        variables = {field.name: getattr(state, field.name) for field in fields(state)}
        names = {**module, **variables, "self": state}
        return bool(eval(code, names))  # noqa: S307  # what the user has typed

    return Predicate(text, holds, "--witness")
