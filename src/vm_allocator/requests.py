"""What a request says by itself, checked: sizes, alignments, windows, and whether it agrees.

Nothing here looks at what is live. It works on plain ints, with inclusive ends and spans
(size - 1), so that no value leaves 64 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arithmetic import is_power_of_two
from .errors import (
    ConflictingRequestError,
    InvalidAlignmentError,
    InvalidCountError,
    InvalidSizeError,
    InvalidTypeError,
)
from .policy import ExactMatch, Order, Policy
from .ranges import RangeInclusive
from .resource import MAX_ALIGNMENT, MAX_COUNT, R, S, Unit
from .view import RangeView, plain_int

if TYPE_CHECKING:
    from collections.abc import Iterable


class RequestReader(RangeView[R, S]):
    """What the operations of `RangeAllocator` are asked, part by part."""

    def _exact_start(self, resource: R | None, policy: Policy[R] | None) -> int | None:
        """Return the start that the caller insists on, if any."""
        if policy is None:
            return None if resource is None else plain_int(self._unit, "resource", resource)
        if isinstance(policy, ExactMatch):
            start = plain_int(self._unit, "ExactMatch", policy.start)
            if resource is not None and plain_int(self._unit, "resource", resource) != start:
                raise ConflictingRequestError(
                    self._unit, f"resource {resource!r} and {policy!r} differ: pass only one"
                )
            return start
        if not isinstance(policy, Order):
            raise InvalidTypeError(self._unit, "policy", policy, "a policy")
        if resource is not None:
            raise ConflictingRequestError(
                self._unit,
                f"resource {resource!r} asks for an exact start and {policy!r} for any: "
                "pass only one",
            )
        return None

    def _span(self, size: S) -> int:
        """Return the checked size less one: 64 bits hold it even for the whole of 2^64."""
        units = plain_int(self._unit, "size", size)
        if units < 1 or self._unit.top < units - 1:
            raise InvalidSizeError(self._unit, units)
        return units - 1

    def _count(self, count: int) -> int:
        """Return the checked number of ranges: few enough for a list of them."""
        ranges = plain_int(self._unit, "count", count)
        if not 1 <= ranges <= MAX_COUNT:
            raise InvalidCountError(self._unit, ranges)
        return ranges

    def _sides(
        self, changes: Iterable[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]]
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the ends of all old ranges, and those of all new ones."""
        sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for change in changes:
            pair: object = change  # what a caller without a type checker passes is anything
            if not isinstance(pair, tuple) or len(pair) != len(sides):
                raise InvalidTypeError(self._unit, "change", pair, "a tuple (old, new)")
            if change[0] is None and change[1] is None:
                raise ConflictingRequestError(
                    self._unit, "a change from None to None is none: leave it out"
                )
            for name, side, ends in zip(("old", "new"), change, sides, strict=True):
                if side is None:
                    continue
                if not isinstance(side, RangeInclusive):
                    raise InvalidTypeError(self._unit, name, side, "a RangeInclusive, or None")
                start = plain_int(self._unit, f"first of the {name} range", side.start)
                ends.append((start, plain_int(self._unit, f"last of the {name} range", side.end)))
        return sides

    def _granule(self, align: int | None) -> int:
        """Return the checked alignment, or the default one."""
        if align is None:
            return self._align
        return checked_alignment(self._unit, align)

    def _preferred(self, prefer: int | None, granule: int, exact: int | None) -> int | None:
        """Return the alignment to try first: `None` if there is none beyond the other one."""
        if prefer is None:
            return None
        if exact is not None:
            raise ConflictingRequestError(
                self._unit,
                f"prefer={prefer!r} is for an open start, and this one is exact: leave it out",
            )
        wanted = checked_alignment(self._unit, prefer)
        return wanted if granule < wanted else None

    def _window(self, within: RangeInclusive[R] | None) -> tuple[int, int]:
        """Return the ends of the window, which may reach out of the space or miss it."""
        if within is None:
            return self._base, self._last
        if not isinstance(within, RangeInclusive):
            raise InvalidTypeError(self._unit, "within", within, "a RangeInclusive")
        first = plain_int(self._unit, "first of the window", within.start)
        last = plain_int(self._unit, "last of the window", within.end)
        return first, last


def checked_alignment(unit: Unit, align: int) -> int:
    """Return `align` if it is a power of two of 64 bits; raise `InvalidAlignmentError` if not."""
    value = plain_int(unit, "align", align)
    if not 1 <= value <= MAX_ALIGNMENT or not is_power_of_two(value):
        raise InvalidAlignmentError(unit, value)
    return value
