"""One scale for all pictures of a trace: long intervals are cut, what is short stays in proportion.

As in `vm_allocator.refutation.drawing`, but in units of width and not in characters: a picture
is drawn by whoever shows it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.modelling import Range

LONGEST: Final = 12
"""The greatest width of an interval in which nothing begins or ends: what is longer is cut."""

SHORTEST: Final = 4
"""The width of the longest intervals where there are so many that they get no more."""

WIDTH: Final = 96
"""Units of width that are filled before intervals are cut shorter than `LONGEST`."""


@dataclass(frozen=True)
class Scale:
    """The addresses at which something begins or has ended, and how wide it is between them.

    Piece `n` reaches from `edges[n]` to the address before `edges[n + 1]`. It is `widths[n]`
    units wide, and not to scale if `cut[n]`.
    """

    edges: tuple[int, ...]
    widths: tuple[int, ...]
    cut: tuple[bool, ...]

    def place(self, one: Range) -> tuple[int, int] | None:
        """Return where a range is, as the numbers of two edges; `None` for an empty range.

        The range has to be one of those that the scale was made for.
        """
        if one.end < one.start:
            return None
        return bisect_left(self.edges, one.start), bisect_left(self.edges, one.end + 1)


def scale_of(ranges: Iterable[Range]) -> Scale:
    """Return the scale in which each of these ranges begins and ends at an edge."""
    found = {edge for r in ranges if r.start <= r.end for edge in (r.start, r.end + 1)}
    edges = tuple(sorted(found))
    sizes = [after - before for before, after in pairwise(edges)]
    fitting = (
        longest
        for longest in range(LONGEST, SHORTEST, -1)
        if sum(min(size, longest) for size in sizes) <= WIDTH
    )
    longest = next(fitting, SHORTEST)
    return Scale(
        edges,
        tuple(min(size, longest) for size in sizes),
        tuple(size > longest for size in sizes),
    )
