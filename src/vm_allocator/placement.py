"""What a request meets: the space, its window, and what is live or reserved there.

Nothing here changes anything. It works on plain ints, with inclusive ends and spans (size - 1),
so that no value leaves 64 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arithmetic import is_aligned
from .errors import (
    MisalignedError,
    NotAllocatedError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
)
from .requests import RequestReader
from .resource import R, S
from .view import plain_int

if TYPE_CHECKING:
    from .ranges import RangeInclusive


class Placement(RequestReader[R, S]):
    """Whether ranges may stand where they are asked for, and what is in their way."""

    def _plan(  # noqa: PLR0917  # the arguments of `update`, as they were passed
        self,
        old_resource: R,
        old_size: S,
        new_resource: R,
        new_size: S,
        align: int | None,
        within: RangeInclusive[R] | None,
    ) -> tuple[int, int, int, int]:
        """Return the ends of the old and of the new range of an update, or raise."""
        new_start = plain_int(self._unit, "new resource", new_resource)
        new_span = self._span(new_size)
        granule = self._granule(align)
        old_start = plain_int(self._unit, "old resource", old_resource)
        old_span = self._span(old_size)
        first, last = self._window(within)
        self._demand_live(old_start, old_span)
        self._place(new_start, new_span, granule, first, last)
        old_end, new_end = old_start + old_span, new_start + new_span
        # Look at the new range as it will be once the old one is gone: only its parts
        # outside the old range can be in anybody's way. Nothing has changed yet.
        if new_start < old_start:
            self._demand_free(new_start, new_span, new_start, min(new_end, old_start - 1))
        if old_end < new_end:
            self._demand_free(new_start, new_span, max(new_start, old_end + 1), new_end)
        return old_start, old_end, new_start, new_end

    def _inside(self, start: int, span: int, first: int, last: int) -> bool:
        """Whether the range lies within `first` to `last`, which is not empty.

        Its end is computed nowhere: it may lie beyond 2^64-1.
        """
        return first <= start <= last and span <= last - start

    def _demand_live(self, start: int, span: int) -> None:
        """Raise unless exactly this range is live."""
        if not self._inside(start, span, self._base, self._last):
            raise NotAllocatedError(self._unit, start, span)
        if self._pending:
            holder = self._pending.get((start, start + span))
            if holder is not None:
                raise holder.refuse_use(start, span)
        if not self._index.is_live(start, start + span):
            raise NotAllocatedError(self._unit, start, span)

    def _place(self, start: int, span: int, granule: int, first: int, last: int) -> None:
        """Raise unless the range may stand where it is in this window, live ranges apart."""
        if not self._inside(start, span, self._base, self._last):
            raise OutOfBoundsError(self._unit, start, span, self._base, self._last)
        if not self._inside(start, span, first, last):
            raise OutsideWindowError(self._unit, start, span, first, last)
        if not is_aligned(start, granule):
            raise MisalignedError(self._unit, start, span, granule)

    def _demand_free(self, start: int, span: int, part_start: int, part_end: int) -> None:
        """Raise, naming the whole range, if a live range meets the given part of it."""
        conflict = self._index.overlapping(part_start, part_end)
        if conflict is not None:
            holder = self._pending.get(conflict)
            if holder is not None:
                raise holder.refuse_place(start, span, conflict)
            owner = self._owners.get(conflict[0])
            raise OverlapError(self._unit, start, span, conflict[0], conflict[1], owner)
