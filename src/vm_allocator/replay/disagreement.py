"""The finding of a replay: allocator and oracle differ. Told with the fewest records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.lockstep import DisagreementError

    from .formats import Line

EFFORT: Final = 12
"""How many times the length of the trace is played again, at most, to shorten it."""

MOST_CALLS: Final = 50


@dataclass(frozen=True)
class Disagreement:
    """An allocator did something else than the model."""

    line: int
    """The line at which they first differ when all of the trace is played."""
    difference: str
    """What was expected, and what happened, when `lines` alone are played."""
    setup: str
    """The allocator before its first call."""
    calls: tuple[str, ...]
    """The last calls on that allocator, `MOST_CALLS` at most; the differing one comes last."""
    calls_before: int = 0
    """Calls on it that are not listed."""
    lines: tuple[int, ...] = ()
    """The fewest lines of the trace that were found to show a disagreement."""


def disagreement(line: int, error: DisagreementError) -> Disagreement:
    """Return what allocator and oracle differed in, at a line of the trace."""
    shown = tuple(map(str, error.calls[-MOST_CALLS:]))
    return Disagreement(line, error.difference, error.setup, shown, len(error.calls) - len(shown))


def shorten(
    lines: Sequence[Line], play: Callable[[Sequence[Line]], Disagreement | None]
) -> Disagreement | None:
    """Return the disagreement of the shortest part of a trace that was found to show one.

    Leaves out ever smaller pieces for as long as a disagreement remains (delta debugging),
    until no single record can be left out or `EFFORT` is spent. Deterministic.
    """
    found = play(lines)
    if found is None:
        return None
    first = found.line
    kept = [line for line in lines if line.number <= first]
    effort = EFFORT * len(kept)
    piece = len(kept) // 2
    while piece and effort > 0:
        position = 0
        while position < len(kept) and effort > 0:
            without = kept[:position] + kept[position + piece :]
            effort -= len(without)
            shorter = play(without)
            if shorter is None:
                position += piece
            else:
                found = shorter
                kept = [line for line in without if line.number <= shorter.line]
        # A pass over single records that dropped some may have made others superfluous.
        piece //= 2
    numbers = tuple(line.number for line in kept)
    return replace(found, line=first, lines=numbers)
