"""A finite set of ranges whose numbers may be symbolic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm_allocator.modelling import FiniteRanges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.modelling import Range


class ListedRanges(FiniteRanges):
    """The concrete reading of a set, told apart by comparisons alone: it hashes nothing.

    Each comparison of symbolic numbers is decided by the path. Members have to be disjoint.
    """

    __slots__ = ()

    def _in_order(self, members: Iterable[Range]) -> tuple[Range, ...]:
        placed: list[Range] = []
        for member in members:
            position = len(placed)
            while position and member.start < placed[position - 1].start:
                position -= 1
            placed.insert(position, member)
        return tuple(placed)
