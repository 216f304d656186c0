"""A history drawn in text: a line for each call, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vm_allocator.checker.words import answered, asked

from .history import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .history import Event, History

_WIDTH: Final = 48
"""Columns of the time line, at most."""

_SIGNS: Final = ("├", "─", "┤", "╌")
_ASCII: Final = ("|", "-", "|", ".")


def draw_history(history: History, illegal: int | None, *, ascii_only: bool = False) -> list[str]:
    """Return lines: who calls, from when to when, what, and the answer."""
    signs = _ASCII if ascii_only else _SIGNS
    columns = _columns(history)
    width = max(columns.values(), default=0) + 1
    texts = [asked(event.call) for event in history.events]
    long = max(map(len, texts), default=0)
    lines = []
    for position, (event, text) in enumerate(zip(history.events, texts, strict=True)):
        bar = _bar(event, columns, width, signs)
        answer = "not over" if event.reply is None else answered(event.call, event.reply)
        mark = "   <- fits no order of the calls" if position == illegal else ""
        lines.append(f"{who(event.thread):<9} {bar}  {text:<{long}}  {answer}{mark}")
    return lines


def who(thread: int) -> str:
    """Name a thread."""
    return "before" if thread == ALONE else f"thread {thread}"


def _columns(history: History) -> dict[int, int]:
    """Return the column of each moment."""
    moments = sorted(
        {event.began for event in history.events}
        | {event.ended for event in history.events if event.ended is not None}
    )
    step = max(1, min(4, _WIDTH // max(1, len(moments))))
    return {moment: number * step for number, moment in enumerate(moments)}


def _bar(
    event: Event, columns: dict[int, int], width: int, signs: tuple[str, str, str, str]
) -> str:
    begin, line, end, open_end = signs
    start = columns[event.began]
    if event.ended is None:
        return " " * start + begin + open_end * (width - start - 1)
    stop = columns[event.ended]
    bar = " " * start + begin + line * (stop - start - 1) + end
    return f"{bar:<{width}}"


def stop_words(stops: Iterator[tuple[int, int, str]]) -> list[str]:
    """Return in words where threads were stopped: the thread, the next one, and the place."""
    return [
        f"thread {thread} is stopped at {place or 'the beginning of a call'}, "
        f"and thread {to} goes on"
        for thread, to, place in stops
    ]
