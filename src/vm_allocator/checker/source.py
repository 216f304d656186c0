"""Pieces of Python source, as a formatter would leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .as_json import call_as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .calls import Call

WIDTH: Final = 88
"""Columns of a line: what formatters take for granted."""

INDENT: Final = "    "
_ONE_DIGIT: Final = 9


def number(value: int) -> str:
    """Write a number: in hex where a digit does not do."""
    if value < 0:
        return f"-{number(-value)}"
    return str(value) if value <= _ONE_DIGIT else f"0x{value:X}"


def quoted(text: str) -> str:
    """Write a string, in double quotes unless single ones spare it backslashes."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    inside = "".join(c if c in "\"'" else repr(c)[1:-1] for c in text)
    return f"{quote}{inside.replace(quote, f'{chr(92)}{quote}')}{quote}"


def bracketed(before: str, items: Sequence[str], after: str, indent: int = 0) -> list[str]:
    """Return `before` + items + `after` in one line if it fits, else with an item per line."""
    margin = INDENT * indent
    line = f"{margin}{before}{', '.join(items)}{after}"
    if len(line) <= WIDTH or not items:
        return [line]
    return [
        f"{margin}{before}",
        *(f"{margin}{INDENT}{item}," for item in items),
        f"{margin}{after}",
    ]


def imported(module: str, names: Iterable[str]) -> list[str]:
    """Return the statement that imports these names."""
    line = f"from {module} import {', '.join(sorted(names))}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"{INDENT}{name}," for name in sorted(names)), ")"]


def recorded(base: int, last: int, calls: Sequence[Call]) -> list[str]:
    """Return the literals SPACE and CALLS, which `vm-allocator replay` reads."""
    lines = [f"SPACE = ({number(base)}, {number(last)})"]
    if not calls:
        return [*lines, "CALLS = []"]
    lines.append("CALLS = [")
    for call in calls:
        items = [f'"{name}": {_value(value)}' for name, value in call_as_json(call).items()]
        lines += bracketed("{", items, "}", 1)
        lines[-1] += ","
    return [*lines, "]"]


def _value(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        items = [f"{quoted(str(name))}: {_value(one)}" for name, one in value.items()]
        return f"{{{', '.join(items)}}}"
    return quoted(str(value))
