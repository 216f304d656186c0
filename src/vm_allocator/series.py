"""Ranges of one size, side by side in one gap: their starts, as a series that is never listed."""

from __future__ import annotations

from .arithmetic import align_down, highest_start, lowest_start


def lowest_series(first: int, last: int, span: int, align: int, count: int) -> range:
    """Return the starts in `first` to `last` that FirstMatch grants one after another. O(1).

    They are for `span + 1` units each, at most `count`. Needs `span >= 0` and `count >= 0`;
    `first` to `last` may be empty.

    >>> list(lowest_series(3, 20, 2, 4, 9)), list(lowest_series(3, 20, 2, 4, 2))
    ([4, 8, 12, 16], [4, 8])
    """
    start = lowest_start(first, last, span, align) if first <= last else None
    if start is None:
        return range(0)
    return range(start, last - span + 1, _step(span, align))[:count]


def highest_series(first: int, last: int, span: int, align: int, count: int) -> range:
    """Return the starts that LastMatch grants; otherwise likewise.

    >>> list(highest_series(3, 20, 2, 4, 9)), list(highest_series(3, 20, 2, 1, 2))
    ([16, 12, 8, 4], [18, 15])
    """
    start = highest_start(first, last, span, align) if first <= last else None
    if start is None:
        return range(0)
    return range(start, first - 1, -_step(span, align))[:count]


def _step(span: int, align: int) -> int:
    """Return how far apart neighbours start: the size, rounded up. 2^64 at most."""
    return align_down(span, align) + align
