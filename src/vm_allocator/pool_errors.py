"""What goes wrong with pools that are used as one; the other refusals are in `errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import AllocatorError, InvalidRequestError, NoSpaceError

if TYPE_CHECKING:
    from .resource import Unit


class NoPoolsError(ValueError):
    """Pools were asked for, and none was given."""

    def __str__(self) -> str:
        return "there are no pools to choose from: pass at least one allocator"


class PoolsOverlapError(InvalidRequestError):
    """Two pools have an address in common, so that nobody could tell whose a range is."""

    refusal = "pools-overlap"

    def __init__(  # pickling hands the values back by position
        self, unit: Unit, base: int, last: int, other_base: int, other_last: int
    ) -> None:
        super().__init__(unit, base, last, other_base, other_last)
        self.base = base
        self.last = last
        self.other_base = other_base
        self.other_last = other_last

    def describe(self) -> str:
        show = self.unit.show_range
        return (
            f"the spaces {show(self.base, self.last)} and "
            f"{show(self.other_base, self.other_last)} overlap: pass pools whose spaces do not"
        )


class NoRoomInPoolsError(NoSpaceError):
    """No aligned gap is large enough in any of the pools; `windows` are where it was looked."""

    def __init__(
        self, unit: Unit, span: int, align: int, windows: tuple[tuple[int, int], ...]
    ) -> None:
        # Not by the parent's own constructor: pickling is to hand back these very values.
        AllocatorError.__init__(self, unit, span, align, windows)
        self.span = span
        self.align = align
        self.first = min(first for first, _ in windows)
        self.last = max(last for _, last in windows)
        self.count = 1
        self.fitting = 0
        self.windows = windows

    def describe(self) -> str:
        show = self.unit.show
        shown = ", ".join(self.unit.show_range(*window) for window in self.windows)
        return (
            f"no room for {show(self.size)} aligned to {show(self.align)} in any of {shown}: "
            "free something, or ask for less"
        )
