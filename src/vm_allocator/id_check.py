"""The invariants of a bitmap of ids, each by name; those of its summary are with the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import hold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_words(words: Mapping[int, tuple[int, int]], chunk_bits: int, space: str) -> None:
    """Raise `BrokenInvariantError` unless the words, starts and ends of each chunk, may be."""
    state = f"{space}, chunks " + ", ".join(
        f"{n}: starts {starts:#x} ends {ends:#x}" for n, (starts, ends) in words.items()
    )
    hold(
        "no bit lies outside its chunk",
        all(word >> (1 << chunk_bits) == 0 for pair in words.values() for word in pair),
        state,
    )
    hold("no chunk is empty", all(starts | ends for starts, ends in words.values()), state)


def check_ranges(
    starts: Sequence[int], ends: Sequence[int], space: tuple[int, int], count: int
) -> None:
    """Raise `BrokenInvariantError` unless these are `count` ranges and the ids beside."""
    state = f"space {space[0]}-{space[1]}, {count} live, starts {starts}, ends {ends}"
    hold(
        "starts and ends take turns",
        len(starts) == len(ends)
        and all(start <= end for start, end in zip(starts, ends, strict=True))
        and all(end < start for end, start in zip(ends, starts[1:], strict=False)),
        state,
    )
    beside = [space[0] - 1, space[1] + 1]
    hold(
        "the ids beside the space are live, and none beyond",
        [*starts[:1], *starts[1:][-1:]] == beside == [*ends[:1], *ends[1:][-1:]],
        state,
    )
    hold("live ranges are counted", count == len(starts) - 2, state)
