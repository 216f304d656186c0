"""Calls and replies in words: what every report shows, whatever it is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .calls import Allocate, Batch, Done, Failed, Free, Pick, Refused, Update
from .wide import Wide, shown, shown_options, shown_range

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.modelling import Range

    from .calls import Call, Reply

__all__ = ["POLICIES", "answered", "asked", "shown", "shown_range", "shown_ranges"]

_MOST_RANGES: Final = 16

POLICIES: Final = {Pick.FIRST: "FirstMatch", Pick.LAST: "LastMatch", Pick.ANY: "anywhere"}


def shown_ranges(ranges: Iterable[Range]) -> str:
    """Write several ranges, of very many the first ones, or that there are none."""
    every = list(ranges)
    shown_ones = ", ".join(map(shown_range, every[:_MOST_RANGES])) or "nothing"
    more = len(every) - _MOST_RANGES
    return shown_ones if more <= 0 else f"{shown_ones} and {more:,} more"


def asked(call: Call) -> str:
    """Write a call as a program would."""
    if isinstance(call, Wide):
        return call.words()
    if isinstance(call, Batch):
        return f"batch([{', '.join(map(asked, call.calls))}])"
    if isinstance(call, Free):
        return f"free({shown(call.start)}, {shown(call.size)})"
    options = shown_options(call.align, call.within)
    if isinstance(call, Update):
        old = f"{shown(call.old_start)}, {shown(call.old_size)}"
        return f"update({old}, {shown(call.start)}, {shown(call.size)}{options})"
    if call.start is not None:
        return f"allocate({shown(call.start)}, {shown(call.size)}{options})"
    return f"allocate({POLICIES[call.pick]}, {shown(call.size)}{options})"


def answered(call: Call, reply: Reply) -> str:
    """Write what the target answered."""
    if isinstance(reply, Done):
        if reply.starts is not None:
            starts = ", ".join("done" if one is None else shown(one) for one in reply.starts)
            return f"granted {starts or 'nothing'}"
        if isinstance(call, Allocate) and reply.start is not None:
            return f"granted {shown(reply.start)}"
        return "done"
    if isinstance(reply, Refused):
        at = "" if reply.at is None else f" (call {reply.at + 1})"
        return f"refused: {reply.reason}{at}"
    if isinstance(reply, Failed):
        return f"{reply.how.value}: {reply.name}"
    return f"skipped: {reply.why}"
