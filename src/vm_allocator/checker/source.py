"""Pieces of Python source, as a formatter would leave them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from .as_json import call_as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .calls import Call, Space

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
    inside = [line for item in items for line in _item(item, indent + 1)]
    return [f"{margin}{before}", *inside, f"{margin}{after}"]


def _item(item: str, indent: int) -> list[str]:
    """Return an item in a line, with its comma; or in several, if it ends in brackets."""
    line = f"{INDENT * indent}{item},"
    if len(line) <= WIDTH or item[-1] not in ")]}":
        return [line]
    opens, commas = _outermost(item)
    cuts = [opens, *commas, len(item) - 1]
    parts = [item[start + 1 : end].strip() for start, end in pairwise(cuts)]
    return bracketed(item[: opens + 1], [part for part in parts if part], f"{item[-1]},", indent)


def _outermost(item: str) -> tuple[int, list[int]]:
    """Return where the brackets open that close at the end, and the commas right in them."""
    opened: list[tuple[int, list[int]]] = []
    last: tuple[int, list[int]] = (0, [])
    quote, before = "", ""
    for at, c in enumerate(item):
        if quote:
            quote = "" if c == quote and before != "\\" else quote
        elif c in "\"'":
            quote = c
        elif c in "([{":
            opened.append((at, []))
        elif c in ")]}":
            last = opened.pop()
        elif c == "," and opened:
            opened[-1][1].append(at)
        before = c
    return last


def imported(module: str, names: Iterable[str]) -> list[str]:
    """Return the statement that imports these names."""
    line = f"from {module} import {', '.join(sorted(names))}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"{INDENT}{name}," for name in sorted(names)), ")"]


def recorded(space: Space, calls: Sequence[Call]) -> list[str]:
    """Return the literals SPACE, POOLS if there are any, and CALLS: what `replay` reads."""
    lines = [f"SPACE = ({number(space.base)}, {number(space.last)})"]
    if space.pools:
        lines += bracketed("POOLS = {", literals(space.message()), "}")
    if not calls:
        return [*lines, "CALLS = []"]
    lines.append("CALLS = [")
    for call in calls:
        lines += bracketed("{", literals(call_as_json(call)), "}", 1)
        lines[-1] += ","
    return [*lines, "]"]


def literals(values: Mapping[str, object]) -> list[str]:
    """Return the items of a dict."""
    return [f"{quoted(name)}: {_value(value)}" for name, value in values.items()]


def _value(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(literals(value))}}}"
    return quoted(str(value))
