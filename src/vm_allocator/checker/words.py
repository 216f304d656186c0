"""Calls and replies in words: what every report shows, whatever it is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .calls import Allocate, Done, Failed, Free, Pick, Refused, Update

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.modelling import Range

    from .calls import Call, Reply

_MOST_RANGES: Final = 16

POLICIES: Final = {Pick.FIRST: "FirstMatch", Pick.LAST: "LastMatch", Pick.ANY: "anywhere"}


def shown(number: int) -> str:
    """Write a number as people read it: hex where a digit does not do."""
    return str(number) if -10 < number < 10 else hex(number)  # noqa: PLR2004  # one digit is one digit


def shown_range(one: Range) -> str:
    """Write an inclusive range."""
    start, end = one
    return shown(start) if start == end else f"{shown(start)}-{shown(end)}"


def shown_ranges(ranges: Iterable[Range]) -> str:
    """Write several ranges, of very many the first ones, or that there are none."""
    every = list(ranges)
    shown_ones = ", ".join(map(shown_range, every[:_MOST_RANGES])) or "nothing"
    more = len(every) - _MOST_RANGES
    return shown_ones if more <= 0 else f"{shown_ones} and {more:,} more"


def asked(call: Call) -> str:
    """Write a call as a program would."""
    if isinstance(call, Free):
        return f"free({shown(call.start)}, {shown(call.size)})"
    options = "" if call.align is None else f", align={shown(call.align)}"
    if call.within is not None:
        options += f", within={shown_range(call.within)}"
    if isinstance(call, Update):
        old = f"{shown(call.old_start)}, {shown(call.old_size)}"
        return f"update({old}, {shown(call.start)}, {shown(call.size)}{options})"
    if call.start is not None:
        return f"allocate({shown(call.start)}, {shown(call.size)}{options})"
    return f"allocate({POLICIES[call.pick]}, {shown(call.size)}{options})"


def answered(call: Call, reply: Reply) -> str:
    """Write what the target answered."""
    if isinstance(reply, Done):
        if isinstance(call, Allocate) and reply.start is not None:
            return f"granted {shown(reply.start)}"
        return "done"
    if isinstance(reply, Refused):
        return f"refused: {reply.reason}"
    if isinstance(reply, Failed):
        return f"{reply.how.value}: {reply.name}"
    return f"skipped: {reply.why}"
