"""States, requests and windows of a counterexample in text: see `vm_allocator.drawing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vm_allocator.drawing import (
    ASCII,
    LIVE,
    POINT,
    WINDOW,
    WINDOW_FIRST,
    WINDOW_LAST,
    Row,
    draw_rows,
)
from vm_allocator.modelling import Range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vm_allocator.proving.concrete_case import Values

__all__ = ["ASCII", "EXPECTED", "draw"]

EXPECTED: Final = "expected"
"""The name of the state after, as the specification has it: it is drawn last."""

_NO_ADDRESS: Final = {"alignment", "align", "size", "top", "base", "last"}
_LEFT_OUT: Final = "left out"


def draw(values: Values, *, ascii_only: bool = False) -> list[str]:
    """Return a line with addresses, and one line per state, range, request and window."""
    return draw_rows(list(_rows(values)), ascii_only=ascii_only)


# ---- what is in the picture


def _rows(values: Values) -> Iterator[Row]:
    names = [name.removesuffix(".live") for name in values.ranges if name.endswith(".live")]
    names.sort(key=lambda name: name == EXPECTED)
    yield from (_state(values, name) for name in names if name != EXPECTED)
    yield from _space_asked_for(values)
    yield from _pairs(values)
    yield from _requests(values)
    yield from _points(values)
    yield from (_state(values, name) for name in names if name == EXPECTED)


def _state(values: Values, name: str) -> Row:
    space = Range(values.numbers[f"{name}.base"], values.numbers[f"{name}.last"])
    live = sorted(values.ranges[f"{name}.live"])
    note = f"live {', '.join(map(_show, live)) or 'nothing'} in {_show(space)}"
    return Row(name, note, space, tuple(live), LIVE)


def _space_asked_for(values: Values) -> Iterator[Row]:
    """Draw the space that a constructor was asked for."""
    numbers = values.numbers
    if "base" in numbers and ("last" in numbers or "size" in numbers):
        base = numbers["base"]
        asked = Range(base, numbers["last"] if "last" in numbers else base + numbers["size"] - 1)
        yield Row("space", _show(asked), None, (asked,))


def _pairs(values: Values) -> Iterator[Row]:
    """Draw what is given as a start and an end: windows, and ranges that are talked about."""
    numbers = values.numbers
    for name in (name.removesuffix(".start") for name in numbers if name.endswith(".start")):
        if f"{name}.end" not in numbers:
            continue
        pair = Range(numbers[f"{name}.start"], numbers[f"{name}.end"])
        window = name.endswith(".window")
        if not window:
            yield Row(name, _show(pair), None, (pair,))
        elif values.choices.get("within") != _LEFT_OUT:
            marks = WINDOW_FIRST + WINDOW + WINDOW_LAST
            label = name.removeprefix("request.")
            yield Row(label, _show(pair), None, (pair,), marks)


def _requests(values: Values) -> Iterator[Row]:
    """Draw each request where it insists to be; say what it is where it may be anywhere."""
    numbers = values.numbers
    for name in (name.removesuffix(".size") for name in numbers if name.endswith(".size")):
        size = numbers[f"{name}.size"]
        align = hex(numbers.get(f"{name}.align", 1))
        if values.choices.get("align") == _LEFT_OUT:
            align = f"left out ({numbers.get('alignment', 1):#x})"
        note = f"size {size:#x}, align {align}"
        start = numbers.get(name, numbers.get("start"))
        if start is None:
            yield Row(name, note)
        else:
            place = Range(start, start + size - 1)
            yield Row(name, f"{_show(place)}, {note}", None, (place,))
    if "start" in numbers and "size" in numbers:
        place = Range(numbers["start"], numbers["start"] + numbers["size"] - 1)
        yield Row("start, size", _show(place), None, (place,))


def _points(values: Values) -> Iterator[Row]:
    """Draw the other addresses that are talked about."""
    numbers = values.numbers
    requests = {name.removesuffix(".size") for name in numbers if name.endswith(".size")}
    taken = _NO_ADDRESS | requests | ({"start"} if requests or "size" in numbers else set())
    for name, address in numbers.items():
        if "." not in name and name not in taken:
            yield Row(name, hex(address), None, (Range(address, address),), POINT)


def _show(r: Range) -> str:
    dash = "-" if min(r) >= 0 else " to "
    empty = " (empty)" if r.end < r.start else ""
    return f"{r.start:#x}{dash}{r.end:#x}{empty}"
