"""`RangeInclusive`: an interval with both ends in it, so that the whole of 2^64 is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from .errors import InvalidRangeError
from .resource import R, Unit

_FIRST_VALUE_SHOWN_IN_HEX = 1 << 16


@dataclass(frozen=True, slots=True)
class RangeInclusive(Generic[R]):
    """The resources from `start` to `end`, both included; never empty.

    >>> RangeInclusive(5, 23).size
    19
    >>> 23 in RangeInclusive(5, 23), 24 in RangeInclusive(5, 23)
    (True, False)
    >>> RangeInclusive(8, 7)
    Traceback (most recent call last):
        ...
    vm_allocator.errors.InvalidRangeError: range 8-7 is empty: pass a start that is at most its end

    Raises `InvalidRangeError` when `end < start` or `start < 0`.
    """

    start: R
    end: R

    def __post_init__(self) -> None:
        if self.start < 0 or self.end < self.start.__index__():
            raise InvalidRangeError(Unit.ID, self.start, self.end)

    @property
    def size(self) -> int:
        """Units in the range: 1 to 2^64."""
        return self.end.__index__() - self.start.__index__() + 1

    def __contains__(self, value: R) -> bool:
        return self.start <= value.__index__() and value <= self.end.__index__()

    def overlaps(self, other: RangeInclusive[R]) -> bool:
        """Whether the two ranges share a resource."""
        return self.start <= other.end.__index__() and other.start <= self.end.__index__()

    def __repr__(self) -> str:
        """Read back by Python; hex from 2^16 on, where numbers stop being counted by hand."""
        if self.end < _FIRST_VALUE_SHOWN_IN_HEX:
            return f"RangeInclusive({self.start!r}, {self.end!r})"
        return f"RangeInclusive({self.start.__index__():#x}, {self.end.__index__():#x})"
